"""Files as they were received, and the imports made from them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.organisations.models import Organisation

if TYPE_CHECKING:
    from accounts.identity.core import Actor


class OwnedQuerySet(models.QuerySet["StoredFile"]):
    def visible_to(self, actor: Actor) -> OwnedQuerySet:
        if actor.is_system:
            return self
        return self.filter(organisation_id=actor.organisation_id) if actor.organisation_id else self.none()


class StoredFile(models.Model):
    """One file, byte for byte as received, under its SHA-256. An organisation's same bytes are kept once."""

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    name = models.CharField(max_length=255)
    received_at = models.DateTimeField(auto_now_add=True)

    objects = OwnedQuerySet.as_manager()
    is_new = False  # whether `keep` made it just now, for who may have to let go of it again

    class Meta:
        app_label = "licensing"
        constraints = [models.UniqueConstraint(fields=["organisation", "sha256"], name="file_is_kept_once")]

    def __str__(self) -> str:
        return self.name


class UploadQuerySet(models.QuerySet["Upload"]):
    def visible_to(self, actor: Actor) -> UploadQuerySet:
        """An organisation's own, in its mode (live or sandbox)."""
        if actor.is_system:
            return self
        if actor.organisation_id is None:
            return self.none()
        return self.filter(organisation_id=actor.organisation_id, sandbox=actor.sandbox)

    def about(self, kind: str, id: int) -> UploadQuerySet:
        return self.filter(about_kind=kind, about_id=id)


class Upload(models.Model):
    """A file that arrives in parts (tus 1.0): how many bytes are there, and what it is for.

    `key` is its address, which nobody can guess. `received` counts bytes that lie in storage for good, never others.
    Once all are there and their digest is the one announced, it becomes a kept file and is handed to what it is `about`
    (a declaration, say); else it has `failed`, for a reason that `problem` tells.
    """

    class Status(models.TextChoices):
        OPEN = "open", _("arriving")
        DONE = "done", _("complete")
        FAILED = "failed", _("refused")
        CANCELLED = "cancelled", _("cancelled")

    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    key = models.CharField(max_length=43, unique=True)
    about_kind = models.CharField(max_length=40, blank=True)
    about_id = models.BigIntegerField(null=True)
    name = models.CharField(max_length=255)
    path = models.CharField(max_length=500, blank=True)  # its place in a folder that is sent as one
    size = models.BigIntegerField()
    received = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)  # as announced
    sandbox = models.BooleanField(default=False)
    status = models.CharField(max_length=9, choices=Status.choices, default=Status.OPEN)
    file = models.ForeignKey(StoredFile, models.PROTECT, null=True, related_name="+")
    begun_at = models.DateTimeField(auto_now_add=True)
    begun_by = models.JSONField(default=dict)  # who sends it: kind, id, label
    problem = models.JSONField(default=dict)  # of a failed one: code, detail
    moved_at = models.DateTimeField()  # when the last part came

    objects = UploadQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.CheckConstraint(
                condition=Q(size__gte=1, received__gte=0, received__lte=models.F("size")), name="upload_fits_its_size"
            )
        ]
        indexes = [
            models.Index(fields=["about_kind", "about_id", "id"], name="upload_by_subject"),
            models.Index(fields=["status", "moved_at"], name="upload_by_status"),
        ]

    def __str__(self) -> str:
        return self.name


class ImportQuerySet(models.QuerySet["Import"]):
    def visible_to(self, actor: Actor) -> ImportQuerySet:
        if actor.is_system:
            return self
        return self.filter(society_id=actor.organisation_id) if actor.is_society else self.none()


class Import(models.Model):
    """One reading of a contract file or of one in a format of the field, with its counts and the rows that were refused.

    `answer` is the file that goes back to the sender, where the format has one (CWR: its acknowledgement).

    `waiting → running → done | failed`. What it changed and its counts are one transaction: a killed worker leaves
    nothing half done, and the import is run again.
    """

    class Kind(models.TextChoices):
        HOLDERS = "holders", _("holders")
        WORKS = "works", _("works")
        SHARES = "shares", _("shares")
        MANDATES = "mandates", _("mandates")
        RESERVATIONS = "reservations", _("reservations")
        CWR = "cwr", _("musical works (CWR)")
        ONIX = "onix", _("books (ONIX)")
        RENEWALS = "renewals", _("renewals of copyright")

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    society = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")
    read = models.BigIntegerField(default=0)
    created = models.BigIntegerField(default=0)
    updated = models.BigIntegerField(default=0)
    unchanged = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    rejects = models.JSONField(default=list)  # the first thousand, as {row, column, value, reason}
    answer = models.ForeignKey(StoredFile, models.PROTECT, null=True, related_name="+")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    problem = models.JSONField(default=dict)  # of a failed one: code, detail, errors
    requested_by = models.JSONField(default=dict)  # who sent the file: kind, id, label
    requested_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    objects = ImportQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        indexes = [models.Index(fields=["society", "-id"], name="import_by_society")]
