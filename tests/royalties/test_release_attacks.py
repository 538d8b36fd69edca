"""What moves a second time, attacked by plain SQL with real commits; and two acts at one moment, of which one gives way."""

from __future__ import annotations

import importlib
from typing import Any

import psycopg
import pytest

from accounts.identity.core import Conflict, Refusal
from royalties.distribution import services
from royalties.distribution.models import Allocation, ExpiredAllocation, Run, RunCorrection, RunPool, RunRelease
from tests.royalties.test_corrections import amend
from tests.royalties.test_expiry import expire
from tests.royalties.test_releases import computed, mandate, mean, nothing_is_wrong, posted
from tests.royalties.world import Owned, Used, World, make_world
from tests.together import meeting, together


@pytest.fixture
def world(committed_db: Any) -> World:
    """Three runs, posted: one of ₩1,000, of which 200 wait; what released them; and a second pool, divided anew by the third."""
    made = make_world()
    made.rule(deductions=[])
    made.own(Owned("A", "H-A", 1_000_000), Owned("N", "H-N", 1_000_000))
    mandate(made, "H-A", "H-N")
    made.receive(made.bill(made.declare([Used("A", 4), Used("domain:x.example", 1)]), net=1_000), 1_000)
    posted(made)
    return made


ATTACKS = [
    ("a second time", "INSERT INTO {release} SELECT {columns} FROM royalties_runrelease x WHERE x.id = {release_id}"),
    ("more than there was", "UPDATE royalties_runrelease SET amount = amount + 1"),
    ("of another amount", "UPDATE royalties_runrelease SET allocation_id = {payable}"),
    ("given back by itself", "UPDATE royalties_runrelease SET active = NULL"),
    ("forgotten", "DELETE FROM royalties_runrelease"),
    ("emptied", "TRUNCATE royalties_runrelease"),
    ("what is payable", "INSERT INTO royalties_runrelease (pool_id, allocation_id, amount, active) VALUES ({pool}, {payable}, 800, true)"),
    ("a pool divided anew twice",
     "INSERT INTO royalties_runcorrection (pool_id, corrected_id, amount, active) VALUES ({pool}, {first_pool}, 1000, true)"),
    ("a correction emptied", "TRUNCATE royalties_runcorrection"),
    ("the sum of a run", "UPDATE royalties_run SET released = released + 1 WHERE id = {run}"),
    ("its other sum", "UPDATE royalties_run SET corrected = 5 WHERE id = {run}"),
    ("the run that it comes from", "UPDATE royalties_run SET status = 'reversed' WHERE id = {first}"),
    ("the kind of a pool", "UPDATE royalties_runpool SET kind = 'receipts', origin_id = NULL WHERE id = {pool}"),
]  # fmt: skip


def test_the_database_refuses_each(world: World, committed_db: Any) -> None:
    """Given ₩200 that were released, when somebody with the program's rights tries, then nothing is other than before."""
    mean(world, "domain:x.example", "N")
    run = posted(world)
    release = RunRelease.objects.get()
    names = {
        "release": "royalties_runrelease (pool_id, allocation_id, amount, active)", "columns": "pool_id, allocation_id, amount, true",
        "release_id": release.pk, "pool": release.pool_id, "run": run.pk, "first": Run.objects.order_by("id")[0].pk,
        "payable": Allocation.objects.filter(status="payable").order_by("id")[0].pk,
        "first_pool": RunPool.objects.order_by("id")[0].pk,
    }  # fmt: skip
    before = snapshot()
    for what, statement in ATTACKS:
        with pytest.raises(psycopg.IntegrityError):
            committed(committed_db.url, statement.format(**names))
        assert snapshot() == before, what
    nothing_is_wrong()


def committed(url: str, statement: str) -> None:
    with psycopg.connect(url) as session:
        session.execute(statement)
        session.commit()


def snapshot() -> list[Any]:
    tables = (RunRelease, RunCorrection, Run, RunPool)
    return [list(table.objects.order_by("id").values()) for table in tables]


def test_a_correction_is_kept_as_a_release_is(world: World, committed_db: Any) -> None:
    amend(world, [Used("N", 1)])
    posted(world)
    before = snapshot()
    for statement in (
        "UPDATE royalties_runcorrection SET amount = 1", "UPDATE royalties_runcorrection SET active = NULL",
        "DELETE FROM royalties_runcorrection",
        "UPDATE royalties_run SET status = 'reversed' WHERE id = (SELECT min(id) FROM royalties_run)",
    ):  # fmt: skip
        with pytest.raises(psycopg.IntegrityError):
            committed(committed_db.url, statement)
        assert snapshot() == before, statement
    nothing_is_wrong()


def test_a_run_is_reversed_or_released_from_but_not_both(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """One person reverses the first run while the next one is computed, which takes what waits in its suspense."""
    mean(world, "domain:x.example", "N")
    first = Run.objects.get()
    services.request_reversal(actor=world.computer, run=first)
    meet = meeting(2, 30.0)

    compute = importlib.import_module("royalties.distribution.services.compute")

    def calculated(*args: Any, real: Any = compute._calculate) -> Any:
        result = real(*args)
        meet()
        return result

    def reversed_then() -> Any:
        meet()
        return services.reverse(actor=world.approver, run=first)

    monkeypatch.setattr(compute, "_calculate", calculated)
    results = together(lambda: computed(world), reversed_then)
    first.refresh_from_db()
    if first.status == Run.Status.REVERSED:
        assert isinstance(results[0], Conflict | Refusal), results
        assert not RunRelease.objects.filter(active=True).exists()
    else:
        assert isinstance(results[1], Conflict) and results[0].released == 200, results
    nothing_is_wrong()


def test_an_amount_is_released_or_expires_but_not_both(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolution declares the 200 non-distributable while the next run, which releases them, is being stored."""
    mean(world, "domain:x.example", "N")
    meet = meeting(2, 30.0)
    compute = importlib.import_module("royalties.distribution.services.compute")

    def calculated(*args: Any, real: Any = compute._calculate) -> Any:
        result = real(*args)
        meet()
        return result

    def expired_then() -> Any:
        meet()
        return expire(world)

    monkeypatch.setattr(compute, "_calculate", calculated)
    released, expired = together(lambda: computed(world), expired_then)
    taken = RunRelease.objects.filter(active=True).exists()
    assert taken != ExpiredAllocation.objects.exists(), (released, expired)
    assert isinstance(expired if taken else released, Conflict), (released, expired)
    nothing_is_wrong()
