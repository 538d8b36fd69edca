"""What the uses that nothing allowed would have cost under the tariff: one calculation a declaration."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.identity.core import Refusal
from licensing import terms
from licensing.compliance import core
from licensing.compliance.models import CompensationTerms
from licensing.declarations.models import Declaration, DeclaredUse
from licensing.tariffs.core import Charge, Quantity, parse, rate
from licensing.tariffs.services import version_for_period


@dataclass(frozen=True, slots=True)
class Hypothetical:
    """What these uses would have cost, and the charges that make it up; or why no tariff says so."""

    currency: str
    fee: int = 0
    charges: list[dict[str, Any]] = field(default_factory=list)
    rating: dict[str, Any] | None = None
    tariff: str = ""
    problem: str = ""


def hypothetical(declaration: Declaration) -> Hypothetical:
    """Rate the declaration's reserved, unmandated and unlicensed uses as if they had been licensed. Minor units.

    Flat fees, percentages and the minimum are left out: they are owed for the period, whatever was used, and are billed
    with the licence. What no charge prices has no ordinary fee; the cases say so.
    """
    licence = declaration.licence
    currency = licence.tariff.currency
    with override("en"):  # kept as evidence, and told again in the reader's language
        try:
            version = version_for_period(licence.tariff, declaration.period.lower, declaration.period.upper)
            schedule = core.for_uses_alone(parse(version.document))
            counted = [charge for charge in schedule.charges if charge.model == "per_work"]
            works = {charge.name: _works(declaration, charge) for charge in counted}
            rating = rate(schedule, quantities=_quantities(declaration), tier=licence.tier, works=works)
        except Refusal as refusal:
            return Hypothetical(currency, problem=str(refusal.detail))
        named = f"{licence.tariff.ref} v{version.version}"
        if not rating.lines:
            problem = _("No charge of the tariff prices these uses.")
            return Hypothetical(currency, tariff=named, problem=problem)
    charges = {charge.name: charge for charge in schedule.charges}
    rows = [_row(place, line.amount, charges[line.name]) for place, line in enumerate(rating.lines, 1)]
    return Hypothetical(currency, rating.amount, rows, rating.as_data(), named)


def terms_on(society_id: int, day: datetime.date) -> tuple[CompensationTerms | None, core.Terms]:
    """What a society asks for uses of this day: its terms as recorded, and as plain facts."""
    held = CompensationTerms.objects.filter(society_id=society_id, valid_from__lte=day).order_by("-valid_from").first()
    if held is None:
        return None, core.Terms()
    return held, core.Terms(held.multiple, held.amount_per_work, held.currency, held.answer_days)


def _quantities(declaration: Declaration) -> list[Quantity]:
    used = DeclaredUse.objects.filter(declaration=declaration, status__in=core.UNALLOWED)
    groups = used.order_by("use", "kind", "unit").values_list("use", "kind", "unit").annotate(total=Sum("units"))
    return [Quantity(use, kind, unit, int(units)) for use, kind, unit, units in groups]


def _works(declaration: Declaration, charge: Charge) -> int:
    """Distinct works, unmatched identifiers included, that a charge would count."""
    used = DeclaredUse.objects.filter(declaration=declaration, status__in=core.UNALLOWED)
    for column, codes in (("use", charge.uses), ("kind", charge.kinds), ("unit", (charge.unit,))):
        if terms.ANY not in codes:
            used = used.filter(**{f"{column}__in": codes})
    return used.order_by().values("work_id", "scheme", "value").distinct().count()


def _row(place: int, amount: int, charge: Charge) -> dict[str, Any]:
    """A charge as `open_cases.sql` takes it."""
    return {
        "place": place, "name": charge.name, "amount": amount, "uses": list(charge.uses), "kinds": list(charge.kinds),
        "unit": charge.unit, "per_work": charge.model == "per_work",
    }  # fmt: skip
