"""What every test may ask for: real databases, real commands, real workers. (A browser: tests/browsers.py; Spark: tests/clusters.py.)

* `db` / `@pytest.mark.django_db`: one transaction, rolled back. The usual case.
* `module_db`: what a module's fixtures make once for all its tests, which then are savepoints.
* `committed_db`: a database of its own, for tests that commit, use threads or start processes.
* `run_manage`, `start_worker`, `worker`: processes against the database of `committed_db`.
* `site`, `page`, `sign_in`: a real server on loopback over `committed_db`, and Chromium.
"""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import environ
import hypothesis
import pytest
from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation

from config import embedded
from tests import processes
from tests.databases import Databases, home, using
from tests.processes import Finished, Running

pytest_plugins = ["tests.browsers", "tests.clusters"]
PREFIX = "jeongsan-test-"

# In CI the same examples each time: it tells of the change, not of luck. Everywhere else new ones are sought.
hypothesis.settings.register_profile("jeongsan", deadline=None, print_blob=True, derandomize=bool(os.environ.get("CI")))
hypothesis.settings.load_profile("jeongsan")


def pytest_configure(config: pytest.Config) -> None:
    """Give this run a var folder of its own (objects, broker) and the tests a cluster of their own."""
    _sweep()
    var = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    config.stash[VAR] = var
    config.stash[LOCK] = os.open(var / "run", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC)
    fcntl.flock(config.stash[LOCK], fcntl.LOCK_EX)
    database = settings.DATABASES["default"]
    if "EMBEDDED" in database:
        database |= embedded.database(environ.Env(), home(settings.VAR_DIR))
    database["CONN_MAX_AGE"] = 0
    settings.VAR_DIR, settings.OBJECT_ROOT, settings.SCRATCH_ROOT = var, var / "objects", var / "scratch"
    settings.STORAGES["objects"]["OPTIONS"]["location"] = settings.OBJECT_ROOT
    settings.OBJECT_CACHE = var / "copies"
    settings.STATIC_ROOT = var / "static"
    settings.STATIC_ROOT.mkdir()
    settings.REDIS_URL = embedded.redis_url(environ.Env(), var)
    settings.CACHES["default"]["LOCATION"] = settings.REDIS_URL
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

    from config.celery import app, broker_url

    app.conf.broker_url = broker_url(settings.REDIS_URL)


def pytest_unconfigure(config: pytest.Config) -> None:
    gc.unfreeze()  # or what is frozen is reported as leaked when the interpreter ends
    var = config.stash.get(VAR, None)
    if var is not None:
        for service in embedded.services(var):
            embedded.release(service)
        shutil.rmtree(var, ignore_errors=True)


@pytest.hookimpl(hookwrapper=True)
def pytest_collection() -> Iterator[None]:
    """Refuse a day or moment that is taken while tests are gathered: midnight may lie between that and the test."""

    def refused() -> None:
        raise pytest.UsageError("a module or a parameter asks for the time while tests are gathered: ask in the test")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timezone, "now", refused)
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        # With xdist, tests that share a costly module fixture stay on one worker.
        if {"browser", "cluster"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.xdist_group(item.module.__name__))
        mark = item.get_closest_marker("django_db")
        if mark and mark.kwargs.get("transaction"):
            raise pytest.UsageError(
                f"{item.nodeid}: the ledger refuses the flush of transactional tests; use committed_db"
            )


def pytest_collection_finish() -> None:
    """What was gathered lives to the end: the collector need not walk it each time, nor look as often as by default."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """A test that asked for a page in Korean leaves its thread in Korean; the next one starts in English."""
    yield
    translation.activate("en")


@pytest.fixture(scope="session")
def databases(django_db_blocker: Any) -> Iterator[Databases]:
    """The test server, with the template migrated."""
    with django_db_blocker.unblock():
        held = Databases()
        try:
            yield held
        finally:
            held.close()


@pytest.fixture(scope="session")
def django_db_setup(databases: Databases, django_db_blocker: Any) -> Iterator[None]:
    """The database of this run's ordinary tests (in place of pytest-django's own)."""
    with django_db_blocker.unblock():
        name = databases.clone()
        with using(name):
            yield
        databases.drop(name)


@pytest.fixture(scope="module")
def module_db(django_db_setup: None, django_db_blocker: Any) -> Iterator[Callable[[], AbstractContextManager[Any]]]:
    """One transaction around all tests of a module: what its fixtures make, each test finds as it was made.

    A fixture of the module works in `with module_db():`. Each test is a savepoint, rolled back as ever; `now()` of the
    database is the module's beginning. Not beside `committed_db`.
    """
    with django_db_blocker.unblock():
        around = transaction.atomic()
        around._from_testcase = True  # durable blocks may begin in it
        around.__enter__()
    yield django_db_blocker.unblock
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        around.__exit__(None, None, None)


@dataclass(frozen=True)
class Committed:
    """A database of one test alone; `environment` makes processes use it."""

    name: str
    url: str
    environment: dict[str, str]


@pytest.fixture
def committed_as() -> str:
    """The database that `committed_db` copies: none, for an empty one. A folder of tests may have one with a scene."""
    return ""


@pytest.fixture
def committed_db(
    request: pytest.FixtureRequest,
    django_db_setup: None,
    databases: Databases,
    committed_as: str,
    django_db_blocker: Any,
) -> Iterator[Committed]:
    """A fresh clone to which Django's default connection points, in every thread, until the test ends."""
    if request.node.get_closest_marker("django_db") or "db" in request.fixturenames:
        pytest.fail("committed_db takes the place of django_db: ask for one of them")
    from django.core.cache import cache

    name = databases.clone(committed_as)
    with django_db_blocker.unblock(), using(name):
        cache.clear()
        yield Committed(name, databases.url(name), environment(databases.url(name)))
    databases.drop(name)


@pytest.fixture
def run_manage(committed_db: Committed) -> Callable[..., Finished]:
    """`run_manage("verify", "--json", env={…})` in a process of its own; returns status, out, err and `json()`."""

    def run(*args: object, env: dict[str, str] | None = None, timeout: float = 300.0) -> Finished:
        return processes.run_manage(*args, env=committed_db.environment | (env or {}), timeout=timeout)

    return run


@pytest.fixture
def start_worker(committed_db: Committed, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """`start_worker(env={…}, concurrency=1, include="a.module")`: a real Celery worker on the test's database."""
    started: list[Running] = []

    def run(env: dict[str, str] | None = None, **options: Any) -> Running:
        log = tmp_path / f"worker-{len(started)}.log"
        started.append(processes.start_worker(env=committed_db.environment | (env or {}), log=log, **options))
        return started[-1]

    _purge_queue()
    yield run
    for each in started:
        each.kill9()  # an orderly end takes seconds, and the database and the broker's folder go anyway


@pytest.fixture
def worker(start_worker: Callable[..., Running]) -> Running:
    """One running Celery worker."""
    return start_worker()


VAR = pytest.StashKey[Path]()
LOCK = pytest.StashKey[int]()


def environment(url: str) -> dict[str, str]:
    """The environment of a process that shall work on the test's database, broker and objects."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return kept | {
        "DATABASE_URL": url,
        "JEONGSAN_VAR": str(settings.VAR_DIR),
        "SECRET_KEY": settings.SECRET_KEY,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PYTHONUNBUFFERED": "1",
    }


def _purge_queue() -> None:
    """Tasks that earlier tests queued are none of this test's."""
    from config.celery import app

    app.control.purge()


def _sweep() -> None:
    """Remove the var folders of runs that were killed: their lock is free."""
    for folder in Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        try:
            descriptor = os.open(folder / "run", os.O_RDWR)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except BlockingIOError:
            continue
        finally:
            os.close(descriptor)
