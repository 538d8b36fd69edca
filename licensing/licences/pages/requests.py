"""Pages of requests: both sides see where one stands; the firm withdraws it, the society quotes it or declines."""

from __future__ import annotations

import datetime

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.evidence.models import Event
from accounts.identity.core import Conflict, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires, signed_in
from licensing.licences import quantities
from licensing.licences.downloads import kept_file
from licensing.licences.forms.figures import FiguresForm
from licensing.licences.forms.offers import QuoteForm
from licensing.licences.forms.requests import ReasonForm
from licensing.licences.models import LicenceRequest, Offer, Quote, RequestFile
from licensing.licences.pages import showing
from licensing.licences.services import quoting
from licensing.licences.services import requests as services
from licensing.tariffs.core import Rating

QUOTE_DAYS = 30
WAY = (
    LicenceRequest.Status.SUBMITTED,
    LicenceRequest.Status.QUOTED,
    LicenceRequest.Status.OFFERED,
    LicenceRequest.Status.LICENSED,
)


@signed_in
@require_GET
def requests(request: ActorRequest) -> HttpResponse:
    """All of one's requests: the firm's own, or those sent to the society."""
    actor = request.actor
    found = showing.requests_of(actor)
    status, text = request.GET.get("status", ""), request.GET.get("q", "").strip()
    if status in LicenceRequest.Status.values:
        found = found.filter(status=status)
    if text:
        names = Q(licensee__name__icontains=text) | Q(society__name__icontains=text) | Q(tariff__name__icontains=text)
        found = found.filter(Q(ref__icontains=text) | names)
    shown = paginate(request, showing.with_latest(found).order_by("-pk"))
    for each in shown.object_list:
        each.act = showing.next_act(actor, each, next(iter(each.its_quotes), None), next(iter(each.its_offers), None))
    context = {
        "page": shown,
        "statuses": [each for each in LicenceRequest.Status.choices if not (actor.is_society and each[0] == "draft")],
        "status": status,
        "asked_for": text,
        "can_ask": _may_ask(request),
        "can_manage": actor.is_society and actor.can("licences.manage"),
    }
    return render(request, "licensing/licences/request_list.html", context)


@signed_in
@require_GET
def page(request: ActorRequest, request_id: int) -> HttpResponse:
    """One request: what is asked, the quotes with their explanation, the offers, and what each side may do."""
    asked = showing.find_request(request.actor, request_id)
    if asked.status == LicenceRequest.Status.DRAFT and _may_ask(request):
        return redirect("licensing:licence_request_check", asked.pk)
    quotes = list(asked.quotes.select_related("version", "user").order_by("-pk"))
    offers = list(asked.offers.select_related("quote", "licence").prefetch_related("signatures").order_by("-pk"))
    today = timezone.localdate()
    offer = next((each for each in offers if each.status == Offer.Status.OPEN), None)
    manages = _manages(request, asked)
    context = {
        "asked": asked,
        "files": asked.files.select_related("file"),
        "way": [(status.value, status.label) for status in WAY],
        "quote": quotes[0] if quotes else None,
        "rating": Rating.from_data(quotes[0].rating) if quotes else None,
        "quote_stands": bool(quotes) and quotes[0].valid_to > today,
        **showing.figures_said(asked),
        "earlier": quotes[1:],
        "offers": offers,
        "offer": offer,
        "signed": next((each for each in offers if each.licence_id), None),
        "next": showing.due_next(
            asked, quotes[0] if quotes else None, offer, [s.side for s in offer.signatures.all()] if offer else []
        ),
        "can_quote": manages and asked.status in (WAY[0], WAY[1]),
        "can_offer": manages and asked.status == WAY[1] and showing.bears_an_offer(quotes[0], offers),
        "can_decline": manages and asked.status in WAY[:2],
        "can_withdraw": asked.status in WAY[:3] and _is_own(request, asked),
        "reason_form": ReasonForm(),
        "events": Event.objects.visible_to(request.actor).about("licence_request", asked.pk).order_by("-id")[:20],
    }
    return render(request, "licensing/licences/request.html", context)


@requires("licences.manage")
@require_http_methods(["GET", "POST"])
def quote(request: ActorRequest, request_id: int) -> HttpResponse:
    """The society puts in the size and the figures as it finds them, and sees the price before it quotes."""
    asked = _sent_to(request, request_id)
    if asked.status not in WAY[:2]:
        return redirect("licensing:licence_request", asked.pk)
    schedule = showing.schedule_of(asked.tariff, asked.term.lower)
    data = request.POST if request.method == "POST" else None
    last = timezone.localdate() + datetime.timedelta(days=QUOTE_DAYS)
    form = QuoteForm(data, tiers=quantities.tiers_of(schedule), initial={"tier": asked.tier, "last_day": last})
    figures = FiguresForm(
        data, schedule=schedule, uses=asked.uses, kinds=asked.kinds, tier=None, kept=asked.quantities, bases=asked.bases
    )
    shown = showing.price(asked)
    if data is not None and form.is_valid() and figures.is_valid():
        tier = form.cleaned_data.get("tier", "")
        if data.get("stay"):
            shown = showing.price(asked, tier=tier, quantities=figures.quantities, bases=figures.bases)
        elif _quoted(request, asked, form, figures):
            return redirect("licensing:licence_request", asked.pk)
    context = {"asked": asked, "form": form, "figures": figures, "price": shown, "schedule": schedule}
    context |= {"files": asked.files.select_related("file"), **showing.figures_said(asked)}
    return render(request, "licensing/licences/quote.html", context)


@requires("licences.request")
@require_POST
def withdraw(request: ActorRequest, request_id: int) -> HttpResponse:
    """The firm no longer wants it; a draft needs no reason."""
    asked = showing.find_request(request.actor, request_id)
    if not _is_own(request, asked):
        raise NotFound(_("There is no such request for a licence."))
    was_draft = asked.status == LicenceRequest.Status.DRAFT
    reason = request.POST.get("reason", "").strip() or (_("The draft was given up.") if was_draft else "")
    services.withdraw(actor=request.actor, request=asked, reason=reason)
    messages.success(request, _("The request %(ref)s is withdrawn.") % {"ref": asked.ref})
    return redirect("licensing:licence_requests") if was_draft else redirect("licensing:licence_request", asked.pk)


@requires("licences.manage")
@require_POST
def decline(request: ActorRequest, request_id: int) -> HttpResponse:
    """The society does not grant it, and says why."""
    asked = _sent_to(request, request_id)
    services.decline(actor=request.actor, request=asked, reason=request.POST.get("reason", ""))
    messages.success(request, _("The request %(ref)s is declined, and the firm can read why.") % {"ref": asked.ref})
    return redirect("licensing:licence_request", asked.pk)


@signed_in
@require_GET
def file(request: ActorRequest, request_id: int, file_id: int) -> HttpResponseBase:
    """A paper that came with the request, as a download for both sides."""
    asked = showing.find_request(request.actor, request_id)
    found = RequestFile.objects.select_related("file").filter(request=asked, pk=file_id).first()
    if found is None:
        raise NotFound(_("There is no such paper."))
    return kept_file(found.file, found.name, found.media_type)


def _quoted(request: ActorRequest, asked: LicenceRequest, form: QuoteForm, figures: FiguresForm) -> bool:
    data = form.cleaned_data
    try:
        made: Quote = quoting.quote(
            actor=request.actor,
            request=asked,
            tier=data.get("tier", ""),
            quantities=figures.quantities,
            bases=figures.bases,
            valid_to=data["last_day"] + datetime.timedelta(days=1),
            message=data["message"],
        )
    except Conflict:
        raise
    except Refusal as refusal:
        form.add_error("last_day" if refusal.pointer == "/valid_to" else None, str(refusal))
        return False
    messages.success(request, _("Your quote is with %(firm)s.") % {"firm": asked.licensee})
    return made is not None


def _sent_to(request: ActorRequest, request_id: int) -> LicenceRequest:
    """A request that this society was sent."""
    asked = showing.find_request(request.actor, request_id)
    if asked.society_id != request.actor.organisation_id:
        raise NotFound(_("There is no such request for a licence."))
    return asked


def _manages(request: ActorRequest, asked: LicenceRequest) -> bool:
    return request.actor.can("licences.manage") and request.actor.organisation_id == asked.society_id


def _may_ask(request: ActorRequest) -> bool:
    return request.actor.organisation_kind == "licensee" and request.actor.can("licences.request")


def _is_own(request: ActorRequest, asked: LicenceRequest) -> bool:
    return _may_ask(request) and request.actor.organisation_id == asked.licensee_id
