"""What is owed although nothing was used: a fixed fee or a minimum of a period that was reported as no use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from django.db.models import Exists, OuterRef, Q

from accounts.identity.core import Actor
from licensing.declarations.models import ReportDuty
from licensing.licences.models import Licence
from licensing.tariffs.core import Schedule, parse
from licensing.tariffs.models import PRICING, TariffVersion
from licensing.tariffs.periods import period_of
from royalties.billing.models import Invoice
from royalties.billing.services.bases import nothing_used
from royalties.billing.services.drafts import first_gap
from royalties.billing.services.guards import Period

_MOST: Final = 500  # reports looked at, the latest

# Only such rates ask for something where nothing was used.
_STANDING: Final = Q(document__charges__contains=[{"model": "flat"}]) | (
    Q(document__has_key="minimum") & ~Q(document__minimum=None)
)


@dataclass(frozen=True, slots=True)
class OwedWithoutUse:
    """A licence's billing period in which nothing was used, and what it costs all the same, net, in minor units."""

    licence: Licence
    period: Period
    amount: int
    currency: str


def owed_without_use(actor: Actor) -> list[OwedWithoutUse]:
    """A society's periods that were reported as no use throughout, were not billed, and cost something; oldest first."""
    if actor.sandbox:
        return []
    billed = Invoice.objects.of_periods().filter(licence=OuterRef("licence"), period__overlap=OuterRef("period"))
    priced = TariffVersion.objects.filter(
        _STANDING, tariff=OuterRef("licence__tariff"), status__in=PRICING, valid__overlap=OuterRef("period")
    )
    nil = ReportDuty.objects.visible_to(actor).filter(Exists(priced), status=ReportDuty.Status.NIL)
    if not actor.is_system:
        nil = nil.filter(licence__society_id=actor.organisation_id or 0)
    nil = nil.exclude(Exists(billed)).exclude(licence__status=Licence.Status.DRAFT)
    duties = list(nil.select_related("licence__licensee", "licence__tariff").order_by("-period", "-pk")[:_MOST])
    return sorted(_owed(duties), key=lambda each: (each.period, each.licence.ref))


def _owed(duties: list[ReportDuty]) -> Iterator[OwedWithoutUse]:
    versions: dict[int, list[TariffVersion]] = {}
    tariffs = {duty.licence.tariff_id for duty in duties}
    for version in TariffVersion.objects.filter(tariff__in=tariffs, status__in=PRICING):
        versions.setdefault(version.tariff_id, []).append(version)
    schedules = {version.pk: parse(version.document) for found in versions.values() for version in found}
    reported: dict[int, list[Period]] = {}
    licences = {duty.licence_id: duty.licence for duty in duties}
    for duty in duties:
        reported.setdefault(duty.licence_id, []).append((duty.period.lower, duty.period.upper))
    for licence_id, pieces in reported.items():
        licence, seen = licences[licence_id], set()
        for piece in pieces:
            found = (each for each in versions[licence.tariff_id] if piece[0] in each.valid)
            schedule = next((schedules[each.pk] for each in found), None)
            period = _billing_period(licence, schedule, piece) if schedule else None
            if schedule is None or period is None or period in seen or first_gap(period, pieces) is not None:
                continue
            seen.add(period)
            rating = nothing_used(schedule).rated(licence, schedule)
            if rating.amount > 0 and rating.billable:
                yield OwedWithoutUse(licence, period, rating.amount, rating.currency)


def _billing_period(licence: Licence, schedule: Schedule, reported: Period) -> Period | None:
    """The period by which the tariff's prices are, else the one that was reported on."""
    if not schedule.period_months:
        return reported
    return period_of(reported[0], since=licence.valid.lower, until=licence.valid.upper, months=schedule.period_months)
