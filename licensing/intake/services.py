"""Keeping files byte for byte as received, under their SHA-256."""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import connection, transaction
from django.db.models import ProtectedError, RestrictedError

from accounts.evidence.services import record
from accounts.identity.core import Actor, Reference, Refusal, say
from accounts.organisations.models import Organisation
from licensing.intake import core
from licensing.intake.models import StoredFile

_CHUNK = 1 << 20
_ABANDONED_SECONDS = 24 * 3600  # without a byte more; no upload pauses as long


def limits() -> core.Limits:
    """What reading one file may cost in this installation."""
    return core.Limits(
        unpacked_bytes=settings.UPLOAD_MAX_UNPACKED_BYTES,
        ratio=settings.UPLOAD_MAX_RATIO,
        rows=settings.UPLOAD_MAX_ROWS,
    )


def keep(*, actor: Actor, stream: IO[bytes], name: str, organisation: Organisation) -> StoredFile:
    """Keep the bytes of a stream and return their record; the same bytes from the same organisation are kept once.

    The file is written beside its place, hashed on the way, flushed to the disk and then moved in one step, so that a
    reader never sees half of it and two uploads of the same bytes cannot disturb each other.

    Raises Refusal `empty_file`, or `too_large` past UPLOAD_MAX_BYTES; nothing is kept then.
    """
    root = Path(settings.OBJECT_ROOT)
    waiting = root / "incoming"
    waiting.mkdir(parents=True, exist_ok=True)
    _sweep(waiting)
    with tempfile.NamedTemporaryFile(dir=waiting, delete=False) as out:
        temporary = Path(out.name)
    try:
        digest, size = _write(stream, temporary)
        with transaction.atomic():
            _alone_with(digest)
            _place(temporary, object_path(digest))
            stored, created = StoredFile.objects.get_or_create(
                organisation=organisation, sha256=digest, defaults={"size": size, "name": core.file_name(name)}
            )
            if created:
                record(
                    actor=actor,
                    verb="file.received",
                    object=Reference("stored_file", stored.pk),
                    organisation_id=organisation.pk,
                    data={"sha256": digest, "size": size},
                )
    finally:
        temporary.unlink(missing_ok=True)
    return stored


@transaction.atomic
def let_go(*, actor: Actor, stored: StoredFile) -> bool:
    """Delete a kept file and its bytes, and say whether they went: not where another record still names it.

    The caller's own reference must be gone before. Somebody who sends the same bytes meanwhile waits, and sends them anew.
    """
    _alone_with(stored.sha256)
    where = Reference("stored_file", stored.pk)
    try:
        with transaction.atomic():
            stored.delete()
    except (ProtectedError, RestrictedError):
        return False
    data = {"sha256": stored.sha256}
    record(actor=actor, verb="file.let_go", object=where, organisation_id=stored.organisation_id, data=data)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # whatever could still refuse does so before the bytes go
    if not StoredFile.objects.filter(sha256=stored.sha256).exists():
        object_path(stored.sha256).unlink(missing_ok=True)
    return True


def _alone_with(digest: str) -> None:
    """Wait until no other transaction places or deletes these bytes, and keep others waiting until this one ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [digest])


def _sweep(waiting: Path) -> None:
    """Remove what was received by processes that were killed: nothing is written to it any more."""
    for path in waiting.iterdir():
        with suppress(FileNotFoundError):  # another process sweeps, or moved it to its place
            if path.stat().st_mtime < time.time() - _ABANDONED_SECONDS:
                path.unlink()


def _write(stream: IO[bytes], path: Path) -> tuple[str, int]:
    """Copy the stream to a file on the disk; its SHA-256 (hex) and size in bytes."""
    digest, size, most = hashlib.sha256(), 0, settings.UPLOAD_MAX_BYTES
    with path.open("wb") as out:
        while piece := stream.read(_CHUNK):
            size += len(piece)
            if size > most:
                raise Refusal("too_large", say("The file is larger than {most} bytes. Pack it or split it.", most=most))
            digest.update(piece)
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())
    if not size:
        raise Refusal("empty_file", say("The file is empty."))
    return digest.hexdigest(), size


def _place(temporary: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def object_path(digest: str) -> Path:
    """Where the bytes with this SHA-256 lie: objects/ab/cdef…"""
    return Path(settings.OBJECT_ROOT) / digest[:2] / digest[2:]


def path_of(stored: StoredFile) -> Path:
    """The kept file, for reading. Raises Refusal `file_lost` when the storage no longer has it."""
    path = object_path(stored.sha256)
    if not path.is_file():
        raise Refusal("file_lost", say("The file {name} is no longer in storage. Send it again.", name=stored.name))
    return path
