"""Reminding those who do not pay: the steps by date, what was sent, and what is disputed meanwhile."""

from __future__ import annotations

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import Q

from accounts.identity.sql import point
from accounts.organisations.models import Organisation
from royalties.billing.models.invoices import Invoice


class DunningPolicy(models.Model):
    """In which steps a society reminds of what is overdue, on given days; without one, the house's own (`dunning.USUAL`).

    `levels`: `[{days, text: {en, ko}}]`, days after it was due, rising. The statutory interest for late payment is only
    shown: `interest_percent` a year, with its source.
    """

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    levels = models.JSONField()
    interest_percent = models.DecimalField(max_digits=6, decimal_places=3, null=True)
    interest_source = models.CharField(max_length=300, blank=True, default="")
    valid = DateRangeField()

    class Meta:
        app_label = "royalties"
        constraints = [
            ExclusionConstraint(
                name="dunning_policy_is_one_a_day",
                expressions=[(point("society"), RangeOperators.OVERLAPS), ("valid", RangeOperators.OVERLAPS)],
            ),
            models.CheckConstraint(
                condition=Q(interest_percent=None) | Q(interest_percent__gte=0) & ~Q(interest_source=""),
                name="late_interest_has_a_source",
            ),
        ]


class InvoiceReminder(models.Model):
    """One step of reminding of one invoice, sent once."""

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="reminders")
    level = models.PositiveIntegerField()
    days = models.PositiveIntegerField()
    sent_on = models.DateField()
    open = models.BigIntegerField()

    class Meta:
        app_label = "royalties"
        constraints = [models.UniqueConstraint(fields=["invoice", "level"], name="invoice_is_reminded_once_a_level")]


class InvoiceDispute(models.Model):
    """A licensee contests an invoice: nobody is reminded of it until that is settled."""

    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="disputes")
    reason = models.CharField(max_length=500)
    opened_on = models.DateField()
    closed_on = models.DateField(null=True)
    outcome = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(
                fields=["invoice"], name="invoice_is_disputed_once_at_a_time", condition=Q(closed_on=None)
            )
        ]
