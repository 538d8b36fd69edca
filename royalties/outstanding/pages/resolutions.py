"""Resolutions that money cannot be distributed: asked for, decided by a second person, carried out."""

from __future__ import annotations

from django.contrib import messages
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.identity.core import Refusal
from accounts.identity.gate import ActorRequest, requires
from accounts.organisations.models import Organisation
from licensing.intake.services import path_of
from royalties.outstanding import services
from royalties.outstanding.forms import ReasonForm, ResolutionForm
from royalties.outstanding.labels import reason_label
from royalties.outstanding.models import Resolution
from royalties.outstanding.pages.searching import refused
from royalties.outstanding.services.resolving import find_resolution, pending


@requires("distribution.view")
@require_GET
def resolutions(request: ActorRequest) -> HttpResponse:
    found = Resolution.objects.visible_to(request.actor).order_by("-id")
    today = timezone.localdate()
    eligible = services.eligible(request.actor.organisation_id or 0, on=today)
    context = {
        "page": paginate(request, found), "can_ask": request.actor.can("distribution.compute"),
        "eligible": [(currency, reason_label(reason), count, amount) for currency, reason, count, amount in eligible],
    }  # fmt: skip
    return render(request, "royalties/outstanding/resolutions.html", context)


@requires("distribution.compute")
@require_http_methods(["GET", "POST"])
def new(request: ActorRequest) -> HttpResponse:
    """List what has run out, and ask a second person."""
    society, today = Organisation.objects.of(request.actor), timezone.localdate()
    eligible = services.eligible(society.pk, on=today)
    currencies = sorted({row[0] for row in eligible}) or ["KRW"]
    form = ResolutionForm(
        request.POST or None, request.FILES or None, currencies=currencies, initial={"expired_by": today}
    )
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = services.request_resolution(
                actor=request.actor, society=society, currency=given["currency"], text=given["text"], ground=given["ground"],
                document=given["document"], name=given["document"].name, reason=given["reason"], expired_by=given["expired_by"],
            )  # fmt: skip
        except Refusal as refusal:
            refused(form, refusal)
        else:
            messages.success(request, _("The amounts are listed. A second person can decide now."))
            return redirect("royalties:resolution", made.pk)
    listed = [(currency, reason_label(reason), count, amount) for currency, reason, count, amount in eligible]
    return render(request, "royalties/outstanding/resolution_new.html", {"form": form, "eligible": listed})


@requires("distribution.view")
@never_cache
@require_GET
def resolution(request: ActorRequest, resolution_id: int) -> HttpResponse:
    actor, found = request.actor, find_resolution(request.actor, resolution_id)
    asked = pending(found)
    decides = actor.can("distribution.approve") and actor.can("approvals.decide")
    context = {
        "resolution": found, "asked": asked, "reason": reason_label(found.reason) if found.reason else "", "reason_form": ReasonForm(),
        "can_decide": asked is not None and decides and asked.requester_id != actor.user_id,
    }  # fmt: skip
    return render(request, "royalties/outstanding/resolution.html", context)


@requires("distribution.approve")
@require_POST
def decide(request: ActorRequest, resolution_id: int) -> HttpResponse:
    yes = request.POST.get("decision") == "approve"
    reason = request.POST.get("reason", "")[:2000]
    services.decide_resolution(
        actor=request.actor, resolution=find_resolution(request.actor, resolution_id), approve=yes, reason=reason
    )
    messages.success(
        request, _("Carried out: the amounts have left held and suspense.") if yes else _("The resolution is refused.")
    )
    return redirect("royalties:resolution", resolution_id)


@requires("distribution.view")
@require_GET
def document(request: ActorRequest, resolution_id: int) -> HttpResponseBase:
    """A download, never shown as a page."""
    stored = find_resolution(request.actor, resolution_id).document
    answer = FileResponse(
        path_of(stored).open("rb"), as_attachment=True, filename=stored.name, content_type="application/octet-stream"
    )
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
