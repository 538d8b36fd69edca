"""One pool, one balance, one suspended amount, wanted by two at once: one gets it, the other is told. Each with its control.

(Runs, payouts, bank files and bills against themselves: test_run_twice, test_payout_at_once, test_bank_races, test_billing_at_once.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from accounts.identity.core import SYSTEM
from config.management.commands.verify import SLICES
from licensing.matching.services import decide
from licensing.repertoire.models import Work
from royalties.billing import services as billing
from royalties.distribution import services
from royalties.distribution.models import Run, RunReceipt, RunRelease
from royalties.ledger.models import Journal
from royalties.payouts import services as payouts
from royalties.payouts.models import Batch
from tests.concurrency.holds import Aside, Hold, code, race
from tests.databases import Databases, using
from tests.processes import wait_until
from tests.royalties.machine.stage import QUARTERS, UNKNOWN, Stage, make_stage

MOVED = "AFTER UPDATE ON ledger_account FOR EACH STATEMENT"  # its balances are locked and moved, nothing is committed
EVENT = "BEFORE INSERT ON accounts_event FOR EACH ROW WHEN"
TAKEN = "AFTER INSERT ON royalties_runreceipt FOR EACH ROW"


@pytest.fixture(scope="module")
def played(django_db_setup: None, databases: Databases, django_db_blocker: Any) -> Iterator[tuple[str, Stage]]:
    """A database with a society in it whose licensee has paid for a quarter, of which nothing is distributed yet."""
    name = databases.clone()
    with django_db_blocker.unblock(), using(name):
        stage = make_stage()
        stage.declare(0, {"A": 3_000, "B": 2_000, UNKNOWN: 1_000}, amending=False)
        invoice = billing.bill(actor=stage.first, licence=stage.world.licence, period=QUARTERS[0])
        billing.record_receipt(
            actor=stage.first, invoice=invoice, amount=invoice.open, received_on=invoice.issued_on, bank_ref="B-1"
        )
    databases.freeze(name)
    yield name, stage
    databases.drop(name)


@pytest.fixture
def committed_as(played: tuple[str, Stage]) -> str:
    return played[0]


@pytest.fixture
def stage(played: tuple[str, Stage], committed_db: Any) -> Stage:
    return played[1]


def sound() -> None:
    assert [problem for problems in SLICES for problem in problems()] == []


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def two_runs(stage: Stage) -> list[Run]:
    """Two drafts for the same period, as if nothing kept it to one at a time."""
    execute("DROP INDEX run_is_one_at_a_time")
    first = services.start_run(actor=stage.world.computer, society=stage.society, period=QUARTERS[0])
    made = {"society": stage.society, "period": first.period, "currency": "KRW", "rule": first.rule}
    return [first, Run.objects.create(**made)]


def approved(stage: Stage, run: Run) -> Run:
    services.request(actor=stage.world.computer, run=run)
    return services.approve(actor=stage.world.approver, run=run)


def posted(stage: Stage) -> Run:
    run = services.start_run(actor=stage.world.computer, society=stage.society, period=QUARTERS[0])
    return services.post(approved(stage, services.compute(run.pk)).pk)


def reversing(stage: Stage, run: Run) -> Callable[[], Run]:
    services.request_reversal(actor=stage.world.computer, run=run)
    return lambda: services.reverse(actor=stage.world.approver, run=run)


def releasing(stage: Stage) -> Run:
    """A draft that will release what waits for a site, which means a work after all."""
    scheme, _colon, value = UNKNOWN.partition(":")
    decide(actor=SYSTEM, society=stage.society, scheme=scheme, value=value, work=Work.objects.get(ref="A"))
    return services.start_run(actor=stage.world.computer, society=stage.society, period=QUARTERS[0])


# --- two runs over one pool


def test_even_two_runs_take_a_pool_once(stage: Stage, hold: Callable[..., Hold], aside: Aside) -> None:
    """A receipt is in one run at a time: whoever comes second finds none left, or is told that it was taken."""
    first, second = two_runs(stage)
    outcomes = race(hold(TAKEN), aside, lambda: services.compute(first.pk), lambda: services.compute(second.pk))
    assert code(outcomes[0]) == "done" and code(outcomes[1]) != "done"
    assert RunReceipt.objects.filter(active=True).count() == 1
    sound()


def test_without_that_constraint_the_ledger_pays_a_pool_out_once(
    stage: Stage, hold: Callable[..., Hold], aside: Aside
) -> None:
    """The control: both take it, both are approved; the pool's floor lets one of them be posted."""
    runs = two_runs(stage)
    execute("DROP INDEX receipt_is_distributed_once")
    held = hold(TAKEN)
    acts = [aside.begin(lambda run=run: services.compute(run.pk)) for run in runs]
    wait_until(lambda: len(held.held()) == 2)
    held.let_go()
    assert [code(act.result()) for act in acts] == ["done", "done"]
    for run in runs:
        run.refresh_from_db()
        approved(stage, run)
    posting = [aside.begin(lambda run=run: services.post(run.pk)) for run in runs]
    assert sorted(code(act.result()) for act in posting) == ["done", "overdrawn"]
    assert Journal.objects.filter(kind="run").count() == 1


# --- a payout against the reversal of the run that brought the money


def ordering(stage: Stage) -> Callable[[], Batch]:
    batch = stage.office.approved()
    return lambda: payouts.order(batch.pk)


@pytest.mark.parametrize("paying_first", [True, False])
def test_money_is_paid_out_or_taken_back_never_both(
    paying_first: bool, stage: Stage, hold: Callable[..., Hold], aside: Aside
) -> None:
    run = posted(stage)
    acts = [ordering(stage), reversing(stage, run)]
    outcomes = race(hold(MOVED), aside, *(acts if paying_first else acts[::-1]))
    assert [code(each) for each in outcomes] == ["done", "overdrawn"]
    run.refresh_from_db()
    assert (run.status, Journal.objects.filter(kind="payout").count()) == (
        ("posted", 1) if paying_first else ("reversed", 0)
    )
    sound()


def test_without_the_floor_it_would_be_both(stage: Stage, hold: Callable[..., Hold], aside: Aside) -> None:
    """The control: the account goes below zero, and `verify` tells."""
    run = posted(stage)
    acts = [ordering(stage), reversing(stage, run)]
    execute("ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_stays_above_its_floor")
    assert [code(each) for each in race(hold(MOVED), aside, *acts)] == ["done", "done"]
    assert [problem for problems in SLICES for problem in problems()]


# --- a release against the reversal of the run in whose suspense it waits


@pytest.mark.parametrize("releasing_first", [True, False])
def test_what_waits_is_released_or_taken_back_never_both(
    releasing_first: bool, stage: Stage, hold: Callable[..., Hold], aside: Aside
) -> None:
    origin = posted(stage)
    back = reversing(stage, origin)
    later = releasing(stage)
    acts = [lambda: services.compute(later.pk), back]
    verb = "run.computed" if releasing_first else "run.reversed"
    outcomes = race(hold(f"{EVENT} (NEW.verb = '{verb}')"), aside, *(acts if releasing_first else acts[::-1]))
    assert code(outcomes[0]) == "done"
    origin.refresh_from_db()
    taken = RunRelease.objects.filter(active=True).exists()
    assert (origin.status, taken) == (("posted", True) if releasing_first else ("reversed", False))
    assert (code(outcomes[1]) != "done") or not releasing_first
    sound()


def test_without_the_triggers_it_would_be_both_and_only_its_sums_stop_the_money(
    stage: Stage, hold: Callable[..., Hold], aside: Aside
) -> None:
    """The control: the run is computed and reversed under it; once approved, its own figures keep it from being posted."""
    origin = posted(stage)
    back, later = reversing(stage, origin), releasing(stage)
    execute(
        "DROP TRIGGER check_releases ON royalties_runrelease", "DROP TRIGGER origin_is_kept ON royalties_run",
    )  # fmt: skip
    held = hold(f"{EVENT} (NEW.verb = 'run.computed')")
    computing = aside.begin(lambda: services.compute(later.pk))
    held.reached()
    assert code(aside.begin(back).result()) == "done"
    held.let_go()
    assert code(computing.result()) == "done"
    approved(stage, later)
    assert code(aside.begin(lambda: services.post(later.pk)).result()) == "run_does_not_hold"
