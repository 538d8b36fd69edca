"""Advances: money paid to a holder ahead, and taken back from what comes in later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation
from licensing.repertoire.models import Holder
from royalties.ledger.models import Journal

if TYPE_CHECKING:
    from accounts.identity.core import Actor


class AdvanceQuerySet(models.QuerySet["Advance"]):
    def visible_to(self, actor: Actor) -> AdvanceQuerySet:
        """A society's own; a creator those of holders whom they represent, once approved."""
        if actor.is_system:
            return self
        if actor.sandbox:
            return self.none()
        if actor.is_society:
            return self.filter(society_id=actor.organisation_id)
        told = [status for status in Advance.Status if status not in (Advance.Status.REQUESTED, Advance.Status.REFUSED)]
        return self.filter(holder_id__in=actor.holder_ids, status__in=told)


class Advance(models.Model):
    """A holder is paid ahead, and a percentage of what comes in later pays it back, leaving the holder at least `stays` each time.

    `requested → approved (by a second person) → paid → recouped | written_off`, or `refused`. Its balance is what was paid less
    what was recouped and written off: `entitlements.sql` keeps the sums by its moves, and they never pass the amount.
    """

    class Status(models.TextChoices):
        REQUESTED = "requested", _("waits for a second person")
        APPROVED = "approved", _("approved, to be paid")
        REFUSED = "refused", _("refused")
        PAID = "paid", _("paid, to be recouped")
        RECOUPED = "recouped", _("recouped")
        WRITTEN_OFF = "written_off", _("written off")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    amount = models.BigIntegerField()
    ppm = models.IntegerField(default=1_000_000)  # of what comes in later
    stays = models.BigIntegerField(default=0)  # minor units that are left to the holder each time
    reason = models.CharField(max_length=1000)
    status = models.CharField(max_length=11, choices=Status.choices, default=Status.REQUESTED)
    paid_on = models.DateField(null=True)
    bank_reference = models.CharField(max_length=140, blank=True)
    recouped = models.BigIntegerField(default=0, db_default=0)
    written_off = models.BigIntegerField(default=0, db_default=0)
    write_off_reason = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AdvanceQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.CheckConstraint(condition=Q(amount__gt=0, amount__lte=10**15), name="advance_is_positive"),
            models.CheckConstraint(
                condition=Q(ppm__gte=1, ppm__lte=1_000_000), name="advance_is_recouped_by_a_percentage"
            ),
            models.CheckConstraint(
                condition=Q(stays__gte=0, stays__lte=10**15), name="advance_leaves_no_less_than_nothing"
            ),
            models.CheckConstraint(
                condition=Q(recouped__gte=0, written_off__gte=0, amount__gte=F("recouped") + F("written_off")),
                name="advance_is_recouped_once",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["requested", "approved", "refused"], paid_on=None)
                | (Q(status__in=["paid", "recouped", "written_off"], paid_on__isnull=False) & ~Q(bank_reference="")),
                name="advance_names_its_payment",
            ),
            models.UniqueConstraint(
                fields=["society", "bank_reference"],
                condition=~Q(bank_reference=""),
                name="advance_has_its_own_payment",
                violation_error_message=_("This payment of the bank stands for another advance already."),
            ),
        ]
        indexes = [
            models.Index(fields=["society", "status", "-id"], name="advance_by_society"),
            models.Index(fields=["holder", "status"], name="advance_by_holder"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"

    @property
    def open(self) -> int:
        """What is still to be recouped, in minor units; 0 before it is paid."""
        return self.amount - self.recouped - self.written_off if self.paid_on else 0


class AdvanceMove(models.Model):
    """What one journal moved of an advance. Rows are only added."""

    class Kind(models.TextChoices):
        PAID = "paid", _("paid")
        RECOUPED = "recouped", _("recouped")
        WRITTEN_OFF = "written_off", _("written off")

    advance = models.ForeignKey(Advance, models.PROTECT, related_name="moves")
    journal = models.ForeignKey(Journal, models.DO_NOTHING, related_name="+")
    kind = models.CharField(max_length=11, choices=Kind.choices)
    amount = models.BigIntegerField()
    on = models.DateField()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["advance", "journal"], name="advance_moves_once_a_journal"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="advance_move_is_positive"),
        ]
