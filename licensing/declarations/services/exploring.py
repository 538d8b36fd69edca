"""Looking at the lines of a declaration: which rows a reader asks for, and what they come to.

A declaration may have ten million rows, so that every list runs along an index: all rows in the order in which they were
stored (works first), unmatched ones by their identifiers, the rest of the statuses along `declared_use_off_licence`. The
largest come first only where there are few enough to sort.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Count, Q, QuerySet, Sum

from licensing import terms
from licensing.declarations.models import Declaration, DeclaredUse, UseSum
from licensing.repertoire.identifiers import BadIdentifier, normalise, split
from licensing.repertoire.lookup import looked_up
from licensing.repertoire.models import Identifier, Work

SORTABLE: Final = 1_000_000  # rows; they are sorted in half a second
_STORED: Final = ("pk",)
_BY_NAME: Final = ("work_id", "scheme", "value", "use", "unit", "used_on", "status", "basis")
_SCHEMES: Final = (*terms.SCHEMES, "title")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a reader asks for; what is empty asks for all."""

    status: str = ""
    use: str = ""
    kind: str = ""
    unit: str = ""
    q: str = ""  # a work's reference or title, scheme:value, or how an identifier (a host, an ISBN) begins

    @property
    def plain(self) -> dict[str, str]:
        """The conditions that the sums know, too."""
        return {name: value for name in ("status", "use", "kind", "unit") if (value := getattr(self, name))}


@dataclass(frozen=True, slots=True)
class Sums:
    """What the rows come to: units by unit, because tokens and pages do not add up."""

    rows: int
    lines: int
    units: list[tuple[str, int]]


def asked_of(query: Any) -> Asked:
    """From a request's query; what is no known term asks for nothing."""
    known = {"status": terms.LINE_STATUSES, "use": terms.USES, "kind": terms.KINDS, "unit": terms.UNITS}
    found = {name: value for name, codes in known.items() if (value := query.get(name, "")) in codes}
    return Asked(**found, q=query.get("q", "").strip()[:200])


def rows(declaration: Declaration, asked: Asked) -> QuerySet[DeclaredUse]:
    found = DeclaredUse.objects.filter(declaration=declaration, **asked.plain)
    return found.filter(_named(declaration, asked.q)) if asked.q else found


def in_order(found: QuerySet[DeclaredUse], asked: Asked, sums: Sums, sort: str) -> QuerySet[DeclaredUse]:
    """Along an index, or by size where the reader asks and there are few enough."""
    found = found.select_related("work")
    if sort in ("units", "lines") and sums.rows <= SORTABLE:
        return found.order_by(f"-{sort}", "pk")
    if asked.status == "unmatched" and not asked.q:
        return found.filter(work=None).order_by(*_BY_NAME)
    return found.order_by(*_STORED)


def sums(declaration: Declaration, asked: Asked) -> Sums:
    """Of what is asked for: from the kept sums, or by adding up what a search found."""
    by_unit: Any
    if asked.q:
        by_unit = rows(declaration, asked).order_by("unit").values("unit").annotate(
            n=Count("pk"), all_lines=Sum("lines"), all_units=Sum("units")
        )  # fmt: skip
    else:
        by_unit = UseSum.objects.filter(declaration=declaration, **asked.plain).order_by("unit").values("unit").annotate(
            n=Sum("rows"), all_lines=Sum("lines"), all_units=Sum("units")
        )  # fmt: skip
    found = list(by_unit)
    return Sums(
        rows=sum(int(row["n"]) for row in found),
        lines=sum(int(row["all_lines"]) for row in found),
        units=[(row["unit"], int(row["all_units"])) for row in found],
    )


def _named(declaration: Declaration, q: str) -> Q:
    """Rows of works that are called so, and unmatched ones whose identifier is that or begins so."""
    works = Work.objects.filter(society_id=declaration.licence.society_id)
    try:
        scheme, text = split(q)
        value = normalise(scheme, text)
    except BadIdentifier:
        start = q.casefold()
        places = Identifier.objects.filter(
            society_id=declaration.licence.society_id, scheme__in=["domain", "url"], value__gte=start, value__lt=_after(start)
        )  # fmt: skip
        found = {*looked_up(works, q).order_by().values_list("pk", flat=True)[:1000]}
        found |= {*places.values_list("work_id", flat=True)[:1000]}
        begins = Q(work=None, scheme__in=_SCHEMES, value__gte=start, value__lt=_after(start))
        return Q(work_id__in=found) | begins if found else begins
    found = {*works.named(scheme, value).order_by().values_list("pk", flat=True)[:1000]}
    exact = Q(work=None, scheme=scheme, value=value)
    return Q(work_id__in=found) | exact if found else exact


def _after(start: str) -> str:
    """The first text that no longer begins so."""
    return start[:-1] + chr(min(ord(start[-1]) + 1, 0x10FFFF))
