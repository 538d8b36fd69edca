"""The outer form of a CWR file: a header, groups of transactions of records, trailers whose counts must be those of the file.

What is wrong with the form refuses the file; what is wrong inside a transaction is the transaction's own trouble.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

from accounts.identity.core import Refusal, gettext_noop, say
from licensing.intake import core
from licensing.intake.core import Limits
from licensing.intake.formats import text
from licensing.intake.formats.cwr import layout

MOST_RECORDS: Final = 5_000  # of one transaction
LONGEST: Final = 4_096  # bytes of one record
END_OF_FILE: Final = b"\x1a"

BROKEN_SEQUENCE = gettext_noop("the record's number does not follow the one before")
TOO_MANY_RECORDS = gettext_noop("a transaction has at most 5,000 records")


@dataclass(frozen=True, slots=True)
class Header:
    """Who sent the file."""

    type: str
    id: str
    name: str
    created_on: str
    created_at: str

    @property
    def number(self) -> str:
        """The sender's number; one of eleven digits begins in the field of the type."""
        return f"{self.type}{self.id}" if self.type.isdigit() else self.id


@dataclass(frozen=True, slots=True)
class Group:
    id: int
    type: str
    version: str


@dataclass(frozen=True, slots=True)
class Record:
    """One line of a transaction: its line number, its type, its text filled up with blanks."""

    row: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What spoils a transaction, or a part of it."""

    row: int
    column: str
    value: str
    reason: str


@dataclass(slots=True)
class Transaction:
    group: Group
    number: int
    records: list[Record]
    problems: list[Problem] = field(default_factory=list)

    @property
    def row(self) -> int:
        return self.records[0].row

    @property
    def kind(self) -> str:
        return self.records[0].kind


class Envelope:
    """Walks through a file once. `header` is there after the first transaction was asked for."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self.path, self.limits = path, limits
        self.encoding = text.encoding_of(path, limits)
        self.header: Header | None = None
        self._group: Group | None = None
        self._open: Transaction | None = None
        self._ended = False
        self._groups = self._all_transactions = self._all_records = 0
        self._transactions = self._records = 0

    def transactions(self) -> Iterator[Transaction]:
        """Each transaction of the file. Raises Refusal `not_cwr`, `cwr_version`, `broken_structure` or `wrong_counts`."""
        row = 0
        for row, line in text.numbered(self.path, self.limits):
            if not line.strip(END_OF_FILE + b" "):
                self._blank(row)
            else:
                yield from self._line(row, line)
        if self.header is None:
            raise Refusal("empty_file", say("The file is empty."))
        if not self._ended:
            self._broken(row, say("The file ends without its TRL record: it is not whole."))

    def _blank(self, row: int) -> None:
        if self.header is None or not self._ended:
            self._broken(row, say("The line is blank."))

    def _line(self, row: int, line: bytes) -> Iterator[Transaction]:
        kind = line[:3].decode("latin-1")
        if self.header is None:
            self._begin(line, kind)
        elif self._ended:
            self._broken(row, say("There are records after the TRL record."))
        elif kind == "GRH":
            self._open_group(row, line)
        elif kind == "GRT":
            if self._open:
                yield self._open
            self._close_group(row, line)
        elif kind == "TRL":
            self._end(row, line)
        elif self._group is None:
            self._broken(row, say("A record stands outside of a group."))
        else:
            yield from self._record(row, kind, line)
        self._all_records += 1

    def _begin(self, line: bytes, kind: str) -> None:
        if kind != "HDR" or len(line) < 86:
            raise Refusal("not_cwr", say("This is no CWR file: it does not begin with an HDR record."), row=1)
        said = layout.fields(layout.HDR, text.decoded(line, self.encoding) or line.decode("latin-1"))
        if not said["sender_id"].isalnum():
            self._broken(1, say("The HDR record does not say who sent the file."))
        self.header = Header(
            said["sender_type"], said["sender_id"], said["sender_name"], said["created_on"], said["created_at"]
        )

    def _open_group(self, row: int, line: bytes) -> None:
        said = layout.fields(layout.GRH, line.decode("latin-1"))
        if self._group is not None:
            self._broken(row, say("A group begins before the one before it ended."))
        if said["version"] not in layout.VERSIONS:
            shown = said["version"][:10] or "?"
            raise Refusal(
                "cwr_version", say("This is CWR {version}. CWR 2.1 and 2.2 are read.", version=shown), row=row
            )
        self._groups += 1
        self._group = Group(self._number(row, said["id"]), said["type"], said["version"])
        self._transactions, self._records = 0, 1

    def _record(self, row: int, kind: str, line: bytes) -> Iterator[Transaction]:
        assert self._group is not None
        self._records += 1
        number, sequence = line[3:11], line[11:19]
        if not (number.isdigit() and sequence.isdigit()):
            self._broken(row, say("The record does not begin with its type and numbers."))
        content, problem = self._text(line, kind)
        record = Record(row, kind, content)
        if self._open is None or int(number) != self._open.number or kind == self._group.type:
            if int(number) != self._transactions:
                self._broken(row, say("A transaction's number does not follow the one before."))
            if self._open:
                yield self._open
            self._transactions += 1
            self._open = Transaction(self._group, int(number), [record])
            expected = 0
        else:
            expected = row - self._open.row
            if expected < MOST_RECORDS:
                self._open.records.append(record)
            elif expected == MOST_RECORDS:
                self._open.problems.append(Problem(row, kind, "", TOO_MANY_RECORDS))
        if int(sequence) != expected:
            self._open.problems.append(Problem(row, kind, sequence.decode(), BROKEN_SEQUENCE))
        if problem:
            self._open.problems.append(Problem(row, kind, content[layout.PREFIX :].strip()[:200], problem))

    def _text(self, line: bytes, kind: str) -> tuple[str, str]:
        """The record's text, by characters, and why it cannot be used."""
        if b"\0" in line:
            return line.replace(b"\0", b" ").decode("latin-1")[:LONGEST], core.NUL_BYTE
        if len(line) > LONGEST:
            return line[:LONGEST].decode("latin-1"), core.TOO_LONG
        content = text.decoded(line, self.encoding)
        if content is None:
            return line.decode("latin-1"), core.BAD_BYTES
        if len(content) < len(line) and len(line) in layout.WIDTHS.get(kind, ()):
            return self._by_bytes(line), ""
        return content, ""

    def _by_bytes(self, line: bytes) -> str:
        """The record of a sender who counts bytes, brought to where characters would stand."""
        kind = line[:3].decode("latin-1")
        places = {
            **dict.fromkeys(("NWR", "REV"), layout.WORK), **dict.fromkeys(("SPU", "OPU"), layout.PUBLISHER),
            **dict.fromkeys(("SWR", "OWR"), layout.WRITER), "ALT": layout.ALT, "NAT": layout.NAT,
        }.get(kind, {})  # fmt: skip
        content = [*line.decode("latin-1")]
        for at, size in places.values():
            part = line[at : at + size].decode(self.encoding, "replace")
            content[at : at + size] = part.ljust(size)[:size]
        return "".join(content)

    def _close_group(self, row: int, line: bytes) -> None:
        if self._group is None:
            self._broken(row, say("A group ends that did not begin."))
        said = layout.fields(layout.GRT, line.decode("latin-1"))
        if self._number(row, said["id"]) != self._group.id:
            self._broken(row, say("The GRT record ends another group than the one that is open."))
        self._records += 1
        self._agree(row, said, transactions=self._transactions, records=self._records)
        self._all_transactions += self._transactions
        self._group = self._open = None

    def _end(self, row: int, line: bytes) -> None:
        if self._group is not None:
            self._broken(row, say("The file ends before its last group did."))
        said = layout.fields(layout.TRL, line.decode("latin-1"))
        self._ended = True
        self._agree(row, said, groups=self._groups, transactions=self._all_transactions, records=self._all_records + 1)

    def _agree(self, row: int, said: dict[str, str], **counted: int) -> None:
        for name, count in counted.items():
            stated = self._number(row, said[name])
            if stated != count:
                detail = say(
                    "The trailer says {stated} {what}; the file has {counted}. It is not whole, or was changed.",
                    stated=stated, counted=count, what=say(_COUNTED[name]),
                )  # fmt: skip
                raise Refusal("wrong_counts", detail, row=row)

    def _number(self, row: int, digits: str) -> int:
        if not (digits.isascii() and digits.isdigit()):
            self._broken(row, say("A number of the record is not in digits."))
        return int(digits)

    def _broken(self, row: int, detail: str) -> NoReturn:
        raise Refusal("broken_structure", say("Line {row}: {detail}", row=row, detail=detail), row=row)


_COUNTED: Final = {
    "groups": gettext_noop("groups"),
    "transactions": gettext_noop("transactions"),
    "records": gettext_noop("records"),
}
