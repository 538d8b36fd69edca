"""What a licence obliges to, in plain words and with its days."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from licensing.licences.conditions import Conditions
from licensing.licences.models import Licence


@dataclass(frozen=True, slots=True)
class Obligation:
    """One duty: what it is about, what is to be done, and by when where a day follows from the term."""

    about: str
    said: str
    day: datetime.date | None = None


def of(licence: Licence) -> list[Obligation]:
    """The conditions that were agreed; none for a licence granted without any."""
    if not licence.conditions:
        return []
    agreed = Conditions.from_data(licence.conditions)
    last = licence.valid.upper - datetime.timedelta(days=1) if licence.valid.upper else None
    return [*_reporting(agreed), *_copies(agreed, last), *_rights(agreed), *_end(agreed, last)]


def renewal_notice(licence: Licence) -> datetime.date | None:
    """The day by which a renewal is asked for."""
    if licence.valid.upper is None or not licence.conditions:
        return None
    days = Conditions.from_data(licence.conditions).renewal_notice_days
    return licence.valid.upper - datetime.timedelta(days=days + 1)


def _reporting(agreed: Conditions) -> list[Obligation]:
    if agreed.reporting_months is None:
        return [Obligation(_("Declarations"), _("Use does not have to be declared."))]
    every = ngettext("every %(n)s month", "every %(n)s months", agreed.reporting_months) % {
        "n": agreed.reporting_months
    }
    within = _days(agreed.report_within_days)
    said = _("Declare what you use %(every)s, within %(days)s after the period.") % {"every": every, "days": within}
    return [Obligation(_("Declarations"), said)]


def _copies(agreed: Conditions, last: datetime.date | None) -> list[Obligation]:
    kept, deleted = agreed.retention_days, agreed.deletion_days
    held = _("Copies of works may be kept as long as the licence holds.")
    if kept is not None:
        held = _("Keep copies of works for at most %(days)s.") % {"days": _days(kept)}
    found = [Obligation(_("Copies"), held)]
    if agreed.output_limit is not None:
        said = _("An output may repeat at most %(n)s characters of one work in a row.")
        found.append(Obligation(_("Outputs"), said % {"n": f"{agreed.output_limit:,}"}))
    if deleted is not None:
        said = _("After the end, delete what is left of the works within %(days)s.") % {"days": _days(deleted)}
        day = last and last + datetime.timedelta(days=deleted)
        found.append(Obligation(_("Deletion"), said, day))
    return found


def _rights(agreed: Conditions) -> list[Obligation]:
    passed_on = _("Sub-licences may be granted.") if agreed.sublicensing else _("No sub-licence may be granted.")
    found = [Obligation(_("Sub-licences"), passed_on)]
    if agreed.audit_notice_days is not None:
        said = _("The society may audit your records, with %(days)s' notice.") % {
            "days": _days(agreed.audit_notice_days)
        }
        found.append(Obligation(_("Audit"), said))
    said = _("When an invoice is overdue by %(days)s, the licence may be suspended.")
    return [*found, Obligation(_("Payment"), said % {"days": _days(agreed.suspension_days)})]


def _end(agreed: Conditions, last: datetime.date | None) -> list[Obligation]:
    if last is None:
        return []
    said = _("Ask for a renewal at least %(days)s before the end.") % {"days": _days(agreed.renewal_notice_days)}
    return [Obligation(_("Renewal"), said, last - datetime.timedelta(days=agreed.renewal_notice_days))]


def _days(number: int) -> str:
    return ngettext("%(n)s day", "%(n)s days", number) % {"n": number}
