"""What a society must tell of a year, as figures over the book (EU 2014/26, art. 22 and annex). Pure.

Each figure is a sum of movements between two kinds of account, less what went the other way, so that a reversal takes back
what it mirrors, and each can be traced to the journals that make it. Balances are figures over all days up to the end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from royalties.distribution.core import largest_remainder
from royalties.ledger.core import CHART

YEAR, EVER = "year", "ever"  # what happened within the period; what stands at its end
NOTES: Final = ("activities", "governance", "refusals", "payments", "delays", "social", "costs", "auditor")


@dataclass(frozen=True, slots=True)
class Movement:
    """What went from one kind of account to another, in minor units: within the period, and ever up to its end."""

    debit: str
    credit: str
    year: int
    ever: int


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure: pairs of (debit, credit) kinds that add to it; the same pairs turned round take away from it.

    `*` stands for every kind. `item` is the place in the directive's annex. A `named` figure has a line a name.
    """

    code: str
    item: str
    pairs: tuple[tuple[str, str], ...]
    over: str = YEAR
    named: bool = False


def _balance(kind: str) -> tuple[tuple[str, str], ...]:
    return (("*", kind),) if CHART[kind].normal == "credit" else ((kind, "*"),)


FIGURES: Final = (
    Figure("billed", "2(a)", (("receivable", "billed"), ("credited", "billed"))),
    Figure("collected", "2(a)", (("billed", "pool"),)),
    Figure("deducted", "2(b)(v)", (("clearing", "deduction"),), named=True),
    Figure("reserved", "2(b)(v)", (("clearing", "reserve"),)),
    Figure("attributed", "2(c)(i)", (("clearing", "payable"),)),
    Figure("kept_held", "2(c)(i)", (("clearing", "held"),)),
    Figure("kept_suspense", "2(c)(i)", (("clearing", "suspense"),)),
    Figure("paid", "2(c)(ii)", (("payable", "paying"), ("payable", "tax"), ("payable", "advance"))),
    Figure("withheld", "2(c)(ii)", (("payable", "tax"),), named=True),
    Figure("to_sisters", "2(d)(i)", (("payable", "sister"),)),
    Figure("not_attributed", "2(c)(iv)", _balance("pool"), over=EVER),
    Figure("not_paid", "2(c)(v)", _balance("payable"), over=EVER),
    Figure("in_payment", "2(c)(v)", _balance("paying"), over=EVER),
    Figure("held", "2(c)(v)", _balance("held"), over=EVER),
    Figure("suspense", "2(c)(v)", _balance("suspense"), over=EVER),
    Figure("recoverable", "2(c)(v)", _balance("recoverable"), over=EVER),
    Figure("undistributable", "2(c)(vii)", _balance("undistributable"), over=EVER),
    Figure("reserve", "2(b)(v)", _balance("reserve"), over=EVER),
    Figure("bank", "1(a)", _balance("bank"), over=EVER),
)
BY_CODE: Final = {figure.code: figure for figure in FIGURES}


def base(kind: str) -> str:
    """
    >>> base("deduction:management fee")
    'deduction'
    """
    return kind.partition(":")[0]


def _fits(wanted: str, kind: str) -> bool:
    return wanted == "*" or wanted == base(kind)


def sign(figure: Figure, debit: str, credit: str) -> int:
    """1 where a movement adds to the figure, -1 where it takes away, 0 where it does not concern it.

    >>> sign(BY_CODE["collected"], "billed", "pool"), sign(BY_CODE["collected"], "pool", "billed")
    (1, -1)
    """
    adds = any(_fits(one, debit) and _fits(other, credit) for one, other in figure.pairs)
    takes = any(_fits(other, debit) and _fits(one, credit) for one, other in figure.pairs)
    return int(adds) - int(takes)  # from a kind to itself: neither


def name_of(figure: Figure, debit: str, credit: str) -> str:
    """The name under which a movement stands in a `named` figure."""
    for kind in (credit, debit):
        if any(base(kind) in pair for pair in figure.pairs) and ":" in kind:
            return kind.partition(":")[2]
    return ""


@dataclass(frozen=True, slots=True)
class Told:
    """A figure's value, with a line a name where it has names."""

    figure: Figure
    amount: int
    lines: tuple[tuple[str, int], ...] = ()


def told(movements: Iterable[Movement]) -> list[Told]:
    """Every figure of one currency, from all movements of the book."""
    rows = list(movements)
    return [_told(figure, rows) for figure in FIGURES]


def _told(figure: Figure, movements: Sequence[Movement]) -> Told:
    lines: dict[str, int] = {}
    for each in movements:
        amount = (each.year if figure.over == YEAR else each.ever) * sign(figure, each.debit, each.credit)
        if amount:
            name = name_of(figure, each.debit, each.credit) if figure.named else ""
            lines[name] = lines.get(name, 0) + amount
    total = sum(lines.values())
    return Told(figure, total, tuple(sorted(lines.items())) if figure.named else ())


def balances(movements: Iterable[Movement]) -> dict[str, int]:
    """By kind what stands at the end, on the kind's normal side; all of them balance, debit against credit."""
    found: dict[str, int] = {}
    for each in movements:
        for kind, side in ((base(each.debit), "debit"), (base(each.credit), "credit")):
            found[kind] = found.get(kind, 0) + (each.ever if CHART[kind].normal == side else -each.ever)
    return found


def unbalanced(movements: Iterable[Movement]) -> int:
    """What debits exceed credits by: nothing, or the book is broken.

    >>> unbalanced([Movement("bank", "receivable", 5, 5), Movement("receivable", "billed", 5, 5)])
    0
    """
    standing = balances(movements)
    return sum(amount if CHART[kind].normal == "debit" else -amount for kind, amount in standing.items())


def by_use(pools: Iterable[tuple[Mapping[str, int], int]]) -> dict[str, int]:
    """Amounts of pools, each split by what its invoice billed for each use: exact by largest remainder, ties by the use's name.

    A pool whose invoice knows no use counts under "". An invoice may credit one use and bill another: only what it bills weighs.

    >>> by_use([({"train": 2, "ground": 1}, 100), ({}, 5)])
    {'ground': 33, 'train': 67, '': 5}
    """
    sums: dict[str, int] = {}
    for uses, amount in pools:
        weights = {use: weight for use, weight in sorted(uses.items()) if weight > 0} or {"": 1}
        parts = largest_remainder(abs(amount), list(weights.values()))
        for use, part in zip(weights, parts, strict=True):
            sums[use] = sums.get(use, 0) + (part if amount >= 0 else -part)
    return sums
