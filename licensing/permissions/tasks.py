"""Imports outside the request. Safe to run twice."""

from typing import Any

import structlog
from celery import Task, shared_task

from licensing.permissions.services import imports

log = structlog.get_logger(__name__)


@shared_task(name="licensing.permissions.tasks.run_import")
def run_import(import_id: int) -> None:
    imports.run(import_id)


@shared_task(name="licensing.permissions.tasks.resume_stalled")
def resume_stalled() -> int:
    """Hand out again what no worker has finished; beat runs this every minute."""
    waiting = imports.stalled()
    for import_id in waiting:
        run_import.delay(import_id)
    return len(waiting)


def send(task: "Task[..., Any]", *arguments: Any) -> None:
    """Queue a task. Without a broker nothing is lost: the import waits, and `resume_stalled` finds it."""
    try:
        task.delay(*arguments)
    except Exception:
        log.warning("imports.not_queued", task=task.name, arguments=arguments, exc_info=True)
