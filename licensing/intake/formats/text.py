"""The lines of a received text file of any age: unpacked in bounds, numbered as they lie, decoded as they were written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from licensing.intake import core
from licensing.intake.cleaning import one_line_end
from licensing.intake.core import Limits
from licensing.intake.unpacking import chunks, lines

BOM: Final = b"\xef\xbb\xbf"
_ASKED: Final = 10_000  # lines beyond ASCII that vote on the encoding


def pieces(path: Path, limits: Limits) -> Iterator[bytes]:
    """The file's unpacked bytes."""
    with path.open("rb") as start:
        packing = core.compression(start.read(8))
    return chunks(path, packing, limits)


def numbered(path: Path, limits: Limits) -> Iterator[tuple[int, bytes]]:
    """(number from 1, line without its end), of LF, CR LF and CR files alike; a byte-order mark is no part of the text."""
    row = 0
    for block in lines(one_line_end(pieces(path, limits))):
        for line in block.removesuffix(b"\n").split(b"\n"):
            row += 1
            yield row, line.removeprefix(BOM) if row == 1 else line


def encoding_of(path: Path, limits: Limits) -> str:
    """`utf-8`, `cp949` or `cp1252`: by what the first ten thousand lines beyond ASCII can be.

    CP949 gives nearly every pair of high bytes a meaning. So a line counts as Korean only where high bytes come in
    pairs of the plain set (EUC-KR); in Western text they stand alone among ASCII letters.
    """
    votes = {"utf-8": 0, "cp949": 0, "cp1252": 0}
    for _row, line in numbered(path, limits):
        if line.isascii():
            continue
        votes[_looks_like(line)] += 1
        if sum(votes.values()) >= _ASKED:
            break
    return max(votes, key=lambda name: votes[name])  # a tie goes to the first


def _looks_like(line: bytes) -> str:
    for codec, name in (("utf-8", "utf-8"), ("euc_kr", "cp949")):
        try:
            line.decode(codec)
        except UnicodeDecodeError:
            continue
        return name
    return "cp1252"


def decoded(line: bytes, encoding: str) -> str | None:
    """The line as text, or None where it is no text in this encoding. Windows-1252 leaves no byte without a meaning."""
    if line.isascii():
        return line.decode("ascii")
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return line.decode("latin-1") if encoding == "cp1252" else None
