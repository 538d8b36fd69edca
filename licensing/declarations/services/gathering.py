"""The figures that plausibility is judged by: of a declaration, of the firm's earlier ones, and of public record."""

from __future__ import annotations

from collections import defaultdict
from typing import Final

from django.db import connection

from licensing import terms
from licensing.declarations.models import Declaration, DeclaredUse, PublicFigure, UseSum
from licensing.declarations.plausibility import ROW, Figures, Missing, PublicSize, UnitFigures
from licensing.declarations.services import overlapping, summing
from licensing.repertoire.models import Identifier

_EARLIER: Final = 8  # two years of quarters
_NAMED: Final = 5
_HANDED_IN: Final = (Declaration.Status.SUBMITTED, Declaration.Status.ACCEPTED)

# The largest sites of the declaration before that this one says nothing of: neither as that work, nor under that host.
_GONE: Final = """
SELECT h.unit, h.host, h.units FROM licensing_hostsum h
WHERE h.declaration_id = %(last)s
  AND NOT EXISTS (SELECT FROM licensing_declareduse u WHERE u.work_id = h.work_id AND u.declaration_id = %(now)s)
  AND NOT EXISTS (SELECT FROM licensing_declareduse u
                  WHERE u.work_id IS NULL AND u.declaration_id = %(now)s AND u.scheme IN ('domain', 'url')
                    AND (u.value = h.host OR (u.value >= h.host || '/' AND u.value < h.host || '0')))
ORDER BY h.unit, h.position
"""


def figures(declaration: Declaration) -> Figures:
    """What a processed declaration comes to, from its sums."""
    units: dict[str, UnitFigures] = {}
    rows = unmatched = 0
    for each in UseSum.objects.filter(declaration=declaration).order_by("pk"):
        rows += each.rows
        unmatched += 0 if each.matched else each.rows
        had = units.get(each.unit)
        units[each.unit] = UnitFigures(
            rows=each.rows + (had.rows if had else 0),
            units=int(each.units) + (had.units if had else 0),
            large_rows=each.large_rows + (had.large_rows if had else 0),
            round_rows=each.round_rows + (had.round_rows if had else 0),
            least=min(int(each.least), had.least) if had else int(each.least),
            most=max(int(each.most), had.most) if had else int(each.most),
        )
    days = (declaration.period.upper - declaration.period.lower).days
    return Figures(
        number=declaration.pk, days=days, rows=rows, unmatched_rows=unmatched, works=declaration.works,
        lines=int(declaration.lines.get("total", 0)), units=units,
    )  # fmt: skip


def history(declaration: Declaration) -> list[Declaration]:
    """The firm's earlier declarations under the licence about this model and dataset, as they count now; the last one first."""
    earlier = Declaration.objects.filter(
        licence_id=declaration.licence_id, model__iexact=declaration.model, dataset__iexact=declaration.dataset,
        sandbox=declaration.sandbox, status__in=_HANDED_IN, period__endswith__lte=declaration.period.lower,
    ).exclude(pk__in=[declaration.pk, *overlapping.ancestors(declaration)])  # fmt: skip
    found = list(earlier.order_by("-period__endswith", "-pk")[:_EARLIER])
    summed = set(UseSum.objects.filter(declaration__in=found).values_list("declaration_id", flat=True))
    for each in found:
        if each.pk not in summed:
            summing.make_up(each)
    return found


def missing(declaration: Declaration, last: Declaration) -> list[Missing]:
    """By unit, which of the largest sites of the last declaration this one does not name, not even by a parent domain."""
    with connection.cursor() as cursor:
        cursor.execute(_GONE, {"last": last.pk, "now": declaration.pk})
        gone = cursor.fetchall()
    covered = _covered(declaration, {host for _unit, host, _units in gone})
    of_units: dict[str, int] = defaultdict(int)
    for unit, units in UseSum.objects.filter(declaration=last).values_list("unit", "units"):
        of_units[unit] += int(units)
    by_unit: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for unit, host, units in gone:
        if host not in covered:
            by_unit[unit].append((host, int(units)))
    return [
        Missing(
            hosts=[host for host, _units in sites[:_NAMED]], count=len(sites), units=sum(units for _host, units in sites),
            of_units=of_units[unit], unit=unit,
        )
        for unit, sites in sorted(by_unit.items())
    ]  # fmt: skip


def _covered(declaration: Declaration, hosts: set[str]) -> set[str]:
    """Hosts whose work of now, their own or a parent domain's, is declared: they were registered since."""
    parents = {host: [host.split(".", n)[n] for n in range(host.count("."))] for host in hosts}
    places = Identifier.objects.filter(
        society_id=declaration.licence.society_id, scheme="domain", value__in={p for each in parents.values() for p in each}
    )  # fmt: skip
    work_of = dict(places.values_list("value", "work_id"))
    declared = set(
        DeclaredUse.objects.filter(declaration=declaration, work_id__in=set(work_of.values())).values_list(
            "work_id", flat=True
        )
    )
    return {host for host, each in parents.items() if any(work_of.get(parent) in declared for parent in each)}


def public(declaration: Declaration) -> list[PublicSize]:
    """What is public about the dataset that the declaration names."""
    if not declaration.dataset:
        return []
    known = PublicFigure.objects.filter(dataset__iexact=declaration.dataset, measure__in=[*terms.UNITS, ROW])
    return [
        PublicSize(each.dataset, each.measure, int(each.amount), each.source)
        for each in known.order_by("measure", "pk")
    ]
