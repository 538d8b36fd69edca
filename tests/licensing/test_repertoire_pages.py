"""Pages of members, works and imports, and the works API: who sees what, and what they may do."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.identity.core import SYSTEM
from accounts.organisations.models import Organisation
from licensing.intake.models import Import
from licensing.permissions.services import imports
from licensing.repertoire import services
from licensing.repertoire.models import Holder, Share, Work
from tests.accounts.people import organisation, person
from tests.licensing.repertoire_files import bring
from tests.licensing.test_tariff_pages import signed_in, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def society() -> Organisation:
    society = organisation("KOLIT", "society")
    bring(society, "holders", "A,Ada", "B,Bo")
    bring(society, "works", "W1,book,The first book,isbn:9780306406157", "W2,web,Second place,domain:example.com")
    bring(society, "shares", "W1,A,author,1/3,,", "W1,B,author,1/3,,")
    bring(society, "mandates", "A,train,*,*,2026-01-01,")
    return society


@pytest.fixture
def client(society: Organisation) -> Client:
    return signed_in(person(society, "repertoire"))


@pytest.fixture
def creator(society: Organisation) -> Client:
    from accounts.access.services import create_person

    user, _new = create_person(actor=SYSTEM, email="ada@example.com", password="pw")
    services.represent(actor=SYSTEM, user=user, holder=Holder.objects.get(ref="A"))
    return signed_in(user)


def test_members_are_listed_found_and_shown(client: Client) -> None:
    assert "Ada" in text(client.get("/members/"))
    assert ">Bo<" not in text(client.get("/members/", {"q": "ada"}))
    assert "No member fits" in text(client.get("/members/", {"q": "nobody"}))
    page = text(client.get(f"/members/{Holder.objects.get(ref='A').pk}/"))
    for said in ("The first book", "33.3333%", "training", "worldwide"):
        assert said in page
    assert "No mandate" in text(client.get(f"/members/{Holder.objects.get(ref='B').pk}/"))


def test_a_member_is_added_and_changed(client: Client) -> None:
    entered = {"ref": "C", "name": "Cy", "kind": "person", "ipi": "1"}
    assert "errorlist" in text(client.post("/members/new/", entered))
    assert "is a member now" in text(client.post("/members/new/", entered | {"ipi": "14107338"}, follow=True))
    made = Holder.objects.get(ref="C")
    client.post(f"/members/{made.pk}/edit/", {"name": "Cyrus", "kind": "organisation"})
    made.refresh_from_db()
    assert (made.name, made.kind, made.ipi) == ("Cyrus", "organisation", "")


def test_works_are_listed_and_found(client: Client) -> None:
    assert "The first book" in text(client.get("/works/"))
    for asked in ("first book", "W1", "isbn:0-306-40615-2"):
        page = text(client.get("/works/", {"q": asked}))
        assert "The first book" in page
        assert "Second place" not in page
    assert "Second place" not in text(client.get("/works/", {"kind": "book"}))
    assert "No work fits" in text(client.get("/works/", {"q": "isbn:9780804429573"}))
    assert "No work fits" in text(client.get("/works/", {"q": "third: thing"}))


def test_a_work_shows_its_shares_and_what_is_missing(client: Client) -> None:
    page = text(client.get(f"/works/{Work.objects.get(ref='W1').pk}/"))
    for said in ("ISBN", "9780306406157", "1/3", "66.6666%", "33.3334%", "Not all of it is recorded"):
        assert said in page
    assert "nobody is paid" in text(client.get(f"/works/{Work.objects.get(ref='W2').pk}/"))


def test_a_work_is_added_with_its_shares(client: Client) -> None:
    entered = {"ref": "W3", "title": "Third", "kind": "book", "identifiers": "isbn:9780306406157"}
    assert "names the work W1" in text(client.post("/works/new/", entered))
    answer = client.post(
        "/works/new/", entered | {"identifiers": "isbn:9780804429573", "protected_until": "2050-01-01"}
    )
    made = Work.objects.get(ref="W3")
    assert answer["Location"] == f"/works/{made.pk}/shares/"
    assert made.protected_until == dt.date(2050, 1, 1)
    assert "Ada" not in text(client.get(answer["Location"]))
    form = {"form-TOTAL_FORMS": "3", "form-INITIAL_FORMS": "0"}
    good = form | {"form-0-holder_ref": "A", "form-0-share": "1/2", "form-1-holder_ref": "B", "form-1-share": "1/2"}
    bad = text(client.post(answer["Location"], good | {"form-1-share": "half", "form-1-holder_ref": "Z"}))
    assert "There is no holder with this reference" in bad
    assert "needs both" in text(client.post(answer["Location"], good | {"form-1-share": ""}))
    assert not Share.objects.filter(work=made).exists()
    assert client.post(answer["Location"], good).status_code == 302
    assert sorted(Share.objects.filter(work=made).values_list("holder__ref", "ppm")) == [("A", 500_000), ("B", 500_000)]
    client.post(f"/works/{made.pk}/edit/", {"title": "Fourth", "kind": "book", "identifiers": ""})
    made.refresh_from_db()
    assert (made.title, made.identifiers.count()) == ("Fourth", 0)


def test_a_creator_sees_their_own_works_alone(creator: Client, society: Organisation) -> None:
    page = text(creator.get("/works/"))
    assert "The first book" in page
    assert "Second place" not in page
    assert "Add a work" not in page
    assert "33.3334%" in text(creator.get(f"/works/{Work.objects.get(ref='W1').pk}/"))
    for address in (
        f"/works/{Work.objects.get(ref='W2').pk}/",
        f"/members/{Holder.objects.get(ref='B').pk}/",
    ):
        assert creator.get(address).status_code == 404
    assert creator.get(f"/members/{Holder.objects.get(ref='A').pk}/").status_code == 200
    assert creator.get("/members/").status_code == 403
    assert creator.get("/imports/").status_code == 403


def test_doors(society: Organisation, client: Client) -> None:
    work, holder = Work.objects.get(ref="W1").pk, Holder.objects.get(ref="A").pk
    made = Import.objects.order_by("pk").first()
    assert made is not None
    reading = ["/members/", f"/members/{holder}/", "/works/", f"/works/{work}/", "/imports/", f"/imports/{made.pk}/"]
    writing = [
        "/members/new/",
        f"/members/{holder}/edit/",
        "/works/new/",
        f"/works/{work}/edit/",
        f"/works/{work}/shares/",
    ]
    auditor = signed_in(person(society, "auditor"))
    other = organisation("OTHER", "society")
    stranger = signed_in(person(other, "repertoire"))
    for address in reading:
        assert Client().get(address).status_code == 302
        assert auditor.get(address).status_code == 200
    for address in writing:
        assert auditor.get(address).status_code == 403
        assert client.get(address).status_code == 200
    for address in (f"/members/{holder}/", f"/works/{work}/", f"/works/{work}/shares/", f"/imports/{made.pk}/"):
        assert stranger.get(address).status_code == 404
    assert auditor.post("/imports/", {"kind": "works", "file": SimpleUploadedFile("f", b"x")}).status_code == 200
    assert Import.objects.filter(status="waiting").count() == 0


def sent(client: Client, kind: str, data: bytes) -> Any:
    return client.post("/imports/", {"kind": kind, "file": SimpleUploadedFile("my file.csv", data)})


def test_a_file_is_sent_read_and_reported(client: Client, society: Organisation) -> None:
    answer = sent(client, "holders", b"holder_ref,name\nC,Cy\n,=1+1\n")
    made = Import.objects.order_by("-pk").first()
    assert made is not None
    assert answer["Location"] == f"/imports/{made.pk}/"
    assert "Waiting for a worker" in text(client.get(f"/imports/{made.pk}/progress/"))
    imports.run(made.pk)
    imports.run(made.pk)
    assert client.get(f"/imports/{made.pk}/progress/")["HX-Refresh"] == "true"
    page = text(client.get(f"/imports/{made.pk}/"))
    assert "a value is missing" in page
    rejects = client.get(f"/imports/{made.pk}/rejects.csv")
    assert rejects.content.decode() == "row,column,value,reason\r\n3,holder_ref,,a value is missing\r\n"
    assert "my file.csv" in text(client.get("/imports/"))
    assert Holder.objects.filter(ref="C").exists()
    assert Import.objects.filter(file=made.file).count() == 1


def test_a_file_that_is_none_is_said(client: Client) -> None:
    sent(client, "works", b"PK\x03\x04 a workbook")
    made = Import.objects.order_by("-pk").first()
    assert made is not None
    imports.run(made.pk)
    made.refresh_from_db()
    assert (made.status, made.problem["code"]) == ("failed", "unknown_format")
    assert "Excel" in text(client.get(f"/imports/{made.pk}/"))
    assert "The file is empty" in text(sent(client, "works", b""))


def test_a_fault_of_ours_is_said_once_and_not_tried_for_ever(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    sent(client, "holders", b"holder_ref,name\nC,Cy\n")
    made = Import.objects.get(status="waiting")

    def broken(**_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(imports._SERVICES, "holders", broken)
    with pytest.raises(ZeroDivisionError):
        imports.run(made.pk)
    made.refresh_from_db()
    assert (made.status, made.problem["code"]) == ("failed", "internal")
    assert "Nothing was imported" in text(client.get(f"/imports/{made.pk}/"))
    imports.run(made.pk)


def test_an_import_whose_worker_was_lost_is_run_again(client: Client) -> None:
    sent(client, "holders", b"holder_ref,name\nC,Cy\n")
    old = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    Import.objects.filter(status="waiting").update(status="running", requested_at=old)
    [lost] = imports.stalled()
    imports.run(lost)
    assert Import.objects.get(pk=lost).status == "done"
    assert imports.stalled() == []


def test_the_works_api_is_public(society: Organisation) -> None:
    def found(**query: str) -> list[str]:
        return [w["work_ref"] for w in Client().get("/api/v1/works/", query).json()["results"]]

    [work] = Client().get("/api/v1/works/", {"identifier": "isbn:0-306-40615-2"}).json()["results"]
    assert (work["work_ref"], work["society"], work["identifiers"]) == (
        "W1", "KOLIT", [{"scheme": "isbn", "value": "9780306406157"}],
    )  # fmt: skip
    assert "shares" not in work
    assert found() == ["W1", "W2"]
    assert found(q="second") == found(kind="web") == found(identifier="domain:EXAMPLE.com") == ["W2"]
    assert found(society="NONE") == found(identifier="domain:example.org") == []
    problem = Client().get("/api/v1/works/", {"identifier": "isbn:1"})
    assert problem.status_code == 400
    assert problem["Content-Type"] == "application/problem+json"
    assert Client().get(f"/api/v1/works/{work['id']}/").json()["title"] == "The first book"
