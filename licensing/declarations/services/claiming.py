"""What keeps one piece of work one worker's: signs of life, the end of a claim that was lost, and why work failed.

A claim counts attempts within a round; `Declaration.round` moves on whenever processing begins anew or is stopped, so
that nobody who began before can store anything. Whoever loses a claim is told within a second or two: the engine is
interrupted, and what was read is let go.
"""

from __future__ import annotations

import datetime as dt
import errno
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Event
from typing import Any

import duckdb
from django.utils import timezone

from accounts.identity.core import Refusal, say
from licensing.declarations import core
from licensing.permissions.services.alive import alive


class Stopped(Exception):
    """The claim is another's by now, or was ended: go, and store nothing."""


@dataclass(slots=True)
class Watch:
    """Looks after a claim while the engine works. `beat` says that it lives, and answers whether it is still held."""

    beat: Callable[[], bool]
    interrupt: Callable[[], Any]
    lost: Event = field(default_factory=Event)

    def look(self) -> None:
        """Called from a thread of its own; a query that began meanwhile is interrupted by the next look."""
        if self.lost.is_set() or not self.beat():
            self.lost.set()
            self.interrupt()

    def check(self, *_said: Any) -> None:
        """Raises Stopped once the claim is lost: for loops of our own, which no engine interrupts."""
        if self.lost.is_set():
            raise Stopped


@contextmanager
def watched(watch: Watch, name: str) -> Iterator[Watch]:
    """Signs of life for as long as the block runs. Whatever it raises once the claim is lost becomes Stopped."""
    try:
        with alive(watch.look, every=core.HEARTBEAT_SECONDS, name=name):
            yield watch
    except Exception as error:
        if watch.lost.is_set():
            raise Stopped from error
        raise
    watch.check()


def silent_since() -> dt.datetime:
    """Work without a sign of life since then counts as abandoned."""
    return timezone.now() - dt.timedelta(seconds=core.STALE_SECONDS)


def disk_is_full(error: BaseException | None) -> bool:
    """Whether that is why it failed: ours, the engine's (which spills there) or the database's."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        if isinstance(error, duckdb.Error) and any(sign in str(error) for sign in _FULL):
            return True
        if getattr(error, "sqlstate", None) == "53100":
            return True
        error = error.__cause__ or error.__context__
    return False


_FULL = ("No space left on device", "max_temp_directory_size", "Disk quota exceeded")


def no_space() -> core.Note:
    detail = say(
        "The disk of this installation is full. Nothing is lost: the file is kept, and is tried again by itself."
    )
    return core.Note("no_space", detail)


def gave_up(before: Sequence[Mapping[str, Any]] = ()) -> core.Note:
    """After too many attempts; `before` are the problems of the last one."""
    if any(problem["code"] == "no_space" for problem in before):
        detail = say("The disk of this installation is still full. The file is kept: start again once there is room.")
        return core.Note("no_space", detail)
    return core.Note("gave_up", say("Processing failed several times. Support has been told."))


def problems_of(refusal: Refusal) -> list[core.Note]:
    """What was refused as a whole, then its parts where they say more."""
    whole = core.Note(refusal.code, str(refusal.detail), refusal.row)
    parts = [core.Note(error["code"], str(error["detail"]), error.get("row")) for error in refusal.errors]
    return [whole, *(part for part in parts if part.detail != whole.detail)]


def as_data(problems: Sequence[core.Note]) -> list[dict[str, Any]]:
    return [problem.as_data() for problem in problems]
