"""A web server that is killed while it answers: the repeated request, with the same key, happens exactly once."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from accounts.access.models import RememberedAnswer
from accounts.evidence.models import Event
from licensing.declarations.models import Declaration
from tests.accounts import people
from tests.licensing import parties
from tests.processes import CHECKOUT, Running, wait_until

pytestmark = pytest.mark.xdist_group("processes")
BODY = {"licence": "L-1", "period_start": "2026-01-01", "period_end": "2026-04-01", "use": "train", "unit": "token"}


@pytest.fixture
def start_web(committed_db: Any, tmp_path: Path) -> Iterator[Callable[[], tuple[Running, str]]]:
    """`start_web()` starts a real server on the test's database; returns its process and address."""
    started: list[Running] = []

    def run() -> tuple[Running, str]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        log = tmp_path / f"web-{len(started)}.log"
        command = [
            sys.executable,
            "-m",
            "gunicorn",
            "config.wsgi:application",
            "--bind",
            f"127.0.0.1:{port}",
            "--threads",
            "2",
        ]
        with log.open("wb") as stream:
            process = subprocess.Popen(
                command, cwd=CHECKOUT, env=committed_db.environment, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
                start_new_session=True,
            )  # fmt: skip
        web = Running(process, log)
        started.append(web)
        web.wait_until(lambda: _status(f"http://127.0.0.1:{port}/healthz") == 200, what="the server answers")
        return web, f"http://127.0.0.1:{port}/api/v1/declarations/"

    yield run
    for web in started:
        web.stop()


def _status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return int(answer.status)
    except OSError:
        return 0


def _post(address: str, token: str) -> tuple[int, dict[str, Any], dict[str, str]]:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Idempotency-Key": "2026-Q1"}
    asked = urllib.request.Request(address, json.dumps(BODY).encode(), headers)
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, json.load(answer), dict(answer.headers)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused), dict(refused.headers)
    except OSError:
        return 0, {}, {}


def _waiting() -> bool:
    """Whether some session waits for the lock on evidence: then the request is in the middle of its work."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'accounts_event'::regclass")
        (count,) = cursor.fetchone() or (0,)
    return bool(count)


def test_killed_in_the_middle_then_repeated(start_web: Callable[[], tuple[Running, str]]) -> None:
    society, hanbit = people.organisation("KOSA", "society"), people.organisation()
    parties.licence(society, hanbit, parties.determined(society))
    token = people.token(hanbit)[1]
    before = Event.objects.count()
    web, address = start_web()
    answers: list[Any] = []
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE accounts_event IN EXCLUSIVE MODE")  # the request stops where it writes evidence
        first = threading.Thread(target=lambda: answers.append(_post(address, token)))
        first.start()
        wait_until(_waiting, what="the request writes its evidence")
        web.kill9()
        first.join()
    assert answers[0][0] == 0  # the connection broke: the client cannot know what happened
    wait_until(lambda: not _waiting(), what="the database has seen the end of the killed session")
    assert (Declaration.objects.count(), RememberedAnswer.objects.count(), Event.objects.count()) == (0, 0, before)

    _web, address = start_web()
    status, made, headers = wait_until(
        lambda: (answer := _post(address, token))[0] != 409 and answer, what="the key is free"
    )
    assert status == 201, made
    assert "Idempotency-Replayed" not in headers
    again = _post(address, token)
    assert (again[0], again[1]) == (201, made)
    assert again[2]["Idempotency-Replayed"] == "true"
    assert Declaration.objects.count() == 1
    assert Event.objects.filter(object_kind="declaration").count() == 1
