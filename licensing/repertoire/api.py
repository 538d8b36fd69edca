"""Works over the API: a public look-up."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers

from accounts.access.api.views import ANYONE, ApiViewSet
from accounts.identity.core import Refusal
from licensing import terms
from licensing.repertoire.identifiers import BadIdentifier, normalise, split
from licensing.repertoire.lookup import looked_up
from licensing.repertoire.models import Identifier, Work


class IdentifierSerializer(serializers.ModelSerializer[Identifier]):
    """A normalised identifier."""

    class Meta:
        model = Identifier
        fields = ["scheme", "value"]


class WorkSerializer(serializers.ModelSerializer[Work]):
    """A work as its society registered it. `protected_until` is the first day on which it is free, null: not known."""

    society = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    work_ref = serializers.CharField(source="ref")
    identifiers = IdentifierSerializer(many=True)

    class Meta:
        model = Work
        fields = [
            "id", "society", "work_ref", "kind", "title", "creators", "language", "published", "protected_until",
            "identifiers",
        ]  # fmt: skip


_FILTERS = [
    OpenApiParameter("identifier", OpenApiTypes.STR, description="Scheme and value, such as `isbn:9780306406157`."),
    OpenApiParameter("q", OpenApiTypes.STR, description="Words of title and creators, or a reference."),
    OpenApiParameter("society", OpenApiTypes.STR, description="Only works of this society."),
    OpenApiParameter("kind", OpenApiTypes.STR, enum=list(terms.KINDS)),
]


@extend_schema(tags=["works"])
class WorkViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """The registered works of all societies: public, without shares."""

    queryset = Work.objects.select_related("society").prefetch_related("identifiers")
    serializer_class = WorkSerializer
    ordering = ("id",)
    required_permission = ANYONE

    def get_queryset(self) -> Any:
        found: Any = self.queryset.all()
        asked = self.request.query_params
        if society := asked.get("society"):
            found = found.filter(society__ref=society)
        if kind := asked.get("kind"):
            found = found.filter(kind=kind)
        if identifier := asked.get("identifier"):
            found = found.named(*_normal(identifier))
        if words := asked.get("q", "").strip():
            found = looked_up(found, words)
        return found

    @extend_schema(parameters=_FILTERS)
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().list(request, *args, **kwargs)


def _normal(identifier: str) -> tuple[str, str]:
    try:
        scheme, text = split(identifier)
        return scheme, normalise(scheme, text)
    except BadIdentifier as bad:
        raise Refusal("bad_identifier", _(bad.reason), pointer="/identifier") from bad
