"""A distribution run started, computed, posted or published twice at once: one run, one journal, one set of statements."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from royalties.distribution import services
from royalties.distribution.models import Run
from royalties.ledger.models import Journal
from royalties.statements import services as statements
from tests.concurrency.holds import Aside, Hold, code, race
from tests.concurrency.scene import Commands, Scene, ended, ending, made, sound, to_distribute, verbs
from tests.processes import Running, wait_until

STARTED = "AFTER INSERT ON royalties_run FOR EACH ROW"
STORED = "AFTER INSERT ON royalties_runpool FOR EACH ROW"
POSTED = "BEFORE INSERT ON ledger_posting FOR EACH STATEMENT"
PUBLISHED = "BEFORE INSERT ON royalties_statement FOR EACH ROW"


@pytest.fixture
def committed_as(paid: str) -> str:
    return paid


def start(scene: Scene) -> Run:
    return services.start_run(actor=scene.computer, society=scene.society, period=scene.quarter)


def test_started_twice_at_once_it_is_one_run(scene: Scene, hold: Callable[..., Hold], aside: Aside) -> None:
    first, second = race(hold(STARTED), aside, lambda: start(scene))
    assert first == second == Run.objects.get()
    assert verbs("run", first.pk) == ["started"]


def test_without_the_constraint_there_would_be_two_runs(scene: Scene, hold: Callable[..., Hold], aside: Aside) -> None:
    """The control: the race is real."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX run_is_one_at_a_time")
    held = hold(STARTED)
    acts = [aside.begin(lambda: start(scene)) for _ in range(2)]
    wait_until(lambda: len(held.held()) == 2)
    held.let_go()
    assert [code(act.result()) for act in acts] == ["done", "done"]
    assert Run.objects.count() == 2


def asks_again_and_again(held: Hold, process: Running) -> None:
    """Wait until another than the one at the hold has asked for the run and heard that it is being computed."""
    asking = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND query LIKE '%%pg_try_advisory_lock%%' AND state = 'idle' AND pid <> ALL (%s)"""
    process.wait_until(lambda: held.session.execute(asking, [held.held()]).fetchone() == (1,), what="the second asks")


def test_two_commands_at_once_distribute_the_money_once(
    scene: Scene, commands: Commands, hold: Callable[..., Hold], undisturbed_run: dict[str, Any]
) -> None:
    held = hold(STORED)
    first = commands.start(to_distribute(scene))
    held.reached(first)
    second = commands.start(to_distribute(scene))
    asks_again_and_again(held, second)
    held.let_go()
    results = [ended(first), ended(second)]
    assert results[0] == results[1]
    assert (results[0]["exit"], results[0]["status"]) == (0, "computed")
    assert results[0]["result_digest"] == undisturbed_run["result_digest"]
    assert verbs("run", results[0]["run"]) == ["started", "computed", "approval.requested"]
    assert made()["receipts taken"] == 1
    sound()


def test_whoever_computes_beside_another_is_told_so(scene: Scene, hold: Callable[..., Hold], aside: Aside) -> None:
    run = start(scene)
    held = hold(STORED)
    first = aside.begin(lambda: services.compute(run.pk))
    held.reached()
    assert code(aside.begin(lambda: services.compute(run.pk)).result()) == "run_is_being_computed"
    held.let_go()
    assert first.result().status == "computed"
    run.refresh_from_db()
    assert (run.status, run.problems) == ("computed", [])
    sound()


def test_discarded_while_it_is_computed_it_keeps_nothing(
    scene: Scene, hold: Callable[..., Hold], aside: Aside, undisturbed_run: dict[str, Any]
) -> None:
    run = start(scene)
    held = hold("BEFORE UPDATE ON royalties_run FOR EACH ROW WHEN (OLD.step = 'digest' AND NEW.step = 'store')")
    computing = aside.begin(lambda: services.compute(run.pk))
    held.reached()
    discarding = aside.begin(lambda: services.discard(actor=scene.computer, run=run))
    held.queued()
    held.let_go()
    assert discarding.result().status == "discarded"
    computed = code(computing.result())
    assert computed in ("done", "run_moved_on"), computed
    assert Run.objects.get().status == "discarded"
    assert made()["receipts taken"] == 0
    assert scene.computed().pool == undisturbed_run["pool"], "the money waits for the next run"
    sound()


@pytest.mark.parametrize("posting_first", [True, False])
def test_posted_and_discarded_at_once_one_of_them_happens(
    posting_first: bool, scene: Scene, hold: Callable[..., Hold], aside: Aside
) -> None:
    run = scene.approved()
    acts = [lambda: services.post(run.pk), lambda: services.discard(actor=scene.computer, run=run)]
    held = hold(POSTED if posting_first else "AFTER UPDATE ON royalties_run FOR EACH ROW")
    outcomes = race(held, aside, *(acts if posting_first else acts[::-1]))
    assert [code(each) for each in outcomes] == ["done", "run_is_posted" if posting_first else "run_is_not_approved"]
    assert (made()["journals"], made()["receipts taken"]) == ((1, 1) if posting_first else (0, 0))
    sound()


def test_money_that_comes_in_while_a_run_is_computed_waits_for_the_next(
    scene: Scene, hold: Callable[..., Hold], aside: Aside, undisturbed_run: dict[str, Any]
) -> None:
    run, late = start(scene), scene.bill_twin()
    held = hold("BEFORE UPDATE ON royalties_run FOR EACH ROW WHEN (OLD.step = 'read' AND NEW.step = 'weigh')")
    computing = aside.begin(lambda: services.compute(run.pk))
    held.reached()
    scene.receive(late, "LATE")
    held.let_go()
    assert computing.result().result_digest == undisturbed_run["result_digest"]
    services.request(actor=scene.computer, run=run)
    services.post(services.approve(actor=scene.approver, run=run).pk)
    supplementary = scene.computed()
    assert (supplementary.supplementary, supplementary.pool) == (True, late.net)
    sound()


def test_posted_twice_at_once_it_has_one_journal(
    scene: Scene, hold: Callable[..., Hold], aside: Aside, undisturbed_run: dict[str, Any]
) -> None:
    run = scene.approved()
    first, second = race(hold(POSTED), aside, lambda: services.post(run.pk))
    assert first.journal_id == second.journal_id == Journal.objects.get(kind="run").pk
    assert verbs("run", run.pk).count("posted") == 1
    assert Journal.objects.get(kind="run").posting_total == run.pool * 2
    sound()


def test_without_the_lock_posting_would_be_told_twice_but_the_key_keeps_the_money_single(
    scene: Scene, hold: Callable[..., Hold], aside: Aside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the second goes in beside the first, and only the journal's key stops its money."""
    run = scene.approved()
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **_: self.all())
    first, second = race(hold(POSTED), aside, lambda: services.post(run.pk))
    assert code(first) == code(second) == "done"
    assert verbs("run", run.pk).count("posted") == 2
    assert Journal.objects.filter(kind="run").count() == 1
    sound()


def test_published_twice_at_once_its_statements_are_made_once(
    scene: Scene, hold: Callable[..., Hold], aside: Aside, undisturbed_run: dict[str, Any]
) -> None:
    run = services.post(scene.approved().pk)
    first, second = race(hold(PUBLISHED), aside, lambda: statements.publish(actor=scene.approver, run=run))
    assert first.published_at == second.published_at
    assert ending(run) == undisturbed_run
    sound()


def test_reversed_twice_at_once_it_is_taken_back_once(scene: Scene, hold: Callable[..., Hold], aside: Aside) -> None:
    run = scene.published()
    services.request_reversal(actor=scene.computer, run=run)
    held = hold(POSTED)
    people = iter([scene.approver, scene.other_approver])
    outcomes = race(held, aside, lambda: services.reverse(actor=next(people), run=run))
    assert sorted(map(code, outcomes)) == ["approval_already_decided", "done"]
    assert Journal.objects.filter(kind="reversal").count() == 1
    assert made()["receipts taken"] == 0
    sound()
