"""What a payment is made of: its id, its part of the tax, the digest of a batch, and the days on which a society pays. Pure."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from accounts.identity.core import Refusal, say

LONGEST_ID: Final = 35  # of ISO 20022's Max35Text
MONTHS: Final = {"monthly": 1, "quarterly": 3, "half_yearly": 6, "yearly": 12}


class Taxed(Protocol):
    """One line of tax as it was withheld from a holder's whole gross."""

    @property
    def name(self) -> str: ...
    @property
    def base(self) -> int: ...
    @property
    def rate(self) -> object: ...
    @property
    def amount(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Tax:
    """A line of tax of one payment, in minor units; `rate` is an exact fraction as text."""

    name: str
    base: int
    rate: str
    amount: int

    def as_data(self) -> dict[str, str | int]:
        return {"name": self.name, "base": self.base, "rate": self.rate, "amount": self.amount}


@dataclass(frozen=True, slots=True)
class Share:
    """One receiver's part of a holder's payment: gross = net + the tax lines."""

    gross: int
    withheld: int
    net: int
    taxes: tuple[Tax, ...]


def end_to_end_id(batch: int, holder: int, receiver: int = 0) -> str:
    """The id that a payment keeps at every bank: it follows from batch, holder and the receiver's number, and is never used twice.

    >>> end_to_end_id(12, 345), end_to_end_id(12, 345, 1)
    ('P12-345', 'P12-345-1')
    """
    made = f"P{batch}-{holder}" + (f"-{receiver}" if receiver else "")
    if len(made) > LONGEST_ID:
        raise Refusal("id_too_long", say("The end-to-end id {id} is longer than banks allow.", id=made))
    return made


def shares(taxes: Sequence[Taxed], nets: Sequence[int]) -> tuple[Share, ...]:
    """A holder's tax, divided among the receivers of the net by largest remainder: each line, and the base that it is of.

    So a payment that comes back can be owed again whole, with its own part of the tax. Ties go to the earlier receiver.

    >>> tax = Tax("income tax", 1_000, "3/100", 31)
    >>> [(each.gross, each.withheld, each.net) for each in shares([tax], [300, 669])]
    [(310, 10, 300), (690, 21, 669)]
    """
    divided = [
        [
            Tax(tax.name, base, str(tax.rate), amount)
            for base, amount in zip(_divided(tax.base, nets), _divided(tax.amount, nets), strict=True)
        ]
        for tax in taxes
    ]
    found = []
    for place, net in enumerate(nets):
        lines = tuple(tax[place] for tax in divided)
        withheld = sum(tax.amount for tax in lines)
        found.append(Share(net + withheld, withheld, net, lines))
    return tuple(found)


def portion(part: int, of: int, whole: int) -> int:
    """`whole` × `part` ÷ `of`, rounded down."""
    return whole * part // of if of else 0


def _divided(whole: int, weights: Sequence[int]) -> list[int]:
    total = sum(weights)
    parts = [portion(weight, total, whole) for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-(whole * weights[place] % total), place))
    for place in by_remainder[: whole - sum(parts)]:
        parts[place] += 1
    return parts


class Digest:
    """SHA-256 over payments in the order of their places, and over what is left with whom: what a second person approves."""

    def __init__(self, head: str) -> None:
        self._paid, self._left = hashlib.sha256(head.encode()), hashlib.sha256()

    def add(
        self, *, position: int, end_to_end: str, holder: int, details: int, gross: int, net: int, taxes: Sequence[Tax]
    ) -> None:
        lines = " ".join(f"{tax.name}={tax.amount}/{tax.base}@{tax.rate}" for tax in taxes)
        self._paid.update(f"\n{position} {end_to_end} {holder} {details} {gross} {net} {lines}".encode())

    def carry(self, holder: int, amount: int, reason: str) -> None:
        self._left.update(f"\n{holder} {amount} {reason}".encode())

    def hex(self) -> str:
        return hashlib.sha256(self._paid.digest() + self._left.digest()).hexdigest()


def next_day(schedule: str, day: int, today: datetime.date) -> datetime.date:
    """The next day on which a society pays by its schedule, today included: that day of the first month of each term.

    >>> next_day("quarterly", 10, datetime.date(2026, 1, 11))
    datetime.date(2026, 4, 10)
    """
    step = MONTHS[schedule]
    month = today.year * 12 + (today.month - 1) // step * step
    first = datetime.date(month // 12, month % 12 + 1, day)
    if first >= today:
        return first
    month += step
    return datetime.date(month // 12, month % 12 + 1, day)
