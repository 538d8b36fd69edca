"""Quotes: priced by the version in force on the first day, to the won, with their explanation; valid for a while."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Conflict, Refusal
from accounts.notices.models import Notice
from licensing.licences import services
from licensing.licences.models import Quote
from licensing.tariffs.core import Rating
from licensing.tariffs.services import import_tariff
from tests.licensing.licence_world import DAY, TOKENS, World, code_of, on, rates
from tests.licensing.parties import determined
from tests.licensing.tariff_documents import charge, tariff


@pytest.fixture
def world(db: None) -> World:
    return World()


def test_a_quote_is_the_price_of_a_period_with_its_explanation(world: World) -> None:
    """₩2 for each of 5,000 thousands of tokens."""
    quote = world.quoted()
    assert (quote.amount, quote.currency, quote.tier) == (10_000, "KRW", "large")
    assert (quote.quantities, quote.version.version) == (TOKENS, 1)
    rating = Rating.from_data(quote.rating)
    assert rating.amount == sum(line.amount for line in rating.lines) + sum(line.amount for line in rating.adjustments)
    assert [line.name for line in rating.lines] == ["large"]
    assert quote.request.status == "quoted"
    told = Notice.objects.get(key=f"licence-quoted:{quote.pk}")
    assert told.user_id == world.director.user_id


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tokens=st.integers(0, 10**12), tier=st.sampled_from(["small", "large"]))
def test_the_price_is_that_of_the_tariff_for_any_quantity(world: World, tokens: int, tier: str) -> None:
    """Half up to the won, worked out here in whole numbers alone."""
    rows = [TOKENS[0] | {"units": tokens}]
    _version, rating = services.price(
        tariff=world.tariff, day=world.today, tier=tier, uses=["train"], kinds=["web"], quantities=rows
    )
    won = {"small": 1, "large": 2}[tier]
    assert rating.amount == (2 * tokens * won + 1000) // 2000


def test_the_society_sets_the_size_that_the_evidence_shows_and_says_why(world: World) -> None:
    request = world.submitted(tier="small", tier_evidence="We are ten people.")
    with pytest.raises(Refusal) as refused:
        world.quoted(request, tier="large")
    assert code_of(refused) == "reason_missing"
    quote = world.quoted(request, tier="large", reason="Your accounts show 800 employees.")
    assert (quote.tier, quote.amount, request.tier) == ("large", 10_000, "small")
    assert quote.message == "Your accounts show 800 employees."
    event = Event.objects.about("licence_request", request.pk).get(verb="licence_request.quoted")
    assert (event.data["claimed"], event.data["tier"]) == ("small", "large")


def test_the_society_may_correct_the_figures(world: World) -> None:
    quote = world.quoted(quantities=[TOKENS[0] | {"units": 1_000}])
    assert (quote.amount, quote.request.quantities) == (2, TOKENS)


def version_two(world: World, start: datetime.date) -> None:
    """From that day on everything costs ten times as much."""
    dear = rates(version=2, valid_from=start.isoformat())
    for entry in dear["charges"]:
        entry["price"] += "0"
    import_tariff(
        actor=SYSTEM, society=world.society, document=dear, determined_by=world.tariff.versions.get().determined_by
    )


def test_the_version_in_force_on_the_first_day_prices(world: World) -> None:
    version_two(world, world.today + 10 * DAY)
    before = world.quoted(world.submitted(term_from=world.today + 9 * DAY))
    after = world.quoted(world.submitted(term_from=world.today + 10 * DAY))
    assert (before.amount, before.version.version) == (10_000, 1)
    assert (after.amount, after.version.version) == (100_000, 2)


def test_a_term_beyond_all_known_versions_is_priced_by_todays(world: World) -> None:
    ends = tariff(charge("flat", amount="1000"), tariff="ENDS", valid_to=(world.today + 30 * DAY).isoformat())
    short = determined(world.society, ends).tariff
    request = world.submitted(tariff=short, tier="", term_from=world.today + 60 * DAY, quantities=[])
    assert world.quoted(request).amount == 1000


def test_no_version_in_force_no_quote(world: World) -> None:
    over = tariff(charge("flat", amount="1000"), tariff="OVER", valid_to="2026-02-01")
    request = world.submitted(tariff=determined(world.society, over).tariff, tier="", quantities=[])
    with pytest.raises(Refusal) as refused:
        world.quoted(request)
    assert code_of(refused) == "no_tariff_in_force"


@pytest.mark.parametrize(
    ("charges", "asked", "code"),
    [
        ([charge("per_unit", unit="page", per=1, price="1")], {}, "unpriced"),
        ([charge("percentage", base="revenue", percent="3")], {"quantities": []}, "missing_base"),
    ],
)
def test_what_has_no_price_has_no_quote(world: World, charges: list[Any], asked: dict[str, Any], code: str) -> None:
    other = determined(world.society, tariff(*charges, tariff="OTHER")).tariff
    request = world.submitted(**({"tariff": other, "tier": ""} | asked))
    with pytest.raises(Refusal) as refused:
        world.quoted(request)
    assert code_of(refused) == code
    request.refresh_from_db()
    assert request.status == "submitted" and not Quote.objects.exists()


@pytest.mark.parametrize(
    ("charges", "asked", "code", "pointer"),
    [
        ([charge("flat", amount="5", uses=["ground"])], {}, "not_priced", "/uses"),
        ([charge("flat", amount="5", uses=["train"])], {"uses": ["train", "ground"]}, "not_priced", "/uses"),
        ([charge("flat", amount="5", kinds=["book"])], {"kinds": ["book", "web"]}, "not_priced", "/kinds"),
        ([charge("flat", amount="5", licensee_tiers=["small"])], {}, "no_rates_for_tier", "/tier"),
        ([charge("flat", amount="5", licensee_tiers=["small"])], {"tier": "huge"}, "no_rates_for_tier", "/tier"),
    ],
)
def test_what_the_rates_do_not_price_is_not_asked_for(
    world: World, charges: list[Any], asked: dict[str, Any], code: str, pointer: str
) -> None:
    """Given rates for other uses, kinds or sizes, when a firm sends its request, then it learns what has no price."""
    other = determined(world.society, tariff(*charges, tariff="OTHER")).tariff
    with pytest.raises(Refusal) as refused:
        world.submitted(**({"tariff": other, "tier": "", "quantities": []} | asked))
    assert (code_of(refused), refused.value.pointer) == (code, pointer)


def test_rates_that_come_to_price_less_give_no_quote_for_nothing(world: World) -> None:
    """Given a request that the rates priced when it was sent, when others are determined, then it is no gift."""
    first = tariff(charge("flat", amount="5", uses=["train"]), tariff="TURN")
    request = world.submitted(tariff=determined(world.society, first).tariff, tier="", quantities=[])
    begins = request.term.lower.isoformat()
    determined(
        world.society, tariff(charge("flat", amount="5", uses=["ground"]), tariff="TURN", version=2, valid_from=begins)
    )
    with pytest.raises(Refusal) as refused:
        world.quoted(request)
    assert code_of(refused) == "not_priced"


def test_a_declared_base_prices_a_percentage(world: World) -> None:
    share = determined(world.society, tariff(charge("percentage", base="revenue", percent="3"), tariff="SHARE")).tariff
    quote = world.quoted(world.submitted(tariff=share, tier="", quantities=[], bases={"revenue": 123_456_783}))
    assert quote.amount == 3_703_703  # 3,703,703.49


@pytest.mark.parametrize("days", [0, -1, 367])
def test_a_quote_holds_from_today_on_for_a_year_at_most(world: World, days: int) -> None:
    with pytest.raises(Refusal) as refused:
        world.quoted(days=days)
    assert (code_of(refused), refused.value.pointer) == ("bad_valid_to", "/valid_to")


def test_a_request_is_quoted_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    first = world.quoted(world.submitted(term_from=world.today + 60 * DAY), days=1)
    on(world.today + 5 * DAY, monkeypatch)
    assert not first.request.quotes.standing(world.today + 5 * DAY).exists()
    second = world.quoted(first.request)
    assert [quote.pk for quote in first.request.quotes.order_by("pk")] == [first.pk, second.pk]


def test_nothing_is_quoted_while_an_offer_is_open(world: World) -> None:
    offer = world.offered()
    with pytest.raises(Conflict):
        world.quoted(offer.request)
    assert Quote.objects.count() == 1
