"""The shares file: laid over the shares on record, work by work; see `repertoire.core.merge` for the rule."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import lru_cache
from itertools import groupby
from typing import Any

from django.db import connection

from accounts.identity.core import Actor, gettext_noop
from accounts.organisations.models import Organisation
from licensing.intake.core import TableSpec
from licensing.intake.importing import EMPTY_TERM, ImportResult, Stage, check_society, staged
from licensing.intake.models import Import, StoredFile
from licensing.repertoire.core import BadShare, Claim, Part, Stated, merge, parse_share, ppm_of

SPEC = TableSpec(required=("work_ref", "holder_ref", "share"), optional=("role", "valid_from", "valid_to"))

UNKNOWN_WORK = gettext_noop("the society has no such work")
UNKNOWN_HOLDER = gettext_noop("the society has no such holder")

_SIZES = {"role": 20, "share": 40}
_STAGED = {
    "row": "bigint", "work_ref": "varchar", "holder_ref": "varchar", "role": "varchar", "share": "varchar",
    "since": "date", "until": "date",
}  # fmt: skip
_OUTCOME = {
    "id": "bigint", "row": "bigint", "work_id": "bigint", "holder_id": "bigint", "role": "varchar", "ppm": "integer",
    "stated": "varchar", "since": "date", "until": "date", "refused": "varchar",
}  # fmt: skip

parsed = lru_cache(maxsize=100_000)(parse_share)


def import_shares(
    *, actor: Actor, society: Organisation, file: StoredFile, record_in: Import | None = None
) -> ImportResult:
    """Add shares, and replace those with the same work, holder, role and first day; others stay.

    Parts per million are worked out anew over all shares of each work in the file, so that it does not matter in how
    many files, or in which order, they came.
    """
    check_society(actor, society, "works.import")
    with staged(society=society, stored=file, kind=Import.Kind.SHARES, spec=SPEC, record_in=record_in) as stage:
        stage.tidy(SPEC.columns)
        stage.required(*SPEC.required)
        stage.longest(_SIZES)
        stage.dates("valid_from", "valid_to")
        stage.reject("valid_to", "CAST(valid_to AS DATE) <= CAST(valid_from AS DATE)", EMPTY_TERM)
        _check_shares(stage)
        _stage_rows(stage)
        work_out(stage)
        stage.reject_rows(
            "SELECT o.row, 'holder_ref', i.holder_ref, o.refused FROM outcome o JOIN incoming i ON i.row = o.row "
            "WHERE o.refused IS NOT NULL"
        )
        created, updated = write(stage)
        return stage.finish(actor, created=created, updated=updated, filled=("licensing_share",))


def _check_shares(stage: Stage) -> None:
    def reasons() -> Iterator[tuple[str, str]]:
        for rows in stage.engine.stream("SELECT DISTINCT share FROM incoming"):
            for (text,) in rows:
                try:
                    parsed(text)
                except BadShare as bad:
                    yield text, bad.reason

    stage.engine.table("bad_share", {"share": "VARCHAR", "reason": "VARCHAR"}, reasons())
    stage.reject_rows("SELECT i.row, 'share', i.share, b.reason FROM incoming i JOIN bad_share b ON b.share = i.share")


def _stage_rows(stage: Stage) -> None:
    """The rows in PostgreSQL as `incoming_share`; those of unknown works or holders refused."""
    query = (
        "SELECT row, work_ref, holder_ref, coalesce(role, ''), share, CAST(valid_from AS DATE), CAST(valid_to AS DATE) "
        "FROM incoming"
    )
    stage.copy("incoming_share", _STAGED, query)
    for column, table, reason in (
        ("work_ref", "licensing_work", UNKNOWN_WORK),
        ("holder_ref", "licensing_holder", UNKNOWN_HOLDER),
    ):
        stage.engine.take(
            "unknown",
            {"ref": "VARCHAR"},
            f"SELECT DISTINCT {column} FROM incoming_share s WHERE NOT EXISTS "
            f"(SELECT FROM {table} t WHERE t.society_id = {int(stage.society.pk)} AND t.ref = s.{column})",
        )
        stage.reject_rows(
            f"SELECT row, '{column}', {column}, '{reason}' FROM incoming WHERE {column} IN (SELECT ref FROM unknown)"
        )


# Every share of the works that the file speaks of: what it states, and what is on record, a work at a time.
_BY_WORK = """
SELECT w.id, NULL AS share_id, s.row, h.id, h.ref, s.role, NULL AS ppm, s.share, s.since, s.until
FROM incoming_share s
JOIN licensing_work w ON w.society_id = %(society)s AND w.ref = s.work_ref
JOIN licensing_holder h ON h.society_id = %(society)s AND h.ref = s.holder_ref
UNION ALL
SELECT o.work_id, o.id, NULL, h.id, h.ref, o.role, o.ppm, o.stated, lower(o.valid), upper(o.valid)
FROM licensing_share o JOIN licensing_holder h ON h.id = o.holder_id
WHERE o.work_id IN (SELECT w.id FROM licensing_work w JOIN incoming_share s ON s.work_ref = w.ref
                    WHERE w.society_id = %(society)s)
ORDER BY 1
"""


def _outcomes(rows: Any) -> Iterator[tuple[Any, ...]]:
    """What to write and what to refuse, of rows that come a work at a time."""
    for work_id, group in groupby(rows, key=lambda row: row[0]):
        held: dict[tuple[str, str, dt.date | None], tuple[Any, ...]] = {}
        holders: dict[str, int] = {}
        claims = []
        for _work, share_id, row, holder_id, ref, role, ppm, text, since, until in group:
            holders[ref] = holder_id
            part = Part(ref, role, stated_or_ppm(text, ppm), since, until)
            claims.append(Claim(part, text, row))
            if row is None:
                held[ref, role, since] = (share_id, ppm, text, until)
        merged = merge(claims)
        for row, reason in merged.refused:
            yield (None, row, *[None] * (len(_OUTCOME) - 3), reason)
        shares = zip(merged.claims, ppm_of([claim.part for claim in merged.claims]), strict=True)
        for claim, ppm in shares:
            part = claim.part
            share_id, *before = held.get((part.holder_ref, part.role, part.since), (None,))
            if before != [ppm, claim.text, part.until]:
                holder_id = holders[part.holder_ref]
                yield share_id, claim.row, work_id, holder_id, part.role, ppm, claim.text, part.since, part.until, None


def stated_or_ppm(text: str, ppm: int | None) -> Stated:
    """A share as it was stated; one on record without a statement is its parts per million."""
    return parsed(text or f"{ppm}ppm")


def work_out(stage: Stage) -> None:
    """From the rows of `incoming_share` the engine's table `outcome`: what to write, and what to refuse and why."""
    with connection.connection.cursor(name="shares_by_work") as rows:
        rows.itersize = 10_000
        rows.execute(_BY_WORK, {"society": stage.society.pk})
        stage.engine.table("outcome", {c: t.upper() for c, t in _OUTCOME.items()}, _outcomes(rows))


def write(stage: Stage) -> tuple[int, int]:
    """Change and add shares; returns (created, updated) in rows of the file."""
    stage.copy("outcome", _OUTCOME, f"SELECT {', '.join(_OUTCOME)} FROM outcome WHERE refused IS NULL")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE licensing_share s SET ppm = o.ppm, stated = o.stated, valid = daterange(o.since, o.until) "
            "FROM outcome o WHERE s.id = o.id"
        )
        cursor.execute(
            "INSERT INTO licensing_share (work_id, holder_id, role, ppm, stated, valid) "
            "SELECT work_id, holder_id, role, ppm, stated, daterange(since, until) FROM outcome WHERE id IS NULL "
            "ORDER BY work_id, row"
        )
        created = cursor.rowcount
        cursor.execute("SELECT count(*) FROM outcome WHERE id IS NOT NULL AND row IS NOT NULL")
        [updated] = cursor.fetchone()
    return created, updated
