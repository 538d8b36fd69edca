"""How a declaration goes from draft to accepted, what may be done on the way, and by whom."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest

from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Conflict, Forbidden, NotFound, Refusal
from accounts.identity.models import User
from accounts.notices.models import Notice
from licensing.declarations import services
from licensing.declarations.models import Declaration, DeclaredUse
from tests.accounts.people import person
from tests.licensing.declaring import ISBN, PERIOD, Firm, counts, declare, firm, lines, uses
from tests.licensing.parties import organisation, staff

pytestmark = pytest.mark.django_db
GOOD = lines(f"isbn,{ISBN},1000")


@pytest.fixture
def parties(db: Any) -> Firm:
    return firm()


def draft(of: Firm, **options: Any) -> Declaration:
    return services.start(
        actor=of.declarant, licence=of.licence, period=PERIOD, **({"use": "train", "unit": "token"} | options)
    )


def attach(of: Firm, declaration: Declaration, data: bytes) -> Any:
    return services.attach(actor=of.declarant, declaration=declaration, stream=io.BytesIO(data), name="use.csv")


def now(declaration: Declaration) -> Declaration:
    return Declaration.objects.get(pk=declaration.pk)


def verbs(declaration: Declaration) -> list[str]:
    found = Event.objects.filter(object_kind="declaration", object_id=str(declaration.pk)).order_by("id")
    return [verb.removeprefix("declaration.") for verb in found.values_list("verb", flat=True)]


def test_from_draft_to_accepted_each_step_leaves_a_state_and_evidence(parties: Firm) -> None:
    made = draft(parties)
    assert made.status == "draft"
    file = attach(parties, made, GOOD)
    assert (made.status, made.sha256) == ("received", file.file.sha256)
    services.process(made.pk)
    assert now(made).status == "processed"
    fee = now(made).fee or {}
    assert (fee["amount"], fee["currency"], now(made).questions) == (10, "KRW", [])
    assert services.submit(actor=parties.declarant, declaration=made).status == "accepted"
    assert verbs(made) == ["started", "received", "processed", "submitted", "accepted"]


def test_submitting_before_processing_ends_takes_effect_then(parties: Firm) -> None:
    made = draft(parties)
    attach(parties, made, GOOD)
    assert services.submit(actor=parties.declarant, declaration=made).status == "received"
    services.process(made.pk)
    assert now(made).status == "accepted"
    assert services.submit(actor=parties.declarant, declaration=made).status == "accepted"
    assert verbs(made).count("submitted") == 1


def test_a_draft_or_a_failed_declaration_cannot_be_submitted(parties: Firm) -> None:
    made = draft(parties)
    with pytest.raises(Refusal, match="Attach a file"):
        services.submit(actor=parties.declarant, declaration=made)
    attach(parties, made, b"identifier_type,identifier,units\n")
    services.process(made.pk)
    assert (now(made).status, [p["code"] for p in now(made).problems]) == ("failed", ["no_rows"])
    with pytest.raises(Conflict):
        services.submit(actor=parties.declarant, declaration=made)
    attach(parties, made, GOOD)
    services.process(made.pk)
    assert (now(made).status, counts(now(made)), now(made).files.count()) == ("processed", {"licensed": 1}, 1)


def test_processing_twice_changes_nothing(parties: Firm) -> None:
    made = draft(parties)
    attach(parties, made, GOOD)
    services.process(made.pk)
    before = (Declaration.objects.filter(pk=made.pk).values().get(), list(DeclaredUse.objects.values()))
    assert services.process(made.pk) is None
    assert (Declaration.objects.filter(pk=made.pk).values().get(), list(DeclaredUse.objects.values())) == before


def test_the_same_file_is_declared_once_for_a_licence_and_period(parties: Firm) -> None:
    first = declare(parties, GOOD)
    assert declare(parties, GOOD).pk == first.pk
    assert Declaration.objects.count() == 1
    other = draft(parties)
    with pytest.raises(Conflict, match=str(first.pk)):
        attach(parties, other, GOOD)
    assert (now(other).status, other.files.count()) == ("draft", 0)
    later = declare(parties, GOOD, period=(dt.date(2026, 4, 1), dt.date(2026, 7, 1)))
    assert later.pk != first.pk


def test_the_same_file_attached_again_changes_nothing(parties: Firm) -> None:
    made = draft(parties)
    assert attach(parties, made, GOOD).pk == attach(parties, made, GOOD).pk
    assert verbs(made) == ["started", "received"]


def test_several_files_make_one_declaration_whose_lines_add_up(parties: Firm) -> None:
    made = draft(parties)
    attach(parties, made, GOOD)
    services.process(made.pk)
    single = now(made).sha256
    attach(parties, made, lines(f"isbn,{ISBN},5", "isbn,9780306406158,6", "domain,wikipedia.org,7"))
    services.process(made.pk)
    assert now(made).sha256 != single
    assert counts(now(made)) == {"licensed": 3, "rejected": 1}
    assert uses(made) == [("B", "licensed", "licence", 1005, 2), ("W", "licensed", "licence", 7, 1)]
    assert list(made.files.order_by("position").values_list("lines", "rejected")) == [(1, 0), (3, 1)]


def test_a_submitted_declaration_is_immutable_and_amended_by_a_new_one(parties: Firm) -> None:
    made = declare(parties, GOOD, submit=True)
    assert made.status == "accepted"
    with pytest.raises(Conflict, match="immutable"):
        attach(parties, made, lines(f"isbn,{ISBN},2"))
    with pytest.raises(Conflict, match="stays"):
        services.discard(actor=parties.declarant, declaration=made)
    new = services.amend(actor=parties.declarant, declaration=made)
    assert services.amend(actor=parties.declarant, declaration=made).pk == new.pk
    assert (new.supersedes_id, new.status, new.use, new.unit) == (made.pk, "draft", "train", "token")
    attach(parties, new, GOOD)  # the same bytes are fine here: other terms may be what is amended
    services.process(new.pk)
    assert now(made).status == "accepted"
    services.submit(actor=parties.declarant, declaration=new)
    assert (now(new).status, now(made).status) == ("accepted", "superseded")
    with pytest.raises(Conflict, match=str(new.pk)):
        services.amend(actor=parties.declarant, declaration=made)
    assert list(Declaration.objects.billable()) == [now(new)]
    assert declare(parties, GOOD).pk == made.pk  # never declared a second time beside its amendment


def test_only_a_submitted_declaration_is_amended(parties: Firm) -> None:
    with pytest.raises(Conflict, match="can still be changed"):
        services.amend(actor=parties.declarant, declaration=declare(parties, GOOD))


def test_a_question_holds_back_acceptance_until_the_society_decides(parties: Firm) -> None:
    made = declare(
        parties, lines(f"isbn,{ISBN},1000,page", header="identifier_type,identifier,units,unit"), submit=True
    )
    assert (made.status, [q["code"] for q in made.questions]) == ("submitted", ["unpriced"])
    assert "1,000 pages of book for training" in made.questions[0]["detail"]
    services.ask(actor=parties.reviewer, declaration=made, detail="Pages? Your licence speaks of tokens.")
    assert [q["code"] for q in now(made).questions] == ["unpriced", "society"]
    assert services.accept(actor=parties.reviewer, declaration=made).status == "accepted"
    assert services.accept(actor=parties.reviewer, declaration=made).status == "accepted"
    assert verbs(made)[-2:] == ["questioned", "accepted"]
    with pytest.raises(Conflict):
        services.ask(actor=parties.reviewer, declaration=made, detail="Too late?")


def test_a_period_without_a_tariff_in_force_is_a_question(parties: Firm) -> None:
    made = declare(parties, GOOD, period=(dt.date(2025, 1, 1), dt.date(2025, 4, 1)))
    assert {q["code"] for q in made.questions} == {"no_tariff_in_force", "nothing_to_price"}
    assert made.fee is None


def test_only_the_licensees_declarants_declare_and_only_the_societys_people_accept(parties: Firm) -> None:
    made = declare(parties, GOOD)
    stranger, viewer = staff(organisation("OTHER", "licensee"), "declarations.declare"), staff(parties.licensee)
    begin = {"licence": parties.licence, "period": PERIOD}
    with pytest.raises(NotFound):
        services.start(actor=stranger, **begin)
    with pytest.raises(Forbidden):
        services.start(actor=viewer, **begin)
    for act in (services.submit, services.amend, services.discard):
        with pytest.raises(NotFound):
            act(actor=stranger, declaration=made)
        with pytest.raises(Forbidden):
            act(actor=viewer, declaration=made)
    with pytest.raises(NotFound):  # not submitted yet: the society does not see it
        services.accept(actor=parties.reviewer, declaration=made)
    services.submit(actor=parties.declarant, declaration=made)
    with pytest.raises(Forbidden):
        services.accept(actor=parties.declarant, declaration=made)
    with pytest.raises(NotFound):
        services.accept(actor=staff(organisation("PEN", "society"), "declarations.review"), declaration=made)
    assert Declaration.objects.count() == 1


def test_an_unsubmitted_declaration_can_be_thrown_away(parties: Firm) -> None:
    made = declare(parties, GOOD)
    services.discard(actor=parties.declarant, declaration=made)
    assert (Declaration.objects.count(), DeclaredUse.objects.count()) == (0, 0)
    assert declare(parties, GOOD).pk != made.pk


def test_a_sandbox_declaration_stands_apart_and_is_never_billed(parties: Firm) -> None:
    from dataclasses import replace

    tester = replace(parties.declarant, sandbox=True)
    live = declare(parties, GOOD, actor=parties.declarant, submit=True)
    test = declare(parties, GOOD, actor=tester, submit=True)
    assert (live.sandbox, test.sandbox, test.status) == (False, True, "accepted")
    assert test.pk != live.pk
    assert list(Declaration.objects.billable()) == [live]
    assert list(Declaration.objects.visible_to(tester)) == [test]
    assert list(Declaration.objects.visible_to(parties.declarant)) == [live]


@pytest.mark.parametrize(
    ("options", "pointer"),
    [
        ({"period": (PERIOD[0], PERIOD[0])}, "/period_end"),
        ({"period": (PERIOD[1], PERIOD[0])}, "/period_end"),
        ({"period": (dt.date(1, 1, 1), PERIOD[0])}, "/period_start"),
        ({"use": "steal"}, "/use"),
        ({"unit": "inch"}, "/unit"),
        ({"model": "x" * 201}, "/model"),
        ({"dataset": "a\0b"}, "/dataset"),
        ({"territory": "*"}, "/territory"),
        ({"bases": {"revenue": -1}}, "/bases"),
        ({"bases": {"revenue": 10**16}}, "/bases"),
        ({"bases": {"revenue": True}}, "/bases"),
        ({"bases": {"": 1}}, "/bases"),
    ],
)
def test_a_bad_draft_is_refused_with_its_place(parties: Firm, options: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Refusal) as refused:
        services.start(actor=SYSTEM, licence=parties.licence, **({"period": PERIOD} | options))
    assert refused.value.pointer == pointer
    assert Declaration.objects.count() == 0


def test_a_declared_base_is_priced_and_a_missing_one_is_asked_for(db: Any) -> None:
    from tests.licensing.parties import determined
    from tests.licensing.tariff_documents import charge, tariff

    parties = firm()
    document = tariff(charge("percentage", "revenue share", base="revenue", percent="30"), version=2, tariff="SHARE")
    parties.licence.tariff = determined(parties.society, document).tariff
    parties.licence.save()
    missing = declare(parties, GOOD)
    assert [q["code"] for q in missing.questions] == ["missing_base"]
    services.discard(actor=SYSTEM, declaration=missing)
    stated = declare(parties, GOOD, bases={"revenue": 412_345_679})
    assert (stated.questions, stated.fee and stated.fee["amount"]) == ([], 123_703_704)


def test_each_side_hears_what_the_other_did_in_its_language(parties: Firm) -> None:
    reviewer, declarant = person(parties.society, "licensing"), person(parties.licensee, "declarant")
    person(parties.licensee, "viewer")
    User.objects.filter(pk=declarant.pk).update(language="ko")
    data = lines(f"isbn,{ISBN},1000,page", header="identifier_type,identifier,units,unit")
    made = declare(parties, data, submit=True)
    services.ask(actor=parties.reviewer, declaration=made, detail="Pages?")
    services.accept(actor=parties.reviewer, declaration=made)
    told = list(Notice.objects.order_by("id").values_list("user_id", "key", "link"))
    link = f"/declarations/{made.pk}/"
    assert told == [
        (reviewer.pk, f"declaration-waiting:{made.pk}:1", link),
        (declarant.pk, f"declaration-question:{made.pk}:2", link),
        (declarant.pk, f"declaration-accepted:{made.pk}:2", link),
    ]
