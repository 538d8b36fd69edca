"""What must always hold of entitlements, advances and sister societies, looked for in what is stored."""

from __future__ import annotations

from typing import Any, Final

from django.db import connection

LIMIT: Final = 1000
_CHECKS: Final = {
    "entitlements.advances": """
        SELECT format('society:%%s holder:%%s', coalesce(v.society_id, a.society_id), coalesce(v.holder_id, a.owner_id)),
               format('%%s open by advances, %%s by the ledger', coalesce(v.open, 0), coalesce(a.debits - a.credits, 0))
        FROM (SELECT society_id, holder_id, currency, sum(amount - recouped - written_off) AS open FROM royalties_advance
              WHERE paid_on IS NOT NULL GROUP BY 1, 2, 3) v
        FULL JOIN (SELECT * FROM ledger_account WHERE kind = 'advance') a
          ON a.society_id = v.society_id AND a.owner_id = v.holder_id AND a.currency = v.currency
        WHERE coalesce(v.open, 0) <> coalesce(a.debits - a.credits, 0)""",
    "entitlements.advance_moves": """
        SELECT format('advance:%%s', v.id), format('%%s recouped and %%s written off; its moves say otherwise', v.recouped, v.written_off)
        FROM royalties_advance v LEFT JOIN royalties_advancemove m ON m.advance_id = v.id
        GROUP BY v.id HAVING v.recouped <> coalesce(sum(m.amount) FILTER (WHERE m.kind = 'recouped'), 0)
          OR v.written_off <> coalesce(sum(m.amount) FILTER (WHERE m.kind = 'written_off'), 0)
          OR (v.paid_on IS NOT NULL AND v.amount <> coalesce(sum(m.amount) FILTER (WHERE m.kind = 'paid'), 0))""",
    "entitlements.sisters": """
        SELECT format('society:%%s sister:%%s', coalesce(s.society_id, a.society_id), coalesce(s.sister_id, a.owner_id)),
               format('%%s to be paid by statements, %%s by the ledger', coalesce(s.net, 0), coalesce(a.credits - a.debits, 0))
        FROM (SELECT society_id, sister_id, currency, sum(net) AS net FROM royalties_sisterstatement
              WHERE status = 'open' GROUP BY 1, 2, 3) s
        FULL JOIN (SELECT * FROM ledger_account WHERE kind = 'sister') a
          ON a.society_id = s.society_id AND a.owner_id = s.sister_id AND a.currency = s.currency
        WHERE coalesce(s.net, 0) <> coalesce(a.credits - a.debits, 0)""",
    "entitlements.statement": """
        SELECT format('sister_statement:%%s', s.id),
               format('%%s gross and %%s net over %%s holders; its lines say otherwise', s.gross, s.net, s.holders)
        FROM royalties_sisterstatement s
        LEFT JOIN (SELECT statement_id, count(*) AS holders, sum(gross) AS gross, sum(net) AS net FROM royalties_sisterline GROUP BY 1) l
          ON l.statement_id = s.id
        WHERE (s.holders, s.gross, s.net) IS DISTINCT FROM (l.holders, l.gross, l.net)
           OR s.gross <> s.net + coalesce((SELECT sum(c) FROM unnest(s.cuts) AS c), 0)""",
    "entitlements.moves": """
        SELECT format('journal:%%s', coalesce(m.journal_id, p.journal_id)),
               format('%%s moved between holders by entitlements, %%s by the ledger', coalesce(m.amount, 0), coalesce(p.amount, 0))
        FROM (SELECT journal_id, sum(amount) AS amount FROM royalties_entitlementmove GROUP BY 1) m
        FULL JOIN (
          SELECT p.journal_id, sum(p.amount) AS amount FROM ledger_journal j JOIN ledger_posting p ON p.journal_id = j.id
          JOIN ledger_account d ON d.id = p.debit_id JOIN ledger_account c ON c.id = p.credit_id
          WHERE j.kind = 'entitlements' AND d.kind = 'payable' AND c.kind = 'payable' GROUP BY 1) p USING (journal_id)
        WHERE m.amount IS DISTINCT FROM p.amount""",
    "entitlements.paid": """
        SELECT format('entitlement:%%s', e.id), format('%%s paid; its payments say otherwise', e.paid)
        FROM royalties_entitlement e LEFT JOIN royalties_entitlementpayment p ON p.entitlement_id = e.id
        WHERE e.ceiling IS NOT NULL GROUP BY e.id HAVING e.paid <> coalesce(sum(p.amount), 0)""",
    "entitlements.portions": """
        SELECT format('entitlement:%%s', e.id), format('portions of this kind come to %%s ppm on its first day', sum(o.ppm))
        FROM royalties_entitlement e JOIN royalties_entitlement o
          ON o.holder_id = e.holder_id AND o.kind = e.kind AND o.status = 'approved' AND o.valid @> lower(e.valid)
        WHERE e.status = 'approved' GROUP BY e.id HAVING sum(o.ppm) > 1000000""",
}


def problems() -> list[dict[str, Any]]:
    """Every broken invariant as {what, subject, detail}; empty when all is well."""
    found: list[dict[str, Any]] = []
    with connection.cursor() as cursor:
        for what, query in _CHECKS.items():
            cursor.execute(f"{query} LIMIT %s", [LIMIT])
            found += [{"what": what, "subject": subject, "detail": detail} for subject, detail in cursor.fetchall()]
    return found
