"""Reminding of overdue invoices in steps, until they are paid or disputed; and how old what is owed is."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Exists, OuterRef, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.access.models import Membership, Role
from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Reference, Refusal
from accounts.identity.models import User
from accounts.notices.services import notify
from accounts.organisations.models import Organisation
from royalties.billing import dunning
from royalties.billing.models import DunningPolicy, Invoice, InvoiceDispute, InvoiceReminder
from royalties.billing.services.guards import enter
from royalties.billing.services.invoices import link
from royalties.billing.services.losses import own_invoice


@transaction.atomic
def set_dunning_policy(
    *,
    actor: Actor,
    society: Organisation,
    levels: Any,
    valid_from: datetime.date,
    interest_percent: Decimal | None = None,
    interest_source: str = "",
) -> DunningPolicy:
    """Remind in these steps from a day on; the policy before it ends there. Interest is only shown, with its source."""
    enter(actor, society.pk, "billing.manage")
    steps = dunning.levels(levels)
    said = interest_source.strip()[:300]
    if interest_percent is not None and (not 0 <= interest_percent <= 100 or not said):
        raise Refusal("no_source", _("Say where the rate is from."), pointer="/interest_source")
    Organisation.objects.select_for_update(no_key=True).get(pk=society.pk)
    for earlier in DunningPolicy.objects.filter(society=society, valid__contains=valid_from):
        if earlier.valid.lower == valid_from:
            raise Conflict("rule_exists", _("A rule begins on that day already."), pointer="/valid_from")
        earlier.valid = DateRange(earlier.valid.lower, valid_from)
        earlier.save(update_fields=["valid"])
    document = [{"days": step.days, "text": step.text} for step in steps]
    try:
        with transaction.atomic():
            made = DunningPolicy.objects.create(
                society=society, levels=document, interest_percent=interest_percent,
                interest_source=said if interest_percent is not None else "", valid=DateRange(valid_from, None),
            )  # fmt: skip
    except IntegrityError as error:
        raise Conflict("rule_exists", _("A later rule exists already."), pointer="/valid_from") from error
    data = {"days": [step.days for step in steps], "valid_from": valid_from.isoformat()}
    about = Reference("dunning_policy", made.pk)
    record(actor=actor, verb="dunning_policy.set", object=about, organisation_id=society.pk, data=data)
    return made


def policy_on(society_id: int, day: datetime.date) -> DunningPolicy | None:
    return DunningPolicy.objects.filter(society_id=society_id, valid__contains=day).first()


def remind_unpaid(today: datetime.date) -> int:
    """Remind of what is overdue, each step of each invoice once; nothing that is paid or disputed. Returns of how many."""
    told = 0
    steps: dict[int, tuple[dunning.Level, ...]] = {}
    for invoice in _to_remind(today).select_related("society").order_by("society_id", "pk"):
        if invoice.society_id not in steps:
            policy = policy_on(invoice.society_id, today)
            steps[invoice.society_id] = dunning.levels(policy.levels) if policy else dunning.USUAL
        level = dunning.level_on(steps[invoice.society_id], invoice.due_on, today)
        if level is not None:
            told += _remind(invoice, level, steps[invoice.society_id][level - 1], today)
    return told


def _to_remind(today: datetime.date) -> QuerySet[Invoice]:
    disputed = InvoiceDispute.objects.filter(invoice=OuterRef("pk"), closed_on=None)
    return Invoice.objects.unpaid().filter(due_on__lt=today).exclude(kind=Invoice.Kind.CREDIT).exclude(Exists(disputed))


@transaction.atomic
def _remind(invoice: Invoice, level: int, step: dunning.Level, today: datetime.date) -> int:
    _made, new = InvoiceReminder.objects.get_or_create(
        invoice=invoice, level=level, defaults={"days": step.days, "sent_on": today, "open": invoice.open}
    )
    if not new:
        return 0
    staff = Membership.objects.filter(organisation_id=invoice.licensee_id, role__in=[Role.FINANCE, Role.ADMINISTRATOR])
    for language in ("en", "ko"):
        people = User.objects.filter(id__in=staff.values("user_id"), language=language, is_active=True)
        with override(language):
            subject = _("Invoice %(number)s from %(society)s is overdue") % {
                "number": invoice.number, "society": invoice.society,
            }  # fmt: skip
            usual = _("It was due on %(day)s. A licence whose invoices stay unpaid may be suspended.")
            body = step.text.get(language) or usual % {"day": invoice.due_on}
            notify(
                user_ids=people.values_list("id", flat=True), key=f"invoice-unpaid:{invoice.pk}:{level}", kind="invoice",
                subject=subject, body=body, link=link(invoice),
            )  # fmt: skip
    return 1


@transaction.atomic
def dispute_invoice(*, actor: Actor, invoice: Invoice, reason: str, today: datetime.date) -> InvoiceDispute:
    """Note that the licensee contests an invoice: nobody is reminded of it until that is settled."""
    invoice = own_invoice(actor, invoice.pk)
    said = reason.strip()[:500]
    if not said:
        raise Refusal("no_reason", _("Say why."), pointer="/reason")
    if not invoice.open:
        raise Conflict("nothing_open", _("Nothing is open on this invoice."))
    made, new = InvoiceDispute.objects.get_or_create(
        invoice=invoice, closed_on=None, defaults={"reason": said, "opened_on": today}
    )
    if new:
        about, data = Reference("invoice", invoice.pk), {"number": invoice.number, "reason": said}
        record(actor=actor, verb="invoice.disputed", object=about, organisation_id=invoice.society_id, data=data)
    return made


@transaction.atomic
def close_dispute(*, actor: Actor, invoice: Invoice, outcome: str, today: datetime.date) -> None:
    """Note how a dispute ended; reminding goes on where something is still open."""
    invoice = own_invoice(actor, invoice.pk)
    said = outcome.strip()[:500]
    if not said:
        raise Refusal("no_reason", _("Say how it ended."), pointer="/outcome")
    if InvoiceDispute.objects.filter(invoice=invoice, closed_on=None).update(closed_on=today, outcome=said) != 1:
        raise Conflict("not_disputed", _("This invoice is not disputed."))
    about, data = Reference("invoice", invoice.pk), {"number": invoice.number, "result": said}
    record(actor=actor, verb="invoice.dispute_closed", object=about, organisation_id=invoice.society_id, data=data)


@dataclass(frozen=True, slots=True)
class Aged:
    """What is open in one currency: not due yet, and overdue by age as `dunning.BUCKETS` has it."""

    currency: str
    not_due: int
    buckets: tuple[int, ...]

    @property
    def overdue(self) -> int:
        return sum(self.buckets)


def ageing(society_id: int, today: datetime.date) -> list[Aged]:
    """How old what licensees owe is, by currency; one question to the database."""
    sums = ", ".join(
        f"coalesce(sum(o) FILTER (WHERE late >= {low}{f' AND late <= {high}' if high else ''}), 0)"
        for low, high in dunning.BUCKETS
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT currency, coalesce(sum(o) FILTER (WHERE late <= 0), 0), {sums} FROM ("
            "SELECT currency, gross - received - carried - credited - written_off AS o, %s - due_on AS late"
            " FROM royalties_invoice WHERE society_id = %s AND kind <> 'credit'"
            " AND gross > received + carried + credited + written_off) open GROUP BY 1 ORDER BY 1",
            [today, society_id],
        )
        return [
            Aged(currency, int(first), tuple(int(each) for each in rest))
            for currency, first, *rest in cursor.fetchall()
        ]


@dataclass(frozen=True, slots=True)
class Late:
    """An overdue invoice as the list shows it; `interest` is what the law would give, for information."""

    invoice: Invoice
    days: int
    level: int
    disputed: bool
    interest: int | None


def late(invoices: Iterable[Invoice], policy: DunningPolicy | None, today: datetime.date) -> list[Late]:
    """These overdue invoices, with how far reminding came."""
    found = list(invoices)
    pks = [invoice.pk for invoice in found]
    sent: dict[int, int] = {}
    for pk, level in InvoiceReminder.objects.filter(invoice__in=pks).values_list("invoice_id", "level"):
        sent[pk] = max(level, sent.get(pk, 0))
    disputed = set(InvoiceDispute.objects.filter(invoice__in=pks, closed_on=None).values_list("invoice_id", flat=True))
    percent = policy.interest_percent if policy else None
    return [
        Late(
            each, (today - each.due_on).days, sent.get(each.pk, 0), each.pk in disputed,
            dunning.interest(each.open, percent, (today - each.due_on).days) if percent is not None else None,
        )
        for each in found
    ]  # fmt: skip


def late_invoices(society_id: int, today: datetime.date) -> QuerySet[Invoice]:
    """A society's overdue invoices, those that are longest overdue first."""
    found = Invoice.objects.unpaid().filter(society_id=society_id, due_on__lt=today).exclude(kind=Invoice.Kind.CREDIT)
    return found.select_related("licensee", "licence").order_by("due_on", "pk")
