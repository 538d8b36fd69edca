"""What moves between holders before they are paid, and what of it recoups advances. Pure.

In this order: heirs take over what a holder who died is owed, except for what that holder had assigned; assignees get
what was assigned to them; advances are recouped from what is left. Each step sees what the one before brought.

Assignments and advances are reckoned from the whole of what came in, less what they got already. So nothing depends on how
often or when it is done, what stays with the holder is never divided a second time, and a correction of an earlier
distribution is made good by the next amounts.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from accounts.identity.core import Refusal, say
from royalties.entitlements.core.dividing import WHOLE, portions

Kind = Literal["succession", "assignment", "recoupment"]
_ORDER: Final[tuple[Kind, ...]] = ("succession", "assignment")


@dataclass(frozen=True, slots=True)
class Right:
    """A holder's right to what another is owed. Half-open days; `moved` is what it got so far.

    `opening` is what the holder was owed when its first day began: counted where it says “with arrears”, else 0.
    """

    id: int
    kind: Kind
    holder: int
    to: int
    to_ref: str
    ppm: int
    since: datetime.date
    until: datetime.date | None = None
    priority: int = 0
    opening: int = 0
    moved: int = 0

    def on(self, day: datetime.date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class Came:
    """What came in for a holder on a day, less what was taken back: never payments, taxes or advances."""

    holder: int
    on: datetime.date
    amount: int


@dataclass(frozen=True, slots=True)
class Advanced:
    """An advance that is not recouped yet: `open` of it, `recouped` so far; `stays` is the least that is left to the holder."""

    id: int
    holder: int
    paid_on: datetime.date
    ppm: int
    stays: int
    open: int
    recouped: int = 0


@dataclass(frozen=True, slots=True)
class Flow:
    """An amount that leaves a holder: to another holder by a right, or to the society by an advance (`to` is None)."""

    kind: Kind
    id: int
    holder: int
    to: int | None
    amount: int


@dataclass
class _Book:
    """Balances as they change, and what came in, by holder."""

    balance: defaultdict[int, int]
    came: defaultdict[int, list[tuple[datetime.date, int]]]
    flows: list[Flow] = field(default_factory=list)

    def move(self, flow: Flow, on: datetime.date) -> None:
        if flow.amount <= 0:
            return
        self.balance[flow.holder] -= flow.amount
        if flow.to is not None:
            self.balance[flow.to] += flow.amount
            self.came[flow.to].append((on, flow.amount))
        self.flows.append(flow)


def flows(
    *,
    on: datetime.date,
    balances: Mapping[int, int],
    came: Iterable[Came] = (),
    rights: Iterable[Right] = (),
    advances: Iterable[Advanced] = (),
    gone: Mapping[int, Iterable[tuple[datetime.date, int]]] | None = None,
) -> tuple[Flow, ...]:
    """What leaves whom, on a day. No holder falls below zero, and no order of the arguments matters.

    `gone` is what earlier flows to other holders took away, by holder: an advance is not recouped from that.
    Rights of different days may lead back to whom money came from; what comes back then is looked at the next time.
    """
    book = _Book(defaultdict(int, balances), defaultdict(list))
    for each in came:
        book.came[each.holder].append((each.on, each.amount))
    every = sorted(rights, key=lambda each: (each.priority, each.since, each.id))
    of: defaultdict[int, list[Right]] = defaultdict(list)
    for right in every:
        of[right.holder].append(right)
    for kind in _ORDER:
        for holder in in_order(((each.holder, each.to) for each in every if each.kind == kind), circles=True):
            step = _inherit if kind == "succession" else _assign
            step(book, holder, of[holder], on)
    _recoup(book, sorted(advances, key=lambda each: (each.paid_on, each.id)), on, gone or {})
    return tuple(book.flows)


def in_order(pairs: Iterable[tuple[int, int]], *, circles: bool = False) -> list[int]:
    """Those who give, each before all to whom their money leads. A circle is refused, or begun with its smallest number.

    >>> in_order([(2, 3), (1, 2), (1, 3)])
    [1, 2]
    """
    every = set(pairs)
    waiting: dict[int, set[int]] = {giver: set() for giver, _taker in every}
    for giver, taker in every:
        if taker in waiting:
            waiting[taker].add(giver)
    found: list[int] = []
    while waiting:
        free = sorted(giver for giver, before in waiting.items() if before.isdisjoint(waiting))
        if not free and circles:
            free = [min(waiting)]
        elif not free:
            raise Refusal("money_in_a_circle", say("These rights lead money in a circle: back to whom it comes from."))
        found += free
        for giver in free:
            del waiting[giver]
    return found


def heirs(rights: Iterable[Right], on: datetime.date) -> tuple[list[Right], bool]:
    """The heirs on a day, and whether their portions come to the whole."""
    found = [each for each in rights if each.kind == "succession" and each.on(on)]
    return found, sum(each.ppm for each in found) == WHOLE


def _inherit(book: _Book, holder: int, rights: Sequence[Right], on: datetime.date) -> None:
    """The whole balance but what was assigned, by largest remainder, ties to the smaller reference of the heir."""
    taking, complete = heirs(rights, on)
    if not complete:
        return
    assigned = sum(amount for _right, amount in _due(book, holder, rights, on))
    by_ref = {(each.to_ref, each.id): each for each in taking}
    shares, _rest = portions(
        max(book.balance[holder] - assigned, 0),
        [(place, each.ppm) for place, (_ref, each) in enumerate(sorted(by_ref.items()))],
    )
    ordered = [each for _ref, each in sorted(by_ref.items())]
    for place, amount in shares.items():
        book.move(Flow("succession", ordered[place].id, holder, ordered[place].to, amount), on)


def _assign(book: _Book, holder: int, rights: Sequence[Right], on: datetime.date) -> None:
    for right, amount in _due(book, holder, rights, on):
        book.move(Flow("assignment", right.id, holder, right.to, amount), on)


def _due(book: _Book, holder: int, rights: Sequence[Right], on: datetime.date) -> list[tuple[Right, int]]:
    """What each assignment gets now: its part of all that came in on its days, less what it got, as far as the balance goes."""
    assigned = [each for each in rights if each.kind == "assignment"]
    total: defaultdict[int, int] = defaultdict(int)
    for group, amount in _parted(assigned, book.came[holder], on):
        shares, _own = portions(max(amount, 0), [(each.id, each.ppm) for each in group])
        for pk, share in shares.items():
            total[pk] += share
    found, left = [], max(book.balance[holder], 0)
    for right in assigned:
        amount = min(max(total[right.id] - right.moved, 0), left)
        left -= amount
        found.append((right, amount))
    return found


def _parted(
    assigned: Sequence[Right], came: Iterable[tuple[datetime.date, int]], on: datetime.date
) -> list[tuple[list[Right], int]]:
    """What came in, by who had a right to it on its day; and the arrears of those who have a right to them."""
    sums: defaultdict[tuple[int, ...], int] = defaultdict(int)
    for day, amount in came:
        if day <= on:
            sums[tuple(sorted(each.id for each in assigned if each.on(day)))] += amount
    by_id = {each.id: each for each in assigned}
    found = [([by_id[pk] for pk in ids], amount) for ids, amount in sums.items()]
    arrears: defaultdict[datetime.date, list[Right]] = defaultdict(list)
    for each in assigned:
        if each.opening > 0 and each.since <= on:
            arrears[each.since].append(each)
    return found + [(group, group[0].opening) for group in arrears.values()]


def _recoup(
    book: _Book,
    advances: Sequence[Advanced],
    on: datetime.date,
    gone: Mapping[int, Iterable[tuple[datetime.date, int]]],
) -> None:
    """Each advance's percentage of what came in and stayed since it was paid, rounded down, the oldest advance first."""
    left: defaultdict[int, list[tuple[datetime.date, int]]] = defaultdict(list)
    for holder, days in gone.items():
        left[holder] += days
    for flow in book.flows:
        left[flow.holder].append((on, flow.amount))
    for each in advances:
        stayed = sum(amount for day, amount in book.came[each.holder] if each.paid_on <= day <= on)
        stayed -= sum(amount for day, amount in left[each.holder] if each.paid_on <= day <= on)
        due = max(stayed, 0) * each.ppm // WHOLE - each.recouped
        amount = min(due, each.open, book.balance[each.holder] - each.stays)
        book.move(Flow("recoupment", each.id, each.holder, None, amount), on)
