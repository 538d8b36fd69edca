"""What must hold of every run, looked for in what is stored: for `verify`, and for the review page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db import connection
from django.db.models import Count, Sum

from licensing.engine import connect
from licensing.engine.core import Engine
from royalties.distribution.models import Allocation, Run, RunCorrection, RunPool, RunReceipt, RunRelease
from royalties.distribution.services import digests
from royalties.distribution.services.compute import moved_figures, pool_figures
from royalties.distribution.services.moving import pool_name
from royalties.distribution.services.taking import taken_back

CHECKED = (Run.Status.COMPUTED, Run.Status.APPROVED, Run.Status.POSTED, Run.Status.PUBLISHED, Run.Status.REVERSED)
_TAKEN = {
    "pool_id": "BIGINT",
    "key": "VARCHAR",
    "work_id": "BIGINT",
    "holder_ref": "VARCHAR",
    "role": "VARCHAR",
    "used_on": "DATE",
    "ppm": "INTEGER",
    "weight": "DECIMAL(38,0)",
    "work_amount": "BIGINT",
    "set_amount": "BIGINT",
    "amount": "BIGINT",
    "status": "VARCHAR",
    "reason": "VARCHAR",
}
_QUERY = """
    SELECT p.id,
           coalesce(w.ref || CASE WHEN p.kind = 'release' THEN concat(' ', a.scheme, ':', a.value) ELSE '' END, a.scheme || ':' || a.value),
           a.work_id, coalesce(h.ref, ''), a.role, a.used_on, a.ppm, a.weight,
           a.work_amount, a.set_amount, a.amount, a.status, a.reason
    FROM royalties_allocation a
    JOIN royalties_runpool p ON p.id = a.pool_id
    LEFT JOIN licensing_work w ON w.id = a.work_id
    LEFT JOIN licensing_holder h ON h.id = a.holder_id
    WHERE a.run_id = %s"""


def problems() -> list[dict[str, Any]]:
    """Every broken invariant of every run, as {what, subject, detail}; empty when all is well."""
    found: list[dict[str, Any]] = []
    for run in Run.objects.filter(status__in=CHECKED).select_related("society").order_by("id"):
        found += problems_of(run)
    twice = RunReceipt.objects.filter(active=True).values("receipt_id").annotate(n=Count("id")).filter(n__gt=1)
    found += [_problem("receipt", row["receipt_id"], f"distributed {row['n']} times") for row in twice]
    released = RunRelease.objects.filter(active=True).values("allocation_id").annotate(n=Count("id")).filter(n__gt=1)
    found += [_problem("release", row["allocation_id"], f"released {row['n']} times") for row in released]
    found += standing_problems()
    return found


# What a resolution declared non-distributable, and moved on all the same; or that its journal moved otherwise.
_EXPIRED = """
    SELECT 'expired', e.allocation_id::text, CASE
      WHEN a.id IS NULL OR a.status = 'payable' OR a.amount <> e.amount THEN 'it is not all of an amount held or in suspense'
      WHEN r.status NOT IN ('posted', 'published') THEN concat('it is of a run that is ', r.status)
      WHEN EXISTS (SELECT FROM royalties_runrelease x WHERE x.allocation_id = e.allocation_id AND x.active) THEN 'it was released'
      WHEN EXISTS (SELECT FROM royalties_runcorrection c WHERE c.corrected_id = royalties_root(a.pool_id) AND c.active)
      THEN 'it was divided anew' END AS wrong
    FROM royalties_expiredallocation e
    LEFT JOIN royalties_allocation a ON a.id = e.allocation_id
    LEFT JOIN royalties_run r ON r.id = a.run_id
    UNION ALL
    SELECT 'expired', concat('journal ', j.id), concat('it moved ', j.posting_total, ', expired are ', coalesce(e.amount, 0))
    FROM ledger_journal j LEFT JOIN (SELECT journal_id, sum(amount) AS amount FROM royalties_expiredallocation GROUP BY 1) e
      ON e.journal_id = j.id
    WHERE j.kind = 'expiry' AND j.posting_total IS DISTINCT FROM e.amount"""
# The accounts `held` and `suspense` of every society are what stands in its runs.
_STANDING = """
    SELECT 'standing', concat(coalesce(b.kind, o.status), ' of society ', coalesce(b.society_id, o.society_id)),
           concat('the account has ', coalesce(b.balance, 0), ' ', coalesce(b.currency, o.currency), ', its runs have ',
                  coalesce(o.amount, 0))
    FROM (SELECT society_id, kind, currency, sum(credits - debits) AS balance FROM ledger_account
          WHERE kind IN ('held', 'suspense') GROUP BY 1, 2, 3) b
    FULL JOIN (SELECT society_id, status, currency, sum(amount) AS amount FROM royalties_outstandingallocation GROUP BY 1, 2, 3) o
      ON o.society_id = b.society_id AND o.status = b.kind AND o.currency = b.currency
    WHERE coalesce(b.balance, 0) <> coalesce(o.amount, 0)"""


def standing_problems() -> list[dict[str, Any]]:
    """What is held or in suspense: by the ledger and by the runs the same; what has expired went nowhere else."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({_EXPIRED}) e WHERE wrong IS NOT NULL UNION ALL {_STANDING}")
        return [_problem(what, subject, detail) for what, subject, detail in cursor.fetchall()]


def problems_of(run: Run) -> list[dict[str, Any]]:
    """The broken invariants of one run."""
    return [*figures_problems(run), *_journal(run), *_digest(run)]


def figures_problems(run: Run) -> list[dict[str, Any]]:
    """Those of its figures alone: the identity, the sums of the allocations, the receipts."""
    return [*_identity(run), *_allocations(run), *_receipts(run), *_taken(run)]


def _problem(kind: str, subject: object, detail: str) -> dict[str, Any]:
    return {"what": f"distribution.{kind}", "subject": str(subject), "detail": detail}


def _identity(run: Run) -> Iterator[dict[str, Any]]:
    """pool + released + corrected = deductions + reserve + payable + held + suspense, for the run and the sum of its pools."""
    given = run.pool + run.released + run.corrected
    cut = sum(run.deductions.values()) + run.reserve
    if given != cut + run.payable + run.held + run.suspense:
        yield _problem(
            "identity",
            run,
            f"pool {given} is not deductions + reserve {cut} + payable {run.payable} + held {run.held} + suspense {run.suspense}",
        )
    sums = run.pools.aggregate(amount=Sum("amount"), reserve=Sum("reserve"), distributable=Sum("distributable"))
    shown = {"amount": given, "reserve": run.reserve, "distributable": run.distributable}
    if {name: value or 0 for name, value in sums.items()} != shown:
        yield _problem("pools", run, f"the pools sum to {sums}, the run shows {shown}")
    for pool in run.pools.select_related("invoice"):
        taken = sum(deduction["amount"] for deduction in pool.deductions)
        if pool.amount != taken + pool.reserve + pool.distributable:
            yield _problem(
                "identity",
                f"{run} {pool.invoice.number}",
                f"pool {pool.amount} is not {taken} + {pool.reserve} + {pool.distributable}",
            )


def _allocations(run: Run) -> Iterator[dict[str, Any]]:
    """Allocations sum to each pool's distributable, and by status to the run's figures."""
    by_pool: dict[int, int] = {}
    by_status = dict.fromkeys(Allocation.Status.values, 0)
    sums = Allocation.objects.filter(run=run).order_by().values_list("pool_id", "status").annotate(total=Sum("amount"))
    for pool, status, total in sums:
        by_pool[pool] = by_pool.get(pool, 0) + int(total)
        by_status[status] += int(total)
    for pool in run.pools.all():
        if by_pool.get(pool.pk, 0) != pool.distributable:
            yield _problem(
                "allocations", f"{run} pool {pool.pk}", f"{by_pool.get(pool.pk, 0)} allocated of {pool.distributable}"
            )
    shown = {"payable": run.payable, "held": run.held, "suspense": run.suspense}
    if by_status != shown:
        yield _problem("allocations", run, f"allocated by status {by_status}, the run shows {shown}")


def _receipts(run: Run) -> Iterator[dict[str, Any]]:
    """A pool is the net of its receipts."""
    sums = dict(
        RunReceipt.objects.filter(pool__run=run).order_by().values_list("pool_id").annotate(total=Sum("receipt__net"))
    )
    for pool in run.pools.filter(kind=RunPool.Kind.RECEIPTS):
        if sums.get(pool.pk, 0) != pool.amount:
            yield _problem(
                "receipts", f"{run} pool {pool.pk}", f"receipts of {sums.get(pool.pk, 0)} in a pool of {pool.amount}"
            )
    active = any(
        taken.objects.filter(pool__run=run, active=True).exists() for taken in (RunReceipt, RunRelease, RunCorrection)
    )
    if active == (run.status == Run.Status.REVERSED):
        yield _problem("receipts", run, "a reversed run keeps no receipts, any other keeps its own")


def _taken(run: Run) -> Iterator[dict[str, Any]]:
    """What a run takes from earlier ones is what those pools say, and comes from runs that stand."""
    for name, kind, taken in (
        ("released", RunPool.Kind.RELEASE, RunRelease),
        ("corrected", RunPool.Kind.CORRECTION, RunCorrection),
    ):
        sums = dict(taken.objects.filter(pool__run=run).order_by().values_list("pool_id").annotate(total=Sum("amount")))
        pools = dict(run.pools.filter(kind=kind).values_list("pk", "amount"))
        if {pk: int(total) for pk, total in sums.items()} != pools or sum(pools.values()) != getattr(run, name):
            yield _problem(name, run, f"taken are {sums}, its pools have {pools}, the run shows {getattr(run, name)}")
    if run.status != Run.Status.REVERSED:
        back = sum(taken_back(run).values())
        if back != run.corrected:
            yield _problem("corrected", run, f"what it takes back sums to {back}, it divides {run.corrected} anew")
    fallen = run.pools.filter(origin__run__status__in=[Run.Status.REVERSED, Run.Status.DISCARDED])
    if run.status != Run.Status.REVERSED and (pool := fallen.first()):
        yield _problem(
            "origin", f"{run} pool {pool.pk}", f"it takes from pool {pool.origin_id} of a run that was reversed"
        )


def _journal(run: Run) -> Iterator[dict[str, Any]]:
    """A posted run has one journal, whose postings give the run's figures and each holder's total."""
    posted = run.status in (Run.Status.POSTED, Run.Status.PUBLISHED, Run.Status.REVERSED)
    if posted != (run.journal_id is not None) or (run.status == Run.Status.REVERSED) != (run.reversal_id is not None):
        yield _problem("journal", run, f"status {run.status}, journal {run.journal_id}, reversal {run.reversal_id}")
    if run.journal_id is None:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT CASE WHEN c.kind = 'clearing' THEN d.kind || ' back' ELSE c.kind END, sum(p.amount) FROM ledger_posting p "
            "JOIN ledger_account d ON d.id = p.debit_id JOIN ledger_account c ON c.id = p.credit_id "
            "WHERE p.journal_id = %s AND 'clearing' IN (c.kind, d.kind) GROUP BY 1",
            [run.journal_id],
        )
        posted_sums = {kind: int(total) for kind, total in cursor.fetchall()}
        cursor.execute(_HOLDERS_OFF, [run.journal_id, run.pk])
        off = cursor.fetchall()
    expected = {f"deduction:{name}": amount for name, amount in run.deductions.items()}
    expected |= {
        "pool back": run.pool,
        "reserve": run.reserve,
        "payable": run.payable,
        "held": run.held,
        "suspense": run.suspense,
    }
    given = {kind: amount for kind, amount in expected.items() if amount}
    if {kind: amount for kind, amount in posted_sums.items() if kind in expected} != given:
        yield _problem("journal", run, f"posted {posted_sums}, the run shows {expected}")
    back = sum(posted_sums.get(f"{kind} back", 0) for kind in ("payable", "held", "suspense"))
    if back != run.released + run.corrected:
        yield _problem(
            "journal", run, f"taken back {back}, the run shows {run.released} released and {run.corrected} corrected"
        )
    for holder, posted_sum, allocated in off:
        yield _problem("journal", f"{run} holder {holder}", f"posted {posted_sum}, allocated {allocated}")


_HOLDERS_OFF = """
    SELECT coalesce(p.owner_id, a.holder_id), p.amount, a.amount
    FROM (SELECT c.owner_id, sum(p.amount) AS amount FROM ledger_posting p
          JOIN ledger_account c ON c.id = p.credit_id AND c.kind = 'payable'
          JOIN ledger_account d ON d.id = p.debit_id AND d.kind = 'clearing'
          WHERE p.journal_id = %s GROUP BY 1) p
    FULL JOIN (SELECT holder_id, sum(amount) AS amount FROM royalties_allocation
               WHERE run_id = %s AND status = 'payable' GROUP BY 1 HAVING sum(amount) > 0) a
      ON a.holder_id = p.owner_id
    WHERE p.amount IS DISTINCT FROM a.amount
    LIMIT 20"""


def _digest(run: Run) -> Iterator[dict[str, Any]]:
    """The stored allocations still give the digest that was approved."""
    with connect(run.society_id) as engine:
        found = stored_digest(engine, run)
    if found != run.result_digest:
        yield _problem("digest", run, f"the stored allocations give {found}, the run shows {run.result_digest}")


def stored_digest(engine: Engine, run: Run) -> str:
    """The result digest of what PostgreSQL holds, computed anew from refs and figures alone."""
    engine.take("taken", _TAKEN, _QUERY, [run.pk])
    pools = list(
        run.pools.select_related("invoice", "origin__run", "origin__invoice", "origin__origin__run").order_by("id")
    )
    names = [(pool.pk, pool_name(pool.kind, pool.origin) if pool.origin else pool.invoice.number) for pool in pools]
    engine.table("taken_pool", {"pool_id": "BIGINT", "number": "VARCHAR"}, names)
    engine.execute(
        "CREATE OR REPLACE VIEW allocated AS SELECT t.*, n.number, DENSE_RANK() OVER "
        "(PARTITION BY n.number ORDER BY t.key, CASE WHEN t.work_id IS NULL THEN 1 ELSE 0 END, t.work_id) AS seq "
        "FROM taken t JOIN taken_pool n ON n.pool_id = t.pool_id"
    )
    figures = [_figures(pool) for pool in pools]
    return digests.of_result(engine, digests.result_head(run, figures))


def _figures(pool: RunPool) -> dict[str, Any]:
    if pool.origin is not None:
        name = pool_name(pool.kind, pool.origin)
        return moved_figures(name, pool.amount, pool.equal_part, pool.units, int(pool.total_weight))
    cuts = {
        "pool": pool.amount, "deductions": pool.deductions, "reserve": pool.reserve, "distributable": pool.distributable,
        "equal_part": pool.equal_part,
    }  # fmt: skip
    return pool_figures(pool.invoice.number, cuts, pool.units, int(pool.total_weight))
