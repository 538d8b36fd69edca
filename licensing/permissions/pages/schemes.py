"""The society's statutory schemes, to read; they come and go by document and command."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.access.paging import paginate
from accounts.identity.core import Forbidden
from accounts.identity.gate import ActorRequest, signed_in
from licensing.permissions.models import StatutoryScheme


@signed_in
@require_GET
def schemes(request: ActorRequest) -> HttpResponse:
    """What the law licenses here, and whether permission follows it."""
    if not request.actor.is_society:
        raise Forbidden(_("Only the staff of a society see its statutory schemes."))
    found = StatutoryScheme.objects.filter(society_id=request.actor.organisation_id).order_by("ref")
    return render(request, "licensing/permissions/schemes.html", {"page": paginate(request, found)})
