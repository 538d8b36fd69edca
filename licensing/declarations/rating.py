"""What declarations cost: gathers their priceable quantities, set-based, and lets the tariff rate them.

A billing period is rated under the tariff version that is in force on its first day. Where another version starts
inside the period, tiers would count across two price lists, so rating is refused with the day at which to split; only
where the version says for how many months its prices are does it rate the period that began under it to its end.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from django.db import connection
from django.db.models import QuerySet, Sum

from licensing import terms
from licensing.declarations.models import Declaration, DeclaredUse
from licensing.licences.models import Licence
from licensing.tariffs import core
from licensing.tariffs.models import TariffVersion
from licensing.tariffs.periods import period_of
from licensing.tariffs.services import version_for_period, version_in_force

Declarations = QuerySet[Declaration]


def rate_declarations(
    *,
    licence: Licence,
    period: tuple[datetime.date, datetime.date],
    declarations: Declarations,
    version: TariffVersion | None = None,
    preview: bool = False,
) -> core.Rating:
    """What these declarations cost together, in minor units. The caller chooses them: accepted ones to bill.

    `period` is half-open: a billing period, or a part of one in a preview. Raises Refusal where no single version prices
    the period, and where a line is unpriced or a base is missing, unless it is a `preview` (of one declaration that is
    not accepted yet), which lists those instead.
    """
    start, end = period
    version = version or _version(licence, start, end)
    schedule = core.parse(version.document)
    rating = core.rate(
        schedule,
        quantities=quantities(declarations),
        bases=bases(declarations),
        tier=licence.tier,
        works=works(declarations, schedule.charges),
        scope=core.Scope(uses=tuple(licence.uses), kinds=tuple(licence.kinds)),
    )
    if not preview:
        rating.require_billable()
    return rating


def _version(licence: Licence, start: datetime.date, end: datetime.date) -> TariffVersion:
    """The version that prices these days: where its prices are for so many months, that of the period's first day."""
    version = version_for_period(licence.tariff, start, end)
    months = version.document.get("period_months")
    if not months:
        return version
    within = period_of(start, since=licence.valid.lower, until=licence.valid.upper, months=months)
    earlier = version_in_force(licence.tariff, within[0]) if within and within[0] < start else None
    return earlier if earlier and earlier.document.get("period_months") == months else version


def quantities(declarations: Declarations) -> list[core.Quantity]:
    """Units by use, kind and unit, over all these declarations. Works are counted apart, where a charge prices them."""
    return quantities_of(_priced(declarations))


def quantities_of(rows: QuerySet[DeclaredUse]) -> list[core.Quantity]:
    """Likewise, over these rows."""
    groups = rows.order_by("use", "kind", "unit").values_list("use", "kind", "unit")
    return [
        core.Quantity(use, kind, unit, int(units)) for use, kind, unit, units in groups.annotate(total=Sum("units"))
    ]


def works(declarations: Declarations, charges: Sequence[core.Charge]) -> dict[str, int]:
    """Exact distinct works, unmatched identifiers included, by name of each charge that counts works.

    One charge may fit several uses, kinds or units: a work that stands in more than one of them counts once.
    """
    return works_of(_priced(declarations), charges)


def works_of(rows: QuerySet[DeclaredUse], charges: Sequence[core.Charge]) -> dict[str, int]:
    """Likewise, over these rows."""
    counting = [charge for charge in charges if charge.model == "per_work"]
    if not counting:
        return {}
    columns = ("work_id", "scheme", "value", "use", "kind", "unit")
    uses, values = rows.order_by().values(*columns).query.sql_with_params()
    filters: list[str] = []
    codes: list[list[str]] = []
    for n, charge in enumerate(counting):
        condition, more = _fitting(charge)
        filters.append(f"bool_or({condition}) AS fits_{n}")
        codes += more
    counts = ", ".join(f"count(*) FILTER (WHERE fits_{n})" for n in range(len(counting)))
    [row] = _rows(
        f"SELECT {counts} FROM (SELECT {', '.join(filters)} FROM ({uses}) AS used"
        " GROUP BY work_id, scheme, value) AS work",
        [*codes, *values],
    )
    return {charge.name: int(count) for charge, count in zip(counting, row, strict=True)}


def bases(declarations: Declarations) -> dict[str, int]:
    """Declared figures by name, summed: each declaration states those of its own period.

    Bases of percentages are in minor units, counts are whole numbers.
    """
    found: dict[str, int] = {}
    for declared in declarations.values_list("bases", flat=True):
        for name, amount in declared.items():
            found[name] = found.get(name, 0) + int(amount)
    return found


def _priced(declarations: Declarations) -> QuerySet[DeclaredUse]:
    """The priceable rows of these declarations."""
    chosen = list(declarations.values_list("pk", flat=True))
    return DeclaredUse.objects.priced().filter(declaration_id__in=chosen or [0])  # no declaration has the id 0


def _fitting(charge: core.Charge) -> tuple[str, list[list[str]]]:
    """Whether a row fits the charge, as SQL with its values: the twin of `Charge.fits`."""
    asked = {"use": charge.uses, "kind": charge.kinds, "unit": (charge.unit,)}
    named = {column: list(codes) for column, codes in asked.items() if terms.ANY not in codes}
    return " AND ".join(f"{column} = ANY(%s)" for column in named) or "true", list(named.values())


def _rows(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()
