"""Processes that use the embedded services, and what a test asks about those."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import psutil

from config import embedded
from config.embedded.leases import CHECKOUT
from config.embedded.service import Service
from tests.processes import wait_until, while_there

USE = """
import sys
from pathlib import Path
import psycopg
from config import embedded
var = Path(sys.argv[1])
sockets = embedded.ensure_postgres(var)
embedded.ensure_valkey(var)
with psycopg.connect(host=str(sockets), user="jeongsan", dbname="jeongsan") as session:
    session.execute("SELECT pg_advisory_xact_lock(1)")
    session.execute("CREATE TABLE IF NOT EXISTS visit (at timestamptz DEFAULT clock_timestamp())")
    session.execute("INSERT INTO visit DEFAULT VALUES")
    session.commit()
    started, visits = session.execute("SELECT pg_postmaster_start_time(), (SELECT count(*) FROM visit)").fetchone()
print(started.timestamp(), visits, flush=True)
"""

FORK = """
import os, time
if os.fork() == 0:
    os.close(1), os.close(2)
    """
PACKAGES = Path(psutil.__file__).parent.parent


class User:
    """A process that uses both services of a var folder until it is told to end."""

    started: ClassVar[list[User]] = []

    def __init__(
        self,
        var: Path,
        *,
        script: str = "",
        uid: int | None = None,
        python: str = sys.executable,
        cwd: Path = CHECKOUT,
        temp: str | None = None,
    ) -> None:
        paths = os.pathsep.join((str(cwd), str(PACKAGES)))
        environment = {**os.environ, "PYTHONPATH": paths, "PYTHONDONTWRITEBYTECODE": "1"}
        self.process = subprocess.Popen(
            [python, "-c", f"{USE}{script}\nsys.stdin.read()", str(var)],
            cwd=cwd,
            env=environment | ({"TMPDIR": temp} if temp else {}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **({"user": uid, "group": uid, "extra_groups": []} if uid is not None else {}),
        )

        self.started.append(self)

    def report(self) -> tuple[float, int]:
        """When the server was started, and the number of visits that it remembers."""
        assert self.process.stdout
        assert self.process.stderr
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        started, visits = line.split()
        return float(started), int(visits)

    def forked(self) -> psutil.Process:
        """The child that its script forked (its other children are stewards)."""

        def found() -> list[psutil.Process]:
            children = psutil.Process(self.process.pid).children()
            words = while_there(lambda child: (child, child.cmdline()), children)
            return [child for child, said in words if "config.embedded.steward" not in said]

        (child,) = wait_until(found)
        return child

    def end(self) -> None:
        _, error = self.process.communicate(timeout=30)
        assert self.process.returncode == 0, error

    def kill9(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def var_folder() -> Iterator[Path]:
    """A var folder with a short path, everything in it stopped and removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="jt-")).resolve()
    folder.chmod(0o755)
    try:
        yield folder / "var"
    finally:
        while User.started:
            User.started.pop().kill9()
        for path in (folder / "var", *folder.glob("*/var")):
            stopped(path)
        shutil.rmtree(folder)


def stopped(var: Path) -> None:
    """Wait until nothing of `var` runs; what a test killed on purpose is ended here."""
    for service in embedded.services(var):
        wait_until(lambda service=service: not embedded.is_running(service), what=f"{service.title} has stopped")
        while_there(psutil.Process.kill, servers(service))
        wait_until(lambda service=service: not servers(service))


def servers(service: Service) -> list[psutil.Process]:
    return list(service.strays())


def heads(service: Service) -> list[int]:
    """The processes that are nobody's child within the server: one when one server runs."""
    parents = dict(while_there(lambda process: (process.pid, process.ppid()), servers(service)))
    return [pid for pid, parent in parents.items() if parent not in parents]


def stewards(var: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if "config.embedded.steward" in (process.info["cmdline"] or []) and str(var) in process.info["cmdline"]
    ]
