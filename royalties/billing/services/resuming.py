"""A licence that was suspended for non-payment is resumed once nothing of it is overdue."""

from __future__ import annotations

import datetime
from typing import Final

from django.utils import timezone

from accounts.identity.core import SYSTEM
from licensing.licences import services as licences
from licensing.licences.models import Licence
from royalties.billing.models import Invoice

GROUND: Final = "non_payment"


def resume_paid(licence: Licence, today: datetime.date | None = None) -> bool:
    """Resume a licence that stands suspended for non-payment and of which no invoice is overdue any more."""
    if licence.status != Licence.Status.SUSPENDED or overdue_of(licence, today or timezone.localdate()):
        return False
    suspension = licences.suspension_of(licence)
    if suspension is None or suspension.get("ground") != GROUND:
        return False
    licences.resume(actor=SYSTEM, licence=licence)
    return True


def overdue_of(licence: Licence, today: datetime.date) -> bool:
    """Whether an invoice of this licence is still open after the day on which it was due."""
    return Invoice.objects.of_periods().unpaid().filter(licence=licence, due_on__lt=today).exists()
