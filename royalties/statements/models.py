"""Statements: what a holder is told about one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation
from licensing.intake.models import StoredFile
from licensing.repertoire.models import Holder
from royalties.distribution.models import Run

if TYPE_CHECKING:
    from accounts.identity.core import Actor


class StatementQuerySet(models.QuerySet["Statement"]):
    def visible_to(self, actor: Actor) -> StatementQuerySet:
        """A society sees its own; a creator those of holders whom they represent, catalogue delegates excepted.

        There is no money in the sandbox.
        """
        if actor.is_system:
            return self
        if actor.sandbox:
            return self.none()
        if actor.is_society:
            return self.filter(society_id=actor.organisation_id)
        return self.filter(holder_id__in=actor.holder_ids) if actor.can("statements.view") else self.none()


class Statement(models.Model):
    """One holder's part of one published run, in minor units. `digest` covers the allocations that it lists; it never changes."""

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    run = models.ForeignKey(Run, models.PROTECT, related_name="+")
    holder = models.ForeignKey(Holder, models.PROTECT, related_name="+")
    number = models.CharField(max_length=40)
    currency = models.CharField(max_length=3)
    payable = models.BigIntegerField()
    held = models.BigIntegerField()
    works = models.BigIntegerField()
    lines = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    published_at = models.DateTimeField()

    objects = StatementQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["run", "holder"], name="statement_is_made_once"),
            models.UniqueConstraint(fields=["society", "number"], name="statement_number_is_unique_in_its_society"),
        ]
        indexes = [models.Index(fields=["holder", "-id"], name="statement_by_holder")]

    def __str__(self) -> str:
        return self.number


class ArchiveQuerySet(models.QuerySet["StatementArchive"]):
    def visible_to(self, actor: Actor) -> ArchiveQuerySet:
        """A society's own: it holds all its holders' statements."""
        if actor.is_system:
            return self
        may = actor.is_society and actor.can("statements.view") and not actor.sandbox
        return self.filter(run__society_id=actor.organisation_id) if may else self.none()


class StatementArchive(models.Model):
    """All statements of a run as files of one kind in one language, in ZIP files of so many each. Made once, by workers."""

    class Form(models.TextChoices):
        PDF = "pdf", "PDF"
        CSV = "csv", "CSV"
        JSON = "json", "JSON"

    run = models.ForeignKey(Run, models.PROTECT, related_name="+")
    form = models.CharField(max_length=4, choices=Form.choices)
    language = models.CharField(max_length=2)
    statements = models.IntegerField()
    asked_at = models.DateTimeField(auto_now_add=True)

    objects = ArchiveQuerySet.as_manager()

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["run", "form", "language"], name="archive_is_made_once"),
            models.CheckConstraint(condition=models.Q(language__in=["ko", "en"]), name="archive_is_in_a_language"),
        ]


class ArchivePart(models.Model):
    """One ZIP file: the statements from `first` to `last` (ids). `done` tells how far a worker is; a quiet one is begun anew."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")

    archive = models.ForeignKey(StatementArchive, models.CASCADE, related_name="parts")
    number = models.IntegerField()
    first_id = models.BigIntegerField()
    last_id = models.BigIntegerField()
    statements = models.IntegerField()
    done = models.IntegerField(default=0)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    attempt = models.IntegerField(default=0)
    heartbeat_at = models.DateTimeField(null=True)
    file = models.ForeignKey(StoredFile, models.PROTECT, null=True, related_name="+")

    class Meta:
        app_label = "royalties"
        constraints = [
            models.UniqueConstraint(fields=["archive", "number"], name="archive_part_has_its_own_number"),
            models.CheckConstraint(
                condition=models.Q(status="done", file__isnull=False) | ~models.Q(status="done"),
                name="archive_part_is_done_with_its_file",
            ),
        ]
        indexes = [models.Index(fields=["heartbeat_at"], name="archive_part_left", condition=~models.Q(status="done"))]
