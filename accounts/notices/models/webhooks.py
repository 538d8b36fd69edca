"""Webhooks: an organisation's program is told of what happened, at an address that the organisation names."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation

if TYPE_CHECKING:
    from accounts.identity.core import Actor


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def visible_to(self, actor: Actor) -> WebhookQuerySet:
        """Those of one's own organisation. Test data makes no events, so its programs see no webhooks."""
        if actor.is_system:
            return self
        if actor.sandbox:
            return self.none()
        return self.filter(organisation_id=actor.organisation_id) if actor.organisation_id else self.none()


class Webhook(models.Model):
    """An address of an organisation that is told of chosen events, each signed with a secret that both sides know.

    The secret is sealed under the installation's key and shown once. After a rotation the old one signs beside the new
    one until `previous_until`, so that nothing is lost while the receiver is changed. `failing_since` is the first
    failure after the last success, `given_up` the deliveries lost since then: both decide when it is switched off.
    """

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    url = models.CharField(max_length=500)
    events = ArrayField(models.CharField(max_length=60))
    secret = models.TextField()
    previous_secret = models.TextField(blank=True)
    previous_until = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    given_up = models.PositiveSmallIntegerField(default=0)
    rests_until = models.DateTimeField(null=True)
    disabled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        app_label = "accounts"
        constraints = [models.UniqueConstraint(fields=["organisation", "url"], name="webhook_address_is_named_once")]

    def __str__(self) -> str:
        return self.url

    @property
    def active(self) -> bool:
        return self.disabled_at is None

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def visible_to(self, actor: Actor) -> WebhookDeliveryQuerySet:
        if actor.is_system:
            return self
        if actor.sandbox or not actor.organisation_id:
            return self.none()
        return self.filter(webhook__organisation_id=actor.organisation_id)


class WebhookDelivery(models.Model):
    """One event for one webhook: tried until the receiver says that it has it, or the schedule of attempts is used up.

    `body` is what is sent and signed, byte for byte the same at each attempt. `next_attempt_at` is also the claim: who
    moves it on from the moment that they saw is the one who sends, and a sender that died is followed when it comes.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DELIVERED = "delivered", _("delivered")
        FAILED = "failed", _("failed")

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    event_key = models.CharField(max_length=120)
    kind = models.CharField(max_length=60)
    body = models.TextField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    attempted_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    status_code = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=40, blank=True)
    answer = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        app_label = "accounts"
        constraints = [
            models.UniqueConstraint(fields=["webhook", "event_key"], name="webhook_hears_of_an_event_once"),
            models.CheckConstraint(
                condition=Q(status__in=["waiting", "delivered", "failed"]), name="webhook_delivery_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status="waiting", next_attempt_at__isnull=False, delivered_at=None)
                | Q(status="delivered", next_attempt_at=None, delivered_at__isnull=False)
                | Q(status="failed", next_attempt_at=None, delivered_at=None),
                name="webhook_delivery_is_due_while_it_waits",
            ),
        ]
        indexes = [
            models.Index(fields=["webhook", "-id"], name="webhook_delivery_by_webhook"),
            models.Index(
                fields=["webhook", "next_attempt_at"], condition=Q(status="waiting"), name="webhook_delivery_due"
            ),
            models.Index(fields=["created_at"], name="webhook_delivery_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.event_key}"
