"""What a licence will have used in a period that nobody reported: what an estimate rests on."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.identity.core import Refusal
from licensing.declarations.models import Declaration, ReportDuty
from licensing.declarations.rating import bases as declared_bases
from licensing.declarations.rating import quantities as declared_quantities
from licensing.declarations.rating import works as declared_works
from licensing.licences.models import Licence, Offer
from licensing.tariffs.core import Quantity, Rating, Schedule, Scope, rate

Period = tuple[datetime.date, datetime.date]
PERIODS: Final = 4  # so many of the last reporting periods are averaged
_MOST: Final = 1000  # declarations looked at to find them


@dataclass(frozen=True, slots=True)
class Basis:
    """The quantities that are rated where no declaration is, for one billing period, and where they come from.

    `source`: `declarations` (the average of these `periods`), `request` (what the firm expected when it asked for the
    licence), `fixed` (nothing: a price that does not depend on use), `nil` (a report that nothing was used).
    """

    source: str
    quantities: tuple[Quantity, ...] = ()
    bases: dict[str, int] = field(default_factory=dict)
    works: dict[str, int] = field(default_factory=dict)  # distinct works by name of the charge that counts them
    periods: tuple[Period, ...] = ()
    request: str = ""

    def rated(self, licence: Licence, schedule: Schedule) -> Rating:
        return rate(
            schedule, quantities=self.quantities, bases=self.bases, tier=licence.tier, works=self.works,
            scope=Scope(uses=tuple(licence.uses), kinds=tuple(licence.kinds)),
        )  # fmt: skip

    def as_data(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "quantities": [asdict(quantity) for quantity in self.quantities],
            "bases": self.bases,
            "works": self.works,
            "periods": [[day.isoformat() for day in period] for period in self.periods],
            "request": self.request,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        dates = datetime.date.fromisoformat
        return cls(
            data["source"], tuple(Quantity(**each) for each in data["quantities"]), data["bases"], data["works"],
            tuple((dates(start), dates(end)) for start, end in data["periods"]), data["request"],
        )  # fmt: skip


def nothing_used(schedule: Schedule) -> Basis:
    """No use: what a percentage is taken of, or what is counted, is nothing too."""
    return Basis("nil", bases=dict.fromkeys((*schedule.bases, *schedule.counts), 0))


def basis_of(licence: Licence, period: Period, schedule: Schedule) -> Basis:
    """The average of the last four reporting periods at most, each figure rounded up; else what the request expected.

    Raises Refusal where the licence has neither, and says what to do.
    """
    groups = _last_periods(licence, period[0])
    if groups:
        return _averaged(groups, schedule)
    offer = Offer.objects.filter(licence=licence).select_related("quote__request").first()
    if offer is not None and (offer.quote.quantities or offer.quote.bases):
        quantities = tuple(Quantity(**each) for each in offer.quote.quantities)
        bases = {name: int(amount) for name, amount in offer.quote.bases.items()}
        return Basis("request", quantities, bases, request=offer.quote.request.ref)
    raise Refusal(
        "nothing_to_estimate_by",
        _(
            "Nothing was declared under this licence before, and its request expected no quantities, so there is nothing to "
            "estimate by. Remind the licensee, or do without the report."
        ),
    )


def _last_periods(licence: Licence, before: datetime.date) -> list[tuple[Period, QuerySet[Declaration]]]:
    """The last reporting periods that end by this day, with their accepted declarations; one reported as no use has none.

    A declaration that lies in no reporting period stands for its own.
    """
    duties = ReportDuty.objects.filter(licence=licence, period__endswith__lte=before, status__in=("met", "nil"))
    reported = {(each.period.lower, each.period.upper): each.status for each in duties.order_by("-period")[:_MOST]}
    found: dict[Period, list[int]] = {period: [] for period, status in reported.items() if status == "nil"}
    declared = Declaration.objects.billable().filter(licence=licence, period__endswith__lte=before)
    for pk, own in declared.order_by("-period", "-id").values_list("pk", "period")[:_MOST]:
        within = (each for each in reported if each[0] <= own.lower and own.upper <= each[1])
        found.setdefault(next(within, (own.lower, own.upper)), []).append(pk)
    last = sorted(found, reverse=True)[:PERIODS]
    return [(period, Declaration.objects.filter(pk__in=found[period] or [0])) for period in last]


def _averaged(groups: Sequence[tuple[Period, QuerySet[Declaration]]], schedule: Schedule) -> Basis:
    units: dict[tuple[str, str, str], int] = {}
    bases: dict[str, int] = {}
    works: dict[str, int] = {}
    for _period, declarations in groups:
        for q in declared_quantities(declarations):
            units[q.use, q.kind, q.unit] = units.get((q.use, q.kind, q.unit), 0) + q.units
        for sums, figures in (
            (bases, declared_bases(declarations)),
            (works, declared_works(declarations, schedule.charges)),
        ):
            for name, figure in figures.items():
                sums[name] = sums.get(name, 0) + figure
    periods = len(groups)

    def average(sums: Mapping[Any, int]) -> dict[Any, int]:
        return {name: -(-total // periods) for name, total in sums.items()}

    quantities = tuple(
        Quantity(use, kind, unit, figure) for (use, kind, unit), figure in sorted(average(units).items())
    )
    return Basis("declarations", quantities, average(bases), average(works), tuple(period for period, _d in groups))
