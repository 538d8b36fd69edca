"""Money that is not just received: kept for a licence, paid back, or given up for lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation
from licensing.licences.models import Licence
from royalties.bank.models import Entry
from royalties.billing.models.invoices import Invoice
from royalties.ledger.models import Journal

if TYPE_CHECKING:
    from accounts.identity.core import Actor


class SettlingQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> SettlingQuerySet:
        """The society's own, for those who see its invoices. There is no money in the sandbox."""
        if actor.is_system:
            return self
        if not actor.is_society or not actor.can("billing.view") or actor.sandbox:
            return self.none()
        return self.filter(society_id=actor.organisation_id)


class KeptPayment(models.Model):
    """What is left of a payment is kept for a licence: it pays of the licence's next invoices by itself.

    It stays in the ledger as unapplied: it has been in no pool, unlike what stands in a licence's favour.
    """

    entry = models.OneToOneField(Entry, models.PROTECT, related_name="+")
    licence = models.ForeignKey(Licence, models.PROTECT, related_name="+")
    kept_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "royalties"


class WriteOff(models.Model):
    """What is still open on an invoice, given up by two people; VAT apart. Taken back as a whole when money comes after all."""

    class Ground(models.TextChoices):
        SMALL = "small", _("small difference")
        UNCOLLECTABLE = "lost", _("cannot be collected")

    class Status(models.TextChoices):
        REQUESTED = "requested", _("waits for a second person")
        APPROVED = "approved", _("written off")
        REFUSED = "refused", _("refused")
        RESUMED = "resumed", _("taken back")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    invoice = models.ForeignKey(Invoice, models.PROTECT, related_name="write_offs")
    ground = models.CharField(max_length=5, choices=Ground.choices)
    reason = models.CharField(max_length=500)
    amount = models.BigIntegerField()
    net = models.BigIntegerField(default=0)
    vat = models.BigIntegerField(default=0)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.REQUESTED)
    effective_on = models.DateField()
    journal = models.OneToOneField(Journal, models.PROTECT, null=True, related_name="+")
    reversal = models.OneToOneField(Journal, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SettlingQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(
                fields=["invoice"], name="write_off_is_asked_for_once", condition=Q(status="requested")
            ),
            models.CheckConstraint(condition=Q(amount__gt=0, net__gte=0, vat__gte=0), name="write_off_is_positive"),
            models.CheckConstraint(
                condition=Q(status__in=["requested", "refused"], journal=None, net=0, vat=0)
                | Q(status__in=["approved", "resumed"], journal__isnull=False, amount=F("net") + F("vat")),
                name="write_off_is_booked_when_approved",
            ),
            models.CheckConstraint(
                condition=Q(status="resumed", reversal__isnull=False) | ~Q(status="resumed") & Q(reversal=None),
                name="write_off_resumed_is_reversed",
            ),
        ]
        indexes = [models.Index(fields=["society", "-id"], name="write_off_by_society")]

    def __str__(self) -> str:
        return f"{self.invoice} {self.amount}"


class Refund(models.Model):
    """Money paid back to who paid it: what stands in a licence's favour, or what is left of a payment. Never twice.

    Asked for by one person, approved by another: from then on it is set apart (`refunding`) and nothing else can use it.
    Paid once the bank's own entry says so. `net` is what of it had been in a pool already: the reserve or the society covers
    that (`cover`), for the people who were paid it keep it.
    """

    class Status(models.TextChoices):
        REQUESTED = "requested", _("waits for a second person")
        APPROVED = "approved", _("to be paid")
        REFUSED = "refused", _("refused")
        CANCELLED = "cancelled", _("cancelled")
        PAID = "paid", _("paid")

    class Cover(models.TextChoices):
        NONE = "", _("nothing to cover")
        RESERVE = "reserve", _("the reserve")
        SOCIETY = "society", _("the society itself")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    licensee = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    licence = models.ForeignKey(Licence, models.PROTECT, null=True, related_name="+")
    entry = models.ForeignKey(Entry, models.PROTECT, null=True, related_name="+")
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    net = models.BigIntegerField(default=0)
    cover = models.CharField(max_length=7, choices=Cover.choices, blank=True, default=Cover.NONE)
    payee_name = models.CharField(max_length=140)
    payee_account = models.CharField(max_length=34)
    payee_bank = models.CharField(max_length=100, blank=True, default="")
    reason = models.CharField(max_length=500)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.REQUESTED)
    journal = models.OneToOneField(Journal, models.PROTECT, null=True, related_name="+")
    cancelled_by = models.OneToOneField(Journal, models.PROTECT, null=True, related_name="+")
    paid_by = models.OneToOneField(Entry, models.PROTECT, null=True, related_name="+")
    paid_journal = models.OneToOneField(Journal, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SettlingQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, net__gte=0, net__lte=F("amount")), name="refund_is_positive"
            ),
            models.CheckConstraint(
                condition=Q(licence=None, entry__isnull=False, net=0) | Q(licence__isnull=False, entry=None),
                name="refund_has_one_source",
            ),
            models.CheckConstraint(
                condition=Q(status="paid", paid_by__isnull=False, paid_journal__isnull=False)
                | ~Q(status="paid") & Q(paid_by=None, paid_journal=None),
                name="refund_is_paid_by_a_bank_entry",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["requested", "refused"], journal=None)
                | Q(status__in=["approved", "paid"], journal__isnull=False, cancelled_by=None)
                | Q(status="cancelled"),
                name="refund_is_set_apart_when_approved",
            ),
        ]
        indexes = [models.Index(fields=["society", "-id"], name="refund_by_society")]

    def __str__(self) -> str:
        return f"R{self.pk}"
