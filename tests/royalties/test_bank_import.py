"""A bank's statement is kept whole or not at all: it adds up, it follows the last one, and it counts once."""

from __future__ import annotations

import datetime
import io
import tracemalloc
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction
from django.test import Client

from accounts.identity.core import Actor, Forbidden, NotFound, Refusal
from accounts.organisations.models import Organisation
from royalties.bank import core, services
from royalties.bank.formats import camt as camt_format
from royalties.bank.models import BankAccount, BankStatement, Entry, StatementImport
from tests.accounts import people
from tests.licensing import parties
from tests.royalties.bank_world import bank_account, camt, imported, ntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def society() -> Organisation:
    return parties.organisation("KOREA-WEB", "society")


@pytest.fixture
def finance(society: Organisation) -> Actor:
    return parties.staff(society, "billing.manage", "billing.view")


@pytest.fixture
def account(society: Organisation, finance: Actor) -> BankAccount:
    return bank_account(finance, society)


def lines() -> list[tuple[int, int, str]]:
    return [(e.sign, e.amount, e.counterparty) for e in Entry.objects.order_by("statement", "position")]


# camt.053


def test_entries_come_with_who_and_what_for(finance: Actor, account: BankAccount) -> None:
    content = camt(
        ntry("471445", name="한빛AI 주식회사", account="333-22-1", purpose="KOREA-WEB-2026-0001", end_to_end="E-9"),
        ntry("1000", sign="DBIT", name="Bank"),
        opening="1000", closing="471445",
    )  # fmt: skip
    outcome = imported(finance, account, content)
    assert (outcome.status, outcome.entry_count) == ("done", 2)
    entry = Entry.objects.order_by("position").first()
    assert entry is not None
    said = (
        entry.sign,
        entry.amount,
        entry.counterparty,
        entry.counterparty_account,
        entry.purpose,
        entry.end_to_end_id,
    )
    assert said == (1, 471_445, "한빛AI 주식회사", "333221", "KOREA-WEB-2026-0001", "E-9")
    assert (entry.status, entry.left) == ("open", 471_445)


def test_version_02_is_read_alike(finance: Actor, account: BankAccount) -> None:
    old = (
        ntry("5000", name="X")
        .replace("<Sts><Cd>BOOK</Cd></Sts>", "<Sts>BOOK</Sts>")
        .replace("<Pty>", "")
        .replace("</Pty>", "")
    )
    assert imported(finance, account, camt(old, closing="5000", version="02")).status == "done"
    assert lines() == [(1, 5000, "X")]


def test_a_batch_is_read_as_its_transactions(finance: Actor, account: BankAccount) -> None:
    def part(amount: str, name: str) -> str:
        return f'<TxDtls><Amt Ccy="KRW">{amount}</Amt><RltdPties><Dbtr><Pty><Nm>{name}</Nm></Pty></Dbtr></RltdPties></TxDtls>'

    batch = ntry("300")
    start, end = batch.index("<TxDtls>"), batch.index("</NtryDtls>")
    content = camt(batch[:start] + part("100", "A") + part("200", "B") + batch[end:], closing="300")
    assert imported(finance, account, content).entry_count == 2
    assert lines() == [(1, 100, "A"), (1, 200, "B")]
    # Parts that do not add up to the whole are not believed.
    content = camt(batch[:start].replace("REF", "NEW") + part("100", "A") + part("100", "B") + batch[end:], opening="300",
                   closing="600", first="2026-05-02", last="2026-05-02", number="2")  # fmt: skip
    assert imported(finance, account, content).entry_count == 1


def test_what_is_only_announced_is_left_out(finance: Actor, account: BankAccount) -> None:
    pending = ntry("7").replace("BOOK<", "PDNG<")
    assert imported(finance, account, camt(ntry("5"), pending, closing="5")).entry_count == 1


def test_a_statement_that_does_not_add_up_is_refused(finance: Actor, account: BankAccount) -> None:
    outcome = imported(finance, account, camt(ntry("100"), opening="50", closing="149"))
    assert (outcome.status, outcome.code, BankStatement.objects.count(), Entry.objects.count()) == (
        "refused",
        "does_not_add_up",
        0,
        0,
    )


def test_bad_entries_are_told_by_number_and_nothing_is_kept(finance: Actor, account: BankAccount) -> None:
    outcome = imported(finance, account, camt(ntry("1"), ntry("1.5"), ntry("x"), closing="1"))
    assert (outcome.status, outcome.code) == ("refused", "bad_rows")
    assert [(p["row"], p["reason"]) for p in outcome.problems] == [(2, core.TOO_EXACT), (3, core.NOT_AN_AMOUNT)]
    assert not Entry.objects.exists()


def test_the_statement_of_another_account_is_refused(finance: Actor, account: BankAccount) -> None:
    outcome = imported(finance, account, camt(ntry("1"), closing="1", account="999"))
    assert (outcome.status, outcome.code) == ("refused", "other_account")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "document_type"),
        (b'<!DOCTYPE Document SYSTEM "file:///etc/passwd"><Document/>', "document_type"),
        (b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"/>', "not_camt"),
        (camt()[:-20], "broken_xml"),
        (camt("<a>" * 60 + "</a>" * 60), "too_deep"),
        (camt("<Ntry>" + "<A/>" * (camt_format.MOST_ELEMENTS + 1) + "</Ntry>"), "entry_too_large"),
        (camt("<A/>" * (camt_format.MOST_ELEMENTS + 1)), "entry_too_large"),  # beside the entries: kept until the next
        (b"PK\x03\x04 nonsense", "unknown_format"),
        (b"\x00\x01\x02\x03" * 50, "binary_file"),
    ],
)  # fmt: skip
def test_hostile_files_are_refused(finance: Actor, account: BankAccount, content: bytes, code: str) -> None:
    outcome = imported(finance, account, content)
    assert (outcome.status, outcome.code, Entry.objects.count()) == ("refused", code, 0)


# Once, and in order


def test_the_same_statement_changes_nothing_in_whichever_file(finance: Actor, account: BankAccount) -> None:
    content = camt(ntry("5", ref="R1"), closing="5")
    assert imported(finance, account, content).status == "done"
    again = [imported(finance, account, content), imported(finance, account, content.replace(b">M<", b">OTHER<"))]
    assert [outcome.status for outcome in again] == ["unchanged", "unchanged"]
    assert (BankStatement.objects.count(), Entry.objects.count(), StatementImport.objects.count()) == (1, 1, 3)


def test_a_gap_asks_and_is_taken_with_a_reason(finance: Actor, account: BankAccount) -> None:
    imported(finance, account, camt(ntry("5"), closing="5"))
    later = camt(ntry("1"), opening="7", closing="8", first="2026-05-03", last="2026-05-03", number="3")
    outcome = imported(finance, account, later)
    assert (outcome.status, outcome.code, BankStatement.objects.count()) == ("asks", "statement_does_not_follow", 1)
    assert imported(finance, account, later, despite="The bank lost 2 May").status == "done"
    assert BankStatement.objects.order_by("place").last().gap == "The bank lost 2 May"
    # What was missing may still come: it fits on both sides.
    between = camt(ntry("2"), opening="5", closing="7", first="2026-05-02", last="2026-05-02", number="2")
    assert imported(finance, account, between).status == "done"


def test_the_statements_own_number_is_looked_at(finance: Actor, account: BankAccount) -> None:
    imported(finance, account, camt(ntry("5"), ntry("5", sign="DBIT"), number="1"))
    skipped = camt(ntry("1"), closing="1", first="2026-05-03", last="2026-05-03", number="3")
    assert imported(finance, account, skipped).status == "asks"


def test_days_that_overlap_are_refused(finance: Actor, account: BankAccount) -> None:
    imported(finance, account, camt(ntry("5"), closing="5", last="2026-05-10"))
    over = camt(ntry("1"), opening="5", closing="6", first="2026-05-05", last="2026-05-12", number="2")
    assert imported(finance, account, over).code == "statement_overlaps"


def test_an_entry_of_an_earlier_statement_is_refused(finance: Actor, account: BankAccount) -> None:
    imported(finance, account, camt(ntry("5", ref="SAME"), closing="5"))
    again = camt(ntry("5", ref="SAME"), opening="5", closing="10", first="2026-05-02", last="2026-05-02", number="2")
    outcome = imported(finance, account, again)
    assert (outcome.code, outcome.problems[0]["reason"], Entry.objects.count()) == ("bad_rows", core.REPEATED, 1)


def test_what_the_bank_said_stays(finance: Actor, account: BankAccount) -> None:
    imported(finance, account, camt(ntry("5"), closing="5"))
    for sql in (
        "UPDATE royalties_entry SET amount = 6",
        "DELETE FROM royalties_entry",
        "DELETE FROM royalties_bankstatement",
    ):
        with (
            pytest.raises(IntegrityError, match="stays_as_it_was_said"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(sql)


def test_only_the_societys_finance_people_import(account: BankAccount, society: Organisation) -> None:
    with pytest.raises(NotFound):
        imported(
            parties.staff(parties.organisation("OTHER", "society"), "billing.manage", "billing.view"), account, camt()
        )
    with pytest.raises(Forbidden):
        imported(parties.staff(society, "billing.view"), account, camt())


# CSV

KOREAN = (
    "예금거래내역조회\r\n계좌번호: 110-123-456789\r\n\r\n"
    "거래일시,적요,의뢰인/수취인,출금액,입금액,거래후잔액\r\n"
    '2026.05.02 13:00:01,이체,급여,"400,000","0","1,071,445"\r\n'
    '2026.05.01 09:00:00,인터넷,한빛AI,0,"471,445","1,471,445"\r\n'
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949"])
def test_a_korean_banks_csv_newest_first(finance: Actor, account: BankAccount, encoding: str) -> None:
    outcome = imported(finance, account, KOREAN.encode(encoding), "내역.csv")
    assert (outcome.status, outcome.detail) == ("done", "")
    assert lines() == [(1, 471_445, "한빛AI"), (-1, 400_000, "급여")]
    statement = BankStatement.objects.get()
    assert (statement.opening, statement.closing) == (1_000_000, 1_071_445)
    assert (statement.first_day, statement.last_day) == (datetime.date(2026, 5, 1), datetime.date(2026, 5, 2))


def test_tabs_and_one_signed_column_with_a_saved_map(finance: Actor, account: BankAccount) -> None:
    services.save_columns(
        actor=finance, account=account, columns={"booked_on": "When", "amount": "How much", "counterparty": "Who"}
    )
    content = b"When\tWho\tHow much\n2026-05-01\tA\t1,000\n2026-05-01\tA\t1,000\n2026-05-02\tB\t-500\n"
    assert imported(finance, account, content).code == "no_balances"
    assert imported(finance, account, content, opening=0, closing=1_499).code == "does_not_add_up"
    assert imported(finance, account, content, opening=0, closing=1_500).status == "done"
    assert lines() == [(1, 1_000, "A"), (1, 1_000, "A"), (-1, 500, "B")]  # two equal ones are two
    assert imported(finance, account, content, opening=0, closing=1_500).status == "unchanged"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2026-05-03,x,y,1,2,1071445", core.BOTH_AMOUNTS), ("2026-05-03,x,y,,,1071445", core.NO_AMOUNT),
        ("2026-13-03,x,y,,1,1071446", core.NOT_A_DAY), ("2026-05-03,x,y,,=1+1,1071446", core.NOT_AN_AMOUNT),
        ("2026-04-30,x,y,,1,1071446", core.BALANCE_BREAKS),
    ],
)  # fmt: skip
def test_rows_that_cannot_be_are_told(finance: Actor, account: BankAccount, row: str, reason: str) -> None:
    outcome = imported(finance, account, (KOREAN + row + "\r\n").encode())
    assert (outcome.status, outcome.problems[0]["row"], outcome.problems[0]["reason"]) == ("refused", 7, reason)
    assert not Entry.objects.exists()


def test_a_file_without_headings_asks_for_them(finance: Actor, account: BankAccount) -> None:
    outcome = imported(finance, account, b"a,b\n1,2\n")
    assert (outcome.status, outcome.code) == ("refused", "no_headings")


def test_balances_by_day(finance: Actor, account: BankAccount) -> None:
    imported(finance, account, KOREAN.encode())
    found = services.balances(account, datetime.date(2026, 5, 1), datetime.date(2026, 5, 31))
    assert [(each.day.day, each.came_in, each.went_out, each.balance) for each in found] == [
        (2, 0, 400_000, 1_071_445), (1, 471_445, 0, 1_471_445),
    ]  # fmt: skip
    assert services.balance_on(account, datetime.date(2026, 5, 1)) == 1_471_445
    assert services.balance_on(account, datetime.date(2026, 6, 1)) == 1_071_445


def test_many_entries_take_no_more_memory_than_few(finance: Actor, account: BankAccount) -> None:
    """Given 20,000 entries, when they are read, then what stays in memory is an entry and not a file."""

    def peak(count: int) -> int:
        content = camt(*(ntry("1", ref=f"A{n}") for n in range(count)), closing=str(count))

        stream: Any = io.BytesIO(content)
        tracemalloc.start()
        assert sum(1 for _line in camt_format.read(stream)) == count + 1
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(4_000) < 2 * peak(400) + 200_000


def test_an_account_has_a_number_that_can_be(finance: Actor, society: Organisation) -> None:
    with pytest.raises(Refusal, match="IBAN"):
        bank_account(finance, society, number="DE89 3704 0044 0532 0130 01")
    assert bank_account(finance, society, "EUR", "DE89 3704 0044 0532 0130 00").is_iban


# API


def test_a_program_brings_a_statement_once(society: Organisation, finance: Actor, account: BankAccount) -> None:
    client = Client(headers={"Authorization": f"Bearer {people.token(society, 'billing')[1]}"})

    def bring(content: bytes, key: str, **more: Any) -> Any:
        sent = {"account": account.pk, "file": SimpleUploadedFile("may.xml", content)} | more
        return client.post("/api/v1/bank/statements/", sent, headers={"Idempotency-Key": key})

    content = camt(ntry("5", ref="R1"), closing="5")
    first = bring(content, "1")
    assert (first.status_code, first.json()["status"], first.json()["entries"]) == (201, "done", 1)
    assert bring(content, "2").json()["status"] == "unchanged"
    bad = bring(camt(ntry("1.5"), opening="5", first="2026-05-02", last="2026-05-02"), "3")
    assert (bad.status_code, bad.json()["errors"][0]["row"]) == (400, 1)
    gap = camt(ntry("1"), opening="9", closing="10", first="2026-05-03", last="2026-05-03", number="3")
    assert bring(gap, "4").status_code == 409
    assert bring(gap, "5", despite="lost").status_code == 201
    listed = client.get("/api/v1/bank/entries/", {"status": "open"}).json()["results"]
    assert [(each["amount"], each["bank_ref"]) for each in listed][-1] == (5, "R1")
