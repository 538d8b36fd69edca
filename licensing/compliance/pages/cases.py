"""Cases: the society's queue, the licensee's answers, the creator's own; and one case with all that it rests on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Count, F, Q, QuerySet, Sum
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from accounts.access.paging import ordering, paginate
from accounts.evidence.models import Event
from accounts.identity.core import Actor, Forbidden, NotFound
from accounts.identity.gate import ActorRequest, requires
from licensing.compliance import core, services
from licensing.compliance.forms import DecisionForm, DisputeForm, LicenceForm, ReasonForm, SettleForm
from licensing.compliance.models import Case, CaseScan, CompensationTerms
from licensing.compliance.services.grounds import grounds
from licensing.declarations.models import Declaration

SORTS = {"number": "id", "due": "due_on", "works": "works", "proposed": "proposed"}
USES_SHOWN = 25


@requires("cases.view")
@require_GET
def cases(request: ActorRequest) -> HttpResponse:
    """The most money first; with filters by status, day and declaration."""
    actor = request.actor
    found, asked = _filtered(request, Case.objects.visible_to(actor))
    order = ordering(request, SORTS, default="")
    by = (order, "id") if order else (F("proposed").desc(nulls_last=True), "id")
    related = ("licensee", "society", "holder", "declaration")
    declaration = _declaration(actor, asked["declaration"])
    context = asked | {
        "page": paginate(request, found.select_related(*related).order_by(*by), counted=False),
        "statuses": Case.Status.choices,
        "waiting": _waiting(actor),
        "can_manage": actor.is_society and actor.can("cases.manage"),
        "of_declaration": declaration,
        "untold": found.filter(status="open").count() if declaration and actor.is_society else 0,
        "today": timezone.localdate(),
    }
    name = "society" if actor.is_society else "licensee" if actor.is_licensee else "creator"
    return render(request, f"licensing/compliance/cases_{name}.html", context)


def _filtered(request: ActorRequest, found: QuerySet[Case]) -> tuple[QuerySet[Case], dict[str, Any]]:
    status, declaration = request.GET.get("status", ""), request.GET.get("declaration", "")
    licensee = request.GET.get("licensee", "").strip()[:100]
    if status == "overdue":
        found = found.filter(status__in=("notified", "disputed"), due_on__lt=timezone.localdate())
    elif status in Case.Status.values:
        found = found.filter(status=status)
    if licensee and request.actor.is_society:
        found = found.filter(Q(licensee__ref__icontains=licensee) | Q(licensee__name__icontains=licensee))
    number = int(declaration) if declaration.isascii() and declaration.isdecimal() and len(declaration) < 19 else 0
    if declaration:
        found = found.filter(declaration_id=number)
    return found, {"status": status, "licensee": licensee, "declaration": number or ""}


def _declaration(actor: Actor, number: int | str) -> Declaration | None:
    return Declaration.objects.visible_to(actor).filter(pk=number).first() if number else None


def _waiting(actor: Actor) -> list[dict[str, Any]]:
    """What is under way, by currency: how many cases, and what is asked for in them."""
    live = Case.objects.visible_to(actor).filter(status__in=core.LIVE).order_by()
    sums = live.values("currency").annotate(asked=Sum("proposed"), cases=Count("pk")).order_by("-asked")
    return [{**row, "asked": row["asked"] or 0} for row in sums]


@requires("cases.view")
@require_GET
def case(request: ActorRequest, case_id: int) -> HttpResponse:
    """What it is about and why, what is asked, what was said, and what one may do now."""
    return _shown(request, services.find_case(request.actor, case_id))


def _shown(request: ActorRequest, found: Case, **forms: Any) -> HttpResponse:
    actor = request.actor
    page = paginate(request, found.uses.select_related("work").order_by("-units", "id"), size=USES_SHOWN, counted=False)
    reasons = grounds(found, list(page))
    context = {
        "case": found,
        "page": page,
        "uses": [(use, reasons.get(use.pk, [])) for use in page],
        "scan": CaseScan.objects.filter(declaration_id=found.declaration_id).first(),
        "steps": [(status.value, status.label) for status in _way(found)],
        "events": Event.objects.about("case", found.pk).exclude(verb="case.notified").order_by("-id")[:50],
        "overdue": found.due_on is not None and found.due_on < timezone.localdate() and found.ended_at is None,
        "own": actor.is_society and actor.organisation_id == found.society_id,
        "approval": services.pending_approval(found) if actor.is_society else None,
    }
    return render(request, "licensing/compliance/case.html", context | _acts(actor, found) | forms)


def _way(found: Case) -> list[Any]:
    """The states that this case went and may go through."""
    status = Case.Status
    way = [status.OPEN, status.NOTIFIED]
    if found.status == status.DISPUTED or found.answer:
        way.append(status.DISPUTED)
    return [*way, status(found.status) if found.status in core.ENDED else status.SETTLED]


def _acts(actor: Actor, found: Case) -> dict[str, Any]:
    """What this actor may do with the case now, with the forms for it."""
    society = actor.is_society and actor.organisation_id == found.society_id and actor.can("cases.manage")
    licensee = actor.organisation_id == found.licensee_id and actor.can("cases.answer")
    live = found.status in core.LIVE
    told = found.status in core.MAY["accept"]
    return {
        "can_notify": society and found.status == "open",
        "can_settle": society and told and found.offered is None,
        "can_close": society and live,
        "can_license": society and live,
        "can_answer": licensee and told,
        "can_accept": licensee and told and found.proposed is not None,
        "can_decide": found.offered is not None and actor.is_society and actor.can("approvals.decide"),
        "dispute_form": DisputeForm(auto_id="dispute_%s"),
        "licence_form": LicenceForm(case=found) if live and (society or licensee) else None,
        "settle_form": SettleForm(auto_id="settle_%s", initial={"amount": found.proposed}),
        "reason_form": ReasonForm(auto_id="close_%s"),
        "decision_form": DecisionForm(auto_id="decide_%s"),
    }


@requires("cases.manage")
@require_POST
def notify(request: ActorRequest, case_id: int) -> HttpResponse:
    return _done(request, case_id, services.notify_case, _("The licensee is told."))


@requires("cases.manage")
@require_POST
def notify_all(request: ActorRequest, declaration_id: int) -> HttpResponse:
    """Tell the licensee of every open case of one declaration."""
    found = _declaration(request.actor, declaration_id)
    if found is None:
        raise NotFound(_("There is no such declaration."))
    count = services.notify_declaration(actor=request.actor, declaration=found)
    said = ngettext("The licensee is told of %(count)s case.", "The licensee is told of %(count)s cases.", count)
    messages.success(request, said % {"count": count})
    return redirect("licensing:cases")


@requires("cases.answer")
@require_POST
def accept(request: ActorRequest, case_id: int) -> HttpResponse:
    return _done(request, case_id, services.accept, _("Accepted: the case is settled. An invoice follows."))


@requires("cases.answer")
@require_POST
def dispute(request: ActorRequest, case_id: int) -> HttpResponse:
    said = _("The society has your answer.")
    return _done(request, case_id, services.dispute, said, answer=request.POST.get("answer", ""))


@requires("cases.answer")
@require_POST
def point(request: ActorRequest, case_id: int) -> HttpResponse:
    said = _("The society looks at the licence.")
    return _done(request, case_id, services.point_to_licence, said, licence=request.POST.get("licence", ""))


@requires("cases.manage")
@require_POST
def license_afterwards(request: ActorRequest, case_id: int) -> HttpResponse:
    said = _("The licence covers it afterwards.")
    return _done(request, case_id, services.license_afterwards, said, licence=request.POST.get("licence", ""))


@requires("cases.manage")
@require_POST
def settle(request: ActorRequest, case_id: int) -> HttpResponse:
    found, form = services.find_case(request.actor, case_id), SettleForm(request.POST, auto_id="settle_%s")
    if not form.is_valid():
        return _shown(request, found, settle_form=form)
    done = services.settle(actor=request.actor, case=found, **form.cleaned_data)
    asked = _("A second person has to decide on this amount.")
    messages.success(request, asked if done.offered is not None else _("The case is settled."))
    return redirect("licensing:case", case_id)


@requires("approvals.decide")
@require_POST
def decide(request: ActorRequest, case_id: int) -> HttpResponse:
    """The second person's word on a settlement."""
    approve = request.POST.get("decision") == "approve"
    said = _("The case is settled.") if approve else _("The settlement is refused.")
    reason = request.POST.get("reason", "").strip()[: core.LONGEST_TEXT]
    return _done(request, case_id, services.decide_settlement, said, approve=approve, reason=reason)


@requires("cases.manage")
@require_POST
def close(request: ActorRequest, case_id: int) -> HttpResponse:
    return _done(request, case_id, services.close, _("The case is closed."), reason=request.POST.get("reason", ""))


def _done(request: ActorRequest, case_id: int, act: Callable[..., Any], said: str, **keys: Any) -> HttpResponse:
    """One act on a case, then its page again."""
    act(actor=request.actor, case=services.find_case(request.actor, case_id), **keys)
    messages.success(request, said)
    return redirect("licensing:case", case_id)


@requires("cases.view")
@require_GET
def terms(request: ActorRequest) -> HttpResponse:
    """What a society asks for uses that nothing allowed, from when on. The command `set_compensation` lays it down."""
    actor = request.actor
    if not actor.is_society:
        raise Forbidden(_("This page is for the society."))
    found = CompensationTerms.objects.filter(society_id=actor.organisation_id).order_by("-valid_from")
    return render(request, "licensing/compliance/terms.html", {"terms": found, "default_days": core.ANSWER_DAYS})
