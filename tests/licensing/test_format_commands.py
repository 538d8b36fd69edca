"""The formats of the field by command and by page: the contract's JSON and exit status, progress, rejects and the answer."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse

from accounts.organisations.models import Organisation
from licensing.intake.core import Limits
from licensing.intake.formats.cwr import acknowledgement
from licensing.intake.models import Import
from licensing.permissions.services import imports
from licensing.repertoire.models import Work
from tests.accounts.people import organisation, person
from tests.licensing.cwr_files import Song, file
from tests.licensing.test_format_onix import message, product
from tests.licensing.test_format_renewals import DIGEST, lines
from tests.licensing.test_tariff_pages import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def society() -> Organisation:
    return organisation("KOMCA", "society")


def run(kind: str, path: Path, **options: Any) -> tuple[int, dict[str, Any]]:
    out, status = io.StringIO(), 0
    try:
        call_command(f"import_{kind}", str(path), society="KOMCA", as_json=True, stdout=out, **options)
    except SystemExit as ended:
        status = int(str(ended.code))
    return status, json.loads(out.getvalue())


FILES = {
    "cwr": file(Song(), Song("2", title="")),
    "onix": message(product(), product(kind="05")),
    "renewals": lines(DIGEST, "x"),
}


@pytest.mark.parametrize(("kind", "data"), FILES.items())
def test_commands_count_as_other_imports_do(society: Organisation, tmp_path: Path, kind: str, data: bytes) -> None:
    path = tmp_path / "in"
    path.write_bytes(data)
    status, said = run(kind, path)
    assert (status, said["read"], said["created"], said["rejected"]) == (0, 2, 1, 1)
    assert {"updated", "unchanged", "rejects"} <= set(said)
    assert run(kind, path)[1]["created"] == 0
    path.write_bytes(data[:30])
    status, said = run(kind, path)
    assert status == 1 and said["error"]["code"]
    assert Work.objects.count() == 1


def test_the_acknowledgement_is_written_where_it_was_asked_for(society: Organisation, tmp_path: Path) -> None:
    path, ack = tmp_path / "CW.V21", tmp_path / "ACK.V21"
    path.write_bytes(file(Song()))
    status, said = run("cwr", path, ack=ack)
    assert (status, said["acknowledgement"]) == (0, str(ack))
    assert [answer.status for answer in acknowledgement.read(ack, Limits())] == ["AS"]
    assert run("cwr", path, ack=tmp_path / "none" / "ACK")[0] == 1


def test_a_society_sends_a_cwr_file_on_the_page_and_downloads_the_answer(society: Organisation) -> None:
    client = signed_in(person(society, "repertoire"))
    page = client.get(reverse("licensing:imports"))
    assert "ONIX 3" in page.content.decode()
    sent = SimpleUploadedFile("CW.V21", file(Song(), Song("2", title="")))
    client.post(reverse("licensing:imports"), {"kind": "cwr", "file": sent})
    made = Import.objects.get()
    assert client.get(reverse("licensing:import_answer", args=[made.pk])).status_code == 404
    imports.run(made.pk)
    made.refresh_from_db()
    assert (made.status, made.created, made.rejected) == ("done", 1, 1)
    shown = client.get(reverse("licensing:import", args=[made.pk])).content.decode()
    assert reverse("licensing:import_answer", args=[made.pk]) in shown
    answer = client.get(reverse("licensing:import_answer", args=[made.pk]))
    body = b"".join(answer.streaming_content)
    assert body.startswith(b"HDRSO") and b"\r\nMSG" in body
    other = signed_in(person(organisation("OTHER", "society"), "repertoire"))
    assert other.get(reverse("licensing:import_answer", args=[made.pk])).status_code == 404
