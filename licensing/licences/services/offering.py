"""The contract as it is laid before both sides: made from a standing quote and published terms, withdrawn, lapsed."""

from __future__ import annotations

import datetime
import io
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict, Refusal
from licensing.intake.services import keep
from licensing.licences.conditions import Conditions
from licensing.licences.models import LicenceRequest, Offer, OfferDocument, Quote, StandardTerms, StandingOffer
from licensing.licences.services import documents, telling
from licensing.licences.services.common import (
    check_party,
    check_society,
    checked_conditions,
    note_request,
    refuse_test,
    wrong_status,
)
from licensing.licences.services.following import check_before
from licensing.licences.services.pricing import version_on
from licensing.licences.services.quoting import check_valid_to
from licensing.licences.services.requests import check_term_to_come, move_request

Status = LicenceRequest.Status


def offer(
    *,
    actor: Actor,
    request: LicenceRequest,
    quote: Quote,
    terms: StandardTerms,
    conditions: Mapping[str, Any] | None = None,
    valid_to: datetime.date,
) -> Offer:
    """Lay the contract before both sides, in Korean and English. `valid_to` is the first day on which it is too late.

    `conditions` are what this licence has otherwise than its terms set. Another person signs it for the society.
    """
    check_party(actor, request)
    check_society(actor, request.society)
    request.refresh_from_db()
    if request.status != Status.QUOTED:
        raise _open_already(request) if request.status == Status.OFFERED else wrong_status(request)
    if quote.request_id != request.pk:
        raise Refusal("quote_of_another_request", _("This quote is of another request."), pointer="/quote")
    if Offer.objects.filter(quote=quote).exists():
        raise Conflict("quote_used", _("An offer was made on this quote before. Quote the request anew."))
    if terms.society_id != request.society_id or terms.status != StandardTerms.Status.PUBLISHED:
        raise Refusal(
            "terms_not_published", _("Choose standard terms that your society has published."), pointer="/terms"
        )
    check_valid_to(valid_to)
    check_quote(quote)
    if valid_to > quote.valid_to or valid_to > request.term.lower + datetime.timedelta(days=1):
        last = min(telling.last_day(quote.valid_to), request.term.lower)
        raise Refusal(
            "outlives_quote",
            _("An offer is signed while its quote holds, on the first day of the term at the latest: by %(last)s.")
            % {"last": last},
            pointer="/valid_to",
        )
    check_term_to_come(request)
    check_before(request)
    agreed = checked_conditions({**terms.conditions, **(conditions or {})})
    return put_offer(actor, request, quote, terms, agreed, valid_to=valid_to)


def put_offer(
    actor: Actor,
    request: LicenceRequest,
    quote: Quote,
    terms: StandardTerms,
    conditions: Conditions,
    *,
    valid_to: datetime.date,
    standing: StandingOffer | None = None,
) -> Offer:
    """Make the documents, then the offer with them, whoever may: the caller has asked.

    An offer from a standing one is made by the person who prepared that.
    """
    agreement = documents.agreement_of(request, quote, terms, conditions, standing=standing)
    papers = {language: documents.pdf_of(agreement, language) for language in documents.LANGUAGES}
    with transaction.atomic():
        moved = move_request(request, (Status.QUOTED,), Status.OFFERED)
        try:
            with transaction.atomic():
                made = Offer.objects.create(
                    request=moved,
                    quote=quote,
                    terms=terms,
                    standing=standing,
                    conditions=conditions.as_data(),
                    agreement=agreement,
                    sha256=documents.digest(agreement),
                    valid_to=valid_to,
                    user_id=standing.prepared_by_id if standing else actor.user_id,
                    made_at=timezone.now(),
                )
        except IntegrityError as error:
            if "licence_request_has_one_open_offer" not in str(error):
                raise
            raise _open_already(request) from None
        for language, paper in papers.items():
            name = f"{moved.ref}-{language}.pdf"
            stored = keep(actor=actor, stream=io.BytesIO(paper), name=name, organisation=moved.society)
            OfferDocument.objects.create(offer=made, language=language, file=stored)
        note_request(actor, "licence_request.offered", moved, sha256=made.sha256, until=valid_to.isoformat())
        if standing is None:
            _tell_offered(made)
    return made


@transaction.atomic
def withdraw_offer(*, actor: Actor, offer: Offer, reason: str = "") -> Offer:
    """The society takes an offer back, until both sides have signed; the request waits for another one."""
    check_party(actor, offer.request)
    check_society(actor, offer.request.society)
    held = locked(offer)
    if not _close(actor, held, Offer.Status.WITHDRAWN, "licence_request.offer_withdrawn"):
        raise closed(held)
    telling.tell_licensee(
        held.request, "offer_withdrawn", key=f"licence-offer-withdrawn:{held.pk}", reason=reason.strip()[:2000]
    )
    return held


def lapse_due(*, actor: Actor, today: datetime.date) -> int:
    """Close open offers that can no longer be signed; how many. Their requests wait for another quote or offer."""
    due = Offer.objects.filter(status=Offer.Status.OPEN, valid_to__lte=today).order_by("pk")
    return sum(_lapse(actor, found) for found in due.iterator())


def locked(offer: Offer) -> Offer:
    """The offer, held alone until this transaction ends: its signatures and its end come one after the other."""
    about = ("request__society", "request__licensee", "request__tariff", "quote__version", "terms")
    return Offer.objects.select_for_update(of=("self",)).select_related(*about).get(pk=offer.pk)


def check_quote(quote: Quote) -> None:
    """A quote stands on the days before its end, while the rates that it was priced by still are the ones."""
    if quote.valid_to <= timezone.localdate():
        raise Conflict(
            "quote_ran_out",
            _("This quote ran out: %(last)s was its last day. Quote the request anew.")
            % {"last": telling.last_day(quote.valid_to)},
        )
    if version_on(quote.request.tariff, quote.request.term.lower).pk != quote.version_id:
        detail = _("Other rates are in force than those of this quote. Quote the request anew.")
        raise Conflict("rates_changed", detail)


def closed(offer: Offer) -> Conflict:
    detail = _("This offer is %(status)s: it can no longer be signed or taken back.")
    return Conflict("offer_not_open", detail % {"status": offer.get_status_display()})


@transaction.atomic
def _lapse(actor: Actor, found: Offer) -> bool:
    held = locked(found)
    if not _close(actor, held, Offer.Status.LAPSED, "licence_request.offer_lapsed"):
        return False  # signed or withdrawn meanwhile, or another worker was first
    for tell in (telling.tell_licensee, telling.tell_society):
        tell(held.request, "offer_lapsed", key=f"licence-offer-lapsed:{held.pk}")
    return True


def _close(actor: Actor, held: Offer, status: str, verb: str) -> bool:
    """Whether the open offer was closed, and its request returned to where it can be offered or quoted again."""
    refuse_test(actor)
    if Offer.objects.filter(pk=held.pk, status=Offer.Status.OPEN).update(status=status) != 1:
        return False
    held.refresh_from_db(fields=["status"])
    move_request(held.request, (Status.OFFERED,), Status.QUOTED if _still_quoted(held) else Status.SUBMITTED)
    note_request(actor, verb, held.request, sha256=held.sha256)
    return True


def _still_quoted(held: Offer) -> bool:
    """Whether a quote stands on which another offer may rest: each bears one."""
    return held.request.quotes.standing(timezone.localdate()).filter(offer=None).exists()


def _tell_offered(made: Offer) -> None:
    facts: dict[str, Any] = telling.offer_facts(made)
    key = f"licence-offered:{made.pk}"
    telling.tell_licensee(made.request, "offered", key=key, permission="licences.sign", **facts)
    telling.tell_society(made.request, "offered", key=key, permission="licences.sign", **facts)
    telling.publish_request(
        made.request, "licence.offered", key=f"licence.offered:{made.pk}", offer=made.pk, sha256=made.sha256,
        valid_to=made.valid_to,
    )  # fmt: skip


def _open_already(request: LicenceRequest) -> Conflict:
    detail = _("An offer for the request %(ref)s is open. Withdraw it first, or wait until it is signed.")
    return Conflict("offer_open", detail % {"ref": request.ref})
