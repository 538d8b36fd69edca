"""Pages of what is billed before or without a report, and of what is not paid in time."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.identity.core import Forbidden, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from accounts.organisations.models import Organisation
from licensing.declarations.models import ReportDuty
from licensing.licences.models import Licence
from royalties.billing import services
from royalties.billing.models import Invoice
from royalties.billing.pages.invoices import shown_basis, society_only


@requires("billing.manage")
@require_http_methods(["GET", "POST"])
def invoice_estimate(request: ActorRequest, duty_id: int) -> HttpResponse:
    """The estimated invoice of an overdue report. GET shows, POST issues."""
    society_only(request)
    found = ReportDuty.objects.visible_to(request.actor).filter(licence__society_id=request.actor.organisation_id)
    duty = found.select_related("licence__society", "licence__licensee", "licence__tariff").filter(pk=duty_id).first()
    if duty is None:
        raise NotFound(_("There is no such duty to report."))
    context = {
        "title": _("Bill by estimate"),
        "lead": _("The report is missing. The estimate says that it is one; the true report corrects it."),
    }
    return _early(
        request,
        lambda: services.draft_estimate(actor=request.actor, duty=duty),
        lambda: services.estimate(actor=request.actor, duty=duty),
        context,
    )


@requires("billing.manage")
@require_http_methods(["GET", "POST"])
def invoice_advance(request: ActorRequest, licence_id: int) -> HttpResponse:
    """The fixed price of the billing period in which `start`, or today, lies. GET shows, POST issues."""
    society_only(request)
    found = Licence.objects.visible_to(request.actor).filter(society_id=request.actor.organisation_id, pk=licence_id)
    licence = found.select_related("society", "licensee", "tariff").first()
    if licence is None:
        raise NotFound(_("There is no such invoice or licence."))
    start = _day(request.POST.get("start") or request.GET.get("start", ""))
    context = {
        "title": _("Bill a fixed price"),
        "lead": _("It is owed from the first day of the period on, whatever is used."),
        "start": start,
    }
    return _early(
        request,
        lambda: services.draft_advance(actor=request.actor, licence=licence, start=start),
        lambda: services.advance(actor=request.actor, licence=licence, start=start),
        context,
    )


def _day(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        return timezone.localdate()


def _early(
    request: ActorRequest,
    drafted: Callable[[], services.Draft],
    issued: Callable[[], Invoice],
    context: dict[str, Any],
) -> HttpResponse:
    draft: services.Draft | None = None
    problems: tuple[dict[str, Any], ...] = ()
    try:
        if request.method == "POST":
            invoice = issued()
            messages.success(request, _("Invoice %(number)s is issued.") % {"number": invoice.number})
            return redirect("royalties:invoice", invoice.pk)
        draft = drafted()
    except (NotFound, Forbidden):
        raise
    except Refusal as refusal:
        problems = refusal.errors
    basis = shown_basis(draft.total.basis.as_data()) if draft and draft.total.basis else None
    context |= {"draft": draft, "basis": basis, "problems": problems, "can_bill": True}
    return render(request, "royalties/billing/invoice_early.html", context)


@requires("billing.view")
@require_GET
def unpaid(request: ActorRequest) -> HttpResponse:
    """The licences that may be suspended, since their invoices are overdue for longer than they allow."""
    society_only(request)
    society = Organisation.objects.get(pk=request.actor.organisation_id or 0)
    found = services.overdue(society, timezone.localdate())
    context = {
        "page": paginate(request, found),
        "can_suspend": request.actor.can("licences.manage"),
        "can_bill": request.actor.can("billing.manage"),
    }
    return render(request, "royalties/billing/unpaid.html", context)


@requires("licences.manage")
@require_POST
def unpaid_suspend(request: ActorRequest, licence_id: int) -> HttpResponse:
    """Suspend a licence for non-payment."""
    society_only(request)
    licence = Licence.objects.visible_to(request.actor).filter(pk=licence_id).first()
    if licence is None:
        raise NotFound(_("There is no such invoice or licence."))
    services.suspend_unpaid(actor=request.actor, licence=licence, today=timezone.localdate())
    messages.success(
        request, _("The licence %(ref)s is suspended until everything overdue is paid.") % {"ref": licence.ref}
    )
    return redirect("royalties:unpaid")
