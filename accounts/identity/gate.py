"""The doors of pages: who may open one. What a page itself refuses (`Refusal`) is answered by `config.requests`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase

from accounts.identity.core import Actor

P = ParamSpec("P")


class ActorRequest(HttpRequest):
    """A request as our middlewares leave it."""

    actor: Actor
    request_id: str


View = Callable[Concatenate[ActorRequest, P], HttpResponseBase]
Plain = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def signed_in(view: View[P]) -> Plain[P]:
    """Lets people in whom we know; sends the others to sign in and back."""

    @wraps(view)
    def gate(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        return view(request, *args, **kwargs)  # type: ignore[arg-type]

    return gate


def requires(permission: str) -> Callable[[View[P]], Plain[P]]:
    """`@requires("declarations.view")`: signed in, and holding this permission, or 403 before anything is looked up."""

    def decorate(view: View[P]) -> Plain[P]:
        @wraps(view)
        def gate(request: ActorRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            request.actor.require(permission)
            return view(request, *args, **kwargs)

        gate.required_permission = permission  # type: ignore[attr-defined]
        wrapped = signed_in(gate)
        return wrapped

    return decorate
