"""What becomes of payments: carried out (paying → bank), or back with the holder, whole (paying or bank, and tax → payable).

All of one occasion at once: an answer of the bank, an entry of its statement, or what a person records. The payments are
named in a temporary table; one journal books those that were carried out, one those that came back.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection
from django.db.models import Sum
from django.utils.translation import gettext as _

from accounts.identity.core import SYSTEM, Actor, Conflict
from royalties.entitlements.services import gave_back
from royalties.ledger import services as ledger
from royalties.ledger.models import Journal
from royalties.payouts.models import Batch, Payment
from royalties.payouts.services.guards import PREPARE, record_batch
from royalties.payouts.services.telling import tell_back

_STAGE: Final = """
    CREATE TEMP TABLE IF NOT EXISTS payout_word (payment_id bigint, word text, status text, code text, said text, ref text) ON COMMIT DROP;
    TRUNCATE payout_word"""
_COPY: Final = "COPY payout_word (payment_id, word, status, code, said, ref) FROM STDIN"
# Only what is not at its end changes, and what was paid can still come back.
_OPEN: Final = """
    DELETE FROM payout_word w USING royalties_payment p
    WHERE p.id = w.payment_id AND NOT (
      (w.word = 'settled' AND p.status IN ('ordered', 'sent'))
      OR (w.word = 'back' AND p.status IN ('ordered', 'sent', 'settled'))
      OR (w.word = 'pending' AND p.status IN ('ordered', 'sent') AND p.bank_status <> w.status))"""
_BACK: Final = """
    SELECT CASE WHEN p.status = 'settled' THEN %s ELSE %s END::bigint AS debit_id, a.id AS credit_id, sum(p.net)::bigint AS amount
    FROM payout_word w JOIN royalties_payment p ON p.id = w.payment_id
    JOIN ledger_account a ON a.society_id = p.society_id AND a.kind = 'payable' AND a.owner_id = p.holder_id AND a.currency = p.currency
    WHERE w.word = 'back' GROUP BY 1, 2
    UNION ALL
    SELECT t.id, a.id, sum(x.amount)::bigint
    FROM payout_word w JOIN royalties_paymenttax x ON x.payment_id = w.payment_id
    JOIN ledger_account a ON a.society_id = x.society_id AND a.kind = 'payable' AND a.owner_id = x.holder_id AND a.currency = x.currency
    JOIN ledger_account t ON t.society_id = x.society_id AND t.kind = 'tax:' || x.name AND t.currency = x.currency
    WHERE w.word = 'back' AND x.amount > 0 GROUP BY 1, 2"""
_MARK_SETTLED: Final = """
    UPDATE royalties_payment p SET status = 'settled', bank_status = w.status, journal_id = %s, ended_on = %s, bank_ref = w.ref
    FROM payout_word w WHERE w.payment_id = p.id AND w.word = 'settled'"""
_MARK_BACK: Final = """
    UPDATE royalties_payment p SET status = CASE WHEN w.status = 'RJCT' AND p.status <> 'settled' THEN 'rejected' ELSE 'returned' END,
      bank_status = w.status, reason = w.code, reason_text = w.said, back_id = %s, ended_on = %s,
      bank_ref = CASE WHEN w.ref = '' THEN p.bank_ref ELSE w.ref END
    FROM payout_word w WHERE w.payment_id = p.id AND w.word = 'back'"""
_MARK_PENDING: Final = """
    UPDATE royalties_payment p SET bank_status = w.status, reason = w.code, reason_text = w.said
    FROM payout_word w WHERE w.payment_id = p.id AND w.word = 'pending'"""


@dataclass(frozen=True, slots=True)
class Word:
    """What is said of one payment: `settled`, `back` or `pending`; the bank's status, its reason, its reference."""

    payment_id: int
    word: str
    status: str = ""
    code: str = ""
    text: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one occasion changed."""

    settled: int = 0
    back: int = 0
    pending: int = 0
    settled_journal: Journal | None = None
    back_journal: Journal | None = None

    @property
    def journal(self) -> Journal | None:
        return self.settled_journal or self.back_journal


def stage() -> None:
    """Have the empty table in which payments are named."""
    with connection.cursor() as cursor:
        cursor.execute(_STAGE)


def name(words: Iterable[Word]) -> None:
    """Name payments, and what is said of them."""
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for each in words:
            copy.write_row((each.payment_id, each.word, each.status, each.code, each.text, each.ref))


def apply(*, actor: Actor, batch: Batch, occasion: str, on: datetime.date, source: int | None = None) -> Outcome:
    """Book what was named of this batch, which the caller holds locked, under an occasion of its own (`answer:7`).

    Of a payment that is at its end nothing changes, so whatever comes again changes nothing. `source` is the account that
    holds what comes back after it was paid: the bank's, unless it was kept as unapplied.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OPEN)
        cursor.execute(
            "SELECT word, count(*), array_agg(payment_id) FROM payout_word WHERE word <> 'pending' GROUP BY word"
        )
        named = {word: ids for word, _many, ids in cursor.fetchall()}
        settled = _settle(actor, batch, occasion, on, named["settled"]) if "settled" in named else None
        if settled is not None:
            cursor.execute(_MARK_SETTLED, [settled.pk, on])
        back = _give_back(actor, batch, occasion, on, source) if "back" in named else None
        if back is not None:
            _entitlements(actor, batch, occasion, on, named["back"])
            cursor.execute(_MARK_BACK, [back.pk, on])
        cursor.execute(_MARK_PENDING)
        pending = cursor.rowcount
    outcome = Outcome(len(named.get("settled", ())), len(named.get("back", ())), pending, settled, back)
    _record(actor, batch, occasion, outcome)
    if back is not None:
        tell_back(batch, named["back"], f"{batch.pk}:{occasion}")
    close(batch)
    return outcome


def _accounts(batch: Batch) -> tuple[int, int]:
    book: dict[str, Any] = {"society_id": batch.society_id, "currency": batch.currency}
    return ledger.account(kind="bank", **book), ledger.account(kind="paying", owner_id=batch.pk, **book)


def _settle(actor: Actor, batch: Batch, occasion: str, on: datetime.date, ids: Sequence[int]) -> Journal:
    bank, paying = _accounts(batch)
    total = int(Payment.objects.filter(pk__in=ids).aggregate(total=Sum("net"))["total"])
    return ledger.post(
        society_id=batch.society_id, kind="payout_settled", key=f"payout:{batch.pk}:{occasion}:settled", effective_on=on,
        transfers=[ledger.Transfer(paying, bank, total)], actor=actor,
    )  # fmt: skip


def _give_back(actor: Actor, batch: Batch, occasion: str, on: datetime.date, source: int | None) -> Journal:
    bank, paying = _accounts(batch)
    return ledger.post_query(
        society_id=batch.society_id, kind="payout_returned", key=f"payout:{batch.pk}:{occasion}:back", effective_on=on,
        query=_BACK, params=[source or bank, paying], actor=actor,
    )  # fmt: skip


def _entitlements(actor: Actor, batch: Batch, occasion: str, on: datetime.date, ids: Sequence[int]) -> None:
    """What came back from third parties no longer counts towards their orders."""
    others = Payment.objects.filter(pk__in=ids, entitlement_id__isnull=False).order_by()
    amounts = dict(others.values_list("entitlement_id").annotate(total=Sum("net")))
    if amounts:
        gave_back(
            actor=actor if actor.can(PREPARE) else SYSTEM, society=batch.society, key=f"payout:{batch.pk}:{occasion}",
            currency=batch.currency, on=on, amounts={pk: int(total) for pk, total in amounts.items()},
        )  # fmt: skip


def _record(actor: Actor, batch: Batch, occasion: str, outcome: Outcome) -> None:
    journals = {
        "settled": outcome.settled_journal.pk if outcome.settled_journal else None,
        "back": outcome.back_journal.pk if outcome.back_journal else None,
    }
    if outcome.settled:
        record_batch(actor, batch, "settled", occasion=occasion, payments=outcome.settled, journal=journals["settled"])
    if outcome.back:
        record_batch(actor, batch, "returned", occasion=occasion, payments=outcome.back, journal=journals["back"])


def close(batch: Batch) -> None:
    """Once every payment is at its end, so is the batch."""
    open_ones = Payment.objects.filter(batch=batch, status__in=[Payment.Status.ORDERED, Payment.Status.SENT])
    if not open_ones.exists():
        Batch.objects.filter(pk=batch.pk, status=Batch.Status.SENT).update(status=Batch.Status.SETTLED)


def require_sent(batch: Batch) -> None:
    if batch.status not in (Batch.Status.SENT, Batch.Status.SETTLED):
        raise Conflict("batch_is_not_sent", _("This payout was not sent to the bank yet."))
