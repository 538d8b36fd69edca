"""A request that is repeated under its Idempotency-Key, over HTTP: the same answer, one effect, also after a crash."""

from __future__ import annotations

import json
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from accounts.access.api import idempotency
from accounts.access.models import RememberedAnswer
from accounts.evidence.models import Event
from licensing.declarations import services
from licensing.declarations.models import Declaration, DeclarationFile
from tests import processes
from tests.accounts.people import token
from tests.concurrency.holds import Aside, Hold
from tests.concurrency.scene import FROM, LICENCE, TO, Scene, outcome, sound
from tests.processes import wait_until

CREATED = "BEFORE INSERT ON licensing_declaration FOR EACH ROW"
DRAFT = {"licence": LICENCE, "period_start": FROM, "period_end": TO, "use": "train", "unit": "token"}


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    replayed: bool


@dataclass(frozen=True)
class Program:
    """A licensee's program that talks to the server with its token."""

    site: str
    token: str

    def post(self, path: str, key: str, body: dict[str, Any] | None = None, file: Path | None = None) -> Answer:
        if file is None:
            data, kind = json.dumps(body or {}).encode(), "application/json"
        else:
            with file.open("rb") as stream:
                data, kind = encode_multipart(BOUNDARY, {"file": stream}), MULTIPART_CONTENT
        request = urllib.request.Request(f"{self.site}/api/v1{path}", data, method="POST")
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key, "Content-Type": kind}
        for name, value in headers.items():
            request.add_header(name, value)
        try:
            response = urllib.request.urlopen(request, timeout=60)
        except urllib.error.HTTPError as refused:
            response = refused
        with closing(response):
            replayed = response.headers.get("Idempotency-Replayed") == "true"
            return Answer(response.status or 0, json.load(response), replayed)


@pytest.fixture
def program(scene: Scene, site: str) -> Program:
    return Program(site, token(scene.licensee, "declarations.*")[1])


def drafts(scene: Scene) -> int:
    return Declaration.objects.filter(licence=scene.licence).count()


def same(first: Answer, second: Answer) -> bool:
    """The second answer repeats the first."""
    alike = (first.status, first.body) == (second.status, second.body)
    return alike and second.replayed and not first.replayed


def test_each_step_of_declaring_repeated_has_one_effect(program: Program, scene: Scene) -> None:
    begun = [program.post("/declarations/", "begin", DRAFT) for _ in range(2)]
    assert same(*begun)
    assert begun[0].status == 201
    address = f"/declarations/{begun[0].body['id']}"
    sent = [program.post(f"{address}/files/", "send", file=scene.file) for _ in range(2)]
    assert same(*sent)
    assert (sent[0].status, sent[0].body["status"]) == (202, "received")
    handed_in = [program.post(f"{address}/submit/", "submit") for _ in range(2)]
    assert same(*handed_in)
    services.process(begun[0].body["id"])
    again = program.post(f"{address}/submit/", "submit")
    assert again.body == handed_in[0].body, "the answer of then, though the declaration is accepted now"

    declaration = scene.declaration()
    assert DeclarationFile.objects.filter(declaration=declaration).count() == 1
    assert outcome(declaration) == scene.undisturbed
    assert RememberedAnswer.objects.count() == 3
    sound()


def test_another_body_under_the_key_is_refused_and_has_no_effect(program: Program, scene: Scene) -> None:
    program.post("/declarations/", "begin", DRAFT)
    events = Event.objects.count()
    for other in (DRAFT | {"use": "ground"}, DRAFT | {"model": "Hangang-2"}):
        refused = program.post("/declarations/", "begin", other)
        assert (refused.status, refused.body["code"]) == (409, "idempotency_key_reused")
    assert (drafts(scene), Event.objects.count()) == (1, events)


def test_the_same_request_at_once_has_one_effect(
    program: Program, scene: Scene, hold: Callable[..., Hold], aside: Aside
) -> None:
    held = hold(CREATED)
    first = aside.begin(lambda: program.post("/declarations/", "begin", DRAFT))
    held.reached()
    beside = program.post("/declarations/", "begin", DRAFT)
    assert (beside.status, beside.body["code"]) == (409, "request_in_progress")
    held.let_go()
    assert same(first.result(), program.post("/declarations/", "begin", DRAFT))
    assert drafts(scene) == 1


def test_without_the_lock_both_would_take_effect(
    program: Program, scene: Scene, hold: Callable[..., Hold], aside: Aside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: who only looks for an answer finds none while the first still works."""
    monkeypatch.setattr(idempotency.services, "recall", lambda **_: None)
    monkeypatch.setattr(idempotency.services, "remember", lambda **_: None)
    held = hold(CREATED)
    answers = [aside.begin(lambda: program.post("/declarations/", "begin", DRAFT)) for _ in range(2)]
    wait_until(lambda: len(held.held()) == 2)
    held.let_go()
    assert [answer.result().status for answer in answers] == [201, 201]
    assert drafts(scene) == 2


@pytest.fixture
def serve(committed_db: Any, tmp_path: Path) -> Any:
    """`serve()` starts the production server on the test's database; returns it with its address."""
    started: list[processes.Running] = []

    def run() -> tuple[processes.Running, str]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        options = ("--bind", address, "--worker-class", "gthread", "--threads", "4", "--timeout", "120")
        command = [sys.executable, "-m", "gunicorn", "config.wsgi:application", *options]
        server = processes.start(command, env=committed_db.environment, log=tmp_path / f"web-{len(started)}.log")
        started.append(server)
        server.wait_until(lambda: "Booting worker" in server.said(), what="the server is ready")
        return server, f"http://{address}"

    yield run
    for server in started:
        server.kill9()


@pytest.mark.parametrize(
    "point", ["BEFORE INSERT ON licensing_declaration", "BEFORE INSERT ON accounts_rememberedanswer"]
)
def test_a_server_killed_before_it_answered_has_done_nothing_and_the_key_is_free(
    point: str, scene: Scene, serve: Any, hold: Callable[..., Hold], aside: Aside
) -> None:
    text = token(scene.licensee, "declarations.*")[1]
    events = Event.objects.count()
    held = hold(f"{point} FOR EACH ROW")
    server, site = serve()
    lost = aside.begin(lambda: Program(site, text).post("/declarations/", "begin", DRAFT))
    held.kill(server)
    assert isinstance(lost.result(), OSError), "the client hears nothing"
    assert (drafts(scene), RememberedAnswer.objects.count(), Event.objects.count()) == (0, 0, events)

    _, site = serve()
    repeated = Program(site, text).post("/declarations/", "begin", DRAFT)
    assert (repeated.status, repeated.replayed) == (201, False)
    assert same(repeated, Program(site, text).post("/declarations/", "begin", DRAFT))
    assert drafts(scene) == 1


def test_a_server_killed_after_its_commit_is_repeated_with_the_answer_it_could_not_give(
    scene: Scene, serve: Any, hold: Callable[..., Hold], aside: Aside
) -> None:
    text = token(scene.licensee, "declarations.*")[1]
    held = hold("AFTER INSERT ON accounts_rememberedanswer FOR EACH ROW", at_commit=True)
    server, site = serve()
    lost = aside.begin(lambda: Program(site, text).post("/declarations/", "begin", DRAFT))
    held.kill(server)
    assert isinstance(lost.result(), OSError)
    assert drafts(scene) == 1

    _, site = serve()
    repeated = Program(site, text).post("/declarations/", "begin", DRAFT)
    assert (repeated.status, repeated.replayed, repeated.body["id"]) == (201, True, scene.declaration().pk)
    assert drafts(scene) == 1
