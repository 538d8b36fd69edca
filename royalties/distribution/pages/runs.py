"""Pages of runs: start, review beside the run before, approve as a second person, post, reverse."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Sum
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.approvals.models import Approval
from accounts.evidence.models import Event
from accounts.identity.core import NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from accounts.organisations.models import Organisation
from royalties.distribution import services
from royalties.distribution.forms import ReasonForm, StartForm
from royalties.distribution.models import Allocation, Run
from royalties.distribution.services import approval, checks, comparison, progress
from royalties.distribution.services.compute import STEPS
from royalties.distribution.services.export import csv_lines
from royalties.distribution.tasks import compute_run, post_run

STATES = (Run.Status.DRAFT, Run.Status.COMPUTED, Run.Status.APPROVED, Run.Status.POSTED, Run.Status.PUBLISHED)
SHOWN = 20  # of the invoices whose money waits for a declaration
GROUPS = ("holder", "work", "licensee")


@requires("distribution.view")
@require_GET
def runs(request: ActorRequest) -> HttpResponse:
    """All runs of the society, the latest first."""
    found = Run.objects.visible_to(request.actor).select_related("rule").order_by("-id")
    context = {"page": paginate(request, found), "can_compute": request.actor.can("distribution.compute")}
    return render(request, "royalties/distribution/runs.html", context)


@requires("distribution.compute")
@require_http_methods(["GET", "POST"])
def start(request: ActorRequest) -> HttpResponse:
    """Start a run for a period; a worker computes it while the page shows how far it is."""
    society_id = request.actor.organisation_id or 0
    waiting, released = services.waiting_money(society_id), services.waiting_releases(society_id)
    changed = services.waiting_corrections(society_id)
    spans = [(each.start, each.end) for each in waiting]
    spans += [*(each.period for each in released), *(each.period for each in changed)]
    chosen = [int(number) for number in request.POST.getlist("correct") if number.isdecimal() and len(number) < 19]
    form = StartForm(request.POST or None, initial={"start": spans[0][0], "end": spans[0][1]} if spans else {})
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        society = Organisation.objects.get(pk=request.actor.organisation_id or 0)
        try:
            with transaction.atomic():
                run = services.start_run(
                    actor=request.actor,
                    society=society,
                    period=(data["start"], data["end"]),
                    currency=data["currency"].upper() or None,
                    correct=chosen,
                )
                transaction.on_commit(lambda: compute_run.delay(run.pk))
        except Refusal as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("royalties:run", run.pk)
    for_use = services.waiting_for_use(society_id)
    context = {
        "form": form,
        "waiting": waiting,
        "for_use": for_use[:SHOWN],
        "releases": released[:SHOWN],
        "corrections": [each for each in changed if each.now and not each.expired and not each.offered][:SHOWN],
        "offered": [each for each in changed if each.offered],
        "chosen": chosen,
        "expired": [each for each in changed if each.expired][:SHOWN],
        "unbilled": [each for each in changed if not each.now and not each.expired][:SHOWN],
    }
    return render(request, "royalties/distribution/start.html", context)


@requires("distribution.view")
@require_GET
def run(request: ActorRequest, run_id: int) -> HttpResponse:
    """A run to review: the identity with its numbers, pools, who decided what, and what can be done next."""
    found = _visible(request, run_id)
    before = comparison.run_before(found)
    context = {
        "run": found,
        "states": [(state.value, state.label) for state in STATES],
        "before": before,
        "totals": comparison.totals(found, before) if before else [],
        "pools": paginate(
            request, found.pools.select_related("invoice__licensee", "origin__run").order_by("id"), size=20
        ),
        "revised": comparison.revised(found) if found.corrected else [],
        "groups": _groups(),
        "notes": found.notes.order_by("id"),
        "events": Event.objects.visible_to(request.actor).about("run", found.pk).order_by("id"),
        "reason_form": ReasonForm(),
        "can_see_invoices": request.actor.can("billing.view"),
        "can_see_ledger": request.actor.can("ledger.view"),
        **_identity(found),
        **_next(request, found),
    }
    return render(request, "royalties/distribution/run.html", context)


def _identity(found: Run) -> dict[str, Any]:
    """pool + released + corrected = deductions + reserve + payable + held + suspense, as a picture and as numbers."""
    deductions = found.deductions_in_order
    parts = [
        *deductions.items(),
        (_("Reserve"), found.reserve),
        (_("Payable"), found.payable),
        (_("Held"), found.held),
        (_("Suspense"), found.suspense),
    ]
    return {
        "deductions": deductions,
        "parts": [(label, amount) for label, amount in parts if amount],
        "sum_of_sources": found.pool + found.released + found.corrected,
        "sum_of_parts": sum(amount for _label, amount in parts),
        "computed": found.status not in (Run.Status.DRAFT, Run.Status.DISCARDED) and bool(found.result_digest),
    }


def _next(request: ActorRequest, found: Run) -> dict[str, Any]:
    """What this actor may do with the run as it stands."""
    actor, status = request.actor, found.status
    asked: Approval | None = approval.pending(found)
    asked_back: Approval | None = approval.pending(found, approval.REVERSAL)
    computes, approves = actor.can("distribution.compute"), actor.can("distribution.approve")
    decides = approves and actor.can("approvals.decide")
    return {
        "moving": (status == Run.Status.DRAFT and not found.problems) or bool(found.step),
        "asked": asked,
        "asked_back": asked_back,
        "can_recompute": computes and status in (Run.Status.DRAFT, Run.Status.COMPUTED),
        "can_discard": computes and status in (Run.Status.DRAFT, Run.Status.COMPUTED, Run.Status.APPROVED),
        "can_request": computes and status == Run.Status.COMPUTED and asked is None,
        "can_decide": bool(decides and asked and asked.requester_id != actor.user_id and status == Run.Status.COMPUTED),
        "can_post": approves and status == Run.Status.APPROVED and not found.step,
        "can_publish": approves and status == Run.Status.POSTED and not found.step,
        "can_ask_reversal": computes and status in (Run.Status.POSTED, Run.Status.PUBLISHED) and asked_back is None,
        "can_decide_reversal": bool(decides and asked_back and asked_back.requester_id != actor.user_id),
        "own_request": bool(asked and asked.requester_id == actor.user_id),
    }


@requires("distribution.view")
@require_GET
def run_progress(request: ActorRequest, run_id: int) -> HttpResponse:
    """The moving part of a run's page; once the run rests, the whole page is loaded anew."""
    found = _visible(request, run_id)
    moving = (found.status == Run.Status.DRAFT and not found.problems) or bool(found.step)
    if not moving:
        return HttpResponse(headers={"HX-Refresh": "true"})
    place = STEPS.index(found.step) + 1 if found.step in STEPS else 0
    context = {"run": found, "place": place, "places": len(STEPS)}
    return render(request, "royalties/distribution/_progress.html", context)


@requires("distribution.view")
@require_GET
def run_differences(request: ActorRequest, run_id: int, group: str) -> HttpResponse:
    """What moved most since the run before; and, without one, what is largest."""
    found = _visible(request, run_id)
    if group not in GROUPS:
        raise Http404
    before = comparison.run_before(found)
    context = {
        "run": found,
        "group": group,
        "groups": _groups(),
        "rows": comparison.differences(found, before, group) if before else [],
        "leading": [] if before or group == "licensee" else comparison.leading(found, group, 20),
        "before": before,
    }
    return _part(request, "royalties/distribution/_differences.html", context)


@requires("distribution.view")
@require_GET
def run_checks(request: ActorRequest, run_id: int) -> HttpResponse:
    """The run's invariants, looked for in what is stored."""
    found = _visible(request, run_id)
    context = {"run": found, "problems": checks.figures_problems(found)}
    return _part(request, "royalties/distribution/_checks.html", context)


def _part(request: ActorRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """A part for the page that asks for it by script; opened by itself, with a page around it."""
    if request.headers.get("HX-Request"):
        return render(request, template, context)
    return render(request, "royalties/distribution/part.html", context | {"part": template})


@requires("distribution.view")
@require_GET
def run_waiting(request: ActorRequest, run_id: int) -> HttpResponse:
    """What of a run is held or in suspense: sums by reason, and the lines, the largest first."""
    found = _visible(request, run_id)
    return render(request, "royalties/distribution/waiting.html", {"run": found, **waiting(request, found)})


def waiting(request: ActorRequest, found: Run) -> dict[str, Any]:
    """Sums by reason and a page of lines of a run that are not payable."""
    lines = Allocation.objects.visible_to(request.actor).filter(run=found).exclude(status=Allocation.Status.PAYABLE)
    sums = lines.order_by().values("status", "reason").annotate(total=Sum("amount")).order_by("status", "reason")
    labels = dict(Allocation.Reason.choices)
    asked = request.GET.get("reason", "")
    chosen = lines.filter(reason=asked) if asked in Allocation.Reason.values and asked else lines
    chosen = chosen.select_related("work", "holder", "pool__invoice").order_by("-amount", "id")
    return {
        "sums": [row | {"label": labels.get(row["reason"], "")} for row in sums],
        "page": paginate(request, chosen, counted=False),
        "reason": asked,
    }


@requires("distribution.view")
@require_GET
def run_export(request: ActorRequest, run_id: int) -> StreamingHttpResponse:
    """The allocations as CSV, streamed."""
    found = _visible(request, run_id)
    if not found.result_digest:
        raise NotFound(_("This run is not computed yet."))
    name = f"run-{found.pk}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(csv_lines(found), content_type="text/csv; charset=utf-8", headers=headers)


@requires("distribution.compute")
@require_POST
def recompute(request: ActorRequest, run_id: int) -> HttpResponse:
    with transaction.atomic():
        found = services.recompute(actor=request.actor, run=_visible(request, run_id))
        transaction.on_commit(lambda: compute_run.delay(found.pk))
    return redirect("royalties:run", run_id)


@requires("distribution.compute")
@require_POST
def discard(request: ActorRequest, run_id: int) -> HttpResponse:
    services.discard(actor=request.actor, run=_visible(request, run_id), reason=_reason(request))
    messages.success(request, _("The run is discarded; its money waits for the next one."))
    return redirect("royalties:run", run_id)


@requires("distribution.compute")
@require_POST
def ask_approval(request: ActorRequest, run_id: int) -> HttpResponse:
    services.request(actor=request.actor, run=_visible(request, run_id))
    messages.success(request, _("A second person can approve the run now."))
    return redirect("royalties:run", run_id)


@requires("distribution.approve")
@require_POST
def decide(request: ActorRequest, run_id: int) -> HttpResponse:
    yes = request.POST.get("decision") == "approve"
    services.approve(actor=request.actor, run=_visible(request, run_id), approve=yes, reason=_reason(request))
    messages.success(request, _("The run is approved.") if yes else _("The run is refused; it can be computed again."))
    return redirect("royalties:run", run_id)


@requires("distribution.approve")
@require_POST
def post(request: ActorRequest, run_id: int) -> HttpResponse:
    with transaction.atomic():
        found = progress.ask(actor=request.actor, run=_visible(request, run_id), step=progress.POST)
        transaction.on_commit(lambda: post_run.delay(found.pk))
    return redirect("royalties:run", run_id)


@requires("distribution.compute")
@require_POST
def ask_reversal(request: ActorRequest, run_id: int) -> HttpResponse:
    services.request_reversal(actor=request.actor, run=_visible(request, run_id))
    messages.success(request, _("A second person can reverse the run now."))
    return redirect("royalties:run", run_id)


@requires("distribution.approve")
@require_POST
def decide_reversal(request: ActorRequest, run_id: int) -> HttpResponse:
    yes = request.POST.get("decision") == "approve"
    services.reverse(actor=request.actor, run=_visible(request, run_id), approve=yes, reason=_reason(request))
    messages.success(request, _("The run is reversed; its money waits again.") if yes else _("The run stays posted."))
    return redirect("royalties:run", run_id)


def _visible(request: ActorRequest, run_id: int) -> Run:
    found = Run.objects.visible_to(request.actor).select_related("society", "rule", "journal").filter(pk=run_id).first()
    if found is None:
        raise NotFound(_("There is no such run."))
    return found


def _reason(request: ActorRequest) -> str:
    return request.POST.get("reason", "")[:2000]


def _groups() -> list[tuple[str, str]]:
    return [("holder", _("Holders")), ("work", _("Works")), ("licensee", _("Licensees"))]
