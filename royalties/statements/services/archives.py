"""All statements of a run as ZIP files: planned in parts, each written by one worker in flat memory, begun anew where it was killed."""

from __future__ import annotations

import datetime
import hashlib
import zipfile
from pathlib import Path
from typing import Final

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.evidence.services import record
from accounts.identity.core import SYSTEM, Actor, NotFound, Reference, Refusal
from licensing.intake import objects
from licensing.intake.models import StoredFile
from licensing.intake.services import keep_written
from royalties.distribution.models import Run
from royalties.statements.models import ArchivePart, Statement, StatementArchive
from royalties.statements.services import facts
from royalties.statements.services.files import FORMATS, LANGUAGES, batches, content, file_name

A_PART: Final = 5_000  # statements in a ZIP file: some minutes of work
QUIET: Final = datetime.timedelta(minutes=5)
_BEAT: Final = 200  # statements between two signs of life
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the same statements give the same bytes
_PLAN: Final = """
    INSERT INTO royalties_archivepart (archive_id, number, first_id, last_id, statements, done, status, attempt)
    SELECT %s, place, min(id), max(id), count(*), 0, 'waiting', 0
    FROM (SELECT id, (row_number() OVER (ORDER BY id) - 1) / %s + 1 AS place FROM royalties_statement WHERE run_id = %s) s
    GROUP BY place"""


@transaction.atomic
def ask_archive(*, actor: Actor, run: Run, form: str, language: str) -> StatementArchive:
    """Have the statements of a published run as files; asked for again, the archive that there is."""
    if not actor.is_system and actor.organisation_id != run.society_id:
        raise NotFound(_("There is no such run."))
    actor.require("statements.view")
    if form not in FORMATS or language not in LANGUAGES:
        raise Refusal("unknown_format", _("Choose PDF, CSV or JSON, in Korean or English."), pointer="/form")
    if run.published_at is None:
        raise Refusal("run_is_not_published", _("Statements exist once the run is published."))
    count = Statement.objects.filter(run=run).count()
    archive, new = StatementArchive.objects.get_or_create(
        run=run, form=form, language=language, defaults={"statements": count}
    )
    if new:
        with connection.cursor() as cursor:
            cursor.execute(_PLAN, [archive.pk, A_PART, run.pk])
        record(
            actor=actor, verb="archive.asked", object=Reference("statement_archive", archive.pk),
            organisation_id=run.society_id, data={"run": run.pk, "form": form, "language": language, "statements": count},
        )  # fmt: skip
    return archive


def waiting_parts(*, archive: StatementArchive | None = None) -> list[int]:
    """Parts that nobody is at: not begun, or quiet for too long."""
    left = Q(status=ArchivePart.Status.WAITING) | Q(
        status=ArchivePart.Status.RUNNING, heartbeat_at__lt=timezone.now() - QUIET
    )
    found = ArchivePart.objects.filter(left)
    if archive is not None:
        found = found.filter(archive=archive)
    return list(found.order_by("id").values_list("id", flat=True))


def write_part(part_id: int) -> bool:
    """Write one part, unless somebody else is at it or it is done; says whether it was written here."""
    attempt = _claim(part_id)
    if attempt is None:
        return False
    part = ArchivePart.objects.select_related("archive__run__rule", "archive__run__society").get(pk=part_id)
    with objects.incoming() as path, override(part.archive.language):
        _write(part, attempt, path)
        with path.open("rb") as made:
            digest = hashlib.file_digest(made, "sha256").hexdigest()
        run = part.archive.run
        name = f"statements-{run.pk}-{part.archive.form}-{part.archive.language}-{part.number}.zip"
        stored = keep_written(
            actor=SYSTEM, temporary=path, digest=digest, size=path.stat().st_size, name=name, organisation=run.society
        )
    return _finish(part, attempt, stored)


def _claim(part_id: int) -> int | None:
    """The number of this attempt; None where there is nothing to do."""
    free = Q(status=ArchivePart.Status.WAITING) | Q(
        status=ArchivePart.Status.RUNNING, heartbeat_at__lt=timezone.now() - QUIET
    )
    changed = ArchivePart.objects.filter(free, pk=part_id).update(
        status=ArchivePart.Status.RUNNING, attempt=F("attempt") + 1, heartbeat_at=timezone.now(), done=0
    )
    return ArchivePart.objects.values_list("attempt", flat=True).get(pk=part_id) if changed else None


def _write(part: ArchivePart, attempt: int, path: Path) -> None:
    archive = part.archive
    rows = Statement.objects.filter(run_id=archive.run_id, id__gte=part.first_id, id__lte=part.last_id)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        told = facts.of_run(archive.run, batches(rows.select_related("holder").order_by("id")))
        for place, statement in enumerate(told, 1):
            info = zipfile.ZipInfo(file_name(statement, archive.form), date_time=_EPOCH)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            file.writestr(info, content(statement, archive.form, archive.language))
            if place % _BEAT == 0:
                _beat(part, attempt, place)


def _beat(part: ArchivePart, attempt: int, done: int) -> None:
    own = ArchivePart.objects.filter(pk=part.pk, attempt=attempt, status=ArchivePart.Status.RUNNING)
    if own.update(done=done, heartbeat_at=timezone.now()) != 1:
        raise Refusal("taken_over", _("Somebody else has taken over this part."))


@transaction.atomic
def _finish(part: ArchivePart, attempt: int, stored: StoredFile) -> bool:
    own = ArchivePart.objects.filter(pk=part.pk, attempt=attempt, status=ArchivePart.Status.RUNNING)
    done = own.update(status=ArchivePart.Status.DONE, done=part.statements, file=stored, heartbeat_at=timezone.now())
    if done:
        record(
            actor=SYSTEM, verb="archive.part_made", object=Reference("statement_archive", part.archive_id),
            organisation_id=part.archive.run.society_id, data={"part": part.number, "sha256": stored.sha256},
        )  # fmt: skip
    return bool(done)
