"""What somebody would try who has read the ledger's own SQL: other books, bulk and merge, counters, triggers, look-alikes."""

from __future__ import annotations

from psycopg import errors

from tests.royalties.attacks.registry import Session, attack
from tests.royalties.ledger_book import Book


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
