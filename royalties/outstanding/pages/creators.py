"""What waits of a creator's money: why, since when, until when, and what they can do."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Exists, Min, OuterRef
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.access.paging import paginate
from accounts.identity.core import Actor
from accounts.identity.gate import ActorRequest, requires
from licensing.repertoire.models import Share
from royalties.distribution.models import Run
from royalties.outstanding.labels import TO_DO, reason_label
from royalties.outstanding.models import Outstanding
from royalties.payouts.models import CarriedForward, Payment

SHOWN: Final = 100


@requires("statements.view")
@require_GET
def waiting(request: ActorRequest) -> HttpResponse:
    """What is held of their shares; works of theirs that wait as a whole; and what is payable and was not paid."""
    actor = request.actor
    mine = Outstanding.objects.visible_to(actor) if not actor.is_society else Outstanding.objects.none()
    page = paginate(
        request,
        mine.select_related("work", "holder", "society").order_by("-run_id", "-amount", "allocation_id"),
        counted=False,
    )
    context: dict[str, Any] = {
        "page": page, "rows": [(each, reason_label(each.reason), TO_DO.get(each.reason)) for each in page],
        "works": _works(actor), "unpaid": _unpaid(actor),
    }  # fmt: skip
    return render(request, "royalties/outstanding/waiting.html", context)


def _works(actor: Actor) -> list[tuple[Any, str, Any]]:
    """Works in which they have a share and of which a part waits that is nobody's yet: why and since when, without the amount."""
    if actor.organisation_id is not None or actor.sandbox:
        return []
    works = Share.objects.filter(holder_id__in=actor.holder_ids).values("work_id")
    published = Run.objects.filter(published_at__isnull=False)
    found = Outstanding.objects.filter(holder=None, work_id__in=works, run__in=published)
    rows = found.values("work_id", "work__title", "society__name", "reason").annotate(
        since=Min("allocated_on"), until=Min("expires_on")
    )
    return [
        (row, reason_label(row["reason"]), TO_DO.get(row["reason"]))
        for row in rows.order_by("since", "work__title")[:SHOWN]
    ]


def _unpaid(actor: Actor) -> list[tuple[CarriedForward, str, Any]]:
    """What the last payout left, by holder and currency; nothing of one whom a later payout paid."""
    if actor.organisation_id is not None:
        return []
    paid_since = Payment.objects.filter(
        holder_id=OuterRef("holder_id"), currency=OuterRef("currency"), batch_id__gt=OuterRef("batch_id")
    ).exclude(status__in=(Payment.Status.PLANNED, Payment.Status.DISCARDED))
    left = (
        CarriedForward.objects.visible_to(actor)
        .filter(~Exists(paid_since))
        .order_by("holder_id", "currency", "-batch_id")
        .distinct("holder_id", "currency")
    )
    rows = left.select_related("holder", "society", "batch")[:SHOWN]
    return [(each, reason_label(each.reason), TO_DO.get(each.reason)) for each in rows]
