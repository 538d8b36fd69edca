"""Who calls: a program with a bearer token, or a person in a browser by their session (then with CSRF protection)."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.access.models import Token
from accounts.access.services import TokenRefused, authenticate_token
from accounts.identity.models import User
from config.actors import actor_of_token


class BearerToken(BaseAuthentication):
    """`Authorization: Bearer jsk_live_…`. Sets `request.actor`; an organisation's token has no user."""

    def authenticate(self, request: Request) -> tuple[User | AnonymousUser, Token] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        if len(words) != 2:
            raise AuthenticationFailed(_("Write: Authorization: Bearer jsk_live_…"), code="malformed_authorization")
        try:
            token = authenticate_token(words[1].decode("latin-1"))
        except TokenRefused as exc:
            raise AuthenticationFailed(exc.detail, code=exc.code) from None
        request._request.actor = actor_of_token(token)  # type: ignore[attr-defined]
        return token.user or AnonymousUser(), token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Jeongsan"'


class BearerTokenScheme(OpenApiAuthenticationExtension):
    """How OpenAPI is told of it."""

    target_class = BearerToken
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "jsk_live_… or jsk_test_…",
            "description": "A token that an administrator issued under “API tokens”, or `manage.py issue_token`. "
            "It carries scopes; `jsk_test_` tokens make and see sandbox data only.",
        }
