"""No crash loses what was committed, and none blocks the next start."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest

from config import embedded
from config.embedded.places import Account
from config.embedded.postgres import Postgres
from tests.config.embedded.users import User, heads, servers, stewards
from tests.processes import alive, wait_until, while_there


def test_kill_9_of_user_and_steward_leaves_nothing_that_blocks_the_next_start(used: Path) -> None:
    user = User(used)
    user.report()
    before = [psutil.Process(pid) for service in embedded.services(used) for pid in heads(service)]
    while_there(psutil.Process.kill, stewards(used))
    user.kill9()
    assert all(alive(server) for server in before), "the servers live on without anybody"
    after = User(used)
    assert after.report()[1] == 3
    assert not any(alive(server) for server in before)
    for service in embedded.services(used):
        assert len(heads(service)) == 1
    after.end()


def test_kill_9_of_everything_loses_nothing_that_was_committed(used: Path) -> None:
    user = User(used)
    user.report()
    victims = [*stewards(used), *(process for service in embedded.services(used) for process in servers(service))]
    while_there(psutil.Process.kill, victims)
    user.kill9()
    assert (Postgres(used).place.data / "postmaster.pid").exists()
    after = User(used)
    assert after.report()[1] == 3
    after.end()


def test_kill_9_of_the_launcher_in_the_middle_of_a_start(used: Path) -> None:
    for _ in range(5):
        first, second = User(used), User(used)
        wait_until(lambda: stewards(used))
        first.kill9()
        second.report()
        second.end()
        wait_until(lambda: not stewards(used))


def test_a_stale_pid_file_that_names_a_living_stranger_does_no_harm(used: Path) -> None:
    place = Postgres(used).place
    stranger = subprocess.Popen(["sleep", "60"], **_as(place.account))
    try:
        (place.data / "postmaster.pid").write_text(f"{stranger.pid}\n{place.data}\n1700000000\n5432\n\n\n\nready\n")
        Postgres(used).socket.with_name(".s.PGSQL.5432.lock").write_text(f"{stranger.pid}\n{place.data}\n1\n5432\n\n")
        after = User(used)
        assert after.report()[1] == 2
        assert stranger.poll() is None, "the stranger was left alone"
        after.end()
    finally:
        stranger.kill()
        stranger.wait()


def test_a_server_that_dies_is_started_again_for_the_next_connection(used: Path) -> None:
    user = User(used)
    user.report()
    (head,) = heads(Postgres(used))
    os.kill(head, signal.SIGKILL)
    wait_until(lambda: not embedded.is_running(Postgres(used)))
    after = User(used)
    assert after.report()[1] == 3
    user.end()
    assert embedded.is_running(Postgres(used))
    after.end()


def test_a_failing_start_says_what_the_server_said(used: Path) -> None:
    (Postgres(used).place.data / "global" / "pg_control").unlink()
    with pytest.raises(embedded.ServiceError, match=r"PostgreSQL did not start[\s\S]*pg_control"):
        embedded.ensure_postgres(used)
    assert embedded.release(Postgres(used))


def _as(account: Account | None) -> dict[str, object]:
    return {"user": account.uid, "group": account.gid} if account else {}
