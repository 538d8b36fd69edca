"""Licences that stand ready: anyone sees them with their price, a firm takes one in one sitting, a society prepares them."""

from __future__ import annotations

import datetime
from typing import Any, Final

from django.contrib import messages
from django.core import signing as sealing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.limits import limit
from accounts.access.paging import paginate
from accounts.identity.core import Actor, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires, signed_in
from accounts.organisations.models import Organisation
from licensing.licences import wording
from licensing.licences.conditions import Conditions
from licensing.licences.forms.offers import SignForm
from licensing.licences.forms.standing import StandingForm, TakeForm
from licensing.licences.models import Licence, StandingOffer
from licensing.licences.pages.ready import Ready, shown_today, with_rates
from licensing.licences.services import documents, standing, taking
from licensing.licences.services.taking import Proposal
from licensing.tariffs import core as tariff_core
from licensing.tariffs.models import TariffVersion

_SALT: Final = "jeongsan.ready-licence"
GOOD_FOR: Final = datetime.timedelta(hours=6)
AN_HOUR: Final = 3600


@require_GET
def ready(request: ActorRequest) -> HttpResponse:
    """Every licence that can be had without negotiation today; a society also sees those that it prepares or closed."""
    actor = request.actor
    found = with_rates(StandingOffer.objects.filter(status=StandingOffer.Status.OPEN)).order_by("society__name", "pk")
    page = paginate(request, found)
    mine = with_rates(StandingOffer.objects.filter(society_id=actor.organisation_id or 0)).order_by("-pk")[:100]
    context = {
        "page": page,
        "offers": [each for each in map(shown_today, page.object_list) if each.holds],
        "mine": [shown_today(each) for each in mine] if _may_manage(actor) else [],
        "can_prepare": _may_manage(actor),
        "is_firm": actor.is_licensee,
    }
    return render(request, "licensing/ready/list.html", context)


@require_GET
def ready_offer(request: ActorRequest, standing_id: int) -> HttpResponse:
    """What is licensed, under which terms, and what it costs a firm of each size."""
    found = _find(request.actor, standing_id)
    shown, actor = shown_today(found), request.actor
    mine = _may_manage(actor) and actor.organisation_id == found.society_id
    waits = found.status == StandingOffer.Status.PREPARED
    context = _context(shown) | {
        "mine": mine,
        "may_take": _may_take(actor),
        "is_firm": actor.is_licensee,
        "is_anyone": actor.organisation_id is None,
        "may_sign": waits and mine and actor.can("licences.sign") and actor.user_id != found.prepared_by_id,
        "prepared_it": waits and actor.user_id == found.prepared_by_id,
        "sign_form": SignForm(initial={"sha256": documents.digest(standing.document_of(found))}),
        "is_closed": found.status == StandingOffer.Status.CLOSED,
    }
    return render(request, "licensing/ready/offer.html", context)


@signed_in
@require_http_methods(["GET", "POST"])
def take(request: ActorRequest, standing_id: int) -> HttpResponse:
    """Choose; read the agreement with its price; sign. Nothing is kept before the signature."""
    found = _find(request.actor, standing_id)
    shown = shown_today(found)
    if not _may_take(request.actor) or not shown.holds:
        return redirect("licensing:ready_offer", found.pk)
    if request.method == "POST":
        limit("ready", str(request.actor.user_id), most=60, seconds=AN_HOUR)
        if "sealed" in request.POST:
            return _sign(request, shown)
    tiers = [(tier, f"{tier}: {said}" if tier else said) for tier, said in shown.lines]
    form = TakeForm(request.POST or None, tiers=tiers, today=timezone.localdate())
    if request.method == "POST" and form.is_valid():
        chosen = {"tier": "", "tier_evidence": ""} | form.cleaned_data
        try:
            proposal = taking.propose(actor=request.actor, standing=found, **chosen)
        except Refusal as refusal:
            field = (refusal.pointer or "").lstrip("/")
            form.add_error(field if field in form.fields else None, str(refusal))
        else:
            return _read(request, shown, proposal, chosen, SignForm(initial={"sha256": proposal.sha256}))
    return render(request, "licensing/ready/choose.html", _context(shown) | {"form": form})


def _sign(request: ActorRequest, shown: Ready) -> HttpResponse:
    """The signature under the agreement that was read."""
    chosen = _opened(request, shown.offer)
    if chosen is None:
        messages.error(request, _("This page is older than six hours, or was changed. Choose again."))
        return redirect("licensing:ready_take", shown.offer.pk)
    ref = chosen.pop("ref")
    form = SignForm(request.POST)
    if form.is_valid():
        entered = form.cleaned_data
        try:
            made = taking.take(
                actor=request.actor, standing=shown.offer, ref=ref, typed_name=entered["typed_name"],
                capacity=entered["capacity"], sha256=entered["sha256"], language=wording.language(), **chosen,
            )  # fmt: skip
        except Refusal as refusal:
            field = (refusal.pointer or "").lstrip("/")
            form.add_error(field if field in ("typed_name", "capacity") else None, str(refusal))
        else:
            return redirect("licensing:ready_done", made.pk)
    try:
        proposal = taking.propose(actor=request.actor, standing=shown.offer, ref=ref, **chosen)
    except Refusal as refusal:  # it can no longer be had like this
        messages.error(request, str(refusal))
        return redirect("licensing:ready_offer", shown.offer.pk)
    entered_again = request.POST.copy()
    entered_again["sha256"] = proposal.sha256  # that of what this page shows
    form.data = entered_again
    return _read(request, shown, proposal, chosen, form)


@signed_in
@require_GET
def done(request: ActorRequest, licence_id: int) -> HttpResponse:
    """The licence that was just taken, with its certificate and papers."""
    visible = Licence.objects.visible_to(request.actor).select_related("society", "licensee", "certificate", "offer")
    found = visible.filter(pk=licence_id, offer__standing__isnull=False).first()
    if found is None:
        raise NotFound(_("There is no such licence."))
    conditions = Conditions.from_data(found.conditions)
    context = {"licence": found, "today": timezone.localdate(), "conditions": conditions}
    return render(request, "licensing/ready/done.html", context)


@requires("licences.manage")
@require_http_methods(["GET", "POST"])
def prepare(request: ActorRequest) -> HttpResponse:
    """The society writes down what firms may take."""
    society = get_object_or_404(Organisation, pk=request.actor.organisation_id, kind=Organisation.Kind.SOCIETY)
    form = StandingForm(request.POST or None, society_id=society.pk, tariffs=_tariffs_with_self_service(society))
    if request.method == "POST" and form.is_valid():
        try:
            made = standing.prepare(actor=request.actor, society=society, **form.cleaned_data)
        except Refusal as refusal:
            field = {"terms": "standard_terms"}.get(field := (refusal.pointer or "").lstrip("/"), field)
            form.add_error(field if field in form.fields else None, str(refusal))
        else:
            messages.success(request, _("Prepared. A second person of yours signs it; then firms can take it."))
            return redirect("licensing:ready_offer", made.pk)
    return render(request, "licensing/ready/prepare.html", {"form": form})


@requires("licences.sign")
@require_POST
def sign(request: ActorRequest, standing_id: int) -> HttpResponse:
    """A second person of the society opens it."""
    found = _find_own(request.actor, standing_id)
    form = SignForm(request.POST)
    if not form.is_valid():
        raise Refusal("signature_missing", _("Type your name, your capacity, and confirm that you are authorised."))
    entered = form.cleaned_data
    standing.sign_standing(
        actor=request.actor, standing=found, typed_name=entered["typed_name"], capacity=entered["capacity"],
        sha256=entered["sha256"],
    )  # fmt: skip
    messages.success(request, _("Signed. Firms can take this licence from now on."))
    return redirect("licensing:ready_offer", found.pk)


@requires("licences.manage")
@require_POST
def close(request: ActorRequest, standing_id: int) -> HttpResponse:
    """Nobody takes it any more."""
    found = _find_own(request.actor, standing_id)
    standing.close(actor=request.actor, standing=found)
    messages.success(request, _("Closed. Licences that were taken stay as they are."))
    return redirect("licensing:ready_offer", found.pk)


def _read(
    request: HttpRequest, shown: Ready, proposal: Proposal, chosen: dict[str, Any], form: SignForm
) -> HttpResponse:
    language = wording.language()
    context = _context(shown) | {
        "proposal": proposal,
        "rating": proposal.rating,
        "clauses": proposal.agreement["clauses"][language],
        "first_day": wording.day(proposal.agreement["term"]["from"]),
        "last_day": wording.last_day(proposal.agreement["term"]["to"]),
        "models": wording.names(proposal.agreement["models"]),
        "datasets": wording.names(proposal.agreement["datasets"]),
        "licensee": wording.party(proposal.agreement["licensee"]),
        "tier": proposal.agreement["tier"],
        "price": shown.price_said(proposal.rating.amount),
        "form": form,
        "sealed": _sealed(request, shown.offer, proposal, chosen),
    }
    return render(request, "licensing/ready/sign.html", context)


def _sealed(request: Any, offer: StandingOffer, proposal: Proposal, chosen: dict[str, Any]) -> str:
    """The choices, so that nobody changes them between reading and signing."""
    said = chosen | {"term_from": chosen["term_from"].isoformat(), "ref": proposal.ref}
    whose = [offer.pk, request.actor.user_id, request.actor.organisation_id]
    return sealing.dumps({"chosen": said, "whose": whose}, salt=_SALT, compress=True)


def _opened(request: ActorRequest, offer: StandingOffer) -> dict[str, Any] | None:
    try:
        held = sealing.loads(request.POST.get("sealed", ""), salt=_SALT, max_age=GOOD_FOR)
    except sealing.BadSignature:
        return None
    if held["whose"] != [offer.pk, request.actor.user_id, request.actor.organisation_id]:
        return None
    chosen: dict[str, Any] = held["chosen"]
    return chosen | {"term_from": datetime.date.fromisoformat(chosen["term_from"])}


def _context(shown: Ready) -> dict[str, Any]:
    offer = shown.offer
    return {
        "ready": shown,
        "offer": offer,
        "conditions": wording.conditions(offer.conditions),
        "uses": wording.codes(offer.uses),
        "kinds": wording.codes(offer.kinds),
        "places": wording.places(offer.territory),
    }


def _tariffs_with_self_service(society: Organisation) -> list[int]:
    found = TariffVersion.objects.in_force(timezone.localdate()).filter(tariff__society=society)
    return [each.tariff_id for each in found if tariff_core.parse(each.document).self_service]


def _may_manage(actor: Actor) -> bool:
    return actor.is_society and actor.can("licences.manage")


def _may_take(actor: Actor) -> bool:
    return actor.is_licensee and actor.can("licences.sign") and actor.can("licences.request")


def _find(actor: Actor, standing_id: int) -> StandingOffer:
    found = with_rates(StandingOffer.objects.visible_to(actor)).filter(pk=standing_id).first()
    if found is None:
        raise NotFound(_("There is no such standing offer, or it was closed."))
    return found


def _find_own(actor: Actor, standing_id: int) -> StandingOffer:
    found = _find(actor, standing_id)
    if found.society_id != actor.organisation_id:
        raise NotFound(_("There is no such standing offer, or it was closed."))
    return found
