"""What a run depends on, read from PostgreSQL into the engine in one consistent look."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from accounts.identity.core import Refusal
from licensing.declarations.models import DeclaredUse
from licensing.engine.core import Engine
from royalties.billing.models import Invoice, Receipt
from royalties.distribution.core import Cuts, RuleTerms, cut
from royalties.distribution.models import Run
from royalties.distribution.services.runs import undistributed

FIRST_DAY, LAST_DAY = "0001-01-01", "9999-12-31"  # for shares without a beginning or an end


@dataclass(frozen=True, slots=True)
class Pool:
    """One invoice's receipts in this run, and what is cut from them."""

    invoice: Invoice
    receipts: tuple[Receipt, ...]
    cuts: Cuts

    def as_data(self) -> dict[str, Any]:
        """What of it the result depends on, without ids."""
        period = self.invoice.period
        received = sorted([receipt.bank_ref, receipt.net, receipt.received_on.isoformat()] for receipt in self.receipts)
        return {
            "invoice": self.invoice.number,
            "licensee": self.invoice.licensee.ref,
            "period": [period.lower.isoformat(), period.upper.isoformat()],
            "receipts": received,
        }


@contextmanager
def one_look() -> Iterator[None]:
    """A transaction in which every query sees the same moment (within one that is open already: that one)."""
    inside = connection.in_atomic_block
    with transaction.atomic():
        if not inside:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield


def read(engine: Engine, run: Run, terms: RuleTerms) -> list[Pool]:
    """Take uses and shares into the engine (`declared`, `held_share`); return the pools, by invoice number."""
    with one_look():
        pools = read_pools(run, terms)
        invoices = [pool.invoice.pk for pool in pools]
        _take_uses(engine, invoices)
        _take_shares(engine, invoices)
    return pools


def read_pools(run: Run, terms: RuleTerms) -> list[Pool]:
    """The receipts that wait for this run, by invoice in the order of their numbers."""
    waiting = undistributed(run.society_id, run.period, run_id=run.pk).filter(invoice__currency=run.currency)
    by_invoice: dict[int, list[Receipt]] = {}
    for receipt in waiting.select_related("invoice__licensee").order_by("bank_ref"):
        by_invoice.setdefault(receipt.invoice_id, []).append(receipt)
    if not by_invoice:
        raise Refusal(
            "no_money", _("No money waits to be distributed for uses in this period. Record a receipt first.")
        )
    pools = [
        Pool(receipts[0].invoice, tuple(receipts), cut(sum(receipt.net for receipt in receipts), terms))
        for receipts in by_invoice.values()
    ]
    return sorted(pools, key=lambda pool: pool.invoice.number.encode())


def _priced(invoices: list[int], columns: str, rest: str = "") -> tuple[str, tuple[Any, ...]]:
    """A query over the priced uses (`u`) of the declarations billed (`b`) on these invoices."""
    uses, parameters = DeclaredUse.objects.priced().order_by().query.sql_with_params()
    sql = f"""
        SELECT {columns}
        FROM ({uses}) u
        JOIN royalties_invoicedeclaration b ON b.declaration_id = u.declaration_id AND b.invoice_id = ANY(%s) {rest}"""
    return sql, (*parameters, invoices)


def _take_uses(engine: Engine, invoices: list[int]) -> None:
    sql, parameters = _priced(
        invoices,
        "b.invoice_id, coalesce(w.ref, u.scheme || ':' || u.value), u.work_id, u.scheme, u.value, u.kind, u.use, u.unit, u.used_on, "
        "u.units",
        "LEFT JOIN licensing_work w ON w.id = u.work_id",
    )
    columns = {
        "pool": "BIGINT", "key": "VARCHAR", "work_id": "BIGINT", "scheme": "VARCHAR", "value": "VARCHAR", "kind": "VARCHAR",
        "use": "VARCHAR", "unit": "VARCHAR", "used_on": "DATE", "units": "DECIMAL(38,0)",
    }  # fmt: skip
    engine.take("declared", columns, sql, parameters)


def _take_shares(engine: Engine, invoices: list[int]) -> None:
    works, parameters = _priced(invoices, "DISTINCT u.work_id", "AND u.work_id IS NOT NULL")
    first, last = _days_of_use(engine)
    sql = f"""
        SELECT s.work_id, s.holder_id, h.ref, s.role, s.ppm, s.disputed,
               coalesce(lower(s.valid), '{FIRST_DAY}'), coalesce(upper(s.valid), '{LAST_DAY}')
        FROM licensing_share s
        JOIN licensing_holder h ON h.id = s.holder_id
        WHERE s.work_id IN ({works}) AND s.valid && daterange(%s, %s, '[]')"""
    columns = {
        "work_id": "BIGINT", "holder_id": "BIGINT", "holder_ref": "VARCHAR", "role": "VARCHAR", "ppm": "INTEGER", "disputed": "BOOLEAN",
        "valid_from": "DATE", "valid_to": "DATE",
    }  # fmt: skip
    engine.take("held_share", columns, sql, (*parameters, first, last))


def _days_of_use(engine: Engine) -> tuple[datetime.date, datetime.date]:
    """The first and the last day on which anything of the run was used; any day where nothing was."""
    first, last = engine.rows("SELECT MIN(used_on), MAX(used_on) FROM declared")[0]
    return first or datetime.date(2000, 1, 1), last or datetime.date(2000, 1, 1)
