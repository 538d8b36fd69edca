"""A sample drawn by units instead of rows, and what may be said from it of all units. Pure.

Every unit of one kind has the same chance, each time anew, so a row comes with a chance in proportion to its units and may
come several times. Auditors know this as monetary unit sampling; its estimate is that of Hansen and Hurwitz (Annals of
Mathematical Statistics 14, 1943): the mean, over the draws, of the part of the row's units that is misstated.

The interval is that of Hoeffding (Journal of the American Statistical Association 58, 1963, theorem 1) for independent
shares between 0 and 1, solved for the true share: it holds for any number of draws and any kind of error, which the usual
bound of Stringer was never proven to do. Where every drawn row is wholly right or wrong it is close to the exact one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any, Final

from accounts.identity.core import Refusal, say
from licensing.declarations.sampling import CONFIDENCES, DIGITS, STEP, turning

_WHOLE: Final = 2**256  # as many numbers as SHA-256 has


@dataclass(frozen=True, slots=True)
class Checked:
    """A drawn row: its units, how often it was drawn, the finding, and the units that it should have (None: unknown)."""

    units: int
    draws: int
    finding: str
    found: int | None = None

    @property
    def misstated(self) -> Fraction:
        """The part of its units that is wrong: all of a row that cannot be found, or that is wrong in more than its units."""
        if self.finding == "right":
            return Fraction(0)
        if self.finding == "missing" or self.found is None:
            return Fraction(1)
        return min(Fraction(abs(self.units - self.found), self.units), Fraction(1))


def points(seed: str, *, total: int, size: int) -> list[int]:
    """The numbers of the units that are drawn, from 0 to `total` - 1, each as likely as any other, exactly.

    A hash that lies beyond the last whole multiple of the total would favour small numbers; it is made anew.

    >>> points("2026-Q1", total=1000, size=3)
    [880, 169, 419]
    """
    fair = _WHOLE - _WHOLE % total
    drawn = []
    for nth in range(1, size + 1):
        again = 0
        while (number := _hash(f"{seed}|{nth}|{again}")) >= fair:
            again += 1
        drawn.append(number % total)
    return drawn


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest())


def chosen(rows: Sequence[tuple[str, int]], drawn: Iterable[int]) -> list[str]:
    """Whose units they are, draw by draw; rows (key, units) lie one after the other by key. `sample_by_units.sql` says the same.

    >>> chosen([("b", 5), ("a", 10)], [9, 10, 14, 0])
    ['a', 'b', 'b', 'a']
    """
    ends, at = [], 0
    for key, units in sorted(rows):
        at += units
        ends.append((at, key))
    return [next(key for end, key in ends if number < end) for number in drawn]


def suggested_draws(*, margin: Decimal, confidence: Decimal) -> int:
    """Draws so that the interval is never wider than ± `margin`, whatever is found: ln(2 / α) / (2 · margin²), rounded up.

    >>> suggested_draws(margin=Decimal("0.05"), confidence=Decimal("0.950"))
    738
    """
    if confidence not in CONFIDENCES:
        raise Refusal("bad_confidence", say("Choose one of the levels of confidence."), pointer="/confidence")
    if not Decimal("0.001") <= margin <= Decimal("0.5"):
        raise Refusal("bad_margin", say("The margin is between 0.1 and 50 per cent."), pointer="/margin")
    with localcontext() as context:
        context.prec = DIGITS
        return int((_evidence(confidence) / (2 * margin * margin)).to_integral_value(ROUND_CEILING))


def _evidence(confidence: Decimal) -> Decimal:
    return (2 / (1 - confidence)).ln()


def interval(*, misstated: Fraction, size: int, confidence: Decimal) -> tuple[Decimal, Decimal]:
    """Low and high for the share of all units that is misstated, where the mean over `size` draws was `misstated`.

    Rounded outwards to parts per million.

    >>> interval(misstated=Fraction(0), size=59, confidence=Decimal("0.900"))  # 1 − 0.05^(1/59), as the exact one
    (Decimal('0.000000'), Decimal('0.049508'))
    >>> interval(misstated=Fraction(3, 50), size=50, confidence=Decimal("0.950"))
    (Decimal('0.007486'), Decimal('0.193557'))
    """
    if not 0 <= misstated <= 1 or size < 1:
        raise ValueError(f"{misstated} of {size}")
    with localcontext() as context:
        context.prec = DIGITS
        seen = Decimal(misstated.numerator) / misstated.denominator
        most = _evidence(confidence) / size
        low = turning(lambda share: share < seen and _apart(seen, share) > most)[0] if misstated else Decimal(0)
        high = turning(lambda share: share <= seen or _apart(seen, share) <= most)[1] if misstated < 1 else Decimal(1)
        return low.quantize(STEP), high.quantize(STEP)


def _apart(seen: Decimal, share: Decimal) -> Decimal:
    """How unlikely `seen` is where `share` is the truth (their relative entropy, in nats); endless at 0 and 1."""
    if share in (0, 1):
        return Decimal("Infinity")
    left = seen * (seen / share).ln() if seen else Decimal(0)
    return left + ((1 - seen) * ((1 - seen) / (1 - share)).ln() if seen < 1 else 0)


def estimate(*, rows: Sequence[Checked], confidence: Decimal, declared: Decimal, found: Decimal) -> dict[str, Any]:
    """What a finished audit by units says, as data: as `sampling.estimate`, but the share is one of units.

    `size` counts draws, `rows` the rows that were looked at.
    """
    size = sum(row.draws for row in rows)
    share = sum((row.misstated * row.draws for row in rows), Fraction()) / size
    low, high = interval(misstated=share, size=size, confidence=confidence)
    shown = (Decimal(share.numerator) / share.denominator).quantize(STEP, ROUND_HALF_UP)
    return {
        "size": size, "rows": len(rows), "wrong": sum(row.finding != "right" for row in rows),
        "missing": sum(row.finding == "missing" for row in rows), "confidence": str(confidence),
        "estimate": str(shown), "low": str(low), "high": str(high),
        "declared_units": str(declared), "found_units": str(found),
    }  # fmt: skip
