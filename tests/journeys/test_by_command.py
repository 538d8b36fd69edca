"""The main job by commands alone, as the contract promises them to other programs: keys, exit codes, amounts."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.journeys import example
from tests.journeys.example import FEE, FIRM, LICENCE, MEMBER, MEMBER_REF, PERIOD, RATES, SOCIETY, Files

COUNTED = {"read", "created", "updated", "unchanged", "rejected", "rejects"}
DAYS = ("--from", PERIOD[0], "--to", PERIOD[1])
FIRST, SECOND = "first@korea-web.example", "second@korea-web.example"
TWO = ("--as", FIRST, "--approve-as", SECOND)


@dataclass(frozen=True)
class Shell:
    """`shell("verify")` runs `manage.py verify --json` and returns its one object; `refused` wants status 1, `misused` 2."""

    run: Callable[..., Any]

    def __call__(self, *arguments: object) -> dict[str, Any]:
        return self._ended(0, *arguments)

    def refused(self, *arguments: object) -> dict[str, Any]:
        said = self._ended(1, *arguments)
        assert set(said) == {"error"}
        return said["error"]

    def misused(self, *arguments: object) -> None:
        done = self.run(*arguments, "--json")
        assert (done.status, done.out) == (2, ""), done
        assert "usage:" in done.err

    def _ended(self, status: int, *arguments: object) -> dict[str, Any]:
        done = self.run(*arguments, "--json")
        assert done.status == status, f"{arguments}: {done.status}\n{done.out}\n{done.err}"
        assert len(done.out.strip().splitlines()) == 1
        return json.loads(done.out)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, committed_db: Any, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Commands in this process: the same code as in one of their own, without a second's start for each of them."""
    from django.core.management import call_command

    from tests.processes import Finished

    def run(*arguments: object) -> Finished:
        status = 0
        try:
            call_command(*map(str, arguments))
        except SystemExit as ended:
            status = int(ended.code or 0)
        captured = capsys.readouterr()
        return Finished(status, captured.out, captured.err)

    return Shell(run)


def test_from_files_to_statements(shell: Shell, files: Files, tmp_path: Path) -> None:
    set_up(shell, files)

    declared = shell(
        "declare",
        files["use.csv"],
        "--licence",
        LICENCE,
        *DAYS,
        "--unit",
        "token",
        "--model",
        "Hanbit-1",
        "--submit",
        "--wait",
    )
    assert {"declaration", "status", "sha256", "lines", "units", "works"} <= set(declared)
    assert (declared["status"], declared["works"]) == ("accepted", 3)
    assert declared["lines"] == example.LINES
    assert {key: declared["units"][key] for key in example.UNITS} == example.UNITS
    again = shell(
        "declare",
        files["use.csv"],
        "--licence",
        LICENCE,
        *DAYS,
        "--unit",
        "token",
        "--model",
        "Hanbit-1",
        "--submit",
        "--wait",
    )
    assert again == declared

    invoice = shell("bill", "--licence", LICENCE, *DAYS)
    assert {"invoice", "amount", "currency", "lines"} <= set(invoice)
    assert (invoice["amount"], invoice["currency"]) == (FEE, "KRW")
    assert [line["amount"] for line in invoice["lines"]] == [740_000, 200_000, 60_003]
    assert shell("bill", "--licence", LICENCE, *DAYS) == invoice

    paid = ("--invoice", invoice["invoice"], "--amount", FEE, "--on", "2026-04-20", "--bank-ref", "KB-1")
    receipt = shell("record_receipt", *paid)
    assert (receipt["invoice"], receipt["open"]) == (invoice["invoice"], 0)
    assert shell("record_receipt", *paid) == receipt

    run = shell("distribute", "--society", SOCIETY, *DAYS, *TWO, "--publish")
    assert (run["status"], run["currency"]) == ("published", "KRW")
    assert (run["pool"], run["deductions"], run["reserve"]) == (example.POOL, example.DEDUCTIONS, 0)
    assert (run["distributable"], run["suspense"], run["held"]) == (example.DISTRIBUTABLE, example.SUSPENSE, 0)
    assert (
        run["pool"] == sum(run["deductions"].values()) + run["reserve"] + run["payable"] + run["held"] + run["suspense"]
    )
    assert (run["holders"], run["works"]) == (5, 3)
    assert len(run["input_digest"]) == len(run["result_digest"]) == 64
    assert shell.refused("distribute", "--society", SOCIETY, *DAYS, *TWO)["code"] == "no_money"

    check_files(shell, run["run"], tmp_path)
    assert shell("verify") == {"ok": True, "problems": []}


def set_up(shell: Shell, files: Files) -> None:
    """Organisations, people, repertoire, tariff, rule and licence; each told a second time changes nothing."""
    for ref, kind in ((SOCIETY, "society"), (FIRM, "licensee"), (RATES, "rate_body")):
        made = shell("create_organisation", ref, "--kind", kind, "--name", f"{ref} Ltd")
        assert (made["organisation"], made["kind"]) == (ref, kind)
    for email in (FIRST, SECOND):
        person = shell("create_user", email, "--organisation", SOCIETY, "--role", "distribution")
        assert person["sign_in_link"].startswith("http")
    for kind in example.FILES:
        imported = shell(f"import_{kind}", files[f"{kind}.csv"], "--society", SOCIETY)
        assert set(imported) >= COUNTED
        assert imported["read"] == imported["created"] == len(example.FILES[kind].splitlines()) - 1
        again = shell(f"import_{kind}", files[f"{kind}.csv"], "--society", SOCIETY)
        assert (again["created"], again["updated"], again["unchanged"]) == (0, 0, imported["read"])
    creator = shell(
        "create_user",
        MEMBER,
        "--organisation",
        SOCIETY,
        "--role",
        "member",
        "--holder",
        MEMBER_REF,
        "--password",
        "long enough 1",
    )
    assert "sign_in_link" not in creator
    proposed = shell("import_tariff", files["tariff.json"], "--society", SOCIETY)
    assert proposed["status"] == "proposed"
    licence = (
        "create_licence", LICENCE, "--licensee", FIRM, "--society", SOCIETY, "--tariff", "WEB",
        "--uses", "train;finetune;ground", "--from", PERIOD[0],
    )  # fmt: skip
    determined = shell("import_tariff", files["tariff.json"], "--society", SOCIETY, "--determined-by", RATES)
    assert determined["status"] == "determined"
    assert shell(*licence)["status"] == "active"
    rule = shell("import_rule", files["rule.json"], "--society", SOCIETY, *TWO)
    assert (rule["rule"], rule["version"], rule["status"]) == ("GENERAL", 1, "approved")
    token = shell("issue_token", "--organisation", FIRM, "--scopes", "declarations.declare", "--sandbox")
    assert token["token"].startswith("jsk_test_")


def check_files(shell: Shell, run: int, folder: Path) -> None:
    """The export sums to the distributable amount; the member's statement says what the example says."""
    exported = folder / "allocations.csv"
    shell("export_run", run, "--out", exported)
    rows = list(csv.DictReader(exported.read_text(encoding="utf-8-sig").splitlines()))
    assert sum(int(row["amount"]) for row in rows) == example.DISTRIBUTABLE
    assert {row["holder_ref"]: int(row["amount"]) for row in rows if row["status"] == "payable"} == example.PAYABLE
    assert [int(row["amount"]) for row in rows if row["status"] == "suspense"] == [example.SUSPENSE]
    for form, start in (("pdf", b"%PDF-"), ("csv", b""), ("json", b"{")):
        out = folder / form
        shell("export_statements", run, "--out", out, "--format", form, "--holder", MEMBER_REF, "--language", "ko")
        [written] = out.rglob(f"*.{form}")
        assert written.read_bytes().startswith(start)
        if form == "json":
            assert json.loads(written.read_text(encoding="utf-8"))["payable"] == example.PAYABLE[MEMBER_REF]


def test_what_is_refused_exits_with_one_and_changes_nothing(shell: Shell, files: Files, tmp_path: Path) -> None:
    set_up(shell, files)
    empty = tmp_path / "empty.csv"
    empty.touch()
    second = tmp_path / "second.json"
    second.write_text(json.dumps(example.RULE | {"version": 2, "valid_from": "2026-07-01"}), encoding="utf-8")
    declare = ("--licence", LICENCE, *DAYS, "--unit", "token", "--wait")
    for arguments in (
        ("import_holders", files["holders.csv"], "--society", "NOBODY"),
        ("import_works", empty, "--society", SOCIETY),
        ("import_shares", tmp_path / "absent.csv", "--society", SOCIETY),
        ("import_tariff", files["rule.json"], "--society", SOCIETY),
        ("import_rule", files["tariff.json"], "--society", SOCIETY),
        ("import_rule", second, "--society", SOCIETY, "--as", FIRST, "--approve-as", FIRST),
        ("create_licence", "L-2", "--licensee", FIRM, "--society", SOCIETY, "--tariff", "NONE", "--uses", "train", "--from", PERIOD[0]),
        ("declare", files["use.csv"], "--licence", "NONE", *DAYS, "--unit", "token", "--wait"),
        ("declare", empty, *declare),
        ("bill", "--licence", LICENCE, *DAYS),
        ("record_receipt", "--invoice", "NONE", "--amount", 1, "--on", "2026-04-20", "--bank-ref", "X"),
        ("distribute", "--society", SOCIETY, *DAYS),
        ("distribute", "--society", SOCIETY, *DAYS, "--as", FIRST, "--approve-as", FIRST),
        ("export_run", 4711, "--out", tmp_path / "x.csv"),
        ("export_statements", 4711, "--out", tmp_path / "x"),
        ("accept_declaration", 4711, "--as", FIRST),
        ("issue_token", "--organisation", FIRM, "--scopes", "everything.please"),
        ("create_user", "x@y.example", "--organisation", FIRM, "--role", "distribution"),
    ):  # fmt: skip
        problem = shell.refused(*arguments)
        assert problem["code"] and problem["detail"], arguments
    assert shell("verify") == {"ok": True, "problems": []}


@pytest.mark.parametrize(
    "arguments",
    [
        ("declare",),
        ("bill", "--licence", LICENCE),
        ("create_organisation", SOCIETY, "--kind", "bank", "--name", "x"),
        ("distribute", "--society", SOCIETY, "--from", "soon", "--to", "later"),
        ("record_receipt", "--invoice", "X", "--amount", "1.5", "--on", "2026-01-01", "--bank-ref", "X"),
        ("export_statements", 1, "--out", "x", "--format", "docx"),
    ],
)
def test_wrong_usage_exits_with_two(shell: Shell, arguments: tuple[Any, ...]) -> None:
    shell.misused(*arguments)


def test_a_process_of_its_own_says_the_same(run_manage: Callable[..., Any]) -> None:
    outside = Shell(run_manage)
    assert (
        outside("create_organisation", SOCIETY, "--kind", "society", "--name", "Korea Web")["organisation"] == SOCIETY
    )
    assert outside.refused("bill", "--licence", "NONE", *DAYS)["code"]
    outside.misused("verify", "--loudly")
