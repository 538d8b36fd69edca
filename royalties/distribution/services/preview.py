"""Two versions of a rule on the same money: what each deducts, keeps and gives to whom, before either is in force.

The money is what a run of these days would take now; nothing is stored but the answer.
"""

from __future__ import annotations

import datetime
from typing import Any, Final

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Reference, Refusal
from licensing.engine import connect
from licensing.engine.core import Engine
from licensing.repertoire.models import Holder
from royalties.distribution.core import parse
from royalties.distribution.models import Rule, RulePreview, Run
from royalties.distribution.services.dividing import divide
from royalties.distribution.services.guards import enter
from royalties.distribution.services.inputs import Pool, one_look, read

LARGEST: Final = 50  # differences that are shown, by size
_TOTALS: Final = """
    SELECT status, CAST(SUM(amount) AS DECIMAL(38,0)) FROM allocation GROUP BY status"""
_BY_HOLDER: Final = """
    CREATE OR REPLACE TABLE {table} AS
    SELECT holder_id, CAST(SUM(amount) AS BIGINT) AS amount FROM allocation WHERE status = 'payable' GROUP BY holder_id"""
_DIFFERENCES: Final = """
    SELECT COALESCE(a.holder_id, b.holder_id) AS holder_id, COALESCE(a.amount, 0) AS before, COALESCE(b.amount, 0) AS after
    FROM by_one a FULL JOIN by_other b ON b.holder_id = a.holder_id
    WHERE COALESCE(a.amount, 0) <> COALESCE(b.amount, 0)"""


@transaction.atomic
def ask_preview(
    *, actor: Actor, one: Rule, other: Rule, period: tuple[datetime.date, datetime.date], currency: str
) -> RulePreview:
    """Have two versions compared on the money that waits for these days; a worker computes it (`compute_preview`)."""
    enter(actor, one.society, "distribution.view")
    if one.society_id != other.society_id or one.pk == other.pk:
        raise Refusal("same_rule", _("Choose two different versions of the society's rule."), pointer="/other")
    if period[0] >= period[1]:
        raise Refusal("empty_period", _("The end lies after the beginning."), pointer="/end")
    made = RulePreview.objects.create(
        society_id=one.society_id, one=one, other=other, period=DateRange(*period), currency=currency
    )
    record(
        actor=actor, verb="rule.previewed", object=Reference("rule", other.pk), organisation_id=one.society_id,
        data={"one": str(one), "other": str(other), "currency": currency},
    )  # fmt: skip
    return made


def compute_preview(preview_id: int) -> RulePreview:
    """Compute what was asked for; done, it is returned as it is. What cannot be divided is kept in `problems`."""
    preview = RulePreview.objects.select_related("society", "one", "other").get(pk=preview_id)
    if preview.status != RulePreview.Status.WAITING:
        return preview
    try:
        with connect(preview.society_id) as engine:
            result = _compared(engine, preview)
        change: dict[str, Any] = {"status": RulePreview.Status.DONE, "result": result}
    except (Refusal, Conflict) as refusal:
        change = {"status": RulePreview.Status.FAILED, "problems": list(refusal.errors)}
    RulePreview.objects.filter(pk=preview_id, status=RulePreview.Status.WAITING).update(
        **change, computed_at=timezone.now()
    )
    preview.refresh_from_db()
    return preview


def waiting_previews(*, older_than: datetime.datetime) -> list[int]:
    """Comparisons that were asked for and not computed since."""
    left = RulePreview.objects.filter(status=RulePreview.Status.WAITING, asked_at__lt=older_than)
    return list(left.values_list("id", flat=True))


def _compared(engine: Engine, preview: RulePreview) -> dict[str, Any]:
    sides: list[dict[str, Any]] = []
    with one_look():  # both on the same money, uses and shares
        for name, rule in (("by_one", preview.one), ("by_other", preview.other)):
            sides.append(_divided(engine, preview, rule, loaded=bool(sides)))
            engine.execute(_BY_HOLDER.format(table=name))
    return {"sides": sides, **_differences(engine)}


def _divided(engine: Engine, preview: RulePreview, rule: Rule, *, loaded: bool) -> dict[str, Any]:
    """What one version makes of the money. `loaded`: the register is in the engine already."""
    terms = parse(rule.document)
    run = Run(society_id=preview.society_id, period=preview.period, currency=preview.currency, rule=rule)
    run.pk = 0  # no run has it
    pools = read(engine, run, terms, loaded=loaded)
    if not pools:
        raise Refusal(
            "no_money", _("No money waits for uses of these days in %(currency)s.") % {"currency": run.currency}
        )
    divide(engine, pools, terms)
    totals = dict.fromkeys(("payable", "held", "suspense"), 0)
    totals |= {status: int(amount) for status, amount in engine.rows(_TOTALS)}
    return {"rule": str(rule), "pool": sum(pool.cuts.pool for pool in pools), **_cuts(pools), **totals}


def _cuts(pools: list[Pool]) -> dict[str, Any]:
    deductions: dict[str, int] = {}
    for pool in pools:
        for taken in pool.cuts.deductions:
            deductions[taken.name] = deductions.get(taken.name, 0) + taken.amount
    return {
        "deductions": deductions,
        "reserve": sum(pool.cuts.reserve for pool in pools),
        "distributable": sum(pool.cuts.distributable for pool in pools),
    }


def _differences(engine: Engine) -> dict[str, Any]:
    """Who would get more or less, and by how much: counts and sums over all, and the largest by holder."""
    more, less, gained, lost = engine.rows(
        "SELECT COUNT(*) FILTER (WHERE after > before), COUNT(*) FILTER (WHERE after < before), "
        "COALESCE(CAST(SUM(after - before) FILTER (WHERE after > before) AS DECIMAL(38,0)), 0), "
        f"COALESCE(CAST(SUM(before - after) FILTER (WHERE after < before) AS DECIMAL(38,0)), 0) FROM ({_DIFFERENCES}) d"
    )[0]
    rows = engine.rows(
        f"SELECT holder_id, before, after FROM ({_DIFFERENCES}) d ORDER BY ABS(after - before) DESC, holder_id LIMIT {LARGEST}"
    )
    named = Holder.objects.in_bulk([row[0] for row in rows])
    return {
        "more": int(more), "less": int(less), "gained": int(gained), "lost": int(lost),
        "holders": [
            {"ref": named[holder].ref, "name": str(named[holder]), "before": int(before), "after": int(after)}
            for holder, before, after in rows
        ],
    }  # fmt: skip
