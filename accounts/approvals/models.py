"""Approvals: four eyes on what matters, enforced by the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation

if TYPE_CHECKING:
    from accounts.identity.core import Actor


class ApprovalQuerySet(models.QuerySet["Approval"]):
    def visible_to(self, actor: Actor) -> ApprovalQuerySet:
        if actor.is_system:
            return self
        return self.filter(organisation_id=actor.organisation_id) if actor.organisation_id else self.none()

    def pending(self) -> ApprovalQuerySet:
        return self.filter(status=Approval.Status.PENDING)

    def about(self, kind: str, id: int | str) -> ApprovalQuerySet:
        return self.filter(object_kind=kind, object_id=str(id))


class Approval(models.Model):
    """One person asks, another decides; administrators are no exception.

    `subject_sha256` is the digest of exactly what is approved: if the object changes, the approval no longer fits.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        APPROVED = "approved", _("approved")
        REFUSED = "refused", _("refused")

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=40)
    object_kind = models.CharField(max_length=40)
    object_id = models.CharField(max_length=64)
    subject_sha256 = models.CharField(max_length=64)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.PENDING)
    requester = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(auto_now_add=True)
    decider = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField(null=True)
    reason = models.TextField(blank=True)

    objects = ApprovalQuerySet.as_manager()

    class Meta:
        app_label = "accounts"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(decider=None) | ~models.Q(decider=models.F("requester")),
                name="approval_needs_a_second_person",
                violation_error_message=_("A second person has to decide: you asked for this approval yourself."),
            ),
            models.CheckConstraint(
                condition=models.Q(status="pending", decider=None, decided_at=None)
                | models.Q(status__in=["approved", "refused"], decider__isnull=False, decided_at__isnull=False),
                name="approval_is_decided_by_someone_at_some_time",
            ),
            models.UniqueConstraint(
                fields=["kind", "object_kind", "object_id"],
                condition=models.Q(status="pending"),
                name="approval_is_asked_for_once_at_a_time",
            ),
        ]
        indexes = [models.Index(fields=["object_kind", "object_id"], name="approval_by_object")]

    def __str__(self) -> str:
        return f"{self.kind} {self.object_kind}:{self.object_id} ({self.status})"
