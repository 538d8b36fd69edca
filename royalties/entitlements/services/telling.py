"""Tell whoever acts for a member's money that somebody else gets a part of it, or no longer does, each in their own language."""

from __future__ import annotations

from accounts.identity.core import gettext_noop
from licensing.repertoire.models import Representation
from licensing.repertoire.services.telling import tell_people
from royalties.entitlements.models import Entitlement
from royalties.payees.services.guards import MONEY_SCOPES

_CHANGED = (
    gettext_noop("A part of what you are owed goes to somebody else"),
    gettext_noop(
        "A right to a part of your money was recorded or changed. See who, why and until when. If it is wrong, write to your society "
        "at once."
    ),
)


def tell_of(entitlement: Entitlement, what: str) -> None:
    """`what` names the occasion, so that each is told once: approved, ended, revoked."""
    concerned = [entitlement.holder_id, *([entitlement.to_holder_id] if entitlement.to_holder_id else [])]
    acting = Representation.objects.filter(holder_id__in=concerned, scope__in=MONEY_SCOPES)
    tell_people(
        set(acting.values_list("user_id", flat=True)), _CHANGED, {}, key=f"entitlement:{entitlement.pk}:{what}", kind="entitlement",
        route="royalties:my_entitlements",
    )  # fmt: skip
