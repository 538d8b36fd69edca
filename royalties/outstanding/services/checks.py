"""What must hold of notices and resolutions, looked for in what is stored: for `verify`."""

from __future__ import annotations

from typing import Any, Final

from django.db import connection

from royalties.outstanding.services.noticing import DIGEST

# A published list is what its digest says; an amount is noted in a list of its own society.
_NOTICES: Final = f"""
    SELECT 'notice', n.id::text, 'its entries are not those that were published' FROM royalties_publicnotice n
    LEFT JOIN (SELECT notice_id, count(*) AS entries, {DIGEST} AS sha256 FROM royalties_noticeentry GROUP BY 1) e ON e.notice_id = n.id
    WHERE (e.entries, e.sha256) IS DISTINCT FROM (n.entries, n.sha256)
    UNION ALL
    SELECT 'notice', x.allocation_id::text, 'its first day in a public list is not that of the list'
    FROM royalties_noticedallocation x LEFT JOIN royalties_publicnotice n ON n.id = x.notice_id
    WHERE n.published_on IS DISTINCT FROM x.noticed_on"""
# A warning is about what it lists; a resolution lists what it says, and moved all of that or nothing.
_RESOLUTIONS: Final = """
    SELECT 'warning', n.id::text, concat('it says ', n.allocations, ' amounts and lists ', coalesce(w.n, 0))
    FROM royalties_expirywarning n
    LEFT JOIN (SELECT warning_id, count(*) AS n FROM royalties_warnedallocation GROUP BY 1) w ON w.warning_id = n.id
    WHERE coalesce(w.n, 0) <> n.allocations
    UNION ALL
    SELECT 'resolution', r.id::text, concat('it says ', r.amount, ', lists ', coalesce(l.amount, 0), ' and moved ', coalesce(e.amount, 0))
    FROM royalties_resolution r
    LEFT JOIN (SELECT resolution_id, count(*) AS n, sum(amount) AS amount FROM royalties_resolutionallocation GROUP BY 1) l
      ON l.resolution_id = r.id
    LEFT JOIN (SELECT resolution_id, count(*) AS n, sum(amount) AS amount FROM royalties_expiredallocation GROUP BY 1) e
      ON e.resolution_id = r.id
    WHERE (coalesce(l.n, 0), coalesce(l.amount, 0)) <> (r.allocations, r.amount)
       OR (coalesce(e.n, 0), coalesce(e.amount, 0)) <> (CASE WHEN r.status = 'executed' THEN r.allocations ELSE 0 END,
                                                        CASE WHEN r.status = 'executed' THEN r.amount ELSE 0 END)"""


def problems() -> list[dict[str, Any]]:
    """Broken invariants as {what, subject, detail}; empty when all is well."""
    with connection.cursor() as cursor:
        cursor.execute(f"{_NOTICES} UNION ALL {_RESOLUTIONS}")
        return [
            {"what": f"outstanding.{what}", "subject": subject, "detail": detail}
            for what, subject, detail in cursor.fetchall()
        ]
