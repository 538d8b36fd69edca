"""The public lists of works and people for whom money waits. No sign-in, no amount, nothing of any firm."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.access.limits import TooOften, caller, limit
from accounts.access.paging import paginate
from accounts.identity.core import NotFound
from accounts.identity.gate import ActorRequest
from royalties.outstanding.labels import reason_label
from royalties.outstanding.models import NoticeEntry, PublicNotice, Resolution

A_MINUTE: Final = 60  # searches from one address
LONGEST: Final = 300


@require_GET
def notices(request: ActorRequest) -> HttpResponse:
    """The latest list of each society, and the ones before."""
    found = PublicNotice.objects.select_related("society").order_by("-published_on", "-pk")
    latest = PublicNotice.objects.order_by("society_id", "-number").distinct("society_id").values_list("pk", flat=True)
    carried = (
        Resolution.objects.filter(status=Resolution.Status.EXECUTED)
        .select_related("society")
        .order_by("-decided_at")[:20]
    )
    context = {"page": paginate(request, found), "latest": set(latest), "resolutions": carried}
    return render(request, "royalties/outstanding/notices.html", context)


@require_GET
def notice(request: ActorRequest, public_notice_id: int) -> HttpResponse:
    """One list as it was published, with its digest; searched by title, creator or identifier."""
    found = PublicNotice.objects.select_related("society").filter(pk=public_notice_id).first()
    if found is None:
        raise NotFound(_("There is no such list."))
    asked, state = request.GET.get("q", "").strip()[:LONGEST].replace("\0", ""), request.GET.get("state", "")
    entries, refused = NoticeEntry.objects.filter(notice=found), ""
    if state in NoticeEntry.State.values:
        entries = entries.filter(state=state)
    if asked:
        try:
            limit("notices", caller(request), most=A_MINUTE, seconds=60)
            entries = entries.search(asked)
        except TooOften as too_often:
            entries, refused = entries.none(), str(too_often)
    page = paginate(request, entries.order_by("pk"), counted=False)
    context: dict[str, Any] = {
        "notice": found, "page": page, "rows": [(each, reason_label(each.reason)) for each in page], "asked": asked, "state": state,
        "states": NoticeEntry.State.choices, "refused": refused,
        "newer": PublicNotice.objects.filter(society=found.society, number__gt=found.number).order_by("-number").first(),
    }  # fmt: skip
    return render(request, "royalties/outstanding/notice.html", context, status=429 if refused else 200)
