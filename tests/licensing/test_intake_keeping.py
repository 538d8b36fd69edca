"""Keeping files: byte for byte, once, bounded, and safe when the same bytes come twice at the same time."""

from __future__ import annotations

import hashlib
import io
import threading
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Refusal
from accounts.organisations.models import Organisation
from licensing.intake import core
from licensing.intake.models import StoredFile
from licensing.intake.services import keep, path_of


@pytest.fixture
def society(db: None) -> Organisation:
    return Organisation.objects.create(ref="SOC", kind="society", name="Soc")


def kept(society: Organisation, data: bytes, name: str = "works.csv") -> StoredFile:
    return keep(actor=SYSTEM, stream=io.BytesIO(data), name=name, organisation=society)


def waiting() -> list[Path]:
    return list((Path(settings.OBJECT_ROOT) / "incoming").glob("*"))


def test_a_file_is_kept_under_its_digest(society: Organisation) -> None:
    data = bytes(range(256)) * 10_000
    stored = kept(society, data)
    assert stored.sha256 == hashlib.sha256(data).hexdigest()
    assert stored.size == len(data)
    path = path_of(stored)
    assert path.read_bytes() == data
    assert path.relative_to(settings.OBJECT_ROOT).parts == (stored.sha256[:2], stored.sha256[2:])
    assert not waiting()


def test_the_same_bytes_are_kept_once_an_organisation(society: Organisation) -> None:
    first, again = kept(society, b"same"), kept(society, b"same", "other-name.csv")
    assert first == again
    other = Organisation.objects.create(ref="OTHER", kind="society", name="Other")
    assert kept(other, b"same") != first
    assert Event.objects.filter(verb="file.received").count() == 2


def test_empty_and_oversized_files_leave_nothing(society: Organisation, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 1000
    for data, code in ((b"", "empty_file"), (b"x" * 1001, "too_large")):
        with pytest.raises(Refusal) as caught:
            kept(society, data)
        assert caught.value.code == code
    assert not StoredFile.objects.exists()
    assert not waiting()
    assert kept(society, b"x" * 1000).size == 1000


class Breaks(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        piece = super().read(10)
        if not piece:
            raise ConnectionResetError
        return piece


def test_a_stream_that_breaks_off_leaves_nothing(society: Organisation) -> None:
    with pytest.raises(ConnectionResetError):
        keep(actor=SYSTEM, stream=Breaks(b"x" * 100), name="f", organisation=society)
    assert not StoredFile.objects.exists()
    assert not waiting()


def test_a_lost_file_is_said(society: Organisation) -> None:
    stored = kept(society, b"lost")
    path_of(stored).unlink()
    with pytest.raises(Refusal, match="no longer"):
        path_of(stored)
    assert path_of(kept(society, b"lost")).read_bytes() == b"lost", "sending it again brings it back"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("works.csv", "works.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\files\\한글.csv", "한글.csv"),
        ("a\x00b\r\n\u202ec.csv", "abc.csv"),
        ("..", "file"),
        ("", "file"),
        ("x" * 300, "x" * 255),
    ],
)
def test_names_are_for_showing_only(name: str, shown: str) -> None:
    assert core.file_name(name) == shown


def test_two_uploads_of_the_same_bytes_at_once(committed_db: Any) -> None:
    society = Organisation.objects.create(ref="SOC", kind="society", name="Soc")
    data = b"raced" * 400_000
    barrier = threading.Barrier(4)
    found: list[int] = []

    def upload() -> None:
        try:
            barrier.wait(10)
            found.append(kept(society, data).pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=upload) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(found) == 4
    assert len(set(found)) == 1
    stored = StoredFile.objects.get()
    assert path_of(stored).read_bytes() == data
    assert Event.objects.filter(verb="file.received").count() == 1
    assert not waiting()


def test_cells_that_look_like_formulas_are_disarmed() -> None:
    out = io.StringIO()
    core.SafeWriter(out).row(["=1+1", "+1", "-1", "@x", "\tx", "\rx", "plain", 5, -5, None, ""])
    assert out.getvalue() == "'=1+1,'+1,'-1,'@x,'\tx,\"'\rx\",plain,5,-5,,\r\n"
