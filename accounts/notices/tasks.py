"""Mail for notices, outside the request that caused them."""

from __future__ import annotations

from smtplib import SMTPException

from celery import shared_task

from accounts.notices.services import mail_waiting


@shared_task(autoretry_for=(OSError, SMTPException), retry_backoff=True, max_retries=8)
def send_mail() -> None:
    """Mail what waits. The database says what was mailed, so running twice, or two at once, mails nothing twice."""
    mail_waiting()
