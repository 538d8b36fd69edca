"""Uploads over a real line: the official client, cut off at each part; races; parts that any machine goes on with."""

from __future__ import annotations

import base64
import io
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tusclient.client import TusClient
from tusclient.exceptions import TusCommunicationError

from accounts.identity.core import Actor, Conflict
from licensing.declarations import services
from licensing.declarations.models import Declaration
from licensing.intake import objects, uploads
from licensing.intake.models import Upload
from licensing.intake.services import path_of
from tests.accounts import people
from tests.licensing.declaring import Firm, counts, firm, lines
from tests.licensing.test_object_storage import bucket, copies, endpoint
from tests.licensing.uploading import draft, sha256, token
from tests.together import meeting, together

__all__ = ["bucket", "endpoint"]
DATA = lines(*(f"domain,news.example.co.kr,{n}" for n in range(1, 5000)))
SIZE = 20_000


@pytest.fixture
def made(committed_db: Any) -> Firm:
    return firm()


def uploader(site: str, made: Firm, declaration: Declaration, **options: Any) -> Any:
    headers = {"Authorization": f"Bearer {token(made)}"}
    program = TusClient(f"{site}/api/v1/declarations/{declaration.pk}/uploads/", headers=headers)
    settings = {"file_stream": io.BytesIO(DATA), "chunk_size": SIZE, "upload_checksum": True} | options
    return program.uploader(**settings)


def sender(made: Firm) -> Actor:
    """A person of the firm, who still may declare when the upload is whole."""
    return people.actor(made.licensee, "declarant")


def begun(made: Firm, data: bytes = DATA) -> Upload:
    return services.begin_upload(actor=sender(made), declaration=draft(made), name="use.csv", size=len(data))


def test_the_official_client_cut_off_at_each_part(site: str, made: Firm) -> None:
    declaration = draft(made)
    first = uploader(site, made, declaration, metadata={"filename": "use.csv", "sha256": sha256(DATA)})
    first.upload_chunk()
    where, taken = first.url, 1
    while first.offset < len(DATA):
        first = uploader(site, made, declaration, url=where)  # a new process, which knows the address alone
        assert first.offset == min(taken * SIZE, len(DATA))
        if first.offset < len(DATA):
            first.upload_chunk()
            taken += 1
    assert taken == -(-len(DATA) // SIZE)
    assert path_of(declaration.files.get().file).read_bytes() == DATA
    assert counts(services.process(declaration.pk)) == {"licensed": 4999}
    assert where.split("/")[-2] not in objects.folders("parts")


def test_what_came_before_the_line_was_cut_stays(site: str, made: Firm) -> None:
    upload = begun(made)
    port, word = urlsplit(site).port, token(made)

    def cut(start: int, half: bytes, *, checksum: str = "") -> None:
        head = (
            f"PATCH /api/v1/uploads/{upload.key}/ HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {word}\r\n"
            f"Tus-Resumable: 1.0.0\r\nUpload-Offset: {start}\r\nContent-Length: {SIZE}\r\n{checksum}"
            "Content-Type: application/offset+octet-stream\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", port)) as line:
            line.sendall(head.encode() + half)
            line.shutdown(socket.SHUT_WR)
            line.recv(1)

    cut(0, DATA[:12_345])
    upload.refresh_from_db()
    assert upload.received == 12_345
    announced = base64.b64encode(b"\0" * 32).decode()
    cut(12_345, DATA[12_345:13_000], checksum=f"Upload-Checksum: sha256 {announced}\r\n")
    upload.refresh_from_db()
    assert upload.received == 12_345, "of a part with a checksum all is taken, or nothing"
    last = uploader(site, made, Declaration.objects.get(), url=f"{site}/api/v1/uploads/{upload.key}/")
    last.upload()
    upload.refresh_from_db()
    assert path_of(upload.file).read_bytes() == DATA


def test_one_of_two_parts_at_one_offset_is_kept(made: Firm, monkeypatch: Any) -> None:
    upload = begun(made, b"abcdef")
    meet, write = meeting(2, 5), uploads._write
    monkeypatch.setattr(uploads, "_write", lambda *given: (write(*given), meet())[0])

    def send(data: bytes) -> Upload:
        now = Upload.objects.get(pk=upload.pk)
        return uploads.receive(upload=now, stream=io.BytesIO(data), offset=0, length=3)

    results = together(lambda: send(b"abc"), lambda: send(b"xyz"))
    assert [type(result) for result in results if not isinstance(result, Upload)] == [Conflict]
    [winner] = [data for data, result in zip((b"abc", b"xyz"), results, strict=True) if isinstance(result, Upload)]
    with objects.storage().open(f"parts/{upload.key}/{0:015d}") as kept:
        assert kept.read() == winner


def test_an_upload_is_finished_once(made: Firm) -> None:
    upload = begun(made)
    uploads.receive(upload=upload, stream=io.BytesIO(DATA), offset=0, length=len(DATA))
    done = together(*[lambda: services.finish_upload(upload.pk)] * 3)
    assert sum(isinstance(each, Upload) for each in done) == 1, done
    assert Declaration.objects.get().files.get().file.sha256 == sha256(DATA)


def test_two_files_that_end_at_once_are_both_attached(made: Firm) -> None:
    declaration = draft(made)
    files = {f"{n}.csv": lines(f"domain,news.example.co.kr,{n}") for n in range(1, 5)}
    announced = [services.Announced(path, len(data), sha256(data)) for path, data in files.items()]
    services.announce(actor=made.declarant, declaration=declaration, files=announced)
    who = sender(made)

    def send(path: str, data: bytes) -> Any:
        upload = services.begin_upload(actor=who, declaration=declaration, name="", path=path, size=len(data))
        return services.receive_part(
            actor=made.declarant, upload=upload, stream=io.BytesIO(data), offset=0, length=len(data)
        )

    together(*[lambda path=path, data=data: send(path, data) for path, data in files.items()])
    declaration.refresh_from_db()
    assert declaration.status == "received"
    assert list(declaration.files.order_by("position").values_list("path", flat=True)) == list(files)
    assert counts(services.process(declaration.pk)) == {"licensed": 4}


@pytest.fixture
def machines(settings: Any, tmp_path: Path) -> Callable[[str], None]:
    """`machines("b")`: from now on this is machine b, which has nothing of what the others keep by themselves."""

    def become(name: str) -> None:
        settings.OBJECT_CACHE = tmp_path / name

    return become


def test_another_machine_goes_on_where_one_stopped(
    bucket: Any, made: Firm, site: str, machines: Any, tmp_path: Path
) -> None:
    declaration = draft(made)
    machines("first")
    program = uploader(site, made, declaration, metadata={"filename": "use.csv"})
    program.upload_chunk()
    machines("second")
    program = uploader(site, made, declaration, url=program.url)
    assert program.offset == SIZE
    program.upload()
    machines("worker")
    assert path_of(declaration.files.get().file).read_bytes() == DATA
    assert len(copies()) == 1 and copies()[0].is_relative_to(tmp_path / "worker")
    assert {each.key.split("/")[1] for each in bucket.objects.all()} == {sha256(DATA)[:2]}, "the parts are gone"


def test_a_client_hears_that_its_upload_is_gone(site: str, made: Firm) -> None:
    declaration = draft(made)
    program = uploader(site, made, declaration)
    program.upload_chunk()
    services.cancel_upload(actor=made.declarant, upload=Upload.objects.get())
    with pytest.raises(TusCommunicationError) as caught:
        uploader(site, made, declaration, url=program.url)
    assert caught.value.status_code == 410
