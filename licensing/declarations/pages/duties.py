"""Pages of the duty to report: a firm sees what is due when, the society what is missing."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access.paging import paginate
from accounts.identity.core import Actor, Forbidden, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from licensing.declarations import calendar, services
from licensing.declarations.forms import NilForm, WaiverForm
from licensing.declarations.models import ReportDuty
from licensing.declarations.models.duties import ReportDutyQuerySet
from licensing.licences.models import Licence

Status = ReportDuty.Status
OVERDUE = "overdue"
SHOWN = [
    ("", gettext_lazy("to be reported")),
    (OVERDUE, gettext_lazy("overdue")),
    *Status.choices[1:],
    ("all", gettext_lazy("all")),
]
SOON_DAYS = 30
MOST_ENTRIES = 1_000  # of a calendar file


@requires("declarations.view")
@require_GET
def duties(request: ActorRequest) -> HttpResponse:
    """What is to be reported, the longest overdue first; what was settled, the latest first."""
    actor, today = request.actor, timezone.localdate()
    mine = ReportDuty.objects.visible_to(actor)
    found = mine.select_related("licence__licensee", "licence__society")
    status = request.GET.get("status", "")
    licence, licensee = request.GET.get("licence", "").strip(), request.GET.get("licensee", "").strip()
    found = _of_status(found, status, today)
    if licence:
        found = found.filter(licence__ref__icontains=licence)
    if licensee and actor.is_society:
        names = Q(licence__licensee__name__icontains=licensee) | Q(licence__licensee__ref__icontains=licensee)
        found = found.filter(names)
    order = ("-due_on", "-pk") if status in ("all", *Status.values[1:]) else ("due_on", "pk")
    page = paginate(request, found.order_by(*order))
    context = {
        "rows": [_Shown(actor, duty, today) for duty in page],
        "page": page,
        "counts": _counts(mine, today),
        "soon_days": SOON_DAYS,
        "statuses": SHOWN,
        "status": status,
        "licence": licence,
        "licensee": licensee,
        "filtered": bool(licence or licensee or status),
    }
    return render(request, "licensing/declarations/duties.html", context)


@requires("declarations.view")
@require_GET
def year(request: ActorRequest, licence_id: int) -> HttpResponse:
    """One licence's year: month by month what is reported for it, and what is due in it."""
    actor, today = request.actor, timezone.localdate()
    licence = Licence.objects.visible_to(actor).select_related("licensee", "society").filter(pk=licence_id).first()
    if licence is None:
        raise NotFound(_("There is no such licence."))
    asked = request.GET.get("year", "")
    shown = (
        int(asked)
        if asked.isascii() and asked.isdigit() and len(asked) == 4 and 1900 < int(asked) < 2200
        else today.year
    )
    start, end = dt.date(shown, 1, 1), dt.date(shown, 12, 31)
    found = ReportDuty.objects.filter(licence=licence).filter(
        Q(period__overlap=(start, end + dt.timedelta(days=1))) | Q(due_on__range=(start, end))
    )
    for duty in (ordered := list(found.order_by("period"))):
        duty.licence = licence
    context = {
        "licence": licence,
        "year": shown,
        "before": shown - 1 if shown > licence.valid.lower.year else None,
        "after": shown + 1 if ReportDuty.objects.filter(licence=licence, due_on__gt=end).exists() else None,
        "months": calendar.months_of(shown, [_Shown(actor, duty, today) for duty in ordered]),
        "any": bool(ordered),
        "today": today,
    }
    return render(request, "licensing/declarations/duties_year.html", context)


@requires("declarations.view")
@require_GET
def calendar_file(request: ActorRequest) -> HttpResponse:
    """The open duties as an iCalendar file, for somebody's own calendar."""
    found = ReportDuty.objects.visible_to(request.actor).open().select_related("licence__licensee")
    entries = [_entry(request, duty) for duty in found.order_by("due_on", "pk")[:MOST_ENTRIES]]
    text = calendar.icalendar(entries, name=_("Usage reports"), now=timezone.now())
    answer = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="usage-reports.ics"'
    return answer


@requires("declarations.declare")
@require_http_methods(["GET", "POST"])
def report_nil(request: ActorRequest, duty_id: int) -> HttpResponse:
    """Say that nothing was used in a period."""
    if not request.actor.is_licensee:
        raise Forbidden(_("Only the firm itself reports its use."))
    duty = services.find_duty(actor=request.actor, duty_id=duty_id)
    return _settle(request, duty, NilForm, "nil", _("It is on record that nothing was used in this period."))


@requires("licences.manage")
@require_http_methods(["GET", "POST"])
def waive(request: ActorRequest, duty_id: int) -> HttpResponse:
    """The society does without one report."""
    duty = services.find_duty(actor=request.actor, duty_id=duty_id)
    return _settle(request, duty, WaiverForm, "waive", _("The report on this period is waived."))


def _settle(request: ActorRequest, duty: ReportDuty, form_class: type, which: str, said: str) -> HttpResponse:
    form = form_class(request.POST or None)
    if request.method == "POST" and form.is_valid():
        act: Any = services.report_nil if which == "nil" else services.waive
        try:
            act(actor=request.actor, duty=duty, **form.cleaned_data)
        except Refusal as refusal:
            field = (refusal.pointer or "").lstrip("/")
            form.add_error(field if field in form.fields else None, str(refusal))
        else:
            messages.success(request, said)
            return redirect("licensing:duties")
    context = {"duty": duty, "form": form, "which": which, "over": duty.period.upper <= timezone.localdate()}
    return render(request, "licensing/declarations/duties_settle.html", context)


def _of_status(found: ReportDutyQuerySet, status: str, today: dt.date) -> ReportDutyQuerySet:
    if status == "all":
        return found
    if status == OVERDUE:
        return found.overdue(today)
    return found.filter(status=status) if status in Status.values else found.open()


def _counts(mine: ReportDutyQuerySet, today: dt.date) -> dict[str, Any]:
    soon = today + dt.timedelta(days=SOON_DAYS)
    open_ = mine.open()
    counted = open_.aggregate(
        overdue=Count("pk", filter=Q(due_on__lt=today)),
        soon=Count("pk", filter=Q(due_on__gte=today, due_on__lte=soon)),
        firms=Count("licence__licensee_id", filter=Q(due_on__lt=today), distinct=True),
    )
    following = open_.filter(due_on__gte=today).order_by("due_on").values_list("due_on", flat=True).first()
    return counted | {"next": following}


class _Shown:
    """A duty as it is shown: its state in a word, and what this person may do about it."""

    def __init__(self, actor: Actor, duty: ReportDuty, today: dt.date) -> None:
        self.duty, self.pk, self.licence = duty, duty.pk, duty.licence
        self.first_day, self.end, self.due_on = duty.period.lower, duty.period.upper, duty.due_on
        is_open = duty.status == Status.OPEN
        self.days_late = (today - duty.due_on).days if is_open and duty.due_on < today else 0
        over = self.end <= today
        running = is_open and not over
        self.state = (
            OVERDUE if self.days_late else "open" if is_open and over else "running" if running else duty.status
        )
        own = actor.is_licensee and actor.can("declarations.declare")
        self.can_declare = own and duty.status in (Status.OPEN, Status.NIL) and self.first_day <= today
        self.can_report_nil = own and is_open and over
        self.can_waive = is_open and actor.is_society and actor.can("licences.manage")

    @property
    def label(self) -> str:
        if self.state == OVERDUE:
            return _("overdue")
        return _("period running or to come") if self.state == "running" else str(self.duty.get_status_display())

    @property
    def tone(self) -> str:
        return {OVERDUE: "bad", "open": "warn", "met": "good", "nil": "good"}.get(self.state, "quiet")

    @property
    def declare_query(self) -> str:
        return f"licence={self.licence.pk}&first_day={self.first_day}&end={self.end}"


def _entry(request: ActorRequest, duty: ReportDuty) -> calendar.Entry:
    facts = {"licence": duty.licence.ref, "firm": duty.licence.licensee}
    said = (
        _("Usage report due: %(licence)s, %(firm)s") if request.actor.is_society else _("Usage report due: %(licence)s")
    )
    last = duty.period.upper - dt.timedelta(days=1)
    text = f"{duty.period.lower} – {last}\n{settings.SITE_URL.rstrip('/')}{reverse('licensing:duties')}"
    return calendar.Entry(f"report-duty-{duty.pk}@jeongsan", duty.due_on, said % facts, text)
