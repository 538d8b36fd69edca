"""Pages of the society's mandates."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access.paging import ordering, paginate
from accounts.identity.core import Actor, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires, signed_in
from licensing import labels, terms
from licensing.permissions import services
from licensing.permissions.forms import EndForm, MandateForm
from licensing.permissions.models import Mandate

SORTS = {"holder": "holder__name", "valid": "valid"}


@signed_in
@require_GET
def mandates(request: ActorRequest) -> HttpResponse:
    """Who authorised the society, for what, from when."""
    actor = request.actor
    found = Mandate.objects.visible_to(actor).select_related("holder", "society")
    asked, use, when = (request.GET.get(name, "").strip() for name in ("q", "use", "when"))
    if asked:
        found = found.filter(
            Q(holder__ref=asked) | Q(holder__name__icontains=asked) | Q(holder__name_ko__icontains=asked)
        )
    if use in terms.USES:
        found = found.filter(Q(uses__contains=[use]) | Q(uses__contains=[terms.ANY]))
    if when == "now":
        found = found.filter(valid__contains=timezone.localdate())
    context = {
        "page": paginate(
            request, found.order_by(ordering(request, SORTS, default="holder__name"), "pk"), counted=False
        ),
        "asked": asked,
        "use": use,
        "when": when,
        "uses": [(code, labels.label(code)) for code in terms.USES],
        "can_manage": _may_manage(actor),
    }
    return render(request, "licensing/permissions/mandates.html", context)


@requires("mandates.manage")
@require_http_methods(["GET", "POST"])
def mandate_create(request: ActorRequest) -> HttpResponse:
    """Record a member's mandate."""
    if not _may_manage(request.actor):
        raise NotFound(str(_("There is nothing here that you may see.")))
    first = {"holder": request.GET.get("holder", ""), "valid_from": timezone.localdate(), "uses": ["train"]}
    form = MandateForm(request.POST or None, society_id=request.actor.organisation_id or 0, initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.grant_mandate(actor=request.actor, **form.cleaned_data)
        except Refusal as refusal:
            field = (refusal.pointer or "").lstrip("/")
            form.add_error(field if field in form.fields else None, str(refusal))
        else:
            messages.success(request, _("The mandate of %(holder)s is on record.") % {"holder": made.holder})
            return redirect("licensing:mandates")
    return render(request, "licensing/permissions/mandate_create.html", {"form": form})


@requires("mandates.manage")
@require_http_methods(["GET", "POST"])
def mandate_end(request: ActorRequest, mandate_id: int) -> HttpResponse:
    """End a member's mandate."""
    found = Mandate.objects.visible_to(request.actor).select_related("holder").filter(pk=mandate_id).first()
    if found is None:
        raise NotFound(str(_("There is no such mandate.")))
    form = EndForm(request.POST or None, initial={"on": timezone.localdate()})
    if request.method == "POST" and form.is_valid():
        try:
            services.end_mandate(actor=request.actor, mandate=found, on=form.cleaned_data["on"])
        except Refusal as refusal:
            form.add_error("on", str(refusal))
        else:
            messages.success(request, _("The mandate is ended."))
            return redirect("licensing:mandates")
    return render(request, "licensing/permissions/mandate_end.html", {"form": form, "mandate": found})


def _may_manage(actor: Actor) -> bool:
    return actor.is_society and actor.can("mandates.manage")
