"""Compliance in plain rules: what is asked for uses that nothing allowed, and which way a case may go. Pure."""

from __future__ import annotations

import dataclasses
import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final

from accounts.identity.core import Refusal, say
from licensing.tariffs.core import Schedule, half_up

UNALLOWED: Final = ("reserved", "unmandated", "unlicensed")  # the endings of a line that open a case
ACKNOWLEDGE_DAYS: Final = 14
REMIND_AFTER_DAYS: Final = 7
ANSWER_DAYS: Final = 14  # where a society has laid down no terms
LIVE: Final = ("open", "notified", "disputed")
ENDED: Final = ("licensed", "settled", "closed")

# Where a case may go from where: what each act asks of it.
MAY: Final = {
    "notify": ("open",),
    "accept": ("notified", "disputed"),
    "dispute": ("notified", "disputed"),
    "point": ("notified", "disputed"),
    "license": LIVE,
    "settle": LIVE,
    "close": LIVE,
}
MAX_AMOUNT: Final = 10**15
LONGEST_TEXT: Final = 2000


@dataclasses.dataclass(frozen=True, slots=True)
class Terms:
    """What a society asks: a multiple of the ordinary fee, and an amount a work where one is laid down. Minor units."""

    multiple: Decimal = Decimal(1)
    per_work: int | None = None
    currency: str = ""
    answer_days: int = ANSWER_DAYS


def proposed(ordinary: int | None, works: int, terms: Terms, *, settled_before: int = 0) -> int | None:
    """What is asked for a case, in minor units: the higher of the two, less what was settled for the same uses before.

    None where neither the tariff nor the terms put a price on it. `open_cases.sql` gives the same.

    >>> proposed(1_001, 3, Terms(Decimal("1.5")))
    1502
    >>> proposed(1_001, 3, Terms(Decimal("1.5"), per_work=1_000))
    3000
    """
    asked = [] if ordinary is None else [half_up(Fraction(ordinary) * Fraction(terms.multiple))]
    asked += [] if terms.per_work is None else [works * terms.per_work]
    return max(0, max(asked) - settled_before) if asked else None


def for_uses_alone(schedule: Schedule) -> Schedule:
    """The tariff without what is owed whatever was used: flat fees, percentages of a base, the minimum of a period.

    Those are billed with the licence, once; a case asks only for what its own uses would have cost.
    """
    charges = tuple(charge for charge in schedule.charges if not charge.standing)
    return dataclasses.replace(schedule, charges=charges, minimum=None)


def check_text(text: str, *, pointer: str) -> str:
    """A reason or an answer: something is said, in at most 2,000 characters."""
    said = text.strip()
    if not said or len(said) > LONGEST_TEXT or "\0" in said:
        raise Refusal("no_reason", say("Say why, in at most 2,000 characters."), pointer=pointer)
    return said


def check_amount(amount: int) -> int:
    if not 0 <= amount <= MAX_AMOUNT:
        raise Refusal("bad_amount", say("An amount is a whole number of minor units, zero or more."), pointer="/amount")
    return amount


def due_on(day: datetime.date, days: int) -> datetime.date:
    return day + datetime.timedelta(days=days)
