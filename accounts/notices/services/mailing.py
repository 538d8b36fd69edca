"""Mail what waits: notices and letters, each once."""

from __future__ import annotations

from collections.abc import Sequence
from smtplib import SMTPRecipientsRefused
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import override

from accounts.notices.models import Letter, Notice

_MAILED_AT_ONCE = 200
log = structlog.get_logger(__name__)


def mail_waiting() -> int:
    """Mail what was not mailed yet, each once; returns how many went. Safe beside itself.

    A message is claimed by setting `mailed_at` where it is still empty, then sent. Where the mail server fails, the
    claim is given back and the error raised, so that the task comes again; an address that does not exist is let go.
    """
    sent = 0
    queues: tuple[QuerySet[Any], ...] = (Letter.objects.all(), Notice.objects.select_related("user"))
    for waiting in queues:
        while batch := list(waiting.filter(mailed_at=None).order_by("id")[:_MAILED_AT_ONCE]):
            sent += _mail(batch)
    return sent


def _mail(messages: Sequence[Letter | Notice]) -> int:
    sent = 0
    with get_connection() as server:
        for message in messages:
            rows = type(message)._default_manager.filter(pk=message.pk)
            if rows.filter(mailed_at=None).update(mailed_at=timezone.now()) != 1:
                continue
            try:
                _letter(message, server).send()
                sent += 1
            except SMTPRecipientsRefused:
                log.warning("mail.address_refused", kind=message._meta.model_name, id=message.pk)
            except BaseException:
                rows.update(mailed_at=None)
                raise
    return sent


def _letter(message: Letter | Notice, server: Any) -> EmailMessage:
    to = message if isinstance(message, Letter) else message.user
    with override(to.language):
        here = settings.SITE_URL.rstrip("/") if message.link.startswith("/") else ""
        text = "\n\n".join(filter(None, [message.body, here + message.link]))
    subject = " ".join(message.subject.split())
    return EmailMessage(subject, text, None, [to.email], connection=server)
