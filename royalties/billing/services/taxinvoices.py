"""The data of Korean tax invoices (전자세금계산서): what each has to say, made once, and given as CSV or JSON.

What a tax invoice must say is in the Value-Added Tax Act (부가가치세법) art. 32 para. 1 and its Enforcement Decree art. 67; a credit note
is an amended tax invoice, as the value of the supply changed (Enforcement Decree art. 70 para. 1 no. 3). Nothing is sent from here: the
file feeds the system that issues them (Hometax, or a provider), which also signs them.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from stdnum.exceptions import ValidationError
from stdnum.kr import brn

from accounts.evidence.services import record
from accounts.identity.core import Actor, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing.licences.models import Licence
from royalties.billing import core
from royalties.billing.models import Invoice, TaxDetails, TaxInvoice
from royalties.billing.services.guards import enter
from royalties.billing.services.losses import own_invoice

PARTY: Final = ("number", "name", "representative", "address", "trade", "item", "email")
COLUMNS: Final = (
    "invoice", "kind", "amends", "amendment_reason", "written_on",
    *(f"supplier_{name}" for name in PARTY), *(f"recipient_{name}" for name in PARTY),
    "supply", "tax", "total", "item_date", "item_name", "item_supply", "item_tax", "purpose",
)  # fmt: skip


def _of_party(row: TaxDetails) -> dict[str, str]:
    return {name: getattr(row, name) for name in PARTY}


@transaction.atomic
def record_tax_details(
    *,
    actor: Actor,
    society: Organisation,
    organisation: Organisation,
    number: str,
    name: str,
    representative: str,
    **more: str,
) -> TaxDetails:
    """Keep what tax invoices say of the society itself or of one of its licensees. The business number's check digit has to fit."""
    enter(actor, society.pk, "billing.manage")
    if organisation.pk != society.pk and not Licence.objects.filter(society=society, licensee=organisation).exists():
        raise Refusal("no_licence", _("This organisation has no licence of yours."), pointer="/organisation")
    try:
        digits = brn.validate(number)
        fits = core.business_number_fits(digits)
    except ValidationError:
        fits = False
    if not fits:
        raise Refusal(
            "bad_business_number",
            _("This is no Korean business registration number: its check digit does not fit."),
            pointer="/number",
        )
    if not name.strip() or not representative.strip():
        raise Refusal("incomplete", _("A tax invoice names the firm and who represents it."), pointer="/name")
    said = {"number": digits, "name": name.strip(), "representative": representative.strip()}
    said |= {key: more.get(key, "").strip() for key in ("address", "trade", "item", "email")}
    kept, _new = TaxDetails.objects.update_or_create(society=society, organisation=organisation, defaults=said)
    about = Reference("tax_details", kept.pk)
    data = {"organisation": organisation.ref, "number": digits}
    record(actor=actor, verb="tax_details.recorded", object=about, organisation_id=society.pk, data=data)
    return kept


@transaction.atomic
def make_tax_invoice(*, actor: Actor, invoice: Invoice) -> TaxInvoice:
    """The data of an invoice's or credit note's tax invoice, as the parties' details are now. Made once, then never changed."""
    invoice = own_invoice(actor, invoice.pk)
    invoice = Invoice.objects.select_for_update(no_key=True, of=("self",)).select_related("licence").get(pk=invoice.pk)
    made = TaxInvoice.objects.filter(invoice=invoice).first()
    if made is not None:
        return made
    if invoice.currency != "KRW":
        raise Refusal(
            "not_in_won",
            _("A Korean tax invoice is in won; this invoice is in %(currency)s.") % {"currency": invoice.currency},
        )
    if invoice.kind == Invoice.Kind.COMPENSATION:
        raise Refusal("no_supply", _("Compensation is no supply: it has no tax invoice."))
    parties = {row.organisation_id: row for row in TaxDetails.objects.filter(society_id=invoice.society_id)}
    supplier, recipient = parties.get(invoice.society_id), parties.get(invoice.licensee_id)
    if supplier is None or recipient is None:
        raise Refusal("no_tax_details", _("Record the details of both parties for tax invoices first."))
    corrected = invoice.corrects.select_related("invoice").order_by("id").first()
    item = {
        "date": invoice.issued_on.isoformat(), "name": _item(invoice), "supply": invoice.net, "tax": invoice.vat,
    }  # fmt: skip
    made = TaxInvoice.objects.create(
        invoice=invoice, society_id=invoice.society_id, zero_rated=invoice.vat_basis == "zero_rated",
        amends=corrected.invoice.number if corrected else "", written_on=invoice.issued_on, supply=invoice.net, tax=invoice.vat,
        supplier=_of_party(supplier), recipient=_of_party(recipient), items=[item],
    )  # fmt: skip
    about = Reference("tax_invoice", made.pk)
    data = {"invoice": invoice.number, "net": invoice.net, "vat": invoice.vat}
    record(actor=actor, verb="tax_invoice.made", object=about, organisation_id=invoice.society_id, data=data)
    return made


def _item(invoice: Invoice) -> str:
    last = invoice.period.upper - datetime.timedelta(days=1)
    return f"저작물 이용료 {invoice.period.lower:%Y.%m.%d}–{last:%Y.%m.%d} ({invoice.licence.ref})"[:100]


def tax_invoices(actor: Actor, *, since: datetime.date, until: datetime.date) -> QuerySet[TaxInvoice]:
    """The society's tax invoices written from a day on, before another; by number."""
    enter(actor, actor.organisation_id or 0, "billing.view")
    own = TaxInvoice.objects.filter(society_id=actor.organisation_id, written_on__gte=since, written_on__lt=until)
    return own.select_related("invoice").order_by("invoice__number")


def kind_of(made: TaxInvoice) -> str:
    """`taxed`, `zero_rated` or `exempt` (계산서), as issuing systems tell them apart."""
    if made.zero_rated:
        return "zero_rated"
    return "exempt" if made.invoice.vat_basis in ("exempt", "") and not made.tax and not made.amends else "taxed"


def as_data(made: TaxInvoice) -> dict[str, Any]:
    """One as JSON gives it."""
    return {
        "invoice": made.invoice.number, "kind": kind_of(made), "amends": made.amends,
        "amendment_reason": "value_changed" if made.amends else "", "written_on": made.written_on.isoformat(),
        "supplier": made.supplier, "recipient": made.recipient, "supply": made.supply, "tax": made.tax,
        "total": made.supply + made.tax, "items": made.items, "purpose": "receipt" if made.invoice.open == 0 else "claim",
    }  # fmt: skip


def rows(found: QuerySet[TaxInvoice]) -> Iterator[tuple[Any, ...]]:
    """The columns of the CSV, one row a tax invoice."""
    for made in found.iterator():
        said, item = as_data(made), made.items[0]
        yield (
            said["invoice"], said["kind"], said["amends"], said["amendment_reason"], said["written_on"],
            *(made.supplier.get(name, "") for name in PARTY), *(made.recipient.get(name, "") for name in PARTY),
            made.supply, made.tax, said["total"], item["date"], item["name"], item["supply"], item["tax"], said["purpose"],
        )  # fmt: skip
