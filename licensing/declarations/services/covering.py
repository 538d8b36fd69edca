"""How much of what is declared was matched with works of ours: by kind of work, and for the web by site."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from django.db.models import Q, QuerySet, Sum

from licensing import terms
from licensing.declarations.models import Declaration, HostSum, UseSum
from licensing.declarations.services import summing

_SITES: Final = 24  # that are shown one by one
_MADE_UP: Final = 20  # declarations from before sums were kept, summed at one visit


@dataclass(slots=True)
class Part:
    """A kind of work, or a site: units in all and those that were matched."""

    name: str
    units: int = 0
    matched: int = 0
    link: str = ""

    @property
    def percent(self) -> str:
        return f"{100 * self.matched / self.units:.1f}" if self.units else "0"


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of one unit: the total, by kind, the largest sites, and the web's rest; sites and rest come to the web's total."""

    unit: str
    total: Part
    kinds: list[Part] = field(default_factory=list)
    sites: list[Part] = field(default_factory=list)
    rest: Part | None = None


def units_declared(declarations: QuerySet[Declaration]) -> list[str]:
    """The units in which they declare, the one with most rows first."""
    summing.make_up_missing(declarations, most=_MADE_UP)
    found = UseSum.objects.filter(declaration__in=declarations.order_by().values("pk")).order_by().values("unit")
    return [row["unit"] for row in found.annotate(n=Sum("rows")).order_by("-n", "unit")]


def coverage(declarations: QuerySet[Declaration], unit: str) -> Coverage:
    """Two questions to the database, however many lines were declared."""
    chosen = declarations.order_by().values("pk")
    kinds: dict[str, Part] = {}
    sums = UseSum.objects.filter(declaration__in=chosen, unit=unit).order_by().values("kind")
    for row in sums.annotate(all=Sum("units"), ours=Sum("units", filter=Q(matched=True))):
        kinds[row["kind"]] = Part(row["kind"], int(row["all"]), int(row["ours"] or 0))
    total = Part("", sum(k.units for k in kinds.values()), sum(k.matched for k in kinds.values()))
    sites = _sites(declarations, unit)
    rest = None
    if web := kinds.get("web"):
        units, matched = sum(s.units for s in sites), sum(s.matched for s in sites)
        rest = Part("", web.units - units, web.matched - matched)
    ordered = sorted(kinds.values(), key=lambda part: (-part.units, list(terms.KINDS).index(part.name)))
    return Coverage(unit, total, ordered, sites, rest if rest and rest.units else None)


def _sites(declarations: QuerySet[Declaration], unit: str) -> list[Part]:
    hosts = HostSum.objects.filter(declaration__in=declarations.order_by().values("pk"), unit=unit).order_by()
    rows = hosts.values("host").annotate(all=Sum("units"), ours=Sum("units", filter=Q(work__isnull=False)))
    return [Part(row["host"], int(row["all"]), int(row["ours"] or 0)) for row in rows.order_by("-all", "host")[:_SITES]]
