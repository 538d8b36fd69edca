"""When a society pays, from how much on, from which account: set by those who prepare payouts, from a day on."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing.tariffs.currencies import MINOR_DIGITS
from royalties.bank.models import BankAccount
from royalties.ledger.core import MAX_AMOUNT
from royalties.payouts.core import next_day
from royalties.payouts.models import PayoutPolicy
from royalties.payouts.services.guards import PREPARE, enter


def policy_on(society_id: int, currency: str, day: datetime.date) -> PayoutPolicy | None:
    """The policy in force on a day; without one everything is paid, and the file names no account."""
    found = PayoutPolicy.objects.filter(society_id=society_id, currency=currency).in_force(day)
    return found.select_related("debtor").first()


def next_payment(society_id: int, currency: str) -> datetime.date | None:
    """The day on which the society pays next by its policy."""
    today = timezone.localdate()
    policy = policy_on(society_id, currency, today)
    return next_day(policy.schedule, policy.day, today) if policy else None


@transaction.atomic
def set_policy(
    *,
    actor: Actor,
    society: Organisation,
    currency: str,
    valid_from: datetime.date,
    threshold: int,
    schedule: str,
    day: int,
    debtor: BankAccount | None,
    columns: Sequence[Sequence[str]] = (),
    ascii_only: bool = False,
    remittance: str = "",
) -> PayoutPolicy:
    """Lay down a policy from a day on. One that has not begun yet is replaced; one that has begun stays as it was."""
    enter(actor, society, PREPARE)
    if currency not in MINOR_DIGITS:
        raise Refusal("unknown_currency", _("“%(code)s” is not a currency.") % {"code": currency}, pointer="/currency")
    if not 0 <= threshold <= MAX_AMOUNT:
        raise Refusal("amount_out_of_range", _("The least amount is zero or more."), pointer="/threshold")
    if schedule not in PayoutPolicy.Schedule.values or not 1 <= day <= 28:
        raise Refusal("unknown_schedule", _("Choose a term, and a day from 1 to 28."), pointer="/day")
    if debtor is not None and (debtor.society_id != society.pk or debtor.currency != currency):
        raise NotFound(_("There is no such bank account in this currency."), pointer="/debtor")
    begun = PayoutPolicy.objects.filter(society=society, currency=currency, valid_from=valid_from)
    if valid_from < timezone.localdate() or (begun.exists() and valid_from <= timezone.localdate()):
        raise Conflict(
            "policy_has_begun",
            _("A policy begins today at the earliest, and one that has begun stays."),
            pointer="/valid_from",
        )
    policy, _new = PayoutPolicy.objects.update_or_create(
        society=society,
        currency=currency,
        valid_from=valid_from,
        defaults={
            "threshold": threshold, "schedule": schedule, "day": day, "debtor": debtor, "columns": [list(each) for each in columns],
            "ascii_only": ascii_only, "remittance": remittance[:100],
        },
    )  # fmt: skip
    data = {
        "currency": currency, "valid_from": valid_from.isoformat(), "threshold": threshold, "schedule": schedule, "day": day,
        "debtor": debtor.pk if debtor else None,
    }  # fmt: skip
    record(
        actor=actor,
        verb="payout_policy.set",
        object=Reference("payout_policy", policy.pk),
        organisation_id=society.pk,
        data=data,
    )
    return policy
