"""Figures that show what a tariff asks: chosen from its own prices, so that each way of pricing is seen at work. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from licensing import terms
from licensing.tariffs import core
from licensing.tariffs.charges.base import MAX_COUNT
from licensing.tariffs.charges.package import Package
from licensing.tariffs.charges.per_unit import PerUnit
from licensing.tariffs.charges.tiers import Tiered
from licensing.tariffs.currencies import MINOR_DIGITS

MOST: Final = 5  # quantities: more would hide what they are to show
WORKS: Final = 250
SEVERAL: Final = 10_000  # times the quantity that one price is for
COUNTED: Final = 12_000


@dataclass(frozen=True, slots=True)
class Figures:
    """What a licensee could declare in one billing period, and its tier."""

    quantities: tuple[core.Quantity, ...]
    bases: Mapping[str, int]
    tier: str = ""

    def rating(self, schedule: core.Schedule) -> core.Rating:
        return core.rate(schedule, quantities=self.quantities, bases=self.bases, tier=self.tier)


def example(schedule: core.Schedule) -> Figures:
    """Quantities that reach the last tier and begin a package, a base of a round amount.

    >>> from licensing.tariffs.parsing import parse
    >>> found = example(parse({"tariff": "T", "version": 1, "name": "T", "currency": "KRW", "valid_from": "2026-01-01",
    ...     "charges": [{"name": "share", "model": "percentage", "base": "revenue", "percent": "2.5"}]}))
    >>> found.bases, found.tier
    ({'revenue': 100000000}, '')
    """
    tier = _tier(schedule)
    charges = [charge for charge in schedule.charges if charge.serves(tier)]
    quantities: dict[tuple[str, str, str], int] = {}
    by_work = any(charge.model == "per_work" for charge in charges)
    for charge in charges:
        if (charge.counts_units or charge.model == "per_work") and len(quantities) < MOST:
            unit = "work" if charge.unit == terms.ANY else charge.unit
            key = _first(charge.uses, terms.USES), _first(charge.kinds, terms.KINDS), unit
            quantities[key] = max(quantities.get(key, 0), _units(charge))
    money = 10 ** (8 if MINOR_DIGITS[schedule.currency] == 0 else 6)
    bases = dict.fromkeys(schedule.bases, money * 10 ** MINOR_DIGITS[schedule.currency])
    for charge in charges:
        if charge.count:
            bases[charge.count] = max(bases.get(charge.count, 0), _units(charge))
    return Figures(
        tuple(core.Quantity(*key, units, min(units, WORKS) if by_work else 0) for key, units in quantities.items()),
        bases,
        tier,
    )


def _tier(schedule: core.Schedule) -> str:
    """The tier that most charges name; none where those for everyone are as many."""
    named = Counter(tier for charge in schedule.charges for tier in charge.licensee_tiers)
    general = sum(not charge.licensee_tiers for charge in schedule.charges)
    if not named or general >= len(schedule.charges) - general:
        return ""
    return named.most_common(1)[0][0]


def _first(codes: tuple[str, ...], known: Mapping[str, str]) -> str:
    return next(code for code in known if terms.covers(codes, code))


def _units(charge: core.Charge) -> int:
    """A quantity at which the charge's price shows."""
    rates = charge.rates
    tiered = getattr(rates, "tiered", None)
    if isinstance(tiered, Tiered):
        bounds = [tier.up_to for tier in tiered.tiers if tier.up_to is not None]
        units = bounds[-1] * 3 // 2 + 1 if bounds else tiered.per * SEVERAL
    elif isinstance(rates, Package):
        units = rates.size * 12 + (rates.size + 1) // 2
    elif isinstance(rates, PerUnit):
        units = COUNTED if charge.count and rates.per < COUNTED else rates.per * SEVERAL
    else:
        units = WORKS
    return min(units, MAX_COUNT)
