"""A fixed amount a billing period, owed for the right itself, however little it was used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, Self

from licensing.tariffs.charges.base import MAX_PRICE, Measure, Priced, Rates, Step, exact
from licensing.tariffs.reading import Reader


@dataclass(frozen=True, slots=True)
class Flat(Rates):
    """`amount` in major units.

    >>> exact(Flat(Decimal("100000")).price(Measure(units=5)).amount)
    '100000'
    """

    amount: Decimal

    KEYS = ("amount",)
    STANDING = True

    @classmethod
    def read(cls, reader: Reader, body: Mapping[str, Any], pointer: str) -> Self | None:
        amount = reader.decimal(body.get("amount"), f"{pointer}/amount", most=MAX_PRICE)
        return None if amount is None else cls(amount)

    def price(self, measure: Measure) -> Priced:
        return Priced(Fraction(self.amount), (Step("flat", product=exact(self.amount)),))
