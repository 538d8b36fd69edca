"""Licences that members gave licensees themselves, as they told the society."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access.paging import paginate
from accounts.identity.core import Forbidden, Refusal
from accounts.identity.gate import ActorRequest, requires
from accounts.organisations.models import Organisation
from licensing.permissions.forms import EndForm, MandateForm
from licensing.permissions.models import DirectLicence
from licensing.permissions.services import direct


class DirectLicenceForm(MandateForm):
    """A licence of one member to one licensee. Nothing ticked under kinds means any."""

    licensee = forms.CharField(
        label=gettext_lazy("Licensee"), max_length=64, help_text=gettext_lazy("The licensee's reference.")
    )
    field_order = ("holder", "licensee", "uses", "kinds", "territory", "valid_from", "valid_to")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["valid_to"].label = _("First day after it")

    def clean_licensee(self) -> Organisation:
        ref = self.cleaned_data["licensee"].strip()
        found = Organisation.objects.filter(kind=Organisation.Kind.LICENSEE, ref=ref).first()
        if found is None:
            raise forms.ValidationError(_("There is no licensee with this reference."))
        return found

    def clean_territory(self) -> list[str]:
        return [code for code in re.split(r"[\s,;]+", self.cleaned_data["territory"]) if code]


@requires(direct.PERMISSION)
@require_GET
def direct_licences(request: ActorRequest) -> HttpResponse:
    """Those of the society's members, newest first."""
    found = DirectLicence.objects.filter(holder__society_id=request.actor.organisation_id)
    context = {
        "page": paginate(request, found.select_related("holder", "licensee").order_by("-id")),
        "today": timezone.localdate(),
    }
    return render(request, "licensing/permissions/direct_list.html", context)


@requires(direct.PERMISSION)
@require_http_methods(["GET", "POST"])
def direct_licence_create(request: ActorRequest) -> HttpResponse:
    form = DirectLicenceForm(request.POST or None, society_id=request.actor.organisation_id or 0)
    if request.method == "POST" and form.is_valid():
        try:
            direct.grant_direct_licence(actor=request.actor, **form.cleaned_data)
        except Forbidden:
            raise
        except Refusal as refusal:
            field = (refusal.pointer or "").lstrip("/")
            form.add_error(field if field in form.fields else None, str(refusal))
        else:
            messages.success(request, _("The direct licence is on record."))
            return redirect("licensing:direct_licences")
    return render(request, "licensing/permissions/direct_form.html", {"form": form})


@requires(direct.PERMISSION)
@require_http_methods(["GET", "POST"])
def direct_licence_end(request: ActorRequest, direct_id: int) -> HttpResponse:
    found = direct.find_direct_licence(actor=request.actor, licence_id=direct_id)
    form = EndForm(request.POST or None)
    form.fields["on"].help_text = _("What was used before this day stays licensed.")
    if request.method == "POST" and form.is_valid():
        try:
            direct.end_direct_licence(actor=request.actor, licence=found, on=form.cleaned_data["on"])
        except Forbidden:
            raise
        except Refusal as refusal:
            form.add_error("on", str(refusal))
        else:
            messages.success(request, _("The direct licence ends."))
            return redirect("licensing:direct_licences")
    return render(request, "licensing/permissions/direct_end.html", {"form": form, "licence": found})
