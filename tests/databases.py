"""Databases for tests: clones of one migrated template, in 0.1 s each.

The cluster lies in memory where there is room: a database is a thousand files, and making and dropping those on a disk's
file system takes ten times the processor's time.

The template is keyed by a digest of everything that makes the schema, so it is migrated once and then reused by every
run until a migration changes. Clones carry an advisory lock of the run that made them; a database whose lock is free
belongs to nobody any more (its run was killed) and is dropped by the next run.

Append-only triggers refuse the TRUNCATE with which Django's transactional tests flush: tests that commit get a clone.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connections
from psycopg import sql

from config import embedded
from config.embedded.leases import locked
from config.embedded.postgres import SUPERUSER, Postgres

APPS = ("accounts", "licensing", "royalties", "config")
CLONE, TEMPLATE = "jt_", "jtt_"
MEMORY, ROOM = Path("/dev/shm"), 2 * 1024**3  # a cluster takes 0.3 GB and its log some more


def home(var: Path) -> Path:
    """The folder of the tests' cluster: in memory, or under `var` where that has too little room."""
    name = f"jeongsan-tests-{os.geteuid()}-"
    folder = MEMORY / f"{name}{hashlib.sha256(os.fsencode(var.resolve())).hexdigest()[:12]}"
    if not folder.is_dir():
        if not MEMORY.is_dir() or shutil.disk_usage(MEMORY).free < ROOM:
            return var / "tests"
        draft = Path(tempfile.mkdtemp(prefix="jt-", dir=MEMORY))
        draft.chmod(0o711)
        (draft / "of").symlink_to(var.resolve())
        with suppress(OSError):  # another run was faster
            draft.rename(folder)
        shutil.rmtree(draft, ignore_errors=True)
    for other in MEMORY.glob(f"{name}*"):
        if not (other / "of").exists():  # the checkout is gone
            shutil.rmtree(other, ignore_errors=True)
    return folder


class Databases:
    """One run's hold on the test server: a maintenance session that keeps the advisory locks."""

    def __init__(self) -> None:
        folder = settings.DATABASES["default"].get("EMBEDDED")
        if folder:
            _hurry(Path(folder))
        self.strategy = "file_copy" if folder and MEMORY in Path(folder).parents else "wal_log"
        self.session = psycopg.connect(**self._parameters("postgres"), autocommit=True)
        self.template = self._template()
        self._drop_abandoned()

    def clone(self, of: str = "") -> str:
        """Create a database as the template is, or as `of` is; returns its name."""
        name = f"{CLONE}{secrets.token_hex(6)}"
        self._lock(name)
        self._run("CREATE DATABASE {} TEMPLATE {} STRATEGY {}", name, of or self.template, self.strategy)
        return name

    def freeze(self, name: str) -> None:
        """Let nobody connect any more: a session would hinder cloning."""
        self._run("ALTER DATABASE {} ALLOW_CONNECTIONS false", name)

    def drop(self, name: str) -> None:
        """Drop a clone, whoever is still connected to it. An autovacuum worker may not be ended by us and is waited for."""
        deadline = time.monotonic() + 30
        while True:
            try:
                self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)
                break
            except psycopg.errors.InsufficientPrivilege:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        self.session.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [name])

    def close(self) -> None:
        self.session.close()

    def url(self, name: str) -> str:
        """DATABASE_URL of a database on this server, for processes of their own."""
        given = self._parameters(name)
        secret = f":{quote(given['password'], safe='')}" if given.get("password") else ""
        host = quote(str(given.get("host", "localhost")), safe="")
        port = f":{given['port']}" if given.get("port") else ""
        return f"postgresql://{quote(str(given['user']), safe='')}{secret}@{host}{port}/{name}"

    def _template(self) -> str:
        """The migrated template, made if this is the first run with these migrations."""
        name = TEMPLATE + schema_digest()
        self._lock(TEMPLATE)  # one at a time
        try:
            if not self.session.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                self._migrate(name)
            self.session.execute("SELECT pg_advisory_lock_shared(hashtextextended(%s, 0))", [name])
        finally:
            self.session.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [TEMPLATE])
        return name

    def _migrate(self, name: str) -> None:
        draft = f"{CLONE}{secrets.token_hex(6)}"
        self._lock(draft)
        self._run("CREATE DATABASE {}", draft)
        with using(draft):
            call_command("migrate", verbosity=0, interactive=False)
        self._run("ALTER DATABASE {} RENAME TO {}", draft, name)
        self.freeze(name)

    def _drop_abandoned(self) -> None:
        names = self.session.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [r"jt%\_%"]).fetchall()
        for (name,) in names:
            free = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
            if name != self.template and self.session.execute(free, [name]).fetchone() == (True,):
                self.drop(name)

    def _lock(self, name: str) -> None:
        self.session.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [name])

    def _run(self, statement: str, *names: str) -> None:
        self.session.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))

    def _parameters(self, name: str) -> dict[str, Any]:
        given = connections["default"].get_connection_params()
        return {key: given[key] for key in ("host", "port", "user", "password") if given.get(key)} | {"dbname": name}


class using:
    """Point Django's default connection, in every thread, to the database `name` while the block runs."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> str:
        connections.close_all()
        self.before = connections["default"].settings_dict["NAME"]
        connections["default"].settings_dict["NAME"] = self.name
        return self.name

    def __exit__(self, *_: object) -> None:
        connections.close_all()
        connections["default"].settings_dict["NAME"] = self.before


def schema_digest() -> str:
    """Of all that makes the schema: migrations, the SQL files that they name, and the packages with migrations."""
    root = settings.BASE_DIR
    files = [root / "requirements.lock", Path(__file__)]
    for app in APPS:
        files += (root / app).rglob("migrations/*.py")
    written = "".join(path.read_text(encoding="utf-8") for path in files if path.parent.name == "migrations")
    named = set(re.findall(r"""["']([\w.-]+\.sql)["']""", written))  # what is read at other times makes no schema
    for app in APPS:
        files += [path for path in (root / app).rglob("*.sql") if path.name in named]
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.relative_to(root)}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _hurry(var: Path) -> None:
    """The embedded test cluster, which holds nothing of value, does not wait for the disk; made anew after a crash."""
    service = Postgres(var)
    service.place.make_control()
    with locked(service.place.control / "start", fcntl.LOCK_EX):
        if not embedded.is_running(service) and (service.place.data / "postmaster.pid").exists():
            service.reap()
            shutil.rmtree(service.place.data)
    sockets = str(embedded.ensure_postgres(var))
    with psycopg.connect(host=sockets, user=SUPERUSER, dbname="postgres", autocommit=True) as session:
        if session.execute("SHOW fsync").fetchone() == ("on",):
            for name in ("fsync", "synchronous_commit", "full_page_writes", "autovacuum"):
                session.execute(sql.SQL("ALTER SYSTEM SET {} = off").format(sql.Identifier(name)))
            session.execute("SELECT pg_reload_conf()")
