"""The billing periods of a licence whose tariff has prices for so many months. Pure.

Periods follow each other from the first day of the licence's term. A month later is the same day of the month, or the
month's last day where it has no such day; each period is counted from the first day, so that none drifts.
"""

from __future__ import annotations

import calendar
import datetime
from typing import Final

from accounts.identity.core import Refusal, say

Period = tuple[datetime.date, datetime.date]  # half-open
_LAST_YEAR: Final = datetime.MAXYEAR


def months_after(day: datetime.date, months: int) -> datetime.date:
    """The day so many months later.

    >>> months_after(datetime.date(2026, 1, 31), 1).isoformat(), months_after(datetime.date(2026, 1, 31), 2).isoformat()
    ('2026-02-28', '2026-03-31')
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > _LAST_YEAR:
        return datetime.date.max
    return day.replace(year=year, month=month + 1, day=min(day.day, calendar.monthrange(year, month + 1)[1]))


def period_of(day: datetime.date, *, since: datetime.date, until: datetime.date | None, months: int) -> Period | None:
    """The billing period in which a day lies; the term's end cuts the last one. None outside the term.

    >>> [d.isoformat() for d in period_of(datetime.date(2026, 5, 1), since=datetime.date(2026, 1, 15), until=None, months=3)]
    ['2026-04-15', '2026-07-15']
    """
    if day < since or (until is not None and day >= until):
        return None
    passed = (day.year - since.year) * 12 + day.month - since.month
    number = passed // months
    if months_after(since, number * months) > day:
        number -= 1
    start, end = months_after(since, number * months), months_after(since, (number + 1) * months)
    return start, end if until is None else min(end, until)


def check_period(period: Period, *, since: datetime.date, until: datetime.date | None, months: int | None) -> None:
    """Refuse to price another period than those that the tariff's prices are for. Without `months` any will do."""
    if months is None:
        return
    asked = period_of(period[0], since=since, until=until, months=months)
    if asked is None:
        raise Refusal(
            "outside_term",
            say(
                "{start} is not within the term of the licence, so this tariff has no billing period there.",
                start=period[0],
            ),
            pointer="/period_start",
        )
    if asked != period:
        raise Refusal(
            "other_period",
            say(
                "The prices of this tariff are for {months} months, counted from the first day of the licence. "
                "Use the period from {start} to {end} (exclusive).",
                months=months,
                start=asked[0],
                end=asked[1],
            ),
            pointer="/period_end",
        )
