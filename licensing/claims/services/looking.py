"""Finding items by what a person types: an identifier, a web address, or words of title and creators."""

from __future__ import annotations

from typing import Final

from django.db.models import Exists, OuterRef, Q

from licensing import terms
from licensing.claims.models import Claim, UnmatchedQuerySet
from licensing.matching.core import WEB
from licensing.permissions.services.public_search import understood

LONGEST: Final = 300
MOST_FOUND: Final = 1000  # by words; who finds more says more


def looked_up(items: UnmatchedQuerySet, asked: str) -> UnmatchedQuerySet:
    """Those that this identifier, address, or these words name."""
    spoken = understood(asked[:LONGEST])
    if spoken is None:
        return items.filter(
            pk__in=[*items.order_by().search(asked[:LONGEST]).values_list("pk", flat=True)[:MOST_FOUND]]
        )
    scheme, value = spoken
    if scheme not in WEB:
        return items.filter(Q(scheme=scheme, value=value) | Q(scheme="several", value__contains=f"{scheme}:{value}"))
    place = value.rstrip("/")
    return items.filter(Q(value__in=(place, f"{place}/")) | Q(value__startswith=f"{place}/"), scheme__in=WEB)


def looked_up_in_public(items: UnmatchedQuerySet, asked: str) -> UnmatchedQuerySet:
    """The same for everybody. A firm's own numbers are not shown, so nobody finds out by guessing which there are."""
    spoken = understood(asked[:LONGEST])
    return items.none() if spoken and spoken[0] == "proprietary" else looked_up(items, asked)


def of_kind(items: UnmatchedQuerySet, kind: str) -> UnmatchedQuerySet:
    return items.filter(kind=kind) if kind in terms.KINDS else items


def claimed(items: UnmatchedQuerySet) -> UnmatchedQuerySet:
    """Those that somebody claims, and nobody has decided yet."""
    return items.filter(Exists(Claim.objects.filter(item=OuterRef("pk"), status=Claim.Status.OPEN)))
