"""Notices of reservations: who must know that one took effect is told once, and acknowledges; who has not is reminded."""

from __future__ import annotations

import datetime
import json
from collections import defaultdict
from functools import partial
from pathlib import Path
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import TruncDate
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.evidence.services import record
from accounts.identity.core import SYSTEM, Actor, Forbidden, NotFound, Reference
from accounts.notices import services as notices
from accounts.notices.models import Webhook
from licensing import terms
from licensing.compliance import core
from licensing.compliance.models import ReservationNotice
from licensing.compliance.services.telling import link_to, tell_staff
from licensing.permissions.core.places import like
from licensing.permissions.models import Reservation
from licensing.permissions.services import telling

AFFECTED: Final = Path(__file__).with_name("affected.sql").read_text(encoding="utf-8")
AT_ONCE: Final = 500  # reservations a turn
TURNS: Final = 40  # a task, at most; beat goes on


def tell_effective() -> int:
    """Tell licensees of every reservation that took effect since; returns how many notices that made."""
    return sum(_in_turns(_tell_some))


def tell_ended() -> int:
    """Close the notices of reservations that ended; returns how many."""
    return sum(_in_turns(_end_some))


def _in_turns(act: Any) -> list[int]:
    made = []
    for _turn in range(TURNS):
        seen, count = act()
        made.append(count)
        if seen < AT_ONCE:
            break
    return made


@transaction.atomic
def _tell_some() -> tuple[int, int]:
    """(reservations looked at, notices made), oldest first. Two workers take different ones."""
    due = Reservation.objects.filter(status="effective", told_at=None, effective_from__lte=timezone.now())
    oldest = due.select_related("society", "work", "holder").order_by("effective_from", "id")
    chosen = list(oldest.select_for_update(skip_locked=True, of=("self",), no_key=True)[:AT_ONCE])
    if not chosen:
        return 0, 0
    today = timezone.localdate()
    parameters: dict[str, Any] = {
        "reservations": [each.pk for each in chosen], "places": json.dumps(_places(chosen)), "today": today,
        "kinds": json.dumps(terms.KIND_OF_SCHEME), "due_on": core.due_on(today, core.ACKNOWLEDGE_DAYS),
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(AFFECTED, parameters)
        made = cursor.fetchall()
    Reservation.objects.filter(pk__in=[each.pk for each in chosen]).update(told_at=timezone.now())
    _say_effective({each.pk: each for each in chosen}, made)
    return len(chosen), len(made)


def _places(chosen: list[Reservation]) -> list[dict[str, Any]]:
    return [
        {
            "reservation": each.pk, "place": each.place, "host": each.place.partition("/")[0],
            "fits": like(each.place, each.pattern) if each.pattern else None,
            "excepting": [like(each.place, other) for other in each.excepting],
        }
        for each in chosen
        if each.place
    ]  # fmt: skip


def _say_effective(chosen: dict[int, Reservation], made: list[tuple[int, int, int]]) -> None:
    """One notice a licensee for the whole turn, one webhook a reservation, one event a society."""
    by_licensee: dict[int, list[int]] = defaultdict(list)
    for _notice, reservation, licensee in made:
        by_licensee[licensee].append(reservation)
    listening = _listening(set(by_licensee), "reservation.effective")
    for licensee, numbers in by_licensee.items():
        for number in numbers if licensee in listening else ():
            publish(chosen[number], licensee, "reservation.effective")
        count = len(numbers)
        key = f"reservations-effective:{min(numbers)}:{max(numbers)}"
        tell_staff(
            licensee, "licensee", "declarations.declare", key=key, said=partial(_effective, count),
            link=link_to("licensing:reservation_notices"),
        )  # fmt: skip
    societies: dict[int, list[int]] = defaultdict(list)
    for _notice, reservation, licensee in made:
        societies[chosen[reservation].society_id].append(licensee)
    for society, licensees in societies.items():
        data = {"notices": len(licensees), "licensees": len(set(licensees))}
        about = Reference("reservation", min(chosen))
        record(actor=SYSTEM, verb="reservation.notices_sent", object=about, organisation_id=society, data=data)


def _listening(licensees: set[int], kind: str) -> set[int]:
    """Those whose programs asked to hear of it; most have none, and are spared a query a reservation."""
    webhooks = Webhook.objects.filter(organisation_id__in=licensees, events__contains=[kind])
    return set(webhooks.values_list("organisation_id", flat=True))


def publish(reservation: Reservation, licensee_id: int, kind: str) -> None:
    """To the licensee's programs, unless they heard of it when it was received: what is reserved, without who asked."""
    key = telling.event_key(reservation, kind)
    notices.publish(organisation_id=licensee_id, kind=kind, key=key, data=telling.event(reservation))


def _effective(count: int) -> tuple[str, str]:
    subject = ngettext(
        "A reservation took effect that concerns you", "%(count)s reservations took effect that concern you", count
    )
    days = {"days": core.ACKNOWLEDGE_DAYS}
    body = _("From now on these uses are reserved. See what is reserved, and acknowledge it within %(days)s days.")
    return subject % {"count": count}, body % days


@transaction.atomic
def _end_some() -> tuple[int, int]:
    """(ended reservations looked at, notices closed): nobody has to acknowledge what no longer holds."""
    ended = Reservation.objects.filter(told_at__isnull=False, ended_at__isnull=False, end_told_at=None)
    oldest = ended.select_related("society", "work", "holder").order_by("id")
    chosen = list(oldest.select_for_update(skip_locked=True, of=("self",), no_key=True)[:AT_ONCE])
    if not chosen:
        return 0, 0
    now, by_id = timezone.now(), {each.pk: each for each in chosen}
    concerned = ReservationNotice.objects.filter(reservation_id__in=by_id)
    listening = _listening(set(concerned.values_list("licensee_id", flat=True)), "reservation.withdrawn")
    heard = concerned.filter(licensee_id__in=listening).order_by("id")
    for reservation, licensee in heard.values_list("reservation_id", "licensee_id"):
        publish(by_id[reservation], licensee, "reservation.withdrawn")
    closed = concerned.filter(closed_at=None).update(closed_at=now)
    Reservation.objects.filter(pk__in=by_id).update(end_told_at=now)
    return len(chosen), closed


@transaction.atomic
def acknowledge(*, actor: Actor, notice: ReservationNotice) -> ReservationNotice:
    """The licensee says that they know. Acknowledging again changes nothing; a closed notice needs no answer."""
    held = ReservationNotice.objects.visible_to(actor).select_related("reservation").filter(pk=notice.pk).first()
    if held is None:
        raise NotFound(_("There is no such notice."))
    _require_licensee(actor, held.licensee_id)
    _acknowledge(actor, ReservationNotice.objects.filter(pk=held.pk))
    held.refresh_from_db()
    return held


@transaction.atomic
def acknowledge_all(*, actor: Actor) -> int:
    """Acknowledge all that waits for this licensee; returns how many that were."""
    _require_licensee(actor, actor.organisation_id or 0)
    return _acknowledge(actor, ReservationNotice.objects.visible_to(actor).filter(licensee_id=actor.organisation_id))


def _require_licensee(actor: Actor, licensee_id: int) -> None:
    actor.require("declarations.declare")
    if not actor.is_system and (not actor.is_licensee or actor.organisation_id != licensee_id):
        raise Forbidden(_("Only the licensee acknowledges a notice."))
    if actor.sandbox:
        raise Forbidden(_("A test token acknowledges nothing. Use a live one."))


def _acknowledge(actor: Actor, these: Any) -> int:
    waiting = these.waiting()
    first = waiting.order_by("id").values_list("pk", "licensee_id").first()
    done = waiting.update(acknowledged_at=timezone.now(), acknowledged_by_id=actor.user_id)
    if done and first:
        about = Reference("reservation_notice", first[0])
        data = {"notices": done}
        record(actor=actor, verb="reservation.acknowledged", object=about, organisation_id=first[1], data=data)
    return int(done)


@transaction.atomic
def remind() -> int:
    """Remind licensees of what waits: once after seven days, once more when it is overdue. Returns how many notices."""
    now, today = timezone.now(), timezone.localdate()
    week = now - datetime.timedelta(days=core.REMIND_AFTER_DAYS)
    waiting = ReservationNotice.objects.waiting().annotate(reminded_on=TruncDate("reminded_at"))
    overdue = Q(due_on__lt=today) & (Q(reminded_at=None) | Q(reminded_on__lte=F("due_on")))
    late = waiting.filter(Q(reminded_at=None, sent_at__lte=week) | overdue).order_by("id")
    found = list(late.select_for_update(skip_locked=True, of=("self",)).values_list("pk", "licensee_id", "due_on"))
    ReservationNotice.objects.filter(pk__in=[pk for pk, _licensee, _due in found]).update(reminded_at=now)
    by_licensee: dict[int, list[datetime.date]] = defaultdict(list)
    for _pk, licensee, due in found:
        by_licensee[licensee].append(due)
    for licensee, days in by_licensee.items():
        overdue_ones = sum(day < today for day in days)
        tell_staff(
            licensee, "licensee", "declarations.declare", key=f"reservations-reminder:{today}:{min(days)}",
            said=partial(_reminder, len(days), overdue_ones),
            link=link_to("licensing:reservation_notices"),
        )  # fmt: skip
    return len(found)


def _reminder(count: int, overdue: int) -> tuple[str, str]:
    subject = ngettext(
        "%(count)s notice of a reservation waits for you", "%(count)s notices of reservations wait for you", count
    )
    body = (
        ngettext("%(overdue)s of them is overdue.", "%(overdue)s of them are overdue.", overdue) % {"overdue": overdue}
        if overdue
        else _("Acknowledge that you know what is reserved. The society sees who has not.")
    )
    return subject % {"count": count}, body
