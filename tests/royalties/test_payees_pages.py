"""The pages and the API of payment details: masked everywhere, decided by a second person, read for a reason."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.identity.core import Actor
from accounts.identity.models import User
from accounts.notices.models import Letter
from royalties.payees import services
from royalties.payees.models import PayeeDetails, PayeeImport, PayeeReading, PayeeTerms, TaxPaper
from tests.royalties.payees_world import KOREAN, Payers, make_payers

pytestmark = pytest.mark.django_db
FORM = KOREAN | {"holder_name": "Han", "bic": "", "currency": ""}


@pytest.fixture
def payers() -> Payers:
    return make_payers()


def browser(actor: Actor) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=actor.user_id))
    return client


def shown(client: Client, address: str, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, address
    return answer.content.decode()


def test_a_creator_enters_an_account_and_sees_it_masked_with_its_day(payers: Payers) -> None:
    holder = payers.holder("H-1")
    me = browser(payers.member(holder))
    assert "Nothing can be paid to you yet" in shown(me, "/payment-details/")
    change = f"/payment-details/{holder.pk}/change/"
    assert "3 days after that" in shown(me, change)
    wrong = me.post(change, FORM | {"account": "12"})
    assert wrong.status_code == 200 and "10 to 16 digits" in wrong.content.decode()
    assert me.post(change, FORM).status_code == 302
    page = shown(me, "/payment-details/")
    assert "••••6789" in page and "110123456789" not in page and "110-123-456789" not in page
    details = PayeeDetails.objects.get()
    payers.approve(details)
    services.reveal(actor=payers.first, details_ids=[details.pk], reason="bank file 12")
    page = shown(me, "/payment-details/")
    assert "bank file 12" in page and "Stop this change" in page
    assert me.post(f"/payment-details/versions/{details.pk}/object/").status_code == 302
    details.refresh_from_db()
    assert details.status == "objected"


def test_every_change_that_is_not_used_yet_can_be_stopped(payers: Payers) -> None:
    """One that waits for its day is not hidden by another that was asked for after it."""
    holder = payers.holder("H-1")
    me, first = browser(payers.member(holder)), payers.approve(payers.ask(holder))
    second = payers.ask(holder, account="110-999-888777")
    page = shown(me, "/payment-details/")
    for details in (first, second):
        assert f"/payment-details/versions/{details.pk}/object/" in page
        assert me.post(f"/payment-details/versions/{details.pk}/object/").status_code == 302
    assert "A change is on its way." not in shown(me, "/payment-details/")


def test_a_stranger_finds_nobody_elses_details(payers: Payers) -> None:
    holder, other = payers.holder("H-1"), payers.holder("H-2")
    details = payers.ask(holder)
    stranger = browser(payers.member(other))
    shown(stranger, f"/payment-details/{holder.pk}/change/", 404)
    assert stranger.post(f"/payment-details/versions/{details.pk}/object/").status_code == 404
    delegate = browser(payers.member(holder, "catalogue"))
    shown(delegate, "/payment-details/", 403)
    for address in (f"/payees/{details.payee_id}/", "/payees/"):
        shown(stranger, address, 403)


def test_the_link_in_the_letter_stops_a_change_without_an_account(payers: Payers) -> None:
    holder = payers.holder("H-1", email="h1@example.org")
    details = payers.ask(holder)
    link = Letter.objects.get(key=f"payee-change:{details.pk}").link
    anybody = Client()
    assert "••••6789" in shown(anybody, link)
    assert PayeeDetails.objects.get().status == "requested"  # looking changes nothing
    assert "Stopped." in anybody.post(link).content.decode()
    assert PayeeDetails.objects.get().status == "objected" and "Stopped." in shown(anybody, link)
    shown(anybody, "/payees/stop/forged/", 404)


def test_one_person_enters_another_approves_checks_and_reads(payers: Payers) -> None:
    holder = payers.holder("H-1")
    first, second = browser(payers.first), browser(payers.second)
    assert "no payment details" in shown(first, "/payees/?reason=no_payee")
    assert first.post(f"/payees/holders/{holder.pk}/", FORM).status_code == 302
    details = PayeeDetails.objects.get()
    page = f"/payees/{details.payee_id}/"
    assert "A second person has to decide." in shown(first, page)
    assert "waits for a second person" in shown(first, "/payees/") and "••••6789" in shown(first, "/payees/changes/")
    assert first.post(f"/payees/details/{details.pk}/decide/", {"decision": "approve"}).status_code == 403
    assert second.post(f"/payees/details/{details.pk}/decide/", {"decision": "approve"}).status_code == 302
    assert second.post(f"/payees/details/{details.pk}/checks/", {"state": "clear", "source": ""}).status_code == 200
    check = {"state": "clear", "source": "UN list, 1 Nov 2026", "note": ""}
    assert second.post(f"/payees/details/{details.pk}/checks/", check).status_code == 302
    assert "UN list, 1 Nov 2026" in shown(first, page)
    assert "110123456789" not in shown(first, page)
    assert first.post(f"/payees/details/{details.pk}/read/", {"reason": ""}).content.decode().count("110123456789") == 0
    read = first.post(f"/payees/details/{details.pk}/read/", {"reason": "compare with the form"})
    assert "110123456789" in read.content.decode() and "no-store" in read["Cache-Control"]
    assert PayeeReading.objects.get().reason == "compare with the form"


def test_a_file_is_uploaded_by_one_and_approved_by_another(payers: Payers) -> None:
    payers.holder("H-1", tax_status="kr_business")
    first, second = browser(payers.first), browser(payers.second)
    text = b"holder_ref,account,bank\nH-1,110-123-456789,088\nH-2,110-123-456780,088\n"
    answer = first.post("/payees/imports/", {"file": SimpleUploadedFile("payees.csv", text), "screened": ""})
    made = PayeeImport.objects.get()
    assert answer.status_code == 302 and answer["Location"] == f"/payees/imports/{made.pk}/"
    page = shown(first, f"/payees/imports/{made.pk}/")
    assert "no holder of this ref" in page and "110-123" not in page
    assert first.post(f"/payees/imports/{made.pk}/decide/", {"decision": "approve"}).status_code == 403
    assert second.post(f"/payees/imports/{made.pk}/decide/", {"decision": "approve"}).status_code == 302
    assert PayeeDetails.objects.get().status == "approved"
    assert "payees.csv" in shown(first, "/payees/imports/")
    bad = first.post("/payees/imports/", {"file": SimpleUploadedFile("x.csv", b"PK\x03\x04zip"), "screened": ""})
    assert bad.status_code == 200 and PayeeImport.objects.count() == 1


def test_two_people_set_the_waiting_time_and_a_certificate(payers: Payers) -> None:
    holder = payers.holder("H-1", country="JP")
    payee = services.payee_of(holder)
    first, second = browser(payers.first), browser(payers.second)
    assert first.post("/payees/waiting-time/", {"cooling_off_days": 5}).status_code == 302
    terms = PayeeTerms.objects.get()
    assert second.post(f"/payees/waiting-time/{terms.pk}/decide/", {"decision": "approve"}).status_code == 302
    assert "5 days later" in shown(first, "/payees/waiting-time/") and "5 days" in shown(
        first, f"/payees/waiting-time/{terms.pk}/"
    )
    today = timezone.localdate()
    said: dict[str, Any] = {
        "kind": "treaty", "country": "JP", "valid_from": today, "valid_to": today + datetime.timedelta(days=30), "percent": "10",
        "local_tax_included": "on", "claims_treaty": "on", "document": SimpleUploadedFile("jp.pdf", b"%PDF-1.7 paper"),
    }  # fmt: skip
    assert first.post(f"/payees/{payee.pk}/papers/", said).status_code == 302
    paper = TaxPaper.objects.get()
    assert "10%" in shown(first, f"/payees/papers/{paper.pk}/") and "jp.pdf" in shown(
        second, f"/payees/papers/{paper.pk}/"
    )
    assert first.post(f"/payees/papers/{paper.pk}/decide/", {"decision": "approve"}).status_code == 403
    assert second.post(f"/payees/papers/{paper.pk}/decide/", {"decision": "approve"}).status_code == 302
    assert second.post(f"/payees/papers/{paper.pk}/revoke/", {"reason": "moved"}).status_code == 302
    assert TaxPaper.objects.get().status == "revoked"


def test_a_creditor_gets_an_account_of_their_own(payers: Payers) -> None:
    first = browser(payers.first)
    answer = first.post("/payees/others/", {"name": "Seoul Central District Court"})
    assert first.post(answer["Location"], FORM | {"tax_status": "exempt"}).status_code == 302
    assert "Seoul Central District Court" in shown(first, "/payees/") and "not a holder" in shown(
        first, answer["Location"].replace("change/", "")
    )


def test_the_api_shows_the_creators_own_details_masked(payers: Payers) -> None:
    holder, other = payers.holder("H-1"), payers.holder("H-2")
    payers.ask(other)
    member = payers.member(holder)
    payers.ask(holder, member)
    answer = browser(member).get("/api/v1/me/payee/")
    assert answer.status_code == 200 and b"110123456789" not in answer.content
    (row,) = answer.json()["results"]
    assert (row["holder"], row["in_use"], row["blocked"]) == ("H-1", None, "not_approved")
    assert (row["waiting"]["account"], row["waiting"]["status"]) == ("••••6789", "requested")
    assert Client().get("/api/v1/me/payee/").status_code == 401


def test_pages_speak_korean(payers: Payers) -> None:
    holder = payers.holder("H-1")
    me = browser(payers.member(holder))
    me.cookies["django_language"] = "ko"
    page = shown(me, "/payment-details/")
    assert "지급 계좌" in page and "My payment details" not in page
