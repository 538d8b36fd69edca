"""What waits for its shares, and is released once they are recorded, settled or disputed no longer: see `leftover.sql`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from django.db import connection

import royalties.distribution
from licensing.engine.core import Engine

_FOLDER: Final = Path(royalties.distribution.__file__).parent
WAITING: Final = (_FOLDER / "waiting.sql").read_text(encoding="utf-8")
LEFTOVER: Final = WAITING + (_FOLDER / "leftover.sql").read_text(encoding="utf-8")
_COLUMNS: Final = {
    "allocation_id": "BIGINT", "origin": "BIGINT", "work_id": "BIGINT", "scheme": "VARCHAR", "value": "VARCHAR", "used_on": "DATE",
    "place": "BIGINT", "holder_id": "BIGINT", "holder_ref": "VARCHAR", "role": "VARCHAR", "ppm": "INTEGER", "weight": "DECIMAL(38,0)",
    "work_amount": "BIGINT", "set_amount": "BIGINT", "whole": "BIGINT", "amount": "BIGINT", "status": "VARCHAR", "reason": "VARCHAR",
}  # fmt: skip


def take(engine: Engine, *, society_id: int, currency: str, run_id: int, without: Sequence[int] = ()) -> int:
    """The table `leftover`: the parts of each amount that leaves, in the order of its holders. How many parts."""
    return engine.take("leftover", _COLUMNS, LEFTOVER, _values(society_id, currency, run_id, without))


def by_run(society_id: int, currency: str, *, run_id: int = 0) -> list[tuple[int, Any, int, int]]:
    """(run, its period, amount, how many amounts) of what the next run would release, by the run that it comes from."""
    sql = f"""
        SELECT r.id, r.period, sum(l.whole)::bigint, count(*)
        FROM (SELECT DISTINCT id, pool_id, whole FROM ({LEFTOVER}) x (id, pool_id, work_id, scheme, value, used_on, place, holder_id, ref,
              role, ppm, weight, work_amount, set_amount, whole, amount, status, reason)) l
        JOIN royalties_runpool p ON p.id = l.pool_id
        JOIN royalties_run r ON r.id = p.run_id
        GROUP BY 1, 2 ORDER BY 1"""
    with connection.cursor() as cursor:
        cursor.execute(sql, _values(society_id, currency, run_id, ()))
        return cursor.fetchall()


def _values(society_id: int, currency: str, run_id: int, without: Sequence[int]) -> list[Any]:
    return [society_id, currency, run_id, list(without)]
