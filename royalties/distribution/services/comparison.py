"""A run beside the run before: totals, and what moved most by holder, work and licensee."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.cache import cache
from django.db import connection, models

import royalties.distribution
from accounts.organisations.models import Organisation
from licensing.repertoire.models import Holder, Work
from royalties.distribution.models import Allocation, Run
from royalties.distribution.services.affected import in_words
from royalties.distribution.services.runs import POSTED

SCRIPT = Path(royalties.distribution.__file__).with_name("compare.sql")
KEPT_SECONDS = 24 * 3600
# What to group by: the key, a join that it needs, which rows count, and the model that names it.
_KINDS: dict[str, tuple[str, str, str, type[models.Model]]] = {
    "holder": ("a.holder_id", "", "a.holder_id IS NOT NULL AND a.status = 'payable'", Holder),
    "work": ("a.work_id", "", "a.work_id IS NOT NULL", Work),
    "licensee": (
        "i.licensee_id",
        "JOIN royalties_runpool p ON p.id = a.pool_id JOIN royalties_invoice i ON i.id = p.invoice_id",
        "true",
        Organisation,
    ),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """One holder, work or licensee in both runs. Minor units."""

    ref: str
    name: str
    before: int
    now: int

    @property
    def change(self) -> int:
        return self.now - self.before


@dataclass(frozen=True, slots=True)
class Total:
    """One figure of both runs."""

    name: str
    before: int
    now: int

    @property
    def change(self) -> int:
        return self.now - self.before


def run_before(run: Run) -> Run | None:
    """The last posted run of the same society and currency that came before this one."""
    earlier = Run.objects.filter(society_id=run.society_id, currency=run.currency, status__in=POSTED, pk__lt=run.pk)
    return earlier.order_by("-id").first()


def totals(run: Run, before: Run | None) -> list[Total]:
    names = (
        "pool",
        "released",
        "corrected",
        "reserve",
        "distributable",
        "payable",
        "held",
        "suspense",
        "holders",
        "works",
    )
    made = [Total(name, getattr(before, name) if before else 0, getattr(run, name)) for name in names]
    return [each for each in made if each.before or each.now or each.name not in ("released", "corrected")]


_REVISED = """
    SELECT x.holder_id, i.number, c.reasons, sum(x.before)::bigint, sum(x.now)::bigint
    FROM (SELECT correction_id AS pool_id, holder_id, amount AS before, 0 AS now FROM royalties_takenback
          WHERE correction_run_id = %(run)s AND status = 'payable'
          UNION ALL
          SELECT a.pool_id, a.holder_id, 0, a.amount
          FROM royalties_allocation a JOIN royalties_runpool p ON p.id = a.pool_id AND p.kind = 'correction'
          WHERE a.run_id = %(run)s AND a.status = 'payable') x
    JOIN royalties_runpool p ON p.id = x.pool_id
    JOIN royalties_invoice i ON i.id = p.invoice_id
    LEFT JOIN royalties_runcorrection c ON c.pool_id = p.id
    GROUP BY 1, 2, 3 HAVING sum(x.before) <> sum(x.now)
    ORDER BY abs(sum(x.before) - sum(x.now)) DESC, 1, 2 LIMIT %(limit)s"""


@dataclass(frozen=True, slots=True)
class Revision(Difference):
    """What a correction changes for one holder: of which invoice, and why (`declarations`, `shares`, `works`, `match`)."""

    invoice: str
    reasons: tuple[str, ...]

    @property
    def why(self) -> list[str]:
        return in_words(self.reasons)


def revised(run: Run, limit: int = 20) -> list[Revision]:
    """What the corrections of a run change for holders: old and new payable amounts with the reason, the largest change first."""
    with connection.cursor() as cursor:
        cursor.execute(_REVISED, {"run": run.pk, "limit": limit})
        rows = cursor.fetchall()
    named = Holder.objects.in_bulk([row[0] for row in rows])
    return [
        Revision(named[holder].ref, str(named[holder]), int(before), int(now), invoice, tuple(_reasons(reasons)))
        for holder, invoice, reasons, before, now in rows
    ]


def _reasons(stored: str | list[str] | None) -> list[str]:
    return json.loads(stored) if isinstance(stored, str) else stored or []


def differences(run: Run, before: Run, kind: str, limit: int = 20) -> list[Difference]:
    """The largest changes first. Kept by the digests of both results, since neither ever changes."""
    key = f"run-difference:{run.pk}:{run.result_digest}:{before.result_digest}:{kind}:{limit}"
    rows: list[tuple[int, int, int]] | None = cache.get(key)
    if rows is None:
        rows = _differences(run, before, kind, limit)
        cache.set(key, rows, KEPT_SECONDS)
    model: Any = _KINDS[kind][3]
    named = model._default_manager.in_bulk([row[0] for row in rows])
    return [Difference(named[number].ref, str(named[number]), was, now) for number, was, now in rows if number in named]


def _differences(run: Run, before: Run, kind: str, limit: int) -> list[tuple[int, int, int]]:
    column, join, some, _model = _KINDS[kind]
    sql = SCRIPT.read_text(encoding="utf-8").format(key=column, join=join, some=some)
    with connection.cursor() as cursor:
        cursor.execute(sql, {"run": run.pk, "before": before.pk, "limit": limit})
        return [(int(number), int(was), int(now)) for number, was, now in cursor.fetchall()]


def leading(run: Run, kind: str, limit: int = 10) -> list[tuple[str, str, int]]:
    """(ref, name, amount) of the holders or works with the largest sums of this run. Kept by the result's digest."""
    key = f"run-leading:{run.pk}:{run.result_digest}:{kind}:{limit}"
    rows: list[tuple[int, int]] | None = cache.get(key)
    field = f"{kind}_id"
    if rows is None:
        lines = Allocation.objects.filter(run=run, **{f"{kind}__isnull": False})
        lines = lines.filter(status=Allocation.Status.PAYABLE) if kind == "holder" else lines
        sums = lines.order_by().values_list(field).annotate(total=models.Sum("amount")).order_by("-total", field)
        rows = [(number, int(total)) for number, total in sums[:limit]]
        cache.set(key, rows, KEPT_SECONDS)
    model: Any = _KINDS[kind][3]
    named = model._default_manager.in_bulk([number for number, _total in rows])
    return [(named[number].ref, str(named[number]), total) for number, total in rows if number in named]
