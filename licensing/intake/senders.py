"""What whoever began something may still do once it is finished, hours or days later."""

from __future__ import annotations

from django.utils import timezone

from accounts.access.core import permissions_of, scopes_for
from accounts.access.models import Membership, Token
from accounts.identity.core import Actor
from accounts.organisations.models import Organisation


def as_of_today(*, kind: str, id: int | None, label: str, organisation: Organisation, sandbox: bool = False) -> Actor:
    """The person or token that is named so, for that organisation, with what they may do there now: nothing where the
    person left or was locked, or the token was revoked or has expired. The house itself stays the house.
    """
    held: frozenset[str] = frozenset()
    if kind == "user":
        here = Membership.objects.filter(user_id=id or 0, user__is_active=True, organisation=organisation)
        held = permissions_of(organisation.kind, here.values_list("role", flat=True))
    elif kind == "token":
        token = Token.objects.filter(pk=id or 0, organisation=organisation, revoked_at=None).first()
        if token is not None and (token.expires_at is None or token.expires_at > timezone.now()):
            held = frozenset(token.scopes) & scopes_for(organisation.kind)
    return Actor(
        kind=kind, id=id, label=label, organisation_id=organisation.pk, organisation_kind=organisation.kind,
        permissions=held, sandbox=sandbox,
    )  # fmt: skip
