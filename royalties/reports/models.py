"""What is kept of a close and of a year's report: what was looked at, by whom, and what it said."""

from __future__ import annotations

from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.identity.core import Actor
from accounts.organisations.models import Organisation


class CloseQuerySet(models.QuerySet["Close"]):
    def visible_to(self, actor: Actor) -> CloseQuerySet:
        """A society's own, for those who may see its book. There is no money in the sandbox."""
        if actor.is_system:
            return self
        may = actor.is_society and actor.can("ledger.view") and not actor.sandbox
        return self.filter(society_id=actor.organisation_id) if may else self.none()


class Close(models.Model):
    """A close of the book through a day: the checks and the trial balance as they stood, asked for by one, approved by another.

    `checks` are [{code, state, count, detail}], `trial` [{kind, currency, accounts, debits, credits}] of all journals up to
    that day; `sha256` covers both, and is what the second person approves.
    """

    class Status(models.TextChoices):
        REQUESTED = "requested", _("requested")
        CLOSED = "closed", _("closed")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    through = models.DateField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.REQUESTED)
    checks = models.JSONField(default=list)
    trial = models.JSONField(default=list)
    remark = models.TextField(blank=True)
    sha256 = models.CharField(max_length=64)
    requested_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)

    objects = CloseQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(
                fields=["society"], condition=Q(status="requested"), name="close_is_requested_once_at_a_time"
            ),
            models.UniqueConstraint(
                fields=["society", "through"], condition=Q(status="closed"), name="close_is_made_once_a_day"
            ),
        ]
        indexes = [models.Index(fields=["society", "-id"], name="close_by_society")]


class ReportQuerySet(models.QuerySet["TransparencyReport"]):
    def visible_to(self, actor: Actor) -> ReportQuerySet:
        """What is published is everybody's; a draft its society's."""
        if actor.is_system:
            return self
        published = Q(status=TransparencyReport.Status.PUBLISHED)
        if actor.is_society and actor.can("ledger.view") and not actor.sandbox:
            return self.filter(published | Q(society_id=actor.organisation_id))
        return self.filter(published)


class TransparencyReport(models.Model):
    """A society's report of a financial year: figures from the book and what people say of them. Published, it never changes.

    `figures` is {currency: {figures, by_use, not_attributed_by_year}} as `gathering.figures` makes it; `notes` what the society
    says, by subject, for the parts of the annex that no book can answer.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    period = DateRangeField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    figures = models.JSONField(default=dict)
    notes = models.JSONField(default=dict)
    sha256 = models.CharField(max_length=64, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True)

    objects = ReportQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [models.UniqueConstraint(fields=["society", "period"], name="report_is_one_a_year")]
        indexes = [models.Index(fields=["status", "-published_at"], name="report_published")]

    def __str__(self) -> str:
        return f"{self.society} {self.period.lower.year}"
