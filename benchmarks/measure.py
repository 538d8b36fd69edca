"""Clocks and memory: how long each step took, what it cost, and the most that each process ever held."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil

Part = tuple[Any, str, str | Callable[..., str]]


@dataclass(frozen=True)
class Servers:
    """PostgreSQL's processes, found by the file that names the first of them; none where the server is an outside one."""

    postmaster: Path

    def processes(self) -> list[psutil.Process]:
        try:
            first = psutil.Process(int(self.postmaster.read_text().split()[0]))
            return [first, *first.children()]
        except (OSError, ValueError, psutil.Error):
            return []

    def processor(self) -> float:
        """Seconds of processor time that this process and PostgreSQL's have used; only differences mean something."""
        return time.process_time() + sum(map(_used, self.processes()))

    def peak(self) -> int:
        """The most that one of them ever held, in bytes; the shared buffers that it has touched are counted."""
        return max((peak_of(process.pid) for process in self.processes()), default=0)


@dataclass
class Clock:
    """Seconds by step, in the order in which the steps began; a part's name is `step / part`."""

    servers: Servers
    seconds: dict[str, float] = field(default_factory=dict)
    processor: dict[str, float] = field(default_factory=dict)  # of both programs; more than the seconds where both work
    _open: list[str] = field(default_factory=list)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        path = " / ".join([*self._open[:1], name])
        self.seconds.setdefault(path, 0.0)
        self._open.append(name)
        used, began = self.servers.processor(), time.perf_counter()
        try:
            yield
        finally:
            self.seconds[path] += time.perf_counter() - began
            self.processor[path] = self.processor.get(path, 0.0) + self.servers.processor() - used
            self._open.pop()

    @contextmanager
    def inside(self, *parts: Part) -> Iterator[None]:
        """Time (object, attribute, name) whenever the step calls them; what is measured is otherwise left as it is.

        A name may be worked out from the call's arguments.
        """
        with ExitStack() as stack:
            for owner, attribute, name in parts:
                stack.enter_context(patch.object(owner, attribute, self._timed(getattr(owner, attribute), name)))
            yield

    def _timed(self, function: Callable[..., Any], name: str | Callable[..., str]) -> Callable[..., Any]:
        @wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            with self.step(name if isinstance(name, str) else name(*args, **kwargs)):
                return function(*args, **kwargs)

        return timed


@dataclass
class Memory:
    """The peak of resident memory, in bytes, of this process and of each of PostgreSQL's."""

    servers: Servers
    by_step: dict[str, tuple[int, int]] = field(default_factory=dict)

    @contextmanager
    def during(self, name: str) -> Iterator[None]:
        """The peak in this step alone for this process; of PostgreSQL's, until now."""
        Path("/proc/self/clear_refs").write_text("5")
        yield
        self.by_step[name] = (peak_of("self"), self.servers.peak())

    def most(self) -> tuple[int, int]:
        here, postgres = zip(*self.by_step.values(), strict=True)
        return max(here), max(postgres)


def peak_of(pid: int | str) -> int:
    """The most that a process ever held, in bytes."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)


def _used(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    # Sessions that have ended count with the process that started them.
    return float(times.user + times.system + times.children_user + times.children_system)
