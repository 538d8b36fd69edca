"""A repeated POST under one key: once, whatever happens in between."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from accounts.access import services
from accounts.access.models import RememberedAnswer, Token
from accounts.organisations.models import Organisation
from tests.accounts import people
from tests.config import sample_api
from tests.config.sample_client import TOKENS, bearer, client, hanbit, is_problem, sample, upload

__all__ = ["client", "hanbit", "sample"]


def _create(client: APIClient, key: str, name: str = "one", **extra: Any) -> Any:
    return client.post(TOKENS, {"name": name}, HTTP_IDEMPOTENCY_KEY=key, **extra)


def test_a_repeated_request_gets_the_first_answer(client: APIClient) -> None:
    first, second = _create(client, "k1"), _create(client, "k1")
    assert first.status_code == second.status_code == 201
    assert first.content == second.content
    assert second["Location"] == first["Location"]
    assert second["Content-Type"] == first["Content-Type"]
    assert second["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first
    assert sample_api.runs == ["one"]
    assert Token.objects.filter(name="one").count() == 1


def test_the_same_key_for_another_request_is_refused(client: APIClient) -> None:
    token = _create(client, "k1").json()
    is_problem(_create(client, "k1", "two"), 409, "idempotency_key_reused")
    is_problem(client.post(f"{TOKENS}{token['id']}/check/", HTTP_IDEMPOTENCY_KEY="k1"), 409, "idempotency_key_reused")
    is_problem(_create(client, "k1", QUERY_STRING="a=1"), 409, "idempotency_key_reused")
    assert sample_api.runs == ["one"]


def test_another_key_is_another_request(client: APIClient) -> None:
    assert _create(client, "k1").json()["id"] != _create(client, "k2").json()["id"]


def test_keys_of_two_callers_do_not_meet(client: APIClient, hanbit: Organisation) -> None:
    _create(client, "k1")
    assert "Idempotency-Replayed" not in _create(bearer(people.token(hanbit)[1]), "k1")


def test_a_refused_request_leaves_its_key_free(client: APIClient) -> None:
    assert _create(client, "k1", "conflict").status_code == 409
    assert _create(client, "k1", "crash").status_code == 500
    assert _create(client, "k1", "x" * 11).status_code == 400
    assert not RememberedAnswer.objects.exists()
    assert _create(client, "k1", "better").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\tb"])
def test_what_is_no_key(client: APIClient, key: str) -> None:
    is_problem(_create(client, key), 400, "invalid_idempotency_key")


def test_the_right_to_ask_is_checked_before_an_answer_is_repeated(client: APIClient, hanbit: Organisation) -> None:
    _create(client, "k1")
    Token.objects.filter(name="program").update(scopes=["declarations.view"])
    is_problem(_create(client, "k1"), 403, "forbidden")


def test_an_upload_is_known_by_its_content(client: APIClient) -> None:
    assert upload(client, b"a,b\n1,2\n").json() == {"bytes": 8, "note": "a"}
    assert upload(client, b"a,b\n1,2\n")["Idempotency-Replayed"] == "true"  # another boundary, the same file
    for other in (
        upload(client, b"a,b\n1,3\n"),
        upload(client, b"a,b\n1,2\n", "b"),
        upload(client, b"a,b\n1,2\n", name="e.csv"),
    ):
        is_problem(other, 409, "idempotency_key_reused")
    assert sample_api.runs == ["upload"]


def test_an_upload_is_never_whole_in_memory(client: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.core.files.uploadedfile import TemporaryUploadedFile

    sizes: list[int] = []
    chunks = TemporaryUploadedFile.chunks

    def watched(self: Any, chunk_size: int | None = None) -> Iterator[bytes]:
        for piece in chunks(self, chunk_size):
            sizes.append(len(piece))
            yield piece

    monkeypatch.setattr(TemporaryUploadedFile, "chunks", watched)
    assert upload(client, b"x" * (5 << 20)).json()["bytes"] == 5 << 20
    assert len(sizes) == 5
    assert max(sizes) == 1 << 20


@pytest.mark.django_db
def test_a_stranger_has_no_keys() -> None:
    client = APIClient()
    for _ in range(2):
        response = client.post("/api/v1/open/", {"a": 1}, HTTP_IDEMPOTENCY_KEY="k1")
        assert "Idempotency-Replayed" not in response
    assert sample_api.runs == ["open", "open"]


def test_old_answers_are_forgotten(client: APIClient) -> None:
    _create(client, "k1")
    assert services.forget() == 0
    RememberedAnswer.objects.update(created_at="2026-01-01T00:00:00Z")
    assert services.forget() == 1


def test_a_repeat_while_the_first_still_runs_is_told_to_wait(
    committed_db: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = people.token(people.organisation())[1]
    inside, go_on = threading.Event(), threading.Event()
    issue = services.issue_token

    def slow(**options: Any) -> Any:
        inside.set()
        assert go_on.wait(20)
        return issue(**options)

    monkeypatch.setattr(sample_api.services, "issue_token", slow)
    answers: list[Any] = []

    def first() -> None:
        try:
            answers.append(_create(bearer(text), "k1"))
        finally:
            connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(20)
    is_problem(_create(bearer(text), "k1"), 409, "request_in_progress")
    go_on.set()
    thread.join()
    assert answers[0].status_code == 201
    assert _create(bearer(text), "k1").content == answers[0].content
    assert sample_api.runs == ["one", "queued one"]


def test_of_many_at_once_one_runs(committed_db: object) -> None:
    text = people.token(people.organisation())[1]
    start, statuses = threading.Barrier(6), []

    def run() -> None:
        try:
            start.wait()
            statuses.append(_create(bearer(text), "k1").status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(statuses) <= {201, 409}
    assert sample_api.runs == ["one", "queued one"]
    assert Token.objects.filter(name="one").count() == 1


def test_a_crash_leaves_neither_change_nor_answer_and_frees_the_key(
    committed_db: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is written with the change: if it cannot be, the change is not made either."""
    text = people.token(people.organisation())[1]
    real = services.remember

    def broken(**_: Any) -> None:
        raise ConnectionError

    monkeypatch.setattr(services, "remember", broken)
    assert _create(bearer(text), "k1").status_code == 500
    assert not Token.objects.filter(name="one").exists()
    assert sample_api.runs == ["one"]  # nothing was queued
    monkeypatch.setattr(services, "remember", real)
    assert _create(bearer(text), "k1").status_code == 201


def test_a_connection_that_dies_in_the_middle_leaves_the_key_free(
    committed_db: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a crash of the process or the machine: the database ends the transaction, and its lock with it."""
    text = people.token(people.organisation())[1]
    inside, killed = threading.Event(), threading.Event()
    pids: list[int] = []
    issue = services.issue_token

    def doomed(**options: Any) -> Any:
        made = issue(**options)
        pids.append(connection.connection.info.backend_pid)
        inside.set()
        assert killed.wait(20)
        return made

    monkeypatch.setattr(sample_api.services, "issue_token", doomed)
    answers: list[int] = []

    def first() -> None:
        try:
            answers.append(_create(bearer(text), "k1").status_code)
        finally:
            connection.close()

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(20)
    is_problem(_create(bearer(text), "k1"), 409, "request_in_progress")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", pids)
    killed.set()
    thread.join()
    assert answers == [500]
    assert not Token.objects.filter(name="one").exists()
    monkeypatch.setattr(sample_api.services, "issue_token", issue)
    assert _create(bearer(text), "k1").status_code == 201
    assert Token.objects.filter(name="one").count() == 1
