"""Two decisions at once on the same run: exactly one counts, the other is told so, and no second journal appears."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.approvals.models import Approval, ApprovalQuerySet
from accounts.identity.core import Actor
from royalties.distribution import services
from royalties.distribution.models import Run
from royalties.ledger.models import Journal
from tests.concurrency.holds import Aside, Hold, code, race
from tests.concurrency.scene import Commands, Scene, ended, sound, to_distribute, verbs

DECIDED = "BEFORE UPDATE ON accounts_approval FOR EACH ROW"


@pytest.fixture
def committed_as(paid: str) -> str:
    return paid


def decide(run: Run, by: Actor, approve: bool = True) -> Callable[[], Run]:
    """Decide, and post what is approved."""

    def act() -> Run:
        decided = services.approve(actor=by, run=run, approve=approve)
        return services.post(decided.pk) if approve else decided

    return act


@pytest.mark.parametrize("second_approves", [True, False])
def test_of_two_decisions_at_once_one_counts(
    second_approves: bool, scene: Scene, hold: Callable[..., Hold], aside: Aside
) -> None:
    run = scene.computed()
    held = hold(DECIDED)
    second = decide(run, scene.other_approver, second_approves)
    outcomes = race(held, aside, decide(run, scene.approver), second)
    assert [code(each) for each in outcomes] == ["done", "approval_already_decided"]
    assert "Somebody decided this meanwhile" in outcomes[1].detail
    assert Approval.objects.filter(kind="run", object_id=run.pk).get().decider_id == scene.approver.user_id
    evidence = verbs("run", run.pk)
    assert [evidence.count(verb) for verb in ("approved", "approval.approved", "refused", "posted")] == [1, 1, 0, 1]
    assert Journal.objects.filter(kind="run").count() == 1
    sound()


def test_a_refusal_that_came_first_leaves_nothing_to_post(
    scene: Scene, hold: Callable[..., Hold], aside: Aside
) -> None:
    run = scene.computed()
    refusal, approval = decide(run, scene.approver, False), decide(run, scene.other_approver)
    outcomes = race(hold(DECIDED), aside, refusal, approval)
    assert [code(each) for each in outcomes] == ["done", "approval_already_decided"]
    run.refresh_from_db()
    assert (run.status, Journal.objects.filter(kind="run").count()) == ("computed", 0)
    sound()


def test_without_the_comparison_both_would_have_decided(
    scene: Scene, hold: Callable[..., Hold], aside: Aside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: where an update does not ask whether the decision is still pending, a refusal undoes an approval."""
    run = scene.computed()
    monkeypatch.setattr(ApprovalQuerySet, "pending", lambda self: self)
    refusal = decide(run, scene.other_approver, False)
    outcomes = race(hold(DECIDED), aside, lambda: services.approve(actor=scene.approver, run=run), refusal)
    assert [code(each) for each in outcomes] == ["done", "done"]
    evidence = verbs("run", run.pk)
    assert [evidence.count(f"approval.{verb}") for verb in ("approved", "refused")] == [1, 1]
    assert Approval.objects.filter(kind="run", object_id=run.pk).get().status == "refused"


def test_two_commands_that_approve_at_once_post_once(
    scene: Scene, commands: Commands, hold: Callable[..., Hold], undisturbed_run: dict[str, Any]
) -> None:
    scene.computed()
    held = hold(DECIDED)
    first = commands.start(to_distribute(scene, scene.approver))
    held.reached(first)
    second = commands.start(to_distribute(scene, scene.other_approver))
    held.queued(second)
    held.let_go()
    won, lost = ended(first), ended(second)
    assert (won["exit"], won["status"], won["result_digest"]) == (0, "published", undisturbed_run["result_digest"])
    assert (lost["exit"], lost["error"]["code"]) == (1, "approval_already_decided")
    assert Journal.objects.filter(kind="run").count() == 1
    assert ended(commands.start(("verify",))) == {"exit": 0, "ok": True, "problems": []}
    sound()


def test_an_approval_never_covers_a_result_that_is_being_computed_anew(
    scene: Scene, hold: Callable[..., Hold], aside: Aside
) -> None:
    run = scene.computed()
    held = hold(DECIDED)
    approving = aside.begin(decide(run, scene.approver))
    held.reached()
    services.recompute(actor=scene.computer, run=run)
    held.let_go()
    assert code(approving.result()) == "run_is_not_computed"
    assert Approval.objects.get(kind="run", object_id=run.pk).status == "pending", "the decision went with the rest"
    assert (services.compute(run.pk).status, Journal.objects.filter(kind="run").count()) == ("computed", 0)
    sound()


def test_two_who_ask_at_once_ask_for_one_approval(scene: Scene, hold: Callable[..., Hold], aside: Aside) -> None:
    run = services.start_run(actor=scene.computer, society=scene.society, period=scene.quarter)
    services.compute(run.pk)
    held = hold("AFTER INSERT ON accounts_approval FOR EACH ROW")
    asks = [lambda by=by: services.request(actor=by, run=run) for by in (scene.computer, scene.approver)]
    first, second = race(held, aside, *asks)
    assert first == second
    assert first.requester_id == scene.computer.user_id
    assert verbs("run", run.pk).count("approval.requested") == 1
