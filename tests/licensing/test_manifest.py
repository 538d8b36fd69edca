"""Several files a declaration: announced first, held to what was announced, processed once all are here."""

from __future__ import annotations

import io
from typing import Any

import duckdb
import pytest
from django.core.cache import cache
from django.test import Client

from accounts.identity.core import Conflict, Refusal
from licensing.declarations import services
from licensing.declarations.models import AnnouncedFile, Declaration
from licensing.declarations.services import Announced, quotas
from licensing.intake.models import Upload
from licensing.intake.paths import checked_path, partitions
from tests.licensing.declaring import Firm, counts, declare, firm, lines, uses
from tests.licensing.uploading import begin, client, draft, part, sha256

pytestmark = pytest.mark.django_db
NEWS = lines("domain,news.example.co.kr,1")
WIKI = lines("domain,en.wikipedia.org,2")
BAD = b"nothing,of,use\n1,2,3\n"


@pytest.fixture
def made() -> Firm:
    cache.clear()
    return firm()


@pytest.fixture
def program(made: Firm) -> Client:
    return client(made)


def line(path: str, data: bytes, *, hashed: bool = True) -> dict[str, Any]:
    return {"path": path, "bytes": len(data)} | ({"sha256": sha256(data)} if hashed else {})


def announce(program: Client, declaration: Declaration, *files: dict[str, Any]) -> Any:
    address = f"/api/v1/declarations/{declaration.pk}/manifest/"
    return program.post(address, {"files": list(files)}, content_type="application/json")


def send(program: Client, declaration: Declaration, path: str, data: bytes) -> Any:
    begun = begin(program, declaration, len(data), path=path)
    return part(program, begun["Location"], 0, data) if begun.status_code == 201 else begun


def status(declaration: Declaration) -> str:
    return str(Declaration.objects.values_list("status", flat=True).get(pk=declaration.pk))


def test_a_declaration_waits_for_all_that_was_announced(made: Firm, program: Client) -> None:
    declaration = draft(made)
    files = [line("a/news.csv", NEWS), line("a/wiki.csv", WIKI)]
    answer = announce(program, declaration, *files)
    assert answer.status_code == 200
    assert answer.json() == {"files": 2, "bytes": len(NEWS) + len(WIKI), "missing": [*files]}
    assert send(program, declaration, "a/wiki.csv", WIKI).status_code == 204
    assert program.get(f"/api/v1/declarations/{declaration.pk}/manifest/").json()["missing"] == files[:1]
    assert status(declaration) == "draft" and services.process(declaration.pk) is None
    asked = services.submit(actor=made.declarant, declaration=declaration)
    assert asked.status == "draft" and asked.submit_when_processed
    with pytest.raises(Conflict, match="missing"):
        services.resume(actor=made.declarant, declaration=declaration)
    assert send(program, declaration, "a/news.csv", NEWS).status_code == 204
    assert status(declaration) == "received"
    done = services.process(declaration.pk)
    assert counts(done) == {"licensed": 2} and done.status == "accepted", "it was to be handed in"
    placed = [(file.path, file.file.sha256) for file in declaration.files.order_by("position")]
    assert placed == [("a/news.csv", sha256(NEWS)), ("a/wiki.csv", sha256(WIKI))], "in the manifest's order"


def test_nothing_else_is_taken(made: Firm, program: Client) -> None:
    declaration = draft(made)
    announce(program, declaration, line("news.csv", NEWS))
    for path, data in (("other.csv", WIKI), ("other.csv", NEWS + b"\n"), ("news.csv", WIKI)):
        answer = send(program, declaration, path, data)
        assert (answer.status_code, answer.json()["code"]) == (409, "not_announced")
    with pytest.raises(Conflict, match="none of the files"):
        services.attach(actor=made.declarant, declaration=declaration, stream=io.BytesIO(WIKI), name="wiki.csv")
    same_size = NEWS.replace(b",1", b",9")
    answer = send(program, declaration, "news.csv", same_size)
    assert (answer.status_code, answer.json()["code"]) == (460, "sha256_mismatch")
    assert status(declaration) == "draft" and not declaration.files.exists()
    services.attach(actor=made.declarant, declaration=declaration, stream=io.BytesIO(NEWS), name="by-form.csv")
    assert status(declaration) == "received", "the plain way counts, too: the digest tells which one it is"
    assert declaration.files.get().path == "news.csv"


def test_announcing_again_takes_the_place_of_what_is_missing(made: Firm, program: Client) -> None:
    declaration = draft(made)
    announce(program, declaration, line("news.csv", NEWS), line("wiki.csv", WIKI), line("typo.csv", BAD))
    send(program, declaration, "news.csv", NEWS)
    again = announce(program, declaration, line("news.csv", NEWS), line("wiki.csv", WIKI))
    assert [file["path"] for file in again.json()["missing"]] == ["wiki.csv"]
    assert announce(program, declaration, line("news.csv", WIKI)).json()["code"] == "already_there"
    assert [file["path"] for file in announce(program, declaration, line("b", BAD)).json()["missing"]] == ["b"]
    assert announce(program, declaration).json()["missing"] == []
    assert status(declaration) == "received", "what is here is all there will be"


def test_without_digests_only_sizes_are_held_to(made: Firm, program: Client) -> None:
    declaration = draft(made)
    announce(program, declaration, line("news.csv", NEWS, hashed=False), line("wiki.csv", WIKI, hashed=False))
    assert send(program, declaration, "news.csv", WIKI).status_code == 409
    assert send(program, declaration, "news.csv", NEWS).status_code == 204
    assert send(program, declaration, "wiki.csv", WIKI).status_code == 204
    assert status(declaration) == "received"


def test_the_same_content_under_two_names_is_said(made: Firm, program: Client) -> None:
    declaration = draft(made)
    assert announce(program, declaration, line("a", NEWS), line("b", NEWS)).json()["code"] == "twice"
    announce(program, declaration, line("a", NEWS, hashed=False), line("b", NEWS, hashed=False))
    send(program, declaration, "a", NEWS)
    answer = send(program, declaration, "b", NEWS)
    assert (answer.status_code, answer.json()["code"]) == (409, "same_content")


def test_of_several_files_only_the_failed_ones_are_sent_again(made: Firm, program: Client) -> None:
    declaration = draft(made)
    announce(program, declaration, line("news.csv", NEWS), line("wiki.csv", BAD))
    send(program, declaration, "news.csv", NEWS)
    send(program, declaration, "wiki.csv", BAD)
    assert services.process(declaration.pk).status == "failed"
    answer = announce(program, declaration, line("news.csv", NEWS), line("wiki.csv", WIKI))
    assert [file["path"] for file in answer.json()["missing"]] == ["wiki.csv"]
    send(program, declaration, "wiki.csv", WIKI)
    assert counts(services.process(declaration.pk)) == {"licensed": 2}


def test_after_a_failure_the_plain_way_needs_no_new_manifest(made: Firm, program: Client) -> None:
    declaration = draft(made)
    announce(program, declaration, line("news.csv", BAD))
    send(program, declaration, "news.csv", BAD)
    assert services.process(declaration.pk).status == "failed"
    services.attach(actor=made.declarant, declaration=declaration, stream=io.BytesIO(NEWS), name="news.csv")
    assert status(declaration) == "received"


def test_a_file_that_is_here_gets_its_place_by_the_manifest(made: Firm, program: Client) -> None:
    declaration = draft(made)
    services.attach(actor=made.declarant, declaration=declaration, stream=io.BytesIO(NEWS), name="news.csv")
    services.process(declaration.pk)
    announce(program, declaration, line("in/news.csv", NEWS), line("in/wiki.csv", WIKI))
    send(program, declaration, "in/news.csv", NEWS)
    send(program, declaration, "in/wiki.csv", WIKI)
    assert counts(services.process(declaration.pk)) == {"licensed": 2}
    assert list(declaration.files.order_by("position").values_list("path", flat=True)) == ["in/news.csv", "in/wiki.csv"]


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ([Announced("../x", 1)], "bad_path"),
        ([Announced("/x", 1)], "bad_path"),
        ([Announced("a\\b", 1)], "bad_path"),
        ([Announced("a%00b", 1)], "bad_path"),
        ([Announced("x", 0)], "empty_file"),
        ([Announced("x", 1, "12")], "bad_sha256"),
        ([Announced("x", 1), Announced("x", 2)], "twice"),
        ([Announced(str(n), 1) for n in range(10_001)], "too_many_files"),
    ],
)
def test_a_manifest_that_cannot_be(made: Firm, files: list[Announced], code: str) -> None:
    with pytest.raises(Refusal) as caught:
        services.announce(actor=made.declarant, declaration=draft(made), files=files)
    assert caught.value.code == code and not AnnouncedFile.objects.exists()


def test_a_manifest_is_held_to_the_quota_before_a_byte_is_sent(made: Firm) -> None:
    quotas.Quota.objects.create(licence=made.licence, most_bytes=100, most_rows=10)
    with pytest.raises(Refusal) as caught:
        services.announce(actor=made.declarant, declaration=draft(made), files=[Announced("a", 60), Announced("b", 41)])
    assert caught.value.code == "quota_bytes"


def test_a_manifest_comes_before_the_work_and_never_after(made: Firm, program: Client) -> None:
    handed_in = declare(made, NEWS, submit=True)
    assert announce(program, handed_in, line("x", WIKI)).status_code == 409
    at_work = draft(made)
    Declaration.objects.filter(pk=at_work.pk).update(status="processing", step="intake")
    assert announce(program, at_work, line("x", WIKI)).status_code == 409
    other = client(made, sandbox=True)
    assert announce(other, draft(made), line("x", WIKI)).status_code == 404
    assert not Upload.objects.exists()


def test_folders_name_what_lines_leave_out(made: Firm, program: Client, tmp_path: Any) -> None:
    file = tmp_path / "part-0.parquet"
    duckdb.sql(
        "SELECT 'domain' AS identifier_type, 'news.example.co.kr' AS identifier, 5 AS units, "
        "CASE WHEN i = 1 THEN '2026-03-01' END AS used_on FROM range(2) t(i)"
    ).write_parquet(str(file))
    data = file.read_bytes()
    declaration = draft(made, use="", unit="")
    path = "year=2026/use=train/unit=token/used_on=2026-01-15/part-0.parquet"
    announce(program, declaration, line(path, data))
    send(program, declaration, path, data)
    done = services.process(declaration.pk)
    assert counts(done) == {"licensed": 2}
    stored = [(str(use.used_on), use.use, use.unit, int(use.units)) for use in done.uses.order_by("used_on")]
    assert stored == [("2026-01-15", "train", "token", 5), ("2026-03-01", "train", "token", 5)]


def test_the_same_bytes_in_another_folder_are_read_anew(made: Firm, program: Client) -> None:
    found = []
    for day in ("2026-01-15", "2026-01-16"):
        declaration = draft(made, dataset=day)
        Declaration.objects.exclude(pk=declaration.pk).update(sha256="")
        send(program, declaration, f"used_on={day}/x.csv", NEWS)
        done = services.process(declaration.pk)
        found += [str(use.used_on) for use in done.uses.all()]
    assert found == ["2026-01-15", "2026-01-16"]


def test_a_folder_that_says_nonsense_spoils_its_lines_and_says_why(made: Firm, program: Client) -> None:
    declaration = draft(made)
    send(program, declaration, "use=steal/x.csv", NEWS)
    assert counts(services.process(declaration.pk)) == {"rejected": 1}
    assert uses(declaration) == []


def test_only_columns_of_the_file_are_taken_from_folders() -> None:
    columns = ("used_on", "use", "dataset")
    assert partitions("a/year=2026/Dataset=a%20b/use=/used_on=2026-01-01/use=train/x=use=1.csv", columns) == (
        ("dataset", "a b"), ("use", "train"), ("used_on", "2026-01-01"),
    )  # fmt: skip
    assert partitions("use=__HIVE_DEFAULT_PARTITION__/x", columns) == ()
    assert partitions("use=train", columns) == (), "a file's own name says nothing"
    assert checked_path("é/가.csv") == checked_path("é/가.csv")
