"""When a licence licenses, and which states follow which. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from accounts.identity.core import gettext_noop
from licensing import terms

# The states in which a licence licenses on the days of its term. One that expired, was terminated or amended still licenses what
# was used within its term, which a late declaration may report; a draft or a suspended one licenses nothing.
LICENSING: Final = ("active", "expired", "terminated", "amended")

# Which state may follow which, by what is done.
TRANSITIONS: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "activate": (("draft",), "active"),
    "suspend": (("active",), "suspended"),
    "resume": (("suspended",), "active"),
    "terminate": (("active", "suspended"), "terminated"),
    "expire": (("active",), "expired"),
    "amend": (("active",), "amended"),
}

# Why a licence may be suspended.
SUSPENSIONS: Final = {
    "non_payment": gettext_noop("an invoice was not paid in time"),
    "breach": gettext_noop("the terms of the licence were not kept"),
    "request": gettext_noop("the licensee asked for it"),
}
REMINDED: Final = (90, 60, 30)  # days before its end at which the parties are reminded, beside the agreed notice


@dataclass(frozen=True, slots=True)
class Terms:
    """What a licence allows. No models or datasets means any; `until` is the first day after the term, None: no end."""

    uses: Collection[str]
    kinds: Collection[str]
    territory: Collection[str]
    since: datetime.date
    until: datetime.date | None
    status: str = "active"
    models: Collection[str] = ()
    datasets: Collection[str] = ()


def in_force(licence: Terms, day: datetime.date) -> bool:
    """Whether the licence licenses anything on this day."""
    within = licence.since <= day and (licence.until is None or day < licence.until)
    return within and licence.status in LICENSING


def covers(
    licence: Terms,
    *,
    use: str,
    kind: str,
    territory: str,
    day: datetime.date,
    model: str = "",
    dataset: str = "",
) -> bool:
    """Whether the licence licenses this use of a work of this kind, there and then, for this model and dataset."""
    return (
        in_force(licence, day)
        and terms.covers(tuple(licence.uses), use)
        and terms.covers(tuple(licence.kinds), kind)
        and terms.covers(tuple(licence.territory), territory)
        and (not licence.models or model in licence.models)
        and (not licence.datasets or dataset in licence.datasets)
    )


def reminder_due(days_left: int, notice_days: int | None) -> int | None:
    """The reminder of the coming end that is due now, by its days before it: the latest that was reached. None: none yet.

    >>> reminder_due(60, notice_days=60), reminder_due(59, notice_days=45), reminder_due(91, notice_days=60)
    (60, 60, None)
    """
    reached = [days for days in {*REMINDED, *([notice_days] if notice_days else [])} if days_left <= days]
    return min(reached, default=None)
