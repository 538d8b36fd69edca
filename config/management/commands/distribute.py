"""`distribute --society REF --from DATE --to DATE [--as EMAIL] [--approve-as EMAIL] [--publish]`"""

from __future__ import annotations

import datetime
import time
from typing import Any

from django.core.management.base import CommandParser
from django.db.backends.postgresql.psycopg_any import DateRange

from accounts.identity.core import Actor, Conflict, Refusal
from accounts.organisations.models import Organisation
from accounts.organisations.services import find_organisation
from config.actors import two_people
from config.commands import Command as BaseCommand
from royalties.distribution import services
from royalties.distribution.models import Run
from royalties.statements import services as statements


class Command(BaseCommand):
    help = (
        "Distribute the money received for uses in a period: compute; approve and post where two people are named. "
        "Interrupted, it goes on where it stopped; the same money is never distributed twice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--society", required=True, metavar="REF")
        parser.add_argument("--from", dest="start", required=True, type=datetime.date.fromisoformat, metavar="DATE")
        parser.add_argument(
            "--to", dest="end", required=True, type=datetime.date.fromisoformat, metavar="DATE", help="exclusive"
        )
        parser.add_argument("--currency", metavar="CODE", help="needed only where money waits in several")
        parser.add_argument(
            "--correct",
            type=int,
            nargs="+",
            default=[],
            metavar="POOL",
            help="pools that are divided anew, of those that `offered` lists",
        )
        parser.add_argument("--as", dest="email", metavar="EMAIL", help="who computes and asks for the approval")
        parser.add_argument("--approve-as", metavar="EMAIL", help="another person, who approves; then it is posted")
        parser.add_argument("--publish", action="store_true", help="publish the posted run: statements appear")

    def run(
        self,
        *,
        society: str,
        start: datetime.date,
        end: datetime.date,
        currency: str | None,
        correct: list[int],
        email: str | None,
        approve_as: str | None,
        publish: bool,
        **options: Any,
    ) -> dict[str, Any]:
        owner = find_organisation(ref=society, kind="society", pointer="/society")
        actor, approver = two_people(email, approve_as, owner)
        run = _computed(actor, *_started(actor, owner, (start, end), currency, publish, correct))
        if email and run.status == Run.Status.COMPUTED:
            services.request(actor=actor, run=run)
        if approver and run.status == Run.Status.COMPUTED:
            run = services.approve(actor=approver, run=run)
        if approver and run.status == Run.Status.APPROVED:
            run = services.post(run.pk, actor=approver)
        if publish and run.status == Run.Status.POSTED:
            run = statements.publish(actor=approver or actor, run=run)
        later = services.waiting_for_use(owner.pk, run.period, currency=run.currency)
        waits = [{"invoice": each.number, "amount": each.amount, "licensee": each.licensee} for each in later]
        changed = [each for each in services.waiting_corrections(owner.pk) if each.currency == run.currency]
        unbilled = [
            {"run": each.run, "invoice": each.invoice, "amount": each.amount} for each in changed if not each.now
        ]
        offered = [
            {
                "pool": each.pool_id,
                "run": each.run,
                "invoice": each.invoice,
                "amount": each.amount,
                "reasons": list(each.reasons),
            }
            for each in changed
            if each.offered
        ]
        return shown(run) | {"waiting_for_declarations": waits, "waiting_for_bills": unbilled, "offered": offered}


def _started(
    actor: Actor,
    owner: Organisation,
    period: tuple[datetime.date, datetime.date],
    currency: str | None,
    publish: bool,
    correct: list[int],
) -> tuple[Run, bool]:
    """The run to go on with: a new or open one, or one that was posted and waits to be published; and whether it is new."""
    unposted = (Run.Status.DRAFT, Run.Status.COMPUTED, Run.Status.APPROVED)
    known = set(Run.objects.filter(society=owner, status__in=unposted).values_list("pk", flat=True))
    try:
        run = services.start_run(actor=actor, society=owner, period=period, currency=currency, correct=correct)
        return run, run.pk not in known
    except Refusal as refusal:
        if refusal.code == "no_money" and publish:
            waiting = Run.objects.filter(society=owner, status=Run.Status.POSTED, period=DateRange(*period))
            if posted := waiting.order_by("-id").first():
                return posted, False
        raise


def _computed(actor: Actor, run: Run, new: bool) -> Run:
    """Compute a draft here; where a worker computes it already, wait for it.

    A run that was begun here and cannot be computed is discarded: left open, it would bar every other period. One that was
    refused before is computed by the rule of now.
    """
    if run.status == Run.Status.DRAFT and run.problems:
        run = services.recompute(actor=actor, run=run)
    while True:
        try:
            return services.compute(run.pk)
        except Conflict as conflict:
            if conflict.code != "run_is_being_computed":
                raise
            time.sleep(0.5)
        except Refusal as refusal:
            if new:
                services.discard(actor=actor, run=run, reason=str(refusal.detail))
            raise


def shown(run: Run) -> dict[str, Any]:
    """A run as programs read it; amounts in minor units."""
    return {
        "run": run.pk,
        "status": run.status,
        "period_start": run.period.lower.isoformat(),
        "period_end": run.period.upper.isoformat(),
        "supplementary": run.supplementary,
        "currency": run.currency,
        "pool": run.pool,
        "released": run.released,
        "corrected": run.corrected,
        "deductions": run.deductions_in_order,
        "reserve": run.reserve,
        "distributable": run.distributable,
        "payable": run.payable,
        "held": run.held,
        "suspense": run.suspense,
        "holders": run.holders,
        "works": run.works,
        "input_digest": run.input_digest,
        "result_digest": run.result_digest,
        "journal": run.journal_id,
        "taken": [
            {"kind": pool.kind, "run": pool.origin.run_id, "invoice": pool.invoice.number, "amount": pool.amount}
            for pool in run.pools.filter(origin__isnull=False).select_related("origin", "invoice").order_by("id")
            if pool.origin
        ],
    }
