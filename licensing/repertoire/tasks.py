"""Work of the repertoire outside a request."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from accounts.identity.core import SYSTEM
from licensing.repertoire.services import joining


@shared_task
def let_go_of_identities() -> None:
    """Delete the identity documents whose term is over."""
    joining.let_go_of_identities(actor=SYSTEM, now=timezone.now())
