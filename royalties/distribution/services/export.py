"""The allocations of a run as CSV, streamed in the order of their keys in flat memory."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import IO, Any

from django.db import connection, transaction

from licensing.intake.core import safe_cell
from royalties.distribution.models import Run

COLUMNS = (
    "holder_ref", "work_ref", "identifier", "status", "amount", "currency", "reason", "role", "share_ppm", "used_on", "work_amount",
    "weight", "invoice", "released_from", "corrects",
)  # fmt: skip
_AT_ONCE = 5_000
_A_PIECE = 1_000
_QUERY = """
    SELECT coalesce(h.ref, ''), coalesce(w.ref, ''), CASE WHEN a.work_id IS NULL THEN a.scheme || ':' || a.value ELSE '' END,
           a.status, a.amount, i.currency, a.reason, a.role, a.ppm, a.used_on, a.work_amount, a.weight, i.number,
           CASE WHEN p.kind = 'release' THEN concat_ws(' ', 'run', o.run_id, nullif(concat(a.scheme, ':', a.value), ':')) ELSE '' END,
           CASE WHEN p.kind = 'correction' THEN concat('run ', o.run_id) ELSE '' END
    FROM royalties_allocation a
    JOIN royalties_runpool p ON p.id = a.pool_id
    JOIN royalties_invoice i ON i.id = p.invoice_id
    LEFT JOIN royalties_runpool o ON o.id = p.origin_id
    LEFT JOIN licensing_work w ON w.id = a.work_id
    LEFT JOIN licensing_holder h ON h.id = a.holder_id
    WHERE a.run_id = %s
    ORDER BY coalesce(w.ref, a.scheme || ':' || a.value) COLLATE "C", a.work_id IS NULL, i.number COLLATE "C", p.id,
             a.scheme COLLATE "C", a.value COLLATE "C", a.used_on, a.holder_id IS NULL, h.ref COLLATE "C", a.role COLLATE "C"
"""
_TEXTS = (0, 1, 2, 7, 13)  # the cells that people wrote


def export(run: Run, out: IO[str]) -> int:
    """Write one row an allocation, by key; amounts sum to the run's distributable. Returns how many rows were written."""
    written = 0
    for rows_in, text in _pieces(run):
        out.write(text)
        written += rows_in
    return written


def csv_lines(run: Run) -> Iterator[str]:
    """The same file in pieces, for a streamed answer."""
    return (text for _rows_in, text in _pieces(run))


def _pieces(run: Run) -> Iterator[tuple[int, str]]:
    """The file with its header, piece by piece: how many allocations are in it, and its text."""
    buffer, held = io.StringIO(), 0
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows(run):
        writer.writerow(row)
        held += 1
        if held == _A_PIECE:
            yield held, buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
            held = 0
    yield held, buffer.getvalue()


def rows(run: Run) -> Iterator[list[Any]]:
    """Every allocation of a run as its cells, by key; sorted by PostgreSQL and fetched through a cursor of its own."""
    connection.ensure_connection()
    with transaction.atomic(), connection.connection.cursor(name=f"export_run_{run.pk}") as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(_QUERY, [run.pk])
        for row in cursor:
            cells = list(row)
            for place in _TEXTS:
                cells[place] = safe_cell(cells[place])
            yield cells
