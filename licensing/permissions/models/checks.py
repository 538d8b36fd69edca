"""Permission checks of whole files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation
from licensing.intake.models import StoredFile

if TYPE_CHECKING:
    from accounts.identity.core import Actor


class BulkCheckQuerySet(models.QuerySet["BulkCheck"]):
    def visible_to(self, actor: Actor) -> BulkCheckQuerySet:
        """An organisation's own, in its mode: those of test tokens are seen by test tokens alone."""
        if actor.is_system:
            return self
        if not actor.organisation_id:
            return self.none()
        own, tests = self.filter(organisation_id=actor.organisation_id), {"requested_by__contains": {"sandbox": True}}
        return own.filter(**tests) if actor.sandbox else own.exclude(**tests)


class BulkCheck(models.Model):
    """A file of works that somebody asks about: it comes back with a verdict and a reason on each row.

    `waiting → running → done | failed`. `as_of` is the moment that the answers speak of; `receipt` is the signed receipt
    over the digest of the file asked about and of the file answered with.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    requested_by = models.JSONField(default=dict)
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")
    use = models.CharField(max_length=12)
    on = models.DateField(null=True)
    territory = models.CharField(max_length=2)
    ai_model = models.CharField(max_length=200, blank=True)
    dataset = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    step = models.CharField(max_length=20, blank=True)
    attempt = models.IntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True)
    as_of = models.DateTimeField(null=True)
    rows = models.BigIntegerField(default=0)
    verdicts = models.JSONField(default=dict)  # {verdict: rows}, summing to rows
    result = models.ForeignKey(StoredFile, models.PROTECT, null=True, related_name="+")
    receipt = models.TextField(blank=True)
    problems = models.JSONField(default=list)
    licences = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    requested_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    objects = BulkCheckQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        indexes = [
            models.Index(fields=["organisation", "-id"], name="bulk_check_by_organisation"),
            models.Index(fields=["status", "heartbeat_at"], name="bulk_check_by_status"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
