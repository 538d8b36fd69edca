"""One price for every distinct work, identifiers that matched no work included, however often it was used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Self

from licensing.tariffs.charges.base import MAX_PRICE, Measure, Priced, Rates, Step, exact
from licensing.tariffs.reading import Reader


@dataclass(frozen=True, slots=True)
class PerWork(Rates):
    """`price` in major units for each distinct work.

    >>> exact(PerWork(Decimal("1.5")).price(Measure(units=9000, works=3)).amount)
    '4.5'
    """

    work_price: Decimal

    KEYS = ("price",)

    @classmethod
    def read(cls, reader: Reader, body: Mapping[str, Any], pointer: str) -> Self | None:
        price = reader.decimal(body.get("price"), f"{pointer}/price", most=MAX_PRICE)
        return None if price is None else cls(price)

    def price(self, measure: Measure) -> Priced:
        amount = measure.works * Fraction(self.work_price)
        step = Step(
            "per_work", quantity=str(measure.works), unit="work", price=exact(self.work_price), product=exact(amount)
        )
        return Priced(amount, (step,))

    def quantity(self, measure: Measure) -> int | None:
        return measure.works
