"""The transparency report: the society's drafts, the journals behind a figure, and what everybody may read and take away."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.identity.core import NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from accounts.organisations.models import Organisation
from royalties.ledger.labels import journal_label
from royalties.reports import core, files, gathering, services
from royalties.reports.forms import NotesForm, YearForm
from royalties.reports.labels import figure_label
from royalties.reports.models import TransparencyReport

PAGE = 50
TYPES = {
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
}


@require_GET
def published(request: ActorRequest) -> HttpResponse:
    """Everybody's list of published reports."""
    found = TransparencyReport.objects.filter(status=TransparencyReport.Status.PUBLISHED).select_related("society")
    page = paginate(request, found.order_by("-period", "society__name"))
    return render(request, "royalties/reports/published.html", {"page": page})


@requires("ledger.view")
@require_http_methods(["GET", "POST"])
def reports(request: ActorRequest) -> HttpResponse:
    """The society's own reports; a new draft begins with a year's first day."""
    society_id = request.actor.organisation_id or 0
    today = timezone.localdate()
    form = YearForm(request.POST or None, initial={"first": today.replace(year=today.year - 1, month=1, day=1)})
    if request.method == "POST":
        request.actor.require("ledger.close")
        society = Organisation.objects.filter(pk=society_id, kind=Organisation.Kind.SOCIETY).first()
        if society is None:
            raise NotFound(_("There is no such book."))
        if form.is_valid():
            try:
                report = services.draft_report(actor=request.actor, society=society, first=form.cleaned_data["first"])
            except Refusal as refusal:
                form.add_error("first", str(refusal))
            else:
                return redirect("royalties:report", report.pk)
    own = TransparencyReport.objects.visible_to(request.actor).filter(society_id=society_id)
    context = {
        "page": paginate(request, own.order_by("-period")),
        "form": form,
        "can_draft": request.actor.can("ledger.close"),
    }
    return render(request, "royalties/reports/reports.html", context)


@require_http_methods(["GET", "POST"])
def report(request: ActorRequest, report_id: int) -> HttpResponse:
    """A report: published to everybody; a draft to its society, with the texts to write."""
    found = _visible(request, report_id)
    own = request.actor.organisation_id == found.society_id and request.actor.can("ledger.view")
    drafting = own and found.status == TransparencyReport.Status.DRAFT and request.actor.can("ledger.close")
    form = NotesForm(request.POST or None, initial=found.notes) if drafting else None
    if request.method == "POST":
        request.actor.require("ledger.close")
        if form is None:
            raise NotFound(_("There is no such report."))
        if form.is_valid():
            services.say_notes(actor=request.actor, report=found, notes=form.cleaned_data)
            messages.success(request, _("Saved."))
            return redirect("royalties:report", found.pk)
    context = {"report": found, "own": own, "form": form, **files.words(found)}
    return render(request, "royalties/reports/report.html", context)


@requires("ledger.close")
@require_POST
def renew(request: ActorRequest, report_id: int) -> HttpResponse:
    """Take the figures of a draft anew."""
    found = _visible(request, report_id)
    services.draft_report(actor=request.actor, society=found.society, first=found.period.lower)
    messages.success(request, _("The figures are those of now."))
    return redirect("royalties:report", report_id)


@requires("ledger.close")
@require_POST
def publish(request: ActorRequest, report_id: int) -> HttpResponse:
    services.publish_report(actor=request.actor, report=_visible(request, report_id))
    messages.success(request, _("The report is published."))
    return redirect("royalties:report", report_id)


@requires("ledger.view")
@require_GET
def journals(request: ActorRequest, report_id: int, currency: str, figure: str) -> HttpResponse:
    """The journals that make a figure of one's own report."""
    found = _visible(request, report_id)
    if request.actor.organisation_id != found.society_id or figure not in core.BY_CODE or currency not in found.figures:
        raise NotFound(_("There is no such report."))
    at = _page_number(request)
    period = (found.period.lower, found.period.upper)
    rows = gathering.journals_of(
        found.society_id, core.BY_CODE[figure], currency, period, offset=(at - 1) * PAGE, limit=PAGE
    )
    context = {
        "report": found,
        "currency": currency,
        "label": figure_label(figure),
        "amount": next(each["amount"] for each in found.figures[currency]["figures"] if each["code"] == figure),
        "rows": [(pk, journal_label(kind), day, amount) for pk, kind, day, amount in rows[:PAGE]],
        "newer": at - 1,
        "older": at + 1 if len(rows) > PAGE else 0,
    }
    return render(request, "royalties/reports/journals.html", context)


@require_GET
def download(request: ActorRequest, report_id: int, form: str) -> HttpResponse:
    """The report as a file: `?language=ko|en`."""
    found = _visible(request, report_id)
    if form not in TYPES:
        raise NotFound(_("There is no such file."))
    asked = request.GET.get("language", "")
    language = asked if asked in ("ko", "en") else (translation.get_language() or "en")[:2]
    with translation.override(language):
        content = files.content(found, form, language)
    name = f"{found.society.ref}-{found.period.lower.year}.{form}"
    return HttpResponse(
        content, content_type=TYPES[form], headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _visible(request: ActorRequest, report_id: int) -> TransparencyReport:
    found = TransparencyReport.objects.visible_to(request.actor).select_related("society").filter(pk=report_id).first()
    if found is None:
        raise NotFound(_("There is no such report."))
    return found


def _page_number(request: HttpRequest) -> int:
    asked: Any = request.GET.get("page", "")
    return max(1, int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 1
