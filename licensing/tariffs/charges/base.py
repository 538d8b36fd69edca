"""What every charge model shares: the measure it prices, the steps it explains itself with, and its bounds. Pure."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar, Final, Self

from licensing.tariffs.reading import Reader

MAX_PRICE: Final = Decimal(10**12)
MAX_COUNT: Final = 10**18
MAX_PER: Final = 10**15


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a calculation. Numbers are exact strings; `price` and `product` in major units.

    `code` says which step: a charge model's own, or `round`, `charge`, `sum`, `greatest`, `minimum`, `cap`. An empty
    part does not apply. `lower` and `upper` bound a tier, both inclusive. Pages say it in words.
    """

    code: str
    name: str = ""
    quantity: str = ""
    unit: str = ""
    lower: str = ""
    upper: str = ""
    per: str = ""
    price: str = ""
    product: str = ""

    def as_data(self) -> dict[str, str]:
        return {key: value for key, value in asdict(self).items() if value}

    @classmethod
    def from_data(cls, data: Mapping[str, str]) -> Step:
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Measure:
    """What a charge prices in one billing period: fitting units and works, and the declared base in major units."""

    units: int = 0
    works: int = 0
    base: Fraction = Fraction(0)
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Priced:
    """An exact amount in major units, not yet rounded; the products of its steps sum to it."""

    amount: Fraction
    steps: tuple[Step, ...]


class Rates(ABC):
    """The numbers of one charge. `STANDING` charges are owed each billing period, whatever was declared in it."""

    KEYS: ClassVar[tuple[str, ...]]
    STANDING: ClassVar[bool] = False
    COUNTS_UNITS: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def read(cls, reader: Reader, body: Mapping[str, Any], pointer: str) -> Self | None:
        """The model's keys of a charge; problems go to the reader, and then None comes back."""

    @abstractmethod
    def price(self, measure: Measure) -> Priced:
        """The exact amount for this measure, with its steps."""

    def quantity(self, measure: Measure) -> int | None:
        """What the charge counts, or None where it counts nothing."""
        return measure.units if self.COUNTS_UNITS else None


def exact(number: Fraction | Decimal | int) -> str:
    """A number as an exact string: decimal where it ends, else a fraction.

    >>> exact(Fraction("108586.00725")), exact(Fraction(10, 3))
    ('108586.00725', '10/3')
    """
    value = Fraction(number)
    rest, digits = value.denominator, 0
    for factor in (2, 5):
        power = 0
        while rest % factor == 0:
            rest, power = rest // factor, power + 1
        digits = max(digits, power)
    if rest != 1:
        return f"{value.numerator}/{value.denominator}"
    whole = f"{value.numerator * 10**digits // value.denominator:0{digits + 1}d}"
    return f"{whole[:-digits]}.{whole[-digits:]}" if digits else whole
