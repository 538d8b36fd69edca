"""Tariffs: published rates, versioned, each version in force for a half-open range of days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.identity.sql import point
from accounts.organisations.models import REF, Organisation

if TYPE_CHECKING:
    import datetime

    from accounts.identity.core import Actor


class TariffQuerySet(models.QuerySet["Tariff"]):
    def visible_to(self, actor: Actor) -> TariffQuerySet:
        """Tariffs are public."""
        return self


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
        return self

    def in_force(self, day: datetime.date) -> TariffVersionQuerySet:
        return self.filter(status=TariffVersion.Status.DETERMINED, valid__contains=day)


class TariffVersion(models.Model):
    """The rates of a tariff for some days, exactly as its JSON document says.

    It can price only when a rate body has determined it, and is then fixed: `tariffs.sql` refuses changes, and no two
    determined versions of a tariff share a day.
    """

    class Status(models.TextChoices):
        PROPOSED = "proposed", _("proposed")
        DETERMINED = "determined", _("determined")
        REFUSED = "refused", _("refused")

    tariff = models.ForeignKey(Tariff, models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    document = models.JSONField()
    sha256 = models.CharField(max_length=64)
    valid = DateRangeField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PROPOSED)
    determined_by = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    determined_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TariffVersionQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(fields=["tariff", "version"], name="tariff_version_has_its_own_number"),
            models.CheckConstraint(
                condition=~Q(status="determined") | Q(determined_by__isnull=False, determined_at__isnull=False),
                name="tariff_version_is_determined_by_a_rate_body",
            ),
            ExclusionConstraint(
                name="tariff_has_one_version_in_force_a_day",
                expressions=[(point("tariff"), RangeOperators.OVERLAPS), ("valid", RangeOperators.OVERLAPS)],
                condition=Q(status="determined"),
                violation_error_message=_(
                    "Another determined version of this tariff is in force on some of these days."
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tariff} v{self.version}"
