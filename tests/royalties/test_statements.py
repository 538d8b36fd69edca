"""Statements: what they say, that it adds up, who sees it, and the files that carry it."""

from __future__ import annotations

import csv
import datetime
import doctest
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from accounts.identity.core import Actor, NotFound, Refusal
from accounts.identity.models import User
from licensing.declarations.models import Declaration
from licensing.repertoire.models import Representation
from royalties.distribution import services as distribution
from royalties.distribution.models import Run
from royalties.statements import core, services
from royalties.statements.models import Statement
from royalties.statements.services import facts
from tests.royalties.world import QUARTER, Owned, Used, World, make_world, staff, worked_example

DAY = datetime.date(2026, 3, 31)
USED = st.builds(
    core.Used,
    st.sampled_from(["train", "ground", "index"]),
    st.just("token"),
    st.integers(0, 10**20),
    st.integers(0, 10**6),
)
POOL = core.PoolFacts(
    1, "INV-1", "HANBIT", "Hanbit", (DAY, DAY), 9, 9, (), (core.Deduction("fee", "15", 1000, 150),), 0, 850, 0, 9, 1
)


def published(world: World) -> Run:
    run = distribution.compute(distribution.start_run(actor=world.computer, society=world.society, period=QUARTER).pk)
    distribution.request(actor=world.computer, run=run)
    run = distribution.post(distribution.approve(actor=world.approver, run=run).pk)
    return services.publish(actor=world.approver, run=run)


@pytest.fixture
def world(db: None) -> World:
    made = make_world()
    made.rule()
    worked_example(made)
    return made


def full(run: Run, holder: str) -> core.Statement:
    row = Statement.objects.select_related("run__rule", "holder", "society").get(run=run, holder__ref=holder)
    return facts.in_full(row)


def browser(actor: Actor) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=actor.user_id))
    return client


def line(amount: int, uses: tuple[core.Used, ...]) -> core.Line:
    return core.Line(1, POOL, "W", "Work", uses, "", 1_000_000, DAY, 9, amount, amount, amount, "payable", "")


def test_the_documents_own_examples() -> None:
    assert doctest.testmod(core).failed == 0


@given(
    st.lists(
        st.tuples(
            st.integers(0, 10**15),
            st.lists(USED, min_size=1, max_size=4),
        ),
        max_size=8,
    )
)  # fmt: skip
def test_the_split_by_use_adds_up(given_lines: list[Any]) -> None:
    lines = [line(amount, tuple(uses)) for amount, uses in given_lines]
    assert sum(use.amount for use in core.use_sums(lines)) == sum(each.amount for each in lines)


def test_proportions_are_half_up_and_nothing_of_nothing() -> None:
    assert core.proportion(150, 425, 850) == 75
    assert core.proportion(1, 1, 2) == 1
    assert core.proportion(150, 0, 0) == 0


def test_a_statement_says_where_each_amount_comes_from(world: World) -> None:
    statement = full(published(world), "H-B1")
    assert (statement.head.payable, statement.head.works) == (70_773, 1)
    (only,) = statement.lines
    assert (only.work_ref, only.work_amount, only.set_amount, only.ppm, only.amount) == (
        "B",
        212_318,
        212_318,
        333_334,
        70_773,
    )
    assert only.uses == (core.Used("finetune", "token", 200_000, 1500),)
    assert only.weight == only.uses[0].weight == 300_000_000
    assert (only.pool.total_weight, only.pool.distributable) == (1_165_000_000, 824_503)
    (use,) = statement.uses()
    assert (use.licensee, use.use, use.units, use.amount) == ("HANBIT", "finetune", 200_000, 70_773)
    (view,) = statement.pools()
    assert [part for _deduction, part in view.parts] == [
        core.proportion(150_000, 70_773, 824_503),
        core.proportion(25_500, 70_773, 824_503),
    ]


def test_what_waits_of_ones_own_works_is_shown(db: None) -> None:
    world = make_world()
    world.rule(deductions=[])
    world.own(
        Owned("HALF", "H1", 500_000), Owned("OVER", "H1", 600_000), Owned("OVER", "H2", 600_000),
        Owned("MINE", "H1", 1_000_000, disputed=True),
    )  # fmt: skip
    world.receive(world.bill(world.declare([Used(key, 1) for key in ("HALF", "OVER", "MINE")]), net=300), 300)
    run = published(world)
    statement = full(run, "H1")
    assert (statement.head.payable, statement.head.held) == (50, 100)
    assert [(each.work_ref, each.reason, each.amount) for each in statement.held()] == [("MINE", "disputed", 100)]
    assert {(each.work_ref, each.reason, each.amount) for each in statement.others} == {
        ("HALF", "no_share", 50),
        ("OVER", "overclaimed", 100),
    }
    assert not Statement.objects.filter(
        holder__ref="H2"
    ).exists()  # nothing was allotted to them: the work is held as one


def test_files_hold_the_same_and_come_out_the_same(world: World, tmp_path: Path) -> None:
    run = published(world)
    for form in ("pdf", "csv", "json"):
        for folder in ("a", "b"):
            assert services.export_statements(run=run, folder=tmp_path / folder, form=form, language="ko") == 5
        files = sorted(path.name for path in (tmp_path / "a").glob(f"*.{form}"))
        assert files == [
            f"R{run.pk}-{n:06}-{ref}.{form}" for n, ref in enumerate(("H-A", "H-B1", "H-B2", "H-B3", "H-C"), 1)
        ]
        assert all((tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes() for name in files)
    raw = (tmp_path / "a" / f"R{run.pk}-000002-H-B1.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    (row,) = csv.DictReader(io.StringIO(raw.decode("utf-8-sig")))
    assert (row["work_ref"], row["share_ppm"], row["work_amount"], row["amount"]) == ("B", "333334", "212318", "70773")
    assert (row["pool"], row["deductions"], row["distributable"], row["total_weight"]) == (
        "1000003",
        "175500",
        "824503",
        "1165000000",
    )
    data = json.loads((tmp_path / "a" / f"R{run.pk}-000002-H-B1.json").read_bytes())
    assert data["payable"] == 70_773 and data["lines"][0]["why"][-1]["value"] == "₩70,773"
    assert not list(tmp_path.glob("*/.*.part"))


def test_the_pdf_is_text_in_the_asked_language(world: World) -> None:
    run = published(world)
    text = "".join(
        page.extract_text() for page in PdfReader(io.BytesIO(services.render_pdf(full(run, "H-B1"), "en"))).pages
    )
    for shown in ("Royalty statement", "₩70,773", "33.3334%", "1,165,000,000", "management fee", "Work B"):
        assert shown in text
    assert services.render_pdf(full(run, "H-B1"), "ko").startswith(b"%PDF")


def test_markup_in_a_title_stays_text(db: None) -> None:
    world = make_world()
    world.rule()
    world.own(Owned("A", "H1", 1_000_000))
    world.licence.society.__class__.objects.filter(pk=world.society.pk).update(name='#panic("x") [*b*] <s>')
    from licensing.repertoire.models import Work

    Work.objects.update(title='=1+1 #read("/etc/passwd") $x$ \\ [')
    world.receive(world.bill(world.declare([Used("A", 1)]), net=100), 100)
    run = published(world)
    text = "".join(
        page.extract_text() for page in PdfReader(io.BytesIO(services.render_pdf(full(run, "H1"), "en"))).pages
    )
    assert '#read("/etc/passwd")' in text
    cells = services.content(full(run, "H1"), "csv", "en").decode("utf-8-sig")
    assert "'=1+1" in cells


def test_only_one_holder_and_only_published(world: World, tmp_path: Path) -> None:
    run = distribution.compute(distribution.start_run(actor=world.computer, society=world.society, period=QUARTER).pk)
    with pytest.raises(Refusal) as refused:
        services.export_statements(run=run, folder=tmp_path, form="csv")
    assert refused.value.code == "run_is_not_published"
    run = published(world)
    assert services.export_statements(run=run, folder=tmp_path, form="csv", holder="H-C") == 1
    with pytest.raises(NotFound):
        services.export_statements(run=run, folder=tmp_path, form="csv", holder="NOBODY")


def test_a_creator_reads_what_they_are_owed_and_why(world: World) -> None:
    member = world.member("H-B1")
    run = published(world)
    row = Statement.objects.get(run=run, holder__ref="H-B1")
    client = browser(member)
    home = client.get(reverse("royalties:overview")).content.decode()
    assert "₩70,773" in home and row.number in home
    address = reverse("royalties:statement", args=[row.pk])
    for tab, shown in (
        ("works", "Work B"),
        ("uses", "fine-tuning"),
        ("deductions", "management fee"),
        ("waiting", "Nothing of your works waits"),
    ):
        text = client.get(address, {"tab": tab}).content.decode()
        assert shown in text, tab
    (only,) = full(run, "H-B1").lines
    why = client.get(
        reverse("royalties:statement_why", args=[row.pk, only.id]), headers={"HX-Request": "true"}
    ).content.decode()
    for shown in (
        "₩1,000,003",
        "990,000 × ₩0.05 ÷ 1,000",
        "15% of ₩1,000,003",
        "200,000 tokens × 1,500",
        "1,165,000,000",
        "₩212,318",
        "33.3334% of ₩212,318",
        "₩70,773",
    ):
        assert shown in why
    for form, kind in (("pdf", "application/pdf"), ("csv", "text/csv"), ("json", "application/json")):
        answer = client.get(reverse("royalties:statement_file", args=[row.pk, form]), {"language": "ko"})
        assert answer.status_code == 200 and answer.headers["Content-Type"].startswith(kind)
    assert "Work B" in client.get(reverse("royalties:uses")).content.decode()
    assert "No use fits" in client.get(reverse("royalties:uses"), {"use": "index"}).content.decode()


def test_a_statement_that_says_another_amount_is_found(world: World) -> None:
    run = published(world)
    assert services.problems() == []
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE royalties_statement DISABLE TRIGGER USER")
        cursor.execute("UPDATE royalties_statement SET payable = payable + 1 WHERE number = %s", [f"R{run.pk}-000001"])
        cursor.execute("DELETE FROM royalties_statement WHERE number = %s", [f"R{run.pk}-000002"])
    found = services.problems()
    assert len(found) == 2 and {each["what"] for each in found} == {"statements.sums"}
    assert any(each["subject"] == f"R{run.pk}-000001" for each in found)
    assert any(each["detail"].startswith("says nothing") for each in found)


def test_strangers_find_nothing_and_catalogue_delegates_no_money(world: World) -> None:
    mine, other = world.member("H-B1"), world.member("H-C")
    run = published(world)
    row = Statement.objects.get(run=run, holder__ref="H-B1")
    (only,) = full(run, "H-B1").lines
    addresses = [
        reverse("royalties:statement", args=[row.pk]), reverse("royalties:statement_why", args=[row.pk, only.id]),
        reverse("royalties:statement_file", args=[row.pk, "pdf"]),
    ]  # fmt: skip
    for address in addresses:
        assert browser(mine).get(address).status_code == 200
        assert browser(other).get(address).status_code == 404
        assert (
            browser(make_world(f"S{address.__hash__() % 10**6}", f"F{address.__hash__() % 10**6}").approver)
            .get(address)
            .status_code
            == 404
        )
        assert Client().get(address).status_code == 302
        assert browser(world.approver).get(address).status_code == 200
    Representation.objects.filter(user_id=mine.user_id).update(scope="catalogue")
    assert all(browser(mine).get(address).status_code == 403 for address in addresses)
    home = browser(mine).get(reverse("royalties:overview")).content.decode()
    assert "₩70,773" not in home and "You act for a catalogue" in home
    assert browser(staff(world.society, "lic", "licensing")).get(addresses[0]).status_code == 403
    other_line = full(run, "H-C").lines[0]
    assert (
        browser(mine.__class__ and other)
        .get(reverse("royalties:statement_why", args=[row.pk, other_line.id]))
        .status_code
        == 404
    )


def test_a_reversed_statement_says_so(world: World) -> None:
    member = world.member("H-B1")
    run = published(world)
    distribution.request_reversal(actor=world.computer, run=run)
    distribution.reverse(actor=world.approver, run=run)
    row = Statement.objects.get(run=run, holder__ref="H-B1")
    client = browser(member)
    assert "took this distribution back" in client.get(reverse("royalties:statement", args=[row.pk])).content.decode()
    assert "₩70,773" not in client.get(reverse("royalties:overview")).content.decode()
    text = "".join(
        page.extract_text() for page in PdfReader(io.BytesIO(services.render_pdf(full(run, "H-B1"), "en"))).pages
    )
    assert "reversed" in text


@pytest.mark.parametrize("name", ["overview", "statements", "statement", "uses"])
def test_a_creators_page_takes_few_queries_however_many_works(world: World, name: str) -> None:
    shares = [Owned(f"W{n}", "H-B1", 1_000_000) for n in range(120)]
    world.own(*shares)
    world.receive(
        world.bill(world.declare([Used(share.work, 5) for share in shares]), net=1_200_000, number="INV-2"), 1_200_000
    )
    member = world.member("H-B1")
    run = published(world)
    row = Statement.objects.get(run=run, holder__ref="H-B1")
    assert row.lines == 121
    client = browser(member)
    address = reverse(f"royalties:{name}", args=[row.pk] if name == "statement" else [])
    tabs: list[dict[str, str]] = (
        [{"tab": tab} for tab in ("works", "uses", "deductions", "waiting")] if name == "statement" else [{}]
    )
    for tab in tabs:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(address, tab).status_code == 200
        assert len(queries) < 15, [query["sql"][:100] for query in queries]


def test_the_api_gives_a_creator_their_own(world: World) -> None:
    from accounts.access.services import issue_token

    member = world.member("H-B1")
    run = published(world)
    _token, secret = issue_token(actor=member, user=User.objects.get(pk=member.user_id), scopes=["statements.view"])
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    (found,) = client.get("/api/v1/me/statements/").json()["results"]
    assert (found["holder"], found["payable"], found["run"]) == ("H-B1", 70_773, run.pk)
    detail = client.get(f"/api/v1/me/statements/{found['id']}/").json()
    assert detail["pools"][0]["amount"] == 70_773 and detail["uses"][0]["use"] == "finetune"
    (only,) = client.get(f"/api/v1/me/statements/{found['id']}/lines/").json()["results"]
    assert only["amount"] == 70_773 and only["why"][-1]["value"] == "₩70,773"
    assert [work["work_ref"] for work in client.get("/api/v1/me/works/").json()["results"]] == ["B"]
    (use,) = client.get("/api/v1/me/uses/").json()["results"]
    assert (use["work_ref"], use["units"], use["licensee"]) == ("B", 200_000, "HANBIT")
    other = Statement.objects.get(run=run, holder__ref="H-C")
    assert client.get(f"/api/v1/me/statements/{other.pk}/").status_code == 404
    assert client.get("/api/v1/runs/").status_code == 403
    assert Client().get("/api/v1/me/statements/").status_code == 401


def test_the_api_gives_a_society_its_runs(world: World) -> None:
    from accounts.access.services import issue_token

    run = published(world)
    administrator = staff(world.society, "admin", "administrator")
    _token, secret = issue_token(actor=administrator, organisation=world.society, scopes=["distribution.view"])
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    found = client.get(f"/api/v1/runs/{run.pk}/").json()
    assert found["deductions"] == {"management fee": 150_000, "social and cultural fund": 25_500}
    assert (
        found["pool"]
        == sum(found["deductions"].values()) + found["reserve"] + found["payable"] + found["held"] + found["suspense"]
    )
    assert found["pools"][0]["total_weight"] == "1165000000"
    assert client.get("/api/v1/runs/").json()["results"][0]["run"] == run.pk


def test_a_correction_shows_the_old_amount_the_new_one_and_the_reason(world: World) -> None:
    member = world.member("H-B1")
    first = published(world)
    distribution.request_reversal(actor=world.computer, run=first)
    distribution.reverse(actor=world.approver, run=first, reason="one token too many")
    Declaration.objects.get(licence=world.licence).uses.filter(work__ref="B").update(units=100_000)
    second = published(world)
    now = full(second, "H-B1").head
    assert [(old.number, old.payable, old.reason) for old in now.replaces] == [
        (f"R{first.pk}-000002", 70_773, "one token too many")
    ]
    row = Statement.objects.get(run=second, holder__ref="H-B1")
    client = browser(member)
    with CaptureQueriesContext(connection) as queries:
        page = client.get(reverse("royalties:statement", args=[row.pk])).content.decode()
    assert len(queries) < 18, [query["sql"][:100] for query in queries]
    said = f"Before: ₩70,773, now: ₩{row.payable:,}. Reason: one token too many"
    assert row.payable != 70_773 and said in page
    text = "".join(
        each.extract_text() for each in PdfReader(io.BytesIO(services.render_pdf(full(second, "H-B1"), "en"))).pages
    )
    assert "one token too many" in " ".join(text.split())
    assert full(first, "H-B1").head.replaces == ()
