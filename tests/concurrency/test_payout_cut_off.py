"""The way of the money cut off between and within its steps: by the database, which ends a session, and by workers that are killed.

What was under way leaves nothing; the same again ends it, and the end is that of a day on which nothing happened.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone

from royalties.billing import services as billing
from royalties.distribution import services as distribution
from royalties.distribution.models import Run
from royalties.ledger.models import Account, Journal
from royalties.payouts import services as payouts
from royalties.payouts.models import Batch, Payment
from royalties.payouts.tasks import apply_entries, go_on, resume_stalled
from royalties.statements import services as statements
from royalties.statements.models import Statement
from tests.concurrency.holds import Aside, Hold
from tests.concurrency.test_money_at_once import sound
from tests.databases import Databases, using
from tests.processes import Running
from tests.royalties.machine.stage import QUARTERS, Stage, make_stage

POSTED = "BEFORE INSERT ON ledger_posting FOR EACH STATEMENT"
EVENT = "BEFORE INSERT ON accounts_event FOR EACH ROW WHEN"
PAID = "BEFORE UPDATE ON royalties_payment FOR EACH ROW WHEN"
Step = tuple[str, Callable[[], Any]]


@pytest.fixture(scope="module")
def received(
    django_db_setup: None, databases: Databases, django_db_blocker: Any
) -> Iterator[tuple[str, Stage, dict[str, Any]]]:
    """A database in which money waits to be distributed; and how it ends when nothing comes between."""
    name = databases.clone()
    with django_db_blocker.unblock(), using(name):
        stage = make_stage()
        stage.declare(0, {"A": 300_000, "B": 200_000}, amending=False)
        invoice = billing.bill(actor=stage.first, licence=stage.world.licence, period=QUARTERS[0])
        billing.record_receipt(
            actor=stage.first, invoice=invoice, amount=invoice.open, received_on=invoice.issued_on, bank_ref="B-1"
        )
    databases.freeze(name)
    peaceful = databases.clone(name)
    with django_db_blocker.unblock(), using(peaceful):
        for _where, step in steps(stage):
            step()
        end = ending()
    databases.drop(peaceful)
    yield name, stage, end
    databases.drop(name)


@pytest.fixture
def committed_as(received: tuple[str, Stage, dict[str, Any]]) -> str:
    return received[0]


@pytest.fixture
def stage(received: tuple[str, Stage, dict[str, Any]], committed_db: Any) -> Stage:
    return received[1]


@pytest.fixture
def undisturbed(received: tuple[str, Stage, dict[str, Any]]) -> dict[str, Any]:
    return received[2]


def ending() -> dict[str, Any]:
    """All money, and how much there is of what must never be made twice; no id takes part."""
    sums: dict[str, int] = {}
    for kind, debits, credits in Account.objects.values_list("kind", "debits", "credits"):
        sums[kind] = sums.get(kind, 0) + credits - debits
    payments = Payment.objects.order_by("holder__ref").values_list("holder__ref", "gross", "net", "status")
    journals = sorted(Journal.objects.values_list("kind", flat=True))
    return {"balances": sums, "payments": list(payments), "journals": journals, "statements": Statement.objects.count()}


def steps(stage: Stage) -> list[Step]:
    """From a pool to the bank's answers: each step with a place in its middle."""
    office, world = stage.office, stage.world

    def run() -> Run:
        return Run.objects.get()

    def batch() -> Batch:
        return Batch.objects.get()

    def start_run() -> None:
        distribution.start_run(actor=world.computer, society=stage.society, period=QUARTERS[0])

    def start_payout() -> None:
        payouts.start(actor=stage.first, society=stage.society, execute_on=timezone.localdate(), currency="KRW")

    def named(ref: str) -> str:
        return Payment.objects.get(holder__ref=ref).end_to_end_id

    def book_entries() -> None:
        if not stage.account.statements.exists():
            payment = Payment.objects.get(holder__ref="H-1")
            stage.bank_says(-1, payment.net, end_to_end=payment.end_to_end_id)
        payouts.apply_entries(actor=stage.first, society=stage.society)

    return [
        (f"{EVENT} (NEW.verb = 'run.started')", start_run),
        ("BEFORE INSERT ON royalties_allocation FOR EACH STATEMENT", lambda: distribution.compute(run().pk)),
        (f"{EVENT} (NEW.verb = 'approval.requested')", lambda: distribution.request(actor=world.computer, run=run())),
        (f"{EVENT} (NEW.verb = 'run.approved')", lambda: distribution.approve(actor=world.approver, run=run())),
        (POSTED, lambda: distribution.post(run().pk)),
        (f"{EVENT} (NEW.verb = 'run.published')", lambda: statements.publish(actor=world.approver, run=run())),
        (f"{EVENT} (NEW.verb = 'payout_batch.started')", start_payout),
        (f"{EVENT} (NEW.verb = 'payout_batch.prepared')", lambda: payouts.prepare(batch().pk)),
        (f"{EVENT} (NEW.verb = 'approval.requested')", lambda: payouts.request(actor=stage.first, batch=batch())),
        (f"{EVENT} (NEW.verb = 'payout_batch.approved')", lambda: payouts.approve(actor=stage.second, batch=batch())),
        (POSTED, lambda: payouts.order(batch().pk)),
        (f"{EVENT} (NEW.verb = 'payout_batch.sent')", lambda: office.take(batch())),
        (f"{PAID} (NEW.status = 'settled')", book_entries),
        (f"{PAID} (NEW.status = 'rejected')", lambda: office.answer(batch(), (named("H-2"), "RJCT", "AC04"))),
    ]


def test_sessions_that_the_database_ends_within_each_step_leave_nothing(
    stage: Stage, hold: Callable[..., Hold], aside: Aside, undisturbed: dict[str, Any]
) -> None:
    """As when the server is restarted: the step fails, nothing of it is there, and the same step again is as the first."""
    for where, step in steps(stage):
        before = ending()
        held = hold(where)
        under_way = aside.begin(step)
        held.reached()
        [session] = held.held()
        held.session.execute("SELECT pg_terminate_backend(%s)", [session])
        assert isinstance(under_way.result(), DatabaseError), where
        assert ending() == before, where
        held.let_go()
        step()
    assert ending() == undisturbed
    assert {name for *_rest, name in undisturbed["payments"]} == {"settled", "rejected"}
    sound()


def silent_for_an_hour() -> None:
    Batch.objects.update(heartbeat_at=timezone.now() - dt.timedelta(hours=1))


def test_workers_killed_at_money_are_followed_by_the_resume_task(
    stage: Stage, start_worker: Callable[..., Running], hold: Callable[..., Hold], undisturbed: dict[str, Any]
) -> None:
    """Ordering, and booking what the bank's statement says: each killed with `kill -9` in its middle."""
    every = steps(stage)
    for _where, step in every[:10]:
        step()
    ordering = hold(POSTED)
    go_on.delay(Batch.objects.get().pk)
    ordering.kill(start_worker())
    assert (Batch.objects.get().status, Journal.objects.filter(kind="payout").count()) == ("approved", 0)
    silent_for_an_hour()
    resume_stalled.delay()
    worker = start_worker()
    worker.wait_until(lambda: Batch.objects.get().status == "ordered")
    stage.office.take(Batch.objects.get())

    payment = Payment.objects.get(holder__ref="H-1")
    stage.bank_says(-1, payment.net, end_to_end=payment.end_to_end_id)
    booking = hold(f"{PAID} (NEW.status = 'settled')")
    apply_entries.delay()
    booking.kill(worker)
    assert not Journal.objects.filter(kind="payout_settled").exists()
    apply_entries()  # as the clock has it done every few minutes
    every[-1][1]()
    assert ending() == undisturbed
    sound()
