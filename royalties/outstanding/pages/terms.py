"""A society's terms for money that waits: their versions, a new one, and the second person's decision."""

from __future__ import annotations

import json
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.identity.core import NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from accounts.organisations.models import Organisation
from royalties.distribution.core import read_text
from royalties.outstanding import services
from royalties.outstanding.forms import ReasonForm, TermsForm
from royalties.outstanding.models import ClockRule, ClockTerms
from royalties.outstanding.services.terms import pending

FIRST: Final[dict[str, Any]] = {
    "terms": "TRUST", "version": 1, "valid_from": "2026-01-01", "valid_to": None, "jurisdiction": "KR", "year_end_month": 12,
    "remuneration_tariffs": [],
    "rules": [{"name": "UNKNOWN", "basis": "collective", "reasons": ["unmatched", "no_share"], "starts_from": "notice",
               "steps": {"expire": 60}}],
}  # fmt: skip


@requires("distribution.view")
@require_GET
def terms_list(request: ActorRequest) -> HttpResponse:
    found = ClockTerms.objects.visible_to(request.actor).order_by("-version")
    context = {
        "page": paginate(request, found), "laws": ClockRule.objects.filter(terms=None).order_by("jurisdiction", "name"),
        "in_force": set(found.filter(status="approved", valid__contains=timezone.localdate()).values_list("id", flat=True)),
        "can_import": request.actor.can("distribution.compute"),
    }  # fmt: skip
    return render(request, "royalties/outstanding/terms_list.html", context)


@requires("distribution.compute")
@require_http_methods(["GET", "POST"])
def new(request: ActorRequest) -> HttpResponse:
    """Put a version on record; every fault of the document is told with its place."""
    latest = ClockTerms.objects.visible_to(request.actor).order_by("-version").first()
    start = latest.document | {"version": latest.version + 1} if latest else FIRST
    form = TermsForm(request.POST or None, initial={"text": json.dumps(start, ensure_ascii=False, indent=2)})
    problems: list[dict[str, Any]] = []
    if request.method == "POST" and form.is_valid():
        society = Organisation.objects.of(request.actor)
        try:
            made = services.import_terms(
                actor=request.actor, society=society, document=read_text(form.cleaned_data["text"])
            )
        except Refusal as refusal:
            problems = list(refusal.errors)
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The version is on record. It is in force once a second person approves it."))
            return redirect("royalties:clock_terms", made.pk)
    return render(request, "royalties/outstanding/terms_new.html", {"form": form, "problems": problems})


@requires("distribution.view")
@require_GET
def terms(request: ActorRequest, clock_terms_id: int) -> HttpResponse:
    actor, found = request.actor, _visible(request, clock_terms_id)
    asked, proposed = pending(found), found.status == ClockTerms.Status.PROPOSED
    decides = actor.can("distribution.approve") and actor.can("approvals.decide")
    context = {
        "terms": found, "asked": asked, "document": json.dumps(found.document, ensure_ascii=False, indent=2), "reason_form": ReasonForm(),
        "can_request": proposed and asked is None and actor.can("distribution.compute"),
        "can_decide": bool(proposed and asked and decides and asked.requester_id != actor.user_id),
    }  # fmt: skip
    return render(request, "royalties/outstanding/terms.html", context)


@requires("distribution.compute")
@require_POST
def ask(request: ActorRequest, clock_terms_id: int) -> HttpResponse:
    services.ask_terms(actor=request.actor, terms=_visible(request, clock_terms_id))
    messages.success(request, _("A second person can approve this version now."))
    return redirect("royalties:clock_terms", clock_terms_id)


@requires("distribution.approve")
@require_POST
def decide(request: ActorRequest, clock_terms_id: int) -> HttpResponse:
    yes = request.POST.get("decision") == "approve"
    services.decide_terms(
        actor=request.actor,
        terms=_visible(request, clock_terms_id),
        approve=yes,
        reason=request.POST.get("reason", "")[:2000],
    )
    messages.success(request, _("The version is approved.") if yes else _("The version is refused."))
    return redirect("royalties:clock_terms", clock_terms_id)


def _visible(request: ActorRequest, clock_terms_id: int) -> ClockTerms:
    found = ClockTerms.objects.visible_to(request.actor).filter(pk=clock_terms_id).first()
    if found is None:
        raise NotFound(_("There are no such terms."))
    return found
