"""A tariff version: its charges, bounds and terms. `parsing.py` reads it from its JSON document. Pure."""

from __future__ import annotations

import datetime
import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from licensing import terms
from licensing.tariffs.charges.base import Rates

MAX_CHARGES: Final = 200
MAX_AMOUNT: Final = 10**15  # minor units
COMBINATIONS: Final = ("sum", "greatest")
PERIODS: Final = (1, 3, 6, 12, 24, 36, 60)  # months that a billing period may have
REF: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Charge:
    """One price for given uses, kinds, unit and licensee tiers; `*` means any, no tiers mean every licensee.

    One with a `count` prices a number that the licensee declares by this name, such as its subscribers, in place of
    the units of lines; like a percentage of a declared base it is owed each billing period.
    """

    name: str
    model: str
    uses: tuple[str, ...]
    kinds: tuple[str, ...]
    unit: str
    licensee_tiers: tuple[str, ...]
    rates: Rates
    count: str = ""

    @property
    def base(self) -> str:
        """The declared amount of money that it takes its percentage of."""
        return str(getattr(self.rates, "base", ""))

    @property
    def figure(self) -> str:
        """The name of what the licensee must declare for it: a base or a count."""
        return self.base or self.count

    @property
    def counts_units(self) -> bool:
        """Whether the units of lines price it."""
        return self.rates.COUNTS_UNITS and not self.count

    @property
    def standing(self) -> bool:
        """Whether it is owed each billing period, whatever was used in it."""
        return self.rates.STANDING or bool(self.count)

    def fits(self, use: str, kind: str, unit: str) -> bool:
        """Whether it prices a line of this use, kind and unit."""
        return terms.covers(self.uses, use) and terms.covers(self.kinds, kind) and self.unit in (terms.ANY, unit)

    def serves(self, tier: str) -> bool:
        """Whether it applies to a licensee of this tier; one without a tier has only charges that name none."""
        return not self.licensee_tiers or tier in self.licensee_tiers

    def meets(self, uses: Collection[str], kinds: Collection[str]) -> bool:
        """Whether a licence for these uses and kinds can use what this charge is for."""
        return _meet(self.uses, uses) and _meet(self.kinds, kinds)


def _meet(ours: Collection[str], theirs: Collection[str]) -> bool:
    return terms.ANY in ours or terms.ANY in theirs or not set(ours).isdisjoint(theirs)


@dataclass(frozen=True, slots=True)
class SelfService:
    """Firms of these tiers, or all where none is named, may take a licence of so many months at the fixed price."""

    tiers: tuple[str, ...]
    months: int

    def admits(self, tier: str) -> bool:
        return not self.tiers or tier in self.tiers


@dataclass(frozen=True, slots=True)
class Schedule:
    """The rates of one tariff version. `minimum` and `cap` in minor units; `valid_to` is the first day after it.

    `period_months`: the billing period that its prices are for, None where they are for any period.
    """

    tariff: str
    version: int
    name: str
    currency: str
    valid_from: datetime.date
    valid_to: datetime.date | None
    combine: str
    minimum: int | None
    cap: int | None
    charges: tuple[Charge, ...]
    period_months: int | None = None
    self_service: SelfService | None = None

    @property
    def bases(self) -> tuple[str, ...]:
        """The names of the bases its percentages are of: money, in minor units."""
        return tuple(dict.fromkeys(charge.base for charge in self.charges if charge.base))

    @property
    def counts(self) -> tuple[str, ...]:
        """The names of the numbers its charges count: whole numbers, whatever the currency."""
        return tuple(dict.fromkeys(charge.count for charge in self.charges if charge.count))
