"""Self-service: a licence at a fixed price that stands ready, and is a firm's by one signature.

One person of the society prepares a standing offer, a second signs it once for all who take it. It holds while the tariff
version of the first day allows self-service to its tiers. Taking it leaves the same rows as a negotiated licence does:
request, quote, offer with its documents, and both signatures.
"""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from typing import Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Forbidden, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing import refs, terms
from licensing.licences.models import (
    StandardTerms,
    StandingOffer,
)
from licensing.licences.quantities import tiers_of
from licensing.licences.services import documents, quoting, signing
from licensing.licences.services.common import (
    check_society,
    checked_codes,
    checked_conditions,
    checked_territory,
)
from licensing.licences.services.pricing import version_on
from licensing.tariffs import core as tariff_core
from licensing.tariffs.models import Tariff, TariffVersion
from licensing.tariffs.services import version_in_force

Status = StandingOffer.Status
FORMAT: Final = "standing-offer/1"
_OFFER: Final = "S"


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
        check_admitted(allowed, tier)
    agreed = checked_conditions({**standard_terms.conditions, **(conditions or {})})
    made = StandingOffer.objects.create(
        ref=refs.new_ref(_OFFER), society=society, tariff=tariff, terms=standard_terms, months=allowed.months,
        conditions=agreed.as_data(), prepared_by_id=actor.user_id, **wanted,
    )  # fmt: skip
    for tier in choices(made, tariff_core.parse(version(made, timezone.localdate()).document)):
        price(made, timezone.localdate(), tier)  # it has one for each who may take it
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
    held = locked(standing)
    if actor.organisation_id != held.society_id:
        raise NotFound(_("There is no such standing offer."))
    signing.check_signer(actor)
    if held.status != Status.PREPARED:
        raise wrong_status(held)
    if actor.user_id == held.prepared_by_id:
        raise Forbidden(_("You prepared this standing offer, so another person signs it."), code="same_person")
    expected = documents.digest(document_of(held))
    if sha256.strip().lower() != expected:
        raise Conflict("other_document", _("This is not the document of this standing offer. Load the page again."))
    check_holds(held, timezone.localdate())
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
    held = locked(standing)
    if not actor.is_system and actor.organisation_id != held.society_id:
        raise NotFound(_("There is no such standing offer."))
    check_society(actor, held.society)
    if not StandingOffer.objects.filter(pk=held.pk).exclude(status=Status.CLOSED).update(status=Status.CLOSED):
        raise wrong_status(held)
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


def check_holds(standing: StandingOffer, day: datetime.date) -> Any:
    """What self-service the tariff allows on this day. Raises Conflict where the standing offer cannot be used."""
    if standing.terms.status != StandardTerms.Status.PUBLISHED:
        raise Conflict(
            "terms_superseded", _("The society has published later terms, so this offer can no longer be taken.")
        )
    service = _self_service(version(standing, day))
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


def check_admitted(service: Any, tier: str) -> None:
    if not service.admits(tier):
        raise not_for(tier)


def not_for(tier: str) -> Refusal:
    said = _("The tariff fixes no price without negotiation for the size “%(tier)s”. Ask the society for a quote.")
    return Refusal("tier_not_allowed", said % {"tier": tier[:40] or "–"}, pointer="/tier")


def version(standing: StandingOffer, day: datetime.date) -> TariffVersion:
    return version_on(standing.tariff, day)


def price(standing: StandingOffer, day: datetime.date, tier: str) -> tuple[TariffVersion, tariff_core.Rating]:
    """What a billing period costs a firm of this tier whose licence begins on this day, and why."""
    version, rating = quoting.price(
        tariff=standing.tariff, day=day, tier=tier, uses=standing.uses, kinds=standing.kinds
    )
    rating.require_billable()
    return version, rating


def locked(standing: StandingOffer) -> StandingOffer:
    """Held alone until this transaction ends: it is not closed while somebody takes it."""
    about = ("society", "tariff__society", "terms")
    return StandingOffer.objects.select_for_update(of=("self",)).select_related(*about).get(pk=standing.pk)


def wrong_status(standing: StandingOffer) -> Conflict:
    detail = _("The standing offer %(ref)s stands at “%(status)s”, so this cannot be done.")
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
