"""Conflicts over the shares of a work: who claims what, what is proposed, who agrees, and how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import ArrayField, DateRangeField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation
from licensing.disputes import core
from licensing.intake.models import StoredFile
from licensing.repertoire.models import Holder, Work

if TYPE_CHECKING:
    from accounts.identity.core import Actor


def _reminders() -> list[int]:
    return list(core.REMINDERS)


class DisputeTerms(models.Model):
    """How long who claims has to answer, and when they are reminded: a society's own rule, from a day on."""

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    valid_from = models.DateField()
    answer_days = models.PositiveSmallIntegerField(default=core.ANSWER_DAYS)
    reminders = ArrayField(models.PositiveSmallIntegerField(), default=_reminders)

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(fields=["society", "valid_from"], name="dispute_terms_begin_once_a_day"),
            models.CheckConstraint(
                condition=Q(answer_days__gte=core.LEAST_DAYS, answer_days__lte=core.MOST_DAYS),
                name="dispute_terms_leave_a_week_to_a_year",
            ),
        ]


class DisputeLook(models.Model):
    """The state of the register when a society's shares were last looked through for works claimed more than whole."""

    society = models.OneToOneField(Organisation, models.CASCADE, primary_key=True, related_name="+")
    register = models.CharField(max_length=80, blank=True)
    looked_at = models.DateTimeField(auto_now=True)

    class Meta:
        app_label = "licensing"


class DisputeQuerySet(models.QuerySet["Dispute"]):
    def visible_to(self, actor: Actor) -> DisputeQuerySet:
        """A society the conflicts in its register; who claims, those in which they claim."""
        if actor.is_system:
            return self
        if actor.sandbox:
            return self.none()
        if actor.is_society:
            return self.filter(society_id=actor.organisation_id)
        if actor.organisation_id is not None or not actor.can("works.register"):
            return self.none()
        return self.filter(pk__in=DisputeParty.objects.filter(holder_id__in=actor.holder_ids).values("dispute_id"))

    def open(self) -> DisputeQuerySet:
        return self.filter(status=Dispute.Status.OPEN)


class Dispute(models.Model):
    """A conflict over a work's shares on given days, until it is settled, decided or withdrawn.

    Over-claimed: on these days the shares are more than the whole, and the whole work is held. About a share: only that share
    (of `holder` in `role`) is held. `claims` is what each has on record, the most of it on these days: [{holder, role, ppm}].
    `split` is the proposal that stands, numbered by `revision`: [{holder, role, ppm, share}], from `since` on. Once all have
    agreed to it, or two people of the society decided by a document (`document`, `ground`), it becomes the shares.
    """

    class Kind(models.TextChoices):
        OVERCLAIMED = "overclaimed", _("shares over the whole")
        SHARE = "share", _("a share is disputed")

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        SETTLED = "settled", _("settled")
        DECIDED = "decided", _("decided")
        WITHDRAWN = "withdrawn", _("withdrawn")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    work = models.ForeignKey(Work, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=11, choices=Kind.choices)
    holder = models.ForeignKey(Holder, models.PROTECT, null=True, related_name="+")  # whose share is disputed
    role = models.CharField(max_length=20, blank=True)
    days = DateRangeField()
    claimed = models.BigIntegerField()  # the most ppm that are claimed on one of these days
    claims = models.JSONField(default=list)
    reason = models.CharField(max_length=2000, blank=True)
    raised_by = models.BigIntegerField(null=True)  # the person, where one raised it
    opened_on = models.DateField()
    due_on = models.DateField()
    reminded = models.PositiveSmallIntegerField(null=True)  # days before the end of which the last reminder was
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.OPEN)
    revision = models.PositiveIntegerField(default=0)
    split = models.JSONField(default=list)
    since = models.DateField(null=True)  # empty: from the first of `days`, whenever that was
    proposed_by = models.CharField(max_length=200, blank=True)
    ground = models.CharField(max_length=2000, blank=True)
    document = models.ForeignKey(StoredFile, models.PROTECT, null=True, related_name="+")
    outcome = models.CharField(max_length=2000, blank=True)
    ended_at = models.DateTimeField(null=True)

    objects = DisputeQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(
                fields=["work"], condition=Q(status="open", kind="overclaimed"), name="work_is_overclaimed_in_one_dispute"
            ),
            models.UniqueConstraint(
                fields=["work", "holder", "role"], condition=Q(status="open", kind="share"),
                name="share_is_disputed_once_at_a_time",
            ),
            models.CheckConstraint(
                condition=Q(kind="share", holder__isnull=False) | Q(kind="overclaimed", holder=None),
                name="dispute_about_a_share_names_its_holder",
            ),
            models.CheckConstraint(
                condition=Q(status="open", ended_at=None) | (~Q(status="open") & Q(ended_at__isnull=False)),
                name="dispute_has_ended_or_is_open",
            ),
            models.CheckConstraint(condition=Q(due_on__gt=F("opened_on")), name="dispute_leaves_time_to_answer"),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["society", "status", "due_on", "id"], name="dispute_by_society"),
            models.Index(fields=["work"], name="dispute_by_work"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class DisputeParty(models.Model):
    """A holder who claims a share in the work: what they say to it, and to which proposal they agreed."""

    class Position(models.TextChoices):
        SILENT = "silent", _("no answer yet")
        AGREED = "agreed", _("agrees")
        OBJECTED = "objected", _("objects")

    dispute = models.ForeignKey(Dispute, models.PROTECT, related_name="parties")
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="+")
    position = models.CharField(max_length=8, choices=Position.choices, default=Position.SILENT, db_default="silent")
    agreed_to = models.PositiveIntegerField(null=True)  # the proposal's number
    statement = models.CharField(max_length=2000, blank=True, db_default="")
    evidence = models.ForeignKey(StoredFile, models.PROTECT, null=True, related_name="+")
    answered_at = models.DateTimeField(null=True)
    answered_by = models.CharField(max_length=200, blank=True, db_default="")

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(fields=["dispute", "holder"], name="dispute_hears_a_holder_once"),
            models.CheckConstraint(
                condition=~Q(position="agreed") | Q(agreed_to__isnull=False), name="dispute_party_agrees_to_a_proposal"
            ),
        ]
        indexes = [models.Index(fields=["holder", "dispute"], name="dispute_by_holder")]

    def __str__(self) -> str:
        return str(self.holder)
