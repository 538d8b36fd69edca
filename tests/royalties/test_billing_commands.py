"""`bill` and `record_receipt` as a shell sees them."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command

from royalties.billing.models import Invoice, Receipt
from tests.royalties.billing_world import Firm, make_firm

pytestmark = pytest.mark.django_db


@pytest.fixture
def firm() -> Firm:
    made = make_firm()
    made.declare()
    return made


def told(*arguments: str, status: int = 0) -> dict[str, Any]:
    """The JSON that a command prints, and that it ends with this status."""
    out = io.StringIO()
    try:
        call_command(*arguments, "--json", stdout=out)
        ended = 0
    except SystemExit as end:
        ended = int(end.code or 0)
    assert ended == status, out.getvalue()
    return json.loads(out.getvalue())


def bill(firm: Firm, *more: str, status: int = 0) -> dict[str, Any]:
    period = ("--from", "2026-01-01", "--to", "2026-04-01")
    return told("bill", "--licence", firm.licence.ref, *period, *more, status=status)


def receive(invoice: str, *more: str, amount: str = "428586", status: int = 0) -> dict[str, Any]:
    given = ("--invoice", invoice, "--amount", amount, "--on", "2026-05-01", "--bank-ref", "B-1")
    return told("record_receipt", *given, *more, status=status)


def test_bill_prints_the_contract_s_keys(firm: Firm) -> None:
    result = bill(firm, "--on", "2026-04-10")
    assert result["invoice"] == "KOREA-WEB-2026-0001"
    assert (result["amount"], result["currency"], result["open"]) == (428_586, "KRW", 428_586)
    assert [(line["description"], line["amount"]) for line in result["lines"]] == [("training tokens", 428_586)]
    assert bill(firm)["invoice"] == result["invoice"]
    assert Invoice.objects.count() == 1


def test_a_receipt_prints_what_is_still_open(firm: Firm) -> None:
    number = bill(firm)["invoice"]
    first = receive(number, amount="400000")
    assert (first["invoice"], first["open"]) == (number, 28_586)
    assert receive(number, amount="400000")["receipt"] == first["receipt"]
    assert receive(number, amount="1", status=1)["error"]["code"] == "bank_ref_used"
    assert Receipt.objects.count() == 1


def test_refusals_end_with_one_and_say_what_to_do(firm: Firm) -> None:
    assert (
        told("bill", "--licence", "NONE", "--from", "2026-01-01", "--to", "2026-04-01", status=1)["error"]["pointer"]
        == "/licence"
    )
    assert bill(firm, "--as", "nobody@example.org", status=1)["error"]["code"] == "not_found"
    assert receive("NONE-1", status=1)["error"]["code"] == "not_found"
    assert receive(bill(firm)["invoice"], amount="0", status=1)["error"]["code"] == "bad_amount"
    assert Receipt.objects.count() == 0


def test_wrong_usage_ends_with_two(firm: Firm) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("record_receipt", "--invoice", "X", "--amount", "1e3", "--on", "2026-05-01", "--bank-ref", "B")
    assert ended.value.code == 2


def test_people_read_the_sums(firm: Firm) -> None:
    out = io.StringIO()
    call_command("bill", "--licence", firm.licence.ref, "--from", "2026-01-01", "--to", "2026-04-01", stdout=out)
    assert "training tokens" in out.getvalue()
    assert "₩428,586" in out.getvalue()
