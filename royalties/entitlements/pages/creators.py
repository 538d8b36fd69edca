"""The creator's view: who else gets what of one's money, what one gets of others', and what was paid ahead."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.identity.gate import ActorRequest, requires
from licensing.repertoire.models import Representation
from royalties.entitlements.models import Advance, Entitlement, SisterMember
from royalties.entitlements.services import rights
from royalties.payees.services.guards import MONEY_SCOPES

_MOST = 200


@requires("payees.own")
@require_GET
def my_entitlements(request: ActorRequest) -> HttpResponse:
    actor, today = request.actor, timezone.localdate()
    mine = _holders(request)
    concerned = Entitlement.objects.visible_to(actor).filter(Q(holder__in=mine) | Q(to_holder__in=mine))
    found = list(concerned.select_related("holder", "to_holder", "to_payee__holder").order_by("-id")[:_MOST])
    now = [(each, rights.status_on(each, today)) for each in found]
    context = {
        "given": [pair for pair in now if pair[0].holder_id in mine],
        "got": [pair for pair in now if pair[0].to_holder_id in mine],
        "advances": Advance.objects.visible_to(actor)
        .filter(holder__in=mine)
        .select_related("holder")
        .order_by("-id")[:_MOST],
        "sisters": SisterMember.objects.filter(holder_id__in=mine).select_related("holder", "sister"),
    }
    return render(request, "royalties/entitlements/my_entitlements.html", context)


def _holders(request: ActorRequest) -> set[int]:
    """Those for whose money this person acts: a delegate for somebody's works sees nothing of their money."""
    acting = Representation.objects.filter(user_id=request.actor.user_id or 0, scope__in=MONEY_SCOPES)
    return set(acting.values_list("holder_id", flat=True)) & request.actor.holder_ids
