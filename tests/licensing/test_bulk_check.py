"""Files asked about: each row is answered as the same item is when it is asked about alone."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

import pytest
from django.utils import timezone

from licensing.permissions import services
from licensing.permissions.models import BulkCheck, DirectLicence, Reservation
from licensing.permissions.services import bulk
from licensing.permissions.services.asking import Item
from licensing.permissions.services.checks import Question
from licensing.repertoire.models import Holder, Work
from tests.licensing.declaring import ISBN, Firm, firm
from tests.licensing.parties import organisation, staff
from tests.licensing.repertoire_files import bring

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
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda q: f"{q.use}-{q.on}-{q.territory}-{q.model}")
def test_a_file_is_answered_as_its_items_are_one_by_one(parties: Firm, question: Question, who: str) -> None:
    actor = parties.declarant if who == "licensee" else parties.reviewer
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
        assert one == other, row
    assert done.rows == len(ROWS) == sum(done.verdicts.values())
