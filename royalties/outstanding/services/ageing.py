"""How old money is that is held, in suspense or not paid yet, by reason; its sums are the ledger's, to the minor unit."""

from __future__ import annotations

import csv
import datetime
import io
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone

from licensing.intake.core import safe_cell
from royalties.outstanding import core

_BUCKET: Final = "CASE " + " ".join(
    f"WHEN %(today)s - {{day}} < {until} THEN {n}" for n, (_since, until) in enumerate(core.BUCKETS) if until is not None
) + f" ELSE {len(core.BUCKETS) - 1} END"  # fmt: skip
# Held and in suspense: its age counts from the day on which its money was first allocated, whatever became of it since.
_WAITING: Final = f"""
    SELECT o.currency, o.status, o.reason, {_BUCKET.format(day="f.day")} AS bucket, sum(o.amount)::bigint, count(*)
    FROM royalties_outstandingallocation o
    JOIN (SELECT p.id, (r.posted_at AT TIME ZONE 'Asia/Seoul')::date AS day FROM royalties_runpool p JOIN royalties_run r ON r.id = p.run_id
          WHERE r.society_id = %(society)s) f ON f.id = o.first_pool_id
    WHERE o.society_id = %(society)s GROUP BY 1, 2, 3, 4"""
# Payable: the last credits that make the balance are what is unpaid, each as old as its journal. Why it was not paid: what stops the
# holder's payee data now, else why the last batch left it, else that the next batch pays it.
_PAYABLE: Final = f"""
    WITH open AS (
      SELECT id, owner_id, credits - debits AS balance FROM ledger_account
      WHERE society_id = %(society)s AND currency = %(currency)s AND kind = 'payable' AND credits > debits
    ), leg AS (
      SELECT o.id, o.owner_id, o.balance, j.effective_on AS day, p.amount,
             sum(p.amount) OVER (PARTITION BY o.id ORDER BY j.effective_on DESC, p.journal_id DESC, p.line DESC) AS upto
      FROM open o JOIN ledger_posting p ON p.credit_id = o.id JOIN ledger_journal j ON j.id = p.journal_id
    ), part AS (
      SELECT owner_id, day, least(amount, balance - (upto - amount)) AS amount FROM leg WHERE upto - amount < balance
    ), last AS (
      SELECT holder_id, reason FROM royalties_carriedforward WHERE batch_id = (
        SELECT max(id) FROM royalties_batch
        WHERE society_id = %(society)s AND currency = %(currency)s AND status NOT IN ('draft', 'discarded'))
    ), why AS (
      SELECT o.owner_id,
             coalesce(CASE WHEN p.holder_id IS NULL THEN 'no_payee' ELSE nullif(p.blocked, '') END, l.reason, 'next_payout') AS reason
      FROM open o LEFT JOIN royalties_payee_on(%(society)s, %(currency)s, %(now)s) p ON p.holder_id = o.owner_id
      LEFT JOIN last l ON l.holder_id = o.owner_id)
    SELECT w.reason, {_BUCKET.format(day="p.day")} AS bucket, sum(p.amount)::bigint, count(DISTINCT p.owner_id)
    FROM part p JOIN why w ON w.owner_id = p.owner_id GROUP BY 1, 2"""
_BALANCES: Final = """
    SELECT currency, kind, sum(credits - debits)::bigint FROM ledger_account
    WHERE society_id = %(society)s AND kind IN ('held', 'suspense', 'payable') GROUP BY 1, 2
    HAVING sum(credits - debits) <> 0 ORDER BY 1, 2"""
_ITEMS: Final = """
    SELECT o.status, o.reason, coalesce(w.ref, ''), coalesce(w.title, ''),
           CASE WHEN o.work_id IS NULL THEN o.scheme || ':' || o.value ELSE '' END,
           coalesce(h.ref, ''), o.used_on, o.allocated_on, o.rule, o.noticed_on, o.expires_on, o.amount, o.currency
    FROM royalties_outstandingclock o LEFT JOIN licensing_work w ON w.id = o.work_id LEFT JOIN licensing_holder h ON h.id = o.holder_id
    WHERE o.society_id = %s ORDER BY o.currency, o.status, o.reason, o.amount DESC, o.allocation_id"""
ITEM_COLUMNS: Final = (
    "status", "reason", "work_ref", "title", "identifier", "holder_ref", "used_on", "allocated_on", "rule", "noticed_on", "expires_on",
    "amount", "currency",
)  # fmt: skip
_TEXTS: Final = (2, 3, 4, 5, 8)
KINDS: Final = ("held", "suspense", "payable")


@dataclass(frozen=True, slots=True)
class Line:
    """What waits for one reason: an amount and a number for each age; items are allocations, of payable money holders."""

    currency: str
    kind: str
    reason: str
    amounts: tuple[int, ...]
    counts: tuple[int, ...]

    @property
    def total(self) -> int:
        return sum(self.amounts)

    @property
    def items(self) -> int:
        return sum(self.counts)


@dataclass(frozen=True, slots=True)
class Sum:
    """One account's balance in the ledger beside what is listed."""

    currency: str
    kind: str
    ledger: int
    listed: int

    @property
    def holds(self) -> bool:
        return self.ledger == self.listed


@dataclass(frozen=True, slots=True)
class Ageing:
    """The report of a day: lines by currency, kind and reason, and the identity with the ledger."""

    on: datetime.date
    lines: tuple[Line, ...]
    sums: tuple[Sum, ...]

    @property
    def holds(self) -> bool:
        return all(each.holds for each in self.sums)


@transaction.atomic
def ageing(society_id: int, *, on: datetime.date | None = None) -> Ageing:
    """What waits today, by reason and age. Three questions to the database and one a currency, however much it is."""
    today = on or timezone.localdate()
    values: dict[str, Any] = {"society": society_id, "today": today, "now": timezone.now()}
    cells: dict[tuple[str, str, str], dict[int, tuple[int, int]]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(_BALANCES, values)
        balances = {(currency, kind): int(amount) for currency, kind, amount in cursor.fetchall()}
        cursor.execute(_WAITING, values)
        for currency, kind, reason, bucket, amount, count in cursor.fetchall():
            cells[currency, kind, reason][bucket] = (amount, count)
        for currency in sorted({currency for currency, kind in balances if kind == "payable"}):
            cursor.execute(_PAYABLE, values | {"currency": currency})
            for reason, bucket, amount, count in cursor.fetchall():
                cells[currency, "payable", reason][bucket] = (amount, count)
    lines = tuple(_line(key, found) for key, found in sorted(cells.items(), key=lambda item: _order(item[0])))
    listed: dict[tuple[str, str], int] = defaultdict(int)
    for line in lines:
        listed[line.currency, line.kind] += line.total
    keys = sorted({*balances, *listed}, key=lambda key: (key[0], KINDS.index(key[1])))
    return Ageing(today, lines, tuple(Sum(*key, balances.get(key, 0), listed.get(key, 0)) for key in keys))


def ageing_lines(report: Ageing) -> Iterator[str]:
    """The report as CSV, a line a reason, ages in columns."""
    heads = [f"{since}-{until - 1}" if until else f"{since}+" for since, until in core.BUCKETS]
    rows: list[list[Any]] = [["currency", "account", "reason", "items", *(f"days {head}" for head in heads), "total"]]
    rows += [[line.currency, line.kind, line.reason, line.items, *line.amounts, line.total] for line in report.lines]
    rows += [[each.currency, each.kind, "ledger", "", *[""] * len(heads), each.ledger] for each in report.sums]
    return (_csv(row) for row in rows)


def item_lines(society_id: int) -> Iterator[str]:
    """Every amount held or in suspense as CSV, in flat memory."""
    yield _csv(list(ITEM_COLUMNS))
    connection.ensure_connection()
    with transaction.atomic(), connection.connection.cursor(name=f"outstanding_{society_id}") as cursor:
        cursor.itersize = 5_000
        cursor.execute(_ITEMS, [society_id])
        for row in cursor:
            yield _csv([safe_cell(cell) if n in _TEXTS and cell else cell for n, cell in enumerate(row)])


def _line(key: tuple[str, str, str], found: dict[int, tuple[int, int]]) -> Line:
    cells = [found.get(n, (0, 0)) for n in range(len(core.BUCKETS))]
    return Line(*key, tuple(int(amount) for amount, _count in cells), tuple(int(count) for _amount, count in cells))


def _order(key: tuple[str, str, str]) -> tuple[str, int, str]:
    return key[0], KINDS.index(key[1]), key[2]


def _csv(row: list[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(row)
    return buffer.getvalue()
