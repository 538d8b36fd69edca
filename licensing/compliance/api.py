"""Compliance over the API: a licensee's notices of reservations and cases; a society's register and queue."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.api.views import ApiViewSet
from licensing.compliance import core, services
from licensing.compliance.models import Case, CaseUse, ReservationNotice
from licensing.permissions.models import Reservation

_USES_SHOWN = 1_000


class NoticeReservationSerializer(serializers.ModelSerializer[Reservation]):
    """What is reserved. Who asked for it is not said."""

    reservation = serializers.CharField(source="ref")
    work = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True, allow_null=True)

    class Meta:
        model = Reservation
        fields = [
            "reservation", "status", "target", "work", "place", "pattern", "excepting", "scheme", "value", "uses",
            "territory", "effective_from", "ended_at",
        ]  # fmt: skip


class BecauseSerializer(serializers.Serializer[Any]):
    """Why this licensee: declarations of theirs (ids, at most 100) and licences (refs) that it concerns."""

    declarations = serializers.ListField(child=serializers.IntegerField())
    licences = serializers.ListField(child=serializers.CharField())


class ReservationNoticeSerializer(serializers.ModelSerializer[ReservationNotice]):
    """A licensee was told of a reservation. `acknowledged_at` is null while it waits; `closed_at` says that it ended."""

    reservation = NoticeReservationSerializer()
    licensee = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    because = BecauseSerializer()

    class Meta:
        model = ReservationNotice
        fields = ["id", "reservation", "licensee", "because", "sent_at", "due_on", "acknowledged_at", "closed_at"]


_WAITING = OpenApiParameter("waiting", OpenApiTypes.BOOL, description="only those that wait to be acknowledged")


@extend_schema(tags=["compliance"])
class ReservationNoticeViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Notices that a reservation took effect: a licensee's own, or those about reservations of a society."""

    queryset = ReservationNotice.objects.select_related("reservation__work", "licensee")
    serializer_class = ReservationNoticeSerializer
    lookup_value_regex = "[0-9]{1,18}"
    ordering = ("-id",)
    required_permission = {"GET": "declarations.view", "POST": "declarations.declare"}

    def get_queryset(self) -> Any:
        found = super().get_queryset()
        asked = self.request.query_params.get("waiting", "").lower() in ("1", "true")
        return found.waiting() if asked and self.action == "list" else found

    @extend_schema(parameters=[_WAITING])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(request=None, responses=ReservationNoticeSerializer)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, pk: str) -> Response:
        """Say that you know of it. Saying it again changes nothing."""
        services.acknowledge(actor=self.actor, notice=self.get_object())
        return Response(self.shown(self.get_object()))


class CaseSerializer(serializers.ModelSerializer[Case]):
    """Amounts in minor units. `ordinary` is what the tariff would have asked (null: no tariff prices it), `proposed` what is
    asked, `amount` what it was settled on."""

    declaration = serializers.PrimaryKeyRelatedField[Any](read_only=True)
    society = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    licensee = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    holder = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True, allow_null=True)
    licence = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True, allow_null=True)
    units = serializers.DictField(child=serializers.IntegerField(), help_text="sums by unit")
    reasons = serializers.DictField(
        child=serializers.IntegerField(), help_text="lines: reserved, unmandated, unlicensed"
    )

    class Meta:
        model = Case
        fields = [
            "id", "declaration", "society", "licensee", "holder", "status", "works", "lines", "units", "reasons",
            "currency", "ordinary", "proposed", "amount", "licence", "due_on", "opened_at", "notified_at", "ended_at",
        ]  # fmt: skip


class CaseUseSerializer(serializers.ModelSerializer[CaseUse]):
    """One declared use; `ppm` is the holder's part of the work on that day."""

    work = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True, allow_null=True)
    units = serializers.IntegerField()

    class Meta:
        model = CaseUse
        fields = ["work", "scheme", "value", "kind", "use", "unit", "used_on", "status", "ppm", "units", "lines"]


class CaseDetailSerializer(CaseSerializer):
    """A case with what was answered, the explanation of its amounts, and its largest uses (at most 1,000)."""

    explanation = serializers.JSONField()
    uses = serializers.SerializerMethodField()

    class Meta(CaseSerializer.Meta):
        fields = [*CaseSerializer.Meta.fields, "answer", "outcome", "explanation", "uses"]

    def get_uses(self, case: Case) -> list[dict[str, Any]]:
        rows = case.uses.select_related("work").order_by("-units", "id")[:_USES_SHOWN]
        return list(CaseUseSerializer(rows, many=True).data)


class CaseAnswerSerializer(serializers.Serializer[Any]):
    """`accept` what is asked, `dispute` it with a text, or point to a `licence` that covers the use."""

    answer = serializers.ChoiceField(["accept", "dispute", "licence"])
    text = serializers.CharField(max_length=core.LONGEST_TEXT, required=False, allow_blank=True)
    licence = serializers.CharField(max_length=64, required=False)


_ONLY = [
    OpenApiParameter("status", OpenApiTypes.STR, enum=Case.Status.values, description="only these"),
    OpenApiParameter("declaration", OpenApiTypes.INT, description="only of this declaration"),
]


@extend_schema(tags=["compliance"])
class CaseViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Uses that nothing allowed. A licensee sees those that it was told of, a society its own, a creator those of theirs."""

    queryset = Case.objects.select_related("society", "licensee", "holder", "licence")
    lookup_value_regex = "[0-9]{1,18}"
    ordering = ("-id",)
    required_permission = {"GET": "cases.view", "POST": "cases.answer"}

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return CaseSerializer if self.action == "list" else CaseDetailSerializer

    def get_queryset(self) -> Any:
        found, asked = super().get_queryset(), self.request.query_params
        if self.action != "list":
            return found
        if asked.get("status") in Case.Status.values:
            found = found.filter(status=asked["status"])
        number = asked.get("declaration", "")
        if number:
            found = found.filter(declaration_id=int(number)) if _is_number(number) else found.none()
        return found

    @extend_schema(parameters=_ONLY)
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(request=CaseAnswerSerializer, responses=CaseDetailSerializer)
    @action(detail=True, methods=["post"])
    def answer(self, request: Request, pk: str) -> Response:
        """Answer a case, as a person of the licensee."""
        data, case = self.checked(CaseAnswerSerializer), self.get_object()
        if data["answer"] == "accept":
            services.accept(actor=self.actor, case=case)
        elif data["answer"] == "dispute":
            services.dispute(actor=self.actor, case=case, answer=data.get("text", ""))
        else:
            licence, text = data.get("licence", ""), data.get("text", "")
            services.point_to_licence(actor=self.actor, case=case, licence=licence, answer=text)
        return Response(self.shown(self.get_object()))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18
