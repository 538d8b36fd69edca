"""What a bank's file says, as values: heads, lines and problems, and how amounts and days are read. Pure; minor units."""

from __future__ import annotations

import datetime
import hashlib
import re
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Final

from accounts.identity.core import Refusal, gettext_noop, say
from licensing.tariffs.core import half_up
from licensing.tariffs.currencies import MINOR_DIGITS

MOST_AMOUNT: Final = 10**15  # as one posting of the ledger has it
MOST_ENTRIES: Final = 500_000  # of one file
MOST_BYTES: Final = 512 * 1024**2
MOST_PROBLEMS: Final = 1_000

NOT_AN_AMOUNT = gettext_noop("not an amount")
TOO_EXACT = gettext_noop("more decimals than the currency has")
TOO_LARGE = gettext_noop("the amount is too large")
NOT_A_DAY = gettext_noop("not a day")
NO_AMOUNT = gettext_noop("neither a deposit nor a withdrawal")
BOTH_AMOUNTS = gettext_noop("a deposit and a withdrawal in one row")
OTHER_CURRENCY = gettext_noop("another currency than the account's")
BALANCE_BREAKS = gettext_noop("the balance does not follow from the row before")
REPEATED = gettext_noop("an earlier statement has this entry already")


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row cannot be read: its number in the file, the column or element, what stood there, a fixed phrase."""

    row: int
    column: str
    value: str
    reason: str

    def as_data(self) -> dict[str, object]:
        return {"row": self.row, "column": self.column, "value": self.value[:200], "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Line:
    """One entry as the file has it; `row` is its number there."""

    row: int
    sign: int
    amount: int
    booked_on: datetime.date
    value_on: datetime.date
    bank_ref: str = ""
    end_to_end_id: str = ""
    batch_ref: str = ""
    reference: str = ""
    counterparty: str = ""
    counterparty_account: str = ""
    purpose: str = ""
    code: str = ""
    return_reason: str = ""
    reversal: bool = False
    instructed_amount: int | None = None
    instructed_currency: str = ""
    rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """What stands around the entries: whose account, since when, from which balance to which."""

    account: str
    currency: str
    opening: int
    closing: int
    first_day: datetime.date
    last_day: datetime.date
    reference: str = ""
    sequence: int | None = None
    backwards: bool = False  # the file begins with the newest entry

    def check(self, credits: int, debits: int) -> None:
        """Raise Refusal unless opening + what came in − what went out = closing.

        >>> Statement("1", "KRW", 100, 130, datetime.date(2026, 5, 1), datetime.date(2026, 5, 1)).check(50, 20)
        """
        if self.opening + credits - debits != self.closing:
            raise Refusal(
                "does_not_add_up",
                say(
                    "Opening {opening} + {credits} that came in − {debits} that went out is {sum}, but the closing balance is "
                    "{closing} (minor units). The file is incomplete, or it has been changed.",
                    opening=self.opening, credits=credits, debits=debits, sum=self.opening + credits - debits,
                    closing=self.closing,
                ),
            )  # fmt: skip


class Digest:
    """What a statement says, as one SHA-256: the same in whichever file it comes."""

    def __init__(self, account: int) -> None:
        self._sha = hashlib.sha256(str(account).encode())
        self._names = tuple(field.name for field in fields(Line) if field.name != "row")

    def line(self, line: Line) -> None:
        said = "\x1f".join(str(getattr(line, name)) for name in self._names)
        self._sha.update(said.encode() + b"\x1e")

    def close(self, statement: Statement) -> str:
        said = (statement.currency, statement.opening, statement.closing, statement.first_day, statement.last_day)
        self._sha.update(repr(tuple(map(str, said))).encode())
        return self._sha.hexdigest()


def minor(text: str, currency: str) -> int:
    """An amount in major units as a bank writes it, in minor units, exactly. Raises ValueError with a fixed phrase.

    >>> minor("1,234,567", "KRW"), minor("-10.5", "USD")
    (1234567, -1050)
    """
    plain = re.sub(r"[\s,₩원$€¥]", "", text).replace("−", "-")
    if not re.fullmatch(r"[+-]?[0-9]{1,18}(\.[0-9]{1,10})?", plain):
        raise ValueError(NOT_AN_AMOUNT)
    try:
        scaled = Decimal(plain).scaleb(MINOR_DIGITS[currency])
    except (InvalidOperation, KeyError) as error:
        raise ValueError(NOT_AN_AMOUNT) from error
    if scaled != scaled.to_integral_value():
        raise ValueError(TOO_EXACT)
    if abs(scaled) > MOST_AMOUNT:
        raise ValueError(TOO_LARGE)
    return int(scaled)


_DAY: Final = re.compile(r"([0-9]{4})[-./년 ]{0,2}([0-9]{1,2})[-./월 ]{0,2}([0-9]{1,2})일?(?:$|[ T(].*)", re.DOTALL)


def day(text: str) -> datetime.date:
    """A day as banks write it; a time after it is left out. Raises ValueError.

    >>> day("2026.05.01 13:22:01"), day("20260501")
    (datetime.date(2026, 5, 1), datetime.date(2026, 5, 1))
    """
    found = _DAY.match(text.strip())
    if found is None:
        raise ValueError(NOT_A_DAY)
    try:
        return datetime.date(*(int(part) for part in found.groups()))
    except ValueError as error:
        raise ValueError(NOT_A_DAY) from error


def account_number(text: str) -> str:
    """An account's number as it is kept: capitals and digits without blanks; hyphens of Korean numbers do not count.

    >>> account_number("110-123-456789"), account_number("de89 3704 0044 0532 0130 00")
    ('110123456789', 'DE89370400440532013000')
    """
    return re.sub(r"[\s\-]", "", text).upper()


def plain(text: str, most: int) -> str:
    """A cell of free text: one line, no control characters, cut to its room."""
    shown = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(shown.split())[:most]


@dataclass(frozen=True, slots=True)
class Rate:
    """So many units of `quote` for one of `base`."""

    base: str
    quote: str
    rate: Decimal

    def to_base(self, amount: int) -> int:
        """Minor units of `quote` in minor units of `base`, rounded half up, once.

        >>> Rate("USD", "KRW", Decimal("1350")).to_base(1_350_000)
        100000
        """
        shift = Fraction(10) ** (MINOR_DIGITS[self.base] - MINOR_DIGITS[self.quote])
        return half_up(Fraction(amount) * shift / Fraction(self.rate))

    def to_quote(self, amount: int) -> int:
        """Minor units of `base` in minor units of `quote`, rounded half up, once.

        >>> Rate("USD", "KRW", Decimal("1350.5")).to_quote(1_00)
        1351
        """
        shift = Fraction(10) ** (MINOR_DIGITS[self.quote] - MINOR_DIGITS[self.base])
        return half_up(Fraction(amount) * shift * Fraction(self.rate))
