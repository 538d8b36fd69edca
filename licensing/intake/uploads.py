"""Files that arrive in parts: begun, received part by part, put together, or let go.

The bytes of a part lie under the offset where they begin, in the storage `objects`, so that any web server may take the
next part and any worker put the whole together. A part is first written and flushed beside its place, without a lock
and however slow the line is. Then, in one short transaction that holds the upload, it gets its place and `received`
moves on. So `received` never counts a byte that could be lost; of two clients at one offset one wins; and a server that
dies between the two leaves a part that the next try overwrites.
"""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.http import UnreadablePostError
from django.utils import timezone

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Reference, Refusal, say
from accounts.organisations.models import Organisation
from licensing.intake import core, objects
from licensing.intake.models import StoredFile, Upload
from licensing.intake.senders import as_of_today
from licensing.intake.services import forget_bytes, keep_written
from licensing.intake.tus import Checksum, Refused

Status = Upload.Status
HandOver = Callable[[Upload, StoredFile], None]
_PARTS: Final = "parts"
_AT_A_TIME: Final = 1000


@transaction.atomic
def begin(
    *, actor: Actor, organisation: Organisation, about: Reference, name: str, size: int, path: str = "",
    sha256: str = "", sandbox: bool = False,
) -> Upload:  # fmt: skip
    """Announce a file of so many bytes. `sha256` (hex), where it is known, is what they must be in the end."""
    if size > settings.UPLOAD_MAX_BYTES:
        detail = say("The file is larger than {most} bytes. Pack it or split it.", most=settings.UPLOAD_MAX_BYTES)
        raise Refused(413, "too_large", detail)
    if size < 1:
        raise Refusal("empty_file", say("The file is empty."))
    upload = Upload.objects.create(
        organisation=organisation,
        key=secrets.token_urlsafe(32),
        about_kind=about.kind,
        about_id=int(about.id),
        name=core.file_name(name),
        path=path,
        size=size,
        sha256=checked_sha256(sha256),
        sandbox=sandbox,
        begun_by={"kind": actor.kind, "id": actor.id, "label": actor.label[:200]},
        moved_at=timezone.now(),
    )
    _note(actor, "begun", upload, size=size, about=str(about))
    return upload


def checked_sha256(text: str, *, pointer: str = "/sha256") -> str:
    """A SHA-256 in hexadecimal, or nothing."""
    digest = text.strip().lower()
    if digest and (len(digest) != 64 or set(digest) - set("0123456789abcdef")):
        raise Refusal("bad_sha256", say("A SHA-256 is written in 64 hexadecimal digits."), pointer=pointer)
    return digest


def expires_at(upload: Upload) -> dt.datetime:
    """When it is forgotten, unless another part comes before."""
    return upload.moved_at + dt.timedelta(hours=settings.UPLOAD_EXPIRY_HOURS)


def receive(*, upload: Upload, stream: IO[bytes], offset: int, length: int, checksum: Checksum | None = None) -> Upload:
    """Take the part of `length` bytes that begins at `offset`, and return the upload as it is then.

    Where the line is cut, what came stays, unless a checksum of the whole part was announced. Raises Conflict
    `wrong_offset`, and Refused 410 for an upload that is over, 413 for too much, 460 for a wrong checksum, 507 for a
    full disk; `received` is then what it was.
    """
    _check_open(upload)
    _check_offset(upload, offset)
    if length > settings.UPLOAD_MAX_PART_BYTES:
        detail = say("A part has at most {most} bytes. Send smaller ones.", most=settings.UPLOAD_MAX_PART_BYTES)
        raise Refused(413, "part_too_large", detail)
    if offset + length > upload.size:
        detail = say("The part goes beyond the {size} bytes that were announced.", size=upload.size)
        raise Refused(413, "beyond_the_end", detail)
    with _room(), objects.incoming() as temporary:
        got = _write(stream, temporary, length, checksum)
        return _append(upload, temporary, offset, got) if got else upload


def _check_open(upload: Upload) -> None:
    if upload.status in (Status.FAILED, Status.CANCELLED):
        raise Refused(410, "gone", say("This upload is over. Begin a new one."))


def _check_offset(upload: Upload, offset: int) -> None:
    if upload.received != offset:
        detail = say("So far {received} bytes are here: go on from there.", received=upload.received)
        raise Conflict("wrong_offset", detail)


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        detail = say("This server has no room left. Nothing of what it has is lost: try again later.")
        raise Refused(507, "no_space", detail) from error


def _write(stream: IO[bytes], path: Path, length: int, checksum: Checksum | None) -> int:
    """Copy at most so many bytes to a file on the disk; how many came."""
    digest, got = checksum and checksum.start(), 0
    with path.open("wb") as out:
        while got < length:
            try:
                piece = stream.read(min(objects.CHUNK, length - got))
            except UnreadablePostError:
                break
            if not piece:
                break
            got += len(piece)
            out.write(piece)
            if digest:
                digest.update(piece)
        objects.flush(out)
    if checksum and digest and (got != length or digest.digest() != checksum.digest):
        detail = say("The part did not arrive as it was sent: its checksum is another one. Send it again.")
        raise Refused(460, "checksum_mismatch", detail)
    return got


@transaction.atomic
def _append(upload: Upload, temporary: Path, offset: int, got: int) -> Upload:
    held = Upload.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=upload.pk)
    _check_open(held)
    _check_offset(held, offset)
    objects.put(temporary, _part(held, offset))
    held.received, held.moved_at = offset + got, timezone.now()
    held.save(update_fields=["received", "moved_at"])
    return held


def _part(upload: Upload, offset: int) -> str:
    return f"{_PARTS}/{upload.key}/{offset:015d}"


def is_complete(upload: Upload) -> bool:
    """Whether all bytes are here and nothing was made of them yet."""
    return upload.status == Status.OPEN and upload.received == upload.size


def complete() -> list[int]:
    """Uploads of which all bytes are here, but which nobody has finished."""
    whole = Upload.objects.filter(status=Status.OPEN, received=F("size"))
    return list(whole.order_by("moved_at").values_list("pk", flat=True)[:_AT_A_TIME])


def finish(upload_id: int, hand_over: HandOver) -> Upload | None:
    """Put the parts together, look at the digest, keep the file and hand it over, all or nothing; None where it is not
    complete, or another process is at it.

    Safe to run at any time and twice: the upload is held until the end, and let go by the database when we die. What is
    refused (another digest than announced, or whatever `hand_over` refuses) ends the upload and is raised.
    """
    digest = ""
    try:
        with transaction.atomic():
            held = _whole(upload_id)
            if held is None:
                return None
            with objects.incoming() as temporary:
                digest = _join(held, temporary)
                held.file = keep_written(
                    actor=sender(held), temporary=temporary, digest=digest, size=held.size, name=held.name,
                    organisation=held.organisation,
                )  # fmt: skip
            hand_over(held, held.file)
            held.status = Status.DONE
            held.save(update_fields=["file", "status"])
    except Later:
        return None
    except Refusal as refusal:
        _fail(upload_id, refusal)
        if digest:
            forget_bytes(digest)
        raise
    transaction.on_commit(lambda: objects.remove_folder(f"{_PARTS}/{held.key}"))
    return held


class Later(Exception):
    """Raised by `hand_over` where the file cannot be taken now, but soon; the upload stays as it is."""


def _whole(upload_id: int) -> Upload | None:
    free = Upload.objects.select_for_update(of=("self",), skip_locked=True).select_related("organisation")
    return free.filter(pk=upload_id, status=Status.OPEN, received=F("size")).first()


def _join(upload: Upload, temporary: Path) -> str:
    """Write the parts one after the other; the SHA-256 (hex) of the whole."""
    digest, at = hashlib.sha256(), 0
    with temporary.open("wb") as out:
        while at < upload.size:
            before = at
            for piece in _read(_part(upload, at)):
                at += len(piece)
                digest.update(piece)
                out.write(piece)
            if at == before:
                raise Refused(410, "parts_lost", say("A part is no longer in storage. Send the file again."))
        objects.flush(out)
    if upload.sha256 and digest.hexdigest() != upload.sha256:
        detail = say(
            "The file that arrived has the SHA-256 {found}, not the announced {announced}. Send it again.",
            found=digest.hexdigest(), announced=upload.sha256,
        )  # fmt: skip
        raise Refused(460, "sha256_mismatch", detail)
    return digest.hexdigest()


def _read(part: str) -> Iterator[bytes]:
    """The bytes of a part; none where it is lost."""
    with suppress(FileNotFoundError), objects.storage().open(part, "rb") as stream:
        while piece := stream.read(objects.CHUNK):
            yield piece


def sender(upload: Upload) -> Actor:
    """Who sends it, with what they may do today: an upload may take days, and people leave meanwhile."""
    return as_of_today(**upload.begun_by, organisation=upload.organisation, sandbox=upload.sandbox)


@transaction.atomic
def _fail(upload_id: int, refusal: Refusal) -> None:
    held = Upload.objects.select_for_update(of=("self",)).select_related("organisation").get(pk=upload_id)
    if held.status == Status.OPEN:
        _end(held, Status.FAILED, problem={"code": refusal.code, "detail": str(refusal.detail)})
        _note(sender(held), "failed", held, code=refusal.code)


@transaction.atomic
def cancel(*, actor: Actor, upload: Upload) -> None:
    """Let go of what has arrived. Nothing happens where it is over already, or complete and handed over."""
    held = Upload.objects.select_for_update(of=("self",)).filter(pk=upload.pk, status=Status.OPEN).first()
    if held is not None:
        _end(held, Status.CANCELLED)
        _note(actor, "cancelled", held, received=held.received)


def _end(held: Upload, status: str, **values: Any) -> None:
    Upload.objects.filter(pk=held.pk).update(status=status, **values)
    transaction.on_commit(lambda: objects.remove_folder(f"{_PARTS}/{held.key}"))


def sweep(actor: Actor) -> int:
    """Cancel uploads that rest for too long, and remove parts that a killed process left; how many were cancelled."""
    silent = timezone.now() - dt.timedelta(hours=settings.UPLOAD_EXPIRY_HOURS)
    resting = Upload.objects.filter(status=Status.OPEN, received__lt=F("size"), moved_at__lt=silent)
    old = list(resting.order_by("moved_at")[:_AT_A_TIME])
    for upload in old:
        cancel(actor=actor, upload=upload)
    there = objects.folders(_PARTS)
    awaited = set(Upload.objects.filter(status=Status.OPEN, key__in=there).values_list("key", flat=True))
    for key in there:
        if key not in awaited:
            objects.remove_folder(f"{_PARTS}/{key}")
    return len(old)


def _note(actor: Actor, what: str, upload: Upload, **data: Any) -> None:
    record(
        actor=actor, verb=f"upload.{what}", object=Reference("upload", upload.pk),
        organisation_id=upload.organisation_id, data=data,
    )  # fmt: skip
