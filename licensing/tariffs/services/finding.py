"""Which tariff, and which of its versions prices a day or a period."""

from __future__ import annotations

import datetime

from django.db.models import Max
from django.utils.translation import gettext as _

from accounts.identity.core import NotFound, Refusal
from accounts.organisations.models import Organisation
from licensing.tariffs.models import Tariff, TariffVersion


def find_tariff(*, society: Organisation, ref: str) -> Tariff:
    tariff = Tariff.objects.filter(society=society, ref=ref).first()
    if tariff is None:
        raise NotFound(_("%(society)s has no tariff “%(ref)s”.") % {"society": society.ref, "ref": ref})
    return tariff


def version_in_force(tariff: Tariff, day: datetime.date) -> TariffVersion | None:
    """The determined version whose days include this one."""
    return tariff.versions.in_force(day).first()


def version_for_period(tariff: Tariff, start: datetime.date, end: datetime.date) -> TariffVersion:
    """The one version that prices a billing period: in force on its first day, and on all the others.

    Tiers count a whole period, so a period under two versions has no single price: it must be billed in parts. Only
    where the version says for how many months its prices are does it price the period that began under it to its end.
    """
    version = version_in_force(tariff, start)
    if version is None:
        raise Refusal(
            "no_tariff_in_force",
            _(
                "No determined version of the tariff “%(tariff)s” is in force on %(day)s. "
                "A rate body has to determine one."
            )
            % {"tariff": tariff.ref, "day": start},
        )
    until = version.valid.upper
    if until is not None and until < end and not version.document.get("period_months"):
        raise Refusal(
            "tariff_changes_in_period",
            _(
                "Version %(version)s of the tariff “%(tariff)s” ends on %(split)s, inside this period. "
                "Use one period up to %(split)s and another from that day."
            )
            % {"version": version.version, "tariff": tariff.ref, "split": until},
        )
    return version


def next_version(tariff: Tariff) -> int:
    """The number that the tariff's next version would naturally carry."""
    return (tariff.versions.aggregate(last=Max("version"))["last"] or 0) + 1
