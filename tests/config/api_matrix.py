"""Every operation of the API, with what it asks of its caller: for the (method, permission, URL, status) matrix."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from accounts.access.api.permissions import needed
from accounts.access.api.views import ApiMixin

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, order=True)
class Operation:
    """One method at one address. `route` as the URLconf spells it; `address` with each parameter filled by a number."""

    route: str
    method: str
    permission: str | None
    view: str

    @property
    def address(self) -> str:
        return re.sub(r"<[^>]+>", "999999999", self.route)


def operations(prefix: str = "api/v1/") -> list[Operation]:
    """All operations that the running URLconf serves under this prefix, in order."""
    found = {
        Operation(f"/{route}", method.upper(), needed(view, method.upper()), type(view).__name__)
        for route, view, methods in _views(get_resolver().url_patterns, "", prefix)
        for method in methods
    }
    return sorted(found, key=lambda each: (each.route, METHODS.index(each.method.lower())))


def _views(patterns: Iterable[Any], so_far: str, prefix: str) -> Iterator[tuple[str, Any, list[str]]]:
    for pattern in patterns:
        route = so_far + _spelled(pattern)
        if isinstance(pattern, URLResolver):
            yield from _views(pattern.url_patterns, route, prefix)
        elif isinstance(pattern, URLPattern) and route.startswith(prefix):
            yield from _methods(pattern.callback, route)


def _methods(callback: Any, route: str) -> Iterator[tuple[str, Any, list[str]]]:
    """A view set's address serves several actions, each with an instance that knows which it is."""
    view_class = getattr(callback, "cls", None)
    if view_class is None or not issubclass(view_class, ApiMixin):
        return
    actions: dict[str, str] = getattr(callback, "actions", None) or {}
    if not actions:
        yield route, view_class(), [method for method in METHODS if hasattr(view_class, method)]
    for method, action in actions.items():
        if method in METHODS:
            view = view_class(**callback.initkwargs)
            view.action = action
            yield route, view, [method]


def _spelled(pattern: Any) -> str:
    """A route as people write it; the routers' regular expressions become `<name>`."""
    text = str(pattern.pattern)
    text = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"<\1>", text)
    return text.replace("^", "").replace("$", "").replace("\\", "").replace("?<format>", "<format>")
