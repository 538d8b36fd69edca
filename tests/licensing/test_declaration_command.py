"""`declare` and `accept_declaration`, as the contract has them."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from licensing.declarations.models import Declaration
from tests.accounts.people import person
from tests.licensing.declaring import ISBN, Firm, firm, lines

pytestmark = pytest.mark.django_db
WHEN = ("--licence", "L-1", "--from", "2026-01-01", "--to", "2026-04-01", "--use", "train", "--unit", "token")


@pytest.fixture
def parties(db: Any) -> Firm:
    return firm()


@pytest.fixture
def use(tmp_path: Path) -> Path:
    path = tmp_path / "use.csv"
    path.write_bytes(lines(f"isbn,{ISBN},1000", "domain,a.example.com,6", "isbn,1,2"))
    return path


def run(name: str, *arguments: object) -> tuple[int, dict[str, Any]]:
    out = io.StringIO()
    try:
        call_command(name, *map(str, arguments), "--json", stdout=out)
    except SystemExit as end:
        return int(end.code or 0), json.loads(out.getvalue() or "{}")
    return 0, json.loads(out.getvalue())


def test_a_file_is_declared_to_its_end_and_the_same_one_again_gives_it_back(parties: Firm, use: Path) -> None:
    status, told = run("declare", use, *WHEN, "--submit", "--wait")
    assert (status, told["status"], told["works"]) == (0, "accepted", 1)
    assert told["lines"] == {
        "total": 3, "rejected": 1, "reserved": 0, "unmatched": 1, "unmandated": 0, "unlicensed": 0, "licensed": 1,
    }  # fmt: skip
    assert set(told["units"]) == set(told["lines"])
    assert told["fee"] == {"amount": 10, "currency": "KRW"}
    assert run("declare", use, *WHEN, "--submit", "--wait") == (0, told)
    assert Declaration.objects.count() == 1


def test_steps_can_be_taken_one_by_one(parties: Firm, use: Path) -> None:
    _status, told = run("declare", use, *WHEN)
    assert told["status"] == "received"
    _status, told = run("declare", use, *WHEN, "--wait")
    assert told["status"] == "processed"
    _status, told = run("declare", use, *WHEN, "--submit")
    assert told["status"] == "accepted"


def test_a_question_leaves_it_submitted_until_a_person_of_the_society_accepts(parties: Firm, tmp_path: Path) -> None:
    path = tmp_path / "pages.csv"
    path.write_bytes(lines(f"isbn,{ISBN},1000,page", header="identifier_type,identifier,units,unit"))
    status, told = run("declare", path, *WHEN, "--submit", "--wait")
    assert (status, told["status"], [q["code"] for q in told["questions"]]) == (0, "submitted", ["unpriced"])
    person(parties.society, "licensing", email="reviewer@press.example")
    person(parties.licensee, "declarant", email="declarant@dasan.example")
    status, refused = run("accept_declaration", told["declaration"], "--as", "declarant@dasan.example")
    assert (status, Declaration.objects.get().status) == (1, "submitted")
    assert refused["error"]["detail"]
    status, told = run("accept_declaration", told["declaration"], "--as", "reviewer@press.example")
    assert (status, told["status"]) == (0, "accepted")
    assert run("accept_declaration", 999, "--as", "reviewer@press.example")[0] == 1


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"", "empty_file"), (b"identifier_type,identifier,units\n", "no_rows"), (b"a,b\n1,2\n", "missing_columns")],
)
def test_an_unreadable_file_ends_with_one_and_says_why(parties: Firm, tmp_path: Path, data: bytes, code: str) -> None:
    path = tmp_path / "use.csv"
    path.write_bytes(data)
    status, told = run("declare", path, *WHEN, "--submit", "--wait")
    assert (status, told["error"]["code"]) == (1, code)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("--licence", "NONE", "--from", "2026-01-01", "--to", "2026-04-01"), 1),
        (("--licence", "L-1", "--from", "2026-04-01", "--to", "2026-01-01"), 1),
        (("--licence", "L-1", "--from", "April", "--to", "2026-01-01"), 2),
        (("--licence", "L-1", "--from", "2026-01-01"), 2),
        ((*WHEN, "--use", "steal"), 2),
        ((*WHEN, "--base", "revenue"), 2),
        ((*WHEN, "--base", "revenue=1e3"), 2),
    ],
)
def test_wrong_arguments_are_told_from_refusals(
    parties: Firm, use: Path, arguments: tuple[str, ...], status: int
) -> None:
    assert run("declare", use, *arguments)[0] == status
    assert Declaration.objects.count() == 0


def test_a_missing_file_is_refused_and_bases_are_kept(parties: Firm, use: Path) -> None:
    assert run("declare", use.with_name("none.csv"), *WHEN)[0] == 1
    run("declare", use, *WHEN, "--base", "revenue=500", "--base", "users=3")
    assert Declaration.objects.get().bases == {"revenue": 500, "users": 3}


def test_a_folder_is_declared_as_one_with_what_its_folders_are_named(parties: Firm, tmp_path: Path) -> None:
    folder = tmp_path / "use=train"
    for day, row in (("2026-01-15", f"isbn,{ISBN},1000"), ("2026-02-01", "domain,news.example.co.kr,7")):
        part = folder / f"used_on={day}" / "part-0.csv"
        part.parent.mkdir(parents=True)
        part.write_bytes(lines(row))
    (folder / "_SUCCESS").touch()
    (folder / ".part-0.csv.crc").write_bytes(b"\0")
    status, told = run("declare", folder, *WHEN[:-4], "--unit", "token", "--submit", "--wait")
    assert (status, told["status"], told["lines"]["licensed"]) == (0, "accepted", 2), told
    made = Declaration.objects.get()
    assert list(made.files.order_by("position").values_list("path", flat=True)) == [
        "use=train/used_on=2026-01-15/part-0.csv",
        "use=train/used_on=2026-02-01/part-0.csv",
    ]
    assert [str(use.used_on) for use in made.uses.order_by("used_on")] == ["2026-01-15", "2026-02-01"]
    assert run("declare", folder, *WHEN[:-4], "--unit", "token", "--submit", "--wait") == (0, told)
    assert Declaration.objects.count() == 1


def test_several_files_are_declared_as_one(parties: Firm, use: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_bytes(lines("domain,news.example.co.kr,7"))
    run("declare", use, *WHEN, "--wait")
    status, told = run("declare", use, other, *WHEN, "--wait")
    assert (status, told["lines"]["total"]) == (0, 4), "though the first was declared by itself before"
    assert Declaration.objects.count() == 2
    status, told = run("declare", use, use, *WHEN)
    assert (status, told["error"]["code"]) == (1, "twice")
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run("declare", empty, *WHEN)[1]["error"]["code"] == "no_file"
    assert Declaration.objects.count() == 2
