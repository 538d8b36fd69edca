"""One price for every `per` units; a part of `per` costs its part, never rounded up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Self

from licensing.tariffs.charges.base import MAX_PER, MAX_PRICE, Measure, Priced, Rates, Step, exact
from licensing.tariffs.reading import Reader


@dataclass(frozen=True, slots=True)
class PerUnit(Rates):
    """`price` in major units for `per` units.

    >>> exact(PerUnit(1000, Decimal("0.05")).price(Measure(units=1500)).amount)
    '0.075'
    """

    per: int
    unit_price: Decimal

    KEYS = ("per", "price")
    COUNTS_UNITS = True

    @classmethod
    def read(cls, reader: Reader, body: Mapping[str, Any], pointer: str) -> Self | None:
        per = reader.integer(body.get("per"), f"{pointer}/per", least=1, most=MAX_PER)
        price = reader.decimal(body.get("price"), f"{pointer}/price", most=MAX_PRICE)
        return None if per is None or price is None else cls(per, price)

    def price(self, measure: Measure) -> Priced:
        amount = measure.units * Fraction(self.unit_price) / self.per
        step = Step(
            "per_unit", quantity=str(measure.units), unit=measure.unit, per=str(self.per),
            price=exact(self.unit_price), product=exact(amount),
        )  # fmt: skip
        return Priced(amount, (step,))
