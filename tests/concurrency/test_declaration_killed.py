"""A worker killed with `kill -9` at any point of processing a declaration: nothing half done, nothing counted twice."""

from __future__ import annotations

import datetime as dt
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from licensing.declarations import services
from licensing.declarations.models import Declaration, DeclaredUse
from licensing.declarations.tasks import process_declaration, resume_stalled
from tests.concurrency.holds import Hold
from tests.concurrency.scene import Commands, Scene, ended, outcome, sound, to_declare
from tests.processes import Running

ROW = "licensing_declaration FOR EACH ROW WHEN"
# Each with the step that the declaration is seen in while the worker is held there.
POINTS = {
    "match": ("match", f"BEFORE UPDATE ON {ROW} (OLD.step = 'match' AND NEW.step = 'permit')"),
    "permit": ("permit", f"BEFORE UPDATE ON {ROW} (OLD.step = 'permit' AND NEW.step = 'store')"),
    # Matched rows come first: some are written already.
    "store": ("store", "BEFORE INSERT ON licensing_declareduse FOR EACH ROW WHEN (NEW.value <> '')"),
    "rating": ("store", f"BEFORE UPDATE ON {ROW} (NEW.status = 'processed')"),
    "submission": ("store", f"BEFORE UPDATE ON {ROW} (NEW.status = 'submitted')"),
    "acceptance": ("store", f"BEFORE UPDATE ON {ROW} (NEW.status = 'accepted')"),
}
# While a file is read: before its lines are normalised, before its groups are kept, before it counts as read.
FILE = "licensing_declarationfile FOR EACH ROW WHEN"
READING = {
    "lines": f"BEFORE UPDATE ON {FILE} (NEW.step = 'normalise')",
    "keep": f"BEFORE UPDATE ON {FILE} (NEW.step = 'keep')",
    "end": f"BEFORE UPDATE ON {FILE} (NEW.status = 'read')",
}
CLAIM = f"BEFORE UPDATE ON {ROW} (OLD.step = 'intake' AND NEW.step = 'match')"
COMMIT = f"AFTER UPDATE ON {ROW} (NEW.status = 'accepted')"


def silent_for_two_minutes(declaration: Declaration) -> None:
    """As if that time had passed since its last sign of life."""
    since = timezone.now() - dt.timedelta(minutes=2)
    Declaration.objects.filter(pk=declaration.pk).update(heartbeat_at=since)
    declaration.files.filter(status="reading").update(heartbeat_at=since)


@pytest.mark.parametrize("point", POINTS)
def test_a_worker_killed_in_any_step_leaves_no_trace_and_the_next_ends_the_same(
    point: str, scene: Scene, start_worker: Callable[..., Running], hold: Callable[..., Hold]
) -> None:
    step, where = POINTS[point]
    held, worker = hold(where), start_worker()
    declaration = scene.declare(wait=False)
    held.reached(worker)
    declaration.refresh_from_db()
    assert (declaration.status, declaration.step) == ("processing", step)
    held.kill(worker)

    declaration.refresh_from_db()
    assert (declaration.status, declaration.attempt, declaration.lines, declaration.fee) == ("processing", 1, {}, None)
    assert not DeclaredUse.objects.filter(declaration=declaration).exists()
    assert outcome(declaration)["evidence"] == ["started", "received", "submission_requested"]
    assert services.stalled() == [], "a worker that only just fell silent is not taken for dead"
    assert services.process(declaration.pk) is None
    sound()

    silent_for_two_minutes(declaration)
    assert services.stalled() == [declaration.pk]
    services.process(declaration.pk)
    assert outcome(declaration) == scene.undisturbed
    assert declaration.status == "accepted"
    assert services.process(declaration.pk) is None
    sound()


@pytest.mark.parametrize("point", READING)
def test_a_worker_killed_while_it_reads_leaves_the_file_to_the_next(
    point: str, scene: Scene, start_worker: Callable[..., Running], hold: Callable[..., Hold]
) -> None:
    (scene.file.parent / f"killed-{point}.csv").write_bytes(scene.file.read_bytes().replace(b"\n", b"\r\n"))
    scene = replace(
        scene, file=scene.file.parent / f"killed-{point}.csv"
    )  # other bytes: the scene's own were read before
    held, worker = hold(READING[point]), start_worker()
    declaration = scene.declare(wait=False)
    held.kill(worker)
    file = declaration.files.get()
    assert (outcome(declaration)["status"], file.status, file.attempt, file.lines) == ("processing", "reading", 1, 0)
    assert services.stalled() == services.stalled_files() == [], "it only just fell silent"
    assert services.process(declaration.pk) is None
    sound()

    silent_for_two_minutes(declaration)
    assert services.stalled() == [declaration.pk] and services.stalled_files() == [file.pk]
    services.process(declaration.pk)
    assert outcome(declaration) == scene.undisturbed | {"sha256": declaration.sha256}
    file.refresh_from_db()
    assert (file.status, file.attempt, declaration.attempt) == ("read", 2, 1)
    sound()


def test_a_worker_killed_between_the_last_file_and_settling_leaves_it_to_whoever_comes(
    scene: Scene, start_worker: Callable[..., Running], hold: Callable[..., Hold]
) -> None:
    held, worker = hold(CLAIM), start_worker()
    declaration = scene.declare(wait=False)
    held.kill(worker)
    assert (outcome(declaration)["status"], declaration.attempt) == ("processing", 0)
    assert [file.status for file in declaration.files.all()] == ["read"]
    silent_for_two_minutes(declaration)
    assert services.stalled() == [declaration.pk]
    services.process(declaration.pk)
    assert outcome(declaration) == scene.undisturbed
    assert declaration.files.get().attempt == 1, "what was read is not read again"
    sound()


def test_a_worker_killed_while_its_commit_is_under_way_is_done(
    scene: Scene, start_worker: Callable[..., Running], hold: Callable[..., Hold]
) -> None:
    held, worker = hold(COMMIT, at_commit=True), start_worker()
    declaration = scene.declare(wait=False)
    held.kill(worker)
    assert outcome(declaration) == scene.undisturbed
    assert services.stalled() == []
    process_declaration(declaration.pk)  # the message that nobody acknowledged comes again
    assert outcome(declaration) == scene.undisturbed
    sound()


def test_the_resume_task_hands_the_work_to_the_next_worker(
    scene: Scene, start_worker: Callable[..., Running], hold: Callable[..., Hold]
) -> None:
    held, worker = hold(POINTS["store"][1]), start_worker()
    declaration = scene.declare(wait=False)
    held.kill(worker)
    silent_for_two_minutes(declaration)
    resume_stalled.delay()
    next_worker = start_worker()
    next_worker.wait_until(lambda: outcome(declaration)["status"] == "accepted")
    assert outcome(declaration) == scene.undisturbed
    left = settings.SCRATCH_ROOT.glob
    next_worker.wait_until(lambda: not list(left("jeongsan-*")), what="what the dead worker had on the disk is gone")
    sound()


def test_a_killed_child_of_the_pool_gives_the_declaration_to_the_next_attempt(
    scene: Scene, start_worker: Callable[..., Running], hold: Callable[..., Hold]
) -> None:
    held, worker = hold(POINTS["permit"][1]), start_worker()
    declaration = scene.declare(wait=False)
    held.reached(worker)
    [child] = psutil.Process(worker.pid).children()
    child.kill()
    held.let_go()
    silent_for_two_minutes(declaration)
    resume_stalled.delay()
    worker.wait_until(lambda: outcome(declaration)["status"] == "accepted")
    assert declaration.attempt == 2
    sound()


def test_the_same_command_again_ends_what_a_killed_one_began(
    scene: Scene, commands: Commands, hold: Callable[..., Hold]
) -> None:
    held = hold(POINTS["acceptance"][1])
    first = commands.start(to_declare(scene))
    held.kill(first)
    declaration = scene.declaration()
    silent_for_two_minutes(declaration)
    again = ended(commands.start(to_declare(scene)))
    assert (again["exit"], again["declaration"], again["status"]) == (0, declaration.pk, "accepted")
    assert outcome(declaration) == scene.undisturbed
    sound()


BEFORE = {
    "file": "AFTER INSERT ON licensing_storedfile FOR EACH ROW",
    "draft": "AFTER INSERT ON licensing_declaration FOR EACH ROW",
    "receipt": f"AFTER UPDATE ON {ROW} (NEW.status = 'received')",
    "submission": f"BEFORE UPDATE ON {ROW} (NEW.submit_when_processed)",
}


@pytest.mark.parametrize("point", BEFORE)
def test_a_command_killed_before_processing_begins_is_ended_by_the_same_command(
    point: str, scene: Scene, commands: Commands, hold: Callable[..., Hold], tmp_path: Path
) -> None:
    if point == "file":  # the scene's own is kept already: another, of the same content
        (tmp_path / "other.csv").write_bytes(scene.file.read_bytes().replace(b"\n", b"\r\n"))
        scene = replace(scene, file=tmp_path / "other.csv")
    held = hold(BEFORE[point])
    held.kill(commands.start(to_declare(scene)))
    assert list(Declaration.objects.filter(licence=scene.licence).values_list("status", flat=True)) == (
        ["received"] if point == "submission" else []
    )
    again = ended(commands.start(to_declare(scene)))
    assert (again["exit"], again["status"]) == (0, "accepted")
    assert outcome(scene.declaration()) == scene.undisturbed | {"sha256": again["sha256"]}
    sound()


def test_what_a_killed_upload_left_is_removed_after_a_day(scene: Scene, commands: Commands, tmp_path: Path) -> None:
    incoming = settings.OBJECT_ROOT / "incoming"
    os.mkfifo(tmp_path / "endless.csv")
    command = to_declare(scene)
    upload = commands.start((command[0], str(tmp_path / "endless.csv"), *command[2:]))
    with (tmp_path / "endless.csv").open("wb") as pipe:
        pipe.write(bytes((1 << 20) + 1))
        [half] = upload.wait_until(lambda: [path for path in incoming.iterdir() if path.stat().st_size])
        upload.kill9()
    assert not Declaration.objects.filter(licence=scene.licence).exists()
    scene.declare()
    assert half.exists(), "it may still be growing"
    yesterday = time.time() - 24 * 3600 - 60
    os.utime(half, (yesterday, yesterday))
    assert outcome(scene.declare()) == scene.undisturbed
    assert list(incoming.iterdir()) == []


def test_a_worker_that_was_taken_for_dead_stores_nothing_any_more(
    scene: Scene, commands: Commands, hold: Callable[..., Hold]
) -> None:
    held = hold(POINTS["match"][1])
    frozen = commands.start(to_declare(scene))
    held.reached(frozen)
    os.kill(frozen.pid, signal.SIGSTOP)
    held.let_go()
    declaration = scene.declaration()
    frozen.wait_until(lambda: outcome(declaration)["step"] == "permit")
    silent_for_two_minutes(declaration)
    services.process(declaration.pk)
    done = outcome(declaration)
    assert (done["status"], declaration.attempt) == ("accepted", 2)

    os.kill(frozen.pid, signal.SIGCONT)
    assert ended(frozen)["status"] == "accepted"
    assert outcome(declaration) == done
    sound()


def test_a_declaration_that_kills_every_worker_fails_in_the_end_and_says_so(scene: Scene) -> None:
    """Each attempt is counted when it begins, so that one poisonous file cannot take down workers for ever."""
    declaration = scene.declare(wait=False)
    Declaration.objects.filter(pk=declaration.pk).update(status="processing", step="match", attempt=F("attempt") + 5)
    silent_for_two_minutes(declaration)
    services.process(declaration.pk)
    declaration.refresh_from_db()
    assert (declaration.status, [problem["code"] for problem in declaration.problems]) == ("failed", ["gave_up"])
    sound()
