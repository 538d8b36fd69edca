"""Billing: what accepted declarations cost, and the money that came in for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.identity.sql import point
from accounts.organisations.models import Organisation
from licensing.compliance.models import Case
from licensing.declarations.models import Declaration
from licensing.licences.models import Licence
from royalties.ledger.models import Journal

if TYPE_CHECKING:
    from accounts.identity.core import Actor


# How an invoice stands, by what came in for it.
STATUSES: Final = {"open": _("open"), "part_paid": _("partly paid"), "paid": _("paid")}


class VatRule(models.Model):
    """The VAT that a society adds to its invoices on given days; none recorded means none is added."""

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    percent = models.DecimalField(max_digits=6, decimal_places=3)
    valid = DateRangeField()

    class Meta:
        app_label = "royalties"
        constraints = [
            ExclusionConstraint(
                name="vat_rule_is_one_a_day",
                expressions=[(point("society"), RangeOperators.OVERLAPS), ("valid", RangeOperators.OVERLAPS)],
            ),
        ]


class InvoiceQuerySet(models.QuerySet["Invoice"]):
    def visible_to(self, actor: Actor) -> InvoiceQuerySet:
        """The two parties see an invoice. There is no money in the sandbox."""
        if actor.is_system:
            return self
        if actor.organisation_id is None or actor.sandbox:
            return self.none()
        return self.filter(Q(society_id=actor.organisation_id) | Q(licensee_id=actor.organisation_id))

    def of_use(self) -> InvoiceQuerySet:
        """Those for declared use: a licence's billing periods are theirs, compensation stands beside them."""
        return self.filter(kind=Invoice.Kind.USE)

    def with_status(self, status: str) -> InvoiceQuerySet:
        """Those that are `open`, `part_paid` or `paid`; all of them for any other word."""
        conditions = {
            "open": Q(received=0),
            "part_paid": Q(received__gt=0, received__lt=F("gross")),
            "paid": Q(received=F("gross")),
        }
        return self.filter(conditions.get(status, Q()))


class Invoice(models.Model):
    """What a licensee owes for one billing period: net (the pool, once paid), VAT apart, gross. Minor units.

    `rating` keeps the whole calculation as it was; `previously_billed` is subtracted from its total. An invoice of kind
    `compensation` asks for what one case was settled on: its pool belongs to the case's holder alone.
    """

    class Kind(models.TextChoices):
        USE = "use", _("declared use")
        COMPENSATION = "compensation", _("compensation")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    licensee = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    licence = models.ForeignKey(Licence, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.USE)
    case = models.OneToOneField(Case, models.PROTECT, null=True, related_name="+")  # billed once
    number = models.CharField(max_length=40)
    period = DateRangeField()
    currency = models.CharField(max_length=3)
    rating = models.JSONField()
    by_use = models.JSONField(default=dict)  # {use: minor units}, summing to net: what was paid for, in the large
    previously_billed = models.BigIntegerField(default=0)
    net = models.BigIntegerField()
    vat = models.BigIntegerField(default=0)
    gross = models.BigIntegerField()
    received = models.BigIntegerField(default=0)
    issued_on = models.DateField()
    due_on = models.DateField()
    journal = models.OneToOneField(Journal, models.PROTECT, related_name="+")
    declarations = models.ManyToManyField(Declaration, through="InvoiceDeclaration", related_name="+")

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["society", "number"], name="invoice_number_is_unique_in_its_society"),
            models.CheckConstraint(condition=Q(net__gt=0, vat__gte=0), name="invoice_is_positive"),
            models.CheckConstraint(condition=Q(gross=F("net") + F("vat")), name="invoice_gross_is_net_and_vat"),
            models.CheckConstraint(
                condition=Q(kind="use", case=None) | Q(kind="compensation", case__isnull=False),
                name="invoice_of_compensation_names_its_case",
            ),
            models.CheckConstraint(
                condition=Q(received__gte=0, received__lte=F("gross")),
                name="invoice_is_not_overpaid",
                violation_error_message=_("This receipt is more than the invoice still asks for."),
            ),
        ]
        indexes = [
            models.Index(fields=["society", "-id"], name="invoice_by_society"),
            models.Index(fields=["licensee", "-id"], name="invoice_by_licensee"),
            models.Index(fields=["licence", "period"], name="invoice_by_licence"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def open(self) -> int:
        """What is still to be paid, in minor units."""
        return self.gross - self.received

    @property
    def status(self) -> str:
        """`open`, `part_paid` or `paid`, as the receipts have it."""
        if self.received == 0:
            return "open"
        return "paid" if self.open == 0 else "part_paid"


class InvoiceDeclaration(models.Model):
    """A declaration is billed once: its uses are the weights with which the invoice's pool is distributed."""

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="billed")
    declaration = models.OneToOneField(Declaration, models.PROTECT, related_name="+")

    class Meta:
        app_label = "royalties"


class InvoiceLine(models.Model):
    """One charge of the tariff as billed, with the steps that explain it. Lines sum to the invoice's net.

    `model` is the charge's; an adjustment has `greatest`, `minimum`, `cap` or `previously_billed`, and may be negative.
    """

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    description = models.CharField(max_length=300)
    model = models.CharField(max_length=20, blank=True, default="")
    quantity = models.DecimalField(max_digits=38, decimal_places=0, null=True)
    unit = models.CharField(max_length=12, blank=True)
    amount = models.BigIntegerField()
    explanation = models.JSONField(default=list)

    class Meta:
        app_label = "royalties"
        constraints = [models.UniqueConstraint(fields=["invoice", "position"], name="invoice_line_has_its_own_place")]

    @property
    def charge(self) -> dict[str, str]:
        """Name and model, as the filter `charge_name` takes them."""
        return {"name": self.description, "model": self.model}


class ReceiptQuerySet(models.QuerySet["Receipt"]):
    def visible_to(self, actor: Actor) -> ReceiptQuerySet:
        if actor.is_system:
            return self
        return self.filter(invoice__in=Invoice.objects.visible_to(actor))


class Receipt(models.Model):
    """Money that came in for an invoice; `net` enters the pool, `vat` does not. The bank's reference makes it countable once."""

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="receipts")
    amount = models.BigIntegerField()
    net = models.BigIntegerField()
    vat = models.BigIntegerField(default=0)
    received_on = models.DateField()
    bank_ref = models.CharField(max_length=100)
    journal = models.OneToOneField(Journal, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ReceiptQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["society", "bank_ref"], name="receipt_of_a_bank_reference_is_booked_once"),
            models.CheckConstraint(condition=Q(amount__gt=0, net__gte=0, vat__gte=0), name="receipt_is_positive"),
            models.CheckConstraint(condition=Q(amount=F("net") + F("vat")), name="receipt_is_net_and_vat"),
        ]
