"""What was declared and matched nothing, in public; and the claims of those who say that it is theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation
from licensing import terms
from licensing.intake.models import StoredFile
from licensing.matching.models import MatchRule
from licensing.repertoire.models import Holder, Work

if TYPE_CHECKING:
    from accounts.identity.core import Actor


class UnmatchedQuerySet(models.QuerySet["Unmatched"]):
    def visible_to(self, actor: Actor) -> UnmatchedQuerySet:
        """A society its own queue. What everybody may see is `public`."""
        if actor.is_system:
            return self
        return self.filter(society_id=actor.organisation_id) if actor.is_society else self.none()

    def open(self) -> UnmatchedQuerySet:
        return self.filter(status=Unmatched.Status.OPEN, lines__gt=0)

    def public(self) -> UnmatchedQuerySet:
        """Open ones that somebody could recognise. A firm's own number alone says nothing, except perhaps whose it is."""
        return self.open().exclude(scheme="proprietary", title="")

    def search(self, text: str) -> UnmatchedQuerySet:
        """Every word of the text, in title or creators."""
        return self.annotate(words=SearchVector("title", "creators", config="simple")).filter(words=text)


class QueueLook(models.Model):
    """What was there when a society's queue was last brought up to date, so that nothing is added up twice."""

    society = models.OneToOneField(Organisation, models.CASCADE, primary_key=True, related_name="+")
    declared = models.CharField(max_length=80, blank=True)  # the accepted declarations that are added up
    register = models.CharField(max_length=80, blank=True)  # the state of the repertoire and its rules
    looked_at = models.DateTimeField(auto_now=True)

    class Meta:
        app_label = "licensing"


class Unmatched(models.Model):
    """One identifier or title that accepted declarations name and that matches no work: an item of the queue.

    Sums are over a society's accepted declarations, also once it is matched; none is left (`lines` 0) where every one
    of them was superseded. `worth` is the part of their fees that rests on it, in minor units: a guide for the order of
    work, which is never booked. `status` and `rule` say what its value means today (`services.settle`). `candidates` are
    works that it may be: [{work, score, why}], the best first. `alike` is the same for items that are likely one: of one
    title and creators, or on one host. In a `conflict`, its several identifiers name different works.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        MATCHED = "matched", _("matched")
        REFUSED = "refused", _("none of ours")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    scheme = models.CharField(max_length=12)
    value = models.CharField(max_length=2048)
    title = models.CharField(max_length=1000, blank=True)
    creators = models.CharField(max_length=2000, blank=True)
    kind = models.CharField(max_length=12)
    units = models.JSONField(default=dict)  # unit → sum
    lines = models.BigIntegerField(default=0)
    declarations = models.IntegerField(default=0)
    worth = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3, default="KRW")
    first_day = models.DateField(null=True)
    last_day = models.DateField(null=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OPEN)
    rule = models.ForeignKey(MatchRule, models.PROTECT, null=True, related_name="+")  # that decided it
    alike = models.CharField(max_length=32, blank=True, db_default="")
    conflict = models.BooleanField(default=False, db_default=False)
    candidates = models.JSONField(default=list)
    candidates_of = models.CharField(max_length=80, blank=True)  # the state of the repertoire that they were sought in
    first_seen_at = models.DateTimeField(auto_now_add=True, db_default=models.functions.Now())
    changed_at = models.DateTimeField(auto_now=True, db_default=models.functions.Now())

    objects = UnmatchedQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(fields=["society", "scheme", "value"], name="unmatched_is_one_item_a_value"),
            models.CheckConstraint(condition=Q(kind__in=list(terms.KINDS)), name="unmatched_kind_is_known"),
        ]
        indexes = [
            models.Index(fields=["society", "status", "-worth", "id"], name="unmatched_by_worth"),
            models.Index(fields=["scheme", "value"], name="unmatched_by_value"),
            models.Index(fields=["society", "alike"], condition=~Q(alike=""), name="unmatched_by_likeness"),
            GinIndex(SearchVector("title", "creators", config="simple"), name="unmatched_by_words"),
        ]

    def __str__(self) -> str:
        return self.title or f"{self.scheme}:{self.value}"


class ClaimQuerySet(models.QuerySet["Claim"]):
    def visible_to(self, actor: Actor) -> ClaimQuerySet:
        """Who claims sees their own; the society those about its queue."""
        if actor.is_system:
            return self
        if actor.is_society:
            return self.filter(item__society_id=actor.organisation_id)
        return self.filter(Q(holder_id__in=actor.holder_ids) | Q(claimant_id=actor.user_id or 0))


class Claim(models.Model):
    """A creator says that an unmatched item is a work of theirs, with evidence; the society decides."""

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        ACCEPTED = "accepted", _("accepted")
        REFUSED = "refused", _("refused")
        WITHDRAWN = "withdrawn", _("withdrawn")

    ref = models.CharField(max_length=20, unique=True)
    item = models.ForeignKey(Unmatched, models.PROTECT, related_name="claims")
    holder = models.ForeignKey(Holder, models.PROTECT, null=True, related_name="+")
    claimant = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    work = models.ForeignKey(Work, models.PROTECT, null=True, related_name="+")  # theirs, where it is registered
    statement = models.CharField(max_length=2000)
    evidence = models.ForeignKey(StoredFile, models.PROTECT, null=True, related_name="+")
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.OPEN)
    reason = models.CharField(max_length=1000, blank=True)  # of the decision, told to who claims
    made_at = models.DateTimeField(auto_now_add=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=200, blank=True)

    objects = ClaimQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(
                fields=["item", "claimant"], condition=Q(status="open"), name="claim_is_open_once_a_claimant"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["open", "withdrawn"]) | Q(decided_at__isnull=False),
                name="claim_is_decided_then",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "made_at"], name="claim_by_status"),
            models.Index(fields=["claimant", "-id"], name="claim_by_claimant"),
        ]

    def __str__(self) -> str:
        return self.ref
