"""Sister societies: holders whom another society represents, and what goes to it for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.identity.sql import point
from accounts.organisations.models import Organisation
from licensing.intake.models import StoredFile
from licensing.repertoire.models import Holder
from royalties.ledger.models import Journal

if TYPE_CHECKING:
    import datetime

    from accounts.identity.core import Actor


class OwnQuerySet(models.QuerySet[Any]):
    def visible_to(self, actor: Actor) -> Self:
        """A society's own rows. There is no money in the sandbox."""
        if actor.is_system:
            return self
        return self.filter(society_id=actor.organisation_id) if actor.is_society and not actor.sandbox else self.none()


class AgreementQuerySet(OwnQuerySet):
    def in_force(self, day: datetime.date) -> AgreementQuerySet:
        return self.filter(status=SisterAgreement.Status.APPROVED, valid__contains=day)


class SisterAgreement(models.Model):
    """Two societies represent each other's members: for which uses and territory, and what the paying one deducts.

    `deductions` are pairs of a name and ppm in their order, each taken from what is left. One is in force a day and sister.
    """

    class Status(models.TextChoices):
        REQUESTED = "requested", _("waits for a second person")
        APPROVED = "approved", _("approved")
        REFUSED = "refused", _("refused")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    sister = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    uses = ArrayField(models.CharField(max_length=12))
    territory = ArrayField(models.CharField(max_length=2))
    deductions = models.JSONField(default=list)
    valid = DateRangeField()
    document = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.REQUESTED)
    end_asked = models.DateField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AgreementQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.CheckConstraint(condition=~Q(society=F("sister")), name="sister_is_another_society"),
            models.CheckConstraint(
                condition=Q(valid__isempty=False, valid__startswith__isnull=False),
                name="sister_agreement_begins_on_a_day",
            ),
            ExclusionConstraint(
                name="sister_agreement_is_one_a_day",
                expressions=[
                    (point("society"), RangeOperators.OVERLAPS),
                    (point("sister"), RangeOperators.OVERLAPS),
                    ("valid", RangeOperators.OVERLAPS),
                ],
                condition=Q(status="approved"),
                violation_error_message=_("Another agreement with this society is in force on some of these days."),
            ),
        ]
        indexes = [models.Index(fields=["society", "-id"], name="sister_agreement_by_society")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class SisterMember(models.Model):
    """A holder whom a sister society represents: what they are owed is paid to it. `their_ref` is the sister's own reference."""

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    sister = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    holder = models.OneToOneField(Holder, models.PROTECT, related_name="+")
    their_ref = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True, db_default=models.functions.Now())

    objects = OwnQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        indexes = [models.Index(fields=["society", "sister", "holder"], name="sister_member_by_sister")]


class SisterStatement(models.Model):
    """One payment to a sister society: what its members were owed, what was deducted, what goes to it.

    Its lines sum to it (`entitlements.sql` looks at commit) and the detail file has one row a line. `open → paid`.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("to be paid")
        PAID = "paid", _("paid")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    sister = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    agreement = models.ForeignKey(SisterAgreement, models.PROTECT, related_name="+")
    journal = models.ForeignKey(Journal, models.DO_NOTHING, null=True, related_name="+")  # set in the same transaction
    currency = models.CharField(max_length=3)
    on = models.DateField()
    holders = models.IntegerField(default=0)
    gross = models.BigIntegerField(default=0)
    cuts = ArrayField(models.BigIntegerField(), default=list)  # a sum for each deduction of the agreement, in its order
    net = models.BigIntegerField(default=0)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    paid_on = models.DateField(null=True)
    bank_reference = models.CharField(max_length=140, blank=True)
    payment = models.ForeignKey(Journal, models.DO_NOTHING, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OwnQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["journal", "sister"], name="sister_is_told_once_a_journal"),
            models.CheckConstraint(
                condition=Q(status="open", paid_on=None, payment=None, bank_reference="")
                | (Q(status="paid", paid_on__isnull=False) & ~Q(bank_reference="")),
                name="sister_payment_names_the_bank",
            ),
            models.UniqueConstraint(
                fields=["society", "bank_reference"],
                condition=~Q(bank_reference=""),
                name="sister_statement_has_its_own_payment",
                violation_error_message=_("This payment of the bank stands for another statement already."),
            ),
        ]
        indexes = [models.Index(fields=["society", "sister", "-id"], name="sister_statement_by_sister")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class SisterLine(models.Model):
    """What one holder was owed, what was deducted of it in the agreement's order, and what the sister gets for them."""

    statement = models.ForeignKey(SisterStatement, models.PROTECT, related_name="lines", db_index=False)
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="+")
    their_ref = models.CharField(max_length=64, blank=True)
    gross = models.BigIntegerField()
    cuts = ArrayField(models.BigIntegerField(), default=list)
    net = models.BigIntegerField()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["statement", "holder"], name="sister_line_is_one_a_holder"),
            models.CheckConstraint(condition=Q(gross__gt=0, net__gte=0), name="sister_line_is_an_amount"),
        ]
