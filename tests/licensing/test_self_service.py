"""Self-service: a licence at a fixed price that a firm takes by one signature, where the tariff allows it."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.evidence.models import Event
from accounts.identity.core import Actor, Conflict, Forbidden, NotFound, Refusal
from accounts.identity.models import User
from licensing.licences.models import Certificate, Licence, LicenceRequest, Offer, Quote, Signature, StandingOffer
from licensing.licences.services import documents, standing, taking
from licensing.licences.services import terms as standard_terms
from licensing.tariffs.periods import months_after
from tests.accounts.people import organisation
from tests.licensing import licence_world
from tests.licensing.licence_world import DAY, World
from tests.licensing.parties import determined
from tests.licensing.tariff_documents import charge, tariff
from tests.licensing.test_standard_terms import document
from tests.licensing.test_tariff_pages import text

pytestmark = pytest.mark.django_db


def rates(**change: Any) -> dict[str, Any]:
    """₩300,000 a year for small firms, ₩100,000 for research; large firms pay by use."""
    return tariff(
        charge("flat", "small", amount="300000", licensee_tiers=["small"]),
        charge("flat", "research", amount="100000", licensee_tiers=["research"]),
        charge("per_unit", "large", uses=["train"], per=1000, price="2", licensee_tiers=["large"]),
        tariff="READY", name="Ready licences", period_months=12, self_service={"tiers": ["research", "small"], "months": 12},
        **change,
    )  # fmt: skip


class Shop(World):
    """A world whose society has a tariff with self-service and a standing offer for small firms and research."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.tariff = determined(self.society, rates()).tariff
        self.terms = standard_terms.publish(
            actor=self.clerk, terms=standard_terms.draft(actor=self.clerk, society=self.society, document=document())
        )

    def prepared(self, **change: Any) -> StandingOffer:
        wanted = {
            "society": self.society, "tariff": self.tariff, "standard_terms": self.terms, "name": "Small firms", "uses": ["train"],
        } | change  # fmt: skip
        return standing.prepare(actor=self.clerk, **wanted)

    def opened(self, **change: Any) -> StandingOffer:
        made = self.prepared(**change)
        digest = documents.digest(standing.document_of(made))
        return standing.sign_standing(
            actor=self.signer, standing=made, typed_name="이서명", capacity="chair", sha256=digest
        )

    def choices(self, *, first_day_in: int = 0, **change: Any) -> dict[str, Any]:
        return {
            "term_from": self.today + first_day_in * DAY,
            "tier": "small",
            "tier_evidence": "8 people",
            "ai_models": ["han-1"],
        } | change

    def taken(self, of: StandingOffer, actor: Actor | None = None, sha256: str = "", **change: Any) -> Licence:
        chosen = self.choices(**change)
        shown = taking.propose(actor=actor or self.director, standing=of, **chosen)
        return taking.take(
            actor=actor or self.director, standing=of, ref=shown.ref, typed_name="김하늘", capacity="director",
            sha256=sha256 or shown.sha256, **chosen,
        )  # fmt: skip


@pytest.fixture
def shop() -> Shop:
    cache.clear()
    return Shop()


def nothing_made() -> bool:
    return not (
        Licence.objects.exists() or Signature.objects.exists() or Certificate.objects.exists() or Quote.objects.exists()
        or Offer.objects.exists() or LicenceRequest.objects.exists()
    )  # fmt: skip


# The society's side


def test_a_second_person_signs_a_standing_offer(shop: Shop) -> None:
    made = shop.prepared()
    digest = documents.digest(standing.document_of(made))
    with pytest.raises(Forbidden, match="another person"):
        standing.sign_standing(actor=shop.clerk, standing=made, typed_name="x", capacity="y", sha256=digest)
    with pytest.raises(Conflict, match="not the document"):
        standing.sign_standing(actor=shop.signer, standing=made, typed_name="x", capacity="y", sha256="0" * 64)
    with pytest.raises(Refusal):
        standing.sign_standing(actor=shop.signer, standing=made, typed_name=" ", capacity="y", sha256=digest)
    stranger = licence_world.person(organisation("KORRA", "society"), "administrator")
    with pytest.raises(NotFound):
        standing.sign_standing(actor=stranger, standing=made, typed_name="x", capacity="y", sha256=digest)
    signed = standing.sign_standing(
        actor=shop.signer, standing=made, typed_name="이서명", capacity="chair", sha256=digest
    )
    assert (signed.status, signed.document_sha256) == ("open", digest)
    verbs = Event.objects.about("standing_offer", made.pk).order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["standing_offer.prepared", "standing_offer.signed"]


def test_the_database_wants_two_persons(shop: Shop) -> None:
    made = shop.prepared()
    with pytest.raises(IntegrityError, match="second_person"), transaction.atomic():
        StandingOffer.objects.filter(pk=made.pk).update(
            status="open",
            signed_by_id=shop.clerk.user_id,
            signed_at=timezone.now(),
            typed_name="x",
            document_sha256="0" * 64,
        )


@pytest.mark.parametrize(
    "field", ["name", "conditions", "months", "tiers", "document_sha256", "typed_name", "signed_at"]
)
def test_the_database_keeps_what_was_signed(shop: Shop, field: str) -> None:
    made = shop.opened()
    values: dict[str, Any] = {
        "name": "x", "conditions": {}, "months": 60, "tiers": ["large"], "document_sha256": "0" * 64, "typed_name": "x",
        "signed_at": timezone.now(),
    }  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        StandingOffer.objects.filter(pk=made.pk).update(**{field: values[field]})


def test_the_database_opens_none_unsigned_and_removes_none(shop: Shop) -> None:
    made = shop.opened()
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        StandingOffer.objects.filter(pk=made.pk).delete()
    fresh = {
        name: getattr(made, name) for name in ("society", "tariff", "terms", "uses", "kinds", "territory", "months")
    }
    with pytest.raises(IntegrityError, match="prepared first"), transaction.atomic():
        StandingOffer.objects.create(
            ref="S-X", name="x", status="open", prepared_by_id=shop.clerk.user_id or 0, signed_by_id=shop.signer.user_id,
            signed_at=timezone.now(), **fresh,
        )  # fmt: skip
    standing.close(actor=shop.clerk, standing=made)
    with pytest.raises(IntegrityError, match="each once"), transaction.atomic():
        StandingOffer.objects.filter(pk=made.pk).update(status="open")


def test_only_a_tariff_with_self_service_has_one(shop: Shop) -> None:
    plain = determined(shop.society, licence_world.rates(tariff="PLAIN")).tariff
    with pytest.raises(Conflict, match="without negotiation"):
        shop.prepared(tariff=plain)
    with pytest.raises(Refusal) as refused:
        shop.prepared(tiers=["large"])
    assert refused.value.code == "tier_not_allowed"
    assert not StandingOffer.objects.exists()


def test_who_does_not_manage_licences_prepares_none(shop: Shop) -> None:
    for role in ("repertoire", "auditor"):
        other = licence_world.person(shop.society, role)
        with pytest.raises(Forbidden):
            standing.prepare(
                actor=other,
                society=shop.society,
                tariff=shop.tariff,
                standard_terms=shop.terms,
                name="x",
                uses=["train"],
            )


# The firm's side


def test_one_signature_makes_the_licence_with_its_certificate(shop: Shop) -> None:
    of = shop.opened()
    made = shop.taken(of)
    assert (made.status, made.tier, made.ai_models, made.licensee) == ("active", "small", ["han-1"], shop.firm)
    assert (made.valid.lower, made.valid.upper) == (shop.today, months_after(shop.today, 12))
    assert made.conditions["retention_days"] == 30 and made.certificate.code
    offer = made.offer
    assert (offer.status, offer.standing, offer.quote.amount) == ("signed", of, 300_000)
    assert offer.agreement["standing_offer"] == {"ref": of.ref, "sha256": of.document_sha256}
    society = offer.signatures.get(side="society")
    assert society.signed_at == offer.standing.signed_at  # when that person signed, not when the firm did
    signed = {each.side: (each.user_id, each.typed_name, each.sha256) for each in offer.signatures.all()}
    assert signed == {
        "society": (shop.signer.user_id, "이서명", offer.sha256),
        "licensee": (shop.director.user_id, "김하늘", offer.sha256),
    }
    assert offer.documents.count() == 2 and offer.request.status == "licensed"
    assert (
        Event.objects.about("licence", made.pk).filter(verb="licence.granted", actor_id=shop.director.user_id).exists()
    )


def test_each_size_pays_its_own_price(shop: Shop) -> None:
    of = shop.opened()
    assert shop.taken(of, tier="research", tier_evidence="A university").offer.quote.amount == 100_000
    assert shop.taken(of).offer.quote.amount == 300_000


def test_the_same_signature_twice_makes_one_licence(shop: Shop) -> None:
    of, chosen = shop.opened(), shop.choices()
    shown = taking.propose(actor=shop.director, standing=of, **chosen)
    wanted = {"ref": shown.ref, "typed_name": "김하늘", "capacity": "director", "sha256": shown.sha256, **chosen}
    first = taking.take(actor=shop.director, standing=of, **wanted)
    assert taking.take(actor=shop.director, standing=of, **wanted) == first
    assert Licence.objects.count() == 1
    other = licence_world.person(organisation("OTHER", "licensee"), "administrator")
    with pytest.raises(Conflict):
        taking.take(actor=other, standing=of, **wanted)


@pytest.mark.parametrize("role", ["declarant", "finance", "viewer"])
def test_only_who_may_sign_for_the_firm_takes_one(shop: Shop, role: str) -> None:
    of = shop.opened()
    with pytest.raises(Forbidden):
        shop.taken(of, actor=licence_world.person(shop.firm, role))
    with pytest.raises(Forbidden):
        shop.taken(of, actor=shop.signer)  # of the society
    assert nothing_made()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"tier": "large"}, "tier_not_allowed"),
        ({"tier": ""}, "tier_not_allowed"),
        ({"tier": "enormous"}, "tier_not_allowed"),
        ({"tier_evidence": "  "}, "evidence_missing"),
        ({"first_day_in": -1}, "bad_first_day"),
        ({"first_day_in": 91}, "bad_first_day"),
        ({"ai_models": ["m" * 201]}, "bad_name"),
        ({"ai_models": ["evil \u202e"]}, "bad_name"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_made(shop: Shop, change: dict[str, Any], code: str) -> None:
    of = shop.opened()
    with pytest.raises(Refusal) as refused:
        shop.taken(of, **change)
    assert refused.value.code == code and nothing_made()


def test_another_document_than_was_shown_is_not_signed(shop: Shop) -> None:
    of = shop.opened()
    with pytest.raises(Conflict, match="no longer the one"):
        shop.taken(of, sha256="0" * 64)
    shown = taking.propose(actor=shop.director, standing=of, **shop.choices())
    with pytest.raises(Conflict, match="no longer the one"):  # a cheaper size than was shown
        taking.take(
            actor=shop.director, standing=of, ref=shown.ref, typed_name="x", capacity="y", sha256=shown.sha256,
            **shop.choices(tier="research"),
        )  # fmt: skip
    assert nothing_made()


def test_a_closed_one_is_not_taken(shop: Shop) -> None:
    of = shop.opened()
    kept = shop.taken(of)
    standing.close(actor=shop.clerk, standing=of)
    with pytest.raises(Conflict):
        shop.taken(StandingOffer.objects.get())
    with pytest.raises(Conflict):
        standing.close(actor=shop.clerk, standing=of)
    assert Licence.objects.get() == kept


def test_one_that_is_not_signed_is_not_taken(shop: Shop) -> None:
    with pytest.raises(Conflict):
        shop.taken(shop.prepared())
    assert nothing_made()


def test_it_ends_with_what_the_tariff_allows(shop: Shop) -> None:
    """A later version without self-service: whoever begins under it asks for a quote."""
    of = shop.opened()
    changed = rates(version=2, valid_from=(shop.today + 10 * DAY).isoformat())
    del changed["self_service"]
    determined(shop.society, changed)
    assert shop.taken(of).offer.quote.version.version == 1
    with pytest.raises(Conflict, match="without negotiation"):
        shop.taken(of, term_from=shop.today + 20 * DAY)


def test_it_ends_with_its_terms(shop: Shop) -> None:
    of = shop.opened()
    later = document(conditions={"retention_days": 60})
    standard_terms.publish(
        actor=shop.clerk, terms=standard_terms.draft(actor=shop.clerk, society=shop.society, document=later)
    )
    with pytest.raises(Conflict, match="later terms"):
        shop.taken(of)
    assert nothing_made()


def test_nobody_signs_for_both_sides(shop: Shop) -> None:
    of = shop.opened()
    both = Actor(
        kind="user", id=shop.signer.user_id, label="x", user_id=shop.signer.user_id, organisation_id=shop.firm.pk,
        organisation_kind="licensee", roles=shop.director.roles, permissions=shop.director.permissions,
    )  # fmt: skip
    with pytest.raises(Forbidden):
        shop.taken(of, actor=both)
    assert nothing_made()


def test_no_program_takes_one(shop: Shop) -> None:
    of = shop.opened()
    program = Actor(
        kind="token", id=1, label="x", organisation_id=shop.firm.pk, organisation_kind="licensee",
        permissions=shop.director.permissions,
    )  # fmt: skip
    with pytest.raises(Forbidden):
        shop.taken(of, actor=program)
    assert nothing_made()


# In one sitting


def shopping(shop: Shop, actor: Actor) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=actor.user_id))
    return client


def chosen(shop: Shop, **change: Any) -> dict[str, Any]:
    return {
        "tier": "small", "tier_evidence": "8 people", "term_from": shop.today.isoformat(), "ai_models": "han-1", "datasets": "",
    } | change  # fmt: skip


SIGNATURE = {"typed_name": "김하늘", "capacity": "director", "authorised": "on"}


def test_anyone_sees_what_stands_ready_with_its_price(shop: Shop) -> None:
    of = shop.opened(name_ko="작은 회사용")
    shop.prepared(name="Not open yet")
    page = text(Client().get("/licences/ready/"))
    assert "Small firms" in page and "₩300,000 for the whole term" in page and "Not open yet" not in page
    detail = text(Client().get(f"/licences/ready/{of.pk}/"))
    assert "Register your firm" in detail and "₩100,000" in detail
    assert "작은 회사용" in text(Client(headers={"accept-language": "ko"}).get("/licences/ready/"))


def test_a_firm_takes_one_from_choice_to_certificate(shop: Shop) -> None:
    of = shop.opened()
    client = shopping(shop, shop.director)
    address = f"/licences/ready/{of.pk}/take/"
    assert "Step 1 of 2" in text(client.get(address))
    read = client.post(address, chosen(shop))
    assert "Step 2 of 2" in text(read) and "₩300,000" in text(read) and "Keep it for 30 days." in text(read)
    assert nothing_made()
    proposal = read.context["proposal"]
    signature = SIGNATURE | {"sha256": proposal.sha256, "sealed": read.context["sealed"]}
    done = client.post(address, signature, follow=True)
    made = Licence.objects.get()
    assert "The licence is yours" in text(done) and made.certificate.code in text(done)
    assert made.offer.sha256 == proposal.sha256 and made.ai_models == ["han-1"]
    assert client.post(address, signature)["Location"] == f"/licences/ready/done/{made.pk}/"  # clicked twice
    assert Licence.objects.count() == 1
    assert client.get(f"/licences/{made.pk}/signed-ko.pdf").content.startswith(b"%PDF")
    assert "Valid today." in text(Client().get(f"/certificates/{made.certificate.code}/"))


def test_choices_cannot_be_changed_between_reading_and_signing(shop: Shop) -> None:
    of = shop.opened()
    client, address = shopping(shop, shop.director), f"/licences/ready/{of.pk}/take/"
    read = client.post(address, chosen(shop))
    good = SIGNATURE | {"sha256": read.context["proposal"].sha256, "sealed": read.context["sealed"]}
    for wrong in ("", "x", good["sealed"][:-2] + "zz"):
        assert client.post(address, good | {"sealed": wrong})["Location"] == address
    again = client.post(address, good | {"sha256": "0" * 64})
    assert "no longer the one that was shown" in text(again)
    assert "Type your full name" in text(client.post(address, good | {"typed_name": "\u202e"})) or nothing_made()
    assert client.post(address, good | {"authorised": ""}).status_code == 200
    colleague = licence_world.person(shop.firm, "administrator")
    assert shopping(shop, colleague).post(address, good)["Location"] == address  # read by another person
    assert nothing_made()


def test_one_that_was_closed_while_it_was_read_is_gone(shop: Shop) -> None:
    of = shop.opened()
    client, address = shopping(shop, shop.director), f"/licences/ready/{of.pk}/take/"
    read = client.post(address, chosen(shop))
    standing.close(actor=shop.clerk, standing=of)
    signature = SIGNATURE | {"sha256": read.context["proposal"].sha256, "sealed": read.context["sealed"]}
    assert client.post(address, signature).status_code == 404
    assert nothing_made()


def test_who_may_not_sign_is_told_who_may(shop: Shop) -> None:
    of = shop.opened()
    client = shopping(shop, shop.declarant)
    assert client.get(f"/licences/ready/{of.pk}/take/")["Location"] == f"/licences/ready/{of.pk}/"
    assert "An administrator of your firm takes it." in text(client.get(f"/licences/ready/{of.pk}/"))
    assert Client().get(f"/licences/ready/{of.pk}/take/")["Location"].startswith("/accounts/login/")


def test_a_society_prepares_and_opens_one_by_two_people(shop: Shop) -> None:
    clerk, signer = shopping(shop, shop.clerk), shopping(shop, shop.signer)
    entered = {
        "name": "For research", "tariff": shop.tariff.pk, "standard_terms": shop.terms.pk, "tiers": "research", "uses": ["train"],
        "territory": "KR",
    }  # fmt: skip
    assert clerk.get("/licences/ready/new/").status_code == 200
    refused = text(clerk.post("/licences/ready/new/", entered | {"tiers": "large"}))
    assert "Ask the society for a quote" in refused or "fixes no price" in refused or "가격" in refused
    clerk.post("/licences/ready/new/", entered)
    made = StandingOffer.objects.get()
    sign = f"/licences/ready/{made.pk}/sign/"
    signature = SIGNATURE | {"sha256": documents.digest(standing.document_of(made))}
    assert clerk.post(sign, signature).status_code == 403
    assert Client().get(f"/licences/ready/{made.pk}/").status_code == 404
    assert "Sign for the society" in text(signer.get(f"/licences/ready/{made.pk}/"))
    assert signer.post(sign, signature).status_code == 302
    assert Client().get(f"/licences/ready/{made.pk}/").status_code == 200
    assert clerk.post(f"/licences/ready/{made.pk}/close/").status_code == 302
    made.refresh_from_db()
    assert made.status == "closed"


@pytest.mark.parametrize("act", ["sign", "close"])
def test_another_society_touches_none(shop: Shop, act: str) -> None:
    of = shop.opened()
    stranger = shopping(shop, licence_world.person(organisation("KORRA", "society"), "administrator"))
    assert stranger.post(f"/licences/ready/{of.pk}/{act}/", SIGNATURE | {"sha256": "0" * 64}).status_code == 404
    of.refresh_from_db()
    assert of.status == "open"


def test_someone_new_comes_from_nothing_to_a_licence(shop: Shop) -> None:
    """No account and no firm: an address that is proved, a firm, and the licence, in one sitting."""
    of = shop.opened()
    client = Client()
    user = User.objects.create_user("ceo@new.example", "pw")
    EmailAddress.objects.create(
        user=user, email=user.email, primary=True, verified=True
    )  # as the link in the mail does
    client.force_login(user)
    take = f"/licences/ready/{of.pk}/take/"
    firm = {"name": "New AI", "name_ko": "", "country": "KR", "may": "on"}
    assert client.post(f"/join/firm/?next={take}", firm)["Location"] == take
    read = client.post(take, chosen(shop))
    client.post(take, SIGNATURE | {"sha256": read.context["proposal"].sha256, "sealed": read.context["sealed"]})
    assert Licence.objects.get().licensee.name == "New AI"
