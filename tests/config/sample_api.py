"""A small API on the common base, for tests of the base itself: organisations to list and tokens to make and count."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.db import transaction
from django.http import HttpRequest
from django.urls import include, path
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response
from rest_framework.routers import SimpleRouter

from accounts.access import services
from accounts.access.api.views import ANYONE, SIGNED_IN, ApiView, ApiViewSet
from accounts.access.models import Token
from accounts.identity.core import Conflict, Refusal
from accounts.organisations.models import Organisation
from config.urls import urlpatterns as real

runs: list[str] = []
"""What views did, outside any transaction: counts how often each truly ran."""


class TokenIn(serializers.Serializer):
    name = serializers.CharField(max_length=10)
    scopes = serializers.ListField(child=serializers.CharField(max_length=30), default=["*"])


class TokenOut(serializers.ModelSerializer):
    class Meta:
        model = Token
        fields = ["id", "name", "scopes"]


class Tokens(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    queryset = Token.objects.all()
    serializer_class = TokenOut
    required_permission = {"GET": "declarations.view", "POST": "declarations.declare", "check": "permissions.check"}

    def create(self, request: Any) -> Response:
        data = self.checked(TokenIn)
        runs.append(data["name"])
        organisation = Organisation.objects.get(pk=self.actor.organisation_id)
        token = services.issue_token(actor=services_actor(), organisation=organisation, **data)[0]
        transaction.on_commit(lambda: runs.append(f"queued {token.name}"))
        if token.name == "conflict":
            raise Conflict("taken", "This is taken.", pointer="/name")
        if token.name == "quiet":
            return Response({"detail": "refused without an exception"}, status=422)
        if token.name == "crash":
            raise ZeroDivisionError("a secret inside")
        return Response(self.shown(token), status=201, headers={"Location": f"/api/v1/tokens/{token.pk}/"})

    @action(detail=True, methods=["post"])
    def check(self, request: Any, pk: str) -> Response:
        return Response({"checked": self.get_object().pk})


def services_actor() -> Any:
    from accounts.identity.core import SYSTEM

    return SYSTEM


class Upload(ApiView):
    required_permission = {"POST": "declarations.declare"}
    parser_classes = [MultiPartParser]

    def post(self, request: Any) -> Response:
        runs.append("upload")
        return Response({"bytes": request.data["file"].size, "note": request.data.get("note")}, status=202)


class Open(ApiView):
    required_permission = ANYONE
    rate = 3

    def get(self, request: Any) -> Response:
        return Response({"actor": self.actor.kind})

    def post(self, request: Any) -> Response:
        runs.append("open")
        return Response({"said": request.data})


class Mine(ApiView):
    required_permission = SIGNED_IN

    def get(self, request: Any) -> Response:
        what = request.query_params.get("raise")
        if what == "refusal":
            raise Refusal("bad_rows", "Two rows are wrong.", errors=[{"row": 3, "code": "x", "detail": "Row 3."}])
        if what == "suspicious":
            raise SuspiciousOperation("odd")
        return Response({"actor": self.actor.kind, "organisation": self.actor.organisation_id})


class Forgotten(ApiView):
    """Its author forgot to say who may use it."""

    def get(self, request: Any) -> Response:
        return Response("open to all?")


def crash(request: HttpRequest) -> None:
    raise ZeroDivisionError("a secret inside")


router = SimpleRouter()
router.register("tokens", Tokens, basename="sample-token")
sample = [
    path("upload/", Upload.as_view()),
    path("open/", Open.as_view()),
    path("mine/", Mine.as_view()),
    path("forgotten/", Forgotten.as_view()),
    path("crash/", crash),
    path("", include(router.urls)),
]
urlpatterns = [path("api/v1/", include(sample)), *real]
