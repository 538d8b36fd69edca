"""A distribution killed with `kill -9` at any point: the same command again ends it, and nothing is made twice."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from config.demo.story import manage
from royalties.distribution import services
from royalties.distribution.models import Allocation, Run
from royalties.distribution.services import progress
from royalties.distribution.tasks import compute_run, post_run
from royalties.distribution.tasks import resume_stalled as resume_runs
from royalties.statements.tasks import publish_run
from royalties.statements.tasks import resume_stalled as resume_publications
from tests.concurrency.holds import Hold
from tests.concurrency.scene import Commands, Scene, ending, made, sound, to_distribute
from tests.processes import Running

RUN = "royalties_run FOR EACH ROW WHEN"
EVENT = "BEFORE INSERT ON accounts_event FOR EACH ROW WHEN"
# Each with the status in which the run is left when the process dies there; none where there is no run yet.
POINTS = {
    "start": ("", f"{EVENT} (NEW.verb = 'run.started')"),
    "read": ("draft", f"BEFORE UPDATE ON {RUN} (OLD.step = 'read' AND NEW.step = 'weigh')"),
    "weigh": ("draft", f"BEFORE UPDATE ON {RUN} (OLD.step = 'weigh' AND NEW.step = 'allocate')"),
    "allocate": ("draft", f"BEFORE UPDATE ON {RUN} (OLD.step = 'allocate' AND NEW.step = 'digest')"),
    "digest": ("draft", f"BEFORE UPDATE ON {RUN} (OLD.step = 'digest' AND NEW.step = 'store')"),
    # The holders' rows come first: some are written already.
    "store": ("draft", "BEFORE INSERT ON royalties_allocation FOR EACH ROW WHEN (NEW.holder_id IS NULL)"),
    "end of computing": ("draft", f"{EVENT} (NEW.verb = 'run.computed')"),
    "request": ("computed", f"{EVENT} (NEW.verb = 'approval.requested')"),
    "approval": ("computed", f"{EVENT} (NEW.verb = 'run.approved')"),
    "posting": ("approved", "BEFORE INSERT ON ledger_posting FOR EACH STATEMENT"),
    "end of posting": ("approved", f"{EVENT} (NEW.verb = 'run.posted')"),
    "publication": ("posted", f"{EVENT} (NEW.verb = 'run.published')"),
    "statements": ("posted", "BEFORE INSERT ON royalties_statement FOR EACH ROW WHEN (NEW.number LIKE '%000003')"),
}
COMMITS = ("computed", "approved", "posted", "published")


@pytest.fixture
def committed_as(paid: str) -> str:
    return paid


def left(status: str, end: dict[str, Any]) -> dict[str, int]:
    """What is there of a run in this status, and nothing else."""
    since = ("draft", "computed", "approved", "posted", "published").index(status) if status else -1
    stages = {"runs": 0, "receipts taken": 1, "allocations": 1, "journals": 3, "statements": 4, "holders told": 4}
    return {name: end[name] if since >= stage else 0 for name, stage in stages.items()}


@pytest.mark.parametrize("point", POINTS)
def test_a_distribution_killed_anywhere_is_ended_by_the_same_command(
    point: str, scene: Scene, commands: Commands, hold: Callable[..., Hold], undisturbed_run: dict[str, Any]
) -> None:
    status, where = POINTS[point]
    held = hold(where)
    held.kill(commands.start(to_distribute(scene, scene.approver)))
    assert list(Run.objects.values_list("status", flat=True)) == ([status] if status else [])
    assert made() == left(status, undisturbed_run)
    sound()

    again = manage(*to_distribute(scene, scene.approver))
    assert again["result_digest"] == undisturbed_run["result_digest"]
    assert ending(Run.objects.get()) == undisturbed_run
    sound()


@pytest.mark.parametrize("status", COMMITS)
def test_a_distribution_killed_while_a_commit_is_under_way_goes_on_from_there(
    status: str, scene: Scene, commands: Commands, hold: Callable[..., Hold], undisturbed_run: dict[str, Any]
) -> None:
    held = hold(f"AFTER UPDATE ON {RUN} (NEW.status = '{status}')", at_commit=True)
    held.kill(commands.start(to_distribute(scene, scene.approver)))
    assert Run.objects.get().status == status
    assert made() == left(status, undisturbed_run)
    if status != "published":  # else nothing is left to do
        manage(*to_distribute(scene, scene.approver))
    assert ending(Run.objects.get()) == undisturbed_run
    sound()


def silent_for_an_hour(run: Run) -> None:
    """As if that time had passed since its last sign of life."""
    Run.objects.filter(pk=run.pk).update(heartbeat_at=timezone.now() - dt.timedelta(hours=1))


def test_workers_killed_in_each_task_are_followed_by_the_resume_tasks(
    scene: Scene, start_worker: Callable[..., Running], hold: Callable[..., Hold], undisturbed_run: dict[str, Any]
) -> None:
    run = services.start_run(actor=scene.computer, society=scene.society, period=scene.quarter)
    stored = hold(POINTS["store"][1])
    compute_run.delay(run.pk)
    stored.kill(start_worker())
    assert not Allocation.objects.exists()
    silent_for_an_hour(run)
    resume_runs.delay()
    worker = start_worker()
    worker.wait_until(lambda: ending(run)["status"] == "computed")

    services.request(actor=scene.computer, run=run)
    services.approve(actor=scene.approver, run=run)
    posting = hold(POINTS["posting"][1])
    post_run.delay(progress.ask(actor=scene.approver, run=run, step=progress.POST).pk)
    posting.kill(worker)
    assert made()["journals"] == 0
    silent_for_an_hour(run)
    resume_runs.delay()
    worker = start_worker()
    worker.wait_until(lambda: ending(run)["status"] == "posted")

    statements = hold(POINTS["statements"][1])
    publish_run.delay(progress.ask(actor=scene.approver, run=run, step=progress.PUBLISH).pk)
    statements.kill(worker)
    assert made()["statements"] == 0
    silent_for_an_hour(run)
    resume_publications.delay()
    start_worker().wait_until(lambda: ending(run)["status"] == "published")

    end = ending(run)
    end["evidence"] = [verb for verb in end["evidence"] if not verb.endswith("_asked")]
    assert end == undisturbed_run
    sound()


def test_a_message_that_comes_again_changes_nothing(scene: Scene, undisturbed_run: dict[str, Any]) -> None:
    """The broker repeats what a killed worker had not acknowledged."""
    run = scene.published()
    for task in (compute_run, post_run, publish_run):
        task(run.pk)
    assert ending(run) == undisturbed_run
    sound()
