"""Which invoices a payment is for: what speaks for it, and when that is certain. Pure; minor units.

Certain, so that it is applied without a person, is a payment only where all three agree:

* number: the whole numbers of one or more open invoices stand in what the payer wrote, all of one licensee;
* amount: what is open on these invoices sums to exactly what came in, in their currency;
* payer: the account's holder is named as that licensee is, or paid for it from the same account before.

Everything else is a suggestion, with what speaks for it, that a person applies or not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Final

NUMBER: Final = "number"
SHORT_NUMBER: Final = "short_number"
AMOUNT: Final = "amount"
SUM: Final = "sum"
NAMED: Final = "named"
BEFORE: Final = "before"
_WEIGHT: Final = {NUMBER: 8, SHORT_NUMBER: 3, AMOUNT: 4, SUM: 4, NAMED: 3, BEFORE: 3}
MOST: Final = 5  # suggestions of one entry


@dataclass(frozen=True, slots=True)
class Candidate:
    """An open invoice for which something speaks."""

    entry: int
    invoice: int
    left: int
    open: int
    licensee: int
    same_currency: bool
    reasons: frozenset[str]

    @property
    def payer(self) -> bool:
        return bool(self.reasons & {NAMED, BEFORE})


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One or several invoices that an entry may pay, and what speaks for it, the strongest first."""

    entry: int
    invoices: tuple[int, ...]
    reasons: tuple[str, ...]
    certain: bool = False

    @property
    def weight(self) -> int:
        return sum(_WEIGHT[reason] for reason in self.reasons) + (100 if self.certain else 0)


def suggestions(candidates: Iterable[Candidate]) -> dict[int, tuple[Suggestion, ...]]:
    """By entry (candidates come ordered by it), the likeliest first.

    >>> both = frozenset({NUMBER, NAMED})
    >>> found = suggestions([Candidate(1, 7, 300, 100, 5, True, both), Candidate(1, 8, 300, 200, 5, True, both)])
    >>> found[1][0].invoices, found[1][0].certain
    ((7, 8), True)
    """
    return {entry: _best(entry, list(found)) for entry, found in groupby(candidates, key=lambda each: each.entry)}


def _best(entry: int, found: list[Candidate]) -> tuple[Suggestion, ...]:
    ranked = sorted(
        {(each.invoices): each for each in reversed(list(_all(entry, found)))}.values(), key=lambda s: -s.weight
    )
    return tuple(ranked[:MOST])


def _all(entry: int, found: list[Candidate]) -> Iterator[Suggestion]:
    numbered = [each for each in found if NUMBER in each.reasons]
    if numbered:
        yield _together(entry, numbered)
    for _licensee, group in groupby(
        sorted((e for e in found if e.payer), key=lambda e: e.licensee), key=lambda e: e.licensee
    ):
        owed = list(group)
        if len(owed) > 1 and sum(each.open for each in owed) == owed[0].left and all(e.same_currency for e in owed):
            yield Suggestion(entry, tuple(e.invoice for e in owed), _ranked({SUM} | _shared(owed)))
    for each in found:
        yield Suggestion(entry, (each.invoice,), _ranked(each.reasons))


def _together(entry: int, numbered: list[Candidate]) -> Suggestion:
    """All invoices whose whole numbers were written, as one suggestion; certain where amount and payer agree."""
    fits = sum(each.open for each in numbered) == numbered[0].left and all(each.same_currency for each in numbered)
    one = len({each.licensee for each in numbered}) == 1
    payer = all(each.payer for each in numbered)
    reasons = _shared(numbered) - {AMOUNT} | ({AMOUNT if len(numbered) == 1 else SUM} if fits else set())
    return Suggestion(entry, tuple(each.invoice for each in numbered), _ranked(reasons), certain=fits and one and payer)


def _shared(found: list[Candidate]) -> set[str]:
    return set.intersection(*(set(each.reasons) for each in found))


def _ranked(reasons: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(reasons), key=lambda reason: (-_WEIGHT[reason], reason)))
