"""Organisations, people and tokens as the services make them."""

from __future__ import annotations

from typing import Any

from accounts.access import services
from accounts.access.models import Token
from accounts.identity.core import SYSTEM, Actor
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from config.actors import actor_of_user


def organisation(ref: str = "HANBIT", kind: str = "licensee", **details: Any) -> Organisation:
    return services.create_organisation(
        actor=SYSTEM, ref=ref, kind=kind, name=details.pop("name", ref.title()), **details
    )


def person(where: Organisation, role: str = "administrator", email: str = "") -> User:
    """Somebody with that role; the address tells which, unless it is given."""
    address = email or f"{role}@{where.ref.lower().replace('_', '-')}.example"
    return services.create_user(actor=SYSTEM, email=address, organisation=where, role=role, password="pw")


def actor(where: Organisation, role: str = "administrator", email: str = "") -> Actor:
    return actor_of_user(person(where, role, email), where.pk)


def token(where: Organisation, scopes: str = "*", **details: Any) -> tuple[Token, str]:
    return services.issue_token(actor=SYSTEM, organisation=where, scopes=scopes, **details)
