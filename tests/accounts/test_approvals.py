"""Four eyes: a second person, exactly one decision, about exactly what was asked."""

from __future__ import annotations

import threading

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.approvals.models import Approval
from accounts.approvals.services import approved, decide, request_approval
from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Actor, Conflict, Forbidden, NotFound, Reference
from accounts.organisations.models import Organisation
from config.actors import actor_of_token
from tests.accounts import people
from tests.together import together

RUN = Reference("run", 7)
DIGEST, OTHER = "a" * 64, "b" * 64


def _society() -> tuple[Organisation, Actor, Actor]:
    """A society, who asks, and who decides."""
    kosa = people.organisation("KOSA", "society")
    return kosa, people.actor(kosa, "distribution"), people.actor(kosa, "finance")


def _asked(actor: Actor, kosa: Organisation, digest: str = DIGEST) -> Approval:
    return request_approval(actor=actor, kind="run", object=RUN, organisation_id=kosa.pk, subject_sha256=digest)


@pytest.mark.django_db
def test_one_asks_another_approves() -> None:
    kosa, asker, decider = _society()
    approval = decide(actor=decider, approval=_asked(asker, kosa), approve=True, reason="Agrees with the bank.")
    assert (approval.status, approval.requester_id, approval.decider_id) == ("approved", asker.user_id, decider.user_id)
    assert approved(RUN, "run") == approval
    assert approved(RUN, "run", subject_sha256=DIGEST) == approval
    assert approved(RUN, "run", subject_sha256=OTHER) is None
    assert approved(RUN, "reversal") is None
    assert list(Event.objects.about("run", 7).values_list("verb", flat=True)) == [
        "approval.requested",
        "approval.approved",
    ]


@pytest.mark.django_db
def test_refused_is_not_approved_and_can_be_asked_again() -> None:
    kosa, asker, decider = _society()
    refused = decide(actor=decider, approval=_asked(asker, kosa), approve=False, reason="The pool is wrong.")
    assert refused.status == "refused"
    assert approved(RUN, "run") is None
    assert _asked(asker, kosa).pk != refused.pk


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["distribution", "finance", "administrator"])
def test_nobody_decides_what_they_asked_for(role: str) -> None:
    kosa = people.organisation("KOSA", "society")
    asker = people.actor(kosa, role)
    approval = _asked(asker, kosa)
    for approve in (True, False):
        with pytest.raises(Forbidden, match=r"second person.*administrators too") as refusal:
            decide(actor=asker, approval=approval, approve=approve)
        assert refusal.value.code == "second_person_needed"
    approval.refresh_from_db()
    assert approval.status == "pending"
    assert not Event.objects.filter(verb__in=["approval.approved", "approval.refused"]).exists()


@pytest.mark.django_db
def test_the_database_holds_four_eyes_by_itself() -> None:
    kosa, asker, _decider = _society()
    approval = _asked(asker, kosa)
    with pytest.raises(IntegrityError, match="approval_needs_a_second_person"), transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE accounts_approval SET status = 'approved', decider_id = requester_id, decided_at = now()"
                " WHERE id = %s",
                [approval.pk],
            )
    with pytest.raises(IntegrityError, match="approval_is_decided_by_someone"), transaction.atomic():
        Approval.objects.filter(pk=approval.pk).update(status="approved", decided_at=timezone.now())
    approval.refresh_from_db()
    assert approval.status == "pending"


@pytest.mark.django_db
def test_asking_twice_for_the_same_is_one_approval() -> None:
    kosa, asker, decider = _society()
    assert _asked(asker, kosa) == _asked(decider, kosa)
    assert Event.objects.filter(verb="approval.requested").count() == 1


@pytest.mark.django_db
def test_a_changed_subject_replaces_the_pending_one_and_its_asker() -> None:
    kosa, asker, other = _society()
    looked_at = _asked(asker, kosa)
    _asked(other, kosa, OTHER)
    with pytest.raises(Conflict, match="Look again"):
        decide(actor=people.actor(kosa, "administrator"), approval=looked_at, approve=True)
    with pytest.raises(Forbidden):
        decide(actor=other, approval=Approval.objects.get(), approve=True)
    assert decide(actor=asker, approval=Approval.objects.get(), approve=True).subject_sha256 == OTHER


@pytest.mark.django_db
def test_an_object_that_changed_since_cannot_be_decided() -> None:
    kosa, asker, decider = _society()
    approval = _asked(asker, kosa)
    with pytest.raises(Conflict) as refusal:
        decide(actor=decider, approval=approval, approve=True, subject_sha256=OTHER)
    assert refusal.value.code == "approval_is_stale"
    assert approved(RUN, "run") is None


@pytest.mark.django_db
def test_a_second_decision_is_refused() -> None:
    kosa, asker, decider = _society()
    approval = _asked(asker, kosa)
    decide(actor=decider, approval=Approval.objects.get(), approve=True)
    with pytest.raises(Conflict):
        decide(actor=people.actor(kosa, "administrator"), approval=approval, approve=False)
    assert approved(RUN, "run") is not None


@pytest.mark.django_db
def test_strangers_small_roles_and_programs() -> None:
    kosa, asker, _decider = _society()
    approval = _asked(asker, kosa)
    with pytest.raises(NotFound):
        decide(actor=people.actor(people.organisation("OTHER", "society")), approval=approval, approve=True)
    with pytest.raises(Forbidden, match=r"approvals\.decide"):
        decide(actor=people.actor(kosa, "auditor"), approval=approval, approve=True)
    for program in (SYSTEM, actor_of_token(people.token(kosa)[0])):
        with pytest.raises(Forbidden, match="Only a person"):
            decide(actor=program, approval=approval, approve=True)
        with pytest.raises(Forbidden, match="Only a person"):
            _asked(program, kosa)


def test_of_two_decisions_at_once_one_counts(committed_db: object) -> None:
    kosa, asker, _decider = _society()
    deciders = [people.actor(kosa, "finance"), people.actor(kosa, "administrator")]
    for number in range(10):
        about = Reference("run", number)
        asked = request_approval(actor=asker, kind="run", object=about, organisation_id=kosa.pk, subject_sha256=DIGEST)
        seen = [Approval.objects.get(pk=asked.pk) for _ in deciders]
        outcomes = together(
            lambda seen=seen: decide(actor=deciders[0], approval=seen[0], approve=True),
            lambda seen=seen: decide(actor=deciders[1], approval=seen[1], approve=False),
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Approval", "Conflict"]
        (won,) = [outcome for outcome in outcomes if isinstance(outcome, Approval)]
        assert Approval.objects.get(pk=asked.pk).status == won.status
        verbs = Event.objects.about("run", number).exclude(verb="approval.requested").values_list("verb", flat=True)
        assert list(verbs) == [f"approval.{won.status}"]


def test_without_the_comparison_both_decisions_would_count(committed_db: object) -> None:
    """The control: read, look, write without comparing lets two people each believe that they decided."""
    kosa, asker, _decider = _society()
    asked = _asked(asker, kosa)
    both_have_looked = threading.Barrier(2)

    def naive(person: Actor, status: str) -> str:
        approval = Approval.objects.get(pk=asked.pk)
        assert approval.status == "pending"
        both_have_looked.wait()
        Approval.objects.filter(pk=asked.pk).update(status=status, decider_id=person.user_id, decided_at=timezone.now())
        return status

    first, second = people.actor(kosa, "finance"), people.actor(kosa, "administrator")
    assert together(lambda: naive(first, "approved"), lambda: naive(second, "refused")) == ["approved", "refused"]


def test_asking_at_once_makes_one_approval(committed_db: object) -> None:
    kosa, first, second = _society()
    outcomes = together(lambda: _asked(first, kosa), lambda: _asked(second, kosa))
    assert outcomes[0] == outcomes[1]
    assert Approval.objects.count() == 1
