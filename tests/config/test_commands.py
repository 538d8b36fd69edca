"""What every command promises: one JSON object, and exit status 0 done, 1 refused, 2 wrong usage."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandParser

from accounts.identity.core import Refusal
from config.commands import Command


class Count(Command):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", type=int)

    def run(self, *, number: int) -> dict[str, Any]:
        if number < 0:
            raise Refusal("too_small", "The number is too small; give 0 or more.", pointer="/number", row=3)
        return {"name": "정산", "count": number, "units": {"token": 1_000_000}, "seen": [1, 2]}


def run(*args: str) -> tuple[int, str, str]:
    out, err, status = StringIO(), StringIO(), 0
    try:
        call_command(Count(stdout=out, stderr=err, no_color=True), *args)
    except SystemExit as end:
        status = int(end.code or 0)
    return status, out.getvalue(), err.getvalue()


def test_json_is_one_object_with_its_keys_in_order() -> None:
    status, out, err = run("5", "--json")
    assert (status, err) == (0, "")
    assert list(json.loads(out)) == ["name", "count", "units", "seen"]
    assert "정산" in out


def test_people_read_lines() -> None:
    status, out, _ = run("5")
    assert status == 0
    assert out.splitlines() == ["name: 정산", "count: 5", "units:", "  token: 1,000,000", "seen: 2", "  1", "  2"]


def test_a_refusal_says_what_where_and_ends_with_1() -> None:
    assert run("--", "-1") == (1, "", "Refused (row 3, /number): The number is too small; give 0 or more.\n")


def test_a_refusal_in_json() -> None:
    status, out, err = run("--json", "--", "-1")
    assert (status, err) == (1, "")
    assert json.loads(out)["error"]["code"] == "too_small"
    assert json.loads(out)["error"]["errors"][0]["row"] == 3


@pytest.mark.parametrize("args", [[], ["x"], ["1", "--unknown"]])
def test_wrong_usage_ends_with_2(args: list[str]) -> None:
    assert run(*args)[:2] == (2, "")
