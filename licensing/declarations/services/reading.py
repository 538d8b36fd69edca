"""One file of a declaration: claimed by one worker, read on an engine in its process, its groups kept; then it is done.

Files are read beside each other, by as many workers as there are. A file that was read before under the same terms, for
this licensee, is not read again: its groups, its rejects and their counts are those.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from accounts.identity.core import SYSTEM, Refusal
from licensing.declarations import core, grouping
from licensing.declarations.models import Declaration, DeclarationFile
from licensing.declarations.services import quotas
from licensing.declarations.services.claiming import (
    Stopped,
    Watch,
    as_data,
    disk_is_full,
    gave_up,
    no_space,
    problems_of,
    silent_since,
    watched,
)
from licensing.engine import duck
from licensing.intake import services as intake
from licensing.intake.core import Limits
from licensing.intake.models import StoredFile
from licensing.intake.paths import partitions

Status = DeclarationFile.Status
_LOOK_PARTS: Final = 0.2  # of the work on a file is the look over its bytes; the rest is the engine's


def to_read(declaration_id: int) -> list[int]:
    """Files that nobody reads, in their order; from now on the declaration is in work."""
    Declaration.objects.filter(pk=declaration_id, status=Declaration.Status.RECEIVED).update(
        status=Declaration.Status.PROCESSING, step="intake", heartbeat_at=timezone.now()
    )
    free = DeclarationFile.objects.filter(_free(), declaration_id=declaration_id)
    free = free.filter(declaration__status=Declaration.Status.PROCESSING)
    return list(free.order_by("position", "pk").values_list("pk", flat=True))


def stalled_files() -> list[int]:
    """Files whose reader fell silent."""
    dead = DeclarationFile.objects.filter(status=Status.READING, heartbeat_at__lt=silent_since())
    return list(dead.order_by("pk").values_list("pk", flat=True))


def read_file(file_id: int) -> int | None:
    """Read one file, or what a dead worker left of it; the declaration's number where it was the last one to end.

    A file that cannot be read fails by itself, with its problems: the others are read all the same, so that all are
    named. Any other error gives the claim back and is raised, except that a full disk is only noted: `resume_stalled`
    tries again, five times in all.
    """
    file = _claim(file_id)
    if file is None:
        return None
    try:
        if file.attempt > core.MOST_ATTEMPTS:
            _finish(file, status=Status.FAILED, problems=as_data([gave_up(file.problems)]))
        elif not _made_before(file):
            _read(file)
    except Stopped:
        return None
    except BaseException as error:
        if disk_is_full(error):
            _give_back(file, as_data([no_space()]))
            return None
        if not isinstance(error, Refusal):
            _give_back(file)
            raise
        refusal = quotas.said_of_rows(file.declaration.licence, error)
        _finish(file, status=Status.FAILED, problems=as_data(problems_of(refusal)))
    return file.declaration_id if _is_over(file.declaration_id) else None


def _is_over(declaration_id: int) -> bool:
    """Whether every file of it was read or has failed."""
    files = DeclarationFile.objects.filter(declaration_id=declaration_id)
    return not files.exclude(status__in=[Status.READ, Status.FAILED]).exists()


def _free() -> Q:
    return Q(status=Status.WAITING) | Q(status=Status.READING, heartbeat_at__lt=silent_since())


def _claim(file_id: int) -> DeclarationFile | None:
    # Conditions on the row itself, so that whoever waited for it looks again at what it has become.
    claimed = DeclarationFile.objects.filter(_free(), _in_work(), pk=file_id).update(
        status=Status.READING,
        step="look",
        heartbeat_at=timezone.now(),
        started_at=timezone.now(),
        attempt=F("attempt") + 1,
        bytes_read=0,
    )
    if claimed != 1:
        return None
    file = DeclarationFile.objects.select_related("file", "declaration__licence__licensee").filter(pk=file_id).first()
    if file is None or file.declaration.status != Declaration.Status.PROCESSING:  # stopped meanwhile
        DeclarationFile.objects.filter(pk=file_id, status=Status.READING).update(status=Status.WAITING, step="")
        return None
    return file


def _in_work(round: int | None = None) -> Exists:
    works = Declaration.objects.filter(pk=OuterRef("declaration_id"), status=Declaration.Status.PROCESSING)
    return Exists(works if round is None else works.filter(round=round))


def _mine(file: DeclarationFile) -> QuerySet[DeclarationFile]:
    """The file, as long as this claim is the last one and nobody stopped the declaration."""
    held = DeclarationFile.objects.filter(pk=file.pk, status=Status.READING, attempt=file.attempt)
    return held.filter(_in_work(file.declaration.round))


def _made_before(file: DeclarationFile) -> bool:
    """Take over what was made of the same bytes under the same terms, if it is there still."""
    licensee = file.declaration.licence.licensee_id
    made = DeclarationFile.objects.filter(
        made_of=said_of(file).key(file.file.sha256), status=Status.READ, groups__isnull=False,
        declaration__licence__licensee=licensee,
    ).exclude(pk=file.pk)  # fmt: skip
    before = made.select_related("groups").order_by("-pk").first()
    if before is None or not _there(before.groups):
        return False
    same = ("lines", "rejected", "rejected_units", "rejects_id", "groups_id", "made_of")
    _finish(file, status=Status.READ, started_at=None, **{name: getattr(before, name) for name in same})
    return True


def _there(groups: StoredFile | None) -> bool:
    try:
        return groups is not None and bool(intake.path_of(groups))
    except Refusal:
        return False


def said_of(file: DeclarationFile) -> grouping.Said:
    """What its declaration says of all lines, and the folders that it was sent in."""
    declaration = file.declaration
    last_day = declaration.period.upper - dt.timedelta(days=1)
    return grouping.Said(
        declaration.period.lower, last_day, use=declaration.use, unit=declaration.unit, dataset=declaration.dataset,
        constants=partitions(file.path, grouping.SPEC.columns), usage=intake.usage_terms(),
    )  # fmt: skip


def _read(file: DeclarationFile) -> None:
    said, size = said_of(file), file.file.size
    with duck.connect() as engine:
        done = _Done(size)

        def beat() -> bool:
            done.parsed(engine.progress())
            return _mine(file).update(heartbeat_at=timezone.now(), bytes_read=done.bytes) == 1

        with watched(Watch(beat, engine.interrupt), f"file-{file.pk}") as watch:

            def passed(position: int) -> None:
                watch.check()
                done.looked(position)

            def reach(step: str) -> None:
                watch.check()
                _mine(file).update(step=step)

            limits = _limits(file.declaration, passed)
            read = grouping.read(engine, intake.path_of(file.file), said, limits=limits, progress=reach)
            reach("keep")
        rejects = _kept(file, read.rejects, f"rejects-{file.declaration_id}.csv")
        groups = _kept(file, read.groups, f"groups-{file.declaration_id}.parquet")
    _finish(
        file, status=Status.READ, lines=read.lines, rejected=read.rejected,
        rejected_units=Decimal(read.rejected_units), rejects=rejects, groups=groups,
        made_of=said.key(file.file.sha256),
    )  # fmt: skip


class _Done:
    """How many bytes of a file count as read: the look over them is a part of the work, the engine's parse the rest."""

    def __init__(self, size: int) -> None:
        self.size, self.bytes = size, 0

    def looked(self, position: int) -> None:
        self._at_least(min(position, self.size) * _LOOK_PARTS)

    def parsed(self, percent: float) -> None:
        if percent > 0:
            self._at_least(self.size * (_LOOK_PARTS + (1 - _LOOK_PARTS) * min(percent, 100) / 100))

    def _at_least(self, count: float) -> None:
        self.bytes = max(self.bytes, int(count))


def _limits(declaration: Declaration, passed: Callable[[int], None]) -> Limits:
    most = intake.limits()  # of rows one more than the quota has: a header may be counted, too
    return replace(most, rows=min(most.rows, quotas.allowance(declaration.licence).rows + 1), watch=passed)


def _kept(file: DeclarationFile, path: Path | None, name: str) -> StoredFile | None:
    if path is None:
        return None
    with path.open("rb") as stream:
        return intake.keep(actor=SYSTEM, stream=stream, name=name, organisation=file.declaration.licence.licensee)


@transaction.atomic
def _finish(file: DeclarationFile, **values: Any) -> None:
    """Its end, and a sign of life of the declaration; Stopped where another has it by now."""
    ended = {"finished_at": timezone.now(), "step": "", "problems": [], "bytes_read": file.file.size} | values
    if _mine(file).update(**ended) != 1:
        raise Stopped
    read = DeclarationFile.objects.filter(declaration_id=file.declaration_id).aggregate(n=Sum("lines"))["n"]
    Declaration.objects.filter(pk=file.declaration_id, status=Declaration.Status.PROCESSING, step="intake").update(
        heartbeat_at=timezone.now(), lines_read=read
    )


def _give_back(file: DeclarationFile, problems: Sequence[dict[str, Any]] = ()) -> None:
    """For the next attempt, which `resume_stalled` makes once nothing was heard for a minute."""
    _mine(file).update(status=Status.WAITING, step="", bytes_read=0, problems=list(problems))
    Declaration.objects.filter(pk=file.declaration_id, round=file.declaration.round, status="processing").update(
        heartbeat_at=timezone.now(), problems=list(problems)
    )
