"""The main job by programs with tokens: an AI firm's engineer declares, the society's system reads, a creator's app asks why."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts.access.services import issue_token
from accounts.identity.core import SYSTEM
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from licensing.declarations import services as declarations
from tests.journeys import example
from tests.journeys.example import FIRM, LICENCE, MEMBER, SOCIETY
from tests.journeys.told import TWO, declare_and_pay, manage, parties

API = "/api/v1"


class Program(APIClient):
    """A client with a token, that speaks JSON and never repeats an idempotency key unless told to."""

    def __init__(self, token: str) -> None:
        super().__init__(HTTP_AUTHORIZATION=f"Bearer {token}")
        self.sent = 0

    def ask(self, path: str, status: int = 200) -> Any:
        answer = self.get(f"{API}{path}")
        assert answer.status_code == status, (path, answer.content)
        assert answer["X-Request-Id"]
        return answer.json()

    def send(self, path: str, body: Any = None, *, status: int, key: str = "", form: str = "json") -> Any:
        self.sent += 1
        answer = self.post(f"{API}{path}", body, format=form, HTTP_IDEMPOTENCY_KEY=key or f"key-{id(self)}-{self.sent}")
        assert answer.status_code == status, (path, answer.content)
        return answer.json()


@pytest.fixture
def world(db: None, tmp_path: Path) -> example.Files:
    return parties(tmp_path)


@pytest.fixture
def program(world: example.Files) -> Callable[..., Program]:
    def run(organisation: str = "", scopes: str = "*", **options: Any) -> Program:
        where = Organisation.objects.get(ref=organisation) if organisation else None
        _token, text = issue_token(actor=SYSTEM, organisation=where, scopes=scopes, **options)
        return Program(text)

    return run


@pytest.fixture
def engineer(program: Callable[..., Program]) -> Program:
    return program(FIRM)


def draft(engineer: Program, *, key: str = "") -> int:
    body = {
        "licence": LICENCE,
        "period_start": "2026-01-01",
        "period_end": "2026-04-01",
        "unit": "token",
        "model": "Hanbit-1",
        "reference": "run 17",
    }
    made = engineer.send("/declarations/", body, status=201, key=key)
    assert made["status"] == "draft"
    return int(made["id"])


def upload(engineer: Program, number: int, *, status: int = 202) -> Any:
    file = SimpleUploadedFile("use.csv", example.DECLARATION.encode(), "text/csv")
    return engineer.send(f"/declarations/{number}/files/", {"file": file}, status=status, form="multipart")


def test_a_firm_asks_declares_and_is_billed(engineer: Program, program: Callable[..., Program]) -> None:
    items = [
        {"scheme": "domain", "value": value}
        for value in ("arirang.example.com", "www.friends.example.org", "nobody.example.edu")
    ]
    answers = engineer.send("/permissions/check/", {"use": "train", "on": "2026-02-01", "items": items}, status=200)[
        "results"
    ]
    assert [answer["verdict"] for answer in answers] == ["licensed", "licensed", "unmatched"]
    assert answers[1]["work"]["ref"] == "B" and all(answer["reasons"] for answer in answers)

    number = draft(engineer, key="same")
    assert draft(engineer, key="same") == number
    sent = upload(engineer, number)
    assert sent["status"] == "received" and len(sent["sha256"]) == 64
    engineer.send(f"/declarations/{number}/submit/", status=202)
    declarations.process(number)

    shown = engineer.ask(f"/declarations/{number}/")
    assert (shown["status"], shown["lines"], shown["fee"]["amount"]) == ("accepted", example.LINES, example.FEE)
    rejects = b"".join(engineer.get(f"{API}/declarations/{number}/rejects/").streaming_content).decode().splitlines()
    assert rejects[1].startswith("7,units,1e3,")
    works = engineer.ask(f"/declarations/{number}/works/")["results"]
    assert {(use["work"] or use["value"], use["status"], use["units"]) for use in works} == {
        ("A", "licensed", 700_000), ("B", "licensed", 200_000), ("C", "licensed", 50_000), ("nobody.example.edu", "unmatched", 40_000),
    }  # fmt: skip
    assert upload(engineer, number, status=409)["detail"]  # what was handed in stays as it is

    invoice = manage("bill", "--licence", LICENCE, "--from", "2026-01-01", "--to", "2026-04-01")
    [billed] = engineer.ask("/invoices/")["results"]
    assert (billed["invoice"], billed["net"]) == (invoice["invoice"], example.FEE)
    assert engineer.ask(f"/invoices/{billed['id']}/")["declarations"] == [number]
    [same] = program(SOCIETY, "billing.view").ask("/invoices/")["results"]
    assert same == billed


def test_programs_of_others_see_nothing(engineer: Program, program: Callable[..., Program]) -> None:
    number = draft(engineer)
    manage("create_organisation", "OTHER", "--kind", "licensee", "--name", "Other AI")
    stranger = program("OTHER")
    assert stranger.ask("/declarations/")["results"] == []
    assert stranger.ask(f"/declarations/{number}/", status=404)["code"]
    stranger.send(f"/declarations/{number}/submit/", status=404)
    small = program(FIRM, "permissions.check")
    assert small.ask("/declarations/", status=403)["code"]
    sandbox = program(FIRM, sandbox=True)
    assert sandbox.ask("/declarations/")["results"] == []
    assert APIClient().get(f"{API}/declarations/").status_code == 401


def test_a_creators_program_reads_amount_and_reason(world: example.Files, program: Callable[..., Program]) -> None:
    declare_and_pay(world)
    run = manage("distribute", "--society", SOCIETY, "--from", "2026-01-01", "--to", "2026-04-01", *TWO, "--publish")
    creator = program(user=User.objects.get(email=MEMBER))
    [statement] = creator.ask("/me/statements/")["results"]
    assert (statement["payable"], statement["currency"]) == (example.PAYABLE["H-B1"], "KRW")
    assert [work["work_ref"] for work in creator.ask("/me/works/")["results"]] == ["B"]
    assert [(use["use"], use["units"]) for use in creator.ask("/me/uses/")["results"]] == [("finetune", 200_000)]
    [line] = creator.ask(f"/me/statements/{statement['id']}/lines/")["results"]
    assert line["amount"] == example.PAYABLE["H-B1"]
    assert "₩824,503" in str(line["why"]) and "33.3334%" in str(line["why"])
    [told] = program(SOCIETY, "distribution.view").ask("/runs/")["results"]
    assert (told["payable"], told["suspense"], told["result_digest"]) == (
        run["payable"],
        run["suspense"],
        run["result_digest"],
    )
