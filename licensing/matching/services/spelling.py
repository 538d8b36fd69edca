"""The spellings of a register's titles, made where the register has changed since: what `title` lines are found by."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Final

from django.db import connection, transaction

from licensing.matching.core import spellings
from licensing.matching.models import TitleState
from licensing.repertoire.models import RepertoireRevision

_LOCK: Final = 0x1E  # namespace of the advisory lock by which refreshers of one society wait for each other
_LONGEST: Final = 2048  # bytes, of what an index holds
_BATCH: Final = 10_000

# Every title of the register with the digest of what it says. An alias has its own creators, and those of its work.
_SAID: Final = """
SELECT w.id AS work_id, w.title, w.creators, md5(w.title || E'\\n' || w.creators)::uuid AS source
FROM licensing_work w WHERE w.society_id = %(society)s
UNION
SELECT a.work_id, a.title, c.creators, md5(a.title || E'\\n' || c.creators)::uuid
FROM licensing_workalias a JOIN licensing_work w ON w.id = a.work_id
CROSS JOIN LATERAL (VALUES (a.creators), (w.creators)) c(creators) WHERE w.society_id = %(society)s"""
_GONE: Final = f"""
DELETE FROM licensing_titlekey k WHERE k.society_id = %(society)s
  AND NOT EXISTS (SELECT FROM ({_SAID}) s WHERE s.work_id = k.work_id AND s.source = k.source)"""
_NEW: Final = f"""
CREATE TEMP TABLE unspelled ON COMMIT DROP AS
SELECT s.* FROM ({_SAID}) s WHERE NOT EXISTS (
  SELECT FROM licensing_titlekey k WHERE k.society_id = %(society)s AND k.work_id = s.work_id AND k.source = s.source)"""


@transaction.atomic
def refresh_titles(society_id: int) -> int:
    """Bring the spellings of a society's titles up to its register; returns how many titles were spelled anew.

    Costs one look where nothing has changed. Whoever asks what a title means calls it before.
    """
    state = RepertoireRevision.objects.state(society_id)
    if not state or TitleState.objects.filter(society_id=society_id, state=state).exists():
        return 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, society_id])
        cursor.execute(_GONE, {"society": society_id})
        cursor.execute(f"DROP TABLE IF EXISTS unspelled; {_NEW}", {"society": society_id})
        count = _spell(society_id)
        cursor.execute("DROP TABLE unspelled")
        if count:
            cursor.execute("ANALYZE licensing_titlekey")
    TitleState.objects.update_or_create(society_id=society_id, defaults={"state": state})
    return count


def _spell(society_id: int) -> int:
    """Spell what `unspelled` holds, in batches: read with one cursor, written by COPY."""
    done = last = 0
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE unspelled ADD COLUMN n serial PRIMARY KEY")
        while True:
            cursor.execute(
                "SELECT n, work_id, source, title, creators FROM unspelled WHERE n > %s ORDER BY n LIMIT %s",
                [last, _BATCH],
            )
            rows = cursor.fetchall()
            if not rows:
                return done
            done, last = done + len(rows), rows[-1][0]
            columns = "society_id, work_id, source, value, plain"
            copy = f"COPY licensing_titlekey ({columns}) FROM STDIN (FORMAT csv)"
            with connection.wrap_database_errors, connection.cursor() as inner, inner.connection.cursor() as raw:
                with raw.copy(copy) as sink:
                    for block in _blocks(society_id, rows):
                        sink.write(block)


def _blocks(society_id: int, rows: list[tuple[int, int, str, str, str]]) -> Iterator[str]:
    out = io.StringIO()
    write = csv.writer(out).writerow
    for _n, work, source, title, creators in rows:
        for value, plain in spellings(title, creators):
            if len(value.encode()) <= _LONGEST:
                write((society_id, work, source, value, plain))
    yield out.getvalue()
