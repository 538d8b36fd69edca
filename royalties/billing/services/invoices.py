"""Invoices: issued once for what was declared, numbered without gaps, posted with their journal."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
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
from royalties.billing.models import Invoice, InvoiceDeclaration, InvoiceLine, VatRule
from royalties.billing.services.drafts import Draft, NothingNew, Period, draft, enter, may_bill
from royalties.ledger.services import Transfer, account, post


@transaction.atomic
def bill(*, actor: Actor, licence: Licence, period: Period, issued_on: datetime.date | None = None) -> Invoice:
    """Issue the invoice of a licence for a half-open period: what all its accepted declarations cost, less what was billed.

    Billing what is billed already gives the last invoice of that period, never a second one; two at once: the second
    waits for the first. Raises Refusal as `draft` does; nothing is then issued.
    """
    may_bill(actor, licence)
    licence = (
        Licence.objects.select_for_update(of=("self",), no_key=True)
        .select_related("society", "licensee")
        .get(pk=licence.pk)
    )
    _hold_declarations(licence, period)
    try:
        asked = draft(actor=actor, licence=licence, period=period, issued_on=issued_on)
    except NothingNew as nothing:
        if nothing.invoice is None:
            raise
        return nothing.invoice
    invoice = _issue(actor, asked)
    tell(invoice)
    return invoice


def _hold_declarations(licence: Licence, period: Period) -> None:
    """None of them is superseded between rating and commit."""
    start, end = period
    if start < end:
        held = Declaration.objects.billable().filter(licence=licence, period__contained_by=DateRange(start, end))
        list(held.order_by("id").select_for_update(no_key=True).values_list("pk"))


def _issue(actor: Actor, asked: Draft) -> Invoice:
    licence, society_id = asked.licence, asked.licence.society_id
    pk = next_id()
    invoice = Invoice.objects.create(
        pk=pk, society_id=society_id, licensee_id=licence.licensee_id, licence=licence,
        number=next_number(licence.society, asked.issued_on), period=DateRange(*asked.period), currency=asked.currency,
        rating=asked.rating.as_data(), by_use=asked.by_use, previously_billed=asked.previously_billed,
        net=asked.net, vat=asked.vat, gross=asked.gross, issued_on=asked.issued_on, due_on=core.due_on(asked.issued_on),
        journal=_post(actor, asked, pk),
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
    data = {
        "number": invoice.number, "licence": licence.ref, "period": [day.isoformat() for day in asked.period], "net": invoice.net,
        "vat": invoice.vat, "currency": invoice.currency, "previously_billed": invoice.previously_billed,
        "declarations": [each.pk for each in asked.declarations],
    }  # fmt: skip
    record(actor=actor, verb="invoice.issued", object=Reference("invoice", pk), organisation_id=society_id, data=data)
    return invoice


def _post(actor: Actor, asked: Draft, invoice_id: int) -> Any:
    """Receivable from the licensee against what is billed (net) and, apart from it, VAT."""
    society_id = asked.licence.society_id

    def opened(kind: str, owner_id: int | None = None) -> int:
        return account(society_id=society_id, kind=kind, owner_id=owner_id, currency=asked.currency)

    receivable = opened("receivable", asked.licence.licensee_id)
    transfers = [Transfer(receivable, opened("billed", invoice_id), asked.net)]
    if asked.vat:
        transfers.append(Transfer(receivable, opened("vat"), asked.vat))
    start, end = asked.period
    key = f"invoice:{asked.licence.ref}:{start}:{end}:{len(asked.earlier) + 1}"
    return post(
        society_id=society_id, kind="invoice", key=key, effective_on=asked.issued_on, transfers=transfers, actor=actor
    )


def next_id() -> int:
    """The invoice's id, needed before the invoice: its journal names it, and it names its journal."""
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
            subject = _("Invoice %(number)s from %(society)s") % {"number": invoice.number, "society": invoice.society}
            body = _("It shows how each amount follows from what you declared.")
            if invoice.kind == Invoice.Kind.COMPENSATION:
                body = _("It asks for what a case was settled on.")
            notify(
                user_ids=people.values_list("id", flat=True), key=f"invoice:{invoice.pk}", kind="invoice", subject=subject, body=body,
                link=_link(invoice),
            )  # fmt: skip


def _link(invoice: Invoice) -> str:
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


@transaction.atomic
def set_vat_rule(*, actor: Actor, society: Organisation, percent: Decimal, valid_from: datetime.date) -> VatRule:
    """Add VAT of so many percent to invoices issued from this day on; 0 means none. The rule before it ends there.

    Raises Refusal for a rate that is no percentage, Conflict where a later rule exists or invoices were issued since.
    """
    enter(actor, society.pk, "billing.manage")
    if not 0 <= percent <= 100 or percent != round(percent, 3):
        raise Refusal(
            "bad_percent",
            _("A rate lies between 0 and 100 percent and has at most three decimals."),
            pointer="/percent",
        )
    Organisation.objects.select_for_update(no_key=True).get(pk=society.pk)
    if Invoice.objects.filter(society=society, issued_on__gte=valid_from).exists():
        raise Conflict(
            "invoices_issued",
            _("Invoices were issued on that day or later. Choose a later day."),
            pointer="/valid_from",
        )
    for rule in VatRule.objects.filter(society=society, valid__contains=valid_from):
        if rule.valid.lower == valid_from:
            raise Conflict("rule_exists", _("A rule begins on that day already."), pointer="/valid_from")
        rule.valid = DateRange(rule.valid.lower, valid_from)
        rule.save(update_fields=["valid"])
    try:
        with transaction.atomic():
            rule = VatRule.objects.create(society=society, percent=percent, valid=DateRange(valid_from, None))
    except IntegrityError as error:
        raise Conflict("rule_exists", _("A later rule exists already."), pointer="/valid_from") from error
    data = {"percent": str(percent), "valid_from": valid_from.isoformat()}
    record(
        actor=actor, verb="vat_rule.set", object=Reference("vat_rule", rule.pk), organisation_id=society.pk, data=data
    )
    return rule
