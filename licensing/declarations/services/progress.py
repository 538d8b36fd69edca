"""How far the reading of a declaration has come: bytes and lines, how fast, and how long it will take."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Case, Count, F, IntegerField, Min, Q, Sum, Value, When
from django.utils import timezone

from licensing.declarations import core
from licensing.declarations.models import Declaration, DeclarationFile

Status = DeclarationFile.Status
MOST_FILES: Final = 100  # that are told one by one
_SOON_SECONDS: Final = 2  # too short to say how fast it goes


@dataclass(frozen=True, slots=True)
class FileProgress:
    """One file: `waiting`, `reading`, `read` or `failed`, and how much of it counts as read."""

    file: int
    name: str
    status: str
    step: str
    bytes: int
    bytes_read: int
    lines: int
    rejected: int
    problems: Sequence[dict[str, Any]]

    @property
    def percent(self) -> int:
        return 100 * self.bytes_read // self.bytes if self.bytes else 100


@dataclass(frozen=True, slots=True)
class Progress:
    """All files together. `bytes_a_second` and `seconds_left` are None while nothing can be said for sure."""

    status: str
    step: str
    bytes: int
    bytes_read: int
    lines_read: int
    files: int
    files_read: int
    files_failed: int
    bytes_a_second: int | None
    lines_a_second: int | None
    seconds_left: int | None
    each: Sequence[FileProgress]  # those that are read now first, then those that failed, wait and are read

    @property
    def percent(self) -> int:
        return 100 * self.bytes_read // self.bytes if self.bytes else 0


def progress_of(declaration: Declaration) -> Progress:
    """As the database shows it now, whoever reads where."""
    files = DeclarationFile.objects.filter(declaration=declaration)
    now = timezone.now()
    mine = Q(started_at__isnull=False)
    told = files.aggregate(
        in_all=Sum("file__size"), read=Sum("bytes_read"), counted=Sum("lines"), many=Count("pk"),
        done=Count("pk", filter=Q(status=Status.READ)), failed=Count("pk", filter=Q(status=Status.FAILED)),
        began=Min("started_at"), moved=Sum("bytes_read", filter=mine), passed=Sum("lines", filter=mine),
    )  # fmt: skip
    reading = declaration.status in core.WAITING and declaration.step in ("", "intake")
    rates = _rates(now, told["began"], told["moved"] or 0, told["passed"] or 0) if reading else None
    left = (told["in_all"] or 0) - (told["read"] or 0)
    return Progress(
        declaration.status, declaration.step, told["in_all"] or 0, told["read"] or 0, told["counted"] or 0,
        told["many"], told["done"], told["failed"],
        bytes_a_second=rates[0] if rates else None, lines_a_second=(rates[1] or None) if rates else None,
        seconds_left=-(-left // rates[0]) if rates and rates[0] else None, each=_each(declaration),
    )  # fmt: skip


def _rates(now: dt.datetime, began: dt.datetime | None, moved: int, lines: int) -> tuple[int, int] | None:
    """Bytes and lines a second since the first file of this round was begun."""
    seconds = (now - began).total_seconds() if began else 0.0
    if seconds < _SOON_SECONDS or not moved:
        return None
    return int(moved / seconds), int(lines / seconds)


def _each(declaration: Declaration) -> list[FileProgress]:
    order = [Status.READING, Status.FAILED, Status.WAITING, Status.READ]
    rank = Case(*(When(status=s, then=Value(n)) for n, s in enumerate(order)), output_field=IntegerField())
    files = DeclarationFile.objects.filter(declaration=declaration).select_related("file")
    return [
        FileProgress(
            file.pk, file.path or file.file.name, file.status, file.step, file.file.size, file.bytes_read,
            file.lines, file.rejected, file.problems,
        )
        for file in files.annotate(rank=rank).order_by("rank", F("position"), "pk")[:MOST_FILES]
    ]  # fmt: skip
