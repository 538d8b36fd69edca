"""The page of a declaration tells what of its files is here, missing or on its way, and works without a script."""

from __future__ import annotations

from html import unescape

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from licensing.declarations import services
from licensing.declarations.models import Declaration
from licensing.declarations.services import Announced
from licensing.intake.models import Upload
from tests.accounts import people
from tests.licensing.declaring import Firm, firm, lines
from tests.licensing.uploading import begin, client, draft, part

pytestmark = pytest.mark.django_db
NEWS = lines("domain,news.example.co.kr,1")
WIKI = lines("domain,en.wikipedia.org,2")


@pytest.fixture
def made() -> Firm:
    cache.clear()
    return firm()


@pytest.fixture
def declarant(made: Firm) -> Client:
    found = Client()
    found.force_login(people.person(made.licensee, "declarant"))
    return found


def text(declarant: Client, declaration: Declaration) -> str:
    return unescape(declarant.get(f"/declarations/{declaration.pk}/").content.decode())


def test_a_declaration_begins_without_its_files(made: Firm, declarant: Client) -> None:
    assert "on the next page" in declarant.get("/declarations/new/").content.decode()
    entered = {
        "licence": made.licence.pk,
        "first_day": "2026-01-01",
        "end": "2026-04-01",
        "use": "train",
        "unit": "token",
    }
    answer = declarant.post("/declarations/new/", entered, follow=True)
    assert "Now send its files." in answer.content.decode()
    begun = Declaration.objects.get()
    assert begun.status == "draft" and not begun.files.exists()
    shown = text(declarant, begun)
    assert f'data-create="/api/v1/declarations/{begun.pk}/uploads/"' in shown and "data-plain" in shown
    declarant.post(f"/declarations/{begun.pk}/attach/", {"file": SimpleUploadedFile("use.csv", NEWS)})
    assert begun.files.count() == 1, "the plain form needs no script"


def test_what_is_missing_is_named_and_may_be_done_without(made: Firm, declarant: Client) -> None:
    declaration, program = draft(made), client(made)
    files = [Announced(f"in/{n}.csv", len(NEWS) if n == 0 else 9) for n in range(13)]
    services.announce(actor=made.declarant, declaration=declaration, files=files)
    assert (
        part(program, begin(program, declaration, len(NEWS), path="in/0.csv")["Location"], 0, NEWS).status_code == 204
    )
    shown = text(declarant, declaration)
    assert "12 of 13 announced files are missing." in shown
    assert "in/1.csv" in shown and "in/10.csv" in shown and "in/12.csv" not in shown
    assert "files announced" in shown
    declarant.post(f"/declarations/{declaration.pk}/manifest/forget/")
    declaration.refresh_from_db()
    assert declaration.status == "received"
    assert "missing" not in text(declarant, declaration)


def test_a_half_sent_file_is_shown_and_deleted(made: Firm, declarant: Client) -> None:
    declaration, program = draft(made), client(made)
    where = begin(program, declaration, 4000, filename="big.csv")["Location"]
    part(program, where, 0, b"x" * 1000)
    shown = text(declarant, declaration)
    assert "Not arrived whole" in shown and "big.csv" in shown
    stranger = Client()
    stranger.force_login(people.person(people.organisation("OTHER", "licensee"), "declarant"))
    key = Upload.objects.get().key
    address = f"/declarations/{declaration.pk}/uploads/cancel/"
    assert stranger.post(address, {"upload": key}).status_code == 404
    assert Upload.objects.get().status == "open"
    assert "is deleted" in unescape(declarant.post(address, {"upload": key}, follow=True).content.decode())
    assert Upload.objects.get().status == "cancelled"
    assert "big.csv" not in text(declarant, declaration)


def test_a_folder_of_many_files_is_shown_in_bounds(made: Firm, declarant: Client) -> None:
    declaration = draft(made)
    for n in range(12):
        declarant.post(
            f"/declarations/{declaration.pk}/attach/",
            {"file": SimpleUploadedFile(f"{n}.csv", lines(f"domain,a.example.com,{n + 1}"))},
        )
    assert "… and 2 more files." in text(declarant, declaration)
