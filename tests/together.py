"""Several acts at one moment, each in a thread with a connection of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection


def meeting(acts: int, patience: float) -> Callable[[], None]:
    """A place in the code at which each of so many acts waits for the others, but no longer than `patience` seconds.

    Where nothing keeps them apart they all stand there at once, however slow the machine: a race that can happen does.
    A lock lets one of them in alone, which waits in vain and goes on.
    """
    gate = threading.Barrier(acts)

    def meet() -> None:
        try:
            gate.wait(patience)
        except threading.BrokenBarrierError:
            pass

    return meet


def together(*acts: Callable[[], Any]) -> list[Any]:
    """The result of each, or what it raised."""
    gate = threading.Barrier(len(acts))
    results: list[Any] = [None] * len(acts)

    def run(n: int) -> None:
        try:
            gate.wait()
            results[n] = acts[n]()
        except Exception as raised:
            results[n] = raised
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
