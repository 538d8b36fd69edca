"""Why each use of a case was not allowed: the reservation, the mandate that is missing, or where the licence ends."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q
from django.utils.translation import gettext as _

from licensing import terms
from licensing.compliance.models import Case, CaseUse
from licensing.declarations.models import DeclaredUse
from licensing.licences.models import Licence
from licensing.permissions import core
from licensing.permissions.core import places
from licensing.permissions.models import Mandate, Reservation
from licensing.repertoire.models import Identifier, Share

_WEB = ("url", "domain")


@dataclass(frozen=True, slots=True)
class Ground:
    """One reason in words, or the reservation that speaks, by its reference and day."""

    detail: str = ""
    reservation: str = ""
    since: dt.date | None = None  # of a reservation


def grounds(case: Case, uses: Sequence[CaseUse]) -> dict[int, list[Ground]]:
    """By use: a few queries for a page of uses, however many they are."""
    found: dict[int, list[Ground]] = defaultdict(list)
    _reserved(case, [use for use in uses if use.status == "reserved"], found)
    _unmandated(case, [use for use in uses if use.status == "unmandated"], found)
    _unlicensed(case, [use for use in uses if use.status == "unlicensed"], found)
    return found


def _reserved(case: Case, uses: Sequence[CaseUse], found: dict[int, list[Ground]]) -> None:
    if not uses:
        return
    works = {use.work_id for use in uses if use.work_id}
    names = _names(works, uses)
    locations = {key: {value for scheme, value in those if scheme in _WEB} for key, those in names.items()}
    holders: dict[int, set[int]] = defaultdict(set)
    for work, holder in Share.objects.filter(work_id__in=works).values_list("work_id", "holder_id"):
        holders[work].add(holder)
    around = {place for values in locations.values() for value in values for place in places.ancestors(value)}
    touching = Q(work_id__in=works) | Q(holder_id__in=set().union(*holders.values())) | Q(place__in=around)
    named = set().union(*names.values())
    touching |= Q(scheme__in={scheme for scheme, _value in named}, value__in={value for _scheme, value in named}) & ~Q(
        value=""
    )
    # A place or identifier is reserved whichever society received it.
    rows = list(Reservation.objects.public().filter(touching).order_by("id")[:500])
    for use in uses:
        for row in rows:
            if _speaks(row, use, holders, locations, names) and _in_force(row, use, case.declaration.territory):
                day = core.seoul_day(row.effective_from) if row.effective_from else None
                found[use.pk].append(Ground(reservation=row.ref, since=day))
        if use.pk not in found:
            found[use.pk].append(Ground(_("Reserved where it was found.")))


def _names(works: Iterable[int], uses: Iterable[CaseUse]) -> dict[int | str, set[tuple[str, str]]]:
    """Identifiers and web addresses: of a work by its id, of an unmatched use by its own value."""
    found: dict[int | str, set[tuple[str, str]]] = defaultdict(set)
    known = Identifier.objects.filter(work_id__in=list(works)).values_list("work_id", "scheme", "value")
    for work, scheme, value in known:
        found[work].add((scheme, value))
    for use in uses:
        if use.value:
            found[use.value].add((use.scheme, use.value))
    return found


def _speaks(
    row: Reservation,
    use: CaseUse,
    holders: dict[int, set[int]],
    where: dict[int | str, set[str]],
    names: dict[int | str, set[tuple[str, str]]],
) -> bool:
    if row.work_id:
        return row.work_id == use.work_id
    if row.holder_id:
        return use.work_id is not None and row.holder_id in holders.get(use.work_id, ())
    if row.place:
        values = where.get(use.work_id or use.value, ())
        return any(places.speaks_of(row.place, row.pattern, row.excepting, value) for value in values)
    return (row.scheme, row.value) in names.get(use.work_id or use.value, ())


def _in_force(row: Reservation, use: CaseUse, territory: str) -> bool:
    if row.effective_from is None:
        return False
    fact = core.Reservation(row.ref, tuple(row.uses), tuple(row.territory), row.effective_from, row.ended_at)
    spoken = terms.covers(row.uses, use.use) and terms.covers(row.territory, territory)
    return spoken and fact.in_force(use.used_on)


def _unmandated(case: Case, uses: Sequence[CaseUse], found: dict[int, list[Ground]]) -> None:
    """How much of the work had no mandate, and whether the case's own holder had given one."""
    if not uses:
        return
    declared = DeclaredUse.objects.filter(
        declaration_id=case.declaration_id, status="unmandated", work_id__in={use.work_id for use in uses}
    )
    columns = ("work_id", "use", "unit", "used_on", "missing_ppm")
    missing = {row[:4]: row[4] for row in declared.values_list(*columns)}
    given = [
        core.Grant(mandate.uses, mandate.kinds, mandate.territory, core.Span(_first(mandate), mandate.valid.upper))
        for mandate in Mandate.objects.filter(society_id=case.society_id, holder=case.holder)
    ]
    for use in uses:
        ppm = missing.get((use.work_id, use.use, use.unit, use.used_on), 0)
        if ppm >= terms.PPM and case.holder_id is None:
            detail = _("No holder of the work is on record, so nobody could give a mandate.")
        elif not ppm:
            detail = _("A mandate was missing.")
        else:
            detail = _("For %(part)s of the work there was no mandate.") % {"part": _percent(ppm)}
        found[use.pk].append(Ground(detail))
        if case.holder_id is not None:
            territory = case.declaration.territory
            own = any(grant.fits(use.use, use.kind, territory, use.used_on) for grant in given)
            said = _("This holder had given one.") if own else _("This holder had given none.")
            found[use.pk].append(Ground(said))


def _first(mandate: Mandate) -> dt.date:
    return mandate.valid.lower or dt.date.min


def _percent(ppm: int) -> str:
    return f"{Decimal(ppm).scaleb(-4).normalize():f}%"


def _unlicensed(case: Case, uses: Sequence[CaseUse], found: dict[int, list[Ground]]) -> None:
    """What the licence under which it was declared lacks, in the words of the decision."""
    if not uses:
        return
    declaration = case.declaration
    held: Licence = declaration.licence
    for use in uses:
        facts = core.Facts(
            use=use.use, kind=use.kind, territory=declaration.territory, on=use.used_on, model=declaration.model,
            dataset=declaration.dataset, matched=False, licences={held.ref: held.terms},
        )  # fmt: skip
        decision = core.decide(facts)
        said = [Ground(reason.detail) for reason in decision.reasons] if decision.verdict == "unlicensed" else []
        found[use.pk] += said or [Ground(_("No licence covered it when it was declared."))]
