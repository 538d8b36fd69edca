"""Money that a run takes from earlier runs: what leaves suspense because its identifier means a work now, and pools that the
declarations of now divide otherwise. Neither is new money: nothing is deducted from it a second time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.db import connection

import royalties.distribution
from licensing.declarations.models import DeclaredUse
from licensing.engine.core import Engine
from licensing.permissions import snapshots
from royalties.distribution.core import parse
from royalties.distribution.models import Run, RunPool
from royalties.distribution.services import candidates, leftovers
from royalties.distribution.services.dividing import require_comparable, require_divisible
from royalties.distribution.services.inputs import hold_shares, take_holders
from royalties.distribution.services.judging import judge

FOLDER: Final = Path(royalties.distribution.__file__).parent
_CASE_POOL: Final = {"pool": "BIGINT", "holder_id": "BIGINT", "holder_ref": "VARCHAR"}
_FACTOR: Final = {"kind": "VARCHAR", "use": "VARCHAR", "unit": "VARCHAR", "factor": "BIGINT"}
_HELD: Final = {
    "work_id": "BIGINT", "holder_id": "BIGINT", "holder_ref": "VARCHAR", "role": "VARCHAR", "ppm": "INTEGER", "disputed": "BOOLEAN",
    "valid_from": "DATE", "valid_to": "DATE",
}  # fmt: skip
_SUSPENDED: Final = {
    "allocation_id": "BIGINT", "origin": "BIGINT", "work_id": "BIGINT", "scheme": "VARCHAR", "value": "VARCHAR", "amount": "BIGINT",
    "licence_id": "BIGINT", "territory": "VARCHAR", "use": "VARCHAR", "unit": "VARCHAR", "used_on": "DATE", "units": "DECIMAL(38,0)",
    "weight": "DECIMAL(38,0)",
}  # fmt: skip
_CORRECTED: Final = {
    "origin": "BIGINT", "work_id": "BIGINT", "scheme": "VARCHAR", "value": "VARCHAR", "used_on": "DATE", "weight": "DECIMAL(38,0)",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moved:
    """What this run takes from one pool of an earlier run: `amount` of its money, in `units` works and identifiers."""

    kind: str
    origin: RunPool
    amount: int
    units: int
    weight: int
    equal_part: int = 0
    declarations: tuple[int, ...] = ()  # of a correction: whose uses weigh now
    reasons: tuple[str, ...] = ()  # of a correction: why

    @property
    def name(self) -> str:
        """Its name in digests, free of database ids: the invoice, and the inputs of the run that it comes from."""
        return pool_name(self.kind, self.origin)

    def as_data(self) -> dict[str, Any]:
        return {"origin": self.name, "amount": self.amount, "rule": self.origin.rule.sha256}


def pool_name(kind: str, origin: RunPool) -> str:
    """The name of a pool whose money moved before: the invoice, and each pool that it came through with its run's inputs."""
    through, pool = [kind], origin
    while True:
        through.append(f"of {pool.kind} {pool.run.input_digest}")
        if pool.kind != RunPool.Kind.RELEASE or pool.origin is None:
            return f"{origin.invoice.number} {' '.join(through)}"
        pool = pool.origin


def calculate(engine: Engine, run: Run) -> list[Moved]:
    """Divide all that moves a second time, into the table `moved` (see `moved_result.sql`); what it came to, by name.

    Within one look at the database.
    """
    corrections = candidates.corrections(run.society_id, run.currency, run_id=run.pk, chosen=run.chosen)
    without = [each.pool_id for each in corrections]
    released = _take_suspended(engine, run, without)
    left = leftovers.take(engine, society_id=run.society_id, currency=run.currency, run_id=run.pk, without=without)
    if not released and not left and not corrections:
        return []
    snapshots.load(engine, run.society_id, prefix="registered_")
    take_holders(engine, run.society_id)
    _judge_and_part(engine, run.society_id)
    _take_corrected(engine, corrections)
    engine.run(FOLDER / "moved.sql")
    hold_shares(engine)
    _divide(engine)
    origins = _origins(engine, corrections)
    engine.table("moved_pool", {"origin": "BIGINT", "kind": "VARCHAR", "number": "VARCHAR"}, origins)
    engine.run(FOLDER / "moved_result.sql")
    found = _named(engine, corrections)
    _check(engine, found)
    return found


def _take_suspended(engine: Engine, run: Run, without: list[int]) -> int:
    """The table `suspended_use`, for each amount in suspense that means a work now the uses that it waits for."""
    uses, parameters = DeclaredUse.objects.priced().filter(work=None).order_by().query.sql_with_params()
    sql = candidates.SUSPENDED_USES.format(uses=uses)
    values = [*candidates.open_values(run.society_id, run.currency, run.pk), without, *parameters]
    return engine.take("suspended_use", _SUSPENDED, sql, values)


def _judge_and_part(engine: Engine, society_id: int) -> None:
    """The tables `suspended`, `judged_use` and `judged_amount`: each amount among what permission said of its uses."""
    judge(engine, society_id)
    engine.run(FOLDER / "released.sql")
    if engine.rows("SELECT COUNT(*) FROM judged_use WHERE reason IS NULL")[0][0]:
        raise RuntimeError("permission said nothing about some use of an amount in suspense")
    engine.table("held_share", _HELD)
    _divide(engine)
    engine.execute(
        "CREATE OR REPLACE TABLE judged_amount AS SELECT u.pool AS allocation_id, u.value AS reason, a.amount "
        "FROM unit u JOIN unit_amount a ON a.pool = u.pool AND a.seq = u.seq"
    )


def _divide(engine: Engine) -> None:
    """From `declared`, `pool` and `held_share` to `allocation`, by the steps that divide new money."""
    engine.table("case_pool", _CASE_POOL)
    engine.table("factor", _FACTOR, [("other", "moved", "moved", 1)])  # weights come multiplied
    engine.run(FOLDER / "weigh.sql")
    engine.run(FOLDER / "allocate.sql")


def _take_corrected(engine: Engine, corrections: Sequence[candidates.Correction]) -> None:
    """The tables `corrected_use` and `corrected_pool`, weighed by the rule of the run that is corrected."""
    uses, parameters = DeclaredUse.objects.priced().order_by().query.sql_with_params()
    pools = [each.pool_id for each in corrections for _one in each.now]
    declarations = [one for each in corrections for one in each.now]
    engine.take(
        "corrected_use", _CORRECTED, candidates.CORRECTED_USES.format(uses=uses), [pools, declarations, *parameters]
    )
    origins = RunPool.objects.in_bulk([each.pool_id for each in corrections])
    rows = [(pk, pool.equal_part, pool.distributable - pool.equal_part) for pk, pool in origins.items()]
    engine.table("corrected_pool", {"origin": "BIGINT", "equal_part": "BIGINT", "rest": "BIGINT"}, rows)
    _check_corrected(engine, corrections)


def _check_corrected(engine: Engine, corrections: Sequence[candidates.Correction]) -> None:
    """Refuse what the rule of then could not have divided."""
    if not corrections:
        return
    weights = {
        row[0]: int(row[1]) for row in engine.rows("SELECT origin, SUM(weight) FROM corrected_use GROUP BY origin")
    }
    units: dict[int, set[str]] = {}
    mixed = "SELECT DISTINCT declaration_id, unit FROM licensing_declareduse WHERE declaration_id = ANY(%s)"
    with connection.cursor() as cursor:
        cursor.execute(mixed, [[one for each in corrections for one in each.now]])
        for declaration, unit in cursor.fetchall():
            units.setdefault(declaration, set()).add(unit)
    for pool in RunPool.objects.filter(pk__in=[c.pool_id for c in corrections]).select_related("invoice", "run__rule"):
        now = next(each.now for each in corrections if each.pool_id == pool.pk)
        require_comparable(
            parse(pool.rule.document), {unit for one in now for unit in units.get(one, ())}, invoice=pool.invoice.number
        )
        require_divisible(
            invoice=pool.invoice.number, amount=pool.distributable, rest=pool.distributable - pool.equal_part,
            units=int(pool.pk in weights), weight=weights.get(pool.pk, 0),
        )  # fmt: skip


def _origins(engine: Engine, corrections: Sequence[candidates.Correction]) -> list[tuple[int, str, str]]:
    """(pool, kind, name) of all that something is taken from."""
    released = [row[0] for row in engine.rows("SELECT origin FROM suspended UNION SELECT origin FROM leftover")]
    taken = [(pk, str(RunPool.Kind.RELEASE)) for pk in released]
    taken += [(each.pool_id, str(RunPool.Kind.CORRECTION)) for each in corrections]
    origins = RunPool.objects.select_related("run", "invoice", "origin__run").in_bulk([pk for pk, _kind in taken])
    return [(pk, kind, pool_name(kind, origins[pk])) for pk, kind in taken]


def _named(engine: Engine, corrections: Sequence[candidates.Correction]) -> list[Moved]:
    """What moves, in the order of its names in UTF-8 bytes."""
    sums = {
        origin: (int(amount), int(units), int(weight))
        for origin, amount, units, weight in engine.rows(
            "SELECT origin, CAST(SUM(amount) AS BIGINT), COUNT(*), CAST(SUM(weight) AS DECIMAL(38,0)) FROM taken_amount GROUP BY origin"
        )
    }
    weighed = {
        -pool: (int(units), int(weight))
        for pool, units, weight in engine.rows("SELECT pool, units, total_weight FROM weighed WHERE pool < 0")
    }
    origins = RunPool.objects.select_related("run__rule", "invoice").in_bulk([*sums, *weighed])
    found = [Moved(str(RunPool.Kind.RELEASE), origins[pk], *of_one) for pk, of_one in sums.items()]
    for each in corrections:
        origin = origins[each.pool_id]
        found.append(
            Moved(
                str(RunPool.Kind.CORRECTION), origin, origin.distributable, *weighed[origin.pk],
                equal_part=origin.equal_part, declarations=each.now, reasons=each.reasons,
            )
        )  # fmt: skip
    return sorted(found, key=lambda each: each.name.encode())


def _check(engine: Engine, found: Sequence[Moved]) -> None:
    """What moves is what was there, to the minor unit; anything else is a bug, not a refusal."""
    sums = {
        (kind, origin): int(total)
        for kind, origin, total in engine.rows(
            "SELECT kind, origin, CAST(SUM(amount) AS DECIMAL(38,0)) FROM moved GROUP BY kind, origin"
        )
    }
    expected = {(each.kind, each.origin.pk): each.amount for each in found}
    if sums != expected:
        raise ArithmeticError(f"what was moved sums to {sums}, what was there to {expected}")
