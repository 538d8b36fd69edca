"""The start of each portal: what waits, what it comes to, where to go on."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.approvals.models import Approval
from accounts.approvals.pages import told
from accounts.identity.core import Actor
from accounts.identity.gate import ActorRequest, signed_in
from accounts.identity.sql import counted
from licensing.compliance.models import Case, ReservationNotice
from licensing.declarations.models import Declaration, ReportDuty
from licensing.licences.models import Licence
from licensing.licences.services import waiting_for
from licensing.permissions.models import Reservation
from licensing.repertoire.models import Application
from royalties.billing import services as billing
from royalties.billing.models import Invoice
from royalties.billing.revenue import revenue
from royalties.distribution import services as distribution
from royalties.distribution.models import Run
from royalties.statements.pages.creators import owed


@signed_in
@require_GET
def overview(request: ActorRequest) -> HttpResponse:
    """Creators see what they are owed, societies and licensees what waits for them; a rate body too."""
    actor = request.actor
    if actor.organisation_kind == "rate_body":
        return redirect("licensing:rate_work" if actor.can("tariffs.determine") else "licensing:tariffs")
    if actor.organisation_kind in ("society", "licensee"):
        context = _society(actor) if actor.is_society else _licensee(actor)
        return render(request, f"royalties/statements/overview_{actor.organisation_kind}.html", context)
    if not actor.holder_ids:  # somebody who has asked to join, or may
        return redirect("licensing:applications")
    return owed(request)


def _society(actor: Actor) -> dict[str, Any]:
    runs = Run.objects.visible_to(actor).order_by("-id") if actor.can("distribution.view") else Run.objects.none()
    waiting = Declaration.objects.visible_to(actor).filter(status=Declaration.Status.SUBMITTED)
    pending = Approval.objects.visible_to(actor).pending()
    return {
        "run": runs.first(),
        "declarations": list(waiting.select_related("licence__licensee").order_by("submitted_at")[:5])
        if actor.can("declarations.view")
        else [],
        "approvals": told(pending.select_related("requester").order_by("requested_at")[:5])
        if actor.can("approvals.decide")
        else [],
        "revenue": revenue(actor) if actor.can("billing.view") else None,
        "to_bill": billing.waiting(actor)[:5] if actor.can("billing.manage") else [],
        "money": distribution.waiting_money(actor.organisation_id or 0) if actor.can("distribution.view") else [],
        "reservations": _to_check(actor) if actor.can("reservations.manage") else [],
        "asked": _asked(actor),
        "licensing": waiting_for(actor, timezone.localdate()),
        "today": timezone.localdate(),
        "may": _may(actor),
    }


def _to_check(actor: Actor) -> list[Reservation]:
    """The reservations whose check is due first."""
    waiting = Reservation.objects.visible_to(actor).filter(status=Reservation.Status.RECEIVED)
    return list(waiting.select_related("work", "holder").order_by("due_on", "id")[:5])


def _asked(actor: Actor) -> dict[str, int]:
    """How many wait for a word of the society: applications, cases that nobody told or that are disputed, late firms."""
    cases = Case.objects.visible_to(actor) if actor.can("cases.manage") else Case.objects.none()
    late = ReservationNotice.objects.visible_to(actor).waiting().filter(due_on__lt=timezone.localdate())
    return counted(
        applications=Application.objects.visible_to(actor).filter(status=Application.Status.SUBMITTED),
        untold=cases.filter(status="open"),
        disputed=cases.filter(status="disputed"),
        late=late if actor.can("declarations.view") else late.none(),
        unreported=_unreported(actor),
    )


def _unreported(actor: Actor) -> QuerySet[ReportDuty]:
    """Usage reports whose day has passed."""
    overdue = ReportDuty.objects.visible_to(actor).overdue(timezone.localdate())
    return overdue if actor.can("declarations.view") else overdue.none()


def _licensee(actor: Actor) -> dict[str, Any]:
    declarations = Declaration.objects.visible_to(actor).select_related("licence").order_by("-id")
    invoices = Invoice.objects.visible_to(actor).unpaid().select_related("society")
    cases = Case.objects.visible_to(actor).filter(status__in=("notified", "disputed"))
    return {
        "notices": ReservationNotice.objects.visible_to(actor).waiting().count()
        if actor.can("declarations.view")
        else 0,
        "cases": cases.count() if actor.can("cases.view") else 0,
        "unreported": _unreported(actor).count(),
        "licensing": waiting_for(actor, timezone.localdate()),
        "declarations": list(declarations[:5]) if actor.can("declarations.view") else [],
        "invoices": list(invoices.order_by("due_on")[:5]) if actor.can("billing.view") else [],
        "licences": list(Licence.objects.visible_to(actor).select_related("society", "tariff").order_by("-id")[:5]),
        "may": _may(actor),
    }


def _may(actor: Actor) -> dict[str, bool]:
    """Permissions as a template can ask for them."""
    return {name.replace(".", "_"): True for name in actor.permissions}
