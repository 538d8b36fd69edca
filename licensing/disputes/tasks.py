"""Pulled work about conflicts. Safe to run twice: each looks at what is there now."""

from celery import shared_task

from licensing.disputes import services


@shared_task(name="licensing.disputes.tasks.find")
def find() -> int:
    """Open a conflict for works that are claimed more than whole since the register changed."""
    return services.find_all()


@shared_task(name="licensing.disputes.tasks.remind")
def remind() -> int:
    """Remind who has not answered, and tell the society what was not settled in time."""
    return services.remind()
