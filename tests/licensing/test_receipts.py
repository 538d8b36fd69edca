"""Signed receipts: what was asked and answered, provable to anyone with the public keys alone."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from django.core.management import call_command
from django.test import Client

from accounts.evidence.models import Event
from accounts.identity import keys
from licensing.permissions import services
from licensing.permissions.services import receipts
from licensing.permissions.services.asking import Item
from tests.accounts.people import person
from tests.licensing.declaring import ISBN, Firm, firm
from tests.licensing.test_permission_check import URL, client_of
from tests.licensing.test_tariff_pages import signed_in, text

pytestmark = pytest.mark.django_db
ITEMS = [
    {"scheme": "isbn", "value": "0-306-40615-2"},
    {"scheme": "proprietary", "value": "U-1"},
    {"title": "책 “A”\u0007"},
]


@pytest.fixture
def parties(db: Any) -> Firm:
    return firm()


def answered(of: Firm, **body: Any) -> Any:
    asked = {"use": "train", "on": "2026-03-31", "receipt": True, "items": ITEMS} | body
    response = client_of(of.licensee, "permissions.check").post(URL, asked, format="json")
    assert response.status_code == 200, response.content
    return response.json()


def verified(of: Any) -> dict[str, Any]:
    return dict(receipts.verify(of["receipt"]).payload)


def test_a_receipt_says_who_asked_what_when_and_what_was_answered(parties: Firm) -> None:
    answer = answered(parties, model="dasan-7b")
    said = verified(answer)
    assert said["sub"] == "DASAN-AI"
    assert (said["use"], said["on"], said["territory"], said["model"]) == ("train", "2026-03-31", "KR", "dasan-7b")
    assert said["verdicts"] == ["licensed", "unmandated", "unmatched"]
    assert said["counts"] == {"licensed": 1, "unmandated": 1, "unmatched": 1}
    assert (said["items"], said["of"], said["licences"]) == (3, "items", ["L-1"])
    assert said["as_of"][:19] == answer["as_of"][:19]


def test_anyone_can_compute_its_digests_again(parties: Firm) -> None:
    answer = answered(parties)
    said = verified(answer)
    assert said["items_sha256"] == hashlib.sha256(rfc8785.dumps(ITEMS)).hexdigest()
    lines = [
        (r["verdict"], r["basis"], r["work"]["society"] if r["work"] else "", r["work"]["ref"] if r["work"] else "", r["missing_ppm"])
        for r in answer["results"]
    ]  # fmt: skip
    told = "".join("\t".join(map(str, line)) + "\n" for line in lines)
    assert said["answers_sha256"] == hashlib.sha256(told.encode()).hexdigest()


def test_parts_that_are_empty_are_not_part_of_the_question(parties: Firm) -> None:
    answer = answered(parties, items=[{"title": "x", "creators": ""}])
    proof = receipts.verify(answer["receipt"], items=b'{"items": [{"title": "x"}]}')
    assert proof.asked is True


def test_without_asking_there_is_none_and_evidence_names_the_one_that_was_given(parties: Firm) -> None:
    assert "receipt" not in answered(parties, receipt=False)
    first = Event.objects.get(verb="permission.checked")
    assert "receipt_sha256" not in first.data
    answer = answered(parties)
    event = Event.objects.filter(verb="permission.checked").latest("id")
    assert event.data["receipt_sha256"] == hashlib.sha256(answer["receipt"].encode()).hexdigest()
    said = verified(answer)
    assert {name: event.data[name] for name in ("items_sha256", "answers_sha256", "as_of")} == {
        name: said[name] for name in ("items_sha256", "answers_sha256", "as_of")
    }
    assert "verdicts" in event.data and event.data["verdicts"] == said["counts"]


def test_no_receipt_outlives_its_evidence(parties: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError("no evidence")

    monkeypatch.setattr("licensing.permissions.services.checks.record", fail)
    with pytest.raises(RuntimeError):
        services.check(actor=parties.declarant, use="train", items=[Item(title="x")], receipt=True)


@pytest.mark.parametrize("change", ["payload", "signature", "key"])
def test_a_changed_receipt_is_refused(parties: Firm, change: str) -> None:
    head, payload, signature = answered(parties)["receipt"].split(".")
    if change == "payload":
        said = json.loads(base64.urlsafe_b64decode(payload + "=="))
        said["counts"] = {"licensed": 3}
        payload = base64.urlsafe_b64encode(rfc8785.dumps(said)).rstrip(b"=").decode()
    elif change == "signature":
        signature = ("A" if signature[0] != "A" else "B") + signature[1:]
    own = keys.jwks() if change != "key" else {"keys": []}
    with pytest.raises(Exception, match="sign"):
        receipts.verify(".".join((head, payload, signature)), keys_of=own)


def test_a_signature_of_another_kind_of_statement_is_no_receipt(parties: Firm) -> None:
    with pytest.raises(Exception, match="signature"):
        receipts.verify(keys.sign({"use": "train"}, typ="something+jws"))


def command(capsys: pytest.CaptureFixture[str], *args: Any) -> tuple[int, dict[str, Any]]:
    status = 0
    try:
        call_command("verify_receipt", *map(str, args), "--json")
    except SystemExit as end:
        status = int(end.code or 0)
    return status, json.loads(capsys.readouterr().out)


def test_the_command_verifies_against_keys_question_and_answer(
    parties: Firm, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = answered(parties)
    files = {
        "receipt": answer["receipt"],
        "answer": json.dumps(answer),
        "keys": json.dumps(keys.jwks()),
        "none": '{"keys": []}',
        "items": json.dumps({"use": "train", "items": ITEMS}),
        "other": json.dumps(ITEMS[:1]),
    }
    for name, said in files.items():
        (tmp_path / name).write_text(said)
    at = tmp_path.joinpath
    status, result = command(
        capsys, at("receipt"), "--keys", at("keys"), "--items", at("items"), "--answer", at("answer")
    )
    assert (status, result["valid"], result["items_match"], result["answer_matches"]) == (0, True, True, True)
    assert result["sub"] == "DASAN-AI"
    assert command(capsys, at("answer"))[0] == 0  # an answer with its receipt is as good
    assert command(capsys, at("receipt"), "--items", at("other"))[1]["valid"] is False
    status, result = command(capsys, at("receipt"), "--keys", at("none"))
    assert (status, result["error"]["code"]) == (1, "unknown_key")
    assert command(capsys, at("items"))[1]["error"]["code"] == "no_receipt"


def test_anyone_verifies_a_receipt_on_the_public_page(parties: Firm) -> None:
    answer = answered(parties)
    page = Client()
    assert "What it proves, and what not" in text(page.get("/receipts/verify/"))
    shown = text(page.post("/receipts/verify/", {"receipt": answer["receipt"]}))
    assert "The signature is ours" in shown and "DASAN-AI" in shown
    question = io.BytesIO(json.dumps({"items": ITEMS[:1]}).encode())
    question.name = "items.json"
    shown = text(page.post("/receipts/verify/", {"receipt": answer["receipt"], "items": question}))
    assert "it is about something else" in shown
    for wrong in ("a.b.c", "nothing", answer["receipt"][:-4] + "AAAA", "{}", "{" * 5000):
        assert "This is no receipt of ours" in text(page.post("/receipts/verify/", {"receipt": wrong})), wrong
    assert "Paste a receipt" in text(page.post("/receipts/verify/", {}))


def test_a_page_hands_out_the_receipt_of_what_it_showed(parties: Firm) -> None:
    client = signed_in(person(parties.licensee, "declarant"))
    asked = {"use": "train", "on": "", "territory": "KR", "items": f"isbn:{ISBN}"}
    shown = client.post("/permissions/check/", asked)
    receipt = shown.context["receipt"]
    file = client.post("/receipts/file/", {"receipt": receipt})
    assert file.content.decode().strip() == receipt
    assert receipts.verify(file.content).payload["verdicts"] == ["licensed"]
    assert client.post("/receipts/file/", {"receipt": "a.b.c"}).status_code == 400


def test_one_work_is_asked_about_for_every_use(parties: Firm) -> None:
    client = signed_in(person(parties.licensee, "declarant"))
    before = Event.objects.filter(verb="permission.checked").count()
    shown = text(client.get(f"/permissions/item/?of=isbn:{ISBN}"))
    for expected in ("Book", "Licence L-1 covers it.", "Licence L-1 does not cover this use."):
        assert expected in shown, expected
    assert Event.objects.filter(verb="permission.checked").count() == before
    file = client.post("/permissions/item/", {"of": f"isbn:{ISBN}", "use": "ground"})
    assert receipts.verify(file.content).payload["verdicts"] == ["unlicensed"]
    assert Event.objects.filter(verb="permission.checked").count() == before + 1
    assert client.get("/permissions/item/?of=title").status_code == 404
    assert client.get("/permissions/item/?of=isbn:1").status_code == 200
    staff = signed_in(person(parties.society, "repertoire"))
    assert "Open the work" in text(staff.get(f"/permissions/item/?of=isbn:{ISBN}"))
