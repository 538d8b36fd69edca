"""What a received file may look like, and how cells are made safe. Pure rules; `reading.py` applies them in volume."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from accounts.identity.core import Refusal, gettext_noop, say

# Why a row could not be read. Fixed phrases, so that pages can translate them.
TOO_FEW = gettext_noop("too few fields")
TOO_MANY = gettext_noop("too many fields")
UNCLOSED = gettext_noop("a quote is not closed or stands inside a field")
TOO_LONG = gettext_noop("the row is too long")
BAD_BYTES = gettext_noop("bytes that are no text in the file's encoding")
NUL_BYTE = gettext_noop("a NUL byte")
NOT_OBJECT = gettext_noop("not a JSON object with plain values")
CELL_TOO_LONG = gettext_noop("the value is too long")


@dataclass(frozen=True, slots=True)
class Reject:
    """One row that was refused: its number as a person sees it in the file, the column, what stood there, and why."""

    row: int
    column: str
    value: str
    reason: str

    def as_data(self) -> dict[str, Any]:
        return {"row": self.row, "column": self.column, "value": self.value, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class TableSpec:
    """The columns that a file must and may have. Others are ignored."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        return self.required + self.optional


@dataclass(frozen=True, slots=True)
class Limits:
    """What reading one file may cost at most; `ratio` is unpacked to packed bytes."""

    unpacked_bytes: int = 64 * 1024**3
    ratio: int = 200
    rows: int = 1_000_000_000
    row_bytes: int = 65_536
    unreadable_rows: int = 1_000_000
    watch: Callable[[int], None] | None = None  # hears how far into the (packed) bytes a look has come; may raise


_PACKED = {b"\x1f\x8b": "gz", b"\x28\xb5\x2f\xfd": "zst"}
_FOREIGN = {
    b"PK\x03\x04": gettext_noop("a ZIP archive or an Excel workbook"),
    b"\xd0\xcf\x11\xe0": gettext_noop("an old Excel workbook"),
    b"%PDF": gettext_noop("a PDF document"),
    b"BZh": gettext_noop("a bzip2 archive"),
    b"\xfd7zXZ": gettext_noop("an xz archive"),
    b"7z\xbc\xaf": gettext_noop("a 7-Zip archive"),
    b"\xff\xfe": gettext_noop("UTF-16 text"),
    b"\xfe\xff": gettext_noop("UTF-16 text"),
    b"SQLite": gettext_noop("an SQLite database"),
    b"\x89PNG": gettext_noop("a picture"),
    b"\xff\xd8\xff": gettext_noop("a picture"),
    b"ORC": gettext_noop("an ORC file"),
    b"Obj\x01": gettext_noop("an Avro file"),
}
_CONTROL = bytes(set(range(32)) - set(b"\t\n\r\0\x1a"))


def compression(head: bytes) -> str | None:
    """`gz`, `zst` or None, by the first bytes; a file's name says nothing."""
    return next((name for magic, name in _PACKED.items() if head.startswith(magic)), None)


def is_parquet(head: bytes) -> bool:
    return head.startswith(b"PAR1")


def refuse_foreign(head: bytes) -> None:
    """Raise a Refusal when the first (unpacked) bytes are no text file that we read."""
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise Refusal(
                "unknown_format",
                say(
                    "This is {what}. Save it as CSV in UTF-8, TSV, JSON Lines or Parquet, and send that.",
                    what=say(what),
                ),
            )
    if compression(head):
        raise Refusal("packed_twice", say("The file is packed twice. Unpack it once and send it again."))
    controls = len(head) - len(head.translate(None, _CONTROL + b"\0"))
    if controls * 20 > len(head):
        raise Refusal("binary_file", say("This is not a text file. Send CSV in UTF-8, TSV, JSON Lines or Parquet."))


def encoding(block: bytes) -> str:
    """`utf-8` or `cp949`, from a block of whole lines: the one in which more of its non-ASCII lines can be read.

    UTF-8 wins a tie, so that single broken bytes in an otherwise plain file are reported with their rows.
    """
    votes = {"utf-8": 0, "cp949": 0}
    lines = [line for line in block.split(b"\n") if not line.isascii()][:1000]
    for name in votes:
        for line in lines:
            try:
                line.decode(name)
            except UnicodeDecodeError:
                continue
            votes[name] += 1
    return "cp949" if votes["cp949"] > votes["utf-8"] else "utf-8"


MOST_COLUMNS = 1000


@dataclass(frozen=True, slots=True)
class Header:
    """How a delimited text names its columns: normalised names, in the file's order."""

    delimiter: str
    columns: tuple[str, ...]


def column_name(text: str) -> str:
    """A header cell as a column name: trimmed, lower case, inner blanks and hyphens as underscores."""
    return re.sub(r"[\s\-]+", "_", text.replace("\ufeff", "").strip()).casefold()


def header(line: str, spec: TableSpec) -> Header:
    """Read the first row with the delimiter that finds most of the wanted columns; comma first.

    Raises Refusal `missing_columns` or `duplicate_columns`, with an error for each column.
    """
    readings = [Header(d, _cells(line, d)) for d in (",", "\t", ";")]
    best = max(readings, key=lambda h: len(set(h.columns) & set(spec.columns)))
    if len(best.columns) > MOST_COLUMNS:
        raise Refusal("too_many_columns", say("The file has more than {most} columns.", most=MOST_COLUMNS))
    require_columns(best.columns, spec)
    return best


def _cells(line: str, delimiter: str) -> tuple[str, ...]:
    try:
        rows = list(csv.reader([line], delimiter=delimiter))
    except csv.Error:
        return ()
    return tuple(column_name(cell) for cell in rows[0]) if rows else ()


def require_columns(found: Sequence[str], spec: TableSpec) -> None:
    """Raise a Refusal unless every required column is there, and no wanted column twice."""
    missing = [name for name in spec.required if name not in found]
    if missing:
        shown = ", ".join(name[:40] for name in found[:20] if name) or say("none that can be read")
        raise Refusal(
            "missing_columns",
            say(
                "The file lacks the columns {missing}. Its columns are: {shown}.",
                missing=", ".join(missing),
                shown=shown,
            ),
            errors=[
                {
                    "code": "missing_column",
                    "detail": say("Column {column} is missing.", column=n),
                    "pointer": f"/columns/{n}",
                }
                for n in missing
            ],
        )
    double = [name for name in spec.columns if list(found).count(name) > 1]
    if double:
        raise Refusal(
            "duplicate_columns",
            say("The file has these columns more than once: {double}.", double=", ".join(double)),
            errors=[
                {
                    "code": "duplicate_column",
                    "detail": say("Column {column} stands twice.", column=n),
                    "pointer": f"/columns/{n}",
                }
                for n in double
            ],
        )


def file_name(text: str) -> str:
    """An uploaded file's name without folders, control characters or excess length; for showing, never for paths."""
    base = unicodedata.normalize("NFC", re.split(r"[\\/]", text)[-1])
    shown = "".join(c for c in base if unicodedata.category(c)[0] != "C").strip()[:255]
    return shown if shown.strip(".") else "file"


_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def safe_cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula: text that begins like one gets an apostrophe in front."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


@dataclass
class SafeWriter:
    """Writes CSV rows (UTF-8, CRLF as RFC 4180 has it) whose cells no spreadsheet runs."""

    out: IO[str]
    _writer: Any = field(init=False)

    def __post_init__(self) -> None:
        self._writer = csv.writer(self.out)

    def row(self, cells: Iterable[Any]) -> None:
        self._writer.writerow([safe_cell(cell) for cell in cells])

    def rows(self, rows: Iterable[Iterable[Any]]) -> None:
        for cells in rows:
            self.row(cells)


def write_rejects(out: IO[str], rejects: Iterable[Mapping[str, Any]]) -> None:
    """The rejects as CSV: row, column, value, reason."""
    writer = SafeWriter(out)
    writer.row(("row", "column", "value", "reason"))
    writer.rows((r["row"], r["column"], r["value"], r["reason"]) for r in rejects)
