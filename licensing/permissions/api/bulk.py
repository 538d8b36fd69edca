"""Whole files asked about over the API: send one, watch it, fetch it with its answers."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.api.views import ApiViewSet
from accounts.organisations.models import Organisation
from licensing import terms
from licensing.permissions import tasks
from licensing.permissions.downloads import answered_file
from licensing.permissions.models import BulkCheck
from licensing.permissions.services import bulk
from licensing.permissions.services.checks import Question


class BulkQuestion(serializers.Serializer[Any]):
    """What is asked about every row. Without `on`, the question is about the moment of the answer."""

    use = serializers.ChoiceField(list(terms.USES))
    on = serializers.DateField(required=False, allow_null=True)
    territory = serializers.CharField(max_length=2, required=False)
    model = serializers.CharField(max_length=200, required=False, allow_blank=True)
    dataset = serializers.CharField(max_length=200, required=False, allow_blank=True)


class BulkUpload(BulkQuestion):
    """With the file: `identifier_type, identifier [, title, creators]` as CSV, TSV, JSON Lines or Parquet."""

    file = serializers.FileField(allow_empty_file=True)


class ProblemSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class BulkCheckSerializer(serializers.ModelSerializer[BulkCheck]):
    """`verdicts` are rows by verdict, which sum to `rows`; the digests are those of the file sent and of the result."""

    model = serializers.CharField(source="ai_model")
    name = serializers.CharField(source="file.name")
    sha256 = serializers.CharField(source="file.sha256")
    bytes = serializers.IntegerField(source="file.size")
    result_sha256 = serializers.CharField(source="result.sha256", allow_null=True, default=None)
    verdicts = serializers.DictField(child=serializers.IntegerField())
    problems = ProblemSerializer(many=True)
    licences = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = BulkCheck
        fields = [
            "id", "use", "on", "territory", "model", "dataset", "status", "step", "name", "sha256", "bytes", "as_of", "rows",
            "verdicts", "licences", "problems", "result_sha256", "requested_at", "finished_at",
        ]  # fmt: skip


class BulkCheckDetailSerializer(BulkCheckSerializer):
    """`receipt` is the signed receipt over the two files, a JWS; empty until the check is done."""

    class Meta(BulkCheckSerializer.Meta):
        fields = [*BulkCheckSerializer.Meta.fields, "receipt"]


@extend_schema(tags=["permissions"])
class BulkCheckViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """Files of the organisation that were asked about."""

    queryset = BulkCheck.objects.select_related("file", "result")
    serializer_class = BulkCheckDetailSerializer
    lookup_value_regex = "[0-9]{1,18}"
    ordering = ("-id",)
    required_permission = {"GET": "permissions.check", "POST": "permissions.check"}
    parser_classes = [MultiPartParser]

    def get_serializer_class(self) -> Any:
        return BulkCheckSerializer if self.action == "list" else BulkCheckDetailSerializer

    @extend_schema(request={"multipart/form-data": BulkUpload}, responses={202: BulkCheckDetailSerializer})
    def create(self, request: Request) -> Response:
        """Send a file of up to millions of rows. It is answered by a worker; `check.finished` is told by webhook."""
        sent = request.FILES.get("file")
        if sent is None:
            raise serializers.ValidationError({"file": [_("Send the file in the form field “file”.")]}, code="required")
        made = bulk.request_check(
            actor=self.actor,
            organisation=Organisation.objects.of(self.actor),
            question=Question(**self.checked(BulkQuestion)),
            stream=sent,
            name=sent.name or "file",
        )
        transaction.on_commit(lambda: tasks.send(tasks.run_check, made.pk))
        return Response(self.shown(bulk.find_check(actor=self.actor, check_id=made.pk)), status=202)

    @extend_schema(
        parameters=[OpenApiParameter("plain", OpenApiTypes.BOOL, description="unpacked, as text/csv")],
        responses={(200, "application/zstd"): OpenApiResponse(OpenApiTypes.BINARY, "CSV, packed with zstd")},
    )
    @action(detail=True, methods=["get"], pagination_class=None)
    def result(self, request: Request, pk: str) -> HttpResponseBase:
        """The rows of the file in their order, with verdict, basis, missing_ppm, society, work_ref and reason."""
        return answered_file(self.get_object(), plain=request.query_params.get("plain", "") in ("1", "true"))
