"""What a run depends on, read from PostgreSQL into the engine in one consistent look."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection, transaction

from licensing.declarations.models import DeclaredUse
from licensing.engine.core import Engine
from licensing.permissions import snapshots
from royalties.billing.models import Invoice, PoolDeclaration, Receipt
from royalties.distribution.core import Cuts, RuleTerms, cut
from royalties.distribution.models import Run
from royalties.distribution.services.runs import undistributed


@dataclass(frozen=True, slots=True)
class Pool:
    """One invoice's receipts in this run, and what is cut from them."""

    invoice: Invoice
    receipts: tuple[Receipt, ...]
    cuts: Cuts
    declarations: tuple[int, ...] = ()  # whose uses weigh in it

    def as_data(self) -> dict[str, Any]:
        """What of it the result depends on, without ids."""
        period, kind = self.invoice.period, self.invoice.kind
        received = sorted([receipt.bank_ref, receipt.net, receipt.received_on.isoformat()] for receipt in self.receipts)
        return {
            "invoice": self.invoice.number,
            "licensee": self.invoice.licensee.ref,
            "period": [period.lower.isoformat(), period.upper.isoformat()],
            "receipts": received,
            **({} if kind == Invoice.Kind.USE else {"kind": str(kind)}),
        }

    @property
    def compensation(self) -> bool:
        """Its money is for what one case is about, and its holder's alone."""
        return self.invoice.kind == Invoice.Kind.COMPENSATION


@contextmanager
def one_look() -> Iterator[None]:
    """A transaction in which every query sees the same moment (within one that is open already: that one)."""
    inside = connection.in_atomic_block
    with transaction.atomic():
        if not inside:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def read(engine: Engine, run: Run, terms: RuleTerms, *, loaded: bool = False) -> list[Pool]:
    """Take uses and shares into the engine (`declared`, `held_share`); return the pools, by invoice number, if there are any.

    `loaded`: the register is there already.
    """
    with one_look():
        pools = read_pools(run, terms)
        if pools:
            if not loaded:
                snapshots.load(engine, run.society_id, prefix="registered_")
                take_holders(engine, run.society_id)
            _take_cases(engine, [pool.invoice.pk for pool in pools if pool.compensation])
            _take_uses(engine, [pool.invoice.pk for pool in pools])
            hold_shares(engine)
    return pools


def read_pools(run: Run, terms: RuleTerms) -> list[Pool]:
    """The receipts that wait for this run, by invoice in the order of their numbers."""
    waiting = undistributed(run.society_id, run.period, run_id=run.pk).filter(invoice__currency=run.currency)
    by_invoice: dict[int, list[Receipt]] = {}
    for receipt in waiting.select_related("invoice__licensee").order_by("bank_ref"):
        by_invoice.setdefault(receipt.invoice_id, []).append(receipt)
    weighed: dict[int, list[int]] = {}
    for invoice, declaration in PoolDeclaration.objects.filter(invoice__in=by_invoice).values_list(
        "invoice_id", "declaration_id"
    ):
        weighed.setdefault(invoice, []).append(declaration)
    pools = [
        Pool(
            receipts[0].invoice,
            tuple(receipts),
            _cut(receipts[0].invoice, sum(r.net for r in receipts), terms),
            tuple(sorted(weighed.get(pk, ()))),
        )
        for pk, receipts in by_invoice.items()
    ]
    return sorted(pools, key=lambda pool: pool.invoice.number.encode())


def _cut(invoice: Invoice, amount: int, terms: RuleTerms) -> Cuts:
    """What is deducted from a pool. Compensation is for single works: no part of it goes to each alike."""
    cuts = cut(amount, terms, invoice.currency)
    return replace(cuts, equal_part=0) if invoice.kind == Invoice.Kind.COMPENSATION else cuts


def _take_cases(engine: Engine, invoices: list[int]) -> None:
    """The table `case_pool`: whose alone each pool of compensation is; null where no holder is on record."""
    query = """
        SELECT i.id, c.holder_id, h.ref FROM royalties_invoice i JOIN licensing_case c ON c.id = i.case_id
        LEFT JOIN licensing_holder h ON h.id = c.holder_id WHERE i.id = ANY(%s)"""
    engine.take("case_pool", {"pool": "BIGINT", "holder_id": "BIGINT", "holder_ref": "VARCHAR"}, query, [invoices])


def _take_uses(engine: Engine, invoices: list[int]) -> None:
    """The table `declared`: the priced uses of the declarations that weigh in these invoices' pools, under their works' refs.

    A work that was merged into another is that one.
    For a pool of compensation: the uses of its case, their units multiplied by the holder's ppm of the work on that day.
    """
    uses, parameters = DeclaredUse.objects.priced().order_by().query.sql_with_params()
    sql = f"""
        SELECT b.invoice_id, coalesce(m.survivor_id, u.work_id), u.scheme, u.value, u.kind, u.use, u.unit, u.used_on, u.units
        FROM ({uses}) u LEFT JOIN licensing_merged m ON m.work_id = u.work_id
        JOIN royalties_pooldeclaration b ON b.declaration_id = u.declaration_id AND b.invoice_id = ANY(%s)
        UNION ALL
        SELECT i.id, u.work_id, u.scheme, u.value, u.kind, u.use, u.unit, u.used_on, u.units * u.ppm
        FROM licensing_caseuse u JOIN royalties_invoice i ON i.case_id = u.case_id AND i.id = ANY(%s)"""
    columns = {
        "pool": "BIGINT", "work_id": "BIGINT", "scheme": "VARCHAR", "value": "VARCHAR", "kind": "VARCHAR", "use": "VARCHAR",
        "unit": "VARCHAR", "used_on": "DATE", "units": "DECIMAL(38,0)",
    }  # fmt: skip
    engine.take("declared_use", columns, sql, (*parameters, invoices, invoices))
    engine.execute(
        "CREATE OR REPLACE TABLE declared AS "
        "SELECT u.*, CASE WHEN u.work_id IS NULL THEN u.scheme || ':' || u.value ELSE w.ref END AS key "
        "FROM declared_use u LEFT JOIN registered_work w ON w.work_id = u.work_id"
    )
    engine.execute("DROP TABLE declared_use")


def take_holders(engine: Engine, society_id: int) -> None:
    """The table `registered_holder`: the society's holders with their refs."""
    holders = "SELECT id, ref FROM licensing_holder WHERE society_id = %s"
    engine.take("registered_holder", {"holder_id": "BIGINT", "ref": "VARCHAR"}, holders, [society_id])


def hold_shares(engine: Engine) -> None:
    """The table `held_share`: the shares of the works in `declared` that held on any day of use."""
    engine.execute(
        "CREATE OR REPLACE TABLE held_share AS "
        "SELECT s.work_id, s.holder_id, h.ref AS holder_ref, s.role, s.ppm, s.disputed, s.valid_from, s.valid_to "
        "FROM registered_share s JOIN registered_holder h ON h.holder_id = s.holder_id "
        "WHERE s.work_id IN (SELECT work_id FROM declared) "
        "AND s.valid_from <= (SELECT MAX(used_on) FROM declared) AND s.valid_to > (SELECT MIN(used_on) FROM declared)"
    )
