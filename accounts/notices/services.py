"""Tell people, once each, in the portal and by e-mail."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from smtplib import SMTPRecipientsRefused
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.identity.core import Actor, NotFound
from accounts.notices.models import Notice

_BATCH = 5_000
_MAILED_AT_ONCE = 200
log = structlog.get_logger(__name__)


@transaction.atomic
def notify(*, user_ids: Iterable[int], key: str, kind: str, subject: str, body: str = "", link: str = "") -> None:
    """Leave the same notice for each of these people and have it mailed once the caller's transaction is committed.

    `key` names the occasion (`run-published:7`): a person hears of it once, however often this runs. `link` is a path.
    """
    people = sorted(set(user_ids))
    for start in range(0, len(people), _BATCH):
        notices = [
            Notice(user_id=person, key=key, kind=kind, subject=subject[:200], body=body, link=link)
            for person in people[start : start + _BATCH]
        ]
        Notice.objects.bulk_create(notices, ignore_conflicts=True)
    if people:
        from accounts.notices.tasks import send_mail  # tasks stand above services

        transaction.on_commit(lambda: send_mail.delay(), robust=True)  # beat sends what a silent queue missed


def mark_read(*, actor: Actor, notice_id: int | None = None) -> int:
    """Mark one notice of the actor's own as read, or all of them; returns how many changed."""
    mine = Notice.objects.visible_to(actor)
    if notice_id is not None:
        mine = mine.filter(pk=notice_id)
        if not mine.exists():
            raise NotFound(_("There is no such notice."))
    return mine.unread().update(read_at=timezone.now())


def mail_waiting() -> int:
    """Mail the notices that were not mailed yet, each once; returns how many went. Safe beside itself.

    A notice is claimed by setting `mailed_at` where it is still empty, then sent. Where the mail server fails, the
    claim is given back and the error raised, so that the task comes again; an address that does not exist is let go.
    """
    sent = 0
    while waiting := list(
        Notice.objects.filter(mailed_at=None).select_related("user").order_by("id")[:_MAILED_AT_ONCE]
    ):
        sent += _mail(waiting)
    return sent


def _mail(notices: Sequence[Notice]) -> int:
    sent = 0
    with get_connection() as server:
        for notice in notices:
            if Notice.objects.filter(pk=notice.pk, mailed_at=None).update(mailed_at=timezone.now()) != 1:
                continue
            try:
                _message(notice, server).send()
                sent += 1
            except SMTPRecipientsRefused:
                log.warning("notice.address_refused", notice=notice.pk)
            except BaseException:
                Notice.objects.filter(pk=notice.pk).update(mailed_at=None)
                raise
    return sent


def _message(notice: Notice, server: Any) -> EmailMessage:
    with override(notice.user.language):
        link = settings.SITE_URL.rstrip("/") + notice.link if notice.link else ""
        text = "\n\n".join(filter(None, [notice.body, link]))
    subject = " ".join(notice.subject.split())
    return EmailMessage(subject, text, None, [notice.user.email], connection=server)
