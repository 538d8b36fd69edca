"""DDEX Digital Sales Reports (DSR, flat file) as usage reports: a declaration file with a line where the report has one.

A report has blocks: recordings (AS) and works (MW), then their usage (SU). Each SU record becomes the declared line that
stands in its place; every other record becomes an empty line. So whoever reads the outcome counts the report's own lines.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, NoReturn

from accounts.identity.core import Refusal, gettext_noop, say
from licensing.intake.core import Limits
from licensing.intake.formats import text

COLUMNS: Final = ("identifier_type", "identifier", "identifiers", "units", "unit", "use", "title", "creators")
MOST_RESOURCES: Final = 10_000  # of one block
LONGEST: Final = 65_536  # bytes of a record
_MOST_DIGITS: Final = 18  # of a count

# DDEX names what consumers do (OnDemandStream, …), which says nothing of ours. What reports of AI services are agreed to
# say (`namespace::value`) is known by these words; what is not known leaves the use to the declaration.
USES: Final = {
    "train": "train", "training": "train", "aitraining": "train", "machinelearning": "train", "modeltraining": "train",
    "finetune": "finetune", "finetuning": "finetune", "ground": "ground", "grounding": "ground", "retrieval": "ground",
    "aiinput": "ground", "evaluate": "evaluate", "evaluation": "evaluate", "index": "index", "indexing": "index",
    "search": "index",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How a report's terms map to ours: UseType, in lower case without its namespace, → use; and the unit of a usage.

    An empty unit leaves it to the declaration.
    """

    uses: tuple[tuple[str, str], ...] = tuple(USES.items())
    unit: str = ""


@dataclass(frozen=True, slots=True)
class _Usage:
    """In which cells (from 1) a usage record has what is read; 0 where it has no such cell."""

    summary: int
    release: int
    resource: int
    units: int
    use: int = 0


_USAGES: Final = {
    "SU01": _Usage(3, 5, 6, 9), "SU02": _Usage(3, 5, 6, 8, 11), "SU03": _Usage(4, 0, 0, 6), "SU06": _Usage(3, 0, 5, 6),
}  # fmt: skip
_PASSED_OVER: Final = ("RE", "RU", "CU", "LI", "ST", "CD", "ML")


@dataclass(slots=True)
class _Resource:
    """A recording, or a work, of a block."""

    isrcs: list[str]
    iswcs: list[str]
    title: str
    creators: str


@dataclass(slots=True)
class _Block:
    id: str
    recordings: dict[str, _Resource] = field(default_factory=dict)
    works: list[_Resource] = field(default_factory=list)


def is_report(head: bytes) -> bool:
    """Whether a file that begins like this is a DSR: its first record is HEAD."""
    for line in head.removeprefix(text.BOM).splitlines()[:100]:
        if line.strip() and not line.startswith(b"#"):
            return line.startswith((b"HEAD\t", b"SRHE\t"))
    return False


def write_declaration(
    out: IO[bytes], path: Path, limits: Limits, vocabulary: Vocabulary, period: tuple[dt.date, dt.date] | None = None
) -> int:
    """Write the report as a declaration file (CSV, UTF-8); returns how many lines declare something.

    Raises Refusal `broken_structure` or `wrong_counts` where its form or its FOOT record does not hold, and `other_period`
    where it reports on days that are not in `period` (both inclusive).
    """
    report = _Report(path, limits, vocabulary, period)
    for line in report.lines():
        out.write(line)
    return report.usages


class _Report:
    def __init__(
        self, path: Path, limits: Limits, vocabulary: Vocabulary, period: tuple[dt.date, dt.date] | None
    ) -> None:
        self._path, self._limits, self._period = path, limits, period
        self._terms, self._unit = dict(vocabulary.uses), vocabulary.unit
        self._encoding = text.encoding_of(path, limits)
        self._uses: dict[str, str] = {}  # of each summary record
        self._block: _Block | None = None
        self._began = self._ended = self._in_parts = False
        self._blocks = self._summaries = 0
        self.usages = 0

    def lines(self) -> Iterator[bytes]:
        row = 0
        for row, line in text.numbered(self._path, self._limits):
            if not line.strip() or line.startswith(b"#"):
                yield b"\n"
            elif self._ended:
                _broken(row, say("There are records after the FOOT record."))
            else:
                yield self._line(row, line)
        if not self._ended:
            _broken(row, say("The file ends without its FOOT record: it is not whole."))

    def _line(self, row: int, line: bytes) -> bytes:
        kind = line[:4].decode("latin-1")
        if not self._began:
            return self._begin(row, line, kind)
        usage = _USAGES.get(kind)
        unreadable = _unreadable(line) if b"\0" in line or len(line) > LONGEST else None
        said = text.decoded(line, self._encoding) if unreadable is None else None
        if said is None:
            if not kind.startswith("SY"):
                self._in_block(row, [cell.strip() for cell in line[:LONGEST].decode("latin-1").split("\t", 2)])
            return (unreadable or b"\xff\n") if usage else b"\n"
        cells = [cell.strip() for cell in said.split("\t")]
        if usage:
            return self._usage(row, cells, usage)
        if kind == "FOOT":
            self._end(row, cells)
        elif kind.startswith("SY"):
            self._summaries += 1
            if len(self._uses) < MOST_RESOURCES:
                self._uses[_cell(cells, 2)] = self._use(_cell(cells, 6))
        elif kind.startswith(("AS", "MW")):
            self._describe(row, kind, cells)
        elif kind.startswith("SU"):
            _broken(row, say("Usage records {kind} are not read.", kind=kind))
        elif kind.startswith(_PASSED_OVER):
            self._in_block(row, cells)
        else:
            _broken(row, say("{kind} is no type of record of this standard.", kind=_shown(kind)))
        return b"\n"

    def _use(self, stated: str) -> str:
        return self._terms.get(stated.rpartition("::")[2].strip().lower(), "")

    def _begin(self, row: int, line: bytes, kind: str) -> bytes:
        cells = line.decode("latin-1").split("\t")
        if kind != "HEAD":
            _broken(row, say("This variant, of one record a block, is not read. Send the one with blocks."))
        if len(cells) < 9:
            _broken(row, say("The HEAD record is not whole."))
        _check_period(row, _day(row, _cell(cells, 9)), _day(row, _cell(cells, 10)), self._period)
        self._began = True
        self._in_parts = _cell(cells, 8).strip() not in ("", "1")
        return _row(COLUMNS)

    def _end(self, row: int, cells: list[str]) -> None:
        self._ended = True
        counted = {"lines": (2, row), "summary records": (4, self._summaries), "blocks": (5, self._blocks)}
        if self._in_parts:
            del counted["summary records"]  # they are counted over all the report's files
        for what, (place, count) in counted.items():
            stated = _cell(cells, place)
            if not stated.isdecimal() or len(stated) > _MOST_DIGITS:
                _broken(row, say("A number of the record is not in digits."))
            if int(stated) != count:
                detail = say(
                    "The FOOT record says {stated} {what}; the file has {counted}. It is not whole, or was changed.",
                    stated=stated, counted=count, what=say(_COUNTED[what]),
                )  # fmt: skip
                raise Refusal("wrong_counts", detail, row=row)

    def _in_block(self, row: int, cells: list[str]) -> _Block:
        id = _cell(cells, 2)
        if not id:
            _broken(row, say("The record names no block."))
        if self._block is None or self._block.id != id:
            self._block = _Block(id)
            self._blocks += 1
        return self._block

    def _describe(self, row: int, kind: str, cells: list[str]) -> None:
        block = self._in_block(row, cells)
        if len(block.recordings) + len(block.works) >= MOST_RESOURCES:
            _broken(row, say("The block has more than {most} records.", most=MOST_RESOURCES))
        if kind.startswith("MW"):
            block.works.append(_Resource([], _repeats(cells, 4), _cell(cells, 5), "; ".join(_repeats(cells, 7))))
            return
        authors = _repeats(cells, 13) if kind == "AS02" else []
        block.recordings[_cell(cells, 3)] = _Resource(
            isrcs=_repeats(cells, 5),
            iswcs=_repeats(cells, 12) if kind == "AS02" else [],
            title=_cell(cells, 6),
            creators="; ".join(authors or _repeats(cells, 8)),
        )

    def _usage(self, row: int, cells: list[str], usage: _Usage) -> bytes:
        self.usages += 1
        block = self._in_block(row, cells)
        if len(cells) < usage.units:
            return b"too few\n"
        resource = _used(block, _cell(cells, usage.resource) if usage.resource else "")
        stated = _cell(cells, usage.use) if usage.use else ""
        use = self._use(stated) if stated else self._uses.get(_cell(cells, usage.summary), "")
        units = _cell(cells, usage.units)
        whole, point, rest = units.partition(".")
        if point and not rest.strip("0"):
            units = whole  # 400.00 is 400
        if resource is None:
            return _row(("", "", "", units, self._unit, use, "", ""))
        named = [f"iswc:{_listed(i)}" for i in resource.iswcs] + [f"isrc:{_listed(i)}" for i in resource.isrcs]
        one = named[0].partition(":") if len(named) == 1 else ("", "", "")
        several = ";".join(named) if len(named) > 1 else ""
        return _row((one[0], one[2], several, units, self._unit, use, resource.title, resource.creators))


def _day(row: int, stated: str) -> dt.date | None:
    """UsageStartDate or UsageEndDate: a date, or the date of a moment."""
    if not stated.strip():
        return None
    try:
        return dt.date.fromisoformat(stated.strip()[:10])
    except ValueError:
        _broken(row, say("“{stated}” is no date such as 2026-03-31.", stated=_shown(stated.strip()[:40])))


def _check_period(
    row: int, first: dt.date | None, last: dt.date | None, period: tuple[dt.date, dt.date] | None
) -> None:
    """A report of some of the declaration's days is one of several; one of other days belongs to another declaration."""
    first, last = first or last, last or first
    if period is None or first is None or last is None:
        return
    if last < first:
        _broken(row, say("The report ends before it begins."))
    if first < period[0] or last > period[1]:
        detail = say(
            "The report is about {first} to {last}, this declaration about {begin} to {end}. "
            "Declare the report's own period, or send the report of this one.",
            first=first, last=last, begin=period[0], end=period[1],
        )  # fmt: skip
        raise Refusal("other_period", detail, row=row)


def _used(block: _Block, reference: str) -> _Resource | None:
    """The recording that a usage names, with the works of its block; without a name the only one there is."""
    works = block.works
    if reference:
        recording = block.recordings.get(reference)
    elif len(block.recordings) == 1:
        [recording] = block.recordings.values()
    else:
        recording = None
        if not block.recordings and len(works) == 1:
            return works[0]
    if recording is None or recording.iswcs or not works or len(block.recordings) > 1:
        return recording
    title = works[0].title if len(works) == 1 else ""
    creators = works[0].creators if len(works) == 1 else ""
    iswcs = [iswc for work in works for iswc in work.iswcs]
    return _Resource(recording.isrcs, iswcs, title or recording.title, creators or recording.creators)


def _cell(cells: list[str], place: int) -> str:
    return cells[place - 1] if place <= len(cells) else ""


def _repeats(cells: list[str], place: int) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in _cell(cells, place).split("|") if part.strip()))


def _listed(identifier: str) -> str:
    return identifier.replace(";", " ")


def _row(cells: tuple[str, ...]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue().encode()


def _unreadable(line: bytes) -> bytes:
    """A line that the intake refuses for the same reason."""
    return b"\0\n" if b"\0" in line else b"x" * (LONGEST + 64) + b"\n"


def _shown(kind: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in kind)


def _broken(row: int, detail: str) -> NoReturn:
    raise Refusal("broken_structure", say("Line {row}: {detail}", row=row, detail=detail), row=row)


_COUNTED: Final = {
    "lines": gettext_noop("lines"),
    "summary records": gettext_noop("summary records"),
    "blocks": gettext_noop("blocks"),
}
