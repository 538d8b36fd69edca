"""The book on pages: accounts, history with its running balance, journals, trial balance, closing."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from royalties.ledger import services
from royalties.ledger.models import Account, Journal
from royalties.ledger.reading import history
from royalties.ledger.services import Transfer
from tests.accounts import people
from tests.royalties.billing_world import Firm, make_firm

pytestmark = pytest.mark.django_db


@pytest.fixture
def firm() -> Firm:
    made = make_firm()
    made.declare()
    invoice = made.bill()
    for n, amount in enumerate((100_000, 200_000, 28_586)):
        made.receive(invoice, amount, f"B-{n}")
    return made


def signed_in(organisation: Any, role: str) -> Client:
    client = Client()
    client.force_login(people.person(organisation, role))
    return client


def text(client: Client, route: str, *args: Any, **query: Any) -> str:
    answer = client.get(reverse(f"royalties:{route}", args=args), query)
    assert answer.status_code == 200, answer.content[:500]
    return answer.content.decode()


def test_an_auditor_reads_the_book(firm: Firm) -> None:
    auditor = signed_in(firm.society, "auditor")
    accounts = text(auditor, "ledger")
    assert "Bank" in accounts
    assert "₩328,586" in accounts
    assert "Hanbit" in text(auditor, "ledger", kind="receivable")
    assert "No account fits" in text(auditor, "ledger", kind="payable")
    bank = Account.objects.get(kind="bank")
    page = text(auditor, "ledger_account", bank.pk)
    assert "₩300,000" in page
    journal = Journal.objects.filter(kind="receipt").first()
    assert journal is not None
    assert "₩100,000" in text(auditor, "ledger_journal", journal.pk)
    assert "receipt:" in text(auditor, "ledger_journals")
    assert "Every day of the book is open" in text(auditor, "ledger_trial")


def test_the_running_balance_counts_back_from_the_stored_one(firm: Firm) -> None:
    bank, billed = Account.objects.get(kind="bank"), Account.objects.get(kind="billed")
    assert [each.balance for each in history(bank, offset=0, limit=10)] == [328_586, 300_000, 100_000]
    assert [each.balance for each in history(bank, offset=1, limit=1)] == [300_000, 100_000]
    assert [each.balance for each in history(bank, offset=3, limit=10)] == []
    assert [each.balance for each in history(billed, offset=0, limit=10)] == [100_000, 128_586, 328_586, 428_586]


def test_a_history_of_many_pages_is_read_page_by_page(firm: Firm) -> None:
    bank = services.account(society_id=firm.society.pk, kind="bank", currency="KRW")
    pool = services.account(society_id=firm.society.pk, kind="pool", owner_id=9, currency="KRW")
    services.post(
        society_id=firm.society.pk, kind="receipt", key="many", effective_on=datetime.date(2026, 5, 1),
        transfers=[Transfer(bank, pool, n) for n in range(1, 61)],
    )  # fmt: skip
    auditor = signed_in(firm.society, "auditor")
    first, second = text(auditor, "ledger_account", pool), text(auditor, "ledger_account", pool, page="2")
    assert "₩1,830" in first
    assert "page=2" in first
    assert "₩55" in second
    assert "page=1" in second
    assert "No postings here" in text(auditor, "ledger_account", pool, page="7")


def test_only_those_who_may_see_the_ledger_do(firm: Firm) -> None:
    bank, journal = Account.objects.get(kind="bank"), Journal.objects.earliest("id")
    routes = [
        ("ledger", []),
        ("ledger_account", [bank.pk]),
        ("ledger_journals", []),
        ("ledger_journal", [journal.pk]),
        ("ledger_trial", []),
    ]
    licensee, stranger = (
        signed_in(firm.licensee, "finance"),
        signed_in(people.organisation("OTHER", "society"), "auditor"),
    )
    for route, args in routes:
        url = reverse(f"royalties:{route}", args=args)
        assert licensee.get(url).status_code == 403
        assert stranger.get(url).status_code == (404 if args else 200)
    assert "The book is empty" in text(stranger, "ledger")
