"""The VAT that a society adds to its invoices: one rule a day, set for days on which nothing was issued."""

from __future__ import annotations

import datetime
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing.licences.models import Licence
from royalties.billing.models import Invoice, VatExemption, VatRule
from royalties.billing.services.guards import enter


@transaction.atomic
def set_vat_rule(*, actor: Actor, society: Organisation, percent: Decimal, valid_from: datetime.date) -> VatRule:
    """Add VAT of so many percent to invoices issued from this day on; 0 means none. The rule before it ends there.

    Raises Refusal for a rate that is no percentage, Conflict where a later rule exists or invoices were issued since.
    """
    enter(actor, society.pk, "billing.manage")
    if not 0 <= percent <= 100 or percent != round(percent, 3):
        raise Refusal(
            "bad_percent",
            _("A rate lies between 0 and 100 percent and has at most three decimals."),
            pointer="/percent",
        )
    Organisation.objects.select_for_update(no_key=True).get(pk=society.pk)
    if Invoice.objects.filter(society=society, issued_on__gte=valid_from).exists():
        raise Conflict(
            "invoices_issued",
            _("Invoices were issued on that day or later. Choose a later day."),
            pointer="/valid_from",
        )
    for rule in VatRule.objects.filter(society=society, valid__contains=valid_from):
        if rule.valid.lower == valid_from:
            raise Conflict("rule_exists", _("A rule begins on that day already."), pointer="/valid_from")
        rule.valid = DateRange(rule.valid.lower, valid_from)
        rule.save(update_fields=["valid"])
    try:
        with transaction.atomic():
            rule = VatRule.objects.create(society=society, percent=percent, valid=DateRange(valid_from, None))
    except IntegrityError as error:
        raise Conflict("rule_exists", _("A later rule exists already."), pointer="/valid_from") from error
    data = {"percent": str(percent), "valid_from": valid_from.isoformat()}
    record(
        actor=actor, verb="vat_rule.set", object=Reference("vat_rule", rule.pk), organisation_id=society.pk, data=data
    )
    return rule


def vat_on(society_id: int, licensee_id: int, day: datetime.date) -> tuple[Decimal | None, str]:
    """The percent of VAT on what a licensee is billed that day, and by what: `standard`, `zero_rated`, `exempt`, or no rule."""
    own = VatExemption.objects.filter(society_id=society_id, licensee_id=licensee_id, valid__contains=day).first()
    if own is not None:
        return Decimal(0), own.treatment
    rule = VatRule.objects.filter(society_id=society_id, valid__contains=day).first()
    return (rule.percent, "standard") if rule is not None else (None, "")


@transaction.atomic
def set_vat_exemption(
    *,
    actor: Actor,
    society: Organisation,
    licensee: Organisation,
    treatment: str,
    reason: str,
    valid_from: datetime.date,
    valid_to: datetime.date | None = None,
) -> VatExemption:
    """Bill a licensee without VAT from this day on (to an exclusive end): zero-rated or exempt, and why.

    Raises Conflict where invoices were issued to it since, or another rule covers some of these days.
    """
    enter(actor, society.pk, "billing.manage")
    said = reason.strip()[:300]
    if not said or treatment not in VatExemption.Treatment.values:
        raise Refusal("no_reason", _("Say why no VAT is added."), pointer="/reason")
    if valid_to is not None and valid_to <= valid_from:
        raise Refusal("empty_period", _("The end is exclusive and must lie after the first day."), pointer="/valid_to")
    if not Licence.objects.filter(society=society, licensee=licensee).exists():
        raise Refusal("no_licence", _("This organisation has no licence of yours."), pointer="/licensee")
    Organisation.objects.select_for_update(no_key=True).get(pk=society.pk)
    if Invoice.objects.filter(society=society, licensee=licensee, issued_on__gte=valid_from).exists():
        raise Conflict(
            "invoices_issued",
            _("Invoices were issued on that day or later. Choose a later day."),
            pointer="/valid_from",
        )
    try:
        with transaction.atomic():
            made = VatExemption.objects.create(
                society=society,
                licensee=licensee,
                treatment=treatment,
                reason=said,
                valid=DateRange(valid_from, valid_to),
            )
    except IntegrityError as error:
        raise Conflict(
            "rule_exists", _("Another rule for this licensee covers some of these days."), pointer="/valid_from"
        ) from error
    data = {"licensee": licensee.ref, "kind": treatment, "reason": said, "valid_from": valid_from.isoformat()}
    about = Reference("vat_exemption", made.pk)
    record(actor=actor, verb="vat_exemption.set", object=about, organisation_id=society.pk, data=data)
    return made
