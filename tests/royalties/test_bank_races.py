"""The same file twice at once, and an entry applied twice at once; each lock with a control that shows the race without it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import QuerySet

from royalties.bank import services as bank
from royalties.bank.models import BankAccount, BankStatement, Entry, StatementImport
from royalties.bank.services import importing
from royalties.billing import services
from royalties.billing.models import Invoice, Receipt
from royalties.billing.services import applying
from royalties.ledger import services as ledger
from tests.royalties.bank_world import bank_account, came_in, camt, imported, ntry
from tests.royalties.billing_world import Firm, make_firm
from tests.together import meeting, together

APART, TOGETHER = 0.4, 60.0  # seconds: behind a lock nobody comes; without one, everybody does


@pytest.fixture
def firm(committed_db: Any) -> Firm:
    made = make_firm()
    made.declare()
    return made


@pytest.fixture
def account(firm: Firm) -> BankAccount:
    return bank_account(firm.finance, firm.society)


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


def test_the_same_file_twice_at_once_is_imported_once(
    firm: Firm, account: BankAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = camt(ntry("5", ref="R1"), ntry("7", ref="R2"), closing="12")
    met(monkeypatch, importing, "_follows", meeting(2, APART))
    results = together(*[lambda: imported(firm.finance, account, content)] * 2)
    assert sorted(result.status for result in results) == ["done", "unchanged"]
    assert (BankStatement.objects.count(), Entry.objects.count()) == (1, 2)
    assert bank.problems() == []


def test_without_the_lock_both_would_import_and_the_database_refuses_one(
    firm: Firm, account: BankAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control. Even then an account's statement has its own place and an entry counts once."""
    content = camt(ntry("5", ref="R1"), closing="5")
    met(monkeypatch, importing, "_follows", meeting(2, TOGETHER))
    unlocked(monkeypatch)
    results = together(*[lambda: imported(firm.finance, account, content)] * 2)
    assert sorted(type(result).__name__ for result in results) == ["IntegrityError", "StatementImport"]
    assert (BankStatement.objects.count(), Entry.objects.count(), StatementImport.objects.count()) == (1, 1, 1)


def test_an_entry_applied_twice_at_once_is_booked_once(
    firm: Firm, account: BankAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoice, (entry,) = firm.bill(), came_in(firm.finance, account, ntry("1000"))
    met(monkeypatch, applying, "own_invoice", meeting(2, APART))
    results = together(*[lambda: pay(firm, entry, invoice)] * 2)
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "list"]
    assert (Receipt.objects.count(), Invoice.objects.get().received) == (1, 1000)
    assert [*bank.problems(), *ledger.problems(), *services.problems()] == []


def test_without_the_lock_both_would_book_and_one_is_refused(
    firm: Firm, account: BankAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: both read that all of it is left. What was read is compared with what is stored, so one gives up."""
    invoice, (entry,) = firm.bill(), came_in(firm.finance, account, ntry("1000"))
    met(monkeypatch, applying, "own_invoice", meeting(2, TOGETHER))
    unlocked(monkeypatch)
    results = together(*[lambda: pay(firm, entry, invoice)] * 2)
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "list"]
    assert Receipt.objects.count() == 1
    assert bank.problems() == []


def pay(firm: Firm, entry: Entry, invoice: Invoice) -> list[Receipt]:
    return services.apply_entry(actor=firm.finance, entry=Entry.objects.get(pk=entry.pk), invoices=[invoice])
