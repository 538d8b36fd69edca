"""Pages from a request to a signed licence: what each side sees and may do, one step after the other."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.identity.core import Actor
from accounts.identity.models import User
from licensing.licences import services
from licensing.licences.models import Licence, LicenceRequest, Offer, Quote
from tests.licensing.licence_world import DAY, TOKENS, World, person
from tests.licensing.parties import determined, organisation
from tests.licensing.tariff_documents import charge, tariff
from tests.licensing.test_tariff_pages import text

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.7\n%size of the firm\n%%EOF\n"


@pytest.fixture
def world() -> World:
    return World()


def browser(actor: Actor) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=actor.user_id))
    return client


def day(of: datetime.date) -> str:
    return of.isoformat()


def test_a_firm_asks_step_by_step_and_sends(world: World) -> None:
    client = browser(world.director)
    shown = text(client.get("/licences/requests/new/"))
    assert "Web text for training" in shown and "₩2 for" in shown
    begun = client.post("/licences/requests/new/", {"tariff": world.tariff.pk})
    asked = LicenceRequest.objects.get()
    assert begun["Location"] == f"/licences/requests/{asked.pk}/uses/"

    at = f"/licences/requests/{asked.pk}/"
    assert "teach a new model" in text(client.get(f"{at}uses/"))
    what = {"uses": ["train"], "kinds": ["web"], "territory": "KR JP", "ai_models": "han-1\nhan-2", "datasets": ""}
    assert client.post(f"{at}uses/", what)["Location"] == f"{at}term/"

    since, last = world.today + DAY, world.today + 365 * DAY
    size = {"first_day": day(since), "last_day": day(last), "tier": "large", "tier_evidence": "800 employees"}
    paper = SimpleUploadedFile("accounts.pdf", PDF)
    assert client.post(f"{at}term/", size | {"papers": [paper]})["Location"] == f"{at}figures/"

    assert 'name="units_0"' in text(client.get(f"{at}figures/"))
    assert client.post(f"{at}figures/", {"units_0": "5000000"})["Location"] == f"{at}check/"
    checked = text(client.get(f"{at}check/"))
    assert "₩10,000" in checked and "accounts.pdf" in checked and "JP, KR" in checked

    sent = client.post(f"{at}check/", {"message": "We start in spring."}, follow=True)
    assert "Waits for a quote" in text(sent)
    asked.refresh_from_db()
    assert (asked.status, asked.tier, asked.quantities) == ("submitted", "large", TOKENS)
    assert (asked.term.lower, asked.term.upper, asked.ai_models) == (since, last + DAY, ["han-1", "han-2"])
    assert asked.message == "We start in spring."


def test_a_draft_is_left_and_taken_up_again_and_no_society_sees_it(world: World) -> None:
    asked = world.ask()
    client = browser(world.director)
    what = {"uses": ["train"], "territory": "KR", "leave": "1"}
    left = client.post(f"/licences/requests/{asked.pk}/uses/", what, follow=True)
    assert "is kept" in text(left) and asked.ref in text(left)
    assert "Go on with it" in text(client.get("/licences/requests/new/"))
    society = browser(world.clerk)
    assert society.get(f"/licences/requests/{asked.pk}/").status_code == 404
    assert asked.ref not in text(society.get("/licences/requests/"))
    given_up = client.post(f"/licences/requests/{asked.pk}/withdraw/", follow=True)
    assert "is withdrawn" in text(given_up)


@pytest.mark.parametrize(
    ("step", "sent", "said"),
    [
        ("uses", {"uses": [], "territory": "KR"}, "required"),
        ("uses", {"uses": ["index"], "territory": "KR"}, "not one of the available choices"),
        ("uses", {"uses": ["train"], "territory": "UK"}, "two-letter country codes"),
        ("term", {"first_day": "2031-01-02", "last_day": "2031-01-01"}, "comes before the first"),
        ("figures", {"units_0": "-1"}, "greater than or equal to 0"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(world: World, step: str, sent: dict[str, Any], said: str) -> None:
    asked = world.ask()
    answer = browser(world.director).post(f"/licences/requests/{asked.pk}/{step}/", sent)
    assert answer.status_code == 200 and said in text(answer)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("size.exe", PDF, "no PDF, PNG or JPEG"),
        ("size.pdf", b"<script>alert(1)</script>", "PDF"),
        ("size.pdf", PDF + b"0" * (10 * 1024 * 1024), "larger than 10 MB"),
    ],
)
def test_a_paper_that_nobody_could_open_is_refused(world: World, name: str, content: bytes, said: str) -> None:
    asked = world.ask()
    size = {"first_day": day(world.today + DAY), "last_day": day(world.today + 9 * DAY), "tier": "large"}
    files = {"papers": [SimpleUploadedFile(name, content)]}
    answer = browser(world.director).post(f"/licences/requests/{asked.pk}/term/", size | files)
    assert answer.status_code == 200 and said in text(answer)
    assert not asked.files.exists()


def test_a_paper_is_a_download_for_both_sides_and_nobody_else(world: World) -> None:
    asked = world.ask()
    size = {"first_day": day(world.today + DAY), "last_day": day(world.today + 9 * DAY), "tier": "large"}
    browser(world.director).post(
        f"/licences/requests/{asked.pk}/term/", size | {"papers": [SimpleUploadedFile("accounts.pdf", PDF)]}
    )
    services.submit(actor=world.director, request=asked)
    address = f"/licences/requests/{asked.pk}/files/{asked.files.get().pk}/"
    for actor in (world.director, world.declarant, world.clerk):
        answer = browser(actor).get(address)
        assert b"".join(answer.streaming_content) == PDF
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer["X-Content-Type-Options"] == "nosniff"
    rival = organisation("RIVAL", "licensee")
    assert browser(person(rival, "administrator")).get(address).status_code == 404


def test_only_the_figures_that_the_tariff_prices_are_asked_for(world: World) -> None:
    many = tariff(
        charge("per_unit", "train", uses=["train"], per=1000, price="1"),
        charge("per_unit", "ground", uses=["ground"], per=1, price="2", unit="request"),
        charge("per_work", "titles", price="5", kinds=["book"]),
        charge("percentage", "share", base="revenue", percent="2.5"),
        charge("per_unit", "people", count="subscribers", per=1, price="3"),
        tariff="MANY",
    )  # fmt: skip
    version = determined(world.society, many)
    asked = world.ask(tariff=version.tariff, kinds=["book"], tier="", quantities=[])
    client, at = browser(world.director), f"/licences/requests/{asked.pk}/"
    shown = text(client.get(f"{at}figures/"))
    for label in ("Tokens", "Distinct works", "Subscribers", "“revenue”, in KRW"):
        assert label in shown, label
    assert "Requests</label>" not in shown and 'name="units_2"' not in shown
    sent = {"units_0": "2000", "units_1": "10", "count_0": "7", "base_0": "1,000", "stay": "1"}
    priced = text(client.post(f"{at}figures/", sent, follow=True))
    assert "₩98" in priced  # 2 + 50 + 21 + 25
    asked.refresh_from_db()
    assert asked.quantities == [{"use": "train", "kind": "book", "unit": "token", "units": 2000, "works": 10}]
    assert asked.bases == {"subscribers": 7, "revenue": 1000}


def test_the_price_is_worked_out_while_figures_are_typed(world: World) -> None:
    asked = world.ask(quantities=[])
    client, at = browser(world.director), f"/licences/requests/{asked.pk}/price/"
    assert "₩4,000" in text(client.get(at, {"units_0": "2000000"}))
    assert "Put the marked figures right" in text(client.get(at, {"units_0": "many"}))
    asked.refresh_from_db()
    assert asked.quantities == []
    services.submit(actor=world.director, request=asked)
    other_size = browser(world.clerk).get(at, {"units_0": "2000000", "tier": "small"})
    assert "₩2,000" in text(other_size)
    assert "₩4,000" in text(browser(world.director).get(at, {"units_0": "2000000", "tier": "small"}))


def test_a_size_without_evidence_is_sent_back_to_its_step(world: World) -> None:
    asked = world.ask(tier_evidence="")
    answer = browser(world.director).post(f"/licences/requests/{asked.pk}/check/", {"message": ""})
    assert "shows the size of your firm" in text(answer)
    asked.refresh_from_db()
    assert asked.status == "draft"


def test_a_society_quotes_with_the_size_that_it_finds(world: World) -> None:
    asked = world.submitted(tier="small")
    client, at = browser(world.clerk), f"/licences/requests/{asked.pk}/"
    page = text(client.get(f"{at}quote/"))
    assert "800 employees" in page and "₩5,000" in page
    sent = {"tier": "large", "last_day": day(world.today + 9 * DAY), "message": "", "units_0": "5000000"}
    tried = client.post(f"{at}quote/", sent | {"stay": "1"})
    assert "It comes to" in text(tried) and not Quote.objects.exists()
    refused = client.post(f"{at}quote/", sent)
    assert "say why" in text(refused)
    done = client.post(f"{at}quote/", sent | {"message": "800 people are a large firm."}, follow=True)
    assert "Your quote is with" in text(done)
    quote = Quote.objects.get()
    assert (quote.tier, quote.valid_to) == ("large", world.today + 10 * DAY)
    read = text(browser(world.director).get(at))
    for said in ("How this amount comes about", "800 people are a large firm.", "The society makes an offer by"):
        assert said in read, said


def test_a_request_is_declined_with_a_reason_that_the_firm_reads(world: World) -> None:
    asked = world.submitted()
    browser(world.clerk).post(f"/licences/requests/{asked.pk}/decline/", {"reason": "Not our repertoire."})
    assert "Not our repertoire." in text(browser(world.director).get(f"/licences/requests/{asked.pk}/"))


def test_an_offer_starts_from_the_conditions_of_its_terms(world: World) -> None:
    quote = world.quoted()
    client, at = browser(world.clerk), f"/licences/requests/{quote.request_id}/offer/"
    page = text(client.get(at))
    assert "General terms v1" in page and 'name="retention_days" value="365"' in page
    conditions = {
        "retention_days": "90", "output_limit": "", "deletion_days": "30", "audit_notice_days": "14",
        "reporting_months": "6", "report_within_days": "30", "suspension_days": "60", "renewal_notice_days": "60",
    }  # fmt: skip
    late = {"last_day": day(world.today + 20 * DAY), "terms": world.terms.pk}
    assert "first day of the term at the latest" in text(client.post(at, conditions | late))
    made = client.post(at, conditions | late | {"last_day": day(world.today)}, follow=True)
    offer = Offer.objects.get()
    assert "Copies are kept for 90 days." in text(made)
    assert offer.sha256 in text(made)
    assert (offer.conditions["output_limit"], offer.conditions["reporting_months"]) == (None, 6)
    for language in ("ko", "en"):
        paper = client.get(f"/licences/offers/{offer.pk}/{language}.pdf")
        assert b"".join(paper.streaming_content).startswith(b"%PDF")
    assert client.get(f"/licences/offers/{offer.pk}/fr.pdf").status_code == 404


def signature(offer: Offer, **change: str) -> dict[str, str]:
    entered = {"typed_name": "김하늘", "capacity": "director", "authorised": "on", "sha256": offer.sha256}
    return entered | change


def test_one_person_of_each_side_signs_and_the_licence_is_there(world: World) -> None:
    offer = world.offered()
    at = f"/licences/offers/{offer.pk}/sign/"
    firm, society = browser(world.director), browser(world.signer)
    page = text(firm.get(at))
    assert offer.sha256 in page and "Copies are kept for 365 days." in page
    assert "This field is required" in text(firm.post(at, signature(offer, authorised="")))
    assert "You have signed" in text(firm.post(at, signature(offer), follow=True))
    assert "Your side has signed" in text(firm.get(at))
    done = text(society.post(at, signature(offer, typed_name="박서명"), follow=True))
    licence = Licence.objects.get()
    for said in ("Both sides have signed", licence.ref, "박서명", "What it obliges to", licence.certificate.code):
        assert said in done, said


def test_the_contract_names_the_size_that_was_quoted_not_the_one_that_was_claimed(world: World) -> None:
    asked = world.submitted(tier="small")
    offer = world.offered(world.quoted(asked, tier="large", message="800 people are a large firm."))
    page = text(browser(world.director).get(f"/licences/offers/{offer.pk}/sign/"))
    assert "<dt>Size of the licensee</dt><dd>large</dd>" in page and "5,000,000 tokens" in page


def test_who_made_the_offer_is_told_who_may_sign_it(world: World) -> None:
    offer = world.offered()
    clerk = browser(world.clerk)
    for page in (f"/licences/offers/{offer.pk}/", f"/licences/offers/{offer.pk}/sign/"):
        shown = text(clerk.get(page, headers={"Accept-Language": "en"}))
        assert "You made this offer" in shown and "administrator, licensing" in shown.lower()
    assert 'name="typed_name"' not in text(clerk.post(f"/licences/offers/{offer.pk}/sign/", signature(offer)))
    assert not offer.signatures.exists()


def test_a_declarant_reads_an_offer_and_does_not_sign_it(world: World) -> None:
    offer = world.offered()
    client = browser(world.declarant)
    assert "Your role may not sign." in text(client.get(f"/licences/offers/{offer.pk}/"))
    assert client.post(f"/licences/offers/{offer.pk}/sign/", signature(offer)).status_code == 403
    assert client.get("/licences/requests/new/").status_code == 403
    assert not offer.signatures.exists()


def test_another_digest_than_the_one_shown_signs_nothing(world: World) -> None:
    offer = world.offered()
    at = f"http://testserver/licences/offers/{offer.pk}/sign/"
    answer = browser(world.director).post(at, signature(offer, sha256="f" * 64), headers={"Referer": at}, follow=True)
    assert "not the document of the offer" in text(answer)
    assert not offer.signatures.exists()


def test_a_withdrawn_offer_is_signed_no_more(world: World) -> None:
    offer = world.offered()
    assert "is withdrawn" in text(browser(world.clerk).post(f"/licences/offers/{offer.pk}/withdraw/", follow=True))
    page = text(browser(world.director).get(f"/licences/offers/{offer.pk}/sign/"))
    assert "can no longer be signed" in page and 'name="typed_name"' not in page


def test_the_board_shows_each_request_by_what_it_waits_for(world: World) -> None:
    client = browser(world.clerk)
    assert "Nobody waits" in text(client.get("/licences/board/"))
    world.submitted()
    world.quoted()
    world.offered()
    half = world.offered()
    world.sign(world.director, half)
    other = world.offered()
    world.sign(world.signer, other)
    world.signed()
    answer = client.get("/licences/board/")
    found = {column.name: [card.asked.pk for card in column.cards] for column in answer.context["columns"]}
    assert {name: len(cards) for name, cards in found.items()} == dict.fromkeys(
        ("asked", "quoted", "offered", "ours", "theirs", "licensed"), 1
    )
    assert found["ours"] == [half.request_id] and found["theirs"] == [other.request_id]
    shown = text(answer)
    for said in ("Hanbit-Ai", "₩10,000", "The society quotes it.", "The society signs by"):
        assert said in shown, said
    narrowed = client.get("/licences/board/", {"q": "somebody else"})
    assert "No request fits" in text(narrowed)
    assert client.get("/licences/board/", {"tariff": str(world.tariff.pk)}).context["total"] == 6
    assert browser(world.director).get("/licences/board/").status_code == 403


def test_the_board_asks_as_many_questions_for_one_card_as_for_many(
    world: World, django_assert_max_num_queries: Any
) -> None:
    for _n in range(3):
        world.submitted(), world.quoted(), world.offered()
    client = browser(world.clerk)
    with django_assert_max_num_queries(18):
        client.get("/licences/board/")


def test_a_licence_is_renewed_and_amended_from_its_page(world: World) -> None:
    licence = world.signed()
    client = browser(world.director)
    assert "Ask for a renewal" in text(client.get(f"/licences/{licence.pk}/"))
    assert "/renewal/" not in text(browser(world.declarant).get(f"/licences/{licence.pk}/"))
    client.post(f"/licences/{licence.pk}/renewal/")
    renewal = LicenceRequest.objects.get(renews=licence)
    assert (renewal.term.lower, renewal.tier, renewal.quantities) == (licence.valid.upper, "large", TOKENS)
    client.post(f"/licences/{licence.pk}/amendment/")
    amendment = LicenceRequest.objects.get(amends=licence)
    assert amendment.term.upper == licence.valid.upper
    assert f"amends the licence {licence.ref}" in text(client.get(f"/licences/requests/{amendment.pk}/uses/"))
    assert browser(world.clerk).post(f"/licences/{licence.pk}/renewal/").status_code == 403


def test_strangers_find_no_request_and_no_offer(world: World) -> None:
    offer = world.offered()
    stranger = browser(person(organisation("RIVAL", "licensee"), "administrator"))
    other = browser(person(organisation("OTHER", "society"), "administrator"))
    for client in (stranger, other):
        for page in (f"requests/{offer.request_id}/", f"offers/{offer.pk}/", f"offers/{offer.pk}/en.pdf"):
            assert client.get(f"/licences/{page}").status_code == 404
        assert client.post(f"/licences/offers/{offer.pk}/sign/", signature(offer)).status_code == 404
        assert offer.request.ref not in text(client.get("/licences/requests/"))
