"""A licence in words, in the reader's language: for documents, which cannot use the filters of pages."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, Final

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from licensing import labels, terms
from licensing.licences import clauses
from licensing.licences.conditions import Conditions
from licensing.tariffs.currencies import MINOR_DIGITS

_DAY: Final = {"ko": "y년 M월 d일", "en": "d MMM y"}


def language() -> str:
    return "ko" if (get_language() or "").startswith("ko") else "en"


def money(amount: int, currency: str) -> str:
    """An amount in minor units: ₩1,234,567."""
    return format_currency(Decimal(amount).scaleb(-MINOR_DIGITS[currency]), currency, locale=_locale())


def day(when: datetime.date | str) -> str:
    """A day, also as ISO text."""
    found = datetime.date.fromisoformat(when) if isinstance(when, str) else when
    return format_date(found, _DAY[language()], locale=_locale())


def moment(when: datetime.datetime) -> str:
    """To the second, with the distance from UTC."""
    return timezone.localtime(when).isoformat(" ", "seconds").replace("+", " +")


def last_day(until: datetime.date | str | None) -> str:
    """The last day of a term that ends before `until`; without an end, that there is none."""
    if until is None:
        return _("no end")
    end = datetime.date.fromisoformat(until) if isinstance(until, str) else until
    return day(end - datetime.timedelta(days=1))


def codes(found: Collection[str]) -> str:
    """Uses or kinds of work by name."""
    return ", ".join(labels.label(code) for code in found)


def places(territory: Collection[str]) -> str:
    """Countries by name, or everywhere."""
    names = _locale().territories
    return _("everywhere") if terms.ANY in territory else ", ".join(str(names.get(code, code)) for code in territory)


def names(found: Collection[str]) -> str:
    """Models or datasets by name; none named means any."""
    return ", ".join(found) if found else _("any")


def party(said: Mapping[str, Any]) -> str:
    """An organisation's name in the reader's language, from what a document says of it."""
    return str(said["name_ko"] if language() == "ko" and said.get("name_ko") else said["name"])


def conditions(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a licence obliges to, a line each: what it is about, and how much of it."""
    said = Conditions.from_data(values)

    def amount(name: str, without: str) -> str:
        value = getattr(said, name)
        return without if value is None else clauses.amount(name, value, language())

    return [
        (_("Copies may be kept for"), amount("retention_days", _("as long as the licence holds"))),
        (_("An output may repeat of one work in a row"), amount("output_limit", _("no limit"))),
        (_("Sub-licences"), _("allowed") if said.sublicensing else _("not allowed")),
        (_("Copies are deleted after the end within"), amount("deletion_days", _("no duty to delete"))),
        (_("An audit is announced before by"), amount("audit_notice_days", _("no right of audit"))),
        (_("Use is reported every"), amount("reporting_months", _("no reports"))),
        (_("A report is due after its period within"), amount("report_within_days", "")),
        (_("May be suspended when a payment is late by"), amount("suspension_days", "")),
        (_("A renewal is asked for before the end by"), amount("renewal_notice_days", "")),
    ]


def shown_conditions(values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The conditions on copies that a certificate names; none where the licence has none on record."""
    return conditions(values)[:4] if values else []


def _locale() -> Locale:
    return Locale.parse(language())
