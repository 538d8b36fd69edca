"""A case's way: told, answered, settled by one person or two, or ended otherwise; each act once, and by whom it may."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.approvals.models import Approval
from accounts.evidence.models import Event
from accounts.identity.core import Conflict, Forbidden, NotFound, Refusal
from accounts.notices import services as notices
from accounts.notices.models import Notice
from licensing.compliance import services
from licensing.compliance.models import Case
from licensing.compliance.services import cases as room
from tests.accounts import people
from tests.licensing.compliance_world import World, cases, make, terms
from tests.licensing.parties import organisation

pytestmark = pytest.mark.django_db
USED = (("U", 100_000), ("S", 500))


@pytest.fixture(autouse=True)
def published(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str]]:
    told: list[tuple[int, str]] = []

    def publish(*, organisation_id: int, kind: str, key: str, data: dict[str, Any]) -> None:
        told.append((organisation_id, kind))

    monkeypatch.setattr(notices, "publish", publish)
    return told


def verbs(case: Case) -> list[str]:
    return list(Event.objects.about("case", case.pk).order_by("id").values_list("verb", flat=True))


def hears(user_id: int | None) -> list[str]:
    return list(Notice.objects.filter(user_id=user_id).order_by("id").values_list("subject", flat=True))


def test_the_licensee_sees_a_case_once_told_and_has_days_to_answer(published: list[tuple[int, str]]) -> None:
    world = make(*USED)
    terms(world.society, "2", answer_days=10)
    creator = world.creator("H1")
    case = world.opened()["H1"]
    assert not Case.objects.visible_to(world.licensee).exists()
    told = services.notify_case(actor=world.staff, case=case)
    assert told.status == "notified" and told.notified_at and told.due_on
    assert (told.due_on - told.notified_at.date()).days in (10, 11)
    assert list(Case.objects.visible_to(world.licensee)) == [case]
    assert hears(world.licensee.user_id)[-1].startswith("A case about your declaration")
    assert hears(creator.user_id) == ["Your works were used without permission: your society asks for compensation"]
    assert (world.of.licensee.pk, "case.opened") in published and verbs(case) == ["case.notified"]
    with pytest.raises(Conflict):
        services.notify_case(actor=world.staff, case=case)


def test_all_cases_of_a_declaration_are_told_at_once() -> None:
    world = make(*USED)
    world.opened()
    assert services.notify_declaration(actor=world.staff, declaration=world.declaration) == 3
    assert services.notify_declaration(actor=world.staff, declaration=world.declaration) == 0
    assert [subject for subject in hears(world.licensee.user_id) if "cases" in subject] == [
        f"3 cases about your declaration {world.declaration.pk}: answer by {cases(world.declaration)['H1'].due_on}"
    ]


def test_the_licensee_accepts_and_it_is_settled_on_what_was_asked(published: list[tuple[int, str]]) -> None:
    world = make(*USED)
    terms(world.society, "2")
    creator = world.creator("H1")
    done = services.accept(actor=world.licensee, case=world.told()["H1"])
    assert (done.status, done.amount) == ("settled", 1200) and done.ended_at
    assert verbs(done) == ["case.settled"] and f"Case {done.pk} is settled" in hears(world.staff.user_id)
    assert f"Case {done.pk} is settled" in hears(creator.user_id)
    assert published[-2:] == [(world.society.pk, "case.changed"), (world.of.licensee.pk, "case.changed")]
    with pytest.raises(Conflict):
        services.dispute(actor=world.licensee, case=done, answer="No.")
    with pytest.raises(Conflict):
        services.close(actor=world.staff, case=done, reason="No.")


def test_what_has_no_price_cannot_be_accepted_blindly() -> None:
    world = make(("U", 1))
    case = world.told()["H1"]
    Case.objects.filter(pk=case.pk).update(proposed=None, ordinary=None)
    with pytest.raises(Refusal, match="has not named an amount"):
        services.accept(actor=world.licensee, case=case)
    assert Case.objects.get(pk=case.pk).status == "notified"


def test_a_dispute_needs_words_and_goes_back_to_the_society() -> None:
    world = make(*USED)
    case = world.told()["H1"]
    with pytest.raises(Refusal, match="Say why"):
        services.dispute(actor=world.licensee, case=case, answer="  ")
    done = services.dispute(actor=world.licensee, case=case, answer="We asked the author.")
    assert (done.status, done.answer) == ("disputed", "We asked the author.")
    assert any("is disputed by" in subject for subject in hears(world.staff.user_id))


def test_settling_on_what_was_asked_takes_one_person() -> None:
    world = make(*USED)
    done = services.settle(actor=world.staff, case=world.told()["H1"], amount=600, reason="Paid.")
    assert (done.status, done.amount, done.outcome) == ("settled", 600, "Paid.")
    assert not Approval.objects.exists()


def test_settling_on_another_amount_takes_two() -> None:
    world = make(*USED)
    case = services.settle(actor=world.staff, case=world.told()["H1"], amount=400, reason="First time.")
    assert (case.status, case.amount, case.offered) == ("notified", None, 400)
    with pytest.raises(Forbidden, match="second person"):
        services.decide_settlement(actor=world.staff, case=case, approve=True)
    assert Case.objects.get(pk=case.pk).amount is None
    done = services.decide_settlement(actor=world.second, case=case, approve=True)
    assert (done.status, done.amount, done.offered, done.outcome) == ("settled", 400, None, "First time.")
    assert verbs(done) == ["approval.requested", "case.settlement_asked", "approval.approved", "case.settled"]


def test_a_refused_settlement_leaves_the_case_as_it_was() -> None:
    world = make(*USED)
    case = services.settle(actor=world.staff, case=world.told()["H1"], amount=0, reason="A mistake of ours.")
    done = services.decide_settlement(actor=world.second, case=case, approve=False, reason="Too little.")
    assert (done.status, done.amount, done.offered) == ("notified", None, None)
    with pytest.raises(Conflict):
        services.decide_settlement(actor=world.second, case=done, approve=True)


def test_an_offer_that_was_changed_cannot_be_approved_as_the_old_one() -> None:
    world = make(*USED)
    case = services.settle(actor=world.staff, case=world.told()["H1"], amount=400, reason="First time.")
    Case.objects.filter(pk=case.pk).update(offered=1)
    with pytest.raises(Conflict, match="changed since"):
        services.decide_settlement(actor=world.second, case=case, approve=True)


def test_accepting_while_an_offer_waits_takes_the_offer_back() -> None:
    world = make(*USED)
    case = services.settle(actor=world.staff, case=world.told()["H1"], amount=400, reason="First time.")
    assert services.accept(actor=world.licensee, case=case).amount == 600
    assert not Approval.objects.pending().exists()


@pytest.mark.parametrize("amount", [-1, 10**15 + 1])
def test_an_amount_is_zero_or_more(amount: int) -> None:
    world = make(*USED)
    with pytest.raises(Refusal, match="zero or more"):
        services.settle(actor=world.staff, case=world.told()["H1"], amount=amount, reason="x")


def test_a_case_is_not_settled_behind_the_licensees_back() -> None:
    world = make(*USED)
    with pytest.raises(Conflict, match="Tell the licensee"):
        services.settle(actor=world.staff, case=world.opened()["H1"], amount=600, reason="x")


def test_a_licence_afterwards_must_cover_all_of_it() -> None:
    """It was declared under a licence for training; fine-tuning lies outside."""
    world = make(("U", 1000))
    case = world.told()["H1"]
    named = services.point_to_licence(actor=world.licensee, case=case, licence="L-1", answer="See there.")
    assert (named.status, named.licence) == ("disputed", world.of.licence)
    done = services.license_afterwards(actor=world.staff, case=named, licence="L-1")
    assert (done.status, done.amount, done.licence) == ("licensed", None, world.of.licence)
    other = cases(world.declaration)["H3"]
    world.of.licence.uses = ["index"]
    world.of.licence.save(update_fields=["uses"])
    with pytest.raises(Refusal, match="does not cover all of it"):
        services.license_afterwards(actor=world.staff, case=other, licence="L-1")
    with pytest.raises(Refusal, match="There is no licence"):
        services.point_to_licence(actor=world.licensee, case=other, licence="L-9")


def test_closing_needs_a_reason_and_ends_it_without_money() -> None:
    world = make(*USED)
    done = services.close(actor=world.staff, case=world.opened()["H1"], reason="Counted twice.")
    assert (done.status, done.amount, done.outcome) == ("closed", None, "Counted twice.")
    assert hears(world.licensee.user_id) == [s for s in hears(world.licensee.user_id) if "Case" not in s]


def test_each_side_does_only_its_own() -> None:
    world = make(*USED)
    case = world.told()["H1"]
    viewer, auditor = people.actor(world.of.licensee, "finance"), people.actor(world.society, "auditor")
    creator = world.creator("H1")
    for actor, act in (
        (world.staff, lambda a: services.accept(actor=a, case=case)),
        (viewer, lambda a: services.accept(actor=a, case=case)),
        (creator, lambda a: services.dispute(actor=a, case=case, answer="x")),
        (auditor, lambda a: services.close(actor=a, case=case, reason="x")),
        (world.licensee, lambda a: services.settle(actor=a, case=case, amount=1, reason="x")),
        (world.licensee, lambda a: services.close(actor=a, case=case, reason="x")),
    ):
        with pytest.raises(Forbidden):
            act(actor)
    stranger = people.actor(organisation("OTHER", "society"), "licensing")
    with pytest.raises(NotFound):
        services.close(actor=stranger, case=case, reason="x")
    with pytest.raises(NotFound):
        services.settle(actor=stranger, case=case, amount=1, reason="x")
    assert Case.objects.get(pk=case.pk).status == "notified" and verbs(case) == []


def test_a_creator_sees_the_cases_of_their_own_holders() -> None:
    world = make(*USED)
    found = world.opened()
    assert list(Case.objects.visible_to(world.creator("H3"))) == [found["H3"]]


def test_of_two_acts_at_once_one_is_done() -> None:
    """The second acts on what it read before the first was done."""
    world = make(*USED)
    case = world.told()["H1"]
    held = services.find_case(world.staff, case.pk)
    services.close(actor=world.staff, case=case, reason="First.")
    with pytest.raises(Conflict, match="meanwhile"):
        room._move(held, status="licensed")
    assert Case.objects.get(pk=case.pk).status == "closed"


def test_the_database_refuses_money_on_a_case_that_is_not_settled() -> None:
    world: World = make(*USED)
    case = world.opened()["H1"]
    with pytest.raises(IntegrityError, match="settled_case_has_an_amount"), transaction.atomic():
        Case.objects.filter(pk=case.pk).update(amount=5)
