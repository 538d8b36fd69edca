"""What is taken from a pool before it is allocated: the deductions in their published order, then the reserve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from royalties.distribution.core.rules import RuleTerms

WHOLE = 100_000_000  # 100 % in millionths of a percent


@dataclass(frozen=True, slots=True)
class Cut:
    """One deduction as taken: `amount` is `percent` (in millionths of a percent) of `base`. Minor units."""

    name: str
    percent: int
    base: int
    amount: int

    def as_data(self) -> dict[str, str | int]:
        return {"name": self.name, "percent": percent_text(self.percent), "base": self.base, "amount": self.amount}


@dataclass(frozen=True, slots=True)
class Cuts:
    """A pool and what became of it: pool = deductions + reserve + distributable; the equal part lies within the last."""

    pool: int
    deductions: tuple[Cut, ...]
    reserve: int
    distributable: int
    equal_part: int

    def as_data(self) -> dict[str, Any]:
        return {
            "pool": self.pool,
            "deductions": [taken.as_data() for taken in self.deductions],
            "reserve": self.reserve,
            "distributable": self.distributable,
            "equal_part": self.equal_part,
        }


def half_up(amount: int, percent: int) -> int:
    """`percent` millionths of a percent of an amount in minor units, rounded half up.

    >>> half_up(1_000_003, 15_000_000)  # 150,000.45
    150000
    >>> half_up(50, 1_000_000)  # 0.5
    1
    """
    return (amount * percent * 2 + WHOLE) // (2 * WHOLE)


def cut(pool: int, terms: RuleTerms) -> Cuts:
    """Take each deduction from what the ones before it left, then the reserve (money kept, not a deduction).

    The worked example of a pool of ₩1,000,003 with 15 % and 3 % leaves ₩824,503:

    >>> import datetime
    >>> from royalties.distribution.core.rules import DeductionRule
    >>> rules = (DeductionRule("management fee", 15_000_000), DeductionRule("social fund", 3_000_000))
    >>> made = cut(1_000_003, RuleTerms("G", 1, datetime.date(2026, 1, 1), None, rules, 0, 0, {}, {}, {}))
    >>> [taken.amount for taken in made.deductions], made.distributable
    ([150000, 25500], 824503)
    """
    left, taken = pool, []
    for rule in terms.deductions:
        amount = half_up(left, rule.percent)
        taken.append(Cut(rule.name, rule.percent, left, amount))
        left -= amount
    reserve = half_up(left, terms.reserve)
    left -= reserve
    return Cuts(pool, tuple(taken), reserve, left, half_up(left, terms.equal_part))


def percent_text(percent: int) -> str:
    """Millionths of a percent as a person writes them: 15_000_000 → "15", 2_500_000 → "2.5"."""
    whole, rest = divmod(percent, 1_000_000)
    return f"{whole}.{rest:06}".rstrip("0").rstrip(".")
