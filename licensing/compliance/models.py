"""Compliance: notices of reservations that licensees acknowledge, and cases about uses that nothing allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation
from licensing.declarations.models import Declaration
from licensing.licences.models import Licence
from licensing.permissions.models import Reservation
from licensing.repertoire.models import Holder, Work

if TYPE_CHECKING:
    from accounts.identity.core import Actor


class ReservationNoticeQuerySet(models.QuerySet["ReservationNotice"]):
    def visible_to(self, actor: Actor) -> ReservationNoticeQuerySet:
        if actor.is_system:
            return self
        if actor.is_society:
            return self.filter(reservation__society_id=actor.organisation_id)
        return self.filter(licensee_id=actor.organisation_id) if actor.is_licensee else self.none()

    def waiting(self) -> ReservationNoticeQuerySet:
        return self.filter(acknowledged_at=None, closed_at=None)


class ReservationNotice(models.Model):
    """A licensee was told that a reservation took effect: they declared the work, or hold a licence that covers it.

    They acknowledge within 14 days; the register shows who has not. `because` says why they: `{"declarations": [ids],
    "licences": [refs]}`. A reservation that ends closes what still waits.
    """

    reservation = models.ForeignKey(Reservation, models.PROTECT, related_name="+")
    licensee = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    because = models.JSONField(default=dict)
    sent_at = models.DateTimeField(auto_now_add=True)
    due_on = models.DateField()
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    reminded_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    objects = ReservationNoticeQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(fields=["reservation", "licensee"], name="licensee_is_told_of_a_reservation_once")
        ]
        indexes = [
            models.Index(fields=["licensee", "-id"], name="reservation_notice_by_licensee"),
            models.Index(
                fields=["due_on"], condition=Q(acknowledged_at=None, closed_at=None), name="reservation_notice_due"
            ),
        ]


class CompensationTerms(models.Model):
    """What a society asks for uses that nothing allowed: a multiple of the ordinary rate, or an amount a work by law.

    The higher of the two, where both are set. `answer_days` is how long a licensee has to answer.
    """

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    multiple = models.DecimalField(max_digits=6, decimal_places=3, default=1)
    amount_per_work = models.BigIntegerField(null=True)  # minor units
    currency = models.CharField(max_length=3, default="KRW")
    source = models.CharField(max_length=500, blank=True)  # where the multiple or the amount is laid down
    answer_days = models.PositiveIntegerField(default=14)
    valid_from = models.DateField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(fields=["society", "valid_from"], name="compensation_terms_start_once_a_day"),
            models.CheckConstraint(condition=Q(multiple__gte=0), name="compensation_multiple_is_not_negative"),
        ]


class CaseScan(models.Model):
    """An accepted declaration was looked through for cases, once; and what its uses that nothing allowed would have cost.

    `rating` is the tariff's calculation (tariffs.core.Rating as data) that the cases divide among themselves; empty where
    no tariff prices them, and then `problem` says why.
    """

    declaration = models.OneToOneField(Declaration, models.PROTECT, related_name="+")
    scanned_at = models.DateTimeField(auto_now_add=True)
    cases = models.IntegerField(default=0)
    rating = models.JSONField(null=True)
    tariff = models.CharField(max_length=100, blank=True)  # ref and version
    problem = models.TextField(blank=True)

    class Meta:
        app_label = "licensing"


class CaseQuerySet(models.QuerySet["Case"]):
    def visible_to(self, actor: Actor) -> CaseQuerySet:
        """Both parties of the declaration, once told; a creator those about holders of theirs."""
        if actor.is_system:
            return self
        if actor.sandbox:
            return self.none()
        if actor.is_society:
            return self.filter(society_id=actor.organisation_id)
        if actor.is_licensee:
            return self.filter(licensee_id=actor.organisation_id, notified_at__isnull=False)
        return self.filter(holder_id__in=actor.holder_ids)


class Case(models.Model):
    """Uses of one holder's works in one declaration that nothing allowed: reserved, unmandated or unlicensed lines.

    `open → notified → licensed (afterwards) | disputed → settled | closed`. Without a holder it is about works or places
    whose holder is not on record. `ordinary` is what the tariff would have asked for the holder's parts, `proposed` what
    the compensation terms make of it, `amount` what was settled on; all in minor units.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        NOTIFIED = "notified", _("notified")
        LICENSED = "licensed", _("licensed afterwards")
        DISPUTED = "disputed", _("disputed")
        SETTLED = "settled", _("settled")
        CLOSED = "closed", _("closed")

    declaration = models.ForeignKey(Declaration, models.PROTECT, related_name="+")
    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    licensee = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    holder = models.ForeignKey(Holder, models.PROTECT, null=True, related_name="+")
    found_in = models.BigIntegerField(null=True)  # the distribution run in which it came out, where that was later
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    works = models.BigIntegerField(default=0)
    lines = models.BigIntegerField(default=0)
    units = models.JSONField(default=dict)  # {unit: sum over the works used}
    reasons = models.JSONField(default=dict)  # {reserved | unmandated | unlicensed: lines}
    currency = models.CharField(max_length=3, default="KRW")
    ordinary = models.BigIntegerField(null=True)  # null: no tariff prices it
    proposed = models.BigIntegerField(null=True)
    explanation = models.JSONField(default=dict)
    amount = models.BigIntegerField(null=True)
    licence = models.ForeignKey(Licence, models.PROTECT, null=True, related_name="+")  # that covers it afterwards
    answer = models.TextField(blank=True)  # of the licensee, where they dispute it
    outcome = models.CharField(max_length=2000, blank=True)  # what it was settled on, or why it was closed
    offered = models.BigIntegerField(null=True)  # an amount other than proposed, which a second person decides on
    offered_why = models.CharField(max_length=2000, blank=True)
    opened_at = models.DateTimeField(auto_now_add=True, db_default=models.functions.Now())
    notified_at = models.DateTimeField(null=True)
    due_on = models.DateField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = CaseQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(
                fields=["declaration", "holder", "found_in"],
                nulls_distinct=False,
                name="case_is_one_a_declaration_and_holder",
            ),
            models.CheckConstraint(
                condition=Q(status="settled", amount__gte=0) | (~Q(status="settled") & Q(amount=None)),
                name="settled_case_has_an_amount",
            ),
        ]
        indexes = [
            models.Index(fields=["society", "status", "due_on", "id"], name="case_queue"),
            models.Index(fields=["licensee", "-id"], name="case_by_licensee"),
            models.Index(fields=["holder", "-id"], name="case_by_holder"),
            models.Index("society", F("proposed").desc(nulls_last=True), "id", name="case_by_money"),
            models.Index(fields=["society", "id"], condition=Q(status="settled", amount__gt=0), name="case_to_bill"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class CaseUse(models.Model):
    """One declared use in a case, with the holder's part of the work on that day. Filled by one statement, never row by row."""

    case = models.ForeignKey(Case, models.PROTECT, related_name="uses")
    work = models.ForeignKey(Work, models.PROTECT, null=True, related_name="+", db_index=False)
    scheme = models.CharField(max_length=12, blank=True)
    value = models.CharField(max_length=2048, blank=True)
    kind = models.CharField(max_length=12)
    use = models.CharField(max_length=12)
    unit = models.CharField(max_length=12)
    used_on = models.DateField()
    status = models.CharField(max_length=10)  # reserved | unmandated | unlicensed
    ppm = models.IntegerField()  # the holder's, over all roles; 1,000,000 where no holder is on record
    units = models.DecimalField(max_digits=38, decimal_places=0)
    lines = models.BigIntegerField()

    class Meta:
        app_label = "licensing"
        indexes = [models.Index(fields=["case", "-units", "id"], name="case_use_by_size")]
