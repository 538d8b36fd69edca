"""Pages of declarations: the licensee declares and watches, the society reviews."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import ordering, paginate
from accounts.evidence.models import Event
from accounts.identity.core import Actor, Refusal
from accounts.identity.gate import ActorRequest, requires
from licensing import labels
from licensing.declarations import core, services
from licensing.declarations.forms import DeclarationForm, FileForm, QuestionForm
from licensing.declarations.models import Declaration, DeclaredUse, Question
from licensing.declarations.pages.common import find, find_in, is_declarant, is_reviewer, may_declare, tabs
from licensing.declarations.pages.uploads import arriving
from licensing.declarations.remuneration import remunerations
from licensing.declarations.services import exploring
from licensing.declarations.services.differing import difference_of
from licensing.declarations.services.lateness import billed_before, with_lateness
from licensing.declarations.services.listing import first_rejects, reject_rows
from licensing.declarations.services.timeline import timeline
from licensing.tariffs.core import Rating

Status = Declaration.Status
WAY = [
    ("draft", _("draft")),
    ("received", _("file received")),
    ("processing", _("processing")),
    ("processed", _("processed")),
    ("submitted", _("submitted")),
    ("accepted", _("accepted")),
]
STEPS = {
    "intake": _("Reading and adding up the lines"),
    "match": _("Finding the works"),
    "permit": _("Asking about permission"),
    "store": _("Storing the result and working out the fee"),
}
QUESTIONS = {
    "unpriced": _("The tariff does not price some of it."),
    "missing_base": _("A declared base is missing."),
    "nothing_to_price": _("There is nothing to price."),
    "no_tariff_in_force": _("No tariff is in force for the period."),
    "society": _("The society asks."),
    "overlap": _("Some of it is reported twice."),
    "units_rose": _("Much more than before."),
    "units_dropped": _("Much less than before."),
    "works_rose": _("Many more works than before."),
    "works_dropped": _("Far fewer works than before."),
    "unit_gone": _("A unit of before is missing."),
    "unmatched_share": _("An unusual part matches no work."),
    "sites_missing": _("Sites of before are missing."),
    "all_equal": _("Every row says the same."),
    "round_numbers": _("Many round numbers."),
    "above_public_size": _("More than the dataset has."),
    "below_public_size": _("Much less than the dataset has."),
    "stated_total": _("The stated total is another one."),
}
HAPPENED = {
    "declaration.started": _("begun"),
    "declaration.announced": _("files announced"),
    "declaration.received": _("file received"),
    "declaration.processed": _("processed"),
    "declaration.failed": _("could not be read"),
    "declaration.submission_requested": _("to be submitted once processed"),
    "declaration.submitted": _("submitted"),
    "declaration.questioned": _("returned with a question"),
    "declaration.doubted": _("questions raised by the checks"),
    "declaration.question_answered": _("a question was answered"),
    "declaration.question_settled": _("a question was settled"),
    "declaration.audit_drawn": _("a sample was drawn for an audit"),
    "declaration.audit_closed": _("an audit was closed"),
    "declaration.cancelled": _("processing stopped"),
    "declaration.restarted": _("processing started again"),
    "declaration.accepted": _("accepted"),
    "declaration.amended": _("an amendment was begun"),
    "declaration.superseded": _("superseded"),
}
TIMELINE = {
    "received": _("File received"),
    "read": _("Lines read"),
    "matched": _("Works found, permission asked"),
    "submitted": _("Handed in"),
    "accepted": _("Accepted"),
    "billed": _("Billed"),
    "amended": _("Amendment begun"),
    "superseded": _("Superseded by its amendment"),
}
BEGUN = _("The declaration is begun. Now send its files.")
SORTS = {"number": "pk", "licence": "licence__ref", "period": "period", "status": "status", "works": "works"}
SHOWN = 10


@requires("declarations.view")
@require_GET
def declarations(request: ActorRequest) -> HttpResponse:
    """A licensee's own, or those that a society received."""
    actor = request.actor
    found = with_lateness(Declaration.objects.visible_to(actor)).select_related("licence__licensee", "licence__society")
    status, licence = request.GET.get("status", ""), request.GET.get("licence", "").strip()
    if status in Status.values:
        found = found.filter(status=status)
    if licence:
        found = found.filter(licence__ref__icontains=licence)
    context = {
        "page": paginate(request, found.order_by(ordering(request, SORTS, default="-pk"), "-pk")),
        "statuses": Status.choices,
        "status": status,
        "licence": licence,
        "can_declare": may_declare(actor),
    }
    return render(request, "licensing/declarations/list.html", context)


@requires("declarations.declare")
@require_http_methods(["GET", "POST"])
def create(request: ActorRequest) -> HttpResponse:
    """Begin a declaration with its file, which is processed at once."""
    first = {name: request.GET.get(name) or None for name in ("licence", "first_day", "end")}
    form = DeclarationForm(request.POST or None, request.FILES or None, actor=request.actor, initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            made = _begin(request.actor, dict(form.cleaned_data))
        except Refusal as refusal:
            field = {"period_start": "first_day", "period_end": "end"}.get(
                (refusal.pointer or "")[1:], (refusal.pointer or "")[1:]
            )
            form.add_error(field if field in form.fields else None, str(refusal))
        else:
            sent = form.cleaned_data["file"]
            messages.success(request, _("The file is kept as received and is being processed.") if sent else BEGUN)
            return redirect("licensing:declaration", made.pk)
    status = 422 if request.method == "POST" and getattr(request, "htmx", False) else 200
    return render(request, "licensing/declarations/create.html", {"form": form}, status=status)


@transaction.atomic
def _begin(actor: Actor, data: dict[str, Any]) -> Declaration:
    """All or nothing: a refused file leaves no empty draft. Without one, files are sent on the declaration's own page."""
    file, period = data.pop("file"), (data.pop("first_day"), data.pop("end"))
    made = services.start(actor=actor, period=period, **data)
    if file:
        services.attach(actor=actor, declaration=made, stream=file, name=file.name)
    return made


@requires("declarations.view")
@require_GET
def declaration(request: ActorRequest, declaration_id: int) -> HttpResponse:
    """Where it stands, what became of its lines, what it costs, what is asked."""
    found = find_in(with_lateness(Declaration.objects.all()), request.actor, declaration_id)
    successor = Declaration.objects.filter(supersedes=found).first()
    asked = list(Question.objects.filter(declaration=found).order_by("severity", "pk")) if found.lines else []
    context = _standing(found) | {
        "counts": _counts(found),
        "bars": [(label, lines) for _status, label, lines, _units in _counts(found) if lines],
        "rating": Rating.from_data(found.fee) if found.fee else None,
        "remunerations": remunerations(found) if found.lines.get("licensed") else [],
        "questions": [(QUESTIONS.get(q["code"], ""), q) for q in _unasked(found, asked)],
        "asked": [(QUESTIONS.get(question.code, ""), question) for question in asked],
        "rejects": first_rejects(found, SHOWN),
        "uses": _largest(found),
        "successor": successor if successor and (successor.submitted_at or not request.actor.is_society) else None,
        "events": Event.objects.visible_to(request.actor).about("declaration", found.pk).order_by("-id")[:20],
        "happened": HAPPENED,
        "timeline": [(TIMELINE[step.code], step) for step in timeline(found, successor)],
        "difference": difference_of(found),
        "billed_before": billed_before(found) if found.lines else None,
        "file_form": FileForm(),
        "question_form": QuestionForm(),
    }
    context |= arriving(found)
    repeated = any(question.code == "overlap" for question in asked)
    context |= tabs(request.actor, found, has_overlaps=repeated) | _allowed(request.actor, found)
    return render(request, "licensing/declarations/detail.html", context)


@requires("declarations.view")
@require_GET
def progress(request: ActorRequest, declaration_id: int) -> HttpResponse:
    """Where it stands, for a page that watches; when processing is over, the page is asked to load anew."""
    found = find(request.actor, declaration_id)
    answer = render(request, "licensing/declarations/_progress.html", _standing(found))
    if found.status not in core.WAITING:
        answer["HX-Refresh"] = "true"
    return answer


@requires("declarations.view")
@require_GET
def rejects(request: ActorRequest, declaration_id: int) -> StreamingHttpResponse:
    found = find(request.actor, declaration_id)
    answer = StreamingHttpResponse(reject_rows(found), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="rejects-{found.pk}.csv"'
    return answer


@requires("declarations.declare")
@require_POST
def attach(request: ActorRequest, declaration_id: int) -> HttpResponse:
    found, form = find(request.actor, declaration_id), FileForm(request.POST, request.FILES)
    if not form.is_valid():
        raise Refusal("no_file", str(_("Choose a file that is not empty.")), pointer="/file")
    file = form.cleaned_data["file"]
    services.attach(actor=request.actor, declaration=found, stream=file, name=file.name)
    messages.success(request, _("The file is kept as received and is being processed."))
    return redirect("licensing:declaration", found.pk)


@requires("declarations.declare")
@require_POST
def submit(request: ActorRequest, declaration_id: int) -> HttpResponse:
    return _done(request, declaration_id, services.submit, _("The declaration is handed in."))


@requires("declarations.declare")
@require_POST
def amend(request: ActorRequest, declaration_id: int) -> HttpResponse:
    draft = services.amend(actor=request.actor, declaration=find(request.actor, declaration_id))
    messages.success(request, _("This new draft supersedes the old declaration once it is accepted. Attach the file."))
    return redirect("licensing:declaration", draft.pk)


@requires("declarations.declare")
@require_POST
def cancel(request: ActorRequest, declaration_id: int) -> HttpResponse:
    return _done(request, declaration_id, services.cancel, _("Processing is stopped. The files are kept."))


@requires("declarations.declare")
@require_POST
def resume(request: ActorRequest, declaration_id: int) -> HttpResponse:
    return _done(request, declaration_id, services.resume, _("Processing is started again."))


@requires("declarations.declare")
@require_POST
def discard(request: ActorRequest, declaration_id: int) -> HttpResponse:
    services.discard(actor=request.actor, declaration=find(request.actor, declaration_id))
    messages.success(request, _("The declaration is thrown away."))
    return redirect("licensing:declarations")


@requires("declarations.review")
@require_POST
def accept(request: ActorRequest, declaration_id: int) -> HttpResponse:
    return _done(request, declaration_id, services.accept, _("The declaration is accepted."))


@requires("declarations.review")
@require_POST
def ask(request: ActorRequest, declaration_id: int) -> HttpResponse:
    detail = request.POST.get("detail", "")
    return _done(
        request, declaration_id, services.ask, _("The declaration is returned with your question."), detail=detail
    )


def _done(request: ActorRequest, declaration_id: int, act: Callable[..., Any], said: Any, **keys: Any) -> HttpResponse:
    """One act on a declaration, then its page again."""
    act(actor=request.actor, declaration=find(request.actor, declaration_id), **keys)
    messages.success(request, said)
    return redirect("licensing:declaration", declaration_id)


def _unasked(found: Declaration, asked: list[Question]) -> list[dict[str, Any]]:
    """Questions of rating, which only an amendment answers: those that have no thread of their own."""
    threads = {(question.code, question.detail) for question in asked}
    return [each for each in found.questions if (each["code"], each["detail"]) not in threads]


def _largest(found: Declaration) -> list[DeclaredUse]:
    """The rows with most units, where there are few enough to sort."""
    if not found.lines or found.lines.get("total", 0) > exploring.SORTABLE:
        return []
    return list(DeclaredUse.objects.filter(declaration=found).select_related("work").order_by("-units", "pk")[:SHOWN])


def _standing(found: Declaration) -> dict[str, Any]:
    """What the progress of a declaration is shown from."""
    failed = found.status == Status.FAILED
    at = "processing" if failed else "accepted" if found.status == Status.SUPERSEDED else found.status
    return {
        "declaration": found,
        "way": WAY,
        "at": at,
        "failed": failed,
        "waiting": found.status in core.WAITING,
        "progress": services.progress_of(found) if found.status in core.WAITING else None,
        "is_read": found.status == Status.PROCESSING and found.step == "intake",
        "step": STEPS.get(found.step, _("Waiting for a worker")),
    }


def _allowed(actor: Actor, found: Declaration) -> dict[str, bool]:
    own, reviews = is_declarant(actor, found), is_reviewer(actor, found)
    return {
        "can_attach": own and core.attachable(found.status, found.step),
        "can_cancel": own and found.status in core.WAITING,
        "can_resume": own and found.status in core.RESUMABLE and found.files.exists(),
        "can_submit": own
        and found.status in ("received", "processing", "processed")
        and not found.submit_when_processed,
        "can_amend": own and found.status in core.AMENDABLE,
        "can_discard": own and found.status in core.ATTACHABLE,
        "can_review": reviews and found.status == Status.SUBMITTED,
        "can_answer": own and found.status != Status.SUPERSEDED,
        "can_settle": reviews and found.status in (Status.SUBMITTED, Status.ACCEPTED),
    }


def _counts(found: Declaration) -> list[tuple[str, str, int, int]]:
    """(status, label, lines, units) of each ending, in their order."""
    if not found.lines:
        return []
    order = ["licensed", "unmatched", "unlicensed", "unmandated", "reserved", "rejected"]
    return [(code, labels.label(code), found.lines.get(code, 0), found.units.get(code, 0)) for code in order]
