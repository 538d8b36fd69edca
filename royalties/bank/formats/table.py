"""The CSV that a bank's web page gives: its headings mapped to what an entry needs, read row by row.

In UTF-8 or CP949, with commas, tabs or semicolons; lines before the headings are passed over; amounts signed in one column or in two;
newest first or oldest first. Where a column has the balance after each row, every row has to follow from the one before.
"""

from __future__ import annotations

import csv
import datetime
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import IO, Final

from accounts.identity.core import Refusal, say
from licensing.intake import core as intake
from royalties.bank import core
from royalties.bank.core import Line, Problem, Statement

# What an entry needs, and the headings under which banks give it (compared without blanks, in lower case).
COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "booked_on": ("거래일시", "거래일자", "거래일", "거래날짜", "일자", "날짜", "booking date", "booked on", "date"),
    "value_on": ("기산일", "기산일자", "value date"),
    "amount": ("거래금액", "금액", "amount"),
    "deposit": ("입금액", "입금금액", "입금", "맡기신금액", "맡기신 금액(원)", "입금(원)", "입금액(원)", "deposit", "credit"),
    "withdrawal": ("출금액", "출금금액", "출금", "찾으신금액", "출금(원)", "출금액(원)", "지급액", "withdrawal", "debit"),
    "balance": ("거래후잔액", "거래 후 잔액", "잔액", "잔액(원)", "거래후 잔액(원)", "balance"),
    "counterparty": (
        "의뢰인/수취인", "의뢰인", "입금자명", "입금자", "보낸분/받는분", "보내는분/받는분", "상대계좌예금주명",
        "거래자명", "예금주", "기재내용",
        "counterparty", "payer", "name",
    ),
    "counterparty_account": ("상대계좌번호", "상대계좌", "상대 계좌번호", "counterparty account"),
    "purpose": ("내용", "거래내용", "적요", "통장표시내용", "메모", "비고", "description", "purpose", "text"),
    "bank_ref": ("거래번호", "거래고유번호", "거래일련번호", "reference", "bank reference"),
    "code": ("거래구분", "거래종류", "구분", "type"),
}  # fmt: skip
_BEFORE: Final = 40  # lines that may stand before the headings
_MOST_ROW: Final = 65_536


@dataclass(frozen=True, slots=True)
class Terms:
    """What the file does not say: the account's currency, the saved map of columns, balances where no column has them."""

    account: str
    currency: str
    columns: Mapping[str, str]
    opening: int | None = None
    closing: int | None = None


def fitting(headings: list[str], saved: Mapping[str, str]) -> dict[str, int]:
    """Which column serves for what: as saved, else by the headings that banks use.

    >>> fitting(["거래일시", "입금액", "출금액", "잔액"], {})
    {'booked_on': 0, 'deposit': 1, 'withdrawal': 2, 'balance': 3}
    """
    known = {_bare(heading): place for place, heading in reversed(list(enumerate(headings))) if heading.strip()}
    found: dict[str, int] = {}
    for name, usual in COLUMNS.items():
        asked = (saved[name],) if saved.get(name) else () if saved else usual
        place = next((known[_bare(heading)] for heading in asked if _bare(heading) in known), None)
        if place is not None and place not in found.values():
            found[name] = place
    return found


def _bare(text: str) -> str:
    return re.sub(r"[\s\ufeff]", "", text).casefold()


def complete(found: Mapping[str, int]) -> bool:
    """A day, and either an amount with its sign or both a deposit and a withdrawal."""
    return "booked_on" in found and ("amount" in found or {"deposit", "withdrawal"} <= found.keys())


@dataclass
class _Chain:
    """Whether balances follow, read forwards and backwards at once: banks list either way."""

    first_broken: dict[str, tuple[int, int] | None] = field(default_factory=lambda: {"down": None, "up": None})
    first: tuple[int, int] | None = None  # signed amount and balance of the first row
    last: tuple[int, int] | None = None

    def row(self, number: int, signed: int, balance: int) -> None:
        if self.last is None:
            self.first = (signed, balance)
        else:
            before, was = self.last
            if was + signed != balance:
                self.first_broken["down"] = self.first_broken["down"] or (number, balance)
            if balance + before != was:
                self.first_broken["up"] = self.first_broken["up"] or (number, balance)
        self.last = (signed, balance)


def read(stream: IO[bytes], terms: Terms) -> Iterator[Line | Problem | Statement]:
    """Lines and problems, then the statement. Raises Refusal where no headings are found or no balance is known."""
    head = stream.read(1 << 18)
    intake.refuse_foreign(head[:4096])
    encoding = intake.encoding(head[: head.rfind(b"\n") + 1] or head)
    raw = io.BufferedReader(_Again(head, stream))
    text = io.TextIOWrapper(
        raw, encoding="utf-8-sig" if encoding == "utf-8" else encoding, errors="surrogateescape", newline=""
    )
    start = list(islice(_rows(text), _BEFORE))
    place, delimiter, columns = _headings(start, terms)
    lines = chain((line for _number, line in start[place + 1 :]), text)
    yield from _entries(csv.reader(lines, delimiter=delimiter), place + 1, columns, terms)


class _Again(io.RawIOBase):
    """The bytes that were looked at, then the rest."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head, self._rest, self._size = head, rest, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        piece = self._head[: len(buffer)] or self._rest.read(len(buffer))
        self._head = self._head[len(buffer) :]
        self._size += len(piece)
        if self._size > core.MOST_BYTES:
            raise Refusal("too_large", say("The file is larger than {most} bytes.", most=core.MOST_BYTES))
        buffer[: len(piece)] = piece
        return len(piece)


def _rows(text: io.TextIOWrapper) -> Iterator[tuple[int, str]]:
    """The first lines; each is bounded, so that a file without line ends is no heading of a gigabyte."""
    for number in range(1, _BEFORE + 1):
        line = text.readline(_MOST_ROW + 1)
        if len(line) > _MOST_ROW:
            raise Refusal("row_too_long", say("Row {row} is too long.", row=number), row=number)
        if line:
            yield number, line


def _headings(start: list[tuple[int, str]], terms: Terms) -> tuple[int, str, dict[str, int]]:
    """Where the headings stand, what separates them, and which serves for what."""
    for place, (_number, line) in enumerate(start):
        for delimiter in (",", "\t", ";"):
            try:
                cells = next(csv.reader([line], delimiter=delimiter), [])
            except csv.Error:
                continue
            found = fitting(cells, terms.columns)
            if len(cells) <= intake.MOST_COLUMNS and complete(found):
                return place, delimiter, found
    shown = " · ".join(core.plain(line, 120) for _number, line in start[:3])
    raise Refusal(
        "no_headings",
        say(
            "No row has the headings that are needed: a day, and an amount or a deposit and a withdrawal. Say for this account "
            "which heading is which. The file begins with: {shown}",
            shown=shown or "–",
        ),
        pointer="/columns",
    )


def _entries(
    rows: Iterator[list[str]], before: int, columns: dict[str, int], terms: Terms
) -> Iterator[Line | Problem | Statement]:
    balances, days, broken = _Chain(), _Days(), False
    number = before
    while True:
        number += 1
        try:
            cells = next(rows)
        except StopIteration:
            break
        except csv.Error:
            yield Problem(number, "", "", intake.UNCLOSED)
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if number - before > core.MOST_ENTRIES:
            raise Refusal("too_many_entries", say("The file has more than {most} entries.", most=core.MOST_ENTRIES))
        row = {name: cells[place].strip() if place < len(cells) else "" for name, place in columns.items()}
        try:
            line = _line(number, row, terms.currency)
            balance = core.minor(row["balance"], terms.currency) if row.get("balance") else None
        except _Bad as bad:
            broken = True
            yield Problem(number, *bad.args)
            continue
        except ValueError as error:
            broken = True
            yield Problem(number, "balance", row.get("balance", ""), str(error))
            continue
        if line is None:
            continue
        days.add(line.booked_on)
        if balance is not None:
            balances.row(number, line.sign * line.amount, balance)
        yield line
    if not broken:
        yield from _close(balances, days, terms)


class _Bad(Exception):
    """Column, value and reason of a row that cannot be read."""


@dataclass
class _Days:
    first: datetime.date | None = None
    last: datetime.date | None = None
    earliest: datetime.date | None = None
    latest: datetime.date | None = None

    def add(self, day: datetime.date) -> None:
        self.first = self.first or day
        self.last = day
        self.earliest = min(self.earliest or day, day)
        self.latest = max(self.latest or day, day)


def _line(number: int, row: dict[str, str], currency: str) -> Line | None:
    """One row as an entry; None for one whose amounts are both zero (a bank's note)."""
    if any("\udc80" <= letter <= "\udcff" or letter == "\0" for cell in row.values() for letter in cell):
        raise _Bad("", "", intake.BAD_BYTES)
    signed = _signed(row, currency)
    if not signed:
        return None
    booked = _day("booked_on", row["booked_on"])
    return Line(
        row=number,
        sign=1 if signed > 0 else -1,
        amount=abs(signed),
        booked_on=booked,
        value_on=_day("value_on", row["value_on"]) if row.get("value_on") else booked,
        bank_ref=core.plain(row.get("bank_ref", ""), 100),
        counterparty=core.plain(row.get("counterparty", ""), 140),
        counterparty_account=core.account_number(row.get("counterparty_account", ""))[:34],
        purpose=core.plain(row.get("purpose", ""), 500),
        code=core.plain(row.get("code", ""), 40),
    )


def _signed(row: dict[str, str], currency: str) -> int:
    amounts = {}
    for name in ("amount", "deposit", "withdrawal"):
        said = row.get(name, "")
        try:
            amounts[name] = core.minor(said, currency) if said not in ("", "-") else None
        except ValueError as error:
            raise _Bad(name, said, str(error)) from error
    if "deposit" not in row:
        if amounts["amount"] is None:
            raise _Bad("amount", "", core.NO_AMOUNT)
        return amounts["amount"]
    deposit, withdrawal = amounts["deposit"] or 0, amounts["withdrawal"] or 0
    if amounts["deposit"] is None and amounts["withdrawal"] is None:
        raise _Bad("deposit", "", core.NO_AMOUNT)
    if deposit and withdrawal:
        raise _Bad("deposit", row["deposit"], core.BOTH_AMOUNTS)
    return deposit - withdrawal


def _day(column: str, said: str) -> datetime.date:
    try:
        return core.day(said)
    except ValueError as error:
        raise _Bad(column, said, core.NOT_A_DAY) from error


def _close(balances: _Chain, days: _Days, terms: Terms) -> Iterator[Problem | Statement]:
    """The statement: balances from their column, which has to hold throughout, or as they were typed."""
    if days.earliest is None or days.latest is None or days.first is None or days.last is None:
        raise Refusal("no_entries", say("The file has no entries."))
    down, up = balances.first_broken["down"], balances.first_broken["up"]
    if balances.first is None or balances.last is None:
        if terms.opening is None or terms.closing is None:
            raise Refusal(
                "no_balances",
                say("The file has no column with the balance. Type the opening and the closing balance."),
                pointer="/opening",
            )
        opening, closing, backwards = terms.opening, terms.closing, days.first > days.last
    elif (down is None and not (up is None and days.first > days.last)) or (down and up):
        if down and up:
            number, balance = max(down, up)
            yield Problem(number, "balance", str(balance), core.BALANCE_BREAKS)
            return
        opening, closing, backwards = balances.first[1] - balances.first[0], balances.last[1], False
    else:
        opening, closing, backwards = balances.last[1] - balances.last[0], balances.first[1], True
    for typed, read in ((terms.opening, opening), (terms.closing, closing)):
        if typed is not None and typed != read:
            raise Refusal(
                "other_balance", say("The file says {read}, you typed {typed} (minor units).", read=read, typed=typed)
            )
    yield Statement(
        account=terms.account, currency=terms.currency, opening=opening, closing=closing, first_day=days.earliest,
        last_day=days.latest, backwards=backwards,
    )  # fmt: skip
