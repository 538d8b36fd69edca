"""The creator's view: who else gets what of one's money, what one gets of others', and what was paid ahead."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.identity.gate import ActorRequest, requires
from royalties.entitlements.models import Advance, Entitlement, SisterMember
from royalties.entitlements.services import rights

_MOST = 200


@requires("payees.own")
@require_GET
def my_entitlements(request: ActorRequest) -> HttpResponse:
    actor, today = request.actor, timezone.localdate()
    found = list(
        Entitlement.objects.visible_to(actor)
        .select_related("holder", "to_holder", "to_payee__holder")
        .order_by("-id")[:_MOST]
    )
    now = [(each, rights.status_on(each, today)) for each in found]
    context = {
        "given": [pair for pair in now if pair[0].holder_id in actor.holder_ids],
        "got": [pair for pair in now if pair[0].to_holder_id in actor.holder_ids],
        "advances": Advance.objects.visible_to(actor).select_related("holder").order_by("-id")[:_MOST],
        "sisters": SisterMember.objects.filter(holder_id__in=actor.holder_ids).select_related("holder", "sister"),
    }
    return render(request, "royalties/entitlements/my_entitlements.html", context)
