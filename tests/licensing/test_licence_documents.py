"""The contract as data and as paper: one digest for all that is agreed, and the same bytes whenever it is laid out."""

from __future__ import annotations

import datetime
import hashlib
import io
import json
from typing import Any

import pypdf
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from accounts.identity.core import Conflict
from licensing.licences import clauses, terms
from licensing.licences.conditions import Conditions
from licensing.licences.models import Licence, Offer, StandardTerms
from licensing.licences.services import documents
from tests.accounts.people import organisation, person
from tests.licensing.licence_world import World
from tests.licensing.test_tariff_pages import signed_in


def agreement(**change: Any) -> dict[str, Any]:
    """What both sides would sign under the shipped terms."""
    read = clauses.parse(terms.shipped())
    conditions = Conditions(**change.pop("conditions", {}))
    party = {
        "ref": "KOMCA",
        "name": "Korea Music Copyright Association",
        "name_ko": "한국음악저작권협회",
        "country": "KR",
    }
    written = {
        language: [{"heading": h, "text": t} for h, t in clauses.filled(read.clauses, conditions, language)]
        for language in clauses.LANGUAGES
    }
    return {
        "format": documents.FORMAT, "request": "Q-ABCD-EFGH-JKLM", "standing_offer": None, "renews": None, "amends": None,
        "society": party, "licensee": party | {"ref": "HANBIT", "name": "Hanbit AI", "name_ko": ""},
        "tariff": {"ref": "WEB", "name": "Web text", "version": 1, "sha256": "a" * 64, "status": "determined"},
        "uses": ["train"], "kinds": ["*"], "territory": ["KR"], "models": [], "datasets": [],
        "term": {"from": "2026-01-01", "to": "2027-01-01"}, "tier": "small",
        "quote": {
            "amount": 428_586, "currency": "KRW", "bases": {}, "explanation_sha256": "b" * 64, "issued_on": "2025-12-01",
            "quantities": [{"use": "train", "kind": "web", "unit": "token", "units": 20_858_600_725, "works": 0}],
        },
        "conditions": conditions.as_data(), "clauses": written,
        "terms": {"ref": "STANDARD", "version": 1, "sha256": "c" * 64, "name": read.name["en"], "name_ko": read.name["ko"]},
    } | change  # fmt: skip


def pages(raw: bytes) -> list[str]:
    return [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(raw)).pages]


def everything(raw: bytes) -> str:
    return " ".join(" ".join(pages(raw)).split())


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_document_is_the_same_whenever_it_is_made(language: str) -> None:
    of = agreement()
    made = documents.pdf_of(of, language)
    assert made == documents.pdf_of(json.loads(json.dumps(of)), language)
    assert made != documents.pdf_of(of | {"tier": "large"}, language)
    assert len(pages(made)) <= 3
    said = everything(made)
    assert documents.digest(of) in said and "₩428,586" in said
    for clause in of["clauses"][language]:
        assert " ".join(clause["heading"].split()) in said


def test_each_language_says_it_in_its_own_words() -> None:
    english, korean = (everything(documents.pdf_of(agreement(), language)) for language in ("en", "ko"))
    assert "Korea Music Copyright Association" in english and "31 Dec 2026" in english
    assert "한국음악저작권협회" in korean and "2026년 12월 31일" in korean


def test_long_names_stay_on_the_page() -> None:
    long = {"ref": "X", "name": "한" * 200, "name_ko": "", "country": "KR"}
    of = agreement(licensee=long, models=["m" * 200] * 3, datasets=["데" * 200])
    read = pypdf.PdfReader(io.BytesIO(documents.pdf_of(of, "ko")))
    width = float(read.pages[0].mediabox.width)
    places: list[float] = []
    read.pages[0].extract_text(
        visitor_text=lambda text, _cm, tm, _font, size: places.append(tm[4]) if text.strip() else None
    )
    assert places and max(places) < width
    assert len(read.pages) <= 4
    said = everything(documents.pdf_of(of, "en")).replace("\u200b", "").replace(" ", "")
    assert "한" * 200 in said and "m" * 200 in said


@pytest.mark.parametrize("text", ["#eval(1)", "$x$ *b* _i_ `c`", "\\ @ref <tag> [x] {y}", "= heading", "‮evil"])
def test_texts_are_laid_out_and_never_run(text: str) -> None:
    party = {"ref": "X", "name": text, "name_ko": text, "country": "KR"}
    assert documents.pdf_of(agreement(licensee=party, tier=text, models=[text]), "en").startswith(b"%PDF")


@given(st.dictionaries(st.text(max_size=8), st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=8) | st.none()))
def test_a_digest_is_of_canonical_json(said: dict[str, Any]) -> None:
    try:
        expected = hashlib.sha256(rfc8785.dumps(said)).hexdigest()
    except UnicodeEncodeError:
        return
    backwards = dict(reversed(said.items()))
    assert documents.digest(said) == documents.digest(backwards) == expected


# What is signed


@pytest.fixture
def world(db: None) -> World:
    return World()


def test_an_agreement_holds_everything_that_is_agreed(world: World) -> None:
    offer = world.offered(conditions={"retention_days": 90})
    said = offer.agreement
    assert said == documents.agreement_of(
        offer.request, offer.quote, world.terms, Conditions.from_data(offer.conditions)
    )
    assert offer.sha256 == documents.digest(said)
    version = offer.quote.version
    assert (said["tariff"]["version"], said["tariff"]["sha256"]) == (version.version, version.sha256)
    assert (said["quote"]["amount"], said["quote"]["currency"]) == (offer.quote.amount, "KRW")
    assert said["term"] == {"from": offer.request.term.lower.isoformat(), "to": offer.request.term.upper.isoformat()}
    assert (said["terms"]["ref"], said["terms"]["sha256"]) == (world.terms.ref, world.terms.sha256)
    assert said["conditions"]["retention_days"] == 90 and "90 days" in said["clauses"]["en"][0]["text"]
    assert "90일" in said["clauses"]["ko"][0]["text"]


def test_terms_changed_after_the_offer_leave_it_as_it_was(world: World) -> None:
    offer = world.offered()
    StandardTerms.objects.filter(pk=world.terms.pk).update(status="superseded")
    world.sign(world.director, offer)
    with pytest.raises(Conflict):
        world.sign(world.signer, offer, sha256="0" * 64)
    world.sign(world.signer, offer)
    held = Offer.objects.get(pk=offer.pk)
    assert documents.digest(held.agreement) == held.sha256
    assert held.documents.count() == 2


@pytest.mark.parametrize("language", ["en", "ko"])
def test_both_parties_have_the_signed_copy(world: World, language: str) -> None:
    made = world.signed()
    address = f"/licences/{made.pk}/signed-{language}.pdf"
    raw = [
        signed_in(person(of, email=f"r@{of.ref}.example")).get(address).content for of in (world.society, world.firm)
    ]
    assert raw[0] == raw[1]
    said = everything(raw[0])
    assert said.count("김하늘") == 2 and made.offer.sha256 in said and made.certificate.code in said
    assert said.count(made.offer.sha256[:24]) == 3  # of the agreement, and under each signature
    assert {each.signed_at.year for each in made.offer.signatures.all()} == {datetime.date.today().year}


def test_nobody_else_has_it(world: World) -> None:
    made = world.signed()
    stranger = signed_in(person(organisation("OTHER-FIRM")))
    assert stranger.get(f"/licences/{made.pk}/signed-en.pdf").status_code == 404
    Licence.objects.filter(pk=made.pk).update(status="suspended")
    assert (
        signed_in(person(world.firm, email="b@firm.example")).get(f"/licences/{made.pk}/signed-fr.pdf").status_code
        == 404
    )
