"""What a firm asks for, and what it would cost: requests with their evidence, and quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.fields import ArrayField, DateRangeField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation
from licensing.intake.models import StoredFile
from licensing.licences.models.licences import Licence
from licensing.tariffs.models import Tariff, TariffVersion

if TYPE_CHECKING:
    import datetime

    from accounts.identity.core import Actor


class LicenceRequestQuerySet(models.QuerySet["LicenceRequest"]):
    def visible_to(self, actor: Actor) -> LicenceRequestQuerySet:
        """The firm that asks sees its requests; the society those that were sent to it."""
        if actor.is_system:
            return self
        if actor.organisation_id is None:
            return self.none()
        sent = Q(society_id=actor.organisation_id) & ~Q(status=LicenceRequest.Status.DRAFT)
        return self.filter(Q(licensee_id=actor.organisation_id) | sent)


class LicenceRequest(models.Model):
    """A firm asks a society for a licence: for which uses and works, how long, of what size, and how much use it expects.

    `draft` (the firm's own) → `submitted` → `quoted` → `offered` → `licensed`, or `declined` by the society, `withdrawn`
    by the firm. A new quote or offer after one ran out keeps the state. `renews` and `amends` name the licence that
    this one is to follow. `quantities`: [{use, kind, unit, units, works}] and `bases`: {name: minor units or count},
    both for one billing period.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        SUBMITTED = "submitted", _("waits for a quote")
        QUOTED = "quoted", _("quoted")
        OFFERED = "offered", _("offered, to be signed")
        LICENSED = "licensed", _("licensed")
        DECLINED = "declined", _("declined")
        WITHDRAWN = "withdrawn", _("withdrawn")

    ref = models.CharField(max_length=20, unique=True)
    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    licensee = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    tariff = models.ForeignKey(Tariff, models.PROTECT, related_name="+")
    uses = ArrayField(models.CharField(max_length=12))
    kinds = ArrayField(models.CharField(max_length=12))
    territory = ArrayField(models.CharField(max_length=2))
    ai_models = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    datasets = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    term = DateRangeField()
    tier = models.CharField(max_length=40, blank=True)
    tier_evidence = models.TextField(blank=True)
    quantities = models.JSONField(default=list)
    bases = models.JSONField(default=dict)
    message = models.TextField(blank=True)
    renews = models.ForeignKey(Licence, models.PROTECT, null=True, related_name="+")
    amends = models.ForeignKey(Licence, models.PROTECT, null=True, related_name="+")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    reason = models.TextField(blank=True)  # of a refusal or withdrawal
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")  # who asked
    submitted_at = models.DateTimeField(null=True)
    moved_at = models.DateTimeField(auto_now_add=True)  # into its present state
    created_at = models.DateTimeField(auto_now_add=True)

    objects = LicenceRequestQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.CheckConstraint(
                condition=Q(renews=None) | Q(amends=None), name="licence_request_renews_or_amends_not_both"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["draft", "withdrawn"]) | Q(submitted_at__isnull=False),
                name="licence_request_was_submitted",
            ),
        ]
        indexes = [
            models.Index(fields=["society", "status", "-moved_at"], name="licence_request_by_society"),
            models.Index(fields=["licensee", "-id"], name="licence_request_by_licensee"),
        ]

    def __str__(self) -> str:
        return self.ref


class RequestFile(models.Model):
    """A paper that shows the size a firm claims, kept as received; the two parties read it."""

    request = models.ForeignKey(LicenceRequest, models.PROTECT, related_name="files")
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=100)

    class Meta:
        app_label = "licensing"
        constraints = [models.UniqueConstraint(fields=["request", "file"], name="request_file_is_sent_once")]

    def __str__(self) -> str:
        return self.name


class QuoteQuerySet(models.QuerySet["Quote"]):
    def visible_to(self, actor: Actor) -> QuoteQuerySet:
        if actor.is_system:
            return self
        return self.filter(request__in=LicenceRequest.objects.visible_to(actor))

    def standing(self, day: datetime.date) -> QuoteQuerySet:
        """Those on which an offer may still rest on this day."""
        return self.filter(valid_to__gt=day)


class Quote(models.Model):
    """What a billing period of the requested use costs under the version in force, with its explanation. Never changed.

    `valid_to` is the first day on which it no longer holds. Minor units.
    """

    request = models.ForeignKey(LicenceRequest, models.PROTECT, related_name="quotes")
    version = models.ForeignKey(TariffVersion, models.PROTECT, related_name="+")
    tier = models.CharField(max_length=40, blank=True)  # as the society found it from the evidence
    quantities = models.JSONField(default=list)
    bases = models.JSONField(default=dict)
    rating = models.JSONField()
    amount = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    message = models.TextField(blank=True)
    valid_to = models.DateField()
    issued_at = models.DateTimeField()
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    objects = QuoteQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [models.CheckConstraint(condition=Q(amount__gte=0), name="quote_is_not_negative")]
        indexes = [models.Index(fields=["request", "-id"], name="quote_by_request")]

    def __str__(self) -> str:
        return f"{self.request}: {self.amount} {self.currency}"
