"""What somebody might try with contracts: past the application, at the same moment, or after the fact. All of it commits."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.access.core import ROLES
from accounts.access.models import Membership
from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Conflict, Refusal
from licensing.licences import services
from licensing.licences.models import (
    Certificate,
    Licence,
    LicenceRequest,
    Offer,
    OfferDocument,
    Quote,
    RequestFile,
    Signature,
    StandardTerms,
)
from licensing.licences.services import offering, signing
from tests.licensing.licence_world import DAY, World, person
from tests.licensing.parties import organisation as organisation_of
from tests.together import meeting, together

PATIENCE = 0.5  # seconds that acts wait for one another where a lock lets one in alone


@pytest.fixture
def world(committed_db: Any) -> World:
    return World()


def signature(world: World, offer: Offer, **fields: Any) -> Signature:
    """The firm's, written past the services."""
    wanted: dict[str, Any] = {
        "offer": offer, "side": "licensee", "user_id": world.director.user_id, "organisation": world.firm,
        "typed_name": "n", "capacity": "c", "language": "en", "sha256": offer.sha256, "signed_at": timezone.now(),
    }  # fmt: skip
    return Signature.objects.create(**(wanted | fields))


def refused(act: Callable[[], Any], words: str) -> None:
    """The database refuses it, whoever asks, and nothing changed."""
    with pytest.raises(IntegrityError, match=words):
        act()


def sql(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


# --- Past the application ----------------------------------------------------------------------------------------------


def test_the_database_knows_who_may_sign_what_and_when(world: World) -> None:
    offer = world.offered()
    by_clerk = {"side": "society", "organisation": world.society, "user_id": world.clerk.user_id}
    by_signer = by_clerk | {"user_id": world.signer.user_id}
    too_late = timezone.make_aware(datetime.datetime.combine(offer.valid_to, datetime.time()))
    refused(lambda: signature(world, offer, **by_clerk), "a second person does")
    refused(lambda: signature(world, offer, sha256="0" * 64), "digest of an open offer")
    refused(lambda: signature(world, offer, organisation=world.society), "its own organisation")
    refused(lambda: signature(world, offer, **(by_signer | {"organisation": world.firm})), "its own organisation")
    refused(lambda: signature(world, offer, signed_at=too_late), "after its last day")
    signature(world, offer, signed_at=too_late - datetime.timedelta(microseconds=1))
    Membership.objects.create(user_id=world.director.user_id, organisation=world.society, role="licensing")
    refused(lambda: signature(world, offer, **(by_clerk | {"user_id": world.director.user_id})), "both sides")
    other = person(world.firm, "administrator")
    refused(lambda: signature(world, offer, user_id=other.user_id), "offer_is_signed_once_a_side")
    assert Signature.objects.count() == 1 and not Licence.objects.exists()


def test_the_database_knows_which_roles_sign(world: World) -> None:
    """The same as `ROLES` says: no declarant, no auditor, and nobody who works elsewhere."""
    offer = world.offered()
    sides = (("licensee", world.firm), ("society", world.society))
    for side, organisation in sides:
        for role, permissions in ROLES[organisation.kind].items():
            by = {"side": side, "organisation": organisation, "user_id": person(organisation, role).user_id}
            if "licences.sign" in permissions:
                with transaction.atomic():
                    signature(world, offer, **by)
                    transaction.set_rollback(True)
            else:
                refused(lambda by=by: signature(world, offer, **by), "a role that may sign")
    stranger = person(organisation_of("OTHER", "licensee"), "administrator")
    refused(lambda: signature(world, offer, user_id=stranger.user_id), "a role that may sign")
    assert not Signature.objects.exists()


def test_an_offer_is_not_signed_without_both_signatures(world: World) -> None:
    offer = world.offered()
    licence = services.create_licence(
        actor=SYSTEM, ref="BY-HAND", society=world.society, licensee=world.firm, tariff=world.tariff, uses=["*"],
        valid_from=world.today,
    )  # fmt: skip
    signature(world, offer)
    refused(
        lambda: Offer.objects.filter(pk=offer.pk).update(status="signed", licence=licence), "both sides have signed"
    )


def test_what_was_quoted_offered_and_signed_is_not_rewritten(world: World) -> None:
    licence = world.signed()
    offer, request = licence.offer, licence.offer.request
    for rows, change in (
        (StandardTerms.objects.all(), {"clauses": []}),
        (StandardTerms.objects.all(), {"conditions": {}}),
        (StandardTerms.objects.all(), {"status": "draft"}),
        (Quote.objects.all(), {"amount": 1}),
        (Quote.objects.all(), {"valid_to": world.today + 900 * DAY}),
        (Offer.objects.all(), {"agreement": {}}),
        (Offer.objects.all(), {"sha256": "0" * 64}),
        (Offer.objects.all(), {"conditions": {}}),
        (Offer.objects.all(), {"valid_to": world.today + 900 * DAY}),
        (Offer.objects.all(), {"status": "open", "licence": None}),
        (OfferDocument.objects.all(), {"language": "ja"}),
        (Signature.objects.all(), {"typed_name": "somebody else"}),
        (Signature.objects.all(), {"signed_at": timezone.now() - 30 * DAY}),
        (Certificate.objects.all(), {"code": "AAAA-AAAA-AAAA-AAAA"}),
        (LicenceRequest.objects.all(), {"uses": ["*"]}),
        (LicenceRequest.objects.all(), {"status": "submitted"}),
        (Licence.objects.all(), {"uses": ["*"]}),
        (Licence.objects.all(), {"conditions": {}}),
        (Licence.objects.all(), {"tier": "small"}),
        (Licence.objects.all(), {"valid": (licence.valid.lower, None)}),
        (Licence.objects.all(), {"valid": (world.today - 900 * DAY, licence.valid.upper)}),
    ):
        refused(lambda rows=rows, change=change: rows.update(**change), "chang|written once|signed")
    for kept in (licence, offer, request):
        before = type(kept).objects.filter(pk=kept.pk).values().get()
        kept.refresh_from_db()
        assert before == type(kept).objects.filter(pk=kept.pk).values().get()


def test_nothing_of_a_contract_is_deleted(world: World) -> None:
    request = world.ask()
    services.submit(actor=world.director, request=request)
    world.signed()
    for model in (
        StandardTerms, Quote, Offer, OfferDocument, Signature, Certificate, RequestFile, LicenceRequest, Licence,
    ):  # fmt: skip
        table = model._meta.db_table
        if model is not RequestFile:
            refused(lambda table=table: sql(f"DELETE FROM {table}"), "delete|chang")
    for model in (StandardTerms, Quote, Offer, OfferDocument, Signature, Certificate, LicenceRequest):
        table = model._meta.db_table
        refused(lambda table=table: sql(f"TRUNCATE {table} CASCADE"), "removed|written once|delete|chang")
    assert Signature.objects.count() == 2 and Licence.objects.count() == 1


def test_terms_are_fixed_once_published_and_before_that_are_not(world: World) -> None:
    draft = StandardTerms.objects.create(
        society=world.society, ref="NEXT", version=1, name="n", name_ko="n", clauses=[], conditions={}, sha256="0" * 64
    )
    assert StandardTerms.objects.filter(pk=draft.pk).update(name="better") == 1
    StandardTerms.objects.filter(pk=draft.pk).update(status="published")
    refused(lambda: StandardTerms.objects.filter(pk=draft.pk).update(name="worse"), "never changed")
    refused(lambda: StandardTerms.objects.filter(pk=draft.pk).delete(), "never changed")


# --- At the same moment ------------------------------------------------------------------------------------------------


def meet_before_looking(monkeypatch: pytest.MonkeyPatch, acts: int) -> None:
    """Where the offer is not held, all of them look at it at once."""
    meet = meeting(acts, PATIENCE)
    looks = signing.check_signable

    def looking(held: Offer, sha256: str) -> None:
        meet()
        looks(held, sha256)

    monkeypatch.setattr(signing, "check_signable", looking)


def test_two_people_sign_for_one_side_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    offer = world.offered()
    world.sign(world.director, offer)
    second = person(world.society, "licensing")
    meet_before_looking(monkeypatch, 2)
    results = together(lambda: world.sign(world.signer, offer), lambda: world.sign(second, offer))
    assert sum(isinstance(result, Signature) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 1
    assert (Signature.objects.count(), Licence.objects.count(), Certificate.objects.count()) == (2, 1, 1)


def both_sign(world: World, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    offer = world.offered()
    meet_before_looking(monkeypatch, 2)
    return together(lambda: world.sign(world.director, offer), lambda: world.sign(world.signer, offer))


def test_both_sides_sign_at_once_and_one_licence_comes_of_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    results = both_sign(world, monkeypatch)
    assert all(isinstance(result, Signature) for result in results)
    offer = Offer.objects.get()
    assert offer.status == "signed" and offer.licence == Licence.objects.get()
    assert Event.objects.filter(verb="licence.granted").count() == 1


def test_without_the_lock_neither_of_both_sides_would_see_the_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: what the lock is for. Each counts one signature, so that no licence comes of two."""
    monkeypatch.setattr(
        signing, "locked", lambda offer: Offer.objects.select_related("request", "quote").get(pk=offer.pk)
    )
    meet = meeting(2, PATIENCE)
    count = signing.put_signature

    def put(*args: Any, **keys: Any) -> Signature:
        made = count(*args, **keys)
        meet()
        return made

    monkeypatch.setattr(signing, "put_signature", put)
    sql("ALTER TABLE licensing_signature DISABLE TRIGGER guard_sign_in_time")  # it holds the offer too
    both_sign(world, monkeypatch)
    assert Signature.objects.count() == 2 and not Licence.objects.exists()


def test_two_licences_of_a_society_are_signed_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its own number, and neither waits for the other in a circle."""
    offers = [world.offered(), world.offered()]
    for offer in offers:
        world.sign(world.director, offer)
    meet = meeting(2, PATIENCE)
    put = signing.put_signature

    def together_put(*args: Any, **keys: Any) -> Signature:
        made = put(*args, **keys)
        meet()
        return made

    monkeypatch.setattr(signing, "put_signature", together_put)
    results = together(*[lambda offer=offer: world.sign(world.signer, offer) for offer in offers])
    assert all(isinstance(result, Signature) for result in results), results
    numbers = sorted(ref.rpartition("-")[2] for ref in Licence.objects.values_list("ref", flat=True))
    assert numbers == ["1", "2"]


def test_signing_and_withdrawing_at_once_leave_one_of_them(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for _n in range(3):
        offer = world.offered()
        world.sign(world.director, offer)
        results = together(
            lambda offer=offer: world.sign(world.signer, offer),
            lambda offer=offer: services.withdraw(actor=world.director, request=offer.request),
            lambda offer=offer: services.withdraw_offer(actor=world.clerk, offer=offer),
        )
        assert sum(isinstance(result, Conflict) for result in results) in (1, 2), results
        assert not [result for result in results if isinstance(result, Exception) and not isinstance(result, Refusal)]
        offer.refresh_from_db()
        assert (offer.status == "signed") == Licence.objects.filter(offer=offer).exists()


def test_two_offers_made_at_once_leave_one_open(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    quotes = [world.quoted()]
    quotes.append(world.quoted(quotes[0].request))
    meet = meeting(2, PATIENCE)
    put = offering.put_offer

    def together_put(*args: Any, **keys: Any) -> Offer:
        meet()
        return put(*args, **keys)

    monkeypatch.setattr(offering, "put_offer", together_put)
    results = together(*[lambda quote=quote: world.offered(Quote.objects.get(pk=quote.pk)) for quote in quotes])
    assert sum(isinstance(result, Offer) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 1
    assert Offer.objects.filter(status="open").count() == 1


def test_a_second_open_offer_is_refused_by_the_database_too(world: World) -> None:
    offer = world.offered()
    fields: dict[str, Any] = dict(Offer.objects.filter(pk=offer.pk).values().get())
    fields |= {"id": None, "quote_id": world.quoted().pk}
    refused(lambda: Offer.objects.create(**fields), "licence_request_has_one_open_offer")


def test_a_licence_is_amended_once_by_two_offers_signed_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    old = world.signed()
    offers = [
        world.offered(world.quoted(world.submitted(amends=old, term_from=world.today + n * DAY)), days=10)
        for n in (20, 30)
    ]
    for offer in offers:
        world.sign(world.director, offer)
    meet = meeting(2, PATIENCE)
    conclude = signing.conclude

    def together_conclude(*args: Any) -> Licence:
        meet()
        return conclude(*args)

    monkeypatch.setattr(signing, "conclude", together_conclude)
    results = together(*[lambda offer=offer: world.sign(world.signer, offer) for offer in offers])
    assert sum(isinstance(result, Signature) for result in results) == 1
    assert Licence.objects.filter(succeeds=old).count() == 1
    assert not [result for result in results if not isinstance(result, (Signature, Refusal))], results


def test_what_fails_halfway_leaves_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate cannot be signed: no signature, no licence; then it can, and all of it is there."""
    offer = world.offered()
    world.sign(world.director, offer)

    def broken(**_keys: Any) -> None:
        raise RuntimeError("no key")

    with monkeypatch.context() as patch:
        patch.setattr(signing.certificates, "issue", broken)
        with pytest.raises(RuntimeError), transaction.atomic():
            world.sign(world.signer, offer)
    offer.refresh_from_db()
    assert (offer.status, Signature.objects.count(), Licence.objects.count()) == ("open", 1, 0)
    world.sign(world.signer, offer)
    assert Certificate.objects.get().licence == Licence.objects.get()


def test_what_is_sent_is_what_was_checked(world: World) -> None:
    """A page holds the draft as it was; meanwhile a colleague moved its first day into the past."""
    shown = world.ask()
    colleague = LicenceRequest.objects.get(pk=shown.pk)
    services.revise(actor=world.director, request=colleague, term_from=world.today - 30 * DAY)
    with pytest.raises(Refusal):
        services.submit(actor=world.director, request=shown)
    assert LicenceRequest.objects.get().status == "draft"


def test_a_request_is_answered_once(world: World) -> None:
    request = world.submitted()
    results = together(
        lambda: services.decline(actor=world.clerk, request=LicenceRequest.objects.get(pk=request.pk), reason="no"),
        lambda: services.withdraw(actor=world.director, request=LicenceRequest.objects.get(pk=request.pk)),
    )
    assert sum(isinstance(result, LicenceRequest) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 1
