"""Invoices: issued once for what was declared, numbered without gaps, posted with their journal."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import F
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.access.models import Membership, Role
from accounts.evidence.services import record
from accounts.identity.core import SYSTEM, Actor, Conflict, NotFound, Reference, Refusal
from accounts.identity.models import User
from accounts.notices.services import notify
from accounts.organisations.models import Organisation
from licensing.declarations.models import Declaration
from licensing.licences.models import Licence
from royalties.billing import core
from royalties.billing.models import Invoice, InvoiceCredit, InvoiceDeclaration, InvoiceLine
from royalties.billing.services.drafts import Draft, NothingNew, draft
from royalties.billing.services.guards import Period, may_bill
from royalties.billing.services.losses import resume_write_offs
from royalties.billing.services.resuming import resume_paid
from royalties.ledger.services import Transfer, account, post


@dataclass(frozen=True, slots=True)
class Billed:
    """What billing a period came to: a document that is `new`, or the one that is there; `linked` came to stand with it."""

    invoice: Invoice
    new: bool
    linked: tuple[Declaration, ...] = ()


def bill(*, actor: Actor, licence: Licence, period: Period, issued_on: datetime.date | None = None) -> Invoice:
    """Bill a licence for a half-open period: an invoice or a credit note for the difference to what was billed before.

    Billing what is billed already gives the last document of that period, never a second one; two at once: the second
    waits for the first. Raises Refusal as `draft` does; nothing is then issued.
    """
    return bill_period(actor=actor, licence=licence, period=period, issued_on=issued_on).invoice


@transaction.atomic
def bill_period(*, actor: Actor, licence: Licence, period: Period, issued_on: datetime.date | None = None) -> Billed:
    """As `bill`, and says whether a document was issued.

    Where new declarations cost just what was billed already, they come to stand with that invoice and none is issued.
    """
    may_bill(actor, licence)
    licence = hold(licence, period)
    try:
        asked = draft(actor=actor, licence=licence, period=period, issued_on=issued_on)
    except NothingNew as nothing:
        if nothing.invoice is None:
            raise
        return Billed(nothing.invoice, new=False)
    if asked.net == 0:
        return _stand(actor, asked)
    return Billed(issue(actor, asked), new=True, linked=asked.declarations)


def hold(licence: Licence, period: Period) -> Licence:
    """Lock what a bill is worked out from until it is committed: the licence, then its declarations, then its invoices.

    One bill of a licence at a time; no declaration is superseded and no receipt is booked between rating and commit.
    """
    licence = (
        Licence.objects.select_for_update(of=("self",), no_key=True)
        .select_related("society", "licensee", "tariff")
        .get(pk=licence.pk)
    )
    start, end = period
    if start < end:
        within = DateRange(start, end)
        held = Declaration.objects.billable().filter(licence=licence, period__contained_by=within)
        list(held.order_by("id").select_for_update(no_key=True).values_list("pk"))
        invoices = Invoice.objects.of_periods().filter(licence=licence, period=within)
        list(invoices.order_by("id").select_for_update(no_key=True).values_list("pk"))
    return licence


def _stand(actor: Actor, asked: Draft) -> Billed:
    """The total is what was billed: the declarations stand with that invoice, and it is noted under which version."""
    invoice = asked.stands_with
    if invoice is None:  # cannot be: without an invoice, a total of zero was refused
        raise Refusal("nothing_to_bill", _("There is nothing to bill."))
    InvoiceDeclaration.objects.bulk_create(
        InvoiceDeclaration(invoice=invoice, declaration=each) for each in asked.declarations
    )
    Invoice.objects.filter(pk=asked.earlier[-1].pk).update(confirmed=asked.total.version)
    data = {"number": invoice.number, "declarations": [each.pk for each in asked.declarations]}
    about = Reference("invoice", invoice.pk)
    record(actor=actor, verb="invoice.confirmed", object=about, organisation_id=invoice.society_id, data=data)
    return Billed(invoice, new=False, linked=asked.declarations)


def issue(actor: Actor, asked: Draft) -> Invoice:
    """Put a drafted invoice or credit note on record with its lines and its journal, and tell the licensee."""
    licence, society_id = asked.licence, asked.licence.society_id
    _resume_given_up(actor, asked)
    number, pk = next_number(licence.society, asked.issued_on), next_id()
    basis = {"basis": asked.total.basis.as_data()} if asked.total.basis else {}
    invoice = Invoice.objects.create(
        pk=pk, kind=asked.kind, society_id=society_id, licensee_id=licence.licensee_id, licence=licence,
        number=number, period=DateRange(*asked.period), currency=asked.currency,
        version=asked.total.version, rating=asked.rating.as_data() | basis, by_use=asked.by_use,
        previously_billed=asked.previously_billed, net=asked.net, vat=asked.vat, gross=asked.gross,
        vat_percent=asked.vat_percent, vat_basis=asked.vat_basis,
        carried=asked.carried.gross, carried_net=asked.carried.net, credited=min(asked.gross, 0),
        issued_on=asked.issued_on, due_on=core.due_on(asked.issued_on), journal=_post(actor, asked, pk),
    )  # fmt: skip
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=invoice, position=place, description=line.description[:300], model=line.model, quantity=line.quantity,
            unit=line.unit, amount=line.amount, explanation=list(line.explanation),
        )
        for place, line in enumerate(asked.lines, 1)
    )  # fmt: skip
    InvoiceDeclaration.objects.bulk_create(
        InvoiceDeclaration(invoice=invoice, declaration=each) for each in asked.declarations
    )
    _credit(invoice, asked)
    data = {
        "number": invoice.number, "kind": invoice.kind, "licence": licence.ref,
        "period": [day.isoformat() for day in asked.period], "net": invoice.net, "vat": invoice.vat,
        "currency": invoice.currency, "previously_billed": invoice.previously_billed, "carried": invoice.carried,
        "version": asked.total.version.version, "declarations": [each.pk for each in asked.declarations],
    }  # fmt: skip
    record(actor=actor, verb="invoice.issued", object=Reference("invoice", pk), organisation_id=society_id, data=data)
    tell(invoice)
    resume_paid(licence)
    return invoice


def _resume_given_up(actor: Actor, asked: Draft) -> None:
    """Take back the write-offs of invoices off which the credit takes more than is open: what it leaves open can be given up anew."""
    for part in asked.parts:
        if part.returned:
            continue
        invoice = Invoice.objects.select_related("licence").get(pk=part.invoice)
        if part.gross > invoice.open and invoice.written_off:
            resume_write_offs(actor, invoice, asked.issued_on)


def _credit(note: Invoice, asked: Draft) -> None:
    """What a credit note takes off each invoice; what is taken off open amounts is no longer asked for."""
    InvoiceCredit.objects.bulk_create(
        InvoiceCredit(credit=note, invoice_id=part.invoice, net=part.net, vat=part.vat, returned=part.returned)
        for part in asked.parts
    )
    for part in asked.parts:  # as many as the period has invoices
        if not part.returned:
            Invoice.objects.filter(pk=part.invoice).update(credited=F("credited") + part.gross)


def _post(actor: Actor, asked: Draft, invoice_id: int) -> Any:
    """The journal of an invoice or of a credit note, under a key that the licence's period has once for each of them."""
    start, end = asked.period
    society_id = asked.licence.society_id
    kind = "credit_note" if asked.net < 0 else "invoice"
    return post(
        society_id=society_id,
        kind=kind,
        key=f"invoice:{asked.licence.ref}:{start}:{end}:{len(asked.earlier) + 1}",
        effective_on=asked.issued_on,
        transfers=_taken_back(asked) if asked.net < 0 else _asked_for(asked, invoice_id),
        actor=actor,
    )


def _opened(asked: Draft, kind: str, owner_id: int | None = None) -> int:
    return account(society_id=asked.licence.society_id, kind=kind, owner_id=owner_id, currency=asked.currency)


def _asked_for(asked: Draft, invoice_id: int) -> list[Transfer]:
    """Receivable from the licensee against what is billed (net) and, apart from it, VAT; less what its favour pays.

    The net of that favour is in a pool already: it leaves what is billed without entering another.
    """
    receivable = _opened(asked, "receivable", asked.licence.licensee_id)
    billed = _opened(asked, "billed", invoice_id)
    transfers = [Transfer(receivable, billed, asked.net)]
    if asked.vat:
        transfers.append(Transfer(receivable, _opened(asked, "vat"), asked.vat))
    if asked.carried.gross:
        favour = _opened(asked, "favour", asked.licence.pk)
        transfers.append(Transfer(favour, receivable, asked.carried.gross))
    if asked.carried.net:
        transfers.append(Transfer(billed, _opened(asked, "credited", asked.licence.pk), asked.carried.net))
    return transfers


def _taken_back(asked: Draft) -> list[Transfer]:
    """Off what is open: billed and VAT against receivable. Of what was paid: in the licence's favour."""
    receivable = _opened(asked, "receivable", asked.licence.licensee_id)
    transfers = []
    for part in asked.parts:
        if part.returned:
            source, target = "credited", _opened(asked, "favour", asked.licence.pk)
            owner = asked.licence.pk
        else:
            source, target, owner = "billed", receivable, part.invoice
        if part.net:
            transfers.append(Transfer(_opened(asked, source, owner), target, part.net))
        if part.vat:
            transfers.append(Transfer(_opened(asked, "vat"), target, part.vat))
    return transfers


def next_id() -> int:
    """The invoice's id, needed before the invoice: its journal names it, and it names its journal.

    Taken after the number: under the society's lock, so that the latest id has the last number.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('royalties_invoice', 'id'))")
        return int(cursor.fetchone()[0])


def next_number(society: Organisation, issued_on: datetime.date) -> str:
    """The next number of the society's year. The society's row is locked until commit, so none is skipped or taken twice."""
    Organisation.objects.select_for_update(no_key=True).get(pk=society.pk)
    beginning = core.prefix(society.ref, issued_on.year)
    taken = Invoice.objects.filter(society=society, number__startswith=beginning).values_list("number", flat=True)
    last = max((int(number.removeprefix(beginning)) for number in taken.order_by("-id")[:1]), default=0)
    return core.number(society.ref, issued_on.year, last + 1)


def tell(invoice: Invoice) -> None:
    """A notice to the licensee's finance people, in their language."""
    staff = Membership.objects.filter(organisation_id=invoice.licensee_id, role__in=[Role.FINANCE, Role.ADMINISTRATOR])
    for language in ("en", "ko"):
        people = User.objects.filter(id__in=staff.values("user_id"), language=language, is_active=True)
        with override(language):
            template, body = _said(invoice)
            subject = template % {"number": invoice.number, "society": invoice.society}
            notify(
                user_ids=people.values_list("id", flat=True), key=f"invoice:{invoice.pk}", kind="invoice", subject=subject, body=body,
                link=link(invoice),
            )  # fmt: skip


def _said(invoice: Invoice) -> tuple[str, str]:
    """Subject and text of the notice of a new document."""
    subject = _("Invoice %(number)s from %(society)s")
    match invoice.kind:
        case Invoice.Kind.CREDIT:
            return (
                _("Credit note %(number)s from %(society)s"),
                _("It takes back what was billed too much, and shows what that lowers."),
            )
        case Invoice.Kind.ESTIMATE:
            return (
                _("Estimated invoice %(number)s from %(society)s"),
                _("Your report for this period is missing. Once you declare what you used, the estimate is corrected."),
            )
        case Invoice.Kind.ADVANCE:
            return subject, _("It asks for the fixed price of a period of your licence.")
        case Invoice.Kind.COMPENSATION:
            return subject, _("It asks for what a case was settled on.")
    return subject, _("It shows how each amount follows from what you declared.")


def link(invoice: Invoice) -> str:
    try:
        return reverse("royalties:invoice", args=[invoice.pk])
    except NoReverseMatch:  # an installation without the portal
        return ""


def find_invoice(*, number: str, society: Organisation | None = None, actor: Actor = SYSTEM) -> Invoice:
    """The invoice of this number; NotFound where there is none, Conflict where two societies use it and none is named."""
    found = Invoice.objects.visible_to(actor).filter(number=number).select_related("society", "licensee", "licence")
    invoices = list(found.filter(society=society) if society else found)
    if not invoices:
        raise NotFound(_("There is no invoice “%(number)s”.") % {"number": number}, pointer="/invoice")
    if len(invoices) > 1:
        raise Conflict(
            "ambiguous_invoice",
            _("Several societies have an invoice “%(number)s”. Name the society.") % {"number": number},
        )
    return invoices[0]
