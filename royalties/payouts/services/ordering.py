"""Four eyes on a batch, then one journal: payable → tax, payable → paying. From then on it is owed to the bank to carry it out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.approvals.models import Approval
from accounts.approvals.services import approved, decide, request_approval
from accounts.identity.core import SYSTEM, Actor, Conflict
from royalties.entitlements.services import took
from royalties.ledger import services as ledger
from royalties.payees.core.accounts import bank_code
from royalties.payouts.core import A_PART, Digest, Tax, message_id
from royalties.payouts.models import Batch, CarriedForward, Payment
from royalties.payouts.services.guards import APPROVE, KIND, PREPARE, about, own_batch, record_batch
from royalties.payouts.services.preparing import head, rests_on

DONE: Final = (Batch.Status.ORDERED, Batch.Status.SENT, Batch.Status.SETTLED)
NO_ACCOUNT: Final = "NOTPROVIDED"
_AT_ONCE: Final = 5_000
_ORDER: Final = """
    SELECT a.id AS debit_id, %s::bigint AS credit_id, sum(p.net)::bigint AS amount
    FROM royalties_payment p
    JOIN ledger_account a ON a.society_id = p.society_id AND a.kind = 'payable' AND a.owner_id = p.holder_id AND a.currency = p.currency
    WHERE p.batch_id = %s GROUP BY a.id
    UNION ALL
    SELECT a.id, t.id, sum(x.amount)::bigint
    FROM royalties_paymenttax x
    JOIN ledger_account a ON a.society_id = x.society_id AND a.kind = 'payable' AND a.owner_id = x.holder_id AND a.currency = x.currency
    JOIN ledger_account t ON t.society_id = x.society_id AND t.kind = 'tax:' || x.name AND t.currency = x.currency
    WHERE x.batch_id = %s AND x.amount > 0 GROUP BY a.id, t.id"""
_SHORT: Final = """
    SELECT count(*) FROM (SELECT holder_id, sum(gross) AS gross FROM royalties_payment WHERE batch_id = %s GROUP BY holder_id) p
    LEFT JOIN ledger_account a ON a.society_id = %s AND a.kind = 'payable' AND a.owner_id = p.holder_id AND a.currency = %s
    WHERE coalesce(a.credits - a.debits, 0) < p.gross"""


@transaction.atomic
def request(*, actor: Actor, batch: Batch) -> Approval:
    """Ask a second person to approve the batch as it was prepared."""
    batch = own_batch(actor, batch.pk, PREPARE)
    if batch.status != Batch.Status.PREPARED:
        raise Conflict("batch_is_not_prepared", _("Only a payout that is prepared can be put up for approval."))
    return request_approval(
        actor=actor, kind=KIND, object=about(batch), organisation_id=batch.society_id, subject_sha256=batch.digest
    )


def pending(batch: Batch) -> Approval | None:
    """The approval that waits for a decision on this batch, if one was asked for."""
    return Approval.objects.pending().about(KIND, batch.pk).filter(kind=KIND).select_related("requester").first()


@transaction.atomic
def approve(*, actor: Actor, batch: Batch, approve: bool = True, reason: str = "") -> Batch:
    """Decide on the pending approval, which is bound to the batch's digest. Of two decisions at once exactly one counts.

    Raises Conflict where payee data, papers, others' claims or balances have changed since it was prepared.
    """
    batch = own_batch(actor, batch.pk, APPROVE, lock=True)  # before the approval, as whoever discards it does
    waits = pending(batch)
    if waits is None:
        raise Conflict(
            "approval_not_requested",
            _("No approval of this payout is waiting: it was decided already, or nobody has asked."),
        )
    if approve:
        require_unchanged(batch)
    decide(actor=actor, approval=waits, approve=approve, reason=reason, subject_sha256=batch.digest)
    if not approve:
        record_batch(actor, batch, "refused", reason=reason)
        return batch
    moved = Batch.objects.filter(pk=batch.pk, status=Batch.Status.PREPARED, digest=batch.digest).update(
        status=Batch.Status.APPROVED, heartbeat_at=timezone.now()
    )
    if moved != 1:
        raise Conflict("batch_is_not_prepared", _("The payout changed while you approved it. Look at it again."))
    record_batch(actor, batch, "approved", digest=batch.digest, reason=reason)
    batch.refresh_from_db()
    return batch


def require_unchanged(batch: Batch) -> None:
    """Raise Conflict where what the batch rests on is no longer as it was: discard it, and prepare another."""
    if rests_on(batch) != batch.input_digest:
        raise Conflict(
            "batch_is_stale",
            _(
                "Payment details, tax papers, checks or others’ claims have changed since this payout was prepared. Discard it "
                "and prepare another."
            ),
        )
    with connection.cursor() as cursor:
        cursor.execute(_SHORT, [batch.pk, batch.society_id, batch.currency])
        if cursor.fetchone()[0]:
            raise Conflict(
                "batch_is_stale",
                _("Somebody is owed less than this payout pays them. Discard it and prepare another."),
            )


@transaction.atomic
def order(batch_id: int, *, actor: Actor = SYSTEM) -> Batch:
    """Post an approved batch: one journal, keyed `payout:<id>`. One that is ordered already is returned as it is.

    Raises Conflict where it is not approved as it stands, or what it rests on has changed.
    """
    batch = Batch.objects.select_for_update(of=("self",)).select_related("society", "policy__debtor").get(pk=batch_id)
    if batch.status in DONE:
        return batch
    granted = approved(about(batch), KIND, subject_sha256=batch.digest)
    if batch.status != Batch.Status.APPROVED or granted is None or stored_digest(batch) != batch.digest:
        raise Conflict(
            "batch_is_not_approved", _("Only a payout that a second person approved as it stands can be ordered.")
        )
    require_unchanged(batch)
    now = timezone.now()
    journal = ledger.post_query(
        society_id=batch.society_id, kind="payout", key=f"payout:{batch.pk}", effective_on=timezone.localdate(), actor=actor,
        **_transfers(batch),
    )  # fmt: skip
    _tell_entitlements(actor, batch)
    Payment.objects.filter(batch=batch, status=Payment.Status.PLANNED).update(status=Payment.Status.ORDERED)
    batch.journal, batch.ordered_at, batch.status = journal, now, Batch.Status.ORDERED
    batch.order, batch.heartbeat_at, batch.problems = _frozen(batch), None, []
    batch.save()
    record_batch(actor, batch, "ordered", journal=journal.pk, digest=batch.digest)
    return batch


def _transfers(batch: Batch) -> dict[str, Any]:
    """The query of the journal, with every account that it needs opened."""
    book: dict[str, Any] = {"society_id": batch.society_id, "currency": batch.currency}
    paying = ledger.account(kind="paying", owner_id=batch.pk, **book)
    for name in tax_names(batch):
        ledger.account(kind=f"tax:{name}", owner_id=None, **book)
    return {"query": _ORDER, "params": [paying, batch.pk, batch.pk]}


def tax_names(batch: Batch) -> list[str]:
    """The taxes that a batch withholds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT name FROM royalties_paymenttax WHERE batch_id = %s AND amount > 0 ORDER BY name",
            [batch.pk],
        )
        return [name for (name,) in cursor.fetchall()]


def _tell_entitlements(actor: Actor, batch: Batch) -> None:
    """What third parties get counts towards the totals of their orders."""
    others = Payment.objects.filter(batch=batch, entitlement_id__isnull=False).order_by()
    amounts = dict(others.values_list("entitlement_id").annotate(total=Sum("net")))
    if amounts:
        took(
            actor=SYSTEM if not actor.can(PREPARE) else actor, society=batch.society, key=f"payout:{batch.pk}",
            currency=batch.currency, on=timezone.localdate(), amounts={pk: int(total) for pk, total in amounts.items()},
        )  # fmt: skip


def _frozen(batch: Batch) -> dict[str, Any]:
    """All that the bank's file says besides the payments: a later policy changes no file that exists."""
    policy = batch.policy
    debtor = policy.debtor if policy else None
    made_at = timezone.localtime(batch.ordered_at).replace(tzinfo=None, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*), sum(net)::bigint FROM royalties_payment WHERE batch_id = %s GROUP BY (position - 1) / %s "
            "ORDER BY (position - 1) / %s",
            [batch.pk, A_PART, A_PART],
        )
        sums = [list(row) for row in cursor.fetchall()]
    return {
        "message_id": message_id(batch.pk, made_at), "made_at": made_at.isoformat(), "sums": sums,
        "payer": {
            "name": batch.society.name,
            "number": debtor.number if debtor else NO_ACCOUNT,
            "iban": bool(debtor and debtor.is_iban),
            "bic": debtor.bic if debtor else "",
            "bank": (bank_code(debtor.bank) or debtor.bank[:35]) if debtor else "",
        },
        "remittance": policy.remittance if policy else "", "ascii_only": bool(policy and policy.ascii_only),
        "columns": policy.columns if policy else [],
    }  # fmt: skip


def stored_digest(batch: Batch) -> str:
    """The digest of the batch as its rows are now: it must be the approved one."""
    digest = Digest(head(batch))
    for kind, row in _in_order(batch):
        if kind == "carried":
            digest.carry(*row)
            continue
        position, made, holder, details, gross, net, taxes = row
        digest.add(
            position=position, end_to_end=made, holder=holder, details=details, gross=gross, net=net,
            taxes=[Tax(**tax) for tax in taxes],
        )  # fmt: skip
    return digest.hex()


def _in_order(batch: Batch) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """Payments by position, then what is carried forward, in the order in which it was written."""
    rows = Payment.objects.filter(batch=batch).order_by("position")
    columns = ("position", "end_to_end_id", "holder_id", "details_id", "gross", "net", "taxes")
    for row in rows.values_list(*columns).iterator(_AT_ONCE):
        yield "payment", row
    left = CarriedForward.objects.filter(batch=batch).order_by("id")
    for row in left.values_list("holder_id", "amount", "reason").iterator(_AT_ONCE):
        yield "carried", row
