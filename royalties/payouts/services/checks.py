"""What must hold of every payout, looked for in what is stored: for `verify`, and for the batch's page."""

from __future__ import annotations

from typing import Any, Final

from django.db import connection

from royalties.payouts.models import Batch

MOST: Final = 200  # problems told of each kind
_SUMS: Final = """
    SELECT b.id, concat('gross ', b.gross, ', withheld ', b.withheld, ', net ', b.net, ', payments ', b.payments, ', holders ', b.holders,
             '; its payments have ', coalesce(p.gross, 0), ', ', coalesce(p.withheld, 0), ', ', coalesce(p.net, 0), ', ',
             coalesce(p.many, 0), ', ', coalesce(p.holders, 0))
    FROM royalties_batch b
    LEFT JOIN (SELECT batch_id, sum(gross) AS gross, sum(withheld) AS withheld, sum(net) AS net, count(*) AS many,
                      count(DISTINCT holder_id) AS holders FROM royalties_payment GROUP BY batch_id) p ON p.batch_id = b.id
    WHERE b.prepared_at IS NOT NULL AND (b.gross, b.withheld, b.net, b.payments, b.holders) IS DISTINCT FROM
      (coalesce(p.gross, 0), coalesce(p.withheld, 0), coalesce(p.net, 0), coalesce(p.many, 0), coalesce(p.holders, 0))"""
_TAXES: Final = """
    SELECT p.end_to_end_id, concat('withheld ', p.withheld, ', its tax lines have ', coalesce(t.total, 0))
    FROM royalties_payment p
    LEFT JOIN (SELECT payment_id, sum(amount) AS total FROM royalties_paymenttax GROUP BY payment_id) t ON t.payment_id = p.id
    WHERE p.withheld <> coalesce(t.total, 0)"""
_CARRIED: Final = """
    SELECT b.id, concat('carries ', b.carried, ' of ', b.carried_holders, ' forward; its rows have ', coalesce(c.total, 0), ' of ',
                        coalesce(c.many, 0))
    FROM royalties_batch b
    LEFT JOIN (SELECT batch_id, sum(amount) AS total, count(*) AS many FROM royalties_carriedforward GROUP BY batch_id) c
      ON c.batch_id = b.id
    WHERE b.prepared_at IS NOT NULL AND (b.carried, b.carried_holders) IS DISTINCT FROM (coalesce(c.total, 0), coalesce(c.many, 0))"""
_BOTH: Final = """
    SELECT c.batch_id, concat('holder ', c.holder_id, ' is paid and carried forward')
    FROM royalties_carriedforward c WHERE EXISTS
      (SELECT 1 FROM royalties_payment p WHERE p.batch_id = c.batch_id AND p.holder_id = c.holder_id)"""
_PAYING: Final = """
    SELECT b.id, concat('the ledger owes ', coalesce(a.credits - a.debits, 0), ' to be paid, payments on their way have ',
                        coalesce(p.total, 0))
    FROM royalties_batch b
    LEFT JOIN ledger_account a ON a.society_id = b.society_id AND a.kind = 'paying' AND a.owner_id = b.id AND a.currency = b.currency
    LEFT JOIN (SELECT batch_id, sum(net) AS total FROM royalties_payment WHERE status IN ('ordered', 'sent') GROUP BY batch_id) p
      ON p.batch_id = b.id
    WHERE coalesce(a.credits - a.debits, 0) <> coalesce(p.total, 0)"""
# What payouts put into each tax account: of payments that stand, and nothing of those that came back.
_TAX_ACCOUNTS: Final = """
    SELECT concat('society:', coalesce(l.society_id, p.society_id), ' ', coalesce(l.kind, p.kind)),
           concat('journals of payouts left ', coalesce(l.total, 0), ' there, payments withheld ', coalesce(p.total, 0))
    FROM (SELECT a.society_id, a.kind, a.currency, sum(CASE WHEN g.credit_id = a.id THEN g.amount ELSE -g.amount END) AS total
          FROM ledger_account a
          JOIN ledger_posting g ON a.id IN (g.credit_id, g.debit_id)
          JOIN ledger_journal j ON j.id = g.journal_id AND j.kind IN ('payout', 'payout_returned')
          WHERE a.kind LIKE 'tax:%%' GROUP BY 1, 2, 3) l
    FULL JOIN (SELECT x.society_id, 'tax:' || x.name AS kind, x.currency::char(3) AS currency, sum(x.amount) AS total
               FROM royalties_paymenttax x WHERE x.status IN ('ordered', 'sent', 'settled') AND x.amount > 0 GROUP BY 1, 2, 3) p
      ON p.society_id = l.society_id AND p.kind = l.kind AND p.currency = l.currency
    WHERE coalesce(l.total, 0) <> coalesce(p.total, 0)"""
_JOURNALS: Final = """
    SELECT b.id, concat('ordered ', b.gross, ', its journal has ', j.posting_total)
    FROM royalties_batch b JOIN ledger_journal j ON j.id = b.journal_id
    WHERE j.posting_total <> b.gross OR j.kind <> 'payout'"""
_STATES: Final = """
    SELECT p.end_to_end_id, concat('is ', p.status, ' in a payout that is ', b.status)
    FROM royalties_payment p JOIN royalties_batch b ON b.id = p.batch_id
    WHERE NOT CASE b.status
      WHEN 'prepared' THEN p.status = 'planned' WHEN 'approved' THEN p.status = 'planned' WHEN 'discarded' THEN p.status = 'discarded'
      WHEN 'ordered' THEN p.status = 'ordered' WHEN 'sent' THEN p.status IN ('sent', 'settled', 'rejected', 'returned')
      WHEN 'settled' THEN p.status IN ('settled', 'rejected', 'returned') ELSE false END"""
# Of what was ordered for a holder, each won left the payable account once: what payments took and what they gave back again.
_ONCE: Final = """
    SELECT concat('holder:', coalesce(l.holder_id, p.holder_id), ' ', coalesce(l.currency, p.currency)),
           concat('the ledger paid ', coalesce(l.total, 0), ', payments that stand have ', coalesce(p.total, 0))
    FROM (SELECT a.society_id, a.owner_id AS holder_id, a.currency,
                 sum(CASE WHEN g.debit_id = a.id THEN g.amount ELSE -g.amount END) AS total
          FROM ledger_journal j
          JOIN ledger_posting g ON g.journal_id = j.id
          JOIN ledger_account a ON a.id IN (g.debit_id, g.credit_id) AND a.kind = 'payable'
          WHERE j.kind IN ('payout', 'payout_returned') GROUP BY 1, 2, 3) l
    FULL JOIN (SELECT society_id, holder_id, currency::char(3) AS currency, sum(gross) AS total FROM royalties_payment
               WHERE status IN ('ordered', 'sent', 'settled') GROUP BY 1, 2, 3) p
      ON p.society_id = l.society_id AND p.holder_id = l.holder_id AND p.currency = l.currency
    WHERE coalesce(l.total, 0) <> coalesce(p.total, 0)"""
# An entry of the bank is for the whole of a payment, which was carried out or came back; one debit and one credit at most.
_ENTRIES: Final = """
    SELECT p.end_to_end_id, concat('is ', p.status, ' with ', p.net, ', ', count(*), CASE e.sign WHEN 1 THEN ' credits' ELSE ' debits' END,
                                   ' of the bank have ', sum(a.amount))
    FROM royalties_application a
    JOIN royalties_entry e ON e.id = a.entry_id
    JOIN royalties_payment p ON p.id = a.object_id
    WHERE a.object_kind = 'payment' GROUP BY p.id, e.sign
    HAVING count(*) > 1 OR sum(a.amount) <> p.net OR (e.sign = 1 AND p.back_id IS NULL) OR (e.sign = -1 AND p.journal_id IS NULL)"""
_CHECKS: Final = {
    "sums": _SUMS, "tax_lines": _TAXES, "carried_forward": _CARRIED, "paid_and_carried": _BOTH, "paying": _PAYING,
    "tax_accounts": _TAX_ACCOUNTS, "journal": _JOURNALS, "states": _STATES, "paid_once": _ONCE, "entries": _ENTRIES,
}  # fmt: skip


def problems() -> list[dict[str, Any]]:
    """Every broken invariant of every payout, as {what, subject, detail}; empty when all is well."""
    found = []
    with connection.cursor() as cursor:
        for name, query in _CHECKS.items():
            cursor.execute(f"{query} LIMIT %s", [MOST])
            found += [
                {"what": f"payouts.{name}", "subject": str(subject), "detail": detail}
                for subject, detail in cursor.fetchall()
            ]
    return found


def identity(batch: Batch) -> dict[str, int]:
    """Where what was taken from holders goes, from the payments themselves: tax by name, the holders, third parties.

    gross = the sum of the taxes + own + others.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, sum(amount)::bigint FROM royalties_paymenttax WHERE batch_id = %s AND amount > 0 GROUP BY name ORDER BY name",
            [batch.pk],
        )
        taxes = dict(cursor.fetchall())
        cursor.execute(
            "SELECT coalesce(sum(net) FILTER (WHERE entitlement_id IS NULL), 0)::bigint, "
            "coalesce(sum(net) FILTER (WHERE entitlement_id IS NOT NULL), 0)::bigint FROM royalties_payment WHERE batch_id = %s",
            [batch.pk],
        )
        own, others = cursor.fetchone()
    return {**{f"tax:{name}": amount for name, amount in taxes.items()}, "own": own, "others": others}
