"""Payouts: whom a batch pays how much, who must agree, and what the ledger says afterwards."""

from __future__ import annotations

import datetime

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.identity.core import SYSTEM, Conflict, Forbidden, NotFound, Refusal
from licensing.repertoire.models import Holder
from royalties.ledger import services as ledger
from royalties.ledger.models import Journal
from royalties.payees import services as payees
from royalties.payouts import services
from royalties.payouts.models import Batch, CarriedForward, Payment
from royalties.payouts.services import ordering
from tests.royalties.payouts_world import Office, make_office

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(db: None) -> Office:
    return make_office()


def carried(batch: Batch) -> dict[str, tuple[int, str]]:
    return {each.holder.ref: (each.amount, each.reason) for each in CarriedForward.objects.filter(batch=batch)}


def test_the_worked_example_is_paid_to_the_won(office: Office) -> None:
    """₩1,234,567 of business income: income tax 37,030, local tax 3,700, net 1,193,837."""
    holder = office.holder("H-1", 1_234_567)
    batch = office.ordered()
    payment = office.payment(batch, "H-1")
    assert (batch.gross, batch.withheld, batch.net, batch.payments) == (1_234_567, 40_730, 1_193_837, 1)
    assert (payment.gross, payment.withheld, payment.net, payment.status) == (1_234_567, 40_730, 1_193_837, "ordered")
    assert [tax["amount"] for tax in payment.taxes] == [37_030, 3_700]
    assert payment.end_to_end_id == f"P{batch.pk}-{holder.pk}"
    assert office.balance("payable", holder.pk) == 0
    assert office.balance("paying", batch.pk) == 1_193_837
    assert sorted(office.balance(f"tax:{tax['name']}") for tax in payment.taxes) == [3_700, 37_030]
    assert services.problems() == []


def test_less_than_the_threshold_is_carried_forward_and_paid_once_it_is_reached(office: Office) -> None:
    """Below the threshold it is carried forward, never forfeited."""
    office.policy(threshold=10_000)
    small = office.holder("SMALL", 9_999)
    office.holder("LARGE", 10_000)
    first = office.sent()
    assert carried(first) == {"SMALL": (9_999, "below_threshold")}
    assert (first.carried, first.carried_holders, first.payments) == (9_999, 1, 1)
    assert office.balance("payable", small.pk) == 9_999

    office.estate.owe(small, 1)
    second = office.sent()
    payment = office.payment(second, "SMALL")
    assert (payment.gross, payment.brought_forward) == (10_000, 9_999)
    assert services.problems() == []


@pytest.mark.parametrize("reason", ["no_payee", "not_approved", "cooling_off", "sanctions"])
def test_who_cannot_be_paid_keeps_what_they_are_owed_with_the_reason(office: Office, reason: str) -> None:
    office.holder("OK", 50_000)
    holder = office.poor("BLOCKED", 70_000)
    if reason == "not_approved":
        office.estate.payers.ask(holder)
    if reason == "cooling_off":
        terms = payees.request_terms(actor=office.first, society=office.society, cooling_off_days=5)
        payees.decide_terms(actor=office.second, terms=terms, approve=True)
    if reason in ("cooling_off", "sanctions"):
        office.estate.payers.approve(office.estate.payers.ask(holder))
    batch = office.ordered()
    assert carried(batch) == {"BLOCKED": (70_000, reason)}
    assert office.balance("payable", holder.pk) == 70_000
    assert Payment.objects.filter(batch=batch).count() == 1


def test_where_nobody_can_be_paid_the_batch_ends_there_and_bars_no_other(office: Office) -> None:
    office.poor("A", 500)
    batch = office.prepared()
    assert (batch.status, batch.payments, batch.carried) == ("discarded", 0, 500)
    assert office.prepared().pk != batch.pk
    assert services.problems() == []


def test_where_nobody_is_owed_anything_nothing_begins(office: Office) -> None:
    with pytest.raises(Refusal, match="Nobody is owed"):
        office.prepared()
    assert not Batch.objects.exists()


def test_two_currencies_are_two_payouts(office: Office) -> None:
    office.holder("WON", 5_000)
    office.holder("DOLLAR", 700, currency="USD")
    with pytest.raises(Refusal) as refused:
        services.start(actor=office.first, society=office.society, execute_on=timezone.localdate())
    assert refused.value.code == "several_currencies"
    assert services.currencies(office.society.pk) == ["KRW", "USD"]
    assert office.prepared(currency="USD").payments == 1


def test_a_second_batch_waits_until_the_first_is_ordered(office: Office) -> None:
    office.holder("A", 5_000)
    today = timezone.localdate()
    batch = office.prepared()
    assert office.prepared().pk == batch.pk, "the same day gives the same batch"
    with pytest.raises(Conflict, match="not ordered yet"):
        office.prepared(on=today + datetime.timedelta(days=3))
    with pytest.raises(IntegrityError, match="payout_batch_is_one_at_a_time"), transaction.atomic():
        Batch.objects.create(society=office.society, currency="KRW", execute_on=today)


def test_who_asked_does_not_approve_and_a_smaller_role_does_neither(office: Office) -> None:
    """Four eyes, administrators included."""
    office.holder("A", 5_000)
    batch = office.prepared()
    services.request(actor=office.first, batch=batch)
    with pytest.raises(Forbidden, match="second person"):
        services.approve(actor=office.first, batch=batch)
    with pytest.raises(Conflict, match="approved as it stands"):
        services.order(batch.pk)
    stranger = make_office("OTHER").first
    with pytest.raises(NotFound):
        services.approve(actor=stranger, batch=batch)
    assert not Journal.objects.filter(kind="payout").exists()


def test_a_refused_batch_can_be_discarded_and_its_money_waits(office: Office) -> None:
    holder = office.holder("A", 5_000)
    batch = office.prepared()
    services.request(actor=office.first, batch=batch)
    services.approve(actor=office.second, batch=batch, approve=False, reason="too early")
    services.discard(actor=office.first, batch=batch)
    assert office.balance("payable", holder.pk) == 5_000
    assert Payment.objects.get().status == "discarded"
    assert office.ordered().payments == 1
    with pytest.raises(Conflict, match="not discarded"):
        services.discard(actor=office.first, batch=Batch.objects.latest("id"))
    assert services.problems() == []


@pytest.mark.parametrize("moment", ["before the approval", "before the order"])
def test_what_changed_since_it_was_prepared_is_not_approved(office: Office, moment: str) -> None:
    holder = office.holder("A", 500_000)
    batch = office.prepared()
    services.request(actor=office.first, batch=batch)
    if moment == "before the order":
        services.approve(actor=office.second, batch=batch)
    office.estate.payers.usable(holder, account="110-999-888777")
    with pytest.raises(Conflict) as refused:
        services.approve(actor=office.second, batch=batch) if moment == "before the approval" else services.order(
            batch.pk
        )
    assert refused.value.code == "batch_is_stale"
    assert office.balance("payable", holder.pk) == 500_000


def test_a_balance_that_fell_is_not_overdrawn(office: Office) -> None:
    holder = office.holder("A", 500_000)
    batch = office.approved()
    office.estate.owe(holder, -1)
    with pytest.raises(Conflict, match="owed less"):
        services.order(batch.pk)


def test_what_comes_in_after_it_was_prepared_waits_for_the_next(office: Office) -> None:
    holder = office.holder("A", 500_000)
    batch = office.prepared()
    office.estate.owe(holder, 7)
    assert office.ordered(batch).gross == 500_000
    assert office.balance("payable", holder.pk) == 7


def test_an_approval_is_of_these_payments(office: Office) -> None:
    """Whoever changes a row behind the approval does not get it ordered."""
    office.holder("A", 500_000)
    batch = office.approved()
    assert ordering.stored_digest(batch) == batch.digest
    with connection.cursor() as cursor:
        cursor.execute("UPDATE royalties_payment SET net = net - 1, withheld = withheld + 1")
    with pytest.raises(Conflict, match="approved as it stands"):
        services.order(batch.pk)


def test_ordered_twice_it_has_one_journal(office: Office) -> None:
    office.holder("A", 500_000)
    batch = office.ordered()
    assert services.order(batch.pk).journal_id == batch.journal_id
    assert Journal.objects.filter(kind="payout").count() == 1


@pytest.mark.parametrize(
    "change", ["net = net + 1, gross = gross + 1", "holder_id = holder_id + 1", "status = 'planned'"]
)
def test_the_database_keeps_a_payment_as_it_was_ordered(office: Office, change: str) -> None:
    office.holder("A", 500_000)
    office.ordered()
    with pytest.raises(IntegrityError, match="stay as they are"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE royalties_payment SET {change}")
    with pytest.raises(IntegrityError, match="stay as they are"), transaction.atomic():
        Payment.objects.all().delete()


def test_what_others_have_a_right_to_is_paid_to_them_with_its_part_of_the_tax(office: Office) -> None:
    """A garnishment of half: each receiver has a payment of its own, and together they are the holder's gross."""
    holder = office.holder("A", 1_234_567)
    third = office.estate.third()
    details = payees.request_details(
        actor=office.first,
        payee=third,
        account="004-123-456789",
        bank="국민은행",
        residence="KR",
        tax_status="kr_organisation",
    )
    office.estate.payers.approve(details)
    payees.record_check(actor=office.second, details_ids=[details.pk], state="clear", source="UN list")
    today = timezone.localdate()
    right = office.estate.right(holder, "garnishment", third, ppm=500_000, valid_from=today)
    batch = office.sent()
    other = Payment.objects.get(entitlement_id__isnull=False)
    own_payment = office.payment(batch, "A")
    assert other.entitlement_id == right.pk
    assert other.details_id == details.pk
    assert (own_payment.net, other.net) == (596_919, 596_918)
    assert own_payment.gross + other.gross == 1_234_567
    assert own_payment.withheld + other.withheld == 40_730
    parts = services.identity(batch)
    assert parts["own"] == 596_919
    assert parts["others"] == 596_918
    assert sum(parts.values()) == batch.gross
    right.refresh_from_db()
    assert right.payments.get().amount == 596_918

    office.answer(batch, (other.end_to_end_id, "RJCT", "AC04"))
    assert office.balance("payable", holder.pk) == other.gross
    assert sum(right.payments.values_list("amount", flat=True)) == 0
    assert services.problems() == []


def test_the_system_may_prepare_but_a_program_decides_nothing(office: Office) -> None:
    office.holder("A", 5_000)
    batch = services.prepare(services.start(actor=SYSTEM, society=office.society, execute_on=timezone.localdate()).pk)
    with pytest.raises(Forbidden):
        services.request(actor=SYSTEM, batch=batch)


def paid_too_much(office: Office, holder: Holder, amount: int) -> None:
    """A correction took so much back that had been paid; what was paid then came back from the bank."""
    book = {"society_id": office.society.pk, "currency": "KRW", "owner_id": holder.pk}
    debit, credit = ledger.account(kind="recoverable", **book), ledger.account(kind="payable", **book)
    ledger.post(
        society_id=office.society.pk, kind="run", key=f"too much:{holder.pk}", effective_on=timezone.localdate(),
        transfers=[ledger.Transfer(debit, credit, amount)],
    )  # fmt: skip


def test_what_was_paid_too_much_is_recovered_before_it_is_paid_again(office: Office) -> None:
    """Domain: brought forward + payable − recoveries."""
    owing, other = office.holder("H-1"), office.holder("H-2", owed=10_000)
    paid_too_much(office, owing, 588)
    batch = office.ordered()
    assert [payment.holder for payment in Payment.objects.filter(batch=batch)] == [other]
    assert office.balance("payable", owing.pk) == office.balance("recoverable", owing.pk) == 0


def test_only_what_is_owed_is_recovered(office: Office) -> None:
    owing = office.holder("H-1", owed=10_000)
    paid_too_much(office, owing, 4_000)  # payable 14,000, recoverable 4,000
    assert office.ordered().gross == 10_000
    assert office.balance("payable", owing.pk) == office.balance("recoverable", owing.pk) == 0
