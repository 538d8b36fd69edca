"""Advances: granted by two people, recorded as paid with the bank's reference, recouped by `transfer`, written off by two people.

An advance is income when it is paid: tax is withheld then, and what is recouped later is not taxed again, because it never
reaches a payment.
"""

from __future__ import annotations

import datetime
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing.repertoire.models import Holder
from royalties.bank.models import Entry
from royalties.bank.services import apply, source
from royalties.entitlements.models import Advance, AdvanceMove
from royalties.entitlements.services import guards
from royalties.ledger import services as ledger
from royalties.ledger.models import Journal
from royalties.payees.core import Withholding, withhold
from royalties.payees.services import tax_rules, treaties

KIND, WRITE_OFF = "advance", "advance_write_off"
Status = Advance.Status
MOST = 10**15  # minor units


@transaction.atomic
def request_advance(
    *,
    actor: Actor,
    society: Organisation,
    holder: Holder,
    currency: str,
    amount: int,
    reason: str,
    ppm: int = 1_000_000,
    stays: int = 0,
) -> Advance:
    """Ask to pay a holder ahead: `amount` minor units, recouped by `ppm` of what comes in later; `stays` is left each time."""
    guards.enter(actor, society, guards.PREPARE)
    guards.own_holder(society, holder)
    if not (len(currency) == 3 and currency.isascii() and currency.isupper()):
        raise Refusal("unknown_currency", _("A currency is written in three capital letters."), pointer="/currency")
    if not 1 <= amount <= MOST:
        raise Refusal("amount_out_of_range", _("The amount must be more than nothing."), pointer="/amount")
    if not 1 <= ppm <= 1_000_000:
        raise Refusal(
            "portion_out_of_range", _("A portion is more than nothing and at most the whole."), pointer="/portion"
        )
    if not 0 <= stays <= MOST:
        raise Refusal(
            "amount_out_of_range", _("What stays with the holder is not less than nothing."), pointer="/stays"
        )
    made = Advance.objects.create(
        society=society, holder=holder, currency=currency, amount=amount, ppm=ppm, stays=stays,
        reason=guards.check_reason(reason),
    )  # fmt: skip
    guards.note(
        actor, "advance.requested", reference(made), society.pk, holder=holder.ref, amount=amount, currency=currency
    )
    guards.ask(actor, KIND, reference(made), society.pk, said(made))
    return made


@transaction.atomic
def decide_advance(*, actor: Actor, advance: Advance, approve: bool = True, reason: str = "") -> Advance:
    """Grant or refuse as the second person."""
    found = guards.own(actor, Advance, advance.pk, guards.APPROVE)
    guards.settle(actor, KIND, reference(found), said(found), approve=approve, reason=reason)
    status = Status.APPROVED if approve else Status.REFUSED
    if Advance.objects.filter(pk=found.pk, status=Status.REQUESTED).update(status=status) != 1:
        raise Conflict("advance_is_decided", _("This is decided already."))
    guards.note(actor, f"advance.{status.value}", reference(found), found.society_id, reason=reason)
    found.refresh_from_db()
    return found


def withheld_from(advance: Advance, on: datetime.date) -> Withholding:
    """The tax on an advance that is paid on a day, by the holder's payee data. Raises Refusal where there are none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tax_status, residence, treaty_id, blocked FROM royalties_payee_on(%s, %s, %s) WHERE holder_id = %s",
            [advance.society_id, advance.currency, timezone.now(), advance.holder_id],
        )
        row = cursor.fetchone()
    if row is None or row[3] in ("not_approved", "incomplete"):
        raise Refusal(
            "no_payee",
            _("The holder has no approved payee data yet, so nobody can say which tax is due. Record them first."),
        )
    tax_status, residence, treaty_id, _blocked = row
    paper = treaties([treaty_id]).get(treaty_id) if treaty_id else None
    return withhold(
        rules=tax_rules(on, advance.society.country or "KR"), tax_status=tax_status, residence=residence, on=on,
        currency=advance.currency, gross=advance.amount, treaty=paper,
    )  # fmt: skip


@transaction.atomic
def record_advance_paid(
    *,
    actor: Actor,
    advance: Advance,
    on: datetime.date,
    paid: int = 0,
    bank_reference: str = "",
    entry: Entry | None = None,
) -> Advance:
    """Record that the bank paid a granted advance: `paid` is what left the bank, which is the amount less the tax on it.

    One journal: advance (holder) → bank and tax. With `entry` the bank's own record is used up and its reference taken.
    The same reference again changes nothing. Raises Refusal where another amount was paid than is due.
    """
    found = guards.own(actor, Advance, advance.pk, guards.PREPARE)
    given = (entry.bank_ref if entry else bank_reference).strip()[:140]
    if found.status == Status.PAID and found.bank_reference == given:
        return found
    if found.status != Status.APPROVED:
        raise Conflict(
            "advance_is_not_to_be_paid", _("Only a granted advance that is not paid yet can be recorded as paid.")
        )
    if not given:
        raise Refusal(
            "bank_reference_missing", _("Give the bank's reference of the payment."), pointer="/bank_reference"
        )
    tax = withheld_from(found, on)
    if entry is not None:
        entry = guards.outgoing(found.society_id, entry, found.currency, tax.net)
    elif paid != tax.net:
        detail = _("%(due)s minor units are due after tax, not %(paid)s.") % {"due": tax.net, "paid": paid}
        raise Refusal("other_amount_paid", detail, pointer="/paid")
    journal = _pay(actor, found, on, tax, entry)
    with guards.in_words():
        moved = Advance.objects.filter(pk=found.pk, status=Status.APPROVED).update(
            status=Status.PAID, paid_on=on, bank_reference=given
        )
    if moved != 1:
        raise Conflict(
            "advance_is_not_to_be_paid", _("Only a granted advance that is not paid yet can be recorded as paid.")
        )
    AdvanceMove.objects.create(advance=found, journal=journal, kind=AdvanceMove.Kind.PAID, amount=found.amount, on=on)
    data = {"amount": found.amount, "net": tax.net, "on": str(on), "journal": journal.pk}
    guards.note(actor, "advance.paid", reference(found), found.society_id, **data)
    found.refresh_from_db()
    return found


def _pay(actor: Actor, advance: Advance, on: datetime.date, tax: Withholding, entry: Entry | None) -> Journal:
    book: dict[str, Any] = {"society_id": advance.society_id, "currency": advance.currency}
    debit = ledger.account(kind="advance", owner_id=advance.holder_id, **book)
    credits = [(source(entry) if entry else ledger.account(kind="bank", owner_id=None, **book), tax.net)]
    credits += [(ledger.account(kind=f"tax:{line.name}", owner_id=None, **book), line.amount) for line in tax.lines]
    journal = ledger.post(
        society_id=advance.society_id, kind="advance", key=f"advance:{advance.pk}", effective_on=on, actor=actor,
        transfers=[ledger.Transfer(debit, credit, amount) for credit, amount in credits if amount],
    )  # fmt: skip
    if entry is not None:
        apply(actor=actor, entry=entry, to=reference(advance), journal=journal)
    return journal


@transaction.atomic
def request_write_off(*, actor: Actor, advance: Advance, reason: str) -> Advance:
    """Ask to give up what is still open of an advance: the society bears it."""
    found = guards.own(actor, Advance, advance.pk, guards.PREPARE)
    if found.status != Status.PAID:
        raise Conflict("advance_is_not_open", _("Nothing of this advance is open."))
    Advance.objects.filter(pk=found.pk).update(write_off_reason=guards.check_reason(reason))
    found.refresh_from_db()
    guards.ask(actor, WRITE_OFF, reference(found), found.society_id, _said_write_off(found))
    guards.note(actor, "advance.write_off_asked", reference(found), found.society_id, amount=found.open)
    return found


@transaction.atomic
def decide_write_off(
    *, actor: Actor, advance: Advance, approve: bool = True, reason: str = "", on: datetime.date | None = None
) -> Advance:
    """Write off as the second person, or let it stand: borne → advance (holder). Only what was open when it was asked for."""
    found = guards.own(actor, Advance, advance.pk, guards.APPROVE)
    guards.settle(actor, WRITE_OFF, reference(found), _said_write_off(found), approve=approve, reason=reason)
    if not approve:
        guards.note(actor, "advance.write_off_refused", reference(found), found.society_id, reason=reason)
        return found
    if found.status != Status.PAID:
        raise Conflict("advance_is_not_open", _("Nothing of this advance is open."))
    day = on or timezone.localdate()
    book: dict[str, Any] = {"society_id": found.society_id, "currency": found.currency}
    borne = ledger.account(kind="borne", owner_id=None, **book)
    credit = ledger.account(kind="advance", owner_id=found.holder_id, **book)
    journal = ledger.post(
        society_id=found.society_id, kind="advance_write_off", key=f"advance:{found.pk}:write_off", effective_on=day, actor=actor,
        transfers=[ledger.Transfer(borne, credit, found.open)],
    )  # fmt: skip
    AdvanceMove.objects.create(
        advance=found, journal=journal, kind=AdvanceMove.Kind.WRITTEN_OFF, amount=found.open, on=day
    )
    guards.note(actor, "advance.written_off", reference(found), found.society_id, amount=found.open, journal=journal.pk)
    found.refresh_from_db()
    return found


def reference(advance: Advance) -> Reference:
    return Reference(KIND, advance.pk)


def said(each: Advance) -> dict[str, Any]:
    """Exactly what a second person approves."""
    return {
        "holder": each.holder_id, "currency": each.currency, "amount": each.amount, "ppm": each.ppm, "stays": each.stays,
        "reason": each.reason,
    }  # fmt: skip


def _said_write_off(each: Advance) -> dict[str, Any]:
    return said(each) | {"open": each.open, "why": each.write_off_reason}
