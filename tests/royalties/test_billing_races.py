"""Billing and receipts by several people at once; each lock with a control that shows the race without it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import QuerySet

from accounts.identity.core import Conflict, Refusal
from royalties.billing import services
from royalties.billing.models import Invoice, Receipt
from royalties.billing.services import invoices, receipts
from royalties.ledger import services as ledger
from tests.royalties.billing_world import Firm, make_firm
from tests.together import meeting, together

APART, TOGETHER = 0.4, 60.0  # seconds: behind a lock nobody comes; without one, everybody does


@pytest.fixture
def firm(committed_db: Any) -> Firm:
    made = make_firm()
    made.declare()
    return made


def met(monkeypatch: pytest.MonkeyPatch, module: Any, name: str, meet: Callable[[], None]) -> None:
    """Let those who call it meet between what is read and what is written."""
    real = getattr(module, name)

    def slow(*args: Any, **options: Any) -> Any:
        result = real(*args, **options)
        meet()
        return result

    monkeypatch.setattr(module, name, slow)


def unlocked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **options: self.all())


def test_a_period_billed_at_once_gets_one_invoice(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    met(monkeypatch, invoices, "draft", meeting(3, APART))
    results = together(firm.bill, firm.bill, firm.bill)
    assert {result.pk for result in results} == {Invoice.objects.get().pk}
    assert (ledger.problems(), services.problems()) == ([], [])


def test_without_the_lock_both_would_bill_and_the_ledger_refuses_one(
    firm: Firm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control. Even then the journal's key lets only one through."""
    met(monkeypatch, invoices, "draft", meeting(2, TOGETHER))
    unlocked(monkeypatch)
    results = together(firm.bill, firm.bill)
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Invoice"]
    assert Invoice.objects.count() == 1


def test_invoices_issued_at_once_are_numbered_without_gaps(firm: Firm) -> None:
    from tests.licensing import parties

    licences = [firm.licence]
    for n in range(3):
        other = parties.organisation(f"FIRM-{n}", "licensee")
        licences.append(parties.licence(firm.society, other, firm.licence.tariff.versions.get(), ref=f"L-{n}"))
    for licence in licences[1:]:
        Firm(firm.society, licence.licensee, licence, firm.finance).declare()
    results = together(*[lambda licence=licence: firm.bill(licence=licence) for licence in licences])
    numbers = [f"KOREA-WEB-2026-000{n}" for n in (1, 2, 3, 4)]
    assert sorted(result.number for result in results) == numbers
    assert list(Invoice.objects.order_by("id").values_list("number", flat=True)) == numbers
    assert services.problems() == []


def test_receipts_at_once_split_as_one_after_the_other(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    invoice = firm.bill()
    met(monkeypatch, receipts.core, "split", meeting(4, APART))
    results = together(*[lambda n=n: firm.receive(invoice, 100_000, f"B-{n}") for n in range(4)])
    assert all(isinstance(result, Receipt) for result in results)
    invoice.refresh_from_db()
    assert (invoice.received, firm.balance("pool", invoice.pk)) == (400_000, 400_000)
    assert (ledger.problems(), services.problems()) == ([], [])


def test_without_the_lock_receipts_would_split_from_the_same_sum(firm: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control. Even then the compare-and-set lets only one through."""
    invoice = firm.bill()
    met(monkeypatch, receipts.core, "split", meeting(2, TOGETHER))
    unlocked(monkeypatch)
    results = together(*[lambda n=n: firm.receive(invoice, 100_000, f"B-{n}") for n in range(2)])
    assert [getattr(result, "code", "booked") for result in results].count("invoice_changed") == 1
    assert Receipt.objects.count() == 1
    assert services.problems() == []


def test_one_payment_recorded_at_once_is_one_receipt(firm: Firm) -> None:
    invoice = firm.bill()
    results = together(*[lambda: firm.receive(invoice, 100_000)] * 4)
    assert {result.pk for result in results} == {Receipt.objects.get().pk}


def test_an_invoice_is_not_overpaid_by_two_at_once(firm: Firm) -> None:
    invoice = firm.bill()
    results = together(*[lambda n=n: firm.receive(invoice, 300_000, f"B-{n}") for n in range(3)])
    assert [getattr(result, "code", "booked") for result in results].count("booked") == 1
    assert sum(isinstance(result, Refusal) for result in results) == 2
    assert services.problems() == []


def test_one_reference_for_two_invoices_at_once_is_booked_for_one(firm: Firm) -> None:
    import datetime

    april, may = datetime.date(2026, 4, 1), datetime.date(2026, 5, 1)
    first = firm.bill()
    firm.declare(start="2026-04-01", end="2026-05-01")
    second = firm.bill((april, may))
    results = together(lambda: firm.receive(first, 100_000), lambda: firm.receive(second, 100_000))
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Receipt"]
    assert isinstance(next(result for result in results if not isinstance(result, Receipt)), Conflict)
    assert services.problems() == []
