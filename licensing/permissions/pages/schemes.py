"""Statutory schemes: open to everyone, above all that they are off; and the society's own, which two people switch."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from accounts.access.paging import paginate
from accounts.identity.core import Actor, Forbidden, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires, signed_in
from licensing.permissions.forms import SchemeDecisionForm, SchemeSwitchForm
from licensing.permissions.models import StatutoryScheme
from licensing.permissions.services import scheme_switching as switching

PUBLIC_SIZE = 20
STATES = {  # state on a day → (word, tone)
    "off": (gettext_lazy("off"), "quiet"),
    "on": (gettext_lazy("on"), "good"),
    "not_yet": (gettext_lazy("on, from its first day"), "info"),
    "over": (gettext_lazy("on, but its days are over"), "quiet"),
}


@require_GET
def public(request: HttpRequest) -> HttpResponse:
    """Every scheme of every society, with its state, on what it rests, and when it was switched."""
    found = StatutoryScheme.objects.select_related("society", "body", "tariff").order_by("society__name", "ref")
    page = paginate(request, found, size=PUBLIC_SIZE)
    context = {"page": page, "shown": _shown(page.object_list), "any_on": found.filter(enabled=True).exists()}
    return render(request, "licensing/permissions/schemes_public.html", context)


@signed_in
@require_GET
def schemes(request: ActorRequest) -> HttpResponse:
    """What the law licenses here, and whether permission follows it."""
    if not request.actor.is_society:
        raise Forbidden(_("Only the staff of a society see its statutory schemes."))
    found = StatutoryScheme.objects.filter(society_id=request.actor.organisation_id)
    page = paginate(request, found.select_related("body", "tariff").order_by("ref"))
    return render(request, "licensing/permissions/schemes.html", {"page": page, "shown": _shown(page.object_list)})


@signed_in
@require_GET
def scheme(request: ActorRequest, scheme_id: int) -> HttpResponse:
    return _detail(request, _own(request.actor, scheme_id))


@requires("organisation.manage")
@require_POST
def ask(request: ActorRequest, scheme_id: int) -> HttpResponse:
    """One person asks for the switch."""
    found, form = _own(request.actor, scheme_id), SchemeSwitchForm(request.POST)
    if form.is_valid():
        try:
            switching.ask_to_switch(actor=request.actor, scheme=found, **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None if refusal.pointer != "/reason" else "reason", str(refusal))
        else:
            messages.success(request, _("A second person can decide on it now."))
            return redirect("licensing:scheme", found.pk)
    return _detail(request, found, ask_form=form)


@requires("approvals.decide")
@require_POST
def decide(request: ActorRequest, scheme_id: int) -> HttpResponse:
    """Another person decides on it."""
    found, yes = _own(request.actor, scheme_id), request.POST.get("decision") == "approve"
    done = switching.decide_switch(
        actor=request.actor, scheme=found, approve=yes, reason=request.POST.get("reason", "")[:2000]
    )
    if not yes:
        messages.success(request, _("The switch is refused; nothing changed."))
    else:
        messages.success(request, _("The scheme is on.") if done.enabled else _("The scheme is off."))
    return redirect("licensing:scheme", scheme_id)


def _detail(request: ActorRequest, found: StatutoryScheme, ask_form: SchemeSwitchForm | None = None) -> HttpResponse:
    actor = request.actor
    asked = switching.waiting_switch(found)
    decides = actor.can("approvals.decide") and actor.can(switching.DECIDE)
    [row] = _shown([found])
    context = {
        **row,
        "asked": asked,
        "why": switching.reason_asked(found) if asked else "",
        "payable": found.tariff_id is not None,
        "can_ask": asked is None and actor.can("organisation.manage"),
        "can_decide": bool(asked and decides and asked.requester_id != actor.user_id),
        "ask_form": ask_form or SchemeSwitchForm(),
        "decision_form": SchemeDecisionForm(),
    }
    return render(request, "licensing/permissions/scheme.html", context)


def _own(actor: Actor, scheme_id: int) -> StatutoryScheme:
    own = StatutoryScheme.objects.filter(society_id=actor.organisation_id or 0)
    found = own.select_related("society", "body", "tariff").filter(pk=scheme_id).first()
    if found is None:
        raise NotFound(_("There is no such statutory scheme."))
    return found


def _shown(schemes: Any) -> list[dict[str, Any]]:
    """Each scheme with its state today and the moments at which it was switched."""
    today, switches = timezone.localdate(), switching.switches_of(list(schemes))
    rows = []
    for found in schemes:
        state = found.state_on(today)
        label, tone = STATES[state]
        rows.append({"scheme": found, "state": state, "label": label, "tone": tone, "switches": switches[found.pk]})
    return rows
