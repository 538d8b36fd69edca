"""Registrations of works (NWR, REV): what a transaction says of a work, or why it cannot be taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from accounts.identity.core import Refusal, gettext_noop, say
from licensing.intake.core import Limits
from licensing.intake.formats.cwr import layout
from licensing.intake.formats.cwr.envelope import Envelope, Header, Problem, Record, Transaction

WHOLE: Final = 10_000  # hundredths of a percent
TOLERANCE: Final = 6  # of the standard: thirds do not add up

NO_TITLE = gettext_noop("the work has no title")
NO_NUMBER = gettext_noop("the work has no number of its submitter")
UNKNOWN_RECORD = gettext_noop("no type of record of CWR 2.1 or 2.2")
NOT_A_SHARE = gettext_noop("a share is five digits, 00000 to 10000")
NOT_WHOLE = gettext_noop("the performing shares of writers and publishers add up neither to 100 percent nor to nothing")
NO_NAME = gettext_noop("a writer or publisher without a name must be marked as unknown")

ROLES: Final = {
    "CA": "composer and author", "C": "composer", "A": "author", "AR": "arranger", "AD": "adaptor", "TR": "translator",
    "SA": "sub-author", "SR": "sub-arranger", "PA": "income participant", "E": "publisher", "AM": "administrator",
    "SE": "sub-publisher", "AQ": "acquirer", "ES": "substituted publisher",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Party:
    """A writer or publisher with its performing share, in hundredths of a percent."""

    row: int
    record: str
    number: str  # of the submitter
    ipi: str
    name: str
    person: bool
    role: str
    share: int


@dataclass(slots=True)
class Registration:
    """A work as its submitter registers it; with `problems` it cannot be taken."""

    row: int
    group: int
    transaction: int
    kind: str  # NWR or REV
    number: str = ""
    title: str = ""
    language: str = ""
    iswc: str = ""
    published: str = ""
    titles: list[tuple[int, str]] = field(default_factory=list)
    isrcs: list[str] = field(default_factory=list)
    numbers: list[tuple[str, str]] = field(default_factory=list)  # (organisation, its number of the work)
    parties: list[Party] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    @property
    def creators(self) -> str:
        """The writers' names, each once."""
        names = dict.fromkeys(p.name for p in self.parties if p.record in ("SWR", "OWR") and p.name)
        return "; ".join(names)


class WorksFile:
    """The works of a CWR file, one after the other. `passed` counts transactions of other kinds, which say nothing of works."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._envelope = Envelope(path, limits)
        self.passed = 0

    @property
    def header(self) -> Header:
        assert self._envelope.header is not None, "ask for the registrations first"
        return self._envelope.header

    def registrations(self) -> Iterator[Registration]:
        for transaction in self._envelope.transactions():
            if transaction.group.type == "ACK":
                detail = say("This file is an acknowledgement: an answer to works, not works.")
                raise Refusal("acknowledgement", detail, row=transaction.row)
            if transaction.kind in layout.WORK_RECORDS:
                yield _registration(transaction)
            else:
                self.passed += 1


def _registration(transaction: Transaction) -> Registration:
    said = Registration(
        transaction.row, transaction.group.id, transaction.number, transaction.kind, problems=transaction.problems
    )
    for record in transaction.records:
        read = _READERS.get(record.kind)
        if read:
            read(said, record)
        elif record.kind not in layout.PASSED_OVER:
            said.problems.append(Problem(record.row, record.kind[:3], record.kind[:3], UNKNOWN_RECORD))
    if not said.title:
        said.problems.append(Problem(said.row, f"{said.kind} title", "", NO_TITLE))
    if not said.number:
        said.problems.append(Problem(said.row, f"{said.kind} number", "", NO_NUMBER))
    total = sum(party.share for party in said.parties)
    if total and abs(total - WHOLE) > TOLERANCE:
        shown = f"{total // 100}.{total % 100:02}%"
        said.problems.append(Problem(said.row, f"{said.kind} pr_share", shown, NOT_WHOLE))
    return said


def _work(said: Registration, record: Record) -> None:
    values = layout.fields(layout.WORK, record.text)
    said.number, said.title, said.iswc = values["number"], values["title"], values["iswc"]
    said.language = values["language"].lower()
    said.published = _day(values["printed_on"]) or _day(values["copyright_on"])


def _day(digits: str) -> str:
    """YYYYMMDD as 2026-01-31; months and days of zeros are left out, and so is a year of zeros."""
    found = re.fullmatch(r"([12]\d{3})(\d\d)(\d\d)", digits, re.ASCII)
    if not found:
        return ""
    year, month, day = found.groups()
    if not 1 <= int(month) <= 12:
        return year
    return f"{year}-{month}-{day}" if 1 <= int(day) <= 28 else f"{year}-{month}"


def _writer(said: Registration, record: Record) -> None:
    values = layout.fields(layout.WRITER, record.text)
    name = " ".join(filter(None, (values["first_name"], values["name"])))
    _party(said, record, values, name, person=True)


def _publisher(said: Registration, record: Record) -> None:
    values = layout.fields(layout.PUBLISHER, record.text)
    _party(said, record, values, values["name"], person=False)


def _party(said: Registration, record: Record, values: dict[str, str], name: str, *, person: bool) -> None:
    share = values["pr_share"] or "00000"
    if not re.fullmatch(r"\d{5}", share, re.ASCII) or int(share) > WHOLE:
        said.problems.append(Problem(record.row, f"{record.kind} pr_share", share, NOT_A_SHARE))
        return
    unknown = values["unknown"] == "Y"
    if not name and not unknown:
        said.problems.append(Problem(record.row, f"{record.kind} name", "", NO_NAME))
        return
    role = values["type"] or ("" if person else "E")
    said.parties.append(
        Party(
            row=record.row,
            record=record.kind,
            number="" if unknown else values["party"],
            ipi="" if unknown or not values["ipi"].strip("0") else values["ipi"],
            name="" if unknown else name,
            person=person,
            role=ROLES.get(role, role.lower()),
            share=int(share),
        )
    )


def _alternative(said: Registration, record: Record) -> None:
    places = layout.ALT if record.kind == "ALT" else layout.NAT
    if title := layout.field(places, "title", record.text):
        said.titles.append((record.row, title))


def _recording(said: Registration, record: Record) -> None:
    if isrc := layout.field(layout.REC, "isrc", record.text):
        said.isrcs.append(isrc)


def _reference(said: Registration, record: Record) -> None:
    values = layout.fields(layout.XRF, record.text)
    if values["type"] == "W" and values["identifier"] and values["validity"] != "N":
        said.numbers.append((values["organisation"], values["identifier"]))


_READERS: Final[dict[str, Callable[[Registration, Record], None]]] = {
    "NWR": _work, "REV": _work, "SPU": _publisher, "OPU": _publisher, "SWR": _writer, "OWR": _writer, "ALT": _alternative,
    "NAT": _alternative, "REC": _recording, "XRF": _reference,
}  # fmt: skip
