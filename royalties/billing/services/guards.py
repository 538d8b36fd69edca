"""Who may bill, and for which periods."""

from __future__ import annotations

import datetime

from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict, Forbidden, NotFound, Refusal
from licensing.licences.models import Licence
from royalties.billing.models import Invoice

Period = tuple[datetime.date, datetime.date]
LONGEST = datetime.timedelta(days=366 * 5)


def enter(actor: Actor, society_id: int, permission: str) -> None:
    """NotFound to strangers, Forbidden to those whose role lacks the permission and to the sandbox."""
    if not actor.is_system and actor.organisation_id != society_id:
        raise NotFound(_("There is no such invoice or licence."))
    actor.require(permission)
    if actor.sandbox:
        raise Forbidden(_("A test token moves no money. Use a live one."))


def may_bill(actor: Actor, licence: Licence) -> None:
    """The society's finance people bill; the licensee sees that it may not, others see no licence."""
    if actor.organisation_id == licence.licensee_id and not actor.is_system:
        raise Forbidden(_("Only the society bills its licences."))
    enter(actor, licence.society_id, "billing.manage")


def check_period(period: Period) -> Period:
    start, end = period
    if end <= start:
        raise Refusal(
            "empty_period", _("The end is exclusive and must lie after the first day."), pointer="/period_end"
        )
    if end - start > LONGEST:
        raise Refusal("period_too_long", _("A billing period is at most five years long."), pointer="/period_end")
    return start, end


def no_overlap(licence: Licence, period: Period) -> None:
    """Billing periods of a licence are equal or apart, or a declaration would count in two of them."""
    asked = DateRange(*period)
    of_licence = Invoice.objects.of_periods().filter(licence=licence, period__overlap=asked)
    other = of_licence.exclude(period=asked).order_by("id").first()
    if other is not None:
        raise Conflict(
            "period_overlaps",
            _("Invoice %(number)s covers %(start)s to %(end)s (exclusive). Bill that period, or one beside it.")
            % {"number": other.number, "start": other.period.lower, "end": other.period.upper},
        )


def invoices_of(licence: Licence, period: Period) -> tuple[Invoice, ...]:
    """What was billed and credited for this very period, in order."""
    found = Invoice.objects.of_periods().filter(licence=licence, period=DateRange(*period))
    return tuple(found.select_related("version", "confirmed").order_by("id"))
