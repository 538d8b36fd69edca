"""A run in the ledger: one journal posts it whole, one reversal takes it back whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.approvals.services import approved
from accounts.evidence.services import record
from accounts.identity.core import SYSTEM, Actor, Conflict, Reference
from royalties.distribution.models import Run
from royalties.distribution.services import approval, cases
from royalties.distribution.services.checks import figures_problems
from royalties.distribution.services.guards import own_run
from royalties.distribution.services.runs import KIND, POSTED, give_back
from royalties.distribution.services.taking import (
    has_expired,
    recovered,
    released,
    require_meant,
    taken_back,
    taken_further,
)
from royalties.ledger import services as ledger

_PAID = "SELECT holder_id FROM royalties_allocation WHERE run_id = %s AND status = 'payable' AND amount > 0 GROUP BY holder_id"
# pool → clearing, one line an invoice; clearing → payable, one total a holder. Of what is divided anew, payable → clearing, one
# total a holder; what that leaves a holder short of is recoverable, and what a holder was short of before is recovered from what
# this run brings. What else there is goes in as plain rows: suspense, held → clearing, what is released or taken back of them;
# clearing → deductions, reserve, held, suspense.
_TRANSFERS = """
    SELECT a.id AS debit_id, %s::bigint AS credit_id, p.amount
    FROM royalties_runpool p
    JOIN ledger_account a ON a.society_id = %s AND a.kind = 'pool' AND a.owner_id = p.invoice_id AND a.currency = %s
    WHERE p.run_id = %s AND p.kind = 'receipts'
    UNION ALL
    SELECT %s::bigint, a.id, s.amount
    FROM (SELECT holder_id, sum(amount)::bigint AS amount FROM royalties_allocation
          WHERE run_id = %s AND status = 'payable' GROUP BY holder_id) s
    JOIN ledger_account a ON a.society_id = %s AND a.kind = 'payable' AND a.owner_id = s.holder_id AND a.currency = %s
    WHERE s.amount > 0
    UNION ALL
    SELECT a.id, %s::bigint, t.amount
    FROM (SELECT holder_id, sum(amount)::bigint AS amount FROM royalties_takenback
          WHERE correction_run_id = %s AND status = 'payable' GROUP BY holder_id) t
    JOIN ledger_account a ON a.society_id = %s AND a.kind = 'payable' AND a.owner_id = t.holder_id AND a.currency = %s
    WHERE t.amount > 0
    UNION ALL
    SELECT x.debit_id, x.credit_id, x.amount FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) AS x (debit_id, credit_id, amount)
    WHERE x.amount > 0"""


@transaction.atomic
def post(run_id: int, *, actor: Actor = SYSTEM) -> Run:
    """Post an approved run: one journal, keyed `run:<id>`. A run that is posted already is returned as it is.

    Raises Conflict where it is not approved as it stands, where its figures do not hold, or where it would pay what leaves
    suspense to a work that its identifier no longer means: discard it then, and start another.
    """
    run = Run.objects.select_for_update(of=("self",)).select_related("society", "rule").get(pk=run_id)
    if run.status in POSTED:
        return run
    reference = Reference(KIND, run.pk)
    if run.status != Run.Status.APPROVED or approved(reference, KIND, subject_sha256=run.result_digest) is None:
        raise Conflict("run_is_not_approved", _("Only a run that a second person approved as it stands can be posted."))
    if wrong := figures_problems(run):
        raise Conflict(
            "run_does_not_hold", wrong[0]["detail"], errors=[{"code": w["what"], "detail": w["detail"]} for w in wrong]
        )
    require_meant(run)
    journal = ledger.post_query(
        society_id=run.society_id,
        kind="run",
        key=f"run:{run.pk}",
        effective_on=timezone.localdate(),
        actor=actor,
        **_transfers(run),
    )
    Run.objects.filter(pk=run.pk).update(
        status=Run.Status.POSTED,
        journal_id=journal.pk,
        posted_at=timezone.now(),
        step="",
        heartbeat_at=None,
        problems=[],
    )
    cases.open_cases(run)
    data = {"journal": journal.pk, "result_digest": run.result_digest}
    record(actor=actor, verb="run.posted", object=reference, organisation_id=run.society_id, data=data)
    run.refresh_from_db()
    return run


def _transfers(run: Run) -> dict[str, Any]:
    """The query of the journal, with every account that it needs opened."""
    book: dict[str, Any] = {"society_id": run.society_id, "currency": run.currency}
    clearing = ledger.account(kind="clearing", owner_id=run.pk, **book)
    ledger.open_accounts(kind="payable", owners=_PAID, params=[run.pk], **book)
    others = {f"deduction:{name}": amount for name, amount in run.deductions.items()}
    others |= {"reserve": run.reserve, "held": run.held, "suspense": run.suspense}
    plain = [
        (clearing, ledger.account(kind=kind, owner_id=None, **book), amount)
        for kind, amount in others.items()
        if amount
    ]
    back = taken_back(run)
    for kind, amount in released(run).items():
        back[kind] = back.get(kind, 0) + amount
    plain += [
        (ledger.account(kind=kind, owner_id=None, **book), clearing, back.get(kind, 0))
        for kind in ("held", "suspense")
        if back.get(kind)
    ]
    plain += recovered(run)
    parameters = [
        clearing, run.society_id, run.currency, run.pk,
        clearing, run.pk, run.society_id, run.currency,
        clearing, run.pk, run.society_id, run.currency,
        *([line[place] for line in plain] for place in range(3)),
    ]  # fmt: skip
    return {"query": _TRANSFERS, "params": parameters}


@transaction.atomic
def publish(*, actor: Actor, run: Run) -> Run:
    """Bring a posted run to `published`; its statements are made above, in the same transaction. Twice: nothing more."""
    run = own_run(actor, run.pk, "distribution.approve")
    now = timezone.now()
    moved = Run.objects.filter(pk=run.pk, status=Run.Status.POSTED).update(
        status=Run.Status.PUBLISHED, published_at=now, step=""
    )
    run.refresh_from_db()
    if moved:
        record(actor=actor, verb="run.published", object=Reference(KIND, run.pk), organisation_id=run.society_id)
    elif run.status != Run.Status.PUBLISHED:
        raise Conflict("run_is_not_posted", _("Only a posted run can be published."))
    return run


@transaction.atomic
def reverse(*, actor: Actor, run: Run, approve: bool = True, reason: str = "") -> Run:
    """Decide, as the second person, on taking a posted run back: a reversal mirrors its journal, its receipts wait again.

    Statements that were published stay and say that the run was reversed. Raises Conflict where its money has moved on.
    """
    run = own_run(actor, run.pk, "distribution.approve")
    if run.status not in POSTED or run.journal is None:
        raise Conflict("run_is_not_posted", _("Only a posted run can be reversed."))
    approval.decide_reversal(actor=actor, run=run, approve=approve, reason=reason)
    reference = Reference(KIND, run.pk)
    if not approve:
        record(
            actor=actor,
            verb="run.reversal_refused",
            object=reference,
            organisation_id=run.society_id,
            data={"reason": reason},
        )
        return run
    if taken_further(run):
        raise _moved_on()
    if has_expired(run):
        raise Conflict(
            "run_has_expired_money",
            _(
                "A resolution declared some of what this run held non-distributable, so it cannot be taken back as a whole."
            ),
        )
    effective_on = max(timezone.localdate(), run.journal.effective_on)
    reversal = ledger.reverse(journal=run.journal, key=f"run:{run.pk}:reversal", effective_on=effective_on, actor=actor)
    with _last_in_first():
        moved = Run.objects.filter(pk=run.pk, status__in=POSTED).update(
            status=Run.Status.REVERSED, reversal_id=reversal.pk, step=""
        )
    if moved != 1:
        raise Conflict("run_is_not_posted", _("Only a posted run can be reversed."))
    give_back(run)
    cases.close_cases(run)
    data = {"journal": reversal.pk, "reason": reason}
    record(actor=actor, verb="run.reversed", object=reference, organisation_id=run.society_id, data=data)
    run.refresh_from_db()
    return run


@contextmanager
def _last_in_first() -> Iterator[None]:
    """The database's refusal to reverse a run of which another one has something, in words."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise _moved_on() from error


def _moved_on() -> Conflict:
    return Conflict(
        "run_was_moved_on",
        _(
            "A later run released or divided anew what this one distributed. Reverse that one first, or discard it if it is not posted."
        ),
    )
