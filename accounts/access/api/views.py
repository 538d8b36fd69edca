"""The base of every API view: `from accounts.access.api.views import ANYONE, SIGNED_IN, ApiView, ApiViewSet`.

(It lies here and not in `config`, because slices import downwards only.)

What a view says of itself:

    class DeclarationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
        queryset = Declaration.objects.all()          # narrowed to `visible_to(self.actor)` for you
        serializer_class = DeclarationSerializer
        ordering = ("-id",)                           # of the cursor pages; end in something unique
        required_permission = {"GET": "declarations.view", "POST": "declarations.declare"}

        def create(self, request):
            data = self.checked(DeclarationCreate)     # validated dict, or a 400 problem with pointers
            declaration = services.start(actor=self.actor, **data)
            return Response(self.shown(declaration), status=201)

        @action(detail=True, methods=["post"])
        def submit(self, request, pk):
            declaration = services.submit(actor=self.actor, declaration=self.get_object())
            return Response(self.shown(declaration), status=202)

* `required_permission`: one permission for all methods, or a mapping from an action's name, else the HTTP method, to a
  permission of `accounts.access.core.PERMISSIONS`. `SIGNED_IN`: any person or token. `ANYONE`: no login. What is not
  named is refused. Tokens hold a permission only when it is among their scopes. HEAD counts as GET.
* `self.actor`: who asks (`Actor`; `NOBODY` when anonymous). Pass it down to services and `visible_to`.
* A stranger's object is 404 (`get_object`, or raise `NotFound`), a permission that is missing 403, no sign-in 401.
* Raise or let through `Refusal`, `NotFound`, `Forbidden`, `Conflict`: they become `application/problem+json`. So does
  everything else that can go wrong; nothing of it needs handling in a view.
* POST, PUT, PATCH and DELETE run in one transaction that an exception or a status of 400 and above rolls back; queue
  tasks with `transaction.on_commit`. `Idempotency-Key` works on each POST without further doing.
* An upload view sets `parser_classes = [MultiPartParser]`; a CSV answer is a plain `HttpResponse` or streaming one.
* `rate = 60` gives a view its own limit of requests a minute a caller.
* OpenAPI: decorate with `@extend_schema(request=…, responses=…)` where the serializer class does not say it; the key
  header, problems and security are added to every operation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.permissions import SAFE_METHODS, AllowAny
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accounts.access.api.idempotency import in_one_transaction
from accounts.access.api.permissions import ANYONE, SIGNED_IN, needed
from accounts.identity.core import NOBODY, Actor, Refusal

__all__ = ["ANYONE", "SIGNED_IN", "ApiView", "ApiViewSet"]


class ApiMixin:
    """What `ApiView` and `ApiViewSet` share; see the module's docstring."""

    required_permission: str | Mapping[str, str] = {}
    http_method_names: Any = ["get", "post", "put", "patch", "delete", "head"]
    request: Any
    args: Any
    kwargs: Any

    @property
    def actor(self) -> Actor:
        return getattr(getattr(self, "request", None), "actor", NOBODY)

    def checked(self, serializer_class: type[BaseSerializer[Any]], **options: Any) -> Any:
        """The request's body through this serializer: validated data, or a 400 problem."""
        serializer = serializer_class(
            data=self.request.data, context={"actor": self.actor, "request": self.request}, **options
        )
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def checked_query(self, serializer_class: type[BaseSerializer[Any]]) -> Any:
        """The same for the query string."""
        serializer = serializer_class(
            data=self.request.query_params, context={"actor": self.actor, "request": self.request}
        )
        serializer.is_valid(raise_exception=True)
        return serializer.validated_data

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """DRF's own, with unsafe methods in one transaction, once a key, before errors become problems."""
        self.args, self.kwargs = args, kwargs
        asked = self.initialize_request(request, *args, **kwargs)  # type: ignore[attr-defined]
        self.request = asked
        self.headers = self.default_response_headers  # type: ignore[attr-defined]
        try:
            self.initial(asked, *args, **kwargs)
            response = self._answer(asked, getattr(self, asked.method.lower()))
        except Exception as exc:
            response = self.handle_exception(exc)  # type: ignore[attr-defined]
        self.response = self.finalize_response(asked, response, *args, **kwargs)  # type: ignore[attr-defined]
        return self.response

    def get_permissions(self) -> list[Any]:
        open_to_all = needed(self, self.request.method or "") == ANYONE
        return [AllowAny()] if open_to_all else super().get_permissions()  # type: ignore[misc]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        method = (request.method or "").lower()
        if method not in self.http_method_names or not hasattr(self, method):
            raise MethodNotAllowed(request.method or "")
        _refuse_nul(request, kwargs)
        super().initial(request, *args, **kwargs)  # type: ignore[misc]

    def perform_authentication(self, request: Request) -> None:
        """Only whom an authenticator of the API knows counts: a session alone, unchecked for CSRF, is nobody."""
        super().perform_authentication(request)  # type: ignore[misc]
        if request.successful_authenticator is None:
            request._request.actor = NOBODY  # type: ignore[attr-defined]

    def _answer(self, request: Request, handler: Callable[..., Any]) -> Any:
        if request.method in SAFE_METHODS:
            return handler(request, *self.args, **self.kwargs)
        return in_one_transaction(self, request, lambda: handler(request, *self.args, **self.kwargs))


def _refuse_nul(request: Request, kwargs: Mapping[str, Any]) -> None:
    """The database stores no NUL, so nothing is looked up by one. Serializers check bodies; this checks addresses."""
    if any("\x00" in str(value) for value in (*request.query_params.values(), *request.query_params, *kwargs.values())):
        raise Refusal("nul_character", _("The address contains a NUL character (%00)."))


class ApiView(ApiMixin, APIView):
    """One address with methods of its own."""


class ApiViewSet(ApiMixin, GenericViewSet[Any]):
    """The addresses of one kind of object; combine with DRF's list and retrieve mixins."""

    def get_queryset(self) -> Any:
        """The objects that this actor may see."""
        queryset: Any = super().get_queryset()
        return queryset.visible_to(self.actor)

    def shown(self, instance: Any, **options: Any) -> Any:
        """An object as this view's serializer writes it."""
        return self.get_serializer(instance, **options).data
