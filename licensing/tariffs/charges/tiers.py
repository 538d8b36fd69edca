"""Tiers of a price: each ends at an inclusive bound, the last one is open. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from accounts.identity.core import gettext_noop
from licensing.tariffs.charges.base import MAX_COUNT, MAX_PER, MAX_PRICE, Measure, Step, exact
from licensing.tariffs.reading import Reader

MAX_TIERS: Final = 100


@dataclass(frozen=True, slots=True)
class Tier:
    """`price` in major units for units up to and including `up_to`, or without end."""

    up_to: int | None
    price: Decimal


@dataclass(frozen=True, slots=True)
class Tiered:
    """Ascending tiers, the last open, priced for every `per` units."""

    per: int
    tiers: tuple[Tier, ...]

    def bounds(self) -> list[tuple[int, Tier]]:
        """Each tier with the last unit before it."""
        return list(zip([0, *(t.up_to or 0 for t in self.tiers[:-1])], self.tiers, strict=True))


def read_tiers(reader: Reader, body: Mapping[str, Any], pointer: str) -> Tiered | None:
    """`per` and `tiers` of a charge, or None after noting what is wrong."""
    before = len(reader.problems)
    per = reader.integer(body.get("per"), f"{pointer}/per", least=1, most=MAX_PER)
    entries = reader.list(body.get("tiers"), f"{pointer}/tiers", most=MAX_TIERS) or []
    tiers: list[Tier] = []
    below = 0
    for n, entry in enumerate(entries):
        at = f"{pointer}/tiers/{n}"
        read = reader.object(entry, at, required=["price"], optional=["up_to"])
        if read is None:
            continue
        price = reader.decimal(read["price"], f"{at}/price", most=MAX_PRICE) if "price" in read else None
        up_to = _bound(reader, read.get("up_to"), f"{at}/up_to", below=below, last=n == len(entries) - 1)
        below = up_to or below
        tiers.append(Tier(up_to, price or Decimal(0)))
    return None if per is None or len(reader.problems) > before else Tiered(per, tuple(tiers))


def _bound(reader: Reader, value: Any, pointer: str, *, below: int, last: bool) -> int | None:
    if last:
        if value is not None:
            reader.fail(
                pointer,
                "last_tier_not_open",
                gettext_noop("The last tier has no “up_to”: it prices all that is above the others."),
            )
        return None
    if value is None:
        return reader.fail(pointer, "missing", gettext_noop("Every tier but the last needs “up_to”."))
    bound = reader.integer(value, pointer, least=1, most=MAX_COUNT)
    if bound is not None and bound <= below:
        reader.fail(
            pointer, "not_ascending", gettext_noop("Tiers must ascend: this one must end above {below}."), below=below
        )
    return bound


def tier_step(code: str, measure: Measure, tiered: Tiered, lower: int, tier: Tier, units: int) -> Step:
    """The step that prices some units by one tier."""
    return Step(
        code,
        quantity=str(units),
        unit=measure.unit,
        lower=str(lower + 1),
        upper="" if tier.up_to is None else str(tier.up_to),
        per=str(tiered.per),
        price=exact(tier.price),
        product=exact(units * Fraction(tier.price) / tiered.per),
    )
