"""What may not be distributed any more: by a resolution, all of an amount, for good; and what still stands is one question."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.identity.core import Conflict, Forbidden, NotFound, Refusal
from royalties.distribution import services
from royalties.distribution.models import Allocation, ExpiredAllocation, Run
from royalties.ledger.models import Journal
from tests.royalties.test_corrections import amend
from tests.royalties.test_releases import balances, computed, mandate, mean, nothing_is_wrong, posted
from tests.royalties.world import JULY, Owned, Used, World, make_world, staff

pytestmark = pytest.mark.django_db
X, Y = "domain:x.example", "domain:y.example"
ALL = "SELECT allocation_id FROM royalties_outstandingallocation WHERE society_id = %s"


@pytest.fixture
def world() -> World:
    """₩1,000: A has 400, of it 100 disputed; 400 and 200 wait for two unknown sites."""
    made = make_world()
    made.rule(deductions=[])
    made.own(Owned("A", "H-A", 750_000), Owned("A", "H-D", 250_000, disputed=True), Owned("N", "H-N", 1_000_000))
    mandate(made, "H-A", "H-D", "H-N")
    made.receive(made.bill(made.declare([Used("A", 4), Used(X, 4), Used(Y, 2)]), net=1_000), 1_000)
    posted(made)
    return made


def expire(world: World, query: str = ALL, *params: Any, key: str = "resolution:1", **changes: Any) -> Journal:
    values: dict[str, Any] = {
        "actor": world.approver,
        "society": world.society,
        "resolution_id": 1,
        "effective_on": JULY,
    }
    return services.expire(**values | changes, allocations=query, params=params or [world.society.pk], key=key)


def of(value: str) -> str:
    return f"{ALL} AND value = '{value}'"


def outstanding() -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT status, reason, value, amount, currency, taken_by_id FROM royalties_outstandingallocation ORDER BY amount, value"
        )
        return cursor.fetchall()


def test_what_stands_is_what_the_accounts_have(world: World) -> None:
    assert outstanding() == [
        ("held", "disputed", "", 100, "KRW", None),
        ("suspense", "unmatched", "y.example", 200, "KRW", None),
        ("suspense", "unmatched", "x.example", 400, "KRW", None),
    ]
    assert (balances(world)["held"], balances(world)["suspense"]) == (100, 600)


def test_what_a_run_takes_stands_until_that_run_is_posted(world: World) -> None:
    mean(world, X, "N")
    run = computed(world)
    assert [row[5] for row in outstanding()] == [None, None, run.pk]
    services.request(actor=world.computer, run=run)
    services.approve(actor=world.approver, run=run)
    services.post(run.pk)
    assert [row[3] for row in outstanding()] == [100, 200]
    services.request_reversal(actor=world.computer, run=run)
    services.reverse(actor=world.approver, run=run)
    assert [row[3] for row in outstanding()] == [100, 200, 400]
    nothing_is_wrong()


def test_a_resolution_moves_all_of_what_it_names_in_one_journal(world: World) -> None:
    journal = expire(world)
    assert (journal.kind, journal.posting_total, journal.posting_count) == ("expiry", 700, 2)
    found = balances(world)
    assert (found["held"], found["suspense"], found["undistributable"]) == (0, 0, 700)
    assert ExpiredAllocation.objects.count() == 3 and outstanding() == []
    nothing_is_wrong()
    assert expire(world) == journal  # again, by whoever did not hear the answer
    assert ExpiredAllocation.objects.count() == 3
    with pytest.raises(Conflict) as refused:
        expire(world, resolution_id=2)
    assert refused.value.code == "key_used_otherwise"


def test_it_is_never_released_afterwards(world: World) -> None:
    expire(world, of("x.example"))
    mean(world, X, "N")
    mean(world, Y, "N")
    run = posted(world)
    assert (run.released, balances(world)["undistributable"]) == (200, 400)
    nothing_is_wrong()


def test_nor_divided_anew_nor_reversed_and_each_says_so(world: World) -> None:
    expire(world, of("x.example"))
    amend(world, [Used("N", 1)])
    [waiting] = services.waiting_corrections(world.society.pk)
    assert waiting.expired
    with pytest.raises(Refusal) as none:
        computed(world)
    assert none.value.code == "no_money"
    run = Run.objects.earliest("id")
    services.request_reversal(actor=world.computer, run=run)
    with pytest.raises(Conflict) as refused:
        services.reverse(actor=world.approver, run=run)
    assert refused.value.code == "run_has_expired_money"
    nothing_is_wrong()


def test_what_was_released_divided_anew_or_is_being_released_is_refused(world: World) -> None:
    mean(world, X, "N")
    run = computed(world)
    with pytest.raises(Conflict) as refused:
        expire(world)
    assert refused.value.code == "being_released"
    ids = list(Allocation.objects.filter(value="x.example", status="suspense").values_list("id", flat=True))
    services.request(actor=world.computer, run=run)
    services.approve(actor=world.approver, run=run)
    services.post(run.pk)
    with pytest.raises(Conflict) as gone:
        expire(world, "SELECT unnest(%s::bigint[])", ids)
    assert gone.value.code == "not_outstanding"
    amend(world, [Used("A", 1)])
    posted(world)
    ids = list(Allocation.objects.filter(value="y.example").values_list("id", flat=True))
    with pytest.raises(Conflict):
        expire(world, "SELECT unnest(%s::bigint[])", ids)
    assert not ExpiredAllocation.objects.exists() and not Journal.objects.filter(kind="expiry").exists()


def test_who_may_and_for_whom(world: World) -> None:
    with pytest.raises(Refusal):
        expire(world, f"{ALL} AND false")
    with pytest.raises(Forbidden):
        expire(world, actor=staff(world.society, "reader", "auditor"))
    other = make_world("OTHER", "OTHER-FIRM")
    with pytest.raises(NotFound):
        expire(world, actor=other.approver)
    with pytest.raises(Conflict):  # another society's money
        expire(world, ALL, world.society.pk, actor=other.approver, society=other.society)


def test_what_expired_is_kept_by_the_database(world: World) -> None:
    """Given ₩400 that have expired, when somebody with the program's rights tries, then nothing is other than before."""
    expire(world, of("x.example"))
    row = ExpiredAllocation.objects.get()
    payable = Allocation.objects.filter(status="payable").earliest("id")
    still = Allocation.objects.get(value="y.example")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for change in (
        "UPDATE royalties_expiredallocation SET amount = 1",
        "DELETE FROM royalties_expiredallocation",
        "TRUNCATE royalties_expiredallocation",
        f"UPDATE royalties_run SET status = 'reversed' WHERE id = {payable.run_id}",
        *(
            f"INSERT INTO royalties_expiredallocation (allocation_id, resolution_id, amount, journal_id) VALUES ({values})"
            for values in (
                f"{payable.pk}, 1, {payable.amount}, {row.journal_id}",  # what is payable
                f"{still.pk}, 1, {still.amount}, {row.journal_id}",  # more than the journal moved
                f"{still.pk}, 1, 1, {row.journal_id}",  # a part
                f"{row.allocation_id}, 1, {row.amount}, {row.journal_id}",  # twice
                f"{still.pk}, 1, {still.amount}, {Journal.objects.filter(kind='run').earliest('id').pk}",
            )
        ),
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
    nothing_is_wrong()
