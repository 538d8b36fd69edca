"""Both sides are reminded of a licence's end: at the notice that was agreed, and 90, 60 and 30 days before; once each."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.identity.core import SYSTEM
from accounts.notices.models import Notice
from licensing.licences import core, services
from licensing.licences.conditions import Conditions
from licensing.licences.models import Licence
from licensing.licences.tasks import remind_of_renewals
from tests.licensing.licence_world import DAY, World, on
from tests.licensing.parties import licence


@pytest.fixture
def world(db: None) -> World:
    return World()


def ending(world: World, days: int, notice: int | None = None, **terms: Any) -> Licence:
    conditions = {"conditions": Conditions(renewal_notice_days=notice).as_data()} if notice is not None else {}
    wanted = {"valid_from": world.today - DAY, "valid_to": world.today + days * DAY} | conditions | terms
    return licence(world.society, world.firm, world.tariff.versions.get(), **wanted)


def days_told(world: World, of: Licence) -> list[int]:
    """The days of reminders that the firm's director has got, in order."""
    keys = Notice.objects.filter(user_id=world.director.user_id, key__startswith=f"licence-ends:{of.pk}:")
    return [int(key.rpartition(":")[2]) for key in keys.order_by("id").values_list("key", flat=True)]


def test_each_reminder_comes_once_as_the_end_draws_near(world: World) -> None:
    held = ending(world, 100, notice=45)
    told = {}
    for passed in range(101):
        if services.remind_of_renewals(today=world.today + passed * DAY):
            told[100 - passed] = days_told(world, held)[-1]
    assert told == {90: 90, 60: 60, 45: 45, 30: 30}


def test_a_long_notice_is_told_as_early_as_agreed(world: World) -> None:
    held = ending(world, 200, notice=180)
    assert services.remind_of_renewals(today=world.today + 19 * DAY) == 0
    assert services.remind_of_renewals(today=world.today + 20 * DAY) == 1
    assert days_told(world, held) == [180]


def test_missed_days_are_made_up_by_one_reminder(world: World) -> None:
    """The task did not run for months: one notice, not three."""
    held = ending(world, 10)
    assert [services.remind_of_renewals(today=world.today) for _n in range(2)] == [1, 0]
    assert days_told(world, held) == [30]


def test_both_sides_hear_of_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    held = ending(world, 60)
    on(world.today, monkeypatch)
    assert (remind_of_renewals(), remind_of_renewals()) == (1, 0)
    told = Notice.objects.filter(key=f"licence-ends:{held.pk}:60")
    assert {world.clerk.user_id, world.signer.user_id, world.director.user_id} <= set(
        told.values_list("user", flat=True)
    )
    said = told.get(user_id=world.director.user_id)
    assert str(world.today + 59 * DAY) in said.subject and "60 days" in said.body


@pytest.mark.parametrize("status", ["draft", "suspended", "terminated", "amended", "expired"])
def test_only_a_licence_that_holds_is_renewed(world: World, status: str) -> None:
    Licence.objects.filter(pk=ending(world, 20).pk).update(status=status)
    assert services.remind_of_renewals(today=world.today) == 0


def test_a_licence_without_an_end_is_not_reminded_of_one(world: World) -> None:
    ending(world, 1, valid_to=None)
    assert services.remind_of_renewals(today=world.today) == 0


def test_whoever_has_asked_for_the_renewal_is_not_reminded(world: World) -> None:
    held = ending(world, 60)
    request = world.ask(renews=held, term_from=held.valid.upper, term_to=held.valid.upper + 365 * DAY)
    assert services.remind_of_renewals(today=world.today) == 1, "a draft asks nobody"
    services.submit(actor=world.director, request=request)
    assert services.remind_of_renewals(today=world.today + 40 * DAY) == 0
    services.withdraw(actor=world.director, request=request)
    assert services.remind_of_renewals(today=world.today + 40 * DAY) == 1


def test_a_licence_that_is_renewed_is_not_reminded(world: World) -> None:
    held = ending(world, 60, tier="large")
    ending(world, 400, ref="L-2", valid_from=held.valid.upper)
    assert services.remind_of_renewals(today=world.today) == 1
    Licence.objects.filter(ref="L-2").update(succeeds=held)
    assert services.remind_of_renewals(today=world.today + 40 * DAY) == 0


def test_the_number_of_queries_does_not_grow_with_what_was_told(
    world: World, django_assert_max_num_queries: Any
) -> None:
    for n in range(5):
        ending(world, 60, ref=f"L-{n}")
    assert services.remind_of_renewals(today=world.today) == 5
    with django_assert_max_num_queries(2):
        assert services.remind_of_renewals(today=world.today) == 0


@given(st.integers(0, 4000), st.none() | st.integers(0, 3650))
def test_the_reminder_that_is_due_is_the_latest_reached(days_left: int, notice: int | None) -> None:
    due = core.reminder_due(days_left, notice)
    stops = {*core.REMINDED, *([notice] if notice else [])}
    assert (due is None) == (days_left > max(stops))
    if due is not None:
        assert due in stops and days_left <= due
        assert not [stop for stop in stops if days_left <= stop < due]


def test_expiry_is_told_once(world: World) -> None:
    held = ending(world, 1)
    assert services.expire_due(actor=SYSTEM, today=world.today) == 0
    assert services.expire_due(actor=SYSTEM, today=held.valid.upper) == 1
    assert services.expire_due(actor=SYSTEM, today=held.valid.upper + datetime.timedelta(days=1)) == 0
    assert Notice.objects.filter(key=f"licence.ended:{held.pk}", user_id=world.director.user_id).count() == 1
