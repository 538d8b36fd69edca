"""Which rates price a licence, and whether they price what is asked for."""

from __future__ import annotations

import datetime
from collections.abc import Collection

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import Refusal
from licensing import labels, terms
from licensing.licences.models import LicenceRequest
from licensing.licences.quantities import tiers_of
from licensing.tariffs import core
from licensing.tariffs.models import Tariff, TariffVersion
from licensing.tariffs.services import version_in_force


def version_on(tariff: Tariff, day: datetime.date) -> TariffVersion:
    """The version in force on the first day of a term; where none is known for so late a day yet, today's."""
    version = _version(tariff, day)
    if version is None:
        raise Refusal(
            "no_tariff_in_force",
            _(
                "No determined version of the tariff “%(tariff)s” is in force on %(day)s. "
                "A rate body has to determine one."
            )
            % {"tariff": tariff.ref, "day": day},
        )
    return version


def check_priced(request: LicenceRequest) -> None:
    """Whether the rates known for a request price it. Where none are in force yet, that is seen when it is quoted."""
    version = _version(request.tariff, request.term.lower)
    if version is not None:
        schedule = core.parse(version.document)
        check_known_tier(schedule, request.tier)
        check_scope(schedule, request.tier, request.uses, request.kinds)


def check_known_tier(schedule: core.Schedule, tier: str) -> None:
    known = tiers_of(schedule)
    if (tier and known and tier not in known) or not any(charge.serves(tier) for charge in schedule.charges):
        raise Refusal(
            "no_rates_for_tier",
            _("The tariff has no rates for this size of licensee. Its sizes are: %(known)s.")
            % {"known": ", ".join(known)},
            pointer="/tier",
        )


def check_scope(schedule: core.Schedule, tier: str, uses: Collection[str], kinds: Collection[str]) -> None:
    """Whether each use and each kind of work that is named has a price: what has none would only seem to be free."""
    charges = [charge for charge in schedule.charges if charge.serves(tier)]
    for use in uses:
        if not any(charge.meets([use], kinds) for charge in charges):
            raise _unpriced(use, "/uses")
    for kind in kinds:
        if not any(charge.meets(uses, [kind]) for charge in charges):
            raise _unpriced(kind, "/kinds")


def _unpriced(code: str, pointer: str) -> Refusal:
    said = _("any") if code == terms.ANY else labels.label(code)
    detail = _("The tariff has no price for this: %(what)s. Ask only for what it prices.") % {"what": said}
    return Refusal("not_priced", detail, pointer=pointer)


def _version(tariff: Tariff, day: datetime.date) -> TariffVersion | None:
    today = timezone.localdate()
    return version_in_force(tariff, day) or (version_in_force(tariff, today) if day > today else None)
