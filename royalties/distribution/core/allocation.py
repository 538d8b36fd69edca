"""Exact allocation in plain integers: what `allocate.sql` must equal, on any input, in any order.

A pool is divided among works and unmatched identifiers, a work among the sets of shares that held on its days of use, a set
among its shares. Each division is by largest remainder, so every sum is exact.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from licensing.terms import PPM


@dataclass(frozen=True, slots=True)
class Use:
    """What was declared of a work (`work` true, `key` its ref) or of an unmatched identifier (`key` is scheme:value)."""

    key: str
    work: bool
    used_on: datetime.date
    weight: int


@dataclass(frozen=True, slots=True)
class Share:
    """A holder's part of a work in a role, in force for a half-open range of days."""

    key: str
    holder: str
    role: str
    ppm: int
    disputed: bool = False
    valid_from: datetime.date = datetime.date.min
    valid_to: datetime.date = datetime.date.max

    @property
    def claim(self) -> tuple[str, str, int, bool]:
        return self.holder, self.role, self.ppm, self.disputed


@dataclass(frozen=True, slots=True)
class Part:
    """Who stands for one part of a set of shares, and what becomes of its money."""

    holder: str
    role: str
    ppm: int
    status: str
    reason: str


@dataclass(frozen=True, slots=True)
class Line:
    """One allocation: as `models.Allocation`, with refs instead of ids."""

    key: str
    work: bool
    used_on: datetime.date
    part: Part
    weight: int
    work_amount: int
    set_amount: int
    amount: int


def largest_remainder(amount: int, weights: Sequence[int]) -> list[int]:
    """Divide an amount by weights, exactly. The items stand in the order that breaks ties; the total weight is positive.

    >>> largest_remainder(212_318, [333_334, 333_333, 333_333])
    [70773, 70773, 70772]
    """
    total = sum(weights)
    quotas = [amount * weight // total for weight in weights]
    order = sorted(range(len(weights)), key=lambda place: (-(amount * weights[place] % total), place))
    for place in order[: amount - sum(quotas)]:
        quotas[place] += 1
    return quotas


def allocate(uses: Iterable[Use], shares: Iterable[Share], *, distributable: int, equal_part: int = 0) -> list[Line]:
    """Every allocation of one pool, in key order. Amounts sum to `distributable`.

    The equal part is split first, over the same units; the rest by weight. Raises ValueError where a rest has no weight
    to follow.
    """
    days: dict[tuple[bytes, bool], dict[datetime.date, int]] = {}
    for use in uses:
        by_day = days.setdefault((use.key.encode(), not use.work), {})
        by_day[use.used_on] = by_day.get(use.used_on, 0) + use.weight
    units = sorted(days)
    weights = [sum(days[unit].values()) for unit in units]
    rest = distributable - equal_part
    if not units or (rest and not any(weights)):
        raise ValueError("nothing to follow: no unit has weight")
    equal = largest_remainder(equal_part, [1] * len(units))
    weighted = largest_remainder(rest, weights) if rest else [0] * len(units)
    owned: dict[str, list[Share]] = {}
    for share in shares:
        owned.setdefault(share.key, []).append(share)
    lines: list[Line] = []
    for (key, unmatched), weight, first, second in zip(units, weights, equal, weighted, strict=True):
        text = key.decode()
        mine = [] if unmatched else owned.get(text, [])
        lines += _divide(text, not unmatched, days[key, unmatched], mine, weight, first + second)
    return lines


def _divide(
    key: str, work: bool, days: Mapping[datetime.date, int], shares: Sequence[Share], weight: int, amount: int
) -> list[Line]:
    """One work's amount among the sets of shares that held on its days, then among each set's parts."""
    sets: dict[tuple[Any, ...], list[datetime.date]] = {}
    for day in sorted(days):
        held = tuple(sorted(s.claim for s in shares if s.valid_from <= day < s.valid_to))
        sets.setdefault(held, []).append(day)
    weights = [sum(days[day] for day in same) for same in sets.values()]
    amounts = largest_remainder(amount, weights if any(weights) else [1] * len(weights))
    lines = []
    for (held, same), given in zip(sets.items(), amounts, strict=True):
        parts = _parts(held) if work else [Part("", "", 0, "suspense", "unmatched")]
        whole = [part.ppm for part in parts] if work and parts[0].ppm else [PPM]
        for part, own in zip(parts, largest_remainder(given, whole), strict=True):
            lines.append(Line(key, work, same[0], part, weight, amount, given, own))
    return lines


def _parts(claims: Iterable[tuple[str, str, int, bool]]) -> list[Part]:
    """The parts of a set in the order that breaks ties: holder ref, role (UTF-8 bytes), and last what nobody claims."""
    ordered = sorted(claims, key=lambda claim: (claim[0].encode(), claim[1].encode()))
    total = sum(ppm for _holder, _role, ppm, _disputed in ordered)
    if total > PPM:
        return [Part("", "", 0, "held", "overclaimed")]
    parts = [
        Part(holder, role, ppm, "held" if disputed else "payable", "disputed" if disputed else "")
        for holder, role, ppm, disputed in ordered
    ]
    return [*parts, Part("", "", PPM - total, "suspense", "no_share")] if total < PPM else parts
