"""Files asked about: each row is answered as the same item is when it is asked about alone."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db.models import F
from django.utils import timezone

from accounts.evidence.models import Event
from accounts.identity.core import Actor, Refusal
from licensing.intake.models import StoredFile
from licensing.permissions import bulk as pipeline
from licensing.permissions import services, tasks
from licensing.permissions.models import BulkCheck, DirectLicence, Reservation
from licensing.permissions.services import bulk, receipts
from licensing.permissions.services.asking import Item
from licensing.permissions.services.checks import Question
from licensing.repertoire.models import Holder, Work
from tests.accounts.people import person
from tests.licensing.declaring import ISBN, Firm, firm
from tests.licensing.parties import organisation
from tests.licensing.repertoire_files import bring
from tests.licensing.test_permission_check import client_of
from tests.licensing.test_tariff_pages import signed_in, text

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 3, 31)
EARLIER = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)


@pytest.fixture
def parties(db: Any) -> Firm:
    """Beside the firm's society: one that knows the same book and more, without a licence; reservations with both."""
    of = firm()
    other = organisation("OTHER", "society")
    bring(other, "holders", "O1,Oh")
    bring(
        other,
        "works",
        f"X,book,Same book,isbn:{ISBN}",
        "Y,web,Blog,domain:blog.example.com",
        "Z,music,Song,iswc:T0345246801",
    )
    bring(other, "shares", "X,O1,author,1/1,,", "Y,O1,author,1/1,,", "Z,O1,author,1/1,,")
    bring(other, "mandates", "O1,*,*,*,2026-01-01,")
    reserve(of, target="place", place="wikipedia.org", pattern="/wiki/*")
    reserve(of, target="holder", holder=Holder.objects.get(ref="H3"))
    reserve(of, target="identifier", scheme="doi", value="10.1000/reserved")
    reserve(of, target="place", place="unknown.example.com", uses=["*"])
    reserve(of, target="identifier", scheme="title", value="reserved title / kim")
    reserve(of, target="work", work=Work.objects.get(ref="B"), uses=["ground"], received=timezone.now())
    DirectLicence.objects.create(
        holder=Holder.objects.get(ref="O1"), licensee=of.licensee, uses=["train"], kinds=["music"], territory=["*"],
        valid=(dt.date(2026, 1, 1), None),
    )  # fmt: skip
    return of


def reserve(
    of: Firm, *, received: dt.datetime = EARLIER, uses: tuple[str, ...] | list[str] = ("train",), **target: Any
) -> None:
    Reservation.objects.create(
        ref=f"R-{Reservation.objects.count()}", society=of.society, uses=list(uses), territory=["*"], status="effective",
        received_at=received, effective_from=received, source="staff", **target,
    )  # fmt: skip


ROWS: list[tuple[str, str, str]] = [
    ("isbn", "0-306-40615-2", ""),
    ("isbn", ISBN, "Book"),
    ("ISBN ", ISBN, ""),
    ("isbn", "9780306406158", ""),
    ("url", "https://en.wikipedia.org/wiki/Korea", ""),
    ("url", "https://en.wikipedia.org/wiki/Seoul?utm_source=x", ""),
    ("url", "https://wikipedia.org/about", ""),
    ("domain", "m.wikipedia.org", ""),
    ("domain", "news.example.co.kr", ""),
    ("domain", "blog.example.com", ""),
    ("url", "a.unknown.example.com/x", ""),
    ("domain", "co.kr", ""),
    ("domain", "free.example.net", ""),
    ("proprietary", "F-1", ""),
    ("proprietary", "U-1", ""),
    ("proprietary", "S-1", ""),
    ("proprietary", "B-1", ""),
    ("proprietary", "=cmd()", ""),
    ("iswc", "T-034.524.680-1", ""),
    ("doi", "https://doi.org/10.1000/RESERVED", ""),
    ("doi", "10.1000/other", ""),
    ("", "", "A title"),
    ("", "", "Reserved  TITLE / Kim"),
    ("", "", "x" * 2100),
    ("", "", " "),
    ("isbn", "", ""),
    ("isbn", " ", ""),
]
QUESTIONS = [
    Question("train", DAY),
    Question("train"),
    Question("ground"),
    Question("train", dt.date(2025, 12, 31)),
    Question("train", DAY, "JP"),
    Question("evaluate", DAY, "KR", "dasan-7b", "crawl-1"),
]


def asked_by(
    parties: Firm, question: Question, data: bytes, *, actor: Any = None
) -> tuple[BulkCheck, list[dict[str, str]]]:
    """The check of these bytes, finished, with the rows of its result."""
    actor = actor or parties.declarant
    whose = parties.society if actor.is_society else parties.licensee
    made = bulk.request_check(actor=actor, organisation=whose, question=question, stream=io.BytesIO(data), name="w.csv")
    done = bulk.run(made.pk)
    assert done is not None and done.status == "done", done and done.problems
    text = b"".join(bulk.unpacked(bulk.result_of(done))).decode()
    return done, list(csv.DictReader(io.StringIO(text)))


def as_csv(rows: list[tuple[str, str, str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows([("identifier_type", "identifier", "title"), *rows])
    return out.getvalue().encode()


@pytest.mark.parametrize("who", ["licensee", "society"])
def test_a_file_is_answered_as_its_items_are_one_by_one(parties: Firm, who: str) -> None:
    for question in QUESTIONS:
        compare(parties, question, parties.declarant if who == "licensee" else parties.reviewer)


def compare(parties: Firm, question: Question, actor: Actor) -> None:
    done, told = asked_by(parties, question, as_csv(ROWS), actor=actor)

    items = [Item(scheme=s.strip().lower(), value=v) if v else Item(title=t) for s, v, t in ROWS]
    on = question.on or done.as_of
    checked = services.check(
        actor=actor, use=question.use, on=on, territory=question.territory, model=question.model,
        dataset=question.dataset, items=items,
    )  # fmt: skip
    expected = [
        (
            a.verdict,
            a.basis,
            str(a.missing_ppm),
            a.work.society if a.work else "",
            a.work.ref if a.work else "",
            "rejected" if a.verdict == "rejected" else ";".join(dict.fromkeys(r.code for r in a.reasons)),
        )
        for a in checked.answers
    ]
    answered = [
        (
            r["verdict"],
            r["basis"],
            r["missing_ppm"],
            r["society"],
            r["work_ref"],
            "rejected" if r["verdict"] == "rejected" else r["reason"],
        )
        for r in told
    ]
    for row, one, other in zip(ROWS, answered, expected, strict=True):
        assert one == other, (question, row)
    assert done.rows == len(ROWS) == sum(done.verdicts.values())


SMALL = as_csv([("isbn", ISBN, ""), ("proprietary", "=1+1", "")])


@pytest.fixture
def waiting(db: Any) -> BulkCheck:
    return ask(firm())


def ask(of: Firm, data: bytes = SMALL) -> BulkCheck:
    return bulk.request_check(
        actor=of.declarant, organisation=of.licensee, question=Question("train", DAY), stream=io.BytesIO(data), name="w.csv"
    )  # fmt: skip


def silent_for(check: BulkCheck, seconds: int, **fields: Any) -> None:
    since = timezone.now() - dt.timedelta(seconds=seconds)
    BulkCheck.objects.filter(pk=check.pk).update(heartbeat_at=since, **fields)


def test_rows_come_back_in_order_with_unreadable_ones_and_no_cell_is_a_formula(parties: Firm) -> None:
    data = (
        b"identifier_type,identifier,title\nproprietary,=1+1,+x\nisbn," + ISBN.encode() + b',\n"a,b\nproprietary,B-1,\n'
    )
    done, told = asked_by(parties, Question("train", DAY), data)
    assert [int(r["row"]) for r in told] == sorted(int(r["row"]) for r in told)
    assert (told[0]["identifier"], told[0]["title"]) == ("'=1+1", "'+x")
    assert done.rows == len(told) == sum(done.verdicts.values())
    assert any(r["reason"].startswith("unreadable: ") and r["verdict"] == "rejected" for r in told)


def test_a_finished_check_has_a_receipt_over_both_files_and_leaves_evidence(parties: Firm) -> None:
    done, _told = asked_by(parties, Question("train", DAY), as_csv(ROWS))
    packed = bulk.result_of(done).read_bytes()
    proof = receipts.verify(done.receipt, items=as_csv(ROWS), answer=packed)
    assert proof.holds and (proof.asked, proof.answered) == (True, True)
    said = proof.payload
    assert (said["of"], said["sub"], said["items"], said["counts"]) == ("file", "DASAN-AI", len(ROWS), done.verdicts)
    assert said["licences"] == done.licences == ["L-1"]
    event = Event.objects.get(verb="permission.checked", object_kind="bulk_check", object_id=str(done.pk))
    assert event.data["verdicts"] == done.verdicts and event.data["receipt_sha256"]
    assert receipts.verify(done.receipt, items=SMALL).holds is False


def test_its_end_is_told_by_webhook(waiting: BulkCheck, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(bulk, "publish", lambda **said: told.append(said))
    bulk.run(waiting.pk)
    assert [(t["kind"], t["key"], t["data"]["status"]) for t in told] == [
        ("check.finished", f"check-finished:{waiting.pk}", "done")
    ]


def test_a_file_that_cannot_be_read_fails_with_its_problem(db: Any) -> None:
    failed = bulk.run(ask(firm(), b"isbn\n123\n").pk)
    assert failed is not None
    assert (failed.status, failed.problems[0]["code"], failed.result) == ("failed", "missing_columns", None)
    assert Event.objects.filter(verb="bulk_check.failed").count() == 1


def test_a_check_in_work_is_left_alone_until_its_worker_falls_silent(waiting: BulkCheck) -> None:
    assert bulk.stalled() == []
    silent_for(waiting, bulk.STALE_SECONDS - 5, status="running", attempt=1)
    assert bulk.stalled() == [] and bulk.run(waiting.pk) is None
    silent_for(waiting, bulk.STALE_SECONDS + 5)
    assert bulk.stalled() == [waiting.pk]
    bulk.run(waiting.pk)
    again = BulkCheck.objects.get()
    assert (again.status, again.attempt, bulk.stalled()) == ("done", 2, [])
    assert bulk.run(waiting.pk) is None


def test_a_worker_that_was_taken_for_dead_stores_nothing(waiting: BulkCheck, monkeypatch: pytest.MonkeyPatch) -> None:
    write = pipeline.write

    def overtaken(*args: Any) -> None:
        write(*args)
        BulkCheck.objects.filter(pk=waiting.pk).update(attempt=F("attempt") + 1)

    monkeypatch.setattr(pipeline, "write", overtaken)
    assert bulk.run(waiting.pk) is None
    assert BulkCheck.objects.get().status == "running"
    assert not Event.objects.filter(verb="permission.checked").exists()


def test_an_unforeseen_failure_is_tried_again_five_times(waiting: BulkCheck, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **keys: Any) -> Any:
        raise MemoryError("no memory")

    monkeypatch.setattr(pipeline, "run", fail)
    for attempt in range(1, 6):
        with pytest.raises(MemoryError):
            bulk.run(waiting.pk)
        now = BulkCheck.objects.get()
        assert (now.status, now.attempt) == ("waiting", attempt)
    bulk.run(waiting.pk)
    assert [p["code"] for p in BulkCheck.objects.get().problems] == ["gave_up"]


def test_beat_hands_stalled_checks_out_again(waiting: BulkCheck, monkeypatch: pytest.MonkeyPatch) -> None:
    handed: list[int] = []
    monkeypatch.setattr(tasks.run_check, "delay", handed.append)
    silent_for(waiting, bulk.STALE_SECONDS + 5)
    assert (tasks.resume_stalled_checks(), handed) == (1, [waiting.pk])


@pytest.mark.parametrize(
    ("change", "pointer"), [({"use": "steal"}, "/use"), ({"territory": "*"}, "/territory"), ({"on": EARLIER}, "/on")]
)
def test_a_bad_question_is_refused_before_the_file_is_kept(db: Any, change: dict[str, Any], pointer: str) -> None:
    of = firm()
    question = replace(Question("train", DAY), **change)
    with pytest.raises(Refusal) as refused:
        bulk.request_check(
            actor=of.declarant, organisation=of.licensee, question=question, stream=io.BytesIO(SMALL), name="w.csv"
        )
    assert refused.value.pointer == pointer
    assert not BulkCheck.objects.exists() and not StoredFile.objects.filter(organisation=of.licensee).exists()


def test_programs_send_a_file_watch_it_and_fetch_it(db: Any) -> None:
    of = firm()
    client = client_of(of.licensee, "permissions.check")
    file = SimpleUploadedFile("works.csv", SMALL)
    made = client.post(
        "/api/v1/permissions/checks/", {"file": file, "use": "train", "on": "2026-03-31"}, format="multipart"
    )
    assert made.status_code == 202, made.content
    at = f"/api/v1/permissions/checks/{made.json()['id']}/"
    assert made.json()["status"] == "waiting" and client.get(f"{at}result/").status_code == 404
    bulk.run(made.json()["id"])
    done = client.get(at).json()
    assert (done["status"], done["rows"], done["verdicts"]) == ("done", 2, {"licensed": 1, "unmatched": 1})
    packed = b"".join(client.get(f"{at}result/").streaming_content)
    assert hashlib.sha256(packed).hexdigest() == done["result_sha256"]
    assert b"licence_covers" in b"".join(client.get(f"{at}result/?plain=1").streaming_content)
    assert receipts.verify(done["receipt"], answer=packed).holds
    [listed] = client.get("/api/v1/permissions/checks/").json()["results"]
    assert listed["id"] == done["id"] and "receipt" not in listed
    stranger = client_of(organisation("OTHER-AI", "licensee"), "permissions.check")
    assert stranger.get(at).status_code == stranger.get(f"{at}result/").status_code == 404
    for body, pointer in (({"use": "train"}, "/file"), ({"use": "steal", "file": file}, "/use")):
        file.seek(0)
        refused = client.post("/api/v1/permissions/checks/", body, format="multipart")
        assert (refused.status_code, refused.json()["errors"][0]["pointer"]) == (400, pointer)


def test_people_send_a_file_watch_it_and_fetch_it(db: Any) -> None:
    of = firm()
    client = signed_in(person(of.licensee, "declarant"))
    assert "No file yet" in text(client.get("/permissions/files/"))
    form = {"use": "train", "on": "2026-03-31", "territory": "KR", "file": SimpleUploadedFile("works.csv", SMALL)}
    sent = client.post("/permissions/files/", form)
    at = sent.headers["Location"]
    assert "Waiting for a worker" in text(client.get(at))
    assert "HX-Refresh" not in client.get(f"{at}progress/").headers
    bulk.run(BulkCheck.objects.get().pk)
    assert client.get(f"{at}progress/").headers["HX-Refresh"] == "true"
    shown = text(client.get(at))
    for expected in ("works.csv", "Answers as CSV", "Signed receipt", "L-1"):
        assert expected in shown, expected
    assert b"no_work" in b"".join(client.get(f"{at}result/?plain").streaming_content)
    assert receipts.verify(client.get(f"{at}receipt/").content).payload["sub"] == "DASAN-AI"
    assert "works.csv" in text(client.get("/permissions/files/"))
    wrong = client.post("/permissions/files/", form | {"territory": "1", "file": SimpleUploadedFile("w.csv", SMALL)})
    assert "two-letter" in text(wrong)
    other = signed_in(person(organisation("OTHER-AI", "licensee"), "declarant"))
    assert {other.get(f"{at}{page}").status_code for page in ("", "progress/", "result/", "receipt/")} == {404}


def test_a_command_answers_a_file_at_once(db: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    firm()
    source, out, receipt = tmp_path / "works.csv", tmp_path / "told.csv", tmp_path / "told.jws"
    source.write_bytes(SMALL)
    call_command(
        "check_permissions", source, "--organisation", "DASAN-AI", "--use", "train", "--on", "2026-03-31", "--out", out,
        "--receipt", receipt, "--json",
    )  # fmt: skip
    said = json.loads(capsys.readouterr().out)
    assert (said["status"], said["rows"], said["verdicts"]) == ("done", 2, {"licensed": 1, "unmatched": 1})
    told = csv.DictReader(io.StringIO(out.read_text(encoding="utf-8")))
    assert [r["verdict"] for r in told] == ["licensed", "unmatched"]
    assert receipts.verify(receipt.read_bytes(), items=SMALL).holds
    source.write_bytes(b"nothing\n1\n")
    with pytest.raises(SystemExit):
        call_command("check_permissions", source, "--organisation", "DASAN-AI", "--use", "train", "--json")
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "missing_columns"
