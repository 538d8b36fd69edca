"""Kept files in a bucket instead of a folder: many machines see the same bytes, each through checked copies of its own."""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured

from accounts.identity.core import SYSTEM, Refusal
from accounts.organisations.models import Organisation
from config import storage
from licensing.intake import objects
from licensing.intake.models import StoredFile
from licensing.intake.services import keep, let_go, path_of
from tests.licensing.declaring import counts, declare, firm, lines
from tests.together import together

HOURS = 3600


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """A server on loopback that speaks S3."""
    from moto.server import ThreadedMotoServer

    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in keys.items():
            patch.setenv(name, value)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        yield "http://{}:{}".format(*server.get_host_and_port())
        server.stop()


@pytest.fixture
def bucket(endpoint: str, settings: Any, tmp_path: Path) -> Any:
    """An empty bucket as the storage of this test."""
    found = environ.Env()
    found.ENVIRON = {
        "OBJECT_STORAGE": "s3", "OBJECT_BUCKET": "kept", "OBJECT_ENDPOINT": endpoint, "OBJECT_REGION": "us-east-1",
        "OBJECT_PREFIX": "jeongsan", "OBJECT_ADDRESSING": "path",
    }  # fmt: skip
    settings.STORAGES = settings.STORAGES | {"objects": storage.objects(found, tmp_path / "unused")}
    settings.OBJECT_CACHE = tmp_path / "copies"
    made: Any = objects.storage()
    made.bucket.create()
    yield made.bucket
    made.bucket.objects.all().delete()
    made.bucket.delete()


@pytest.fixture
def society(db: None) -> Organisation:
    return Organisation.objects.create(ref="SOC", kind="society", name="Soc")


def kept(society: Organisation, data: bytes) -> StoredFile:
    return keep(actor=SYSTEM, stream=io.BytesIO(data), name="works.csv", organisation=society)


def copies() -> list[Path]:
    from django.conf import settings

    return sorted(Path(settings.OBJECT_CACHE).glob("??/*"))


def another_machine(settings: Any, tmp_path: Path) -> None:
    settings.OBJECT_CACHE = tmp_path / "another"


def keys(bucket: Any) -> list[str]:
    return sorted(each.key for each in bucket.objects.all())


def test_what_one_machine_keeps_another_reads(
    bucket: Any, society: Organisation, settings: Any, tmp_path: Path
) -> None:
    data = bytes(range(256)) * 50_000  # more than one part of the protocol
    stored = kept(society, data)
    digest = hashlib.sha256(data).hexdigest()
    assert keys(bucket) == [f"jeongsan/{digest[:2]}/{digest[2:]}"]
    assert not (tmp_path / "unused").exists()
    another_machine(settings, tmp_path)
    path = path_of(stored)
    assert path.read_bytes() == data and path.is_relative_to(tmp_path / "another")
    assert path_of(stored) == path


def test_a_file_is_fetched_once(bucket: Any, society: Organisation, settings: Any, tmp_path: Path) -> None:
    stored = kept(society, b"once")
    another_machine(settings, tmp_path)
    path_of(stored)
    bucket.objects.all().delete()
    assert path_of(stored).read_bytes() == b"once", "from the copy"
    another_machine(settings, tmp_path / "third")
    with pytest.raises(Refusal, match="no longer") as caught:
        path_of(stored)
    assert caught.value.code == "file_lost"
    assert kept(society, b"once") == stored and path_of(stored).read_bytes() == b"once", "sending it again heals it"


def test_workers_that_want_a_file_at_once_fetch_it_once(
    bucket: Any, society: Organisation, settings: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    stored = kept(society, bytes(range(256)) * 4000)
    another_machine(settings, tmp_path)
    opened, fetch = [], type(objects.storage())._open
    monkeypatch.setattr(
        type(objects.storage()), "_open", lambda self, name, mode="rb": (opened.append(name), fetch(self, name))[1]
    )
    paths = together(*[lambda: objects.here(stored.sha256, stored.size, name="x")] * 4)
    assert len(set(paths)) == 1 and paths[0].stat().st_size == stored.size
    assert len(opened) == 1


def test_a_damaged_object_is_never_read(bucket: Any, society: Organisation, settings: Any, tmp_path: Path) -> None:
    stored = kept(society, b"genuine")
    another_machine(settings, tmp_path)
    bucket.Object(keys(bucket)[0]).put(Body=b"genuinE")
    with pytest.raises(Refusal) as caught:
        path_of(stored)
    assert caught.value.code == "file_damaged"
    assert not copies() and not list((Path(settings.OBJECT_CACHE) / "incoming").iterdir())


def test_copies_are_bounded_and_those_in_use_stay(bucket: Any, society: Organisation, settings: Any) -> None:
    settings.OBJECT_CACHE_BYTES = 250
    files = [kept(society, bytes([n]) * 100) for n in range(4)]
    old, used, older, now = map(path_of, files)
    past = time.time()
    for path, hours in ((old, 3), (used, 1), (older, 5)):
        os.utime(path, (past - hours * HOURS,) * 2)
    now.unlink()
    path_of(files[3])
    assert set(copies()) == {used, now}, "the least recently used went first, until the rest fits"
    settings.OBJECT_CACHE_BYTES = 10
    now.unlink()
    path_of(files[3])
    assert set(copies()) == {used, now}, "work may still read what was used an hour ago"


def test_copies_of_what_nobody_reads_go_after_a_day(bucket: Any, society: Organisation) -> None:
    first, second = kept(society, b"1"), kept(society, b"2")
    os.utime(path_of(first), (time.time() - 25 * HOURS,) * 2)
    path_of(second).unlink()
    path_of(second)
    assert copies() == [path_of(second)]


def test_what_is_let_go_is_gone_everywhere(bucket: Any, society: Organisation) -> None:
    stored, other = kept(society, b"secret"), kept(society, b"stays")
    assert let_go(actor=SYSTEM, stored=stored)
    assert keys(bucket) == [f"jeongsan/{other.sha256[:2]}/{other.sha256[2:]}"]
    assert len(copies()) == 1


def test_a_declaration_is_processed_from_a_bucket(bucket: Any, db: None) -> None:
    made = declare(firm(), lines("domain,news.example.co.kr,5", "domain,nowhere.example.org,7", "isbn,oops,1"))
    assert counts(made) == {"licensed": 1, "unmatched": 1, "rejected": 1}
    assert len(keys(bucket)) == 3, "the file, its groups and its rejects"


@pytest.mark.parametrize(
    ("said", "answer"), [({"OBJECT_STORAGE": "s3"}, "OBJECT_BUCKET"), ({"OBJECT_STORAGE": "tape"}, "folder or s3")]
)
def test_a_storage_that_is_not_set_up_is_said(said: dict[str, str], answer: str, tmp_path: Path) -> None:
    found = environ.Env()
    found.ENVIRON = said
    with pytest.raises(ImproperlyConfigured, match=answer):
        storage.objects(found, tmp_path)
