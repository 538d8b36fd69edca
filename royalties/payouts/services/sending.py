"""The bank's file of a batch: made of what was ordered, looked at by the message's rules, and sent once.

Whoever takes it first marks the batch as sent, with the file's SHA-256 and its form; every later one is a copy with the same
bytes. The file shows accounts in the clear, so it is never kept: it is made anew, from payment details that never change.
"""

from __future__ import annotations

import datetime
import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Final

from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict, Refusal
from royalties.payees.models import PayeeDetails
from royalties.payees.services import reveal
from royalties.payouts.core import A_PART, Order, Party, Transfer, csvfile, pain001, rules
from royalties.payouts.models import Batch, Payment
from royalties.payouts.services import settling
from royalties.payouts.services.guards import APPROVE, own_batch, record_batch
from royalties.payouts.services.telling import tell_sent

FORMATS: Final = ("pain.001", "csv")
_AT_ONCE: Final = 2_000
_ROWS: Final = """
    SELECT p.end_to_end_id, p.net, p.details_id, coalesce(nullif(y.name, ''), nullif(h.name_ko, ''), h.name),
           CASE WHEN p.entitlement_id IS NULL THEN '' ELSE coalesce(nullif(h.name_ko, ''), h.name) END
    FROM royalties_payment p
    JOIN licensing_holder h ON h.id = p.holder_id
    JOIN royalties_payeedetails d ON d.id = p.details_id
    JOIN royalties_payee y ON y.id = d.payee_id
    WHERE p.batch_id = %s AND p.position <> ALL (%s) ORDER BY p.position"""
# Payments into accounts that were stopped, or on which something was found, since the batch was ordered.
_STOPPED: Final = """
    SELECT p.id, p.position, p.net FROM royalties_payment p
    JOIN royalties_payeedetails d ON d.id = p.details_id
    LEFT JOIN LATERAL (SELECT s.state FROM royalties_sanctionscheck s WHERE s.details_id = d.id ORDER BY s.id DESC LIMIT 1) c ON true
    WHERE p.batch_id = %s AND p.status = 'ordered' AND (d.status <> 'approved' OR c.state IS DISTINCT FROM 'clear')
    ORDER BY p.position"""


@dataclass(frozen=True, slots=True)
class BankFile:
    """A bank file that lies open at its beginning; `copy` where it had been sent already."""

    stream: IO[bytes]
    name: str
    content_type: str
    sha256: str
    size: int
    copy: bool


def bank_file(*, actor: Actor, batch: Batch, form: str = "pain.001") -> BankFile:
    """The file for the bank. The first time it marks the batch as sent; afterwards it is a copy with the same bytes.

    Each reading of the accounts in it is logged. Raises Conflict where the batch is not ordered, or was sent in another form;
    Refusal where the file would break the rules of its form: nothing is marked then. What was ordered into an account that was
    stopped since is not in the file: it is owed again.
    """
    if form not in FORMATS:
        raise Refusal("unknown_format", _("The bank’s file is pain.001 or csv."), pointer="/format")
    with transaction.atomic():
        batch = own_batch(actor, batch.pk, APPROVE, lock=True)
        if batch.status not in (Batch.Status.ORDERED, Batch.Status.SENT, Batch.Status.SETTLED):
            raise Conflict("batch_is_not_ordered", _("Only a payout that was ordered has a file for the bank."))
        if batch.file_format not in ("", form):
            raise Conflict(
                "batch_was_sent_otherwise",
                _("This payout was sent to the bank as %(form)s. Sending it in a second form would pay it twice.")
                % {"form": batch.file_format},
            )
        if not batch.file_sha256:
            _leave_out(actor, batch)
        stream = tempfile.TemporaryFile()  # noqa: SIM115 - it is answered with
        try:
            _write(actor, batch, form, stream)
            sha256, size = _measured(stream)
            copy = bool(batch.file_sha256)
            if copy and sha256 != batch.file_sha256:
                raise Conflict(
                    "file_differs", _("The file would differ from the one that was sent. It is not given out.")
                )
            (_copied if copy else _sent)(actor, batch, form, sha256, size)
        except BaseException:
            stream.close()
            raise
    stream.seek(0)
    ending, content_type = ("xml", "application/xml") if form == "pain.001" else ("csv", "text/csv; charset=utf-8")
    name = f"{batch.order['message_id']}{'-copy' if copy else ''}.{ending}"
    return BankFile(stream, name, content_type, sha256, size, copy)


def _leave_out(actor: Actor, batch: Batch) -> None:
    """Give back what must not leave the bank any more, and keep in the order which payments its file is without."""
    with connection.cursor() as cursor:
        cursor.execute(_STOPPED, [batch.pk])
        stopped = cursor.fetchall()
    if not stopped:
        return
    if len(stopped) == batch.payments:
        raise Conflict("no_account", _("Payment %(id)s has no account to go to.") % {"id": batch})
    settling.stage()
    said = str(PayeeDetails.Status.OBJECTED.label)
    settling.name(settling.Word(pk, "back", "RJCT", "", said) for pk, _position, _net in stopped)
    settling.apply(actor=actor, batch=batch, occasion="left_out", on=timezone.localdate())
    sums = [list(each) for each in batch.order["sums"]]
    for _pk, position, net in stopped:
        part = sums[(position - 1) // A_PART]
        part[0], part[1] = part[0] - 1, part[1] - net
    batch.order |= {"sums": sums, "left_out": [position for _pk, position, _net in stopped]}
    batch.save(update_fields=["order"])


def _sent(actor: Actor, batch: Batch, form: str, sha256: str, size: int) -> None:
    """Mark it as sent, once: of two who take the file at once, the other's is a copy."""
    moved = Batch.objects.filter(pk=batch.pk, status=Batch.Status.ORDERED, file_sha256="").update(
        status=Batch.Status.SENT, file_sha256=sha256, file_format=form, sent_at=timezone.now()
    )
    if moved != 1:
        raise Conflict("batch_was_sent", _("Somebody took the file at the same moment. Look again."))
    Payment.objects.filter(batch=batch, status=Payment.Status.ORDERED).update(status=Payment.Status.SENT)
    record_batch(actor, batch, "sent", sha256=sha256, bytes=size, form=form)
    tell_sent(batch)


def _copied(actor: Actor, batch: Batch, form: str, sha256: str, size: int) -> None:
    record_batch(actor, batch, "copied", sha256=sha256, bytes=size, form=form)


def _write(actor: Actor, batch: Batch, form: str, stream: IO[bytes]) -> None:
    order, rows = order_of(batch), _transfers(actor, batch)
    if form == "csv":
        csvfile.write(stream, order, rows, batch.order["columns"])
        return
    pain001.write(stream, order, rows)
    stream.seek(0)
    broken = rules.problems(stream)
    if broken:
        raise Refusal(
            "file_breaks_rules",
            _("The bank would refuse this file: %(first)s") % {"first": broken[0]},
            errors=[{"code": "file_breaks_rules", "detail": str(each), "pointer": each.path} for each in broken],
        )


def _measured(stream: IO[bytes]) -> tuple[str, int]:
    stream.seek(0)
    sha, size = hashlib.sha256(), 0
    while piece := stream.read(1 << 20):
        sha.update(piece)
        size += len(piece)
    return sha.hexdigest(), size


def order_of(batch: Batch) -> Order:
    """The batch's order as it was frozen."""
    frozen: dict[str, Any] = batch.order
    left_out = frozen.get("left_out", [])
    without = Payment.objects.filter(batch=batch, position__in=left_out).aggregate(net=Sum("net"))["net"]
    return Order(
        message_id=frozen["message_id"],
        made_at=datetime.datetime.fromisoformat(frozen["made_at"]),
        execute_on=batch.execute_on,
        currency=batch.currency,
        payer=Party(**frozen["payer"]),
        count=batch.payments - len(left_out),
        total=batch.net - int(without or 0),
        remittance=frozen["remittance"],
        ascii_only=frozen["ascii_only"],
        sums=tuple((count, total) for count, total in frozen["sums"]),
    )


def _transfers(actor: Actor, batch: Batch) -> Iterator[Transfer]:
    """Every payment in order, its account read in the clear a few thousand at a time."""
    reason = _("payout %(batch)s: file for the bank") % {"batch": batch}
    with connection.connection.cursor(name=f"payout_file_{batch.pk}") as cursor:
        cursor.execute(_ROWS, [batch.pk, batch.order.get("left_out", [])])
        while rows := cursor.fetchmany(_AT_ONCE):
            accounts = reveal(actor=actor, details_ids=[row[2] for row in rows], reason=reason)
            for made, amount, details, name, on_behalf in rows:
                account = accounts.get(details)
                if account is None:
                    raise Conflict("no_account", _("Payment %(id)s has no account to go to.") % {"id": made})
                party = Party(
                    account.holder_name or name, account.account, bool(account.iban), account.bic, account.bank
                )
                yield Transfer(made, amount, party, on_behalf)
