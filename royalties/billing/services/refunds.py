"""Paying back: of a licence's favour or of a payment's rest; asked for, approved by a second person, paid when the bank says so."""

from __future__ import annotations

import datetime
import hashlib

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.approvals.models import Approval
from accounts.approvals.services import decide, request_approval
from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, NotFound, Reference, Refusal
from licensing.licences.models import Licence
from royalties.bank import services as bank
from royalties.bank.core import account_number
from royalties.bank.models import Entry
from royalties.billing import core
from royalties.billing.models import Refund
from royalties.billing.services.guards import enter
from royalties.billing.services.standing import favour
from royalties.ledger.models import Journal
from royalties.ledger.services import Transfer, account, post, reverse

KIND = "refund"


@transaction.atomic
def request_refund(
    *,
    actor: Actor,
    amount: int,
    payee_name: str,
    payee_account: str,
    reason: str,
    licence: Licence | None = None,
    currency: str = "",
    entry: Entry | None = None,
    payee_bank: str = "",
    cover: str = "",
) -> Refund:
    """Ask to pay back an amount (minor units) of what stands in a licence's favour, or of what is left of a bank entry.

    Of a favour, the net was in a pool already: `cover` says whether the reserve or the society itself bears that part.
    """
    if (licence is None) == (entry is None):
        raise Refusal("bad_source", _("A refund is of one licence's favour or of one payment."))
    society_id = licence.society_id if licence else entry.society_id if entry else 0
    enter(actor, society_id, "billing.manage")
    said, name, number = reason.strip()[:500], payee_name.strip()[:140], account_number(payee_account)
    for value, pointer in ((said, "/reason"), (name, "/payee_name"), (number, "/payee_account")):
        if not value or len(number) > 34:
            raise Refusal("incomplete", _("Say why, and to whose account it is to be paid."), pointer=pointer)
    if entry is not None:
        available, net, currency, licensee = entry.left if entry.sign == 1 else 0, 0, entry.currency, None
    else:
        assert licence is not None
        stands = favour(licence, currency)
        available, licensee = stands.gross, licence.licensee_id
        net = core.net_part(amount, net=stands.net, gross=stands.gross) if 0 < amount <= stands.gross else 0
    if not 1 <= amount <= available:
        raise Refusal(
            "more_than_available",
            _("At most %(most)s minor units can be paid back.") % {"most": available},
            pointer="/amount",
        )
    if net and cover not in (Refund.Cover.RESERVE, Refund.Cover.SOCIETY):
        raise Refusal(
            "no_cover", _("A part of it was distributed already. Say what covers that part."), pointer="/cover"
        )
    made = Refund.objects.create(
        society_id=society_id, licensee_id=licensee, licence=licence, entry=entry, currency=currency, amount=amount, net=net,
        cover=cover if net else "", payee_name=name, payee_account=number, payee_bank=payee_bank.strip()[:100], reason=said,
    )  # fmt: skip
    about = Reference(KIND, made.pk)
    data = {"amount": amount, "currency": currency, "net": net, "reason": said}
    record(actor=actor, verb="refund.requested", object=about, organisation_id=society_id, data=data)
    request_approval(
        actor=actor, kind=KIND, object=about, organisation_id=society_id, subject_sha256=refund_digest(made)
    )
    return made


def refund_digest(asked: Refund) -> str:
    """SHA-256 of exactly what a second person is asked."""
    said = (
        asked.licence_id, asked.entry_id, asked.currency, asked.amount, asked.net, asked.cover, asked.payee_name,
        asked.payee_account, asked.payee_bank, asked.reason,
    )  # fmt: skip
    return hashlib.sha256("\x1f".join(map(str, said)).encode()).hexdigest()


def own_refund(actor: Actor, refund_id: int) -> Refund:
    """A refund of the actor's society, locked, to work with."""
    found = Refund.objects.visible_to(actor).filter(pk=refund_id).first()
    if found is None:
        raise NotFound(_("There is no such refund."))
    enter(actor, found.society_id, "billing.manage")
    return (
        Refund.objects.select_for_update(no_key=True, of=("self",))
        .select_related("licence", "entry", "journal")
        .get(pk=found.pk)
    )


@transaction.atomic
def decide_refund(*, actor: Actor, refund: Refund, approve: bool, reason: str = "") -> Refund:
    """Decide as a second person. Approved, the money is set apart at once, so that nothing else can use it."""
    refund = own_refund(actor, refund.pk)
    approval = Approval.objects.pending().about(KIND, refund.pk).filter(kind=KIND).first()
    if refund.status != Refund.Status.REQUESTED or approval is None:
        raise Conflict("refund_is_decided", _("This refund is decided already."))
    decide(actor=actor, approval=approval, approve=approve, reason=reason, subject_sha256=refund_digest(refund))
    if approve:
        _move(refund, Refund.Status.REQUESTED, status=Refund.Status.APPROVED, journal=_set_apart(actor, refund))
    else:
        _move(refund, Refund.Status.REQUESTED, status=Refund.Status.REFUSED)
    data = {"amount": refund.amount, "currency": refund.currency, "reason": reason}
    about = Reference(KIND, refund.pk)
    record(actor=actor, verb=f"refund.{refund.status}", object=about, organisation_id=refund.society_id, data=data)
    return refund


def _move(refund: Refund, before: str, **changes: object) -> None:
    if Refund.objects.filter(pk=refund.pk, status=before).update(**changes) != 1:
        raise Conflict("refund_changed", _("Somebody changed this refund meanwhile. Look again."))
    for name, value in changes.items():
        setattr(refund, name, value)


def _opened(refund: Refund, kind: str, owner_id: int | None = None) -> int:
    return account(society_id=refund.society_id, kind=kind, owner_id=owner_id, currency=refund.currency)


def _set_apart(actor: Actor, refund: Refund) -> Journal:
    today, target = timezone.localdate(), _opened(refund, "refunding", refund.pk)
    if refund.entry is not None:
        entry = bank.park(actor=actor, entry=refund.entry)
        day = max(today, entry.booked_on)
        journal = _post(actor, refund, [Transfer(bank.source(entry), target, refund.amount)], day)
        bank.apply(
            actor=actor,
            entry=entry,
            to=Reference(KIND, refund.pk),
            journal=journal,
            amount=refund.amount,
            why=refund.reason,
        )
        return journal
    licence = Licence.objects.select_for_update(no_key=True, of=("self",)).get(pk=refund.licence_id or 0)
    stands = favour(licence, refund.currency)
    if refund.amount > stands.gross or core.net_part(refund.amount, net=stands.net, gross=stands.gross) != refund.net:
        raise Conflict("favour_changed", _("The licence's favour is another by now. Refuse this and ask anew."))
    transfers = [Transfer(_opened(refund, "favour", licence.pk), target, refund.amount)]
    if refund.net:
        cover = "reserve" if refund.cover == Refund.Cover.RESERVE else "borne"
        transfers.append(Transfer(_opened(refund, cover), _opened(refund, "credited", licence.pk), refund.net))
    return _post(actor, refund, transfers, today)


def _post(actor: Actor, refund: Refund, transfers: list[Transfer], day: datetime.date) -> Journal:
    return post(
        society_id=refund.society_id, kind="refund", key=f"refund:{refund.pk}", effective_on=day, transfers=transfers, actor=actor
    )  # fmt: skip


@transaction.atomic
def cancel_refund(*, actor: Actor, refund: Refund, reason: str) -> Refund:
    """Take back an approved refund of a favour that was not paid: it stands in the licence's favour again.

    A refund of a payment is not taken back: what was set apart of the payment is for its payer.
    """
    refund = own_refund(actor, refund.pk)
    if refund.status != Refund.Status.APPROVED or refund.entry_id is not None or refund.journal is None:
        raise Conflict(
            "refund_is_not_open", _("Only an approved, unpaid refund of a licence's favour can be cancelled.")
        )
    day = max(timezone.localdate(), refund.journal.effective_on)
    back = reverse(journal=refund.journal, key=f"refund:{refund.pk}:cancelled", effective_on=day, actor=actor)
    _move(refund, Refund.Status.APPROVED, status=Refund.Status.CANCELLED, cancelled_by=back)
    data = {"amount": refund.amount, "currency": refund.currency, "reason": reason[:500]}
    about = Reference(KIND, refund.pk)
    record(actor=actor, verb="refund.cancelled", object=about, organisation_id=refund.society_id, data=data)
    return refund


@transaction.atomic
def settle_refund(*, actor: Actor, refund: Refund, entry: Entry) -> Refund:
    """An outgoing bank entry of just this amount paid the refund: refunding ─▶ bank. Once an entry, once a refund."""
    refund = own_refund(actor, refund.pk)
    entry = bank.held(entry)
    if refund.status != Refund.Status.APPROVED:
        raise Conflict("refund_is_not_open", _("This refund is not waiting to be paid."))
    if (entry.society_id, entry.sign, entry.currency, entry.left) != (
        refund.society_id, -1, refund.currency, refund.amount,
    ):  # fmt: skip
        raise Refusal("other_amount", _("Only an outgoing entry of exactly this amount pays the refund."))
    journal = post(
        society_id=refund.society_id, kind="refund", key=f"refund:{refund.pk}:paid",
        effective_on=max(bank.effective_day(entry, entry.booked_on), _apart_on(refund)),
        transfers=[Transfer(_opened(refund, "refunding", refund.pk), bank.source(entry), refund.amount)], actor=actor,
    )  # fmt: skip
    bank.apply(actor=actor, entry=entry, to=Reference(KIND, refund.pk), journal=journal)
    _move(refund, Refund.Status.APPROVED, status=Refund.Status.PAID, paid_by=entry, paid_journal=journal)
    data = {"amount": refund.amount, "currency": refund.currency, "entry": entry.pk}
    about = Reference(KIND, refund.pk)
    record(actor=actor, verb="refund.paid", object=about, organisation_id=refund.society_id, data=data)
    return refund


def _apart_on(refund: Refund) -> datetime.date:
    """A payment is booked on the bank's day; money cannot leave before it was set apart in the book."""
    return refund.journal.effective_on if refund.journal else datetime.date.min
