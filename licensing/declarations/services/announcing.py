"""A manifest: the files that will come, each with its size and SHA-256, before the first of them is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict, Refusal
from licensing.declarations import core
from licensing.declarations.models import AnnouncedFile, Declaration, DeclarationFile
from licensing.declarations.services import arriving, quotas
from licensing.declarations.services.common import enqueue, locked, note, require_declarant
from licensing.declarations.services.drafting import check_attachable, drop_failed, receive
from licensing.intake.paths import checked_path
from licensing.intake.uploads import checked_sha256

Status = Declaration.Status
MOST_FILES: Final = 10_000
MOST_BYTES: Final = 10**15


@dataclass(frozen=True, slots=True)
class Announced:
    """One file that will come. Without `sha256` only the checksums of its parts guard it."""

    path: str
    size: int
    sha256: str = ""


@transaction.atomic
def announce(*, actor: Actor, declaration: Declaration, files: Sequence[Announced]) -> Declaration:
    """Say which files will come: from now on the declaration waits for them, and takes no others.

    Announcing anew takes the place of what is still missing; what has arrived stays. The same again changes nothing, and
    no files end the waiting. Conflict while files are read or once submitted; Refusal past the licence's quota.
    """
    require_declarant(actor, declaration.licence)
    held = locked(declaration)
    check_attachable(held)
    if held.status in core.WAITING:
        raise Conflict("processing", _("The declaration is being processed. Try again in a moment."))
    wanted = _checked(files)
    if held.status == Status.FAILED and wanted:
        drop_failed(held)
        held.status, held.problems = Status.DRAFT, []
        held.save(update_fields=["status", "problems"])
    if _take(held, wanted):
        size = sum(file.size for file in wanted)
        note(actor, "announced", held, files=len(wanted), bytes=size, sha256=_digest(wanted))
        arrived = held.files.filter(status=DeclarationFile.Status.WAITING).exists()
        if arrived and not arriving.waits(held):  # the last that was missing is no longer awaited
            receive(held)
            enqueue(held.pk)
    declaration.refresh_from_db()
    return held


def _take(held: Declaration, wanted: Sequence[Announced]) -> bool:
    """Put the manifest in place of what is missing; whether that changed anything."""
    there = dict(held.files.exclude(path="").values_list("path", "file__sha256"))
    sizes = dict(held.files.exclude(path="").values_list("path", "file__size"))
    for file in wanted:
        if file.path in there and (file.size != sizes[file.path] or file.sha256 not in ("", there[file.path])):
            detail = _("%(path)s is here already, with other content.") % {"path": file.path}
            raise Conflict("already_there", detail, pointer="/files")
    missing = held.announced.missing()
    new = [file for file in wanted if file.path not in there]
    if [(m.path, m.size, m.sha256) for m in missing.order_by("position")] == [(f.path, f.size, f.sha256) for f in new]:
        return False
    missing.delete()
    quotas.check_room(held.licence, sum(file.size for file in new))
    first = arriving.next_position(held)
    AnnouncedFile.objects.bulk_create(
        AnnouncedFile(declaration=held, position=first + n, path=f.path, size=f.size, sha256=f.sha256)
        for n, f in enumerate(new)
    )
    return True


def _checked(files: Sequence[Announced]) -> list[Announced]:
    if len(files) > MOST_FILES:
        detail = _("A manifest has at most %(most)d files. Pack small ones together.") % {"most": MOST_FILES}
        raise Refusal("too_many_files", detail, pointer="/files")
    checked: list[Announced] = []
    paths, digests = set[str](), set[str]()
    for n, file in enumerate(files):
        where = f"/files/{n}"
        path = checked_path(file.path, pointer=f"{where}/path")
        sha256 = checked_sha256(file.sha256, pointer=f"{where}/sha256")
        if not 1 <= file.size <= MOST_BYTES:
            raise Refusal("empty_file", _("The file is empty."), pointer=f"{where}/bytes")
        if path in paths or sha256 in digests:
            detail = _("%(path)s stands twice in the manifest, by its path or by its content.") % {"path": path}
            raise Refusal("twice", detail, pointer=where)
        paths.add(path)
        digests.update([sha256] if sha256 else [])
        checked.append(replace(file, path=path, sha256=sha256))
    return checked


def _digest(files: Sequence[Announced]) -> str:
    return core.digest([f"{file.path}\n{file.size}\n{file.sha256}\n" for file in files] + [""])
