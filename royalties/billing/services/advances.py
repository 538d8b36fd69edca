"""Advances: the fixed price of a billing period, asked for when the period begins."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import SYSTEM, Actor, NotFound, Refusal
from licensing.licences.models import Licence
from licensing.tariffs.core import Schedule, parse
from licensing.tariffs.models import TariffVersion
from licensing.tariffs.periods import period_of
from licensing.tariffs.services import version_in_force
from royalties.billing.models import Invoice
from royalties.billing.services.bases import Basis
from royalties.billing.services.drafts import Draft, drafted, of_basis
from royalties.billing.services.guards import Period, check_period, invoices_of, may_bill, no_overlap
from royalties.billing.services.invoices import hold, issue


@dataclass(frozen=True, slots=True)
class AdvanceDue:
    """A licence at a fixed price whose billing period has begun and was not billed."""

    licence: Licence
    period: Period


def advances_due(actor: Actor, today: datetime.date) -> list[AdvanceDue]:
    """A society's licences in force at a fixed price whose present billing period no invoice covers, by their refs.

    An amendment waits while the period that was billed in advance for the licence before it still runs.
    """
    licences = Licence.objects.visible_to(actor).filter(status=Licence.Status.ACTIVE, valid__contains=today)
    if not actor.is_system:
        licences = licences.filter(society_id=actor.organisation_id or 0)
    if actor.sandbox:
        return []
    priced = TariffVersion.objects.in_force(today).filter(
        tariff=OuterRef("tariff"), document__has_any_keys=["period_months", "self_service"]
    )
    billed = Invoice.objects.of_periods().filter(licence=OuterRef("pk"), period__contains=today)
    before = Invoice.objects.filter(
        kind=Invoice.Kind.ADVANCE, period__contains=today, licence__status=Licence.Status.AMENDED,
        licence__licensee=OuterRef("licensee"), licence__tariff=OuterRef("tariff"),
    )  # fmt: skip
    amendments = Q(succeeds__isnull=False) & Exists(before)
    waiting = licences.filter(Exists(priced)).exclude(Exists(billed)).exclude(amendments).order_by("ref")
    return _with_periods(waiting.select_related("licensee", "society", "tariff"), today)


def _with_periods(licences: Iterable[Licence], today: datetime.date) -> list[AdvanceDue]:
    found = list(licences)
    versions = TariffVersion.objects.in_force(today).filter(tariff__in={licence.tariff_id for licence in found})
    schedules = {version.tariff_id: parse(version.document) for version in versions}
    due = [(licence, fixed_period(licence, schedules[licence.tariff_id], today)) for licence in found]
    return [AdvanceDue(licence, period) for licence, period in due if period is not None]


def fixed_period(licence: Licence, schedule: Schedule, day: datetime.date) -> Period | None:
    """The billing period in which a day lies, where the licence's price does not depend on use; else None.

    Fixed is a price of flat charges alone; a percentage or a declared count is known only at the end of a period.
    """
    charges = [
        charge
        for charge in schedule.charges
        if charge.serves(licence.tier) and charge.meets(licence.uses, licence.kinds)
    ]
    months = schedule.period_months or (schedule.self_service.months if schedule.self_service else None)
    if not charges or not months or any(charge.model != "flat" for charge in charges):
        return None
    return period_of(day, since=licence.valid.lower, until=licence.valid.upper, months=months)


def draft_advance(
    *, actor: Actor, licence: Licence, start: datetime.date, issued_on: datetime.date | None = None
) -> Draft:
    """The advance for the billing period in which `start` lies; changes nothing.

    Raises Refusal where the price depends on use, or the period has not begun on the day of issue.
    """
    may_bill(actor, licence)
    day, period = issued_on or timezone.localdate(), _period(licence, start)
    if licence.status in (Licence.Status.DRAFT, Licence.Status.SUSPENDED):
        raise Refusal("not_in_force", _("This licence is not in force, so it owes nothing in advance."))
    if period[0] > day:
        raise Refusal(
            "not_begun",
            _("The period begins on %(day)s. It is billed from that day on.") % {"day": period[0]},
            pointer="/period_start",
        )
    no_overlap(licence, period)
    earlier = invoices_of(licence, period)
    if earlier:
        raise Refusal(
            "billed_already",
            _("Invoice %(number)s bills this period already.") % {"number": earlier[-1].number},
        )
    return drafted(licence, period, of_basis(licence, period, earlier, Basis("fixed")), earlier, day)


def _period(licence: Licence, start: datetime.date) -> Period:
    version = version_in_force(licence.tariff, start)
    period = fixed_period(licence, parse(version.document), start) if version else None
    if period is None:
        raise Refusal(
            "not_fixed",
            _("This licence has no fixed price for that day: it is billed for what is declared."),
            pointer="/period_start",
        )
    return check_period(period)


@transaction.atomic
def advance(
    *,
    actor: Actor,
    licence: Licence,
    start: datetime.date,
    until: datetime.date | None = None,
    issued_on: datetime.date | None = None,
) -> Invoice:
    """Issue the advance for the billing period in which `start` lies. A second time gives the one that is there.

    Where the caller names the end too, it is that whole period or a Refusal.
    """
    may_bill(actor, licence)
    period = _period(licence, start)
    if until is not None and period != (start, until):
        raise Refusal(
            "other_period",
            _("The fixed price is for the period from %(start)s to %(end)s (exclusive).")
            % {"start": period[0], "end": period[1]},
            pointer="/period_end",
        )
    held = hold(licence, period)
    if held.valid != licence.valid:
        raise NotFound(_("The term of this licence changed. Look again."))
    for invoice in invoices_of(held, period):
        if invoice.kind == Invoice.Kind.ADVANCE:
            return invoice
    return issue(actor, draft_advance(actor=actor, licence=held, start=start, issued_on=issued_on))


def issue_advances(today: datetime.date) -> tuple[int, list[str]]:
    """Issue every advance that is due: how many, and the licences that were refused, each with its reason."""
    issued, refused = 0, []
    for due in advances_due(SYSTEM, today):
        try:
            advance(actor=SYSTEM, licence=due.licence, start=due.period[0], issued_on=today)
            issued += 1
        except Refusal as refusal:
            refused.append(f"{due.licence.ref}: {refusal}")
    return issued, refused
