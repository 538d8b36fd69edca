"""The book summed by kinds of account: one question each, whatever the number of postings."""

from __future__ import annotations

import datetime
import json
from typing import Any, Final

from django.db import connection

from accounts.organisations.models import Organisation
from royalties.reports import core

# Between which kinds how much went, within the period and ever up to its end. Parameters: first day, society, end.
_MOVEMENTS: Final = """
    SELECT d.kind, c.kind, p.currency,
           coalesce(sum(p.amount) FILTER (WHERE j.effective_on >= %(start)s), 0)::bigint, sum(p.amount)::bigint
    FROM ledger_journal j
    JOIN ledger_posting p ON p.journal_id = j.id
    JOIN ledger_account d ON d.id = p.debit_id
    JOIN ledger_account c ON c.id = p.credit_id
    WHERE j.society_id = %(society)s AND j.effective_on < %(end)s
    GROUP BY 1, 2, 3 ORDER BY 3, 1, 2"""

# What stands at the end of a day, by kind: debits and credits of all journals up to it. Parameters: society, end.
_TRIAL: Final = """
    SELECT a.kind, l.currency, count(DISTINCT l.account_id), sum(l.debit)::bigint, sum(l.credit)::bigint
    FROM (SELECT p.journal_id, p.debit_id AS account_id, p.currency, p.amount AS debit, 0::bigint AS credit FROM ledger_posting p
          UNION ALL SELECT p.journal_id, p.credit_id, p.currency, 0, p.amount FROM ledger_posting p) l
    JOIN ledger_journal j ON j.id = l.journal_id
    JOIN ledger_account a ON a.id = l.account_id
    WHERE j.society_id = %(society)s AND j.effective_on < %(end)s
    GROUP BY 1, 2 ORDER BY 2, 1"""

# Pools of runs that were posted (or taken back: negative) within the period, with what their invoices billed for each use.
_POOLS: Final = """
    SELECT i.by_use, r.currency, sum(s.sign * p.amount)::bigint,
           sum(s.sign * (SELECT coalesce(sum((d->>'amount')::bigint), 0) FROM jsonb_array_elements(p.deductions) d))::bigint
    FROM royalties_run r
    JOIN royalties_runpool p ON p.run_id = r.id AND p.kind = 'receipts'
    JOIN royalties_invoice i ON i.id = p.invoice_id
    CROSS JOIN LATERAL (
      SELECT 1 AS sign FROM ledger_journal j WHERE j.id = r.journal_id AND j.effective_on >= %(start)s AND j.effective_on < %(end)s
      UNION ALL
      SELECT -1 FROM ledger_journal j WHERE j.id = r.reversal_id AND j.effective_on >= %(start)s AND j.effective_on < %(end)s) s
    WHERE r.society_id = %(society)s GROUP BY i.id, r.currency ORDER BY i.id"""
_RECEIPTS: Final = """
    SELECT i.by_use, i.currency, sum(x.net)::bigint
    FROM royalties_receipt x JOIN royalties_invoice i ON i.id = x.invoice_id
    WHERE x.society_id = %(society)s AND x.received_on >= %(start)s AND x.received_on < %(end)s
    GROUP BY i.id ORDER BY i.id"""

# Receipts that no run had distributed by the end, by year of collection.
_WAITING: Final = """
    SELECT i.currency, extract(year FROM x.received_on)::int, sum(x.net)::bigint
    FROM royalties_receipt x
    JOIN royalties_invoice i ON i.id = x.invoice_id
    WHERE x.society_id = %(society)s AND x.received_on < %(end)s AND x.net > 0
      AND NOT EXISTS (
        SELECT FROM royalties_runreceipt t
        JOIN royalties_runpool p ON p.id = t.pool_id
        JOIN royalties_run r ON r.id = p.run_id
        JOIN ledger_journal j ON j.id = r.journal_id AND j.effective_on < %(end)s
        LEFT JOIN ledger_journal b ON b.id = r.reversal_id
        WHERE t.receipt_id = x.id AND (b.id IS NULL OR b.effective_on >= %(end)s))
    GROUP BY 1, 2 ORDER BY 1, 2"""
_JOURNALS: Final = """
    SELECT j.id, j.kind, j.effective_on,
           sum(p.amount * (({adds})::int - ({takes})::int))::bigint AS amount
    FROM ledger_journal j
    JOIN ledger_posting p ON p.journal_id = j.id AND p.currency = %(currency)s
    JOIN ledger_account d ON d.id = p.debit_id
    JOIN ledger_account c ON c.id = p.credit_id
    WHERE j.society_id = %(society)s AND j.effective_on < %(end)s AND j.effective_on >= %(start)s AND ({adds}) <> ({takes})
    GROUP BY j.id ORDER BY j.id DESC LIMIT %(limit)s OFFSET %(offset)s"""

Days = tuple[datetime.date, datetime.date]


def movements(society_id: int, period: Days) -> dict[str, list[core.Movement]]:
    """By currency, what went between kinds of account within these days and before."""
    found: dict[str, list[core.Movement]] = {}
    for debit, credit, currency, year, ever in _rows(_MOVEMENTS, society_id, period):
        found.setdefault(currency, []).append(core.Movement(debit, credit, year, ever))
    return found


def trial(society_id: int, through: datetime.date) -> list[dict[str, Any]]:
    """The trial balance of all journals up to and including a day."""
    rows = _rows(_TRIAL, society_id, (through, through + datetime.timedelta(days=1)))
    return [
        {"kind": kind, "currency": currency, "accounts": accounts, "debits": debits, "credits": credits}
        for kind, currency, accounts, debits, credits in rows
    ]


def figures(society: Organisation, period: Days) -> dict[str, Any]:
    """Everything that a report of these days says, as JSON values, by currency."""
    uses = _by_use(society.pk, period)
    waiting: dict[str, dict[str, int]] = {}
    for currency, year, amount in _rows(_WAITING, society.pk, period):
        waiting.setdefault(currency, {})[str(year)] = amount
    return {
        currency: {
            "figures": [
                {"code": each.figure.code, "amount": each.amount, "lines": [list(line) for line in each.lines]}
                for each in core.told(rows)
            ],
            "unbalanced": core.unbalanced(rows),
            "by_use": uses.get(currency, []),
            "not_attributed_by_year": waiting.get(currency, {}),
        }
        for currency, rows in movements(society.pk, period).items()
    }


def _by_use(society_id: int, period: Days) -> dict[str, list[dict[str, Any]]]:
    """By currency and use: collected, distributed and deducted within these days."""
    pools: dict[str, dict[str, list[Any]]] = {}
    for uses, currency, amount in _rows(_RECEIPTS, society_id, period):
        pools.setdefault(currency, {}).setdefault("collected", []).append((json.loads(uses), amount))
    for uses, currency, amount, deducted in _rows(_POOLS, society_id, period):
        pools.setdefault(currency, {}).setdefault("distributed", []).append((json.loads(uses), amount))
        pools[currency].setdefault("deducted", []).append((json.loads(uses), deducted))
    return {currency: _lines({name: core.by_use(rows) for name, rows in of.items()}) for currency, of in pools.items()}


def _lines(sums: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
    uses = sorted({use for of in sums.values() for use in of})
    names = ("collected", "distributed", "deducted")
    return [{"use": use} | {name: sums.get(name, {}).get(use, 0) for name in names} for use in uses]


def journals_of(
    society_id: int, figure: core.Figure, currency: str, period: Days, *, offset: int, limit: int
) -> list[tuple[int, str, datetime.date, int]]:
    """The journals that make a figure, newest first: (journal, kind, day, what it adds). One more than `limit` tells of a next page."""
    adds, takes = (
        " OR ".join(_pair(*(pair if straight else pair[::-1])) for pair in figure.pairs) for straight in (True, False)
    )
    start = period[0] if figure.over == core.YEAR else datetime.date(1900, 1, 1)
    values: dict[str, Any] = {
        "society": society_id, "currency": currency, "start": start, "end": period[1], "limit": limit + 1, "offset": offset,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_JOURNALS.format(adds=adds, takes=takes), values)
        return cursor.fetchall()


def _pair(debit: str, credit: str) -> str:
    """Kinds come from `core.FIGURES` alone, never from outside."""
    sides = [
        f"split_part({alias}.kind, ':', 1) = '{kind}'" for alias, kind in (("d", debit), ("c", credit)) if kind != "*"
    ]
    return f"({' AND '.join(sides)})"


def _rows(sql: str, society_id: int, period: Days) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"society": society_id, "start": period[0], "end": period[1]})
        return cursor.fetchall()
