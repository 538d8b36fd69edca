"""My payment details: what is used, what waits and from when, everything before, and who read it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.limits import limit
from accounts.identity.core import SYSTEM, Actor, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from licensing.repertoire.models import Holder
from royalties.payees import services
from royalties.payees.forms import DetailsForm, put_errors
from royalties.payees.models import Payee, PayeeReading, TaxPaper
from royalties.payees.standing import ahead, standing, used

_READINGS = 20
_MOST_HOLDERS = 50


@requires("payees.own")
@require_GET
def my_payee(request: ActorRequest) -> HttpResponse:
    actor = request.actor
    holders = (
        Holder.objects.filter(pk__in=actor.holder_ids).select_related("society").order_by("name", "pk")[:_MOST_HOLDERS]
    )
    rows = [_row(holder) for holder in holders if services.acts_for_money(actor, holder.pk)]
    return render(request, "royalties/payees/my_payee.html", {"rows": rows})


@requires("payees.own")
@never_cache
@require_http_methods(["GET", "POST"])
def change(request: ActorRequest, holder_id: int) -> HttpResponse:
    holder = own_holder(request.actor, holder_id)
    initial = {
        "residence": holder.country,
        "tax_status": holder.tax_status,
        "holder_name": holder.name_ko or holder.name,
    }
    form = DetailsForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            limit("payee", f"user:{request.actor.user_id}", most=20, seconds=24 * 3600)
            services.request_details(actor=request.actor, payee=services.payee_of(holder), **form.cleaned_data)
        except Refusal as refusal:
            put_errors(form, refusal)
        else:
            messages.success(
                request, _("Your society looks at the new details. What is used now stays in use until then.")
            )
            return redirect("royalties:my_payee")
    days = services.cooling_off(holder.society_id).days
    context = {"form": form, "holder": holder, "days": days, "mine": True}
    return render(request, "royalties/payees/change.html", context)


@requires("payees.own")
@require_POST
def stop(request: ActorRequest, details_id: int) -> HttpResponse:
    """Stop a change that one did not ask for."""
    details = services.own_details(request.actor, details_id)
    services.object_to(actor=request.actor, details=details, reason=request.POST.get("reason", "")[:500])
    messages.success(
        request, _("Stopped. Nothing will be paid to that account, and your society finds out who asked for it.")
    )
    return redirect("royalties:my_payee")


@never_cache
@require_http_methods(["GET", "POST"])
def stop_by_link(request: HttpRequest, token: str) -> HttpResponse:
    """The link that was sent to the holder's address: asks once more, then stops the change."""
    details = services.details_of_token(token)
    done = details.status == "objected"
    if request.method == "POST" and not done:
        services.stop(
            actor=SYSTEM, details=details, reason=_("stopped by the link that was sent to the holder’s address")
        )
        done = True
    return render(request, "royalties/payees/stop.html", {"details": details, "done": done})


def own_holder(actor: Actor, holder_id: int) -> Holder:
    found = Holder.objects.filter(pk=holder_id, pk__in=actor.holder_ids).select_related("society").first()
    if found is None or not services.acts_for_money(actor, found.pk):
        raise NotFound(_("There is no such holder."))
    return found


def _row(holder: Holder) -> dict[str, object]:
    payee = Payee.objects.filter(holder=holder).first()
    details = list(payee.details.order_by("-version")) if payee else []
    now = used(details)
    stands = standing(holder.society_id, [payee.pk]).get(payee.pk) if payee else None
    readings = PayeeReading.objects.filter(details__payee=payee).select_related("details").order_by("-id")[:_READINGS]
    papers = TaxPaper.objects.filter(payee=payee).order_by("-id")[:_READINGS]
    return {
        "holder": holder, "details": details, "now": now, "ahead": ahead(details), "readings": list(readings), "papers": list(papers),
        "hindrance": stands.hindrance if stands and stands.blocked else None, "blocked": stands.blocked if stands else "no_payee",
    }  # fmt: skip
