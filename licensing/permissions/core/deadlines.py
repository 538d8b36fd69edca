"""Deadlines in working days, by a country's calendar. Pure."""

from __future__ import annotations

import datetime as dt
from functools import cache
from typing import Final

import holidays

IDENTITY_DAYS: Final = 5  # working days in which the identity of who reserves is checked


def working_days_after(day: dt.date, days: int, country: str) -> dt.date:
    """The working day that many working days after `day`, which itself does not count.

    The Lunar New Year 2026 in Korea: 16 to 18 February.

    >>> working_days_after(dt.date(2026, 2, 13), 1, "KR")
    datetime.date(2026, 2, 19)
    """
    while days > 0:
        day += dt.timedelta(days=1)
        days -= is_working_day(day, country)
    return day


def is_working_day(day: dt.date, country: str) -> bool:
    """Monday to Friday, without the country's public holidays; a country whose holidays are unknown has none."""
    return day.weekday() < 5 and day not in _holidays(country)


@cache
def _holidays(country: str) -> holidays.HolidayBase | frozenset[dt.date]:
    try:
        return holidays.country_holidays(country)
    except NotImplementedError:
        return frozenset()
