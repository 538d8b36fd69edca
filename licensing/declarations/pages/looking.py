"""Looking into declarations: their lines, how much of them was matched, what an amendment changes, what they repeat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.access.paging import paginate
from accounts.identity.gate import ActorRequest, requires
from licensing import labels, terms
from licensing.declarations.models import Change, Declaration, Overlap, OverlapRow
from licensing.declarations.pages.common import csv_file, find, tabs
from licensing.declarations.services import covering, differing, exploring, summing
from licensing.tariffs.core import Rating

Status = Declaration.Status
COUNTING = (Status.SUBMITTED, Status.ACCEPTED)  # superseded ones count no longer
CHANGE_COLUMNS = (
    "change", "work", "title", "scheme", "value", "kind", "use", "unit", "used_on", "status", "basis",
    "units_before", "units_after", "lines_before", "lines_after",
)  # fmt: skip


@requires("declarations.view")
@require_GET
def works(request: ActorRequest, declaration_id: int) -> HttpResponse:
    """Every work and unmatched identifier, by status, use, kind, unit, or what it is called; with the sums of these."""
    found = find(request.actor, declaration_id)
    summing.make_up(found)
    asked = exploring.asked_of(request.GET)
    sums = exploring.sums(found, asked)
    sort = request.GET.get("sort", "").removeprefix("-")
    rows = exploring.in_order(exploring.rows(found, asked), asked, sums, sort)
    context = {
        "declaration": found,
        "asked": asked,
        "sums": sums,
        "whole": exploring.sums(found, exploring.Asked()),
        "sortable": sums.rows <= exploring.SORTABLE,
        "sort": sort,
        "page": paginate(request, rows, counted=False),
        "choices": _choices(),
    }
    return render(request, "licensing/declarations/works.html", context | tabs(request.actor, found))


def _choices() -> list[tuple[str, Any, list[tuple[str, str]]]]:
    """(parameter, label, options) of each filter."""
    statuses = [(code, labels.label(code)) for code in terms.LINE_STATUSES if code != "rejected"]
    return [
        ("status", _("Status"), statuses),
        ("use", _("Use"), [(code, labels.label(code)) for code in terms.USES]),
        ("kind", _("Kind of work"), [(code, labels.label(code)) for code in terms.KINDS]),
        ("unit", _("Unit"), [(code, labels.unit_label(code)) for code in terms.UNITS]),
    ]


@requires("declarations.view")
@require_GET
def coverage(request: ActorRequest, declaration_id: int) -> HttpResponse:
    """How much of a declaration was matched, by kind and by site."""
    found = find(request.actor, declaration_id)
    summing.make_up(found)
    context = _covered(request, Declaration.objects.filter(pk=found.pk), found) | tabs(request.actor, found)
    return render(request, "licensing/declarations/coverage.html", context)


@requires("declarations.view")
@require_GET
def coverage_of_all(request: ActorRequest) -> HttpResponse:
    """The same over all declarations that count: a licensee's own, or those that a society received."""
    received = Declaration.objects.visible_to(request.actor).filter(status__in=COUNTING)
    licence = request.GET.get("licence", "").strip()[:64]
    if licence:
        received = received.filter(licence__ref__icontains=licence)
    context = _covered(request, received, None) | {"licence": licence, "many": received.count()}
    return render(request, "licensing/declarations/coverage.html", context)


def _covered(request: ActorRequest, of: QuerySet[Declaration], found: Declaration | None) -> dict[str, Any]:
    units = covering.units_declared(of)
    unit = request.GET.get("unit", "")
    unit = unit if unit in units else units[0] if units else ""
    covered = covering.coverage(of, unit) if unit else None
    context: dict[str, Any] = {"declaration": found, "units": units, "unit": unit, "coverage": covered}
    if covered:
        sites = [(site.name, site.units, site.matched) for site in covered.sites]
        if covered.rest:
            sites.append((_("all other sites"), covered.rest.units, covered.rest.matched))
        context["kinds"] = [(labels.label(kind.name), kind.units, kind.matched) for kind in covered.kinds]
        context["sites"] = sites
        context["left"] = covered.total.units - covered.total.matched
    return context


@requires("declarations.view")
@require_GET
def difference(request: ActorRequest, declaration_id: int) -> HttpResponse:
    """What an amendment does to what it supersedes."""
    found = find(request.actor, declaration_id)
    known = differing.difference_of(found)
    change, status = request.GET.get("change", ""), request.GET.get("status", "")
    changes = Change.objects.filter(declaration=found)
    if change in Change.Kind.values:
        changes = changes.filter(change=change)
    if status in terms.LINE_STATUSES:
        changes = changes.filter(status=status)
    context: dict[str, Any] = {"declaration": found, "difference": known}
    if known:
        context |= {
            "standings": differing.standings(known),
            "kinds": [(kind.value, kind.label, differing.rows_by_kind(found).get(kind.value)) for kind in Change.Kind]
            if known.rows <= exploring.SORTABLE
            else [],
            "fees": _fees(known.old, found),
            "page": paginate(request, changes.select_related("work").order_by("-id"), counted=False),
            "change": change,
            "status": status,
            "choices": Change.Kind.choices,
            "statuses": [(code, labels.label(code)) for code in terms.LINE_STATUSES if code != "rejected"],
        }
    return render(request, "licensing/declarations/difference.html", context | tabs(request.actor, found))


def _fees(old: Declaration, new: Declaration) -> dict[str, Any] | None:
    """Before and after, where both have one in one currency."""
    if not old.fee or not new.fee:
        return None
    before, after = Rating.from_data(old.fee), Rating.from_data(new.fee)
    if before.currency != after.currency:
        return None
    return {
        "before": before.amount, "after": after.amount, "change": after.amount - before.amount, "currency": after.currency,
    }  # fmt: skip


@requires("declarations.view")
@require_GET
def difference_file(request: ActorRequest, declaration_id: int) -> StreamingHttpResponse:
    """Every changed row as CSV, the largest change first."""
    found = find(request.actor, declaration_id)
    differing.difference_of(found)
    changes = Change.objects.filter(declaration=found).select_related("work").order_by("-id")
    return csv_file(f"difference-{found.pk}.csv", _change_rows(changes), CHANGE_COLUMNS)


def _change_rows(changes: QuerySet[Change]) -> Iterator[dict[str, Any]]:
    same = CHANGE_COLUMNS[3:]
    for each in changes.iterator(chunk_size=5000):
        work = {"work": each.work.ref if each.work else "", "title": each.work.title if each.work else ""}
        yield {"change": each.change, **work, **{name: getattr(each, name) for name in same}}


@requires("declarations.view")
@require_GET
def overlaps(request: ActorRequest, declaration_id: int) -> HttpResponse:
    """Other declarations of the firm that report some of the same use, and the rows they share."""
    found = find(request.actor, declaration_id)
    all_of_them = list(
        Overlap.objects.filter(declaration=found, other__in=Declaration.objects.visible_to(request.actor))
        .select_related("other__licence").order_by("-part", "other_id")
    )  # fmt: skip
    asked = request.GET.get("with", "")
    shown = next((each for each in all_of_them if str(each.other_id) == asked), all_of_them[0] if all_of_them else None)
    rows = OverlapRow.objects.filter(overlap=shown).select_related("use__work").order_by("use_id")
    context = {
        "declaration": found,
        "overlaps": [(each, [(unit, int(units)) for unit, units in each.units.items()]) for each in all_of_them],
        "shown": shown,
        "page": paginate(request, rows, counted=False),
        "here": reverse("licensing:declaration_overlaps", args=[found.pk]),
    }
    return render(request, "licensing/declarations/overlaps.html", context | tabs(request.actor, found))
