"""Receipts: money for an invoice, booked once a bank reference; its net part becomes a pool.

Money in another currency than the invoice's stays in its own: the bank's side is posted in the currency that came in, the
invoice's side in the invoice's, and the two accounts `exchange` stand between them (ADR 24).
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Forbidden, NotFound, Reference, Refusal
from licensing.licences.models import Licence
from royalties.bank.models import Entry, ExchangeRate
from royalties.billing import core
from royalties.billing.models import Invoice, Receipt
from royalties.billing.services.guards import enter
from royalties.billing.services.losses import resume_write_offs
from royalties.billing.services.resuming import resume_paid
from royalties.ledger.core import MAX_AMOUNT
from royalties.ledger.models import Journal
from royalties.ledger.services import Transfer, account, post


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a receipt's money comes from: a bank entry, the ledger account that it is taken from, and the day to book it.

    With a `rate`, `paid` is what it takes of the entry, in the entry's currency.
    """

    entry: Entry
    account: int
    effective_on: datetime.date
    paid: int = 0
    rate: ExchangeRate | None = None


@transaction.atomic
def record_receipt(
    *,
    actor: Actor,
    invoice: Invoice,
    amount: int,
    received_on: datetime.date,
    bank_ref: str,
    charges: int = 0,
    origin: Origin | None = None,
) -> Receipt:
    """Book money that came in for an invoice, in minor units. Part of it is fine; more than is open is not.

    Of `amount`, `charges` did not arrive: banks kept them on the way, and the society bears them. Money for what was written off
    takes the write-off back first.

    The same bank reference with the same content gives the receipt that is there; with other content it is a Conflict.
    The receipt splits pro rata between net and VAT (`core.split`); only the net enters the pool.

    Example: ₩550 of an invoice of ₩1,000 net and ₩100 VAT is ₩500 for the pool and ₩50 VAT.
    """
    if not actor.is_system and not Invoice.objects.visible_to(actor).filter(pk=invoice.pk).exists():
        raise NotFound(_("There is no such invoice."))
    if actor.organisation_id == invoice.licensee_id and not actor.is_system:
        raise Forbidden(_("Only the society records what came in."))
    enter(actor, invoice.society_id, "billing.manage")
    ref = _checked(amount, bank_ref)
    # As a bill does: the licence first, so that a receipt and a credit note wait for each other.
    licence = Licence.objects.select_for_update(no_key=True, of=("self",)).get(pk=invoice.licence_id)
    if invoice.kind == Invoice.Kind.CREDIT:
        raise Refusal("credit_note", _("A credit note asks for no money."))
    invoice = Invoice.objects.select_for_update(no_key=True, of=("self",)).select_related("society").get(pk=invoice.pk)
    if (booked := _booked(invoice, amount, received_on, ref)) is not None:
        return booked
    if amount > invoice.open and invoice.written_off:
        resume_write_offs(actor, invoice, origin.effective_on if origin else received_on)
    if amount > invoice.open:
        raise Refusal(
            "more_than_open",
            _("The invoice asks for %(open)s more minor units; %(amount)s is too much.")
            % {"open": invoice.open, "amount": amount},
            pointer="/amount",
        )
    try:
        with transaction.atomic():
            receipt = _book(actor, invoice, amount, charges, received_on, ref, origin)
    except IntegrityError as error:  # the same reference, for another invoice, at this very moment
        raise _taken(ref) from error
    except Conflict as conflict:
        if conflict.code == "key_used_otherwise":  # the same, found at the journal's key first
            raise _taken(ref) from conflict
        raise
    resume_paid(licence)
    return receipt


def _checked(amount: int, bank_ref: str) -> str:
    """The bank's reference, trimmed; Refusal for an amount or a reference that cannot be booked."""
    if type(amount) is not int or not 1 <= amount <= MAX_AMOUNT:
        raise Refusal("bad_amount", _("An amount is a whole number of minor units above zero."), pointer="/amount")
    ref = bank_ref.strip()
    if not ref or len(ref) > 100 or not ref.isprintable():
        raise Refusal("bad_bank_ref", _("A bank reference is 1 to 100 printable characters."), pointer="/bank_ref")
    return ref


def _booked(invoice: Invoice, amount: int, received_on: datetime.date, ref: str) -> Receipt | None:
    """The receipt of this reference, if it is the same one."""
    found = Receipt.objects.filter(society_id=invoice.society_id, bank_ref=ref).first()
    if found is None or (found.invoice_id, found.amount, found.received_on) == (invoice.pk, amount, received_on):
        return found
    raise _taken(ref)


def _taken(ref: str) -> Conflict:
    return Conflict(
        "bank_ref_used",
        _("The bank reference “%(ref)s” is booked already, with another invoice, amount or day.") % {"ref": ref},
        pointer="/bank_ref",
    )


def _book(
    actor: Actor,
    invoice: Invoice,
    amount: int,
    charges: int,
    received_on: datetime.date,
    ref: str,
    origin: Origin | None,
) -> Receipt:
    net, vat = core.split(
        amount,
        received=invoice.received + invoice.credited + invoice.written_off,
        net=invoice.net - invoice.carried_net,
        gross=invoice.gross - invoice.carried,
    )
    settled = {name: getattr(invoice, name) for name in ("received", "credited", "written_off")}
    moved = Invoice.objects.filter(pk=invoice.pk, **settled).update(received=F("received") + amount)
    if moved != 1:  # cannot happen under the lock; without it, two receipts would split from the same sum
        raise Conflict("invoice_changed", _("Another receipt for this invoice was booked meanwhile. Try again."))
    rate = origin.rate if origin else None
    receipt = Receipt.objects.create(
        society_id=invoice.society_id, invoice=invoice, amount=amount, net=net, vat=vat, received_on=received_on, bank_ref=ref,
        charges=charges, entry=origin.entry if origin else None, rate=rate,
        paid_amount=origin.paid if origin and rate else None, paid_currency=origin.entry.currency if origin and rate else "",
        journal=_post(actor, invoice, amount, charges, net, received_on, ref, origin),
    )  # fmt: skip
    invoice.received += amount
    data = {"invoice": invoice.number, "amount": amount, "net": net, "vat": vat, "received_on": received_on.isoformat()}
    if charges:
        data["charges"] = charges
    if rate is not None and origin is not None:
        data |= {
            "paid": origin.paid,
            "currency": origin.entry.currency,
            "rate": f"{rate.rate:f}",
            "source": rate.source,
        }
    record(
        actor=actor,
        verb="receipt.recorded",
        object=Reference("receipt", receipt.pk),
        organisation_id=invoice.society_id,
        data=data,
    )
    return receipt


def _post(
    actor: Actor,
    invoice: Invoice,
    amount: int,
    charges: int,
    net: int,
    received_on: datetime.date,
    ref: str,
    origin: Origin | None,
) -> Journal:
    """The bank has what the licensee owed; of what was billed, the net part is now a pool."""

    def opened(kind: str, owner_id: int | None = None, currency: str = "") -> int:
        return account(
            society_id=invoice.society_id, kind=kind, owner_id=owner_id, currency=currency or invoice.currency
        )

    receivable, arrived = opened("receivable", invoice.licensee_id), amount - charges
    if origin is not None and origin.rate is not None:
        abroad = opened("exchange", currency=origin.entry.currency)
        transfers = [
            Transfer(origin.account, abroad, origin.paid),
            Transfer(opened("exchange"), receivable, arrived),
        ]
    else:
        transfers = [Transfer(origin.account if origin else opened("bank"), receivable, arrived)]
    if charges:
        transfers.append(Transfer(opened("charges"), receivable, charges))
    if net:
        transfers.append(Transfer(opened("billed", invoice.pk), opened("pool", invoice.pk), net))
    key = f"receipt:{invoice.society_id}:{ref}"
    return post(
        society_id=invoice.society_id,
        kind="receipt",
        key=key,
        effective_on=origin.effective_on if origin else received_on,
        transfers=transfers,
        actor=actor,
    )
