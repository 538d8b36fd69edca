"""Payees files, and how long the society waits: what two people decide for many payees at once."""

from __future__ import annotations

from pathlib import Path

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.approvals.models import Approval
from accounts.identity.core import NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from accounts.organisations.models import Organisation
from royalties.payees import services
from royalties.payees.forms import ImportForm, ReasonForm, TermsForm, put_errors
from royalties.payees.models import PayeeImport, PayeeTerms

_MOST_BYTES = 256 * 1024**2  # a page waits for its answer; a larger file is for the command
_SHOWN = 20


@requires("payees.view")
@require_http_methods(["GET", "POST"])
def imports(request: ActorRequest) -> HttpResponse:
    """The files so far, and a new one. It is read from where the upload lies and not kept."""
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST":
        request.actor.require("payees.manage")
        if form.is_valid():
            try:
                return redirect("royalties:payee_import", _load(request, form).pk)
            except Refusal as refusal:
                put_errors(form, refusal)
    found = PayeeImport.objects.visible_to(request.actor).select_related("requested_by").order_by("-id")
    context = {"form": form, "page": paginate(request, found), "can_manage": request.actor.can("payees.manage")}
    return render(request, "royalties/payees/imports.html", context)


def _load(request: ActorRequest, form: ImportForm) -> PayeeImport:
    file = form.cleaned_data["file"]
    if file.size > _MOST_BYTES:
        raise Refusal("too_large", _("A larger file is for the operator's command import_payees."), pointer="/file")
    society = Organisation.objects.of(request.actor)
    done = services.import_payees(
        actor=request.actor, society=society, path=Path(file.temporary_file_path()), name=file.name,
        screened=form.cleaned_data["screened"],
    )  # fmt: skip
    if services.waits(done.made):
        services.ask_import_approval(actor=request.actor, made=done.made)
    return done.made


@requires("payees.view")
@require_GET
def payee_import(request: ActorRequest, payee_import_id: int) -> HttpResponse:
    found = services.own_import(request.actor, payee_import_id)
    asked = Approval.objects.pending().about("payee_import", found.pk).select_related("requester").first()
    actor, waits = request.actor, services.waits(found)
    decides = actor.can("payees.manage") and actor.can("approvals.decide")
    context = {
        "made": found, "asked": asked, "waits": waits, "reason_form": ReasonForm(),
        "can_ask": waits and asked is None and actor.can("payees.manage"),
        "can_decide": bool(asked and decides and asked.requester_id != actor.user_id),
        "details": list(found.details.select_related("payee__holder").order_by("pk")[:_SHOWN]),
    }  # fmt: skip
    return render(request, "royalties/payees/import.html", context)


@requires("payees.manage")
@require_POST
def ask_import(request: ActorRequest, payee_import_id: int) -> HttpResponse:
    services.ask_import_approval(actor=request.actor, made=services.own_import(request.actor, payee_import_id))
    messages.success(request, _("A second person can approve this file now."))
    return redirect("royalties:payee_import", payee_import_id)


@requires("payees.manage")
@require_POST
def decide_import(request: ActorRequest, payee_import_id: int) -> HttpResponse:
    yes = request.POST.get("decision") == "approve"
    made = services.own_import(request.actor, payee_import_id)
    services.decide_import(actor=request.actor, made=made, approve=yes, reason=request.POST.get("reason", "")[:500])
    messages.success(
        request, _("Approved. They are used once the waiting time is over.") if yes else _("The file is refused.")
    )
    return redirect("royalties:payee_import", payee_import_id)


@requires("payees.view")
@require_http_methods(["GET", "POST"])
def terms(request: ActorRequest) -> HttpResponse:
    """How long the society waits, and how that came about."""
    society = Organisation.objects.of(request.actor)
    days = services.cooling_off(society.pk).days
    form = TermsForm(request.POST or None, initial={"cooling_off_days": days})
    if request.method == "POST":
        request.actor.require("payees.manage")
        if form.is_valid():
            made = services.request_terms(actor=request.actor, society=society, **form.cleaned_data)
            messages.success(request, _("A second person can approve the waiting time now."))
            return redirect("royalties:payee_terms", made.pk)
    found = PayeeTerms.objects.visible_to(request.actor).select_related("requested_by").order_by("-id")
    context = {
        "form": form,
        "days": days,
        "page": paginate(request, found),
        "can_manage": request.actor.can("payees.manage"),
    }
    return render(request, "royalties/payees/terms.html", context)


@requires("payees.view")
@require_GET
def one_terms(request: ActorRequest, payee_terms_id: int) -> HttpResponse:
    found = _terms(request, payee_terms_id)
    asked = Approval.objects.pending().about("payee_terms", found.pk).select_related("requester").first()
    actor = request.actor
    decides = actor.can("payees.manage") and actor.can("approvals.decide")
    context = {
        "terms": found, "asked": asked, "reason_form": ReasonForm(),
        "can_decide": bool(asked and decides and asked.requester_id != actor.user_id),
    }  # fmt: skip
    return render(request, "royalties/payees/one_terms.html", context)


@requires("payees.manage")
@require_POST
def decide_terms(request: ActorRequest, payee_terms_id: int) -> HttpResponse:
    yes = request.POST.get("decision") == "approve"
    reason = request.POST.get("reason", "")[:500]
    services.decide_terms(actor=request.actor, terms=_terms(request, payee_terms_id), approve=yes, reason=reason)
    messages.success(request, _("The waiting time holds from now on.") if yes else _("The waiting time is refused."))
    return redirect("royalties:payee_terms", payee_terms_id)


def _terms(request: ActorRequest, payee_terms_id: int) -> PayeeTerms:
    found = (
        PayeeTerms.objects.visible_to(request.actor).select_related("requested_by").filter(pk=payee_terms_id).first()
    )
    if found is None:
        raise NotFound(_("There is no such waiting time."))
    return found
