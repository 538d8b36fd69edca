"""What must hold of every statement, looked for in what is stored: for `verify`."""

from __future__ import annotations

from typing import Any

from django.db import connection

# Once published, a run has one statement a holder, which sums that holder's allocations; another run has none.
_QUERY = """
    SELECT coalesce(s.run_id, a.run_id) AS run, h.ref, s.number, s.payable, s.held, s.lines, a.payable, a.held, a.lines
    FROM (SELECT run_id, holder_id, number, payable, held, lines FROM royalties_statement) s
    FULL JOIN (
      SELECT run_id, holder_id, coalesce(sum(amount) FILTER (WHERE status = 'payable'), 0) AS payable,
             coalesce(sum(amount) FILTER (WHERE status = 'held'), 0) AS held, count(*) AS lines
      FROM royalties_allocation
      WHERE holder_id IS NOT NULL AND run_id IN (SELECT id FROM royalties_run WHERE published_at IS NOT NULL)
      GROUP BY run_id, holder_id
    ) a ON a.run_id = s.run_id AND a.holder_id = s.holder_id
    JOIN licensing_holder h ON h.id = coalesce(s.holder_id, a.holder_id)
    WHERE (s.payable, s.held, s.lines) IS DISTINCT FROM (coalesce(a.payable, 0), coalesce(a.held, 0), coalesce(a.lines, 0))
    ORDER BY 1, 2"""


def problems() -> list[dict[str, Any]]:
    """Statements that do not say what was allocated, as {what, subject, detail}; empty when all is well."""
    with connection.cursor() as cursor:
        cursor.execute(_QUERY)
        rows = cursor.fetchall()
    return [
        {
            "what": "statements.sums",
            "subject": number or f"run {run}, holder {holder}",
            "detail": f"{_told('says', said)}; {_told('allocated are', due)}",
        }
        for run, holder, number, *figures in rows
        for said, due in ((figures[:3], figures[3:]),)
    ]


def _told(verb: str, figures: list[int | None]) -> str:
    payable, held, lines = figures
    return f"{verb} nothing" if payable is None else f"{verb} {payable} payable, {held} held in {lines} lines"
