"""Compute a run: read, weigh, allocate, digest, store. Killed at any point, it starts again and ends the same."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

import royalties.distribution
from accounts.approvals.models import Approval
from accounts.evidence.services import record
from accounts.identity.core import SYSTEM, Conflict, Reference, Refusal
from licensing.engine import connect
from licensing.engine.core import Engine
from licensing.matching.services import refresh_titles
from royalties.distribution.core import parse
from royalties.distribution.models import (
    HeldUse,
    Run,
    RunCorrection,
    RunPool,
    RunPoolDeclaration,
    RunReceipt,
    RunRelease,
)
from royalties.distribution.services import digests, moving
from royalties.distribution.services.dividing import divide
from royalties.distribution.services.inputs import Pool, one_look, read
from royalties.distribution.services.moving import Moved
from royalties.distribution.services.runs import KIND, no_money

FOLDER = Path(royalties.distribution.__file__).parent
STEPS = ("read", "weigh", "allocate", "digest", "store")
_LOCK = 0x52554E  # names the advisory locks of runs
_STORED = (
    "run_id", "pool_id", "work_id", "scheme", "value", "holder_id", "role", "used_on", "ppm", "weight", "work_amount", "set_amount",
    "amount", "status", "reason",
)  # fmt: skip
# Tables that the end does not need, dropped as soon as they are spent: memory stays flat.
_SPENT = ("unit_quota", "left_over", "divided_quota", "part", "part_amount", "share_set", "use_day")


@dataclass(frozen=True, slots=True)
class Result:
    """What was computed and lies in the engine: pools with totals, what moves a second time, sums by status, digests."""

    pools: list[Pool]
    moved: list[Moved]
    weighed: dict[int, tuple[int, int]]  # invoice id → (units, total weight)
    sums: dict[str, int]
    holders: int
    works: int
    input_digest: str
    result_digest: str


def compute(run_id: int) -> Run:
    """Bring a draft to `computed` in one final transaction; a run that is further on is returned as it is.

    Raises Refusal where the inputs do not allow a distribution (it is kept in `run.problems`), Conflict where the run is
    being computed by another process now.
    """
    with _alone(run_id):
        run = Run.objects.select_related("society", "rule").get(pk=run_id)
        if run.status != Run.Status.DRAFT:
            return run
        try:
            with connect(run.society_id) as engine:
                result = _calculate(engine, run)
                _reach(run, "store")
                _store(engine, run, result)
        except Refusal as refusal:
            Run.objects.filter(pk=run_id, status=Run.Status.DRAFT).update(problems=list(refusal.errors), step="")
            raise
    run.refresh_from_db()
    return run


@contextmanager
def _alone(run_id: int) -> Iterator[None]:
    """One process at a time. The lock belongs to the session, so a killed process lets go of it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_LOCK, run_id])
        if not cursor.fetchone()[0]:
            raise Conflict("run_is_being_computed", _("This run is being computed right now."))
    try:
        yield
    finally:
        if connection.connection is not None and not connection.connection.broken:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_LOCK, run_id])


def _reach(run: Run, step: str) -> None:
    Run.objects.filter(pk=run.pk, status=Run.Status.DRAFT).update(step=step, heartbeat_at=timezone.now(), problems=[])


def _calculate(engine: Engine, run: Run) -> Result:
    terms = parse(run.rule.document)
    _reach(run, "read")
    refresh_titles(run.society_id)  # what waits in suspense may mean a work by its title
    with one_look():
        moved = moving.calculate(engine, run)
        pools = read(engine, run, terms, loaded=bool(moved))
    if not pools and not moved:
        raise no_money(run.society_id, run.period, run.currency)
    weighed = divide(engine, pools, terms, reach=lambda step: _reach(run, step)) if pools else {}
    _reach(run, "digest")
    input_digest = digests.of_inputs(engine, run, pools, moved)
    for table in _SPENT:
        engine.execute(f"DROP TABLE {table}")
    return _summed(engine, run, pools, moved, weighed, input_digest)


def _summed(
    engine: Engine,
    run: Run,
    pools: list[Pool],
    moved: list[Moved],
    weighed: dict[int, tuple[int, int]],
    input_digest: str,
) -> Result:
    parts = ([_NEW] if pools else []) + ([_MOVED] if moved else [])
    engine.execute(f"CREATE OR REPLACE VIEW allocated AS {' UNION ALL '.join(parts)}")
    sums = dict.fromkeys(("payable", "held", "suspense"), 0)
    sums |= {
        status: int(total)
        for status, total in engine.rows(
            "SELECT status, CAST(SUM(amount) AS DECIMAL(38,0)) FROM allocated GROUP BY status"
        )
    }
    holders, works = engine.rows("SELECT COUNT(DISTINCT holder_id), COUNT(DISTINCT work_id) FROM allocated")[0]
    figures = [pool_figures(pool.invoice.number, pool.cuts.as_data(), *weighed[pool.invoice.pk]) for pool in pools]
    figures += [moved_figures(each.name, each.amount, each.equal_part, each.units, each.weight) for each in moved]
    result_digest = digests.of_result(engine, digests.result_head(run, figures))
    return Result(pools, moved, weighed, sums, int(holders), int(works), input_digest, result_digest)


# New money and money that moves a second time, in the same columns. Pools of the engine: an invoice, or an origin with its kind.
_SHOWN = (
    "{0}.number, {0}.seq, {0}.key, {0}.used_on, {0}.place, {0}.work_id, {0}.scheme, {0}.value, {0}.holder_id, {0}.role, {0}.ppm, "
    "{0}.weight, {0}.work_amount, {0}.set_amount, {0}.amount, {0}.status, {0}.reason"
)
_NEW = f"""
    SELECT {_SHOWN.format("a").replace("a.number", "p.number", 1)}, COALESCE(h.holder_ref, '') AS holder_ref, a.pool, 'receipts' AS kind
    FROM allocation a JOIN pool p ON p.pool = a.pool LEFT JOIN holder h ON h.holder_id = a.holder_id"""
_MOVED = f"SELECT {_SHOWN.format('m')}, m.holder_ref, m.origin AS pool, m.kind FROM moved m"


def pool_figures(number: str, cuts: dict[str, Any], units: int, weight: int) -> dict[str, Any]:
    """A pool's figures as the result digest covers them."""
    return {"invoice": number, "units": units, "weight": str(weight), **cuts}


def moved_figures(name: str, amount: int, equal_part: int, units: int, weight: int) -> dict[str, Any]:
    """The same of money that moves a second time: nothing is deducted from it."""
    cuts = {"pool": amount, "deductions": [], "reserve": 0, "distributable": amount, "equal_part": equal_part}
    return pool_figures(name, cuts, units, weight)


@transaction.atomic
def _store(engine: Engine, run: Run, result: Result) -> None:
    """Replace whatever an earlier computation stored, and mark the run computed. All or nothing."""
    locked = Run.objects.select_for_update().get(pk=run.pk)
    if locked.status != Run.Status.DRAFT:
        raise Conflict("run_moved_on", _("The run was computed or discarded meanwhile."))
    _clear(run)
    made = [*_store_pools(run, result), *_store_moved(run, result)]
    engine.table("run_pool", {"pool": "BIGINT", "kind": "VARCHAR", "run_pool": "BIGINT", "place": "BIGINT"}, made)
    _store_taken(engine, run, result)
    ordered = f"""
        SELECT {run.pk} AS run_id, r.run_pool, a.work_id, a.scheme, a.value, a.holder_id, a.role, a.used_on, a.ppm, a.weight, a.work_amount,
               a.set_amount, a.amount, a.status, a.reason
        FROM allocated a JOIN run_pool r ON r.pool = a.pool AND r.kind = a.kind
        ORDER BY a.holder_id NULLS LAST, r.place, a.seq, a.used_on, a.place"""
    lines = engine.give(ordered, "royalties_allocation", _STORED)
    _finish(run, result)
    data = {
        "input_digest": result.input_digest, "result_digest": result.result_digest, "allocations": lines,
        "pool": sum(pool.cuts.pool for pool in result.pools),
        **{name: amount for name, amount in moved_sums(result).items() if amount},
    }  # fmt: skip
    record(actor=SYSTEM, verb="run.computed", object=Reference(KIND, run.pk), organisation_id=run.society_id, data=data)


def _clear(run: Run) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM royalties_allocation WHERE run_id = %s", [run.pk])
    RunReceipt.objects.filter(pool__run_id=run.pk).delete()
    RunRelease.objects.filter(pool__run_id=run.pk).delete()
    HeldUse.objects.filter(pool__run_id=run.pk).delete()
    RunCorrection.objects.filter(pool__run_id=run.pk).delete()
    RunPoolDeclaration.objects.filter(pool__run_id=run.pk).delete()
    RunPool.objects.filter(run_id=run.pk).delete()


def _store_pools(run: Run, result: Result) -> list[tuple[int, str, int, int]]:
    """Write pools and receipts; returns (invoice id, kind, run pool id, place). A receipt that another run took is a Conflict."""
    rows = []
    for pool in result.pools:
        units, weight = result.weighed[pool.invoice.pk]
        cuts = pool.cuts
        rows.append(
            RunPool(
                run=run,
                invoice=pool.invoice,
                amount=cuts.pool,
                deductions=[taken.as_data() for taken in cuts.deductions],
                reserve=cuts.reserve,
                distributable=cuts.distributable,
                total_weight=Decimal(weight),
                units=units,
                equal_part=cuts.equal_part,
            )
        )
    made = RunPool.objects.bulk_create(rows)
    RunPoolDeclaration.objects.bulk_create(
        RunPoolDeclaration(pool=row, declaration_id=declaration)
        for row, pool in zip(made, result.pools, strict=True)
        for declaration in pool.declarations
    )
    receipts = [
        RunReceipt(pool=row, receipt=receipt)
        for row, pool in zip(made, result.pools, strict=True)
        for receipt in pool.receipts
    ]
    try:
        with transaction.atomic():
            RunReceipt.objects.bulk_create(receipts)
    except IntegrityError as error:
        raise Conflict(
            "receipt_is_distributed", _("One of the receipts was distributed by another run meanwhile.")
        ) from error
    return [
        (pool.invoice.pk, "receipts", row.pk, place)
        for place, (row, pool) in enumerate(zip(made, result.pools, strict=True))
    ]


def _store_moved(run: Run, result: Result) -> list[tuple[int, str, int, int]]:
    """Write the pools of money that moves a second time; returns (origin, kind, run pool id, place)."""
    made = RunPool.objects.bulk_create(
        RunPool(
            run=run, kind=each.kind, origin=each.origin, invoice=each.origin.invoice, amount=each.amount, distributable=each.amount,
            total_weight=Decimal(each.weight), units=each.units, equal_part=each.equal_part,
        )
        for each in result.moved
    )  # fmt: skip
    RunPoolDeclaration.objects.bulk_create(
        RunPoolDeclaration(pool=row, declaration_id=declaration)
        for row, each in zip(made, result.moved, strict=True)
        for declaration in each.declarations
    )
    return [
        (each.origin.pk, each.kind, row.pk, place)
        for place, (row, each) in enumerate(zip(made, result.moved, strict=True), len(result.pools))
    ]


def _store_taken(engine: Engine, run: Run, result: Result) -> None:
    """Note what is taken from earlier runs. What another run took meanwhile, or was reversed, is a Conflict."""
    if not result.moved:
        return
    taken = """SELECT r.run_pool, s.allocation_id, s.amount, 'true' FROM taken_amount s
        JOIN run_pool r ON r.pool = s.origin AND r.kind = 'release' ORDER BY s.allocation_id"""
    pools = RunPool.objects.filter(run=run, kind=RunPool.Kind.CORRECTION).select_related("origin")
    because = {each.origin.pk: list(each.reasons) for each in result.moved}
    try:
        with transaction.atomic():
            engine.give(taken, "royalties_runrelease", ("pool_id", "allocation_id", "amount", "active"))
            engine.give(_HELD_USES, "royalties_helduse", _HELD_USE)
            RunCorrection.objects.bulk_create(
                RunCorrection(
                    pool=pool, corrected=pool.origin, amount=pool.amount, reasons=because.get(pool.origin_id or 0, [])
                )
                for pool in pools
            )
    except IntegrityError as error:
        raise Conflict(
            "already_taken",
            _(
                "What this run takes from an earlier one was taken by another run, or that one was reversed. Compute it again."
            ),
        ) from error


# Uses that permission did not allow, for the cases that open when the run is posted.
_HELD_USE = ("pool_id", "work_id", "scheme", "value", "territory", "use", "used_on", "reason")
_HELD_USES = """
    SELECT DISTINCT r.run_pool, s.work_id, s.scheme, s.value, s.territory, s."use", s.used_on, v.reason
    FROM suspended_use s
    JOIN verdict v ON v.licence_id = s.licence_id AND v.territory = s.territory AND v.work_id = s.work_id
     AND v.scheme = s.scheme AND v.value = s.value AND v."use" = s."use" AND v.used_on = s.used_on
    JOIN run_pool r ON r.pool = s.origin AND r.kind = 'release'
    WHERE v.reason IN ('reserved', 'unmandated', 'unlicensed')"""


def moved_sums(result: Result) -> dict[str, int]:
    """What leaves suspense, and what is divided anew."""
    return {
        name: sum(each.amount for each in result.moved if each.kind == kind)
        for name, kind in (("released", RunPool.Kind.RELEASE), ("corrected", RunPool.Kind.CORRECTION))
    }


def _finish(run: Run, result: Result) -> None:
    deductions: dict[str, int] = {}
    for pool in result.pools:
        for taken in pool.cuts.deductions:
            deductions[taken.name] = deductions.get(taken.name, 0) + taken.amount
    Run.objects.filter(pk=run.pk).update(
        status=Run.Status.COMPUTED,
        step="",
        problems=[],
        heartbeat_at=None,
        computed_at=timezone.now(),
        pool=sum(pool.cuts.pool for pool in result.pools),
        deductions=deductions,
        reserve=sum(pool.cuts.reserve for pool in result.pools),
        distributable=sum(pool.cuts.distributable for pool in result.pools) + sum(each.amount for each in result.moved),
        holders=result.holders,
        works=result.works,
        input_digest=result.input_digest,
        result_digest=result.result_digest,
        **result.sums,
        **moved_sums(result),
    )
    Approval.objects.pending().about(KIND, run.pk).filter(kind=KIND).exclude(
        subject_sha256=result.result_digest
    ).delete()
