"""Tell members, applicants and staff what became of what they asked, each in their own language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.access.core import ROLES
from accounts.access.models import Membership
from accounts.identity.models import User
from accounts.notices.services import notify
from licensing.repertoire.models import Representation

Said = tuple[str, str]  # subject and body, as sentences of the catalogue


def tell_people(
    user_ids: Iterable[int],
    said: Said,
    facts: Mapping[str, Any],
    *,
    key: str,
    kind: str,
    route: str,
    at: int | None = None,
) -> None:
    """The same notice to each of these people, in their language; `at` is the object that the route is about."""
    people: dict[str, list[int]] = {}
    for user, language in User.objects.filter(pk__in=set(user_ids), is_active=True).values_list("pk", "language"):
        people.setdefault(language, []).append(user)
    link = reverse(route, args=[at] if at is not None else [])
    for language, users in people.items():
        with override(language):
            subject, body = (_(text) % facts if text else "" for text in said)
            notify(user_ids=users, key=key, kind=kind, subject=subject, body=body, link=link)


def tell_staff(society_id: int, permission: str, said: Said, facts: Mapping[str, Any], **about: Any) -> None:
    """The society's people whose role has this permission."""
    roles = [role for role, allowed in ROLES["society"].items() if permission in allowed]
    staff = Membership.objects.filter(organisation_id=society_id, role__in=roles)
    tell_people(staff.values_list("user_id", flat=True), said, facts, **about)


def tell_holders(
    holder_ids: Iterable[int], said: Said, facts: Mapping[str, Any], *, but_not: int | None = None, **about: Any
) -> None:
    """Whoever acts for these holders, except delegates for money and the person who did it."""
    acting = Representation.objects.filter(holder_id__in=set(holder_ids)).exclude(scope=Representation.Scope.FINANCE)
    tell_people(set(acting.values_list("user_id", flat=True)) - {but_not}, said, facts, **about)
