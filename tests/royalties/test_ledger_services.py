"""Posting, replaying and reversing through the services; in one transaction each, rolled back."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import connection

from accounts.evidence.models import Event
from accounts.identity.core import Conflict, Forbidden, NotFound, Refusal
from accounts.organisations.models import Organisation
from royalties.ledger import services
from royalties.ledger.models import Account, Journal, Posting
from royalties.ledger.services import Transfer
from tests.licensing.parties import organisation, staff

pytestmark = pytest.mark.django_db
DAY = datetime.date(2026, 3, 1)


@pytest.fixture
def society() -> Organisation:
    return organisation("KOREA-WEB", "society")


@pytest.fixture
def book(society: Organisation) -> dict[str, int]:
    """A bank, a pool and two holders; 1,000 came in."""
    opened = {
        name: services.account(society_id=society.pk, kind=kind, owner_id=owner, currency="KRW")
        for name, kind, owner in [
            ("bank", "bank", None),
            ("pool", "pool", 1),
            ("first", "payable", 1),
            ("second", "payable", 2),
        ]
    }
    receive(society, opened, 1000)
    return opened


def receive(society: Organisation, book: dict[str, int], amount: int, **changes: Any) -> Journal:
    given: dict[str, Any] = {
        "society_id": society.pk, "kind": "receipt", "key": "receipt:1", "effective_on": DAY,
        "transfers": [Transfer(book["bank"], book["pool"], amount)],
    }  # fmt: skip
    return services.post(**given | changes)


def credit(account: int) -> int:
    found = Account.objects.get(pk=account)
    return found.credits - found.debits


def test_an_account_is_opened_once(society: Organisation) -> None:
    first = services.account(society_id=society.pk, kind="vat", currency="KRW")
    assert services.account(society_id=society.pk, kind="vat", currency="KRW") == first
    assert services.account(society_id=society.pk, kind="vat", currency="USD") != first


def test_accounts_of_many_owners_are_found_and_opened_together(society: Organisation) -> None:
    found = services.accounts(society_id=society.pk, kind="payable", owner_ids=[5, 6], currency="KRW")
    more = services.accounts(society_id=society.pk, kind="payable", owner_ids=[6, 7, 7], currency="KRW")
    assert set(more) == {6, 7}
    assert more[6] == found[6]
    assert Account.objects.get(pk=more[7]).floor == 1


def test_a_journal_moves_balances_and_leaves_evidence(society: Organisation, book: dict[str, int]) -> None:
    journal = Journal.objects.get(idempotency_key="receipt:1")
    assert (journal.posting_count, journal.posting_total, journal.society_id) == (1, 1000, society.pk)
    assert credit(book["pool"]) == 1000
    event = Event.objects.about("journal", journal.pk).get()
    assert (event.verb, event.data["total"]) == ("journal.posted", 1000)


def test_a_replay_gives_the_journal_that_is_there(society: Organisation, book: dict[str, int]) -> None:
    first = Journal.objects.get(idempotency_key="receipt:1")
    assert receive(society, book, 1000).pk == first.pk
    assert Posting.objects.count() == 1
    assert Event.objects.about("journal", first.pk).count() == 1


@pytest.mark.parametrize("changes", [{"effective_on": datetime.date(2026, 3, 2)}, {"kind": "other"}, {"amount": 999}])
def test_the_same_key_with_other_content_is_a_conflict(
    society: Organisation, book: dict[str, int], changes: dict[str, Any]
) -> None:
    with pytest.raises(Conflict) as refused:
        receive(society, book, **{"amount": 1000} | changes)
    assert refused.value.code == "key_used_otherwise"
    assert credit(book["pool"]) == 1000


def test_an_overdraft_is_refused_and_leaves_nothing(society: Organisation, book: dict[str, int]) -> None:
    with pytest.raises(Conflict) as refused:
        receive(society, book, 1, key="pay", transfers=[Transfer(book["pool"], book["first"], 1001)])
    assert refused.value.code == "overdrawn"
    assert not Journal.objects.filter(idempotency_key="pay").exists()
    assert credit(book["pool"]) == 1000


def test_accounts_of_two_currencies_are_refused(society: Organisation, book: dict[str, int]) -> None:
    dollars = services.account(society_id=society.pk, kind="payable", owner_id=1, currency="USD")
    with pytest.raises(Conflict) as refused:
        receive(society, book, 1, key="mix", transfers=[Transfer(book["pool"], dollars, 1)])
    assert refused.value.code == "wrong_account"


def run(society: Organisation, book: dict[str, int], key: str = "run:1", **changes: Any) -> Journal:
    query = "SELECT %s::bigint, holder, amount FROM unnest(%s::bigint[], %s::bigint[]) AS t (holder, amount)"
    params = [book["pool"], [book["first"], book["second"]], changes.pop("amounts", [600, 400])]
    return services.post_query(
        society_id=society.pk, kind="run", key=key, effective_on=DAY, query=query, params=params, **changes
    )


def test_a_query_posts_as_a_list_does(society: Organisation, book: dict[str, int]) -> None:
    journal = run(society, book)
    assert (credit(book["first"]), credit(book["second"]), credit(book["pool"])) == (600, 400, 0)
    transfers = [Transfer(book["pool"], book["first"], 600), Transfer(book["pool"], book["second"], 400)]
    listed = services.post(society_id=society.pk, kind="run", key="run:1", effective_on=DAY, transfers=transfers)
    assert listed.pk == journal.pk


def test_a_query_is_replayed_whatever_the_order_of_its_rows(society: Organisation, book: dict[str, int]) -> None:
    journal = run(society, book)
    turned = {**book, "first": book["second"], "second": book["first"]}
    assert run(society, turned, amounts=[400, 600]).pk == journal.pk
    with pytest.raises(Conflict):
        run(society, book, amounts=[599, 401])


def test_a_query_without_rows_or_without_accounts_posts_nothing(society: Organisation, book: dict[str, int]) -> None:
    with pytest.raises(Refusal) as refused:
        run(society, book | {"first": 0, "second": 0}, amounts=[1, 2])
    assert refused.value.code == "wrong_account"
    with pytest.raises(Refusal) as refused:
        services.post_query(
            society_id=society.pk,
            kind="run",
            key="none",
            effective_on=DAY,
            query="SELECT 1::bigint, 2::bigint, 3::bigint WHERE false",
        )
    assert refused.value.code == "nothing_to_post"
    assert Journal.objects.count() == 1


def test_a_reversal_takes_everything_back_once(society: Organisation, book: dict[str, int]) -> None:
    journal = run(society, book)
    reversal = services.reverse(journal=journal, key="run:1:reversed", effective_on=DAY)
    assert reversal.reverses_id == journal.pk
    assert (credit(book["first"]), credit(book["second"]), credit(book["pool"])) == (0, 0, 1000)
    assert services.reverse(journal=journal, key="run:1:reversed", effective_on=DAY).pk == reversal.pk
    with pytest.raises(Conflict) as refused:
        services.reverse(journal=journal, key="run:1:again", effective_on=DAY)
    assert refused.value.code == "already_reversed"
    with pytest.raises(Conflict) as refused:
        services.reverse(journal=reversal, key="back", effective_on=DAY)
    assert refused.value.code == "reversal_is_final"


def test_money_that_has_moved_on_cannot_be_taken_back(society: Organisation, book: dict[str, int]) -> None:
    journal = run(society, book)
    receive(society, book, 1, key="paid", transfers=[Transfer(book["first"], book["bank"], 600)])
    with pytest.raises(Conflict) as refused:
        services.reverse(journal=journal, key="back", effective_on=DAY)
    assert refused.value.code == "overdrawn"


def test_a_closed_day_takes_no_journal(society: Organisation, book: dict[str, int]) -> None:
    finance = staff(society, "ledger.close")
    assert services.closed_through(society.pk) is None
    services.close_period(actor=finance, society=society, through=DAY)
    services.close_period(actor=finance, society=society, through=DAY)
    assert services.closed_through(society.pk) == DAY
    assert Event.objects.filter(verb="period.closed").count() == 1
    with pytest.raises(Conflict) as refused:
        receive(society, book, 1, key="late")
    assert refused.value.code == "period_closed"
    with pytest.raises(Conflict):
        services.close_period(actor=finance, society=society, through=datetime.date(2026, 2, 1))


def test_only_finance_of_the_society_closes_its_book(society: Organisation) -> None:
    with pytest.raises(Forbidden):
        services.close_period(actor=staff(society, "ledger.view"), society=society, through=DAY)
    with pytest.raises(NotFound):
        services.close_period(
            actor=staff(organisation("OTHER", "society"), "ledger.close"), society=society, through=DAY
        )


def test_a_day_outside_the_calendar_is_refused(society: Organisation, book: dict[str, int]) -> None:
    with pytest.raises(Refusal) as refused:
        receive(society, book, 1, key="far", effective_on=datetime.date(9999, 12, 31))
    assert refused.value.code == "day_out_of_range"


def test_the_trial_balance_adds_up(society: Organisation, book: dict[str, int]) -> None:
    run(society, book)
    lines = services.trial_balance(society.pk)
    assert [(line.kind, line.accounts, line.balance) for line in lines] == [
        ("bank", 1, 1000),
        ("pool", 1, 0),
        ("payable", 2, 1000),
    ]
    assert sum(line.debits for line in lines) == sum(line.credits for line in lines)


def test_a_sound_ledger_has_no_problems(society: Organisation, book: dict[str, int]) -> None:
    services.reverse(journal=run(society, book), key="back", effective_on=DAY)
    assert services.problems() == []


def test_a_damaged_ledger_is_found_out(society: Organisation, book: dict[str, int]) -> None:
    """As its owner one can switch the triggers off; what one did then is found by looking."""
    reversal = services.reverse(journal=run(society, book), key="back", effective_on=DAY)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("account", "journal", "posting", "kind"):
            cursor.execute(f"ALTER TABLE ledger_{table} DISABLE TRIGGER USER")
        cursor.execute("UPDATE ledger_account SET credits = credits + 1 WHERE id = %s", [book["first"]])
        cursor.execute(
            "UPDATE ledger_posting SET amount = amount + 1 WHERE journal_id = %s AND line = 1", [reversal.pk]
        )
        cursor.execute("UPDATE ledger_posting SET currency = 'USD' WHERE journal_id = %s AND line = 2", [reversal.pk])
        cursor.execute("INSERT INTO ledger_kind VALUES ('slush', 0, false)")
    found = {problem["what"] for problem in services.problems()}
    assert found == {
        "ledger.balance", "ledger.trial_balance", "ledger.control_totals", "ledger.reference", "ledger.reversal", "ledger.chart",
    }  # fmt: skip
