"""Requests for licences: a firm drafts, shows its size and sends; the society answers; nobody else sees or moves it."""

from __future__ import annotations

import dataclasses
import io
from typing import Any

import pytest

from accounts.evidence.models import Event
from accounts.identity.core import Conflict, Forbidden, NotFound, Refusal
from accounts.notices.models import Notice, Webhook, WebhookDelivery
from licensing.licences import services
from licensing.licences.models import Licence, LicenceRequest, Quote, RequestFile
from licensing.tariffs.reading import BadDocument
from tests.licensing.licence_world import DAY, TOKENS, World, code_of, on, person
from tests.licensing.parties import licence, organisation

PDF = b"%PDF-1.7\n" + b"accounts of last year"


@pytest.fixture
def world(db: None) -> World:
    return World()


def row(**other: Any) -> dict[str, Any]:
    return TOKENS[0] | other


def verbs(request: LicenceRequest) -> list[str]:
    return list(Event.objects.about("licence_request", request.pk).order_by("id").values_list("verb", flat=True))


def test_a_draft_is_the_firms_own_until_it_is_sent(world: World) -> None:
    request = world.ask()
    assert (request.status, request.licensee, request.user_id) == ("draft", world.firm, world.director.user_id)
    assert request.ref.startswith("Q-") and len(request.ref) == 16
    assert not LicenceRequest.objects.visible_to(world.clerk).exists()

    services.submit(actor=world.director, request=request)
    assert LicenceRequest.objects.visible_to(world.clerk).get() == request
    assert request.status == "submitted" and request.submitted_at
    stranger = person(organisation("OTHER", "licensee"), "administrator")
    assert not LicenceRequest.objects.visible_to(stranger).exists()
    assert verbs(request) == ["licence_request.drafted", "licence_request.submitted"]


def test_the_societys_people_who_manage_licences_hear_of_it_in_their_language(world: World) -> None:
    request = world.submitted()
    told = Notice.objects.filter(key=f"licence-request-submitted:{request.pk}").values_list("user", flat=True)
    assert set(told) == {world.clerk.user_id, world.signer.user_id}


@pytest.mark.parametrize("role", ["declarant", "finance", "viewer"])
def test_only_who_may_ask_for_licences_asks(world: World, role: str) -> None:
    who = person(world.firm, role)
    request = world.ask()
    wanted = {"tariff": world.tariff, "society": world.society, "uses": ["train"], "term_from": world.today}
    for act in (
        lambda: services.ask(actor=who, **wanted),
        lambda: services.revise(actor=who, request=request, message="more"),
        lambda: services.submit(actor=who, request=request),
        lambda: services.withdraw(actor=who, request=request),
        lambda: services.attach(actor=who, request=request, file=io.BytesIO(PDF), name="a.pdf"),
    ):
        with pytest.raises(Forbidden):
            act()
    request.refresh_from_db()
    assert request.status == "draft" and LicenceRequest.objects.count() == 1


def test_a_society_asks_for_nothing(world: World) -> None:
    with pytest.raises(Forbidden):
        services.ask(actor=world.signer, society=world.society, tariff=world.tariff, uses=["*"], term_from=world.today)


def test_a_stranger_finds_no_request(world: World) -> None:
    request = world.submitted()
    stranger = person(organisation("OTHER", "licensee"), "administrator")
    other_society = person(organisation("OTHER-SOCIETY", "society"), "administrator")
    for act in (
        lambda: services.withdraw(actor=stranger, request=request),
        lambda: services.submit(actor=stranger, request=request),
        lambda: services.decline(actor=other_society, request=request, reason="no"),
        lambda: services.quote(actor=other_society, request=request, valid_to=world.today + DAY),
    ):
        with pytest.raises(NotFound):
            act()


def test_each_side_does_its_own_part(world: World) -> None:
    request = world.submitted()
    with pytest.raises(Forbidden):
        services.withdraw(actor=world.signer, request=request)
    with pytest.raises(Forbidden):
        services.decline(actor=world.director, request=request, reason="no")
    with pytest.raises(Forbidden):
        services.quote(actor=person(world.society, "finance"), request=request, valid_to=world.today + DAY)


def test_a_test_token_makes_nothing(world: World) -> None:
    asked = world.ask()
    sandbox = dataclasses.replace(world.director, kind="token", sandbox=True)
    clerk = dataclasses.replace(world.clerk, kind="token", sandbox=True)
    for act in (
        lambda: services.ask(
            actor=sandbox, society=world.society, tariff=world.tariff, uses=["*"], term_from=world.today
        ),
        lambda: services.submit(actor=sandbox, request=asked),
        lambda: services.withdraw(actor=sandbox, request=asked),
        lambda: services.create_licence(
            actor=clerk, ref="L", society=world.society, licensee=world.firm, tariff=world.tariff, uses=["*"],
            valid_from=world.today,
        ),
    ):  # fmt: skip
        with pytest.raises(Forbidden):
            act()
    assert LicenceRequest.objects.get().status == "draft"
    assert not Licence.objects.exists()


def test_what_was_sent_is_fixed(world: World) -> None:
    request = services.revise(
        actor=world.director, request=world.ask(), uses=["train", "ground"], message="soon\r\nplease"
    )
    assert (request.uses, request.message) == (["ground", "train"], "soon\nplease")
    request = services.revise(actor=world.director, request=request, uses=["train"])
    services.submit(actor=world.director, request=request)
    for act in (
        lambda: services.revise(actor=world.director, request=request, uses=["*"]),
        lambda: services.submit(actor=world.director, request=request),
    ):
        with pytest.raises(Conflict) as refused:
            act()
        assert code_of(refused) == "wrong_status"


@pytest.mark.parametrize(
    ("asked", "code", "pointer"),
    [
        ({"uses": ["read"]}, "unknown_term", "/uses"),
        ({"kinds": ["painting"]}, "unknown_term", "/kinds"),
        ({"territory": ["UK"]}, "unknown_territory", "/territory"),
        ({"tier": "x" * 41}, "bad_tier", "/tier"),
        ({"message": "a\x00b"}, "bad_text", "/message"),
        ({"tier_evidence": "x" * 5001}, "bad_text", "/tier_evidence"),
        ({"quantities": [row(use="ground")]}, "not_asked_for", "/quantities/0"),
        ({"quantities": [row(kind="book")]}, "not_asked_for", "/quantities/0"),
    ],
)
def test_what_cannot_be_asked_for(world: World, asked: dict[str, Any], code: str, pointer: str) -> None:
    with pytest.raises(Refusal) as refused:
        world.ask(**asked)
    assert (code_of(refused), refused.value.pointer) == (code, pointer)
    assert not LicenceRequest.objects.exists()


@pytest.mark.parametrize(
    ("asked", "pointer"),
    [
        ({"quantities": [row(units=-1)]}, "/quantities/0/units"),
        ({"quantities": [row(units=True)]}, "/quantities/0/units"),
        ({"quantities": [row(units="5")]}, "/quantities/0/units"),
        ({"quantities": [row(unit="byte")]}, "/quantities/0/unit"),
        ({"quantities": [row(price=0)]}, "/quantities/0/price"),
        ({"bases": {"revenue": -5}}, "/bases/revenue"),
        ({"bases": {"revenue": 1.5}}, "/bases/revenue"),
    ],
)
def test_figures_are_whole_numbers_of_known_things(world: World, asked: dict[str, Any], pointer: str) -> None:
    with pytest.raises(BadDocument) as refused:
        world.ask(**asked)
    assert [error["pointer"] for error in refused.value.errors] == [pointer]


def test_equal_figures_are_added_and_empty_ones_left_out(world: World) -> None:
    request = world.ask(quantities=[row(units=2), row(units=3, works=1), row(unit="page", units=0)])
    assert request.quantities == [row(units=5, works=1)]


def test_a_claimed_size_needs_something_that_shows_it(world: World) -> None:
    request = world.ask(tier_evidence="")
    with pytest.raises(Refusal) as refused:
        services.submit(actor=world.director, request=request)
    assert code_of(refused) == "evidence_missing"
    services.attach(actor=world.director, request=request, file=io.BytesIO(PDF), name="accounts.pdf")
    assert services.submit(actor=world.director, request=request).status == "submitted"


def test_papers_are_kept_as_received_and_once(world: World) -> None:
    request = world.ask()
    for _n in range(2):
        services.attach(actor=world.director, request=request, file=io.BytesIO(PDF), name="../accounts.pdf")
    kept = RequestFile.objects.get()
    assert (kept.name, kept.media_type, kept.file.organisation) == ("accounts.pdf", "application/pdf", world.firm)


@pytest.mark.parametrize("content", [b"<html><script>", b"", b"MZ\x90\x00", b"PK\x03\x04"])
def test_a_paper_is_told_by_its_content(world: World, content: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        services.attach(actor=world.director, request=world.ask(), file=io.BytesIO(content), name="accounts.pdf")
    assert refused.value.pointer == "/file"
    assert not RequestFile.objects.exists()


def test_no_paper_is_added_once_the_contract_is_laid_out(world: World) -> None:
    offer = world.offered()
    with pytest.raises(Conflict):
        services.attach(actor=world.director, request=offer.request, file=io.BytesIO(PDF), name="late.pdf")


def test_permission_comes_first(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A licence is never asked for days that have passed; today is still in time."""
    assert world.submitted(term_from=world.today).status == "submitted"
    past = world.ask(term_from=world.today - DAY)
    with pytest.raises(Refusal) as refused:
        services.submit(actor=world.director, request=past)
    assert (code_of(refused), refused.value.pointer) == ("term_begun", "/term_from")
    late = world.ask(term_from=world.today + DAY)
    on(world.today + 2 * DAY, monkeypatch)
    with pytest.raises(Refusal):
        services.submit(actor=world.director, request=late)


def test_a_society_declines_with_a_reason(world: World) -> None:
    request = world.submitted()
    with pytest.raises(Refusal) as refused:
        services.decline(actor=world.clerk, request=request, reason=" ")
    assert code_of(refused) == "reason_missing"
    services.decline(actor=world.clerk, request=request, reason="We have no such repertoire.")
    assert (request.status, request.reason) == ("declined", "We have no such repertoire.")
    told = Notice.objects.get(key=f"licence-request-declined:{request.pk}")
    assert (told.user_id, told.body) == (world.director.user_id, "We have no such repertoire.")
    for act in (
        lambda: services.withdraw(actor=world.director, request=request),
        lambda: services.quote(actor=world.clerk, request=request, valid_to=world.today + DAY),
    ):
        with pytest.raises(Conflict):
            act()
    assert not Quote.objects.exists()


def test_a_withdrawn_request_takes_its_offer_along(world: World) -> None:
    offer = world.offered()
    world.sign(world.signer, offer)
    services.withdraw(actor=world.director, request=offer.request, reason="We train on something else.")
    offer.refresh_from_db()
    assert (offer.request.status, offer.status) == ("withdrawn", "withdrawn")
    with pytest.raises(Conflict) as refused:
        world.sign(world.director, offer)
    assert code_of(refused) == "offer_not_open"
    assert not Licence.objects.exists()


def test_programs_of_both_sides_hear_of_each_step(world: World) -> None:
    kinds = ["licence.quoted", "licence.offered", "licence.signed"]
    for side in (world.society, world.firm):
        Webhook.objects.create(organisation=side, url="https://example.org/", events=kinds)
    world.signed()
    heard = WebhookDelivery.objects.order_by("id").values_list("webhook__organisation__ref", "kind")
    assert sorted(heard) == sorted((side, kind) for kind in kinds for side in ("WEB-SOCIETY", "HANBIT-AI"))


# --- What follows a licence --------------------------------------------------------------------------------------------


def old_licence(world: World, **terms: Any) -> Licence:
    wanted = {"valid_from": world.today - 100 * DAY, "valid_to": world.today + 100 * DAY, "tier": "large"} | terms
    return licence(world.society, world.firm, world.tariff.versions.get(), **wanted)


def test_only_ones_own_licence_is_renewed_or_amended(world: World) -> None:
    other = organisation("OTHER", "licensee")
    theirs = licence(world.society, other, world.tariff.versions.get(), valid_from=world.today)
    for how in ("renews", "amends"):
        with pytest.raises(NotFound):
            world.ask(**{how: theirs})


@pytest.mark.parametrize(
    ("how", "first", "after", "code"),
    [
        ("amends", -1, 100, "term_begun"),
        ("amends", 100, 120, "outside_term"),
        ("amends", 50, 101, "beyond_term"),
        ("amends", 50, None, "beyond_term"),
        ("amends", 0, 100, ""),
        ("amends", 50, 80, ""),
        ("renews", 99, 400, "before_its_end"),
        ("renews", 100, 400, ""),
        ("renews", 130, None, ""),
    ],
)
def test_when_what_follows_may_begin_and_end(world: World, how: str, first: int, after: int | None, code: str) -> None:
    old = old_licence(world)
    after_day = None if after is None else world.today + after * DAY
    request = world.ask(term_from=world.today + first * DAY, term_to=after_day, **{how: old})
    if not code:
        assert services.submit(actor=world.director, request=request).status == "submitted"
        return
    with pytest.raises(Refusal) as refused:
        services.submit(actor=world.director, request=request)
    assert code_of(refused) == code


@pytest.mark.parametrize("how", ["renews", "amends"])
@pytest.mark.parametrize("status", ["draft", "suspended", "terminated", "amended"])
def test_a_licence_that_does_not_hold_is_not_followed(world: World, how: str, status: str) -> None:
    old = old_licence(world)
    Licence.objects.filter(pk=old.pk).update(status=status)
    first = 100 if how == "renews" else 1
    request = world.ask(term_from=world.today + first * DAY, term_to=world.today + (first + 10) * DAY, **{how: old})
    with pytest.raises(Conflict) as refused:
        services.submit(actor=world.director, request=LicenceRequest.objects.get(pk=request.pk))
    assert code_of(refused) == "licence_not_active"


def test_a_licence_without_an_end_has_no_renewal(world: World) -> None:
    request = world.ask(renews=old_licence(world, valid_to=None), term_from=world.today + DAY)
    with pytest.raises(Refusal) as refused:
        services.submit(actor=world.director, request=request)
    assert code_of(refused) == "never_ends"


@pytest.mark.parametrize(
    "ref", ["Q-1", "R-ABCD-EFGH-JKLM", "Q-abcd-EFGH-JKLM", "Q-ABCD-EFGH-JKL1", "Q-ABCD-EFGH-JKLMN", "x" * 300]
)
def test_a_reference_that_came_back_is_one_that_was_given_out(world: World, ref: str) -> None:
    with pytest.raises(Refusal) as refused:
        world.ask(ref=ref)
    assert code_of(refused) == "bad_ref"
    assert world.ask(ref="Q-ABCD-EFGH-JKLM").ref == "Q-ABCD-EFGH-JKLM"


def test_the_reason_of_an_end_is_a_text_that_everybody_sees_alike(world: World) -> None:
    """Marks that turn a text around would show the other side another reason than was written."""
    request = world.submitted()
    for act in (
        lambda: services.withdraw(actor=world.director, request=request, reason="too \u202elate"),
        lambda: services.decline(actor=world.clerk, request=request, reason="too \u202elate"),
    ):
        with pytest.raises(Refusal) as refused:
            act()
        assert (code_of(refused), refused.value.pointer) == ("bad_text", "/reason")
    request.refresh_from_db()
    assert request.status == "submitted"
    with pytest.raises(Conflict, match="stands at “waits for a quote”"):
        services.submit(actor=world.director, request=request)
