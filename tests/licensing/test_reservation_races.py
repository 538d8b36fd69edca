"""Two acts on reservations at once: one stands, and the lock that sees to it is needed."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from django.utils import timezone

from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Conflict
from licensing.permissions.models import Reservation
from licensing.permissions.services import reservations
from licensing.permissions.services.targets import Claimant, Target
from tests.licensing.parties import organisation
from tests.together import together


def reserve(society: Any) -> Reservation:
    who = Claimant(name="Lee", email="lee@example.com")
    return reservations.reserve(
        actor=SYSTEM, society=society, target=Target.place("example.com"), uses=["train"], source="form", claimant=who
    )


def test_the_same_sent_twice_at_once_is_one_reservation(committed_db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    society = organisation("S", "society")
    made = together(*[lambda: reserve(society)] * 4)
    assert {reservation.pk for reservation in made} == {Reservation.objects.get().pk}
    assert Event.objects.filter(verb="reservation.received").count() == 1

    # Without the lock they would not see each other.
    Reservation.objects.filter(pk=made[0].pk).update(status="withdrawn", ended_at=timezone.now())
    monkeypatch.setattr(reservations, "_wait_for_equal", lambda wanted: None)
    for _attempt in range(20):
        together(*[lambda: reserve(society)] * 4)
        standing = Reservation.objects.filter(status="received")
        if standing.count() > 1:
            return
        standing.update(status="withdrawn", ended_at=timezone.now())
    pytest.fail("four at once, twenty times, never met")


def test_accepted_rejected_and_withdrawn_at_once_ends_in_one_way(committed_db: Any) -> None:
    society = organisation("S", "society")
    made = reserve(society)
    why = [{"code": "other", "detail": "No."}]

    def fresh() -> Reservation:
        return Reservation.objects.get(pk=made.pk)

    results = together(
        lambda: reservations.accept(actor=SYSTEM, reservation=fresh()),
        lambda: reservations.reject(actor=SYSTEM, reservation=fresh(), reasons=why),
        lambda: reservations.reject(actor=SYSTEM, reservation=fresh(), reasons=why),
        lambda: reservations.withdraw(actor=SYSTEM, reservation=fresh()),
    )
    assert all(isinstance(result, Reservation | Conflict) for result in results), results
    happened = list(Event.objects.about("reservation", made.pk).order_by("id").values_list("verb", flat=True))
    with suppress(ValueError):
        happened.remove("reservation.received")
    said = [verb.removeprefix("reservation.") for verb in happened]
    # Accepting comes first or not at all; of the endings there is one.
    assert said in (["rejected"], ["withdrawn"], ["accepted", "withdrawn"])
    assert fresh().status == said[-1]


def test_a_confirmation_opened_twice_at_once_is_received_once(committed_db: Any, monkeypatch: Any) -> None:
    society = organisation("S", "society")
    keys: list[str] = []
    monkeypatch.setattr(reservations.telling, "ask_to_confirm", lambda reservation, key: keys.append(key))
    asked = reservations.request(
        society=society, target=Target.place("example.com"), uses=["*"], claimant=Claimant(email="lee@example.com")
    )
    moments = {made.received_at for made in together(*[lambda: reservations.confirm(asked.ref, keys[0])] * 4)}
    assert len(moments) == 1
    assert Event.objects.filter(verb="reservation.received").count() == 1
