"""What leaves suspense and what is divided anew is, on the cluster, what it is on DuckDB: the same digests of one run."""

from __future__ import annotations

from royalties.distribution import services
from royalties.distribution.models import Run
from tests.clusters import Cluster
from tests.conftest import Committed
from tests.royalties.test_corrections import amend
from tests.royalties.test_releases import computed, mandate, mean, posted, reserve
from tests.royalties.world import APRIL, JULY, Owned, Used, World, make_world
from tests.spark.test_main_job import choose

SECOND = (APRIL, JULY)


def test_a_run_of_all_three_kinds(committed_db: Committed, spark: Cluster) -> None:
    world = moving()
    choose(world.society, "duckdb")
    on_duckdb = computed(world, SECOND)
    assert (on_duckdb.pool, on_duckdb.released, on_duckdb.corrected) == (1_001, 666, 2_003)
    choose(world.society, "spark")
    on_spark = services.compute(services.recompute(actor=world.computer, run=on_duckdb).pk)
    assert figures(on_spark) == figures(on_duckdb)
    assert services.problems_of(on_spark) == []  # its digest is found again from what is stored, by Spark too


def moving() -> World:
    """₩1,001 of new money, ₩666 that mean works now, some of them reserved, and ₩2,003 whose declaration was amended."""
    world = make_world()
    world.rule(deductions=[])
    world.own(
        Owned("A", "H-1", 333_333), Owned("A", "H-2", 666_667), Owned("B", "H-2", 1_000_000), Owned("C", "H-3", 700_000),
    )  # fmt: skip
    mandate(world, "H-1", "H-2", "H-3")
    names = ["domain:one.example", "isbn:9788937460449", "title:가나다"]
    world.receive(world.bill(world.declare([Used("A", 3), *(Used(name, 2) for name in names)]), net=1_000), 1_000)
    world.receive(world.bill(world.declare([Used("A", 3), Used("B", 1)]), net=2_003, number="INV-2"), 2_003)
    posted(world)
    for name, work in zip(names, "ABC", strict=True):
        mean(world, name, work)
    reserve(world, place="one.example", target="place")
    amend(world, [Used("A", 1), Used("C", 5), Used("domain:rest.example", 1)], net=None)
    bill_the_amendment()
    world.receive(world.bill(world.declare([Used("B", 1)], period=SECOND), net=1_001, number="INV-3"), 1_001)
    return world


def bill_the_amendment() -> None:
    """At no difference, with the second invoice."""
    from licensing.declarations.models import Declaration
    from royalties.billing.models import Invoice, InvoiceDeclaration

    InvoiceDeclaration.objects.create(
        invoice=Invoice.objects.get(number="INV-2"), declaration=Declaration.objects.latest("id")
    )


def figures(run: Run) -> list[object]:
    return [
        run.pool,
        run.released,
        run.corrected,
        run.payable,
        run.held,
        run.suspense,
        run.input_digest,
        run.result_digest,
    ]
