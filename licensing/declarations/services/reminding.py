"""Remind firms of reports that are due or overdue, and tell societies once a week what is missing. Each hears once."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, Min
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from accounts.notices.services import notify
from licensing.declarations import calendar
from licensing.declarations.models import ReportDuty
from licensing.declarations.services.telling import people

LANGUAGES: Final = ("en", "ko")


@transaction.atomic
def remind(today: dt.date) -> int:
    """Tell each firm of the days on which its reports are due: 14 and 3 days before, the day after, then every 14 days.

    One notice a firm, day and reminder, however many licences it has. A day on which nothing ran is made up for: the
    last reminder whose time has come is the one that is sent. Returns how many were due.
    """
    soon = today + dt.timedelta(days=-min(calendar.REMIND_BEFORE))
    waiting = ReportDuty.objects.open().filter(due_on__lte=soon).order_by("licence__licensee_id", "due_on")
    told = 0
    for row in waiting.values("licence__licensee_id", "due_on").annotate(
        count=Count("pk"), licence=Min("licence__ref")
    ):
        stage = calendar.stage(row["due_on"], today)
        if stage is not None:
            _tell_firm(row["licence__licensee_id"], row["due_on"], row["count"], row["licence"], stage)
            told += 1
    return told


@transaction.atomic
def tell_overdue(today: dt.date) -> int:
    """Tell each society's licensing people how many reports are overdue, once a week. Returns how many societies."""
    overdue = ReportDuty.objects.overdue(today).order_by("licence__society_id").values("licence__society_id")
    week = today.isocalendar()
    found = overdue.annotate(count=Count("pk"), firms=Count("licence__licensee_id", distinct=True), first=Min("due_on"))
    for row in found:
        society = row["licence__society_id"]
        for language in LANGUAGES:
            with override(language):
                said = ngettext(
                    "%(count)d usage report is overdue", "%(count)d usage reports are overdue", row["count"]
                ) % {"count": row["count"]}
                firms = ngettext(
                    "From %(firms)d firm; the first was due on %(first)s.",
                    "From %(firms)d firms; the first was due on %(first)s.",
                    row["firms"],
                )
                notify(
                    user_ids=people(society, "society", "declarations.review", language).values_list("id", flat=True),
                    key=f"usage-reports-missing:{society}:{week.year}-W{week.week:02}",
                    kind="declaration",
                    subject=said,
                    body=firms % {"firms": row["firms"], "first": row["first"]},
                    link=f"{reverse('licensing:duties')}?status=overdue",
                )
    return len(found)


def _tell_firm(licensee: int, due_on: dt.date, count: int, licence: str, stage: int) -> None:
    for language in LANGUAGES:
        with override(language):
            subject, body = _said(due_on, count, licence, overdue=stage > 0)
            notify(
                user_ids=people(licensee, "licensee", "declarations.declare", language).values_list("id", flat=True),
                key=f"usage-report:{licensee}:{due_on}:{stage}",
                kind="declaration",
                subject=subject,
                body=body,
                link=reverse("licensing:duties"),
            )


def _said(due_on: dt.date, count: int, licence: str, *, overdue: bool) -> tuple[str, str]:
    facts: dict[str, Any] = {"count": count, "licence": licence, "day": due_on}
    if overdue:
        subject = ngettext(
            "Overdue: the usage report under %(licence)s was due on %(day)s",
            "Overdue: %(count)d usage reports were due on %(day)s",
            count,
        )
        body = _(
            "Declare what you used, or report that nothing was used. While the report is missing, the society may send "
            "an estimated invoice, which your declaration corrects."
        )
    else:
        subject = ngettext(
            "The usage report under %(licence)s is due on %(day)s",
            "%(count)d usage reports are due on %(day)s",
            count,
        )
        body = _("Declare what you used in the period, or report that nothing was used.")
    return subject % facts, body
