"""A run after it was computed: approved by a second person, posted once, published, reversed whole."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.approvals.models import Approval
from accounts.evidence.models import Event
from accounts.identity.core import Conflict, Forbidden, Refusal
from licensing.declarations.models import Declaration
from royalties.distribution import services
from royalties.distribution.models import Allocation, Rule, Run, RunReceipt
from royalties.ledger.models import Account, Journal, Posting
from royalties.ledger.services import problems as ledger_problems
from royalties.statements import services as statements
from royalties.statements.models import Statement
from tests.royalties.world import QUARTER, Owned, Used, World, make_world, staff, worked_example

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    made = make_world()
    made.rule(reserve_percent="1")
    worked_example(made)
    return made


def computed(world: World) -> Run:
    return services.compute(services.start_run(actor=world.computer, society=world.society, period=QUARTER).pk)


def approved(world: World) -> Run:
    run = computed(world)
    services.request(actor=world.computer, run=run)
    return services.approve(actor=world.approver, run=run)


def posted(world: World) -> Run:
    return services.post(approved(world).pk)


def balances(world: World) -> dict[str, int]:
    rows = Account.objects.filter(society=world.society).values_list("kind", "owner_id", "debits", "credits")
    sums: dict[str, int] = {}
    for kind, _owner, debits, credits in rows:
        sums[kind] = sums.get(kind, 0) + credits - debits
    return sums


def nothing_is_wrong() -> None:
    assert services.problems() == []
    assert ledger_problems() == []


def test_posting_moves_the_pool_to_where_it_belongs(world: World) -> None:
    run = posted(world)
    assert (run.status, run.reserve, run.distributable) == (Run.Status.POSTED, 8_245, 816_258)
    found = balances(world)
    assert (found["pool"], found["clearing"]) == (0, 0)
    assert (found["deduction:management fee"], found["deduction:social and cultural fund"], found["reserve"]) == (
        150_000,
        25_500,
        8_245,
    )
    assert (found["payable"], found.get("held", 0), found["suspense"]) == (
        run.payable,
        0,
        run.suspense,
    )
    per_holder = dict(Account.objects.filter(society=world.society, kind="payable").values_list("owner_id", "credits"))
    assert per_holder == {a.holder_id: a.amount for a in Allocation.objects.filter(run=run, status="payable")}
    assert run.journal is not None and run.journal.idempotency_key == f"run:{run.pk}"
    assert Posting.objects.filter(journal=run.journal).count() == 1 + 5 + 2 + 1 + 1
    nothing_is_wrong()


def test_posting_twice_gives_the_same_journal(world: World) -> None:
    run = posted(world)
    assert services.post(run.pk).journal_id == run.journal_id
    assert Journal.objects.filter(kind="run").count() == 1


def test_one_person_cannot_do_it_alone(world: World) -> None:
    run = computed(world)
    with pytest.raises(Conflict) as refused:
        services.post(run.pk)
    assert refused.value.code == "run_is_not_approved"
    with pytest.raises(Conflict) as refused:
        services.approve(actor=world.approver, run=run)
    assert refused.value.code == "approval_not_requested"
    services.request(actor=world.computer, run=run)
    with pytest.raises(Forbidden) as forbidden:
        services.approve(actor=world.computer, run=run)
    assert forbidden.value.code == "second_person_needed"
    with pytest.raises(Forbidden):
        services.approve(actor=staff(world.society, "audit", "auditor"), run=run)
    run.refresh_from_db()
    assert run.status == Run.Status.COMPUTED and not Journal.objects.filter(kind="run").exists()


def test_an_approval_is_bound_to_the_result(world: World) -> None:
    run = computed(world)
    services.request(actor=world.computer, run=run)
    world.work("LATE")
    uses = Declaration.objects.get(licence=world.licence).uses
    uses.filter(work__ref="A").update(units=1)
    services.recompute(actor=world.computer, run=run)
    changed = services.compute(run.pk)
    assert changed.result_digest != run.result_digest
    assert not Approval.objects.pending().exists()
    with pytest.raises(Conflict):
        services.approve(actor=world.approver, run=run)


def test_a_refused_run_stays_computed_and_can_be_asked_for_again(world: World) -> None:
    run = computed(world)
    services.request(actor=world.computer, run=run)
    services.approve(actor=world.approver, run=run, approve=False, reason="the comparison looks odd")
    run.refresh_from_db()
    assert run.status == Run.Status.COMPUTED
    services.request(actor=world.computer, run=run)
    assert services.approve(actor=world.approver, run=run).status == Run.Status.APPROVED
    verbs = list(Event.objects.about("run", run.pk).values_list("verb", flat=True))
    assert "run.refused" in verbs and "run.approved" in verbs


def test_publishing_makes_each_holder_a_statement_once(world: World) -> None:
    member = world.member("H-B1")
    run = statements.publish(actor=world.approver, run=posted(world))
    assert run.status == Run.Status.PUBLISHED and run.published_at is not None
    rows = Statement.objects.filter(run=run).select_related("holder").order_by("number")
    assert [(s.holder.ref, s.number) for s in rows] == [
        (ref, f"R{run.pk}-{place:06}") for place, ref in enumerate(("H-A", "H-B1", "H-B2", "H-B3", "H-C"), 1)
    ]
    assert sum(s.payable for s in rows) == run.payable
    again = statements.publish(actor=world.approver, run=run)
    assert again.published_at == run.published_at and Statement.objects.count() == 5
    from accounts.notices.models import Notice

    assert list(Notice.objects.values_list("user_id", flat=True)) == [member.user_id]
    assert [s.holder.ref for s in Statement.objects.visible_to(member)] == ["H-B1"]
    assert Allocation.objects.visible_to(member).count() == 1
    nothing_is_wrong()


def test_only_a_posted_run_is_published(world: World) -> None:
    run = approved(world)
    with pytest.raises(Conflict):
        statements.publish(actor=world.approver, run=run)
    assert not Statement.objects.exists()


def test_a_reversal_takes_the_whole_run_back_and_frees_its_money(world: World) -> None:
    run = statements.publish(actor=world.approver, run=posted(world))
    with pytest.raises(Conflict):
        services.reverse(actor=world.approver, run=run)
    services.request_reversal(actor=world.computer, run=run)
    with pytest.raises(Forbidden):
        services.reverse(actor=world.computer, run=run)
    back = services.reverse(actor=world.approver, run=run, reason="wrong rule")
    assert back.status == Run.Status.REVERSED and back.reversal is not None
    found = balances(world)
    assert found["pool"] == 1_000_003 and all(
        found[kind] == 0 for kind in found if kind not in ("pool", "bank", "receivable", "billed")
    )
    assert Statement.objects.filter(run=back).count() == 5
    nothing_is_wrong()
    second = computed(world)
    assert second.pool == 1_000_003 and second.pk != run.pk
    assert RunReceipt.objects.filter(active=True).get().pool.run_id == second.pk


def test_a_supplementary_run_takes_what_came_later_with_the_full_weights() -> None:
    world = make_world("LATER", "LATER-FIRM")
    world.rule()
    world.own(Owned("A", "H1", 1_000_000), Owned("B", "H2", 1_000_000))
    invoice = world.bill(world.declare([Used("A", 3), Used("B", 1)]), net=300)
    world.receive(invoice, 100)
    first = posted(world)
    with pytest.raises(Refusal):
        computed(world)
    world.receive(invoice, 200)
    second = computed(world)
    assert (first.supplementary, second.supplementary, second.pool) == (False, True, 200)
    assert int(second.pools.get().total_weight) == int(first.pools.get().total_weight) == 4_000
    nothing_is_wrong()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE royalties_allocation SET amount = amount + 1 WHERE run_id = %s",
        "DELETE FROM royalties_allocation WHERE run_id = %s",
        "UPDATE royalties_run SET payable = payable + 1, distributable = distributable + 1 WHERE id = %s",
        "UPDATE royalties_run SET status = 'draft' WHERE id = %s",
        "UPDATE royalties_run SET result_digest = 'x' WHERE id = %s",
        "DELETE FROM royalties_run WHERE id = %s",
        "UPDATE royalties_runpool SET amount = amount + 1 WHERE run_id = %s",
        "UPDATE royalties_rule SET document = '{}' WHERE id = (SELECT rule_id FROM royalties_run WHERE id = %s)",
        "DELETE FROM royalties_statement WHERE run_id = %s",
        "UPDATE royalties_statement SET payable = 0 WHERE run_id = %s",
        "INSERT INTO royalties_allocation (run_id, pool_id, scheme, value, role, used_on, ppm, weight, work_amount, "
        "set_amount, amount, status, reason) "
        "SELECT %s, id, '', '', '', now(), 0, 0, 0, 0, 0, 'suspense', '' FROM royalties_runpool",
    ],
)
def test_the_database_itself_keeps_a_posted_run(world: World, statement: str) -> None:
    run = statements.publish(actor=world.approver, run=posted(world))
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, [run.pk])
    nothing_is_wrong()


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (
            "UPDATE royalties_allocation SET amount = amount + 1, status = 'payable' WHERE id = (SELECT min(id) FROM royalties_allocation)",
            "distribution.allocations",
        ),
        (
            "UPDATE royalties_allocation SET ppm = 1 WHERE id = (SELECT min(id) FROM royalties_allocation)",
            "distribution.digest",
        ),
        ("UPDATE royalties_run SET reserve = reserve + 1", "distribution.identity"),
        ("UPDATE royalties_runreceipt SET active = NULL", "distribution.receipts"),
        ("DELETE FROM royalties_runreceipt", "distribution.receipts"),
        ("UPDATE royalties_run SET payable = payable - 1, held = held + 1", "distribution.journal"),
        ("UPDATE royalties_run SET journal_id = NULL", "distribution.journal"),
    ],
)
def test_verify_sees_what_the_tables_owner_changed(world: World, change: str, what: str) -> None:
    posted(world)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("allocation", "run", "runpool"):  # as the tables' owner could, who switches the triggers off
            cursor.execute(f"ALTER TABLE royalties_{table} DISABLE TRIGGER USER")
        cursor.execute(change)
    assert what in {problem["what"] for problem in services.problems()}


@pytest.mark.parametrize(
    ("column", "value"), [("holder_id", 10**9), ("work_id", 10**9), ("pool_id", 10**9), ("amount", -1)]
)
def test_an_allocation_names_only_what_exists(world: World, column: str, value: int) -> None:
    run = services.recompute(actor=world.computer, run=computed(world))
    line = Allocation.objects.filter(run=run, status="payable").first()
    assert line is not None
    line.pk = None
    setattr(line, column, value)
    with pytest.raises(IntegrityError), transaction.atomic():
        line.save(force_insert=True)


def test_the_export_has_one_row_an_allocation_by_key(world: World) -> None:
    run = computed(world)
    out = io.StringIO()
    assert services.export(run, out) == 6
    rows = [line.split(",") for line in out.getvalue().splitlines()]
    head = rows[0]
    found: list[dict[str, Any]] = [dict(zip(head, row, strict=True)) for row in rows[1:]]
    assert sum(int(row["amount"]) for row in found) == run.distributable
    assert [(row["work_ref"] or row["identifier"], row["holder_ref"], row["status"]) for row in found] == [
        ("A", "H-A", "payable"), ("B", "H-B1", "payable"), ("B", "H-B2", "payable"), ("B", "H-B3", "payable"), ("C", "H-C", "payable"),
        ("domain:unknown.example", "", "suspense"),
    ]  # fmt: skip


def test_comparison_with_the_run_before_shows_outliers_first(world: World) -> None:
    from royalties.distribution.services import comparison

    first = posted(world)
    world.own(Owned("NEW", "H-NEW", 1_000_000))
    invoice = world.bill(world.declare([Used("A", 1), Used("NEW", 9)]), net=1_000_000, number="INV-2")
    world.receive(invoice, 1_000_000)
    second = computed(world)
    before = comparison.run_before(second)
    assert before == first
    changes = comparison.differences(second, first, "holder")
    assert (changes[0].ref, changes[0].before) == ("H-NEW", 0)
    assert [abs(each.change) for each in changes] == sorted((abs(each.change) for each in changes), reverse=True)
    assert comparison.differences(second, first, "licensee")[0].before == first.distributable
    assert {each.ref for each in comparison.differences(second, first, "work")} == {"A", "B", "C", "NEW"}
    assert comparison.leading(second, "holder")[0][0] == "H-NEW"


def test_a_new_version_of_the_rule_ends_the_one_before(world: World) -> None:
    from tests.royalties.world import RULE

    second = services.import_rule(
        actor=world.computer, society=world.society, document=RULE | {"version": 2, "valid_from": "2026-07-01"}
    )
    assert (
        services.import_rule(
            actor=world.computer, society=world.society, document=RULE | {"version": 2, "valid_from": "2026-07-01"}
        )
        == second
    )
    with pytest.raises(Conflict) as refused:
        services.import_rule(
            actor=world.computer, society=world.society, document=RULE | {"version": 2, "valid_from": "2026-08-01"}
        )
    assert refused.value.code == "rule_exists"
    services.request_rule_approval(actor=world.computer, rule=second)
    with pytest.raises(Forbidden):
        services.approve_rule(actor=world.computer, rule=second)
    services.approve_rule(actor=world.approver, rule=second)
    first = Rule.objects.get(version=1)
    assert first.valid.upper == second.valid.lower and second.status == "proposed"
    overlapping = services.import_rule(
        actor=world.computer, society=world.society, document=RULE | {"version": 3, "valid_from": "2026-07-01"}
    )
    services.request_rule_approval(actor=world.computer, rule=overlapping)
    with pytest.raises(Conflict) as refused:
        services.approve_rule(actor=world.approver, rule=overlapping)
    assert refused.value.code == "rule_overlaps"
