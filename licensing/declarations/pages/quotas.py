"""What a licence may send: the licensing staff of the society look and decide."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from accounts.identity.core import NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from licensing.declarations import services
from licensing.declarations.services.quotas import MOST_BYTES, MOST_ROWS
from licensing.licences.models import Licence

_MEGABYTE = 10**6


class QuotaForm(forms.Form):
    megabytes = forms.IntegerField(
        label=_("Megabytes kept for all its declarations"), min_value=1, max_value=MOST_BYTES // _MEGABYTE
    )
    rows = forms.IntegerField(label=_("Rows of one declaration"), min_value=1, max_value=MOST_ROWS)


@requires("licences.manage")
@require_http_methods(["GET", "POST"])
def quota(request: ActorRequest, licence_id: int) -> HttpResponse:
    """What is used and allowed; a form to allow more or less."""
    licence = (
        Licence.objects.visible_to(request.actor).select_related("society", "licensee").filter(pk=licence_id).first()
    )
    if licence is None or licence.society_id != request.actor.organisation_id:
        raise NotFound(str(_("There is no such licence.")))
    allowed = services.allowance(licence)
    first = {"megabytes": allowed.bytes // _MEGABYTE, "rows": allowed.rows}
    form = QuotaForm(request.POST or None, initial=first)
    if request.method == "POST" and "forget" in request.POST:
        services.forget_quota(actor=request.actor, licence=licence)
        messages.success(request, _("The licence has what every licence has."))
        return redirect("licensing:licence", licence.pk)
    if request.method == "POST" and form.is_valid():
        try:
            _set(request, licence, form.cleaned_data)
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The licence may send that much from now on."))
            return redirect("licensing:licence", licence.pk)
    context = {"licence": licence, "allowed": allowed, "form": form, "percent": _percent(allowed)}
    return render(request, "licensing/declarations/quota.html", context)


def _set(request: ActorRequest, licence: Licence, said: dict[str, Any]) -> None:
    services.set_quota(
        actor=request.actor, licence=licence, most_bytes=said["megabytes"] * _MEGABYTE, most_rows=said["rows"]
    )


def _percent(allowed: services.Allowance) -> int:
    return min(100, 100 * allowed.used // allowed.bytes)
