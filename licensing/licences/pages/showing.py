"""What the pages of requests and offers share: finding one, its rates, its price, and what is due next."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, NotFound, Refusal
from licensing.licences import wording
from licensing.licences.models import LicenceRequest, Offer, Quote, Signature
from licensing.licences.services import quoting
from licensing.tariffs.core import Rating, Schedule, parse
from licensing.tariffs.models import Tariff, TariffVersion
from licensing.tariffs.services import version_in_force


@dataclass(frozen=True, slots=True)
class Price:
    """What figures come to under a version, or why that cannot be said."""

    version: TariffVersion | None = None
    rating: Rating | None = None
    problem: str = ""


def requests_of(actor: Actor) -> QuerySet[LicenceRequest]:
    """Those that the actor sees, with what every page of them shows."""
    return LicenceRequest.objects.visible_to(actor).select_related(
        "society", "licensee", "tariff__society", "renews", "amends"
    )


def with_latest(found: QuerySet[LicenceRequest]) -> QuerySet[LicenceRequest]:
    """With `its_quotes` and `its_offers`, the latest first, and their signatures; without the long texts of them."""
    offers = Offer.objects.order_by("-pk").defer("agreement", "conditions").prefetch_related("signatures")
    quotes = Quote.objects.order_by("-pk").defer("rating", "quantities", "bases")
    return found.prefetch_related(
        Prefetch("quotes", quotes, to_attr="its_quotes"), Prefetch("offers", offers, to_attr="its_offers")
    )


def find_request(actor: Actor, request_id: int) -> LicenceRequest:
    found = requests_of(actor).filter(pk=request_id).first()
    if found is None:
        raise NotFound(_("There is no such request for a licence."))
    return found


def find_offer(actor: Actor, offer_id: int) -> Offer:
    with_all = Offer.objects.visible_to(actor).select_related(
        "request__society", "request__licensee", "request__tariff", "quote__version", "terms", "user", "licence"
    )
    found = with_all.filter(pk=offer_id).first()
    if found is None:
        raise NotFound(_("There is no such offer."))
    return found


def schedule_of(tariff: Tariff, day: datetime.date) -> Schedule:
    """The rates that ask for figures: those in force on this day, else today's, else the latest published."""
    version = (
        version_in_force(tariff, day)
        or version_in_force(tariff, timezone.localdate())
        or tariff.versions.published().order_by("-version").first()
    )
    if version is None:
        raise NotFound(_("This tariff has no rates yet."))
    return parse(version.document)


def bears_an_offer(quote: Quote, offers: Collection[Offer]) -> bool:
    """Whether an offer may be made on this quote: it stands, and none was made on it."""
    return quote.valid_to > timezone.localdate() and all(each.quote_id != quote.pk for each in offers)


def figures_said(asked: LicenceRequest) -> dict[str, Any]:
    """What pages need to say declared figures: which of them are money, and in what currency."""
    schedule = schedule_of(asked.tariff, asked.term.lower)
    return {"money": schedule.bases, "currency": schedule.currency}


def price(
    asked: LicenceRequest,
    *,
    tier: str | None = None,
    quantities: Collection[Mapping[str, Any]] | None = None,
    bases: Mapping[str, int] | None = None,
) -> Price:
    """What the request comes to, with other figures where they are given. Never raises: the page says what is missing."""
    try:
        version, rating = quoting.price(
            tariff=asked.tariff,
            day=asked.term.lower,
            tier=asked.tier if tier is None else tier,
            uses=asked.uses,
            kinds=asked.kinds,
            quantities=asked.quantities if quantities is None else list(quantities),
            bases=asked.bases if bases is None else dict(bases),
        )
    except Refusal as refusal:
        return Price(problem=str(refusal))
    return Price(version, rating)


def due_next(asked: LicenceRequest, quote: Quote | None, offer: Offer | None, sides: Collection[str]) -> str:
    """What happens next and by when, in one line for both sides."""
    today = timezone.localdate()
    status = asked.status
    if status == LicenceRequest.Status.SUBMITTED:
        return _("The society quotes it.")
    if status == LicenceRequest.Status.QUOTED and quote:
        if quote.valid_to <= today:
            return _("The quote has run out: the society makes a new one.")
        return _("The society makes an offer by %(day)s.") % {"day": _last(quote.valid_to)}
    if status == LicenceRequest.Status.OFFERED and offer is None:
        return _("The offer no longer stands: the society makes a new one.")
    if status == LicenceRequest.Status.OFFERED and offer:
        if offer.valid_to <= today:
            return _("The offer has run out: the society makes a new one.")
        waits = [side for side in Signature.Side.values if side not in sides]
        who = _("Both sides sign") if len(waits) == 2 else _SIGNS[waits[0]]() if waits else _("The licence is made")
        return _("%(who)s by %(day)s.") % {"who": who, "day": _last(offer.valid_to)}
    return ""


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody can do next about a request, and where."""

    label: str
    link: str


def next_act(actor: Actor, asked: LicenceRequest, quote: Quote | None, offer: Offer | None) -> Act | None:
    """The one act that moves the request on, for whom it is to do; None for those who only wait."""
    status = LicenceRequest.Status
    if asked.status == status.OFFERED and offer is not None:
        return Act(_("Read the offer"), reverse("licensing:licence_offer", args=[offer.pk]))
    if asked.status == status.DRAFT and actor.can("licences.request"):
        return Act(_("Go on with it"), reverse("licensing:licence_request_uses", args=[asked.pk]))
    if not (actor.can("licences.manage") and actor.organisation_id == asked.society_id):
        return None
    if asked.status == status.SUBMITTED or (asked.status == status.QUOTED and not _standing(quote, offer)):
        return Act(_("Make a quote"), reverse("licensing:licence_request_quote", args=[asked.pk]))
    if asked.status == status.QUOTED:
        return Act(_("Make an offer"), reverse("licensing:licence_request_offer", args=[asked.pk]))
    return None


def _standing(quote: Quote | None, offer: Offer | None) -> bool:
    return quote is not None and bears_an_offer(quote, [offer] if offer else [])


_SIGNS = {"society": lambda: _("The society signs"), "licensee": lambda: _("The firm signs")}


def _last(until: datetime.date) -> str:
    return wording.day(until - datetime.timedelta(days=1))
