"""One server for all who use it, started by the first, gone with the last."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil

from config import embedded
from config.embedded.leases import CHECKOUT
from config.embedded.postgres import Postgres
from tests.config.embedded.users import FORK, User, heads, stewards, stopped
from tests.processes import wait_until


def test_two_processes_at_once_get_one_server_and_it_stops_with_the_last(var: Path) -> None:
    users = [User(var) for _ in range(4)]
    started = {user.report()[0] for user in users}
    assert len(started) == 1
    for service in embedded.services(var):
        assert len(heads(service)) == 1
    for user in users[:-1]:
        user.end()
    assert all(embedded.is_running(service) for service in embedded.services(var))
    users[-1].end()
    stopped(var)
    wait_until(lambda: not stewards(var))
    assert not list(Postgres(var).place.sockets.iterdir())


def test_what_was_committed_is_there_at_the_next_start(var: Path) -> None:
    for visits in (1, 2):
        user = User(var)
        assert user.report()[1] == visits
        user.end()
        wait_until(lambda: not embedded.is_running(Postgres(var)))


def test_a_start_while_the_server_is_stopping_waits_for_it(used: Path) -> None:
    for visits in range(2, 6):
        user = User(used)
        assert user.report()[1] == visits
        user.end()  # the next user comes at once, in the middle of the stop


def test_kill_9_of_the_process_that_started_it_stops_it(used: Path) -> None:
    user = User(used)
    user.report()
    user.kill9()
    stopped(used)


def test_kill_9_of_the_launcher_leaves_the_server_to_the_others(used: Path) -> None:
    first = User(used)
    started, _ = first.report()
    second = User(used)
    assert second.report() == (started, 3)
    first.kill9()
    third = User(used)
    assert third.report() == (started, 4)
    second.end()
    third.end()


def test_two_checkouts_side_by_side(var: Path) -> None:
    one, other = User(var.parent / "one" / "var"), User(var.parent / "other" / "var")
    assert (one.report()[1], other.report()[1]) == (1, 1)
    one.end()
    stopped(var.parent / "one" / "var")
    assert embedded.is_running(Postgres(var.parent / "other" / "var"))
    other.end()


def test_the_end_of_a_forked_child_stops_nothing(used: Path) -> None:
    user = User(used, script=FORK + "time.sleep(0.2); os._exit(0)")
    user.report()
    child = user.forked()
    wait_until(lambda: child.status() == psutil.STATUS_ZOMBIE)
    assert all(embedded.is_running(service) for service in embedded.services(used))
    user.end()
    stopped(used)


def test_a_forked_child_that_connects_to_nothing_keeps_nothing_running(used: Path) -> None:
    user = User(used, script=FORK + "os.setsid(); time.sleep(60); os._exit(0)")
    user.report()
    child = user.forked()
    user.end()
    stopped(used)
    assert child.is_running()
    child.kill()


def test_settings_start_nothing(var: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"],
        cwd=CHECKOUT,
        env={**os.environ, "JEONGSAN_VAR": str(var), "DJANGO_SETTINGS_MODULE": "config.settings"},
        check=True,
    )
    assert {path.name for path in var.iterdir()} <= {"secret"}
