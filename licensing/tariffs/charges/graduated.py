"""Each tier prices the units that fall into it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

from licensing.tariffs.charges.base import Measure, Priced, Rates
from licensing.tariffs.charges.tiers import Tiered, read_tiers, tier_step
from licensing.tariffs.reading import Reader


@dataclass(frozen=True, slots=True)
class Graduated(Rates):
    """Tier by tier: 20,858,600,725 tokens at 0.05, 0.03, 0.01 per 1,000 are 50,000 + 270,000 + 108,586.00725.

    >>> from decimal import Decimal
    >>> from licensing.tariffs.charges.tiers import Tier
    >>> tiers = Tier(10**9, Decimal("0.05")), Tier(10**10, Decimal("0.03")), Tier(None, Decimal("0.01"))
    >>> [step.product for step in Graduated(Tiered(1000, tiers)).price(Measure(units=20_858_600_725)).steps]
    ['50000', '270000', '108586.00725']
    """

    tiered: Tiered

    KEYS = ("per", "tiers")
    COUNTS_UNITS = True

    @classmethod
    def read(cls, reader: Reader, body: Mapping[str, Any], pointer: str) -> Self | None:
        tiered = read_tiers(reader, body, pointer)
        return None if tiered is None else cls(tiered)

    def price(self, measure: Measure) -> Priced:
        amount, steps = Fraction(0), []
        for lower, tier in self.tiered.bounds():
            units = min(measure.units, measure.units if tier.up_to is None else tier.up_to) - lower
            if units <= 0:
                break
            amount += units * Fraction(tier.price) / self.tiered.per
            steps.append(tier_step("graduated", measure, self.tiered, lower, tier, units))
        return Priced(amount, tuple(steps))
