"""A year of what a holder is owed: brought forward, earned, recovered, passed on, paid, tax, carried forward. Pure.

Every movement of the holder's account in the book is of one category, by the kind of account on its other side, so that
brought forward + all of the year = carried forward, whatever happens to be posted.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

# The kind of account on the other side → what it means to the holder. Whatever else may come is `other`.
CATEGORIES: Final = {
    "clearing": "earned",
    "recoverable": "recovered",
    "advance": "recouped",
    "paying": "paid",
    "bank": "paid",
    "tax": "withheld",
    "payable": "passed",
    "sister": "passed",
    "deduction": "deducted",
    "undistributable": "expired",
}
OTHER: Final = "other"


def category(kind: str) -> str:
    """
    >>> category("tax:income tax"), category("clearing"), category("reserve")
    ('withheld', 'earned', 'other')
    """
    return CATEGORIES.get(kind.partition(":")[0], OTHER)


@dataclass(frozen=True, slots=True)
class AccountMovement:
    """What one journal did to the holder's account against one kind of account: positive adds to what is owed."""

    journal: int
    on: datetime.date
    kind: str  # of the journal
    counter: str  # kind of the account on the other side
    amount: int
    owner: int | None = None  # whom or what that account is for, where it is one
    balance: int = 0  # of the account afterwards

    @property
    def category(self) -> str:
        return category(self.counter)

    @property
    def name(self) -> str:
        """Of a tax or a deduction, which one."""
        return self.counter.partition(":")[2]


@dataclass(frozen=True, slots=True)
class YearSum:
    """A calendar year of the account by category."""

    year: int
    sums: dict[str, int]

    def of(self, name: str) -> int:
        return self.sums.get(name, 0)


@dataclass(frozen=True, slots=True)
class AccountYear:
    """One holder's account at one society, in one currency, in one calendar year."""

    society: str
    society_name: str
    holder: str
    holder_name: str
    currency: str
    year: int
    opening: int
    movements: tuple[AccountMovement, ...]
    trend: tuple[YearSum, ...] = ()  # this year and the two before

    @property
    def closing(self) -> int:
        return self.opening + sum(each.amount for each in self.movements)

    @property
    def sums(self) -> dict[str, int]:
        """By category, in the order of `CATEGORIES`."""
        found = by_category(self.movements)
        order = [*dict.fromkeys(CATEGORIES.values()), OTHER]
        return {name: found[name] for name in order if found.get(name)}


def by_category(movements: Iterable[AccountMovement]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for each in movements:
        sums[each.category] = sums.get(each.category, 0) + each.amount
    return sums


def told(
    *,
    society: str,
    society_name: str,
    holder: str,
    holder_name: str,
    currency: str,
    year: int,
    movements: Iterable[AccountMovement],
) -> AccountYear:
    """The year out of all movements of the account, in their order."""
    rows = sorted(movements, key=lambda each: (each.on, each.journal, each.counter, each.owner or 0))
    opening = sum(each.amount for each in rows if each.on.year < year)
    own, balance = [], opening
    for each in rows:
        if each.on.year == year:
            balance += each.amount
            own.append(
                AccountMovement(each.journal, each.on, each.kind, each.counter, each.amount, each.owner, balance)
            )
    trend = tuple(
        YearSum(which, by_category(each for each in rows if each.on.year == which))
        for which in range(year - 2, year + 1)
    )
    return AccountYear(society, society_name, holder, holder_name, currency, year, opening, tuple(own), trend)
