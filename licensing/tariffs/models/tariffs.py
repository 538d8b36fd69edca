"""Tariffs: published rates, versioned, each version in force for a half-open range of days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from accounts.identity.sql import point
from accounts.organisations.models import REF, Organisation

if TYPE_CHECKING:
    import datetime

    from accounts.identity.core import Actor

# The states in which a version prices on its days. An interim one is to be confirmed, or replaced for all its days.
PRICING: Final = ("determined", "interim")


class TariffQuerySet(models.QuerySet["Tariff"]):
    def visible_to(self, actor: Actor) -> TariffQuerySet:
        """Tariffs are public, once a version of them is: a first draft is the society's own."""
        if actor.is_system:
            return self
        published = TariffVersion.objects.filter(tariff=OuterRef("pk")).published()
        return self.filter(Exists(published) | Q(society_id=actor.organisation_id))


class Tariff(models.Model):
    """A society's rate schedule under one name; its versions carry the rates."""

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    ref = models.CharField(max_length=64, validators=[REF])
    name = models.CharField(max_length=200)
    currency = models.CharField(max_length=3)

    objects = TariffQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [models.UniqueConstraint(fields=["society", "ref"], name="tariff_ref_is_unique_in_its_society")]

    def __str__(self) -> str:
        return self.name


class TariffVersionQuerySet(models.QuerySet["TariffVersion"]):
    def visible_to(self, actor: Actor) -> TariffVersionQuerySet:
        """Every version is public but a draft, which is the society's own."""
        if actor.is_system:
            return self
        return self.filter(~Q(status=TariffVersion.Status.DRAFT) | Q(tariff__society_id=actor.organisation_id))

    def published(self) -> TariffVersionQuerySet:
        return self.exclude(status=TariffVersion.Status.DRAFT)

    def undecided(self) -> TariffVersionQuerySet:
        """Those on which a rate body has the last word still to say."""
        return self.filter(status__in=(TariffVersion.Status.PROPOSED, TariffVersion.Status.INTERIM))

    def in_force(self, day: datetime.date) -> TariffVersionQuerySet:
        return self.filter(status__in=PRICING, valid__contains=day)


class TariffVersion(models.Model):
    """The rates of a tariff for some days, exactly as its JSON document says, on their way through the procedure.

    `draft` (the society's own, still changing) → `proposed` (published with reasons; a consultation is held) →
    `determined` | `refused` by a rate body, or `amended`: the body determines another text, a version that says so in
    `amends`. An `interim` version prices until it is confirmed or a retroactive one takes its days (`replaced`).
    From its publication on a version is fixed: `procedure.sql` refuses changes, and no two that price share a day.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        PROPOSED = "proposed", _("proposed")
        INTERIM = "interim", _("in force for the time being")
        DETERMINED = "determined", _("determined")
        AMENDED = "amended", _("determined with changes")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")
        REPLACED = "replaced", _("replaced with effect from its first day")

    tariff = models.ForeignKey(Tariff, models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    document = models.JSONField()
    sha256 = models.CharField(max_length=64)
    valid = DateRangeField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROPOSED)
    amends = models.ForeignKey("self", models.PROTECT, null=True, related_name="amended_by")
    determined_by = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    determined_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    # The proposal, as published: to whom it is put, why, and what it would change.
    addressed_to = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")  # the rate body
    reasons = models.TextField(blank=True)
    effect = models.TextField(blank=True)  # in the society's words
    figures = models.JSONField(default=dict)  # predicted effect as worked out: see `declarations/effects.py`
    published_at = models.DateTimeField(null=True)
    consultation = DateRangeField(null=True)  # days on which anyone concerned may comment
    decide_by = models.DateField(null=True)

    objects = TariffVersionQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(fields=["tariff", "version"], name="tariff_version_has_its_own_number"),
            models.CheckConstraint(
                condition=~Q(status__in=PRICING) | Q(determined_by__isnull=False, determined_at__isnull=False),
                name="tariff_version_is_determined_by_a_rate_body",
            ),
            models.CheckConstraint(
                condition=Q(consultation=None) | Q(published_at__isnull=False, addressed_to__isnull=False),
                name="tariff_consultation_is_of_a_published_proposal",
            ),
            ExclusionConstraint(
                name="tariff_has_one_version_in_force_a_day",
                expressions=[(point("tariff"), RangeOperators.OVERLAPS), ("valid", RangeOperators.OVERLAPS)],
                condition=Q(status__in=PRICING),
                violation_error_message=_(
                    "Another determined version of this tariff is in force on some of these days."
                ),
            ),
        ]
        indexes = [
            models.Index(fields=["addressed_to", "status", "decide_by"], name="tariff_version_to_decide"),
            models.Index(fields=["status", "consultation"], name="tariff_version_by_status"),
        ]

    def __str__(self) -> str:
        return f"{self.tariff} v{self.version}"

    def takes_comments(self, day: datetime.date) -> bool:
        """Whether its consultation is open on this day: from its first day up to, not including, the one it ends with."""
        window = self.consultation
        undecided = self.status in (self.Status.PROPOSED, self.Status.INTERIM)
        return window is not None and undecided and window.lower <= day < window.upper
