"""Statutory schemes over the API: public, read only, those that are off included."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import mixins, serializers

from accounts.access.api.views import ANYONE, ApiViewSet
from licensing.permissions.models import StatutoryScheme
from licensing.permissions.services.scheme_switching import switches_of

STATES = ("off", "on", "not_yet", "over")


class SwitchSerializer(serializers.Serializer[Any]):
    on = serializers.BooleanField()
    at = serializers.DateTimeField()


class SchemeSerializer(serializers.ModelSerializer[StatutoryScheme]):
    """`state` is that of today: `off`; `on`; or switched on, but on a day before (`not_yet`) or after (`over`) its own.

    A reservation goes before a scheme, whatever its state. `valid_to` is the first day after it.
    """

    scheme = serializers.CharField(source="ref")
    society = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    valid_from = serializers.DateField(source="valid.lower")
    valid_to = serializers.DateField(source="valid.upper", allow_null=True)
    body = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True, allow_null=True)
    tariff = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True, allow_null=True)
    state = serializers.SerializerMethodField()
    switches = SwitchSerializer(many=True, help_text="Each time that it was switched, the latest first.")

    class Meta:
        model = StatutoryScheme
        fields = [
            "scheme", "society", "name", "name_ko", "source", "uses", "kinds", "territory", "valid_from", "valid_to", "body",
            "tariff", "enabled", "state", "switches",
        ]  # fmt: skip

    @extend_schema_field(serializers.ChoiceField(STATES))
    def get_state(self, scheme: StatutoryScheme) -> str:
        return scheme.state_on(timezone.localdate())


@extend_schema(tags=["permissions"])
class SchemeViewSet(mixins.ListModelMixin, ApiViewSet):
    """Uses that the law itself licenses, for remuneration, and whether permission follows it: off unless it says on."""

    queryset = StatutoryScheme.objects.select_related("society", "body", "tariff")
    serializer_class = SchemeSerializer
    ordering = ("society_id", "ref", "id")
    required_permission = ANYONE

    def get_queryset(self) -> Any:
        found, society = super().get_queryset(), self.request.query_params.get("society")
        return found.filter(society__ref=society) if society else found

    def paginate_queryset(self, queryset: Any) -> Any:
        page: list[Any] = super().paginate_queryset(queryset) or []
        switches = switches_of(page)
        for scheme in page:
            scheme.switches = switches[scheme.pk]
        return page

    @extend_schema(
        parameters=[OpenApiParameter("society", OpenApiTypes.STR, description="only this society's (its ref)")]
    )
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().list(request, *args, **kwargs)
