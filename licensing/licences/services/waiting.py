"""What waits for somebody on the way to a licence: requests to quote, offers and standing offers to sign."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from accounts.identity.core import Actor
from accounts.identity.sql import counted
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
    asked, offers, prepared = _asked(actor), _offers(actor, today), _prepared(actor)
    return Waiting(
        **counted(
            to_quote=asked if manages else asked.none(),
            to_sign=offers if signs else offers.none(),
            to_open=prepared if manages and signs else prepared.none(),
        )
    )


def _asked(actor: Actor) -> QuerySet[LicenceRequest]:
    return LicenceRequest.objects.filter(society_id=actor.organisation_id or 0, status=LicenceRequest.Status.SUBMITTED)


def _offers(actor: Actor, today: datetime.date) -> QuerySet[Offer]:
    """Open offers for one's own side to sign. Who made an offer does not sign it, nor does who signed for the other side."""
    society, party_id = actor.is_society, actor.organisation_id or 0
    parties = Q(request__society_id=party_id) if society else Q(request__licensee_id=party_id)
    found = Offer.objects.filter(parties, status=Offer.Status.OPEN, valid_to__gt=today)
    if society:
        found = found.exclude(user_id=actor.user_id or 0)
    side = Signature.Side.SOCIETY if society else Signature.Side.LICENSEE
    mine = Q(side=side) | Q(user_id=actor.user_id or 0)
    done = Signature.objects.filter(mine, offer__status=Offer.Status.OPEN)
    return found.exclude(pk__in=done.values("offer_id"))


def _prepared(actor: Actor) -> QuerySet[StandingOffer]:
    status = StandingOffer.Status.PREPARED
    prepared = StandingOffer.objects.filter(society_id=actor.organisation_id or 0, status=status)
    return prepared.exclude(prepared_by_id=actor.user_id or 0)
