"""Remind a society of reservations whose identity check is due: once before the day, once after it has passed."""

from __future__ import annotations

import datetime as dt
from typing import Final

from django.db.models import Count, QuerySet
from django.urls import reverse
from django.utils.translation import ngettext, override

from accounts.access.models import Membership
from accounts.identity.models import User
from accounts.notices.services import notify
from accounts.organisations.models import Organisation
from licensing.permissions.core import deadlines
from licensing.permissions.models import Reservation

_ROLES: Final = ("repertoire", "administrator")  # whose people are told: of the first that somebody has


def remind(*, today: dt.date) -> int:
    """Tell the societies' repertoire people what is due by the next working day, and what is overdue.

    One notice a day on which checks fall due, however many they are; none comes twice. Returns how many days were told of.
    """
    told = 0
    for society in Organisation.objects.filter(kind=Organisation.Kind.SOCIETY):
        soon = deadlines.working_days_after(today, 1, society.country)
        due = Reservation.objects.due(soon).filter(society=society)
        for day, count in due.order_by("due_on").values_list("due_on").annotate(count=Count("pk")):
            _tell(society, day, count, overdue=day < today)
            told += 1
    return told


def _tell(society: Organisation, day: dt.date, count: int, *, overdue: bool) -> None:
    kind = "reservations-overdue" if overdue else "reservations-due"
    people = _people(society)
    for language in ("en", "ko"):
        with override(language):
            notify(
                user_ids=people.filter(language=language).values_list("id", flat=True),
                key=f"{kind}:{society.pk}:{day}",
                kind="reservation",
                subject=_said(day, count, overdue=overdue),
                link=reverse("licensing:reservation_queue"),
            )


def _said(day: dt.date, count: int, *, overdue: bool) -> str:
    if overdue:
        text = ngettext(
            "%(count)d reservation was to be checked by %(day)s: please decide now",
            "%(count)d reservations were to be checked by %(day)s: please decide now",
            count,
        )
    else:
        text = ngettext(
            "%(count)d reservation is to be checked by %(day)s",
            "%(count)d reservations are to be checked by %(day)s",
            count,
        )
    return text % {"count": count, "day": day}


def _people(society: Organisation) -> QuerySet[User]:
    for role in _ROLES:
        members = Membership.objects.filter(organisation=society, role=role)
        if members.exists():
            break
    return User.objects.filter(pk__in=members.values("user_id"), is_active=True)
