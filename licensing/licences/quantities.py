"""Which figures a tariff needs to price a licence: one for each unit, count of works, declared count and base. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from licensing import terms
from licensing.tariffs.core import Charge, Schedule


@dataclass(frozen=True, slots=True)
class Units:
    """Units that the same charges price for these uses with these kinds; stated as of the first of them."""

    unit: str
    cells: tuple[tuple[str, str], ...]  # (use, kind)
    works: bool = False  # distinct works in place of units
    alone: bool = False  # these works carry units of their own: no charge prices works by the unit too
    any_unit: bool = True  # of works: whatever unit their row has

    @property
    def uses(self) -> list[str]:
        return list(dict.fromkeys(use for use, _kind in self.cells))

    @property
    def kinds(self) -> list[str]:
        return list(dict.fromkeys(kind for _use, kind in self.cells))

    @property
    def key(self) -> tuple[str, str, str]:
        return *self.cells[0], self.unit

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Whether this figure stands in a kept row."""
        fits = (self.works and self.any_unit) or row["unit"] == self.unit
        return fits and (row["use"], row["kind"]) in self.cells


@dataclass(frozen=True, slots=True)
class Asked:
    """Everything that a firm is asked for, each figure of one billing period."""

    units: tuple[Units, ...]
    counts: tuple[str, ...]  # such as subscribers
    bases: tuple[str, ...]  # amounts, in minor units

    @property
    def nothing(self) -> bool:
        return not (self.units or self.counts or self.bases)


def asked(schedule: Schedule, *, uses: Collection[str], kinds: Collection[str], tier: str | None) -> Asked:
    """What the charges that serve this tier (None: any) ask for, for these uses and kinds.

    Uses and kinds that the same charges price alike share one figure, so that nobody fills in a grid.
    """
    charges = [
        charge for charge in schedule.charges if charge.meets(uses, kinds) and (tier is None or charge.serves(tier))
    ]
    return Asked(
        (*_units(charges, uses, kinds), *_works(charges, uses, kinds)),
        tuple(dict.fromkeys(charge.count for charge in charges if charge.count)),
        tuple(dict.fromkeys(charge.base for charge in charges if charge.base)),
    )


def rows(figures: Mapping[Units, int]) -> list[dict[str, Any]]:
    """Entered figures as a request keeps them: [{use, kind, unit, units, works}], sorted; works join a row of units."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}

    def row(use: str, kind: str, unit: str) -> dict[str, Any]:
        empty = {"use": use, "kind": kind, "unit": unit, "units": 0, "works": 0}
        return found.setdefault((use, kind, unit), empty)

    for of, figure in figures.items():
        if not of.works and figure:
            row(*of.key)["units"] = figure
    for of, figure in figures.items():
        if of.works and figure:
            counted = next((each for each in found.values() if of.holds(each)), None) or row(*of.key)
            counted["works"] = figure
            counted["units"] = counted["units"] or (figure if of.alone else 0)
    return [found[key] for key in sorted(found)]


def figures(asked: Asked, kept: Collection[Mapping[str, Any]]) -> dict[Units, int]:
    """What a request keeps, as the figures of the form: the inverse of `rows`."""
    found: dict[Units, int] = {}
    for of in asked.units:
        name = "works" if of.works else "units"
        total = sum(each.get(name) or 0 for each in kept if of.holds(each))
        if total:
            found[of] = total
    return found


def priced_uses(schedule: Schedule) -> list[str]:
    """The uses that any charge names."""
    return _named([charge.uses for charge in schedule.charges], terms.USES)


def priced_kinds(schedule: Schedule) -> list[str]:
    return _named([charge.kinds for charge in schedule.charges], terms.KINDS)


def tiers_of(schedule: Schedule) -> list[str]:
    return sorted({tier for charge in schedule.charges for tier in charge.licensee_tiers})


def _named(groups: Collection[tuple[str, ...]], known: Collection[str]) -> list[str]:
    named = {code for group in groups for code in group}
    return [code for code in known if terms.ANY in named or code in named]


def _units(charges: list[Charge], uses: Collection[str], kinds: Collection[str]) -> Iterator[Units]:
    counting = [charge for charge in charges if charge.counts_units]
    groups: dict[tuple[str, frozenset[str]], list[tuple[str, str]]] = {}
    for unit in dict.fromkeys(charge.unit for charge in counting):
        for use, kind in _cells(uses, kinds):
            pricing = frozenset(charge.name for charge in counting if charge.fits(use, kind, unit))
            if pricing:
                groups.setdefault((unit, pricing), []).append((use, kind))
    for (unit, _pricing), cells in groups.items():
        yield Units(unit, tuple(cells))


def _works(charges: list[Charge], uses: Collection[str], kinds: Collection[str]) -> Iterator[Units]:
    by_work = [charge for charge in charges if charge.model == "per_work"]
    by_unit = [charge for charge in charges if charge.counts_units]
    groups: dict[tuple[str, frozenset[str]], list[tuple[str, str]]] = {}
    for asked in dict.fromkeys(charge.unit for charge in by_work):
        unit = "work" if asked == terms.ANY else asked
        for use, kind in _cells(uses, kinds):
            pricing = frozenset(
                charge.name for charge in by_work if charge.unit == asked and charge.fits(use, kind, unit)
            )
            if pricing:
                groups.setdefault((asked, pricing), []).append((use, kind))
    for (asked, _pricing), cells in groups.items():
        unit = "work" if asked == terms.ANY else asked
        alone = not any(charge.fits(*cells[0], unit) for charge in by_unit)
        yield Units(unit, tuple(cells), works=True, alone=alone, any_unit=asked == terms.ANY)


def _cells(uses: Collection[str], kinds: Collection[str]) -> Iterator[tuple[str, str]]:
    for use in terms.USES if terms.ANY in uses else uses:
        for kind in terms.KINDS if terms.ANY in kinds else kinds:
            yield use, kind
