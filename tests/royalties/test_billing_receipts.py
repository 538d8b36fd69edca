"""Receipts: whole, in parts, twice, too much, and for another invoice."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest

from accounts.identity.core import Conflict, Forbidden, NotFound, Refusal
from royalties.billing import services
from royalties.billing.models import Invoice, Receipt
from royalties.ledger import services as ledger
from royalties.ledger.models import Journal
from tests.licensing import parties
from tests.royalties.billing_world import ISSUED, Firm, make_firm

pytestmark = pytest.mark.django_db


@pytest.fixture
def firm() -> Firm:
    made = make_firm()
    services.set_vat_rule(actor=made.finance, society=made.society, percent=Decimal("10"), valid_from=ISSUED)
    made.declare()
    return made


@pytest.fixture
def invoice(firm: Firm) -> Invoice:
    """₩428,586 net, ₩42,859 VAT, ₩471,445 gross."""
    return firm.bill()


def sound() -> bool:
    return ledger.problems() == [] and services.problems() == []


def test_a_payment_makes_the_pool_without_vat(firm: Firm, invoice: Invoice) -> None:
    receipt = firm.receive(invoice, 471_445)
    invoice.refresh_from_db()
    assert (receipt.net, receipt.vat, invoice.open, invoice.status) == (428_586, 42_859, 0, "paid")
    assert firm.balance("pool", invoice.pk) == 428_586
    assert firm.balance("billed", invoice.pk) == 0
    assert firm.balance("receivable", firm.licensee.pk) == 0
    assert firm.balance("bank") == -471_445
    assert firm.balance("vat") == 42_859
    assert sound()


def test_parts_split_pro_rata_and_sum_exactly(firm: Firm, invoice: Invoice) -> None:
    parts = [firm.receive(invoice, amount, f"B-{amount}") for amount in (100_000, 1, 371_444)]
    assert [(part.net, part.vat) for part in parts] == [(90_909, 9_091), (1, 0), (337_676, 33_768)]
    assert sum(part.net for part in parts) == 428_586
    assert firm.balance("pool", invoice.pk) == 428_586
    assert sound()


def test_a_part_of_which_nothing_is_net_makes_no_pool(firm: Firm, invoice: Invoice) -> None:
    parts = [firm.receive(invoice, 1, f"B-{n}") for n in range(6)]
    assert [part.net for part in parts] == [1, 1, 1, 1, 1, 0]
    assert Journal.objects.get(pk=parts[5].journal_id).posting_count == 1
    assert sound()


def test_the_same_bank_reference_is_booked_once(firm: Firm, invoice: Invoice) -> None:
    first = firm.receive(invoice, 100_000)
    assert firm.receive(invoice, 100_000).pk == first.pk
    invoice.refresh_from_db()
    assert (invoice.received, Receipt.objects.count(), invoice.status) == (100_000, 1, "part_paid")


@pytest.mark.parametrize("changes", [{"amount": 100_001}, {"received_on": datetime.date(2026, 5, 2)}])
def test_the_same_reference_with_other_content_is_a_conflict(
    firm: Firm, invoice: Invoice, changes: dict[str, Any]
) -> None:
    firm.receive(invoice, 100_000)
    with pytest.raises(Conflict) as refused:
        firm.receive(**{"invoice": invoice, "amount": 100_000} | changes)
    assert refused.value.code == "bank_ref_used"
    assert Receipt.objects.count() == 1


def test_the_same_reference_for_another_invoice_is_a_conflict(firm: Firm, invoice: Invoice) -> None:
    firm.declare(start="2026-04-01", end="2026-05-01")
    other = firm.bill((datetime.date(2026, 4, 1), datetime.date(2026, 5, 1)))
    firm.receive(invoice, 100_000)
    with pytest.raises(Conflict):
        firm.receive(other, 100_000)
    assert firm.balance("pool", other.pk) == 0


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"amount": 0}, "bad_amount"),
        ({"amount": -5}, "bad_amount"),
        ({"amount": 10**16}, "bad_amount"),
        ({"amount": 471_446}, "more_than_open"),
        ({"bank_ref": "  "}, "bad_bank_ref"),
        ({"bank_ref": "x" * 101}, "bad_bank_ref"),
        ({"bank_ref": "a\x00b"}, "bad_bank_ref"),
        ({"received_on": datetime.date(1800, 1, 1)}, "day_out_of_range"),
    ],
)
def test_what_cannot_be_booked_changes_nothing(
    firm: Firm, invoice: Invoice, changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(Refusal) as refused:
        firm.receive(**{"invoice": invoice, "amount": 100_000} | changes)
    assert refused.value.code == code
    invoice.refresh_from_db()
    assert (invoice.received, Receipt.objects.count(), Journal.objects.count()) == (0, 0, 1)


def test_only_finance_of_the_society_records_receipts(firm: Firm, invoice: Invoice) -> None:
    stranger = parties.staff(parties.organisation("OTHER", "society"), "billing.manage")
    for actor, error in [
        (stranger, NotFound),
        (parties.staff(firm.licensee, "billing.view"), Forbidden),
        (parties.staff(firm.society, "billing.view"), Forbidden),
    ]:
        with pytest.raises(error):
            firm.receive(invoice, 1, actor=actor)
    assert Receipt.objects.count() == 0


def test_damage_to_billing_is_found_out(firm: Firm, invoice: Invoice) -> None:
    firm.receive(invoice, 100_000)
    invoice.lines.update(amount=1)
    Receipt.objects.update(amount=90_000, net=80_909)
    Invoice.objects.update(previously_billed=7, number="KOREA-WEB-2026-0009")
    assert {problem["what"] for problem in services.problems()} == {
        "billing.lines", "billing.previously_billed", "billing.received", "billing.split", "billing.pool", "billing.billed",
        "billing.numbers", "billing.total",
    }  # fmt: skip
