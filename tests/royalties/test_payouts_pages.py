"""Payouts on pages, in the API and from the command line: who sees what, and what it says."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.identity.core import Actor
from accounts.identity.models import User
from royalties.payouts import services, tasks
from royalties.payouts.models import Batch, Payment
from tests.royalties.payouts_world import Office, make_office, pain002

pytestmark = pytest.mark.django_db


@pytest.fixture
def office(db: None) -> Office:
    made = make_office()
    made.holder("A", 1_234_567)
    made.poor("B", 500)
    return made


def signed_in(actor: Actor) -> Client:
    client = Client()
    client.force_login(User.objects.get(pk=actor.user_id))
    return client


def pay(office: Office, *more: str) -> tuple[int, dict[str, Any]]:
    out = io.StringIO()
    status = 0
    try:
        call_command(
            "pay",
            "--society",
            office.society.ref,
            "--on",
            timezone.localdate().isoformat(),
            *more,
            "--json",
            stdout=out,
        )
    except SystemExit as ended:
        status = int(ended.code or 0)
    return status, json.loads(out.getvalue().splitlines()[-1])


PEOPLE = ("--as", "first@korea-web.example", "--approve-as", "second@korea-web.example")


def test_pay_prints_what_other_programs_rely_on(office: Office, tmp_path: Path) -> None:
    status, said = pay(office)
    assert status == 0
    assert {"batch", "gross", "withheld", "net", "payments", "carried_forward", "currency"} <= set(said)
    assert (said["gross"], said["withheld"], said["net"], said["payments"]) == (1_234_567, 40_730, 1_193_837, 1)
    assert (said["carried_forward"], said["currency"], said["status"]) == (500, "KRW", "prepared")
    status, refused = pay(office, "--out", str(tmp_path / "a.xml"))
    assert (status, refused["error"]["code"]) == (1, "batch_is_not_ordered")
    assert not (tmp_path / "a.xml").exists()


def test_pay_approves_orders_and_writes_the_file_once(office: Office, tmp_path: Path) -> None:
    out = tmp_path / "bank.xml"
    status, said = pay(office, *PEOPLE, "--out", str(out))
    assert (status, said["status"], said["copy"]) == (0, "sent", False)
    assert hashlib.sha256(out.read_bytes()).hexdigest() == said["sha256"]
    again = pay(office, *PEOPLE, "--out", str(tmp_path / "copy.xml"))[1]
    assert (again["batch"], again["copy"], again["sha256"]) == (said["batch"], True, said["sha256"])
    assert Payment.objects.count() == 1


def test_pay_needs_two_people_to_approve(office: Office) -> None:
    status, said = pay(office, "--approve-as", "second@korea-web.example")
    assert (status, said["error"]["code"]) == (1, "second_person_needed")
    pay(office, "--as", "first@korea-web.example")
    status, said = pay(office, "--approve-as", "second@korea-web.example")
    assert (status, said["status"]) == (0, "ordered"), "the first person has asked already"


def test_finance_takes_a_payout_through_its_pages(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.go_on, "delay", lambda batch_id: tasks.go_on(batch_id))
    first, second = signed_in(office.first), signed_in(office.second)
    queue = first.get(reverse("royalties:payouts")).content.decode()
    assert "₩1,234,567" in queue
    assert "No payment details" in queue
    day = timezone.localdate().isoformat()
    first.post(reverse("royalties:payout_policy"), {
        "currency": "KRW", "valid_from": day, "threshold": "1,000", "schedule": "monthly", "day": 10, "columns": "",
    })  # fmt: skip
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.transaction.on_commit", lambda act, **_: act())
        first.post(reverse("royalties:payout_start"), {"execute_on": day, "currency": "KRW"})
        batch = Batch.objects.get()
        assert batch.status == "prepared"
        page = first.get(reverse("royalties:payout", args=[batch.pk])).content.decode()
        assert "Equal to what the payments take" in page
        first.post(reverse("royalties:payout_ask", args=[batch.pk]))
        assert (
            "A second person has to decide" in first.get(reverse("royalties:payout", args=[batch.pk])).content.decode()
        )
        second.post(reverse("royalties:payout_decide", args=[batch.pk]), {"decision": "approve"})
    file = second.post(reverse("royalties:payout_file", args=[batch.pk, "xml"]))
    content = b"".join(file.streaming_content)
    batch.refresh_from_db()
    assert (batch.status, file["X-Content-SHA256"]) == ("sent", hashlib.sha256(content).hexdigest())
    upload = SimpleUploadedFile("answer.xml", pain002(batch.order["message_id"], group="ACSC"))
    first.post(reverse("royalties:payout_answer", args=[batch.pk]), {"file": upload})
    batch.refresh_from_db()
    assert batch.status == "settled"
    payment = Payment.objects.get()
    assert "40,730" not in content.decode()
    shown = first.get(reverse("royalties:payment", args=[payment.pk])).content.decode()
    assert payment.end_to_end_id in shown
    first.post(reverse("royalties:payment", args=[payment.pk]), {"on": day, "reason": "closed account"})
    payment.refresh_from_db()
    assert payment.status == "returned"
    for language in ("en", "ko"):
        User.objects.filter(pk=office.first.user_id).update(language=language)
        for name in ("payouts", "payout_start", "payout_policy"):
            assert first.get(reverse(f"royalties:{name}")).status_code == 200


def test_strangers_find_nothing_and_creators_see_their_own(office: Office) -> None:
    batch = office.sent()
    other = make_office("OTHER")
    assert signed_in(other.first).get(reverse("royalties:payout", args=[batch.pk])).status_code == 404
    member = office.estate.payers.member(office.holders["A"])
    poor = office.estate.payers.member(office.holders["B"])
    assert signed_in(member).get(reverse("royalties:payouts")).status_code in (403, 404)
    mine = signed_in(member).get(reverse("royalties:my_payouts")).content.decode()
    assert "₩1,193,837" in mine
    assert "••••6789" in mine
    assert "110123456789" not in mine
    theirs = signed_in(poor).get(reverse("royalties:my_payouts")).content.decode()
    assert "₩1,193,837" not in theirs
    assert "no payment details" in theirs


def test_the_api_gives_creators_their_payments_by_cursor(office: Office) -> None:
    batch = office.sent()
    member = office.estate.payers.member(office.holders["A"])
    listed = signed_in(member).get("/api/v1/me/payouts/").json()
    assert {"next", "previous", "results"} <= set(listed)
    [found] = listed["results"]
    assert (found["payout"], found["gross"], found["withheld"], found["net"]) == (
        batch.pk,
        1_234_567,
        40_730,
        1_193_837,
    )
    assert [tax["amount"] for tax in found["taxes"]] == [37_030, 3_700]
    assert (found["status"], found["account"]) == ("sent", "••••6789")
    other = office.estate.payers.member(office.holders["B"])
    assert signed_in(other).get("/api/v1/me/payouts/").json()["results"] == []
    assert signed_in(office.first).get("/api/v1/me/payouts/").json()["results"] == []


def test_a_planned_payment_is_nobodys_yet(office: Office) -> None:
    office.prepared()
    member = office.estate.payers.member(office.holders["A"])
    assert signed_in(member).get("/api/v1/me/payouts/").json()["results"] == []


def test_what_cannot_be_ordered_says_so_on_its_page(office: Office) -> None:
    batch = office.approved()
    office.estate.owe(office.holders["A"], -1)
    tasks.go_on(batch.pk)
    batch.refresh_from_db()
    assert (batch.status, batch.problems[0]["code"]) == ("prepared", "batch_is_stale")
    assert "owed less" in signed_in(office.first).get(reverse("royalties:payout", args=[batch.pk])).content.decode()
    services.discard(actor=office.first, batch=batch)
