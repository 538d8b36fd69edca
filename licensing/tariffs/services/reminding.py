"""Remind a rate body of consultations that end soon and of decisions that are due or overdue; nobody hears twice."""

from __future__ import annotations

import datetime
from typing import Final

from django.utils.translation import gettext as _

from licensing.tariffs.models import TariffVersion
from licensing.tariffs.services import telling

CLOSES_IN: Final = 7  # days
DECIDES_IN: Final = (3, 14)  # days, nearest first


def remind(*, today: datetime.date) -> int:
    """Tell the rate bodies; returns of how many versions. Safe to run again: a notice goes out once an occasion."""
    waiting = TariffVersion.objects.undecided().filter(addressed_to__isnull=False, consultation__isnull=False)
    told = 0
    for version in waiting.select_related("tariff__society").order_by("decide_by", "pk"):
        if occasion := _occasion(version, today):
            _tell(version, occasion)
            told += 1
    return told


def _occasion(version: TariffVersion, today: datetime.date) -> str:
    """What is to be said on this day: `closes`, `due-14`, `due-3`, `overdue`, or nothing."""
    closes, due = version.consultation.upper, version.decide_by
    if today < closes:
        if (closes - today).days <= CLOSES_IN:
            return "closes"
        return ""
    if due is None:
        return ""
    left = (due - today).days
    if left < 0:
        return "overdue"
    for days in DECIDES_IN:
        if left <= days:
            return f"due-{days}"
    return ""


def _tell(version: TariffVersion, what: str) -> None:
    def said() -> tuple[str, str]:
        facts = telling.named(version) | {"day": str(version.decide_by)}
        if what == "closes":
            facts["day"] = str(telling.last_day(version))
            subject = _("The consultation closes on %(day)s: %(tariff)s, version %(number)s")
            return subject % facts, _("Comments that wait are to be published or withheld in time.")
        if what.startswith("due"):
            subject = _("Your decision is due by %(day)s: %(tariff)s, version %(number)s")
            return subject % facts, _("Approve it, determine it with changes, or refuse it, with your reasons.")
        subject = _("Your decision was due by %(day)s: %(tariff)s, version %(number)s")
        return subject % facts, _("Please decide now: those concerned are waiting.")

    people = telling.staff(version.addressed_to_id or 0, "rate_body")
    telling.tell(people, f"tariff-{what}:{version.pk}:{version.decide_by}", said, telling.page(version))
