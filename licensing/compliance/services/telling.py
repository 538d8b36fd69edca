"""Who hears of notices and cases: the other party's people, and those who act for the holder, each in their language."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from django.db.models import QuerySet
from django.urls import NoReverseMatch, reverse
from django.utils.translation import override

from accounts.access.core import REPRESENTATIONS, ROLES
from accounts.access.models import Membership
from accounts.identity.models import User
from accounts.notices.services import notify
from licensing.repertoire.models import Representation

Said = Callable[[], tuple[str, str]]  # (subject, body), in the language that is on


def tell_staff(organisation_id: int, kind: str, permission: str, *, key: str, said: Said, link: str) -> None:
    """The people of an organisation whose role holds this permission."""
    roles = [role for role, allowed in ROLES[kind].items() if permission in allowed]
    staff = Membership.objects.filter(organisation_id=organisation_id, role__in=roles)
    _tell(User.objects.filter(id__in=staff.values("user_id")), key=key, said=said, link=link)


def tell_representatives(holder_ids: Collection[int] | QuerySet[Any, Any], *, key: str, said: Said, link: str) -> None:
    """Those who act for these holders and may see cases about their works."""
    scopes = [scope for scope, allowed in REPRESENTATIONS.items() if "cases.view" in allowed]
    acting = Representation.objects.filter(holder_id__in=holder_ids, scope__in=scopes)
    _tell(User.objects.filter(id__in=acting.values("user_id")), key=key, said=said, link=link)


def link_to(route: str, *args: Any) -> str:
    try:
        return reverse(route, args=args)
    except NoReverseMatch:  # an installation without the portal
        return ""


def _tell(people: QuerySet[User], *, key: str, said: Said, link: str) -> None:
    for language in ("en", "ko"):
        with override(language):
            subject, body = said()
            notify(
                user_ids=people.filter(language=language, is_active=True).values_list("id", flat=True),
                key=key, kind="compliance", subject=subject, body=body, link=link,
            )  # fmt: skip
