"""Declarations over the API: begin, send files, hand in, amend; see lines, rejects and works."""

from __future__ import annotations

from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import mixins, serializers
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.api.views import ApiViewSet
from licensing import terms
from licensing.declarations import services
from licensing.declarations.api_checks import (
    ChangeSerializer,
    DifferenceSerializer,
    OverlapSerializer,
    QuestionSerializer,
)
from licensing.declarations.models import Change, Declaration, DeclarationFile, DeclaredUse, ReportDuty
from licensing.declarations.services.differing import difference_of
from licensing.declarations.services.lateness import with_lateness
from licensing.declarations.services.listing import reject_rows
from licensing.licences.services import find_licence

_BASE = serializers.IntegerField(min_value=0, max_value=10**15)


class DeclarationCreate(serializers.Serializer[Any]):
    """`period_end` is the first day after the period. `use`, `unit` and `dataset` hold where a line names none."""

    licence = serializers.CharField(max_length=64)
    period_start = serializers.DateField()
    period_end = serializers.DateField()
    use = serializers.ChoiceField(list(terms.USES), required=False)
    unit = serializers.ChoiceField(list(terms.UNITS), required=False)
    model = serializers.CharField(max_length=200, required=False, allow_blank=True)
    dataset = serializers.CharField(max_length=200, required=False, allow_blank=True)
    reference = serializers.CharField(max_length=100, required=False, allow_blank=True)
    territory = serializers.CharField(max_length=2, required=False)
    bases = serializers.DictField(
        child=_BASE,
        required=False,
        help_text="Declared figures by name: bases of percentages in minor units, counts as whole numbers.",
    )


class NoteSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()
    row = serializers.IntegerField(required=False)
    file = serializers.CharField(required=False, help_text="The name of the file that it is about.")


class CountsSerializer(serializers.Serializer[Any]):
    """Sums by line status; they add up to `total`."""

    total = serializers.IntegerField()
    licensed = serializers.IntegerField()
    reserved = serializers.IntegerField()
    unmandated = serializers.IntegerField()
    unlicensed = serializers.IntegerField()
    unmatched = serializers.IntegerField()
    rejected = serializers.IntegerField()


class FileSerializer(serializers.Serializer[Any]):
    """A file as received. Its `rejected` lines are listed under `rejects/`; `problems` say why it failed."""

    file = serializers.IntegerField(source="pk")
    name = serializers.CharField(source="file.name")
    path = serializers.CharField(help_text="its place in the folder that was sent as one")
    sha256 = serializers.CharField(source="file.sha256")
    bytes = serializers.IntegerField(source="file.size")
    status = serializers.ChoiceField(DeclarationFile.Status.choices)
    bytes_read = serializers.IntegerField()
    lines = serializers.IntegerField()
    rejected = serializers.IntegerField()
    problems = NoteSerializer(many=True)


class ProgressSerializer(serializers.Serializer[Any]):
    """How far the reading of all files is. Rates and the time left are null while nothing can be said for sure."""

    percent = serializers.IntegerField()
    bytes = serializers.IntegerField()
    bytes_read = serializers.IntegerField()
    lines_read = serializers.IntegerField()
    files = serializers.IntegerField()
    files_read = serializers.IntegerField()
    files_failed = serializers.IntegerField()
    bytes_a_second = serializers.IntegerField(allow_null=True)
    lines_a_second = serializers.IntegerField(allow_null=True)
    seconds_left = serializers.IntegerField(allow_null=True)


class DeclarationSerializer(serializers.ModelSerializer[Declaration]):
    """`fee` is what this declaration costs by itself, with its explanation; null until it is processed."""

    declaration = serializers.IntegerField(source="pk")
    licence = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    period_start = serializers.DateField(source="period.lower")
    period_end = serializers.DateField(source="period.upper")
    supersedes = serializers.PrimaryKeyRelatedField[Any](read_only=True, allow_null=True)
    superseded_by = serializers.SerializerMethodField()
    lines = serializers.SerializerMethodField()
    units = serializers.SerializerMethodField()
    fee = serializers.JSONField(allow_null=True)
    problems = NoteSerializer(many=True)
    questions = NoteSerializer(many=True)
    late_since = serializers.SerializerMethodField(help_text="the day on which its report was due, where it came later")

    class Meta:
        model = Declaration
        fields = [
            "id", "declaration", "licence", "period_start", "period_end", "use", "unit", "model", "dataset", "reference",
            "territory", "bases", "sandbox", "supersedes", "superseded_by", "status", "step", "lines_read", "sha256",
            "lines", "units", "works", "fee", "problems", "questions", "late_since", "created_at", "submitted_at", "accepted_at",
        ]  # fmt: skip

    @extend_schema_field(serializers.DateField(allow_null=True))
    def get_late_since(self, declaration: Declaration) -> Any:
        if not hasattr(declaration, "late_since"):
            declaration = with_lateness(Declaration.objects.filter(pk=declaration.pk)).get()
        return declaration.late_since  # type: ignore[attr-defined]

    def get_superseded_by(self, declaration: Declaration) -> int | None:
        successor = getattr(declaration, "superseded_by", None)
        return successor.pk if successor else None

    @extend_schema(responses=CountsSerializer)
    def get_lines(self, declaration: Declaration) -> dict[str, int]:
        return _counts(declaration.lines)

    def get_units(self, declaration: Declaration) -> dict[str, int]:
        return _counts(declaration.units)


def _counts(found: dict[str, int]) -> dict[str, int]:
    return dict.fromkeys(("total", *terms.LINE_STATUSES), 0) | found


class DeclarationDetailSerializer(DeclarationSerializer):
    """`progress` is null before a file was received, `difference` where it amends nothing or is not processed.

    `asked` are the questions of the checks and of the society with their answers; open ones that hold back acceptance
    stand in `questions`, too.
    """

    files = FileSerializer(many=True)
    progress = serializers.SerializerMethodField()
    asked = serializers.SerializerMethodField()
    overlaps = serializers.SerializerMethodField()
    difference = serializers.SerializerMethodField()

    class Meta(DeclarationSerializer.Meta):
        fields = [*DeclarationSerializer.Meta.fields, "files", "progress", "asked", "overlaps", "difference"]

    @extend_schema_field(QuestionSerializer(many=True))
    def get_asked(self, declaration: Declaration) -> Any:
        return QuestionSerializer(declaration.asked.order_by("pk") if declaration.lines else [], many=True).data

    @extend_schema_field(OverlapSerializer(many=True))
    def get_overlaps(self, declaration: Declaration) -> Any:
        return OverlapSerializer(declaration.overlaps.order_by("other_id"), many=True).data

    @extend_schema_field(DifferenceSerializer(allow_null=True))
    def get_difference(self, declaration: Declaration) -> Any:
        found = difference_of(declaration)
        return DifferenceSerializer(found).data if found else None

    @extend_schema_field(ProgressSerializer(allow_null=True))
    def get_progress(self, declaration: Declaration) -> dict[str, Any] | None:
        found = services.progress_of(declaration)
        return ProgressSerializer(found).data if found.files else None


class FileReceivedSerializer(serializers.Serializer[Any]):
    """`file` is the file's number, `status` the declaration's."""

    file = serializers.IntegerField()
    sha256 = serializers.CharField()
    bytes = serializers.IntegerField()
    status = serializers.CharField()


class UseSerializer(serializers.ModelSerializer[DeclaredUse]):
    """One work, or one identifier that matched none, with what was declared of it. `work` is the society's reference."""

    work = serializers.CharField(source="work.ref", allow_null=True, default=None)
    title = serializers.CharField(source="work.title", allow_null=True, default=None)
    units = serializers.SerializerMethodField()

    class Meta:
        model = DeclaredUse
        fields = [
            "work", "title", "scheme", "value", "kind", "use", "unit", "used_on", "status", "basis", "missing_ppm",
            "units", "lines",
        ]  # fmt: skip

    def get_units(self, use: DeclaredUse) -> int:
        return int(use.units)


_ONLY_STATUS = OpenApiParameter("status", OpenApiTypes.STR, enum=Declaration.Status.values, description="only these")
_ONLY_CHANGE = OpenApiParameter("change", OpenApiTypes.STR, enum=Change.Kind.values, description="only these")
_ONLY_ENDING = OpenApiParameter("status", OpenApiTypes.STR, enum=list(terms.LINE_STATUSES), description="only these")
_FILE = {"file": {"type": "string", "format": "binary"}}
_UPLOAD = {"multipart/form-data": {"type": "object", "required": ["file"], "properties": _FILE}}


@extend_schema(tags=["declarations"])
class DeclarationViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ApiViewSet):
    """What a licensee says it used. A test token sees and makes sandbox declarations only, which are never billed."""

    queryset = Declaration.objects.select_related("licence", "superseded_by")
    serializer_class = DeclarationSerializer
    lookup_value_regex = "[0-9]{1,18}"
    ordering = ("-id",)
    required_permission = {"GET": "declarations.view", "POST": "declarations.declare"}

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return DeclarationSerializer if self.action == "list" else DeclarationDetailSerializer

    def get_queryset(self) -> Any:
        found, asked = with_lateness(super().get_queryset()), self.request.query_params
        if self.action == "list":
            found = found.filter(status=asked["status"]) if asked.get("status") else found
            return found.filter(licence__ref=asked["licence"]) if asked.get("licence") else found
        return found.prefetch_related("files__file")

    @extend_schema(
        parameters=[_ONLY_STATUS, OpenApiParameter("licence", OpenApiTypes.STR, description="only under this licence")]
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(request=DeclarationCreate, responses={201: DeclarationDetailSerializer})
    def create(self, request: Request) -> Response:
        """Begin a draft."""
        data = self.checked(DeclarationCreate)
        licence = find_licence(actor=self.actor, ref=data.pop("licence"), pointer="/licence")
        period = (data.pop("period_start"), data.pop("period_end"))
        made = services.start(actor=self.actor, licence=licence, period=period, **data)
        return Response(self.shown(made), status=201)

    @extend_schema(request=_UPLOAD, responses={202: FileReceivedSerializer})
    @action(detail=True, methods=["post"], parser_classes=[MultiPartParser])
    def files(self, request: Request, pk: str) -> Response:
        """Send a file: CSV, TSV, JSON Lines or Parquet, plain, `.gz` or `.zst`. It is processed at once."""
        declaration = self.get_object()
        sent = request.FILES.get("file")
        if sent is None:
            raise serializers.ValidationError({"file": [_("Send the file in the form field “file”.")]}, code="required")
        kept = services.attach(actor=self.actor, declaration=declaration, stream=sent, name=sent.name or "file")
        status = Declaration.objects.values_list("status", flat=True).get(pk=declaration.pk)
        shown = {"file": kept.pk, "sha256": kept.file.sha256, "bytes": kept.file.size, "status": status}
        return Response(shown, status=202)

    @extend_schema(request=None, responses={202: DeclarationDetailSerializer})
    @action(detail=True, methods=["post"])
    def submit(self, request: Request, pk: str) -> Response:
        """Hand it in, now or as soon as it is processed. Afterwards it is immutable."""
        return self._now(services.submit(actor=self.actor, declaration=self.get_object()), 202)

    @extend_schema(request=None, responses=DeclarationDetailSerializer)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        """Stop processing: nothing is stored, the files stay, and it is a draft again."""
        return self._now(services.cancel(actor=self.actor, declaration=self.get_object()), 200)

    @extend_schema(request=None, responses={202: DeclarationDetailSerializer})
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: str) -> Response:
        """Begin again what was stopped or has failed, with the files that are there; what was read is not read again."""
        return self._now(services.resume(actor=self.actor, declaration=self.get_object()), 202)

    @extend_schema(request=None, responses={201: DeclarationDetailSerializer})
    @action(detail=True, methods=["post"])
    def amend(self, request: Request, pk: str) -> Response:
        """A new draft with the same terms, which supersedes this one once it is accepted."""
        return self._now(services.amend(actor=self.actor, declaration=self.get_object()), 201)

    @extend_schema(responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, "row, column, value, reason")})
    @action(detail=True, methods=["get"], pagination_class=None)
    def rejects(self, request: Request, pk: str) -> StreamingHttpResponse:
        """The rejected lines as CSV, with their row numbers: the first 100,000 of each file."""
        declaration = self.get_object()
        answer = StreamingHttpResponse(reject_rows(declaration), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="rejects-{declaration.pk}.csv"'
        return answer

    @extend_schema(parameters=[_ONLY_ENDING], responses=UseSerializer(many=True))
    @action(detail=True, methods=["get"])
    def works(self, request: Request, pk: str) -> Response:
        """Works and unmatched identifiers of the declaration, with status and units."""
        found = DeclaredUse.objects.filter(declaration=self.get_object()).select_related("work")
        if status := request.query_params.get("status"):
            found = found.filter(status=status)
        return self.get_paginated_response(UseSerializer(self.paginate_queryset(found), many=True).data)

    @extend_schema(parameters=[_ONLY_CHANGE, _ONLY_ENDING], responses=ChangeSerializer(many=True))
    @action(detail=True, methods=["get"])
    def difference(self, request: Request, pk: str) -> Response:
        """Every row that an amendment adds, removes or changes, the largest change first; none where it amends nothing."""
        declaration = self.get_object()
        difference_of(declaration)
        found = Change.objects.filter(declaration=declaration).select_related("work")
        for name in ("change", "status"):
            if asked := request.query_params.get(name):
                found = found.filter(**{name: asked})
        return self.get_paginated_response(ChangeSerializer(self.paginate_queryset(found), many=True).data)

    def _now(self, declaration: Declaration, status: int) -> Response:
        return Response(self.shown(Declaration.objects.select_related("licence").get(pk=declaration.pk)), status=status)


class DutySerializer(serializers.ModelSerializer[ReportDuty]):
    """A period to report on. `period_end` is the first day after it; a report is in time until the end of `due_on`."""

    duty = serializers.IntegerField(source="pk")
    licence = serializers.SlugRelatedField[Any](slug_field="ref", read_only=True)
    licensee = serializers.CharField(source="licence.licensee.ref")
    period_start = serializers.DateField(source="period.lower")
    period_end = serializers.DateField(source="period.upper")
    overdue = serializers.SerializerMethodField()

    class Meta:
        model = ReportDuty
        fields = [
            "duty", "licence", "licensee", "period_start", "period_end", "due_on", "status", "overdue", "settled_at", "reason",
        ]  # fmt: skip

    def get_overdue(self, duty: ReportDuty) -> bool:
        return duty.status == ReportDuty.Status.OPEN and duty.due_on < timezone.localdate()


@extend_schema(tags=["declarations"])
class DutyViewSet(mixins.ListModelMixin, ApiViewSet):
    """What is to be reported by when, under one's own licences; a declaration over the whole period meets it."""

    queryset = ReportDuty.objects.select_related("licence__licensee")
    serializer_class = DutySerializer
    ordering = ("due_on", "id")
    required_permission = "declarations.view"

    def get_queryset(self) -> Any:
        found, asked = super().get_queryset(), self.request.query_params
        if asked.get("status") == "overdue":
            found = found.overdue(timezone.localdate())
        elif asked.get("status"):
            found = found.filter(status=asked["status"])
        return found.filter(licence__ref=asked["licence"]) if asked.get("licence") else found

    @extend_schema(
        parameters=[
            OpenApiParameter(
                "status", OpenApiTypes.STR, enum=[*ReportDuty.Status.values, "overdue"], description="only these"
            ),
            OpenApiParameter("licence", OpenApiTypes.STR, description="only under this licence"),
        ]
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)
