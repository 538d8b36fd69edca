"""Gather what a statement says: a few queries for a page of lines, or for hundreds of statements at once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

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
from royalties.distribution.models import Allocation, Run, RunPool, RunPoolDeclaration, RunReceipt
from royalties.statements.core import Charge, Deduction, Factor, Head, Line, PoolFacts, Replaced, Statement, Used
from royalties.statements.models import Statement as StatementRow

_COLUMNS = (
    "id", "pool_id", "work_id", "holder_id", "role", "ppm", "used_on", "weight", "work_amount", "set_amount", "amount", "status", "reason",
)  # fmt: skip


class RunFacts:
    """One run as its statements show it; pools are read once and shared by all lines."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.terms: RuleTerms = parse(run.rule.document)

    @cached_property
    def _rows(self) -> list[RunPool]:
        return list(self.run.pools.select_related("invoice__licensee").order_by("id"))

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
        for row in rows:
            ref, title = titles.get(row.work_id, ("", ""))
            line = Line(
                row.id, self.pools[row.pool_id], ref, title, uses.get((row.pool_id, row.work_id), ()), row.role, row.ppm, row.used_on,
                int(row.weight), row.work_amount, row.set_amount, row.amount, row.status,
                row.reason,
            )  # fmt: skip
            made.append((row.holder_id, line))
        return made

    def _uses(self, works: Iterable[int]) -> dict[tuple[int, int], tuple[Used, ...]]:
        """(pool, work) → its declared uses that weighed, summed over days."""
        declarations = self.pools_of_declaration
        sums: dict[tuple[int, int], dict[tuple[str, str, str], int]] = {}
        found = DeclaredUse.objects.priced().filter(work_id__in=list(works), declaration_id__in=list(declarations))
        for work, declaration, use, unit, kind, units in found.values_list(
            "work_id", "declaration_id", "use", "unit", "kind", "units"
        ):
            for pool in declarations[declaration]:
                of_work = sums.setdefault((pool, work), {})
                of_work[use, unit, kind] = of_work.get((use, unit, kind), 0) + int(units)
        weighed = {
            key: tuple(
                Used(use, unit, units, self.terms.factor(use=use, unit=unit, kind=kind))
                for (use, unit, kind), units in sorted(of_work.items())
            )
            for key, of_work in sums.items()
        }
        return weighed | self._uses_of_cases(works)

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


def _pool(row: RunPool, charges: tuple[Charge, ...]) -> PoolFacts:
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
        deductions=tuple(Deduction(d["name"], d["percent"], d["base"], d["amount"]) for d in row.deductions),
        reserve=row.reserve,
        distributable=row.distributable,
        equal_part=row.equal_part,
        total_weight=int(row.total_weight),
        units=row.units,
    )


def head(row: StatementRow, society: Organisation, run: Run, replaces: tuple[Replaced, ...] = ()) -> Head:
    holder = row.holder
    return Head(
        number=row.number, society=society.ref, society_name=str(society), holder=holder.ref, holder_name=str(holder), run=run.pk,
        period=(run.period.lower, run.period.upper), currency=row.currency, published_on=timezone.localdate(row.published_at),
        supplementary=run.supplementary, reversed=run.status == Run.Status.REVERSED, payable=row.payable, held=row.held, works=row.works,
        digest=row.digest, replaces=replaces,
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
        head(row, row.society, row.run, facts.replaced([row.holder_id]).get(row.holder_id, ())),
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
        others, replaced = _others_by_holder(facts, run, holders), facts.replaced(holders)
        for row in batch:
            lines = tuple(by_holder[row.holder_id])
            yield Statement(
                head(row, run.society, run, replaced.get(row.holder_id, ())),
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
