"""The ledger under several writers at once, and under a writer that is killed. Real commits, real processes."""

from __future__ import annotations

import datetime
import subprocess
import sys
import threading
from typing import Any

import psycopg
import pytest
from django.db import connection

from accounts.organisations.models import Organisation
from royalties.ledger import services
from royalties.ledger.models import Account, Journal
from royalties.ledger.services import Transfer
from tests.licensing.parties import organisation, staff
from tests.together import together

DAY = datetime.date(2026, 3, 1)


@pytest.fixture
def society(committed_db: Any) -> Organisation:
    return organisation("KOREA-WEB", "society")


def opened(society: Organisation, count: int) -> list[int]:
    """A bank and so many pools, each holding 1,000."""
    bank = services.account(society_id=society.pk, kind="bank", currency="KRW")
    pools = services.accounts(society_id=society.pk, kind="pool", owner_ids=range(1, count + 1), currency="KRW")
    accounts = [pools[n] for n in range(1, count + 1)]
    services.post(
        society_id=society.pk, kind="receipt", key="fill", effective_on=DAY,
        transfers=[Transfer(bank, pool, 1000) for pool in accounts],
    )  # fmt: skip
    return accounts


def post(society: Organisation, key: str, transfers: list[Transfer], **fields: Any) -> Journal:
    given: dict[str, Any] = {"kind": "test", "effective_on": DAY} | fields
    return services.post(society_id=society.pk, key=key, transfers=transfers, **given)


def test_one_key_posted_at_once_is_one_journal(society: Organisation) -> None:
    first, second = opened(society, 2)
    results = together(*[lambda: post(society, "once", [Transfer(first, second, 100)])] * 4)
    assert {result.pk for result in results} == {Journal.objects.get(idempotency_key="once").pk}
    assert Account.objects.get(pk=second).credits == 1100
    assert services.problems() == []


def test_one_key_with_other_content_at_once_is_one_journal_and_conflicts(society: Organisation) -> None:
    first, second = opened(society, 2)
    results = together(*[lambda n=n: post(society, "once", [Transfer(first, second, n)]) for n in (1, 2, 3)])
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Conflict", "Journal"]
    assert services.problems() == []


def test_an_account_is_not_overdrawn_by_two_at_once(society: Organisation) -> None:
    first, second = opened(society, 2)
    results = together(*[lambda n=n: post(society, f"take:{n}", [Transfer(first, second, 600)]) for n in range(3)])
    assert [getattr(result, "code", "posted") for result in results].count("posted") == 1
    assert [getattr(result, "code", "posted") for result in results].count("overdrawn") == 2
    assert services.problems() == []


def test_the_same_accounts_opened_at_once_are_one_each(society: Organisation) -> None:
    results = together(
        *[lambda: services.accounts(society_id=society.pk, kind="payable", owner_ids=range(50), currency="KRW")] * 4
    )
    assert all(result == results[0] for result in results)
    assert Account.objects.filter(kind="payable").count() == 50


def test_journals_over_the_same_accounts_in_opposite_order_do_not_deadlock(society: Organisation) -> None:
    accounts = opened(society, 12)

    def ring(name: str, order: list[int]) -> None:
        for n in range(15):
            post(society, f"{name}:{n}", [Transfer(a, b, 1) for a, b in zip(order, order[1:] + order[:1], strict=True)])

    results = together(
        *[lambda n=n: ring(f"{n}", accounts[n:] + accounts[:n] if n % 2 else accounts[::-1]) for n in range(4)]
    )
    assert results == [None] * 4
    assert Journal.objects.filter(kind="test").count() == 60
    assert services.problems() == []


def under_way(society: Organisation, committed_db: Any) -> tuple[psycopg.Connection[Any], list[Any], threading.Thread]:
    """A journal posted and not committed, and somebody who closes its period meanwhile."""
    first, second = opened(society, 2)
    writer = psycopg.connect(committed_db.url)
    row = writer.execute(
        "INSERT INTO ledger_journal (society_id, kind, idempotency_key, request_sha256, effective_on, posting_count, posting_total) "
        "VALUES (%s, 'test', 'under way', sha256(''), %s, 1, 5) RETURNING id",
        [society.pk, DAY],
    ).fetchone()
    assert row is not None
    writer.execute("INSERT INTO ledger_posting VALUES (%s, 1, %s, %s, 'KRW', 5)", [row[0], first, second])
    finance, done = staff(society, "ledger.close"), list[Any]()

    def close() -> None:
        try:
            done.append(services.close_period(actor=finance, society=society, through=DAY))
        finally:
            connection.close()

    closer = threading.Thread(target=close)
    closer.start()
    closer.join(0.7)
    return writer, done, closer


def test_closing_waits_for_journals_under_way(society: Organisation, committed_db: Any) -> None:
    writer, done, closer = under_way(society, committed_db)
    assert done == []
    writer.commit()
    closer.join()
    assert done == [DAY]
    writer.close()


def test_without_its_lock_closing_would_not_wait(society: Organisation, committed_db: Any) -> None:
    """The control: the lock is what makes the test above pass."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_functiondef('ledger_apply_postings'::regproc)")
        definition = cursor.fetchone()[0]
        assert definition.count("FOR SHARE") == 1
        cursor.execute(definition.replace(" FOR SHARE", "").replace("%", "%%"), [])
    writer, done, closer = under_way(society, committed_db)
    assert done == [DAY]
    writer.commit()
    closer.join()
    writer.close()


WRITER = """
import sys, time, django
django.setup()
import datetime
from django.db import transaction
from royalties.ledger import services
with transaction.atomic():
    services.post(society_id=int(sys.argv[1]), kind="test", key="killed", effective_on=datetime.date(2026, 3, 1),
                  transfers=[services.Transfer(int(sys.argv[2]), int(sys.argv[3]), 700)])
    print("posted", flush=True)
    time.sleep(60)
"""


def test_a_writer_killed_before_its_commit_leaves_nothing(society: Organisation, committed_db: Any) -> None:
    """kill -9 between posting and commit: no journal, no locks, and the same key posts afterwards."""
    first, second = opened(society, 2)
    connection.close()
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(society.pk), str(first), str(second)],
        stdout=subprocess.PIPE, env=committed_db.environment,
    )  # fmt: skip
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"posted\n"
    writer.kill()
    writer.wait()
    writer.stdout.close()
    journal = post(society, "killed", [Transfer(first, second, 700)])
    assert Account.objects.get(pk=second).credits == 1700
    assert Journal.objects.filter(idempotency_key="killed").get().pk == journal.pk
    assert services.problems() == []
