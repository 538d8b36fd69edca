"""The bank's answers: what is carried out is settled once, what comes back is owed again whole, and nothing is guessed."""

from __future__ import annotations

import datetime
import io
from dataclasses import replace

import pytest
from django.utils import timezone

from accounts.identity.core import Conflict, Forbidden, NotFound, Refusal
from accounts.notices.models import Notice
from royalties.bank import services as bank
from royalties.bank.models import Application
from royalties.ledger.models import Journal
from royalties.payouts import services
from royalties.payouts.core import pain002 as reader
from royalties.payouts.models import Answer, Batch, Payment
from tests.royalties.bank_world import bank_account
from tests.royalties.payouts_world import Office, make_office, pain002


@pytest.fixture
def office(db: None) -> Office:
    return make_office()


@pytest.fixture
def batch(office: Office) -> Batch:
    for ref in ("A", "B", "C"):
        office.holder(ref, 1_234_567)
    return office.sent()


def statuses(batch: Batch) -> dict[str, str]:
    return dict(Payment.objects.filter(batch=batch).values_list("holder__ref", "status"))


def sound(batch: Batch) -> None:
    assert services.problems() == []


def test_what_the_bank_carried_out_leaves_the_book_and_what_it_refused_is_owed_again(
    office: Office, batch: Batch
) -> None:
    """A returned payment goes back whole: net and what was withheld."""
    a, b = office.payment(batch, "A"), office.payment(batch, "B")
    member = office.estate.payers.member(office.holders["B"])
    before = office.balance("bank")
    answer = office.answer(batch, (a.end_to_end_id, "ACSC"), (b.end_to_end_id, "RJCT", "AC04"))
    assert (answer.settled, answer.rejected, answer.pending, answer.unknown) == (1, 1, 0, 0)
    assert statuses(batch) == {"A": "settled", "B": "rejected", "C": "sent"}
    assert office.balance("bank") - before == a.net
    assert office.balance("payable", office.holders["B"].pk) == 1_234_567
    assert office.balance("paying", batch.pk) == office.payment(batch, "C").net
    assert sum(office.balance(f"tax:{tax['name']}") for tax in a.taxes) == 2 * 40_730
    b.refresh_from_db()
    assert (b.reason, b.reason_text, b.bank_status) == ("AC04", "because", "RJCT")
    assert Notice.objects.filter(user_id=member.user_id, key__startswith="payment-returned:").count() == 1
    sound(batch)


def test_the_same_answer_again_changes_nothing(office: Office, batch: Batch) -> None:
    said = [(each.end_to_end_id, "ACSC") for each in batch.rows.all()]
    first = office.answer(batch, *said)
    assert office.answer(batch, *said).pk == first.pk
    later = office.answer(batch, *said, message="BANK-2")
    assert (later.settled, later.rejected, Answer.objects.count()) == (0, 0, 2)
    batch.refresh_from_db()
    assert batch.status == "settled"
    assert Journal.objects.filter(kind="payout_settled").count() == 1
    sound(batch)


def test_the_nearest_level_counts(office: Office, batch: Batch) -> None:
    """Group accepted, the part refused, one payment settled."""
    a = office.payment(batch, "A")
    office.answer(batch, (a.end_to_end_id, "ACSC"), group="ACCP", parts="RJCT")
    assert statuses(batch) == {"A": "settled", "B": "rejected", "C": "rejected"}
    sound(batch)


def test_a_word_for_the_whole_message_is_of_every_payment(office: Office, batch: Batch) -> None:
    office.answer(batch, group="ACSP")
    assert set(batch.rows.values_list("bank_status", flat=True)) == {"ACSP"}
    assert set(statuses(batch).values()) == {"sent"}
    office.answer(batch, group="RJCT", message="BANK-2")
    assert set(statuses(batch).values()) == {"rejected"}
    assert office.balance("paying", batch.pk) == 0
    sound(batch)


def test_money_that_was_paid_can_still_come_back(office: Office, batch: Batch) -> None:
    a = office.payment(batch, "A")
    before = office.balance("bank")
    office.answer(batch, (a.end_to_end_id, "ACSC"))
    office.answer(batch, (a.end_to_end_id, "RJCT", "AC04"), message="BANK-2")
    assert statuses(batch)["A"] == "returned"
    assert office.balance("bank") == before
    assert office.balance("payable", office.holders["A"].pk) == 1_234_567
    office.answer(batch, (a.end_to_end_id, "ACSC"), message="BANK-3")
    assert statuses(batch)["A"] == "returned", "what ended stays ended"
    sound(batch)


def test_what_came_back_is_sent_again_once_with_the_corrected_account(office: Office, batch: Batch) -> None:
    a = office.payment(batch, "A")
    office.answer(batch, (a.end_to_end_id, "RJCT", "AC01"))
    corrected = office.estate.payers.usable(office.holders["A"], account="110-555-666777")
    again = office.sent()
    new = office.payment(again, "A")
    assert (new.details_id, new.resend_of_id, new.gross) == (corrected.pk, a.pk, a.gross)
    assert new.end_to_end_id != a.end_to_end_id
    office.estate.owe(office.holders["A"], 50)
    third = office.sent()
    assert office.payment(third, "A").resend_of_id is None
    sound(batch)


def test_ids_of_other_payments_are_counted_and_change_nothing(office: Office, batch: Batch) -> None:
    other = make_office("OTHER")
    other.holder("A", 5_000)
    theirs = other.payment(other.sent(), "A")
    answer = office.answer(batch, (theirs.end_to_end_id, "ACSC"), ("P0-0", "RJCT"))
    assert (answer.unknown, answer.settled, answer.rejected) == (2, 0, 0)
    theirs.refresh_from_db()
    assert theirs.status == "sent"


def test_an_answer_to_somebody_elses_order_is_not_found(office: Office, batch: Batch) -> None:
    other = make_office("OTHER")
    with pytest.raises(NotFound):
        other.answer(batch, group="ACSC")
    with pytest.raises(NotFound):
        services.import_answer(actor=office.first, society=other.society, stream=io.BytesIO(b""))
    assert set(statuses(batch).values()) == {"sent"}


def test_a_batch_that_was_not_sent_has_no_answer(office: Office) -> None:
    office.holder("A", 5_000)
    batch = office.ordered()
    with pytest.raises(Conflict, match="not sent"):
        office.answer(batch, group="ACSC")


NAMED = b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10">'
BOMB = b'<!DOCTYPE l [<!ENTITY a "x"><!ENTITY b "&a;&a;">]>' + NAMED + b"&b;</Document>"
FILE = b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/hostname">]>' + NAMED + b"&a;</Document>"
HOSTILE = {
    "an entity bomb": BOMB,
    "a file of the machine": FILE,
    "no XML": b"hello",
    "nothing": b"",
    "another message": b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"/>',
    "cut off": pain002("X", ("P1-1", "ACSC"))[:-40],
    "an unknown status": pain002("X", ("P1-1", "MAYB")),
    "no original": pain002("X").replace(b"OrgnlGrpInfAndSts", b"Other"),
    "too deep": NAMED + b"<a>" * 400 + b"</a>" * 400 + b"</Document>",
    "too many elements in one": pain002("X", ("P1-1", "ACSC")).replace(b"<TxSts>", b"<x/>" * 20_001 + b"<TxSts>"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_no_answer_is_refused_and_changes_nothing(what: str, office: Office) -> None:
    with pytest.raises(Refusal):
        services.import_answer(actor=office.first, society=office.society, stream=io.BytesIO(HOSTILE[what]))
    assert not Answer.objects.exists()


def test_older_answers_are_read_too() -> None:
    said = list(reader.read(io.BytesIO(pain002("X", ("P1-1", "ACSC"), version="03"))))
    assert said[0] == reader.Head("BANK-1", "X")
    assert [(each.id, each.status) for each in said if isinstance(each, reader.Said) and each.level == "payment"] == [
        ("P1-1", "ACSC")
    ]


def test_for_a_bank_that_sends_no_answer_a_person_records_it(office: Office, batch: Batch) -> None:
    today = timezone.localdate()
    a = office.payment(batch, "A")
    with pytest.raises(Refusal, match="reference"):
        services.settle_by_hand(actor=office.first, batch=batch, payment_ids=None, on=today, bank_ref=" ")
    with pytest.raises(Refusal, match="still to come"):
        services.settle_by_hand(
            actor=office.first, batch=batch, payment_ids=None, on=today + datetime.timedelta(days=1), bank_ref="X"
        )
    services.return_by_hand(actor=office.first, batch=batch, payment_ids=[a.pk], on=today, reason="closed account")
    done = services.settle_by_hand(actor=office.first, batch=batch, payment_ids=None, on=today, bank_ref="B-7")
    assert done.settled == 2
    assert statuses(batch) == {"A": "returned", "B": "settled", "C": "settled"}
    with pytest.raises(Conflict):
        services.settle_by_hand(actor=office.first, batch=batch, payment_ids=None, on=today, bank_ref="B-7")
    looker = replace(office.first, permissions=frozenset({"payouts.view"}))
    with pytest.raises(Forbidden):
        services.settle_by_hand(actor=looker, batch=batch, payment_ids=None, on=today, bank_ref="B-8")
    sound(batch)


def test_the_bank_statement_carries_payments_out_and_brings_them_back(office: Office, batch: Batch) -> None:
    account = bank_account(office.first, office.society)
    a, b = office.payment(batch, "A"), office.payment(batch, "B")
    office.answer(batch, (b.end_to_end_id, "ACSC"))
    before = office.balance("bank")
    office.entry(account, -1, a.net, end_to_end_id=a.end_to_end_id)
    office.entry(account, -1, b.net, end_to_end_id=b.end_to_end_id)
    office.entry(account, 1, a.net, end_to_end_id=a.end_to_end_id, return_reason="AC04")
    wrong = office.entry(account, -1, 1, end_to_end_id=office.payment(batch, "C").end_to_end_id)
    assert services.apply_entries(actor=office.first, society=office.society) == {"settled": 2, "returned": 1}
    assert statuses(batch) == {"A": "returned", "B": "settled", "C": "sent"}
    assert office.balance("bank") == before, "out and back; what pain.002 had booked is not booked twice"
    assert office.balance("payable", office.holders["A"].pk) == 1_234_567
    wrong.refresh_from_db()
    assert wrong.status == "open", "another amount is not guessed at"
    assert services.apply_entries(actor=office.first, society=office.society) == {"settled": 0, "returned": 0}
    assert Application.objects.count() == 3
    sound(batch)


def test_what_was_kept_as_unapplied_comes_back_from_there(office: Office, batch: Batch) -> None:
    account = bank_account(office.first, office.society)
    a = office.payment(batch, "A")
    office.answer(batch, (a.end_to_end_id, "ACSC"))
    came = bank.park(actor=office.first, entry=office.entry(account, 1, a.net, end_to_end_id=a.end_to_end_id))
    assert services.apply_entries(actor=office.first, society=office.society) == {"settled": 0, "returned": 1}
    assert office.balance("unapplied", came.pk) == 0
    assert office.balance("payable", office.holders["A"].pk) == 1_234_567
    sound(batch)


def test_one_debit_for_the_whole_order_settles_what_was_not_refused(office: Office, batch: Batch) -> None:
    account = bank_account(office.first, office.society)
    a = office.payment(batch, "A")
    office.answer(batch, (a.end_to_end_id, "RJCT", "AC04"))
    office.entry(account, -1, batch.net, batch_ref=batch.order["message_id"])
    assert services.apply_entries(actor=office.first, society=office.society) == {"settled": 0, "returned": 0}
    office.entry(account, -1, batch.net - a.net, batch_ref=f"{batch.order['message_id']}-1")
    assert services.apply_entries(actor=office.first, society=office.society) == {"settled": 1, "returned": 0}
    assert statuses(batch) == {"A": "rejected", "B": "settled", "C": "settled"}
    batch.refresh_from_db()
    assert batch.status == "settled"
    sound(batch)
