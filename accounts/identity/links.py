"""One-time links: signed, good for a day, and void once used.

A sign-in link is somebody's who has an account; an account link lets whoever reads that address open one.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from accounts.identity.core import NotFound
from accounts.identity.models import User

_SALT = "jeongsan.sign-in-link"
_ACCOUNT_SALT = "jeongsan.account-link"
GOOD_FOR = datetime.timedelta(hours=24)


def sign(user: User) -> str:
    """The secret part of a link for this person."""
    return signing.dumps({"user": user.pk, "state": _state(user)}, salt=_SALT)


def url_of(user: User) -> str:
    """The full address of a new link for this person."""
    return settings.SITE_URL.rstrip("/") + reverse("accounts:welcome", args=[sign(user)])


def read(text: str) -> User:
    """The person whom a link was made for. Raises NotFound for what is forged, older than a day, or used."""
    try:
        data = signing.loads(text, salt=_SALT, max_age=GOOD_FOR)
        user = User.objects.get(pk=data["user"], is_active=True)
    except (signing.BadSignature, User.DoesNotExist, KeyError, TypeError):
        raise _void() from None
    if not constant_time_compare(data.get("state", ""), _state(user)):
        raise _void()
    return user


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What an account link carries: for which address, in which language, and where to go on (a path)."""

    email: str
    language: str = "en"
    onward: str = ""


def account_url(wanted: NewAccount) -> str:
    """The full address of a link that opens an account for this e-mail address, and no other."""
    data = {"email": wanted.email, "language": wanted.language, "onward": wanted.onward}
    path = reverse("accounts:account_open", args=[signing.dumps(data, salt=_ACCOUNT_SALT)])
    return settings.SITE_URL.rstrip("/") + path


def read_account(text: str) -> NewAccount:
    """What an account link was made for. Raises NotFound where it is forged, older than a day, or the account exists."""
    try:
        wanted = NewAccount(**signing.loads(text, salt=_ACCOUNT_SALT, max_age=GOOD_FOR))
    except (signing.BadSignature, TypeError):
        raise _void() from None
    if User.objects.filter(email__iexact=wanted.email).exists():
        raise _void()
    return wanted


def _state(user: User) -> str:
    """Changes with the password and with each sign-in, which makes the link single-use without a table."""
    return salted_hmac(_SALT, f"{user.pk}:{user.password}:{user.last_login}", algorithm="sha256").hexdigest()[:32]


def _void() -> NotFound:
    return NotFound(_("This link was used already or is older than a day. Ask for a new one."), code="link_is_void")
