"""What each use of a work brought: also of works that became one, of what was released, and of what was divided anew more than once."""

from __future__ import annotations

import pytest

from accounts.identity.core import SYSTEM
from licensing.repertoire.models import Holder, Work
from licensing.repertoire.services import merge_works
from royalties.statements.services.earnings import earned
from tests.royalties.test_corrections import amend
from tests.royalties.test_leftovers import begun
from tests.royalties.test_releases import mandate, mean, posted, publish
from tests.royalties.world import APRIL, JULY, Owned, Used, World, make_world

pytestmark = pytest.mark.django_db


def by_use(holder: str) -> dict[str, int]:
    sums: dict[str, int] = {}
    for each in earned(Holder.objects.get(ref=holder), ["*"]):
        sums[each.use] = sums.get(each.use, 0) + each.amount
    return sums


def test_a_work_that_was_merged_before_the_run_brings_by_the_uses_of_both() -> None:
    """A has 1,000 by training, B 1,000 × 2.5 by grounding; A is B."""
    world = make_world()
    world.rule(deductions=[])
    world.own(Owned("A", "H-A", 1_000_000), Owned("B", "H-B", 1_000_000))
    merge_works(actor=SYSTEM, work=Work.objects.get(ref="A"), into=Work.objects.get(ref="B"), reason="one work")
    world.receive(world.bill(world.declare([Used("A", 1), Used("B", 1, use="ground")]), net=3_500), 3_500)
    publish(posted(world))
    assert by_use("H-B") == {"train": 1_000, "ground": 2_500} and by_use("H-A") == {}


def test_a_work_that_is_merged_after_the_run_brought_by_its_own_uses() -> None:
    begun(
        Owned("A", "H-A", 1_000_000), Owned("B", "H-B", 1_000_000), uses=(Used("A", 1), Used("B", 1, use="ground")), net=3_500
    )  # fmt: skip
    merge_works(actor=SYSTEM, work=Work.objects.get(ref="A"), into=Work.objects.get(ref="B"), reason="one work")
    assert (by_use("H-A"), by_use("H-B")) == ({"train": 1_000}, {"ground": 2_500})


def test_divided_anew_twice_it_is_weighed_by_the_rule_under_which_it_was_new() -> None:
    world: World = begun(Owned("A", "H-A", 1_000_000), Owned("C", "H-C", 1_000_000), uses=(Used("A", 1),), net=3_500)
    world.rule(version=2, valid_from="2026-04-01", use_weights={"train": 1, "ground": 1}, deductions=[])
    for _time in range(2):
        amend(world, [Used("A", 1), Used("A", 1, use="ground")])
        publish(posted(world, (APRIL, JULY)))
        assert by_use("H-A") == {"train": 1_000, "ground": 2_500}


def test_what_is_released_bit_by_bit_is_for_the_uses_that_it_waited_for() -> None:
    world = begun(uses=(Used("domain:x.example", 1), Used("domain:x.example", 1, use="ground")), net=3_500)
    world.own(Owned("N", "H-N", 600_000))
    mandate(world, "H-N")
    mean(world, "domain:x.example", "N")
    publish(posted(world))
    world.own(Owned("N", "H-M", 400_000))
    publish(posted(world))
    assert (by_use("H-N"), by_use("H-M")) == ({"train": 600, "ground": 1_500}, {"train": 400, "ground": 1_000})
