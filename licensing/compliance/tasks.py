"""Pulled work of compliance. Safe to run twice: each step marks what it saw in the transaction that did it."""

from celery import shared_task

from licensing.compliance import services


@shared_task(name="licensing.compliance.tasks.tell_reservations")
def tell_reservations() -> int:
    """Tell licensees of reservations that took effect, close the notices of those that ended."""
    return services.tell_effective() + services.tell_ended()


@shared_task(name="licensing.compliance.tasks.remind")
def remind() -> int:
    return services.remind()


@shared_task(name="licensing.compliance.tasks.open_cases")
def open_cases() -> int:
    """Open the cases of accepted declarations that nobody looked through yet."""
    return sum(services.open_cases(declaration_id) for declaration_id in services.waiting())
