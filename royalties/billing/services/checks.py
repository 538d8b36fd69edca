"""What must always hold of invoices and receipts, looked for in what is stored."""

from __future__ import annotations

from typing import Any, Final

from django.db import connection

LIMIT = 1000

# Each gives (subject, detail) of what is wrong; a sound book gives no row.
_CHECKS: Final = {
    "lines": """
        SELECT i.number, format('lines sum to %%s, net is %%s', coalesce(sum(l.amount), 0), i.net)
        FROM royalties_invoice i LEFT JOIN royalties_invoiceline l ON l.invoice_id = i.id AND l.model <> 'credit_carried'
        GROUP BY i.id HAVING coalesce(sum(l.amount), 0) <> i.net""",
    "carried": """
        SELECT i.number, format('a line carries %%s over, the invoice %%s', coalesce(-sum(l.amount), 0), i.carried)
        FROM royalties_invoice i LEFT JOIN royalties_invoiceline l ON l.invoice_id = i.id AND l.model = 'credit_carried'
        GROUP BY i.id HAVING coalesce(-sum(l.amount), 0) <> i.carried""",
    "previously_billed": """
        SELECT i.number, format('subtracts %%s, earlier invoices and credit notes sum to %%s', i.previously_billed, coalesce(sum(e.net), 0))
        FROM royalties_invoice i
        LEFT JOIN royalties_invoice e ON e.licence_id = i.licence_id AND e.period = i.period AND e.id < i.id
         AND e.kind <> 'compensation' AND i.kind <> 'compensation'
        GROUP BY i.id HAVING coalesce(sum(e.net), 0) <> i.previously_billed""",
    "total": """
        SELECT i.number, format('with all before it bills %%s, its rating says %%s', i.previously_billed + i.net, i.rating->>'amount')
        FROM royalties_invoice i
        WHERE i.kind <> 'compensation' AND i.previously_billed + i.net <> (i.rating->>'amount')::bigint""",
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
        SELECT i.number, format('net settled is %%s of %%s, pro rata it is %%s', s.net, s.gross,
               div(2 * s.gross * (i.net - i.carried_net) + (i.gross - i.carried), 2 * (i.gross - i.carried)))
        FROM royalties_invoice i
        JOIN (SELECT invoice_id, sum(net) AS net, sum(gross) AS gross
              FROM (SELECT invoice_id, net, amount AS gross FROM royalties_receipt
                    UNION ALL SELECT invoice_id, net, net + vat FROM royalties_invoicecredit WHERE NOT returned
                    UNION ALL SELECT invoice_id, net, amount FROM royalties_writeoff WHERE status = 'approved') settled
              GROUP BY 1) s ON s.invoice_id = i.id
        WHERE i.gross > i.carried
          AND s.net <> div(2 * s.gross * (i.net - i.carried_net) + (i.gross - i.carried), 2 * (i.gross - i.carried))""",
    "credited": """
        SELECT i.number, format('credit notes take off %%s, credited is %%s', coalesce(sum(c.net + c.vat), 0), i.credited)
        FROM royalties_invoice i LEFT JOIN royalties_invoicecredit c ON c.invoice_id = i.id AND NOT c.returned
        WHERE i.kind <> 'credit' GROUP BY i.id HAVING coalesce(sum(c.net + c.vat), 0) <> i.credited""",
    "written_off": """
        SELECT i.number, format('write-offs sum to %%s, written off is %%s', coalesce(sum(w.amount), 0), i.written_off)
        FROM royalties_invoice i LEFT JOIN royalties_writeoff w ON w.invoice_id = i.id AND w.status = 'approved'
        GROUP BY i.id HAVING coalesce(sum(w.amount), 0) <> i.written_off""",
    "refund": """
        SELECT format('refund:%%s', r.id), format('%%s of %%s are set apart in the ledger', coalesce(a.credits - a.debits, 0),
               CASE WHEN r.status = 'approved' THEN r.amount ELSE 0 END)
        FROM royalties_refund r
        LEFT JOIN ledger_account a ON a.society_id = r.society_id AND a.kind = 'refunding' AND a.owner_id = r.id
        WHERE coalesce(a.credits - a.debits, 0) <> CASE WHEN r.status = 'approved' THEN r.amount ELSE 0 END""",
    "receipt_of_entry": """
        SELECT format('receipt:%%s', r.id), format('takes %%s of its bank entry, the bank has %%s for it',
               coalesce(r.paid_amount, r.amount - r.charges), coalesce(a.amount, 0))
        FROM royalties_receipt r
        LEFT JOIN royalties_application a ON a.entry_id = r.entry_id AND a.object_kind = 'receipt' AND a.object_id = r.id
        WHERE r.entry_id IS NOT NULL AND coalesce(a.amount, 0) <> coalesce(r.paid_amount, r.amount - r.charges)""",
    "returned": """
        SELECT i.number, format('credit notes return %%s net and %%s VAT, paid are %%s and %%s', c.net, c.vat, p.net, p.vat)
        FROM royalties_invoice i
        JOIN (SELECT invoice_id, sum(net) AS net, sum(vat) AS vat FROM royalties_invoicecredit WHERE returned GROUP BY 1) c
          ON c.invoice_id = i.id
        CROSS JOIN LATERAL (SELECT i.carried_net + coalesce(sum(r.net), 0) AS net,
                                   i.carried - i.carried_net + coalesce(sum(r.vat), 0) AS vat
                            FROM royalties_receipt r WHERE r.invoice_id = i.id) p
        WHERE c.net > p.net OR c.vat > p.vat""",
    "credit_note": """
        SELECT n.number, format('takes back %%s net and %%s VAT, its parts are %%s and %%s', -n.net, -n.vat,
               coalesce(sum(c.net), 0), coalesce(sum(c.vat), 0))
        FROM royalties_invoice n
        LEFT JOIN (SELECT c.credit_id, c.net, c.vat FROM royalties_invoicecredit c
                   JOIN royalties_invoice i ON i.id = c.invoice_id
                   JOIN royalties_invoice o ON o.id = c.credit_id AND o.licence_id = i.licence_id AND o.period = i.period
                   WHERE i.kind NOT IN ('credit', 'compensation') AND i.id < o.id) c ON c.credit_id = n.id
        WHERE n.kind = 'credit' OR EXISTS (SELECT FROM royalties_invoicecredit x WHERE x.credit_id = n.id)
        GROUP BY n.id HAVING (coalesce(sum(c.net), 0), coalesce(sum(c.vat), 0)) <> (-n.net, -n.vat)""",
    "journal": """
        SELECT i.number, format('posted %%s net and %%s VAT, the invoice asks for %%s and %%s', p.net, p.vat, i.net, i.vat)
        FROM royalties_invoice i CROSS JOIN LATERAL (
          SELECT coalesce(sum(p.amount) FILTER (WHERE d.kind = 'receivable' AND c.kind = 'billed' AND c.owner_id = i.id), 0) AS net,
                 coalesce(sum(p.amount) FILTER (WHERE d.kind = 'receivable' AND c.kind = 'vat'), 0) AS vat,
                 coalesce(sum(p.amount) FILTER (WHERE d.kind = 'favour' AND c.kind = 'receivable'), 0) AS carried,
                 coalesce(sum(p.amount) FILTER (WHERE d.kind = 'billed' AND d.owner_id = i.id AND c.kind = 'credited'), 0) AS carried_net,
                 coalesce(sum(p.amount), 0) AS total
          FROM ledger_posting p JOIN ledger_account d ON d.id = p.debit_id JOIN ledger_account c ON c.id = p.credit_id
          WHERE p.journal_id = i.journal_id) p
        WHERE i.kind <> 'credit'
          AND (p.net, p.vat, p.carried, p.carried_net, p.total)
              <> (i.net, i.vat, i.carried, i.carried_net, i.gross + i.carried + i.carried_net)""",
    "credit_journal": """
        SELECT i.number, format('posted %%s off what is open and %%s in favour, its parts say %%s and %%s',
               p.opened, p.favour, c.opened, c.favour)
        FROM royalties_invoice i CROSS JOIN LATERAL (
          SELECT coalesce(sum(p.amount) FILTER (WHERE c.kind = 'receivable'), 0) AS opened,
                 coalesce(sum(p.amount) FILTER (WHERE c.kind = 'favour' AND c.owner_id = i.licence_id), 0) AS favour,
                 coalesce(sum(p.amount) FILTER (WHERE d.kind = 'vat'), 0) AS vat, coalesce(sum(p.amount), 0) AS total
          FROM ledger_posting p JOIN ledger_account d ON d.id = p.debit_id JOIN ledger_account c ON c.id = p.credit_id
          WHERE p.journal_id = i.journal_id) p
        CROSS JOIN LATERAL (
          SELECT coalesce(sum(c.net + c.vat) FILTER (WHERE NOT c.returned), 0) AS opened,
                 coalesce(sum(c.net + c.vat) FILTER (WHERE c.returned), 0) AS favour
          FROM royalties_invoicecredit c WHERE c.credit_id = i.id) c
        WHERE i.kind = 'credit' AND (p.opened, p.favour, p.vat, p.total) <> (c.opened, c.favour, -i.vat, -i.gross)""",
    "favour": """
        SELECT format('licence:%%s', coalesce(a.licence_id, i.licence_id)),
               format('in its favour stand %%s, net %%s, in the ledger, by its documents %%s and %%s',
                      coalesce(a.favour, 0), coalesce(a.net, 0), coalesce(i.favour, 0), coalesce(i.net, 0))
        FROM (SELECT owner_id AS licence_id, currency, sum(credits - debits) FILTER (WHERE kind = 'favour') AS favour,
                     coalesce(sum(debits - credits) FILTER (WHERE kind = 'credited'), 0) AS net
              FROM ledger_account WHERE kind IN ('favour', 'credited') GROUP BY 1, 2) a
        FULL JOIN (SELECT licence_id, currency, sum(favour) AS favour, sum(net) AS net FROM (
                     SELECT i.licence_id, i.currency, coalesce(c.gross, 0) - i.carried AS favour,
                            coalesce(c.net, 0) - i.carried_net AS net
                     FROM royalties_invoice i
                     LEFT JOIN (SELECT credit_id, sum(net) AS net, sum(net + vat) AS gross FROM royalties_invoicecredit
                                WHERE returned GROUP BY 1) c ON c.credit_id = i.id
                     UNION ALL SELECT licence_id, currency, -amount, -net FROM royalties_refund
                     WHERE licence_id IS NOT NULL AND status IN ('approved', 'paid')) moved GROUP BY 1, 2) i
          ON i.licence_id = a.licence_id AND i.currency = a.currency
        WHERE (coalesce(a.favour, 0), coalesce(a.net, 0)) <> (coalesce(i.favour, 0), coalesce(i.net, 0))""",
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
        SELECT i.number, format('billed and not received is %%s in the ledger, %%s by its receipts and credit notes',
               coalesce(a.credits - a.debits, 0), greatest(i.net, 0) - i.carried_net - coalesce(s.net, 0))
        FROM royalties_invoice i
        LEFT JOIN (SELECT invoice_id, sum(net) AS net
                   FROM (SELECT invoice_id, net FROM royalties_receipt
                         UNION ALL SELECT invoice_id, net FROM royalties_invoicecredit WHERE NOT returned
                         UNION ALL SELECT invoice_id, net FROM royalties_writeoff WHERE status = 'approved') settled
                   GROUP BY 1) s ON s.invoice_id = i.id
        LEFT JOIN ledger_account a ON a.society_id = i.society_id AND a.kind = 'billed' AND a.owner_id = i.id AND a.currency = i.currency
        WHERE coalesce(a.credits - a.debits, 0) <> greatest(i.net, 0) - i.carried_net - coalesce(s.net, 0)""",
    "receivable": """
        SELECT format('licensee:%%s', coalesce(a.owner_id, i.licensee_id)),
               format('owes %%s in the ledger, %%s by its invoices', coalesce(a.owed, 0), coalesce(i.owed, 0))
        FROM (SELECT society_id, owner_id, currency, debits - credits AS owed FROM ledger_account WHERE kind = 'receivable') a
        FULL JOIN (SELECT society_id, licensee_id, currency, sum(gross - received - carried - credited - written_off) AS owed
                   FROM royalties_invoice GROUP BY 1, 2, 3) i
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
