"""Permission: mandates by which holders authorise their society, and licences that they gave directly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField, DateRangeField
from django.db import models
from django.db.models import Q

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
