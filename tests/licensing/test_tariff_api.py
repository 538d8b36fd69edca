"""Tariffs and licences over the API."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.utils import timezone

from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM
from accounts.organisations.models import Organisation
from licensing.tariffs import core
from licensing.tariffs.examples import read
from licensing.tariffs.models import Decision, Tariff, TariffVersion
from licensing.tariffs.services import propose
from tests.accounts.people import organisation, token
from tests.licensing.parties import determined, licence
from tests.licensing.tariff_documents import charge, tariff

pytestmark = pytest.mark.django_db
BASE = "/api/v1"


@pytest.fixture
def society() -> Organisation:
    return organisation("WEB-SOCIETY", "society")


@pytest.fixture
def firm() -> Organisation:
    return organisation("HANBIT", "licensee")


def get(path: str, key: str = "", **query: str) -> Any:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return Client().get(f"{BASE}{path}", query, headers=headers)


def test_tariffs_are_public_with_their_documents(society: Organisation) -> None:
    version = determined(society)
    propose(actor=SYSTEM, society=society, document=tariff(version=2, valid_from="2027-01-01"))
    [listed] = get("/tariffs/").json()["results"]
    assert (listed["tariff"], listed["society"], listed["currency"]) == ("WEB", "WEB-SOCIETY", "KRW")
    assert [(v["version"], v["status"], v["valid_to"]) for v in listed["versions"]] == [
        (1, "determined", None),
        (2, "proposed", None),
    ]
    assert "document" not in listed["versions"][0]
    assert listed["in_force"] == 1
    shown = get(f"/tariffs/{version.tariff_id}/").json()
    assert shown["versions"][0]["document"] == tariff()
    assert shown["versions"][0]["sha256"] == version.sha256


def test_tariffs_are_filtered_by_society_and_name(society: Organisation) -> None:
    determined(society), determined(society, tariff(tariff="BOOK")), determined(organisation("OTHER", "society"))
    assert len(get("/tariffs/").json()["results"]) == 3
    assert len(get("/tariffs/", society="WEB-SOCIETY").json()["results"]) == 2
    assert len(get("/tariffs/", society="WEB-SOCIETY", tariff="BOOK").json()["results"]) == 1


def test_many_tariffs_take_few_queries(society: Organisation, django_assert_max_num_queries: Any) -> None:
    for n in range(5):
        determined(society, tariff(tariff=f"T{n}"))
    with django_assert_max_num_queries(4):
        assert len(get("/tariffs/").json()["results"]) == 5


def test_a_party_reads_its_licences_and_a_stranger_does_not(society: Organisation, firm: Organisation) -> None:
    licence(society, firm, determined(society), uses=["train"], tier="large")
    stranger = organisation("STRANGER", "licensee")
    keys = {of.ref: token(of)[1] for of in (society, firm, stranger)}
    for party in ("WEB-SOCIETY", "HANBIT"):
        assert get("/licences/", keys[party]).json()["results"] == [{
            "licence": "L-1", "society": "WEB-SOCIETY", "licensee": "HANBIT", "tariff": "WEB", "uses": ["train"],
            "kinds": ["*"], "territory": ["*"], "models": [], "datasets": [],
            "valid_from": "2026-01-01", "valid_to": None,
            "tier": "large", "status": "active", "conditions": None, "succeeds": None, "certificate": None,
        }]  # fmt: skip
        assert get("/licences/L-1/", keys[party]).status_code == 200
    assert get("/licences/", keys["STRANGER"]).json()["results"] == []
    assert get("/licences/L-1/", keys["STRANGER"]).status_code == 404
    assert get("/licences/").status_code == 401
    assert get("/licences/", keys["HANBIT"], status="draft").json()["results"] == []


def test_nothing_is_changed_through_these_addresses(society: Organisation) -> None:
    version = determined(society)
    key = token(society)[1]
    for path in ("/tariffs/", f"/tariffs/{version.tariff_id}/", "/licences/"):
        for method in ("post", "put", "patch", "delete"):
            answer = getattr(Client(), method)(f"{BASE}{path}", headers={"Authorization": f"Bearer {key}"})
            assert answer.status_code == 405, (method, path)


# What some use would cost


def price(tariff_id: int, body: dict[str, Any], key: str = "", language: str = "en") -> Any:
    headers = {"Accept-Language": language} | ({"Authorization": f"Bearer {key}"} if key else {})
    return Client().post(f"{BASE}/tariffs/{tariff_id}/price/", body, content_type="application/json", headers=headers)


TOKENS = {"use": "train", "kind": "web", "unit": "token", "units": 20_858_600_725}


def test_anyone_asks_what_some_use_would_cost_and_sees_every_step(society: Organisation) -> None:
    version = determined(society)
    answer = price(version.tariff_id, {"quantities": [TOKENS]})
    assert answer.status_code == 200, answer.content
    shown = answer.json()
    assert {name: shown[name] for name in ("tariff", "version", "status", "currency", "amount", "billable")} == {
        "tariff": "WEB", "version": 1, "status": "determined", "currency": "KRW", "amount": 428_586, "billable": True,
    }  # fmt: skip
    [line] = shown["lines"]
    assert (line["name"], line["quantity"], line["unit"], line["amount"]) == (
        "training tokens", TOKENS["units"], "token", 428_586,
    )  # fmt: skip
    assert [step["product"] for step in line["explanation"]] == ["50000", "270000", "108586.00725", "428586"]
    assert line["words"][2] == {
        "label": "Tier from 10,000,000,001",
        "value": "₩108,586.00725",
        "detail": "10,858,600,725 tokens × ₩0.01 ÷ 1,000",
    }
    assert shown["words"][-1] == {"label": "Sum of the charges", "value": "₩428,586", "detail": ""}
    assert (shown["unpriced"], shown["missing"], shown["problems"]) == ([], [], [])


def test_the_explanation_comes_in_the_readers_language(society: Organisation) -> None:
    version = determined(society)
    korean = price(version.tariff_id, {"quantities": [TOKENS]}, language="ko").json()
    assert "토큰" in korean["lines"][0]["words"][0]["detail"]


def test_what_has_no_price_and_what_was_not_given_is_listed(society: Organisation) -> None:
    version = determined(society, read("greatest-of-revenue-and-subscribers"))
    shown = price(version.tariff_id, {"quantities": [TOKENS], "bases": {"revenue": 1_000}}).json()
    assert (shown["billable"], shown["missing"], shown["period_months"]) == (False, ["subscribers"], 1)
    assert shown["unpriced"] == [{**TOKENS, "works": 0}]
    assert [problem["code"] for problem in shown["problems"]] == ["unpriced", "missing_base"]
    whole = price(version.tariff_id, {"bases": {"revenue": 1_000, "subscribers": 2}}).json()
    assert (whole["amount"], whole["billable"], [rule["amount"] for rule in whole["adjustments"]]) == (
        600,
        True,
        [-100],
    )
    elsewhere = price(version.tariff_id, {"scope": {"uses": ["train"], "kinds": ["*"]}}).json()
    assert (elsewhere["amount"], elsewhere["billable"]) == (0, True)


def test_a_tier_and_works_are_priced(society: Organisation) -> None:
    version = determined(society, read("works-by-firm-size"))
    works = {"use": "train", "kind": "music", "unit": "second", "units": 900, "works": 3}
    assert price(version.tariff_id, {"tier": "medium", "quantities": [works]}).json()["amount"] == 12_000
    refused = price(version.tariff_id, {"tier": "gigantic", "quantities": [works]})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "unknown_tier")


def test_what_has_prices_for_tiers_only_is_not_free_without_one(society: Organisation) -> None:
    tiered = determined(society, tariff(charge("flat", amount="100", licensee_tiers=["small"])))
    refused = price(tiered.tariff_id, {})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, "tier_missing")
    assert refused.json()["errors"][0]["pointer"] == "/tier"


def test_the_version_is_that_of_the_day_or_the_one_named(society: Organisation) -> None:
    version = determined(society, tariff(charge("flat", amount="100"), valid_to="2026-07-01"))
    determined(society, tariff(charge("flat", amount="200"), version=2, valid_from="2026-07-01", valid_to="2026-10-01"))
    propose(
        actor=SYSTEM, society=society, document=tariff(charge("flat", amount="300"), version=3, valid_from="2099-01-01")
    )

    def amount(**asked: Any) -> Any:
        return price(version.tariff_id, asked).json().get("amount")

    assert [amount(on="2026-06-30"), amount(on="2026-07-01")] == [100, 200]
    assert [amount(version=n) for n in (1, 2, 3)] == [100, 200, 300]
    late = price(version.tariff_id, {"on": "2026-10-01"})
    assert (late.status_code, late.json()["errors"][0]["code"]) == (400, "no_tariff_in_force")
    assert price(version.tariff_id, {"on": "2026-06-30", "version": 1}).status_code == 400
    assert price(version.tariff_id, {"version": 4}).status_code == 404
    assert price(10**9, {}).status_code == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"quantities": [TOKENS | {"units": -1}]}, "/quantities/0/units"),
        ({"quantities": [TOKENS | {"use": "read"}]}, "/quantities/0/use"),
        ({"quantities": [TOKENS] * 201}, "/quantities"),
        ({"bases": {"revenue": -5}}, "/bases/revenue"),
        ({"scope": {"uses": ["train"]}}, "/scope/kinds"),
        ({"on": "soon"}, "/on"),
        ({"version": 0}, "/version"),
    ],
)
def test_what_is_asked_wrongly_is_told_by_its_place(society: Organisation, body: dict[str, Any], pointer: str) -> None:
    answer = price(determined(society).tariff_id, body)
    assert answer.status_code == 400
    assert pointer in {error["pointer"] for error in answer.json()["errors"]}


def test_asking_stores_nothing(society: Organisation) -> None:
    version = determined(society)
    before = Event.objects.count()
    assert price(version.tariff_id, {"quantities": [TOKENS]}).status_code == 200
    assert Event.objects.count() == before


def test_a_draft_is_its_societys_own(society: Organisation) -> None:
    of = determined(society).tariff
    draft = tariff(charge("flat", amount="7"), version=2, valid_from="2027-01-01")
    TariffVersion.objects.create(
        tariff=of, version=2, document=draft, sha256=core.digest(draft), valid=DateRange(date(2027, 1, 1), None), status="draft",
    )  # fmt: skip
    first = tariff(tariff="NEW")
    unseen = Tariff.objects.create(society=society, ref="NEW", name="New", currency="KRW")
    TariffVersion.objects.create(
        tariff=unseen, version=1, document=first, sha256=core.digest(first), valid=DateRange(date(2027, 1, 1), None), status="draft",
    )  # fmt: skip
    own, stranger = token(society)[1], token(organisation("STRANGER", "society"))[1]
    for key in ("", stranger):
        assert [each["tariff"] for each in get("/tariffs/", key).json()["results"]] == ["WEB"]
        assert [v["version"] for v in get(f"/tariffs/{of.pk}/", key).json()["versions"]] == [1]
        assert get(f"/tariffs/{unseen.pk}/", key).status_code == 404
        assert price(of.pk, {"version": 2}, key).status_code == 404
        assert price(unseen.pk, {"version": 1}, key).status_code == 404
    assert len(get("/tariffs/", own).json()["results"]) == 2
    assert [v["status"] for v in get(f"/tariffs/{of.pk}/", own).json()["versions"]] == ["determined", "draft"]
    assert price(of.pk, {"version": 2}, own).json()["amount"] == 7


def test_an_interim_version_is_in_force_and_the_decision_is_public(society: Organisation) -> None:
    body = organisation("COMMISSION", "rate_body")
    of = Tariff.objects.create(society=society, ref="WEB", name="Web", currency="KRW")
    decided = {"determined_by": body, "determined_at": timezone.now()}
    proposal = TariffVersion.objects.create(
        tariff=of, version=1, document=tariff(), sha256=core.digest(tariff()), valid=DateRange(date(2026, 1, 1), None),
        status="amended", addressed_to=body, published_at=timezone.now(), reasons="Costs rose.", effect="Little.",
        consultation=DateRange(date(2025, 11, 1), date(2025, 12, 1)), decide_by=date(2025, 12, 31), **decided,
    )  # fmt: skip
    other = tariff(charge("flat", amount="5"), version=2)
    result = TariffVersion.objects.create(
        tariff=of, version=2, document=other, sha256=core.digest(other), valid=DateRange(date(2026, 1, 1), None),
        status="interim", amends=proposal, **decided,
    )  # fmt: skip
    Decision.objects.create(
        version=proposal, body=body, outcome="amended", reasons="Too dear.", result=result, decided_at=timezone.now()
    )
    shown = get(f"/tariffs/{of.pk}/").json()
    assert shown["in_force"] == get("/tariffs/").json()["results"][0]["in_force"] == 2
    first, second = shown["versions"]
    assert (first["reasons"], first["effect"], first["addressed_to"]) == ("Costs rose.", "Little.", "COMMISSION")
    assert first["consultation"] == {"opens": "2025-11-01", "closes": "2025-12-01"}
    assert [(d["outcome"], d["body"], d["reasons"], d["result"]) for d in first["decisions"]] == [
        ("amended", "COMMISSION", "Too dear.", 2)
    ]
    assert (second["status"], second["amends"], second["consultation"]) == ("interim", 1, None)
