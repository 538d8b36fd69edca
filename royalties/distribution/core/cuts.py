"""What is taken from a pool before it is allocated: the deductions in their published order, then the reserve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from royalties.distribution.core.rules import DeductionRule, RuleTerms

WHOLE = 100_000_000  # 100 % in millionths of a percent


@dataclass(frozen=True, slots=True)
class Cut:
    """One deduction as taken: `amount` is `percent` (in millionths of a percent) of `base`. Minor units.

    `limit` says that it is not: raised to the rule's least amount, lowered to its most, or to what was left.
    """

    name: str
    percent: int
    base: int
    amount: int
    limit: str = ""

    def as_data(self) -> dict[str, str | int]:
        said: dict[str, str | int] = {
            "name": self.name,
            "percent": percent_text(self.percent),
            "base": self.base,
            "amount": self.amount,
        }
        return said | ({"limit": self.limit} if self.limit else {})


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


def cut(pool: int, terms: RuleTerms, currency: str = "") -> Cuts:
    """Take each deduction, in order, then the reserve (money kept, not a deduction) from what is left.

    The worked example of a pool of ₩1,000,003 with 15 % and 3 % leaves ₩824,503:

    >>> import datetime
    >>> rules = (DeductionRule("management fee", 15_000_000), DeductionRule("social fund", 3_000_000))
    >>> made = cut(1_000_003, RuleTerms("G", 1, datetime.date(2026, 1, 1), None, rules, 0, 0, {}, {}, {}))
    >>> [taken.amount for taken in made.deductions], made.distributable
    ([150000, 25500], 824503)
    """
    left, taken = pool, []
    for rule in terms.deductions:
        taken.append(_deducted(rule, pool, left, currency))
        left -= taken[-1].amount
    reserve = half_up(left, terms.reserve)
    left -= reserve
    return Cuts(pool, tuple(taken), reserve, left, half_up(left, terms.equal_part))


def _deducted(rule: DeductionRule, pool: int, left: int, currency: str) -> Cut:
    """One deduction, within its bounds and within what is left.

    >>> _deducted(DeductionRule("fee", 15_000_000, True, {"KRW": 5}, {"KRW": 100}), 1000, 900, "KRW")
    Cut(name='fee', percent=15000000, base=1000, amount=100, limit='at_most')
    """
    base = pool if rule.of_pool else left
    amount, limit = half_up(base, rule.percent), ""
    if amount < rule.at_least.get(currency, 0):
        amount, limit = rule.at_least[currency], "at_least"
    if amount > rule.at_most.get(currency, amount):
        amount, limit = rule.at_most[currency], "at_most"
    if amount > left:
        amount, limit = left, "left"
    return Cut(rule.name, rule.percent, base, amount, limit)


def percent_text(percent: int) -> str:
    """Millionths of a percent as a person writes them: 15_000_000 → "15", 2_500_000 → "2.5"."""
    whole, rest = divmod(percent, 1_000_000)
    return f"{whole}.{rest:06}".rstrip("0").rstrip(".")
