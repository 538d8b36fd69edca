"""Pages of the distribution rule: its versions, a new one, and the second person's decision."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.approvals.models import Approval
from accounts.identity.core import NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from accounts.organisations.models import Organisation
from royalties.distribution import services
from royalties.distribution.core import parse, read_text
from royalties.distribution.core.cuts import percent_text
from royalties.distribution.forms import ReasonForm, RuleForm
from royalties.distribution.models import Rule, Run
from royalties.distribution.pages.runs import waiting
from royalties.distribution.services.runs import POSTED


@requires("distribution.view")
@require_GET
def rules(request: ActorRequest) -> HttpResponse:
    found = Rule.objects.visible_to(request.actor).order_by("ref", "-version")
    today = timezone.localdate()
    context = {
        "page": paginate(request, found),
        "in_force": set(found.in_force(today).values_list("id", flat=True)),
        "can_import": request.actor.can("distribution.compute"),
    }
    return render(request, "royalties/distribution/rules.html", context)


@requires("distribution.compute")
@require_http_methods(["GET", "POST"])
def import_rule(request: ActorRequest) -> HttpResponse:
    """Put a version on record; every fault of the document is told with its place."""
    problems: list[dict[str, Any]] = []
    form = RuleForm(request.POST or None, request.FILES or None, initial={"text": _latest(request)})
    if request.method == "POST" and form.is_valid():
        society = Organisation.objects.get(pk=request.actor.organisation_id or 0)
        try:
            document = read_text(form.cleaned_data["document"])
            rule = services.import_rule(actor=request.actor, society=society, document=document)
        except Refusal as refusal:
            problems = list(refusal.errors)
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The version is on record. It is in force once a second person approves it."))
            return redirect("royalties:rule", rule.pk)
    return render(request, "royalties/distribution/rule_import.html", {"form": form, "problems": problems})


@requires("distribution.view")
@require_GET
def rule(request: ActorRequest, rule_id: int) -> HttpResponse:
    found = _visible(request, rule_id)
    terms = parse(found.document)
    asked = Approval.objects.pending().about("rule", found.pk).select_related("requester").first()
    actor = request.actor
    proposed = found.status == Rule.Status.PROPOSED
    decides = actor.can("distribution.approve") and actor.can("approvals.decide")
    context = {
        "rule": found,
        "terms": terms,
        "deductions": [(each.name, percent_text(each.percent), each) for each in terms.deductions],
        "reserve": percent_text(terms.reserve),
        "equal_part": percent_text(terms.equal_part),
        "document": json.dumps(found.document, ensure_ascii=False, indent=2),
        "asked": asked,
        "can_request": proposed and asked is None and actor.can("distribution.compute"),
        "can_decide": bool(proposed and asked and decides and asked.requester_id != actor.user_id),
        "reason_form": ReasonForm(),
    }
    return render(request, "royalties/distribution/rule.html", context)


@requires("distribution.compute")
@require_POST
def ask_approval(request: ActorRequest, rule_id: int) -> HttpResponse:
    services.request_rule_approval(actor=request.actor, rule=_visible(request, rule_id))
    messages.success(request, _("A second person can approve this version now."))
    return redirect("royalties:rule", rule_id)


@requires("distribution.approve")
@require_POST
def decide(request: ActorRequest, rule_id: int) -> HttpResponse:
    yes = request.POST.get("decision") == "approve"
    reason = request.POST.get("reason", "")[:2000]
    services.approve_rule(actor=request.actor, rule=_visible(request, rule_id), approve=yes, reason=reason)
    messages.success(request, _("The version is approved.") if yes else _("The version is refused."))
    return redirect("royalties:rule", rule_id)


@requires("distribution.view")
@require_GET
def suspense(request: ActorRequest) -> HttpResponse:
    """Money whose work or holder is not known yet, run by run."""
    posted = Run.objects.visible_to(request.actor).filter(status__in=POSTED).order_by("-id")
    choices = list(posted[:100])
    asked = request.GET.get("run", "")
    chosen = next((run for run in choices if str(run.pk) == asked), choices[0] if choices else None)
    context: dict[str, Any] = {"runs": choices, "run": chosen}
    if chosen is not None:
        context |= waiting(request, chosen)
    return render(request, "royalties/distribution/suspense.html", context)


def _visible(request: ActorRequest, rule_id: int) -> Rule:
    found = Rule.objects.visible_to(request.actor).filter(pk=rule_id).first()
    if found is None:
        raise NotFound(_("There is no such rule."))
    return found


def _latest(request: ActorRequest) -> str:
    """The latest version with the next number, to start from; a rule to begin with where there is none."""
    latest = Rule.objects.visible_to(request.actor).order_by("-version").first()
    if latest is None:
        return json.dumps(_FIRST, ensure_ascii=False, indent=2)
    return json.dumps(latest.document | {"version": latest.version + 1}, ensure_ascii=False, indent=2)


_FIRST = {
    "rule": "GENERAL",
    "version": 1,
    "valid_from": "2026-01-01",
    "deductions": [{"name": "management fee", "percent": "15"}],
    "use_weights": {"train": 1000, "finetune": 2500, "ground": 4000, "evaluate": 500, "index": 100},
    "unit_weights": {"token": 1},
    "kind_points": {},
    "equal_part_percent": "0",
    "reserve_percent": "0",
}
