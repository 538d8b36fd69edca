"""Pages of the close: what is left to settle, who asked, and the second person's decision."""

from __future__ import annotations

import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.identity.core import NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from accounts.organisations.models import Organisation
from royalties.ledger import services as ledger
from royalties.ledger.labels import kind_label
from royalties.reports import checklist, services
from royalties.reports.forms import CloseForm, DecisionForm
from royalties.reports.models import Close
from royalties.reports.reconciling import reconciliations


@requires("ledger.view")
@require_http_methods(["GET", "POST"])
def closings(request: ActorRequest) -> HttpResponse:
    """Closes so far, and what stands in the way of the next; asking for one is for those who may close."""
    society = _society(request)
    through = last_month()
    form = CloseForm(request.POST or None, initial={"through": through})
    if request.method == "POST":
        request.actor.require("ledger.close")
        if form.is_valid():
            through = form.cleaned_data["through"]
            try:
                close = services.request_close(actor=request.actor, society=society, **form.cleaned_data)
            except Refusal as refusal:
                form.add_error(_field(refusal), str(refusal))
            else:
                messages.success(request, _("A second person can approve the close now."))
                return redirect("royalties:close", close.pk)
    waiting = Close.objects.visible_to(request.actor).filter(status=Close.Status.REQUESTED).first()
    context = {
        "page": paginate(request, Close.objects.visible_to(request.actor).order_by("-id"), counted=False),
        "closed_through": ledger.closed_through(society.pk),
        "through": through,
        "checks": shown([each.as_data() for each in checklist.looked_at(society, through)]),
        "waiting": waiting,
        "form": form,
        "can_close": request.actor.can("ledger.close") and waiting is None,
    }
    return render(request, "royalties/reports/closings.html", context)


@requires("ledger.view")
@require_GET
def reconciliation(request: ActorRequest) -> HttpResponse:
    """The bank against the book, a currency at a time."""
    return render(
        request, "royalties/reports/reconciliation.html", {"currencies": reconciliations(_society(request).pk)}
    )


@requires("ledger.view")
@require_GET
def close(request: ActorRequest, close_id: int) -> HttpResponse:
    """One close: its list and trial balance as they stood, and the decision."""
    found = _visible(request, close_id)
    asked = services.pending_close(found)
    decides = request.actor.can("ledger.close") and request.actor.can("approvals.decide")
    context = {
        "close": found,
        "checks": shown(found.checks),
        "trial": [(line, kind_label(line["kind"])) for line in found.trial],
        "asked": asked,
        "can_decide": bool(asked and decides and asked.requester_id != request.actor.user_id),
        "can_withdraw": bool(asked and request.actor.can("ledger.close")),
        "form": DecisionForm(),
    }
    return render(request, "royalties/reports/close.html", context)


@requires("ledger.close")
@require_POST
def decide(request: ActorRequest, close_id: int) -> HttpResponse:
    yes = request.POST.get("decision") == "approve"
    reason = request.POST.get("reason", "")[:2000]
    services.approve_close(actor=request.actor, close=_visible(request, close_id), approve=yes, reason=reason)
    messages.success(request, _("The book is closed through that day.") if yes else _("The close is refused."))
    return redirect("royalties:close", close_id)


@requires("ledger.close")
@require_POST
def withdraw(request: ActorRequest, close_id: int) -> HttpResponse:
    services.withdraw_close(actor=request.actor, close=_visible(request, close_id))
    messages.success(request, _("The request is withdrawn."))
    return redirect("royalties:closings")


def shown(checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The list as a page shows it: in words, and where to settle a thing."""
    return [
        check
        | {
            "label": checklist.label(check["code"]),
            "said": checklist.said(check),
            "route": checklist.route(check["code"]),
        }
        for check in checks
    ]


def last_month() -> datetime.date:
    """The last day of the month before."""
    return timezone.localdate().replace(day=1) - datetime.timedelta(days=1)


def _field(refusal: Refusal) -> str | None:
    name = (refusal.pointer or "").lstrip("/")
    return name if name in CloseForm.base_fields else None


def _society(request: ActorRequest) -> Organisation:
    found = Organisation.objects.filter(pk=request.actor.organisation_id or 0, kind=Organisation.Kind.SOCIETY).first()
    if found is None or request.actor.sandbox:
        raise NotFound(_("There is no such book."))
    return found


def _visible(request: ActorRequest, close_id: int) -> Close:
    found = Close.objects.visible_to(request.actor).select_related("society").filter(pk=close_id).first()
    if found is None:
        raise NotFound(_("There is no such close."))
    return found
