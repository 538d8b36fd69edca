"""The close of a period and the year's report: four eyes, figures from the book, each traced to its journals, never changed after."""

from __future__ import annotations

import csv
import datetime
import io
import json
import zipfile
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts.approvals.services import request_approval
from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Actor, Conflict, Forbidden, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing.intake.services import keep
from royalties.bank.models import Application, BankAccount, BankStatement, Entry
from royalties.distribution import services as distribution
from royalties.ledger import services as ledger
from royalties.ledger.core import CHART, Transfer
from royalties.ledger.models import Journal
from royalties.reports import checklist, core, files, gathering, services
from royalties.reports.labels import FIGURES, NOTES
from royalties.reports.models import Close, TransparencyReport
from royalties.reports.reconciling import reconciliations
from tests.accounts import people
from tests.royalties.world import QUARTER, make_world, worked_example

YEAR = datetime.date(2024, 1, 1)
LAST = datetime.date(2024, 12, 31)
DECEMBER = datetime.date(2024, 12, 20)


@pytest.fixture
def society(db: None) -> Organisation:
    return people.organisation("KOREA-WEB", "society")


def staff(society: Organisation, role: str) -> Actor:
    return people.actor(society, role)


def signed_in(society: Organisation, role: str) -> Client:
    client = Client()
    client.force_login(people.person(society, role))
    return client


def book(society: Organisation, **moves: Any) -> None:
    """Post transfers by name: `billed=(day, "receivable", "billed", 1000)`."""
    for key, (day, debit, credit, amount) in moves.items():
        ids = [
            ledger.account(
                society_id=society.pk, kind=kind, owner_id=7 if CHART[core.base(kind)].owner else None, currency="KRW"
            )
            for kind in (debit, credit)
        ]
        ledger.post(
            society_id=society.pk, kind="test", key=key, effective_on=day, transfers=[Transfer(ids[0], ids[1], amount)]
        )


def a_year(society: Organisation) -> None:
    """₩1,000 net and ₩100 VAT billed and received; the example of a run; ₩300 paid, ₩10 of it withheld."""
    book(
        society,
        billed=(DECEMBER, "receivable", "billed", 1000), vat=(DECEMBER, "receivable", "vat", 100),
        came=(DECEMBER, "bank", "receivable", 1100), pooled=(DECEMBER, "billed", "pool", 1000),
        taken=(DECEMBER, "pool", "clearing", 900), fee=(DECEMBER, "clearing", "deduction:management fee", 135),
        fund=(DECEMBER, "clearing", "deduction:social fund", 23), owed=(DECEMBER, "clearing", "payable", 700),
        kept=(DECEMBER, "clearing", "suspense", 42),
        tax=(LAST, "payable", "tax:income tax", 10), ordered=(LAST, "payable", "paying", 290), out=(LAST, "paying", "bank", 290),
    )  # fmt: skip


def figures(society: Organisation, start: datetime.date = YEAR) -> dict[str, int]:
    told = gathering.figures(society, (start, start.replace(year=start.year + 1)))["KRW"]
    return {each["code"]: each["amount"] for each in told["figures"]}


# --- figures -------------------------------------------------------------------------------------------------


def test_figures_are_sums_of_what_was_posted_in_the_year(society: Organisation) -> None:
    a_year(society)
    told = figures(society)
    assert (told["billed"], told["collected"], told["deducted"], told["attributed"]) == (1000, 1000, 158, 700)
    assert (told["kept_suspense"], told["paid"], told["withheld"]) == (42, 300, 10)
    assert (told["not_attributed"], told["not_paid"], told["suspense"], told["bank"]) == (100, 400, 42, 810)


def test_the_next_year_tells_what_stands_and_nothing_that_happened_before(society: Organisation) -> None:
    a_year(society)
    told = figures(society, datetime.date(2025, 1, 1))
    assert (told["billed"], told["paid"], told["deducted"]) == (0, 0, 0)
    assert (told["not_attributed"], told["not_paid"], told["bank"]) == (100, 400, 810)


def test_by_use_adds_up_to_what_was_collected_and_deducted(db: None) -> None:
    world = make_world()
    world.rule()
    worked_example(world)
    run = distribution.compute(distribution.start_run(actor=world.computer, society=world.society, period=QUARTER).pk)
    distribution.request(actor=world.computer, run=run)
    run = distribution.post(distribution.approve(actor=world.approver, run=run).pk)
    year = datetime.date(timezone.localdate().year, 1, 1)
    told = gathering.figures(world.society, (year, year.replace(year=year.year + 1)))["KRW"]
    own = {each["code"]: each["amount"] for each in told["figures"]}
    assert own["deducted"] == 175_500 == sum(each["deducted"] for each in told["by_use"])
    assert sum(each["distributed"] for each in told["by_use"]) == run.pool
    assert own["attributed"] + own["kept_held"] + own["kept_suspense"] == run.distributable


def test_a_reversal_takes_back_what_it_mirrors(society: Organisation) -> None:
    a_year(society)
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM ledger_journal WHERE idempotency_key = 'out'")
        [(journal,)] = cursor.fetchall()
    ledger.reverse(journal=Journal.objects.get(pk=journal), key="back", effective_on=LAST)
    told = figures(society)
    assert (told["bank"], told["in_payment"]) == (1100, 290)


@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(CHART)), st.sampled_from(sorted(CHART)), st.integers(1, 10**12)), max_size=30
    )
)
def test_balances_always_balance(moves: list[tuple[str, str, int]]) -> None:
    rows = [core.Movement(debit, credit, amount, amount) for debit, credit, amount in moves]
    assert core.unbalanced(rows) == 0
    standing, told = core.balances(rows), {each.figure.code: each.amount for each in core.told(rows)}
    assert told["suspense"] == standing.get("suspense", 0)
    assert told["bank"] == standing.get("bank", 0)


@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.sampled_from(["train", "ground", "index"]), st.integers(-5, 10**9), max_size=3),
            st.integers(-(10**12), 10**12),
        ),
        max_size=8,
    )
)
def test_money_split_by_use_adds_up(pools: list[tuple[dict[str, int], int]]) -> None:
    assert sum(core.by_use(pools).values()) == sum(amount for _uses, amount in pools)


def test_each_figure_is_traced_to_its_journals(society: Organisation) -> None:
    a_year(society)
    period = (YEAR, datetime.date(2025, 1, 1))
    told = figures(society)
    for figure in core.FIGURES:
        rows = gathering.journals_of(society.pk, figure, "KRW", period, offset=0, limit=100)
        assert sum(amount for *_rest, amount in rows) == told[figure.code], figure.code


def test_every_figure_and_subject_has_a_name() -> None:
    assert set(FIGURES) == set(core.BY_CODE)
    assert set(NOTES) == set(core.NOTES)


# --- closing -------------------------------------------------------------------------------------------------


def test_a_close_needs_two_people_and_then_holds(society: Organisation) -> None:
    a_year(society)
    one, other = staff(society, "finance"), staff(society, "administrator")
    close = services.request_close(actor=one, society=society, through=LAST)
    assert ledger.closed_through(society.pk) is None
    with pytest.raises(Forbidden):
        services.approve_close(actor=one, close=close)
    services.approve_close(actor=other, close=close)
    assert ledger.closed_through(society.pk) == LAST
    with pytest.raises(Conflict):
        book(society, late=(LAST, "bank", "pool", 1))
    assert services.problems() == []
    verbs = Event.objects.filter(object_kind="period_close").values_list("verb", flat=True)
    assert {"close.requested", "close.closed", "approval.approved"} <= set(verbs)


def test_what_was_looked_at_is_what_is_closed(society: Organisation) -> None:
    a_year(society)
    close = services.request_close(actor=staff(society, "finance"), society=society, through=LAST)
    book(society, late=(LAST, "bank", "unapplied", 5))
    with pytest.raises(Conflict) as refused:
        services.approve_close(actor=staff(society, "administrator"), close=close)
    assert refused.value.code == "book_moved_on"
    assert ledger.closed_through(society.pk) is None


def test_something_left_to_look_at_needs_a_word(society: Organisation) -> None:
    finance = staff(society, "finance")
    request_approval(
        actor=finance, kind="rule", object=Reference("rule", 1), organisation_id=society.pk, subject_sha256="0" * 64
    )
    with pytest.raises(Refusal) as refused:
        services.request_close(actor=finance, society=society, through=LAST)
    assert refused.value.code == "remark_needed"
    close = services.request_close(actor=finance, society=society, through=LAST, remark="The rule is for next year.")
    left = {check["code"]: check["state"] for check in close.checks}
    assert left["approvals"] == checklist.LOOK and left["ledger"] == checklist.FINE


@pytest.mark.parametrize("role", ["auditor", "licensing", "distribution"])
def test_only_finance_asks_for_a_close(society: Organisation, role: str) -> None:
    with pytest.raises(Forbidden):
        services.request_close(actor=staff(society, role), society=society, through=LAST)


def test_another_society_cannot_close(society: Organisation) -> None:
    other = people.organisation("OTHER", "society")
    with pytest.raises(NotFound):
        services.request_close(actor=staff(other, "finance"), society=society, through=LAST)


def test_a_day_that_is_not_over_is_not_closed(society: Organisation) -> None:
    with pytest.raises(Refusal) as refused:
        services.request_close(actor=staff(society, "finance"), society=society, through=timezone.localdate())
    assert refused.value.code == "day_not_over"


def test_a_decided_close_is_kept_by_the_database(society: Organisation) -> None:
    close = services.request_close(actor=staff(society, "finance"), society=society, through=LAST)
    services.approve_close(actor=staff(society, "administrator"), close=close, approve=False, reason="no")
    assert ledger.closed_through(society.pk) is None
    with pytest.raises(IntegrityError), transaction.atomic():
        Close.objects.filter(pk=close.pk).update(remark="other")


# --- reports -------------------------------------------------------------------------------------------------


def closed_year(society: Organisation) -> None:
    a_year(society)
    ledger.close_period(actor=SYSTEM, society=society, through=LAST)


def test_a_report_is_published_once_the_year_is_closed_and_never_changes(society: Organisation) -> None:
    a_year(society)
    finance = staff(society, "finance")
    report = services.draft_report(actor=finance, society=society, first=YEAR)
    with pytest.raises(Refusal) as refused:
        services.publish_report(actor=finance, report=report)
    assert refused.value.code == "year_is_open"
    ledger.close_period(actor=finance, society=society, through=LAST)
    services.say_notes(actor=finance, report=report, notes={"activities": "We licensed."})
    report = services.publish_report(actor=finance, report=report)
    assert report.notes == {"activities": "We licensed."} and services.problems() == []
    with pytest.raises(Conflict):
        services.draft_report(actor=finance, society=society, first=YEAR)
    with pytest.raises(IntegrityError), transaction.atomic():
        TransparencyReport.objects.filter(pk=report.pk).update(notes={})


@pytest.mark.parametrize("first", [datetime.date(9999, 1, 1), datetime.date(2024, 1, 2)])
def test_a_year_that_is_none_is_refused(society: Organisation, first: datetime.date) -> None:
    with pytest.raises(Refusal) as refused:
        services.draft_report(actor=staff(society, "finance"), society=society, first=first)
    assert refused.value.pointer == "/first"


def test_years_of_reports_do_not_overlap(society: Organisation) -> None:
    finance = staff(society, "finance")
    services.draft_report(actor=finance, society=society, first=YEAR)
    with pytest.raises(Conflict):
        services.draft_report(actor=finance, society=society, first=datetime.date(2024, 7, 1))


def test_the_files_say_the_same_figures(society: Organisation) -> None:
    closed_year(society)
    finance = staff(society, "finance")
    report = services.draft_report(actor=finance, society=society, first=YEAR)
    services.say_notes(actor=finance, report=report, notes={"activities": "=1+1"})
    report = services.publish_report(actor=finance, report=report)
    rows = list(csv.DictReader(io.StringIO(files.content(report, "csv", "en").decode("utf-8-sig"))))
    own = {
        row["code"]: int(row["amount"])
        for row in rows
        if not row["name"] and not row["code"].endswith(("_use", "_year"))
    }
    assert own == figures(society)
    assert json.loads(files.content(report, "json", "en"))["sha256"] == report.sha256
    with zipfile.ZipFile(io.BytesIO(files.content(report, "xlsx", "en"))) as book_:
        sheets = b"".join(book_.read(name) for name in book_.namelist() if "sheet" in name)
    assert b"<f>" not in sheets and b"<v>158</v>" in sheets
    assert files.content(report, "pdf", "ko") == files.content(report, "pdf", "ko")
    assert files.content(report, "xlsx", "ko") == files.content(report, "xlsx", "ko")


def test_everybody_reads_what_is_published_and_nobody_else_a_draft(society: Organisation) -> None:
    closed_year(society)
    finance = staff(society, "finance")
    report = services.draft_report(actor=finance, society=society, first=YEAR)
    stranger = Client()
    assert stranger.get(reverse("royalties:report", args=[report.pk])).status_code == 404
    services.publish_report(actor=finance, report=report)
    for route, args in (("transparency", []), ("report", [report.pk]), ("report_file", [report.pk, "csv"])):
        assert stranger.get(reverse(f"royalties:{route}", args=args)).status_code == 200, route
    assert "/ledger/journals/" not in stranger.get(reverse("royalties:report", args=[report.pk])).content.decode()


def test_finance_closes_by_the_page_and_an_auditor_only_looks(society: Organisation) -> None:
    a_year(society)
    finance, auditor = signed_in(society, "finance"), signed_in(society, "auditor")
    url, body = reverse("royalties:closings"), {"through": LAST.isoformat(), "remark": ""}
    assert auditor.get(url).status_code == 200
    assert auditor.post(url, body).status_code == 403
    answer = finance.post(url, body)
    close = Close.objects.get()
    assert answer.headers["Location"] == reverse("royalties:close", args=[close.pk])
    decide = reverse("royalties:close_decide", args=[close.pk])
    assert signed_in(society, "administrator").post(decide, {"decision": "approve"}).status_code == 302
    assert ledger.closed_through(society.pk) == LAST
    assert finance.post(url, body).status_code == 200  # closed already: said at its field
    assert not Close.objects.filter(status="requested").exists()


# --- bank and book -------------------------------------------------------------------------------------------


def entry(society: Organisation, place: int, sign: int, amount: int, **fields: Any) -> Entry:
    account, _new = BankAccount.objects.get_or_create(
        society=society, number="123-456", currency="KRW", defaults={"name": "Main", "bank": "Bank"}
    )
    before = BankStatement.objects.filter(account=account).order_by("-place").first()
    opening = before.closing if before else 10_000
    data = b"statement %d" % place
    file = keep(actor=SYSTEM, stream=io.BytesIO(data), name="s.csv", organisation=society)
    statement = BankStatement.objects.create(
        account=account, file=file, place=place, sha256=f"{place:064x}", first_day=DECEMBER, last_day=DECEMBER, opening=opening,
        closing=opening + sign * amount, credits=amount if sign > 0 else 0, debits=amount if sign < 0 else 0, entry_count=1,
    )  # fmt: skip
    return Entry.objects.create(
        society=society, account=account, statement=statement, position=1, sign=sign, amount=amount, currency="KRW",
        booked_on=DECEMBER, value_on=DECEMBER, bank_ref=f"E{place}", **fields,
    )  # fmt: skip


def test_bank_and_book_are_compared_to_the_last_unit(society: Organisation) -> None:
    book(society, billed=(DECEMBER, "receivable", "billed", 1000), came=(DECEMBER, "bank", "receivable", 700))
    book(society, hand=(DECEMBER, "bank", "receivable", 50))
    applied = entry(society, 1, 1, 700)
    journal = Journal.objects.get(idempotency_key="came")
    Application.objects.create(entry=applied, object_kind="receipt", object_id=1, amount=700, journal=journal)
    Entry.objects.filter(pk=applied.pk).update(applied=700, status="applied")
    entry(society, 2, 1, 30)
    entry(society, 3, -1, 200)
    [found] = reconciliations(society.pk)
    assert (found.at_bank, found.in_book) == (10_530, 750)
    assert (found.before, found.explained, found.coming, found.going) == (10_000, 700, 30, 200)
    assert (found.without_entry, found.fault) == (50, 0)
    assert "10,530" in signed_in(society, "auditor").get(reverse("royalties:reconciliation")).content.decode()
    left = {check.code: (check.count, check.amount) for check in checklist.looked_at(society, LAST)}
    assert left["entries"] == (2, 230)


def test_an_entry_whose_journal_moved_another_amount_is_a_fault(society: Organisation) -> None:
    book(society, billed=(DECEMBER, "receivable", "billed", 1000), came=(DECEMBER, "bank", "receivable", 600))
    wrong = entry(society, 1, 1, 700)
    journal = Journal.objects.get(idempotency_key="came")
    Application.objects.create(entry=wrong, object_kind="receipt", object_id=1, amount=700, journal=journal)
    Entry.objects.filter(pk=wrong.pk).update(applied=700, status="applied")
    assert [each["what"] for each in services.problems()] == ["reports.reconciliation"]
