"""A request, its quote, offer and papers as rows of their own: for tests that only need them to be there."""

from __future__ import annotations

import datetime
import hashlib
import io
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from accounts.identity.core import SYSTEM
from accounts.organisations.models import Organisation
from licensing.intake.services import keep
from licensing.licences.conditions import Conditions
from licensing.licences.models import (
    Licence,
    LicenceRequest,
    Offer,
    OfferDocument,
    Quote,
    RequestFile,
    Signature,
    StandardTerms,
)
from licensing.tariffs.core import Rating
from licensing.tariffs.models import Tariff

CLAUSES = [
    {
        "heading": {"en": "Copies", "ko": "사본"},
        "text": {"en": "Copies are kept for {retention_days}.", "ko": "사본은 {retention_days} 동안 보관한다."},
    }
]


def terms_of(society: Organisation, ref: str = "GENERAL") -> StandardTerms:
    """Published terms of one clause."""
    return StandardTerms.objects.create(
        society=society, ref=ref, version=1, name="General terms", name_ko="표준 약관", clauses=CLAUSES,
        conditions=Conditions().as_data(), sha256="0" * 64, status="published", published_at=timezone.now(),
    )  # fmt: skip


def asked(tariff: Tariff, licensee: Organisation, status: str = "submitted", **fields: Any) -> LicenceRequest:
    """A request in any state, from the first of next month on for a year."""
    now, today = timezone.now(), timezone.localdate()
    since = (today.replace(day=1) + datetime.timedelta(days=32)).replace(day=1)
    number = LicenceRequest.objects.count()
    wanted: dict[str, Any] = {
        "uses": ["train"], "kinds": ["*"], "territory": ["KR"], "quantities": [], "bases": {},
        "term": DateRange(since, since.replace(year=since.year + 1)), "tier_evidence": "40 people, accounts attached.",
    } | fields  # fmt: skip
    return LicenceRequest.objects.create(
        ref=f"Q-MADE-MADE-{number:04}", society=tariff.society, licensee=licensee, tariff=tariff, status=status,
        submitted_at=None if status == "draft" else now, **wanted,
    )  # fmt: skip


def paper_of(request: LicenceRequest) -> RequestFile:
    content = io.BytesIO(f"%PDF-1.7\n{request.ref}\n%%EOF\n".encode())
    stored = keep(actor=SYSTEM, stream=content, name="accounts.pdf", organisation=request.licensee)
    return RequestFile.objects.create(request=request, file=stored, name="accounts.pdf", media_type="application/pdf")


def quoted(request: LicenceRequest, amount: int = 1_200_000, days: int = 20) -> Quote:
    version = request.tariff.versions.order_by("version")[0]
    rating = Rating(currency=request.tariff.currency, amount=amount, lines=())
    return Quote.objects.create(
        request=request, version=version, rating=rating.as_data(), amount=amount, currency=rating.currency,
        valid_to=timezone.localdate() + datetime.timedelta(days=days), issued_at=timezone.now(),
    )  # fmt: skip


def offered(quote: Quote, terms: StandardTerms, user_id: int | None = None) -> Offer:
    """An open offer with a paper in both languages, of the bytes that a test can tell apart."""
    request = quote.request
    made = Offer.objects.create(
        request=request, quote=quote, terms=terms, conditions=terms.conditions, agreement={"request": request.ref},
        sha256=hashlib.sha256(request.ref.encode()).hexdigest(), valid_to=quote.valid_to, user_id=user_id,
        made_at=timezone.now(),
    )  # fmt: skip
    for language in ("ko", "en"):
        content = io.BytesIO(f"%PDF-1.7\n{request.ref} {language}\n%%EOF\n".encode())
        stored = keep(actor=SYSTEM, stream=content, name=f"{request.ref}-{language}.pdf", organisation=request.society)
        OfferDocument.objects.create(offer=made, language=language, file=stored)
    return made


def signed(offer: Offer, ref: str, society_user: int, licensee_user: int) -> Licence:
    """The licence that both sides' signatures make of an offer, from its request's first day on."""
    request = offer.request
    sides = (("society", society_user, request.society_id), ("licensee", licensee_user, request.licensee_id))
    for side, user, organisation in sides:
        Signature.objects.create(
            offer=offer, side=side, user_id=user, organisation_id=organisation, typed_name="Kim Haneul",
            capacity="director", language="en", sha256=offer.sha256, signed_at=timezone.now(),
        )  # fmt: skip
    licence = Licence.objects.create(
        ref=ref, society=request.society, licensee=request.licensee, tariff=request.tariff, uses=request.uses,
        kinds=request.kinds, territory=request.territory, valid=request.term, conditions=offer.conditions,
        succeeds=request.amends or request.renews,
    )  # fmt: skip
    Offer.objects.filter(pk=offer.pk).update(status="signed", licence=licence)
    LicenceRequest.objects.filter(pk=request.pk).update(status="licensed", moved_at=timezone.now())
    return licence
