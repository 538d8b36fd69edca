"""Pulled work of the queue. Safe to run twice: each looks at what is there now."""

from celery import shared_task

from accounts.organisations.models import Organisation
from licensing.claims import services


@shared_task(name="licensing.claims.tasks.refresh")
def refresh() -> int:
    """Look for declarations that were accepted or superseded since the last look, and for what was learned meanwhile."""
    return services.refresh_all()


@shared_task(name="licensing.claims.tasks.seek_candidates")
def seek_candidates() -> int:
    """Seek works that open items may be, so many a turn."""
    societies = Organisation.objects.filter(kind=Organisation.Kind.SOCIETY).order_by("pk")
    return sum(services.seek_candidates(society) for society in societies)
