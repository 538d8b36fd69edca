"""Money that waits, for finance: how old it is, which amounts, what was warned of, and the public lists."""

from __future__ import annotations

import datetime
from typing import Any, Final

from django.contrib import messages
from django.db.models import Q
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.access.paging import paginate
from accounts.identity.core import Refusal
from accounts.identity.gate import ActorRequest, requires
from accounts.organisations.models import Organisation
from licensing.repertoire.identifiers import BadIdentifier, normalise, split
from licensing.repertoire.models import Work
from royalties.ledger.labels import kind_label
from royalties.outstanding import core, services
from royalties.outstanding.labels import reason_label
from royalties.outstanding.models import ClockTerms, ExpiryWarning, Outstanding, OutstandingQuerySet, PublicNotice

VIEW: Final = "distribution.view"
CLOCKS: Final = ("expired", "soon", "unpaid", "running", "none")


@requires(VIEW)
@require_GET
def ageing(request: ActorRequest) -> HttpResponse:
    """By reason and age, with the sums beside the ledger's."""
    society_id = request.actor.organisation_id or 0
    report = services.ageing(society_id)
    rows = [(line, kind_label(line.kind), reason_label(line.reason)) for line in report.lines]
    today = timezone.localdate()
    context = {
        "report": report, "rows": rows, "buckets": bucket_labels(), "sums": [(each, kind_label(each.kind)) for each in report.sums],
        "terms": ClockTerms.objects.filter(society_id=society_id, status="approved", valid__contains=today).first(),
        "eligible": [(row[0], reason_label(row[1]), *row[2:]) for row in services.eligible(society_id, on=today)],
        "can_work": request.actor.can("distribution.compute"),
    }  # fmt: skip
    return render(request, "royalties/outstanding/ageing.html", context)


@requires(VIEW)
@require_GET
def ageing_csv(request: ActorRequest) -> StreamingHttpResponse:
    report = services.ageing(request.actor.organisation_id or 0)
    return _csv(services.ageing_lines(report), f"ageing-{report.on.isoformat()}.csv")


@requires(VIEW)
@require_GET
def items(request: ActorRequest) -> HttpResponse:
    """Every amount that is held or in suspense, with its clock; the largest of the latest runs first."""
    asked = {key: request.GET.get(key, "").strip()[:300] for key in ("q", "reason", "currency", "clock")}
    found = _filtered(Outstanding.objects.visible_to(request.actor), asked)
    page = paginate(
        request, found.select_related("work", "holder").order_by("-run_id", "-amount", "allocation_id"), counted=False
    )
    context: dict[str, Any] = asked | {
        "page": page, "rows": [(each, reason_label(each.reason)) for each in page], "today": timezone.localdate(),
        "reasons": [(code, reason_label(code)) for code in core.REASONS], "clocks": clock_labels(), "filtered": any(asked.values()),
    }  # fmt: skip
    return render(request, "royalties/outstanding/items.html", context)


@requires(VIEW)
@require_GET
def items_csv(request: ActorRequest) -> StreamingHttpResponse:
    return _csv(
        services.item_lines(request.actor.organisation_id or 0), f"outstanding-{timezone.localdate().isoformat()}.csv"
    )


@requires(VIEW)
@require_GET
def warnings(request: ActorRequest) -> HttpResponse:
    found = ExpiryWarning.objects.visible_to(request.actor).order_by("-id")
    return render(
        request, "royalties/outstanding/warnings.html", {"page": paginate(request, found), "days": core.WARN_DAYS}
    )


@requires(VIEW)
@require_GET
def notices(request: ActorRequest) -> HttpResponse:
    found = PublicNotice.objects.visible_to(request.actor).order_by("-number")
    context = {"page": paginate(request, found), "can_publish": request.actor.can("distribution.compute")}
    return render(request, "royalties/outstanding/lists.html", context)


@requires("distribution.compute")
@require_POST
def publish(request: ActorRequest) -> HttpResponse:
    try:
        services.publish_notice(actor=request.actor, society=Organisation.objects.of(request.actor))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The list is published. Clocks that run from a public notice start tomorrow."))
    return redirect("royalties:public_lists")


def bucket_labels() -> list[str]:
    """The ages in words."""
    return [
        _("up to 90 days"), _("91 days to half a year"), _("to 1 year"), _("1 to 2 years"), _("2 to 3 years"), _("3 to 5 years"),
        _("over 5 years"),
    ]  # fmt: skip


def clock_labels() -> list[tuple[str, str]]:
    return list(
        zip(
            CLOCKS,
            (
                _("run out"),
                _("runs out in 180 days"),
                _("should have been paid"),
                _("running"),
                _("no clock, or not started"),
            ),
            strict=True,
        )
    )


def _filtered(found: OutstandingQuerySet, asked: dict[str, str]) -> OutstandingQuerySet:
    today = timezone.localdate()
    if asked["reason"] in core.REASONS:
        found = found.filter(reason=asked["reason"])
    if asked["currency"]:
        found = found.filter(currency=asked["currency"].upper())
    soon = today + datetime.timedelta(days=max(core.WARN_DAYS))
    clocks = {
        "expired": Q(expires_on__lte=today), "soon": Q(expires_on__gt=today, expires_on__lte=soon), "unpaid": Q(pay_by__lte=today),
        "running": Q(expires_on__gt=today), "none": Q(starts_on=None) | Q(expires_on=None),
    }  # fmt: skip
    if asked["clock"] in clocks:
        found = found.filter(clocks[asked["clock"]])
    if asked["q"]:
        found = found.filter(_named(asked["q"]))
    return found


def _named(text: str) -> Q:
    """A work's or member's reference, or an identifier."""
    named = Q(work__in=Work.objects.filter(ref=text)) | Q(holder__ref=text) | Q(work=None, value=text)
    try:
        scheme, value = split(text)
        return named | Q(work=None, scheme=scheme, value=normalise(scheme, value))
    except BadIdentifier:
        return named


def _csv(lines: Any, name: str) -> StreamingHttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=headers)
