"""Keeping files byte for byte as received, under their SHA-256."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import connection, transaction
from django.db.models import ProtectedError, RestrictedError

from accounts.evidence.services import record
from accounts.identity.core import Actor, Reference, Refusal, say
from accounts.organisations.models import Organisation
from licensing.intake import core, objects
from licensing.intake.formats import dsr
from licensing.intake.models import StoredFile


def limits() -> core.Limits:
    """What reading one file may cost in this installation."""
    return core.Limits(
        unpacked_bytes=settings.UPLOAD_MAX_UNPACKED_BYTES,
        ratio=settings.UPLOAD_MAX_RATIO,
        rows=settings.UPLOAD_MAX_ROWS,
    )


def usage_terms() -> dsr.Vocabulary:
    """How the terms of usage reports (DSR) map to ours in this installation."""
    uses = dsr.USES | {stated.lower(): use for stated, use in settings.DSR_USES.items()}
    return dsr.Vocabulary(tuple(uses.items()), settings.DSR_UNIT)


def keep(*, actor: Actor, stream: IO[bytes], name: str, organisation: Organisation) -> StoredFile:
    """Keep the bytes of a stream and return their record; the same bytes from the same organisation are kept once.

    The file is written beside its place, hashed on the way, flushed to the disk and then moved in one step, so that a
    reader never sees half of it and two uploads of the same bytes cannot disturb each other.

    Raises Refusal `empty_file`, or `too_large` past UPLOAD_MAX_BYTES; nothing is kept then.
    """
    with objects.incoming() as temporary:
        digest, size = _write(stream, temporary)
        return keep_written(
            actor=actor, temporary=temporary, digest=digest, size=size, name=name, organisation=organisation
        )


def keep_written(
    *, actor: Actor, temporary: Path, digest: str, size: int, name: str, organisation: Organisation
) -> StoredFile:
    """`keep`, for a file of `objects.incoming()` that is written, flushed and hashed already."""
    if objects.folder_path("") is None:
        objects.put_content(temporary, digest, size)  # sending takes its time: nobody shall wait for it
    with transaction.atomic():
        _alone_with(digest)
        if temporary.exists():
            objects.put_content(temporary, digest, size)
        stored, created = StoredFile.objects.get_or_create(
            organisation=organisation, sha256=digest, defaults={"size": size, "name": core.file_name(name)}
        )
        stored.is_new = created
        if created:
            record(
                actor=actor,
                verb="file.received",
                object=Reference("stored_file", stored.pk),
                organisation_id=organisation.pk,
                data={"sha256": digest, "size": size},
            )
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
        objects.remove(stored.sha256)
    return True


@transaction.atomic
def forget_bytes(digest: str) -> None:
    """Delete bytes that were placed and that no record names: their file was refused after all."""
    _alone_with(digest)
    if not StoredFile.objects.filter(sha256=digest).exists():
        objects.remove(digest)


def _alone_with(digest: str) -> None:
    """Wait until no other transaction places or deletes these bytes, and keep others waiting until this one ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [digest])


def _write(stream: IO[bytes], path: Path) -> tuple[str, int]:
    """Copy the stream to a file on the disk; its SHA-256 (hex) and size in bytes."""
    digest, size, most = hashlib.sha256(), 0, settings.UPLOAD_MAX_BYTES
    with path.open("wb") as out:
        while piece := stream.read(objects.CHUNK):
            size += len(piece)
            if size > most:
                raise Refusal("too_large", say("The file is larger than {most} bytes. Pack it or split it.", most=most))
            digest.update(piece)
            out.write(piece)
        objects.flush(out)
    if not size:
        raise Refusal("empty_file", say("The file is empty."))
    return digest.hexdigest(), size


def object_path(digest: str) -> Path:
    """Where the bytes with this SHA-256 lie in this installation's folder: objects/ab/cdef…"""
    return Path(settings.OBJECT_ROOT) / objects.name_of(digest)


def path_of(stored: StoredFile) -> Path:
    """The kept file, for reading, on this machine. Raises Refusal `file_lost` when the storage no longer has it."""
    return objects.here(stored.sha256, stored.size, name=stored.name)
