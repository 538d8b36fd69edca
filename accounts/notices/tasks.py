"""Mail and webhooks, outside the request that caused them."""

from __future__ import annotations

from smtplib import SMTPException

from celery import shared_task

from accounts.notices.services import delivering, letters, mail_waiting


@shared_task(autoretry_for=(OSError, SMTPException), retry_backoff=True, max_retries=8)
def send_mail() -> None:
    """Mail what waits. The database says what was mailed, so running twice, or two at once, mails nothing twice."""
    mail_waiting()


@shared_task
def deliver_webhooks() -> None:
    """Send what is due. Each delivery is claimed before it is sent, so two at once send nothing twice."""
    delivering.deliver_due()


@shared_task
def forget_messages() -> None:
    """Drop letters and deliveries that nobody asks for any more."""
    letters.forget_letters()
    delivering.forget_deliveries()
