"""Imports, checks of files and readings of sites outside the request. Safe to run twice."""

from typing import Any

import structlog
from celery import Task, shared_task
from django.utils import timezone

from licensing.permissions.services import bulk, imports, reminding, sites

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


@shared_task(name="licensing.permissions.tasks.remind_of_reservations")
def remind_of_reservations() -> int:
    """Remind societies of identity checks that are due or overdue; beat runs this every morning."""
    return reminding.remind(today=timezone.localdate())


@shared_task(name="licensing.permissions.tasks.run_check")
def run_check(check_id: int) -> None:
    bulk.run(check_id)


@shared_task(name="licensing.permissions.tasks.resume_stalled_checks")
def resume_stalled_checks() -> int:
    """Hand out again what waits without a sign of life; beat runs this every minute."""
    waiting = bulk.stalled()
    for check_id in waiting:
        run_check.delay(check_id)
    return len(waiting)


@shared_task(name="licensing.permissions.tasks.read_site")
def read_site(site_id: int) -> None:
    """Read what a site says, if it is due: a message too many finds that it is not."""
    sites.read(site_id)


@shared_task(name="licensing.permissions.tasks.read_due_sites")
def read_due_sites() -> int:
    """Hand out the sites whose time has come; beat runs this every minute."""
    waiting = sites.due()
    for site_id in waiting:
        read_site.delay(site_id)
    return len(waiting)


def send(task: "Task[..., Any]", *arguments: Any) -> None:
    """Queue a task. Without a broker nothing is lost: the row waits, and beat finds it."""
    try:
        task.delay(*arguments)
    except Exception:
        log.warning("imports.not_queued", task=task.name, arguments=arguments, exc_info=True)
