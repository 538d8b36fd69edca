"""Pages of tariffs: what each audience sees and may do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils.translation import override

from accounts.identity.core import SYSTEM
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from licensing.tariffs.models import TariffVersion
from licensing.tariffs.services import propose, refuse
from tests.accounts.people import organisation, person
from tests.licensing.parties import determined, staff
from tests.licensing.tariff_documents import charge, tariff

pytestmark = pytest.mark.django_db


@pytest.fixture
def society() -> Organisation:
    return organisation("WEB-SOCIETY", "society", name="Web Society")


@pytest.fixture
def body() -> Organisation:
    return organisation("COMMISSION", "rate_body")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


EVERY_MODEL = [
    charge("flat", amount="100000"),
    charge("per_unit", per=1000, price="0.05", unit="page"),
    charge("graduated", per=1000, tiers=[{"up_to": 1000, "price": "5"}, {"price": "3"}]),
    charge("volume", per=1, tiers=[{"price": "5"}], licensee_tiers=["large"]),
    charge("package", size=1000, price="30", uses=["ground"]),
    charge("per_work", price="1.5"),
    charge("percentage", base="revenue", percent="2.5"),
]


def test_anyone_reads_a_tariff_in_plain_words(society: Organisation) -> None:
    version = determined(society, tariff(*EVERY_MODEL, minimum="50000000"))
    assert "Web text for training" in text(Client().get("/tariffs/"))
    shown = text(Client().get(f"/tariffs/{version.tariff_id}/"))
    for said in (
        "₩100,000 a period, whatever was used",
        "₩0.05 for 1,000 pages",
        "For 1,000 tokens, each tier at its own price:",
        "up to 1,000",
        "all at the price of the tier that is reached:",
        "₩30 for each package of 1,000 tokens; a package begun counts whole",
        "₩1.50 for each distinct work",
        "2.5% of the declared base “revenue”",
        "₩50,000,000",
        "Copyright-Commission",
    ):
        assert said in shown, said
    assert "Propose" not in shown
    with override("ko"):
        assert Client(headers={"Accept-Language": "ko"}).get(f"/tariffs/{version.tariff_id}/").status_code == 200


def test_figures_are_tried_without_storing_anything(society: Organisation) -> None:
    version = determined(society)
    address = f"/tariffs/{version.tariff_id}/"
    shown = text(Client().get(address, {"try": "1", "use": "train", "kind": "web", "units_token": "20858600725"}))
    assert "₩428,586" in shown
    assert "10,858,600,725 tokens × ₩0.01 ÷ 1,000" in shown
    assert "₩108,586.00725" in shown


def test_figures_of_every_field_are_tried(society: Organisation) -> None:
    version = determined(society, tariff(*EVERY_MODEL))
    address = f"/tariffs/{version.tariff_id}/"
    figures = {
        "try": "1",
        "use": "train",
        "kind": "web",
        "units_token": "100",
        "works": "2",
        "base_0": "1,000",
        "tier": "large",
    }
    shown = text(Client().get(address, figures))
    assert "₩100,529" in shown  # 100,000 + 0.5 + 500 + 3 + 25
    missing = text(Client().get(address, figures | {"base_0": ""}))
    assert "The base “revenue” is not given" in missing


@pytest.mark.parametrize("units", ["-1", "1e3", "x", "9" * 30, "1.5"])
def test_figures_that_cannot_be_used_are_said(society: Organisation, units: str) -> None:
    version = determined(society)
    shown = text(Client().get(f"/tariffs/{version.tariff_id}/", {"try": "1", "units_token": units}))
    assert "These figures cannot be used." in shown


@pytest.mark.parametrize("base", ["-1", "NaN", "Infinity", "1e40", "0.5", "x"])
def test_bases_that_are_no_money_are_said(society: Organisation, base: str) -> None:
    version = determined(society, tariff(*EVERY_MODEL))
    shown = text(Client().get(f"/tariffs/{version.tariff_id}/", {"try": "1", "base_0": base}))
    assert "Write an amount" in shown


def test_a_society_drafts_by_text_and_by_file(society: Organisation) -> None:
    client = signed_in(person(society, "licensing"))
    answer = client.post("/tariffs/propose/", {"text": json.dumps(tariff())}, follow=True)
    assert "The draft is saved" in text(answer)
    file = SimpleUploadedFile("v2.json", json.dumps(tariff(version=2)).encode())
    client.post("/tariffs/propose/", {"file": file})
    assert list(TariffVersion.objects.values_list("version", "status")) == [(1, "draft"), (2, "draft")]


def test_a_broken_document_is_told_place_by_place(society: Organisation) -> None:
    client = signed_in(person(society, "licensing"))
    broken = tariff(charge("flat", amount=5), version="1")
    for sent in ({"text": json.dumps(broken)}, {"file": SimpleUploadedFile("t.json", json.dumps(broken).encode())}):
        shown = text(client.post("/tariffs/propose/", sent))
        assert "/charges/0/amount" in shown
        assert "Write money and rates in quotes" in shown
        assert "Web text for training" in shown, "the document stays, to be put right"
    for nothing in ({}, {"text": "  "}, {"text": "{"}, {"file": SimpleUploadedFile("t.json", b"\xff\x00")}):
        assert client.post("/tariffs/propose/", nothing).status_code == 200
    assert not TariffVersion.objects.exists()


def test_a_new_version_starts_from_the_last_one(society: Organisation) -> None:
    version = determined(society)
    client = signed_in(person(society, "licensing"))
    shown = client.get("/tariffs/propose/", {"tariff": version.tariff_id}).content.decode()
    assert "&quot;version&quot;: 2" in shown
    for odd in ("x", "9" * 30, "²", "999"):
        assert client.get("/tariffs/propose/", {"tariff": odd}).status_code == 200


def test_a_rate_body_determines_or_refuses(society: Organisation, body: Organisation) -> None:
    first = propose(actor=SYSTEM, society=society, document=tariff())
    second = propose(actor=SYSTEM, society=society, document=tariff(version=2))
    client = signed_in(person(body))
    assert "Waiting for your decision" in text(client.get("/tariffs/"))
    assert "Your decision" in text(client.get(f"/tariffs/{first.tariff_id}/?version=1"))
    assert "is determined" in text(client.post(f"/tariffs/versions/{first.pk}/determine/", follow=True))
    assert "Say why" in text(
        client.post(
            f"/tariffs/versions/{second.pk}/refuse/",
            {"reason": " "},
            headers={"Referer": "http://testserver/tariffs/"},
            follow=True,
        )
    )
    assert "is refused" in text(
        client.post(f"/tariffs/versions/{second.pk}/refuse/", {"reason": "Too dear"}, follow=True)
    )
    assert list(TariffVersion.objects.order_by("pk").values_list("status", flat=True)) == ["determined", "refused"]
    ours = text(signed_in(person(society, "licensing")).get(f"/tariffs/{second.tariff_id}/?version=2"))
    assert "Too dear" in ours
    assert "Too dear" not in text(Client().get(f"/tariffs/{second.tariff_id}/?version=2"))


def test_what_differs_from_the_version_before_is_shown(society: Organisation) -> None:
    version = determined(society)
    propose(actor=SYSTEM, society=society, document=tariff(version=2, valid_from="2027-01-01", minimum="9"))
    shown = text(Client().get(f"/tariffs/{version.tariff_id}/?version=2"))
    assert "+ &quot;minimum&quot;: &quot;9&quot;" in shown


def test_each_door_opens_to_its_own_people_only(society: Organisation, body: Organisation) -> None:
    version = propose(actor=SYSTEM, society=society, document=tariff())
    decide = [f"/tariffs/versions/{version.pk}/{act}/" for act in ("determine", "refuse")]
    people = {
        "licensing": person(society, "licensing"),
        "finance": person(society, "finance"),
        "administrator": person(society, "administrator"),
        "rate body": person(body),
        "licensee": person(organisation("HANBIT", "licensee")),
    }
    may_propose = {"licensing", "administrator"}
    for who, user in people.items():
        client = signed_in(user)
        assert client.get("/tariffs/propose/").status_code == (200 if who in may_propose else 403), who
        if who != "rate body":
            assert [client.post(path, {"reason": "x"}).status_code for path in decide] == [403, 403], who
    for path in ("/tariffs/propose/", *decide):
        answer = Client().post(path)
        assert answer.status_code == 302
        assert "/accounts/login/" in answer.headers["Location"]
    version.refresh_from_db()
    assert version.status == "proposed"


def test_the_document_is_downloaded_as_it_was_proposed(society: Organisation) -> None:
    version = determined(society)
    assert Client().get(f"/tariffs/versions/{version.pk}/document.json").json() == tariff()
    assert Client().get("/tariffs/versions/999999/document.json").status_code == 404
    assert Client().get("/tariffs/999999/").status_code == 404


def test_the_list_is_searched_and_has_empty_states(society: Organisation) -> None:
    assert "No tariffs yet" in text(Client().get("/tariffs/"))
    determined(society)
    assert "Web text" in text(Client().get("/tariffs/", {"q": "web"}))
    assert "No tariff fits" in text(Client().get("/tariffs/", {"q": "opera"}))


def test_a_refusal_by_the_society_itself_is_impossible(society: Organisation) -> None:
    version = propose(actor=SYSTEM, society=society, document=tariff())
    with pytest.raises(Exception, match="not a rate body"):
        refuse(actor=staff(society, "tariffs.determine"), version=version, reason="x")
