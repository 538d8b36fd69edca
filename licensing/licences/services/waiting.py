"""What waits for somebody on the way to a licence: requests to quote, offers and standing offers to sign."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.db.models import Q

from accounts.identity.core import Actor
from licensing.licences.models import LicenceRequest, Offer, Signature, StandingOffer


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many of each wait for this person."""

    to_quote: int = 0
    to_sign: int = 0
    to_open: int = 0  # standing offers, which a second person of the society signs


def waiting_for(actor: Actor, today: datetime.date) -> Waiting:
    """What this person may move on today: a request that is to be quoted, an offer that their side has not signed."""
    if actor.organisation_id is None:
        return Waiting()
    manages, signs = actor.is_society and actor.can("licences.manage"), actor.can("licences.sign")
    return Waiting(
        to_quote=_asked(actor.organisation_id) if manages else 0,
        to_sign=_offers(actor, actor.organisation_id, today) if signs else 0,
        to_open=_prepared(actor, actor.organisation_id) if manages and signs else 0,
    )


def _asked(society_id: int) -> int:
    return LicenceRequest.objects.filter(society_id=society_id, status=LicenceRequest.Status.SUBMITTED).count()


def _offers(actor: Actor, party_id: int, today: datetime.date) -> int:
    """Open offers for one's own side to sign. Who made an offer does not sign it, nor does who signed for the other side."""
    society = actor.is_society
    parties = Q(request__society_id=party_id) if society else Q(request__licensee_id=party_id)
    found = Offer.objects.filter(parties, status=Offer.Status.OPEN, valid_to__gt=today)
    if society:
        found = found.exclude(user_id=actor.user_id or 0)
    side = Signature.Side.SOCIETY if society else Signature.Side.LICENSEE
    mine = Q(side=side) | Q(user_id=actor.user_id or 0)
    done = Signature.objects.filter(mine, offer__status=Offer.Status.OPEN)
    return found.exclude(pk__in=done.values("offer_id")).count()


def _prepared(actor: Actor, society_id: int) -> int:
    prepared = StandingOffer.objects.filter(society_id=society_id, status=StandingOffer.Status.PREPARED)
    return prepared.exclude(prepared_by_id=actor.user_id).count()
