"""A creator's payments: what was paid and how it came about, what comes next, and why something waits."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from accounts.access.paging import paginate
from accounts.identity.gate import ActorRequest, requires
from accounts.organisations.models import Organisation
from licensing.repertoire.models import Holder
from royalties.ledger.models import Account
from royalties.payouts.models import Payment
from royalties.payouts.services import looking

_BY_DETAILS = ("no_payee", "not_approved", "cooling_off", "incomplete")


@requires("statements.view")
@require_GET
def my_payouts(request: ActorRequest) -> HttpResponse:
    """The payments to those whom somebody represents, the latest first."""
    actor = request.actor
    if actor.is_society:
        return redirect("royalties:payouts")
    nexts = looking.next_payments(actor.holder_ids)
    holders = Holder.objects.in_bulk({each.holder_id for each in nexts})
    societies = Organisation.objects.in_bulk({each.society_id for each in nexts})
    rows = Payment.objects.visible_to(actor).select_related("society", "holder", "details").order_by("-id")
    page = paginate(request, rows, counted=False)
    owners = {each.holder_id for each in page.object_list}
    accounts = Account.objects.filter(kind="payable", owner_id__in=owners).values_list(
        "society_id", "owner_id", "currency", "id"
    )
    account = {(society, owner, currency.strip()): pk for society, owner, currency, pk in accounts}
    context = {
        "rows": [(each, account.get((each.society_id, each.holder_id, each.currency))) for each in page.object_list],
        "nexts": [(each, holders[each.holder_id], societies[each.society_id]) for each in nexts],
        "by_details": _BY_DETAILS,
        "page": page,
        "several": len(actor.holder_ids) > 1,
        "can_change": actor.can("payees.own"),
    }
    return render(request, "royalties/payouts/my_payouts.html", context)
