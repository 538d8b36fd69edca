"""Declarations through the API of the contract."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from licensing.declarations import services
from licensing.declarations.models import Declaration
from tests.licensing.declaring import ISBN, Firm, declare, firm, lines
from tests.licensing.parties import organisation
from tests.licensing.test_permission_check import client_of

pytestmark = pytest.mark.django_db
URL = "/api/v1/declarations/"
BODY = {"licence": "L-1", "period_start": "2026-01-01", "period_end": "2026-04-01", "use": "train", "unit": "token"}
GOOD = lines(f"isbn,{ISBN},1000", "domain,wikipedia.org,5", "domain,a.example.com,6", "isbn,1,2")


@pytest.fixture
def parties(db: Any) -> Firm:
    return firm()


@pytest.fixture
def client(parties: Firm) -> APIClient:
    return client_of(parties.licensee, "declarations.declare", "declarations.view")


def send(client: APIClient, number: int, data: bytes = GOOD, **headers: str) -> Any:
    return client.post(
        f"{URL}{number}/files/", {"file": SimpleUploadedFile("use.csv", data)}, format="multipart", **headers
    )


def test_a_program_declares_from_draft_to_accepted(client: APIClient) -> None:
    made = client.post(URL, BODY | {"reference": "Q1", "bases": {"revenue": 5}}, format="json")
    assert (made.status_code, made.json()["status"], made.json()["bases"]) == (201, "draft", {"revenue": 5})
    number = made.json()["id"]
    sent = send(client, number)
    assert (sent.status_code, sent.json()["status"], sent.json()["bytes"]) == (202, "received", len(GOOD))
    handed_in = client.post(f"{URL}{number}/submit/")
    assert (handed_in.status_code, handed_in.json()["status"]) == (202, "received")
    services.process(number)

    shown = client.get(f"{URL}{number}/").json()
    assert shown["status"] == "accepted"
    assert shown["sha256"] == sent.json()["sha256"]
    assert shown["lines"] == {
        "total": 4, "licensed": 2, "reserved": 0, "unmandated": 0, "unlicensed": 0, "unmatched": 1, "rejected": 1,
    }  # fmt: skip
    assert (shown["units"]["total"], shown["works"], shown["problems"]) == (1013, 2, [])
    assert (shown["fee"]["currency"], shown["fee"]["amount"]) == ("KRW", 10)
    assert [(f["name"], f["lines"], f["rejected"]) for f in shown["files"]] == [("use.csv", 4, 1)]
    rejects = client.get(f"{URL}{number}/rejects/")
    assert rejects["Content-Type"] == "text/csv; charset=utf-8"
    assert b"".join(rejects.streaming_content) == (
        b"row,column,value,reason\r\n5,identifier,1,not in the form of its scheme\r\n"
    )


def test_works_come_in_pages_with_status_and_units(parties: Firm, client: APIClient) -> None:
    number = declare(parties, GOOD).pk
    page = client.get(f"{URL}{number}/works/?page_size=2").json()
    rest = client.get(page["next"]).json()
    found = sorted(
        (r["work"] or r["value"], r["status"], r["units"], r["lines"]) for r in page["results"] + rest["results"]
    )
    assert found == [("B", "licensed", 1000, 1), ("W", "licensed", 5, 1), ("a.example.com", "unmatched", 6, 1)]
    only = client.get(f"{URL}{number}/works/?status=unmatched").json()["results"]
    assert [(r["scheme"], r["kind"], r["used_on"]) for r in only] == [("domain", "web", "2026-03-31")]


def test_the_list_is_narrowed_by_licence_and_status(parties: Firm, client: APIClient) -> None:
    declare(parties, GOOD)
    assert len(client.get(URL).json()["results"]) == 1
    assert client.get(f"{URL}?status=accepted").json()["results"] == []
    assert len(client.get(f"{URL}?licence=L-1&status=processed").json()["results"]) == 1


def test_after_submission_files_conflict_and_an_amendment_begins(parties: Firm, client: APIClient) -> None:
    number = declare(parties, GOOD, submit=True).pk
    refused = send(client, number, lines("isbn,1,1"))
    assert (refused.status_code, refused.json()["code"]) == (409, "submitted")
    amended = client.post(f"{URL}{number}/amend/")
    assert (amended.status_code, amended.json()["supersedes"], amended.json()["status"]) == (201, number, "draft")
    assert client.get(f"{URL}{number}/").json()["superseded_by"] == amended.json()["id"]


def test_a_replayed_key_sends_a_file_once(client: APIClient) -> None:
    number = client.post(URL, BODY, format="json", HTTP_IDEMPOTENCY_KEY="k1").json()["id"]
    assert client.post(URL, BODY, format="json", HTTP_IDEMPOTENCY_KEY="k1").json()["id"] == number
    first = send(client, number, HTTP_IDEMPOTENCY_KEY="k2")
    services.process(number)
    again = send(client, number, HTTP_IDEMPOTENCY_KEY="k2")
    assert (again.status_code, again.json()) == (202, first.json())
    assert Declaration.objects.get().status == "processed"
    other = send(client, number, lines("isbn,1,1"), HTTP_IDEMPOTENCY_KEY="k2")
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


def test_the_same_file_in_another_declaration_is_a_conflict(parties: Firm, client: APIClient) -> None:
    declare(parties, GOOD)
    number = client.post(URL, BODY, format="json").json()["id"]
    refused = send(client, number)
    assert (refused.status_code, refused.json()["code"]) == (409, "already_declared")
    assert Declaration.objects.get(pk=number).status == "draft"


@pytest.mark.parametrize(
    ("change", "status", "pointer"),
    [
        ({"licence": "NONE"}, 404, "/licence"),
        ({"period_end": "2026-01-01"}, 400, "/period_end"),
        ({"period_start": "soon"}, 400, "/period_start"),
        ({"use": "steal"}, 400, "/use"),
        ({"unit": "inch"}, 400, "/unit"),
        ({"model": "x" * 201}, 400, "/model"),
        ({"reference": "a\0"}, 400, "/reference"),
        ({"bases": {"revenue": "1e3"}}, 400, "/bases/revenue"),
        ({"bases": {"revenue": -1}}, 400, "/bases/revenue"),
        ({"territory": "Q1"}, 400, "/territory"),
    ],
)
def test_a_bad_draft_is_a_problem_with_its_place(
    client: APIClient, change: dict[str, Any], status: int, pointer: str
) -> None:
    response = client.post(URL, BODY | change, format="json")
    assert response.status_code == status, response.content
    assert response["Content-Type"] == "application/problem+json"
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert Declaration.objects.count() == 0


def test_bad_uploads_are_problems(client: APIClient) -> None:
    number = client.post(URL, BODY, format="json").json()["id"]
    assert client.post(f"{URL}{number}/files/", {}, format="multipart").json()["errors"][0]["pointer"] == "/file"
    empty = send(client, number, b"")
    assert (empty.status_code, empty.json()["code"]) == (400, "empty_file")
    assert client.post(f"{URL}{number}/files/", b"{}", content_type="application/json").status_code == 415
    early = client.post(f"{URL}{number}/submit/")
    assert (early.status_code, early.json()["code"]) == (400, "no_file")


def test_strangers_see_nothing_and_small_roles_change_nothing(parties: Firm, client: APIClient) -> None:
    number = declare(parties, GOOD).pk
    stranger = client_of(organisation("OTHER", "licensee"), "declarations.declare", "declarations.view")
    society = client_of(parties.society, "declarations.view")
    viewer = client_of(parties.licensee, "declarations.view")
    tester = client_of(parties.licensee, "declarations.declare", "declarations.view", sandbox=True)
    for path in ("", "rejects/", "works/"):
        for other in (stranger, society, tester):
            assert other.get(f"{URL}{number}/{path}").status_code == 404, path
        assert viewer.get(f"{URL}{number}/{path}").status_code == 200
        assert APIClient().get(f"{URL}{number}/{path}").status_code == 401
    for path in ("submit/", "amend/"):
        assert stranger.post(f"{URL}{number}/{path}").status_code == 404
        assert viewer.post(f"{URL}{number}/{path}").status_code == 403
        assert society.post(f"{URL}{number}/{path}").status_code == 403
    assert send(viewer, number).status_code == 403
    assert viewer.post(URL, BODY, format="json").status_code == 403
    assert stranger.post(URL, BODY, format="json").status_code == 404
    services.submit(actor=parties.declarant, declaration=Declaration.objects.get())
    assert society.get(f"{URL}{number}/").status_code == 200


def test_a_test_token_declares_in_the_sandbox(parties: Firm, client: APIClient) -> None:
    tester = client_of(parties.licensee, "declarations.declare", "declarations.view", sandbox=True)
    number = tester.post(URL, BODY, format="json").json()["id"]
    assert send(tester, number).status_code == 202
    assert Declaration.objects.get(pk=number).sandbox
    assert client.get(f"{URL}{number}/").status_code == 404
