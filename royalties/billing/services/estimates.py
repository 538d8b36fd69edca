"""Estimates: an invoice for a period whose report is overdue, corrected by the true declaration."""

from __future__ import annotations

import datetime

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, NotFound, Refusal
from accounts.organisations.models import Organisation
from licensing.declarations.models import Declaration, ReportDuty
from licensing.declarations.models.duties import ReportDutyQuerySet
from licensing.declarations.services import overdue_for_estimate
from licensing.licences.models import Licence
from licensing.tariffs.core import parse
from licensing.tariffs.services import version_for_period
from royalties.billing.models import Invoice
from royalties.billing.services.bases import basis_of
from royalties.billing.services.drafts import Draft, drafted, of_basis
from royalties.billing.services.guards import check_period, invoices_of, may_bill, no_overlap
from royalties.billing.services.invoices import hold, issue


def estimates_due(actor: Actor, today: datetime.date) -> ReportDutyQuerySet:
    """The actor's society's overdue reports whose period no invoice covers yet, the longest overdue first."""
    if not actor.is_society or actor.sandbox:
        return ReportDuty.objects.none()
    billed = Invoice.objects.of_periods().filter(licence=OuterRef("licence"), period__overlap=OuterRef("period"))
    overdue = overdue_for_estimate(Organisation(pk=actor.organisation_id), today).exclude(
        licence__status=Licence.Status.DRAFT
    )
    return overdue.exclude(Exists(billed)).select_related("licence__licensee", "licence__tariff", "licence__society")


def draft_estimate(*, actor: Actor, duty: ReportDuty, issued_on: datetime.date | None = None) -> Draft:
    """The estimated invoice of an overdue report; changes nothing.

    Rates what the licence used on average in its last four reporting periods, or else what its request expected. Raises
    Refusal where the report is not overdue, something was declared for the period, or nothing tells what was used.
    """
    licence, period = duty.licence, check_period((duty.period.lower, duty.period.upper))
    may_bill(actor, licence)
    day = issued_on or timezone.localdate()
    if duty.status != ReportDuty.Status.OPEN or duty.due_on >= day:
        raise Refusal("not_overdue", _("This report is not overdue, so there is nothing to estimate."))
    declared = Declaration.objects.billable().filter(licence=licence, period__overlap=DateRange(*period)).order_by("id")
    if (first := declared.first()) is not None:
        raise Refusal(
            "declared",
            _("Declaration #%(id)s reports use in this period. Bill what was declared.") % {"id": first.pk},
        )
    no_overlap(licence, period)
    earlier = invoices_of(licence, period)
    schedule = parse(version_for_period(licence.tariff, *period).document)
    asked = drafted(
        licence, period, of_basis(licence, period, earlier, basis_of(licence, period, schedule)), earlier, day
    )
    if asked.net <= 0:
        raise Refusal("nothing_to_bill", _("The estimate comes to no more than was billed already."))
    return asked


@transaction.atomic
def estimate(*, actor: Actor, duty: ReportDuty, issued_on: datetime.date | None = None) -> Invoice:
    """Issue the estimated invoice of an overdue report. A second time gives the one that is there."""
    may_bill(actor, duty.licence)
    period = (duty.period.lower, duty.period.upper)
    licence = hold(duty.licence, period)
    duty = ReportDuty.objects.select_for_update(no_key=True, of=("self",)).get(pk=duty.pk)
    if (duty.period.lower, duty.period.upper) != period:
        raise NotFound(_("There is no such duty to report."))
    duty.licence = licence
    for invoice in invoices_of(licence, period):
        if invoice.kind == Invoice.Kind.ESTIMATE:
            return invoice
    return issue(actor, draft_estimate(actor=actor, duty=duty, issued_on=issued_on))
