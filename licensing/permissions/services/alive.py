"""Signs of life of long work, so that a worker that died is told from one that works on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from django.db import connection


@contextmanager
def alive(beat: Callable[[], Any], *, every: float, name: str) -> Iterator[None]:
    """Calls `beat` every so many seconds from a thread of its own, while the engine works on one long step."""
    over = Event()

    def keep_beating() -> None:
        try:
            while not over.wait(every):
                beat()
        finally:
            connection.close()

    thread = Thread(target=keep_beating, name=f"{name}-alive", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
