"""Invoices over the API: what both parties read, and what others do not."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.accounts import people
from tests.royalties.billing_world import EXAMPLE, Firm, make_firm

pytestmark = pytest.mark.django_db


@pytest.fixture
def firm() -> Firm:
    made = make_firm()
    made.declare()
    return made


def asking(organisation: Any, scopes: str = "billing.view", **details: Any) -> Client:
    return Client(headers={"authorization": f"Bearer {people.token(organisation, scopes, **details)[1]}"})


def test_a_licensee_reads_its_invoice_with_lines_and_receipts(firm: Firm) -> None:
    invoice = firm.bill()
    firm.receive(invoice, 100_000)
    client = asking(firm.licensee)
    [listed] = client.get("/api/v1/invoices/").json()["results"]
    assert (listed["invoice"], listed["open"], listed["status"]) == (invoice.number, 328_586, "part_paid")
    assert (listed["period_start"], listed["period_end"]) == ("2026-01-01", "2026-04-01")
    found = client.get(f"/api/v1/invoices/{invoice.pk}/").json()
    [line] = found["lines"]
    assert (line["description"], line["quantity"], line["amount"]) == ("training tokens", EXAMPLE, 428_586)
    assert line["explanation"][-1] == {"code": "round", "quantity": "428586.00725", "product": "428586"}
    assert [(each["amount"], each["net"], each["bank_ref"]) for each in found["receipts"]] == [
        (100_000, 100_000, "B-1")
    ]
    assert len(found["declarations"]) == 1


def test_lists_are_narrowed(firm: Firm) -> None:
    firm.bill()
    client = asking(firm.society)
    assert len(client.get("/api/v1/invoices/?status=open").json()["results"]) == 1
    assert client.get("/api/v1/invoices/?status=paid").json()["results"] == []
    assert client.get("/api/v1/invoices/?licence=OTHER").json()["results"] == []


def test_others_see_nothing(firm: Firm) -> None:
    invoice = firm.bill()
    stranger = asking(people.organisation("OTHER", "licensee"))
    assert stranger.get("/api/v1/invoices/").json()["results"] == []
    assert stranger.get(f"/api/v1/invoices/{invoice.pk}/").status_code == 404
    assert asking(firm.licensee, "declarations.view").get("/api/v1/invoices/").status_code == 403
    assert asking(firm.licensee, sandbox=True).get("/api/v1/invoices/").json()["results"] == []
    assert Client().get("/api/v1/invoices/").status_code == 401
    assert asking(firm.society).post("/api/v1/invoices/", {}, headers={"idempotency-key": "x"}).status_code == 405
