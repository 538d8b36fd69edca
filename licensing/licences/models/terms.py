"""Standard terms: the words of a society's licences, versioned, with what they oblige to held as data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import REF, Organisation

if TYPE_CHECKING:
    from accounts.identity.core import Actor


class StandardTermsQuerySet(models.QuerySet["StandardTerms"]):
    def visible_to(self, actor: Actor) -> StandardTermsQuerySet:
        """Published terms are public, drafts the society's own."""
        if actor.is_system:
            return self
        return self.filter(~Q(status=StandardTerms.Status.DRAFT) | Q(society_id=actor.organisation_id))

    def published(self) -> StandardTermsQuerySet:
        return self.filter(status=StandardTerms.Status.PUBLISHED)


class StandardTerms(models.Model):
    """One version of a society's standard terms in Korean and English.

    `clauses`: [{"heading": {"en", "ko"}, "text": {"en", "ko"}}], whose texts name conditions in braces, such as
    {retention_days}. `conditions`: the values that hold unless an offer says otherwise (`core.Conditions`). Once
    published, a version never changes (`licences.sql`); a later one makes it `superseded`, for new offers only.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")
        SUPERSEDED = "superseded", _("superseded")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    ref = models.CharField(max_length=64, validators=[REF])
    version = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    name_ko = models.CharField(max_length=200)
    clauses = models.JSONField()
    conditions = models.JSONField()
    sha256 = models.CharField(max_length=64)  # of name, clauses and conditions, as canonical JSON
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    published_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = StandardTermsQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(
                fields=["society", "ref", "version"], name="standard_terms_version_has_its_own_number"
            ),
            models.UniqueConstraint(
                fields=["society", "ref"],
                condition=Q(status="published"),
                name="standard_terms_have_one_version_published",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name_ko if self.name_ko and get_language() == 'ko' else self.name} v{self.version}"
