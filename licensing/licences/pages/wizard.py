"""A firm asks for a licence, one page a step. The draft is kept, so that it can be left and taken up again."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import messages
from django.db.models import Prefetch, Q
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.identity.core import Conflict, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires, signed_in
from accounts.organisations.models import Organisation
from licensing import terms
from licensing.licences import quantities
from licensing.licences.forms.figures import FiguresForm
from licensing.licences.forms.requests import (
    MOST_FILES,
    FilesForm,
    MessageForm,
    TermForm,
    UsesForm,
    term_of,
    uses_of,
)
from licensing.licences.models import Licence, LicenceRequest
from licensing.licences.pages import showing
from licensing.licences.pages.steps import at_step, back_from, number_of
from licensing.licences.services import requests as services
from licensing.tariffs.core import Schedule, parse
from licensing.tariffs.models import Tariff, TariffVersion
from licensing.tariffs.periods import months_after

_USUAL_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Choice:
    """A tariff to choose, with the rates in force today."""

    tariff: Tariff
    schedule: Schedule

    @property
    def uses(self) -> list[str]:
        return quantities.priced_uses(self.schedule)

    @property
    def kinds(self) -> list[str]:
        kinds = quantities.priced_kinds(self.schedule)
        return [terms.ANY] if len(kinds) == len(terms.KINDS) else kinds


def of_a_draft(view: Callable[..., HttpResponse]) -> Callable[[HttpRequest, int], HttpResponseBase]:
    """The firm's own draft, for those who may ask; once sent, its page in place of its steps."""

    @requires("licences.request")
    @wraps(view)
    def gate(request: ActorRequest, request_id: int) -> HttpResponse:
        asked = showing.find_request(request.actor, request_id)
        if asked.licensee_id != request.actor.organisation_id:
            raise NotFound(_("There is no such request for a licence."))
        if asked.status != LicenceRequest.Status.DRAFT:
            return redirect("licensing:licence_request", asked.pk)
        return view(request, asked)

    return gate


@requires("licences.request")
@require_http_methods(["GET", "POST"])
def start(request: ActorRequest) -> HttpResponse:
    """Step 1: whose works, under which tariff. Choosing one begins the draft."""
    actor = request.actor
    firm = get_object_or_404(Organisation, pk=actor.organisation_id, kind=Organisation.Kind.LICENSEE)
    if request.method == "POST":
        tariff = _tariffs().filter(pk=_number(request.POST.get("tariff", ""))).first()
        if tariff is None:
            raise NotFound(_("There is no such tariff with rates in force."))
        asked = services.ask(
            actor=actor, society=tariff.society, tariff=tariff, **_usual(parse(tariff.versions_now[0].document))
        )
        return redirect("licensing:licence_request_uses", asked.pk)
    found = _tariffs()
    text = request.GET.get("q", "").strip()
    if text:
        found = found.filter(Q(name__icontains=text) | Q(ref__icontains=text) | Q(society__name__icontains=text))
    chosen = _number(request.GET.get("tariff", ""))
    if chosen:
        found = found.filter(pk=chosen)
    page = paginate(request, found.order_by("society__name", "name", "pk"))
    page.object_list = [Choice(tariff, parse(tariff.versions_now[0].document)) for tariff in page.object_list]
    drafts = LicenceRequest.objects.filter(licensee=firm, status=LicenceRequest.Status.DRAFT)
    context = {
        "page": page,
        "asked_for": text,
        "chosen": chosen,
        "steps": at_step("tariff", None),
        "drafts": drafts.select_related("tariff", "society").order_by("-pk")[:3],
    }
    return render(request, "licensing/licences/request_start.html", context)


@requires("licences.request")
@require_POST
def follow(request: ActorRequest, licence_id: int, how: str) -> HttpResponse:
    """Ask for what follows a licence: its renewal after the term, or its amendment within it."""
    licence = get_object_or_404(
        Licence.objects.visible_to(request.actor).select_related("society", "tariff"),
        pk=licence_id,
        licensee_id=request.actor.organisation_id,
    )
    today = timezone.localdate()
    first, until = licence.valid.lower, licence.valid.upper
    if how == "renews":
        since = max(until or today, today)
        months = _USUAL_MONTHS if until is None else max(1, round((until - first).days * 12 / 365.25))
        to = months_after(since, months)
    else:
        since = max(today + datetime.timedelta(days=1), first)
        to = until if until and until > since else months_after(since, _USUAL_MONTHS)
    before = getattr(licence, "offer", None)
    follows: dict[str, Any] = {how: licence}
    asked = services.ask(
        actor=request.actor, society=licence.society, tariff=licence.tariff, uses=licence.uses, kinds=licence.kinds,
        territory=licence.territory, ai_models=licence.ai_models, datasets=licence.datasets, term_from=since, term_to=to,
        tier=licence.tier, tier_evidence="", quantities=before.quote.quantities if before else [],
        bases=before.quote.bases if before else {}, message="", **follows,
    )  # fmt: skip
    return redirect("licensing:licence_request_uses", asked.pk)


@of_a_draft
@require_http_methods(["GET", "POST"])
def uses(request: ActorRequest, asked: LicenceRequest) -> HttpResponse:
    """Step 2: what will be done with the works."""
    schedule = showing.schedule_of(asked.tariff, asked.term.lower)
    form = UsesForm(request.POST or None, initial=uses_of(asked), schedule=schedule)
    if request.method == "POST" and form.is_valid() and _kept(request, asked, form, **form.cleaned_data):
        return _onward(request, asked, "term")
    return _shown(request, asked, "uses", {"form": form})


@of_a_draft
@require_http_methods(["GET", "POST"])
def term(request: ActorRequest, asked: LicenceRequest) -> HttpResponse:
    """Step 3: how long, and how large the firm is, with what shows it."""
    schedule = showing.schedule_of(asked.tariff, asked.term.lower)
    form = TermForm(request.POST or None, initial=term_of(asked), schedule=schedule)
    papers = FilesForm(request.POST or None, request.FILES or None)
    valid = request.method == "POST" and form.is_valid() and papers.is_valid()
    if valid and _kept(request, asked, form, **form.asked) and _attached(request, asked, papers):
        return _onward(request, asked, "figures")
    context = {"form": form, "papers": papers, "files": asked.files.select_related("file"), "most": MOST_FILES}
    return _shown(request, asked, "term", context)


@of_a_draft
@require_http_methods(["GET", "POST"])
def figures(request: ActorRequest, asked: LicenceRequest) -> HttpResponse:
    """Step 4: the figures that this tariff asks for, and what they come to."""
    form = _figures(asked, request.POST if request.method == "POST" else None)
    valid = request.method == "POST" and form.is_valid()
    if valid and _kept(request, asked, form, quantities=form.quantities, bases=form.bases):
        return _onward(request, asked, "figures" if request.POST.get("stay") else "check")
    schedule = showing.schedule_of(asked.tariff, asked.term.lower)
    context = {"form": form, "price": showing.price(asked), "schedule": schedule}
    return _shown(request, asked, "figures", context)


@of_a_draft
@require_http_methods(["GET", "POST"])
def check(request: ActorRequest, asked: LicenceRequest) -> HttpResponse:
    """Step 5: everything on one page, then it is sent."""
    form = MessageForm(request.POST or None, initial={"message": asked.message})
    if request.method == "POST" and form.is_valid() and _kept(request, asked, form, **form.cleaned_data):
        if request.POST.get("leave"):
            return _onward(request, asked, "check")
        try:
            services.submit(actor=request.actor, request=asked)
        except Conflict:
            raise
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Your request is with %(society)s.") % {"society": asked.society})
            return redirect("licensing:licence_request", asked.pk)
    context = {"form": form, "price": showing.price(asked), "files": asked.files.select_related("file")}
    context |= showing.figures_said(asked)
    return _shown(request, asked, "check", context)


@signed_in
@require_GET
def price(request: ActorRequest, request_id: int) -> HttpResponse:
    """What the figures on the page come to, for a page that asks while they are typed."""
    asked = showing.find_request(request.actor, request_id)
    tier = request.GET.get("tier", asked.tier)[:40] if request.actor.is_society else asked.tier
    form = _figures(asked, request.GET, any_tier=request.actor.is_society)
    if form.is_valid():
        found = showing.price(asked, tier=tier, quantities=form.quantities, bases=form.bases)
    else:
        found = showing.Price(problem=_("Put the marked figures right to see the price."))
    return render(request, "licensing/licences/_live_price.html", {"price": found, "asked": asked})


def _figures(asked: LicenceRequest, data: Any, *, any_tier: bool = False) -> FiguresForm:
    return FiguresForm(
        data,
        schedule=showing.schedule_of(asked.tariff, asked.term.lower),
        uses=asked.uses,
        kinds=asked.kinds,
        tier=None if any_tier else asked.tier,
        kept=asked.quantities,
        bases=asked.bases,
    )


def _shown(request: ActorRequest, asked: LicenceRequest, step: str, context: dict[str, Any]) -> HttpResponse:
    context |= {
        "asked": asked,
        "steps": at_step(step, asked),
        "number": number_of(step),
        "back": back_from(step, asked),
    }
    return render(request, f"licensing/licences/request_{step}.html", context)


def _onward(request: ActorRequest, asked: LicenceRequest, step: str) -> HttpResponse:
    if request.POST.get("leave"):
        messages.success(request, _("Your draft %(ref)s is kept. Take it up again when you like.") % {"ref": asked.ref})
        return redirect("licensing:licence_requests")
    return redirect(f"licensing:licence_request_{step}", asked.pk)


def _kept(request: ActorRequest, asked: LicenceRequest, form: Any, **changes: Any) -> bool:
    """Keep what a step says; what it makes unfitting of the later steps goes. False: the form says why not."""
    wanted = _as_asked(asked) | changes
    schedule = showing.schedule_of(asked.tariff, wanted["term_from"])
    needed = quantities.asked(schedule, uses=wanted["uses"], kinds=wanted["kinds"], tier=wanted["tier"])
    wanted["quantities"] = quantities.rows(quantities.figures(needed, wanted["quantities"]))
    wanted["bases"] = {
        name: wanted["bases"][name] for name in (*needed.counts, *needed.bases) if name in wanted["bases"]
    }
    try:
        services.revise(actor=request.actor, request=asked, **wanted)
    except Conflict:
        raise
    except Refusal as refusal:
        field = _FIELDS.get(refusal.pointer or "", (refusal.pointer or "").lstrip("/"))
        form.add_error(field if field in form.fields else None, str(refusal))
        return False
    return True


_FIELDS = {"/term_from": "first_day", "/term_to": "last_day"}


def _as_asked(asked: LicenceRequest) -> dict[str, Any]:
    """What a draft says, as the service takes it."""
    same = (
        "uses",
        "kinds",
        "territory",
        "ai_models",
        "datasets",
        "tier",
        "tier_evidence",
        "quantities",
        "bases",
        "message",
    )
    return {name: getattr(asked, name) for name in same} | {
        "term_from": asked.term.lower,
        "term_to": asked.term.upper,
    }


def _attached(request: ActorRequest, asked: LicenceRequest, papers: FilesForm) -> bool:
    if len(papers.cleaned_data["papers"]) + asked.files.count() > MOST_FILES:
        papers.add_error("papers", _("Five papers at most: these are too many."))
        return False
    for file in papers.cleaned_data["papers"]:
        try:
            services.attach(actor=request.actor, request=asked, file=file, name=file.name)
        except Refusal as refusal:
            papers.add_error("papers", str(refusal))
            return False
    return True


def _tariffs() -> Any:
    """Tariffs that can price today, with the version that does as `versions_now`."""
    today = timezone.localdate()
    now = TariffVersion.objects.in_force(today)
    return (
        Tariff.objects.filter(pk__in=now.values("tariff_id"))
        .select_related("society")
        .prefetch_related(Prefetch("versions", now, to_attr="versions_now"))
    )


def _usual(schedule: Schedule) -> dict[str, Any]:
    """What a new draft starts with: all that the tariff prices, in Korea, for a year from the next month on."""
    today = timezone.localdate()
    since = (today.replace(day=1) + datetime.timedelta(days=32)).replace(day=1)
    kinds = quantities.priced_kinds(schedule)
    months = schedule.period_months or _USUAL_MONTHS
    return {
        "uses": quantities.priced_uses(schedule),
        "kinds": [terms.ANY] if len(kinds) == len(terms.KINDS) else kinds,
        "territory": ["KR"],
        "ai_models": [],
        "datasets": [],
        "term_from": since,
        "term_to": months_after(since, max(months, _USUAL_MONTHS)),
        "tier": "",
        "tier_evidence": "",
        "quantities": [],
        "bases": {},
        "message": "",
    }


def _number(text: str) -> int:
    """A number from an address; 0 where it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
