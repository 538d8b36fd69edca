"""Licences over the API: the two parties read their own."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers

from accounts.access.api.views import SIGNED_IN, ApiViewSet
from licensing.licences.models import Licence


class LicenceSerializer(serializers.ModelSerializer[Licence]):
    """`*` means any; empty `models` or `datasets` mean any too. `valid_to` is the first day after the term."""

    licence = serializers.CharField(source="ref")
    society = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    licensee = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    tariff = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    models = serializers.ListField(source="ai_models", child=serializers.CharField())
    valid_from = serializers.DateField(source="valid.lower")
    valid_to = serializers.DateField(source="valid.upper", allow_null=True)

    class Meta:
        model = Licence
        fields = [
            "licence", "society", "licensee", "tariff", "uses", "kinds", "territory", "models", "datasets",
            "valid_from", "valid_to", "tier", "status",
        ]  # fmt: skip


@extend_schema(tags=["licences"])
class LicenceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """The licences to which one's organisation is a party."""

    queryset = Licence.objects.select_related("society", "licensee", "tariff")
    serializer_class = LicenceSerializer
    lookup_field = "ref"
    lookup_value_regex = "[A-Za-z0-9._-]+"
    ordering = ("-id",)
    required_permission = SIGNED_IN

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        status = self.request.query_params.get("status")
        return found.filter(status=status) if status else found

    @extend_schema(
        parameters=[OpenApiParameter("status", OpenApiTypes.STR, enum=Licence.Status.values, description="only these")]
    )
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().list(request, *args, **kwargs)
