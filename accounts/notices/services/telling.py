"""Tell people, once each, in the portal and by e-mail."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, NotFound
from accounts.notices.models import Notice

_BATCH = 5_000


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
