"""Statutory schemes: uses that the law itself licenses, for remuneration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField, DateRangeField
from django.db import models
from django.db.models import Q
from django.utils.translation import get_language

from accounts.organisations.models import Organisation
from licensing.tariffs.models import Tariff

if TYPE_CHECKING:
    import datetime

    from accounts.identity.core import Actor


class StatutorySchemeQuerySet(models.QuerySet["StatutoryScheme"]):
    def visible_to(self, actor: Actor) -> StatutorySchemeQuerySet:
        """Everyone sees what the law is said to license, above all that it is off."""
        return self


class StatutoryScheme(models.Model):
    """The law allows these uses of these kinds of works here, from a day on, and the society collects the remuneration.

    Off until a society enables it. A reservation goes before it, a missing mandate does not matter under it; money of
    non-members is held for them.
    """

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    ref = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    name_ko = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=500, blank=True)  # the law and its article
    kinds = ArrayField(models.CharField(max_length=12))
    uses = ArrayField(models.CharField(max_length=12))
    territory = ArrayField(models.CharField(max_length=2))
    valid = DateRangeField()
    body = models.ForeignKey(
        Organisation, models.PROTECT, null=True, related_name="+"
    )  # who determines the remuneration
    tariff = models.ForeignKey(Tariff, models.PROTECT, null=True, related_name="+")  # by which it is priced
    enabled = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = StatutorySchemeQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(fields=["society", "ref"], name="scheme_ref_is_unique_in_its_society"),
            models.CheckConstraint(
                condition=Q(uses__len__gt=0, kinds__len__gt=0, territory__len__gt=0),
                name="scheme_names_uses_kinds_and_territory",
            ),
        ]

    def __str__(self) -> str:
        return self.name_ko if self.name_ko and get_language() == "ko" else self.name

    def state_on(self, day: datetime.date) -> str:
        """`off`; else `on`, or `not_yet` or `over` on a day that is none of its own."""
        if not self.enabled:
            return "off"
        if day < self.valid.lower:
            return "not_yet"
        return "over" if self.valid.upper is not None and day >= self.valid.upper else "on"
