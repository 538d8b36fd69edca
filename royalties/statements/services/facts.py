"""Gather what a statement says: a few queries for a page of lines, or for hundreds of statements at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from django.db import connection
from django.db.models import QuerySet, Sum
from django.utils import timezone

from accounts.evidence.models import Event
from accounts.organisations.models import Organisation
from licensing.compliance.models import CaseUse
from licensing.declarations.models import DeclaredUse
from licensing.repertoire.models import Share, Work
from royalties.billing.core import CREDIT_CARRIED
from royalties.billing.models import InvoiceLine
from royalties.distribution.core import RuleTerms, parse
from royalties.distribution.models import Allocation, Run, RunCorrection, RunPool, RunPoolDeclaration, RunReceipt
from royalties.statements.core import (
    Charge,
    Deduction,
    Factor,
    Head,
    Line,
    PoolFacts,
    Replaced,
    Revised,
    Statement,
    Used,
)
from royalties.statements.models import Statement as StatementRow

_COLUMNS = (
    "id", "pool_id", "work_id", "holder_id", "role", "ppm", "used_on", "weight", "work_amount", "set_amount", "amount", "status", "reason",
    "scheme", "value",
)  # fmt: skip


class RunFacts:
    """One run as its statements show it; pools are read once and shared by all lines."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.terms: RuleTerms = parse(run.rule.document)
        self._terms: dict[int, RuleTerms] = {}

    @cached_property
    def _rows(self) -> list[RunPool]:
        of_pools = self.run.pools.select_related("invoice__licensee", "origin__run", "origin__invoice__licensee")
        return list(of_pools.order_by("id"))

    @cached_property
    def pools(self) -> dict[int, PoolFacts]:
        rows = self._rows
        charges: dict[int, list[Charge]] = {}
        billed = InvoiceLine.objects.filter(invoice_id__in=[row.invoice_id for row in rows])
        for line in billed.exclude(model=CREDIT_CARRIED).order_by("invoice_id", "position"):
            quantity = None if line.quantity is None else int(line.quantity)
            factors = tuple(
                _factor(step) for step in line.explanation if step.get("price") and step.get("code") != "packages"
            )
            charge = Charge(line.description, quantity, line.unit, line.amount, line.model, factors)
            charges.setdefault(line.invoice_id, []).append(charge)
        return {row.pk: _pool(row, tuple(charges.get(row.invoice_id, ()))) for row in rows}

    @cached_property
    def pools_of_declaration(self) -> dict[int, list[int]]:
        """Declaration id → pool ids: which declared uses weighed in which pools."""
        weighed = RunPoolDeclaration.objects.filter(pool__run_id=self.run.pk).order_by("id")
        found: dict[int, list[int]] = {}
        for declaration, pool in weighed.values_list("declaration_id", "pool_id"):
            found.setdefault(declaration, []).append(pool)
        return found

    @cached_property
    def _weighing(self) -> dict[int, list[int]]:
        """The same with the pools of what was released, for what waited there for its shares: where it was allocated first."""
        found = {declaration: list(pools) for declaration, pools in self.pools_of_declaration.items()}
        roots: dict[int, list[int]] = {}
        for row in self._rows:
            if row.kind == RunPool.Kind.RELEASE:
                roots.setdefault(row.root.pk, []).append(row.pk)
        weighed = RunPoolDeclaration.objects.filter(pool_id__in=list(roots)).order_by("id")
        for declaration, pool in weighed.values_list("declaration_id", "pool_id"):
            found.setdefault(declaration, []).extend(roots[pool])
        return found

    @cached_property
    def reversed_runs(self) -> dict[int, str]:
        """Run id → reason: the reversed runs that had distributed money of this run before."""
        receipts = RunReceipt.objects.filter(pool__run_id=self.run.pk).values("receipt_id")
        earlier = RunReceipt.objects.filter(receipt_id__in=receipts, pool__run__status=Run.Status.REVERSED)
        ids = sorted(set(earlier.exclude(pool__run_id=self.run.pk).values_list("pool__run_id", flat=True)))
        events = Event.objects.filter(
            object_kind="run", object_id__in=[str(number) for number in ids], verb="run.reversed"
        )
        reasons = {event.object_id: event.data.get("reason", "") for event in events} if ids else {}
        return {number: reasons.get(str(number), "") for number in ids}

    def replaced(self, holders: Sequence[int]) -> dict[int, tuple[Replaced, ...]]:
        """Holder id → their statements that this run's take the place of."""
        if not self.reversed_runs:
            return {}
        rows = StatementRow.objects.filter(run_id__in=self.reversed_runs, holder_id__in=holders).order_by("id")
        found: dict[int, tuple[Replaced, ...]] = {}
        for row in rows:
            told = Replaced(row.number, row.payable, row.held, self.reversed_runs[row.run_id])
            found[row.holder_id] = (*found.get(row.holder_id, ()), told)
        return found

    def lines(self, allocations: QuerySet[Allocation]) -> list[Line]:
        """These allocations of the run with their works, uses and pools: three queries, however many lines."""
        return [line for _holder, line in self.lines_with_holders(allocations)]

    def lines_with_holders(self, allocations: QuerySet[Allocation]) -> list[tuple[int | None, Line]]:
        rows = list(allocations.values_list(*_COLUMNS, named=True))
        works = {row.work_id for row in rows if row.work_id}
        titles = {
            work: (ref, title)
            for work, ref, title in Work.objects.filter(id__in=works).values_list("id", "ref", "title")
        }
        uses = self._uses(works)
        made = []
        waited = self._uses_of_released(rows)
        for row in rows:
            ref, title = titles.get(row.work_id, ("", ""))
            known_as = (row.pool_id, row.scheme, row.value)
            line = Line(
                row.id, self.pools[row.pool_id], ref, title, waited.get(known_as, uses.get((row.pool_id, row.work_id), ())), row.role,
                row.ppm, row.used_on, int(row.weight), row.work_amount, row.set_amount, row.amount, row.status, row.reason,
                f"{row.scheme}:{row.value}" if row.work_id and row.scheme else "",
            )  # fmt: skip
            made.append((row.holder_id, line))
        return made

    def _uses(self, works: Iterable[int]) -> dict[tuple[int, int], tuple[Used, ...]]:
        """(pool, work) → its declared uses that weighed, summed over days."""
        declarations = self._weighing
        sums: dict[tuple[int, int], dict[tuple[str, str, str], int]] = {}
        for work, declaration, use, unit, kind, units in _uses_of_works(works, declarations):
            for pool in declarations[declaration]:
                of_work = sums.setdefault((pool, work), {})
                of_work[use, unit, kind] = of_work.get((use, unit, kind), 0) + int(units)
        terms = {row.pk: self._terms_of(row) for row in self._rows if row.kind != RunPool.Kind.RECEIPTS}
        weighed = {
            key: tuple(
                Used(use, unit, units, terms.get(key[0], self.terms).factor(use=use, unit=unit, kind=kind))
                for (use, unit, kind), units in sorted(of_work.items())
            )
            for key, of_work in sums.items()
        }
        return weighed | self._uses_of_cases(works)

    def _uses_of_released(self, rows: Iterable[Any]) -> dict[tuple[int, str, str], tuple[Used, ...]]:
        """(pool, scheme, value) → the uses that an amount in suspense waited for, by the rule of the run that it comes from."""
        origins = {row.pk: row.origin for row in self._rows if row.kind == RunPool.Kind.RELEASE and row.origin}
        asked = {(row.pool_id, row.scheme, row.value) for row in rows if row.pool_id in origins}
        if not asked:
            return {}
        sums: dict[tuple[int, str, str], dict[tuple[str, str, int], int]] = {}
        with connection.cursor() as cursor:
            cursor.execute(_RELEASED_USES, [list(column) for column in zip(*asked, strict=True)])
            for pool, scheme, value, use, unit, kind, units in cursor.fetchall():
                factor = self._terms_of(origins[pool]).factor(use=use, unit=unit, kind=kind)
                of_one = sums.setdefault((pool, scheme, value), {})
                of_one[use, unit, factor] = of_one.get((use, unit, factor), 0) + int(units)
        return {
            key: tuple(Used(use, unit, units, factor) for (use, unit, factor), units in sorted(of_one.items()))
            for key, of_one in sums.items()
        }

    def _terms_of(self, pool: RunPool) -> RuleTerms:
        rule = pool.rule
        if rule.pk not in self._terms:
            self._terms[rule.pk] = parse(rule.document)
        return self._terms[rule.pk]

    def revised(self, holders: Sequence[int]) -> dict[int, tuple[Revised, ...]]:
        """Holder id → what this run's corrections gave instead of what earlier runs had given."""
        corrections = {row.pk: row for row in self._rows if row.kind == RunPool.Kind.CORRECTION}
        if not corrections:
            return {}
        found: dict[int, tuple[Revised, ...]] = {}
        taken = RunCorrection.objects.filter(pool_id__in=list(corrections))
        because: dict[int, list[str]] = dict(taken.values_list("pool_id", "reasons"))
        with connection.cursor() as cursor:
            cursor.execute(_REVISED, {"run": self.run.pk, "pools": list(corrections), "holders": list(holders)})
            for holder, pool, before, now, held_before, held in cursor.fetchall():
                facts = self.pools[pool]
                told = Revised(
                    facts.invoice,
                    facts.licensee_name,
                    facts.run,
                    facts.run_period or facts.period,
                    before,
                    now,
                    held_before,
                    held,
                    tuple(because.get(pool) or ()),
                )
                found[holder] = (*found.get(holder, ()), told)
        return found

    def _uses_of_cases(self, works: Iterable[int]) -> dict[tuple[int, int], tuple[Used, ...]]:
        """The same for pools of compensation: the uses of their cases, weighed by the holder's part of the work."""
        pools = {row.invoice.case_id: row.pk for row in self._rows if row.invoice.case_id}
        if not pools:
            return {}
        found: dict[tuple[int, int], list[Used]] = {}
        uses = CaseUse.objects.filter(case_id__in=list(pools), work_id__in=list(works)).order_by("use", "unit", "ppm")
        rows = uses.values_list("case_id", "work_id", "use", "unit", "ppm").annotate(total=Sum("units"))
        for case, work, use, unit, ppm, units in rows:
            found.setdefault((pools[case], work), []).append(Used(use, unit, int(units), ppm, by_part=True))
        return {key: tuple(of_work) for key, of_work in found.items()}


def _factor(step: Mapping[str, str]) -> Factor:
    """A step of the tariff's calculation that multiplies."""
    return Factor(step.get("quantity", ""), step["price"], step.get("per", ""), step.get("code") == "percentage")


_USES_OF_WORKS = """
    SELECT coalesce(m.survivor_id, u.work_id), u.declaration_id, u.use, u.unit, u.kind, u.units
    FROM ({uses}) u LEFT JOIN licensing_merged m ON m.work_id = u.work_id
    WHERE u.declaration_id = ANY(%s::bigint[]) AND u.work_id = ANY(ARRAY(
      SELECT unnest(%s::bigint[]) UNION ALL SELECT work_id FROM licensing_merged WHERE survivor_id = ANY(%s::bigint[])))"""


def _uses_of_works(works: Iterable[int], declarations: Iterable[int]) -> list[tuple[Any, ...]]:
    """The priced uses of these works; what was declared of a work that was merged into one of them is that one's."""
    uses, parameters = DeclaredUse.objects.priced().order_by().query.sql_with_params()
    these = list(works)
    with connection.cursor() as cursor:
        cursor.execute(_USES_OF_WORKS.format(uses=uses), [*parameters, list(declarations), these, these])
        return cursor.fetchall()


# The uses that released amounts waited for. Parameters: pools, schemes, values.
_RELEASED_USES = """
    SELECT a.pool_id, a.scheme, a.value, u.use, u.unit, u.kind, sum(u.units)
    FROM unnest(%s::bigint[], %s::text[], %s::text[]) a (pool_id, scheme, value)
    JOIN royalties_runpool p ON p.id = a.pool_id
    JOIN royalties_runpooldeclaration b ON b.pool_id = royalties_root(p.id)
    JOIN licensing_declareduse u ON u.declaration_id = b.declaration_id AND u.work_id IS NULL AND u.scheme = a.scheme AND u.value = a.value
     AND u.status = 'unmatched'
    WHERE a.scheme <> ''
    GROUP BY 1, 2, 3, 4, 5, 6"""
# By holder and correction, what stood and what stands instead.
_REVISED = """
    SELECT holder_id, pool_id, sum(before)::bigint, sum(now)::bigint, sum(held_before)::bigint, sum(held)::bigint
    FROM (SELECT holder_id, correction_id AS pool_id, CASE WHEN status = 'payable' THEN amount ELSE 0 END AS before, 0 AS now,
                 CASE WHEN status = 'held' THEN amount ELSE 0 END AS held_before, 0 AS held
          FROM royalties_takenback WHERE correction_run_id = %(run)s AND holder_id = ANY(%(holders)s)
          UNION ALL
          SELECT holder_id, pool_id, 0, CASE WHEN status = 'payable' THEN amount ELSE 0 END, 0,
                 CASE WHEN status = 'held' THEN amount ELSE 0 END
          FROM royalties_allocation WHERE run_id = %(run)s AND pool_id = ANY(%(pools)s) AND holder_id = ANY(%(holders)s)) x
    GROUP BY 1, 2 ORDER BY 1, 2"""


def _pool(row: RunPool, charges: tuple[Charge, ...]) -> PoolFacts:
    origin = row.origin
    moved: dict[str, Any] = {}
    if origin is not None:
        period = origin.run.period
        moved = {
            "kind": row.kind, "run": origin.run_id, "run_period": (period.lower, period.upper),
            "origin": _pool_alone(origin.root, charges),
        }  # fmt: skip
    return dataclasses.replace(_pool_alone(row, charges), **moved)


def _pool_alone(row: RunPool, charges: tuple[Charge, ...]) -> PoolFacts:
    invoice, licensee = row.invoice, row.invoice.licensee
    return PoolFacts(
        id=row.pk,
        invoice=invoice.number,
        licensee=licensee.ref,
        licensee_name=str(licensee),
        period=(invoice.period.lower, invoice.period.upper),
        billed=invoice.net,
        amount=row.amount,
        charges=charges,
        deductions=tuple(
            Deduction(d["name"], d["percent"], d["base"], d["amount"], d.get("limit", "")) for d in row.deductions
        ),
        reserve=row.reserve,
        distributable=row.distributable,
        equal_part=row.equal_part,
        total_weight=int(row.total_weight),
        units=row.units,
    )


_TAKEN_BACK = """
    SELECT correction_run_id, holder_id, coalesce(sum(amount) FILTER (WHERE status = 'payable'), 0)::bigint,
           coalesce(sum(amount) FILTER (WHERE status = 'held'), 0)::bigint
    FROM royalties_takenback WHERE correction_run_id = ANY(%s) AND holder_id = ANY(%s) GROUP BY 1, 2"""


def taken_back(rows: Sequence[StatementRow]) -> dict[tuple[int, int], tuple[int, int]]:
    """(run, holder) → what of earlier statements (payable, held) is contained in that one's: sums over several leave it out."""
    runs = {row.run_id for row in rows if row.run.corrected}
    if not runs:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN_BACK, [list(runs), list({row.holder_id for row in rows})])
        return {(run, holder): (payable, held) for run, holder, payable, held in cursor.fetchall()}


def head(
    row: StatementRow,
    society: Organisation,
    run: Run,
    replaces: tuple[Replaced, ...] = (),
    revises: tuple[Revised, ...] = (),
) -> Head:
    holder = row.holder
    return Head(
        number=row.number, society=society.ref, society_name=str(society), holder=holder.ref, holder_name=str(holder), run=run.pk,
        period=(run.period.lower, run.period.upper), currency=row.currency, published_on=timezone.localdate(row.published_at),
        supplementary=run.supplementary, reversed=run.status == Run.Status.REVERSED, payable=row.payable, held=row.held, works=row.works,
        digest=row.digest, replaces=replaces, revises=revises,
    )  # fmt: skip


def own_lines(row: StatementRow) -> QuerySet[Allocation]:
    """The holder's allocations in the statement's run, the largest first (as the index holds them)."""
    return Allocation.objects.filter(holder_id=row.holder_id, run_id=row.run_id).order_by("-amount", "id")


def other_lines(row: StatementRow) -> QuerySet[Allocation]:
    """Parts of the holder's works that have no holder yet, or that are held as a whole because too much is claimed."""
    works = Share.objects.filter(holder_id=row.holder_id).values("work_id")
    return (
        Allocation.objects.filter(run_id=row.run_id, holder=None, work_id__in=works)
        .exclude(status="payable")
        .order_by("-amount", "id")
    )


def pool_amounts(row: StatementRow) -> dict[int, int]:
    """What the holder got from each pool of the run, from the index alone."""
    sums = Allocation.objects.filter(holder_id=row.holder_id, run_id=row.run_id).order_by().values_list("pool_id")
    return {pool: int(total) for pool, total in sums.annotate(total=Sum("amount"))}


def in_full(row: StatementRow, facts: RunFacts | None = None) -> Statement:
    """One statement with all its lines."""
    facts = facts or RunFacts(row.run)
    lines = tuple(facts.lines(own_lines(row)))
    return Statement(
        head(
            row,
            row.society,
            row.run,
            facts.replaced([row.holder_id]).get(row.holder_id, ()),
            facts.revised([row.holder_id]).get(row.holder_id, ()),
        ),
        lines,
        tuple(facts.lines(other_lines(row))),
        len(lines),
    )


def of_run(run: Run, rows: Iterable[Sequence[StatementRow]]) -> Iterator[Statement]:
    """Statements of a run in full, batch by batch: a handful of queries a batch, memory of one batch."""
    facts = RunFacts(run)
    for batch in rows:
        holders = [row.holder_id for row in batch]
        by_holder: dict[int, list[Line]] = {holder: [] for holder in holders}
        allocations = Allocation.objects.filter(holder_id__in=holders, run_id=run.pk).order_by("-amount", "id")
        for holder, line in facts.lines_with_holders(allocations):
            by_holder[holder or 0].append(line)
        others, replaced, revised = (
            _others_by_holder(facts, run, holders),
            facts.replaced(holders),
            facts.revised(holders),
        )
        for row in batch:
            lines = tuple(by_holder[row.holder_id])
            yield Statement(
                head(row, run.society, run, replaced.get(row.holder_id, ()), revised.get(row.holder_id, ())),
                lines,
                tuple(others.get(row.holder_id, ())),
                len(lines),
            )


_OTHERS = """
    SELECT DISTINCT s.holder_id, a.id FROM licensing_share s
    JOIN royalties_allocation a ON a.work_id = s.work_id AND a.run_id = %s AND a.holder_id IS NULL AND a.status <> 'payable'
    WHERE s.holder_id = ANY(%s)"""


def _others_by_holder(facts: RunFacts, run: Run, holders: Sequence[int]) -> Mapping[int, list[Line]]:
    with connection.cursor() as cursor:
        cursor.execute(_OTHERS, [run.pk, list(holders)])
        pairs = cursor.fetchall()
    if not pairs:
        return {}
    lines = {line.id: line for line in facts.lines(Allocation.objects.filter(id__in={pair[1] for pair in pairs}))}
    found: dict[int, list[Line]] = {}
    for holder, allocation in sorted(pairs, key=lambda pair: (-lines[pair[1]].amount, pair[1])):
        found.setdefault(holder, []).append(lines[allocation])
    return found
