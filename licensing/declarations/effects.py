"""What a draft tariff would have changed: the use declared in the last year, rated as it was and under the draft.

Exact and set-based: three questions to the database, whatever was declared, then one rating a licence and period. What
goes out never shows what one firm pays: a row stands for at least three firms, or there are no figures at all.
"""

from __future__ import annotations

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from accounts.identity.core import Actor
from licensing import terms
from licensing.declarations.models import Declaration, DeclaredUse
from licensing.tariffs import core
from licensing.tariffs.models import PRICING, TariffVersion
from licensing.tariffs.periods import months_after, period_of
from licensing.tariffs.services import state_figures

FEWEST_FIRMS: Final = 3
_Key = tuple[int, datetime.date, datetime.date]  # licence and period


@dataclass(slots=True)
class _Period:
    """What one licence declared for one period."""

    licensee_id: int
    tier: str
    scope: core.Scope
    term: Any  # the licence's days
    bases: dict[str, int] = field(default_factory=dict)
    quantities: list[core.Quantity] = field(default_factory=list)
    works: dict[tuple[Any, ...], int] = field(default_factory=dict)  # distinct works by the reach of a charge


@dataclass(slots=True)
class _Row:
    """Some tiers, with those in them and what they pay."""

    tiers: list[str]
    firms: set[int] = field(default_factory=set)
    licences: set[int] = field(default_factory=set)
    before: int = 0
    after: int = 0

    def with_(self, other: _Row) -> _Row:
        return _Row(
            [*self.tiers, *other.tiers],
            self.firms | other.firms,
            self.licences | other.licences,
            self.before + other.before,
            self.after + other.after,
        )

    def as_data(self) -> dict[str, Any]:
        return {"tiers": self.tiers, "licences": len(self.licences), "before": self.before, "after": self.after}


def work_out(*, actor: Actor, version: TariffVersion) -> TariffVersion:
    """Work the predicted effect of a draft out and keep it with the draft; its society alone may."""
    actor.require("tariffs.manage")
    return state_figures(actor=actor, version=version, figures=predicted(version, today=timezone.localdate()))


def predicted(version: TariffVersion, *, today: datetime.date) -> dict[str, Any]:
    """The figures: what the last twelve months' accepted use cost, and what it would have cost under this version.

    Each declared period is rated by itself: under the version in force on its first day, and under this one. A period
    that either of them cannot price is left out of both sums, and counted in `left_out`.
    """
    since = months_after(today, -12)
    draft = core.parse(version.document)
    past = [
        (each.valid, core.parse(each.document))
        for each in TariffVersion.objects.filter(tariff=version.tariff, status__in=PRICING).order_by("version")
    ]
    periods = _periods(version, since, today, [draft, *(schedule for _days, schedule in past)])
    rows: dict[str, _Row] = {}
    left_out = 0
    for (licence_id, start, end), declared in periods.items():
        then = next((schedule for days, schedule in past if _holds(days, start)), None)
        before = _amount(then, declared, start, end)
        after = _amount(draft, declared, start, end)
        if before is None or after is None:
            left_out += 1
            continue
        row = rows.setdefault(declared.tier, _Row([declared.tier]))
        row.firms.add(declared.licensee_id)
        row.licences.add(licence_id)
        row.before += before
        row.after += after
    days = {"since": since.isoformat(), "until": today.isoformat()}
    return days | _told(sorted(rows.values(), key=lambda row: row.tiers), left_out) | {"currency": draft.currency}


def _told(rows: Sequence[_Row], left_out: int) -> dict[str, Any]:
    """The figures that may be told: rows of too few firms stand together, with others where even that is too few."""
    total = _Row([])
    for row in rows:
        total = total.with_(row)
    if len(total.firms) < FEWEST_FIRMS:
        return {"withheld": True}
    merged = merge(rows)
    return {
        "licences": len(total.licences),
        "before": total.before,
        "after": total.after,
        "by_tier": [row.as_data() for row in merged],
        "left_out": left_out,
    }


def merge(rows: Sequence[_Row]) -> list[_Row]:
    """Rows of at least three firms each, which tell of no single firm even by their difference to the total.

    The small ones stand together; where they are still too few, the next smallest joins them.
    """
    by_size = sorted(rows, key=lambda row: (len(row.firms), row.tiers))
    kept = [row for row in by_size if len(row.firms) >= FEWEST_FIRMS]
    small = [row for row in by_size if len(row.firms) < FEWEST_FIRMS]
    if not small:
        return sorted(kept, key=lambda row: row.tiers)
    together = small[0]
    for row in small[1:]:
        together = together.with_(row)
    while len(together.firms) < FEWEST_FIRMS and kept:
        together = together.with_(kept.pop(0))
    together.tiers.sort()
    return sorted([*kept, together], key=lambda row: row.tiers)


def _holds(days: Any, day: datetime.date) -> bool:
    return bool(days.lower <= day and (days.upper is None or day < days.upper))


def _amount(schedule: core.Schedule | None, declared: _Period, start: datetime.date, end: datetime.date) -> int | None:
    """What this period comes to, or None where the schedule has no price for it."""
    if schedule is None:
        return None
    if months := schedule.period_months:
        term = declared.term
        if period_of(start, since=term.lower, until=term.upper, months=months) != (start, end):
            return None
    counting = [charge for charge in schedule.charges if charge.model == "per_work"]
    rating = core.rate(
        schedule,
        quantities=declared.quantities,
        bases=declared.bases,
        tier=declared.tier,
        works={charge.name: declared.works.get(_reach(charge), 0) for charge in counting},
        scope=declared.scope,
    )
    return rating.amount if rating.billable else None


def _periods(
    version: TariffVersion, since: datetime.date, until: datetime.date, schedules: Iterable[core.Schedule]
) -> dict[_Key, _Period]:
    """Everything declared and accepted under the tariff within these days, by licence and period."""
    chosen = Declaration.objects.billable().filter(
        licence__tariff_id=version.tariff_id, period__startswith__gte=since, period__endswith__lte=until
    )
    found: dict[_Key, _Period] = {}
    licence = ("licensee_id", "tier", "uses", "kinds", "valid")
    columns = ("licence_id", "period", "bases", *(f"licence__{name}" for name in licence))
    for licence_id, period, bases, licensee, tier, uses, kinds, term in chosen.order_by("pk").values_list(*columns):
        key = (licence_id, period.lower, period.upper)
        scope = core.Scope(uses=tuple(uses), kinds=tuple(kinds))
        declared = found.setdefault(key, _Period(licensee, tier, scope, term))
        for name, amount in bases.items():
            declared.bases[name] = declared.bases.get(name, 0) + int(amount)
    used = DeclaredUse.objects.priced().filter(declaration__in=chosen.order_by().values("pk"))
    keys = ("declaration__licence_id", "declaration__period", "use", "kind", "unit")
    for licence_id, period, use, kind, unit, units in (
        used.order_by(*keys).values_list(*keys).annotate(total=Sum("units"))
    ):
        found[licence_id, period.lower, period.upper].quantities.append(core.Quantity(use, kind, unit, int(units)))
    reaches = sorted({_reach(c) for s in schedules for c in s.charges if c.model == "per_work"})
    if reaches:
        for key, counts in _works(used, reaches).items():
            found[key].works = counts
    return found


def _reach(charge: core.Charge) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Of what a charge counts works: uses, kinds, units."""
    return charge.uses, charge.kinds, (charge.unit,)


def _works(used: Any, reaches: Sequence[tuple[Any, ...]]) -> dict[_Key, dict[tuple[Any, ...], int]]:
    """Distinct works, unmatched identifiers included, by licence and period and by the reach of the charges that count them."""
    columns = ("declaration__licence_id", "declaration__period", "work_id", "scheme", "value", "use", "kind", "unit")
    inner, values = used.order_by().values_list(*columns).query.sql_with_params()
    filters: list[str] = []
    codes: list[list[str]] = []
    for n, reach in enumerate(reaches):
        named = {
            column: list(asked)
            for column, asked in zip(("use", "kind", "unit"), reach, strict=True)
            if terms.ANY not in asked
        }
        condition = " AND ".join(f"{column} = ANY(%s)" for column in named) or "true"
        filters.append(f"bool_or({condition}) AS fits_{n}")
        codes += named.values()
    counts = ", ".join(f"count(*) FILTER (WHERE fits_{n})" for n in range(len(reaches)))
    sql = (
        f"SELECT licence_id, lower(period), upper(period), {counts} FROM (SELECT licence_id, period, {', '.join(filters)}"
        f" FROM ({inner}) AS used(licence_id, period, work_id, scheme, value, use, kind, unit)"
        " GROUP BY licence_id, period, work_id, scheme, value) AS work GROUP BY licence_id, period"
    )
    found: dict[_Key, dict[tuple[Any, ...], int]] = defaultdict(dict)
    with connection.cursor() as cursor:
        cursor.execute(sql, [*codes, *values])
        for licence_id, start, end, *numbers in cursor.fetchall():
            found[licence_id, start, end] = {reach: int(number) for reach, number in zip(reaches, numbers, strict=True)}
    return found
