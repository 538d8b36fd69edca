"""A rate body decides on a proposed version: its pages."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.identity.gate import ActorRequest, requires
from licensing.tariffs import services
from licensing.tariffs.models import TariffVersion


@requires("tariffs.determine")
@require_POST
def determine(request: ActorRequest, version_id: int) -> HttpResponse:
    version = get_object_or_404(TariffVersion.objects.visible_to(request.actor), pk=version_id)
    version = services.determine(actor=request.actor, version=version)
    messages.success(request, _("Version %(number)s is determined.") % {"number": version.version})
    return redirect(_address(version))


@requires("tariffs.determine")
@require_POST
def refuse(request: ActorRequest, version_id: int) -> HttpResponse:
    version = get_object_or_404(TariffVersion.objects.visible_to(request.actor), pk=version_id)
    services.refuse(actor=request.actor, version=version, reason=request.POST.get("reason", ""))
    messages.success(
        request, _("Version %(number)s is refused, and the society can read why.") % {"number": version.version}
    )
    return redirect(_address(version))


def _address(version: TariffVersion) -> str:
    return f"{reverse('licensing:tariff', args=[version.tariff_id])}?version={version.version}"
