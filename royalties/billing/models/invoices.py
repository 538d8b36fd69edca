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
from licensing.tariffs.models import TariffVersion
from royalties.bank.models import Entry, ExchangeRate
from royalties.ledger.models import Journal

if TYPE_CHECKING:
    from accounts.identity.core import Actor


# How an invoice stands, by what came in for it.
STATUSES: Final = {"open": _("open"), "part_paid": _("partly paid"), "paid": _("paid")}


# What no longer has to be paid, in a query.
SETTLED: Final = F("received") + F("carried") + F("credited") + F("written_off")


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

    def of_periods(self) -> InvoiceQuerySet:
        """Those that bill or correct a licence's billing periods; compensation stands beside them."""
        return self.exclude(kind=Invoice.Kind.COMPENSATION)

    def unpaid(self) -> InvoiceQuerySet:
        """Those on which something is open."""
        return self.filter(gross__gt=SETTLED)

    def with_status(self, status: str) -> InvoiceQuerySet:
        """Those that are `open`, `part_paid` or `paid`; all of them for any other word."""
        if status == "paid":
            return self.filter(gross=SETTLED)
        conditions = {"open": Q(received=0), "part_paid": Q(received__gt=0)}
        return self.unpaid().filter(conditions[status]) if status in conditions else self


# What is still to be paid, in a query; 0 on a credit note.
STILL_OPEN: Final = F("gross") - SETTLED


class Invoice(models.Model):
    """What a licensee owes for one billing period: net (the pool, once paid), VAT apart, gross. Minor units.

    `rating` keeps the whole calculation as it was, `version` the rates that it used; `previously_billed` is subtracted
    from its total. So all invoices and credit notes of a licence and period sum to the last rating. An `estimate` stands
    in for a report that is missing, an `advance` asks for a fixed price at the start of its period, a `credit` (all of
    whose amounts are negative) takes back what was billed too much. `compensation` asks for what one case was settled
    on: its pool belongs to the case's holder alone.

    What is open is the gross less what was `received`, what was `carried` over from the licence's favour when it was
    issued, what credit notes took off it since (`credited`; on a credit note itself, all of it), and what two people gave
    up for lost (`written_off`). `vat_basis` says by which rule its VAT is what it is.
    """

    class Kind(models.TextChoices):
        USE = "use", _("declared use")
        ESTIMATE = "estimate", _("estimate")
        ADVANCE = "advance", _("advance")
        CREDIT = "credit", _("credit note")
        COMPENSATION = "compensation", _("compensation")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    licensee = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    licence = models.ForeignKey(Licence, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.USE)
    case = models.OneToOneField(Case, models.PROTECT, null=True, related_name="+")  # billed once
    number = models.CharField(max_length=40)
    period = DateRangeField()
    currency = models.CharField(max_length=3)
    version = models.ForeignKey(TariffVersion, models.PROTECT, null=True, related_name="+")
    # The version under which the same total was found again: there was nothing to correct.
    confirmed = models.ForeignKey(TariffVersion, models.PROTECT, null=True, related_name="+")
    rating = models.JSONField()
    by_use = models.JSONField(default=dict)  # {use: minor units}, summing to net: what was paid for, in the large
    previously_billed = models.BigIntegerField(default=0)
    net = models.BigIntegerField()
    vat = models.BigIntegerField(default=0)
    gross = models.BigIntegerField()
    received = models.BigIntegerField(default=0)
    carried = models.BigIntegerField(default=0)  # from the licence's favour, net and VAT
    carried_net = models.BigIntegerField(default=0)
    credited = models.BigIntegerField(default=0)
    written_off = models.BigIntegerField(default=0)
    vat_percent = models.DecimalField(max_digits=6, decimal_places=3, null=True)
    vat_basis = models.CharField(
        max_length=10, blank=True, default=""
    )  # standard | zero_rated | exempt; empty: no rule
    issued_on = models.DateField()
    due_on = models.DateField()
    journal = models.OneToOneField(Journal, models.PROTECT, related_name="+")
    declarations = models.ManyToManyField(Declaration, through="InvoiceDeclaration", related_name="+")

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["society", "number"], name="invoice_number_is_unique_in_its_society"),
            models.CheckConstraint(
                condition=Q(kind="credit", net__lt=0, vat__lte=0) | ~Q(kind="credit") & Q(net__gt=0, vat__gte=0),
                name="invoice_is_positive_and_a_credit_note_negative",
            ),
            models.CheckConstraint(condition=Q(gross=F("net") + F("vat")), name="invoice_gross_is_net_and_vat"),
            models.CheckConstraint(
                condition=~Q(kind="compensation") & Q(case=None) | Q(kind="compensation", case__isnull=False),
                name="invoice_of_compensation_names_its_case",
            ),
            models.CheckConstraint(
                condition=Q(kind="credit")
                | Q(received__gte=0, carried__gte=0, credited__gte=0, written_off__gte=0) & Q(gross__gte=SETTLED),
                name="invoice_is_not_overpaid",
                violation_error_message=_("This receipt is more than the invoice still asks for."),
            ),
            models.CheckConstraint(
                condition=~Q(kind="credit") | Q(received=0, carried=0, written_off=0, credited=F("gross")),
                name="invoice_credit_note_is_not_paid",
            ),
            models.CheckConstraint(
                condition=Q(carried_net__gte=0, carried_net__lte=F("carried"))
                & (Q(kind="credit") | Q(carried_net__lte=F("net"), carried__lte=F("vat") + F("carried_net"))),
                name="invoice_carries_net_to_net_and_vat_to_vat",
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
        return self.gross - self.received - self.carried - self.credited - self.written_off

    @property
    def asked(self) -> int:
        """What was to be paid when it was issued: the gross less what stood in the licensee's favour."""
        return self.gross - self.carried

    @property
    def status(self) -> str:
        """`paid` once nothing is open, else `part_paid` or `open`, as the receipts have it."""
        if self.open == 0:
            return "paid"
        return "part_paid" if self.received else "open"


class InvoiceCredit(models.Model):
    """What one credit note takes off one invoice: from what was open on it, or (`returned`) of what was paid already.

    What is returned stands in the favour of the licence until its next invoice.
    """

    credit = models.ForeignKey(Invoice, models.PROTECT, related_name="corrects")
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="corrected_by")
    net = models.BigIntegerField()
    vat = models.BigIntegerField(default=0)
    returned = models.BooleanField(default=False)

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["credit", "invoice", "returned"], name="invoice_is_credited_once_a_note"),
            models.CheckConstraint(condition=~Q(credit=F("invoice")), name="invoice_is_credited_by_another"),
            models.CheckConstraint(
                condition=Q(net__gte=0, vat__gte=0) & (Q(net__gt=0) | Q(vat__gt=0)), name="invoice_credit_is_positive"
            ),
        ]

    @property
    def gross(self) -> int:
        return self.net + self.vat


class InvoiceDeclaration(models.Model):
    """A declaration is billed once: its uses are the weights with which the invoice's pool is distributed."""

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="billed")
    declaration = models.OneToOneField(Declaration, models.PROTECT, related_name="+")

    class Meta:
        app_label = "royalties"


class PoolDeclaration(models.Model):
    """Whose uses weigh in the pool of an invoice (a view: `chains.sql`). None: its money waits for a true declaration.

    An invoice for declared use has its own declarations, or what took the place of those that were amended, once that is
    billed; a superseded one never weighs again. Estimates, advances, and what only adjusts a price have all accepted ones
    that were billed for the same licence and period.
    """

    pk = models.CompositePrimaryKey("invoice_id", "declaration_id")
    invoice = models.ForeignKey(Invoice, models.DO_NOTHING, related_name="+")
    declaration = models.ForeignKey(Declaration, models.DO_NOTHING, related_name="+")

    class Meta:
        app_label = "royalties"
        managed = False
        db_table = "royalties_pooldeclaration"


class InvoiceLine(models.Model):
    """One charge of the tariff as billed, with the steps that explain it. Lines sum to the invoice's net.

    `model` is the charge's; an adjustment has `greatest`, `minimum`, `cap` or `previously_billed`, and may be negative.
    Beside that sum stands `credit_carried`, what the licence's favour pays of the gross.
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
    """Money that came in for an invoice; `net` enters the pool, `vat` does not. The bank's reference makes it countable once.

    `amount` is in the invoice's currency. Of it, `charges` were kept by banks on the way and are borne by the society. Where the
    money came in another currency, `paid` says how much of which, and `rate` how one became the other (ADR 24).
    """

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="receipts")
    amount = models.BigIntegerField()
    net = models.BigIntegerField()
    vat = models.BigIntegerField(default=0)
    received_on = models.DateField()
    bank_ref = models.CharField(max_length=100)
    charges = models.BigIntegerField(default=0)
    entry = models.ForeignKey(Entry, models.PROTECT, null=True, related_name="+")
    paid_amount = models.BigIntegerField(null=True)
    paid_currency = models.CharField(max_length=3, blank=True, default="")
    rate = models.ForeignKey(ExchangeRate, models.PROTECT, null=True, related_name="+")
    journal = models.OneToOneField(Journal, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ReceiptQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["society", "bank_ref"], name="receipt_of_a_bank_reference_is_booked_once"),
            models.CheckConstraint(condition=Q(amount__gt=0, net__gte=0, vat__gte=0), name="receipt_is_positive"),
            models.CheckConstraint(condition=Q(amount=F("net") + F("vat")), name="receipt_is_net_and_vat"),
            models.CheckConstraint(
                condition=Q(charges__gte=0, charges__lt=F("amount")), name="receipt_is_more_than_its_charges"
            ),
            models.CheckConstraint(
                condition=Q(rate=None, paid_amount=None, paid_currency="")
                | Q(rate__isnull=False, paid_amount__gt=0) & ~Q(paid_currency=""),
                name="receipt_in_another_currency_has_its_rate",
            ),
        ]
