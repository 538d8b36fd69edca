"""The same use reported twice is seen, row by row, and asked about; it is never refused."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from accounts.identity.core import Forbidden
from licensing.declarations import services
from licensing.declarations.models import Declaration, DeclaredUse, Overlap, OverlapRow, Question
from licensing.declarations.services import answering
from licensing.licences.models import Licence
from tests.accounts.people import person
from tests.licensing.declaring import ISBN, Firm, declare, firm, lines
from tests.licensing.parties import licence, organisation, staff
from tests.licensing.test_declaration_differences import amended
from tests.licensing.test_tariff_pages import signed_in, text

pytestmark = pytest.mark.django_db
FIRST = lines(f"isbn,{ISBN},1000", "domain,a.example.com,5", "domain,a.example.com,5")
AGAIN = lines(f"isbn,{ISBN},300", "domain,b.example.com,7")
FEB_TO_MAY = (dt.date(2026, 2, 1), dt.date(2026, 5, 1))


@pytest.fixture
def of(db: Any) -> Firm:
    return firm()


def shared(declaration: Declaration) -> list[tuple[int, int, int, dict[str, str]]]:
    found = Overlap.objects.filter(declaration=declaration).order_by("other_id")
    return [(o.other_id, o.works, o.lines, o.units) for o in found]


def test_the_same_work_over_shared_days_for_the_same_model_waits_for_the_society(of: Firm) -> None:
    first = declare(of, FIRST, submit=True, model="Dasan-7B")
    again = declare(of, AGAIN, submit=True, model="dasan-7b", period=FEB_TO_MAY)
    assert (first.status, again.status) == ("accepted", "submitted")
    assert [q["code"] for q in again.questions] == ["overlap"]
    assert f"#{first.pk}" in again.questions[0]["detail"] and "300 tokens" in again.questions[0]["detail"]
    assert shared(again) == [(first.pk, 1, 1, {"token": "300"})]
    [row] = OverlapRow.objects.select_related("use__work")
    assert (row.use.work.ref, int(row.use.units), int(row.other_units)) == ("B", 300, 1000)
    assert services.accept(actor=of.reviewer, declaration=again).status == "accepted"  # it may be right all the same


@pytest.mark.parametrize(
    "change",
    [
        {"model": "Dasan-8B"},  # another model
        {"period": (dt.date(2026, 4, 1), dt.date(2026, 7, 1))},  # no shared day
        {"use": "evaluate"},  # another use
        {"unit": "character"},  # another measure
        {"dataset": "d-2"},  # another dataset
    ],
    ids=str,
)
def test_other_use_is_no_overlap(of: Firm, change: dict[str, Any]) -> None:
    Licence.objects.update(uses=["*"])
    declare(of, FIRST, submit=True, model="Dasan-7B", dataset="d-1")
    again = declare(of, AGAIN, submit=True, **({"model": "Dasan-7B", "dataset": "d-1", "period": FEB_TO_MAY} | change))
    assert shared(again) == []
    assert not Question.objects.filter(code="overlap").exists()


def test_where_no_model_is_named_it_is_a_note_that_holds_back_nothing(of: Firm) -> None:
    first = declare(of, FIRST, submit=True)
    again = declare(of, AGAIN, submit=True, model="Dasan-7B")
    assert again.status == "accepted"
    assert shared(again) == [(first.pk, 1, 1, {"token": "300"})]
    assert Question.objects.get().severity == "note"


def test_days_that_lines_name_count(of: Firm) -> None:
    """On the same day, or where one of the two names none; a day outside the shared ones is no overlap."""
    header = "identifier_type,identifier,units,used_on"
    named = lines(
        "domain,x.example.com,1,2026-01-10",
        "domain,y.example.com,1,2026-02-10",
        "domain,z.example.com,1,",
        header=header,
    )
    declare(of, named, submit=True, model="m")
    said = (
        ("x", "2026-02-10"),
        ("y", "2026-02-10"),
        ("y", "2026-02-11"),
        ("z", "2026-03-01"),
        ("z", "2026-04-15"),
    )
    again = lines(*(f"domain,{site}.example.com,2,{day}" for site, day in said), header=header)
    made = declare(of, again, model="m", period=FEB_TO_MAY)
    rows = DeclaredUse.objects.filter(pk__in=OverlapRow.objects.values("use_id"))
    assert {(r.value, r.used_on.isoformat()) for r in rows} == {
        ("y.example.com", "2026-02-10"), ("z.example.com", "2026-03-01"),
    }  # fmt: skip
    assert made.status == "processed"


def test_it_is_seen_across_licences_of_the_firm_but_not_across_societies(of: Firm) -> None:
    version = of.licence.tariff.versions.get()
    other = Firm(of.society, of.licensee, licence(of.society, of.licensee, version, ref="L-2", uses=["train"]))
    first = declare(of, FIRST, submit=True, model="m")
    assert shared(declare(other, AGAIN, model="m")) == [(first.pk, 1, 1, {"token": "300"})]
    elsewhere = firm_of_another_society(of)
    assert shared(declare(elsewhere, AGAIN, model="m")) == []


def firm_of_another_society(of: Firm) -> Firm:
    from tests.licensing.parties import determined
    from tests.licensing.tariff_documents import charge, tariff

    society = organisation("OTHER", "society")
    version = determined(society, tariff(charge("per_unit", "tokens", per=1000, price="10")))
    return Firm(society, of.licensee, licence(society, of.licensee, version, ref="L-9", uses=["train"]))


def test_an_amendment_does_not_overlap_what_it_supersedes_nor_a_superseded_one(of: Firm) -> None:
    first = declare(of, FIRST, submit=True, model="m")
    corrected = amended(first, AGAIN, submit=True)
    assert (corrected.status, shared(corrected)) == ("accepted", [])
    later = declare(of, AGAIN, model="m", period=FEB_TO_MAY)
    assert [other for other, *_rest in shared(later)] == [corrected.pk]


def test_of_two_that_wait_beside_each_other_the_second_to_be_handed_in_is_asked(of: Firm) -> None:
    """When they were processed neither was handed in: who comes second is compared again."""
    one, two = declare(of, FIRST, model="m"), declare(of, AGAIN, model="m", period=FEB_TO_MAY)
    assert shared(one) == shared(two) == []
    assert services.submit(actor=of.declarant, declaration=two).status == "accepted"
    again = services.submit(actor=of.declarant, declaration=one)
    assert (again.status, [q["code"] for q in again.questions]) == ("submitted", ["overlap"])
    assert shared(again) == [(two.pk, 1, 1, {"token": "1000"})]


def test_a_question_is_answered_by_the_firm_and_settled_by_the_society(of: Firm) -> None:
    declare(of, FIRST, submit=True, model="m")
    again = declare(of, AGAIN, submit=True, model="m", period=FEB_TO_MAY)
    question = Question.objects.get()
    firm_side, society_side = signed_in(person(of.licensee, "declarant")), signed_in(person(of.society, "licensing"))
    page = f"/declarations/{again.pk}/"
    assert "Some of it is reported twice." in text(society_side.get(page))
    assert "domain" not in text(society_side.get(f"{page}overlaps/"))  # the book alone is in both
    assert "Book" in text(society_side.get(f"{page}overlaps/"))
    firm_side.post(f"{page}questions/{question.pk}/answer/", {"answer": "A second run, on purpose."})
    assert "A second run, on purpose." in text(society_side.get(page))
    assert society_side.post(f"{page}questions/{question.pk}/settle/", {"settlement": ""}).status_code == 400
    society_side.post(f"{page}questions/{question.pk}/settle/", {"settlement": "Two runs, two prices."})
    question.refresh_from_db()
    assert (question.status, question.answer, question.settlement) == (
        "settled", "A second run, on purpose.", "Two runs, two prices.",
    )  # fmt: skip
    assert Declaration.objects.get(pk=again.pk).questions == []
    assert firm_side.post(f"{page}questions/{question.pk}/answer/", {"answer": "More."}).status_code == 409
    society_side.post(f"{page}accept/")
    assert Declaration.objects.get(pk=again.pk).status == "accepted"


def test_only_the_firm_answers_and_only_the_society_settles(of: Firm) -> None:
    declare(of, FIRST, submit=True, model="m")
    again = declare(of, AGAIN, submit=True, model="m", period=FEB_TO_MAY)
    question = Question.objects.get(declaration=again)
    with pytest.raises(Forbidden):
        answering.answer_question(actor=of.reviewer, question=question, text="Fine.")
    with pytest.raises(Forbidden):
        answering.settle_question(actor=of.declarant, question=question, text="Fine.")
    viewer = staff(of.licensee, "declarations.view")
    with pytest.raises(Forbidden):
        answering.answer_question(actor=viewer, question=question, text="Fine.")
    question.refresh_from_db()
    assert question.status == "open"


def test_an_answer_stays_while_the_question_says_the_same(of: Firm) -> None:
    declare(of, FIRST, submit=True, model="m")
    again = declare(of, AGAIN, model="m", period=FEB_TO_MAY)
    answering.answer_question(actor=of.declarant, question=Question.objects.get(), text="On purpose.")
    Declaration.objects.filter(pk=again.pk).update(processed_at=timezone.now() - dt.timedelta(days=1))
    assert services.submit(actor=of.declarant, declaration=again).status == "submitted"
    assert Question.objects.get().answer == "On purpose."


def test_what_the_society_asks_by_itself_has_a_thread_too(of: Firm) -> None:
    made = declare(of, lines("proprietary,U-1,3"), submit=True)
    services.ask(actor=of.reviewer, declaration=made, detail="Is that all?")
    question = Question.objects.get(code="society")
    assert (question.severity, question.detail, bool(question.asked_by)) == ("serious", "Is that all?", True)
    answering.answer_question(actor=of.declarant, question=question, text="Yes.")
    answering.settle_question(actor=of.reviewer, question=question, text="Good.")
    made.refresh_from_db()
    assert [q["code"] for q in made.questions] == ["nothing_to_price"]
