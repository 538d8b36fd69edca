"""Two digests: of everything that a result depends on, and of the result. Neither knows a database id."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import royalties.distribution
from licensing.engine.core import Engine
from royalties.distribution.models import Run
from royalties.distribution.services.inputs import Pool
from royalties.distribution.services.moving import Moved

SCRIPT = Path(royalties.distribution.__file__).with_name("digest.sql")


def _text(*fields: str) -> str:
    """An SQL expression that writes texts so that they cannot run into each other: length, colon, text."""
    return ", ".join(f"LENGTH({field}), ':', {field}, ' '" for field in fields)


# The lines of a use, of a share, and of a day on which a work's shares were others than on its first.
_INPUT = f"""
    SELECT p.number, u.seq, CONCAT('u ', {_text("u.key")}, d.kind, ' ', d."use", ' ', d.unit, ' ', d.used_on, ' ', d.units) AS line
    FROM (SELECT pool, key, work_id, kind, "use", unit, used_on, CAST(SUM(units) AS DECIMAL(38,0)) AS units
          FROM declared GROUP BY pool, key, work_id, kind, "use", unit, used_on) d
    JOIN unit u ON u.pool = d.pool AND u.key = d.key AND u.work_id IS NOT DISTINCT FROM d.work_id
    JOIN pool p ON p.pool = u.pool
    UNION ALL
    SELECT p.number, c.seq, CONCAT('s ', c.used_on, ' ', {_text("h.holder_ref", "c.role")}, c.ppm, ' ',
                                     CASE WHEN c.disputed THEN 1 ELSE 0 END)
    FROM claim c
    JOIN holder h ON h.holder_id = c.holder_id
    JOIN pool p ON p.pool = c.pool
    UNION ALL
    SELECT p.number, d.seq, CONCAT('d ', d.used_on, ' ', d.claims)
    FROM day_claims d
    JOIN pool p ON p.pool = d.pool
"""

# Over a table `allocated` with refs: freshly computed, or taken back from PostgreSQL.
RESULT = f"""
    SELECT number, seq, CONCAT({_text("key", "holder_ref", "role")}, CASE WHEN work_id IS NULL THEN 'i ' ELSE 'w ' END,
                               used_on, ' ', ppm, ' ', weight, ' ', work_amount, ' ', set_amount, ' ', amount, ' ',
                               status, ' ', reason) AS line
    FROM allocated
"""


def of_inputs(engine: Engine, run: Run, pools: Sequence[Pool], moved: Sequence[Moved] = ()) -> str:
    """SHA-256 over rule, period, receipts, uses and the shares that governed them; and what is taken from earlier runs."""
    head: dict[str, Any] = {
        "society": run.society.ref,
        "period": [run.period.lower.isoformat(), run.period.upper.isoformat()],
        "currency": run.currency,
        "rule": run.rule.sha256,
        "pools": [pool.as_data() for pool in pools],
    }
    if moved:
        head["moved"] = [each.as_data() for each in moved]
    parts = ([_INPUT] if pools else []) + (["SELECT number, seq, line FROM moved_line"] if moved else [])
    return _digest(engine, head, " UNION ALL ".join(parts))


def of_result(engine: Engine, head: Any) -> str:
    """SHA-256 over the pools' figures (`head`) and every allocation in `allocated`."""
    return _digest(engine, head, RESULT)


def result_head(run: Run, pools: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The figures of a result beside its allocations."""
    return {"currency": run.currency, "pools": list(pools)}


def _digest(engine: Engine, head: Any, lines: str) -> str:
    engine.execute(f"CREATE OR REPLACE VIEW line AS {lines}")
    engine.run(SCRIPT)
    digest = hashlib.sha256(json.dumps(head, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode())
    for number, block, of_block in sorted(
        engine.rows("SELECT number, block, digest FROM block"), key=lambda row: (row[0].encode(), row[1])
    ):
        digest.update(f"\n{number} {block} {of_block}".encode())
    return digest.hexdigest()
