"""What a mistake or a bold hand would try: overdraw, repeat, change, delete, reverse wrongly, write into what is closed."""

from __future__ import annotations

import pytest
from psycopg import errors

from tests.royalties.attacks.registry import Session, attack
from tests.royalties.ledger_book import Book


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
