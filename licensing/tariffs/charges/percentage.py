"""A percentage of a base that the licensee declares, such as its revenue from the service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Self

from licensing.tariffs.charges.base import Measure, Priced, Rates, Step, exact
from licensing.tariffs.reading import Reader


@dataclass(frozen=True, slots=True)
class Percentage(Rates):
    """`percent` of the base with this name.

    >>> exact(Percentage("revenue", Decimal(30)).price(Measure(base=Fraction(412_345_679))).amount)
    '123703703.7'
    """

    base: str
    percent: Decimal

    KEYS = ("base", "percent")
    STANDING = True

    @classmethod
    def read(cls, reader: Reader, body: Mapping[str, Any], pointer: str) -> Self | None:
        base = reader.figure(body.get("base"), f"{pointer}/base")
        percent = reader.decimal(body.get("percent"), f"{pointer}/percent", most=Decimal(100))
        return None if base is None or percent is None else cls(base, percent)

    def price(self, measure: Measure) -> Priced:
        amount = measure.base * Fraction(self.percent) / 100
        step = Step(
            "percentage", name=self.base, quantity=exact(measure.base), price=exact(self.percent), product=exact(amount)
        )
        return Priced(amount, (step,))
