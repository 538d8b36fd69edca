"""The allocations of a run as CSV, streamed in the order of their keys in flat memory."""

from __future__ import annotations

import csv
import heapq
from collections.abc import Iterator
from typing import IO, Any

from django.db import connection

from licensing.intake.core import safe_cell
from royalties.distribution.models import Run

COLUMNS = (
    "holder_ref", "work_ref", "identifier", "status", "amount", "currency", "reason", "role", "share_ppm", "used_on", "work_amount", "weight",
    "invoice",
)  # fmt: skip
_ROWS_AT_ONCE = 20_000
# Ids follow the key order within a pool: `compute.py` stores them so.
_QUERY = """
    SELECT a.id, coalesce(h.ref, ''), coalesce(w.ref, ''), CASE WHEN a.work_id IS NULL THEN a.scheme || ':' || a.value ELSE '' END,
           a.status, a.amount, i.currency, a.reason, a.role, a.ppm, a.used_on, a.work_amount, a.weight, i.number
    FROM royalties_allocation a
    JOIN royalties_runpool p ON p.id = a.pool_id
    JOIN royalties_invoice i ON i.id = p.invoice_id
    LEFT JOIN licensing_work w ON w.id = a.work_id
    LEFT JOIN licensing_holder h ON h.id = a.holder_id
    WHERE a.pool_id = %s AND a.id > %s
    ORDER BY a.id LIMIT %s"""


def export(run: Run, out: IO[str]) -> int:
    """Write one row an allocation, by key; amounts sum to the run's distributable. Returns how many rows were written."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    pools = list(run.pools.order_by("id").values_list("id", flat=True))
    at_once = max(100, _ROWS_AT_ONCE // max(len(pools), 1))
    written = 0
    for row in heapq.merge(*(_rows(pool, at_once) for pool in pools), key=_key):
        writer.writerow(row)
        written += 1
    return written


def _key(row: list[Any]) -> tuple[bytes, bool]:
    """Works by their ref, unmatched by scheme:value, in UTF-8 byte order."""
    return (row[1] or row[2]).encode(), not row[1]


def _rows(pool: int, at_once: int) -> Iterator[list[Any]]:
    last = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_QUERY, [pool, last, at_once])
            found = cursor.fetchall()
        for row in found:
            cells = list(row[1:])
            cells[0], cells[1], cells[2], cells[7] = map(safe_cell, (cells[0], cells[1], cells[2], cells[7]))
            yield cells
        if len(found) < at_once:
            return
        last = found[-1][0]
