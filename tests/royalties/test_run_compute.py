"""Computing a run: the worked example, what goes to suspense or is held, what is refused, and that order moves nothing."""

from __future__ import annotations

import datetime
import random
from collections import Counter
from typing import Any

import pytest

from accounts.identity.core import Conflict, Forbidden, NotFound, Refusal
from royalties.distribution import services
from royalties.distribution.models import Allocation, Run, RunReceipt
from royalties.distribution.services.export import rows
from tests.royalties.world import APRIL, JANUARY, JULY, QUARTER, Owned, Used, World, make_world, worked_example

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def computed(world: World, period: tuple[datetime.date, datetime.date] = QUARTER) -> Run:
    return services.compute(services.start_run(actor=world.computer, society=world.society, period=period).pk)


def lines(run: Run) -> list[tuple[Any, ...]]:
    """(key, holder, status, reason, amount), by key."""
    return [(row[1] or row[2], row[0], row[3], row[6], row[4]) for row in rows(run)]


def test_the_worked_example_to_the_won(world: World) -> None:
    world.rule()
    worked_example(world)
    run = computed(world)
    assert run.status == Run.Status.COMPUTED
    assert (run.pool, run.deductions, run.reserve, run.distributable) == (
        1_000_003, {"management fee": 150_000, "social and cultural fund": 25_500}, 0, 824_503,
    )  # fmt: skip
    assert (run.payable, run.held, run.suspense, run.holders, run.works) == (796_194, 0, 28_309, 5, 3)
    assert lines(run) == [
        ("A", "H-A", "payable", "", 495_410),
        ("B", "H-B1", "payable", "", 70_773),
        ("B", "H-B2", "payable", "", 70_773),
        ("B", "H-B3", "payable", "", 70_772),
        ("C", "H-C", "payable", "", 88_466),
        ("domain:unknown.example", "", "suspense", "unmatched", 28_309),
    ]
    pool = run.pools.get()
    assert (pool.amount, pool.distributable, int(pool.total_weight), pool.units) == (
        1_000_003,
        824_503,
        1_165_000_000,
        4,
    )
    assert pool.deductions[1] == {"name": "social and cultural fund", "percent": "3", "base": 850_003, "amount": 25_500}
    assert run.pool == sum(run.deductions.values()) + run.reserve + run.payable + run.held + run.suspense


def test_unowned_overclaimed_and_disputed_shares(world: World) -> None:
    world.rule(deductions=[])
    world.own(
        Owned("HALF", "H1", 500_000), Owned("OVER", "H1", 600_000), Owned("OVER", "H2", 600_000),
        Owned("DISPUTED", "H1", 250_000), Owned("DISPUTED", "H2", 750_000, disputed=True),
    )  # fmt: skip
    world.work("NOBODY")
    invoice = world.bill(world.declare([Used(key, 1) for key in ("HALF", "OVER", "DISPUTED", "NOBODY")]), net=404)
    world.receive(invoice, 404)
    assert lines(computed(world)) == [
        ("DISPUTED", "H1", "payable", "", 25),
        ("DISPUTED", "H2", "held", "disputed", 76),
        ("HALF", "H1", "payable", "", 51),
        ("HALF", "", "suspense", "no_share", 50),
        ("NOBODY", "", "suspense", "no_share", 101),
        ("OVER", "", "held", "overclaimed", 101),
    ]


def test_shares_are_those_of_the_day_of_use(world: World) -> None:
    world.rule(deductions=[])
    march = datetime.date(2026, 3, 1)
    world.own(Owned("A", "OLD", 1_000_000, valid_to=march), Owned("A", "NEW", 1_000_000, valid_from=march))
    uses = [
        Used("A", 1, used_on=JANUARY),
        Used("A", 1, used_on=datetime.date(2026, 2, 28)),
        Used("A", 1, used_on=march),
    ]
    world.receive(world.bill(world.declare(uses), net=100), 100)
    run = computed(world)
    assert lines(run) == [("A", "OLD", "payable", "", 67), ("A", "NEW", "payable", "", 33)]
    parts = Allocation.objects.filter(run=run).order_by("used_on").values_list("used_on", "work_amount", "set_amount")
    assert list(parts) == [(JANUARY, 100, 67), (march, 100, 33)]


def test_only_licensed_by_the_licence_and_unmatched_lines_weigh(world: World) -> None:
    world.rule(deductions=[])
    world.own(*(Owned(key, "H1", 1_000_000) for key in ("LICENSED", "RESERVED", "UNMANDATED", "UNLICENSED")))
    uses = [
        Used("LICENSED", 1),
        *(Used(status.upper(), 99, status=status) for status in ("reserved", "unmandated", "unlicensed")),
    ]
    world.receive(world.bill(world.declare(uses), net=100), 100)
    assert lines(computed(world)) == [("LICENSED", "H1", "payable", "", 100)]


def test_each_pool_is_cut_and_rounded_alone(world: World) -> None:
    world.rule(deductions=[{"name": "fee", "percent": "10"}])
    world.own(Owned("A", "H1", 1_000_000))
    for number, net in (("INV-1", 5), ("INV-2", 15)):
        world.receive(world.bill(world.declare([Used("A", 1)]), net=net, number=number), net)
    run = computed(world)
    assert run.deductions == {"fee": 3}  # 0.5 → 1 and 1.5 → 2; of the sum it would have been 2
    assert [(pool.invoice.number, pool.distributable) for pool in run.pools.order_by("id")] == [
        ("INV-1", 4),
        ("INV-2", 13),
    ]


def test_the_equal_part_is_split_first_over_the_same_units(world: World) -> None:
    world.rule(deductions=[], equal_part_percent="50")
    world.own(Owned("A", "H1", 1_000_000), Owned("B", "H2", 1_000_000))
    world.receive(world.bill(world.declare([Used("A", 9), Used("B", 0), Used("isbn:1", 1)]), net=1_001), 1_001)
    run = computed(world)
    # equal part 500.5 → 501: 167 each; the rest of 500 by weight: 450, 0, 50
    assert lines(run) == [
        ("A", "H1", "payable", "", 617),
        ("B", "H2", "payable", "", 167),
        ("isbn:1", "", "suspense", "unmatched", 217),
    ]


def test_neither_import_order_nor_ids_move_a_won_or_a_digest(world: World) -> None:
    outcomes = []
    for seed, society in enumerate((world, make_world("KOREA-WEB-2", "HANBIT-2"))):
        draw = random.Random(seed)
        society.rule(equal_part_percent="10")
        shares = [Owned(f"W{n}", f"H{n % 7}", 500_000, role) for n in range(60) for role in ("author", "translator")]
        society.own(*shares, shuffle=draw)
        same = random.Random(11)
        uses = [
            Used(
                f"W{n}" if n % 9 else f"domain:x{n}.kr",
                same.randrange(1, 10**9),
                used_on=datetime.date(2026, 3, 1 + n % 3),
            )
            for n in range(60)
        ]
        invoice = society.bill(society.declare(uses, shuffle=draw), net=12_345_677)
        society.receive(invoice, 12_345_677)
        run = computed(society)
        outcomes.append((lines(run), run.result_digest))
    assert outcomes[0] == outcomes[1]


def test_the_same_inputs_give_the_same_digests_and_changed_ones_others(world: World) -> None:
    world.rule()
    invoice = worked_example(world)
    first = computed(world)
    services.recompute(actor=world.computer, run=first)
    again = services.compute(first.pk)
    assert (again.input_digest, again.result_digest) == (first.input_digest, first.result_digest)
    assert Allocation.objects.filter(run=first).count() == 6 and RunReceipt.objects.count() == 1
    world.own(Owned("NEW", "H-A", 1_000_000))  # not used: nothing that governs the run
    services.recompute(actor=world.computer, run=first)
    assert services.compute(first.pk).input_digest == first.input_digest
    invoice.declarations.get().uses.filter(work__ref="A").update(units=700_001)
    services.recompute(actor=world.computer, run=first)
    changed = services.compute(first.pk)
    assert changed.input_digest != first.input_digest and changed.result_digest != first.result_digest


def test_starting_twice_gives_the_same_run(world: World) -> None:
    world.rule()
    worked_example(world)
    first = services.start_run(actor=world.computer, society=world.society, period=QUARTER)
    assert services.start_run(actor=world.computer, society=world.society, period=QUARTER) == first
    with pytest.raises(Conflict) as refused:
        services.start_run(actor=world.computer, society=world.society, period=(JANUARY, JULY))
    assert refused.value.code == "run_is_open"
    assert Run.objects.count() == 1


def test_what_cannot_be_distributed_is_refused(world: World) -> None:
    with pytest.raises(Refusal) as refused:
        services.start_run(actor=world.computer, society=world.society, period=QUARTER)
    assert refused.value.code == "no_money"
    world.own(Owned("A", "H1", 1_000_000))
    invoice = world.bill(world.declare([Used("A", 1), Used("isbn:1", 1, unit="page")]), net=100)
    world.receive(invoice, 100)
    with pytest.raises(Refusal) as refused:
        services.start_run(actor=world.computer, society=world.society, period=QUARTER)
    assert refused.value.code == "no_rule"
    world.rule()
    run = services.start_run(actor=world.computer, society=world.society, period=QUARTER)
    with pytest.raises(Refusal) as refused:
        services.compute(run.pk)
    assert refused.value.code == "mixed_units"
    run.refresh_from_db()
    assert run.status == Run.Status.DRAFT and run.problems[0]["code"] == "mixed_units"
    assert not Allocation.objects.exists() and not RunReceipt.objects.exists()
    with pytest.raises(Refusal) as refused:
        services.start_run(actor=world.computer, society=world.society, period=(APRIL, APRIL))
    assert refused.value.code == "empty_period"


@pytest.mark.parametrize("uses", [[], [Used("A", 5, use="index")]])
def test_a_pool_without_weight_is_refused(world: World, uses: list[Used]) -> None:
    world.rule(use_weights={"train": 1, "index": 0})
    world.own(Owned("A", "H1", 1_000_000))
    world.receive(world.bill(world.declare(uses), net=100), 100)
    with pytest.raises(Refusal) as refused:
        computed(world)
    assert refused.value.code == "no_weight"


def test_a_product_beyond_the_guard_is_refused(world: World) -> None:
    world.rule(use_weights={"train": 1_000_000})
    world.own(Owned("A", "H1", 1_000_000))
    world.receive(world.bill(world.declare([Used("A", 10**20)]), net=10**12), 10**12)
    with pytest.raises(Refusal) as refused:
        computed(world)
    assert refused.value.code == "too_large"


def test_money_that_came_later_opens_a_supplementary_run(world: World) -> None:
    world.rule(deductions=[])
    world.own(Owned("A", "H1", 1_000_000))
    invoice = world.bill(world.declare([Used("A", 1)]), net=100)
    world.receive(invoice, 40)
    first = computed(world)
    assert (first.pool, first.supplementary) == (40, False)
    world.receive(invoice, 60)
    services.discard(actor=world.computer, run=first, reason="wait for the rest")
    second = computed(world)
    assert second.pool == 100 and second.pk != first.pk
    first.refresh_from_db()
    assert first.status == Run.Status.DISCARDED
    assert Counter(RunReceipt.objects.values_list("active", flat=True)) == {True: 2, None: 1}


def test_strangers_find_nothing_and_small_roles_are_refused(world: World) -> None:
    from tests.royalties.world import staff

    world.rule()
    worked_example(world)
    other = make_world("OTHER", "OTHER-FIRM")
    with pytest.raises(NotFound):
        services.start_run(actor=other.computer, society=world.society, period=QUARTER)
    with pytest.raises(Forbidden):
        services.start_run(actor=staff(world.society, "audit", "auditor"), society=world.society, period=QUARTER)
    run = services.start_run(actor=world.computer, society=world.society, period=QUARTER)
    with pytest.raises(NotFound):
        services.discard(actor=other.computer, run=run)


def test_computed_again_a_run_follows_the_rule_of_now(world: World) -> None:
    world.rule()
    world.own(Owned("A", "H1", 1_000_000))
    world.receive(world.bill(world.declare([Used("A", 1), Used("isbn:1", 1, unit="page")]), net=100), 100)
    run = services.start_run(actor=world.computer, society=world.society, period=QUARTER)
    with pytest.raises(Refusal):
        services.compute(run.pk)
    world.rule(version=2, valid_from="2026-02-01", unit_weights={"token": 1, "page": 300}, use_weights={"train": 1000})
    services.recompute(actor=world.computer, run=run)
    again = services.compute(run.pk)
    assert (again.status, again.rule.version, again.problems) == (Run.Status.COMPUTED, 2, [])


def test_what_was_left_lying_is_found(world: World) -> None:
    from django.utils import timezone

    from royalties.distribution.services import progress

    world.rule()
    worked_example(world)
    run = services.start_run(actor=world.computer, society=world.society, period=QUARTER)
    soon = timezone.now() + datetime.timedelta(seconds=1)
    assert progress.stalled(older_than=run.created_at) == []
    assert progress.stalled(older_than=soon) == [(run.pk, "")]
    services.compute(run.pk)
    assert progress.stalled(older_than=soon) == []
    services.request(actor=world.computer, run=run)
    services.approve(actor=world.approver, run=run)
    with pytest.raises(Conflict):
        progress.ask(actor=world.approver, run=run, step=progress.PUBLISH)
    progress.ask(actor=world.approver, run=run, step=progress.POST)
    soon = timezone.now() + datetime.timedelta(seconds=1)
    assert progress.stalled(older_than=soon) == [(run.pk, progress.POST)]
    services.post(run.pk)
    progress.ask(actor=world.approver, run=run, step=progress.PUBLISH)
    assert progress.stalled(older_than=soon) == []
    assert progress.publications_stalled(older_than=timezone.now() + datetime.timedelta(seconds=1)) == [run.pk]
