"""The page of one member: who they are, what they hold, and what they gave mandate for.

It lies here because mandates do; the list and the forms of members lie with the repertoire.
"""

from __future__ import annotations

from typing import Final

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.access.paging import paginate
from accounts.identity.gate import ActorRequest, signed_in
from licensing.permissions.models import Mandate
from licensing.repertoire.forms import HolderForm
from licensing.repertoire.lookup import find_holder
from licensing.repertoire.models import Share

LISTED: Final = 20  # shares a page
_TAX = HolderForm.base_fields["tax_status"]


@signed_in
@require_GET
def holder(request: ActorRequest, holder_id: int) -> HttpResponse:
    actor = request.actor
    found = find_holder(actor=actor, holder_id=holder_id)
    shares = Share.objects.filter(holder=found).select_related("work").order_by("work_id", "role", "valid")
    context = {
        "holder": found,
        "tax_status": dict(_TAX.choices).get(found.tax_status),  # type: ignore[attr-defined]
        "page": paginate(request, shares, size=LISTED, counted=False),
        "mandates": Mandate.objects.filter(holder=found).order_by("-valid")[:100],
        "representations": found.representations.select_related("user").order_by("pk"),
        "can_see_statements": actor.is_society and actor.can("statements.view"),
        "can_manage": actor.is_society and actor.can("works.import"),
    }
    return render(request, "licensing/members/detail.html", context)
