"""Tariffs over the API: public, read only."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers

from accounts.access.api.views import ANYONE, ApiViewSet
from licensing.tariffs.models import Tariff, TariffVersion


class VersionSummarySerializer(serializers.ModelSerializer[TariffVersion]):
    """A version without its rates. `valid_to` is the first day after it, null without end."""

    valid_from = serializers.DateField(source="valid.lower")
    valid_to = serializers.DateField(source="valid.upper", allow_null=True)
    determined_by = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True, allow_null=True)

    class Meta:
        model = TariffVersion
        fields = ["version", "status", "valid_from", "valid_to", "determined_by", "determined_at", "sha256"]


class VersionSerializer(VersionSummarySerializer):
    """A version with its document, exactly as it was proposed."""

    document = serializers.JSONField(help_text="The rates, in the form that `import_tariff` reads.")

    class Meta(VersionSummarySerializer.Meta):
        fields = [*VersionSummarySerializer.Meta.fields, "document"]


class TariffSummarySerializer(serializers.ModelSerializer[Tariff]):
    """`in_force` is the number of the version that prices today, null where there is none."""

    tariff = serializers.CharField(source="ref")
    society = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    in_force = serializers.SerializerMethodField()
    versions = VersionSummarySerializer(many=True)

    class Meta:
        model = Tariff
        fields = ["id", "tariff", "society", "name", "currency", "in_force", "versions"]

    def get_in_force(self, tariff: Tariff) -> int | None:
        today = timezone.localdate()
        for version in tariff.versions.all():
            determined = version.status == TariffVersion.Status.DETERMINED
            if (
                determined
                and today >= version.valid.lower
                and (version.valid.upper is None or today < version.valid.upper)
            ):
                return version.version
        return None


class TariffSerializer(TariffSummarySerializer):
    """A tariff with the documents of its versions."""

    versions = VersionSerializer(many=True)


@extend_schema(tags=["tariffs"])
class TariffViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Published tariffs: every version, proposed ones included, with the rates as JSON."""

    queryset = Tariff.objects.select_related("society").prefetch_related(
        Prefetch("versions", TariffVersion.objects.select_related("determined_by").order_by("version"))
    )
    serializer_class = TariffSerializer
    ordering = ("society_id", "ref", "id")
    required_permission = ANYONE

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return TariffSummarySerializer if self.action == "list" else TariffSerializer

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        asked = self.request.query_params
        if ref := asked.get("society"):
            found = found.filter(society__ref=ref)
        if ref := asked.get("tariff"):
            found = found.filter(ref=ref)
        return found

    @extend_schema(
        parameters=[
            OpenApiParameter("society", OpenApiTypes.STR, description="only tariffs of this society (its ref)"),
            OpenApiParameter("tariff", OpenApiTypes.STR, description="only tariffs with this ref"),
        ]
    )
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().list(request, *args, **kwargs)
