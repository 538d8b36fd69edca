"""Out of suspense: an identifier that means a work now is paid its original amount by the next run, once, by the shares of then."""

from __future__ import annotations

import datetime
import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from accounts.identity.core import SYSTEM, Conflict, Refusal
from licensing.licences.models import Licence
from licensing.matching.services import decide, withdraw
from licensing.permissions.models import DirectLicence, Mandate, Reservation
from licensing.repertoire.models import Identifier, Work
from royalties.distribution import services
from royalties.distribution.models import Allocation, Run, RunPool, RunRelease
from royalties.distribution.services.export import rows
from royalties.ledger.models import Account
from royalties.ledger.services import problems as ledger_problems
from royalties.statements import services as statements
from royalties.statements.models import Statement
from royalties.statements.services import facts
from tests.royalties.world import APRIL, JANUARY, JULY, QUARTER, Owned, Used, World, make_world, worked_example

pytestmark = pytest.mark.django_db
UNKNOWN = "domain:unknown.example"
SECOND = (APRIL, JULY)


@pytest.fixture
def world() -> World:
    """The worked example, posted: ₩28,309 wait under unknown.example."""
    made = make_world()
    made.rule()
    worked_example(made)
    publish(posted(made))
    return made


def computed(world: World, period: tuple[datetime.date, datetime.date] = QUARTER) -> Run:
    return services.compute(services.start_run(actor=world.computer, society=world.society, period=period).pk)


def posted(world: World, period: tuple[datetime.date, datetime.date] = QUARTER) -> Run:
    run = computed(world, period)
    services.request(actor=world.computer, run=run)
    services.approve(actor=world.approver, run=run)
    return services.post(run.pk)


def publish(run: Run) -> Run:
    return statements.publish(actor=SYSTEM, run=run)


def mandate(world: World, *holders: str, uses: tuple[str, ...] = ("*",), since: datetime.date = JANUARY) -> None:
    ids = world.holders()
    for holder in holders:
        Mandate.objects.create(
            society=world.society, holder_id=ids[holder], uses=list(uses), kinds=["*"], territory=["*"],
            valid=DateRange(since, None),
        )  # fmt: skip


def mean(world: World, identifier: str, work: str) -> Any:
    """A person decides that lines of this identifier mean the work."""
    scheme, _colon, value = identifier.partition(":")
    found = Work.objects.get(society=world.society, ref=work)
    return decide(actor=SYSTEM, society=world.society, scheme=scheme, value=value, work=found)


def lines(run: Run) -> list[tuple[Any, ...]]:
    """(key, holder, status, reason, amount, released from), by key."""
    return [(row[1] or row[2], row[0], row[3], row[6], row[4], row[13]) for row in rows(run)]


def balances(world: World) -> dict[str, int]:
    sums: dict[str, int] = {}
    for kind, debits, credits in Account.objects.filter(society=world.society).values_list("kind", "debits", "credits"):
        sums[kind] = sums.get(kind, 0) + credits - debits
    return sums


def nothing_is_wrong() -> None:
    assert services.problems() == []
    assert ledger_problems() == []
    assert statements.problems() == []


def first_run() -> Run:
    return Run.objects.order_by("id")[0]


def test_a_match_pays_the_original_amount_without_a_second_deduction(world: World) -> None:
    world.own(Owned("N", "H-N1", 600_000), Owned("N", "H-N2", 400_000))
    mandate(world, "H-N1", "H-N2")
    before = balances(world)
    mean(world, UNKNOWN, "N")
    run = posted(world)
    assert (run.pool, run.released, run.deductions, run.reserve, run.distributable) == (0, 28_309, {}, 0, 28_309)
    assert (run.payable, run.held, run.suspense, run.holders, run.works) == (28_309, 0, 0, 2, 1)
    origin = f"run {first_run().pk} {UNKNOWN}"
    assert lines(run) == [("N", "H-N1", "payable", "", 16_985, origin), ("N", "H-N2", "payable", "", 11_324, origin)]
    pool = run.pools.get()
    assert (pool.kind, pool.origin, pool.amount, pool.deductions) == ("release", first_run().pools.get(), 28_309, [])
    after = balances(world)
    assert after["suspense"] == 0 and after["payable"] == before["payable"] + 28_309 and after["clearing"] == 0
    assert {kind: after[kind] for kind in before if kind.startswith(("deduction", "pool", "bank"))} == {
        kind: before[kind] for kind in before if kind.startswith(("deduction", "pool", "bank"))
    }
    publish(run)
    nothing_is_wrong()


def test_the_register_releases_too_and_a_place_below_a_registered_one(world: World) -> None:
    world.own(Owned("N", "H-N", 1_000_000))
    mandate(world, "H-N")
    work = Work.objects.get(ref="N")
    Identifier.objects.create(society=world.society, work=work, scheme="domain", value="unknown.example")
    assert lines(posted(world)) == [("N", "H-N", "payable", "", 28_309, f"run {first_run().pk} {UNKNOWN}")]


def test_the_same_amount_is_never_released_twice(world: World) -> None:
    world.own(Owned("N", "H-N", 1_000_000))
    mandate(world, "H-N")
    mean(world, UNKNOWN, "N")
    posted(world)
    with pytest.raises(Refusal) as refused:
        computed(world)
    assert refused.value.code == "no_money"
    taken = RunRelease.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        RunRelease.objects.create(pool=taken.pool, allocation=taken.allocation, amount=taken.amount)


@pytest.mark.parametrize("way", ["refuse", "reverse"])
def test_a_run_that_does_not_stand_gives_it_back(world: World, way: str) -> None:
    world.own(Owned("N", "H-N", 1_000_000))
    mandate(world, "H-N")
    mean(world, UNKNOWN, "N")
    before = balances(world)
    if way == "reverse":
        run = posted(world)
        services.request_reversal(actor=world.computer, run=run)
        services.reverse(actor=world.approver, run=run)
    else:
        run = computed(world)
        if way == "refuse":
            services.request(actor=world.computer, run=run)
            services.approve(actor=world.approver, run=run, approve=False, reason="look again")
        services.discard(actor=world.computer, run=run)
    assert balances(world) | {"clearing": 0} == before | {"clearing": 0}
    assert RunRelease.objects.get().active is None
    nothing_is_wrong()
    assert posted(world).released == 28_309
    nothing_is_wrong()


def test_what_was_taken_back_after_it_was_computed_is_not_approved(world: World) -> None:
    world.own(Owned("N", "H-N", 1_000_000))
    mandate(world, "H-N")
    rule = mean(world, UNKNOWN, "N")
    run = computed(world)
    services.request(actor=world.computer, run=run)
    withdraw(actor=SYSTEM, rule=rule, reason="It was not theirs.")
    with pytest.raises(Conflict) as refused:
        services.approve(actor=world.approver, run=run)
    assert refused.value.code == "meant_otherwise"
    again = mean(world, UNKNOWN, "N")  # what is decided so again is paid
    assert services.approve(actor=world.approver, run=run).status == "approved"
    withdraw(actor=SYSTEM, rule=again, reason="It was not, after all.")
    with pytest.raises(Conflict) as refused:
        services.post(run.pk)
    assert refused.value.code == "meant_otherwise"
    services.discard(actor=world.computer, run=run)
    nothing_is_wrong()


def test_new_money_and_a_release_go_in_one_run(world: World) -> None:
    world.own(Owned("N", "H-N", 1_000_000))
    mandate(world, "H-N")
    mean(world, UNKNOWN, "N")
    more = world.bill(world.declare([Used("A", 1), Used("N", 1)], period=SECOND), net=1000, number="INV-2")
    world.receive(more, 1000)
    run = posted(world, SECOND)
    assert (run.pool, run.released) == (1000, 28_309)
    assert run.pool + run.released == sum(run.deductions.values()) + run.reserve + run.payable + run.held + run.suspense
    assert run.deductions == {"management fee": 150, "social and cultural fund": 26}  # of the new money alone
    assert [pool.kind for pool in run.pools.order_by("id")] == ["receipts", "release"]
    publish(run)
    nothing_is_wrong()


def test_shares_and_permission_are_those_of_the_days_of_use() -> None:
    """Used on three days for two purposes: each day's holders, and a mandate for one purpose alone."""
    world = make_world()
    world.rule(deductions=[])
    march, late = datetime.date(2026, 3, 1), datetime.date(2026, 3, 31)
    uses = [
        Used("isbn:9788937460449", 1, used_on=JANUARY),
        Used("isbn:9788937460449", 1, used_on=march),
        Used("isbn:9788937460449", 2, used_on=late, use="index"),
    ]
    world.receive(world.bill(world.declare(uses), net=2_200), 2_200)  # weights 1000, 1000 and 200
    posted(world)
    world.own(Owned("N", "OLD", 1_000_000, valid_to=march), Owned("N", "NEW", 1_000_000, valid_from=march))
    mandate(world, "OLD", "NEW", uses=("train",))
    mean(world, "isbn:9788937460449", "N")
    run = posted(world)
    assert [line[:5] for line in lines(run)] == [
        ("N", "OLD", "payable", "", 1_000),
        ("N", "NEW", "payable", "", 1_000),
        ("N", "NEW", "held", "unmandated", 200),
    ]
    assert (run.payable, run.held) == (2_000, 200)
    nothing_is_wrong()


def test_what_permission_does_not_allow_is_held_with_its_reason(world: World) -> None:
    world.own(Owned("N", "H-N", 1_000_000))
    mean(world, UNKNOWN, "N")
    assert [line[:5] for line in lines(computed(world))] == [("N", "H-N", "held", "unmandated", 28_309)]
    services.discard(actor=world.computer, run=Run.objects.latest("id"))
    mandate(world, "H-N")
    reserve(world, place="unknown.example", target="place")
    assert [line[:5] for line in lines(posted(world))] == [("N", "H-N", "held", "reserved", 28_309)]
    nothing_is_wrong()


def reserve(world: World, **what: Any) -> None:
    received = datetime.datetime(2026, 1, 5, tzinfo=datetime.UTC)
    Reservation.objects.create(
        society=world.society, ref="RES-1", uses=["*"], territory=["*"], source="form", status="effective", received_at=received,
        effective_from=received, **what,
    )  # fmt: skip


def test_shares_that_do_not_add_up_wait_for_their_own_reason(world: World) -> None:
    world.own(Owned("N", "H-N1", 700_000), Owned("N", "H-N2", 200_000, disputed=True))
    mandate(world, "H-N1", "H-N2")
    mean(world, UNKNOWN, "N")
    run = posted(world)
    assert [line[:5] for line in lines(run)] == [
        ("N", "H-N1", "payable", "", 19_816),
        ("N", "H-N2", "held", "disputed", 5_662),
        ("N", "", "suspense", "no_share", 2_831),
    ]
    assert balances(world)["suspense"] == 2_831
    nothing_is_wrong()


def test_a_run_is_not_reversed_while_a_later_one_has_its_money(world: World) -> None:
    world.own(Owned("N", "H-N", 1_000_000))
    mandate(world, "H-N")
    mean(world, UNKNOWN, "N")
    later, first = posted(world), first_run()
    services.request_reversal(actor=world.computer, run=first)
    with pytest.raises(Conflict) as refused:
        services.reverse(actor=world.approver, run=first)
    assert refused.value.code == "run_was_moved_on"
    services.request_reversal(actor=world.computer, run=later)
    services.reverse(actor=world.approver, run=later)
    services.reverse(actor=world.approver, run=first)
    nothing_is_wrong()


def test_a_match_taken_back_before_the_run_leaves_the_money_in_suspense(world: World) -> None:
    world.own(Owned("N", "H-N", 1_000_000))
    rule = mean(world, UNKNOWN, "N")
    withdraw(actor=SYSTEM, rule=rule, reason="another firm's site")
    with pytest.raises(Refusal) as refused:
        computed(world)
    assert refused.value.code == "no_money"


def test_two_identifiers_of_one_work_are_two_amounts() -> None:
    world = make_world()
    world.rule(deductions=[])
    uses = [Used("domain:one.example", 2), Used("domain:two.example", 1), Used("domain:never.example", 1)]
    world.receive(world.bill(world.declare(uses), net=400), 400)
    posted(world)
    world.own(Owned("N", "H-N", 1_000_000))
    mandate(world, "H-N")
    mean(world, "domain:one.example", "N")
    mean(world, "domain:two.example", "N")
    run = publish(posted(world))
    assert sorted((line[0], line[4], line[5].split()[-1]) for line in lines(run)) == [
        ("N", 100, "domain:two.example"),
        ("N", 200, "domain:one.example"),
    ]
    assert run.pools.get().units == 2 and balances(world)["suspense"] == 100
    nothing_is_wrong()


def test_every_answer_of_permission_has_its_consequence() -> None:
    """One amount, five identifiers: what each turned out to mean decides what becomes of its part."""
    world = make_world()
    world.rule(deductions=[])
    Licence.objects.filter(pk=world.licence.pk).update(kinds=["web"])
    names = ["ok", "free", "direct", "music", "reserved"]
    uses = [Used(f"domain:{name}.example", 1) for name in names]
    world.receive(world.bill(world.declare(uses), net=500), 500)
    posted(world)
    world.own(*(Owned(name.upper(), f"H-{name}", 1_000_000) for name in names))
    mandate(world, *(f"H-{name}" for name in names))
    Work.objects.filter(ref="FREE").update(protected_until=JANUARY)
    Work.objects.filter(ref="MUSIC").update(kind="music")
    DirectLicence.objects.create(
        holder_id=world.holders()["H-direct"], licensee=world.licensee, uses=["*"], kinds=["*"], territory=["*"],
        valid=DateRange(JANUARY, None),
    )  # fmt: skip
    reserve(world, target="work", work=Work.objects.get(ref="RESERVED"))
    for name in names:
        mean(world, f"domain:{name}.example", name.upper())
    Licence.objects.filter(pk=world.licence.pk).update(status="suspended")  # today; what was allowed then stays so
    run = posted(world)
    assert [line[1:5] for line in lines(run)] == [
        ("H-direct", "held", "individual", 100),
        ("H-free", "held", "free", 100),
        ("H-music", "held", "unlicensed", 100),
        ("H-ok", "payable", "", 100),
        ("H-reserved", "held", "reserved", 100),
    ]
    publish(run)
    nothing_is_wrong()


def test_a_line_of_several_identifiers_is_released_and_reserved_by_any_of_them() -> None:
    world = make_world()
    world.rule(deductions=[])
    whole = "domain:x.example;isbn:9788937460449"
    uses = [Used(f"several:{whole}", 1), Used("domain:y.example", 1)]
    world.receive(world.bill(world.declare(uses), net=200), 200)
    posted(world)
    world.own(Owned("N", "H-N", 1_000_000))
    mandate(world, "H-N")
    reserve(world, place="x.example", target="place")
    mean(world, "isbn:9788937460449", "N")
    mean(world, "domain:y.example", "N")
    assert sorted(line[2:5] for line in lines(posted(world))) == [("held", "reserved", 100), ("payable", "", 100)]
    nothing_is_wrong()


def test_the_statement_says_where_the_money_waited(world: World) -> None:
    world.own(Owned("N", "H-N", 1_000_000))
    mandate(world, "H-N")
    mean(world, UNKNOWN, "N")
    run = publish(posted(world))
    row = Statement.objects.select_related("run__rule", "society", "holder").get(run=run)
    assert (row.payable, row.held, row.lines, row.works) == (28_309, 0, 1, 1)
    [line] = facts.in_full(row).lines
    assert [(used.use, used.units) for used in line.uses] == [("train", 40_000)]
    data = json.loads(statements.content(facts.in_full(row), "json", "en"))
    said = " ".join(f"{step['label']} {step['value']} {step['detail']}" for step in data["lines"][0]["why"])
    assert f"Released from suspense ₩28,309 of run {first_run().pk}, 1 Jan 2026 – 31 Mar 2026" in said
    assert "unknown.example" in said
    assert data["pools"][0]["deductions"] == []
    assert statements.content(facts.in_full(row), "pdf", "ko").startswith(b"%PDF")


def test_distribute_says_what_was_released(world: World) -> None:
    world.own(Owned("N", "H-N", 1_000_000))
    mandate(world, "H-N")
    mean(world, UNKNOWN, "N")
    out = io.StringIO()
    call_command(
        "distribute", "--society", "KOREA-WEB", "--from", "2026-01-01", "--to", "2026-04-01", "--json", stdout=out
    )
    told = json.loads(out.getvalue())
    assert (told["pool"], told["released"], told["corrected"], told["payable"]) == (0, 28_309, 0, 28_309)
    assert told["taken"] == [{"kind": "release", "run": first_run().pk, "invoice": "INV-1", "amount": 28_309}]


def test_what_a_release_is_made_of_is_checked_by_the_database(world: World) -> None:
    world.own(Owned("N", "H-N", 1_000_000))
    mandate(world, "H-N")
    mean(world, UNKNOWN, "N")
    run = posted(world)
    payable = Allocation.objects.filter(run=first_run(), status="payable").first()
    assert payable is not None
    pool = RunPool.objects.get(run=run)
    for change in (
        "UPDATE royalties_runrelease SET amount = amount + 1",
        "UPDATE royalties_runrelease SET active = NULL",
        "DELETE FROM royalties_runrelease",
        f"INSERT INTO royalties_runrelease (pool_id, allocation_id, amount, active) VALUES ({pool.pk}, {payable.pk}, 1, true)",
        f"UPDATE royalties_run SET released = 1 WHERE id = {run.pk}",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)
    nothing_is_wrong()
