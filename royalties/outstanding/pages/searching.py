"""The search for whose money waits: attempts and campaigns."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.access.paging import paginate
from accounts.identity.core import NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from accounts.organisations.models import Organisation
from royalties.outstanding import services
from royalties.outstanding.forms import AttemptForm, CloseForm, TracingForm
from royalties.outstanding.models import Attempt, Tracing

VIEW: Final = "distribution.view"
WORK: Final = "distribution.compute"


@requires(VIEW)
@require_http_methods(["GET", "POST"])
def attempts(request: ActorRequest) -> HttpResponse:
    """Every attempt, the latest first, and a form to log one."""
    actor, society = request.actor, Organisation.objects.of(request.actor)
    first = {"made_on": timezone.localdate(), "about": request.GET.get("about", "")[:2080]}
    form = AttemptForm(request.POST or None, society_id=society.pk, initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            services.log_attempt(actor=actor, society=society, **form.cleaned_data)
        except Refusal as refusal:
            refused(form, refusal)
        else:
            messages.success(request, _("The attempt is logged."))
            return redirect("royalties:attempts")
    found = Attempt.objects.visible_to(actor).select_related("holder", "work", "tracing").order_by("-id")
    context = {"page": paginate(request, found, counted=False), "form": form, "can_work": actor.can(WORK)}
    return render(request, "royalties/outstanding/attempts.html", context)


@requires(VIEW)
@require_http_methods(["GET", "POST"])
def tracings(request: ActorRequest) -> HttpResponse:
    """Searches for several at once."""
    actor, today = request.actor, timezone.localdate()
    form = TracingForm(request.POST or None, initial={"begun_on": today})
    if request.method == "POST" and form.is_valid():
        try:
            made = services.begin_tracing(actor=actor, society=Organisation.objects.of(actor), **form.cleaned_data)
        except Refusal as refusal:
            refused(form, refusal)
        else:
            messages.success(request, _("The search has begun. Log attempts in it."))
            return redirect("royalties:tracing", made.pk)
    found = Tracing.objects.visible_to(actor).order_by("-pk")
    return render(
        request,
        "royalties/outstanding/tracings.html",
        {"page": paginate(request, found), "form": form, "can_work": actor.can(WORK)},
    )


@requires(VIEW)
@require_http_methods(["GET", "POST"])
def tracing(request: ActorRequest, tracing_id: int) -> HttpResponse:
    """One search with its attempts; it ends with what came of it."""
    found = Tracing.objects.visible_to(request.actor).select_related("society").filter(pk=tracing_id).first()
    if found is None:
        raise NotFound(_("There is no such search."))
    form = CloseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        services.close_tracing(actor=request.actor, tracing=found, finding=form.cleaned_data["finding"])
        messages.success(request, _("The search is over."))
        return redirect("royalties:tracing", found.pk)
    rows = found.attempts.select_related("holder", "work").order_by("-id")
    context = {
        "tracing": found, "page": paginate(request, rows, counted=False), "form": form,
        "can_close": found.closed_on is None and request.actor.can(WORK),
    }  # fmt: skip
    return render(request, "royalties/outstanding/tracing.html", context)


def refused(form: Any, refusal: Refusal) -> None:
    """Put what is wrong beside the field that it is about."""
    for error in refusal.errors:
        field = str(error.get("pointer", "")).strip("/").partition("/")[0]
        form.add_error(field if field in form.fields else None, str(error["detail"]))
