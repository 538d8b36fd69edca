"""The button with which a society works out what its draft would have changed."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.identity.core import NotFound
from accounts.identity.gate import ActorRequest, requires
from licensing.declarations import effects
from licensing.tariffs.models import TariffVersion


@requires("tariffs.manage")
@require_POST
def work_out(request: ActorRequest, version_id: int) -> HttpResponse:
    own = TariffVersion.objects.filter(tariff__society_id=request.actor.organisation_id or 0)
    version = own.select_related("tariff").filter(pk=version_id).first()
    if version is None:
        raise NotFound(_("There is no such version."))
    effects.work_out(actor=request.actor, version=version)
    messages.success(request, _("The predicted effect is worked out. It is published with the proposal."))
    return redirect("licensing:tariff_publish", version.pk)
