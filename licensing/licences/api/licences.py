"""Licences over the API: the two parties read their own."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers

from accounts.access.api.views import SIGNED_IN, ApiViewSet
from licensing.licences.conditions import Conditions
from licensing.licences.models import Licence


class ConditionsSerializer(serializers.Serializer[Any]):
    """What a licence obliges to; null: the licence does not limit or ask for it."""

    retention_days = serializers.IntegerField(allow_null=True)
    output_limit = serializers.IntegerField(allow_null=True)
    sublicensing = serializers.BooleanField()
    deletion_days = serializers.IntegerField(allow_null=True)
    audit_notice_days = serializers.IntegerField(allow_null=True)
    reporting_months = serializers.IntegerField(allow_null=True)
    report_within_days = serializers.IntegerField()
    suspension_days = serializers.IntegerField()
    renewal_notice_days = serializers.IntegerField()


class LicenceSerializer(serializers.ModelSerializer[Licence]):
    """`*` means any; empty `models` or `datasets` mean any too. `valid_to` is the first day after the term.

    `conditions` is null where none were agreed in writing here. `succeeds`: the licence that this one renews or amends.
    `certificate`: the code by which anyone can look it up.
    """

    licence = serializers.CharField(source="ref")
    society = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    licensee = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    tariff = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    models = serializers.ListField(source="ai_models", child=serializers.CharField())
    valid_from = serializers.DateField(source="valid.lower")
    valid_to = serializers.DateField(source="valid.upper", allow_null=True)
    conditions = serializers.SerializerMethodField()
    succeeds = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True, allow_null=True)
    certificate = serializers.SerializerMethodField()

    class Meta:
        model = Licence
        fields = [
            "licence", "society", "licensee", "tariff", "uses", "kinds", "territory", "models", "datasets",
            "valid_from", "valid_to", "tier", "status", "conditions", "succeeds", "certificate",
        ]  # fmt: skip

    @extend_schema_field(ConditionsSerializer(allow_null=True))
    def get_conditions(self, licence: Licence) -> dict[str, Any] | None:
        return Conditions.from_data(licence.conditions).as_data() if licence.conditions else None

    def get_certificate(self, licence: Licence) -> str | None:
        held = getattr(licence, "certificate", None)
        return held.code if held else None


@extend_schema(tags=["licences"])
class LicenceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """The licences to which one's organisation is a party."""

    queryset = Licence.objects.select_related("society", "licensee", "tariff", "succeeds", "certificate")
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
