"""Declarations: what a licensee says it used, from the file as received to one row a work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.postgres.fields import DateRangeField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from licensing import terms
from licensing.intake.models import StoredFile
from licensing.licences.models import Licence
from licensing.repertoire.models import Share, Work

if TYPE_CHECKING:
    from accounts.identity.core import Actor


class DeclarationQuerySet(models.QuerySet["Declaration"]):
    def visible_to(self, actor: Actor) -> DeclarationQuerySet:
        """The licensee sees its own in its mode (live or sandbox); the society sees live ones that were submitted."""
        if actor.is_system:
            return self
        if actor.organisation_id is None:
            return self.none()
        own = Q(licence__licensee_id=actor.organisation_id, sandbox=actor.sandbox)
        received = Q(licence__society_id=actor.organisation_id, sandbox=actor.sandbox, submitted_at__isnull=False)
        return self.filter(own | received)

    def billable(self) -> DeclarationQuerySet:
        return self.filter(status=Declaration.Status.ACCEPTED, sandbox=False)


class Declaration(models.Model):
    """One report of use under one licence for one half-open period; immutable once submitted.

    `lines` and `units` hold counts by line status; they sum to the file. A declaration with an open question waits
    for the society; the rest is accepted at once.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        RECEIVED = "received", _("received")
        PROCESSING = "processing", _("processing")
        PROCESSED = "processed", _("processed")
        FAILED = "failed", _("failed")
        SUBMITTED = "submitted", _("submitted")
        ACCEPTED = "accepted", _("accepted")
        SUPERSEDED = "superseded", _("superseded")

    licence = models.ForeignKey(Licence, models.PROTECT, related_name="+")
    period = DateRangeField()
    use = models.CharField(max_length=12, blank=True)
    unit = models.CharField(max_length=12, blank=True)
    model = models.CharField(max_length=200, blank=True)
    dataset = models.CharField(max_length=200, blank=True)
    reference = models.CharField(max_length=100, blank=True)
    bases = models.JSONField(default=dict)  # declared bases of percentage charges, {name: minor units}
    territory = models.CharField(max_length=2, default="KR")
    sandbox = models.BooleanField(default=False)
    supersedes = models.OneToOneField("self", models.PROTECT, null=True, related_name="superseded_by")
    sha256 = models.CharField(max_length=64, blank=True)  # of its file; of several, over their digests in order

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    step = models.CharField(max_length=20, blank=True)  # the step that is running: intake, match, permit, store
    lines_read = models.BigIntegerField(default=0)  # progress
    heartbeat_at = models.DateTimeField(null=True)
    attempt = models.PositiveSmallIntegerField(default=0)  # counts claims: only the last claimant may store its result
    round = models.PositiveIntegerField(default=0, db_default=0)  # begun anew: claims of an earlier round are void
    submit_when_processed = models.BooleanField(default=False)
    lines = models.JSONField(default=dict)
    units = models.JSONField(default=dict)
    works = models.BigIntegerField(default=0)
    fee = models.JSONField(null=True)  # tariffs.core.Rating as data, for this declaration alone
    questions = models.JSONField(default=list)  # [{code, detail}] that hold back acceptance
    problems = models.JSONField(default=list)  # [{code, detail, row?}] that failed it

    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.CharField(max_length=200, blank=True)
    processed_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)

    objects = DeclarationQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(
                fields=["licence", "period", "sha256", "sandbox"],
                condition=Q(supersedes=None) & ~Q(sha256="") & ~Q(status__in=["failed", "superseded"]),
                name="declaration_of_the_same_file_is_made_once",
            ),
            models.CheckConstraint(
                condition=~Q(period__isempty=True) & Q(period__lower_inf=False, period__upper_inf=False),
                name="declaration_has_a_finite_period",
            ),
        ]
        indexes = [
            models.Index(fields=["licence", "-id"], name="declaration_by_licence"),
            models.Index(fields=["status", "heartbeat_at"], name="declaration_by_status"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"


class DeclarationFile(models.Model):
    """One file of a declaration, with what became of its lines; read by one worker at a time, apart from the others.

    `rejects` names the stored CSV of refused lines, `groups` the stored Parquet file of the good ones, added up
    (`grouping.py`). `made_of` names what the groups are made of: a file that was read before under the same terms
    gives the same groups, and is not read again.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        READING = "reading", _("reading")
        READ = "read", _("read")
        FAILED = "failed", _("failed")

    declaration = models.ForeignKey(Declaration, models.CASCADE, related_name="files")
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")
    position = models.PositiveIntegerField(default=0)
    path = models.CharField(max_length=500, blank=True)  # its place in a folder that was sent as one
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    step = models.CharField(max_length=20, blank=True)
    attempt = models.PositiveSmallIntegerField(default=0)  # counts claims: only the last claimant may store its result
    heartbeat_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    bytes_read = models.BigIntegerField(default=0, db_default=0)  # progress, of the file as received
    lines = models.BigIntegerField(default=0)
    rejected = models.BigIntegerField(default=0)
    rejected_units = models.DecimalField(max_digits=38, decimal_places=0, default=0)
    rejects = models.ForeignKey(StoredFile, models.PROTECT, null=True, related_name="+")
    groups = models.ForeignKey(StoredFile, models.PROTECT, null=True, related_name="+")
    made_of = models.CharField(max_length=64, blank=True)
    problems = models.JSONField(default=list)  # [{code, detail, row?}] that failed it

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(fields=["declaration", "file"], name="file_is_declared_once_in_a_declaration")
        ]
        indexes = [
            models.Index(fields=["made_of"], condition=~Q(made_of=""), name="declaration_file_by_origin"),
            models.Index(fields=["status", "heartbeat_at"], name="declaration_file_by_status"),
        ]


class Quota(models.Model):
    """How much one licence may send: bytes kept for its declarations, and rows of one declaration."""

    licence = models.OneToOneField(Licence, models.CASCADE, related_name="+")
    most_bytes = models.BigIntegerField()
    most_rows = models.BigIntegerField()
    set_at = models.DateTimeField(auto_now=True)

    class Meta:
        app_label = "licensing"
        constraints = [
            models.CheckConstraint(condition=Q(most_bytes__gte=1, most_rows__gte=1), name="quota_allows_something")
        ]


class DeclaredUseQuerySet(models.QuerySet["DeclaredUse"]):
    def visible_to(self, actor: Actor) -> DeclaredUseQuerySet:
        """The parties of the licence see all rows; a creator those of accepted declarations about works of theirs."""
        if actor.is_system:
            return self
        if actor.organisation_id is not None:
            return self.filter(declaration__in=Declaration.objects.visible_to(actor))
        if actor.sandbox:
            return self.none()
        works = Share.objects.filter(holder_id__in=actor.holder_ids).values("work_id")
        return self.filter(
            work_id__in=works, declaration__status=Declaration.Status.ACCEPTED, declaration__sandbox=False
        )

    def priced(self) -> DeclaredUseQuerySet:
        """Rows that a tariff prices and a distribution weighs: licensed by the licence, or not yet matched."""
        return self.filter(Q(status="licensed", basis="licence") | Q(status="unmatched"))


class DeclaredUse(models.Model):
    """One row a (declaration, work or unmatched identifier, use, unit, day, status): lines that repeat it add up.

    `used_on` is the day that governs permission and shares (the period's last day where the line names none). `units`
    and `lines` are sums. A matched row has no identifier; an unmatched one has no work. Its references are checked once
    a statement (`declared_use.sql`), which fills the table three times as fast as a check a row.
    """

    declaration = models.ForeignKey(
        Declaration, models.CASCADE, related_name="uses", db_constraint=False, db_index=False
    )
    work = models.ForeignKey(Work, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False)
    scheme = models.CharField(max_length=12, blank=True)
    value = models.CharField(max_length=2048, blank=True)
    kind = models.CharField(max_length=12)
    use = models.CharField(max_length=12)
    unit = models.CharField(max_length=12)
    used_on = models.DateField()
    status = models.CharField(max_length=10)
    basis = models.CharField(max_length=12, blank=True)  # of licensed rows: licence, free, individual, statutory
    missing_ppm = models.IntegerField(default=0, db_default=0)  # of unmandated rows
    units = models.DecimalField(max_digits=38, decimal_places=0)
    lines = models.BigIntegerField()
    title = models.CharField(max_length=1000, blank=True, db_default="")  # of unmatched ones: what the lines call it
    creators = models.CharField(max_length=2000, blank=True, db_default="")

    objects = DeclaredUseQuerySet.as_manager()

    class Meta:
        app_label = "licensing"
        constraints = [
            models.UniqueConstraint(  # led by the work: it also finds the uses of a work
                fields=["work", "declaration", "scheme", "value", "use", "unit", "used_on", "status", "basis"],
                nulls_distinct=False,
                name="declared_use_is_one_row",
            ),
            models.CheckConstraint(
                condition=Q(use__in=list(terms.USES), unit__in=list(terms.UNITS), kind__in=list(terms.KINDS)),
                name="declared_use_speaks_in_known_terms",
            ),
            models.CheckConstraint(
                condition=Q(status__in=list(terms.LINE_STATUSES)), name="declared_use_has_a_known_status"
            ),
            models.CheckConstraint(
                condition=Q(work__isnull=False, value="") | (Q(work=None) & ~Q(value="")),
                name="declared_use_is_of_a_work_or_an_identifier",
            ),
        ]
        indexes = [
            models.Index(fields=["declaration", "id"], name="declared_use_in_order"),
            models.Index(  # the few among the many: an index over all would make filling half as slow again
                fields=["declaration", "status", "id"],
                condition=Q(status__in=["reserved", "unmandated", "unlicensed"]),
                name="declared_use_off_licence",
            ),
        ]
