"""Organisations: societies, licensees and rate bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from accounts.identity.core import Forbidden

if TYPE_CHECKING:
    from accounts.identity.core import Actor

REF = RegexValidator(
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", _("Use 1 to 64 letters, digits, dots, dashes or underscores.")
)


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    def visible_to(self, actor: Actor) -> OrganisationQuerySet:
        """Societies and rate bodies are public; a licensee is seen by itself and by societies."""
        if actor.is_system or actor.is_society:
            return self
        public = models.Q(kind__in=[Organisation.Kind.SOCIETY, Organisation.Kind.RATE_BODY])
        return self.filter(public | models.Q(id=actor.organisation_id))

    def of(self, actor: Actor) -> Organisation:
        """The one that this actor acts for; Forbidden for those who act for none."""
        if actor.organisation_id is None:
            raise Forbidden(gettext("This is for those who act for an organisation."))
        return self.get(pk=actor.organisation_id)


class Organisation(models.Model):
    """A party with staff: a society administers rights, a licensee uses works, a rate body determines tariffs."""

    class Kind(models.TextChoices):
        SOCIETY = "society", _("society")
        LICENSEE = "licensee", _("licensee")
        RATE_BODY = "rate_body", _("rate body")

    ref = models.CharField(max_length=64, unique=True, validators=[REF])
    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=200)
    name_ko = models.CharField(max_length=200, blank=True)
    country = models.CharField(max_length=2, default="KR")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        app_label = "accounts"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["society", "licensee", "rate_body"]), name="organisation_kind_is_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name_ko if self.name_ko and get_language() == "ko" else self.name
