"""The daily look at licences whose term is over."""

from celery import shared_task
from django.utils import timezone

from accounts.identity.core import SYSTEM
from licensing.licences.services import expire_due


@shared_task(name="licensing.licences.expire_due")
def expire() -> int:
    """Safe to run twice: a licence expires once."""
    return expire_due(actor=SYSTEM, today=timezone.localdate())
