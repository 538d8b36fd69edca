"""What the next run of a society and currency takes from earlier runs."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from royalties.distribution.services import leftovers
from royalties.distribution.services.affected import DECLARATIONS, affected, in_words

# Amounts in suspense of posted runs that matched nothing then and mean a work now, none of them taken by another run. While nobody
# is on record as a holder of that work, they go on waiting as they are.
# Parameters: run, society, currency, run.
_OPEN: Final = """
    SELECT a.id, a.pool_id, a.run_id, r.period, m.work_id, a.scheme, a.value, a.amount, a.used_on
    FROM royalties_run r
    JOIN royalties_allocation a ON a.run_id = r.id AND a.status = 'suspense' AND a.reason = 'unmatched' AND a.amount > 0
    CROSS JOIN LATERAL (SELECT licensing_meaning(r.society_id, a.scheme, a.value) AS work_id) m
    WHERE NOT EXISTS (SELECT FROM royalties_runrelease x JOIN royalties_runpool p ON p.id = x.pool_id
                      WHERE x.allocation_id = a.id AND x.active AND p.run_id <> %s)
      AND r.society_id = %s AND r.currency = %s AND r.status IN ('posted', 'published')
      AND NOT EXISTS (SELECT FROM royalties_runcorrection c JOIN royalties_runpool p ON p.id = c.pool_id
                      WHERE c.corrected_id = a.pool_id AND c.active AND p.run_id <> %s)
      AND EXISTS (SELECT FROM licensing_share s WHERE s.work_id = m.work_id AND s.valid && daterange(a.used_on, NULL))
      AND NOT EXISTS (SELECT FROM royalties_expiredallocation e WHERE e.allocation_id = a.id)"""

# The rule of a pool `p` (see `RunPool.rule`).
_RULE: Final = """(
      WITH RECURSIVE up AS (
        SELECT q.origin_id, q.run_id, q.kind FROM royalties_runpool q WHERE q.id = p.id
        UNION ALL
        SELECT o.origin_id, o.run_id, o.kind FROM up JOIN royalties_runpool o ON o.id = up.origin_id WHERE up.kind = 'correction')
      SELECT n.rule_id FROM up JOIN royalties_run n ON n.id = up.run_id WHERE up.kind = 'receipts')"""

# Their uses, weighed by the rule of the run that they come from; of compensation, as its pool weighed them.
# Parameters: those of `_OPEN`, pools to leave out, those of the uses.
SUSPENDED_USES: Final = f"""
    WITH candidate AS MATERIALIZED ({_OPEN} AND a.pool_id <> ALL(%s::bigint[])
    ), ruled AS MATERIALIZED (
      SELECT p.id AS pool_id, {_RULE} AS rule_id FROM royalties_runpool p WHERE p.id IN (SELECT pool_id FROM candidate)
    )
    SELECT c.id, c.pool_id, c.work_id, c.scheme, c.value, c.amount, d.licence_id, d.territory, u.use, u.unit, u.used_on, u.units,
           u.units * coalesce((r.document->'use_weights'->>u.use)::numeric, 0) * coalesce((r.document->'unit_weights'->>u.unit)::numeric, 1)
                   * coalesce((r.document->'kind_points'->>u.kind)::numeric, 1)
    FROM candidate c
    JOIN ruled l ON l.pool_id = c.pool_id
    JOIN royalties_rule r ON r.id = l.rule_id
    JOIN royalties_runpooldeclaration b ON b.pool_id = c.pool_id
    JOIN licensing_declaration d ON d.id = b.declaration_id
    JOIN ({{uses}}) u ON u.declaration_id = b.declaration_id AND u.scheme = c.scheme AND u.value = c.value
    UNION ALL
    SELECT c.id, c.pool_id, c.work_id, c.scheme, c.value, c.amount, 0, '', u.use, u.unit, u.used_on, u.units, u.units * u.ppm
    FROM candidate c
    JOIN royalties_runpool p ON p.id = c.pool_id
    JOIN royalties_invoice i ON i.id = p.invoice_id
    JOIN licensing_caseuse u ON u.case_id = i.case_id AND u.work_id IS NULL AND u.scheme = c.scheme AND u.value = c.value"""

# The uses of declarations that weigh now in a pool that is divided anew. Parameters: pools, declarations, those of the uses.
CORRECTED_USES: Final = (
    """
    SELECT p.id, coalesce(m.survivor_id, u.work_id), u.scheme, u.value, u.used_on,
           u.units * coalesce((r.document->'use_weights'->>u.use)::numeric, 0) * coalesce((r.document->'unit_weights'->>u.unit)::numeric, 1)
                   * coalesce((r.document->'kind_points'->>u.kind)::numeric, 1)
    FROM unnest(%s::bigint[], %s::bigint[]) b (pool_id, declaration_id)
    JOIN royalties_runpool p ON p.id = b.pool_id
    JOIN royalties_rule r ON r.id = """
    + _RULE
    + """
    JOIN ({uses}) u ON u.declaration_id = b.declaration_id
    LEFT JOIN licensing_merged m ON m.work_id = u.work_id"""
)

# Pools that were distributed by other declarations than those that stand now, and those named. Parameters: society, currency, run, pools.
_CORRECTIONS: Final = """
    SELECT p.id, p.run_id, i.number, p.distributable, n.period, before.those, now.those,
           EXISTS (SELECT FROM royalties_expiredpool e WHERE e.pool_id = p.id), before.those IS DISTINCT FROM now.those
    FROM royalties_run n
    JOIN royalties_runpool p ON p.run_id = n.id AND p.kind <> 'release'
    JOIN royalties_invoice i ON i.id = p.invoice_id AND i.kind <> 'compensation'
    LEFT JOIN (SELECT pool_id, array_agg(declaration_id ORDER BY declaration_id) AS those
               FROM royalties_runpooldeclaration GROUP BY 1) before ON before.pool_id = p.id
    LEFT JOIN (SELECT invoice_id, array_agg(declaration_id ORDER BY declaration_id) AS those
               FROM royalties_pooldeclaration GROUP BY 1) now ON now.invoice_id = i.id
    WHERE n.society_id = %s AND n.currency = %s AND n.status IN ('posted', 'published') AND p.distributable > 0
      AND NOT EXISTS (SELECT FROM royalties_runcorrection c JOIN royalties_runpool q ON q.id = c.pool_id
                      WHERE c.corrected_id = p.id AND c.active AND q.run_id <> %s)
      AND (before.those IS DISTINCT FROM now.those OR p.id = ANY(%s::bigint[]))
    ORDER BY p.id"""


def open_values(society_id: int, currency: str, run_id: int) -> list[Any]:
    return [run_id, society_id, currency, run_id]


@dataclass(frozen=True, slots=True)
class Released:
    """What waits in one run and would be released now, in minor units: `identifiers` that mean a work, or settled amounts."""

    currency: str
    run: int
    period: tuple[datetime.date, datetime.date]
    amount: int
    identifiers: int
    because: str = "match"  # or shares


@dataclass(frozen=True, slots=True)
class Correction:
    """A pool that was distributed by declarations of which some stand no longer, or to which others came."""

    pool_id: int
    run: int
    invoice: str
    currency: str
    amount: int
    period: tuple[datetime.date, datetime.date]
    before: tuple[int, ...]
    now: tuple[int, ...]
    expired: bool = False  # some of it was declared non-distributable: it stays as it is
    reasons: tuple[str, ...] = ()  # declarations | shares | works | match

    @property
    def why(self) -> list[str]:
        return in_words(self.reasons)

    @property
    def offered(self) -> bool:
        """Whether it is divided anew only where somebody asks for it."""
        return bool(self.now) and not self.expired and DECLARATIONS not in self.reasons


def releases(society_id: int, currency: str, *, run_id: int = 0) -> list[Released]:
    """What waits and is released next, by run; `run_id` does not count what this run has."""
    sql = f"SELECT run_id, period, sum(amount)::bigint, count(*) FROM ({_OPEN}) a GROUP BY 1, 2 ORDER BY 1"
    with connection.cursor() as cursor:
        cursor.execute(sql, open_values(society_id, currency, run_id))
        rows = [(run, period, amount, many, "match") for run, period, amount, many in cursor.fetchall()]
    rows += [(*row, "shares") for row in leftovers.by_run(society_id, currency, run_id=run_id)]
    return [
        Released(currency, run, (period.lower, period.upper), int(amount), many, because)
        for run, period, amount, many, because in rows
    ]


def corrections(society_id: int, currency: str, *, run_id: int = 0, chosen: Collection[int] = ()) -> list[Correction]:
    """Pools that the next run divides anew: those whose declarations are others now, and those that somebody chose.

    What no declaration of now weighs in waits until one is billed (`waiting_corrections`).
    """
    found = changed_pools(society_id, currency, run_id=run_id)
    taken = [each for each in found if each.now and not each.expired]
    return [each for each in taken if not each.offered or each.pool_id in chosen]


def changed_pools(society_id: int, currency: str, *, run_id: int = 0) -> list[Correction]:
    """All distributed pools that would be divided otherwise today, with the reasons."""
    because = affected(society_id, currency, run_id=run_id)
    with connection.cursor() as cursor:
        cursor.execute(_CORRECTIONS, [society_id, currency, run_id, list(because)])
        return [
            Correction(
                pool, run, number, currency, amount, (period.lower, period.upper), tuple(before or ()), tuple(now or ()), expired,
                (*([DECLARATIONS] if amended else []), *because.get(pool, ())),
            )
            for pool, run, number, amount, period, before, now, expired, amended in cursor.fetchall()
        ]  # fmt: skip


def currencies(society_id: int) -> list[str]:
    """The currencies in which a society has distributed."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT currency FROM royalties_run WHERE society_id = %s AND status IN ('posted', 'published') ORDER BY 1",
            [society_id],
        )
        return [currency for (currency,) in cursor.fetchall()]
