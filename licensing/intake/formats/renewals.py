"""Renewals of copyright as the Catalog of Copyright Entries lists them, in the tab-separated form of its transcription.

One line a renewal. The columns that are read: `title`, `author`, `oreg` (number of the original registration), `odat` (its
day), `claimants` (`name|role||name|role`). Quotes have no meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from accounts.identity.core import Refusal, gettext_noop, say
from licensing.intake import core
from licensing.intake.core import Limits, TableSpec
from licensing.intake.formats import text

SPEC: Final = TableSpec(required=("title", "oreg", "claimants"), optional=("author", "odat", "id"))
WORKS_MADE_FOR_HIRE: Final = frozenset({"PWH", "PCW", "PCB", "PPW"})  # by these roles firms claim
TERM_YEARS: Final = 95  # from publication, for works of 1923 to 1977 renewed in time (17 U.S.C. 304)
LONGEST: Final = 65_536  # bytes of a line

NO_TITLE = gettext_noop("the work has no title")
NO_NUMBER = gettext_noop("there is no number of the original registration")
NO_CLAIMANT = gettext_noop("nobody claims the renewal")


@dataclass(frozen=True, slots=True)
class Renewal:
    """One renewed work and who claims it; with `problem` (column, reason) it cannot be taken."""

    row: int
    number: str
    title: str
    author: str
    published: str
    claimants: tuple[tuple[str, str], ...]
    problem: tuple[str, str] | None = None

    @property
    def free_from(self) -> str:
        """The first day on which the work is free to use, or nothing where the year is not known."""
        year = self.published[:4]
        return f"{int(year) + TERM_YEARS + 1}-01-01" if year.isdigit() else ""


def read(path: Path, limits: Limits) -> Iterator[Renewal]:
    """The renewals of a file, in order. Raises Refusal where it has no such columns or no rows."""
    encoding = text.encoding_of(path, limits)
    names: tuple[str, ...] | None = None
    row = rows = 0
    for row, line in text.numbered(path, limits):
        if not line.strip():
            continue
        if names is None:
            names = _names(line, encoding)
            continue
        rows += 1
        yield _renewal(row, line, names, encoding)
    if names is None:
        raise Refusal("empty_file", say("The file is empty."))
    if not rows:
        raise Refusal("no_rows", say("The file has a header but no rows."))


def _names(line: bytes, encoding: str) -> tuple[str, ...]:
    cells = (text.decoded(line[:LONGEST], encoding) or "").split("\t")
    names = tuple(core.column_name(cell) for cell in cells)
    core.require_columns(names, SPEC)
    return names


def _renewal(row: int, line: bytes, names: Sequence[str], encoding: str) -> Renewal:
    if b"\0" in line:
        return _refused(row, core.NUL_BYTE)
    if len(line) > LONGEST:
        return _refused(row, core.TOO_LONG)
    said = text.decoded(line, encoding)
    if said is None:
        return _refused(row, core.BAD_BYTES)
    cells = said.split("\t")
    if len(cells) != len(names):
        return _refused(row, core.TOO_FEW if len(cells) < len(names) else core.TOO_MANY)
    return entry(row, dict(zip(names, cells, strict=True)))


def _refused(row: int, reason: str) -> Renewal:
    return Renewal(row, "", "", "", "", (), ("", reason))


def entry(row: int, cells: Mapping[str, str]) -> Renewal:
    """One line's cells as a renewal."""
    title, number = cells["title"].strip(), cells["oreg"].strip()
    claimed = claimants(cells["claimants"])
    problem = None
    if not title:
        problem = ("title", NO_TITLE)
    elif not number:
        problem = ("oreg", NO_NUMBER)
    elif not claimed:
        problem = ("claimants", NO_CLAIMANT)
    author = cells.get("author", "").rstrip(".")
    return Renewal(row, number, title, author, cells.get("odat", "").strip(), tuple(claimed), problem)


def claimants(stated: str) -> list[tuple[str, str]]:
    """(name, role) of each claimant of a renewal, as the catalogue gives them; a claimant named twice counts once."""
    found: dict[str, str] = {}
    for one in filter(None, stated.split("||")):
        fields = [field.strip() for field in one.split("|")]
        name, role = fields[0], re.sub(r"[^A-Za-z].*", "", fields[-1]) if len(fields) > 1 else ""
        if name and name not in found:
            found[name] = role if len(role) <= 4 else ""
    return list(found.items())
