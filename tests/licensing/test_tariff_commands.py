"""The commands that import a tariff and grant a licence."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from licensing.licences.models import Licence
from licensing.tariffs.models import TariffVersion
from tests.licensing.parties import organisation
from tests.licensing.tariff_documents import charge, tariff

pytestmark = pytest.mark.django_db


def run(*args: object) -> tuple[int, dict[str, Any]]:
    """Exit status and the JSON object of a command."""
    out = io.StringIO()
    status = 0
    try:
        call_command(*map(str, args), "--json", stdout=out)
    except SystemExit as stopped:
        status = int(stopped.code or 0)
    return status, json.loads(out.getvalue() or "{}")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    organisation("WEB-SOCIETY", "society"), organisation("COMMISSION", "rate_body"), organisation("HANBIT", "licensee")
    path = tmp_path / "tariff.json"
    path.write_text(json.dumps(tariff()), encoding="utf-8")
    return path


def test_a_tariff_is_proposed_then_determined_then_unchanged(file: Path) -> None:
    proposed = run("import_tariff", file, "--society", "WEB-SOCIETY")
    assert proposed[0] == 0
    assert {k: proposed[1][k] for k in ("tariff", "version", "status", "created")} == {
        "tariff": "WEB", "version": 1, "status": "proposed", "created": 1,
    }  # fmt: skip
    determine = ("import_tariff", file, "--society", "WEB-SOCIETY", "--determined-by", "COMMISSION")
    told = run(*determine)[1]
    assert (told["status"], told["updated"], told["unchanged"]) == ("determined", 1, 0)
    first, second = run(*determine)[1], run(*determine)[1]
    assert first == second
    assert (first["read"], first["created"], first["unchanged"], first["rejects"]) == (1, 0, 1, [])


def test_a_broken_tariff_is_refused_with_pointers(file: Path) -> None:
    file.write_text(json.dumps(tariff(charge("flat", amount=5), version="1")), encoding="utf-8")
    status, told = run("import_tariff", file, "--society", "WEB-SOCIETY")
    assert status == 1
    assert {error["pointer"] for error in told["error"]["errors"]} == {"/version", "/charges/0/amount"}
    assert not TariffVersion.objects.exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--society", "NOBODY"],
        ["--society", "WEB-SOCIETY", "--determined-by", "WEB-SOCIETY"],
        ["--society", "WEB-SOCIETY", "--determined-by", "HANBIT"],
    ],
)
def test_unfit_organisations_are_refused(file: Path, arguments: list[str]) -> None:
    assert run("import_tariff", file, *arguments)[0] == 1
    assert not TariffVersion.objects.exists()


def test_a_missing_file_is_refused(file: Path) -> None:
    status, told = run("import_tariff", file.with_name("none.json"), "--society", "WEB-SOCIETY")
    assert (status, told["error"]["code"]) == (1, "file_unreadable")


LICENCE = ["create_licence", "L-1", "--licensee", "HANBIT", "--society", "WEB-SOCIETY", "--tariff", "WEB"]
TERMS = ["--uses", "train;ground", "--from", "2026-01-01"]


def test_a_licence_is_granted_once(file: Path) -> None:
    run("import_tariff", file, "--society", "WEB-SOCIETY", "--determined-by", "COMMISSION")
    for _again in range(2):
        status, told = run(*LICENCE, *TERMS, "--to", "2027-01-01", "--tier", "large")
        assert status == 0
        assert told == {
            "licence": "L-1", "status": "active", "licensee": "HANBIT", "society": "WEB-SOCIETY", "tariff": "WEB",
            "uses": ["ground", "train"], "kinds": ["*"], "territory": ["*"],
            "valid_from": "2026-01-01", "valid_to": "2027-01-01", "tier": "large",
        }  # fmt: skip
    assert run(*LICENCE, *TERMS)[0] == 1
    assert Licence.objects.count() == 1


def test_a_licence_under_a_tariff_that_is_only_proposed_is_refused(file: Path) -> None:
    run("import_tariff", file, "--society", "WEB-SOCIETY")
    status, told = run(*LICENCE, *TERMS)
    assert (status, told["error"]["code"]) == (1, "tariff_not_in_force")


def test_wrong_usage_ends_with_two(file: Path) -> None:
    assert run(*LICENCE, "--uses", "train", "--from", "yesterday")[0] == 2
    assert run("create_licence")[0] == 2
