"""Processing declarations outside the request. Safe to run twice: each file, and each settling, is claimed by one worker at a time."""

from typing import Any

import structlog
from celery import Task, shared_task
from django.utils import timezone

from licensing.declarations import services

log = structlog.get_logger(__name__)


@shared_task(name="licensing.declarations.tasks.process_declaration")
def process_declaration(declaration_id: int) -> None:
    """Hand its files out to whoever is free; a single one is read here, and settled at once."""
    files = services.to_read(declaration_id)
    if len(files) <= 1:
        services.process(declaration_id)
        return
    for file_id in files:
        send(read_file, file_id)


@shared_task(name="licensing.declarations.tasks.read_file")
def read_file(file_id: int) -> None:
    """Read one file; whoever ends last has the declaration settled."""
    declaration_id = services.read_file(file_id)
    if declaration_id is not None:
        send(settle, declaration_id)


@shared_task(name="licensing.declarations.tasks.settle")
def settle(declaration_id: int) -> None:
    services.settle(declaration_id)


@shared_task(name="licensing.declarations.tasks.resume_stalled")
def resume_stalled() -> int:
    """Hand out again what waits without a sign of life; beat runs this every minute."""
    waiting, left = services.stalled(), services.stalled_files()
    for declaration_id in waiting:
        process_declaration.delay(declaration_id)
    for file_id in left:
        read_file.delay(file_id)
    return len(waiting) + len(left)


@shared_task(name="licensing.declarations.tasks.finish_upload")
def finish_upload(upload_id: int) -> None:
    """Put together a file of which all parts are here, and attach it."""
    services.finish_upload(upload_id)


@shared_task(name="licensing.declarations.tasks.resume_uploads")
def resume_uploads() -> int:
    """Finish uploads that are complete but were not attached; beat runs this every minute."""
    return services.resume_uploads()


@shared_task(name="licensing.declarations.tasks.sweep_uploads")
def sweep_uploads() -> int:
    """Let go of uploads that rest for too long; beat runs this every hour."""
    return services.sweep_uploads()


@shared_task(name="licensing.declarations.tasks.keep_duties")
def keep_duties() -> int:
    """Make the duties to report that come up, then settle those that declarations meet; beat runs this every other minute."""
    return services.make_due(timezone.localdate()) + services.settle_met()


@shared_task(name="licensing.declarations.tasks.remind_of_duties")
def remind_of_duties() -> int:
    """Remind firms of reports that are due or overdue; beat runs this every morning."""
    return services.remind(timezone.localdate())


@shared_task(name="licensing.declarations.tasks.tell_overdue_duties")
def tell_overdue_duties() -> int:
    """Tell societies what is overdue; beat runs this every Monday."""
    return services.tell_overdue(timezone.localdate())


def send(task: "Task[..., Any]", *arguments: Any) -> None:
    """Queue a task. Without a broker nothing is lost: the row waits, and `resume_stalled` finds it."""
    try:
        task.delay(*arguments)
    except Exception:
        log.warning("declarations.not_queued", task=task.name, arguments=arguments, exc_info=True)
