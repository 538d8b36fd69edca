"""The promises of the queue, on a real broker and real workers: nothing is lost, and nothing runs unnoticed twice."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from config.celery import HARD_LIMIT, SOFT_LIMIT, TASKS, app
from tests.config.tasks import note
from tests.processes import Running, wait_until

HERE = "tests.config.tasks"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "notes"


@pytest.fixture
def hold(tmp_path: Path) -> Path:
    """While this file is there, the task does not end."""
    path = tmp_path / "hold"
    path.touch()
    return path


def begun(notes: Path) -> list[int]:
    """The process ids of all beginnings."""
    lines = notes.read_text().splitlines() if notes.exists() else []
    return [int(line.split()[1]) for line in lines if line.startswith("began")]


def ended(notes: Path) -> int:
    return notes.read_text().splitlines().count("ended") if notes.exists() else 0


def test_a_task_goes_through_a_real_worker(start_worker: Callable[..., Running], notes: Path) -> None:
    worker = start_worker(include=HERE)
    note.delay(str(notes))
    worker.wait_until(lambda: ended(notes) == 1)
    assert begun(notes) != [os.getpid()]
    assert worker.stop() == 0


def test_a_task_survives_the_broker_waiting_without_a_worker(start_worker: Callable[..., Running], notes: Path) -> None:
    worker = start_worker(include=HERE)
    worker.stop()
    note.delay(str(notes))
    start_worker(include=HERE).wait_until(lambda: ended(notes) == 1)


def test_a_killed_child_of_the_pool_gives_its_task_back_at_once(
    start_worker: Callable[..., Running], notes: Path, hold: Path
) -> None:
    worker = start_worker(include=HERE)
    note.delay(str(notes), str(hold))
    (child,) = worker.wait_until(lambda: begun(notes))
    os.kill(child, signal.SIGKILL)
    worker.wait_until(lambda: len(begun(notes)) == 2, what="the task began again")
    hold.unlink()
    worker.wait_until(lambda: ended(notes) == 1)


def test_a_killed_worker_loses_no_task_it_comes_back_after_the_visibility_timeout(
    start_worker: Callable[..., Running], notes: Path, hold: Path
) -> None:
    worker = start_worker(include=HERE, env={"SHORT_VISIBILITY": "1"})
    note.delay(str(notes), str(hold))
    worker.wait_until(lambda: begun(notes))
    worker.kill9()
    hold.unlink()
    assert ended(notes) == 0
    after = start_worker(include=HERE, env={"SHORT_VISIBILITY": "1"})
    after.wait_until(lambda: ended(notes) == 1, what="the task came back")
    assert len(begun(notes)) == 2


def test_a_worker_takes_no_more_than_it_works_on(start_worker: Callable[..., Running], notes: Path, hold: Path) -> None:
    worker = start_worker(include=HERE)
    for _ in range(3):
        note.delay(str(notes), str(hold))
    worker.wait_until(lambda: begun(notes))
    with app.connection_for_read() as connection:
        left = connection.default_channel.client.llen(app.conf.task_default_queue)
    assert left >= 1, "bounded prefetch: the rest is for others"
    hold.unlink()
    worker.wait_until(lambda: ended(notes) == 3)


def test_a_running_task_is_finished_when_the_worker_is_asked_to_stop(
    start_worker: Callable[..., Running], notes: Path, hold: Path
) -> None:
    worker = start_worker(include=HERE)
    note.delay(str(notes), str(hold))
    worker.wait_until(lambda: begun(notes))
    worker.process.terminate()
    wait_until(lambda: "shutdown" in worker.said())
    hold.unlink()
    assert worker.process.wait(20) == 0
    assert ended(notes) == 1


def test_the_settings_hold_what_the_tasks_rely_on() -> None:
    assert app.conf.task_acks_late
    assert app.conf.task_reject_on_worker_lost
    assert app.conf.worker_prefetch_multiplier == 1
    assert SOFT_LIMIT < HARD_LIMIT < app.conf.broker_transport_options["visibility_timeout"]
    assert app.conf.accept_content == ["json"]


def test_every_task_is_named_where_workers_look_for_it() -> None:
    root = Path(__file__).resolve().parents[2]
    found = {
        ".".join(path.relative_to(root).with_suffix("").parts)
        for app_ in ("accounts", "licensing", "royalties")
        for path in (root / app_).rglob("tasks.py")
    }
    assert set(TASKS) == found
    app.loader.import_default_modules()
    for entry in app.conf.beat_schedule.values():
        assert entry["task"] in app.tasks
