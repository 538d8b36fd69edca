"""What is owed by law for what a statutory scheme allowed: declared use on the basis `statutory`, by the scheme's tariff.

Apart from the fee, since it rests on no licence: the licence's own tariff never prices it, nor does its invoice ask for it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Q, QuerySet, Sum

from accounts.identity.core import Refusal
from licensing import terms
from licensing.declarations.models import Declaration, DeclaredUse
from licensing.declarations.rating import quantities_of, works_of
from licensing.permissions.models import StatutoryScheme
from licensing.tariffs import core
from licensing.tariffs.services import version_for_period


@dataclass(frozen=True, slots=True)
class Remuneration:
    """What one scheme allowed in a declaration, and what that comes to; no `rating` where its tariff says none, and `why`."""

    scheme: StatutoryScheme
    lines: int
    units: int
    rating: core.Rating | None = None
    why: str = ""


def remunerations(declaration: Declaration) -> list[Remuneration]:
    """By scheme, those that are on first. Use that fits several counts for the first, as permission names the first."""
    licence = declaration.licence
    schemes = StatutoryScheme.objects.filter(society_id=licence.society_id).filter(
        Q(territory__contains=[terms.ANY]) | Q(territory__contains=[declaration.territory]),
        valid__overlap=declaration.period,
    )
    rows = DeclaredUse.objects.filter(declaration=declaration, status="licensed", basis="statutory")
    found = []
    for scheme in schemes.select_related("tariff").order_by("-enabled", "ref"):
        fitting = _fits(scheme)
        totals = rows.filter(fitting).aggregate(lines=Sum("lines"), units=Sum("units"))
        if totals["lines"]:
            rating, why = _rated(declaration, scheme, rows.filter(fitting))
            found.append(Remuneration(scheme, int(totals["lines"]), int(totals["units"]), rating, why))
            rows = rows.exclude(fitting)
    return found


def _fits(scheme: StatutoryScheme) -> Q:
    fits = Q(used_on__gte=scheme.valid.lower)
    if scheme.valid.upper is not None:
        fits &= Q(used_on__lt=scheme.valid.upper)
    for column, codes in (("use", scheme.uses), ("kind", scheme.kinds)):
        if terms.ANY not in codes:
            fits &= Q(**{f"{column}__in": codes})
    return fits


def _rated(
    declaration: Declaration, scheme: StatutoryScheme, rows: QuerySet[DeclaredUse]
) -> tuple[core.Rating | None, str]:
    """By the version that is in force on the scheme's days of the period, as a preview: what is unpriced is listed."""
    if scheme.tariff is None:
        return None, ""
    start, end = _days(declaration, scheme)
    try:
        version = version_for_period(scheme.tariff, start, end)
    except Refusal as refusal:
        return None, str(refusal.detail)
    schedule = core.parse(version.document)
    rating = core.rate(
        schedule,
        quantities=quantities_of(rows),
        bases={name: int(amount) for name, amount in declaration.bases.items()},
        tier=declaration.licence.tier,
        works=works_of(rows, schedule.charges),
        scope=core.Scope(uses=tuple(scheme.uses), kinds=tuple(scheme.kinds)),
    )
    return rating, ""


def _days(declaration: Declaration, scheme: StatutoryScheme) -> tuple[dt.date, dt.date]:
    """The days of the period that are the scheme's."""
    since, until = declaration.period.lower, declaration.period.upper
    return max(since, scheme.valid.lower), min(until, scheme.valid.upper or until)
