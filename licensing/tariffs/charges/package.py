"""Units are bought in packages; a package begun is a package paid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Self

from licensing.tariffs.charges.base import MAX_PER, MAX_PRICE, Measure, Priced, Rates, Step, exact
from licensing.tariffs.reading import Reader


@dataclass(frozen=True, slots=True)
class Package(Rates):
    """`price` in major units for each package of `size` units, rounded up to whole packages.

    >>> [exact(Package(1000, Decimal(30)).price(Measure(units=n)).amount) for n in (0, 1, 1000, 1001)]
    ['0', '30', '30', '60']
    """

    size: int
    package_price: Decimal

    KEYS = ("size", "price")
    COUNTS_UNITS = True

    @classmethod
    def read(cls, reader: Reader, body: Mapping[str, Any], pointer: str) -> Self | None:
        size = reader.integer(body.get("size"), f"{pointer}/size", least=1, most=MAX_PER)
        price = reader.decimal(body.get("price"), f"{pointer}/price", most=MAX_PRICE)
        return None if size is None or price is None else cls(size, price)

    def price(self, measure: Measure) -> Priced:
        packages = -(-measure.units // self.size)
        amount = packages * Fraction(self.package_price)
        steps = (
            Step("packages", quantity=str(measure.units), unit=measure.unit, per=str(self.size), price=str(packages)),
            Step("package", quantity=str(packages), price=exact(self.package_price), product=exact(amount)),
        )
        return Priced(amount, steps)
