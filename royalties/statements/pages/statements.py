"""Statements as pages: the list, one in its parts, the why of a line, and the files to take away."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import override
from django.views.decorators.http import require_GET, require_POST

from accounts.access.paging import paginate
from accounts.identity.core import NotFound
from accounts.identity.gate import ActorRequest, requires
from royalties.distribution.models import Run
from royalties.distribution.services import progress
from royalties.statements import core, wording
from royalties.statements.models import Statement
from royalties.statements.services import facts
from royalties.statements.services.files import FORMATS, LANGUAGES, content
from royalties.statements.tasks import publish_run

TABS = ("works", "uses", "deductions", "waiting")
MOST_LINES = 2_000  # a statement of more lines is summed by PostgreSQL, by licensee only
_TYPES = {"pdf": "application/pdf", "csv": "text/csv; charset=utf-8", "json": "application/json"}


@requires("statements.view")
@require_GET
def statements(request: ActorRequest) -> HttpResponse:
    """A creator's own statements, or all of a society's; the latest first."""
    actor = request.actor
    found = Statement.objects.visible_to(actor).select_related("run", "holder", "society")
    asked, run = request.GET.get("q", "").strip()[:100], request.GET.get("run", "")
    if asked and actor.is_society:
        name = Q(holder__name__icontains=asked) | Q(holder__name_ko__icontains=asked)
        found = found.filter(Q(holder__ref=asked) | Q(number=asked) | name)
    if run.isascii() and run.isdigit() and len(run) < 10:
        found = found.filter(run_id=int(run))
    context = {"page": paginate(request, found.order_by("-id"), counted=False), "asked": asked, "run": run}
    return render(request, "royalties/statements/list.html", context)


@requires("statements.view")
@require_GET
def statement(request: ActorRequest, statement_id: int) -> HttpResponse:
    """One statement; its tabs are works, licensees and uses, deductions, and what waits."""
    row = _visible(request, statement_id)
    asked = request.GET.get("tab", "")
    tab = asked if asked in TABS else TABS[0]
    run = facts.RunFacts(row.run)
    replaces = run.replaced([row.holder_id]).get(row.holder_id, ())
    context = {
        "statement": row,
        "currency": row.currency,
        "corrections": [
            *wording.corrections(replaces, row.payable, row.currency),
            *wording.revisions(run.revised([row.holder_id]).get(row.holder_id, ()), row.currency),
        ],
        "tab": tab,
        "tabs": [
            ("works", _("Works"), row.works),
            ("uses", _("Licensees and uses"), None),
            ("deductions", _("Deductions"), None),
            ("waiting", _("Held and in suspense"), None),
        ],
        "languages": [("ko", "한국어"), ("en", "English")],
        **_PARTS[tab](request, row, run),
    }
    return render(request, "royalties/statements/detail.html", context)


def _works(request: HttpRequest, row: Statement, run: facts.RunFacts) -> dict[str, Any]:
    page = paginate(request, facts.own_lines(row), counted=False)
    shown = {line.id: line for line in run.lines(facts.own_lines(row).filter(id__in=[each.pk for each in page]))}
    return {"page": page, "lines": [shown[each.pk] for each in page]}


def _uses(request: HttpRequest, row: Statement, run: facts.RunFacts) -> dict[str, Any]:
    if row.lines <= MOST_LINES:
        sums = core.use_sums(run.lines(facts.own_lines(row)))
        bars = _licensees((use.licensee_name, use.amount) for use in sums)
        return {"uses": sums, "bars": bars}
    amounts = facts.pool_amounts(row)
    return {"uses": [], "bars": _licensees((run.pools[pool].licensee_name, amount) for pool, amount in amounts.items())}


def _licensees(amounts: Any) -> list[tuple[str, int]]:
    """Sums by licensee, the largest first."""
    sums: dict[str, int] = {}
    for name, amount in amounts:
        sums[name] = sums.get(name, 0) + amount
    return sorted(sums.items(), key=lambda each: (-each[1], each[0]))


def _deductions(request: HttpRequest, row: Statement, run: facts.RunFacts) -> dict[str, Any]:
    amounts = facts.pool_amounts(row)
    views = [core.pool_view(run.pools[pool], amount) for pool, amount in amounts.items()]
    return {"pools": sorted(views, key=lambda view: view.pool.invoice)}


def _waiting(request: HttpRequest, row: Statement, run: facts.RunFacts) -> dict[str, Any]:
    held = run.lines(facts.own_lines(row).filter(status="held")[:200])
    others = run.lines(facts.other_lines(row)[:200])
    return {"waiting": [(line, wording.reason_name(line)) for line in (*held, *others)]}


_PARTS = {"works": _works, "uses": _uses, "deductions": _deductions, "waiting": _waiting}


@requires("statements.view")
@require_GET
def why(request: ActorRequest, statement_id: int, line_id: int) -> HttpResponse:
    """Why a line's amount is what it is: a part for the page, or a page of its own without a script."""
    row = _visible(request, statement_id)
    run = facts.RunFacts(row.run)
    lines = run.lines(facts.own_lines(row).filter(id=line_id)) or run.lines(facts.other_lines(row).filter(id=line_id))
    if not lines:
        raise NotFound(_("This statement has no such line."))
    context = {"statement": row, "line": lines[0], "steps": wording.why(lines[0], row.currency)}
    part = request.headers.get("HX-Request")
    return render(request, f"royalties/statements/{'_why' if part else 'why'}.html", context)


@requires("statements.view")
@require_GET
def download(request: ActorRequest, statement_id: int, form: str) -> HttpResponse:
    """The statement as a file: `?language=ko|en`."""
    row = _visible(request, statement_id)
    if form not in FORMATS:
        raise NotFound(_("There is no such file."))
    asked = request.GET.get("language", "")
    language = asked if asked in LANGUAGES else wording.language()
    with override(language):  # names too
        whole = facts.in_full(row)
    headers = {"Content-Disposition": f'attachment; filename="{row.number}.{form}"'}
    return HttpResponse(content(whole, form, language), content_type=_TYPES[form], headers=headers)


@requires("distribution.approve")
@require_POST
def publish(request: ActorRequest, run_id: int) -> HttpResponse:
    """Have a posted run's statements made, by a worker."""
    run = Run.objects.visible_to(request.actor).filter(pk=run_id).first()
    if run is None:
        raise NotFound(_("There is no such run."))
    with transaction.atomic():
        progress.ask(actor=request.actor, run=run, step=progress.PUBLISH)
        transaction.on_commit(lambda: publish_run.delay(run_id))
    return redirect("royalties:run", run_id)


def _visible(request: ActorRequest, statement_id: int) -> Statement:
    visible = Statement.objects.visible_to(request.actor).select_related("run__rule", "holder", "society")
    row = visible.filter(pk=statement_id).first()
    if row is None:
        raise NotFound(_("There is no such statement."))
    return row
