"""The same file declared twice, one after the other or at once: one declaration, one set of declared uses."""

from __future__ import annotations

from collections.abc import Callable

from django.db import connection

from accounts.identity.core import SYSTEM
from licensing.declarations import services
from licensing.declarations.models import Declaration
from licensing.declarations.tasks import process_declaration
from tests.concurrency.holds import Aside, Hold, code
from tests.concurrency.scene import Commands, Scene, ended, outcome, sound, to_declare
from tests.concurrency.test_declaration_killed import POINTS
from tests.processes import Running, wait_until

RECEIVED = "AFTER UPDATE ON licensing_declaration FOR EACH ROW WHEN (NEW.status = 'received')"


def test_one_after_the_other_it_is_the_same_declaration(scene: Scene, commands: Commands) -> None:
    first = ended(commands.start(to_declare(scene)))
    second = ended(commands.start(to_declare(scene)))
    assert first == second
    assert (first["exit"], first["status"]) == (0, "accepted")
    assert outcome(scene.declaration()) == scene.undisturbed
    sound()


def test_two_commands_at_once_make_one_declaration(scene: Scene, commands: Commands, hold: Callable[..., Hold]) -> None:
    held = hold(RECEIVED)
    first = commands.start(to_declare(scene))
    held.reached(first)
    second = commands.start(to_declare(scene))
    held.queued(second)
    held.let_go()
    results = ended(first), ended(second)
    assert results[0] == results[1]
    assert (results[0]["exit"], results[0]["status"]) == (0, "accepted")
    assert outcome(scene.declaration()) == scene.undisturbed
    sound()


def test_even_without_the_constraint_the_second_waits_and_finds_the_first(
    scene: Scene, hold: Callable[..., Hold], aside: Aside
) -> None:
    """Files are put into declarations of a licence one after the other, so that its quota holds; that parts these two as well."""
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX declaration_of_the_same_file_is_made_once")
    held = hold(RECEIVED)
    first, second = (aside.begin(lambda: scene.declare(wait=False)) for _ in range(2))
    wait_until(lambda: len(held.held()) == 1 and len(held.behind()) == 1)
    held.let_go()
    assert code(first.result()) == code(second.result()) == "done"
    assert Declaration.objects.filter(licence=scene.licence).count() == 1


def test_a_worker_and_a_command_beside_it_process_a_declaration_once(
    scene: Scene, start_worker: Callable[..., Running], commands: Commands, hold: Callable[..., Hold]
) -> None:
    held, worker = hold(POINTS["rating"][1]), start_worker()
    declaration = scene.declare(wait=False)
    held.reached(worker)
    assert services.process(declaration.pk) is None, "it is claimed"
    process_declaration(declaration.pk)
    beside = commands.start(to_declare(scene))
    held.queued(beside)
    held.let_go()
    assert ended(beside)["status"] == "accepted"
    assert outcome(declaration) == scene.undisturbed
    assert declaration.attempt == 1
    sound()


def test_without_the_claim_it_would_be_processed_twice_but_its_uses_counted_once(
    scene: Scene, hold: Callable[..., Hold], aside: Aside
) -> None:
    """The control: whoever takes the claim away processes again; the uses are replaced, never added.

    Only before submission: afterwards the database refuses to change them.
    """
    held = hold(POINTS["store"][1])
    declaration = scene.declare(wait=False, submit=False)
    first = aside.begin(lambda: services.process(declaration.pk))
    held.reached()
    second = aside.begin(lambda: _seized(declaration))
    held.queued()
    held.let_go()
    assert code(first.result()) == code(second.result()) == "done"
    told = outcome(declaration)
    assert told.pop("evidence").count("processed") == 2
    assert told.pop("status") == "processed"
    assert told == {name: value for name, value in scene.undisturbed.items() if name not in ("evidence", "status")}
    sound()


def _seized(declaration: Declaration) -> Declaration | None:
    Declaration.objects.filter(pk=declaration.pk).update(status="received")
    return services.process(declaration.pk)


def test_submitting_and_accepting_at_once_happen_once(scene: Scene, hold: Callable[..., Hold], aside: Aside) -> None:
    declaration = scene.declare(submit=False)
    held = hold("BEFORE INSERT ON accounts_event FOR EACH ROW WHEN (NEW.verb = 'declaration.accepted')")
    first = aside.begin(lambda: services.submit(actor=SYSTEM, declaration=declaration))
    held.reached()
    second = aside.begin(lambda: services.submit(actor=SYSTEM, declaration=declaration))
    held.queued()
    held.let_go()
    assert code(first.result()) == code(second.result()) == "done"
    assert outcome(declaration)["evidence"] == ["started", "received", "processed", "submitted", "accepted"]
    sound()


def test_two_drafts_given_the_same_file_at_once_are_one_declaration_and_one_refusal(
    scene: Scene, hold: Callable[..., Hold], aside: Aside
) -> None:
    drafts = [_draft(scene), _draft(scene)]
    held = hold(RECEIVED)
    first = aside.begin(lambda: _attach(scene, drafts[0]))
    held.reached()
    second = aside.begin(lambda: _attach(scene, drafts[1]))
    held.queued()
    held.let_go()
    assert code(first.result()) == "done"
    assert code(second.result()) == "already_declared"
    assert str(drafts[0].pk) in str(second.result().detail)
    assert [outcome(draft)["status"] for draft in drafts] == ["received", "draft"]


def test_an_amendment_begun_twice_at_once_is_one_draft(scene: Scene, hold: Callable[..., Hold], aside: Aside) -> None:
    declaration = scene.declare()
    held = hold("AFTER INSERT ON licensing_declaration FOR EACH ROW")
    first = aside.begin(lambda: services.amend(actor=SYSTEM, declaration=declaration))
    held.reached()
    second = aside.begin(lambda: services.amend(actor=SYSTEM, declaration=declaration))
    held.queued()
    held.let_go()
    assert first.result() == second.result() == Declaration.objects.get(supersedes=declaration)


def _draft(scene: Scene) -> Declaration:
    return services.start(actor=SYSTEM, licence=scene.licence, period=scene.quarter, use="train", unit="token")


def _attach(scene: Scene, draft: Declaration) -> object:
    with scene.file.open("rb") as stream:
        return services.attach(actor=SYSTEM, declaration=draft, stream=stream, name="use.csv")
