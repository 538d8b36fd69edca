"""Signing: a person with that authority, on each side, under the digest that was shown; then the licence."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from accounts.access.core import PERMISSIONS, SCOPES, permissions_of
from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Conflict, Forbidden, NotFound, Refusal
from accounts.notices.models import Notice, Webhook, WebhookDelivery
from licensing.licences import core, services
from licensing.licences.models import Certificate, Licence, Signature, StandardTerms
from licensing.permissions.services.asking import Item
from licensing.permissions.services.checks import check
from licensing.permissions.services.mandates import grant_mandate
from licensing.repertoire.models import Holder, Identifier, Share, Work
from licensing.tariffs.services import import_tariff
from tests.licensing.licence_world import DAY, World, code_of, on, person, rates
from tests.licensing.parties import organisation


@pytest.fixture
def world(db: None) -> World:
    return World()


def test_the_second_signature_makes_the_licence(world: World) -> None:
    offer = world.offered()
    world.sign(world.director, offer)
    offer.refresh_from_db()
    assert (offer.status, offer.licence) == ("open", None)

    world.sign(world.signer, offer)
    offer.refresh_from_db()
    offer.request.refresh_from_db()
    licence = offer.licence
    assert licence is not None
    assert (offer.status, offer.request.status, licence.status) == ("signed", "licensed", "active")
    assert licence.ref == f"WEB-SOCIETY-L{world.today.year}-1"
    assert (licence.society, licence.licensee, licence.tariff) == (world.society, world.firm, world.tariff)
    assert (licence.uses, licence.kinds, licence.territory, licence.tier) == (["train"], ["web"], ["KR"], "large")
    assert (licence.valid.lower, licence.valid.upper) == (world.today + DAY, world.today + 365 * DAY)
    assert licence.conditions == offer.conditions
    assert Certificate.objects.get().licence == licence


@pytest.mark.parametrize("first", ["society", "licensee"])
def test_either_side_signs_first_and_the_other_hears_of_it(world: World, first: str) -> None:
    offer = world.offered()
    one, two = (world.signer, world.director) if first == "society" else (world.director, world.signer)
    world.sign(one, offer)
    told = set(Notice.objects.filter(key=f"licence-half-signed:{offer.pk}").values_list("user", flat=True))
    assert two.user_id in told and one.user_id not in told
    world.sign(two, offer)
    assert Licence.objects.get().status == "active"
    everybody = set(Notice.objects.filter(kind="licence", subject__contains="L2").values_list("user", flat=True))
    assert {world.clerk.user_id, world.signer.user_id, world.director.user_id, world.declarant.user_id} <= everybody


def test_a_signature_keeps_who_signed_what_when_and_as_what(world: World) -> None:
    offer = world.offered()
    before = timezone.now()
    signature = world.sign(
        world.director, offer, typed_name="  Ha-neul   Kim ", capacity="chief executive", language="ko"
    )
    assert (signature.typed_name, signature.capacity, signature.language) == ("Ha-neul Kim", "chief executive", "ko")
    assert (signature.side, signature.organisation, signature.user_id) == (
        "licensee",
        world.firm,
        world.director.user_id,
    )
    assert signature.sha256 == offer.sha256 and signature.signed_at >= before
    event = Event.objects.about("licence_request", offer.request_id).get(verb="licence_request.signed")
    assert event.data["sha256"] == offer.sha256
    assert "Kim" not in str(event.data), "names stay out of evidence"


def test_the_same_signature_again_is_the_one_that_exists(world: World) -> None:
    offer = world.offered()
    assert world.sign(world.director, offer) == world.sign(world.director, offer)
    last = world.sign(world.signer, offer)
    assert world.sign(world.signer, offer) == last
    assert (Signature.objects.count(), Licence.objects.count()) == (2, 1)


@pytest.mark.parametrize(
    ("where", "role"),
    [
        ("firm", "declarant"),
        ("firm", "viewer"),
        ("firm", "finance"),
        ("society", "finance"),
        ("society", "auditor"),
        ("society", "repertoire"),
        ("society", "distribution"),
    ],
)
def test_who_may_not_sign_does_not(world: World, where: str, role: str) -> None:
    offer = world.offered()
    with pytest.raises(Forbidden):
        world.sign(person(getattr(world, where), role), offer)
    assert not Signature.objects.exists()


def test_who_made_the_offer_does_not_sign_it(world: World) -> None:
    offer = world.offered()
    with pytest.raises(Forbidden) as refused:
        world.sign(world.clerk, offer)
    assert code_of(refused) == "same_person"
    assert world.sign(world.director, offer).side == "licensee"
    assert not Licence.objects.exists()


def test_nobody_signs_for_both_sides(world: World) -> None:
    offer = world.offered()
    world.sign(world.signer, offer)
    turncoat = dataclasses.replace(
        world.signer, organisation_id=world.firm.pk, organisation_kind="licensee",
        permissions=permissions_of("licensee", ["administrator"]),
    )  # fmt: skip
    with pytest.raises(Forbidden) as refused:
        world.sign(turncoat, offer)
    assert code_of(refused) == "same_person"
    assert not Licence.objects.exists()


def test_no_program_signs(world: World) -> None:
    """Not even with every permission, and not the operator's system."""
    offer = world.offered()
    every = PERMISSIONS
    for actor in (
        dataclasses.replace(world.director, kind="token", permissions=every),
        dataclasses.replace(world.director, kind="token", permissions=every, sandbox=True),
        dataclasses.replace(world.director, kind="token", user_id=None, permissions=every),
        dataclasses.replace(SYSTEM, organisation_id=world.firm.pk),
    ):
        with pytest.raises(Forbidden):
            world.sign(actor, offer)
    assert "licences.sign" not in SCOPES
    assert not Signature.objects.exists()


def test_a_strangers_offer_is_none(world: World) -> None:
    offer = world.offered()
    for of in (organisation("OTHER", "licensee"), organisation("OTHER-SOCIETY", "society")):
        with pytest.raises(NotFound):
            world.sign(person(of, "administrator"), offer)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"typed_name": " "}, "typed_name_missing"),
        ({"typed_name": "x" * 301}, "bad_typed_name"),
        ({"typed_name": "a\u202eb"}, "bad_typed_name"),
        ({"capacity": ""}, "capacity_missing"),
        ({"capacity": "x" * 201}, "bad_capacity"),
    ],
)
def test_a_signature_has_a_name_and_a_capacity(world: World, said: dict[str, Any], code: str) -> None:
    with pytest.raises(Refusal) as refused:
        world.sign(world.director, world.offered(), **said)
    assert code_of(refused) == code
    assert not Signature.objects.exists()


@pytest.mark.parametrize("sha256", ["", "0" * 64])
def test_only_the_document_that_was_shown_is_signed(world: World, sha256: str) -> None:
    with pytest.raises(Conflict) as refused:
        world.sign(world.director, world.offered(), sha256=sha256)
    assert code_of(refused) == "other_document"
    assert not Signature.objects.exists()


def test_the_document_of_an_earlier_offer_is_not_signed(world: World) -> None:
    first = world.offered()
    services.withdraw_offer(actor=world.clerk, offer=first)
    first.request.refresh_from_db()
    second = world.offered(world.quoted(first.request), conditions={"retention_days": 10})
    with pytest.raises(Conflict):
        world.sign(world.director, second, sha256=first.sha256)


def test_terms_published_since_the_offer_change_nothing_of_it(world: World) -> None:
    """A changed template after the offer: the contract is what was laid before both sides."""
    offer = world.offered()
    StandardTerms.objects.filter(pk=world.terms.pk).update(status="superseded")
    licence = world.signed(offer)
    assert licence.conditions["retention_days"] == 365
    assert offer.agreement["terms"]["version"] == 1


def test_an_offer_past_its_date_is_not_signed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    offer = world.offered(world.quoted(world.submitted(term_from=world.today + 60 * DAY)), days=5)
    on(world.today + 4 * DAY, monkeypatch)  # its last day
    world.sign(world.director, offer)
    on(world.today + 5 * DAY, monkeypatch)
    with pytest.raises(Conflict) as refused:
        world.sign(world.signer, offer)
    assert code_of(refused) == "offer_ran_out"
    assert not Licence.objects.exists()


def test_an_accepted_quote_past_its_date_makes_no_licence(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The firm accepted in time; the society lets the quote run out, and can no longer sign."""
    offer = world.offered(world.quoted(world.submitted(term_from=world.today + 60 * DAY), days=5), days=5)
    world.sign(world.director, offer)
    on(world.today + 5 * DAY, monkeypatch)
    with pytest.raises(Conflict) as refused:
        world.sign(world.signer, offer)
    assert code_of(refused) == "quote_ran_out"
    assert not Licence.objects.exists()


def test_an_offer_at_rates_that_no_longer_hold_is_not_signed(world: World) -> None:
    offer = world.offered(world.quoted(world.submitted(term_from=world.today + 30 * DAY)))
    body = offer.quote.version.determined_by
    new = rates(version=2, valid_from=(world.today + 30 * DAY).isoformat())
    import_tariff(actor=SYSTEM, society=world.society, document=new, determined_by=body)
    with pytest.raises(Conflict) as refused:
        world.sign(world.director, offer)
    assert code_of(refused) == "rates_changed"


def test_licences_are_numbered_by_society_and_year(world: World) -> None:
    first = world.signed()
    services.create_licence(
        actor=SYSTEM, ref=f"WEB-SOCIETY-L{world.today.year}-2", society=world.society, licensee=world.firm,
        tariff=world.tariff, uses=["*"], valid_from=world.today,
    )  # fmt: skip
    assert [first.ref, world.signed().ref] == [f"WEB-SOCIETY-L{world.today.year}-{n}" for n in (1, 3)]


# --- Amended, renewed --------------------------------------------------------------------------------------------------


def test_an_amendment_takes_the_place_of_a_licence_from_its_first_day(world: World) -> None:
    old = world.signed()
    Webhook.objects.create(organisation=world.firm, url="https://example.org/", events=["licence.ended"])
    request = world.submitted(amends=old, territory=["KR", "JP"], term_from=world.today + 30 * DAY)
    new = world.signed(world.offered(world.quoted(request), days=20))
    old.refresh_from_db()
    assert (old.status, old.valid.upper) == ("amended", world.today + 30 * DAY)
    assert (new.succeeds, new.valid.lower, new.territory) == (old, world.today + 30 * DAY, ["JP", "KR"])
    assert core.in_force(old.terms, world.today + 29 * DAY), "what was used before stays licensed"
    assert not core.in_force(old.terms, world.today + 30 * DAY)
    assert core.in_force(new.terms, world.today + 30 * DAY)
    assert WebhookDelivery.objects.get().kind == "licence.ended"
    event = Event.objects.about("licence", old.pk).get(verb="licence.amended")
    assert event.data["by"] == new.ref


def test_a_renewal_leaves_the_licence_before_it_alone(world: World) -> None:
    old = world.signed()
    request = world.submitted(renews=old, term_from=old.valid.upper, term_to=old.valid.upper + 365 * DAY)
    new = world.signed(world.offered(world.quoted(request), days=20))
    before = (old.status, old.valid.upper)
    old.refresh_from_db()
    assert (old.status, old.valid.upper) == before and new.succeeds == old


def test_a_licence_is_followed_once(world: World) -> None:
    old = world.signed()
    requests = [
        world.submitted(amends=old, term_from=world.today + n * DAY, territory=["KR", place])
        for n, place in ((20, "JP"), (30, "US"))
    ]
    offers = [world.offered(world.quoted(request), days=10) for request in requests]
    new = world.signed(offers[0])
    with pytest.raises(Conflict) as refused:
        world.sign(world.director, offers[1])
    assert code_of(refused) == "followed_already"
    assert Licence.objects.get(succeeds=old) == new


def test_a_licence_suspended_meanwhile_is_not_amended(world: World) -> None:
    old = world.signed()
    offer = world.offered(world.quoted(world.submitted(amends=old, term_from=world.today + 30 * DAY)), days=20)
    world.sign(world.director, offer)
    services.suspend(actor=world.clerk, licence=old, ground="breach")
    with pytest.raises(Conflict) as refused:
        world.sign(world.signer, offer)
    assert code_of(refused) == "licence_not_active"
    old.refresh_from_db()
    assert (old.status, Licence.objects.count(), Certificate.objects.count()) == ("suspended", 1, 1)


# --- Suspended, resumed, terminated --------------------------------------------------------------------------------------


def test_a_suspended_firm_is_answered_unlicensed(world: World) -> None:
    """From the moment of its suspension until it is resumed, by the same check that programs ask before use."""
    today = timezone.localdate()
    held = services.create_licence(
        actor=SYSTEM, ref="NOW", society=world.society, licensee=world.firm, tariff=world.tariff, uses=["train"],
        valid_from=today,
    )  # fmt: skip
    holder = Holder.objects.create(society=world.society, ref="H-1", name="Seo Yun")
    work = Work.objects.create(society=world.society, ref="W-1", kind="book", title="Poems")
    Identifier.objects.create(society=world.society, work=work, scheme="isbn", value="9788937460449")
    Share.objects.create(work=work, holder=holder, role="author", ppm=1_000_000, valid=DateRange(None, None))
    grant_mandate(actor=SYSTEM, holder=holder, uses=["train"], valid_from=today - DAY)

    def verdict() -> str:
        [answer] = check(actor=world.director, use="train", items=[Item("isbn", "9788937460449", "", "")]).answers
        return answer.verdict

    assert verdict() == "licensed"
    services.suspend(actor=world.clerk, licence=held, ground="non_payment")
    assert verdict() == "unlicensed"
    held.refresh_from_db()
    services.resume(actor=world.clerk, licence=held)
    assert verdict() == "licensed"


def test_a_suspension_says_why_and_both_sides_hear_of_it(world: World) -> None:
    licence = world.signed()
    Webhook.objects.create(organisation=world.firm, url="https://example.org/", events=["licence.suspended"])
    services.suspend(actor=world.clerk, licence=licence, reason="non_payment")
    suspension = services.suspension_of(licence)
    assert suspension is not None and suspension["ground"] == "non_payment"
    told = Notice.objects.filter(user_id=world.declarant.user_id, subject__contains="suspended").get()
    assert "an invoice was not paid in time" in told.body
    assert WebhookDelivery.objects.get().kind == "licence.suspended"
    services.resume(actor=world.clerk, licence=licence)
    assert services.suspension_of(licence) is None
    services.suspend(actor=world.clerk, licence=licence, ground="request", reason="until spring")
    assert Notice.objects.filter(user_id=world.declarant.user_id, subject__contains="suspended").count() == 2
    with pytest.raises(Refusal) as refused:
        services.suspend(actor=world.clerk, licence=licence, ground="mood")
    assert code_of(refused) == "unknown_ground"


def test_a_licence_that_is_terminated_ends_for_both(world: World) -> None:
    licence = world.signed()
    Webhook.objects.create(organisation=world.firm, url="https://example.org/", events=["licence.ended"])
    services.terminate(actor=world.clerk, licence=licence, on=world.today + 30 * DAY, reason="The firm closes.")
    assert (licence.status, licence.valid.upper) == ("terminated", world.today + 30 * DAY)
    assert WebhookDelivery.objects.get().kind == "licence.ended"
    for actor in (world.director, world.declarant, person(world.society, "auditor")):
        with pytest.raises(Forbidden):
            services.terminate(actor=actor, licence=licence, on=world.today + 20 * DAY)
