"""What others say of a proposed version: comments of those concerned, and decisions of the rate body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation
from licensing.intake.models import StoredFile
from licensing.tariffs.models.tariffs import TariffVersion

if TYPE_CHECKING:
    from accounts.identity.core import Actor


class Decision(models.Model):
    """One decision of a rate body on a version, with its reasons, public and never changed (`procedure.sql`).

    `result` is the version that prices by it: the same one, or the amended text; none where it was refused.
    """

    class Outcome(models.TextChoices):
        INTERIM = "interim", _("in force for the time being")
        APPROVED = "approved", _("approved")
        AMENDED = "amended", _("approved with changes")
        REFUSED = "refused", _("refused")

    version = models.ForeignKey(TariffVersion, models.PROTECT, related_name="decisions")
    body = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    reasons = models.TextField(blank=True)  # an operator who records a decision made elsewhere may leave them there
    result = models.ForeignKey(TariffVersion, models.PROTECT, null=True, related_name="+")
    decided_at = models.DateTimeField()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="refused", result=None)
                | Q(outcome="amended", result__isnull=False) & ~Q(result=F("version"))
                | Q(outcome__in=["interim", "approved"], result=F("version")),
                name="decision_has_the_result_of_its_outcome",
            ),
            models.UniqueConstraint(
                fields=["version"], condition=~Q(outcome="interim"), name="tariff_version_is_decided_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version}: {self.outcome}"


class CommentQuerySet(models.QuerySet["Comment"]):
    def visible_to(self, actor: Actor) -> CommentQuerySet:
        """Published ones are public; the rate body that moderates sees those that wait; one sees one's own."""
        if actor.is_system:
            return self
        seen = Q(status=Comment.Status.PUBLISHED)
        if actor.can("tariffs.determine"):
            confirmed = ~Q(status=Comment.Status.UNCONFIRMED)
            seen |= confirmed & Q(version__addressed_to_id=actor.organisation_id)
        if actor.kind == "user" and actor.id:
            seen |= Q(user_id=actor.id)
        return self.filter(seen)

    def waiting(self) -> CommentQuerySet:
        return self.filter(status=Comment.Status.WAITING)

    def public(self) -> CommentQuerySet:
        return self.filter(status=Comment.Status.PUBLISHED)


class Comment(models.Model):
    """What somebody concerned says of a proposal, under their name, within the consultation.

    The rate body moderates, never the society whose proposal it is: it publishes a comment or withholds it for one of
    the published grounds, and how many it withheld, and on what ground, is public. Without an account, an e-mail link
    confirms who wrote. The words never change once they are confirmed (`procedure.sql`).
    """

    class Status(models.TextChoices):
        UNCONFIRMED = "unconfirmed", _("waits for its e-mail to be confirmed")
        WAITING = "waiting", _("waits to be published")
        PUBLISHED = "published", _("published")
        WITHHELD = "withheld", _("not published")

    class Standing(models.TextChoices):
        CREATOR = "creator", _("creator or rights holder")
        SOCIETY = "society", _("collecting society or association")
        FIRM = "firm", _("firm that uses works")
        RESEARCH = "research", _("research or education")
        PUBLIC = "public", _("member of the public")

    class Ground(models.TextChoices):
        UNLAWFUL = "unlawful", _("insulting or unlawful")
        PERSONAL = "personal", _("tells private facts of others")
        OFF_TOPIC = "off_topic", _("not about this tariff")
        REPEATED = "repeated", _("the same comment was sent before")

    ref = models.CharField(max_length=20, unique=True)
    version = models.ForeignKey(TariffVersion, models.PROTECT, related_name="comments")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    name = models.CharField(max_length=200)
    standing = models.CharField(max_length=8, choices=Standing.choices)
    organisation = models.CharField(max_length=200, blank=True)  # for whom they speak, in their own words
    email = models.EmailField(blank=True)  # never public
    language = models.CharField(max_length=2, default="ko")
    key_sha256 = models.CharField(max_length=64, blank=True)
    text = models.TextField()
    status = models.CharField(max_length=11, choices=Status.choices)
    received_at = models.DateTimeField(null=True)  # null until the e-mail is confirmed
    ground = models.CharField(max_length=9, choices=Ground.choices, blank=True)
    moderated_at = models.DateTimeField(null=True)
    answer = models.TextField(blank=True)  # of the society, public beside the comment
    answered_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CommentQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.CheckConstraint(
                condition=Q(status="withheld") & ~Q(ground="") | ~Q(status="withheld") & Q(ground=""),
                name="comment_is_withheld_for_a_published_ground",
            ),
            models.CheckConstraint(
                condition=Q(status="unconfirmed") | Q(received_at__isnull=False), name="comment_counts_once_confirmed"
            ),
        ]
        indexes = [
            models.Index(fields=["version", "status", "received_at"], name="comment_by_version"),
            models.Index(fields=["user", "-id"], name="comment_by_user"),
        ]

    def __str__(self) -> str:
        return self.ref


class Attachment(models.Model):
    """A file sent along with a comment, kept as received; shown to others once its comment is."""

    comment = models.ForeignKey(Comment, models.PROTECT, related_name="attachments")
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")
    name = models.CharField(max_length=200)
    media_type = models.CharField(max_length=100)

    class Meta:
        app_label = "licensing"
        constraints = [models.UniqueConstraint(fields=["comment", "file"], name="attachment_is_sent_once")]

    def __str__(self) -> str:
        return self.name
