"""The bank against the book, by currency: where the two differ, and by what, to the minor unit.

    what the bank says = what it said when the first statement began, and jumps between statements
                       + entries that are explained (applied, or kept as unapplied)
                       + entries that wait to be applied
    what the book says = what journals of explained entries moved + what was booked without an entry of the bank

Explained entries and their journals must come to the same: anything else is a fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

# Each gives an amount a currency. Parameter: society.
_LAST: Final = """
    SELECT a.currency, sum(s.closing)::bigint FROM royalties_bankaccount a
    CROSS JOIN LATERAL (SELECT closing FROM royalties_bankstatement s WHERE s.account_id = a.id
                        ORDER BY s.last_day DESC, s.place DESC LIMIT 1) s
    WHERE a.society_id = %(society)s GROUP BY 1"""
_ENTRIES: Final = """
    SELECT e.currency, sum(e.sign * CASE WHEN e.parked_id IS NULL THEN e.applied ELSE e.amount END)::bigint,
           coalesce(sum(e.amount - e.applied) FILTER (WHERE e.sign = 1 AND e.parked_id IS NULL), 0)::bigint,
           coalesce(sum(e.amount - e.applied) FILTER (WHERE e.sign = -1), 0)::bigint
    FROM royalties_entry e WHERE e.society_id = %(society)s GROUP BY 1"""
_BOOK: Final = """
    SELECT currency, (debits - credits)::bigint FROM ledger_account WHERE society_id = %(society)s AND kind = 'bank'"""
# Of payouts, one journal books what the bank answered of many payments, and one debit may be for what several journals booked:
# there the entries explain as much of the journals as they are applied. `payouts` holds each payment to its entry.
_EXPLAINING: Final = """
    WITH explaining AS (
      SELECT a.journal_id FROM royalties_application a JOIN royalties_entry e ON e.id = a.entry_id
      WHERE e.society_id = %(society)s AND a.object_kind NOT IN ('payment', 'payout_batch')
      UNION SELECT parked_id FROM royalties_entry WHERE society_id = %(society)s AND parked_id IS NOT NULL
    ), counted AS (
      SELECT journal_id FROM explaining
      UNION SELECT j.id FROM ledger_journal j JOIN explaining x ON x.journal_id = j.reverses_id
    )
    SELECT currency, sum(amount)::bigint FROM (
      SELECT p.currency, CASE WHEN p.debit_id = a.id THEN p.amount ELSE -p.amount END AS amount
      FROM counted c
      JOIN ledger_posting p ON p.journal_id = c.journal_id
      JOIN ledger_account a ON a.society_id = %(society)s AND a.kind = 'bank' AND a.id IN (p.debit_id, p.credit_id)
      UNION ALL
      SELECT e.currency, e.sign * a.amount
      FROM royalties_application a JOIN royalties_entry e ON e.id = a.entry_id
      WHERE e.society_id = %(society)s AND a.object_kind IN ('payment', 'payout_batch') AND e.parked_id IS NULL) moved
    GROUP BY 1"""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """One currency, in minor units."""

    currency: str
    at_bank: int
    explained: int
    coming: int
    going: int
    in_book: int
    explaining: int

    @property
    def before(self) -> int:
        """What the bank had before its first statement, and what it said differently from one statement to the next."""
        return self.at_bank - self.explained - self.coming + self.going

    @property
    def without_entry(self) -> int:
        """Booked at the bank without an entry of it: recorded by hand, or not on a statement yet."""
        return self.in_book - self.explaining

    @property
    def difference(self) -> int:
        """What the bank says less what the book says: before + coming − going − without an entry."""
        return self.at_bank - self.in_book

    @property
    def fault(self) -> int:
        return self.explained - self.explaining


def reconciliations(society_id: int) -> list[Reconciliation]:
    """By currency, in its order; none where neither bank nor book has anything."""
    last, book, explaining = (dict(_rows(sql, society_id)) for sql in (_LAST, _BOOK, _EXPLAINING))
    entries = {currency: rest for currency, *rest in _rows(_ENTRIES, society_id)}
    found = []
    for currency in sorted(last.keys() | entries.keys() | book.keys()):
        explained, coming, going = entries.get(currency, (0, 0, 0))
        found.append(
            Reconciliation(
                currency,
                last.get(currency, 0),
                explained,
                coming,
                going,
                book.get(currency, 0),
                explaining.get(currency, 0),
            )
        )
    return found


def _rows(sql: str, society_id: int) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"society": society_id})
        return cursor.fetchall()
