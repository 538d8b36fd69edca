"""Files that were announced in a manifest: what is missing, and whether one that arrives is among them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from accounts.identity.core import Conflict
from licensing.declarations.models import AnnouncedFile, Declaration
from licensing.intake.models import StoredFile


def waits(declaration: Declaration) -> bool:
    """Whether it is neither processed nor handed in yet, because announced files are missing."""
    return declaration.announced.missing().exists()


def check_waits_not(declaration: Declaration) -> None:
    """Raises Conflict `files_missing` where it waits for files."""
    missing = declaration.announced.missing()
    if count := missing.count():
        first = missing.order_by("position").values_list("path", flat=True)[0]
        detail = _("Announced files are missing: %(count)d, the first of them %(first)s. Send them, or announce anew.")
        raise Conflict("files_missing", detail % {"count": count, "first": first})


def expected(declaration: Declaration, *, path: str, size: int, sha256: str = "") -> AnnouncedFile | None:
    """The line of the manifest that a file fits; None where nothing is awaited. Without a path, its digest tells.

    Raises Conflict `not_announced` for a file that is none of those.
    """
    missing = declaration.announced.missing()
    found = declaration.announced.filter(path=path).first() if path else None
    if found is None and sha256:
        found = missing.filter(sha256=sha256).first()
    if found is None and not missing.exists():
        return None
    if found is None or found.size != size or _differ(found.sha256, sha256):
        detail = _("%(path)s, with %(size)d bytes, is none of the files that were announced. Announce it first.")
        raise Conflict("not_announced", detail % {"path": path or "?", "size": size}, pointer="/file")
    return found


def _differ(announced: str, sha256: str) -> bool:
    return bool(announced and sha256 and announced != sha256)


def place(declaration: Declaration, stored: StoredFile, path: str) -> dict[str, Any]:
    """Where a file that arrives belongs among the others: `path` and `position` of its DeclarationFile."""
    found = expected(declaration, path=path, size=stored.size, sha256=stored.sha256)
    if found is not None:
        return {"path": found.path, "position": found.position}
    return {"path": path, "position": next_position(declaration)}


def next_position(declaration: Declaration) -> int:
    """The place after all that are there or awaited."""
    last = [
        *declaration.files.order_by("-position").values_list("position", flat=True)[:1],
        *declaration.announced.order_by("-position").values_list("position", flat=True)[:1],
    ]
    return max(last, default=-1) + 1
