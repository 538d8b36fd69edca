"""Where kept bytes lie: Django's storage `objects`, each under the SHA-256 of what it holds.

By default that is a folder, and a kept file is read where it lies. Any other storage (S3 and its like) is read through a
copy on this machine, made once, checked against its digest and moved to its place in one step, so that no reader sees
half of it. The copies have a bound: those that were used least recently go first, but none that was used within the
last two hours, which is longer than any task may run. So what running work reads stays, above the bound if need be.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.files import File
from django.core.files.storage import Storage, storages

from accounts.identity.core import Refusal, say

CHUNK: Final = 1 << 20
_IN_USE_SECONDS: Final = 2 * 3600
_FORGOTTEN_SECONDS: Final = 24 * 3600  # a copy goes then, whether there is room or not: what was let go stays nowhere
_ABANDONED_SECONDS: Final = 24 * 3600  # without a byte more; no upload pauses as long


def storage() -> Storage:
    return storages["objects"]


def name_of(digest: str) -> str:
    """Where the bytes with this SHA-256 lie: ab/cdef…"""
    return f"{digest[:2]}/{digest[2:]}"


def folder_path(name: str) -> Path | None:
    """Where an object of this name lies on this machine; None where the storage is no folder."""
    try:
        return Path(storage().path(name))
    except NotImplementedError:
        return None


@contextmanager
def incoming() -> Iterator[Path]:
    """A new empty file, on the file system of its later place; whatever is left of it afterwards is removed.

    A process that is killed leaves it: it goes when nothing was written to it for a day.
    """
    folder = folder_path("incoming") or Path(settings.OBJECT_CACHE) / "incoming"
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as out:
        temporary = Path(out.name)
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another process sweeps, or moved it to its place
            if path.stat().st_mtime < time.time() - _ABANDONED_SECONDS:
                path.unlink()


def flush(out: IO[bytes]) -> None:
    """Until this returns, what was written may be lost with the machine."""
    out.flush()
    os.fsync(out.fileno())


def put(temporary: Path, name: str) -> None:
    """Give a written and flushed file its place, in one step; what lay there is replaced."""
    if path := folder_path(name):
        _move(temporary, path)
        return
    with temporary.open("rb") as stream:
        saved = storage().save(name, File(stream, name=name))
    if saved != name:
        raise ImproperlyConfigured("The storage “objects” must overwrite: file_overwrite, or allow_overwrite.")


def put_content(temporary: Path, digest: str, size: int) -> None:
    """The same for a kept file, which lies under its digest. A storage that has it already is sent nothing."""
    if folder_path("") is not None:
        put(temporary, name_of(digest))
    elif not has(digest, size):
        put(temporary, name_of(digest))
        _move(temporary, _copy(digest))


def has(digest: str, size: int) -> bool:
    try:
        return storage().size(name_of(digest)) == size
    except FileNotFoundError:
        return False


def _move(temporary: Path, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def remove(digest: str) -> None:
    """The kept bytes, and this machine's copy of them."""
    storage().delete(name_of(digest))
    _copy(digest).unlink(missing_ok=True)


def folders(name: str) -> list[str]:
    """The names of the folders in a folder."""
    try:
        return storage().listdir(name)[0]
    except FileNotFoundError:
        return []


def remove_folder(name: str) -> None:
    """A folder with the objects that lie in it."""
    if path := folder_path(name):
        shutil.rmtree(path, ignore_errors=True)
        return
    for each in storage().listdir(name)[1]:
        storage().delete(f"{name}/{each}")


def here(digest: str, size: int, *, name: str) -> Path:
    """The kept bytes as a file of this machine, for reading. `name` is for what is said.

    Raises Refusal `file_lost` where the storage no longer has them, `file_damaged` where they are not what they were.
    """
    if path := folder_path(name_of(digest)):
        if not path.is_file():
            raise _lost(name)
        return path
    copy = _copy(digest)
    if not _used(copy, size):
        with _alone_with(digest):
            if not _used(copy, size):  # another process has fetched it meanwhile
                _fetch(digest, size, copy, name=name)
    return copy


def _copy(digest: str) -> Path:
    return Path(settings.OBJECT_CACHE) / name_of(digest)


def _used(copy: Path, size: int) -> bool:
    """Whether the copy is there; from now on it counts as used."""
    try:
        os.utime(copy)
        return copy.stat().st_size == size
    except FileNotFoundError:
        return False


@contextmanager
def _alone_with(digest: str) -> Iterator[None]:
    """One process of this machine at a time fetches a file."""
    lock = Path(settings.OBJECT_CACHE) / "locks" / digest[:2]
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _fetch(digest: str, size: int, copy: Path, *, name: str) -> None:
    _make_room(size)
    found = hashlib.sha256()
    with incoming() as temporary:
        try:
            stream = storage().open(name_of(digest), "rb")
        except FileNotFoundError as error:
            raise _lost(name) from error
        with stream, temporary.open("wb") as out:
            while piece := stream.read(CHUNK):
                found.update(piece)
                out.write(piece)
        if found.hexdigest() != digest:
            detail = say("The file {name} is damaged in storage. Send it again.", name=name)
            raise Refusal("file_damaged", detail)
        _move(temporary, copy)


def _make_room(size: int) -> None:
    """Let copies go, the least recently used first, until so many bytes more are within the bound."""
    copies = []
    for path in Path(settings.OBJECT_CACHE).glob("??/*"):
        with suppress(FileNotFoundError):
            state = path.stat()
            copies.append((state.st_mtime, state.st_size, path))
    total = size + sum(held for _used, held, _path in copies)
    for used, held, path in sorted(copies):
        idle = time.time() - used
        if idle < _IN_USE_SECONDS or (total <= settings.OBJECT_CACHE_BYTES and idle < _FORGOTTEN_SECONDS):
            return
        path.unlink(missing_ok=True)
        total -= held


def _lost(name: str) -> Refusal:
    return Refusal("file_lost", say("The file {name} is no longer in storage. Send it again.", name=name))
