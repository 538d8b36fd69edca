"""Where a society computes: its administrators look, and set it."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.identity.core import Refusal
from accounts.identity.gate import ActorRequest, requires
from accounts.organisations.models import Organisation
from licensing.engine import services, spark
from licensing.engine.forms import EngineForm


@requires(services.MANAGE)
@require_http_methods(["GET", "POST"])
def engine(request: ActorRequest) -> HttpResponse:
    society = get_object_or_404(Organisation, pk=request.actor.organisation_id, kind=Organisation.Kind.SOCIETY)
    form = EngineForm(request.POST or None, initial={"engine": services.chosen(society) or "default"})
    if request.method == "POST" and form.is_valid():
        try:
            chosen = form.cleaned_data["engine"]
            services.choose(actor=request.actor, society=society, engine="" if chosen == "default" else chosen)
        except Refusal as refusal:
            form.add_error("engine", str(refusal))
        else:
            messages.success(request, _("Saved. It holds for what is computed from now on."))
            return redirect("licensing:engine")
    return render(request, "licensing/engine/engine.html", {"form": form, "missing": _missing()})


def _missing() -> str:
    """What Spark lacks here, for whoever runs the installation."""
    try:
        spark.check()
    except ImproperlyConfigured as error:
        return str(error)
    return ""
