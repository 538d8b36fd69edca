"""A firm takes a licence that stands ready: it reads the agreement that its choices make, and signs that very one."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict, Forbidden, Refusal
from accounts.organisations.models import Organisation
from licensing import refs
from licensing.licences.conditions import Conditions
from licensing.licences.models import Licence, LicenceRequest, Quote, Signature, StandingOffer
from licensing.licences.services import documents, offering, quoting, requests, signing
from licensing.licences.services import standing as standing_offers
from licensing.licences.services.common import REQUEST, checked_names, refuse_test
from licensing.tariffs import core as tariff_core
from licensing.tariffs.models import TariffVersion
from licensing.tariffs.periods import months_after

AHEAD: Final = datetime.timedelta(days=90)  # how far off the first day may be


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a firm is about to sign: the agreement with its digest, and why it costs what it costs."""

    ref: str
    agreement: dict[str, Any]
    rating: tariff_core.Rating
    version: TariffVersion

    @property
    def sha256(self) -> str:
        return documents.digest(self.agreement)


def propose(
    *,
    actor: Actor,
    standing: StandingOffer,
    term_from: datetime.date,
    tier: str = "",
    tier_evidence: str = "",
    ai_models: Collection[str] = (),
    datasets: Collection[str] = (),
    ref: str = "",
) -> Proposal:
    """The agreement that these choices would make, as it is shown before it is signed. Nothing is kept.

    `ref` is that of an earlier proposal, so that the same choices give the same agreement again.
    """
    licensee = _taking(actor)
    today = timezone.localdate()
    if not today <= term_from <= today + AHEAD:
        raise Refusal(
            "bad_first_day",
            _("Choose a first day from today on, within %(days)s days.") % {"days": AHEAD.days},
            pointer="/term_from",
        )
    if standing.status != StandingOffer.Status.OPEN:
        raise standing_offers.wrong_status(standing)
    service = standing_offers.check_holds(standing, term_from)
    if tier not in standing_offers.choices(
        standing, tariff_core.parse(standing_offers.version(standing, term_from).document)
    ):
        raise standing_offers.not_for(tier)
    standing_offers.check_admitted(service, tier)
    if tier and not tier_evidence.strip():
        raise Refusal("evidence_missing", _("Say what shows that your firm has this size."), pointer="/tier_evidence")
    version, rating = standing_offers.price(standing, term_from, tier)
    request = LicenceRequest(
        ref=ref or refs.new_ref(REQUEST),
        society=standing.society,
        licensee=licensee,
        tariff=standing.tariff,
        uses=standing.uses,
        kinds=standing.kinds,
        territory=standing.territory,
        ai_models=checked_names(ai_models, "/ai_models"),
        datasets=checked_names(datasets, "/datasets"),
        term=DateRange(term_from, months_after(term_from, standing.months)),
        tier=tier,
    )
    quote = Quote(
        request=request, version=version, tier=tier, quantities=[], bases={}, rating=rating.as_data(), amount=rating.amount,
        currency=rating.currency, issued_at=timezone.now(),
    )  # fmt: skip
    conditions = Conditions.from_data(standing.conditions)
    agreement = documents.agreement_of(request, quote, standing.terms, conditions, standing=standing)
    return Proposal(request.ref, agreement, rating, version)


@transaction.atomic
def take(
    *,
    actor: Actor,
    standing: StandingOffer,
    ref: str,
    typed_name: str,
    capacity: str,
    sha256: str,
    term_from: datetime.date,
    tier: str = "",
    tier_evidence: str = "",
    ai_models: Collection[str] = (),
    datasets: Collection[str] = (),
    language: str = "en",
) -> Licence:
    """An authorised person of a firm signs, and the licence is the firm's, with its certificate. All or nothing.

    `ref` and `sha256` are those of the proposal that was shown. The same again gives the licence that was made.
    """
    licensee = _taking(actor)
    signing.check_signer(actor)
    held = standing_offers.locked(standing)
    before = LicenceRequest.objects.filter(ref=ref).first()
    if before is not None:
        return _made_before(before, licensee)
    shown = propose(
        actor=actor, standing=held, term_from=term_from, tier=tier, tier_evidence=tier_evidence, ai_models=ai_models,
        datasets=datasets, ref=ref,
    )  # fmt: skip
    if shown.sha256 != sha256.strip().lower():
        raise Conflict(
            "other_document", _("The agreement is no longer the one that was shown. Read it again, then sign.")
        )
    if actor.user_id in (held.prepared_by_id, held.signed_by_id):
        raise Forbidden(_("You acted for the society. Another person signs for the firm."), code="same_person")
    return _conclude(actor, held, shown, tier_evidence, typed_name, capacity, language)


def _conclude(
    actor: Actor,
    held: StandingOffer,
    shown: Proposal,
    tier_evidence: str,
    typed_name: str,
    capacity: str,
    language: str,
) -> Licence:
    """The rows of a licence from its request to both signatures."""
    of, tier = shown.agreement, shown.agreement["tier"]
    first, until = datetime.date.fromisoformat(of["term"]["from"]), datetime.date.fromisoformat(of["term"]["to"])
    asked = requests.ask(
        actor=actor, society=held.society, tariff=held.tariff, uses=held.uses, kinds=held.kinds, territory=held.territory,
        ai_models=of["models"], datasets=of["datasets"], term_from=first, term_to=until, tier=tier,
        tier_evidence=tier_evidence, ref=shown.ref,
    )  # fmt: skip
    states, now = LicenceRequest.Status, timezone.now()
    asked = requests.move_request(asked, (states.DRAFT,), states.SUBMITTED, submitted_at=now)
    tomorrow = timezone.localdate() + datetime.timedelta(days=1)
    quote = quoting.put_quote(actor, asked, tier=tier, quantities=[], bases={}, valid_to=tomorrow)
    asked = requests.move_request(asked, (states.SUBMITTED,), states.QUOTED)
    conditions = Conditions.from_data(held.conditions)
    offer = offering.put_offer(actor, asked, quote, held.terms, conditions, valid_to=tomorrow, standing=held)
    if offer.sha256 != shown.sha256:  # midnight passed
        raise Conflict(
            "other_document", _("The agreement is no longer the one that was shown. Read it again, then sign.")
        )
    society, licensee = Signature.Side.SOCIETY, Signature.Side.LICENSEE
    signing.put_signature(
        offer, side=society, user_id=held.signed_by_id or 0, typed_name=held.typed_name, capacity=held.capacity,
        language=language, signed_at=held.signed_at,
    )  # fmt: skip
    signing.put_signature(
        offer, side=licensee, user_id=actor.user_id or 0, typed_name=typed_name, capacity=capacity, language=language
    )
    return signing.conclude(actor, offer)


def _made_before(before: LicenceRequest, licensee: Organisation) -> Licence:
    """The licence of a proposal that was signed already, for the firm that signed it."""
    made = Licence.objects.filter(offer__request=before, licensee=licensee).first()
    if made is None:
        raise Conflict("used_already", _("This agreement was signed already. Begin again."))
    return made


def _taking(actor: Actor) -> Organisation:
    """The firm for which the actor takes a licence."""
    refuse_test(actor)
    if not actor.is_licensee:
        raise Forbidden(_("Only the people of a firm take a licence."))
    actor.require(signing.SIGN)
    actor.require("licences.request")
    return Organisation.objects.of(actor)
