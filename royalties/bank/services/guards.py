"""Who works with the bank's side of a society's money."""

from __future__ import annotations

from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Forbidden, NotFound


def enter(actor: Actor, society_id: int) -> None:
    """NotFound to strangers, Forbidden to those whose role is too small and to the sandbox."""
    if not actor.is_system and actor.organisation_id != society_id:
        raise NotFound(_("There is no such bank account."))
    actor.require("billing.manage")
    if actor.sandbox:
        raise Forbidden(_("A test token moves no money. Use a live one."))


def who(actor: Actor) -> dict[str, object]:
    """An actor as a row keeps it."""
    return {"kind": actor.kind, "id": actor.id, "label": actor.label}
