"""One pass over a text file before the engine reads it: is it clean, and if not, a clean copy of it.

A clean file is UTF-8, has one kind of line end, no NUL bytes, no overlong lines, and one record a line, so that the
engine may cut it anywhere and give the same rows. Most files are clean and are read where they lie. In the copy, what
cannot be text is replaced by a Unicode non-character (which no text contains), so that the engine finds its row again.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from licensing.intake import core
from licensing.intake.unpacking import lines

BYTE_MARK, NUL_MARK, QUOTE_MARK, LENGTH_MARK = "\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3"
_NUL = NUL_MARK.encode()
_QUOTE = QUOTE_MARK.encode()
_LENGTH = LENGTH_MARK.encode()

_NOT_QUOTES = bytes(set(range(256)) - set(b'"\n'))
_NOT_ENDS = bytes(set(range(256)) - set(b"\r\n"))
LONGEST_LINE = 1 << 20


def _mark_bytes(error: UnicodeError) -> tuple[str, int]:
    # One byte at a time, so that a broken pair never takes a delimiter or a line end with it.
    assert isinstance(error, UnicodeDecodeError)
    return BYTE_MARK, error.start + 1


codecs.register_error("intake-mark", _mark_bytes)


@dataclass(slots=True)
class Findings:
    """What a pass over the file saw."""

    dirty: bool = False
    quotes: bool = False
    escaped_nul: bool = False
    encoding: str = ""
    size: int = 0


def inspect(pieces: Iterator[bytes], *, quoted: bool) -> Findings:
    """Whether the file is clean; stops at the first thing that is not. `quoted`: quotes have the meaning of CSV."""
    found, ends = Findings(encoding="utf-8"), None
    for block in lines(pieces, longest=LONGEST_LINE):
        found.size += len(block)
        style = _line_end(block)
        found.dirty = (
            b"\0" in block
            or style == "mixed"
            or bool(ends and style and style != ends)
            or block.find(b"\n", 0, LONGEST_LINE) < 0 <= len(block) - LONGEST_LINE
            or not (block.isascii() or _is_utf8(block))
        )
        ends = ends or style
        if b'"' in block:
            found.quotes = True
            found.dirty |= quoted and _has_odd_line(block)
        found.escaped_nul |= not quoted and b"\\u0000" in block
        if found.dirty:
            break
    return found


def _line_end(block: bytes) -> str | None:
    """`lf`, `crlf`, `mixed`, or None when the block has no line end."""
    if b"\r" not in block:
        return "lf" if b"\n" in block else None
    return "mixed" if block.translate(None, _NOT_ENDS).replace(b"\r\n", b"") else "crlf"


def _is_utf8(block: bytes) -> bool:
    try:
        block.decode()
    except UnicodeDecodeError:
        return False
    return True


def _has_odd_line(block: bytes) -> bool:
    """Whether any line has an odd number of quotes: an open one, or a record of several lines."""
    return b'"' in block.translate(None, _NOT_QUOTES).replace(b'""', b"")


def one_line_end(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The same text with every CR LF and lone CR as LF."""
    held = b""
    for piece in pieces:
        piece = held + piece
        held = b"\r" if piece.endswith(b"\r") else b""
        piece = piece[: len(piece) - len(held)]
        yield piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n") if b"\r" in piece else piece
    if held:
        yield b"\n"


class Cleaner:
    """Writes a clean copy: with a delimiter, one record a line, and an open quote loses only its own line."""

    def __init__(self, out: IO[bytes], *, delimiter: str | None, thorough: bool = False, row_bytes: int) -> None:
        self.out, self.delimiter, self.thorough, self.row_bytes = out, delimiter, thorough, row_bytes
        self.found = Findings()
        self._waiting = b""

    def copy(self, pieces: Iterator[bytes]) -> Findings:
        for block in lines(one_line_end(pieces), longest=LONGEST_LINE):
            self._block(block)
        if self._waiting:
            self._repaired(b"", last=True)
        return self.found

    def _block(self, block: bytes) -> None:
        self.found.size += len(block)
        if len(block) > LONGEST_LINE and block.find(b"\n") >= LONGEST_LINE:
            block = _LENGTH + b"\n"
        if not block.isascii():
            block = self._utf8(block)
        if b"\0" in block:
            self.found.dirty = True
            block = block.replace(b"\0", _NUL)
        if self.delimiter is None:
            self.found.escaped_nul |= b"\\u0000" in block
        elif self._waiting or b'"' in block:
            self.found.quotes = True
            if self._waiting or self.thorough or _has_odd_line(block):
                self._repaired(block)
                return
        self.out.write(block)

    def _utf8(self, block: bytes) -> bytes:
        if not self.found.encoding:
            self.found.encoding = "utf-8" if block.startswith(codecs.BOM_UTF8) else core.encoding(block)
        if self.found.encoding == "utf-8" and _is_utf8(block):
            return block
        clean = block.decode(self.found.encoding, "intake-mark")
        self.found.dirty |= BYTE_MARK in clean
        return clean.encode()

    def _repaired(self, block: bytes, *, last: bool = False) -> None:
        """Write the block's records, one a line. A record that is still open at the block's end waits for the next."""
        text = self._waiting + block
        self._waiting = b""
        rows = text.split(b"\n")
        tail = rows.pop()  # empty, unless the file's last line has no end
        if tail:
            rows.append(tail)
        at = 0
        while at < len(rows):
            record, used = self._record(rows, at)
            if record is None and not last:
                self._waiting = b"\n".join(rows[at:]) + b"\n"
                return
            self.out.write((record if record is not None else _broken(rows[at])) + b"\n")
            at += used

    def _record(self, rows: list[bytes], at: int) -> tuple[bytes | None, int]:
        """The record that begins at this line and how many lines it takes; None while it is open at the last."""
        row = rows[at]
        if b'"' not in row or self._reads(row):
            return row, 1
        size, quotes = len(row), row.count(b'"')
        if quotes % 2 == 0:
            return _broken(row), 1
        for end in range(at + 1, len(rows)):
            size += len(rows[end]) + 1
            if size > self.row_bytes:
                return _broken(row), 1
            if b'"' not in rows[end]:
                continue
            quotes += rows[end].count(b'"')
            if quotes % 2 == 0:
                joined = b"\n".join(rows[at : end + 1])
                return (joined.replace(b"\n", b" "), end + 1 - at) if self._reads(joined) else (_broken(row), 1)
        return None, 1

    def _reads(self, record: bytes) -> bool:
        """Whether quotes open and close as CSV wants them. Too few or too many fields are the engine's to report."""
        assert self.delimiter is not None
        try:
            text = record.decode()
            # The engine forgives blanks after a closing quote; so does this.
            text = re.sub(rf'" +(?={re.escape(self.delimiter)}|$)', '"', text)
            return len(list(csv.reader([text], delimiter=self.delimiter, strict=True))) == 1
        except (csv.Error, UnicodeDecodeError):
            return False


def _broken(row: bytes) -> bytes:
    """A line that the engine finds too short, with the mark that tells why; its text stays readable in the reject."""
    return _QUOTE + row[:200].decode(errors="ignore").translate(_ONE_FIELD).encode()


_ONE_FIELD = str.maketrans({'"': "\u201d", ",": "\u201a", "\t": " ", ";": "\u037e"})
