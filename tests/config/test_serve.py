"""`manage.py serve`: everything comes up under one command, and goes down with it."""

from __future__ import annotations

import os
import signal
import socket
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from config import embedded
from tests import processes
from tests.processes import Running, alive, wait_until, while_there


@pytest.fixture
def serve(committed_db: Any, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """`serve(port)` with a broker of its own under a var folder of its own."""
    started: list[Running] = []
    with tempfile.TemporaryDirectory(prefix="jt-") as folder:
        var = Path(folder).resolve()
        env = committed_db.environment | {"JEONGSAN_VAR": str(var)}

        def run(port: int) -> Running:
            command = [sys.executable, "manage.py", "serve", "--port", str(port)]
            started.append(processes.start(command, env=env, log=tmp_path / f"serve-{len(started)}.log"))
            return started[-1]

        yield run
        for each in started:
            each.stop()
        for service in embedded.services(var):
            wait_until(lambda service=service: not embedded.is_running(service))


@pytest.fixture
def port() -> int:
    with socket.socket() as session:
        session.bind(("127.0.0.1", 0))
        number: int = session.getsockname()[1]
        return number


def family(running: Running) -> list[psutil.Process]:
    """Its programs and theirs, without the services' stewards, who stay for others."""
    children = psutil.Process(running.pid).children(recursive=True)
    words = while_there(lambda each: (each, each.cmdline()), children)
    return [each for each, said in words if {"gunicorn", "celery"} & set(said)]


def gone(processes_: list[psutil.Process]) -> bool:
    return not any(alive(each) for each in processes_)


def get(port: int, path: str) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        status: int = answer.status
        return status


def test_one_command_serves_and_ctrl_c_stops_all(serve: Callable[..., Running], port: int) -> None:
    running = serve(port)
    running.wait_until(lambda: f"http://127.0.0.1:{port}/" in running.said())
    assert "Run `make demo` first" in running.said()
    assert get(port, "/healthz") == 200
    assert get(port, "/static/jeongsan.css") == 200
    second = serve(port)
    assert second.process.wait(60) == 1
    assert "Choose another with --port" in second.said()
    programs = family(running)
    assert {"web", "worker", "beat"} <= set(while_there(_role, programs))
    told = while_there(lambda each: each.environ()["SITE_URL"], programs)
    assert set(told) == {f"http://127.0.0.1:{port}"}, "links in e-mails lead to where it is served"
    os.kill(running.pid, signal.SIGINT)
    assert running.process.wait(60) == 0
    assert gone(programs)


def test_when_one_program_dies_all_end_and_say_why(serve: Callable[..., Running], port: int) -> None:
    running = serve(port)
    running.wait_until(lambda: f"http://127.0.0.1:{port}/" in running.said())
    programs = family(running)
    next(each for each, role in while_there(lambda each: (each, _role(each)), programs) if role == "beat").kill()
    assert running.process.wait(60) == 1
    assert "beat ended by signal 9. Stopping the others." in running.said()
    assert gone(programs)


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells children of their parent's end on Linux only")
def test_kill_9_leaves_no_program_that_blocks_the_next_start(serve: Callable[..., Running], port: int) -> None:
    running = serve(port)
    running.wait_until(lambda: f"http://127.0.0.1:{port}/" in running.said())
    programs = family(running)
    os.kill(running.pid, signal.SIGKILL)
    running.process.wait()
    wait_until(lambda: gone(programs))
    again = serve(port)
    again.wait_until(lambda: f"http://127.0.0.1:{port}/" in again.said())


def _role(process: psutil.Process) -> str:
    words = process.cmdline()
    return "web" if "gunicorn" in words else "worker" if "worker" in words else "beat"
