"""The import commands: the contract's JSON, exit status 0 or 1, and what stays after a refusal."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts.organisations.models import Organisation
from licensing.intake.models import Import, StoredFile
from licensing.permissions.models import Mandate
from licensing.repertoire.models import Holder, Share, Work
from tests.licensing.parties import organisation

pytestmark = pytest.mark.django_db


@pytest.fixture
def society() -> Organisation:
    return organisation("KOLIT", "society")


def run(kind: str, file: Path, *, society: str = "KOLIT") -> tuple[int, dict[str, Any]]:
    out, status = io.StringIO(), 0
    try:
        call_command(f"import_{kind}", str(file), society=society, as_json=True, stdout=out)
    except SystemExit as exit_:
        status = int(str(exit_.code))
    return status, json.loads(out.getvalue())


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_the_four_files_one_after_the_other(society: Organisation, tmp_path: Path) -> None:
    files = {
        "holders": "holder_ref,name\nA,Ada\nB,Bo\n",
        "works": "work_ref,kind,title,identifiers\nW1,web,One,domain:example.com\n",
        "shares": "work_ref,holder_ref,share\nW1,A,1/3\nW1,B,2/3\nW1,Z,1/3\n",
        "mandates": "holder_ref,uses,valid_from\nA,train;ground,2026-01-01\n",
    }
    for kind, text in files.items():
        status, said = run(kind, write(tmp_path, kind, text))
        assert status == 0
        assert set(said) >= {"read", "created", "updated", "unchanged", "rejected", "rejects"}
        assert said["created"] == text.count("\n") - 1 - said["rejected"]
    assert said["read"] == 1
    assert (Holder.objects.count(), Work.objects.count(), Share.objects.count(), Mandate.objects.count()) == (
        2,
        1,
        2,
        1,
    )
    status, said = run("shares", tmp_path / "shares")
    assert status == 0
    assert (said["unchanged"], said["rejected"]) == (2, 1)
    [reject] = said["rejects"]
    assert reject == {"row": 4, "column": "holder_ref", "value": "Z", "reason": "the society has no such holder"}


def test_refusals(society: Organisation, tmp_path: Path) -> None:
    status, said = run("works", write(tmp_path, "f", "title\nOne\n"))
    assert status == 1
    assert said["error"]["code"] == "missing_columns"
    assert [e["pointer"] for e in said["error"]["errors"]] == ["/columns/work_ref", "/columns/kind"]
    assert run("works", tmp_path / "nowhere")[0] == 1
    assert run("works", write(tmp_path, "empty", ""))[0] == 1
    assert run("works", tmp_path / "f", society="NONE")[0] == 1
    organisation("FIRM", "licensee")
    assert run("works", tmp_path / "f", society="FIRM")[0] == 1
    assert not Import.objects.exists()
    assert StoredFile.objects.count() == 1, "a file that was received stays as received"
