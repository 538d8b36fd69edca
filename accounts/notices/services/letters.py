"""Write to somebody who has no account here."""

from __future__ import annotations

import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.identity.core import Refusal
from accounts.notices.models import Letter

KEPT = datetime.timedelta(days=90)


@transaction.atomic
def send_letter(*, email: str, language: str, key: str, subject: str, body: str, link: str = "") -> None:
    """Have this mailed once the caller's transaction is committed; with the same `key` again, nothing more is sent.

    Subject and body may be lazy translations: they are said in `language`. `link` is a path (or a full address), put
    under the body. How many letters an address gets is for the caller to bound.
    """
    address = email.strip()
    try:
        validate_email(address)
    except ValidationError:
        raise Refusal(
            "invalid_email", _("“%(email)s” is no e-mail address.") % {"email": email[:200]}, pointer="/email"
        ) from None
    spoken = language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE
    with override(spoken):
        letter = Letter(
            email=address, language=spoken, key=key, subject=str(subject)[:200], body=str(body), link=str(link)
        )
    Letter.objects.bulk_create([letter], ignore_conflicts=True)
    from accounts.notices.tasks import send_mail  # tasks stand above services

    transaction.on_commit(lambda: send_mail.delay(), robust=True)


def forget_letters() -> int:
    """Delete the letters that went out long ago; returns how many."""
    return Letter.objects.filter(mailed_at__lt=timezone.now() - KEPT).delete()[0]
