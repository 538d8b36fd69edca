"""What is due in the procedure of tariffs. Safe to run twice."""

from celery import shared_task
from django.utils import timezone

from licensing.tariffs.services import commenting, reminding


@shared_task(name="licensing.tariffs.tasks.remind")
def remind() -> int:
    """Remind rate bodies of what closes, is due or overdue; beat runs this every morning."""
    return reminding.remind(today=timezone.localdate())


@shared_task(name="licensing.tariffs.tasks.forget_unconfirmed")
def forget_unconfirmed() -> int:
    """Delete comments that nobody confirmed; beat runs this every night."""
    return commenting.forget_unconfirmed(now=timezone.now())
