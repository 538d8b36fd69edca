"""Commands in processes of their own, forked from one that has everything loaded: ready in a tenth of the time.

The parent is no process of the tests, which have threads and connections, but one that does nothing else: it reads
orders from its standard input, forks, and leaves each child's exit status in a file.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from tests.processes import CHECKOUT, wait_until

_statuses: dict[int, Path] = {}  # in the parent: where the status of a child belongs


@dataclass
class Child:
    """A forked process; like `Popen`, as far as the tests need it."""

    pid: int
    status: Path
    returncode: int = 0

    def poll(self) -> int | None:
        if not self.status.exists():
            return None
        self.returncode = int(self.status.read_text())
        return self.returncode

    def wait(self, timeout: float = 60.0) -> int:
        wait_until(lambda: self.poll() is not None, timeout, f"the command {self.pid} ended")
        return self.returncode


class Nursery:
    """The parent, from the tests' side."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.concurrency.nursery"],
            cwd=CHECKOUT,
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, arguments: tuple[str, ...], *, database: str, log: Path) -> Child:
        """Run `manage.py ARGUMENTS` on this database; what it says goes to `log`."""
        assert self.process.stdin is not None and self.process.stdout is not None
        order = {"arguments": arguments, "database": database, "log": str(log)}
        print(json.dumps(order), file=self.process.stdin, flush=True)
        return Child(int(self.process.stdout.readline()), _status_of(log))

    def stop(self) -> None:
        self.process.kill()
        self.process.communicate()


def _status_of(log: Path) -> Path:
    return log.with_suffix(".status")


def main() -> None:
    """Load everything, then fork a child an order."""
    import django
    from django.core.management import get_commands, load_command_class

    django.setup()
    for name, app in get_commands().items():
        if app == "config":
            load_command_class(app, name)
    signal.signal(signal.SIGCHLD, lambda *_: _reap())
    for line in sys.stdin:
        order = json.loads(line)
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # so that no child ends before it is known
        pid = os.fork()
        if not pid:
            _work(**order)
        _statuses[pid] = _status_of(Path(order["log"]))
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        print(pid, flush=True)


def _reap() -> None:
    """Write down how children ended: all at once, so that nobody reads half a number."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        place = _statuses.pop(pid)
        place.with_suffix(".draft").write_text(str(os.waitstatus_to_exitcode(status)))
        place.with_suffix(".draft").rename(place)


def _work(*, arguments: list[str], database: str, log: str) -> NoReturn:
    from django.core.management import execute_from_command_line
    from django.db import connections

    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(out, 1), os.dup2(out, 2)
    connections["default"].settings_dict["NAME"] = database
    os._exit(_status(lambda: execute_from_command_line(["manage.py", *arguments])))


def _status(act: Callable[[], Any]) -> int:
    """The exit status with which Python would have ended."""
    import traceback

    try:
        act()
        return 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


if __name__ == "__main__":
    main()
