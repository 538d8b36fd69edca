"""Attacks on the book by plain SQL, each of which PostgreSQL refuses, with real commits over connections of their own.

Given a book with money in it, when somebody with the program's own rights tries, then the statement or its commit is
refused by that name, and nothing in the ledger is other than before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors

from tests.databases import Databases
from tests.royalties.ledger_book import Book

Session = psycopg.Connection[Any]
Attack = Callable[[Book, Session], Any]
ATTACKS: list[Any] = []


def attack(refused_by: str, by: type[Exception] = errors.IntegrityError) -> Callable[[Attack], Attack]:
    """Register an attack, and the constraint, or the words, that must refuse it."""

    def register(function: Attack) -> Attack:
        ATTACKS.append(pytest.param(function, refused_by, by, id=function.__name__))
        return function

    return register


@pytest.fixture(scope="module")
def book(databases: Databases, django_db_blocker: Any) -> Iterator[Book]:
    with django_db_blocker.unblock():
        name = databases.clone()
        made = Book(databases.url(name))
        made.fill()
        yield made
        databases.drop(name)


# The attacks of the issue.


@attack("ledger_account_stays_above_its_floor")
def overdraw(book: Book, session: Session) -> None:
    book.post(session, "overdraw", [("holder", "bank", 201)])


@attack("ledger_account_stays_above_its_floor")
def overdraw_the_other_side(book: Book, session: Session) -> None:
    """A bank account cannot pay out more than came in."""
    book.post(session, "overdraw-bank", [("pool", "bank", 1001)])


@attack("ledger_journal_key_is_used_once")
def same_key_with_other_content(book: Book, session: Session) -> None:
    book.post(session, "receipt", [("bank", "pool", 999)], request_sha256=bytes([1]) * 32)


@attack("ledger_posting_amount_is_positive")
def zero(book: Book, session: Session) -> None:
    book.post(session, "zero", [("bank", "pool", 0), ("bank", "pool", 1)])


@attack("ledger_posting_amount_is_positive")
def negative(book: Book, session: Session) -> None:
    book.post(session, "negative", [("bank", "pool", -5), ("bank", "pool", 10)])


@attack("ledger_posting_is_between_two_accounts")
def self(book: Book, session: Session) -> None:
    book.post(session, "self", [("pool", "pool", 5)])


@attack("ledger_posting_fits_its_accounts")
def wrong_currency(book: Book, session: Session) -> None:
    book.post(session, "currency", [("pool", "dollars", 5)])


@attack("ledger_posting_fits_its_accounts")
def currency_that_neither_account_has(book: Book, session: Session) -> None:
    journal = book.head(session, "currency", 1, 5)
    book.lines(session, journal, [("pool", "holder", 5)], currency="USD")


@attack("ledger_posting_fits_its_accounts")
def account_that_does_not_exist(book: Book, session: Session) -> None:
    journal = book.head(session, "missing", 1, 5)
    session.execute("INSERT INTO ledger_posting VALUES (%s, 1, %s, 999999, 'KRW', 5)", [journal, book.accounts["pool"]])


@attack("ledger_journal_is_whole")
def partial_journal(book: Book, session: Session) -> None:
    journal = book.head(session, "partial", 2, 10)
    book.lines(session, journal, [("pool", "holder", 5)])


@attack("ledger_journal_is_whole")
def journal_without_postings(book: Book, session: Session) -> None:
    book.head(session, "hollow", 1, 5)
    session.commit()


@attack("ledger_journal_is_whole")
def journal_with_another_total(book: Book, session: Session) -> None:
    journal = book.head(session, "total", 1, 6)
    book.lines(session, journal, [("pool", "holder", 5)])


@attack("ledger_journal_is_whole")
def more_postings_than_declared(book: Book, session: Session) -> None:
    journal = book.head(session, "more", 1, 5)
    book.lines(session, journal, [("pool", "holder", 3), ("pool", "second", 2)])


@attack("ledger_journal_is_whole")
def journal_in_two_statements(book: Book, session: Session) -> None:
    journal = book.head(session, "two", 2, 10)
    book.lines(session, journal, [("pool", "holder", 5)])
    book.lines(session, journal, [("pool", "holder", 5)], start=2)


@attack("ledger_journal_is_whole")
def journal_that_leaves_lines_out(book: Book, session: Session) -> None:
    """Lines run from 1 without a gap, so that none is left free for later."""
    journal = book.head(session, "gap", 2, 10)
    values = (journal, book.accounts["pool"], book.accounts["holder"])
    session.execute(
        "INSERT INTO ledger_posting SELECT %s, line, %s, %s, 'KRW', 5 FROM unnest(ARRAY[1, 3]) AS line", values
    )


@attack("ledger_journal_is_sealed")
def sealed_journal(book: Book, session: Session) -> None:
    book.lines(session, book.journals["receipt"], [("bank", "pool", 1000)], start=2)


@attack("ledger_journal_is_whole")
def more_in_the_same_transaction(book: Book, session: Session) -> None:
    journal = book.post(session, "complete", [("pool", "holder", 5)])
    book.lines(session, journal, [("pool", "holder", 5)], start=2)


@attack("ledger_is_append_only")
def update(book: Book, session: Session) -> None:
    session.execute("UPDATE ledger_posting SET amount = 1")


@attack("ledger_is_append_only")
def update_of_a_journal(book: Book, session: Session) -> None:
    session.execute("UPDATE ledger_journal SET effective_on = '2020-01-01'")


@attack("ledger_is_append_only")
def delete(book: Book, session: Session) -> None:
    session.execute("DELETE FROM ledger_posting")


@attack("ledger_is_append_only")
def delete_of_a_journal(book: Book, session: Session) -> None:
    session.execute("DELETE FROM ledger_journal WHERE id = %s", [book.journals["reversal"]])


@attack("ledger_is_append_only")
def delete_of_an_account(book: Book, session: Session) -> None:
    session.execute("DELETE FROM ledger_account WHERE id = %s", [book.accounts["empty"]])


@attack("ledger_is_append_only")
def truncate(book: Book, session: Session) -> None:
    session.execute("TRUNCATE ledger_posting")


@attack("ledger_is_append_only")
def truncate_by_cascade(book: Book, session: Session) -> None:
    session.execute("TRUNCATE ledger_period CASCADE")


@attack("ledger_balance_moves_by_posting")
def hand_edited_balance(book: Book, session: Session) -> None:
    session.execute("UPDATE ledger_account SET credits = credits + 5 WHERE id = %s", [book.accounts["holder"]])


@attack("ledger_balance_moves_by_posting")
def hand_edited_balance_on_both_sides(book: Book, session: Session) -> None:
    session.execute(
        "UPDATE ledger_account SET credits = credits + 5, debits = debits + 5 WHERE id = %s", [book.accounts["holder"]]
    )


@attack("ledger_account_keeps_its_identity")
def identity_change(book: Book, session: Session) -> None:
    session.execute("UPDATE ledger_account SET owner_id = 2000 WHERE id = %s", [book.accounts["holder"]])


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


@attack("ledger_account_opens_empty")
def non_empty_account(book: Book, session: Session) -> None:
    session.execute(
        "INSERT INTO ledger_account (society_id, kind, owner_id, currency, floor, credits) VALUES (%s, 'payable', 77, 'KRW', 1, 5)",
        [book.own],
    )


@attack("ledger_account_is_empty_when_closed")
def closing_a_non_empty_account(book: Book, session: Session) -> None:
    session.execute("UPDATE ledger_account SET closed_on = '2026-04-01' WHERE id = %s", [book.accounts["holder"]])


@attack("ledger_reversal_mirrors_its_original")
def wrong_reversal(book: Book, session: Session) -> None:
    """The sums fit; the lines do not."""
    book.post(
        session, "wrong reversal", [("holder", "pool", 150), ("second", "pool", 150)], reverses=book.journals["run"]
    )


@attack("ledger_reversal_mirrors_its_original")
def reversal_with_an_extra_line(book: Book, session: Session) -> None:
    rows = [("holder", "pool", 200), ("second", "pool", 100), ("second", "holder", 1)]
    book.post(session, "extra", rows, reverses=book.journals["run"])


@attack("ledger_reversal_mirrors_its_original")
def reversal_of_a_part(book: Book, session: Session) -> None:
    book.post(session, "part", [("holder", "pool", 200)], reverses=book.journals["run"])


@attack("ledger_reversal_mirrors_its_original")
def reversal_before_its_original(book: Book, session: Session) -> None:
    rows = [("holder", "pool", 200), ("second", "pool", 100)]
    book.post(session, "early", rows, reverses=book.journals["run"], effective_on="2026-02-28")


@attack("ledger_reversal_mirrors_its_original")
def reversal_in_another_book(book: Book, session: Session) -> None:
    rows = [("holder", "pool", 200), ("second", "pool", 100)]
    journal = book.head(session, "foreign", 2, 300, reverses=book.journals["run"], society_id=book.other)
    mapping = {"holder": "stranger", "second": "stranger", "pool": "strange bank"}
    book.lines(session, journal, [(mapping[debit], mapping[credit], amount) for debit, credit, amount in rows])


@attack("ledger_journal_is_reversed_once")
def second_reversal(book: Book, session: Session) -> None:
    book.post(session, "again", [("holder", "pool", 60), ("second", "pool", 40)], reverses=book.journals["wrong"])


@attack("ledger_reversal_is_final")
def reversal_of_a_reversal(book: Book, session: Session) -> None:
    """Decided: the event is posted again under a new key, so a journal is reversed or it is not."""
    book.post(session, "back", [("pool", "holder", 60), ("pool", "second", 40)], reverses=book.journals["reversal"])


@attack("ledger_journal_is_whole")
def early_constraint_check(book: Book, session: Session) -> None:
    """Asked for before the postings arrive, the check refuses at once instead of being used up."""
    journal = book.head(session, "early check", 2, 10)
    session.execute("SET CONSTRAINTS ALL IMMEDIATE")
    session.execute("SET CONSTRAINTS ALL DEFERRED")
    book.lines(session, journal, [("pool", "holder", 5)])


@attack("ledger_journal_is_whole")
def early_constraint_check_of_a_whole_journal(book: Book, session: Session) -> None:
    """Asked for when the journal is whole, it passes; but nothing more can follow it."""
    journal = book.post(session, "checked", [("pool", "holder", 5)])
    session.execute("SET CONSTRAINTS ALL IMMEDIATE")
    book.lines(session, journal, [("pool", "holder", 5)], start=2)


@attack("ledger_journal_is_whole")
def early_constraint_check_in_a_savepoint(book: Book, session: Session) -> None:
    """A refusal that is rolled back to a savepoint does not let the empty journal through: it is checked again at commit."""
    book.head(session, "savepoint", 1, 5)
    session.execute("SAVEPOINT before")
    with pytest.raises(errors.IntegrityError):
        session.execute("SET CONSTRAINTS ALL IMMEDIATE")
    session.execute("ROLLBACK TO before")
    session.commit()


@attack("ledger_period_is_open")
def closed_period(book: Book, session: Session) -> None:
    session.execute("UPDATE ledger_period SET closed_through = '2026-03-31' WHERE society_id = %s", [book.own])
    book.post(session, "late", [("pool", "holder", 5)], effective_on="2026-03-31")


@attack("ledger_period_stays_closed")
def reopened_period(book: Book, session: Session) -> None:
    session.execute("UPDATE ledger_period SET closed_through = '2026-03-31' WHERE society_id = %s", [book.own])
    session.execute("UPDATE ledger_period SET closed_through = '2026-01-31' WHERE society_id = %s", [book.own])


@attack("ledger_is_append_only")
def period_deleted(book: Book, session: Session) -> None:
    session.execute("DELETE FROM ledger_period WHERE society_id = %s", [book.own])


@attack("ledger_posting_fits_its_accounts")
def closed_account(book: Book, session: Session) -> None:
    session.execute("UPDATE ledger_account SET closed_on = '2026-04-01' WHERE id = %s", [book.accounts["empty"]])
    book.post(session, "closed", [("pool", "empty", 5)])


@attack("ledger_account_keeps_its_identity")
def reopened_account(book: Book, session: Session) -> None:
    session.execute("UPDATE ledger_account SET closed_on = '2026-04-01' WHERE id = %s", [book.accounts["empty"]])
    session.execute("UPDATE ledger_account SET closed_on = NULL WHERE id = %s", [book.accounts["empty"]])


# Further attacks.


@attack("ledger_posting_fits_its_accounts")
def account_of_another_society(book: Book, session: Session) -> None:
    book.post(session, "mixed", [("pool", "stranger", 5)])


@attack("ledger_posting_fits_its_accounts")
def journal_of_one_society_over_accounts_of_another(book: Book, session: Session) -> None:
    book.post(session, "foreign", [("pool", "holder", 5)], society_id=book.other)


@attack("ledger_journal_society_id_fkey")
def journal_of_a_society_without_a_book(book: Book, session: Session) -> None:
    book.post(session, "nowhere", [("pool", "holder", 5)], society_id=999_999)


@attack("ledger_account_opens_empty")
def account_of_a_society_without_a_book(book: Book, session: Session) -> None:
    session.execute(
        "INSERT INTO ledger_account (society_id, kind, owner_id, currency, floor) VALUES (999999, 'payable', 1, 'KRW', 1)"
    )


@attack("ledger_account_opens_empty")
def account_without_the_floor_of_its_kind(book: Book, session: Session) -> None:
    session.execute(
        "INSERT INTO ledger_account (society_id, kind, owner_id, currency, floor) VALUES (%s, 'payable', 78, 'KRW', 0)",
        [book.own],
    )


@attack("ledger_account_opens_empty")
def account_of_a_kind_that_is_not_in_the_chart(book: Book, session: Session) -> None:
    session.execute(
        "INSERT INTO ledger_account (society_id, kind, owner_id, currency, floor) VALUES (%s, 'slush', 1, 'KRW', 0)",
        [book.own],
    )


@attack("ledger_account_is_one_a_purpose")
def second_account_for_the_same_purpose(book: Book, session: Session) -> None:
    session.execute(
        "INSERT INTO ledger_account (society_id, kind, owner_id, currency, floor) VALUES (%s, 'bank', NULL, 'KRW', -1)",
        [book.own],
    )


@attack("ledger_is_append_only")
def chart_changed(book: Book, session: Session) -> None:
    session.execute("UPDATE ledger_kind SET floor = 0 WHERE kind = 'payable'")


@attack("ledger_is_append_only")
def posting_on_conflict_do_update(book: Book, session: Session) -> None:
    session.execute(
        "INSERT INTO ledger_posting VALUES (%s, 1, %s, %s, 'KRW', 1) ON CONFLICT (journal_id, line) DO UPDATE SET amount = 1",
        [book.journals["receipt"], book.accounts["bank"], book.accounts["pool"]],
    )


@attack("ledger_balance_moves_by_posting")
def account_on_conflict_do_update(book: Book, session: Session) -> None:
    session.execute(
        "INSERT INTO ledger_account (society_id, kind, owner_id, currency, floor) VALUES (%s, 'payable', 1, 'KRW', 1) "
        "ON CONFLICT (society_id, kind, owner_id, currency) DO UPDATE SET credits = ledger_account.credits + 5",
        [book.own],
    )


@attack("ledger_balance_moves_by_posting")
def merge_into_accounts(book: Book, session: Session) -> None:
    session.execute(
        "MERGE INTO ledger_account a USING (SELECT %s::bigint AS id) s ON a.id = s.id WHEN MATCHED THEN UPDATE SET credits = credits + 5",
        [book.accounts["holder"]],
    )


@attack("ledger_is_append_only")
def merge_into_postings(book: Book, session: Session) -> None:
    session.execute("MERGE INTO ledger_posting p USING (SELECT 1) s ON true WHEN MATCHED THEN DELETE")


@attack("ledger_journal_is_sealed")
def copy_into_a_sealed_journal(book: Book, session: Session) -> None:
    with session.cursor().copy("COPY ledger_posting FROM STDIN") as copy:
        copy.write_row((book.journals["receipt"], 2, book.accounts["bank"], book.accounts["pool"], "KRW", 1000))


@attack("ledger_account_opens_empty")
def copy_of_accounts_with_balances(book: Book, session: Session) -> None:
    with session.cursor().copy(
        "COPY ledger_account (society_id, kind, owner_id, currency, floor, credits) FROM STDIN"
    ) as copy:
        copy.write_row((book.own, "payable", 79, "KRW", 1, 5))


@attack("ledger_account_stays_above_its_floor")
def overdraw_by_copy(book: Book, session: Session) -> None:
    journal = book.head(session, "copied", 1, 201)
    with session.cursor().copy("COPY ledger_posting FROM STDIN") as copy:
        copy.write_row((journal, 1, book.accounts["holder"], book.accounts["bank"], "KRW", 201))


@attack("cannot insert a non-DEFAULT value", errors.GeneratedAlways)
def number_chosen_by_hand(book: Book, session: Session) -> None:
    book.post(session, "number", [("pool", "holder", 5)], id=book.journals["run"])


@attack("ledger_journal_is_numbered_by_the_ledger")
def number_forced_by_hand(book: Book, session: Session) -> None:
    """A number far ahead would make later journals fail."""
    session.execute("SELECT nextval(pg_get_serial_sequence('ledger_journal', 'id'))")
    session.execute(
        "INSERT INTO ledger_journal (id, society_id, kind, idempotency_key, request_sha256, effective_on, posting_count, posting_total) "
        "OVERRIDING SYSTEM VALUE VALUES (1000000, %s, 'test', 'forced', sha256(''), '2026-03-01', 1, 5)",
        [book.own],
    )


@attack("ledger_posting_has_one_journal")
def postings_of_two_journals_in_one_statement(book: Book, session: Session) -> None:
    first, second = book.head(session, "first", 1, 5), book.head(session, "second", 1, 5)
    session.execute(
        "INSERT INTO ledger_posting SELECT journal, 1, %s, %s, 'KRW', 5 FROM unnest(%s) AS journal",
        [book.accounts["pool"], book.accounts["holder"], [first, second]],
    )


@attack("ledger_posting_has_one_journal")
def posting_without_a_journal(book: Book, session: Session) -> None:
    session.execute(
        "INSERT INTO ledger_posting VALUES (999999, 1, %s, %s, 'KRW', 5)",
        [book.accounts["pool"], book.accounts["holder"]],
    )


@attack("ledger_posting_amount_is_positive")
def amount_too_large(book: Book, session: Session) -> None:
    book.post(session, "large", [("bank", "pool", 10**15 + 1)])


@attack("out of range", errors.NumericValueOutOfRange)
def balance_too_large(book: Book, session: Session) -> None:
    """More than a balance can hold is refused as a whole; nothing wraps around."""
    journal = book.head(session, "flood", 9300, 9300 * 10**15)
    session.execute(
        "INSERT INTO ledger_posting SELECT %s, line, %s, %s, 'KRW', 1000000000000000 FROM generate_series(1, 9300) AS line",
        [journal, book.accounts["bank"], book.accounts["pool"]],
    )


@attack("ledger_balance_moves_by_posting")
def balance_moved_from_a_trigger(book: Book, session: Session) -> None:
    """Trigger depth proves nothing: a trigger of one's own reaches any depth."""
    session.execute("CREATE TABLE lever (n int)")
    session.execute(
        "CREATE FUNCTION lever() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF pg_trigger_depth() < 3 THEN INSERT INTO lever VALUES (1); "
        f"ELSE UPDATE ledger_account SET credits = credits + 5 WHERE id = {book.accounts['holder']}; END IF; RETURN NULL; END $$"
    )
    session.execute("CREATE TRIGGER lever AFTER INSERT ON lever FOR EACH ROW EXECUTE FUNCTION lever()")
    session.execute("INSERT INTO lever VALUES (1)")


@attack("ledger_balance_moves_by_posting")
def ledger_s_own_trigger_on_another_table(book: Book, session: Session) -> None:
    """The function that moves balances, set upon a table of one's own, finds no postings to move them by."""
    journal = book.post(session, "lawful", [("pool", "holder", 5)])
    session.execute("CREATE TABLE forged (LIKE ledger_posting)")
    session.execute(
        "CREATE TRIGGER apply AFTER INSERT ON forged REFERENCING NEW TABLE AS inserted "
        "FOR EACH STATEMENT EXECUTE FUNCTION ledger_apply_postings()"
    )
    session.execute(
        "INSERT INTO forged VALUES (%s, 1, %s, %s, 'KRW', 5)", [journal, book.accounts["pool"], book.accounts["second"]]
    )


@attack("ledger_balance_moves_by_posting")
def lawful_journal_counted_twice(book: Book, session: Session) -> None:
    journal = book.post(session, "twice", [("pool", "holder", 5)])
    session.execute(
        "UPDATE ledger_account SET debits = debits + CASE id WHEN %(pool)s THEN 5 ELSE 0 END, "
        "credits = credits + CASE id WHEN %(holder)s THEN 5 ELSE 0 END, moved_by = %(journal)s WHERE id IN (%(pool)s, %(holder)s)",
        book.accounts | {"journal": journal},
    )


@attack("ledger_balance_moves_by_posting")
def lawful_journal_counted_twice_behind_a_third_account(book: Book, session: Session) -> None:
    """An account that the journal does not touch lends its mark, and the others hide theirs."""
    journal = book.post(session, "carrier", [("pool", "holder", 5)])
    session.execute(
        "UPDATE ledger_account SET debits = debits + CASE id WHEN %(pool)s THEN 5 ELSE 0 END, "
        "credits = credits + CASE id WHEN %(holder)s THEN 5 ELSE 0 END, "
        "moved_by = CASE id WHEN %(empty)s THEN %(journal)s END WHERE id IN (%(pool)s, %(holder)s, %(empty)s)",
        book.accounts | {"journal": journal},
    )


@attack("ledger_balance_moves_by_posting")
def journals_counted_out_of_order(book: Book, session: Session) -> None:
    """Journals of one transaction are posted in their order; a mark that goes back would let one be counted twice."""
    first, second = book.head(session, "first", 1, 5), book.head(session, "second", 1, 5)
    book.lines(session, second, [("pool", "holder", 5)])
    book.lines(session, first, [("pool", "holder", 5)])


@attack("ledger_balance_moves_by_posting")
def mark_moved_by_hand(book: Book, session: Session) -> None:
    session.execute("UPDATE ledger_account SET moved_by = NULL WHERE id = %s", [book.accounts["holder"]])


@attack("ledger_account_stays_above_its_floor")
def temporary_tables_in_front_of_the_real_ones(book: Book, session: Session) -> None:
    """Temporary tables come first in a search path, so unqualified names in a trigger would find them."""
    for table in ("ledger_account", "ledger_journal", "ledger_period"):
        session.execute(f"CREATE TEMP TABLE {table} AS SELECT * FROM public.{table}")
    session.execute("UPDATE pg_temp.ledger_account SET credits = 1000000")
    row = session.execute(
        "INSERT INTO public.ledger_journal (society_id, kind, idempotency_key, request_sha256, effective_on, posting_count, posting_total) "
        "VALUES (%s, 'test', 'shadow', sha256(''), '2026-03-01', 1, 201) RETURNING id",
        [book.own],
    ).fetchone()
    assert row is not None
    values = [row[0], book.accounts["holder"], book.accounts["bank"]]
    session.execute("INSERT INTO public.ledger_posting VALUES (%s, 1, %s, %s, 'KRW', 201)", values)


@attack("ledger_account_stays_above_its_floor")
def search_path_that_leads_elsewhere(book: Book, session: Session) -> None:
    session.execute("CREATE SCHEMA decoy")
    for table in ("ledger_account", "ledger_period"):
        session.execute(f"CREATE TABLE decoy.{table} AS SELECT * FROM public.{table}")
    journal = book.head(session, "decoy", 1, 201)
    session.execute("SET LOCAL search_path = decoy, public")
    session.execute(
        "INSERT INTO public.ledger_posting VALUES (%s, 1, %s, %s, 'KRW', 201)",
        [journal, book.accounts["holder"], book.accounts["bank"]],
    )


@attack("ledger_journal_is_sealed")
def journal_of_a_transaction_to_come(book: Book, session: Session) -> None:
    """The transaction's number cannot be chosen, so no journal waits for a later transaction to fill it."""
    journal = book.post(session, "to come", [("pool", "holder", 5)], xid="99999999999")
    found = session.execute("SELECT xid = pg_current_xact_id() FROM ledger_journal WHERE id = %s", [journal]).fetchone()
    assert found == (True,)
    book.lines(session, book.journals["run"], [("pool", "holder", 5)], start=3)


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
