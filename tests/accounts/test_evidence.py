"""Evidence: written with its change, never altered; the database itself refuses."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.access import services
from accounts.evidence.models import Event
from accounts.evidence.services import record
from accounts.identity.core import SYSTEM, Reference
from accounts.organisations.models import Organisation
from tests.accounts import people


def _one() -> Event:
    with transaction.atomic():
        return record(
            actor=SYSTEM, verb="run.approved", object=Reference("run", 7), organisation_id=3, data={"pool": 1}
        )


@pytest.mark.django_db
def test_an_event_says_who_what_and_when() -> None:
    hanbit = people.organisation()
    who = people.actor(hanbit)
    with transaction.atomic():
        event = record(actor=who, verb="licence.ended", object=Reference("licence", 5), organisation_id=hanbit.pk)
    event.refresh_from_db()
    assert (event.actor_kind, event.actor_id, event.actor_label) == ("user", who.id, who.label)
    assert (event.verb, event.object_kind, event.object_id, event.data) == ("licence.ended", "licence", "5", {})
    assert event.at is not None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE accounts_event SET verb = 'nothing.happened'",
        "UPDATE accounts_event SET data = '{}' WHERE id = -1",
        "DELETE FROM accounts_event",
        "DELETE FROM accounts_event WHERE false",
        "TRUNCATE accounts_event",
        "TRUNCATE accounts_event CASCADE",
        "INSERT INTO accounts_event SELECT * FROM accounts_event ON CONFLICT (id) DO UPDATE SET verb = 'x'",
    ],
)
def test_the_database_refuses_every_change(attack: str) -> None:
    event = _one()
    with pytest.raises(IntegrityError, match="rows here are only ever added"):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(attack)
    assert Event.objects.get().verb == event.verb


@pytest.mark.django_db
def test_the_orm_is_refused_too() -> None:
    event = _one()
    event.verb = "nothing.happened"
    for attack in (event.save, event.delete, Event.objects.all().delete):
        with pytest.raises(IntegrityError), transaction.atomic():
            attack()
    assert Event.objects.get().verb == "run.approved"


@pytest.mark.django_db
def test_refused_in_a_committed_row_too(committed: Event) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Event.objects.filter(pk=committed.pk).update(verb="x")


@pytest.fixture
def committed() -> Event:
    return _one()


def test_a_change_without_a_transaction_writes_nothing(committed_db: object) -> None:
    with pytest.raises(RuntimeError, match=r"run\.approved must be written in the transaction"):
        record(actor=SYSTEM, verb="run.approved", object=Reference("run", 7), organisation_id=None)
    assert not Event.objects.exists()


def test_evidence_falls_with_its_change(committed_db: object) -> None:
    class Crash(Exception):
        pass

    @transaction.atomic
    def crash() -> None:
        people.organisation("KOSA", "society")
        raise Crash

    with pytest.raises(Crash):
        crash()
    assert not Event.objects.exists()
    assert not Organisation.objects.exists()


def test_the_change_falls_with_its_evidence(committed_db: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from accounts.access.services import members

    def broken(**_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(members, "record", broken)
    with pytest.raises(ConnectionError):
        people.organisation("KOSA", "society")
    assert not Organisation.objects.exists()


def test_committed_evidence_stays(committed_db: object) -> None:
    people.organisation("KOSA", "society")
    for attack in ("DELETE FROM accounts_event", "TRUNCATE accounts_event"):
        with pytest.raises(IntegrityError), connection.cursor() as cursor:
            cursor.execute(attack)
    assert Event.objects.filter(verb="organisation.created").count() == 1


@pytest.mark.django_db
def test_an_organisation_sees_its_own_events_only() -> None:
    hanbit, other = people.organisation(), people.organisation("OTHER")
    ours = people.actor(hanbit)
    services.issue_token(actor=ours, organisation=hanbit, scopes="*")
    people.token(other)
    seen = Event.objects.visible_to(ours)
    assert {event.organisation_id for event in seen} == {hanbit.pk}
    assert seen.filter(verb="token.issued").count() == 1
    assert Event.objects.visible_to(SYSTEM).filter(verb="token.issued").count() == 2
