"""Invoices and receipts killed in the middle or made twice at once: one invoice, one receipt, a balanced book."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db.models import QuerySet
from django.utils import timezone

from accounts.evidence.models import Event
from config.demo.story import manage
from royalties.billing.models import Invoice, InvoiceLine, Receipt
from royalties.ledger.models import Account, Journal
from tests.concurrency.holds import Aside, Hold, code, race
from tests.concurrency.scene import SOCIETY, Commands, Scene, ended, sound, to_bill, to_receive

EVENT = "BEFORE INSERT ON accounts_event FOR EACH ROW WHEN"
BILLING = {
    "posting": "BEFORE INSERT ON ledger_posting FOR EACH STATEMENT",
    "invoice": "BEFORE INSERT ON royalties_invoice FOR EACH ROW",
    "lines": "BEFORE INSERT ON royalties_invoiceline FOR EACH ROW",
    "declarations": "BEFORE INSERT ON royalties_invoicedeclaration FOR EACH ROW",
    "evidence": f"{EVENT} (NEW.verb = 'invoice.issued')",
}
RECEIVING = {
    "invoice": "BEFORE UPDATE ON royalties_invoice FOR EACH ROW",
    "posting": "BEFORE INSERT ON ledger_posting FOR EACH STATEMENT",
    "receipt": "BEFORE INSERT ON royalties_receipt FOR EACH ROW",
    "evidence": f"{EVENT} (NEW.verb = 'receipt.recorded')",
}


@pytest.fixture
def committed_as(declared: str) -> str:
    return declared


def balances(*kinds: str) -> list[int]:
    """Credits less debits of all accounts of these kinds."""
    rows = Account.objects.values_list("kind", "credits", "debits")
    return [sum(credits - debits for kind, credits, debits in rows if kind == wanted) for wanted in kinds]


@pytest.mark.parametrize("point", BILLING)
def test_a_killed_bill_leaves_nothing_and_the_next_is_the_first(
    point: str, scene: Scene, commands: Commands, hold: Callable[..., Hold]
) -> None:
    hold(BILLING[point]).kill(commands.start(to_bill()))
    assert [model.objects.count() for model in (Invoice, InvoiceLine, Journal)] == [0, 0, 0]
    sound()
    billed = manage(*to_bill())
    assert manage(*to_bill()) == billed
    assert billed["invoice"] == f"{SOCIETY}-{timezone.localdate().year}-0001", "no number is skipped"
    assert Invoice.objects.get().number == billed["invoice"]
    sound()


@pytest.mark.parametrize("point", RECEIVING)
def test_a_killed_receipt_leaves_nothing_and_the_next_is_booked_once(
    point: str, scene: Scene, commands: Commands, hold: Callable[..., Hold]
) -> None:
    invoice = scene.bill()
    hold(RECEIVING[point]).kill(commands.start(to_receive(invoice)))
    invoice.refresh_from_db()
    assert (invoice.received, Receipt.objects.count(), Journal.objects.count()) == (0, 0, 1)
    sound()
    booked = manage(*to_receive(invoice))
    assert manage(*to_receive(invoice)) == booked
    assert (booked["open"], Receipt.objects.count()) == (0, 1)
    assert balances("bank", "receivable", "billed", "pool") == [-invoice.net, 0, 0, invoice.net]
    sound()


def test_two_commands_that_bill_at_once_issue_one_invoice(
    scene: Scene, commands: Commands, hold: Callable[..., Hold]
) -> None:
    held = hold(BILLING["evidence"])
    first = commands.start(to_bill())
    held.reached(first)
    second = commands.start(to_bill())
    held.queued(second)
    held.let_go()
    results = ended(first), ended(second)
    assert results[0] == results[1]
    assert (results[0]["exit"], Invoice.objects.count()) == (0, 1)
    assert Event.objects.filter(verb="invoice.issued").count() == 1
    sound()


def test_without_the_lock_the_second_bill_would_crash_into_the_first(
    scene: Scene, hold: Callable[..., Hold], aside: Aside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: both rate the same declarations, and only a constraint stops the second invoice."""
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self.all())
    outcomes = race(hold(BILLING["evidence"]), aside, scene.bill)
    assert isinstance(outcomes[0], Invoice)
    assert not isinstance(outcomes[1], Invoice), "with the lock it would have been the same invoice"
    assert Invoice.objects.count() == 1


def test_two_commands_that_book_the_same_payment_at_once_book_it_once(
    scene: Scene, commands: Commands, hold: Callable[..., Hold]
) -> None:
    invoice = scene.bill()
    held = hold(RECEIVING["evidence"])
    first = commands.start(to_receive(invoice))
    held.reached(first)
    second = commands.start(to_receive(invoice))
    held.queued(second)
    held.let_go()
    results = ended(first), ended(second)
    assert results[0] == results[1]
    assert (results[0]["exit"], results[0]["open"], Receipt.objects.count()) == (0, 0, 1)
    sound()


def test_without_the_lock_the_second_receipt_would_crash_into_the_first(
    scene: Scene, hold: Callable[..., Hold], aside: Aside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the second does not see that the payment is booked."""
    invoice = scene.bill()
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self.all())
    outcomes = race(hold(RECEIVING["evidence"]), aside, lambda: scene.receive(invoice))
    assert isinstance(outcomes[0], Receipt)
    assert not isinstance(outcomes[1], Receipt)
    assert Receipt.objects.count() == 1


def test_two_payments_at_once_never_exceed_the_invoice(scene: Scene, hold: Callable[..., Hold], aside: Aside) -> None:
    invoice = scene.bill()
    most = invoice.gross - 1
    acts = [lambda ref=ref: scene.receive(invoice, ref, most) for ref in ("B-1", "B-2")]
    outcomes = race(hold(RECEIVING["posting"]), aside, *acts)
    assert [code(each) for each in outcomes] == ["done", "more_than_open"]
    invoice.refresh_from_db()
    assert (invoice.received, invoice.open) == (most, 1)
    sound()


def test_one_bank_reference_for_two_invoices_at_once_is_booked_for_one_and_the_other_is_told(
    scene: Scene, hold: Callable[..., Hold], aside: Aside
) -> None:
    invoices = [scene.bill(), scene.bill_twin()]
    acts = [lambda invoice=invoice: scene.receive(invoice, "B-1") for invoice in invoices]
    outcomes = race(hold(RECEIVING["evidence"]), aside, *acts)
    assert [code(each) for each in outcomes] == ["done", "bank_ref_used"]
    assert "B-1" in str(outcomes[1].detail)
    assert Receipt.objects.get().invoice_id == invoices[0].pk
    sound()


def test_invoices_of_two_licences_at_once_are_numbered_without_a_gap(
    scene: Scene, hold: Callable[..., Hold], aside: Aside
) -> None:
    outcomes = race(hold(BILLING["evidence"]), aside, scene.bill, scene.bill_twin)
    numbers = [invoice.number for invoice in outcomes]
    assert numbers == sorted(numbers)
    assert [number[-1] for number in numbers] == ["1", "2"]
    sound()


def test_a_declaration_amended_while_it_is_billed_is_billed_as_it_was(
    scene: Scene, hold: Callable[..., Hold], aside: Aside
) -> None:
    """Billing holds what it rates: an amendment that is accepted at that moment waits, and is billed as a change."""
    outcomes = race(hold(BILLING["evidence"]), aside, scene.bill, scene.amend)
    invoice, amended = outcomes
    assert (invoice.previously_billed, amended.status) == (0, "accepted")
    later = scene.bill()
    assert later.previously_billed == invoice.net
    assert invoice.net + later.net == later.rating["amount"]
    sound()
