"""The bank's answers: pain.002, what its statement shows, and what a person records for banks that send neither."""

from __future__ import annotations

import datetime
import hashlib
import tempfile
from typing import IO, Any, Final

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import SYSTEM, Actor, Conflict, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from royalties.bank import services as bank
from royalties.bank.models import Application, Entry
from royalties.payouts.core import A_PART, pain002
from royalties.payouts.models import Answer, Batch, Payment
from royalties.payouts.services import settling
from royalties.payouts.services.guards import PREPARE, enter, own_batch
from royalties.payouts.services.settling import Outcome, Word

MOST_AT_ONCE: Final = 2_000  # bank entries that one call applies
_SAID: Final = """
    CREATE TEMP TABLE payout_said (place bigint GENERATED ALWAYS AS IDENTITY, level text, id text, part text, status text, word text,
      code text, said text) ON COMMIT DROP"""
_COPY: Final = "COPY payout_said (level, id, part, status, word, code, said) FROM STDIN"
# The nearest level counts; of two words about one payment the later.
_WORDS: Final = """
    INSERT INTO payout_word (payment_id, word, status, code, said, ref)
    SELECT p.id, w.word, w.status, w.code, w.said, ''
    FROM royalties_payment p
    CROSS JOIN LATERAL (
      SELECT s.* FROM payout_said s
      WHERE s.status <> '' AND (
        (s.level = 'payment' AND s.id = p.end_to_end_id)
        OR (s.level = 'part' AND s.id = %(message)s || '-' || ((p.position - 1) / %(size)s + 1))
        OR s.level = 'group')
      ORDER BY CASE s.level WHEN 'payment' THEN 1 WHEN 'part' THEN 2 ELSE 3 END, s.place DESC LIMIT 1) w
    WHERE p.batch_id = %(batch)s"""
_UNKNOWN: Final = """
    SELECT count(*) FROM payout_said s WHERE s.level = 'payment'
    AND NOT EXISTS (SELECT 1 FROM royalties_payment p WHERE p.batch_id = %s AND p.end_to_end_id = s.id)"""
_WORD: Final = {"settled": "settled", "rejected": "back", "pending": "pending"}


def import_answer(*, actor: Actor, society: Organisation, stream: IO[bytes], batch: Batch | None = None) -> Answer:
    """Take in a pain.002. The same file again gives the same answer and changes nothing.

    The file is not kept, since it may show accounts; its SHA-256 and what it said of each payment are. Raises Refusal for
    what is no such message or speaks of an unknown status, NotFound where it answers no order of this society.
    """
    enter(actor, society, PREPARE)
    with tempfile.TemporaryFile() as kept:
        sha256 = _copied(stream, kept)
        with transaction.atomic(), connection.cursor() as cursor:
            if known := Answer.objects.filter(society=society, sha256=sha256).first():
                return known
            kept.seek(0)
            cursor.execute(_SAID)
            heads = _read(kept)
            found = _batch_of(society, heads)
            if batch is not None and found.pk != batch.pk:
                raise Refusal("other_batch", _("This answers payout %(batch)s. Import it there.") % {"batch": found})
            found = own_batch(actor, found.pk, PREPARE, lock=True)
            if known := Answer.objects.filter(society=society, sha256=sha256).first():
                return known
            answer = _take_in(actor, found, heads[0], sha256)
            cursor.execute("DROP TABLE payout_said")
    return answer


def _copied(stream: IO[bytes], kept: IO[bytes]) -> str:
    sha, size = hashlib.sha256(), 0
    while piece := stream.read(1 << 20):
        size += len(piece)
        if size > pain002.MOST_BYTES:
            raise Refusal("too_large", _("The file is too large for an answer of a bank."))
        sha.update(piece)
        kept.write(piece)
    return sha.hexdigest()


def _read(kept: IO[bytes]) -> list[pain002.Head]:
    """What the file says, into the temporary table; returns of which orders it speaks."""
    heads: list[pain002.Head] = []
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for each in pain002.read(kept):
            if isinstance(each, pain002.Head):
                heads.append(each)
                if len(heads) > 1:
                    break
                continue
            word = _WORD[pain002.meaning(each.status)] if each.status else ""
            copy.write_row((each.level, each.id, each.part, each.status, word, each.code, each.text))
    if len(heads) != 1 or not heads[0].message_id:
        raise Refusal("not_one_order", _("An answer speaks of exactly one order, and has an id of its own."))
    return heads


def _batch_of(society: Organisation, heads: list[pain002.Head]) -> Batch:
    found = Batch.objects.filter(society=society, order__message_id=heads[0].original).first()
    if found is None:
        raise NotFound(_("No payout of yours was sent as “%(id)s”.") % {"id": heads[0].original}, code="unknown_order")
    return found


def _take_in(actor: Actor, batch: Batch, head: pain002.Head, sha256: str) -> Answer:
    settling.require_sent(batch)
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(status), '') FROM payout_said WHERE level = 'group'")
        group = cursor.fetchone()[0]
        cursor.execute(_UNKNOWN, [batch.pk])
        unknown = cursor.fetchone()[0]
        cursor.execute("CREATE INDEX ON payout_said (id)")
        cursor.execute("ANALYZE payout_said")
        answer = Answer.objects.create(
            society=batch.society,
            batch=batch,
            sha256=sha256,
            message_id=head.message_id,
            group_status=group,
            unknown=unknown,
        )
        settling.stage()
        cursor.execute(_WORDS, {"message": batch.order["message_id"], "size": A_PART, "batch": batch.pk})
    done = settling.apply(actor=actor, batch=batch, occasion=f"answer:{answer.pk}", on=timezone.localdate())
    answer.settled, answer.rejected, answer.pending = done.settled, done.back, done.pending
    answer.save(update_fields=["settled", "rejected", "pending"])
    data = {
        "sha256": sha256,
        "settled": done.settled,
        "rejected": done.back,
        "pending": done.pending,
        "unknown": unknown,
    }
    record(
        actor=actor, verb="payout_answer.imported", object=Reference("payout_answer", answer.pk),
        organisation_id=batch.society_id, data=data,
    )  # fmt: skip
    return answer


@transaction.atomic
def settle_by_hand(
    *, actor: Actor, batch: Batch, payment_ids: list[int] | None, on: datetime.date, bank_ref: str
) -> Outcome:
    """Record, with the bank's reference, that payments were carried out; None: all that are still on their way."""
    return _by_hand(actor, batch, payment_ids, "settled", on, bank_ref=bank_ref)


@transaction.atomic
def return_by_hand(
    *, actor: Actor, batch: Batch, payment_ids: list[int], on: datetime.date, reason: str, bank_ref: str = ""
) -> Outcome:
    """Record that payments failed or came back: the whole gross is owed again."""
    if not reason.strip():
        raise Refusal("reason_needed", _("Say why the payment came back: its holder will read it."), pointer="/reason")
    return _by_hand(actor, batch, payment_ids, "back", on, reason=reason, bank_ref=bank_ref)


def _by_hand(
    actor: Actor,
    batch: Batch,
    payment_ids: list[int] | None,
    word: str,
    on: datetime.date,
    *,
    bank_ref: str,
    reason: str = "",
) -> Outcome:
    batch = own_batch(actor, batch.pk, PREPARE, lock=True)
    settling.require_sent(batch)
    if word == "settled" and not bank_ref.strip():
        raise Refusal("reference_needed", _("Give the bank’s reference of the payment."), pointer="/bank_ref")
    if on > timezone.localdate():
        raise Refusal("day_out_of_range", _("That day is still to come."), pointer="/on")
    rows = Payment.objects.filter(batch=batch, status__in=["sent", "settled"] if word == "back" else ["sent"])
    if payment_ids is not None:
        rows = rows.filter(pk__in=payment_ids)
    ids = list(rows.values_list("pk", flat=True))
    if not ids or (payment_ids is not None and len(ids) != len(set(payment_ids))):
        raise Conflict("payment_is_ended", _("Choose payments that are still on their way."))
    settling.stage()
    settling.name(Word(pk, word, "", "", reason.strip()[:500], bank_ref.strip()[:140]) for pk in ids)
    occasion = hashlib.sha256(f"{word} {on} {bank_ref} {sorted(ids)}".encode()).hexdigest()[:16]
    return settling.apply(actor=actor, batch=batch, occasion=f"hand:{occasion}", on=on)


def apply_entries(*, actor: Actor, society: Organisation) -> dict[str, int]:
    """Find what the bank's statements say of payouts, and book it: debits carry them out, credits bring them back.

    By end-to-end id, where the amount is that of the payment; by the id of the order or of a part of it, where the amount is
    what is left of that. Nothing is guessed: other entries stay open. Returns how many entries were applied.
    """
    enter(actor, society, PREPARE)
    done = {"settled": 0, "returned": 0}
    waiting = Entry.objects.waiting().filter(society=society).exclude(end_to_end_id="", batch_ref="").order_by("id")
    # What went out first: what comes back was paid before.
    for entry in [*waiting.filter(sign=-1)[:MOST_AT_ONCE], *waiting.filter(sign=1)[:MOST_AT_ONCE]]:
        if _applied(actor, society, entry):
            done["settled" if entry.sign < 0 else "returned"] += 1
    return done


def apply_all_entries() -> dict[str, int]:
    """`apply_entries` for every society that has sent a payout: what the worker does every few minutes."""
    done = {"settled": 0, "returned": 0}
    societies = Batch.objects.filter(sent_at__isnull=False).order_by().values_list("society_id", flat=True).distinct()
    for society in Organisation.objects.filter(pk__in=societies).order_by("id"):
        for word, many in apply_entries(actor=SYSTEM, society=society).items():
            done[word] += many
    return done


@transaction.atomic
def _applied(actor: Actor, society: Organisation, entry: Entry) -> bool:
    payment = (
        Payment.objects.filter(society=society, end_to_end_id=entry.end_to_end_id, currency=entry.currency).first()
        if entry.end_to_end_id
        else None
    )
    if payment is None:
        return entry.sign < 0 and bool(entry.batch_ref) and _applied_whole(actor, society, entry)
    batch = Batch.objects.select_for_update(of=("self",)).select_related("society").get(pk=payment.batch_id)
    entry = bank.held(entry)
    payment.refresh_from_db()
    if entry.left != entry.amount or entry.amount != payment.net or batch.sent_at is None:
        return False
    word = "settled" if entry.sign < 0 else "back"
    if _explained(payment.pk, "payment", entry.sign) or (word == "settled" and _in_one_debit(batch, payment.position)):
        return False
    if word == "settled" and payment.status == Payment.Status.SETTLED:
        journal = payment.journal  # pain.002 said so before
    elif word == "back" and payment.status == Payment.Status.RETURNED and payment.journal_id and not entry.parked_id:
        journal = (
            payment.back
        )  # it was paid, and pain.002 or a person said before that it came back: booked against the bank
    elif payment.status == Payment.Status.SENT or (word == "back" and payment.status == Payment.Status.SETTLED):
        if word == "back" and payment.status == Payment.Status.SENT:
            return False  # the debit comes first: what comes in is then booked against the bank
        journal = _booked(actor, batch, entry, [payment.pk], word).journal
    else:
        return False
    if journal is None:
        return False
    bank.apply(actor=actor, entry=entry, to=Reference("payment", payment.pk), journal=journal)
    return True


def _applied_whole(actor: Actor, society: Organisation, entry: Entry) -> bool:
    """One debit for an order or a part of it: what the bank has not refused of it by then."""
    message, _dash, part = entry.batch_ref.rpartition("-")
    found = Batch.objects.filter(society=society, currency=entry.currency, sent_at__isnull=False)
    batch = (
        found.filter(order__message_id__in=[entry.batch_ref, message])
        .select_for_update(of=("self",))
        .select_related("society")
        .first()
    )
    if batch is None:
        return False
    entry = bank.held(entry)
    rows = Payment.objects.filter(batch=batch, status__in=["sent", "settled"])
    if batch.order["message_id"] != entry.batch_ref:
        if not part.isdecimal():
            return False
        first = (int(part) - 1) * A_PART + 1
        rows = rows.filter(position__gte=first, position__lt=first + A_PART)
    facts = list(rows.values_list("pk", "net", "status", "journal_id"))
    if _paid_before(batch, entry.batch_ref, [pk for pk, *_facts in facts]):
        return False
    if entry.left != entry.amount or sum(net for _pk, net, _status, _journal in facts) != entry.amount:
        return False
    sent = [pk for pk, _net, status, _journal in facts if status == Payment.Status.SENT]
    journal: Any = _booked(actor, batch, entry, sent, "settled").journal if sent else None
    if journal is None:
        journal = Payment.objects.select_related("journal").get(pk=facts[0][0]).journal
    bank.apply(actor=actor, entry=entry, to=Reference("payout_batch", batch.pk), journal=journal)
    return True


def _booked(actor: Actor, batch: Batch, entry: Entry, ids: list[int], word: str) -> Outcome:
    settling.stage()
    said = "ACSC" if word == "settled" else "RJCT"
    ref = entry.bank_ref[:140]
    settling.name(
        Word(pk, word, said, entry.return_reason, entry.purpose[:500] if word == "back" else "", ref) for pk in ids
    )
    on = bank.effective_day(entry, timezone.localdate())
    return settling.apply(actor=actor, batch=batch, occasion=f"entry:{entry.pk}", on=on, source=bank.source(entry))


def _explained(object_id: int, kind: str, sign: int) -> bool:
    """Whether another entry of the same sign was for it already: the bank would have carried it out twice."""
    return Application.objects.filter(object_kind=kind, object_id=object_id, entry__sign=sign).exists()


def _in_one_debit(batch: Batch, position: int) -> bool:
    """Whether the bank's one debit for the order, or for the part in which a payment stands, was applied already."""
    message = batch.order["message_id"]
    return _debits(batch).filter(entry__batch_ref__in=[message, f"{message}-{(position - 1) // A_PART + 1}"]).exists()


def _paid_before(batch: Batch, batch_ref: str, ids: list[int]) -> bool:
    """Whether some of what a debit is for left the bank already: with the order, its part, or one by one.

    What the bank seems to have carried out twice is for a person to look at: nothing may make it disappear.
    """
    message = batch.order["message_id"]
    others = _debits(batch)
    if batch_ref != message:
        others = others.filter(entry__batch_ref__in=[message, batch_ref])
    singles = Application.objects.filter(object_kind="payment", object_id__in=ids, entry__sign=-1)
    return others.exists() or singles.exists()


def _debits(batch: Batch) -> QuerySet[Application]:
    return Application.objects.filter(object_kind="payout_batch", object_id=batch.pk, entry__sign=-1)
