"""Invoices that are not paid in time: reminders, the licences that may be suspended for it, and those to be resumed."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.db import transaction
from django.db.models import DateField, ExpressionWrapper, F, IntegerField, QuerySet, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict, NotFound
from accounts.organisations.models import Organisation
from licensing.licences import services as licences
from licensing.licences.conditions import Conditions
from licensing.licences.models import Licence
from royalties.billing.models import Invoice
from royalties.billing.services.guards import enter
from royalties.billing.services.resuming import GROUND, resume_paid


@dataclass(frozen=True, slots=True)
class Overdue:
    """A licence with invoices that are overdue for longer than it allows."""

    licence: Licence
    invoices: tuple[Invoice, ...]

    @property
    def since(self) -> datetime.date:
        return self.invoices[0].due_on

    @property
    def open(self) -> int:
        return sum(invoice.open for invoice in self.invoices)

    @property
    def currency(self) -> str:
        return self.invoices[0].currency


def overdue_invoices(society: Organisation, today: datetime.date) -> QuerySet[Invoice]:
    """A society's invoices that are overdue for more than their licence's days, of licences in force; by licence, oldest first."""
    usual = Conditions().suspension_days
    named = Cast(KeyTextTransform("suspension_days", "licence__conditions"), IntegerField())
    late = ExpressionWrapper(
        F("due_on") + Coalesce(named, Value(usual), output_field=IntegerField()), output_field=DateField()
    )
    unpaid = Invoice.objects.of_periods().unpaid().filter(society=society, licence__status=Licence.Status.ACTIVE)
    found = unpaid.annotate(suspended_after=late).filter(suspended_after__lt=today)
    return found.select_related("licence__licensee", "licence__society").order_by("licence__ref", "due_on", "id")


def overdue(society: Organisation, today: datetime.date) -> list[Overdue]:
    """The licences that may be suspended for non-payment today, each with the invoices that allow it."""
    groups: dict[int, list[Invoice]] = {}
    for invoice in overdue_invoices(society, today):
        groups.setdefault(invoice.licence_id, []).append(invoice)
    return [Overdue(invoices[0].licence, tuple(invoices)) for invoices in groups.values()]


@transaction.atomic
def suspend_unpaid(*, actor: Actor, licence: Licence, today: datetime.date) -> Licence:
    """Suspend a licence for non-payment. Raises Conflict where no invoice of it is overdue for long enough (any more)."""
    if not actor.is_system and not Licence.objects.visible_to(actor).filter(pk=licence.pk).exists():
        raise NotFound(_("There is no such invoice or licence."))
    enter(actor, licence.society_id, "licences.manage")
    held = Licence.objects.select_for_update(no_key=True, of=("self",)).select_related("society").get(pk=licence.pk)
    if not overdue_invoices(held.society, today).filter(licence=held).exists():
        raise Conflict("not_overdue", _("No invoice of this licence is overdue for so long that it may be suspended."))
    return licences.suspend(actor=actor, licence=held, ground=GROUND)


def resume_all_paid(today: datetime.date) -> int:
    """Resume what was suspended for non-payment and has paid: what a receipt did not do at once. Returns how many."""
    return sum(_resumed(pk, today) for pk in _suspended())


def _suspended() -> list[int]:
    return list(Licence.objects.filter(status=Licence.Status.SUSPENDED).order_by("pk").values_list("pk", flat=True))


@transaction.atomic
def _resumed(licence_id: int, today: datetime.date) -> bool:
    held = Licence.objects.select_for_update(no_key=True, of=("self",)).select_related("society").get(pk=licence_id)
    return resume_paid(held, today)
