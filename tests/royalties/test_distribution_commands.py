"""`import_rule`, `distribute`, `export_run`, `export_statements`: what they print, refuse and repeat."""

from __future__ import annotations

import csv
import json
from datetime import date
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts.approvals.models import Approval
from royalties.distribution.models import Rule, Run
from royalties.distribution.services import start_run
from royalties.ledger.models import Journal
from royalties.statements.models import Statement
from tests.royalties.world import RULE, World, make_world, worked_example

pytestmark = pytest.mark.django_db
ONE, TWO = "compute@korea-web.example", "approve@korea-web.example"
DAYS = (date(2026, 1, 1), date(2026, 4, 1))
PERIOD = ("--society", "KOREA-WEB", "--from", "2026-01-01", "--to", "2026-04-01")


@pytest.fixture
def world() -> World:
    made = make_world()
    worked_example(made)
    return made


def manage(*args: object) -> tuple[int, Any]:
    """Exit status and the one JSON object that a command prints."""
    out = StringIO()
    try:
        call_command(args[0], *map(str, args[1:]), "--json", stdout=out)
        status = 0
    except SystemExit as ended:
        status = int(ended.code or 0)
    return status, json.loads(out.getvalue() or "null")


def rule_file(folder: Path, **changes: Any) -> Path:
    path = folder / "rule.json"
    path.write_text(json.dumps(RULE | changes))
    return path


def test_the_main_job_by_commands(world: World, tmp_path: Path) -> None:
    two = ("--as", ONE, "--approve-as", TWO)
    status, rule = manage("import_rule", rule_file(tmp_path), "--society", "KOREA-WEB", *two)
    assert (status, rule["rule"], rule["version"], rule["status"], rule["created"]) == (0, "GENERAL", 1, "approved", 1)
    status, again = manage("import_rule", rule_file(tmp_path), "--society", "KOREA-WEB", *two)
    assert (status, again["status"], again["created"], again["unchanged"]) == (0, "approved", 0, 1)

    status, run = manage("distribute", *PERIOD, *two, "--publish")
    assert status == 0
    names = (
        "status",
        "currency",
        "pool",
        "reserve",
        "distributable",
        "payable",
        "held",
        "suspense",
        "holders",
        "works",
    )
    assert {name: run[name] for name in names} == {
        "status": "published", "currency": "KRW", "pool": 1_000_003, "reserve": 0, "distributable": 824_503, "payable": 796_194, "held": 0,
        "suspense": 28_309, "holders": 5, "works": 3,
    }  # fmt: skip
    assert list(run["deductions"].items()) == [("management fee", 150_000), ("social and cultural fund", 25_500)]
    assert len(run["input_digest"]) == len(run["result_digest"]) == 64

    out = tmp_path / "run.csv"
    status, exported = manage("export_run", run["run"], "--out", out)
    assert (status, exported["rows"], exported["distributable"]) == (0, 6, 824_503)
    rows = list(csv.DictReader(out.read_text(encoding="utf-8").splitlines()))
    assert sum(int(row["amount"]) for row in rows) == 824_503 and {row["currency"] for row in rows} == {"KRW"}
    status, statements = manage(
        "export_statements", run["run"], "--out", tmp_path / "s", "--format", "csv", "--language", "en"
    )
    assert (status, statements["statements"]) == (0, 5) and len(list((tmp_path / "s").glob("*.csv"))) == 5

    status, refused = manage("distribute", *PERIOD, *two, "--publish")
    assert (status, refused["error"]["code"]) == (1, "no_money")
    assert Run.objects.count() == Journal.objects.filter(kind="run").count() == 1


def test_without_people_it_is_computed_and_no_more(world: World, tmp_path: Path) -> None:
    world.rule()
    status, run = manage("distribute", *PERIOD)
    assert (status, run["status"], run["journal"]) == (0, "computed", None)
    status, same = manage("distribute", *PERIOD)
    assert (status, same["run"], same["result_digest"]) == (0, run["run"], run["result_digest"])
    status, refused = manage("export_statements", run["run"], "--out", tmp_path)
    assert (status, refused["error"]["code"]) == (1, "run_is_not_published")
    status, ended = manage("distribute", *PERIOD, "--as", ONE, "--approve-as", TWO)
    assert (status, ended["run"], ended["status"]) == (0, run["run"], "posted")
    status, published = manage("distribute", *PERIOD, "--as", ONE, "--approve-as", TWO, "--publish")
    assert (status, published["run"], published["status"], Statement.objects.count()) == (0, run["run"], "published", 5)


def test_what_cannot_be_computed_stands_in_nobodys_way(world: World, tmp_path: Path) -> None:
    two = ("--as", ONE, "--approve-as", TWO)
    first = rule_file(tmp_path, use_weights={"finetune": 2500}, valid_from="2026-01-01")
    assert manage("import_rule", first, "--society", "KOREA-WEB", *two)[0] == 0
    status, refused = manage("distribute", *PERIOD, *two)
    assert (status, refused["error"]["code"]) == (1, "use_without_weight")
    assert not Run.objects.exclude(status=Run.Status.DISCARDED).exists()
    # A draft begun elsewhere stays where it is, and is computed by the rule of now.
    draft = start_run(actor=world.computer, society=world.society, period=DAYS)
    assert manage("distribute", *PERIOD, *two)[0] == 1
    second = rule_file(tmp_path, version=2, valid_from="2026-02-01")
    assert manage("import_rule", second, "--society", "KOREA-WEB", *two)[0] == 0
    status, ended = manage("distribute", *PERIOD, *two)
    assert (status, ended.get("run"), ended.get("status")) == (0, draft.pk, "posted"), ended


@pytest.mark.parametrize(
    ("people", "code"),
    [
        (("--approve-as", TWO), "second_person_needed"),
        (("--as", ONE, "--approve-as", ONE), "second_person_needed"),
        (("--as", "nobody@example.org"), "not_found"),
    ],
)
def test_one_person_is_refused(world: World, people: tuple[str, ...], code: str) -> None:
    world.rule()
    status, refused = manage("distribute", *PERIOD, *people)
    assert (status, refused["error"]["code"]) == (1, code)
    assert not Run.objects.exists() and not Journal.objects.filter(kind="run").exists()
    # A request left behind would bar the person named alone from deciding when another asks.
    assert not Approval.objects.filter(kind="run").exists()


def test_a_rule_of_one_person_leaves_nothing(world: World, tmp_path: Path) -> None:
    file = rule_file(tmp_path)
    for approver, code in ((ONE, "second_person_needed"), ("nobody@example.org", "not_found")):
        status, refused = manage("import_rule", file, "--society", "KOREA-WEB", "--as", ONE, "--approve-as", approver)
        assert (status, refused["error"]["code"]) == (1, code)
    assert not Rule.objects.exists() and not Approval.objects.filter(kind="rule").exists()


def test_a_proposed_rule_is_not_in_force(world: World, tmp_path: Path) -> None:
    status, rule = manage("import_rule", rule_file(tmp_path), "--society", "KOREA-WEB")
    assert (status, rule["status"]) == (0, "proposed")
    status, refused = manage("distribute", *PERIOD)
    assert (status, refused["error"]["code"]) == (1, "no_rule")


def test_what_is_wrong_with_a_document_is_listed(world: World, tmp_path: Path) -> None:
    status, refused = manage("import_rule", rule_file(tmp_path, typo=1, version=0), "--society", "KOREA-WEB")
    assert status == 1 and {error["pointer"] for error in refused["error"]["errors"]} == {"/typo", "/version"}
    for text in ("{", "[1]", '{"rule": 1, "rule": 2}', "NaN", "[" * 100_000):
        (tmp_path / "bad.json").write_text(text)
        assert manage("import_rule", tmp_path / "bad.json", "--society", "KOREA-WEB")[0] == 1
    assert (
        manage("import_rule", tmp_path / "absent.json", "--society", "KOREA-WEB")[1]["error"]["code"]
        == "file_unreadable"
    )
    assert not Rule.objects.exists()


def test_wrong_usage_and_unknown_runs() -> None:
    assert manage("distribute", "--society", "X")[0] == 2
    assert manage("distribute", "--society", "X", "--from", "2026-13-01", "--to", "2026-04-01")[0] == 2
    assert manage("distribute", "--society", "X", "--from", "2026-01-01", "--to", "2026-04-01")[0] == 1
    assert manage("export_run", 99, "--out", "x.csv")[0] == 1
    assert manage("export_statements", 99, "--out", "x", "--format", "doc")[0] == 2
