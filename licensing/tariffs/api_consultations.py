"""Consultations over the API: public, read only; comments once they are published."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.api.views import ANYONE, ApiViewSet
from accounts.identity.core import NotFound
from licensing.tariffs.models import Comment, TariffVersion

WITHHELD = {code: f"withheld_{code}" for code in Comment.Ground.values}


class TariffConsultationSerializer(serializers.ModelSerializer[TariffVersion]):
    """A proposal put to a rate body. Comments count from `opens` up to, not including, `closes` (days in Seoul).

    `withheld` counts by ground what the rate body did not publish. The rates are at `/tariffs/{tariff_id}/`.
    """

    tariff = serializers.CharField(source="tariff.ref")
    society = serializers.CharField(source="tariff.society.ref")
    body = serializers.CharField(source="addressed_to.ref")
    opens = serializers.DateField(source="consultation.lower")
    closes = serializers.DateField(source="consultation.upper")
    open = serializers.SerializerMethodField(help_text="Whether comments are taken today.")
    figures = serializers.DictField(child=serializers.JSONField(), help_text="The predicted effect as worked out.")
    comments = serializers.IntegerField(source="comments_shown", help_text="How many are published.")
    withheld = serializers.SerializerMethodField()

    class Meta:
        model = TariffVersion
        fields = [
            "id", "tariff_id", "tariff", "version", "society", "body", "status", "opens", "closes", "open", "decide_by",
            "published_at", "reasons", "effect", "figures", "comments", "withheld",
        ]  # fmt: skip

    def get_open(self, version: TariffVersion) -> bool:
        return version.takes_comments(timezone.localdate())

    def get_withheld(self, version: TariffVersion) -> dict[str, int]:
        counts = {ground: getattr(version, name) for ground, name in WITHHELD.items()}
        return {ground: count for ground, count in counts.items() if count}


class CommentSerializer(serializers.ModelSerializer[Comment]):
    """A published comment, under the name of who wrote it, with the society's answer."""

    attachments = serializers.SlugRelatedField[Any](slug_field="name", many=True, read_only=True)

    class Meta:
        model = Comment
        fields = [
            "ref",
            "name",
            "standing",
            "organisation",
            "text",
            "received_at",
            "attachments",
            "answer",
            "answered_at",
        ]


@extend_schema(tags=["tariffs"])
class ConsultationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """What societies propose to charge, while it is open for comments and afterwards."""

    queryset = TariffVersion.objects.published().filter(consultation__isnull=False)
    serializer_class = TariffConsultationSerializer
    ordering = ("-published_at", "-id")
    required_permission = ANYONE
    lookup_value_regex = "[0-9]{1,18}"

    def get_queryset(self) -> Any:
        found = super().get_queryset().select_related("tariff__society", "addressed_to")
        counts = {
            name: Count("comments", filter=Q(comments__status=Comment.Status.WITHHELD, comments__ground=ground))
            for ground, name in WITHHELD.items()
        }
        shown = Count("comments", filter=Q(comments__status=Comment.Status.PUBLISHED))
        found = found.annotate(comments_shown=shown, **counts)
        if self.request.query_params.get("open") in ("1", "true"):
            found = found.undecided().filter(consultation__contains=timezone.localdate())
        return found

    @extend_schema(parameters=[OpenApiParameter("open", OpenApiTypes.BOOL, description="only those open today")])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        return super().list(request, *args, **kwargs)

    @extend_schema(responses=CommentSerializer(many=True))
    @action(detail=True, methods=["get"])
    def comments(self, request: Request, pk: str) -> Response:
        """The published comments, the oldest first."""
        version = TariffVersion.objects.published().filter(pk=int(pk), consultation__isnull=False).first()
        if version is None:
            raise NotFound(_("There is no such consultation."))
        self.ordering = ("received_at", "id")
        comments = Comment.objects.public().filter(version=version).prefetch_related("attachments")
        page = self.paginate_queryset(comments)
        return self.get_paginated_response(CommentSerializer(page, many=True).data)
