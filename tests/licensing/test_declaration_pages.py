"""Pages of declarations, for the licensee who declares and the society that reviews."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from licensing.declarations import services
from licensing.declarations.models import Declaration
from tests.accounts.people import person
from tests.licensing.declaring import ISBN, Firm, declare, firm, lines
from tests.licensing.parties import organisation
from tests.licensing.test_tariff_pages import signed_in, text

pytestmark = pytest.mark.django_db
GOOD = lines(f"isbn,{ISBN},1000", "proprietary,F-1,5", "proprietary,U-1,6", "domain,a.example.com,7", "isbn,1,2")


@pytest.fixture
def parties(db: Any) -> Firm:
    return firm()


@pytest.fixture
def declarant(parties: Firm) -> Client:
    return signed_in(person(parties.licensee, "declarant"))


@pytest.fixture
def reviewer(parties: Firm) -> Client:
    return signed_in(person(parties.society, "licensing"))


def entered(of: Firm, data: bytes = GOOD, **change: Any) -> dict[str, Any]:
    return {
        "licence": of.licence.pk, "first_day": "2026-01-01", "end": "2026-04-01", "use": "train", "unit": "token",
        "bases": "revenue = 100\n", "file": SimpleUploadedFile("use.csv", data),
    } | change  # fmt: skip


def test_a_firm_declares_watches_and_hands_in(parties: Firm, declarant: Client) -> None:
    assert "L-1" in text(declarant.get("/declarations/new/"))
    answer = declarant.post("/declarations/new/", entered(parties), follow=True)
    made = Declaration.objects.get()
    assert (made.status, made.bases) == ("received", {"revenue": 100})
    assert "Waiting for a worker" in text(answer)
    watched = declarant.get(f"/declarations/{made.pk}/progress/")
    assert "HX-Refresh" not in watched
    assert "every 1s" in text(watched)

    services.process(made.pk)
    assert declarant.get(f"/declarations/{made.pk}/progress/")["HX-Refresh"] == "true"
    shown = text(declarant.get(f"/declarations/{made.pk}/"))
    for expected in (
        "₩10",
        "1,020",
        "public domain",
        "40% without mandate",
        "not in the form of its scheme",
        "domain:a.example.com",
    ):
        assert expected in shown, expected
    rejects = declarant.get(f"/declarations/{made.pk}/rejects/")
    assert b"".join(rejects.streaming_content).count(b"\r\n") == 2
    works = text(declarant.get(f"/declarations/{made.pk}/works/?status=unmatched&sort=-lines"))
    assert "a.example.com" in works
    assert "Unmandated" not in works
    declarant.post(f"/declarations/{made.pk}/submit/")
    assert Declaration.objects.get().status == "accepted"
    assert "Hand in" not in text(declarant.get(f"/declarations/{made.pk}/"))


@pytest.mark.parametrize(
    "change",
    [
        {"end": "2026-01-01"},
        {"licence": ""},
        {"bases": "revenue: 5"},
        {"bases": "revenue=1e3"},
        {"file": SimpleUploadedFile("use.csv", b"")},
        {"use": "steal"},
    ],
)
def test_a_bad_form_says_what_is_wrong_and_begins_nothing(
    parties: Firm, declarant: Client, change: dict[str, Any]
) -> None:
    answer = declarant.post("/declarations/new/", entered(parties, **change))
    assert answer.status_code == 200
    assert "error" in text(answer)
    assert Declaration.objects.count() == 0
    watched = declarant.post("/declarations/new/", entered(parties, **change), headers={"HX-Request": "true"})
    assert watched.status_code == 422


def test_the_same_file_is_refused_without_leaving_a_draft(parties: Firm, declarant: Client) -> None:
    declare(parties, GOOD)
    answer = declarant.post("/declarations/new/", entered(parties))
    assert "declared for this licence and period before" in text(answer)
    assert Declaration.objects.count() == 1


def test_a_file_that_cannot_be_read_is_explained_and_replaced(parties: Firm, declarant: Client) -> None:
    declarant.post("/declarations/new/", entered(parties, b"isbn,quantity\n1,2\n"))
    made = Declaration.objects.get()
    services.process(made.pk)
    shown = text(declarant.get(f"/declarations/{made.pk}/"))
    assert "lacks the columns" in shown
    declarant.post(f"/declarations/{made.pk}/attach/", {"file": SimpleUploadedFile("use.csv", GOOD)})
    services.process(made.pk)
    assert Declaration.objects.get().status == "processed"


def test_the_society_sees_what_was_handed_in_and_decides(parties: Firm, declarant: Client, reviewer: Client) -> None:
    data = lines(f"isbn,{ISBN},1000,page", header="identifier_type,identifier,units,unit")
    made = declare(parties, data)
    assert "No declarations yet" in text(reviewer.get("/declarations/"))
    assert reviewer.get(f"/declarations/{made.pk}/").status_code == 404
    declarant.post(f"/declarations/{made.pk}/submit/")
    assert f"#{made.pk}" in text(reviewer.get("/declarations/?status=submitted&licence=L-1"))
    shown = text(reviewer.get(f"/declarations/{made.pk}/"))
    assert "The tariff does not price some of it." in shown
    reviewer.post(f"/declarations/{made.pk}/ask/", {"detail": "Pages of what?"})
    assert "Pages of what?" in text(declarant.get(f"/declarations/{made.pk}/"))
    reviewer.post(f"/declarations/{made.pk}/accept/")
    assert Declaration.objects.get().status == "accepted"
    declarant.post(f"/declarations/{made.pk}/amend/")
    assert "It amends" in text(declarant.get(f"/declarations/{Declaration.objects.latest('pk').pk}/"))


def test_strangers_and_small_roles_are_kept_out(parties: Firm, declarant: Client) -> None:
    made = declare(parties, GOOD)
    stranger = signed_in(person(organisation("OTHER", "licensee"), "declarant"))
    viewer = signed_in(person(parties.licensee, "viewer"))
    for path in ("", "works/", "rejects/", "progress/"):
        assert stranger.get(f"/declarations/{made.pk}/{path}").status_code == 404
        assert viewer.get(f"/declarations/{made.pk}/{path}").status_code == 200
    for path in ("submit/", "amend/", "discard/", "attach/"):
        assert stranger.post(f"/declarations/{made.pk}/{path}").status_code in (400, 404)
        assert viewer.post(f"/declarations/{made.pk}/{path}").status_code == 403
    assert declarant.post(f"/declarations/{made.pk}/accept/").status_code == 403
    assert Client().get(f"/declarations/{made.pk}/").status_code == 302
    assert Declaration.objects.get().status == "processed"
    declarant.post(f"/declarations/{made.pk}/discard/")
    assert Declaration.objects.count() == 0


def test_lists_have_an_empty_state_that_says_what_to_do(parties: Firm, declarant: Client) -> None:
    assert "Declare use" in text(declarant.get("/declarations/"))
    assert "No declaration fits" in text(declarant.get("/declarations/?licence=NONE"))


def test_a_page_of_a_large_declaration_takes_few_queries(
    parties: Firm, declarant: Client, django_assert_max_num_queries: Any
) -> None:
    made = declare(parties, lines(*[f"domain,site{n}.example.com,{n + 1}" for n in range(500)]), submit=True)
    with django_assert_max_num_queries(29):
        declarant.get(f"/declarations/{made.pk}/")
