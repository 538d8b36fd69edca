"""Tariffs and licences over the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.identity.core import SYSTEM
from accounts.organisations.models import Organisation
from licensing.tariffs.services import propose
from tests.accounts.people import organisation, token
from tests.licensing.parties import determined, licence
from tests.licensing.tariff_documents import tariff

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
            "tier": "large", "status": "active",
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
