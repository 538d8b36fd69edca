"""What waits for a second person, and what was decided. One decides on the object's own page, beside its numbers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_GET

from accounts.access.paging import paginate
from accounts.approvals.models import Approval
from accounts.identity.gate import ActorRequest, requires


@requires("approvals.decide")
@require_GET
def approvals(request: ActorRequest) -> HttpResponse:
    ours = Approval.objects.visible_to(request.actor).select_related("requester", "decider")
    pending = told(ours.pending().order_by("requested_at"))
    page = paginate(request, ours.exclude(status=Approval.Status.PENDING).order_by("-decided_at"))
    told(page.object_list)
    return render(request, "accounts/approvals/approvals.html", {"pending": pending, "page": page})


def told(approvals: Iterable[Approval]) -> list[Any]:
    """The same approvals, each with a `name` in words and a `link` to where one decides."""
    found: list[Any] = list(approvals)
    for approval in found:
        approval.link = _link(approval)
        approval.name = settings.APPROVAL_KINDS.get(approval.kind, approval.kind)
    return found


def _link(approval: Approval) -> str:
    """The page of what is to be approved. The floors above are known by the settings only."""
    route = settings.OBJECT_ROUTES.get(approval.object_kind)
    try:
        return reverse(route, args=[approval.object_id]) if route else ""
    except NoReverseMatch:
        return ""
