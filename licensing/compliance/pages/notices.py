"""Notices of reservations: a licensee acknowledges its own, a society sees who has not."""

from __future__ import annotations

from django.contrib import messages
from django.db.models import F, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.access.paging import paginate
from accounts.identity.core import Forbidden, NotFound
from accounts.identity.gate import ActorRequest, requires
from accounts.organisations.models import Organisation
from licensing.compliance import services
from licensing.compliance.models import ReservationNotice

STANDINGS = {
    "waiting": gettext_lazy("waiting"),
    "overdue": gettext_lazy("overdue"),
    "acknowledged": gettext_lazy("acknowledged"),
    "closed": gettext_lazy("closed"),
}


@requires("declarations.view")
@require_GET
def reservation_notices(request: ActorRequest) -> HttpResponse:
    """What waits first, the earliest due before the others; then the newest."""
    actor = request.actor
    if not actor.is_society and not actor.is_licensee:
        raise Forbidden(_("Notices of reservations are for licensees and their societies."))
    seen = ReservationNotice.objects.visible_to(actor)
    status, licensee = request.GET.get("status", ""), request.GET.get("licensee", "").strip()[:100]
    found = seen.filter(_standing(status))
    if licensee and actor.is_society:
        found = found.filter(Q(licensee__ref__icontains=licensee) | Q(licensee__name__icontains=licensee))
    order = (F("acknowledged_at").asc(nulls_first=True), F("closed_at").asc(nulls_first=True), "due_on", "-id")
    related = ("reservation__work", "reservation__holder", "licensee", "acknowledged_by")
    page = paginate(request, found.select_related(*related).order_by(*order), counted=False)
    today = timezone.localdate()
    context = {
        "page": page,
        "rows": [(notice, standing_of(notice, today)) for notice in page],
        "statuses": STANDINGS.items(),
        "status": status,
        "licensee": licensee,
        "waiting": seen.waiting().count(),
        "overdue": seen.waiting().filter(due_on__lt=today).count(),
        "licensees": Organisation.objects.filter(pk__in=seen.waiting().values("licensee_id")).count(),
        "can_acknowledge": actor.is_licensee and actor.can("declarations.declare"),
    }
    return render(request, "licensing/compliance/notices.html", context)


@requires("declarations.declare")
@require_POST
def acknowledge(request: ActorRequest, reservation_notice_id: int) -> HttpResponse:
    notice = ReservationNotice.objects.visible_to(request.actor).filter(pk=reservation_notice_id).first()
    if notice is None:
        raise NotFound(_("There is no such notice."))
    services.acknowledge(actor=request.actor, notice=notice)
    messages.success(request, _("Acknowledged."))
    return redirect("licensing:reservation_notices")


@requires("declarations.declare")
@require_POST
def acknowledge_all(request: ActorRequest) -> HttpResponse:
    count = services.acknowledge_all(actor=request.actor)
    said = ngettext("%(count)s notice acknowledged.", "%(count)s notices acknowledged.", count)
    messages.success(request, said % {"count": count})
    return redirect("licensing:reservation_notices")


def standing_of(notice: ReservationNotice, today: object) -> str:
    if notice.acknowledged_at is not None:
        return "acknowledged"
    if notice.closed_at is not None:
        return "closed"
    return "overdue" if notice.due_on < today else "waiting"  # type: ignore[operator]


def _standing(status: str) -> Q:
    waits = Q(acknowledged_at=None, closed_at=None)
    return {
        "waiting": waits,
        "overdue": waits & Q(due_on__lt=timezone.localdate()),
        "acknowledged": Q(acknowledged_at__isnull=False),
        "closed": Q(acknowledged_at=None, closed_at__isnull=False),
    }.get(status, Q())
