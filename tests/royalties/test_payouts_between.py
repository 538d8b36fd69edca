"""Payouts between two steps: what changes after a batch was prepared, and what the bank's statement says twice."""

from __future__ import annotations

import datetime
import io
from collections.abc import Callable, Iterator
from typing import IO

import pytest
from django.utils import timezone

from accounts.identity.core import Conflict, Refusal
from royalties.bank.models import Application
from royalties.ledger.models import Journal
from royalties.payees import services as payees
from royalties.payees.models import TaxRule
from royalties.payouts import services
from royalties.payouts.core import pain002 as reader
from royalties.payouts.models import Batch
from royalties.reports.reconciling import reconciliations
from tests.royalties.bank_world import bank_account
from tests.royalties.payouts_world import Office, make_office, pain002

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


@pytest.fixture
def office(db: None) -> Office:
    return make_office()


def heirs_take_over(office: Office) -> None:
    """Recorded and approved as a whole: nothing of it waits any more when the batch is looked at again."""
    office.estate.right(office.holders["A"], "succession", office.poor("HEIR"), valid_from=timezone.localdate())


def it_is_assigned(office: Office) -> None:
    office.estate.right(
        office.holders["A"], "assignment", office.poor("TO"), valid_from=timezone.localdate() - DAY, with_arrears=True
    )


def another_account_pays(office: Office) -> None:
    """One person replaces a policy that has not begun, on which an approved batch for a later day rests."""
    other = bank_account(office.first, office.society, number="110-222-333444")
    office.policy(valid_from=timezone.localdate() + DAY, debtor=other)


def the_law_changes(office: Office) -> None:
    rule = TaxRule.objects.in_force(timezone.localdate()).get(jurisdiction="KR", applies_to="kr_business")
    today = timezone.localdate()
    TaxRule.objects.filter(pk=rule.pk).update(valid=(rule.valid.lower, today))
    document = rule.document | {"version": rule.version + 1, "valid_from": today.isoformat()}
    TaxRule.objects.create(
        ref=rule.ref, version=rule.version + 1, jurisdiction="KR", applies_to="kr_business", valid=(today, None),
        document=document, sha256="0" * 64,
    )  # fmt: skip


@pytest.mark.parametrize("change", [heirs_take_over, it_is_assigned, another_account_pays, the_law_changes])
def test_an_approved_payout_is_not_ordered_once_it_rests_on_something_else(
    office: Office, change: Callable[[Office], None]
) -> None:
    office.policy(valid_from=timezone.localdate() + DAY)
    office.holder("A", 500_000)
    batch = office.approved(office.prepared(on=timezone.localdate() + DAY))
    change(office)
    with pytest.raises(Conflict) as refused:
        services.order(batch.pk)
    assert refused.value.code == "batch_is_stale"
    assert not Journal.objects.filter(kind="payout").exists()


def applied(office: Office) -> dict[str, int]:
    return services.apply_entries(actor=office.first, society=office.society)


def sent(office: Office) -> Batch:
    office.holder("A", 300_000)
    office.holder("B", 200_000)
    return office.sent()


def test_an_order_that_the_bank_debits_twice_stays_open_for_a_person(office: Office) -> None:
    """Money out twice must not disappear: the second debit of the same order is nobody's payment."""
    batch, account = sent(office), bank_account(office.first, office.society)
    office.entry(account, -1, batch.net, batch_ref=batch.order["message_id"])
    assert applied(office) == {"settled": 1, "returned": 0}
    again = [
        office.entry(account, -1, batch.net, batch_ref=batch.order["message_id"]),
        office.entry(account, -1, batch.net, batch_ref=f"{batch.order['message_id']}-1"),
        office.entry(account, -1, office.payment(batch, "A").net, end_to_end_id=office.payment(batch, "A").end_to_end_id),
    ]  # fmt: skip
    assert applied(office) == {"settled": 0, "returned": 0}
    for entry in again:
        entry.refresh_from_db()
        assert (entry.status, entry.applied) == ("open", 0)


def test_an_order_whose_payments_left_one_by_one_is_not_paid_by_one_debit_too(office: Office) -> None:
    batch, account = sent(office), bank_account(office.first, office.society)
    for ref in ("A", "B"):
        payment = office.payment(batch, ref)
        office.entry(account, -1, payment.net, end_to_end_id=payment.end_to_end_id)
    assert applied(office) == {"settled": 2, "returned": 0}
    whole = office.entry(account, -1, batch.net, batch_ref=batch.order["message_id"])
    assert applied(office) == {"settled": 0, "returned": 0}
    whole.refresh_from_db()
    assert whole.status == "open"


def test_what_a_person_recorded_as_come_back_is_the_entry_that_comes_later(office: Office) -> None:
    """It was booked against the bank already: its entry is used up, and nothing is booked a second time."""
    batch, account = sent(office), bank_account(office.first, office.society)
    a, today = office.payment(batch, "A"), timezone.localdate()
    services.settle_by_hand(actor=office.first, batch=batch, payment_ids=None, on=today, bank_ref="B-1")
    services.return_by_hand(actor=office.first, batch=batch, payment_ids=[a.pk], on=today, reason="closed account")
    bank, owed = office.balance("bank"), office.balance("payable", a.holder_id)
    came = office.entry(account, 1, a.net, end_to_end_id=a.end_to_end_id)
    again = office.entry(account, 1, a.net, end_to_end_id=a.end_to_end_id)
    assert applied(office) == {"settled": 0, "returned": 1}
    came.refresh_from_db()
    again.refresh_from_db()
    assert (came.status, again.status) == ("applied", "open")
    assert (office.balance("bank"), office.balance("payable", a.holder_id)) == (bank, owed)
    assert services.problems() == []


def test_an_answer_about_thousands_of_orders_is_not_read_to_its_end(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer speaks of one order: at the second its reading ends, however many follow."""
    batch, seen = sent(office), []
    content = pain002(batch.order["message_id"])
    head = content[content.index(b"<OrgnlGrpInfAndSts>") : content.index(b"<OrgnlPmtInfAndSts>")]
    read = reader.read

    def counted(stream: IO[bytes]) -> Iterator[reader.Head | reader.Said]:
        for each in read(stream):
            seen.append(each)
            yield each

    monkeypatch.setattr(reader, "read", counted)
    with pytest.raises(Refusal) as refused:
        services.import_answer(
            actor=office.first, society=office.society, stream=io.BytesIO(content.replace(head, head * 500))
        )
    assert refused.value.code == "not_one_order"
    assert len(seen) < 10


def test_bank_and_book_agree_while_the_bank_shows_only_some_of_what_it_answered(office: Office) -> None:
    """One answer settles several payments in one journal; their entries come one by one, or in one debit with others."""
    batch, account = sent(office), bank_account(office.first, office.society)
    a, b = office.payment(batch, "A"), office.payment(batch, "B")
    office.answer(batch, (a.end_to_end_id, "ACSC"), (b.end_to_end_id, "ACSC"))
    office.entry(account, -1, a.net, end_to_end_id=a.end_to_end_id)
    assert applied(office) == {"settled": 1, "returned": 0}
    [found] = reconciliations(office.society.pk)
    assert (found.fault, found.explained) == (0, -a.net)
    assert found.without_entry == 500_000 - b.net, (
        "booked without an entry: what came in, and B's payment, not shown yet"
    )


def test_bank_and_book_agree_where_one_debit_is_for_what_two_journals_booked(office: Office) -> None:
    batch, account = sent(office), bank_account(office.first, office.society)
    office.answer(batch, (office.payment(batch, "A").end_to_end_id, "ACSC"))
    office.entry(account, -1, batch.net, batch_ref=batch.order["message_id"])
    assert applied(office) == {"settled": 1, "returned": 0}
    [found] = reconciliations(office.society.pk)
    assert (found.fault, found.explained) == (0, -batch.net)


def test_verify_finds_a_payment_that_the_bank_carried_out_twice(office: Office) -> None:
    batch, account = sent(office), bank_account(office.first, office.society)
    a = office.payment(batch, "A")
    office.entry(account, -1, a.net, end_to_end_id=a.end_to_end_id)
    applied(office)
    assert services.problems() == []
    again = office.entry(account, -1, a.net, end_to_end_id=a.end_to_end_id)
    journal = Journal.objects.get(kind="payout_settled")
    Application.objects.create(entry=again, object_kind="payment", object_id=a.pk, amount=a.net, journal=journal)
    assert [each["what"] for each in services.problems()] == ["payouts.entries"]


@pytest.mark.parametrize("form", ["pain.001", "csv"])
@pytest.mark.parametrize("found", ["stopped by the holder", "on a list"])
def test_what_was_ordered_into_an_account_that_was_stopped_since_does_not_leave(
    office: Office, form: str, found: str
) -> None:
    """A thief's account, found between order and file: its payment is owed again, all others are sent."""
    thief, honest = office.holder("A", 300_000), office.holder("B", 200_000)
    batch = office.ordered()
    a, b = office.payment(batch, "A"), office.payment(batch, "B")
    if found == "on a list":
        payees.record_check(actor=office.second, details_ids=[a.details_id], state="hit", source="UN list")
    else:
        payees.object_to(actor=office.first, details=a.details, reason="not mine")
    _file, content = office.take(batch, form)
    assert a.end_to_end_id.encode() not in content and b.end_to_end_id.encode() in content
    a.refresh_from_db()
    b.refresh_from_db()
    assert (a.status, b.status) == ("rejected", "sent")
    assert (office.balance("payable", thief.pk), office.balance("payable", honest.pk)) == (300_000, 0)
    batch.refresh_from_db()
    assert office.balance("paying", batch.pk) == b.net
    copy, again = office.take(batch, form)
    assert (copy.copy, again) == (True, content)
    office.answer(batch, (b.end_to_end_id, "ACSC"))
    batch.refresh_from_db()
    assert batch.status == "settled"
    assert services.problems() == []
