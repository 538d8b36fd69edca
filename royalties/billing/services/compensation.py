"""What a case was settled on becomes an invoice of its own; the money that comes in for it is that case's holder's alone."""

from __future__ import annotations

import datetime
from fractions import Fraction

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Forbidden, NotFound, Reference, Refusal
from licensing.compliance.models import Case
from royalties.billing import core
from royalties.billing.models import Invoice, InvoiceLine
from royalties.billing.services.guards import enter
from royalties.billing.services.invoices import next_id, next_number, tell
from royalties.ledger.models import Journal
from royalties.ledger.services import Transfer, account, post


def cases_to_bill(actor: Actor) -> QuerySet[Case]:
    """A society's settled cases with an amount that no invoice asks for yet, in the order in which they were opened."""
    settled = Case.objects.filter(status=Case.Status.SETTLED, amount__gt=0)
    if not actor.is_system:
        settled = settled.filter(society_id=actor.organisation_id or 0)
    if actor.sandbox:
        return settled.none()
    billed = Invoice.objects.filter(case__isnull=False).values("case_id")
    return settled.exclude(pk__in=billed).select_related("licensee", "holder", "declaration").order_by("id")


@transaction.atomic
def bill_case(*, actor: Actor, case: Case, issued_on: datetime.date | None = None) -> Invoice:
    """Issue the invoice of a settled case. Billing it again gives the invoice that is there, never a second one.

    Net is the amount of the settlement. It is compensation, no fee for a service, so it carries no VAT.
    """
    _may_bill(actor, case)
    related = ("society", "licensee", "holder", "declaration__licence")
    held = Case.objects.select_for_update(of=("self",), no_key=True).select_related(*related).get(pk=case.pk)
    if (
        billed := Invoice.objects.filter(case=held).select_related("society", "licensee", "licence").first()
    ) is not None:
        return billed
    if held.status != Case.Status.SETTLED or not held.amount:
        raise Refusal("not_settled", _("Only a case that was settled on an amount above zero is billed."))
    day = issued_on or timezone.localdate()
    invoice = _issue(actor, held, held.amount, day)
    tell(invoice)
    return invoice


def _may_bill(actor: Actor, case: Case) -> None:
    if actor.organisation_id == case.licensee_id and not actor.is_system:
        raise Forbidden(_("Only the society bills its cases."))
    if not actor.is_system and not Case.objects.visible_to(actor).filter(pk=case.pk).exists():
        raise NotFound(_("There is no such case."))
    enter(actor, case.society_id, "billing.manage")


def _issue(actor: Actor, case: Case, amount: int, day: datetime.date) -> Invoice:
    number, pk, declaration = next_number(case.society, day), next_id(), case.declaration
    invoice = Invoice.objects.create(
        pk=pk, kind=Invoice.Kind.COMPENSATION, case=case, society=case.society, licensee=case.licensee,
        licence=declaration.licence, number=number, period=declaration.period,
        currency=case.currency, rating={}, by_use=_by_use(case, amount), net=amount, vat=0, gross=amount, issued_on=day,
        due_on=core.due_on(day), journal=_post(actor, case, amount, pk, day),
    )  # fmt: skip
    line = core.compensation_line(
        case=case.pk, currency=case.currency, ordinary=case.ordinary, proposed=case.proposed, amount=amount,
        multiple=str(case.explanation.get("multiple", "1")),
    )  # fmt: skip
    InvoiceLine.objects.create(
        invoice=invoice, position=1, description=line.description, model=line.model, amount=line.amount,
        explanation=list(line.explanation),
    )  # fmt: skip
    data = {"number": invoice.number, "case": case.pk, "net": amount, "currency": case.currency}
    about = Reference("invoice", pk)
    record(actor=actor, verb="invoice.issued", object=about, organisation_id=case.society_id, data=data)
    return invoice


def _post(actor: Actor, case: Case, amount: int, invoice_id: int, day: datetime.date) -> Journal:
    def opened(kind: str, owner_id: int) -> int:
        return account(society_id=case.society_id, kind=kind, owner_id=owner_id, currency=case.currency)

    transfer = Transfer(opened("receivable", case.licensee_id), opened("billed", invoice_id), amount)
    key = f"invoice:case:{case.pk}"
    return post(
        society_id=case.society_id, kind="invoice", key=key, effective_on=day, transfers=[transfer], actor=actor
    )


def _by_use(case: Case, amount: int) -> dict[str, int]:
    """The amount by use, for the society's figures: by units × ppm, as the pool will be divided."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT use, sum(units * ppm) FROM licensing_caseuse WHERE case_id = %s GROUP BY 1 ORDER BY 1", [case.pk]
        )
        weights = {use: Fraction(int(weight)) for use, weight in cursor.fetchall()}
    return core.shared(amount, weights)
