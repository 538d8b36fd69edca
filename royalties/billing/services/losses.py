"""What is given up: an invoice's open rest, written off by two people and taken back when money comes after all."""

from __future__ import annotations

import datetime
import hashlib

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.approvals.models import Approval
from accounts.approvals.services import decide, request_approval
from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, NotFound, Reference, Refusal
from licensing.licences.models import Licence
from royalties.billing import core
from royalties.billing.models import Invoice, WriteOff
from royalties.billing.services.guards import enter
from royalties.billing.services.resuming import resume_paid
from royalties.ledger.models import Journal
from royalties.ledger.services import Transfer, account, post, reverse

KIND = "write_off"


def own_invoice(actor: Actor, invoice_id: int) -> Invoice:
    """An invoice of the actor's society to work with; NotFound for another's."""
    found = Invoice.objects.visible_to(actor).filter(pk=invoice_id).first()
    if found is None:
        raise NotFound(_("There is no such invoice."))
    enter(actor, found.society_id, "billing.manage")
    return found


@transaction.atomic
def request_write_off(*, actor: Actor, invoice: Invoice, ground: str, reason: str) -> WriteOff:
    """Ask a second person to give up all that is open on an invoice. A small difference is at most `core.small(currency)`."""
    invoice = own_invoice(actor, invoice.pk)
    said = reason.strip()[:500]
    if not said:
        raise Refusal("no_reason", _("Say why."), pointer="/reason")
    if ground not in WriteOff.Ground.values:
        raise Refusal("bad_ground", _("Choose one of the grounds."), pointer="/ground")
    if invoice.kind == Invoice.Kind.CREDIT or not invoice.open:
        raise Conflict("nothing_open", _("Nothing is open on this invoice."))
    if ground == WriteOff.Ground.SMALL and invoice.open > core.small(invoice.currency):
        raise Refusal(
            "not_small",
            _("%(open)s minor units are no small difference; the most is %(most)s.")
            % {"open": invoice.open, "most": core.small(invoice.currency)},
            pointer="/ground",
        )
    try:
        with transaction.atomic():
            made = WriteOff.objects.create(
                society_id=invoice.society_id, invoice=invoice, ground=ground, reason=said, amount=invoice.open,
                effective_on=timezone.localdate(),
            )  # fmt: skip
    except IntegrityError as error:
        raise Conflict(
            "write_off_exists", _("A write-off of this invoice waits for a second person already.")
        ) from error
    about = Reference(KIND, made.pk)
    data = {"invoice": invoice.number, "amount": made.amount, "reason": said, "kind": ground}
    record(actor=actor, verb="write_off.requested", object=about, organisation_id=made.society_id, data=data)
    request_approval(
        actor=actor, kind=KIND, object=about, organisation_id=made.society_id, subject_sha256=write_off_digest(made)
    )
    return made


def write_off_digest(asked: WriteOff) -> str:
    """SHA-256 of exactly what a second person is asked."""
    said = (asked.invoice_id, asked.amount, asked.ground, asked.reason)
    return hashlib.sha256("\x1f".join(map(str, said)).encode()).hexdigest()


@transaction.atomic
def decide_write_off(*, actor: Actor, write_off: WriteOff, approve: bool, reason: str = "") -> WriteOff:
    """Decide as a second person. Approved: billed and VAT ─▶ receivable, today. Conflict where another amount is open by now."""
    found = WriteOff.objects.visible_to(actor).filter(pk=write_off.pk).select_related("invoice").first()
    if found is None:
        raise NotFound(_("There is no such write-off."))
    enter(actor, found.society_id, "billing.manage")
    Licence.objects.select_for_update(no_key=True, of=("self",)).get(pk=found.invoice.licence_id)
    invoice = Invoice.objects.select_for_update(no_key=True, of=("self",)).get(pk=found.invoice_id)
    approval = Approval.objects.pending().about(KIND, found.pk).filter(kind=KIND).first()
    if found.status != WriteOff.Status.REQUESTED or approval is None:
        raise Conflict("write_off_is_decided", _("This write-off is decided already."))
    decide(actor=actor, approval=approval, approve=approve, reason=reason, subject_sha256=write_off_digest(found))
    if approve and invoice.open != found.amount:
        raise Conflict("invoice_changed", _("Another amount is open on the invoice by now. Refuse this and ask anew."))
    changes = _written_off(actor, invoice, found) if approve else {"status": WriteOff.Status.REFUSED}
    if WriteOff.objects.filter(pk=found.pk, status=WriteOff.Status.REQUESTED).update(**changes) != 1:
        raise Conflict("write_off_is_decided", _("This write-off is decided already."))
    found.refresh_from_db()
    data = {"invoice": invoice.number, "amount": found.amount, "net": found.net, "vat": found.vat, "reason": reason}
    about = Reference(KIND, found.pk)
    verb = f"write_off.{found.status}"
    record(actor=actor, verb=verb, object=about, organisation_id=found.society_id, data=data)
    if approve:
        resume_paid(Licence.objects.select_related("society").get(pk=invoice.licence_id))
    return found


def _written_off(actor: Actor, invoice: Invoice, asked: WriteOff) -> dict[str, object]:
    today = timezone.localdate()
    net, vat = core.split(
        asked.amount,
        received=invoice.received + invoice.credited + invoice.written_off,
        net=invoice.net - invoice.carried_net,
        gross=invoice.gross - invoice.carried,
    )
    journal = _post(actor, invoice, asked, net, vat, today)
    Invoice.objects.filter(pk=invoice.pk).update(written_off=F("written_off") + asked.amount)
    return {"status": WriteOff.Status.APPROVED, "net": net, "vat": vat, "journal": journal, "effective_on": today}


def _post(actor: Actor, invoice: Invoice, asked: WriteOff, net: int, vat: int, day: datetime.date) -> Journal:
    def opened(kind: str, owner_id: int | None = None) -> int:
        return account(society_id=invoice.society_id, kind=kind, owner_id=owner_id, currency=invoice.currency)

    receivable = opened("receivable", invoice.licensee_id)
    transfers = [Transfer(opened("billed", invoice.pk), receivable, net)] if net else []
    if vat:
        transfers.append(Transfer(opened("vat"), receivable, vat))
    return post(
        society_id=invoice.society_id, kind="write_off", key=f"write_off:{asked.pk}", effective_on=day,
        transfers=transfers, actor=actor,
    )  # fmt: skip


def resume_write_offs(actor: Actor, invoice: Invoice, on: datetime.date) -> None:
    """Take back what was written off of a (locked) invoice, the latest first: its money came after all."""
    for each in invoice.write_offs.filter(status=WriteOff.Status.APPROVED).select_related("journal").order_by("-pk"):
        if each.journal is None:
            continue
        day = max(on, each.effective_on)
        back = reverse(journal=each.journal, key=f"write_off:{each.pk}:resumed", effective_on=day, actor=actor)
        same = WriteOff.objects.filter(pk=each.pk, status=WriteOff.Status.APPROVED)
        if same.update(status=WriteOff.Status.RESUMED, reversal=back) != 1:
            raise Conflict("invoice_changed", _("Another receipt for this invoice was booked meanwhile. Try again."))
        Invoice.objects.filter(pk=invoice.pk).update(written_off=F("written_off") - each.amount)
        invoice.written_off -= each.amount
        about = Reference(KIND, each.pk)
        data = {"invoice": invoice.number, "amount": each.amount}
        record(actor=actor, verb="write_off.resumed", object=about, organisation_id=invoice.society_id, data=data)
