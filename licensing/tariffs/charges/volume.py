"""The tier that the whole quantity reaches prices all of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Self

from licensing.tariffs.charges.base import Measure, Priced, Rates
from licensing.tariffs.charges.tiers import Tiered, read_tiers, tier_step
from licensing.tariffs.reading import Reader


@dataclass(frozen=True, slots=True)
class Volume(Rates):
    """One tier for all units. Where a later tier is cheaper, one unit more can cost less in total: so the model is.

    >>> from decimal import Decimal
    >>> from licensing.tariffs.charges.base import exact
    >>> from licensing.tariffs.charges.tiers import Tier
    >>> volume = Volume(Tiered(1, (Tier(100, Decimal(5)), Tier(None, Decimal(3)))))
    >>> [exact(volume.price(Measure(units=n)).amount) for n in (100, 101)]
    ['500', '303']
    """

    tiered: Tiered

    KEYS = ("per", "tiers")
    COUNTS_UNITS = True

    @classmethod
    def read(cls, reader: Reader, body: Mapping[str, Any], pointer: str) -> Self | None:
        tiered = read_tiers(reader, body, pointer)
        return None if tiered is None else cls(tiered)

    def price(self, measure: Measure) -> Priced:
        lower, tier = next(
            (lower, tier) for lower, tier in self.tiered.bounds() if tier.up_to is None or measure.units <= tier.up_to
        )
        amount = measure.units * Fraction(tier.price) / self.tiered.per
        return Priced(amount, (tier_step("volume", measure, self.tiered, lower, tier, measure.units),))
