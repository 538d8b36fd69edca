"""The daily look at licences: whose term is over, whose offer can no longer be signed, whose end is near."""

from celery import shared_task
from django.utils import timezone

from accounts.identity.core import SYSTEM
from licensing.licences import services
from licensing.licences.services.rates import tell_of_rates as tell_licensees_of_rates


@shared_task(name="licensing.licences.expire_due")
def expire() -> int:
    """Safe to run twice: a licence expires once."""
    return services.expire_due(actor=SYSTEM, today=timezone.localdate())


@shared_task(name="licensing.licences.tasks.lapse_offers")
def lapse_offers() -> int:
    """Safe to run twice: an offer lapses once."""
    return services.lapse_due(actor=SYSTEM, today=timezone.localdate())


@shared_task(name="licensing.licences.tasks.remind_of_renewals")
def remind_of_renewals() -> int:
    """Safe to run twice: a person gets each reminder once."""
    return services.remind_of_renewals(today=timezone.localdate())


@shared_task(name="licensing.licences.tasks.tell_of_rates")
def tell_of_rates() -> int:
    """Safe to run twice: a person hears of each step once."""
    return tell_licensees_of_rates(today=timezone.localdate())
