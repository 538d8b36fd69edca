"""Work of access outside a request."""

from __future__ import annotations

from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore
from django.core.mail import send_mail
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.access.services import answers
from accounts.identity import links
from accounts.identity.models import User
from accounts.organisations.models import Organisation


@shared_task(autoretry_for=(OSError,), retry_backoff=True, max_retries=8)
def mail_invitation(user_id: int, organisation_id: int) -> None:
    """Send a person their one-time sign-in link. It is made here, so that it lies in no queue; twice does no harm."""
    user = User.objects.get(pk=user_id)
    with override(user.language):
        organisation = str(Organisation.objects.get(pk=organisation_id))
        link = links.url_of(user)
        subject = _("%(organisation)s invites you to Jeongsan") % {"organisation": organisation}
        body = _("Open this link within 24 hours and choose a password:") + f"\n\n{link}\n"
    send_mail(subject, body, None, [user.email])


@shared_task
def forget_old() -> None:
    """Drop what nobody can ask for any more: old remembered answers, expired sessions."""
    answers.forget()
    SessionStore.clear_expired()
