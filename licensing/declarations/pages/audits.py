"""Questions about a declaration, and audits of it by a sample: asked, answered, settled; drawn, entered, closed."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.identity.core import NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from licensing.declarations import sampling, unit_sampling
from licensing.declarations.forms import SampleForm
from licensing.declarations.models import AuditLine, AuditSample, Question
from licensing.declarations.pages.common import csv_file, find, is_reviewer, tabs
from licensing.declarations.services import answering, auditing

COLUMNS = (
    "row", "work", "title", "identifier", "use", "used_on", "status", "units", "unit", "draws", "finding",
    "found_units", "note",
)  # fmt: skip
_UNITS = re.compile(r"[0-9]{1,38}")


@requires("declarations.declare")
@require_POST
def answer(request: ActorRequest, declaration_id: int, question_id: int) -> HttpResponse:
    question = _question(request, declaration_id, question_id)
    answering.answer_question(actor=request.actor, question=question, text=request.POST.get("answer", ""))
    messages.success(request, _("The society reads your answer with the declaration."))
    return redirect("licensing:declaration", declaration_id)


@requires("declarations.review")
@require_POST
def settle(request: ActorRequest, declaration_id: int, question_id: int) -> HttpResponse:
    question = _question(request, declaration_id, question_id)
    answering.settle_question(actor=request.actor, question=question, text=request.POST.get("settlement", ""))
    messages.success(request, _("The question is settled."))
    return redirect("licensing:declaration", declaration_id)


def _question(request: ActorRequest, declaration_id: int, question_id: int) -> Question:
    declaration = find(request.actor, declaration_id)
    found = Question.objects.select_related("declaration__licence").filter(pk=question_id, declaration=declaration)
    if (question := found.first()) is None:
        raise NotFound(_("There is no such question; the checks asked anew."))
    return question


@requires("declarations.review")
@require_http_methods(["GET", "POST"])
def audits(request: ActorRequest, declaration_id: int) -> HttpResponse:
    """The samples that were drawn of a declaration; draw another one."""
    found = find(request.actor, declaration_id)
    if not is_reviewer(request.actor, found):
        raise NotFound(_("There is no such declaration under a licence of yours."))
    rows = auditing.population(found)
    form = SampleForm(request.POST or None, units=auditing.units_of(found))
    if request.method == "POST" and form.is_valid():
        try:
            sample = _drawn(request, found, rows, dict(form.cleaned_data))
        except Refusal as refusal:
            field = (refusal.pointer or "")[1:]
            form.add_error(field if field in form.fields else None, str(refusal))
        else:
            messages.success(request, _("The sample is drawn. Its seed draws the same rows again."))
            return redirect("licensing:audit", sample.pk)
    context = {
        "declaration": found,
        "population": rows,
        "samples": AuditSample.objects.visible_to(request.actor).filter(declaration=found).order_by("-id")[:100],
        "form": form,
        "can_draw": found.status in ("submitted", "accepted") and rows > 0,
        "sizes": _sizes(rows),
    }
    status = 422 if form.errors and getattr(request, "htmx", False) else 200
    return render(request, "licensing/declarations/audits.html", context | tabs(request.actor, found), status=status)


def _drawn(request: ActorRequest, found: Any, rows: int, data: dict[str, Any]) -> AuditSample:
    """By the size that is asked for, else by the one that the wanted margin asks for."""
    confidence, margin, unit = Decimal(data["confidence"]), data["margin"] / 100, data["method"]
    if unit:
        size = unit_sampling.suggested_draws(margin=margin, confidence=confidence)
    else:
        size = sampling.suggested_size(population=max(rows, 1), margin=margin, confidence=confidence)
    return auditing.draw_sample(
        actor=request.actor, declaration=found, size=data["size"] or size, confidence=confidence, seed=data["seed"],
        unit=unit,
    )  # fmt: skip


def _sizes(rows: int) -> list[tuple[str, list[int]]]:
    """Rows to look at for a margin, at each level of confidence: to choose by."""
    margins = (Decimal("0.10"), Decimal("0.05"), Decimal("0.03"), Decimal("0.02"))
    return [
        (
            f"{margin * 100:.0f}",
            [sampling.suggested_size(population=rows, margin=margin, confidence=level) for level in sampling.CONFIDENCES],
        )
        for margin in margins
    ] if rows else []  # fmt: skip


@requires("declarations.review")
@require_http_methods(["GET", "POST"])
def audit(request: ActorRequest, sample_id: int) -> HttpResponse:
    """One sample: its rows, what was found, and once it is closed what that says."""
    sample = _sample(request, sample_id)
    if request.method == "POST":
        auditing.enter_findings(actor=request.actor, sample=sample, findings=_entered(request))
        messages.success(request, _("The findings are kept."))
        return redirect(f"{request.path}?page={request.GET.get('page', '1')[:9]}")
    entered, drawn = sample.rows.exclude(finding="").count(), sample.rows.count()
    context = {
        "sample": sample,
        "declaration": sample.declaration,
        "page": paginate(request, sample.rows.select_related("use__work").order_by("position"), size=25),
        "entered": entered,
        "drawn": drawn,
        "findings": AuditLine.Finding.choices,
        "finished": entered == drawn,
        "percents": _percents(sample.finding) if sample.finding else {},
    }
    return render(request, "licensing/declarations/audit.html", context)


def _percents(finding: dict[str, str]) -> dict[str, Decimal]:
    """In per cent with two places; the bounds outwards, so that rounding promises nothing."""
    places = {"estimate": ROUND_HALF_UP, "low": ROUND_FLOOR, "high": ROUND_CEILING}
    return {name: (Decimal(finding[name]) * 100).quantize(Decimal("0.01"), way) for name, way in places.items()}


def _entered(request: ActorRequest) -> dict[int, auditing.Found]:
    """The rows of the page that was sent, by their place."""
    found: dict[int, auditing.Found] = {}
    for name, finding in request.POST.items():
        place = name.removeprefix("finding-")
        if name == place or not re.fullmatch(r"[1-9][0-9]{0,8}", place):
            continue
        units = re.sub(r"[,\s]", "", str(request.POST.get(f"units-{place}", "")))
        if units and not _UNITS.fullmatch(units):
            raise Refusal("bad_units", _("Units are a whole number."), row=int(place), pointer=f"/units-{place}")
        note = str(request.POST.get(f"note-{place}", ""))
        if "\0" in note:
            raise Refusal("nul_character", _("A note contains a character that cannot be kept."), row=int(place))
        found[int(place)] = auditing.Found(str(finding), Decimal(units) if units else None, note)
    return found


@requires("declarations.review")
@require_POST
def close(request: ActorRequest, sample_id: int) -> HttpResponse:
    auditing.close_audit(actor=request.actor, sample=_sample(request, sample_id))
    messages.success(request, _("The audit is closed with its estimate."))
    return redirect("licensing:audit", sample_id)


@requires("declarations.review")
@require_GET
def audit_file(request: ActorRequest, sample_id: int) -> StreamingHttpResponse:
    """The sample as CSV, to take along."""
    sample = _sample(request, sample_id)
    return csv_file(f"audit-{sample.declaration_id}-{sample.pk}.csv", auditing.sample_rows(sample), COLUMNS)


def _sample(request: ActorRequest, sample_id: int) -> AuditSample:
    found = AuditSample.objects.visible_to(request.actor).select_related("declaration__licence").filter(pk=sample_id)
    if (sample := found.first()) is None:
        raise NotFound(_("There is no such sample."))
    return sample
