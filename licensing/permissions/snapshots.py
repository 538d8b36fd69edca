"""A society's repertoire and mandates as tables of the engine, kept as Parquet for as long as nothing changes.

A declaration needs the whole register; taking a million works out of PostgreSQL takes longer than matching ten million
lines. The database marks every statement that changes any of it (`revisions.sql`), so a snapshot under the name of the
present state is exact, and one under another name is never read.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from pathlib import Path
from typing import Final

from django.conf import settings

from licensing.engine.core import Engine
from licensing.matching import finding
from licensing.matching.services import refresh_titles
from licensing.permissions.volume import GRANT
from licensing.repertoire.models import RepertoireRevision

_ATTEMPTS: Final = 3
_VERSION: Final = 3  # of the columns below: a snapshot with others is never opened
_UNUSED_SECONDS: Final = 3600  # after which an old snapshot is removed; no declaration takes as long

_DAYS: Final = "coalesce(lower(valid), '0001-01-01'), coalesce(upper(valid), '9999-12-31')"
_PARTS: Final = {
    "work": (
        {"work_id": "BIGINT", "ref": "VARCHAR", "kind": "VARCHAR", "protected_until": "DATE"},
        "SELECT id, ref, kind, protected_until FROM licensing_work WHERE society_id = %s",
    ),
    "identifier": (
        {"scheme": "VARCHAR", "value": "VARCHAR", "work_id": "BIGINT"},
        """SELECT i.scheme, i.value, coalesce(m.survivor_id, i.work_id) FROM licensing_identifier i
        LEFT JOIN licensing_merged m ON m.work_id = i.work_id WHERE i.society_id = %s""",
    ),
    "rule": (
        {"scheme": "VARCHAR", "value": "VARCHAR", "work_id": "BIGINT"},
        """SELECT r.scheme, r.value, coalesce(m.survivor_id, r.work_id) FROM licensing_matchrule r
        LEFT JOIN licensing_merged m ON m.work_id = r.work_id WHERE r.society_id = %s AND r.withdrawn_at IS NULL""",
    ),
    "share": (
        {
            "work_id": "BIGINT",
            "holder_id": "BIGINT",
            "role": "VARCHAR",
            "ppm": "INTEGER",
            "disputed": "BOOLEAN",
            "valid_from": "DATE",
            "valid_to": "DATE",
        },
        f"""SELECT s.work_id, s.holder_id, s.role, s.ppm, s.disputed, {_DAYS} FROM licensing_share s
        JOIN licensing_work w ON w.id = s.work_id WHERE w.society_id = %s AND NOT isempty(valid)""",
    ),
    "mandate": (
        GRANT,
        f"""SELECT holder_id, '|' || array_to_string(uses, '|') || '|', '|' || array_to_string(kinds, '|') || '|',
        '|' || array_to_string(territory, '|') || '|', {_DAYS}
        FROM licensing_mandate WHERE society_id = %s AND NOT isempty(valid)""",
    ),
}


def load(engine: Engine, society_id: int, *, prefix: str = "") -> None:
    """The tables `work`, `identifier`, `rule`, `share` and `mandate` of this society, as they are now; with a prefix.

    What is found under a work that was merged into another is found under that one.

    Inside a REPEATABLE READ transaction: as they are in all that it sees.
    """
    for _attempt in range(_ATTEMPTS):
        key = RepertoireRevision.objects.state(society_id)
        if key and (kept := _folder(society_id) / f"{_VERSION}-{key}").is_dir():
            os.utime(kept)
            for name in _PARTS:
                engine.open(prefix + name, kept / f"{name}.parquet")
            return
        for name, (columns, query) in _PARTS.items():
            engine.take(prefix + name, columns, query, [society_id])
        if key == RepertoireRevision.objects.state(society_id):
            break  # else it changed while it was taken: the parts may not fit together
    else:
        raise RuntimeError("The repertoire changes all the time. The declaration is tried again later.")
    if key:
        _keep(engine, _folder(society_id), f"{_VERSION}-{key}", prefix)


def load_titles(engine: Engine, society_id: int) -> None:
    """The table `title(value, work_id)`: of what is `wanted`, the spellings of titles that only one work of this society has."""
    refresh_titles(society_id)
    key = RepertoireRevision.objects.state(society_id)
    kept = _folder(society_id) / f"{_VERSION}-{key}" / "title.parquet"
    if key and kept.is_file():
        engine.open("kept_title", kept)
        source = "kept_title"
    else:
        source = "taken_title"
        engine.take(source, finding.TITLE, _TITLES, [society_id])
        if key and kept.parent.is_dir() and key == RepertoireRevision.objects.state(society_id):
            unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=kept.parent.parent))
            engine.save(source, unfinished / kept.name)
            (unfinished / kept.name).replace(kept)
            unfinished.rmdir()
    engine.execute(
        f"""CREATE OR REPLACE TABLE title AS SELECT t.value, t.work_id FROM {source} t
        WHERE EXISTS (SELECT 1 FROM wanted w WHERE w.scheme = 'title' AND w.value = t.value)"""
    )


def no_titles(engine: Engine) -> None:
    """The same table, of nobody."""
    engine.table("title", finding.TITLE)


_TITLES: Final = """
SELECT t.value, min(coalesce(m.survivor_id, t.work_id)) FROM licensing_titlekey t
LEFT JOIN licensing_merged m ON m.work_id = t.work_id WHERE t.society_id = %s
GROUP BY t.value HAVING count(DISTINCT coalesce(m.survivor_id, t.work_id)) = 1"""


def nothing(engine: Engine) -> None:
    """The same tables as of a society that has nothing."""
    for name, (columns, _query) in _PARTS.items():
        engine.table(f"no_{name}", columns)
        engine.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM no_{name}")


def _folder(society_id: int) -> Path:
    return Path(settings.VAR_DIR) / "snapshots" / str(society_id)


def _keep(engine: Engine, folder: Path, key: str, prefix: str) -> None:
    """Write the tables under the key at once, and let go of snapshots that nobody uses."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.iterdir():
        if old.stat().st_mtime < time.time() - _UNUSED_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=folder))
    for name in _PARTS:
        engine.save(prefix + name, unfinished / f"{name}.parquet")
    try:
        unfinished.rename(folder / key)
    except OSError:  # another process was faster
        shutil.rmtree(unfinished, ignore_errors=True)
