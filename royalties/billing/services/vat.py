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
from royalties.billing.models import Invoice, VatRule
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
