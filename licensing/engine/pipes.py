"""A pipe whose other end is a thread of its own: two programs work on a result at the same time, and no file is made."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import IO


class _Side:
    """One end of a pipe, handed by its path to a thread. However the thread ends, its end of the pipe is closed."""

    def __init__(self, end: int, work: Callable[[str], None]) -> None:
        self.end, self.work = end, work
        self.failure: BaseException | None = None
        self.thread = Thread(target=self._run, name="engine-pipe", daemon=True)

    def _run(self) -> None:
        try:
            self.work(f"/dev/fd/{self.end}")
        except BaseException as failure:  # told to the other side when it comes to the end
            self.failure = failure
        finally:
            os.close(self.end)

    def finish(self) -> None:
        """Wait for the thread; raise what ended it."""
        self.thread.join()
        if self.failure is not None:
            raise self.failure


def _pipe() -> tuple[int, int]:
    """A pipe that holds a megabyte where the system allows it, so that the two sides seldom wait for each other."""
    ends = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        with suppress(OSError):
            fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, 1 << 20)
    return ends


@contextmanager
def reading(write: Callable[[str], None]) -> Iterator[Iterator[bytes]]:
    """The blocks that `write(path)` writes in a thread. What it raises is raised at the end of the blocks."""
    ours, theirs = _pipe()
    side = _Side(theirs, write)
    side.thread.start()
    try:
        with os.fdopen(ours, "rb", buffering=0) as stream:
            yield _blocks(stream, side)
    finally:
        side.thread.join()  # a reader that gave up has closed its end, which ends the writer


def _blocks(stream: IO[bytes], side: _Side) -> Iterator[bytes]:
    while block := stream.read(1 << 20):
        yield block
    side.finish()


@contextmanager
def writing(read: Callable[[str], None]) -> Iterator[IO[bytes]]:
    """A stream that `read(path)` reads in a thread; it is read in full when the block ends. What `read` raises is raised.

    Where the block itself fails the reader sees an early end, and the block's error is raised.
    """
    theirs, ours = _pipe()
    side = _Side(theirs, read)
    side.thread.start()
    try:
        with os.fdopen(ours, "wb", buffering=1 << 20) as stream:
            yield stream
    except BrokenPipeError:
        side.finish()
        raise
    except BaseException:
        side.thread.join()
        raise
    side.finish()
