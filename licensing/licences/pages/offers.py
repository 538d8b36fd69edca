"""Pages of offers: a society makes one, both sides read the contract, and an authorised person of each signs it."""

from __future__ import annotations

import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.core import ROLES
from accounts.access.models import Membership
from accounts.identity.core import Conflict, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires, signed_in
from licensing.licences.conditions import Conditions
from licensing.licences.downloads import kept_file
from licensing.licences.forms.offers import ConditionsForm, OfferForm, SignForm, TermsForm
from licensing.licences.models import LicenceRequest, Offer, OfferDocument, Signature, StandardTerms
from licensing.licences.pages import showing
from licensing.licences.services import offering, signing
from licensing.licences.services.documents import clauses_in
from licensing.tariffs.core import Rating


@requires("licences.manage")
@require_http_methods(["GET", "POST"])
def make(request: ActorRequest, request_id: int) -> HttpResponse:
    """The society makes the contract of a quote that stands: its terms, their conditions, until when it can be signed."""
    asked = showing.find_request(request.actor, request_id)
    if asked.society_id != request.actor.organisation_id:
        raise NotFound(_("There is no such request for a licence."))
    quote = asked.quotes.select_related("version").order_by("-pk").first()
    if (
        asked.status != LicenceRequest.Status.QUOTED
        or not quote
        or not showing.bears_an_offer(quote, asked.offers.all())
    ):
        return redirect("licensing:licence_request", asked.pk)
    data = request.POST if request.method == "POST" else None
    published = StandardTerms.objects.published().filter(society=asked.society).order_by("ref")
    chosen = _chosen(published, (data or request.GET).get("terms", ""))
    starting = Conditions.from_data(chosen.conditions).as_data() if chosen else {}
    form = OfferForm(data, initial={"last_day": min(quote.valid_to - datetime.timedelta(days=1), asked.term.lower)})
    conditions = ConditionsForm(data, initial=starting)
    if data is not None and chosen is not None and form.is_valid() and conditions.is_valid():
        until = form.cleaned_data["last_day"] + datetime.timedelta(days=1)
        try:
            made = offering.offer(
                actor=request.actor, request=asked, quote=quote, terms=chosen, conditions=conditions.conditions, valid_to=until
            )  # fmt: skip
        except Conflict:
            raise
        except Refusal as refusal:
            form.add_error("last_day" if refusal.pointer == "/valid_to" else None, str(refusal))
        else:
            messages.success(request, _("The offer is made. A second person of yours signs it, and the firm."))
            return redirect("licensing:licence_offer", made.pk)
    context = {
        "asked": asked, "quote": quote, "form": form, "conditions": conditions, "chosen": chosen,
        "terms_form": TermsForm(initial={"terms": chosen}, society_id=asked.society_id), "several": published.count() > 1,
    }  # fmt: skip
    return render(request, "licensing/licences/offer_make.html", context)


@signed_in
@require_GET
def offer(request: ActorRequest, offer_id: int) -> HttpResponse:
    """The contract to read: what it is about, its clauses, its price with the explanation, its documents and signatures."""
    found = showing.find_offer(request.actor, offer_id)
    return render(request, "licensing/licences/offer.html", _context(request, found))


@requires("licences.sign")
@require_http_methods(["GET", "POST"])
def sign(request: ActorRequest, offer_id: int) -> HttpResponse:
    """An authorised person signs the digest that this page shows."""
    found = showing.find_offer(request.actor, offer_id)
    context = _context(request, found)
    if not context["may_sign"]:
        return render(request, "licensing/licences/sign.html", context)
    form = SignForm(request.POST or None, initial={"sha256": found.sha256})
    if request.method == "POST" and form.is_valid():
        entered = form.cleaned_data
        try:
            signing.sign(
                actor=request.actor, offer=found, typed_name=entered["typed_name"], capacity=entered["capacity"],
                sha256=entered["sha256"], language=context["language"],
            )  # fmt: skip
        except Conflict:
            raise
        except Refusal as refusal:
            field = (refusal.pointer or "").lstrip("/")
            form.add_error(field if field in ("typed_name", "capacity") else None, str(refusal))
        else:
            return _signed(request, found)
    return render(request, "licensing/licences/sign.html", context | {"form": form})


@requires("licences.manage")
@require_POST
def withdraw(request: ActorRequest, offer_id: int) -> HttpResponse:
    """The society takes an offer back that is not signed by both."""
    found = showing.find_offer(request.actor, offer_id)
    if found.request.society_id != request.actor.organisation_id:
        raise NotFound(_("There is no such offer."))
    offering.withdraw_offer(actor=request.actor, offer=found)
    messages.success(request, _("The offer is withdrawn."))
    return redirect("licensing:licence_request", found.request_id)


@signed_in
@require_GET
def document(request: ActorRequest, offer_id: int, language: str) -> HttpResponseBase:
    """The contract as paper, byte for byte as it was offered."""
    found = showing.find_offer(request.actor, offer_id)
    held = OfferDocument.objects.select_related("file").filter(offer=found, language=language).first()
    if held is None:
        raise NotFound(_("There is no such document."))
    return kept_file(held.file, f"{found.request.ref}-{language}.pdf", "application/pdf")


def _context(request: ActorRequest, found: Offer) -> dict[str, Any]:
    actor, asked = request.actor, found.request
    signatures = {each.side: each for each in found.signatures.select_related("user", "organisation")}
    ours = "society" if actor.organisation_id == asked.society_id else "licensee"
    language = "ko" if get_language() == "ko" else "en"
    open_now = found.status == Offer.Status.OPEN and found.valid_to > timezone.localdate()
    made_it = ours == "society" and actor.user_id is not None and found.user_id == actor.user_id
    conditions = Conditions.from_data(found.conditions)
    return showing.figures_said(asked) | {
        "offer": found,
        "asked": asked,
        "clauses": clauses_in(found.terms, conditions, language),
        "language": language,
        "documents": found.documents.select_related("file").order_by("language"),
        "rating": Rating.from_data(found.quote.rating),
        "sides": [(side, label, signatures.get(side)) for side, label in Signature.Side.choices],
        "ours": ours,
        "open_now": open_now,
        "made_it": made_it,
        "signed_by_us": ours in signatures,
        "may_sign": open_now and not made_it and ours not in signatures and actor.can("licences.sign"),
        "can_withdraw": found.status == Offer.Status.OPEN and ours == "society" and actor.can("licences.manage"),
        "roles": _roles_that_sign(ours),
        "next": showing.due_next(asked, found.quote, found if found.status == Offer.Status.OPEN else None, signatures),
    }


def _roles_that_sign(kind: str) -> list[str]:
    """The roles that may sign, in words."""
    names = dict(Membership._meta.get_field("role").choices or ())
    return [str(names.get(role, role)) for role, held in ROLES[kind].items() if "licences.sign" in held]


def _signed(request: ActorRequest, found: Offer) -> HttpResponse:
    found.refresh_from_db()
    if found.licence_id:
        messages.success(request, _("Both sides have signed: the licence is in force for its term."))
        return redirect("licensing:licence", found.licence_id)
    messages.success(request, _("You have signed. The licence is made once the other side has signed too."))
    return redirect("licensing:licence_offer", found.pk)


def _chosen(published: Any, text: str) -> StandardTerms | None:
    """The terms asked for, else the first."""
    known = {str(terms.pk): terms for terms in published}
    return known.get(text) or next(iter(known.values()), None)
