"""For how long a paper counts by which a payee claims a lower rate."""

from __future__ import annotations

import datetime


def last_day_of_w8(signed_on: datetime.date) -> datetime.date:
    """The last day of a Form W-8BEN or W-8BEN-E: the end of the third calendar year after the one of its signature.

    Source: Treas. Reg. § 1.1441-1(e)(4)(ii)(A); Instructions for Form W-8BEN, "Expiration of Form W-8BEN".

    >>> last_day_of_w8(datetime.date(2026, 3, 4))
    datetime.date(2029, 12, 31)
    """
    return datetime.date(signed_on.year + 3, 12, 31)
