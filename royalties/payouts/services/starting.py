"""A batch before it is approved: started once, prepared, or discarded."""

from __future__ import annotations

import datetime

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.approvals.models import Approval
from accounts.identity.core import Actor, Conflict, Refusal
from accounts.organisations.models import Organisation
from royalties.ledger.core import FIRST_DAY, LAST_DAY
from royalties.ledger.models import Account
from royalties.payouts.models import Batch, Payment
from royalties.payouts.services.guards import KIND, PREPARE, enter, nothing_to_pay, own_batch, record_batch
from royalties.payouts.services.policies import policy_on

OPEN = (Batch.Status.DRAFT, Batch.Status.PREPARED, Batch.Status.APPROVED)


def currencies(society_id: int) -> list[str]:
    """Those in which somebody is owed something, and those of a batch that is not ordered yet."""
    owed = Account.objects.filter(society_id=society_id, kind="payable", credits__gt=F("debits"))
    waiting = Batch.objects.filter(society_id=society_id, status__in=OPEN)
    found = set(owed.order_by().values_list("currency", flat=True).distinct())
    return sorted(found | set(waiting.values_list("currency", flat=True)))


def start(*, actor: Actor, society: Organisation, execute_on: datetime.date, currency: str | None = None) -> Batch:
    """Open a draft, to be executed by the bank on a day. Starting it twice gives the same batch, never two.

    Raises Refusal where nobody is owed anything or several currencies wait and none is named; Conflict where a batch for
    another day is not ordered yet.
    """
    enter(actor, society, PREPARE)
    if not FIRST_DAY <= execute_on <= LAST_DAY:
        raise Refusal("day_out_of_range", _("Choose another day."), pointer="/on")
    chosen = currency or _only_currency(society)
    with transaction.atomic():
        if found := open_batch(society.pk, chosen):
            return _same(found, execute_on)
        if not Account.objects.filter(
            society=society, kind="payable", currency=chosen, credits__gt=F("debits")
        ).exists():
            raise nothing_to_pay()
        try:
            with transaction.atomic():
                return _create(actor, society, chosen, execute_on)
        except IntegrityError:  # somebody was faster
            faster = open_batch(society.pk, chosen)
            if faster is None:
                raise
            return _same(faster, execute_on)


def open_batch(society_id: int, currency: str) -> Batch | None:
    """The batch that is not ordered yet, if there is one."""
    return Batch.objects.filter(society_id=society_id, currency=currency, status__in=OPEN).first()


def _only_currency(society: Organisation) -> str:
    found = currencies(society.pk)
    if not found:
        raise nothing_to_pay()
    if len(found) > 1:
        raise Refusal(
            "several_currencies",
            _("Money waits in several currencies (%(found)s), and a payout has one. Name it.")
            % {"found": ", ".join(found)},
            pointer="/currency",
        )
    return found[0]


def _same(batch: Batch, execute_on: datetime.date) -> Batch:
    if batch.execute_on == execute_on:
        return batch
    raise Conflict(
        "batch_is_open",
        _("Payout %(batch)s for %(day)s is not ordered yet: approve or discard it first.")
        % {"batch": batch, "day": batch.execute_on},
    )


def _create(actor: Actor, society: Organisation, currency: str, execute_on: datetime.date) -> Batch:
    policy = policy_on(society.pk, currency, execute_on)
    batch = Batch.objects.create(
        society=society, currency=currency, execute_on=execute_on, policy=policy, heartbeat_at=timezone.now()
    )
    data = {"currency": currency, "execute_on": execute_on.isoformat(), "policy": policy.pk if policy else None}
    record_batch(actor, batch, "started", **data)
    return batch


@transaction.atomic
def discard(*, actor: Actor, batch: Batch, reason: str = "") -> Batch:
    """Give up a batch that is not ordered: its money stays payable. What was computed stays to be looked at."""
    batch = own_batch(actor, batch.pk, PREPARE, lock=True)
    moved = Batch.objects.filter(pk=batch.pk, status__in=OPEN).update(status=Batch.Status.DISCARDED)
    if moved != 1:
        raise Conflict(
            "batch_is_ordered", _("A payout that was ordered is not discarded: payments come back one by one.")
        )
    Payment.objects.filter(batch=batch).update(status=Payment.Status.DISCARDED, resend_of=None)
    Approval.objects.pending().about(KIND, batch.pk).filter(kind=KIND).delete()
    record_batch(actor, batch, "discarded", reason=reason)
    batch.refresh_from_db()
    return batch


def stalled(before: datetime.timedelta) -> list[int]:
    """Drafts and approved batches that nobody finished: a killed worker's."""
    moving = (Batch.Status.DRAFT, Batch.Status.APPROVED)
    silent = Batch.objects.filter(status__in=moving, problems=[], heartbeat_at__lt=timezone.now() - before)
    return list(silent.order_by("id").values_list("pk", flat=True))
