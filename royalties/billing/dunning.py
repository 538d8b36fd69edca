"""When one is reminded of an overdue invoice, how old what is owed is, and what interest the law would give. Pure."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from accounts.identity.core import Refusal, say
from licensing.tariffs.core import half_up

MADE_UP: Final = 3  # days for which a reminder that was missed is made up
MOST_LEVELS: Final = 6
BUCKETS: Final = ((1, 30), (31, 60), (61, 90), (91, None))


@dataclass(frozen=True, slots=True)
class Level:
    """One step: so many days after it was due, and what is said, by language; empty: the house's own text."""

    days: int
    text: dict[str, str]


# Where a society has set nothing: after a day, two weeks and a month.
USUAL: Final = (Level(1, {}), Level(14, {}), Level(30, {}))


def levels(document: Any) -> tuple[Level, ...]:
    """The steps of a policy's document; Refusal where days do not rise or there are none."""
    if not isinstance(document, list) or not 1 <= len(document) <= MOST_LEVELS:
        raise Refusal("bad_levels", say("Give one to {most} steps.", most=MOST_LEVELS), pointer="/levels")
    found = tuple(
        Level(each.get("days", 0), {k: str(v)[:1000] for k, v in (each.get("text") or {}).items() if k in ("en", "ko")})
        for each in document
    )
    days = [level.days for level in found]
    if any(type(day) is not int or not 1 <= day <= 365 for day in days) or days != sorted(set(days)):
        raise Refusal(
            "bad_levels",
            say("Each step comes later than the one before, 1 to 365 days after it was due."),
            pointer="/levels",
        )
    return found


def level_on(steps: Sequence[Level], due_on: datetime.date, today: datetime.date) -> int | None:
    """The step (1, 2, …) to send today; one that was missed is made up for three days; none otherwise.

    >>> due = datetime.date(2026, 5, 10)
    >>> [level_on(USUAL, due, due + datetime.timedelta(days=n)) for n in (0, 1, 5, 14, 30)]
    [None, 1, None, 2, 3]
    """
    late = (today - due_on).days
    reached = [place for place, level in enumerate(steps, 1) if level.days <= late <= level.days + MADE_UP]
    return reached[-1] if reached else None


def bucket(due_on: datetime.date, today: datetime.date) -> int | None:
    """Which of `BUCKETS` an overdue invoice is in; None while it is not due."""
    late = (today - due_on).days
    return next((n for n, (low, high) in enumerate(BUCKETS) if low <= late and (high is None or late <= high)), None)


def interest(open_amount: int, percent: Decimal, days: int) -> int:
    """Simple interest for so many days, in minor units, half up. Information only: it is never billed by itself.

    >>> interest(1_000_000, Decimal("6"), 73)
    12000
    """
    return half_up(Fraction(open_amount) * Fraction(percent) * max(0, days) / 36_500)
