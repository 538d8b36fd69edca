"""What differs between two versions of a tariff, charge by charge. Pure.

`compare` gives facts; pages say them in words. Charges are the same where their names are; one that only changed its
name is found by all the rest being equal. Prices by tiers are compared quantity by quantity, whatever their bounds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, is_dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from licensing.tariffs.charges.tiers import Tiered
from licensing.tariffs.schedule import Charge, Schedule

# What of the header counts: its name, its days, how the charges come together, and for whom it is sold at once.
HEADER = (
    "name", "currency", "valid_from", "valid_to", "combine", "minimum", "cap", "period_months", "self_service",
)  # fmt: skip
SCOPE = ("uses", "kinds", "unit", "count", "licensee_tiers")
PRICES = frozenset({"amount", "unit_price", "package_price", "work_price", "percent", "minimum", "cap"})


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was one way and is another. `percent` says by how much a price rose, or fell (negative)."""

    what: str
    before: Any
    after: Any
    percent: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """The price of a run of quantities, from `lower` to `upper` (None: without end), both inclusive."""

    lower: int
    upper: int | None
    before: Decimal
    after: Decimal
    differs: bool
    percent: Decimal | None


@dataclass(frozen=True, slots=True)
class ChargeChange:
    """What became of one charge: `added`, `removed`, `changed` or `same`."""

    state: str
    before: Charge | None
    after: Charge | None
    changes: tuple[Change, ...] = ()
    segments: tuple[Segment, ...] = ()

    @property
    def name(self) -> str:
        charge = self.after or self.before
        return charge.name if charge else ""

    @property
    def repriced(self) -> bool:
        """Whether another way of pricing took the place of the old one, so that prices stand side by side only."""
        return any(change.what == "model" for change in self.changes)


@dataclass(frozen=True, slots=True)
class Difference:
    """All that differs between two versions, in the order of the later one; what was removed comes last."""

    header: tuple[Change, ...] = ()
    charges: tuple[ChargeChange, ...] = field(default=())

    @property
    def changed(self) -> tuple[ChargeChange, ...]:
        return tuple(charge for charge in self.charges if charge.state != "same")

    @property
    def same(self) -> tuple[ChargeChange, ...]:
        return tuple(charge for charge in self.charges if charge.state == "same")

    def __bool__(self) -> bool:
        return bool(self.header or self.changed)


def compare(before: Schedule, after: Schedule) -> Difference:
    """What the later schedule says otherwise than the earlier one."""
    header = tuple(_changes(before, after, HEADER))
    pairs = _paired(before, after)
    found = [_charge(pairs.get(charge.name), charge) for charge in after.charges]
    kept = {charge.name for charge in pairs.values()}
    gone = [ChargeChange("removed", charge, None) for charge in before.charges if charge.name not in kept]
    return Difference(header, (*found, *gone))


def percent_change(before: Fraction | Decimal | int, after: Fraction | Decimal | int) -> Decimal | None:
    """By how many percent a price rose, to two decimals, a half away from nothing; None where it was nothing before.

    >>> percent_change(Decimal("0.05"), Decimal("0.06")), percent_change(3, 2), percent_change(0, 1)
    (Decimal('20'), Decimal('-33.33'), None)
    """
    if not before:
        return Decimal(0) if not after else None
    hundredths = (Fraction(after) / Fraction(before) - 1) * 10_000
    whole = (2 * abs(hundredths.numerator) + hundredths.denominator) // (2 * hundredths.denominator)
    digits = f"{Decimal(whole).scaleb(-2):f}".rstrip("0").rstrip(".")
    return Decimal(digits or "0") * (1 if hundredths >= 0 else -1)


def _changes(before: Any, after: Any, names: tuple[str, ...]) -> Iterator[Change]:
    for name in names:
        old, new = getattr(before, name, None), getattr(after, name, None)
        if old != new:
            prices = name in PRICES and old is not None and new is not None
            yield Change(name, old, new, percent_change(old or 0, new or 0) if prices else None)


def _paired(before: Schedule, after: Schedule) -> dict[str, Charge]:
    """The earlier charge of each later one, by the later one's name."""
    earlier = {charge.name: charge for charge in before.charges}
    pairs = {charge.name: earlier.pop(charge.name) for charge in after.charges if charge.name in earlier}
    for charge in after.charges:
        if charge.name not in pairs:
            twin = next((old for old in earlier.values() if replace(old, name=charge.name) == charge), None)
            if twin is not None:
                pairs[charge.name] = earlier.pop(twin.name)
    return pairs


def _charge(before: Charge | None, after: Charge) -> ChargeChange:
    if before is None:
        return ChargeChange("added", None, after)
    changes = list(_changes(before, after, ("name", "model", *SCOPE)))
    segments: tuple[Segment, ...] = ()
    if before.model == after.model:
        rates = _rates_of(after.rates)
        changes += _changes(before.rates, after.rates, tuple(name for name in rates if name != "tiered"))
        if "tiered" in rates:
            old, new = before.rates.tiered, after.rates.tiered  # type: ignore[attr-defined]
            changes += _changes(old, new, ("per",))
            segments = tuple(_segments(old, new)) if old != new else ()
    state = "changed" if changes or segments else "same"
    return ChargeChange(state, before, after, tuple(changes), segments)


def _rates_of(rates: Any) -> Mapping[str, Any]:
    return {each.name: getattr(rates, each.name) for each in fields(rates)} if is_dataclass(rates) else {}


def _segments(before: Tiered, after: Tiered) -> Iterator[Segment]:
    """Every run of quantities between two bounds of either, with its price in both."""
    bounds = sorted({tier.up_to for tier in (*before.tiers, *after.tiers) if tier.up_to is not None})
    lower = 1
    for upper in (*bounds, None):
        old, new = _price_at(before, lower), _price_at(after, lower)
        exact = Fraction(old) / before.per, Fraction(new) / after.per
        yield Segment(lower, upper, old, new, exact[0] != exact[1], percent_change(*exact))
        lower = (upper or 0) + 1


def _price_at(tiered: Tiered, quantity: int) -> Decimal:
    return next(tier.price for tier in tiered.tiers if tier.up_to is None or quantity <= tier.up_to)
