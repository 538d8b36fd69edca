"""`bill --licence REF --from DATE --to DATE`"""

from __future__ import annotations

import datetime
from typing import Any

from django.core.management.base import CommandParser
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from accounts.identity.core import SYSTEM, NotFound
from config import formats
from config.actors import actor_by_email
from config.commands import Command as BaseCommand
from licensing.declarations.models import ReportDuty
from licensing.licences.models import Licence
from royalties.billing import services
from royalties.billing.models import Invoice, InvoiceLine


class Command(BaseCommand):
    help = (
        "Bill a licence for a period: what its accepted declarations cost, less what was billed before; a credit note where "
        "that is less. Billing the same again gives the same invoice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--licence", required=True, metavar="REF")
        parser.add_argument("--from", dest="start", required=True, type=datetime.date.fromisoformat, metavar="DATE")
        parser.add_argument(
            "--to", dest="end", required=True, type=datetime.date.fromisoformat, metavar="DATE", help="exclusive"
        )
        parser.add_argument(
            "--on", type=datetime.date.fromisoformat, metavar="DATE", help="the day of issue (default: today)"
        )
        early = parser.add_mutually_exclusive_group()
        early.add_argument(
            "--estimate", action="store_true", help="bill by estimate: the report on the period is overdue"
        )
        early.add_argument("--advance", action="store_true", help="bill the fixed price of the period in advance")
        parser.add_argument("--as", dest="email", metavar="EMAIL", help="who bills (default: the system)")

    def run(
        self,
        *,
        licence: str,
        start: datetime.date,
        end: datetime.date,
        on: datetime.date | None,
        email: str | None,
        estimate: bool,
        advance: bool,
        **options: Any,
    ) -> dict[str, Any]:
        found = Licence.objects.select_related("society", "licensee").filter(ref=licence).first()
        if found is None:
            raise NotFound(_("There is no licence “%(ref)s”.") % {"ref": licence}, pointer="/licence")
        actor = actor_by_email(email, found.society) if email else SYSTEM
        if estimate:
            duty = ReportDuty.objects.filter(licence=found, period=DateRange(start, end)).first()
            if duty is None:
                raise NotFound(_("No report is owed on just this period."), pointer="/period_start")
            return shown(services.estimate(actor=actor, duty=duty, issued_on=on))
        if advance:
            return shown(services.advance(actor=actor, licence=found, start=start, until=end, issued_on=on))
        billed = services.bill_period(actor=actor, licence=found, period=(start, end), issued_on=on)
        linked = [] if billed.new else [declaration.pk for declaration in billed.linked]
        return shown(billed.invoice) | ({"linked": linked} if linked else {})

    def text(self, result: dict[str, Any]) -> str:
        def money(amount: int) -> str:
            return formats.money(amount, result["currency"])

        rows = [(line["description"], money(line["amount"])) for line in result["lines"]]
        rows += [
            (_("net"), money(result["net"])),
            (_("VAT"), money(result["vat"])),
            (_("to pay"), money(result["amount"])),
        ]
        title = f"{result['invoice']}  {result['licensee']}"
        width = max(len(name) for name, _amount in rows)
        sums = "\n".join(f"  {name:<{width}}  {amount:>18}" for name, amount in rows)
        said = [f"{title}  {_said(result)}", sums]
        if result.get("linked"):
            said.append(
                _(
                    "The new declarations cost what was billed already: they stand with this invoice, and none is issued."
                )
            )
        return "\n".join(said)


def _said(result: dict[str, Any]) -> str:
    if result["kind"] == Invoice.Kind.CREDIT:
        return _("credit note")
    due = _("due on %(day)s") % {"day": result["due_on"]}
    return due if result["kind"] == Invoice.Kind.USE else f"{Invoice.Kind(result['kind']).label}, {due}"


def shown(invoice: Invoice) -> dict[str, Any]:
    """An invoice as the contract prints it. `amount` is what is to be paid: net and VAT less what was carried over."""
    return {
        "invoice": invoice.number,
        "kind": invoice.kind,
        "amount": invoice.asked,
        "currency": invoice.currency,
        "net": invoice.net,
        "vat": invoice.vat,
        "open": invoice.open,
        "credited": invoice.credited,
        "carried": invoice.carried,
        "version": invoice.version.version if invoice.version else None,
        "previously_billed": invoice.previously_billed,
        "licence": invoice.licence.ref,
        "society": invoice.society.ref,
        "licensee": invoice.licensee.ref,
        "period_start": invoice.period.lower.isoformat(),
        "period_end": invoice.period.upper.isoformat(),
        "issued_on": invoice.issued_on.isoformat(),
        "due_on": invoice.due_on.isoformat(),
        "lines": [_line(line) for line in invoice.lines.order_by("position")],
    }


def _line(line: InvoiceLine) -> dict[str, Any]:
    return {
        "description": line.description,
        "model": line.model,
        "quantity": None if line.quantity is None else int(line.quantity),
        "unit": line.unit,
        "amount": line.amount,
        "explanation": line.explanation,
    }
