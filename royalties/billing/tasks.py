"""What billing does by itself: advances that are due, reminders, and licences that have paid. Safe to run twice."""

from __future__ import annotations

import logging

from celery import shared_task
from django.utils import timezone

from royalties.bank.models import Entry
from royalties.billing import services

logger = logging.getLogger(__name__)


@shared_task(name="royalties.billing.issue_advances")
def issue_advances() -> int:
    """Bill the fixed prices of periods that have begun; each refusal is logged and keeps none of the others."""
    issued, refused = services.issue_advances(timezone.localdate())
    for reason in refused:
        logger.warning("no advance: %s", reason)
    return issued


@shared_task(name="royalties.billing.remind_unpaid")
def remind_unpaid() -> int:
    """Tell licensees of invoices that are overdue."""
    return services.remind_unpaid(timezone.localdate())


@shared_task(name="royalties.billing.resume_paid")
def resume_paid() -> int:
    """Resume licences that were suspended for non-payment and have paid."""
    return services.resume_all_paid(timezone.localdate())


@shared_task(name="royalties.billing.match_entries")
def match_entries() -> int:
    """Apply bank entries that are certain, and payments kept for licences; what was refused is logged and stays in the queue."""
    waiting = Entry.objects.waiting().filter(sign=1).order_by().values_list("society_id", flat=True).distinct()
    applied = 0
    for society_id in waiting:
        matched = services.match(society_id)
        applied += matched.applied
        for reason in matched.refused:
            logger.warning("not applied: %s", reason)
    return applied
