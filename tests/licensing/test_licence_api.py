"""Licences and requests for them over the API: a firm's program asks and reads; people sign."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.identity.core import NotFound
from licensing.licences.models import LicenceRequest
from licensing.licences.pages import showing
from licensing.tariffs import services as tariffs
from tests.config.api_matrix import operations
from tests.licensing.licence_world import DAY, TOKENS, World, rates
from tests.licensing.parties import licence as granted
from tests.licensing.parties import organisation
from tests.licensing.test_permission_check import client_of

pytestmark = pytest.mark.django_db
URL = "/api/v1/licence-requests/"


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> APIClient:
    return client_of(world.firm, "licences.request")


def body(world: World, **change: Any) -> dict[str, Any]:
    return {
        "society": "WEB-SOCIETY", "tariff": world.tariff.ref, "uses": ["train"], "kinds": ["web"], "territory": ["KR"],
        "models": ["han-1"], "term_from": str(world.today + DAY), "term_to": str(world.today + 365 * DAY), "tier": "large",
        "tier_evidence": "800 employees", "quantities": TOKENS,
    } | change  # fmt: skip


def test_a_program_asks_sends_and_reads_the_quote_with_its_explanation(world: World, client: APIClient) -> None:
    made = client.post(URL, body(world), format="json")
    assert (made.status_code, made.json()["status"], made.json()["quotes"]) == (201, "draft", [])
    ref = made.json()["request"]
    sent = client.post(f"{URL}{ref}/submit/")
    assert (sent.status_code, sent.json()["status"]) == (202, "submitted")
    world.quoted(LicenceRequest.objects.get(ref=ref))
    shown = client.get(f"{URL}{ref}/").json()
    (quote,) = shown["quotes"]
    assert (shown["status"], quote["amount"], quote["currency"], quote["version"]) == ("quoted", 10_000, "KRW", 1)
    assert sum(line["amount"] for line in quote["explanation"]["lines"]) == 10_000
    assert [each["request"] for each in client.get(f"{URL}?status=quoted").json()["results"]] == [ref]
    assert client.get(f"{URL}?status=draft").json()["results"] == []


def test_a_tariff_that_is_a_draft_is_none_to_those_who_ask(world: World, client: APIClient) -> None:
    """Its charges and sizes would be shown on the way to a price."""
    secret = rates(tariff="SECRET", valid_from=str(world.today))
    draft = tariffs.draft(actor=world.clerk, society=world.society, document=secret)
    asked = client.post(URL, body(world, tariff="SECRET"), format="json")
    assert (asked.status_code, LicenceRequest.objects.count()) == (404, 0)
    assert asked.json()["detail"] == client.post(URL, body(world, tariff="NONE"), format="json").json()[
        "detail"
    ].replace("NONE", "SECRET")
    with pytest.raises(NotFound):
        showing.schedule_of(draft.tariff, world.today)


def test_an_offer_is_read_with_its_digest_and_papers_and_signed_by_no_program(world: World, client: APIClient) -> None:
    offer = world.offered()
    shown = client.get(f"{URL}{offer.request.ref}/").json()["offers"][0]
    assert (shown["sha256"], shown["status"], shown["signatures"], shown["licence"]) == (offer.sha256, "open", [], None)
    assert shown["conditions"]["retention_days"] == 365
    for paper in shown["documents"]:
        sent = client.get(paper["url"])
        data = b"".join(sent.streaming_content)
        assert (sent["Content-Type"], len(data)) == ("application/pdf", paper["bytes"])
    assert client.get(f"{URL}{offer.request.ref}/offers/{offer.pk}/fr/").status_code == 404
    assert not [each for each in operations() if "licence" in each.route and "sign" in each.route]


def test_sending_may_be_part_of_asking_and_a_key_asks_once(world: World, client: APIClient) -> None:
    key = {"HTTP_IDEMPOTENCY_KEY": "once"}
    first = client.post(URL, body(world, submit=True), format="json", **key)
    again = client.post(URL, body(world, submit=True), format="json", **key)
    assert (first.status_code, first.json()["status"]) == (201, "submitted")
    assert first.json() == again.json() and LicenceRequest.objects.count() == 1
    assert client.post(URL, body(world), format="json", **key).status_code == 409


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"uses": ["sing"]}, "/uses/0", "invalid_choice"),
        ({"uses": []}, "/uses", "min_length"),
        ({"territory": ["UK"]}, "/territory", "unknown_territory"),
        ({"term_to": "2001-01-01"}, "/term_to", "empty_term"),
        ({"society": "NOBODY"}, "/society", ""),
        ({"renews": "L-0"}, "/renews", ""),
        ({"quantities": [TOKENS[0] | {"use": "index"}]}, "/quantities/0", "not_asked_for"),
        ({"tier_evidence": "", "submit": True}, "/tier_evidence", "evidence_missing"),
    ],
)
def test_what_cannot_be_asked_for_is_a_problem_with_its_place(
    world: World, client: APIClient, change: dict[str, Any], pointer: str, code: str
) -> None:
    answer = client.post(URL, body(world, **change), format="json")
    assert answer.status_code in (400, 404), answer.content
    assert answer["Content-Type"] == "application/problem+json"
    places = [(error["pointer"], error["code"]) for error in answer.json()["errors"]]
    assert any(place == pointer and (not code or said == code) for place, said in places), places
    assert not LicenceRequest.objects.exists()


def test_a_request_renews_a_licence_or_amends_it_never_both(world: World, client: APIClient) -> None:
    granted(world.society, world.firm, world.tariff.versions.get())
    refused = client.post(URL, body(world, renews="L-1", amends="L-1"), format="json")
    assert (refused.status_code, refused.json()["code"]) == (400, "renews_and_amends")
    assert not LicenceRequest.objects.exists()


def test_a_request_is_withdrawn(world: World, client: APIClient) -> None:
    asked = world.submitted()
    answer = client.post(f"{URL}{asked.ref}/withdraw/", {"reason": "We changed our plans."}, format="json")
    assert (answer.status_code, answer.json()["status"], answer.json()["reason"]) == (
        200,
        "withdrawn",
        "We changed our plans.",
    )
    assert client.post(f"{URL}{asked.ref}/submit/").status_code == 409


def test_a_society_reads_what_was_sent_to_it_and_asks_for_nothing(world: World) -> None:
    draft, sent = world.ask(), world.submitted()
    society = client_of(world.society, "licences.manage")
    assert [each["request"] for each in society.get(URL).json()["results"]] == [sent.ref]
    assert society.get(f"{URL}{draft.ref}/").status_code == 404
    assert society.post(URL, body(world), format="json").status_code == 403


def test_a_stranger_finds_nothing(world: World) -> None:
    offer = world.offered()
    rival = client_of(organisation("RIVAL", "licensee"), "licences.request")
    assert rival.get(URL).json()["results"] == []
    for address in (f"{URL}{offer.request.ref}/", f"{URL}{offer.request.ref}/offers/{offer.pk}/ko/"):
        assert rival.get(address).status_code == 404
    assert rival.post(f"{URL}{offer.request.ref}/withdraw/", {}, format="json").status_code == 404


def test_a_licence_shows_its_conditions_what_it_follows_and_its_certificate(world: World, client: APIClient) -> None:
    licence = world.signed()
    shown = client.get(f"/api/v1/licences/{licence.ref}/").json()
    assert shown["certificate"] == licence.certificate.code
    assert (shown["conditions"]["reporting_months"], shown["succeeds"]) == (3, None)
    assert shown["valid_from"] == str(world.today + DAY)
    assert datetime.date.fromisoformat(shown["valid_to"]) == world.today + 365 * DAY


def test_a_licence_granted_by_hand_has_no_conditions_and_no_certificate(world: World, client: APIClient) -> None:
    version = world.tariff.versions.get()
    made = granted(world.society, world.firm, version, tier="large")
    shown = client.get(f"/api/v1/licences/{made.ref}/").json()
    assert (shown["conditions"], shown["succeeds"], shown["certificate"]) == (None, None, None)
