"""Finance: advances with what is still open of each; a new one; its approval, payment and write-off."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import F, Sum
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.identity.core import Refusal
from accounts.identity.gate import ActorRequest, requires
from royalties.entitlements import services
from royalties.entitlements.forms import AdvanceForm, PaidForm, ReasonForm, WriteOffForm
from royalties.entitlements.models import Advance, AdvanceMove
from royalties.entitlements.pages.common import one_of, put_errors, society_of, waiting
from royalties.entitlements.services import advances as granting

_SHOWN = 50


@requires("payouts.view")
@require_GET
def advances(request: ActorRequest) -> HttpResponse:
    """All of them, the latest first, and what is open in all."""
    society_of(request)
    found = Advance.objects.visible_to(request.actor)
    status = request.GET.get("status", "")
    shown = found.filter(status=status) if status in Advance.Status.values else found
    still = found.filter(status=Advance.Status.PAID).values("currency")
    context = {
        "page": paginate(request, shown.select_related("holder").order_by("-id"), counted=False),
        "open": still.annotate(total=Sum(F("amount") - F("recouped") - F("written_off"))).order_by("currency"),
        "status": status,
        "statuses": Advance.Status.choices,
        "can_grant": request.actor.can("payouts.prepare"),
    }
    return render(request, "royalties/entitlements/advances.html", context)


@requires("payouts.prepare")
@require_http_methods(["GET", "POST"])
def advance_new(request: ActorRequest) -> HttpResponse:
    society = society_of(request)
    form = AdvanceForm(request.POST or None, actor=request.actor)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.request_advance(actor=request.actor, society=society, **form.said())
        except Refusal as refusal:
            put_errors(form, refusal)
        else:
            messages.success(request, _("It is on record. It can be paid once a second person approves it."))
            return redirect("royalties:advance", made.pk)
    return render(request, "royalties/entitlements/advance_new.html", {"form": form})


@requires("payouts.view")
@require_GET
def advance(request: ActorRequest, advance_id: int) -> HttpResponse:
    return _shown(request, _visible(request, advance_id))


@requires("payouts.approve")
@require_POST
def advance_decide(request: ActorRequest, advance_id: int) -> HttpResponse:
    yes, reason = request.POST.get("decision") == "approve", request.POST.get("reason", "")[:1000]
    services.decide_advance(actor=request.actor, advance=_visible(request, advance_id), approve=yes, reason=reason)
    messages.success(request, _("Approved.") if yes else _("Refused."))
    return redirect("royalties:advance", advance_id)


@requires("payouts.prepare")
@require_POST
def advance_mark(request: ActorRequest, advance_id: int) -> HttpResponse:
    """Record it as paid."""
    found, form = _visible(request, advance_id), PaidForm(request.POST)
    if form.is_valid():
        try:
            services.record_advance_paid(actor=request.actor, advance=found, **form.cleaned_data)
        except Refusal as refusal:
            put_errors(form, refusal)
        else:
            messages.success(request, _("Recorded as paid. It is recouped from what comes in from now on."))
            return redirect("royalties:advance", advance_id)
    return _shown(request, found, paid_form=form)


@requires("payouts.prepare")
@require_POST
def write_off_ask(request: ActorRequest, advance_id: int) -> HttpResponse:
    found, form = _visible(request, advance_id), WriteOffForm(request.POST)
    if form.is_valid():
        services.request_write_off(actor=request.actor, advance=found, **form.cleaned_data)
        messages.success(request, _("A second person can approve the write-off now."))
        return redirect("royalties:advance", advance_id)
    return _shown(request, found, write_off_form=form)


@requires("payouts.approve")
@require_POST
def write_off_decide(request: ActorRequest, advance_id: int) -> HttpResponse:
    yes, reason = request.POST.get("decision") == "approve", request.POST.get("reason", "")[:1000]
    services.decide_write_off(actor=request.actor, advance=_visible(request, advance_id), approve=yes, reason=reason)
    messages.success(request, _("Written off.") if yes else _("It stands as it was."))
    return redirect("royalties:advance", advance_id)


def _visible(request: ActorRequest, pk: int) -> Advance:
    found: Advance = one_of(request, Advance, pk, "holder", "society")
    return found


def _shown(request: ActorRequest, found: Advance, **given: Any) -> HttpResponse:
    about, actor, status = granting.reference(found), request.actor, Advance.Status(found.status)
    to_be_paid = status == Advance.Status.APPROVED and actor.can("payouts.prepare")
    tax, hindrance = None, ""
    if to_be_paid:
        try:
            tax = services.withheld_from(found, timezone.localdate())
        except Refusal as refusal:
            hindrance = refusal.detail
    write_off = waiting(request, granting.WRITE_OFF, about, "payouts.approve")
    context = {
        "advance": found,
        "approval": waiting(request, granting.KIND, about, "payouts.approve"),
        "write_off": write_off,
        "moves": AdvanceMove.objects.filter(advance=found).order_by("-id")[:_SHOWN],
        "tax": tax,
        "hindrance": hindrance,
        "to_be_paid": to_be_paid,
        "can_write_off": status == Advance.Status.PAID and write_off["asked"] is None and actor.can("payouts.prepare"),
        "paid_form": PaidForm(initial={"on": timezone.localdate(), "paid": tax.net if tax else None}),
        "write_off_form": WriteOffForm(),
        "reason_form": ReasonForm(),
        "sees_ledger": actor.can("ledger.view"),
    }
    return render(request, "royalties/entitlements/advance.html", context | given)
