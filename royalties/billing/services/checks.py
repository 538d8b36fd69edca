"""What must always hold of invoices and receipts, looked for in what is stored."""

from __future__ import annotations

from typing import Any, Final

from django.db import connection

LIMIT = 1000

# Each gives (subject, detail) of what is wrong; a sound book gives no row.
_CHECKS: Final = {
    "lines": """
        SELECT i.number, format('lines sum to %%s, net is %%s', coalesce(sum(l.amount), 0), i.net)
        FROM royalties_invoice i LEFT JOIN royalties_invoiceline l ON l.invoice_id = i.id
        GROUP BY i.id HAVING coalesce(sum(l.amount), 0) <> i.net""",
    "previously_billed": """
        SELECT i.number, format('subtracts %%s, earlier invoices asked for %%s', i.previously_billed, coalesce(sum(e.net), 0))
        FROM royalties_invoice i
        LEFT JOIN royalties_invoice e ON e.licence_id = i.licence_id AND e.period = i.period AND e.id < i.id
         AND e.kind = 'use' AND i.kind = 'use'
        GROUP BY i.id HAVING coalesce(sum(e.net), 0) <> i.previously_billed""",
    "compensation": """
        SELECT i.number, format('asks for %%s, case %%s was settled on %%s', i.net, c.id, coalesce(c.amount, 0))
        FROM royalties_invoice i JOIN licensing_case c ON c.id = i.case_id
        WHERE c.status <> 'settled' OR c.amount IS DISTINCT FROM i.net OR c.society_id <> i.society_id
           OR c.licensee_id <> i.licensee_id OR c.currency <> i.currency""",
    "received": """
        SELECT i.number, format('receipts sum to %%s, received is %%s', coalesce(sum(r.amount), 0), i.received)
        FROM royalties_invoice i LEFT JOIN royalties_receipt r ON r.invoice_id = i.id
        GROUP BY i.id HAVING coalesce(sum(r.amount), 0) <> i.received""",
    "split": """
        SELECT i.number, format('net received is %%s of %%s, pro rata it is %%s', sum(r.net), sum(r.amount),
               div(2 * sum(r.amount) * i.net + i.gross, 2 * i.gross))
        FROM royalties_invoice i JOIN royalties_receipt r ON r.invoice_id = i.id
        GROUP BY i.id HAVING sum(r.net) <> div(2 * sum(r.amount) * i.net + i.gross, 2 * i.gross)""",
    "journal": """
        SELECT i.number, format('posted %%s net and %%s VAT, the invoice asks for %%s and %%s', p.net, p.vat, i.net, i.vat)
        FROM royalties_invoice i CROSS JOIN LATERAL (
          SELECT coalesce(sum(p.amount) FILTER (WHERE c.kind = 'billed' AND c.owner_id = i.id), 0) AS net,
                 coalesce(sum(p.amount) FILTER (WHERE c.kind = 'vat'), 0) AS vat, coalesce(sum(p.amount), 0) AS total
          FROM ledger_posting p JOIN ledger_account c ON c.id = p.credit_id WHERE p.journal_id = i.journal_id) p
        WHERE (p.net, p.vat, p.total) <> (i.net, i.vat, i.gross)""",
    "pool": """
        SELECT i.number, format('the pool was credited %%s, receipts brought %%s net', coalesce(p.credited, 0), r.net)
        FROM royalties_invoice i
        JOIN (SELECT invoice_id, sum(net) AS net FROM royalties_receipt GROUP BY 1) r ON r.invoice_id = i.id
        LEFT JOIN (SELECT r.invoice_id, sum(p.amount) AS credited
                   FROM royalties_receipt r JOIN ledger_posting p ON p.journal_id = r.journal_id
                   JOIN ledger_account a ON a.id = p.credit_id AND a.kind = 'pool' AND a.owner_id = r.invoice_id GROUP BY 1) p
          ON p.invoice_id = i.id
        WHERE coalesce(p.credited, 0) <> r.net""",
    "billed": """
        SELECT i.number, format('billed and not received is %%s in the ledger, %%s by its receipts',
               coalesce(a.credits - a.debits, 0), i.net - coalesce(r.net, 0))
        FROM royalties_invoice i
        LEFT JOIN (SELECT invoice_id, sum(net) AS net FROM royalties_receipt GROUP BY 1) r ON r.invoice_id = i.id
        LEFT JOIN ledger_account a ON a.society_id = i.society_id AND a.kind = 'billed' AND a.owner_id = i.id AND a.currency = i.currency
        WHERE coalesce(a.credits - a.debits, 0) <> i.net - coalesce(r.net, 0)""",
    "receivable": """
        SELECT format('licensee:%%s', coalesce(a.owner_id, i.licensee_id)),
               format('owes %%s in the ledger, %%s by its invoices', coalesce(a.owed, 0), coalesce(i.owed, 0))
        FROM (SELECT society_id, owner_id, currency, debits - credits AS owed FROM ledger_account WHERE kind = 'receivable') a
        FULL JOIN (SELECT society_id, licensee_id, currency, sum(gross - received) AS owed FROM royalties_invoice GROUP BY 1, 2, 3) i
          ON i.society_id = a.society_id AND i.licensee_id = a.owner_id AND i.currency = a.currency
        WHERE coalesce(a.owed, 0) <> coalesce(i.owed, 0)""",
    "numbers": """
        SELECT format('society:%%s', society_id), format('%%s: %%s invoices, the last number is %%s', year, count(*), max(place))
        FROM (SELECT society_id, substring(number FROM '-([0-9]{4})-[0-9]+$') AS year, substring(number FROM '[0-9]+$')::bigint AS place
              FROM royalties_invoice) numbered
        GROUP BY society_id, year HAVING count(*) <> max(place)""",
}  # fmt: skip


def problems() -> list[dict[str, Any]]:
    """Every broken invariant of billing as {what, subject, detail}; empty when all is well."""
    found: list[dict[str, Any]] = []
    with connection.cursor() as cursor:
        for name, query in _CHECKS.items():
            cursor.execute(f"{query} LIMIT %s", [LIMIT])
            found += [
                {"what": f"billing.{name}", "subject": str(subject), "detail": detail}
                for subject, detail in cursor.fetchall()
            ]
    return found
