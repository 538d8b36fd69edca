"""Work of access outside a request."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.core.mail import send_mail
from django.urls import reverse
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


@shared_task(autoretry_for=(OSError,), retry_backoff=True, max_retries=8)
def mail_account_link(email: str, language: str, onward: str) -> None:
    """Send a link that opens an account, or to whoever has one the way to sign in; twice does no harm."""
    user = User.objects.filter(email__iexact=email).first()
    with override(user.language if user else language):
        if user is None:
            subject = _("Open your account at Jeongsan")
            body = _("Open this link within 24 hours, choose a password, and go on:")
            link = links.account_url(links.NewAccount(email, language, onward))
            after = _("If it was not you who asked, do nothing: without the link there is no account.")
        elif user.has_usable_password():
            subject = _("You have an account at Jeongsan already")
            body = _("Somebody, you we hope, asked for an account with this address. You have one; sign in here:")
            link = settings.SITE_URL.rstrip("/") + reverse("account_login")
            reset = settings.SITE_URL.rstrip("/") + reverse("account_reset_password")
            after = _("If you forgot your password, set a new one here: %(link)s") % {"link": reset}
        else:
            subject = _("Your account at Jeongsan waits for you")
            body = _("Open this link within 24 hours and choose a password:")
            link, after = links.url_of(user), ""
    if user is None or user.is_active:
        send_mail(subject, f"{body}\n\n{link}\n" + (f"\n{after}\n" if after else ""), None, [email])


@shared_task
def forget_old() -> None:
    """Drop what nobody can ask for any more: old remembered answers, expired sessions."""
    answers.forget()
    SessionStore.clear_expired()
