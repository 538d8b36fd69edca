"""What a person finds first: requests to quote and offers to sign, only while it is theirs to do."""

from __future__ import annotations

import pytest

from licensing.licences.models import Offer
from licensing.licences.services import waiting_for
from tests.licensing.licence_world import DAY, World, person
from tests.licensing.test_licence_request_pages import browser
from tests.licensing.test_tariff_pages import text

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return World()


def counts(world: World, who: str) -> tuple[int, int]:
    waiting = waiting_for(getattr(world, who), world.today)
    return waiting.to_quote, waiting.to_sign


def test_a_request_waits_for_the_society_until_it_is_quoted(world: World) -> None:
    request = world.submitted()
    assert (counts(world, "clerk"), counts(world, "director")) == ((1, 0), (0, 0))
    world.quoted(request)
    assert counts(world, "clerk") == (0, 0)


def test_an_offer_waits_for_those_who_may_sign_it_and_have_not(world: World) -> None:
    """Who made it does not sign it, and a declarant signs nothing."""
    offer = world.offered()
    expected = {"clerk": 0, "signer": 1, "director": 1, "declarant": 0}
    assert {who: counts(world, who)[1] for who in expected} == expected
    world.sign(world.director, offer)
    assert (counts(world, "director"), counts(world, "signer")) == ((0, 0), (0, 1))
    world.sign(world.signer, offer)
    assert counts(world, "signer") == (0, 0)


def test_an_offer_that_ran_out_waits_for_nobody(world: World) -> None:
    world.offered()
    assert Offer.objects.get().valid_to == world.today + DAY
    assert waiting_for(world.director, world.today + DAY).to_sign == 0


def test_the_overview_says_it_to_both_sides(world: World) -> None:
    firm, society = browser(world.director), browser(world.signer)
    world.submitted()
    assert "1 request for a licence to quote" in text(society.get("/overview/"))
    world.offered()
    assert "1 offer of a licence to sign" in text(society.get("/overview/"))
    assert "1 offer of a licence to sign" in text(firm.get("/overview/"))


def test_a_firm_without_a_licence_is_led_to_one(world: World) -> None:
    page = browser(world.director).get("/overview/").content.decode()
    assert "/licences/requests/new/" in page and "/licences/ready/" in page
    viewer = browser(person(world.firm, "viewer")).get("/overview/").content.decode()
    assert 'href="/licences/requests/new/"' not in viewer
