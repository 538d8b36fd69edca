"""Pulled work about money that waits. Safe to run twice: an amount is warned of once for each of the days."""

from celery import shared_task

from royalties.outstanding import services


@shared_task(name="royalties.outstanding.tasks.warn")
def warn() -> int:
    """Warn of what expires in 180, 90 or 30 days."""
    return services.warn_all()
