"""Licences: what an AI firm may do with a society's repertoire, under which tariff and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField, DateRangeField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import REF, Organisation
from licensing.licences import core
from licensing.tariffs.models import Tariff

if TYPE_CHECKING:
    from accounts.identity.core import Actor


class LicenceQuerySet(models.QuerySet["Licence"]):
    def visible_to(self, actor: Actor) -> LicenceQuerySet:
        """The two parties see a licence, nobody else."""
        if actor.is_system:
            return self
        if actor.organisation_id is None:
            return self.none()
        return self.filter(models.Q(society_id=actor.organisation_id) | models.Q(licensee_id=actor.organisation_id))

    def licensing(self) -> LicenceQuerySet:
        """Those that license what is used within their term, whether or not it has ended since."""
        return self.filter(status__in=core.LICENSING)


class Licence(models.Model):
    """A contract between a licensee and a society.

    `uses`, `kinds`, `territory` are sorted codes or `{*}`; empty `ai_models` or `datasets` mean any. The tariff version
    is the one in force on the days that are billed. A draft or a suspended licence licenses nothing; one that has
    ended still licenses what was used within its term.

    One that was signed has an offer with its document and signatures (`Offer.licence`); `conditions` are its duties as
    data (`core.Conditions`). An amendment or a renewal is a licence of its own that `succeeds` the one before.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        ACTIVE = "active", _("active")
        SUSPENDED = "suspended", _("suspended")
        TERMINATED = "terminated", _("terminated")
        AMENDED = "amended", _("replaced by its amendment")
        EXPIRED = "expired", _("expired")

    ref = models.CharField(max_length=64, unique=True, validators=[REF])
    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    licensee = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    tariff = models.ForeignKey(Tariff, models.PROTECT, related_name="+")
    uses = ArrayField(models.CharField(max_length=12))
    kinds = ArrayField(models.CharField(max_length=12))
    territory = ArrayField(models.CharField(max_length=2))
    ai_models = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    datasets = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    valid = DateRangeField()
    tier = models.CharField(max_length=40, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    conditions = models.JSONField(default=dict, blank=True)
    succeeds = models.OneToOneField("self", models.PROTECT, null=True, blank=True, related_name="succeeded_by")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = LicenceQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        indexes = [
            models.Index(fields=["society", "-id"], name="licence_by_society"),
            models.Index(fields=["licensee", "-id"], name="licence_by_licensee"),
        ]

    def __str__(self) -> str:
        return self.ref

    @property
    def terms(self) -> core.Terms:
        """What it allows, as plain facts."""
        return core.Terms(
            uses=self.uses,
            kinds=self.kinds,
            territory=self.territory,
            since=self.valid.lower,
            until=self.valid.upper,
            status=self.status,
            models=self.ai_models,
            datasets=self.datasets,
        )
