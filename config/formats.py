"""Money, numbers and dates in the reader's language. Babel does the writing; nothing here rounds."""

from __future__ import annotations

import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import (
    format_compact_decimal,
    format_currency,
    format_decimal,
    format_percent,
    get_currency_precision,
)
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

NOTHING = "–"
_DAY = {"en": "d MMM y", "ko": "y. M. d."}
_DAY_OF_YEAR = {"en": "d MMM", "ko": "y. M. d."}  # Korean names the year first, so it cannot be left to the end


def language() -> str:
    return "ko" if (get_language() or "en").startswith("ko") else "en"


@lru_cache
def _locale(code: str) -> Locale:
    return Locale.parse({"en": "en_GB", "ko": "ko_KR"}[code])


def locale() -> Locale:
    return _locale(language())


def money(amount: int | Decimal | None, currency: str) -> str:
    """`amount` in minor units. Whole ones show the currency's usual digits; an unrounded Decimal shows all of its own.

    >>> money(1234567, "KRW")
    '₩1,234,567'
    """
    if amount is None:
        return NOTHING
    major = Decimal(amount).scaleb(-get_currency_precision(currency))
    exact = amount == int(amount)
    return format_currency(major, currency, locale=locale(), currency_digits=exact, decimal_quantization=exact)


def number(value: int | Decimal | str | None) -> str:
    if value is None or value == "":
        return NOTHING
    return format_decimal(Decimal(value), locale=locale(), decimal_quantization=False)


def compact(value: int | Decimal) -> str:
    return format_compact_decimal(Decimal(value), locale=locale(), fraction_digits=1)


def ppm(value: int | None) -> str:
    """
    >>> ppm(333333)
    '33.3333%'
    """
    return (
        NOTHING
        if value is None
        else format_percent(Decimal(value).scaleb(-6), locale=locale(), decimal_quantization=False)
    )


def percent(value: Decimal | str | None) -> str:
    if value is None or value == "":
        return NOTHING
    return format_percent(Decimal(value).scaleb(-2), locale=locale(), decimal_quantization=False)


def day(value: datetime.date | None) -> str:
    return NOTHING if value is None else format_date(value, _DAY[language()], locale=locale())


def instant(value: datetime.datetime | None) -> str:
    if value is None:
        return NOTHING
    return format_datetime(timezone.localtime(value), f"{_DAY[language()]} HH:mm", locale=locale())


def period(start: Any, end: datetime.date | None = None) -> str:
    """A half-open range of days, its end shown as the last day that belongs to it.

    >>> period(datetime.date(2026, 1, 1), datetime.date(2026, 4, 1))
    '1 Jan – 31 Mar 2026'
    """
    first, after = _ends(start, end)
    last = after - datetime.timedelta(days=1) if after else None
    if first and last:
        if last < first:
            return NOTHING
        if first == last:
            return day(first)
        pattern = _DAY_OF_YEAR if first.year == last.year else _DAY
        return f"{format_date(first, pattern[language()], locale=locale())} – {day(last)}"
    if first:
        return _("from %(day)s") % {"day": day(first)}
    if last:
        return _("until %(day)s") % {"day": day(last)}
    return _("at any time") if hasattr(start, "lower") and not getattr(start, "isempty", False) else NOTHING


def _ends(start: Any, end: datetime.date | None) -> tuple[datetime.date | None, datetime.date | None]:
    """(first day, first day after), from a database range, a pair, or two dates."""
    if isinstance(start, tuple | list):
        return start[0], start[1]
    if start is not None and hasattr(start, "upper"):
        return start.lower, start.upper
    return start, end
