"""Renewed books of the Catalog of Copyright Entries: works, and whoever claims the renewal, in equal parts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from accounts.identity.core import Actor
from accounts.organisations.models import Organisation
from licensing.engine.core import Engine
from licensing.intake.formats import renewals
from licensing.intake.formats.renewals import WORKS_MADE_FOR_HIRE, Renewal
from licensing.intake.importing import Contents, ImportResult, check_society, staged_by
from licensing.intake.models import Import, StoredFile
from licensing.intake.services import limits
from licensing.repertoire.importing import outside
from licensing.repertoire.importing.outside import Row, Rules, row
from licensing.repertoire.importing.works import FILLED


def import_renewals(
    *, actor: Actor, society: Organisation, file: StoredFile, record_in: Import | None = None
) -> ImportResult:
    """Register the works of a renewals file by the number of their original registration, with their claimants.

    A row of the counts is a line of the file. The catalogue numbers no people: a claimant is known by the name.
    """
    check_society(actor, society, "works.import")
    with staged_by(_fill, society=society, stored=file, kind=Import.Kind.RENEWALS, record_in=record_in) as stage:
        created, updated = outside.register(stage, Rules(latest=True, replaces=True))
        return stage.finish(actor, created=created, updated=updated, filled=FILLED)


def _fill(engine: Engine, path: Path) -> Contents:
    rows = (each for renewal in renewals.read(path, limits()) for each in _rows(renewal))
    return outside.fill(engine, rows)


def _rows(renewal: Renewal) -> Iterator[Row]:
    at, ref = renewal.row, f"USCO-{renewal.number}"
    yield row("unit", at, at, "refused" if renewal.problem else None)
    if renewal.problem:
        column, reason = renewal.problem
        yield row("reject", at, at, column, renewal.number, reason)
        return
    yield row(
        "work", at, at, ref, "book", renewal.title, renewal.author[:2000], "en", renewal.published, renewal.free_from,
        f"usco:{renewal.number.replace(';', ' ')}",
    )  # fmt: skip
    for name, role in renewal.claimants:
        key = f"CCE-{hashlib.sha256(name.casefold().encode()).hexdigest()[:16]}"
        kind = "organisation" if role in WORKS_MADE_FOR_HIRE else "person"
        yield row("part", at, at, ref, key, None, name, kind, role, None, f"1/{len(renewal.claimants)}")
