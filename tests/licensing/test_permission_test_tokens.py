"""What is asked with a test token stays apart from what a firm asks in earnest."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.identity.core import Refusal
from accounts.notices.models import Webhook, WebhookDelivery
from licensing.permissions.services import bulk, receipts
from licensing.permissions.services.checks import Question
from tests.licensing.declaring import ISBN, Firm, firm
from tests.licensing.test_permission_check import URL, client_of
from tests.licensing.test_tariff_pages import text

pytestmark = pytest.mark.django_db
FILES = "/api/v1/permissions/checks/"


@pytest.fixture
def parties(db: Any) -> Firm:
    return firm()


def client(of: Firm, *, sandbox: bool) -> Any:
    return client_of(of.licensee, "permissions.check", sandbox=sandbox)


def receipt(of: Firm, *, sandbox: bool) -> str:
    asked = {"use": "train", "receipt": True, "items": [{"scheme": "isbn", "value": ISBN}]}
    return str(client(of, sandbox=sandbox).post(URL, asked, format="json").json()["receipt"])


def test_a_receipt_says_that_a_test_token_asked(parties: Firm) -> None:
    assert receipts.verify(receipt(parties, sandbox=True)).payload["sandbox"] is True
    assert "sandbox" not in receipts.verify(receipt(parties, sandbox=False)).payload
    for sandbox in (True, False):
        page = text(Client().post("/receipts/verify/", {"receipt": receipt(parties, sandbox=sandbox)}))
        assert ("ith a test token" in page) is sandbox


def test_files_of_test_tokens_are_seen_by_test_tokens_alone_and_make_no_events(parties: Firm) -> None:
    Webhook.objects.create(
        organisation=parties.licensee, url="https://firm.example/hook", events=["check.finished"], secret="sealed"
    )
    made = {}
    for sandbox in (True, False):
        file = SimpleUploadedFile("a.csv", f"identifier_type,identifier\nisbn,{ISBN}\n".encode())
        answer = client(parties, sandbox=sandbox).post(FILES, {"use": "train", "file": file}, format="multipart")
        assert answer.status_code == 202, answer.content
        made[sandbox] = answer.json()["id"]
        bulk.run(made[sandbox])
    for sandbox in (True, False):
        asks = client(parties, sandbox=sandbox)
        assert [each["id"] for each in asks.get(FILES).json()["results"]] == [made[sandbox]]
        assert asks.get(f"{FILES}{made[not sandbox]}/").status_code == 404
        assert asks.get(f"{FILES}{made[not sandbox]}/result/").status_code == 404
        said = receipts.verify(asks.get(f"{FILES}{made[sandbox]}/").json()["receipt"]).payload
        assert said.get("sandbox", False) is sandbox
    [told] = WebhookDelivery.objects.all()
    assert told.event_key == f"check-finished:{made[False]}"


def test_the_last_day_of_the_calendar_is_refused_and_not_tried_five_times(parties: Firm) -> None:
    for on in (dt.date.max, dt.datetime(9999, 12, 31, 12, tzinfo=dt.UTC)):
        with pytest.raises(Refusal) as refused:
            Question("train", on).checked()
        assert refused.value.code == "no_such_day"
