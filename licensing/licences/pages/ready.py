"""A standing offer as it is shown: whether it can be taken today, and what it costs a firm of each size."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch
from django.utils import timezone
from django.utils.translation import gettext as _

from licensing.licences import wording
from licensing.licences.models import StandingOffer
from licensing.licences.services import standing
from licensing.tariffs import core as tariff_core
from licensing.tariffs.models import TariffVersion


@dataclass(frozen=True, slots=True)
class Ready:
    """A standing offer as it is shown: whether it can be taken today, and what it costs firms of each size."""

    offer: StandingOffer
    holds: bool
    prices: list[tuple[str, int]]
    currency: str
    period_months: int | None

    @property
    def name(self) -> str:
        return self.offer.name_ko if wording.language() == "ko" and self.offer.name_ko else self.offer.name

    @property
    def periods(self) -> int | None:
        """How often the price is owed over the whole term, where the tariff says for how long it is."""
        return -(-self.offer.months // self.period_months) if self.period_months else None

    def price_said(self, amount: int) -> str:
        """`₩300,000 for 12 months`, without VAT."""
        said = {"price": wording.money(amount, self.currency), "months": self.period_months}
        if self.period_months is None:
            return _("%(price)s for each billing period") % said
        if self.periods == 1:
            return _("%(price)s for the whole term") % said
        return _("%(price)s for each %(months)s months") % said

    @property
    def lines(self) -> list[tuple[str, str]]:
        return [(tier, self.price_said(amount)) for tier, amount in self.prices]


def with_rates(found: Any) -> Any:
    """With the version of today, so that a page of them asks the database twice."""
    today = TariffVersion.objects.in_force(timezone.localdate())
    return found.select_related("society", "tariff", "terms").prefetch_related(
        Prefetch("tariff__versions", today, to_attr="today")
    )


def shown_today(offer: StandingOffer) -> Ready:
    """Of an offer that was found `with_rates`."""
    today: Iterable[TariffVersion] = offer.tariff.today  # type: ignore[attr-defined]
    version = next(iter(today), None)
    if version is None:
        return Ready(offer, False, [], offer.tariff.currency, None)
    schedule = tariff_core.parse(version.document)
    scope = tariff_core.Scope(uses=tuple(offer.uses), kinds=tuple(offer.kinds))
    prices = [
        (tier, tariff_core.rate(schedule, quantities=[], tier=tier, scope=scope).amount)
        for tier in standing.choices(offer, schedule)
    ]
    return Ready(offer, standing.holds(offer, version), prices, schedule.currency, schedule.period_months)
