"""Keys for programs: issued once in clear, kept as a keyed hash, checked in constant time."""

from __future__ import annotations

import datetime
import secrets
import string
from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext as _

from accounts.access.core import parse_scopes, scopes_for
from accounts.access.models import Token
from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, NotFound, Reference, Refusal
from accounts.identity.models import User
from accounts.organisations.models import Organisation

_ALPHABET = string.ascii_letters + string.digits
_PREFIX_LENGTH, _SECRET_LENGTH = 12, 43  # 43 of 62 letters: 256 bits
_SALT = "jeongsan.token"
USE_IS_NOTED_EVERY = datetime.timedelta(minutes=1)


class TokenRefused(Refusal):
    """This token opens nothing: unknown, expired or revoked."""

    status = 401


@transaction.atomic
def issue_token(
    *,
    actor: Actor,
    organisation: Organisation | None = None,
    user: User | None = None,
    scopes: str | Iterable[str],
    sandbox: bool = False,
    name: str = "",
    expires_at: datetime.datetime | None = None,
) -> tuple[Token, str]:
    """A new token of an organisation or of one creator, and its only showing in clear: `jsk_live_<prefix>_<secret>`.

    An organisation's token needs `tokens.manage` there; a creator issues their own. Scopes: see `core.parse_scopes`.
    """
    _may_issue(actor, organisation, user)
    granted = parse_scopes(scopes, scopes_for(organisation.kind if organisation else None))
    if expires_at is not None and expires_at <= timezone.now():
        raise Refusal(
            "expiry_has_passed",
            _("The token would have expired already: name a moment to come."),
            pointer="/expires_at",
        )
    prefix, secret, key = _random(_PREFIX_LENGTH), _random(_SECRET_LENGTH), settings.SECRET_KEY
    token = Token.objects.create(
        prefix=prefix, secret_hash=_hash(prefix, secret, key), name=name[:100], organisation=organisation, user=user,
        scopes=list(granted), sandbox=sandbox, expires_at=expires_at,
    )  # fmt: skip
    data = {
        "prefix": prefix,
        "name": token.name,
        "scopes": list(granted),
        "sandbox": sandbox,
        "user": user.pk if user else None,
    }
    record(
        actor=actor,
        verb="token.issued",
        object=Reference("token", token.pk),
        organisation_id=token.organisation_id,
        data=data,
    )
    return token, f"jsk_{'test' if sandbox else 'live'}_{prefix}_{secret}"


def _may_issue(actor: Actor, organisation: Organisation | None, user: User | None) -> None:
    if (organisation is None) == (user is None):
        raise Refusal("token_needs_one_owner", _("A token belongs to an organisation or to one person."))
    if actor.is_system:
        return
    if organisation is not None:
        if organisation.pk != actor.organisation_id:
            raise NotFound(_("There is no such organisation."))
        actor.require("tokens.manage")
    elif actor.kind != "user" or user is None or user.pk != actor.user_id:
        raise NotFound(_("There is no such person."))


@transaction.atomic
def revoke_token(*, actor: Actor, token: Token) -> Token:
    """End a token now. Revoking twice is refused, so that the second person learns that it was done."""
    if token.organisation_id is not None:
        actor.require("tokens.manage")
    now = timezone.now()
    if Token.objects.visible_to(actor).filter(pk=token.pk, revoked_at=None).update(revoked_at=now) != 1:
        raise Conflict("token_already_revoked", _("This token was revoked before."))
    token.revoked_at = now
    record(
        actor=actor,
        verb="token.revoked",
        object=Reference("token", token.pk),
        organisation_id=token.organisation_id,
        data={},
    )
    return token


def authenticate_token(text: str) -> Token:
    """The token that this text is, with its owner loaded; notes the use, at most once a minute. Raises TokenRefused.

    What is wrong with a token is told only to who holds its secret.
    """
    mode, prefix, secret = _parts(text)
    token = Token.objects.select_related("organisation", "user").filter(prefix=prefix).first() if prefix else None
    kept = token.secret_hash if token else ""
    known = any(constant_time_compare(_hash(prefix, secret, key), kept) for key in _keys())
    if token is None or not known or token.sandbox != (mode == "test"):
        raise TokenRefused("token_unknown", _("This token is not known."))
    now = timezone.now()
    if token.revoked_at is not None:
        raise TokenRefused("token_revoked", _("This token was revoked."))
    if token.expires_at is not None and token.expires_at <= now:
        raise TokenRefused("token_expired", _("This token has expired. Issue a new one."))
    if token.user is not None and not token.user.is_active:
        raise TokenRefused("token_unknown", _("This token is not known."))
    _note_use(token, now)
    return token


def _note_use(token: Token, now: datetime.datetime) -> None:
    due = now - USE_IS_NOTED_EVERY
    if token.last_used_at is None or token.last_used_at < due:
        Token.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=due), pk=token.pk).update(last_used_at=now)


def _parts(text: str) -> tuple[str, str, str]:
    """(live or test, prefix, secret), all empty for what cannot be a token."""
    parts = text.split("_")
    if (
        len(parts) != 4
        or parts[0] != "jsk"
        or parts[1] not in ("live", "test")
        or not text.isascii()
        or len(text) > 100
    ):
        return "", "", ""
    return parts[1], parts[2], parts[3]


def _keys() -> list[str]:
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def _hash(prefix: str, secret: str, key: str) -> str:
    """HMAC-SHA-256 under a key derived from the installation's secret, in hexadecimal."""
    return salted_hmac(_SALT, f"{prefix}_{secret}", secret=key, algorithm="sha256").hexdigest()


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _place in range(length))
