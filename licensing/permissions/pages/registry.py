"""The public register of reservations: what is reserved, where, since when; never who asked."""

from __future__ import annotations

import re
from typing import Any, Final

from django.core.cache import cache
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from accounts.access.limits import TooOften, caller, limit
from accounts.access.paging import paginate
from accounts.identity.core import NotFound
from accounts.identity.gate import ActorRequest, signed_in
from licensing import terms
from licensing.permissions import wording
from licensing.permissions.core import places
from licensing.permissions.models import Reservation
from licensing.permissions.models.reservations import ReservationQuerySet
from licensing.permissions.services.public_search import LONGEST, find_works, societies, understood
from licensing.permissions.services.reservations import spelled

COUNTED_FOR: Final = 60  # seconds that a number on top of the register is remembered
MOST_FOUND: Final = 1000  # of each way in which a text is looked up
MOST_WORKS: Final = 200  # found by words, whose reservations are listed
STATES: Final = {
    "counting": gettext_lazy("counts now"),
    Reservation.Status.RECEIVED: gettext_lazy("being checked"),
    Reservation.Status.EFFECTIVE: gettext_lazy("checked"),
    "ended": gettext_lazy("ended"),
}


@require_GET
def reservations(request: ActorRequest) -> HttpResponse:
    """All that was ever received, newest first."""
    asked = request.GET.get("q", "").strip()[:LONGEST]
    chosen = {name: request.GET.get(name, "") for name in ("kind", "use", "state", "society")}
    known = societies()
    found, refused = _filtered(Reservation.objects.public(), chosen, known), ""
    if asked:
        try:
            limit("search", caller(request), most=60, seconds=60)
            found = found.filter(_about(asked))
        except TooOften as too_often:
            found, refused = found.none(), str(too_often)
    listed = found.select_related("work", "holder", "society").order_by("-id")
    context = {
        "page": paginate(request, listed, counted=False),
        "asked": asked,
        "refused": refused,
        **chosen,
        "filtered": bool(asked or any(chosen.values())),
        "kinds": Reservation.Target.choices,
        "uses": [(code, wording.use_name(code)) for code in terms.USES],
        "states": STATES.items(),
        "societies": known,
        "counts": cache.get_or_set("reservations:counts", _counts, COUNTED_FOR),
    }
    return render(request, "licensing/reservations/registry.html", context, status=429 if refused else 200)


def _filtered(found: ReservationQuerySet, chosen: dict[str, str], known: list[Any]) -> ReservationQuerySet:
    if chosen["kind"] in Reservation.Target.values:
        found = found.filter(target=chosen["kind"])
    if chosen["use"] in terms.USES:
        found = found.filter(uses__overlap=[chosen["use"], terms.ANY])
    if chosen["state"] == "counting":
        found = found.counting(timezone.now())
    elif chosen["state"] == "ended":
        found = found.filter(ended_at__lte=timezone.now())
    elif chosen["state"] in STATES:
        found = found.filter(status=chosen["state"])
    of = [each.pk for each in known if each.ref == chosen["society"]]
    return found.filter(society_id__in=of) if chosen["society"] else found


def _about(asked: str) -> Q:
    """Those of this ref, web address, identifier, or of works and typed titles with all of these words.

    Each way is looked up by itself, so that each has its index, and gives the newest thousand at most.
    """
    if asked.upper().startswith("R-"):
        return Q(ref=spelled(asked))
    ways = [Q(work_id__in=[work.pk for work in find_works(asked, most=MOST_WORKS)[1]])]
    spoken = understood(asked)
    if spoken is None:
        ways.append(Q(pk__in=_newest(Reservation.objects.worded(asked))))
    elif spoken[0] in ("domain", "url"):
        value = re.escape(spoken[1].rstrip("/"))
        below = rf"^([^/]+\.)?{value}(/|$)" if spoken[0] == "domain" else f"^{value}/"
        ways += [Q(place__in=list(places.ancestors(spoken[1]))), Q(place__regex=below)]
    else:
        ways.append(Q(scheme=spoken[0], value=spoken[1]))
    return Q(pk__in={number for way in ways for number in _newest(Reservation.objects.filter(way))})


def _newest(found: ReservationQuerySet) -> list[int]:
    return list(found.order_by("-pk").values_list("pk", flat=True)[:MOST_FOUND])


def _counts() -> dict[str, int]:
    """Counted once a minute at most, for everybody."""
    return {
        "counting": Reservation.objects.counting(timezone.now()).count(),
        "checking": Reservation.objects.filter(status=Reservation.Status.RECEIVED).count(),
    }


@signed_in
@require_GET
def reservation(request: ActorRequest, reservation_id: int) -> HttpResponse:
    """Where evidence and notices lead by number: on to its page."""
    found = Reservation.objects.visible_to(request.actor).filter(pk=reservation_id).first()
    if found is None:
        raise NotFound(_("There is no such reservation."))
    return redirect("licensing:reservation_follow", found.ref)
