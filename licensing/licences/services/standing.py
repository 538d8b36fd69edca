"""Self-service: a licence at a fixed price that stands ready, and is a firm's by one signature.

One person of the society prepares a standing offer, a second signs it once for all who take it. It holds while the tariff
version of the first day allows self-service to its tiers. Taking it leaves the same rows as a negotiated licence does:
request, quote, offer with its documents, and both signatures.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Forbidden, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing import refs, terms
from licensing.licences.conditions import Conditions
from licensing.licences.models import (
    Licence,
    LicenceRequest,
    Quote,
    Signature,
    StandardTerms,
    StandingOffer,
)
from licensing.licences.quantities import tiers_of
from licensing.licences.services import documents, offering, quoting, requests, signing
from licensing.licences.services.common import (
    REQUEST,
    check_society,
    checked_codes,
    checked_conditions,
    checked_names,
    checked_territory,
    refuse_test,
)
from licensing.tariffs import core as tariff_core
from licensing.tariffs.models import Tariff, TariffVersion
from licensing.tariffs.periods import months_after
from licensing.tariffs.services import version_in_force

Status = StandingOffer.Status
FORMAT: Final = "standing-offer/1"
AHEAD: Final = datetime.timedelta(days=90)  # how far off the first day may be
_OFFER: Final = "S"


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


@transaction.atomic
def prepare(
    *,
    actor: Actor,
    society: Organisation,
    tariff: Tariff,
    standard_terms: StandardTerms,
    name: str,
    name_ko: str = "",
    tiers: Collection[str] = (),
    uses: Collection[str],
    kinds: Collection[str] = (terms.ANY,),
    territory: Collection[str] = (terms.ANY,),
    conditions: Mapping[str, Any] | None = None,
) -> StandingOffer:
    """Write down what any firm of these tiers may take. A second person signs it before anybody can.

    The tariff decides how long such a licence is, and for which tiers its price is fixed.
    """
    check_society(actor, society)
    if actor.user_id is None:
        raise Forbidden(_("A person prepares a standing offer, never a program."))
    if tariff.society_id != society.pk:
        raise Refusal("tariff_of_another_society", _("Choose a tariff of your society."), pointer="/tariff")
    if standard_terms.society_id != society.pk or standard_terms.status != StandardTerms.Status.PUBLISHED:
        raise Refusal(
            "terms_not_published", _("Choose standard terms that your society has published."), pointer="/terms"
        )
    allowed = _self_service(version_in_force(tariff, timezone.localdate()))
    wanted = {
        "name": _named(name, "/name"),
        "name_ko": _named(name_ko, "/name_ko", optional=True),
        "tiers": sorted({tier.strip() for tier in tiers} - {""}),
        "uses": checked_codes(uses, terms.USES, "/uses"),
        "kinds": checked_codes(kinds, terms.KINDS, "/kinds"),
        "territory": checked_territory(territory),
    }
    for tier in wanted["tiers"]:
        _check_admitted(allowed, tier)
    agreed = checked_conditions({**standard_terms.conditions, **(conditions or {})})
    made = StandingOffer.objects.create(
        ref=refs.new_ref(_OFFER), society=society, tariff=tariff, terms=standard_terms, months=allowed.months,
        conditions=agreed.as_data(), prepared_by_id=actor.user_id, **wanted,
    )  # fmt: skip
    for tier in choices(made, tariff_core.parse(_version(made, timezone.localdate()).document)):
        _price(made, timezone.localdate(), tier)  # it has one for each who may take it
    _note(actor, "prepared", made, tariff=tariff.ref)
    return made


def document_of(standing: StandingOffer) -> dict[str, Any]:
    """What the society signs, once for all who take it. The price is that of the tariff on the first day."""
    return {
        "format": FORMAT,
        "ref": standing.ref,
        "society": documents.said_of(standing.society),
        "tariff": standing.tariff.ref,
        "name": standing.name,
        "name_ko": standing.name_ko,
        "tiers": list(standing.tiers),
        "uses": list(standing.uses),
        "kinds": list(standing.kinds),
        "territory": list(standing.territory),
        "months": standing.months,
        "conditions": dict(standing.conditions),
        "terms": {
            "ref": standing.terms.ref,
            "version": standing.terms.version,
            "sha256": standing.terms.sha256,
        },
    }


@transaction.atomic
def sign_standing(
    *, actor: Actor, standing: StandingOffer, typed_name: str, capacity: str, sha256: str
) -> StandingOffer:
    """A second person of the society signs the digest of the standing offer, which opens it to firms."""
    held = _locked(standing)
    if actor.organisation_id != held.society_id:
        raise NotFound(_("There is no such standing offer."))
    signing.check_signer(actor)
    if held.status != Status.PREPARED:
        raise _wrong_status(held)
    if actor.user_id == held.prepared_by_id:
        raise Forbidden(_("You prepared this standing offer, so another person signs it."), code="same_person")
    expected = documents.digest(document_of(held))
    if sha256.strip().lower() != expected:
        raise Conflict("other_document", _("This is not the document of this standing offer. Load the page again."))
    _check_holds(held, timezone.localdate())
    said = signing.tidy_signature(typed_name, capacity)
    now = timezone.now()
    signed = StandingOffer.objects.filter(pk=held.pk, status=Status.PREPARED)
    signed.update(status=Status.OPEN, signed_by_id=actor.user_id, signed_at=now, document_sha256=expected, **said)
    held.refresh_from_db()
    _note(actor, "signed", held, sha256=expected)
    return held


@transaction.atomic
def close(*, actor: Actor, standing: StandingOffer) -> StandingOffer:
    """Nobody takes it any more. Licences that were taken stay as they are."""
    held = _locked(standing)
    if not actor.is_system and actor.organisation_id != held.society_id:
        raise NotFound(_("There is no such standing offer."))
    check_society(actor, held.society)
    if not StandingOffer.objects.filter(pk=held.pk).exclude(status=Status.CLOSED).update(status=Status.CLOSED):
        raise _wrong_status(held)
    held.refresh_from_db()
    _note(actor, "closed", held)
    return held


def holds(standing: StandingOffer, version: TariffVersion | None) -> bool:
    """Whether it can be taken under this version: open, its terms in use, and self-service allowed to a tier of it."""
    if standing.status != Status.OPEN or standing.terms.status != StandardTerms.Status.PUBLISHED or version is None:
        return False
    schedule = tariff_core.parse(version.document)
    return schedule.self_service is not None and bool(choices(standing, schedule))


def choices(standing: StandingOffer, schedule: tariff_core.Schedule) -> list[str]:
    """The tiers of which a firm may be that takes it; an empty one is a firm without a tier."""
    service = schedule.self_service
    if service is None or service.months != standing.months:
        return []
    named = list(standing.tiers or service.tiers or tiers_of(schedule)) or [""]
    return [tier for tier in named if service.admits(tier)]


def price(standing: StandingOffer, day: datetime.date, tier: str) -> tuple[TariffVersion, tariff_core.Rating]:
    """What a billing period costs a firm of this tier whose licence begins on this day, and why."""
    return _price(standing, day, tier)


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
    if standing.status != Status.OPEN:
        raise _wrong_status(standing)
    service = _check_holds(standing, term_from)
    if tier not in choices(standing, tariff_core.parse(_version(standing, term_from).document)):
        raise _not_for(tier)
    _check_admitted(service, tier)
    if tier and not tier_evidence.strip():
        raise Refusal("evidence_missing", _("Say what shows that your firm has this size."), pointer="/tier_evidence")
    version, rating = _price(standing, term_from, tier)
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
    held = _locked(standing)
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
        language=language,
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
    return Organisation.objects.get(pk=actor.organisation_id)


def _check_holds(standing: StandingOffer, day: datetime.date) -> Any:
    """What self-service the tariff allows on this day. Raises Conflict where the standing offer cannot be used."""
    if standing.terms.status != StandardTerms.Status.PUBLISHED:
        raise Conflict(
            "terms_superseded", _("The society has published later terms, so this offer can no longer be taken.")
        )
    service = _self_service(_version(standing, day))
    if service.months != standing.months:
        raise _no_longer()
    return service


def _self_service(version: TariffVersion | None) -> Any:
    service = tariff_core.parse(version.document).self_service if version else None
    if service is None:
        raise _no_longer()
    return service


def _no_longer() -> Conflict:
    detail = _("The tariff in force does not allow a licence without negotiation. Ask the society for a quote.")
    return Conflict("no_self_service", detail)


def _check_admitted(service: Any, tier: str) -> None:
    if not service.admits(tier):
        raise _not_for(tier)


def _not_for(tier: str) -> Refusal:
    said = _("The tariff fixes no price without negotiation for the size “%(tier)s”. Ask the society for a quote.")
    return Refusal("tier_not_allowed", said % {"tier": tier[:40] or "–"}, pointer="/tier")


def _version(standing: StandingOffer, day: datetime.date) -> TariffVersion:
    return quoting.version_on(standing.tariff, day)


def _price(standing: StandingOffer, day: datetime.date, tier: str) -> tuple[TariffVersion, tariff_core.Rating]:
    version, rating = quoting.price(
        tariff=standing.tariff, day=day, tier=tier, uses=standing.uses, kinds=standing.kinds
    )
    rating.require_billable()
    return version, rating


def _locked(standing: StandingOffer) -> StandingOffer:
    """Held alone until this transaction ends: it is not closed while somebody takes it."""
    about = ("society", "tariff__society", "terms")
    return StandingOffer.objects.select_for_update(of=("self",)).select_related(*about).get(pk=standing.pk)


def _wrong_status(standing: StandingOffer) -> Conflict:
    detail = _("The standing offer %(ref)s is %(status)s, so this cannot be done.")
    return Conflict("wrong_status", detail % {"ref": standing.ref, "status": standing.get_status_display()})


def _named(text: str, pointer: str, *, optional: bool = False) -> str:
    said = " ".join(text.split())
    if (not said and not optional) or len(said) > 200 or (said and not said.isprintable()):
        raise Refusal("bad_name", _("Write a name of at most 200 printable characters."), pointer=pointer)
    return said


def _note(actor: Actor, what: str, standing: StandingOffer, **data: Any) -> None:
    record(
        actor=actor,
        verb=f"standing_offer.{what}",
        object=Reference("standing_offer", standing.pk),
        organisation_id=standing.society_id,
        data={"ref": standing.ref, **data},
    )
