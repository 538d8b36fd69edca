"""The databases of tests keep their promises: each test that commits has its own, and processes see it."""

import threading
from typing import Any

import psycopg
import pytest
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import connection, connections

from tests.databases import Databases


@pytest.mark.django_db
def test_an_ordinary_test_runs_on_a_clone() -> None:
    assert connection.settings_dict["NAME"].startswith("jt_")
    assert ContentType.objects.exists()


def test_a_commit_is_seen_by_other_threads_and_connections(committed_db: Any) -> None:
    ContentType.objects.create(app_label="x", model="committed")
    seen: list[bool] = []

    def look() -> None:
        seen.append(ContentType.objects.filter(app_label="x").exists())
        connections.close_all()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [True]
    with psycopg.connect(committed_db.url) as session:
        assert session.execute("SELECT count(*) FROM django_content_type WHERE app_label = 'x'").fetchone() == (1,)


def test_and_the_next_test_sees_nothing_of_it(committed_db: Any) -> None:
    assert not ContentType.objects.filter(app_label="x").exists()


def test_a_command_works_on_the_tests_database(committed_db: Any, run_manage: Any) -> None:
    ContentType.objects.create(app_label="x", model="seen")
    script = (
        "from django.contrib.contenttypes.models import ContentType as C; print(C.objects.get(app_label='x').model)"
    )
    done = run_manage("shell", "--verbosity", "0", "-c", script)
    assert (done.status, done.out.strip()) == (0, "seen"), done.err


def test_databases_of_killed_runs_are_dropped(databases: Databases) -> None:
    other = Databases()
    name = other.clone()
    other.close()  # what the server does when a run is killed
    other = Databases()
    with other.session:
        found = other.session.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        mine = other.session.execute("SELECT 1 FROM pg_database WHERE datname = %s", [databases.template]).fetchone()
    assert (found, mine) == (None, (1,))


def test_settings_of_this_run_are_its_own() -> None:
    assert "jeongsan-test-" in str(settings.OBJECT_ROOT)
