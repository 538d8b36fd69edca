"""A random sample of a declaration's rows for a field audit: how large, which rows, and what may be said from it. Pure.

The sample is drawn by SHA-256 over the seed and what a row says, so that anybody with the seed draws the same rows: from
another copy of the database, in any order. The estimate of the share of wrong rows comes with the exact interval of
Clopper and Pearson (Biometrika 26, 1934), worked out in decimals of 60 digits and rounded outwards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from typing import Any, Final

from accounts.identity.core import Refusal, say

# The two-sided points of the normal distribution, as every table has them.
CONFIDENCES: Final = {
    Decimal("0.900"): Decimal("1.644854"),
    Decimal("0.950"): Decimal("1.959964"),
    Decimal("0.990"): Decimal("2.575829"),
}
MOST: Final = 2000  # rows that a field audit can look at
DIGITS: Final = 60
STEP: Final = Decimal("0.000001")  # of the bounds: parts per million


@dataclass(frozen=True, slots=True)
class Row:
    """What a declared row says of itself; `name` is the work's reference, or scheme:value of an unmatched one."""

    name: str
    use: str
    unit: str
    used_on: str
    status: str
    basis: str = ""

    @property
    def key(self) -> str:
        return "|".join((self.name, self.use, self.unit, self.used_on, self.status, self.basis))


def rank(seed: str, key: str) -> str:
    """Where a row stands in the draw: the smallest come first. `sampling.sql` says the same for all rows at once.

    >>> rank("2026-Q1", "B|train|token|2026-03-31|licensed|licence")[:16]
    '414d5b42ab943311'
    """
    return hashlib.sha256(f"{seed}|{key}".encode()).hexdigest()


def suggested_size(*, population: int, margin: Decimal, confidence: Decimal, expected: Decimal = Decimal("0.5")) -> int:
    """Rows to look at so that the share of wrong ones is known to within ± `margin` (Cochran's formula).

    `expected` is the share that is thought to be wrong; a half where nothing is known asks for the most. A small
    declaration needs fewer: n₀ / (1 + (n₀ − 1) / N), rounded up.

    >>> suggested_size(population=10_000_000, margin=Decimal("0.05"), confidence=Decimal("0.950"))
    385
    >>> suggested_size(population=100, margin=Decimal("0.05"), confidence=Decimal("0.950"))
    80
    """
    point = CONFIDENCES.get(confidence)
    if point is None:
        raise Refusal("bad_confidence", say("Choose one of the levels of confidence."), pointer="/confidence")
    if not Decimal("0.001") <= margin <= Decimal("0.5"):
        raise Refusal("bad_margin", say("The margin is between 0.1 and 50 per cent."), pointer="/margin")
    if not 0 < expected < 1:
        raise Refusal("bad_share", say("The expected share lies between 0 and 100 per cent."), pointer="/expected")
    if population < 1:
        raise Refusal("nothing_to_sample", say("There is no row to sample."))
    endless = point * point * expected * (1 - expected) / (margin * margin)
    size = endless / (1 + (endless - 1) / population)
    return min(int(size.to_integral_value(ROUND_CEILING)), population)


def interval(*, wrong: int, size: int, confidence: Decimal) -> tuple[Decimal, Decimal]:
    """The Clopper–Pearson interval for the share of wrong rows, when `wrong` of `size` were: at least this confidence.

    Low and high are rounded outwards to parts per million, so that rounding never takes confidence away.

    >>> interval(wrong=0, size=59, confidence=Decimal("0.900"))  # the rule of three, exactly: 1 − 0.05^(1/59)
    (Decimal('0.000000'), Decimal('0.049508'))
    >>> interval(wrong=3, size=50, confidence=Decimal("0.950"))
    (Decimal('0.012548'), Decimal('0.165482'))
    """
    if not 0 <= wrong <= size or size < 1:
        raise ValueError(f"{wrong} of {size}")
    with localcontext() as context:
        context.prec = DIGITS
        tail = (1 - confidence) / 2
        low = turning(lambda p: at_least(wrong, size, p) < tail) if wrong else (Decimal(0), Decimal(0))
        high = turning(lambda p: at_most(wrong, size, p) >= tail) if wrong < size else (Decimal(1), Decimal(1))
        return low[0].quantize(STEP, ROUND_FLOOR), high[1].quantize(STEP, ROUND_CEILING)


def turning(before: Any) -> tuple[Decimal, Decimal]:
    """The two parts per million between which a condition that holds on the left ends to hold."""
    low, high = 0, 10**6
    while high - low > 1:
        middle = (low + high) // 2
        if before(middle * STEP):
            low = middle
        else:
            high = middle
    return low * STEP, high * STEP


def at_most(wrong: int, size: int, share: Decimal) -> Decimal:
    """The chance to find at most so many wrong rows where this share of all is wrong."""
    if share <= 0:
        return Decimal(1)
    if share >= 1:
        return Decimal(wrong >= size)
    odds, term = share / (1 - share), (1 - share) ** size
    total = term
    for found in range(wrong):
        term = term * odds * (size - found) / (found + 1)
        total += term
    return total


def at_least(wrong: int, size: int, share: Decimal) -> Decimal:
    """The chance to find at least so many, summed from its own side, so that a small chance keeps its digits."""
    return at_most(size - wrong, size, 1 - share)


def estimate(*, findings: Mapping[str, int], confidence: Decimal, declared: Decimal, found: Decimal) -> dict[str, Any]:
    """What a finished audit says, as data: rows by finding, share wrong with its interval, units found of those declared.

    A row that cannot be found is wrong, too. The units are those of the sample alone: they say how far off it was.
    """
    size = sum(findings.values())
    wrong = size - findings.get("right", 0)
    low, high = interval(wrong=wrong, size=size, confidence=confidence)
    share = (Decimal(wrong) / size).quantize(STEP)
    return {
        "size": size, "wrong": wrong, "missing": findings.get("missing", 0), "confidence": str(confidence),
        "estimate": str(share), "low": str(low), "high": str(high),
        "declared_units": str(declared), "found_units": str(found),
    }  # fmt: skip
