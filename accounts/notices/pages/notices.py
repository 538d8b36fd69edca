"""A person's notices."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.access.paging import paginate
from accounts.identity.gate import ActorRequest, signed_in
from accounts.notices import services
from accounts.notices.models import Notice


@signed_in
@require_GET
def notices(request: ActorRequest) -> HttpResponse:
    mine = Notice.objects.visible_to(request.actor)
    context = {"page": paginate(request, mine.order_by("-id")), "unread": mine.unread().exists()}
    return render(request, "accounts/notices/notices.html", context)


@signed_in
@require_POST
def read_all(request: ActorRequest) -> HttpResponse:
    services.mark_read(actor=request.actor)
    return redirect("accounts:notices")


@signed_in
@require_POST
def read(request: ActorRequest, notice_id: int) -> HttpResponse:
    """Mark one as read, and go where it points."""
    services.mark_read(actor=request.actor, notice_id=notice_id)
    notice = Notice.objects.visible_to(request.actor).get(pk=notice_id)
    return redirect(notice.link if notice.link.startswith("/") else "accounts:notices")
