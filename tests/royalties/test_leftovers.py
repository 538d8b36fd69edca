"""What waited for its shares is released once they are recorded, settled or disputed no longer: the original amount, once."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.identity.core import Refusal
from licensing.compliance.models import Case, CaseUse
from licensing.repertoire.models import Share
from royalties.distribution import services
from royalties.distribution.models import Allocation, Run
from tests.royalties.test_corrections import amend, due
from tests.royalties.test_expiry import expire
from tests.royalties.test_releases import balances, mandate, mean, nothing_is_wrong, posted, publish
from tests.royalties.world import LAST, QUARTER, Owned, Used, World, make_world

pytestmark = pytest.mark.django_db


def begun(*shares: Owned, net: int = 1_000, uses: tuple[Used, ...] = (Used("W", 1),), deductions: Any = ()) -> World:
    """One work, its shares as they were recorded first, and money that is distributed by them."""
    made = make_world()
    made.rule(deductions=list(deductions))
    made.own(*shares)
    if not shares:
        made.work("W")
    made.receive(made.bill(made.declare(uses), net=net), net)
    publish(posted(made))
    return made


def change(world: World, holder: str, **values: Any) -> None:
    Share.objects.filter(holder_id=world.holders()[holder]).update(**values)


def lines(run: Run) -> list[tuple[Any, ...]]:
    found = Allocation.objects.filter(run=run).order_by("-amount", "id")
    return [
        (a.holder.ref if a.holder else "", a.status, a.reason, a.amount, a.ppm) for a in found.select_related("holder")
    ]


def nothing_moves(world: World) -> None:
    with pytest.raises(Refusal) as refused:
        posted(world)
    assert refused.value.code == "no_money"


def test_what_nobody_had_goes_to_whose_share_was_recorded_since() -> None:
    world = begun(Owned("W", "H-1", 700_000), net=1_001, deductions=[{"name": "fee", "percent": "10"}])
    assert (due(world), balances(world)["suspense"]) == ({"H-1": 631}, 270)
    world.own(Owned("W", "H-2", 300_000))
    [waits] = services.waiting_releases(world.society.pk)
    assert (waits.amount, waits.because, waits.identifiers) == (270, "shares", 1)
    run = publish(posted(world))
    assert (run.pool, run.released, run.deductions, run.payable) == (0, 270, {}, 270)
    assert lines(run) == [("H-2", "payable", "", 270, 300_000)]
    assert (due(world), balances(world)["suspense"]) == ({"H-1": 631, "H-2": 270}, 0)
    nothing_is_wrong()
    nothing_moves(world)


def test_bit_by_bit_until_the_work_is_whole() -> None:
    world = begun()
    world.own(Owned("W", "H-1", 500_000))
    assert lines(posted(world)) == [("H-1", "payable", "", 500, 500_000), ("", "suspense", "no_share", 500, 500_000)]
    change(world, "H-1", ppm=750_000)
    assert lines(posted(world)) == [("H-1", "payable", "", 250, 250_000), ("", "suspense", "no_share", 250, 250_000)]
    world.own(Owned("W", "H-2", 250_000))
    last = posted(world)
    assert due(world) == {"H-1": 750, "H-2": 250} and balances(world)["suspense"] == 0
    nothing_is_wrong()
    services.request_reversal(actor=world.computer, run=last)
    services.reverse(actor=world.approver, run=last)
    assert due(world) == {"H-1": 750} and balances(world)["suspense"] == 250
    nothing_is_wrong()
    assert posted(world).released == 250


def test_only_shares_of_the_day_of_use_count() -> None:
    world = begun()
    later = QUARTER[1]
    world.own(Owned("W", "H-1", 1_000_000, valid_from=later))
    nothing_moves(world)
    assert balances(world)["suspense"] == 1_000


def test_a_work_claimed_more_than_whole_is_paid_as_its_claimants_settled_it() -> None:
    world = begun(Owned("W", "H-1", 800_000), Owned("W", "H-2", 400_000))
    assert balances(world)["held"] == 1_000
    nothing_moves(world)
    change(world, "H-1", ppm=600_001)
    nothing_moves(world)
    change(world, "H-1", ppm=600_000)
    run = posted(world)
    assert lines(run) == [("H-1", "payable", "", 600, 600_000), ("H-2", "payable", "", 400, 400_000)]
    assert balances(world)["held"] == 0
    nothing_is_wrong()


def test_a_dispute_that_ends_pays_the_share_as_settled() -> None:
    """H-2 and H-3 disputed each other's half of 400,000; H-3 is left with a quarter of it, and H-2 with the rest."""
    world = begun(
        Owned("W", "H-1", 600_000), Owned("W", "H-2", 200_000, disputed=True), Owned("W", "H-3", 200_000, disputed=True)
    )
    assert (due(world), balances(world)["held"]) == ({"H-1": 600}, 400)
    nothing_moves(world)
    change(world, "H-2", ppm=300_000, disputed=False)
    change(world, "H-3", ppm=100_000, disputed=False)
    posted(world)
    assert due(world) == {"H-1": 600, "H-2": 300, "H-3": 100} and balances(world)["held"] == 0
    nothing_is_wrong()


def test_one_share_may_be_settled_while_another_is_not() -> None:
    world = begun(Owned("W", "H-1", 500_000, disputed=True), Owned("W", "H-2", 500_000, disputed=True))
    change(world, "H-1", disputed=False)
    posted(world)
    assert due(world) == {"H-1": 500} and balances(world)["held"] == 500
    change(world, "H-2", disputed=False)
    posted(world)
    assert due(world) == {"H-1": 500, "H-2": 500}
    nothing_is_wrong()


def test_a_share_that_turned_out_to_be_anothers() -> None:
    world = begun(Owned("W", "H-1", 500_000), Owned("W", "H-2", 500_000, disputed=True))
    change(world, "H-2", disputed=False, valid=DateRange(QUARTER[1], None))
    world.own(Owned("W", "H-3", 300_000))
    posted(world)
    assert due(world) == {"H-1": 500, "H-3": 300}
    assert (balances(world)["held"], balances(world)["suspense"]) == (0, 200)  # what nobody has of it now
    nothing_is_wrong()


def test_who_was_paid_too_much_is_no_matter_of_a_release() -> None:
    """H-1 had 700,000 and was paid; now 600,000. What waits stays until the pool is divided anew."""
    world = begun(Owned("W", "H-1", 700_000))
    change(world, "H-1", ppm=600_000)
    world.own(Owned("W", "H-2", 400_000))
    nothing_moves(world)
    assert due(world) == {"H-1": 700}


def test_what_an_identifier_meant_waits_for_its_shares_and_is_released_again() -> None:
    """Released with a part of its shares on record, and again with the rest; then an amendment takes back both."""
    world = begun(Owned("A", "H-A", 1_000_000), uses=(Used("A", 1), Used("domain:x.example", 1)))
    world.work("N")
    mean(world, "domain:x.example", "N")
    nothing_moves(world)  # nobody is on record yet
    world.own(Owned("N", "H-N", 400_000))
    mandate(world, "H-N")
    assert lines(posted(world)) == [("", "suspense", "no_share", 300, 600_000), ("H-N", "payable", "", 200, 400_000)]
    world.own(Owned("N", "H-M", 600_000))
    run = posted(world)
    assert lines(run) == [("H-M", "payable", "", 300, 600_000)]
    assert run.pools.get().origin.kind == "release"
    publish(run)
    nothing_is_wrong()
    first = Run.objects.earliest("id")
    services.request_reversal(actor=world.computer, run=first)
    with pytest.raises(Refusal):
        services.reverse(actor=world.approver, run=first)
    amend(world, [Used("A", 3), Used("N", 1)])
    assert posted(world).corrected == 1_000
    assert due(world) == {"H-A": 750, "H-N": 100, "H-M": 150} and balances(world)["suspense"] == 0
    nothing_is_wrong()


def test_what_permission_does_not_allow_is_not_released_by_a_share() -> None:
    world = begun(uses=(Used("domain:x.example", 1),))
    world.own(Owned("N", "H-N", 600_000))
    mean(world, "domain:x.example", "N")
    run = posted(world)
    assert lines(run) == [("H-N", "held", "unmandated", 600, 600_000), ("", "held", "unmandated", 400, 400_000)]
    world.own(Owned("N", "H-M", 400_000))
    mandate(world, "H-M", "H-N")
    nothing_moves(world)
    nothing_is_wrong()


def test_a_release_that_nothing_allowed_opens_a_case() -> None:
    """Each holder, and whoever is on nobody's record, has one; the firm has paid, so no money is asked for by itself."""
    world = begun(uses=(Used("domain:x.example", 7), Used("domain:y.example", 1)))
    world.own(Owned("N", "H-N", 600_000), Owned("Y", "H-Y", 1_000_000))
    mandate(world, "H-Y")
    mean(world, "domain:x.example", "N")
    mean(world, "domain:y.example", "Y")
    run = posted(world)
    cases = Case.objects.order_by("holder")
    assert [(c.holder.ref if c.holder else "", c.status, c.reasons, c.units, c.proposed, c.found_in) for c in cases] == [
        ("H-N", "open", {"unmandated": 1}, {"token": 7}, 0, run.pk), ("", "open", {"unmandated": 1}, {"token": 7}, 0, run.pk),
    ]  # fmt: skip
    assert sorted(CaseUse.objects.values_list("ppm", "units", "work__ref")) == [(400_000, 7, "N"), (600_000, 7, "N")]
    assert services.post(run.pk).pk == run.pk and Case.objects.count() == 2
    services.request_reversal(actor=world.computer, run=run)
    services.reverse(actor=world.approver, run=run)
    assert set(Case.objects.values_list("status", flat=True)) == {"closed"}
    mandate(world, "H-N")
    assert posted(world).payable == 525 + 125 and Case.objects.count() == 2  # 60 % of 875, and all of 125
    nothing_is_wrong()


def test_what_has_expired_is_not_released() -> None:
    world = begun(Owned("W", "H-1", 700_000))
    expire(world)
    world.own(Owned("W", "H-2", 300_000))
    nothing_moves(world)
    nothing_is_wrong()


def test_days_on_which_shares_differ_are_not_guessed() -> None:
    """Used in January and at the end of March; what is recorded since begins in between: the pool is to be divided anew."""
    world = begun(uses=(Used("W", 1, used_on=QUARTER[0]), Used("W", 3, used_on=LAST)))
    world.own(Owned("W", "H-1", 1_000_000, valid_to=LAST), Owned("W", "H-2", 1_000_000, valid_from=LAST))
    nothing_moves(world)


@settings(
    max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(
    first=st.lists(st.tuples(st.integers(1, 400_000), st.booleans()), min_size=0, max_size=4),
    more=st.lists(st.tuples(st.integers(1, 300_000), st.booleans()), min_size=0, max_size=3),
    net=st.integers(2_000_000, 9_000_007),
)
def test_whatever_waits_every_won_is_somewhere_once_and_nobody_has_more_than_the_share(
    first: list[tuple[int, bool]], more: list[tuple[int, bool]], net: int
) -> None:
    point = transaction.savepoint()
    try:
        world = begun(*(Owned("W", f"H-{n}", ppm, disputed=flag) for n, (ppm, flag) in enumerate(first)), net=net)
        world.own(*(Owned("W", f"M-{n}", ppm, disputed=flag) for n, (ppm, flag) in enumerate(more)))
        Share.objects.filter(holder__ref__startswith="H-").update(disputed=False)
        if services.waiting_releases(world.society.pk):
            posted(world)
        found = balances(world)
        assert found.get("payable", 0) + found.get("held", 0) + found.get("suspense", 0) == net
        assert services.problems() == []
        claimed = sum(ppm for ppm, _flag in [*first, *more])
        if claimed > 1_000_000 or not claimed:
            return
        standing = (
            Allocation.objects.filter(status="payable")
            .values("holder__ref")
            .annotate(ppm=Sum("ppm"), amount=Sum("amount"))
        )
        shares = {f"H-{n}": ppm for n, (ppm, _flag) in enumerate(first)}
        shares |= {f"M-{n}": ppm for n, (ppm, flag) in enumerate(more) if not flag}
        assert {row["holder__ref"]: row["ppm"] for row in standing} == shares
        for row in standing:
            assert abs(row["amount"] * 1_000_000 - net * row["ppm"]) <= 3_000_000  # a won a division at most
    finally:
        transaction.savepoint_rollback(point)
