"""`verify` looks for what must hold in all slices, and ends with 1 and a list where it does not."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from royalties.billing.models import Invoice
from tests.royalties.billing_world import Firm, make_firm

pytestmark = pytest.mark.django_db


@pytest.fixture
def firm() -> Firm:
    made = make_firm()
    made.declare()
    made.receive(made.bill(), 1000)
    return made


def verify() -> tuple[int, dict[str, Any]]:
    out = io.StringIO()
    try:
        call_command("verify", "--json", stdout=out)
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    return status, json.loads(out.getvalue())


def test_all_is_well(firm: Firm) -> None:
    assert verify() == (0, {"ok": True, "problems": []})


def test_damage_is_listed_with_its_subject(firm: Firm) -> None:
    Invoice.objects.update(received=999)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE ledger_account DISABLE TRIGGER USER")
        cursor.execute("UPDATE ledger_account SET debits = debits + 1 WHERE kind = 'bank'")
    status, told = verify()
    assert (status, told["ok"]) == (1, False)
    found = {(problem["what"], problem["subject"].split(":")[0]) for problem in told["problems"]}
    assert {
        ("ledger.balance", "society"),
        ("ledger.trial_balance", "society"),
        ("billing.received", "KOREA-WEB-2026-0001"),
    } <= found


def test_people_read_a_list(firm: Firm) -> None:
    Invoice.objects.update(received=999)
    out = io.StringIO()
    with pytest.raises(SystemExit):
        call_command("verify", stdout=out)
    assert "billing.received  KOREA-WEB-2026-0001: receipts sum to 1000, received is 999" in out.getvalue()
