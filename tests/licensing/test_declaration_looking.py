"""Looking into a declaration: its lines and their sums, how much is matched, its way, what is late, public figures, audits."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.evidence.services import record
from accounts.identity.core import SYSTEM, Conflict, Forbidden, NotFound, Reference, Refusal
from licensing.declarations import sampling, services
from licensing.declarations.models import (
    AuditLine,
    AuditSample,
    Declaration,
    DeclaredUse,
    HostSum,
    PublicFigure,
    Question,
    ReportDuty,
    UseSum,
)
from licensing.declarations.services import auditing, covering, exploring, lateness, summing
from licensing.declarations.services.timeline import timeline
from licensing.repertoire.models import Identifier, Work
from tests.accounts.people import person
from tests.licensing.declaring import ISBN, PERIOD, Firm, declare, firm, lines
from tests.licensing.parties import organisation, staff
from tests.licensing.test_declaration_differences import amended
from tests.licensing.test_tariff_pages import signed_in, text

pytestmark = pytest.mark.django_db
SITES = [f"domain,site{n:02}.example.com,{n + 1}" for n in range(30)]
DATA = lines(f"isbn,{ISBN},1000", "domain,news.example.co.kr,70", "proprietary,U-1,3", "isbn,1,9", *SITES)
LEVEL = Decimal("0.950")


@pytest.fixture
def of(db: Any) -> Firm:
    return firm()


@pytest.fixture
def made(of: Firm) -> Declaration:
    return declare(of, DATA, submit=True)


@pytest.fixture
def reviewer(of: Firm) -> Client:
    return signed_in(person(of.society, "licensing"))


def found(declaration: Declaration, **asked: str) -> tuple[int, int, dict[str, int]]:
    sums = exploring.sums(declaration, exploring.asked_of(asked))
    return sums.rows, sums.lines, dict(sums.units)


ASKED = [
    ({}, 33), ({"status": "unmatched"}, 30), ({"status": "unmandated"}, 1), ({"kind": "book"}, 2), ({"use": "ground"}, 0),
    ({"q": "site0"}, 10), ({"q": "domain:site07.example.com"}, 1), ({"q": f"isbn:{ISBN}"}, 1), ({"q": "Book"}, 1),
    ({"q": "news.example"}, 1), ({"q": "U"}, 1), ({"q": "nothing"}, 0), ({"status": "made up"}, 33),
]  # fmt: skip


def test_the_sums_are_those_of_the_rows_that_are_shown(made: Declaration) -> None:
    for asked, rows in ASKED:
        shown = list(exploring.rows(made, exploring.asked_of(asked)))
        assert len(shown) == rows, asked
        units = {"token": sum(int(row.units) for row in shown)} if shown else {}
        assert found(made, **asked) == (rows, sum(row.lines for row in shown), units), asked


def test_the_page_filters_sorts_and_says_what_it_shows(made: Declaration, reviewer: Client) -> None:
    page = f"/declarations/{made.pk}/works/"
    shown = text(reviewer.get(f"{page}?q=site0&sort=units"))
    assert "10 of 33" in shown and shown.index("site09.example.com") < shown.index("site00.example.com")
    assert "No row fits" in text(reviewer.get(f"{page}?q=zzz"))


def test_every_list_of_lines_runs_along_an_index(made: Declaration) -> None:
    """Where the planner may not go through the whole table, each of them has an index to go along."""
    for asked in ({}, {"status": "unmatched"}, {"status": "reserved"}):
        wanted = exploring.asked_of(asked)
        rows = exploring.in_order(exploring.rows(made, wanted), wanted, exploring.sums(made, wanted), "")
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
            cursor.execute("SET LOCAL enable_sort = off")
            plan = rows[:51].explain()
        assert "Index Scan using declared_use" in plan, plan
        assert "Sort" not in plan, plan
    assert "declared_use_off_licence" in plan


def test_coverage_adds_up_to_what_is_declared(of: Firm, made: Declaration, reviewer: Client) -> None:
    covered = covering.coverage(Declaration.objects.filter(pk=made.pk), "token")
    assert (covered.total.units, covered.total.matched) == (made.units["total"] - made.units["rejected"], 1073)
    assert {kind.name: (kind.units, kind.matched) for kind in covered.kinds} == {"book": (1003, 1003), "web": (535, 70)}
    shown = sum(site.units for site in covered.sites) + (covered.rest.units if covered.rest else 0)
    assert shown == 535
    assert (covered.sites[0].name, covered.sites[0].matched) == ("news.example.co.kr", 70)
    later = declare(of, lines("domain,site01.example.com,1000"), submit=True, period=(PERIOD[1], dt.date(2026, 7, 1)))
    both = covering.coverage(Declaration.objects.filter(pk__in=[made.pk, later.pk]), "token")
    assert both.sites[0].name == "site01.example.com"
    for address in (f"/declarations/{made.pk}/coverage/", "/declarations/coverage/"):
        page = text(reviewer.get(address))
        assert "news.example.co.kr" in page and "By kind of work" in page


def test_sums_of_before_are_made_up_and_are_the_same(made: Declaration) -> None:
    def kept() -> list[Any]:
        sums = UseSum.objects.order_by("status", "kind", "unit").values_list(
            "status", "matched", "kind", "rows", "units"
        )
        return [*sums, *HostSum.objects.order_by("position").values_list("position", "host", "work_id", "units")]

    by_engine = kept()
    UseSum.objects.all().delete()
    HostSum.objects.all().delete()
    summing.make_up(made)
    assert kept() == by_engine and len(by_engine) > 30


def test_pages_take_few_questions_however_many_rows(of: Firm, made: Declaration, reviewer: Client) -> None:
    sample = auditing.draw_sample(actor=of.reviewer, declaration=made, size=20, confidence=LEVEL)
    for page in ("works", "coverage", "difference", "overlaps", "audits"):
        with CaptureQueriesContext(connection) as asked:
            assert reviewer.get(f"/declarations/{made.pk}/{page}/").status_code == 200
        assert len(asked) < 30, page
    with CaptureQueriesContext(connection) as asked:
        assert reviewer.get(f"/audits/{sample.pk}/").status_code == 200
    assert len(asked) < 30


def test_the_way_of_a_declaration_has_its_moments(of: Firm) -> None:
    made = declare(of, DATA)
    assert [(s.code, s.at is not None, s.current) for s in timeline(made, None)] == [
        ("received", True, False), ("read", True, False), ("matched", True, False),
        ("submitted", False, True), ("accepted", False, False), ("billed", False, False),
    ]  # fmt: skip
    accepted = services.submit(actor=of.declarant, declaration=made)
    _invoice(of, accepted, "I-7")
    assert [s.about for s in timeline(accepted, None) if s.code == "billed"] == ["I-7"]
    new = amended(accepted, lines(f"isbn,{ISBN},10"), submit=True)
    old = Declaration.objects.get(pk=accepted.pk)
    assert [s.code for s in timeline(old, new)][-2:] == ["amended", "superseded"]


def _invoice(of: Firm, declaration: Declaration, number: str) -> None:
    """What billing leaves in evidence."""
    with transaction.atomic():
        record(
            actor=SYSTEM, verb="invoice.issued", object=Reference("invoice", 1), organisation_id=of.society.pk,
            data={"number": number, "declarations": [declaration.pk]},
        )  # fmt: skip


def test_a_declaration_after_its_day_is_late_unless_the_society_waived_it(of: Firm, reviewer: Client) -> None:
    duty = ReportDuty.objects.create(licence=of.licence, period=PERIOD, due_on=dt.date(2026, 4, 30))
    made = declare(of, DATA, submit=True)

    def late(declaration: Declaration) -> Any:
        return lateness.with_lateness(Declaration.objects.all()).get(pk=declaration.pk).late_since

    assert late(made) == dt.date(2026, 4, 30)
    assert "The report was due on" in text(reviewer.get(f"/declarations/{made.pk}/"))
    assert late(amended(made, lines(f"isbn,{ISBN},10"))) is None  # a correction of what came is not late by itself
    ReportDuty.objects.filter(pk=duty.pk).update(due_on=dt.date(2999, 1, 1))
    assert late(made) is None


def test_a_declaration_for_a_billed_period_says_so(of: Firm, made: Declaration, reviewer: Client) -> None:
    assert lateness.billed_before(made) is None
    _invoice(of, made, "I-7")
    more = declare(of, lines("domain,more.example.com,5"), submit=True)
    told = lateness.billed_before(more)
    assert told is not None and (told.number, told.declaration) == ("I-7", made.pk)
    assert "by invoice I-7" in text(reviewer.get(f"/declarations/{more.pk}/"))


def test_a_firms_history_raises_questions_with_their_figures(of: Firm, reviewer: Client) -> None:
    """Ten times less, and the sites that made the most of the quarter before are gone: the society reads why it waits."""
    sites = [f"domain,s{n}.example.com,{10_000 + n}" for n in range(120)]
    declare(of, lines(*sites), submit=True)
    later = declare(
        of, lines(*(f"domain,t{n}.example.com,{100 + n}" for n in range(120))), submit=True,
        period=(PERIOD[1], dt.date(2026, 7, 1)),
    )  # fmt: skip
    assert later.status == "submitted"
    asked = dict(Question.objects.filter(declaration=later).values_list("code", "severity"))
    assert asked == {"units_dropped": "serious", "sites_missing": "serious"}
    shown = text(reviewer.get(f"/declarations/{later.pk}/"))
    assert "120 sites of declaration" in shown and "s119.example.com" in shown
    in_time = declare(
        of, lines(*sites, "domain,new.example.com,9"), submit=True, period=(PERIOD[1], dt.date(2026, 7, 1))
    )
    assert (
        in_time.status == "accepted" and not Question.objects.filter(declaration=in_time, severity="serious").exists()
    )


def test_a_site_that_was_registered_since_is_not_missing(of: Firm) -> None:
    sites = [f"domain,s{n}.blogs.example.com,{10_000 + n}" for n in range(30)]
    declare(of, lines(*sites), submit=True)
    work = Work.objects.create(society=of.society, ref="BLOGS", kind="web", title="Blogs")
    Identifier.objects.create(society=of.society, work=work, scheme="domain", value="blogs.example.com")
    later = declare(of, lines(*sites), period=(PERIOD[1], dt.date(2026, 7, 1)))
    assert not Question.objects.filter(declaration=later, code="sites_missing").exists()


def test_public_figures_are_imported_with_their_source_and_held_against_a_total(
    of: Firm, tmp_path: Path, capsys: Any
) -> None:
    file = tmp_path / "figures.csv"
    rows = [
        "c4,token,1000,https://example.org/card,2026-01-01",
        "c4,token,0,https://example.org/x,2026-01-01",
        "c4,token,5,a book,2026-01-01",
    ]
    file.write_text("\n".join(["dataset,measure,amount,source,stated_on", *rows]) + "\n")

    def run() -> Any:
        call_command("import_figures", str(file), "--json")
        return json.loads(capsys.readouterr().out)

    first, again = run(), run()
    assert {k: first[k] for k in ("read", "created", "rejected")} == {"read": 3, "created": 1, "rejected": 2}
    assert [(r["row"], r["column"]) for r in first["rejects"]] == [(3, "amount"), (4, "source")]
    assert (again["unchanged"], again["created"], PublicFigure.objects.count()) == (1, 0, 1)
    made = declare(of, DATA, dataset="C4", submit=True)
    assert made.status == "accepted"  # a note holds back nothing
    question = Question.objects.get(declaration=made, code="above_public_size")
    assert question.severity == "note" and "https://example.org/card" in question.detail


def _row(use: DeclaredUse) -> sampling.Row:
    name = use.work.ref if use.work else f"{use.scheme}:{use.value}"
    return sampling.Row(name, use.use, use.unit, use.used_on.isoformat(), use.status, use.basis)


def test_the_same_seed_draws_the_same_rows_in_another_order_and_under_other_numbers(
    of: Firm, made: Declaration
) -> None:
    first = auditing.draw_sample(actor=of.reviewer, declaration=made, size=10, confidence=LEVEL, seed="s")
    drawn = list(first.rows.order_by("position").values_list("use_id", flat=True))
    rows = {use.pk: use for use in DeclaredUse.objects.filter(declaration=made).select_related("work")}
    ranked = sorted(rows, key=lambda number: sampling.rank("s", _row(rows[number]).key))
    assert drawn == ranked[:10]  # the statement over all rows says what the rule says of each
    twin = declare(of, lines(*reversed(DATA.decode().split("\n")[1:-1])), submit=True)
    second = auditing.draw_sample(actor=of.reviewer, declaration=twin, size=10, confidence=LEVEL, seed="s")
    assert auditing.sample_rows(second) == auditing.sample_rows(first)
    other = auditing.draw_sample(actor=of.reviewer, declaration=made, size=10, confidence=LEVEL, seed="t")
    assert auditing.sample_rows(other) != auditing.sample_rows(first)
    with pytest.raises(Conflict):
        auditing.draw_sample(actor=of.reviewer, declaration=made, size=5, confidence=LEVEL, seed="s")


def test_an_audit_from_the_draw_to_its_estimate(of: Firm, made: Declaration, reviewer: Client) -> None:
    page = f"/declarations/{made.pk}/audits/"
    assert "No sample yet" in text(reviewer.get(page))
    reviewer.post(page, {"confidence": "0.950", "margin": "5", "size": "20", "seed": "field"})
    sample = AuditSample.objects.get()
    assert (sample.size, sample.population, sample.seed) == (20, 33, "field")
    taken = list(
        csv.DictReader(io.StringIO(b"".join(reviewer.get(f"/audits/{sample.pk}/file/").streaming_content).decode()))
    )
    assert [row["row"] for row in taken] == [str(n) for n in range(1, 21)]
    with pytest.raises(Conflict):
        auditing.close_audit(actor=of.reviewer, sample=sample)
    entered = {f"finding-{n}": "right" for n in range(1, 20)} | {
        "finding-20": "wrong",
        "units-20": "1,234",
        "note-20": "half",
    }
    reviewer.post(f"/audits/{sample.pk}/", entered)
    reviewer.post(f"/audits/{sample.pk}/close/")
    sample.refresh_from_db()
    assert (sample.status, sample.finding["wrong"], sample.finding["estimate"]) == ("closed", 1, "0.050000")
    assert (sample.finding["low"], sample.finding["high"]) == ("0.001265", "0.248733")
    assert "from 0.12% to 24.88%" in text(reviewer.get(f"/audits/{sample.pk}/"))
    assert reviewer.post(f"/audits/{sample.pk}/", {"finding-1": "wrong"}).status_code == 409


CHANGES = (
    "UPDATE licensing_auditline SET finding = 'right'",
    "DELETE FROM licensing_auditline",
    "UPDATE licensing_auditsample SET finding = '{}'",
    "UPDATE licensing_auditsample SET status = 'open'",
    "DELETE FROM licensing_auditsample",
    "TRUNCATE licensing_auditsample CASCADE",
    "INSERT INTO licensing_auditline (sample_id, position, use_id, finding, note)"
    " SELECT sample_id, 99, use_id, 'right', '' FROM licensing_auditline LIMIT 1",
)


def test_a_closed_audit_is_immutable_whoever_asks(of: Firm, made: Declaration) -> None:
    sample = auditing.draw_sample(actor=of.reviewer, declaration=made, size=2, confidence=LEVEL)
    findings = {n: auditing.Found("wrong") for n in (1, 2)}
    auditing.enter_findings(actor=of.reviewer, sample=sample, findings=findings)
    auditing.close_audit(actor=of.reviewer, sample=sample)
    for change in CHANGES:
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
    assert AuditLine.objects.filter(finding="wrong").count() == 2


def test_the_seed_of_an_open_sample_stays_too(of: Firm, made: Declaration) -> None:
    auditing.draw_sample(actor=of.reviewer, declaration=made, size=2, confidence=LEVEL)
    for change in (
        "UPDATE licensing_auditsample SET seed = 'x'",
        "UPDATE licensing_auditline SET use_id = 1, position = 7",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)


def test_only_the_society_of_the_licence_audits(of: Firm, made: Declaration) -> None:
    other = staff(organisation("OTHER", "society"), "declarations.review", "declarations.view")
    with pytest.raises(NotFound):
        auditing.draw_sample(actor=other, declaration=made, size=2, confidence=LEVEL)
    with pytest.raises(Forbidden):
        auditing.draw_sample(actor=of.declarant, declaration=made, size=2, confidence=LEVEL)
    sample = auditing.draw_sample(actor=of.reviewer, declaration=made, size=2, confidence=LEVEL)
    with pytest.raises(NotFound):
        auditing.close_audit(actor=other, sample=sample)
    for change in ({"size": 0}, {"size": 34}, {"confidence": Decimal("0.5")}, {"seed": "x" * 65}):
        with pytest.raises(Refusal):
            auditing.draw_sample(actor=of.reviewer, declaration=made, **({"size": 2, "confidence": LEVEL} | change))
