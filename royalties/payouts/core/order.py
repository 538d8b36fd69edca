"""A payment order as the file's writers take it: who pays from which account, and each payment. Pure."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Final

A_PART: Final = 10_000  # payments in one PmtInf: banks refuse larger ones


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody with an account: an IBAN, or a number with the bank's BIC or its code in the payment system of its country."""

    name: str
    number: str = field(repr=False)
    iban: bool = False
    bic: str = ""
    bank: str = ""  # its code, where there is no BIC


@dataclass(frozen=True, slots=True)
class Transfer:
    """One payment: its id, the amount in minor units, and who gets it. `on_behalf` is whose money it is, where another gets it."""

    end_to_end_id: str
    amount: int
    to: Party
    on_behalf: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """A whole order. `message_id` and `made_at` follow from the batch, so that the same order gives the same bytes."""

    message_id: str
    made_at: datetime.datetime
    execute_on: datetime.date
    currency: str
    payer: Party
    count: int
    total: int
    remittance: str = ""
    ascii_only: bool = False
    sums: tuple[tuple[int, int], ...] = ()  # of each part: how many payments, how much

    def part_id(self, part: int) -> str:
        """The PmtInfId of the n-th part, from 1."""
        return f"{self.message_id}-{part}"


def message_id(batch: int, made_at: datetime.datetime) -> str:
    """The message id of a batch's order.

    >>> message_id(7, datetime.datetime(2026, 4, 10, 9, 30))
    'PAYOUT-7-20260410'
    """
    return f"PAYOUT-{batch}-{made_at:%Y%m%d}"
