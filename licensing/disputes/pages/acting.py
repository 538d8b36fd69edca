"""What one does in a conflict over shares: raise, propose, agree, object, withdraw, decide. Shape only, then the service."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.identity.core import Conflict, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires, signed_in
from accounts.organisations.models import Organisation
from licensing.disputes import services
from licensing.disputes.forms import DecisionForm, ObjectForm, RaiseForm, ReasonForm, SplitForm, TermsForm
from licensing.disputes.models import Dispute, DisputeTerms
from licensing.disputes.pages.looking import shown
from licensing.disputes.services.common import CREATOR, STAFF, find_dispute
from licensing.disputes.services.raising import check_claimant
from licensing.repertoire.models import Share, Work


@signed_in
@never_cache
@require_http_methods(["GET", "POST"])
def raise_dispute(request: ActorRequest, share_id: int) -> HttpResponse:
    """Dispute one share of a work that one has a share in, or of the society's register."""
    actor = request.actor
    share = Share.objects.select_related("work__society", "holder").filter(pk=share_id).first()
    if share is None or not Work.objects.visible_to(actor).filter(pk=share.work_id).exists() or actor.is_licensee:
        raise NotFound(_("There is no such share."))
    actor.require(STAFF if actor.is_society else CREATOR)
    form = RaiseForm(request.POST or None, request.FILES or None, by_society=actor.is_society)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = services.raise_dispute(
                actor=actor, share=share, reason=given["reason"], evidence=given["evidence"], name=_name(given["evidence"]),
                claimant=check_claimant(share.work, given.get("claimant", "")),
            )  # fmt: skip
        except Refusal as refusal:
            _refused(form, refusal)
        else:
            messages.success(
                request, _("The share is disputed. What comes in for it is held, and who claims is asked to answer.")
            )
            return redirect("licensing:dispute", made.pk)
    return render(request, "licensing/disputes/raise.html", {"form": form, "share": share, "work": share.work})


@signed_in
@require_POST
def propose(request: ActorRequest, dispute_id: int) -> HttpResponse:
    held = find_dispute(request.actor, dispute_id)
    form = SplitForm(request.POST, dispute=held)
    if form.is_valid():
        try:
            done = services.propose(
                actor=request.actor, dispute=held, shares=form.shares, since=form.cleaned_data["since"]
            )
        except Refusal as refusal:
            _refused(form, refusal)
        else:
            said = (
                _("All agree: the shares are on record.")
                if done.status != "open"
                else _("The split is proposed. Who claims is told.")
            )
            messages.success(request, said)
            return redirect("licensing:dispute", held.pk)
    return shown(request, held, status=422, split_form=form)


@signed_in
@require_POST
def agree(request: ActorRequest, dispute_id: int) -> HttpResponse:
    held = find_dispute(request.actor, dispute_id)
    seen = request.POST.get("revision", "")
    try:
        revision = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 9 else -1
        done = services.agree(actor=request.actor, dispute=held, revision=revision)
    except Conflict as conflict:
        messages.error(request, str(conflict))
    else:
        settled = done.status != Dispute.Status.OPEN
        messages.success(
            request, _("All agree: the shares are on record.") if settled else _("You agree. The others are asked.")
        )
    return redirect("licensing:dispute", held.pk)


@signed_in
@require_POST
def object_to(request: ActorRequest, dispute_id: int) -> HttpResponse:
    held = find_dispute(request.actor, dispute_id)
    form = ObjectForm(request.POST, request.FILES, prefix="object")
    if form.is_valid():
        given = form.cleaned_data
        try:
            services.object_to(
                actor=request.actor,
                dispute=held,
                statement=given["statement"],
                evidence=given["evidence"],
                name=_name(given["evidence"]),
            )
        except Refusal as refusal:
            _refused(form, refusal)
        else:
            messages.success(request, _("Your objection is kept. The others and the society are told."))
            return redirect("licensing:dispute", held.pk)
    return shown(request, held, status=422, object_form=form)


@signed_in
@require_POST
def withdraw(request: ActorRequest, dispute_id: int) -> HttpResponse:
    held = find_dispute(request.actor, dispute_id)
    form = ReasonForm(request.POST, prefix="withdraw")
    if form.is_valid():
        try:
            services.withdraw(actor=request.actor, dispute=held, reason=form.cleaned_data["reason"])
        except Refusal as refusal:
            _refused(form, refusal)
        else:
            messages.success(request, _("The dispute is withdrawn. What was held is paid with the next distribution."))
            return redirect("licensing:dispute", held.pk)
    return shown(request, held, status=422, reason_form=form)


@requires(STAFF)
@require_POST
def ask_decision(request: ActorRequest, dispute_id: int) -> HttpResponse:
    held = find_dispute(request.actor, dispute_id)
    form = DecisionForm(request.POST, request.FILES, dispute=held, prefix="decision")
    if form.is_valid():
        given = form.cleaned_data
        try:
            services.ask_decision(
                actor=request.actor, dispute=held, shares=form.shares, ground=given["ground"], document=given["document"],
                name=_name(given["document"]), since=given["since"],
            )  # fmt: skip
        except Refusal as refusal:
            _refused(form, refusal)
        else:
            messages.success(request, _("A second person can decide now."))
            return redirect("licensing:dispute", held.pk)
    return shown(request, held, status=422, decision_form=form)


@requires("approvals.decide")
@require_POST
def decide(request: ActorRequest, dispute_id: int) -> HttpResponse:
    held = find_dispute(request.actor, dispute_id)
    yes = request.POST.get("decision") == "approve"
    services.decide_dispute(
        actor=request.actor, dispute=held, approve=yes, reason=request.POST.get("reason", "")[:2000]
    )
    messages.success(
        request,
        _("Decided: the shares are on record.") if yes else _("The decision is refused. The conflict stays open."),
    )
    return redirect("licensing:dispute", held.pk)


@requires(STAFF)
@require_http_methods(["GET", "POST"])
def terms(request: ActorRequest) -> HttpResponse:
    """How long who claims has to answer, from a day on."""
    society = Organisation.objects.of(request.actor)
    today = timezone.localdate()
    now = services.terms_on(society.pk, today)
    first = {"answer_days": now.answer_days, "reminders": ", ".join(map(str, now.reminders)), "valid_from": today}
    form = TermsForm(request.POST or None, initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            services.set_terms(actor=request.actor, society=society, **form.cleaned_data)
        except Refusal as refusal:
            _refused(form, refusal)
        else:
            messages.success(request, _("The rule is on record."))
            return redirect("licensing:dispute_terms")
    rows = DisputeTerms.objects.filter(society=society).order_by("-valid_from")[:100]
    return render(request, "licensing/disputes/terms.html", {"form": form, "rows": rows, "now": now})


def _refused(form: Any, refusal: Refusal) -> None:
    for error in refusal.errors:
        field, _slash, place = str(error.get("pointer", "")).strip("/").partition("/")
        named = f"share_{place}" if field == "split" and place else field
        form.add_error(named if named in form.fields else None, str(error["detail"]))


def _name(file: Any) -> str:
    return file.name if file else ""
