"""Works of CWR files: registered, and answered by an acknowledgement that the sender's program can read."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.identity.core import SYSTEM, Actor, say
from accounts.organisations.models import Organisation
from licensing.engine.core import Engine
from licensing.intake.formats.cwr import acknowledgement as acknowledging
from licensing.intake.formats.cwr.acknowledgement import Answer, Message
from licensing.intake.formats.cwr.envelope import Header
from licensing.intake.formats.cwr.works import Registration, WorksFile
from licensing.intake.importing import Contents, ImportResult, Stage, check_society, staged_by
from licensing.intake.models import Import, StoredFile
from licensing.intake.services import keep, limits
from licensing.repertoire.importing import outside
from licensing.repertoire.importing.outside import Row, Rules, row
from licensing.repertoire.importing.works import FILLED
from licensing.terms import PPM

_PRESENT = ("work_ref", "kind", "title", "creators", "language", "published", "identifiers")


def import_cwr(
    *, actor: Actor, society: Organisation, file: StoredFile, record_in: Import | None = None
) -> ImportResult:
    """Register the works of a CWR 2.1 or 2.2 file, and keep the acknowledgement as the import's answer.

    A row of the counts is a transaction; its number is the line of its NWR or REV record. A work is known by the
    sender and the sender's number, else by its ISWC. Its performing shares replace those it had without days.
    """
    check_society(actor, society, "works.import")
    headers: list[Header] = []
    reading = partial(_fill, headers=headers)
    with staged_by(reading, society=society, stored=file, kind=Import.Kind.CWR, record_in=record_in) as stage:
        created, updated = outside.register(stage, Rules(latest=True, replaces=True))
        stage.answer = _answered(stage, headers[0])
        return stage.finish(actor, created=created, updated=updated, filled=FILLED)


def _fill(engine: Engine, path: Path, headers: list[Header]) -> Contents:
    file = WorksFile(path, limits())

    def rows() -> Iterator[Row]:
        for said in file.registrations():
            yield from _rows(said, file.header.number)

    contents = outside.fill(engine, rows(), present=_PRESENT)
    engine.execute("CREATE OR REPLACE TABLE work_ref AS SELECT unit, work_ref AS ref FROM incoming")
    headers.append(file.header)
    return contents


def _rows(said: Registration, sender: str) -> Iterator[Row]:
    """A registration as records for the repertoire."""
    at = said.row
    refused = "refused" if said.problems else None
    yield row("unit", at, at, refused, said.group, said.transaction, said.kind, said.title, said.number)
    for problem in said.problems:
        yield row("reject", problem.row, at, problem.column, problem.value, problem.reason)
    if refused:
        return
    ref = f"CWR-{sender}-{said.number}"
    named = [f"proprietary:{_listed(ref)}", *(f"isrc:{_listed(isrc)}" for isrc in said.isrcs)]
    named += [f"iswc:{_listed(said.iswc)}"] if said.iswc else []
    named += [f"proprietary:{_listed(f'{society}-{number}')}" for society, number in said.numbers]
    yield row(
        "work",
        at,
        at,
        ref,
        "music",
        said.title,
        said.creators[:2000],
        said.language,
        said.published,
        None,
        ";".join(named),
    )
    for place, title in said.titles:
        yield row("alias", place, at, ref, title, said.creators[:2000])
    for party in said.parties:
        if party.share and party.name:
            key = f"CWR-{sender}-{party.number}" if party.number else None
            kind = "person" if party.person else "organisation"
            yield row("part", party.row, at, ref, key, party.ipi, party.name, kind, party.role, party.share)
            yield row("about", party.row, at, party.record)


def _listed(identifier: str) -> str:
    return identifier.replace(";", " ")


def _answered(stage: Stage, sender: Header) -> StoredFile:
    """The acknowledgement, kept like any file of the society's."""
    path = stage.engine.folder / "acknowledgement.cwr"
    with path.open("wb") as out:
        acknowledging.write(
            out,
            sender=Header("SO", settings.CWR_SENDER_ID, stage.society.name.upper(), "", ""),
            answered=sender,
            at=timezone.localtime(),
            answers=_answers(stage),
        )
    name = f"{Path(stage.stored.name).stem}-ACK.V21"
    with path.open("rb") as stream:
        return keep(actor=SYSTEM, stream=stream, name=name, organisation=stage.society)


def _answers(stage: Stage) -> Iterator[Answer]:
    """What became of each transaction, in order."""
    columns = {"ref": "VARCHAR", "work_ref": "VARCHAR", "id": "BIGINT", "ppm": "BIGINT"}
    stage.engine.take("became", columns, _BECAME, [timezone.localdate()])  # the database's own day is that of UTC
    lines = (line for lines in stage.engine.stream(_TOLD) for line in lines)
    for _row, told in groupby(lines, key=lambda line: line[0]):
        yield _answer(list(told))


def _answer(told: list[tuple[Any, ...]]) -> Answer:
    _row, refused, group, number, kind, title, sender_number, work_ref, work_id, ppm, parts = told[0][:11]
    whole = bool(refused) or work_ref is None  # read, and then refused by the register's own rules
    messages = tuple(
        Message(place, _record_type(at, kind, record), _sentence(at, value, reason), whole)
        for *_known, place, at, value, reason, record in told
        if reason
    )
    if whole:
        status = acknowledging.REJECTED
    elif (ppm or 0) > PPM:
        status = acknowledging.CONFLICT
    elif messages:
        status = acknowledging.CHANGED
    else:
        status = acknowledging.ACCEPTED if parts else acknowledging.NO_PARTICIPATION
    recipient = "" if whole else work_ref if len(work_ref) <= 20 else str(work_id)
    return Answer(
        group=int(group), transaction=int(number), type=kind, title=title or "", number=sender_number or "",
        recipient_number=recipient, status=status, messages=messages,
    )  # fmt: skip


def _record_type(at: str | None, kind: str, record: str | None) -> str:
    """The type of the record that a message speaks of."""
    first = (at or "").partition(" ")[0]
    return first if len(first) == 3 and first.isupper() else record or kind


def _sentence(at: str | None, value: str | None, reason: str) -> str:
    field = (at or "").rpartition(" ")[2]
    return " ".join(f"{field}: {say(reason)} {value or ''}".split())


_BECAME = """
SELECT t.ref, t.work_ref, t.work_id, (SELECT sum(s.ppm) FROM licensing_share s WHERE s.work_id = t.work_id AND s.valid @> %s::date)
FROM target t
"""
# Every transaction with each thing that was refused of it. Its records lie below it without a gap, so a line's distance is
# the record's number.
_TOLD = """
WITH told AS (
  SELECT u.row AS unit, r.row - u.row AS place, r."column" AS field, r.value, r.reason,
    a.record
  FROM rejects r ASOF JOIN unit u ON r.row >= u.row LEFT JOIN about a ON a.row = r.row)
SELECT u.row, u.refused, u.group_id, u.number, u.type, u.title, u.sender_number, b.work_ref, b.id, b.ppm,
  u.row IN (SELECT unit FROM about) AS parts, t.place, t.field, t.value, t.reason, t.record
FROM unit u LEFT JOIN work_ref w ON w.unit = u.row LEFT JOIN became b ON b.ref = w.ref LEFT JOIN told t ON t.unit = u.row
ORDER BY u.row, t.place, t.field
"""
