"""When a mandate ends that is taken back: after days of notice, then at the end of a day, month or year. Pure."""

from __future__ import annotations

import datetime


def first_day_without(today: datetime.date, days: int, to: str) -> datetime.date:
    """The first day without a mandate that is taken back today with this many days' notice, to a `day`, `month` or `year`.

    The day of notice itself is always still covered. 90 days to the end of a month:

    >>> first_day_without(datetime.date(2026, 11, 24), 90, "month")
    datetime.date(2027, 3, 1)
    >>> first_day_without(datetime.date(2026, 11, 24), 0, "day")
    datetime.date(2026, 11, 25)
    >>> first_day_without(datetime.date(2026, 11, 24), 30, "year")
    datetime.date(2027, 1, 1)
    """
    last = today + datetime.timedelta(days=days)
    if to == "year":
        return datetime.date(last.year + 1, 1, 1)
    if to == "month":
        return datetime.date(last.year + last.month // 12, last.month % 12 + 1, 1)
    return last + datetime.timedelta(days=1)
