"""POST /permissions/check/: one answer an item, in order, with its reasons."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils.translation import override
from rest_framework.test import APIClient

from accounts.access.services import issue_token
from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Forbidden
from accounts.organisations.models import Organisation
from licensing.licences.services import suspend
from licensing.permissions import services
from licensing.permissions.core import Reason
from licensing.permissions.services import finding
from licensing.permissions.services.asking import Item
from licensing.repertoire.models import Work
from tests.licensing.declaring import ISBN, Firm, firm
from tests.licensing.parties import organisation, staff
from tests.licensing.repertoire_files import bring

pytestmark = pytest.mark.django_db
URL = "/api/v1/permissions/check/"


@pytest.fixture
def parties(db: Any) -> Firm:
    return firm()


def client_of(of: Organisation, *scopes: str, sandbox: bool = False) -> APIClient:
    client = APIClient(raise_request_exception=False)
    _token, text = issue_token(actor=SYSTEM, organisation=of, scopes=scopes, sandbox=sandbox)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
    return client


def ask(of: Firm, *items: dict[str, str], status: int = 200, **body: Any) -> Any:
    client = client_of(of.licensee, "permissions.check")
    response = client.post(URL, {"use": "train", "on": "2026-03-31", "items": list(items)} | body, format="json")
    assert response.status_code == status, response.content
    return response.json()["results"] if status == 200 else response.json()


def test_why_an_identifier_is_refused_is_said_in_the_readers_language() -> None:
    with override("ko"):
        refused = finding.read(Item("isbn", "123"))
    assert isinstance(refused, Reason) and refused.detail == "식별 체계의 형식에 맞지 않습니다"


def test_each_item_is_answered_in_order_with_verdict_basis_work_and_reasons(parties: Firm) -> None:
    items = [
        {"scheme": "isbn", "value": "0-306-40615-2"},
        {"scheme": "url", "value": "https://en.wikipedia.org/wiki/Korea"},
        {"scheme": "domain", "value": "m.wikipedia.org"},
        {"scheme": "proprietary", "value": "F-1"},
        {"scheme": "proprietary", "value": "U-1"},
        {"scheme": "proprietary", "value": "S-1"},
        {"scheme": "domain", "value": "co.kr"},
        {"scheme": "domain", "value": "unknown.example.com"},
        {"title": "A book", "creators": "Kim"},
    ]
    results = ask(parties, *items)
    assert [
        (r["verdict"], r["basis"], r["work"] and r["work"]["ref"], r["missing_ppm"], r["reasons"][0]["code"])
        for r in results
    ] == [
        ("licensed", "licence", "B", 0, "licence_covers"),
        ("licensed", "licence", "P", 0, "licence_covers"),
        ("licensed", "licence", "W", 0, "licence_covers"),
        ("licensed", "free", "F", 0, "protection_ended"),
        ("unmandated", "", "U", 400_000, "mandate_missing"),
        ("unmandated", "", "S", 1_000_000, "no_share"),
        ("rejected", "", None, 0, "bad_identifier"),
        ("unmatched", "", None, 0, "no_work"),
        ("unmatched", "", None, 0, "no_work"),
    ]
    assert results[0]["work"] == {"society": "PRESS", "ref": "B", "title": "Book", "kind": "book"}
    assert all(reason["detail"] for result in results for reason in result["reasons"])


@pytest.mark.parametrize(
    ("body", "verdict", "reason"),
    [
        ({"use": "evaluate"}, "unlicensed", "licence_not_use"),
        ({"on": "2025-12-31"}, "unmandated", "mandate_missing"),
        ({"territory": "JP"}, "licensed", "licence_covers"),
        ({"use": "ground"}, "unlicensed", "licence_not_use"),
    ],
)
def test_use_day_and_territory_count(parties: Firm, body: dict[str, Any], verdict: str, reason: str) -> None:
    [result] = ask(parties, {"scheme": "isbn", "value": ISBN}, **body)
    assert (result["verdict"], result["reasons"][0]["code"]) == (verdict, reason)


def test_a_mandate_for_korea_does_not_reach_japan(parties: Firm) -> None:
    page = {"scheme": "url", "value": "en.wikipedia.org/wiki/Korea"}
    assert [r["verdict"] for r in ask(parties, page)] == ["licensed"]
    assert [r["missing_ppm"] for r in ask(parties, page, territory="JP")] == [1_000_000]


def test_without_a_licence_in_force_nothing_is_licensed(parties: Firm) -> None:
    suspend(actor=SYSTEM, licence=parties.licence)
    [book, unknown] = ask(parties, {"scheme": "isbn", "value": ISBN}, {"scheme": "domain", "value": "a.example.com"})
    assert (book["verdict"], book["reasons"][0]["code"]) == ("unlicensed", "licence_not_then")
    assert (unknown["verdict"], unknown["reasons"][0]["code"]) == ("unlicensed", "no_work")


def test_a_society_with_which_there_is_a_licence_speaks_first(parties: Firm) -> None:
    other = organisation("OTHER", "society")
    bring(other, "works", f"X,book,Same book,isbn:{ISBN}")
    [result] = ask(parties, {"scheme": "isbn", "value": ISBN})
    assert (result["verdict"], result["work"]["society"]) == ("licensed", "PRESS")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"use": "steal"}, "/use"),
        ({"on": "tomorrow"}, "/on"),
        ({"territory": "Korea"}, "/territory"),
        ({"territory": "Q1"}, "/territory"),
        ({"items": []}, "/items"),
        ({"items": [{}]}, "/items/0"),
        ({"items": [{"scheme": "isbn", "value": ISBN}, "isbn"]}, "/items/1"),
        ({"items": [{"scheme": "isbn"}]}, "/items/0"),
        ({"items": [{"scheme": "isbn", "value": 5}]}, "/items/0/value"),
        ({"items": [{"scheme": "isbn", "value": "\0"}]}, "/items/0/value"),
        ({"items": [{"scheme": "asin", "value": "B000"}]}, "/items/0/scheme"),
        ({"items": [{"title": "x" * 1001}]}, "/items/0/title"),
        ({"items": [{"title": "x", "year": "1"}]}, "/items/0"),
        ({"items": [{"title": "x"}] * 10_001}, "/items"),
    ],
)
def test_a_bad_question_is_refused_with_its_place(parties: Firm, body: dict[str, Any], pointer: str) -> None:
    problem = ask(parties, {"title": "x"}, status=400, **body)
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


def test_ten_thousand_items_take_a_handful_of_queries(parties: Firm, django_assert_max_num_queries: Any) -> None:
    society = parties.society
    rows = [f"K{n},web,Site {n},domain:site{n}.com" for n in range(5_000)]
    bring(society, "works", *rows)
    bring(society, "shares", *[f"K{n},H1,author,1/1,," for n in range(5_000)])
    items = [Item(scheme="url", value=f"https://www.site{n}.com/a/b?c={n}") for n in range(10_000)]
    actor = parties.declarant
    with django_assert_max_num_queries(13):
        results = services.check(actor=actor, use="train", on=dt.date(2026, 3, 31), items=items).answers
    assert [r.verdict for r in results] == ["licensed"] * 5_000 + ["unmatched"] * 5_000
    assert results[4_999].work and results[4_999].work.ref == "K4999"


def test_a_check_leaves_evidence_and_needs_its_permission(parties: Firm) -> None:
    ask(parties, {"scheme": "isbn", "value": ISBN})
    event = Event.objects.get(verb="permission.checked")
    assert event.organisation_id == parties.licensee.pk
    assert event.data["verdicts"] == {"licensed": 1}
    with pytest.raises(Forbidden):
        services.check(actor=staff(parties.licensee), use="train", items=[Item(title="x")])
    response = client_of(parties.licensee, "declarations.view").post(URL, {}, format="json")
    assert response.status_code == 403
    assert APIClient().post(URL, {}, format="json").status_code == 401


def test_a_society_asks_about_its_own_repertoire_only(parties: Firm) -> None:
    stranger = organisation("OTHER", "society")
    item = Item(scheme="isbn", value=ISBN)
    [own] = services.check(actor=parties.reviewer, use="train", items=[item]).answers
    [other] = services.check(actor=staff(stranger, "permissions.check"), use="train", items=[item]).answers
    assert (own.verdict, own.work and own.work.ref) == ("unlicensed", "B")
    assert other.work is None
    assert Work.objects.count() == 7
