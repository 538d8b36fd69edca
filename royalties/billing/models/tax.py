"""VAT by licensee, and what a Korean tax invoice (전자세금계산서) says."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.identity.sql import point
from accounts.organisations.models import Organisation
from royalties.billing.models.invoices import Invoice


class VatExemption(models.Model):
    """A licensee whose invoices bear no VAT on given days: zero-rated (services for abroad) or exempt, with the reason."""

    class Treatment(models.TextChoices):
        ZERO_RATED = "zero_rated", _("zero-rated")
        EXEMPT = "exempt", _("exempt")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    licensee = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    treatment = models.CharField(max_length=10, choices=Treatment.choices)
    reason = models.CharField(max_length=300)
    valid = DateRangeField()

    class Meta:
        app_label = "royalties"
        constraints = [
            ExclusionConstraint(
                name="vat_exemption_is_one_a_day",
                expressions=[
                    (point("society"), RangeOperators.OVERLAPS),
                    (point("licensee"), RangeOperators.OVERLAPS),
                    ("valid", RangeOperators.OVERLAPS),
                ],
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="vat_exemption_has_a_reason"),
        ]


class TaxDetails(models.Model):
    """What a tax invoice says of one party, as a society knows it: of itself and of each licensee."""

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    number = models.CharField(max_length=10)  # 사업자등록번호, digits
    name = models.CharField(max_length=70)
    representative = models.CharField(max_length=30)
    address = models.CharField(max_length=150, blank=True, default="")
    trade = models.CharField(max_length=40, blank=True, default="")  # 업태
    item = models.CharField(max_length=40, blank=True, default="")  # 종목
    email = models.CharField(max_length=100, blank=True, default="")

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["society", "organisation"], name="tax_details_are_one_a_party"),
            models.CheckConstraint(condition=Q(number__regex=r"^[0-9]{10}$"), name="business_number_has_ten_digits"),
        ]


class TaxInvoice(models.Model):
    """The data of one tax invoice, as they were when it was made: one for an invoice or a credit note, never changed."""

    invoice = models.OneToOneField(Invoice, models.PROTECT, related_name="+")
    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    zero_rated = models.BooleanField(default=False)
    amends = models.CharField(max_length=40, blank=True, default="")  # the number of the invoice that it corrects
    written_on = models.DateField()
    supply = models.BigIntegerField()
    tax = models.BigIntegerField()
    supplier = models.JSONField()
    recipient = models.JSONField()
    items = models.JSONField()
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "royalties"
        constraints = [
            models.CheckConstraint(
                condition=Q(supply__gte=0, tax__gte=0) | Q(supply__lte=0, tax__lte=0), name="tax_invoice_has_one_sign"
            ),
            models.CheckConstraint(
                condition=Q(zero_rated=False) | Q(tax=0), name="tax_invoice_zero_rated_bears_no_tax"
            ),
        ]
        indexes = [models.Index(fields=["society", "written_on"], name="tax_invoice_by_day")]
