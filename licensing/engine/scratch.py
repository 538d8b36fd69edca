"""A folder on the disk for one piece of work: it vanishes with the work, and after a crash with the next one.

Whoever uses a folder holds a lock on it, which the kernel drops with the process. A folder whose lock is free was left
by a process that was killed, with all that it had spilled there.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from django.conf import settings

PREFIX: Final = "jeongsan-engine-"


@contextmanager
def folder(root: Path | None = None) -> Iterator[Path]:
    """An empty folder of one's own under SCRATCH_ROOT (or another root) for as long as the block runs."""
    root = root or Path(settings.SCRATCH_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    with ExitStack() as use:
        with _locked(root / "lock", os.O_RDWR | os.O_CREAT):  # nobody sweeps between making a folder and locking it
            _sweep(root)
            path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=root))
            use.enter_context(_locked(path, os.O_RDONLY))
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


def _sweep(root: Path) -> None:
    """Remove what killed processes left."""
    for path in root.glob(PREFIX + "*"):
        try:
            with _locked(path, os.O_RDONLY, fcntl.LOCK_EX | fcntl.LOCK_NB):
                shutil.rmtree(path, ignore_errors=True)
        except (BlockingIOError, FileNotFoundError):  # in use, or removed by its user just now
            continue


@contextmanager
def _locked(path: Path, flags: int, how: int = fcntl.LOCK_EX) -> Iterator[None]:
    descriptor = os.open(path, flags | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)
