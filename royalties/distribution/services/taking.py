"""What a run takes back of earlier ones, and what a holder who was paid too much owes."""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from accounts.identity.core import Conflict
from royalties.distribution.models import ExpiredAllocation, Run, RunCorrection, RunPool, RunRelease
from royalties.ledger import services as ledger


def released(run: Run) -> dict[str, int]:
    """What a run releases of earlier ones, by where it waits: held or in suspense."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT a.status, sum(x.amount)::bigint FROM royalties_runrelease x JOIN royalties_runpool p ON p.id = x.pool_id
            JOIN royalties_allocation a ON a.id = x.allocation_id WHERE p.run_id = %s GROUP BY 1""",
            [run.pk],
        )
        return {status: int(amount) for status, amount in cursor.fetchall()}


def taken_back(run: Run) -> dict[str, int]:
    """What a run takes back of earlier pools to divide it anew, by what became of it then."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT status, sum(amount)::bigint FROM royalties_takenback WHERE correction_run_id = %s GROUP BY 1",
            [run.pk],
        )
        return {status: int(amount) for status, amount in cursor.fetchall() if amount}


# What each holder has in hand (payable, and still to be recovered), and what the run brings: less what it takes back.
_STANDING = """
    SELECT h.holder_id, coalesce(p.credits - p.debits, 0), coalesce(o.debits - o.credits, 0), h.amount
    FROM (SELECT holder_id, sum(amount)::bigint AS amount
          FROM (SELECT holder_id, amount FROM royalties_allocation WHERE run_id = %(run)s AND status = 'payable'
                UNION ALL
                SELECT holder_id, -amount FROM royalties_takenback WHERE correction_run_id = %(run)s AND status = 'payable') x
          GROUP BY holder_id) h
    LEFT JOIN ledger_account p ON p.society_id = %(society)s AND p.kind = 'payable' AND p.owner_id = h.holder_id
     AND p.currency = %(currency)s
    LEFT JOIN ledger_account o ON o.society_id = %(society)s AND o.kind = 'recoverable' AND o.owner_id = h.holder_id
     AND o.currency = %(currency)s
    WHERE h.amount < 0 OR o.debits > o.credits"""


def recovered(run: Run) -> list[tuple[int, int, int]]:
    """Where a holder was paid more than now is due: recoverable → payable; and payable → recoverable once there is something.

    A payable never falls below zero: a holder pays nothing back but from what later runs bring.
    """
    book: Any = {"society_id": run.society_id, "currency": run.currency}
    with connection.cursor() as cursor:
        cursor.execute(_STANDING, {"run": run.pk, "society": run.society_id, "currency": run.currency})
        rows = cursor.fetchall()
    found = []
    for holder, payable, recoverable, amount in rows:
        short = -min(payable + amount, 0)
        recovered = min(recoverable, max(payable + amount, 0), max(amount, 0))
        if short or recovered:
            owed = ledger.account(kind="recoverable", owner_id=holder, **book)
            own = ledger.account(kind="payable", owner_id=holder, **book)
            found.append((owed, own, short) if short else (own, owed, recovered))
    return found


# What a run releases to a work that its identifier does not mean any more. Materialised, so that the meaning is asked of what
# is released only: pushed down, it was asked of every allocation of the run (half a minute for two million).
_MEANT_OTHERWISE = """
    WITH released AS MATERIALIZED (
      SELECT DISTINCT a.scheme, a.value, a.work_id FROM royalties_allocation a
      JOIN royalties_runpool p ON p.id = a.pool_id AND p.kind = 'release' WHERE a.run_id = %s AND a.scheme <> '')
    SELECT EXISTS (SELECT FROM released r
                   WHERE licensing_meaning(%s, r.scheme, r.value) IS DISTINCT FROM licensing_survivor(r.work_id))"""


def require_meant(run: Run) -> None:
    """Raise Conflict where a decision that a release rests on was taken back, or made otherwise, since the run was computed."""
    with connection.cursor() as cursor:
        cursor.execute(_MEANT_OTHERWISE, [run.pk, run.society_id])
        if cursor.fetchone()[0]:
            said = _("What an identifier means was decided otherwise since this run was computed. Compute it again.")
            raise Conflict("meant_otherwise", said)


def taken_further(run: Run) -> bool:
    """Whether another run has released or divided anew what this one distributed."""
    released = RunRelease.objects.filter(active=True, pool__origin__run=run)
    corrected = RunCorrection.objects.filter(active=True, corrected__run=run)
    origins = run.pools.filter(kind=RunPool.Kind.RELEASE).values("origin_id")
    with_origin = RunCorrection.objects.filter(active=True, corrected_id__in=origins).exclude(pool__run=run)
    return released.exists() or corrected.exists() or with_origin.exists()


def has_expired(run: Run) -> bool:
    """Whether a resolution declared some of what this run distributed non-distributable."""
    return ExpiredAllocation.objects.filter(allocation__run=run).exists()
