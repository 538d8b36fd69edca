"""What a statement says: the pure shape of it, and the sums that make each amount understandable. No Django, no clock."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from royalties.distribution.core import largest_remainder

Period = tuple[datetime.date, datetime.date]  # half-open


@dataclass(frozen=True, slots=True)
class Factor:
    """One product of a charge, as exact text in major units: quantity × price ÷ per (of a percentage: base × percent)."""

    quantity: str
    price: str
    per: str = ""
    percentage: bool = False


@dataclass(frozen=True, slots=True)
class Charge:
    """One line of the invoice that filled a pool: a charge of the tariff, or an adjustment (`model`), and what it came to."""

    description: str
    quantity: int | None
    unit: str
    amount: int
    model: str = ""
    factors: tuple[Factor, ...] = ()


@dataclass(frozen=True, slots=True)
class Deduction:
    """One deduction as taken from the whole pool. `limit`: raised to the rule's least, lowered to its most, or to what was left."""

    name: str
    percent: str
    base: int
    amount: int
    limit: str = ""


@dataclass(frozen=True, slots=True)
class PoolFacts:
    """One invoice's money in the run. `billed` is the invoice's net, `amount` what was received of it and distributed here."""

    id: int
    invoice: str
    licensee: str
    licensee_name: str
    period: Period
    billed: int
    amount: int
    charges: tuple[Charge, ...]
    deductions: tuple[Deduction, ...]
    reserve: int
    distributable: int
    equal_part: int
    total_weight: int
    units: int
    kind: str = (
        "receipts"  # release: out of the suspense of `origin`; correction: what `origin` distributed, divided anew
    )
    run: int = 0  # that it comes from, where it is not new money
    run_period: Period | None = None
    origin: PoolFacts | None = None

    @property
    def weighs(self) -> PoolFacts:
        """The pool by whose weights the work got its amount."""
        return self.origin if self.kind == "release" and self.origin else self

    @property
    def rest(self) -> int:
        """What is divided by weight, after the equal part."""
        return self.distributable - self.equal_part


@dataclass(frozen=True, slots=True)
class Used:
    """What was declared of a work for one pool, by use: `units` of which each weighs `factor`.

    In a pool of compensation the factor is the holder's part of the work in ppm (`by_part`).
    """

    use: str
    unit: str
    units: int
    factor: int
    by_part: bool = False

    @property
    def weight(self) -> int:
        return self.units * self.factor


@dataclass(frozen=True, slots=True)
class Line:
    """One allocation to the holder (or, in `others`, one of the same works to nobody yet), with all that explains it.

    `set_amount` is the part of `work_amount` for the days on which these shares held; mostly the whole.
    """

    id: int
    pool: PoolFacts
    work_ref: str
    title: str
    uses: tuple[Used, ...]
    role: str
    ppm: int
    used_on: datetime.date
    weight: int
    work_amount: int
    set_amount: int
    amount: int
    status: str
    reason: str
    waited_as: str = ""  # the identifier under which a released amount waited


@dataclass(frozen=True, slots=True)
class Revised:
    """What an earlier run gave the holder from one invoice, taken back and divided anew: old amount, new amount."""

    invoice: str
    licensee_name: str
    run: int
    run_period: Period
    payable_before: int
    payable: int
    held_before: int
    held: int
    reasons: tuple[str, ...] = ()  # declarations | shares | works | match


@dataclass(frozen=True, slots=True)
class Replaced:
    """An earlier statement about the same money, whose run was reversed: what it said, and why it no longer holds."""

    number: str
    payable: int
    held: int
    reason: str


@dataclass(frozen=True, slots=True)
class Head:
    """Whom a statement is for, by whom, about which run."""

    number: str
    society: str
    society_name: str
    holder: str
    holder_name: str
    run: int
    period: Period
    currency: str
    published_on: datetime.date
    supplementary: bool
    reversed: bool
    payable: int
    held: int
    works: int
    digest: str
    replaces: tuple[Replaced, ...] = ()
    revises: tuple[Revised, ...] = ()

    @property
    def taken_back(self) -> int:
        """What of earlier statements is no longer payable, since it is contained in this one."""
        return sum(revised.payable_before for revised in self.revises)


@dataclass(frozen=True, slots=True)
class WorkSum:
    """All that one work brought the holder in this run."""

    work_ref: str
    title: str
    payable: int
    held: int


@dataclass(frozen=True, slots=True)
class UseSum:
    """What one licensee's use brought the holder; `units` are those declared of the holder's works."""

    licensee: str
    licensee_name: str
    use: str
    unit: str
    units: int
    works: int
    amount: int


@dataclass(frozen=True, slots=True)
class PoolView:
    """The holder's view of one pool: its cuts, what the holder got of it, and the holder's proportion of each cut.

    The proportions are for information only (each rounded half up); the amounts themselves are cut from the whole pool.
    """

    pool: PoolFacts
    amount: int
    parts: tuple[tuple[Deduction, int], ...]
    reserve_part: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement in full. `lines` are the holder's, `others` parts of the same works that wait for a holder or a settlement."""

    head: Head
    lines: tuple[Line, ...]
    others: tuple[Line, ...] = ()
    total_lines: int = 0  # where `lines` is a selection

    def works(self) -> list[WorkSum]:
        """By work, the largest first."""
        sums: dict[str, WorkSum] = {}
        for line in self.lines:
            old = sums.get(line.work_ref) or WorkSum(line.work_ref, line.title, 0, 0)
            paid, held = (line.amount, 0) if line.status == "payable" else (0, line.amount)
            sums[line.work_ref] = WorkSum(old.work_ref, old.title, old.payable + paid, old.held + held)
        return sorted(sums.values(), key=lambda work: (-(work.payable + work.held), work.work_ref.encode()))

    def uses(self) -> list[UseSum]:
        return use_sums(self.lines)

    def pools(self) -> list[PoolView]:
        return pool_views(self.lines)

    def held(self) -> list[Line]:
        return [line for line in self.lines if line.status == "held"]


def split_by_use(line: Line) -> list[tuple[Used, int]]:
    """Divide a line's amount among the work's uses, by their weight: exact, ties to the first use by name.

    >>> pool = PoolFacts(1, "I", "F", "F", (datetime.date.min, datetime.date.max), 9, 9, (), (), 0, 9, 0, 9, 1)
    >>> uses = (Used("ground", "token", 1, 4), Used("train", "token", 5, 1))
    >>> line = Line(1, pool, "W", "W", uses, "", 1_000_000, datetime.date.min, 9, 100, 100, 100, "payable", "")
    >>> [(used.use, amount) for used, amount in split_by_use(line)]
    [('ground', 44), ('train', 56)]
    """
    uses = sorted(line.uses, key=lambda used: (used.use, used.unit))
    if not uses:
        return []
    weights = [used.weight for used in uses]
    return list(zip(uses, largest_remainder(line.amount, weights if any(weights) else [1] * len(uses)), strict=True))


def use_sums(lines: Iterable[Line]) -> list[UseSum]:
    """By licensee and use, the largest first; amounts sum to the lines'. A work's units count once, however many shares it has."""
    amounts: dict[tuple[str, str, str], int] = {}
    names: dict[str, str] = {}
    units: dict[tuple[str, str, str], dict[tuple[int, str], int]] = {}
    for line in lines:
        names[line.pool.licensee] = line.pool.licensee_name
        for used, amount in split_by_use(line):
            key = (line.pool.licensee, used.use, used.unit)
            amounts[key] = amounts.get(key, 0) + amount
            units.setdefault(key, {})[line.pool.id, line.work_ref] = used.units
    sums = [
        UseSum(
            licensee,
            names[licensee],
            use,
            unit,
            sum(units[key].values()),
            len({work for _pool, work in units[key]}),
            amount,
        )
        for key, amount in amounts.items()
        for licensee, use, unit in [key]
    ]
    return sorted(sums, key=lambda each: (-each.amount, each.licensee, each.use, each.unit))


def pool_views(lines: Iterable[Line]) -> list[PoolView]:
    """By pool, in the order of the invoices' numbers."""
    amounts: dict[int, int] = {}
    pools: dict[int, PoolFacts] = {}
    for line in lines:
        pools[line.pool.id] = line.pool
        amounts[line.pool.id] = amounts.get(line.pool.id, 0) + line.amount
    return [pool_view(pools[number], amounts[number]) for number in sorted(pools, key=lambda each: pools[each].invoice)]


def pool_view(pool: PoolFacts, amount: int) -> PoolView:
    parts = tuple(
        (deduction, proportion(deduction.amount, amount, pool.distributable)) for deduction in pool.deductions
    )
    return PoolView(pool, amount, parts, proportion(pool.reserve, amount, pool.distributable))


def proportion(whole: int, part: int, total: int) -> int:
    """part ÷ total of a whole amount, half up; nothing of nothing."""
    return (2 * whole * part + total) // (2 * total) if total else 0


def weighted_part(line: Line) -> tuple[int, int]:
    """(equal part, weighted part) of a work's amount, each rounded down, for the explanation; the remainder is at most 2."""
    pool = line.pool.weighs
    equal = pool.equal_part // pool.units if pool.units else 0
    weighted = pool.rest * line.weight // pool.total_weight if pool.total_weight else 0
    return equal, weighted


def chosen(lines: Sequence[Line], limit: int) -> tuple[Line, ...]:
    """The largest lines, for paper."""
    return tuple(sorted(lines, key=lambda line: (-line.amount, line.id))[:limit])
