"""Files that come with a comment: of few kinds, small, few; kept as received under the rate body's name."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Final

from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Refusal
from licensing.intake.core import file_name
from licensing.intake.services import keep
from licensing.tariffs.models import Attachment, Comment

MOST_FILES: Final = 5
MOST_BYTES: Final = 10 * 1024**2
TYPES: Final = {
    "pdf": "application/pdf",
    "png": "image/png",
    "jpg": "image/jpeg",
    "txt": "text/plain; charset=utf-8",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "hwp": "application/x-hwp",
}
_HEADS: Final = {
    "pdf": b"%PDF-",
    "png": b"\x89PNG\r\n\x1a\n",
    "jpg": b"\xff\xd8\xff",
    "docx": b"PK\x03\x04",
    "hwp": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """One file as it was sent, checked."""

    name: str
    ending: str
    content: bytes


def checked(files: Sequence[tuple[str, IO[bytes]]]) -> list[Sent]:
    """The files, each of a kind that is taken, by its name and by what is in it. Raises Refusal before any is kept."""
    if len(files) > MOST_FILES:
        raise Refusal("too_many_files", _("Attach at most %(most)s files.") % {"most": MOST_FILES}, pointer="/files")
    found = [_checked(name, stream) for name, stream in files]
    return list({sent.content: sent for sent in found}.values())


def attach(*, actor: Actor, comment: Comment, files: Sequence[Sent]) -> None:
    """Keep checked files with their comment."""
    body = comment.version.addressed_to
    if body is None:
        return
    for sent in files:
        stored = keep(actor=actor, stream=io.BytesIO(sent.content), name=sent.name, organisation=body)
        Attachment.objects.create(comment=comment, file=stored, name=sent.name, media_type=TYPES[sent.ending])


def _checked(name: str, stream: IO[bytes]) -> Sent:
    shown = file_name(name)[-150:]
    _stem, dot, after = shown.rpartition(".")
    ending = after.lower().replace("jpeg", "jpg") if dot else ""
    content = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise _refusal("file_too_large", _("“%(name)s” is larger than 10 MB. Send a smaller file."), shown)
    if not content:
        raise _refusal("empty_file", _("“%(name)s” is empty."), shown)
    if ending not in TYPES:
        raise _refusal("file_kind", _("“%(name)s” is not of a kind we take: PDF, PNG, JPG, TXT, DOCX or HWP."), shown)
    if not _is(ending, content):
        raise _refusal("file_content", _("What is in “%(name)s” is not what its name says. Save it anew."), shown)
    return Sent(shown, ending, content)


def _is(ending: str, content: bytes) -> bool:
    if ending == "txt":
        return _is_text(content)
    if not content.startswith(_HEADS[ending]):
        return False
    return ending != "docx" or _is_document(content)


def _is_text(content: bytes) -> bool:
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return b"\x00" not in content


def _is_document(content: bytes) -> bool:
    """Its table of contents is read, nothing is unpacked. One with macros is another kind."""
    try:
        names = set(zipfile.ZipFile(io.BytesIO(content)).namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        return False
    return {"[Content_Types].xml", "word/document.xml"} <= names and "word/vbaProject.bin" not in names


def _refusal(code: str, text: str, name: str) -> Refusal:
    return Refusal(code, text % {"name": name}, pointer="/files")
