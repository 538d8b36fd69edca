"""What happened in one's organisation, newest first."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.evidence.models import Event
from accounts.identity.gate import ActorRequest, requires

_PAGE = 50


@requires("evidence.view")
@require_GET
def evidence(request: ActorRequest) -> HttpResponse:
    """`?object=run:7` narrows it to one object; `?before=` leads on, by id, since rows are only ever added on top."""
    events = Event.objects.visible_to(request.actor)
    about = request.GET.get("object", "").strip()
    if about:
        kind, _, identity = about.partition(":")
        events = events.about(kind.strip(), identity.strip())
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        events = events.filter(id__lt=int(before))
    rows = list(events.order_by("-id")[: _PAGE + 1])
    context = {"events": rows[:_PAGE], "older": rows[_PAGE - 1].pk if len(rows) > _PAGE else None, "about": about}
    return render(request, "accounts/evidence/evidence.html", context)
