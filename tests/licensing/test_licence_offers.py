"""Offers: the contract in both languages on a standing quote and published terms; one at a time; withdrawn or lapsed."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Conflict, Forbidden, NotFound, Refusal
from accounts.notices.models import Notice
from licensing.intake.services import path_of
from licensing.licences import services
from licensing.licences.models import Offer, StandardTerms
from licensing.licences.services import documents
from licensing.licences.tasks import lapse_offers
from licensing.tariffs.services import import_tariff
from tests.licensing.licence_world import DAY, World, code_of, on, person, rates
from tests.licensing.parties import organisation


@pytest.fixture
def world(db: None) -> World:
    return World()


@pytest.fixture
def _thin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Documents that nobody reads here are not typeset."""
    monkeypatch.setattr(documents, "pdf_of", lambda agreement, language: f"%PDF-{language}".encode())


def test_both_sides_get_the_same_contract_in_both_languages(world: World) -> None:
    offer = world.offered(conditions={"retention_days": 90})
    assert offer.sha256 == documents.digest(offer.agreement)
    assert offer.agreement["term"] == {
        "from": (world.today + DAY).isoformat(),
        "to": (world.today + 365 * DAY).isoformat(),
    }
    assert offer.agreement["quote"]["amount"] == 10_000
    assert offer.agreement["clauses"]["ko"][0]["text"] == "사본은 90일 동안 보관한다."
    papers = {paper.language: path_of(paper.file).read_bytes() for paper in offer.documents.select_related("file")}
    assert set(papers) == {"en", "ko"} and all(paper.startswith(b"%PDF-") for paper in papers.values())
    assert (offer.status, offer.request.status, offer.user_id) == ("open", "offered", world.clerk.user_id)
    verbs = Event.objects.about("licence_request", offer.request_id).values_list("verb", flat=True)
    assert "licence_request.offered" in verbs


@pytest.mark.usefixtures("_thin")
def test_conditions_are_those_of_the_terms_unless_the_offer_says_otherwise(world: World) -> None:
    offer = world.offered(conditions={"retention_days": 90, "audit_notice_days": None})
    assert offer.conditions == world.terms.conditions | {"retention_days": 90, "audit_notice_days": None}


@pytest.mark.usefixtures("_thin")
def test_those_who_may_sign_hear_of_the_offer(world: World) -> None:
    offer = world.offered()
    told = Notice.objects.filter(key=f"licence-offered:{offer.pk}").values_list("user", flat=True)
    assert set(told) == {world.clerk.user_id, world.signer.user_id, world.director.user_id}


@pytest.mark.parametrize(
    ("conditions", "pointer"),
    [
        ({"retention_days": -1}, "/retention_days"),
        ({"reporting_months": 5}, "/reporting_months"),
        ({"sublicensing": "yes"}, "/sublicensing"),
        ({"price": 0}, "/price"),
        ({"suspension_days": None}, "/suspension_days"),
    ],
)
def test_conditions_that_no_licence_has(world: World, conditions: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Refusal) as refused:
        world.offered(conditions=conditions)
    assert [error["pointer"] for error in refused.value.errors] == [pointer]
    assert not Offer.objects.exists()


@pytest.mark.parametrize("how", ["draft", "superseded", "of another society"])
def test_only_terms_that_the_society_has_published_are_offered(world: World, how: str) -> None:
    if how == "of another society":
        other = StandardTerms.objects.create(
            society=organisation("OTHER", "society"), ref="THEIRS", version=1, name="n", name_ko="n", clauses=[],
            conditions={}, sha256="0" * 64, status="published",
        )  # fmt: skip
    else:
        other = StandardTerms.objects.create(
            society=world.society, ref="OLD", version=1, name="n", name_ko="n", clauses=[], conditions={},
            sha256="0" * 64, status=how,
        )  # fmt: skip
    with pytest.raises(Refusal) as refused:
        world.offered(terms=other)
    assert (code_of(refused), refused.value.pointer) == ("terms_not_published", "/terms")


def test_who_makes_offers(world: World) -> None:
    quote = world.quoted()
    keys = {"request": quote.request, "quote": quote, "terms": world.terms, "valid_to": world.today + DAY}
    for actor in (world.director, person(world.society, "finance"), person(world.society, "auditor")):
        with pytest.raises(Forbidden):
            services.offer(actor=actor, **keys)
    with pytest.raises(NotFound):
        services.offer(actor=person(organisation("OTHER", "society"), "administrator"), **keys)
    assert not Offer.objects.exists()


@pytest.mark.usefixtures("_thin")
def test_a_quote_past_its_date_carries_no_offer(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    quote = world.quoted(world.submitted(term_from=world.today + 60 * DAY), days=10)
    on(world.today + 9 * DAY, monkeypatch)  # its last day
    assert world.offered(quote, days=10).status == "open"
    other = world.quoted(world.submitted(term_from=world.today + 60 * DAY), days=20)
    on(world.today + 20 * DAY, monkeypatch)
    with pytest.raises(Conflict) as refused:
        world.offered(other, days=21)
    assert code_of(refused) == "quote_ran_out"


@pytest.mark.parametrize(("days", "term"), [(11, 60), (7, 5)])
def test_an_offer_outlives_neither_its_quote_nor_the_first_day(world: World, days: int, term: int) -> None:
    quote = world.quoted(world.submitted(term_from=world.today + term * DAY), days=10)
    with pytest.raises(Refusal) as refused:
        world.offered(quote, days=days)
    assert (code_of(refused), refused.value.pointer) == ("outlives_quote", "/valid_to")


def test_rates_that_changed_since_the_quote_are_not_signed_for(world: World) -> None:
    quote = world.quoted(world.submitted(term_from=world.today + 30 * DAY))
    body = quote.version.determined_by
    new = rates(version=2, valid_from=(world.today + 30 * DAY).isoformat())
    import_tariff(actor=SYSTEM, society=world.society, document=new, determined_by=body)
    with pytest.raises(Conflict) as refused:
        world.offered(quote)
    assert code_of(refused) == "rates_changed"


@pytest.mark.usefixtures("_thin")
def test_one_offer_is_open_at_a_time_and_each_quote_bears_one(world: World) -> None:
    quote = world.quoted()
    second = world.quoted(quote.request)
    offer = world.offered(quote)
    with pytest.raises(Conflict) as refused:
        world.offered(second)
    assert code_of(refused) == "offer_open"

    taken_back = services.withdraw_offer(actor=world.clerk, offer=offer, reason="A figure was wrong.")
    assert (taken_back.request.status, Offer.objects.get().status) == ("quoted", "withdrawn")
    with pytest.raises(Conflict) as refused:
        world.offered(quote)
    assert code_of(refused) == "quote_used"
    assert world.offered(second).status == "open"


@pytest.mark.usefixtures("_thin")
def test_a_withdrawn_offer_is_not_signed(world: World) -> None:
    offer = world.offered()
    for actor in (world.director, person(world.society, "finance")):
        with pytest.raises(Forbidden):
            services.withdraw_offer(actor=actor, offer=offer)
    taken_back = services.withdraw_offer(actor=world.clerk, offer=offer)
    assert taken_back.request.status == "submitted", "its one quote bore an offer: it is quoted anew"
    with pytest.raises(Conflict) as refused:
        world.sign(world.director, offer)
    assert code_of(refused) == "offer_not_open"
    with pytest.raises(Conflict):
        services.withdraw_offer(actor=world.clerk, offer=offer)


@pytest.mark.usefixtures("_thin")
def test_whoever_signed_an_offer_that_was_withdrawn_is_told_so(world: World) -> None:
    offer = world.offered()
    world.sign(world.director, offer)
    services.withdraw_offer(actor=world.clerk, offer=offer)
    with pytest.raises(Conflict) as refused:
        world.sign(world.director, offer)
    assert code_of(refused) == "offer_not_open"


@pytest.mark.usefixtures("_thin")
def test_an_offer_of_the_other_request_is_not_made_with_this_quote(world: World) -> None:
    quote, other = world.quoted(), world.quoted()
    with pytest.raises(Refusal) as refused:
        services.offer(
            actor=world.clerk, request=other.request, quote=quote, terms=world.terms, valid_to=world.today + DAY
        )
    assert code_of(refused) == "quote_of_another_request"


@pytest.mark.usefixtures("_thin")
@pytest.mark.parametrize(("spare", "after"), [(False, "submitted"), (True, "quoted")])
def test_offers_past_their_day_lapse(world: World, monkeypatch: pytest.MonkeyPatch, spare: bool, after: str) -> None:
    """The request waits for another offer where a quote stands that bore none, else for another quote."""
    request = world.submitted(term_from=world.today + 60 * DAY)
    quote = world.quoted(request)
    if spare:
        world.quoted(request)
    offer = world.offered(quote, days=3)
    world.sign(world.director, offer)
    assert services.lapse_due(actor=SYSTEM, today=world.today + 2 * DAY) == 0
    on(world.today + 3 * DAY, monkeypatch)
    assert (lapse_offers(), lapse_offers()) == (1, 0)
    offer.refresh_from_db(), request.refresh_from_db()
    assert (offer.status, request.status) == ("lapsed", after)
    told = Notice.objects.filter(key=f"licence-offer-lapsed:{offer.pk}").values_list("user", flat=True)
    assert set(told) == {world.clerk.user_id, world.signer.user_id, world.director.user_id}


def test_days_are_those_of_seoul(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quote until the end of a day ends at midnight in Seoul, when it is 15:00 of that day in London."""
    request = world.submitted(term_from=world.today + 60 * DAY)
    quote = world.quoted(request, days=10)
    midnight = datetime.datetime.combine(quote.valid_to - DAY, datetime.time(15), datetime.UTC)
    monkeypatch.setattr("django.utils.timezone.now", lambda: midnight - datetime.timedelta(seconds=1))
    assert request.quotes.standing(quote.valid_to - DAY).exists()
    monkeypatch.setattr("django.utils.timezone.now", lambda: midnight)
    with pytest.raises(Conflict) as refused:
        world.offered(quote, days=20)
    assert code_of(refused) == "quote_ran_out"
