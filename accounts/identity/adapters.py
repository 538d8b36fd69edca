"""How allauth behaves here: nobody signs up through it, and second-factor secrets are stored encrypted."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import get_language, override

from accounts.identity.models import User


class AccountAdapter(DefaultAccountAdapter):
    """Accounts come by invitation, or by a link to one's own address (`accounts.access.pages.account`)."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """In the language of the person it goes to, whoever's browser asked for it."""
        recipient = context.get("user")
        with override(recipient.language if isinstance(recipient, User) else get_language()):
            super().send_mail(template_prefix, email, context)

    def post_login(self, request: HttpRequest, user: User, **details: Any) -> HttpResponse:
        """In the person's language from the first page on, unless they chose another in this browser."""
        response: HttpResponse = super().post_login(request, user, **details)
        chosen = settings.LANGUAGE_COOKIE_NAME in request.COOKIES
        return response if chosen else keep_language(response, user)


def keep_language(response: HttpResponse, user: User) -> HttpResponse:
    """The answer, with the person's language kept in the browser for a year."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        user.language,
        samesite="Lax",
        secure=settings.LANGUAGE_COOKIE_SECURE,
        max_age=365 * 24 * 3600,
    )
    return response


class SecondFactorAdapter(DefaultMFAAdapter):
    """A copy of the database alone gives no second factor away."""

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _cipher().decrypt(encrypted_text.encode()).decode()


def _cipher() -> MultiFernet:
    """Encrypts under the present secret key; reads what older ones encrypted."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet(
        [Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"jeongsan.mfa:{key}".encode()).digest())) for key in keys]
    )
