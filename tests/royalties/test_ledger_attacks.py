"""Attacks on the book by plain SQL, each of which PostgreSQL refuses, with real commits over connections of their own.

Given a book with money in it, when somebody with the program's own rights tries, then the statement or its commit is
refused by that name, and nothing in the ledger is other than before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from psycopg import errors

from tests.databases import Databases
from tests.royalties.attacks import ATTACKS, Attack, Session
from tests.royalties.ledger_book import Book


@pytest.fixture(scope="module")
def book(databases: Databases, django_db_blocker: Any) -> Iterator[Book]:
    with django_db_blocker.unblock():
        name = databases.clone()
        made = Book(databases.url(name))
        made.fill()
        yield made
        databases.drop(name)


def committed(book: Book, attack: Attack) -> None:
    """Attack in a transaction of its own, and commit."""
    with book.connect() as session:
        attack(book, session)
        session.commit()


@pytest.mark.parametrize("attack, refused_by, by", ATTACKS)
def test_the_ledger_refuses(book: Book, attack: Attack, refused_by: str, by: type[Exception]) -> None:
    before = book.snapshot()
    with pytest.raises(by) as refused:
        committed(book, attack)
    told = refused.value.diag.constraint_name or ""
    assert refused_by == told or refused_by in str(refused.value), f"refused by {told!r}: {refused.value}"
    after = book.snapshot()
    assert after == before
    assert after[-1] == []


@pytest.mark.parametrize(
    "change", ["society_id = %(other)s", "kind = 'held'", "currency = 'USD'", "floor = 0", "id = DEFAULT"]
)
def test_no_part_of_an_account_s_identity_changes(book: Book, change: str) -> None:
    """The floor is part of it: without one, an account could be overdrawn."""
    before = book.snapshot()
    with book.connect() as session, pytest.raises(errors.IntegrityError) as refused:
        session.execute(
            f"UPDATE ledger_account SET {change} WHERE id = %(id)s",
            {"other": book.other, "id": book.accounts["second"]},
        )
    assert refused.value.diag.constraint_name == "ledger_account_keeps_its_identity"
    assert book.snapshot() == before


def as_a_replica(book: Book, session: Session) -> None:
    session.execute("SET session_replication_role = replica")
    session.execute("UPDATE ledger_account SET credits = credits + 5 WHERE id = %s", [book.accounts["holder"]])


def test_a_replica_s_session_is_guarded_too(book: Book) -> None:
    """`session_replication_role = replica` switches ordinary triggers off. It takes a superuser; ours fire even then."""
    before = book.snapshot()
    with pytest.raises((errors.InsufficientPrivilege, errors.IntegrityError)):
        committed(book, as_a_replica)
    assert book.snapshot() == before


def test_every_trigger_of_the_ledger_fires_always(book: Book) -> None:
    with book.connect() as session:
        found = session.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'A' "
            "AND tgrelid::regclass::text LIKE 'ledger%'"
        ).fetchall()
    assert found == []


def test_an_account_not_in_use_can_be_closed(book: Book) -> None:
    """The control: closing as such is allowed, so the refusals above are about what they say."""
    with book.connect() as session:
        session.execute("UPDATE ledger_account SET closed_on = '2026-04-01' WHERE id = %s", [book.accounts["empty"]])
        session.rollback()


def test_an_exact_reversal_is_accepted(book: Book) -> None:
    """The control for the reversals refused above."""
    with book.connect() as session:
        book.post(session, "exact", [("holder", "pool", 200), ("second", "pool", 100)], reverses=book.journals["run"])
        session.execute("SET CONSTRAINTS ALL IMMEDIATE")
        session.rollback()
