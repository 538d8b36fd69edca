"""Pools divided on the engine by a rule; a pool that it cannot divide exactly is a Refusal that names its invoice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from django.utils.translation import gettext as _

import royalties.distribution
from accounts.identity.core import Refusal, say
from licensing.engine.core import Engine
from royalties.distribution.core import RuleTerms
from royalties.distribution.services.inputs import Pool

FOLDER: Final = Path(royalties.distribution.__file__).parent

MAX_AMOUNT: Final = 10**15  # every quota lies below: the engine divides by way of doubles
MAX_PRODUCT: Final = 10**37  # amount × total weight: 38 digits


def require_comparable(terms: RuleTerms, units: Iterable[str], *, invoice: str) -> None:
    """Refuse units that the rule cannot compare."""
    try:
        terms.check_units(units)
    except Refusal as refusal:
        said = say("Invoice {invoice}: {problem}", invoice=invoice, problem=refusal.detail)
        raise Refusal(refusal.code, said) from refusal


def require_divisible(*, invoice: str, amount: int, rest: int, units: int, weight: int) -> None:
    """Refuse money that nothing weighs in for, or sums too large. `rest` of the `amount` goes by weight, over so many units."""
    if units == 0 or (weight == 0 and rest > 0):
        detail = _("Nothing that was declared for invoice %(invoice)s has weight, so its money has nobody to go to.")
        raise Refusal("no_weight", detail % {"invoice": invoice})
    if amount >= MAX_AMOUNT or rest * weight >= MAX_PRODUCT:
        detail = _(
            "Invoice %(invoice)s: amount × total weight is too large to divide exactly. "
            "Lower the weights of the rule, keeping their ratios."
        )
        raise Refusal("too_large", detail % {"invoice": invoice})


def divide(
    engine: Engine, pools: Sequence[Pool], terms: RuleTerms, *, reach: Callable[[str], None] = lambda step: None
) -> dict[int, tuple[int, int]]:
    """Divide what was read of these pools by a rule, into the table `allocation`; units and weight of each pool."""
    reach("weigh")
    engine.table(
        "factor",
        {"kind": "VARCHAR", "use": "VARCHAR", "unit": "VARCHAR", "factor": "BIGINT"},
        factors(engine, pools, terms),
    )
    engine.run(FOLDER / "weigh.sql")
    weighed = _guarded(engine, pools)
    reach("allocate")
    engine.table(
        "pool",
        {"pool": "BIGINT", "number": "VARCHAR", "equal_part": "BIGINT", "rest": "BIGINT"},
        [(p.invoice.pk, p.invoice.number, p.cuts.equal_part, p.cuts.distributable - p.cuts.equal_part) for p in pools],
    )
    engine.run(FOLDER / "allocate.sql")
    _check_sums(engine, pools)
    return weighed


def factors(engine: Engine, pools: Sequence[Pool], terms: RuleTerms) -> list[tuple[str, str, str, int]]:
    """What one unit weighs, for each combination that occurs; refuses pools whose units the rule cannot compare.

    Compensation is weighed by its units alone: the rule does not have to know what nothing allowed.
    """
    alone = {pool.invoice.pk for pool in pools if pool.compensation}
    rows = engine.rows('SELECT DISTINCT pool, kind, "use", unit FROM declared')
    found = [row for row in rows if row[0] not in alone]
    for pool in pools:
        units = {unit for number, _kind, _use, unit in found if number == pool.invoice.pk}
        require_comparable(terms, units, invoice=pool.invoice.number)
    combinations = sorted({(kind, use, unit) for _number, kind, use, unit in found})
    return [(kind, use, unit, terms.factor(use=use, unit=unit, kind=kind)) for kind, use, unit in combinations]


def _guarded(engine: Engine, pools: Sequence[Pool]) -> dict[int, tuple[int, int]]:
    """Units and total weight of each pool, once it is certain that the engine can divide it exactly."""
    weighed = {
        pool: (int(units), int(weight))
        for pool, units, weight in engine.rows("SELECT pool, units, total_weight FROM weighed")
    }
    for pool in pools:
        units, weight = weighed.get(pool.invoice.pk, (0, 0))
        rest = pool.cuts.distributable - pool.cuts.equal_part
        require_divisible(invoice=pool.invoice.number, amount=pool.cuts.pool, rest=rest, units=units, weight=weight)
    return weighed


def _check_sums(engine: Engine, pools: Sequence[Pool]) -> None:
    """The sum of the allocations is each pool's distributable, to the minor unit; anything else is a bug, not a refusal."""
    sums = {
        pool: int(total)
        for pool, total in engine.rows("SELECT pool, CAST(SUM(amount) AS DECIMAL(38,0)) FROM allocation GROUP BY pool")
    }
    wrong = [pool.invoice.number for pool in pools if sums.get(pool.invoice.pk, 0) != pool.cuts.distributable]
    least = engine.rows("SELECT MIN(amount) FROM allocation")[0][0]
    if wrong or least < 0:
        raise ArithmeticError(f"the allocations of {', '.join(wrong) or 'a pool'} do not sum to its distributable")
