"""`pay --society REF --on DATE [--as EMAIL] [--approve-as EMAIL] [--out FILE.xml]`"""

from __future__ import annotations

import datetime
import shutil
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser
from django.db.models import Count, Sum
from django.utils.translation import gettext as _

from accounts.identity.core import SYSTEM, Actor, Refusal
from accounts.organisations.models import Organisation
from accounts.organisations.services import find_organisation
from config.actors import actor_by_email, two_people
from config.commands import Command as BaseCommand
from royalties.payouts import services
from royalties.payouts.models import Batch, CarriedForward


class Command(BaseCommand):
    help = (
        "Pay what holders are owed: prepare a payout; approve and order it where two people are named; write the file for the "
        "bank. Interrupted, it goes on where it stopped; nobody is paid twice for the same money."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--society", required=True, metavar="REF")
        parser.add_argument(
            "--on",
            required=True,
            type=datetime.date.fromisoformat,
            metavar="DATE",
            help="the bank carries it out on that day",
        )
        parser.add_argument("--currency", metavar="CODE", help="needed only where money waits in several")
        parser.add_argument("--as", dest="email", metavar="EMAIL", help="who prepares and asks for the approval")
        parser.add_argument("--approve-as", metavar="EMAIL", help="another person, who approves; then it is ordered")
        parser.add_argument(
            "--out", type=Path, metavar="FILE", help="write the bank's file: .csv the bank's own, else pain.001"
        )

    def run(
        self,
        *,
        society: str,
        on: datetime.date,
        currency: str | None,
        email: str | None,
        approve_as: str | None,
        out: Path | None,
        **options: Any,
    ) -> dict[str, Any]:
        owner = find_organisation(ref=society, kind="society", pointer="/society")
        actor, approver = _people(owner, currency, email, approve_as)
        batch = _prepared(actor, owner, on, currency, wants_file=out is not None)
        if actor.user_id and batch.status == Batch.Status.PREPARED:
            services.request(actor=actor, batch=batch)
        if approver and batch.status == Batch.Status.PREPARED:
            batch = services.approve(actor=approver, batch=batch)
        if approver and batch.status == Batch.Status.APPROVED:
            batch = services.order(batch.pk, actor=approver)
        result = shown(batch)
        if out is not None and batch.payments:
            result |= _written(approver or actor, batch, out)
        return result


def _people(
    owner: Organisation, currency: str | None, email: str | None, approve_as: str | None
) -> tuple[Actor, Actor | None]:
    """Who asks and who decides. Without `--as`, the approver decides on what another person has asked for already."""
    if approve_as and not email:
        approver = actor_by_email(approve_as, owner)
        waiting = Batch.objects.filter(society=owner, status=Batch.Status.PREPARED)
        for batch in waiting.filter(currency=currency) if currency else waiting:
            asked = services.pending(batch)
            if asked is not None and asked.requester_id != approver.user_id:
                return SYSTEM, approver
    return two_people(email, approve_as, owner)


def _prepared(actor: Actor, owner: Organisation, on: datetime.date, currency: str | None, *, wants_file: bool) -> Batch:
    """The batch to go on with: one of that day that waits for its file; a new or open one; the last where nothing is to be paid."""
    if wants_file and (waits := _last(owner, on, currency, status=Batch.Status.ORDERED)):
        return waits
    try:
        batch = services.start(actor=actor, society=owner, execute_on=on, currency=currency)
    except Refusal as refusal:
        if refusal.code == "nothing_to_pay" and (done := _last(owner, on, currency)):
            return done
        raise
    try:
        batch = services.prepare(batch.pk, actor=actor)
    except Refusal as refusal:
        services.discard(actor=actor, batch=batch, reason=str(refusal.detail))
        raise
    return batch if batch.payments else _last(owner, on, batch.currency) or batch


def _last(owner: Organisation, on: datetime.date, currency: str | None, *, status: str = "") -> Batch | None:
    found = Batch.objects.filter(society=owner, execute_on=on, ordered_at__isnull=False)
    found = found.filter(currency=currency) if currency else found
    found = found.filter(status=status) if status else found
    return found.order_by("-id").first()


def _written(actor: Actor, batch: Batch, out: Path) -> dict[str, Any]:
    form = "csv" if out.suffix.lower() == ".csv" else "pain.001"
    if batch.journal_id is None:
        raise Refusal(
            "batch_is_not_ordered",
            _("The payout is prepared (%(batch)s), but nobody approved it: there is no file for the bank yet.")
            % {"batch": batch},
            pointer="/out",
        )
    if not out.parent.is_dir():
        raise Refusal("no_folder", _("There is no folder %(folder)s.") % {"folder": out.parent}, pointer="/out")
    file = services.bank_file(actor=actor, batch=batch, form=form)
    with file.stream, out.open("wb") as target:
        shutil.copyfileobj(file.stream, target, 1 << 20)
    batch.refresh_from_db()
    return {"status": batch.status, "file": str(out), "sha256": file.sha256, "copy": file.copy}


def shown(batch: Batch) -> dict[str, Any]:
    """A batch as programs read it; amounts in minor units, `payments` and holders as numbers."""
    left = CarriedForward.objects.filter(batch=batch).order_by().values("reason")
    reasons = left.annotate(holders=Count("id"), amount=Sum("amount")).order_by("reason")
    parts = services.identity(batch)
    return {
        "batch": batch.pk,
        "status": batch.status,
        "currency": batch.currency,
        "execute_on": batch.execute_on.isoformat(),
        "gross": batch.gross,
        "withheld": batch.withheld,
        "net": batch.net,
        "payments": batch.payments,
        "holders": batch.holders,
        "carried_forward": batch.carried,
        "carried_holders": batch.carried_holders,
        "carried_reasons": list(reasons),
        "taxes": {name.removeprefix("tax:"): amount for name, amount in parts.items() if name.startswith("tax:")},
        "to_holders": parts["own"],
        "to_others": parts["others"],
        "digest": batch.digest,
        "journal": batch.journal_id,
        "names_account": bool(batch.policy and batch.policy.debtor_id),
    }
