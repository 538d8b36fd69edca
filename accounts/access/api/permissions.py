"""What a view of the API asks of its caller. Apart from the views, because DRF's settings name it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.permissions import BasePermission

from accounts.identity.core import Actor

ANYONE = "*anyone"
SIGNED_IN = "*signed-in"


def needed(view: Any, method: str) -> str | None:
    """The permission that a view asks for: by its action's name, then by the method. None: nobody may."""
    asked: str | Mapping[str, str] = getattr(view, "required_permission", {})
    if isinstance(asked, str):
        return asked
    return asked.get(getattr(view, "action", None) or "") or asked.get("GET" if method == "HEAD" else method)


class RequiredPermission(BasePermission):
    """Refuses whatever a view does not grant by name. Runs before any object is looked up."""

    def has_permission(self, request: Any, view: Any) -> bool:
        permission = needed(view, request.method or "")
        actor: Actor = request.actor
        if permission is None or actor.kind == "anonymous":
            return False
        if permission != SIGNED_IN:
            actor.require(permission)
        return True
