"""Rights of others to what a holder is owed, and what each of them got."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation
from licensing.intake.models import StoredFile
from licensing.repertoire.models import Holder
from royalties.ledger.models import Journal
from royalties.payees.models import Payee

if TYPE_CHECKING:
    import datetime

    from accounts.identity.core import Actor

WHOLE = 1_000_000


class EntitlementQuerySet(models.QuerySet["Entitlement"]):
    def visible_to(self, actor: Actor) -> EntitlementQuerySet:
        """A society's own; a creator those to the money of holders whom they represent, once approved, and those in their favour."""
        if actor.is_system:
            return self
        if actor.sandbox:
            return self.none()
        if actor.is_society:
            return self.filter(society_id=actor.organisation_id)
        mine = Q(holder_id__in=actor.holder_ids) | Q(to_holder_id__in=actor.holder_ids)
        return self.filter(mine, status=Entitlement.Status.APPROVED)

    def approved(self) -> EntitlementQuerySet:
        return self.filter(status=Entitlement.Status.APPROVED)

    def in_force(self, day: datetime.date) -> EntitlementQuerySet:
        return self.approved().filter(valid__contains=day)


class Entitlement(models.Model):
    """Somebody else has a right to a part of what a holder is owed: by assignment, succession, an order of a court, or the
    holder's own instruction to pay somebody else.

    Two people record it. What it says never changes afterwards: it ends on a day, or is revoked as if it had not been.
    `entitlements.sql` holds that, and that on no day the portions of one kind come to more than the whole. A succession and an
    assignment move what is owed to another holder; a garnishment and a payee other than the holder redirect what is paid.
    """

    class Kind(models.TextChoices):
        ASSIGNMENT = "assignment", _("assignment")
        SUCCESSION = "succession", _("succession")
        GARNISHMENT = "garnishment", _("garnishment")
        OTHER_PAYEE = "other_payee", _("payee other than the holder")

    class Status(models.TextChoices):
        REQUESTED = "requested", _("waits for a second person")
        APPROVED = "approved", _("approved")
        REFUSED = "refused", _("refused")
        REVOKED = "revoked", _("revoked")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="+")  # whose money
    kind = models.CharField(max_length=12, choices=Kind.choices)
    to_holder = models.ForeignKey(Holder, models.PROTECT, null=True, related_name="+")
    to_payee = models.ForeignKey(Payee, models.PROTECT, null=True, related_name="+")  # a third party, or another member
    ppm = models.IntegerField(default=WHOLE)
    ceiling = models.BigIntegerField(null=True)  # in all, minor units
    currency = models.CharField(max_length=3, blank=True)  # of the ceiling; empty: money of every currency
    paid = models.BigIntegerField(default=0, db_default=0)  # towards the ceiling; follows its payments by trigger
    priority = models.SmallIntegerField(default=0)  # the smaller goes first
    with_arrears = models.BooleanField(default=False)
    valid = DateRangeField()
    basis = models.CharField(max_length=300)  # the contract, order or certificate, as people name it
    document = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.REQUESTED)
    end_asked = models.DateField(
        null=True
    )  # a first day without it, or its own first day to revoke it; waits for a second person
    end_reason = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = EntitlementQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["assignment", "succession"], to_holder__isnull=False, to_payee=None)
                | Q(kind__in=["garnishment", "other_payee"], to_holder=None, to_payee__isnull=False),
                name="entitlement_is_in_favour_of_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(holder=F("to_holder")), name="entitlement_is_in_favour_of_somebody_else"
            ),
            models.CheckConstraint(
                condition=Q(ppm__gte=1, ppm__lte=WHOLE), name="entitlement_portion_is_between_1_and_1000000_ppm"
            ),
            models.CheckConstraint(
                condition=Q(ceiling=None, currency="", paid=0)
                | (
                    Q(kind="garnishment", ceiling__gt=0, ceiling__lte=10**15, paid__gte=0, paid__lte=F("ceiling"))
                    & ~Q(currency="")
                ),
                name="entitlement_takes_no_more_than_its_ceiling",
                violation_error_message=_("More would be paid than the order allows in all."),
            ),
            models.CheckConstraint(
                condition=Q(valid__isempty=False, valid__startswith__isnull=False), name="entitlement_begins_on_a_day"
            ),
            models.CheckConstraint(
                condition=Q(with_arrears=False) | Q(kind__in=["assignment", "succession"]),
                name="entitlement_arrears_are_of_money_owed",
            ),
        ]
        indexes = [
            models.Index(fields=["society", "status", "-id"], name="entitlement_by_society"),
            models.Index(fields=["holder", "kind"], name="entitlement_by_holder"),
            models.Index(fields=["to_holder"], condition=Q(to_holder__isnull=False), name="entitlement_by_receiver"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def receiver(self) -> str:
        """Who gets it, by name."""
        return str(self.to_holder or self.to_payee)

    @property
    def left(self) -> int | None:
        """What an order may still take in all; None where it names no total."""
        return None if self.ceiling is None else self.ceiling - self.paid


class EntitlementMove(models.Model):
    """What one entitlement moved in one journal from holder to holder. Rows are only added."""

    entitlement = models.ForeignKey(Entitlement, models.PROTECT, related_name="moves")
    journal = models.ForeignKey(Journal, models.DO_NOTHING, related_name="+")
    source = models.ForeignKey(Holder, models.PROTECT, related_name="+")
    target = models.ForeignKey(Holder, models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    on = models.DateField()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["entitlement", "journal"], name="entitlement_moves_once_a_journal"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="entitlement_move_is_positive"),
        ]
        indexes = [
            models.Index(fields=["source", "currency"], name="entitlement_move_by_source"),
            models.Index(fields=["target", "currency"], name="entitlement_move_by_target"),
        ]


class EntitlementPayment(models.Model):
    """What was paid to a third party by an entitlement, or came back from them (negative). Rows are only added; `key` once each."""

    entitlement = models.ForeignKey(Entitlement, models.PROTECT, related_name="payments")
    key = models.CharField(max_length=200)
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    on = models.DateField()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["entitlement", "key"], name="entitlement_is_paid_once_a_key"),
            models.CheckConstraint(condition=~Q(amount=0), name="entitlement_payment_is_an_amount"),
        ]
