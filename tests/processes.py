"""Real processes for tests: commands, Celery workers. Each is ended by its own process id."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import psutil

CHECKOUT = Path(__file__).resolve().parent.parent
Answer = TypeVar("Answer")


def wait_until(predicate: Callable[[], Any], timeout: float = 60.0, what: str = "") -> Any:
    """Poll `predicate` until it is true; returns its value. Fails the test after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not (value := predicate()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what or predicate}")
        time.sleep(0.05)
    return value


def while_there(ask: Callable[[psutil.Process], Answer], processes: Iterable[psutil.Process]) -> list[Answer]:
    """What `ask` says of each process, without those that ended meanwhile: a server's helpers come and go."""
    answers = []
    for process in processes:
        try:
            answers.append(ask(process))
        except psutil.NoSuchProcess:
            continue
    return answers


def alive(process: psutil.Process) -> bool:
    """Whether it still runs; what ended and waits for its parent's look does not."""
    return any(while_there(lambda each: each.is_running() and each.status() != psutil.STATUS_ZOMBIE, [process]))


@dataclass(frozen=True)
class Finished:
    """What a command left behind."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        """Its one JSON object; fails with all that it said when there is none."""
        try:
            return json.loads(self.out)
        except json.JSONDecodeError:
            raise AssertionError(f"no JSON, exit {self.status}\n{self.out}\n{self.err}") from None


def run_manage(*args: object, env: Mapping[str, str], timeout: float = 300.0) -> Finished:
    """Run `manage.py ARGS` to its end in a process of its own."""
    done = subprocess.run(
        [sys.executable, "manage.py", *map(str, args)],
        cwd=CHECKOUT,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


@dataclass
class Running:
    """A process that a test started, with its log."""

    process: Any  # a `Popen`, or what behaves like one
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_until(self, predicate: Callable[[], Any], timeout: float = 60.0, what: str = "") -> Any:
        """As `wait_until`, and shows the process's log when it fails."""
        try:
            return wait_until(predicate, timeout, what)
        except AssertionError as error:
            raise AssertionError(f"{error}\n--- log\n{self.said()[-5000:]}") from None

    def kill9(self) -> None:
        """End it and its children at once, as when the machine loses power."""
        while_there(psutil.Process.kill, self._family())
        self.process.wait()

    def stop(self, timeout: float = 20.0) -> int:
        """Ask it to end (SIGTERM) and wait; kill it when it does not."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                return self.process.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill9()
        return self.process.returncode

    def _family(self) -> list[psutil.Process]:
        try:
            parent = psutil.Process(self.pid)
            return [parent, *parent.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


def start(command: list[str], *, env: Mapping[str, str], log: Path) -> Running:
    """Start a process in a session of its own; what it says goes to `log`."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return Running(process, log)


def start_worker(*, env: Mapping[str, str], log: Path, concurrency: int = 1, include: str = "") -> Running:
    """Start a Celery worker, with the tasks of the modules `include` as well, and wait until it takes tasks."""
    more = ("--include", include) if include else ()
    quiet = ("--without-gossip", "--without-mingle", "--without-heartbeat")
    worker = start(
        [
            *(sys.executable, "-m", "celery", "--app", "config.celery", "worker", "--loglevel", "INFO"),
            *("--concurrency", str(concurrency), "--hostname", f"test-{os.urandom(4).hex()}@localhost", *quiet, *more),
        ],
        env=env,
        log=log,
    )

    def ready() -> bool:
        if worker.process.poll() is not None:
            raise AssertionError(f"the worker ended with status {worker.process.returncode}\n{worker.said()}")
        return " ready." in worker.said()

    worker.wait_until(ready, what="the worker is ready")
    return worker
