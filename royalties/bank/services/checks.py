"""What must always hold of what banks said and what was done with it, looked for in what is stored."""

from __future__ import annotations

from typing import Any, Final

from django.db import connection

LIMIT = 1000

# Each gives (subject, detail) of what is wrong.
_CHECKS: Final = {
    "statement": """
        SELECT format('statement:%%s', s.id), format('entries: %%s in and %%s out; it says %%s and %%s',
               e.credits, e.debits, s.credits, s.debits)
        FROM royalties_bankstatement s
        CROSS JOIN LATERAL (SELECT coalesce(sum(amount) FILTER (WHERE sign = 1), 0) AS credits,
                                   coalesce(sum(amount) FILTER (WHERE sign = -1), 0) AS debits, count(*) AS n
                            FROM royalties_entry WHERE statement_id = s.id) e
        WHERE (e.credits, e.debits, e.n) <> (s.credits, s.debits, s.entry_count)""",
    "applied": """
        SELECT format('entry:%%s', e.id), format('applications sum to %%s, applied is %%s', coalesce(a.amount, 0), e.applied)
        FROM royalties_entry e LEFT JOIN (SELECT entry_id, sum(amount) AS amount FROM royalties_application GROUP BY 1) a
          ON a.entry_id = e.id
        WHERE coalesce(a.amount, 0) <> e.applied""",
    "unapplied": """
        SELECT format('entry:%%s', coalesce(e.id, a.owner_id)), format('%%s are unapplied in the ledger, %%s by the entry',
               coalesce(a.held, 0), coalesce(e.held, 0))
        FROM (SELECT id, amount - applied AS held FROM royalties_entry WHERE parked_id IS NOT NULL) e
        FULL JOIN (SELECT owner_id, sum(credits - debits) AS held FROM ledger_account WHERE kind = 'unapplied' GROUP BY 1) a
          ON a.owner_id = e.id
        WHERE coalesce(a.held, 0) <> coalesce(e.held, 0)""",
}  # fmt: skip


def problems() -> list[dict[str, Any]]:
    """Every broken invariant of the bank's side as {what, subject, detail}; empty when all is well."""
    found: list[dict[str, Any]] = []
    with connection.cursor() as cursor:
        for name, query in _CHECKS.items():
            cursor.execute(f"{query} LIMIT %s", [LIMIT])
            found += [
                {"what": f"bank.{name}", "subject": subject, "detail": detail} for subject, detail in cursor.fetchall()
            ]
    return found
