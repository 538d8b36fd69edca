"""A licence's states: activated, suspended, resumed, terminated, expired."""

from __future__ import annotations

import datetime
from typing import Any

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.translation import gettext as _

from accounts.evidence.models import Event
from accounts.identity.core import Actor, Conflict, Refusal
from licensing.licences.core import SUSPENSIONS, TRANSITIONS
from licensing.licences.models import Licence
from licensing.licences.services import telling
from licensing.licences.services.common import check_society, note


@transaction.atomic
def activate(*, actor: Actor, licence: Licence) -> Licence:
    """Put a draft in force for its term."""
    return move(actor, licence, "activate", "activated")


@transaction.atomic
def suspend(*, actor: Actor, licence: Licence, ground: str = "", reason: str = "") -> Licence:
    """Stop a licence: from now on it licenses nothing, until it is resumed. `ground`: one of `core.SUSPENSIONS`.

    The ground alone may be given as the reason.
    """
    ground, reason = (reason.strip(), "") if reason.strip() in SUSPENSIONS and not ground else (ground, reason.strip())
    if ground and ground not in SUSPENSIONS:
        known = ", ".join(SUSPENSIONS)
        raise Refusal("unknown_ground", _("Choose one of: %(known)s.") % {"known": known}, pointer="/ground")
    data: dict[str, Any] = {"on": timezone.localdate().isoformat(), "reason": reason[:2000]} | (
        {"ground": ground} if ground else {}
    )
    moved = move(actor, licence, "suspend", "suspended", **data)
    event = _last(moved, "licence.suspended")
    key = f"licence.suspended:{moved.pk}:{event.pk if event else 0}"  # each suspension is one of its own
    said = lazy(lambda: " ".join(filter(None, (_(SUSPENSIONS[ground]) + "." if ground else "", reason[:2000]))), str)()
    telling.tell_parties(moved, "suspended", key=key, reason=said)
    telling.publish_licence(moved, "licence.suspended", key=key, ground=ground or None)
    return moved


@transaction.atomic
def resume(*, actor: Actor, licence: Licence) -> Licence:
    """Lift a suspension."""
    event = _last(licence, "licence.suspended")
    moved = move(actor, licence, "resume", "resumed")
    telling.tell_parties(moved, "resumed", key=f"licence.resumed:{moved.pk}:{event.pk if event else 0}")
    return moved


@transaction.atomic
def terminate(*, actor: Actor, licence: Licence, on: datetime.date, reason: str = "") -> Licence:
    """End the term early: `on` is the first day that is no longer licensed. Use before it stays licensed.

    A suspended licence ends on the day of its suspension at the latest.
    """
    since, until = licence.valid.lower, licence.valid.upper
    if on <= since or (until is not None and on > until):
        raise Refusal(
            "outside_term",
            _("The end must lie within the term, after %(first)s. A licence that never ran is left suspended.")
            % {"first": since},
            pointer="/on",
        )
    if licence.status == Licence.Status.SUSPENDED and on > (stopped := _suspended_on(licence)):
        raise Refusal(
            "after_suspension",
            _("This licence is suspended since %(day)s. End it on that day or before, or resume it first.")
            % {"day": stopped},
            pointer="/on",
        )
    said = reason.strip()[:2000]
    moved = move(
        actor,
        licence,
        "terminate",
        "terminated",
        fields={"valid": DateRange(since, on)},
        on=on.isoformat(),
        reason=said,
    )
    _tell_end(moved, "terminated", reason=said)
    return moved


def suspension_of(licence: Licence) -> dict[str, Any] | None:
    """Why and since when a licence is suspended: {on, ground?, reason}. None where it is not."""
    if licence.status != Licence.Status.SUSPENDED:
        return None
    event = _last(licence, "licence.suspended")
    return dict(event.data) if event else {"on": licence.valid.lower.isoformat(), "reason": ""}


def expire_due(*, actor: Actor, today: datetime.date) -> int:
    """Mark active licences whose term is over; how many."""
    due = Licence.objects.filter(status=Licence.Status.ACTIVE, valid__endswith__lte=today)
    return sum(_expire(actor, licence) for licence in due.select_related("society", "licensee").iterator())


@transaction.atomic
def _expire(actor: Actor, licence: Licence) -> bool:
    if not change(licence, "expire"):
        return False  # another worker was first, or the licence was just terminated
    note(actor, "expired", licence)
    licence.refresh_from_db()
    _tell_end(licence, "expired")
    return True


def move(
    actor: Actor, licence: Licence, verb: str, said: str, *, fields: dict[str, Any] | None = None, **data: Any
) -> Licence:
    """One transition by the society's staff, by compare-and-set."""
    check_society(actor, licence.society)
    if not change(licence, verb, **(fields or {})):
        licence.refresh_from_db()
        raise Conflict(
            "wrong_status",
            _("The licence “%(ref)s” is %(status)s, so this cannot be done.")
            % {"ref": licence.ref, "status": licence.get_status_display()},
        )
    note(actor, said, licence, **data)
    licence.refresh_from_db()
    return licence


def change(licence: Licence, verb: str, **fields: Any) -> bool:
    """Whether the licence still stood, with this term, where the transition starts, and so was moved."""
    before, after = TRANSITIONS[verb]
    standing = Licence.objects.filter(pk=licence.pk, status__in=before, valid=licence.valid)
    if licence.status in before:
        standing = standing.filter(status=licence.status)
    return standing.update(status=after, **fields) == 1


def _tell_end(licence: Licence, what: str, **facts: Any) -> None:
    key = f"licence.ended:{licence.pk}"
    telling.tell_parties(licence, what, key=key, **facts)
    telling.publish_licence(licence, "licence.ended", key=key)


def _suspended_on(licence: Licence) -> datetime.date:
    event = _last(licence, "licence.suspended")
    return datetime.date.fromisoformat(event.data["on"]) if event else licence.valid.lower


def _last(licence: Licence, verb: str) -> Event | None:
    return Event.objects.about("licence", licence.pk).filter(verb=verb).order_by("-id").first()
