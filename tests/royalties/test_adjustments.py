"""Shares, works and matches that are others after the money was paid: found, offered with the reason, and divided anew where asked for."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.identity.core import SYSTEM, Refusal
from accounts.identity.models import User
from licensing.matching.services import withdraw
from licensing.repertoire.models import Share, Work
from licensing.repertoire.services import merge_works, unmerge_work
from royalties.distribution import services
from royalties.distribution.models import Run, RunCorrection
from royalties.distribution.services import comparison
from tests.royalties.test_corrections import amend, due, pay
from tests.royalties.test_expiry import expire
from tests.royalties.test_leftovers import begun, change, nothing_moves
from tests.royalties.test_releases import balances, mandate, mean, nothing_is_wrong, posted, publish
from tests.royalties.world import APRIL, JULY, LAST, QUARTER, Owned, Used, World

pytestmark = pytest.mark.django_db


def offered(world: World) -> list[tuple[int, tuple[str, ...]]]:
    return [(each.pool_id, each.reasons) for each in services.waiting_corrections(world.society.pk) if each.offered]


def corrected(world: World) -> Run:
    """A run that divides anew all that is offered, posted."""
    pools = [pool for pool, _reasons in offered(world)]
    run = services.start_run(actor=world.computer, society=world.society, period=QUARTER, correct=pools)
    run = services.compute(run.pk)
    services.request(actor=world.computer, run=run)
    services.approve(actor=world.approver, run=run)
    return services.post(run.pk)


def reasons(world: World) -> list[tuple[str, ...]]:
    return [each for _pool, each in offered(world)]


def test_a_share_that_was_less_is_offered_and_divided_anew_only_where_asked_for() -> None:
    world = begun(Owned("W", "H-1", 700_000))
    change(world, "H-1", ppm=600_000)
    world.own(Owned("W", "H-2", 400_000))
    assert reasons(world) == [("shares",)]
    nothing_moves(world)  # nobody asked for it
    run = publish(corrected(world))
    assert (run.pool, run.corrected, run.payable) == (0, 1_000, 1_000)
    assert due(world) == {"H-1": 600, "H-2": 400} and balances(world)["suspense"] == 0
    told = [(each.ref, each.before, each.now, each.reasons) for each in comparison.revised(run)]
    assert told == [("H-2", 0, 400, ("shares",)), ("H-1", 700, 600, ("shares",))]
    assert RunCorrection.objects.get().reasons == ["shares"]
    assert reasons(world) == []
    nothing_is_wrong()
    nothing_moves(world)


def test_what_was_paid_out_too_much_is_recovered_from_what_later_runs_bring() -> None:
    world = begun(Owned("W", "H-1", 1_000_000))
    pay(world, "H-1", 1_000)
    Share.objects.update(valid=DateRange(None, APRIL.replace(month=1)))
    world.own(Owned("W", "H-2", 1_000_000))
    corrected(world)
    assert due(world) == {"H-1": -1_000, "H-2": 1_000}
    nothing_is_wrong()
    world.own(Owned("V", "H-1", 1_000_000))
    world.receive(world.bill(world.declare([Used("V", 1)], period=(APRIL, JULY)), net=1_500, number="INV-2"), 1_500)
    posted(world, (APRIL, JULY))
    assert due(world) == {"H-1": 500, "H-2": 1_000} and balances(world)["recoverable"] == 0
    nothing_is_wrong()


def test_a_share_that_was_deleted_or_has_another_holder() -> None:
    world = begun(Owned("W", "H-1", 500_000), Owned("W", "H-2", 500_000))
    Share.objects.filter(holder__ref="H-2").delete()
    assert reasons(world) == [("shares",)]
    corrected(world)
    assert due(world) == {"H-1": 500} and balances(world)["suspense"] == 500
    nothing_is_wrong()


def test_a_change_for_days_after_the_use_changes_nothing() -> None:
    world = begun(Owned("W", "H-1", 1_000_000))
    Share.objects.update(valid=DateRange(None, APRIL))
    world.own(Owned("W", "H-2", 1_000_000, valid_from=APRIL))
    assert offered(world) == []
    nothing_moves(world)


def test_a_share_that_ended_between_two_days_of_use() -> None:
    world = begun(Owned("W", "H-1", 1_000_000), uses=(Used("W", 1, used_on=QUARTER[0]), Used("W", 3, used_on=LAST)))
    Share.objects.update(valid=DateRange(None, LAST))
    world.own(Owned("W", "H-2", 1_000_000, valid_from=LAST))
    assert reasons(world) == [("shares",)]
    corrected(world)
    assert due(world) == {"H-1": 250, "H-2": 750} and reasons(world) == []
    nothing_is_wrong()


def test_what_is_recorded_since_for_some_of_the_days() -> None:
    world = begun(uses=(Used("W", 1, used_on=QUARTER[0]), Used("W", 3, used_on=LAST)))
    world.own(Owned("W", "H-1", 1_000_000, valid_to=LAST), Owned("W", "H-2", 1_000_000, valid_from=LAST))
    assert reasons(world) == [("shares",)]
    corrected(world)
    assert due(world) == {"H-1": 250, "H-2": 750} and reasons(world) == []
    nothing_is_wrong()


def test_where_the_shares_claim_too_much_now_what_was_paid_waits_for_the_claimants() -> None:
    world = begun(Owned("W", "H-1", 700_000))
    change(world, "H-1", ppm=600_000)
    world.own(Owned("W", "H-2", 500_000))
    assert offered(world) == []
    change(world, "H-2", ppm=400_000)
    assert reasons(world) == [("shares",)]


def test_works_that_turned_out_to_be_one_and_two_again() -> None:
    world = begun(Owned("A", "H-A", 1_000_000), Owned("B", "H-B", 1_000_000), uses=(Used("A", 1), Used("B", 3)))
    first, into = Work.objects.get(ref="A"), Work.objects.get(ref="B")
    merge_works(actor=SYSTEM, work=first, into=into, reason="one work under two numbers")
    assert reasons(world) == [("works",)]
    publish(corrected(world))
    assert due(world) == {"H-B": 1_000} and reasons(world) == []
    unmerge_work(actor=SYSTEM, work=Work.objects.get(ref="A"), reason="they are two")
    assert reasons(world) == [("works",)]
    publish(corrected(world))
    assert due(world) == {"H-A": 250, "H-B": 750} and reasons(world) == []
    nothing_is_wrong()


def test_a_match_that_was_taken_back_after_it_was_paid() -> None:
    world = begun(Owned("A", "H-A", 1_000_000), uses=(Used("A", 1), Used("domain:x.example", 1)))
    world.own(Owned("N", "H-N", 1_000_000), Owned("M", "H-M", 1_000_000))
    mandate(world, "H-N", "H-M")
    rule = mean(world, "domain:x.example", "N")
    posted(world)
    assert due(world) == {"H-A": 500, "H-N": 500} and offered(world) == []
    withdraw(actor=SYSTEM, rule=rule, reason="another site")
    assert reasons(world) == [("match",)]
    corrected(world)
    assert due(world) == {"H-A": 500} and balances(world)["suspense"] == 500 and reasons(world) == []
    mean(world, "domain:x.example", "M")
    posted(world)
    assert due(world) == {"H-A": 500, "H-M": 500}
    nothing_is_wrong()


def test_only_what_is_offered_may_be_chosen_and_what_expired_is_not() -> None:
    world = begun(Owned("W", "H-1", 700_000))
    pool = Run.objects.get().pools.get().pk
    with pytest.raises(Refusal) as refused:
        services.start_run(actor=world.computer, society=world.society, period=QUARTER, correct=[pool])
    assert refused.value.code == "not_offered"
    expire(world)
    change(world, "H-1", ppm=600_000)
    [waiting] = services.waiting_corrections(world.society.pk)
    assert waiting.expired and not waiting.offered
    with pytest.raises(Refusal):
        services.start_run(actor=world.computer, society=world.society, period=QUARTER, correct=[pool])


def test_an_amendment_divides_by_the_shares_of_now_and_both_reasons_are_told() -> None:
    world = begun(Owned("W", "H-1", 1_000_000), Owned("V", "H-2", 1_000_000))
    Share.objects.filter(holder__ref="H-1").update(ppm=400_000)
    amend(world, [Used("W", 1), Used("V", 1)])
    assert offered(world) == []  # the amendment takes it along
    run = posted(world)
    assert due(world) == {"H-1": 200, "H-2": 500}
    assert RunCorrection.objects.get(pool__run=run).reasons == ["declarations", "shares"]
    nothing_is_wrong()


def test_who_starts_a_run_sees_what_is_offered_and_chooses() -> None:
    world = begun(Owned("W", "H-1", 700_000))
    change(world, "H-1", ppm=600_000)
    seen = Client()
    seen.force_login(User.objects.get(pk=world.computer.user_id))
    page = seen.get(reverse("royalties:run_start"))
    [each] = page.context["offered"]
    assert f'name="correct" value="{each.pool_id}"' in page.content.decode()
    run = services.start_run(actor=world.computer, society=world.society, period=QUARTER, correct=[each.pool_id])
    assert run.chosen == [each.pool_id]
    publish(corrected(world))
    shown = seen.get(reverse("royalties:run", args=[run.pk])).content.decode()
    assert "shares of its works are others now" in shown


parts = st.lists(st.integers(1, 250_000), min_size=1, max_size=4)


@settings(
    phases=[Phase.generate],
    max_examples=5,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
)
@given(first=parts, then=parts, net=st.integers(1, 10_007), paid=st.booleans())
def test_divided_anew_is_as_if_it_had_been_so_from_the_start(
    first: list[int], then: list[int], net: int, paid: bool
) -> None:
    """Whatever the shares were: what each is due afterwards is what the shares of now give, and every won is somewhere once."""
    point = transaction.savepoint()
    try:
        world = begun(*(Owned("W", f"H-{n}", ppm) for n, ppm in enumerate(first)), net=net)
        if paid and due(world).get("H-0"):
            pay(world, "H-0", due(world)["H-0"])
        out = net - balances(world).get("payable", 0) - balances(world).get("suspense", 0)
        Share.objects.all().delete()
        world.own(*(Owned("W", f"H-{n}", ppm) for n, ppm in enumerate(then)))
        if offered(world):
            corrected(world)
        elif services.waiting_releases(world.society.pk):
            posted(world)
        assert offered(world) == [] and services.problems() == []
        found: Any = balances(world)
        assert found.get("payable", 0) + found.get("suspense", 0) + found.get("recoverable", 0) + out == net
        wanted = {f"H-{n}": net * ppm / 1_000_000 for n, ppm in enumerate(then)}
        had = due(world)
        had["H-0"] = had.get("H-0", 0) + out
        assert all(abs(had.get(ref, 0) - amount) <= 2 for ref, amount in wanted.items())
    finally:
        transaction.savepoint_rollback(point)
