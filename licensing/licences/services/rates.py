"""Tell licensees what becomes of the tariffs that their licences are under: proposed, soon closed, decided, soon in force.

The slice of tariffs below knows no licences, so this floor looks what has changed there. Nobody hears of a thing twice.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Final

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.access.models import Membership
from licensing.licences.models import Licence
from licensing.tariffs.models import PRICING, TariffVersion
from licensing.tariffs.services import telling

CLOSES_IN: Final = datetime.timedelta(days=7)
BEGINS_IN: Final = datetime.timedelta(days=30)
TOLD_FOR: Final = datetime.timedelta(days=14)  # after a decision; a run that was missed is made up for
_ROLES: Final = ("administrator", "finance")
_LIVING: Final = ("active", "suspended")


def tell_of_rates(*, today: datetime.date) -> int:
    """Tell the people of licensees; returns of how many occasions. Safe to run again: each is told once."""
    versions = TariffVersion.objects.select_related("tariff__society", "addressed_to")
    open_now = versions.undecided().filter(consultation__contains=today)
    told = 0
    for version in open_now.order_by("pk"):
        told += _tell(version, f"tariff-proposal:{version.pk}", _proposed(version))
        if version.consultation.upper - today <= CLOSES_IN:
            key = f"tariff-closes-soon:{version.pk}:{version.consultation.upper}"
            told += _tell(version, key, _closing(version))
    lately = Q(decisions__decided_at__date__gt=today - TOLD_FOR, consultation__isnull=False)
    for version in versions.filter(lately).distinct().order_by("pk"):
        told += _tell(version, f"tariff-outcome:{version.pk}:{version.status}", _decided(version))
    coming = versions.filter(status__in=PRICING, valid__startswith__gt=today, valid__startswith__lte=today + BEGINS_IN)
    for version in coming.order_by("pk"):
        told += _tell(version, f"tariff-begins:{version.pk}:{version.valid.lower}", _beginning(version))
    return told


def _tell(version: TariffVersion, key: str, said: Callable[[], tuple[str, str]]) -> int:
    licensees = Licence.objects.filter(tariff_id=version.tariff_id, status__in=_LIVING).values("licensee_id")
    people = Membership.objects.filter(organisation_id__in=licensees, role__in=_ROLES, user__is_active=True)
    link = telling.page(version)
    if not key.startswith(("tariff-proposal", "tariff-closes")):
        link = f"{reverse('licensing:tariff', args=[version.tariff_id])}?version={version.version}"
    telling.tell(people.values_list("user_id", flat=True).distinct(), key, said, link)
    return 1


def _proposed(version: TariffVersion) -> Callable[[], tuple[str, str]]:
    def said() -> tuple[str, str]:
        subject = _("New rates are proposed for your licence: %(tariff)s, version %(number)s")
        body = _("Read what they would change, and say what you think of them by %(day)s.")
        return subject % telling.named(version), body % {"day": telling.last_day(version)}

    return said


def _closing(version: TariffVersion) -> Callable[[], tuple[str, str]]:
    def said() -> tuple[str, str]:
        facts = telling.named(version) | {"day": str(telling.last_day(version))}
        subject = _("The consultation closes on %(day)s: %(tariff)s, version %(number)s")
        return subject % facts, _("After that day the rate body decides. Comments are taken until then.")

    return said


def _decided(version: TariffVersion) -> Callable[[], tuple[str, str]]:
    def said() -> tuple[str, str]:
        subject = _("The rate body has decided: %(tariff)s, version %(number)s")
        body = _("How it was decided: %(outcome)s. The reasons are public.") % {"outcome": version.get_status_display()}
        return subject % telling.named(version), body

    return said


def _beginning(version: TariffVersion) -> Callable[[], tuple[str, str]]:
    def said() -> tuple[str, str]:
        facts = telling.named(version) | {"day": str(version.valid.lower)}
        subject = _("From %(day)s other rates apply to your licence: %(tariff)s, version %(number)s")
        return subject % facts, _("Periods that begin on that day or later are billed by them.")

    return said
