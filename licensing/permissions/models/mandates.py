"""Permission: mandates by which holders authorise their society, and licences that they gave directly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.fields import ArrayField, DateRangeField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation
from licensing.repertoire.models import Holder

if TYPE_CHECKING:
    from accounts.identity.core import Actor


class MandateQuerySet(models.QuerySet["Mandate"]):
    def visible_to(self, actor: Actor) -> MandateQuerySet:
        if actor.is_system:
            return self
        if actor.is_society:
            return self.filter(society_id=actor.organisation_id)
        return self.filter(holder_id__in=actor.holder_ids)


class Mandate(models.Model):
    """A holder authorises the society for uses, kinds and territory from a day on. Opt-in: no mandate, no licence.

    `uses`, `kinds` and `territory` are sorted lists of codes, or `{*}` for all. No two mandates of a holder cover the
    same use, kind, place and day: `mandates.sql` adds the exclusion constraint, over sets of points.
    """

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="+")
    uses = ArrayField(models.CharField(max_length=12))
    kinds = ArrayField(models.CharField(max_length=12))
    territory = ArrayField(models.CharField(max_length=2))
    valid = DateRangeField()
    created_at = models.DateTimeField(auto_now_add=True, db_default=models.functions.Now())

    objects = MandateQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.CheckConstraint(
                condition=Q(uses__len__gt=0, kinds__len__gt=0, territory__len__gt=0),
                name="mandate_names_uses_kinds_and_territory",
            ),
        ]
        indexes = [models.Index(fields=["society", "holder"], name="mandate_by_holder")]


class MandateTerms(models.Model):
    """The words that a holder signs, and the notice with which they may take a mandate back. A new text is a new version."""

    class NoticeTo(models.TextChoices):
        DAY = "day", _("any day")
        MONTH = "month", _("the end of a month")
        YEAR = "year", _("the end of a year")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    version = models.PositiveIntegerField()
    text = models.TextField()
    text_ko = models.TextField(blank=True)
    sha256 = models.CharField(max_length=64)
    notice_days = models.PositiveIntegerField(default=0)
    notice_to = models.CharField(max_length=5, choices=NoticeTo.choices, default=NoticeTo.DAY)
    valid_from = models.DateField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(fields=["society", "version"], name="mandate_terms_version_has_its_own_number")
        ]
        indexes = [models.Index(fields=["society", "-valid_from", "-version"], name="mandate_terms_in_force")]


class MandateSignature(models.Model):
    """A holder signed a mandate by typing their name: who, when, which words, for what."""

    mandate = models.ForeignKey(Mandate, models.PROTECT, related_name="signatures")
    terms = models.ForeignKey(MandateTerms, models.PROTECT, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    typed_name = models.CharField(max_length=300)
    language = models.CharField(max_length=2)
    document_sha256 = models.CharField(max_length=64)  # of the words with what was ticked, as shown
    signed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "licensing"


class DirectLicence(models.Model):
    """A licence that a holder gave a licensee without the society. Where all holders did, nothing is priced."""

    holder = models.ForeignKey(Holder, models.PROTECT, related_name="+")
    licensee = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    uses = ArrayField(models.CharField(max_length=12))
    kinds = ArrayField(models.CharField(max_length=12))
    territory = ArrayField(models.CharField(max_length=2))
    valid = DateRangeField()
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "licensing"
        indexes = [models.Index(fields=["licensee", "holder"], name="direct_licence_by_licensee")]
