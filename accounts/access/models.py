"""Access: who belongs to which organisation in which role, tokens for programs, and remembered answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation

if TYPE_CHECKING:
    from accounts.identity.core import Actor


class Role(models.TextChoices):
    ADMINISTRATOR = "administrator", _("administrator")
    LICENSING = "licensing", _("licensing")
    REPERTOIRE = "repertoire", _("repertoire")
    DISTRIBUTION = "distribution", _("distribution")
    FINANCE = "finance", _("finance")
    AUDITOR = "auditor", _("auditor")
    DECLARANT = "declarant", _("declarant")
    VIEWER = "viewer", _("viewer")


class MembershipQuerySet(models.QuerySet["Membership"]):
    def visible_to(self, actor: Actor) -> MembershipQuerySet:
        """The staff of one's own organisation."""
        if actor.is_system:
            return self
        return self.filter(organisation_id=actor.organisation_id) if actor.organisation_id else self.none()


class Membership(models.Model):
    """One person's role in one organisation; a person may hold several."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    role = models.CharField(max_length=20, choices=Role.choices)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        app_label = "accounts"
        constraints = [
            models.UniqueConstraint(fields=["user", "organisation", "role"], name="membership_is_held_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user} – {self.get_role_display()}"


class TokenQuerySet(models.QuerySet["Token"]):
    def visible_to(self, actor: Actor) -> TokenQuerySet:
        if actor.is_system:
            return self
        mine = models.Q(user_id=actor.user_id, organisation=None) if actor.user_id else models.Q(pk=None)
        ours = models.Q(organisation_id=actor.organisation_id) if actor.organisation_id else models.Q(pk=None)
        return self.filter(mine | ours)


class Token(models.Model):
    """A key for programs, `jsk_live_<prefix>_<secret>` or `jsk_test_…`.

    Only a keyed hash of the secret is stored, so a leaked database opens nothing. It belongs to an organisation, or to
    one creator (then `user` is set and `organisation` is not). A test token sees and makes sandbox data only.
    """

    prefix = models.CharField(max_length=16, unique=True)
    secret_hash = models.CharField(max_length=64)
    name = models.CharField(max_length=100, blank=True)
    organisation = models.ForeignKey(Organisation, models.PROTECT, null=True, related_name="+")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, null=True, related_name="+")
    scopes = ArrayField(models.CharField(max_length=60))
    sandbox = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    objects = TokenQuerySet.as_manager()

    class Meta:
        app_label = "accounts"
        constraints = [
            models.CheckConstraint(
                condition=models.Q(organisation=None) ^ models.Q(user=None),
                name="token_belongs_to_organisation_or_person",
            ),
        ]

    def __str__(self) -> str:
        return f"jsk_{'test' if self.sandbox else 'live'}_{self.prefix}_…"


class RememberedAnswer(models.Model):
    """The answer once given to an `Idempotency-Key`, so that a repeated request changes nothing.

    Written in the transaction of the change that it answers for: there is never an answer without its change, nor
    the other way round. The caller is a plain key (`user:7@2`: that person acting for that organisation; `token:3`).
    """

    caller = models.CharField(max_length=40)
    key = models.CharField(max_length=255)
    request_sha256 = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=b"")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "accounts"
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="idempotency_key_is_used_once")]
        indexes = [models.Index(fields=["created_at"], name="remembered_answer_by_age")]
