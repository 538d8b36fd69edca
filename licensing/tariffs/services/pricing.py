"""What some use would cost under a version of a tariff, whoever asks: nothing is stored."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, NotFound, Refusal
from licensing.tariffs import core
from licensing.tariffs.models import Tariff, TariffVersion
from licensing.tariffs.services.finding import version_in_force


def version_to_price(
    *, actor: Actor, tariff: Tariff, number: int | None = None, day: datetime.date | None = None
) -> TariffVersion:
    """The version with this number, as far as the actor may see it; else that in force on a day, today without one."""
    if number is not None and day is not None:
        raise Refusal("version_and_day", _("Name a version or a day, not both."), pointer="/on")
    if number is not None:
        version = tariff.versions.visible_to(actor).filter(version=number).first()
        if version is None:
            raise NotFound(
                _("The tariff “%(ref)s” has no version %(version)s.") % {"ref": tariff.ref, "version": number}
            )
        return version
    day = day or timezone.localdate()
    version = version_in_force(tariff, day)
    if version is None:
        raise Refusal(
            "no_tariff_in_force",
            _("No version of the tariff “%(ref)s” is in force on %(day)s. Name the number of one to price by it.")
            % {"ref": tariff.ref, "day": day},
            pointer="/on",
        )
    return version


def price(
    *,
    schedule: core.Schedule,
    tier: str,
    quantities: Sequence[core.Quantity],
    bases: Mapping[str, int],
    scope: core.Scope = core.ANYTHING,
) -> core.Rating:
    """The rating of these figures. A tier that the tariff does not know or price is refused: it would only seem cheap."""
    known = sorted({name for charge in schedule.charges for name in charge.licensee_tiers})
    if tier and known and tier not in known:
        raise Refusal(
            "unknown_tier",
            _("The tariff has no such tier. Its tiers are: %(known)s.") % {"known": ", ".join(known)},
            pointer="/tier",
        )
    if not any(charge.serves(tier) for charge in schedule.charges):
        raise Refusal(
            "tier_missing",
            _("The tariff has prices by the size of the licensee. Name its tier: %(known)s.")
            % {"known": ", ".join(known)},
            pointer="/tier",
        )
    return core.rate(schedule, quantities=quantities, bases=bases, tier=tier, scope=scope)
