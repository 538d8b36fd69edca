"""Pages of tariffs: what each audience sees and may do."""

from __future__ import annotations

import datetime
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.identity.core import SYSTEM
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from licensing.tariffs.examples import EXAMPLES, read
from licensing.tariffs.services import draft, propose, publish
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


def test_a_firm_that_is_not_here_yet_is_led_from_the_rates_to_a_licence(society: Organisation) -> None:
    """It registers, and goes on to the tariff that it read."""
    version = determined(society, tariff(charge("flat", amount="100")))
    onward = quote(f"/licences/requests/new/?tariff={version.tariff_id}", safe="")
    address = f"/tariffs/{version.tariff_id}/"
    assert f'href="/join/firm/?next={onward}"' in text(Client().get(address))
    assert "/join/firm/" not in text(signed_in(person(society)).get(address))


def test_anyone_reads_a_tariff_in_plain_words(society: Organisation) -> None:
    version = determined(society, tariff(*EVERY_MODEL, minimum="50000000", period_months=12))
    assert "Web text for training" in text(Client().get("/tariffs/"))
    shown = text(Client().get(f"/tariffs/{version.tariff_id}/"))
    for said in (
        "For any use of works of any kind: ₩100,000 a year, whatever was used.",
        "₩0.05 for each 1,000 pages",
        "₩5 for each 1,000 tokens up to 1,000 and ₩3 above 1,000; each price counts for what lies in its own tier.",
        "by licensees of the tier “large”: ₩5 for each of the tokens used",
        "For grounding on works of any kind: ₩30 for each package of 1,000 tokens; a package begun counts whole",
        "₩1.50 for each distinct work",
        "2.5% of the amount “revenue” that the licensee declares",
        "The charges that apply add up.",
        "At least ₩50,000,000 a year is owed.",
        "for a billing period of 12 months",
        "Copyright-Commission",
        version.sha256,
        f"http://testserver/api/v1/tariffs/{version.tariff_id}/",
    ):
        assert said in shown, said
    assert "Draft the next version" not in shown
    assert Client(headers={"Accept-Language": "ko"}).get(f"/tariffs/{version.tariff_id}/").status_code == 200


def test_a_worked_example_reaches_every_tier_and_adds_up(society: Organisation) -> None:
    version = determined(society)
    shown = text(Client().get(f"/tariffs/{version.tariff_id}/"))
    assert "15,000,000,001 tokens, for training, works of the kind web" in shown
    assert "5,000,000,001 tokens × ₩0.01 ÷ 1,000" in shown
    assert "₩370,000" in shown  # 50,000 + 270,000 + 50,000.00001


@pytest.mark.parametrize("name", list(EXAMPLES))
def test_every_shape_has_a_worked_example_without_a_gap(society: Organisation, name: str) -> None:
    version = determined(society, read(name))
    shown = text(Client().get(f"/tariffs/{version.tariff_id}/"))
    assert "A worked example" in shown
    assert "Not priced." not in shown
    assert "is not given" not in shown


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
    assert "“revenue” is not given" in missing


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


def test_a_day_chooses_the_version_that_prices_on_it(society: Organisation) -> None:
    first = determined(society)
    determined(society, tariff(version=2, valid_from="2026-06-01"))
    address = f"/tariffs/{first.tariff_id}/"
    assert "On 31 May 2026, version 1 is in force." in text(Client().get(address, {"on": "2026-05-31"}))
    assert "On 1 Jun 2026, version 2 is in force." in text(Client().get(address, {"on": "2026-06-01"}))
    assert "No version of this tariff is in force on 1 Jan 2020." in text(Client().get(address, {"on": "2020-01-01"}))
    for odd in ("2026-13-01", "x", "9" * 40, "2026-1-1", "2026-W01-1", ""):
        assert Client().get(address, {"on": odd}).status_code == 200


def test_a_draft_is_its_societys_own(society: Organisation) -> None:
    version = determined(society)
    ours, others = signed_in(person(society, "licensing")), Client()
    drafted = draft(actor=staff(society, "tariffs.manage"), society=society, document=tariff(version=2, minimum="9"))
    assert "Only your society sees it." in text(ours.get(f"/tariffs/{version.tariff_id}/?version=2"))
    assert "Version 2" not in text(others.get(f"/tariffs/{version.tariff_id}/?version=2"))
    assert others.get(f"/tariffs/versions/{drafted.pk}/document.json").status_code == 404
    assert "₩9" not in text(others.get(f"/tariffs/{version.tariff_id}/compare/?from=1&to=2"))
    assert "version 2" not in text(others.get("/tariffs/"))
    assert "version 2" in text(ours.get("/tariffs/"))


def test_what_a_version_changes_is_said_charge_by_charge(society: Organisation) -> None:
    version = determined(
        society, tariff(charge("flat", "entry", amount="1000"), charge("per_work", "works", price="3"))
    )
    later = tariff(
        charge("flat", "entry", amount="1200"), charge("percentage", "share", base="revenue", percent="2"),
        version=2, valid_from="2027-01-01", minimum="9",
    )  # fmt: skip
    propose(actor=SYSTEM, society=society, document=later)
    assert "against version 1" in text(Client().get(f"/tariffs/{version.tariff_id}/?version=2"))
    shown = text(Client().get(f"/tariffs/{version.tariff_id}/compare/?from=1&to=2"))
    for said in (
        "+20%",
        "₩1,000",
        "₩1,200",
        "Added",
        "Removed",
        "Minimum a period",
        "₩9",
        "<ins>+ &quot;minimum&quot;: &quot;9&quot;",
    ):
        assert said in shown, said
    back = text(Client().get(f"/tariffs/{version.tariff_id}/compare/?from=2&to=1"))
    assert "−16.67%" in back
    assert "They do not differ" in text(Client().get(f"/tariffs/{version.tariff_id}/compare/?from=1&to=1"))


def test_tiers_are_compared_on_the_page(society: Organisation) -> None:
    version = determined(society)
    tiers = [{"up_to": 5_000_000_000, "price": "0.05"}, {"price": "0.02"}]
    new = charge("graduated", "training tokens", per=1000, tiers=tiers, uses=["train"], kinds=["web"])
    propose(actor=SYSTEM, society=society, document=tariff(new, version=2))
    shown = text(Client().get(f"/tariffs/{version.tariff_id}/compare/"))
    assert "1,000,000,001 – 5,000,000,000" in shown
    assert "+66.67%" in shown
    assert "above 10,000,000,000" in shown


@pytest.mark.parametrize("asked", [{"from": "x"}, {"to": "9" * 30}, {"from": "²", "to": "-1"}, {}])
def test_a_comparison_of_odd_versions_shows_some(society: Organisation, asked: dict[str, str]) -> None:
    version = determined(society)
    assert Client().get(f"/tariffs/{version.tariff_id}/compare/", asked).status_code == 200


def test_few_queries_however_many_versions(society: Organisation) -> None:
    version = determined(society)
    client = Client()

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            for address in (
                "/tariffs/",
                f"/tariffs/{version.tariff_id}/?version=1",
                f"/tariffs/{version.tariff_id}/compare/",
            ):
                assert client.get(address).status_code == 200
        return len(found)

    before = queries()
    for number in range(2, 6):
        propose(actor=SYSTEM, society=society, document=tariff(version=number))
    assert queries() == before
    assert before < 25


def test_a_consultation_that_is_open_stands_above_the_list(society: Organisation, body: Organisation) -> None:
    proposed = propose(actor=SYSTEM, society=society, document=tariff())
    today = timezone.localdate()
    publish(
        actor=staff(society, "tariffs.manage"), version=proposed, body=body, reasons="Fair.", effect="Little.",
        closes=today + datetime.timedelta(days=30), decide_by=today + datetime.timedelta(days=90),
    )  # fmt: skip
    shown = text(Client().get("/tariffs/"))
    assert "open consultations" in shown
    assert f'href="/consultations/{proposed.pk}/"' in shown
    assert "Open for comments." in text(Client().get(f"/tariffs/{proposed.tariff_id}/"))
    assert "Web text" in text(Client().get("/tariffs/", {"state": "open"}))
    assert "No tariff fits" in text(Client().get("/tariffs/", {"state": "in_force"}))


def test_a_rate_body_sees_what_waits_for_it(society: Organisation, body: Organisation) -> None:
    propose(actor=SYSTEM, society=society, document=tariff())
    assert "Waiting for your decision" in text(signed_in(person(body)).get("/tariffs/"))
    assert "Waiting for your decision" not in text(Client().get("/tariffs/"))


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
