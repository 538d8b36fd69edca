"""Large files over the API: the tus protocol 1.0.0, and the manifest of a declaration.

A part is received outside the transaction in which the API otherwise answers: its bytes come as slowly as the line is,
and the service counts them in a short transaction of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.http import http_date
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.access.api.views import ANYONE, ApiViewSet
from accounts.identity.core import NotFound
from licensing.declarations import services
from licensing.declarations.models import AnnouncedFile, Declaration
from licensing.intake import tus, uploads
from licensing.intake.models import Upload

_METHODS = ["get", "post", "patch", "delete", "head", "options"]


def _header(name: str, said: str, *, kind: Any = OpenApiTypes.STR, required: bool = False) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.HEADER, required=required, description=said)


_VERSION = OpenApiParameter(
    "Tus-Resumable", OpenApiTypes.STR, OpenApiParameter.HEADER, required=True, enum=[tus.VERSION]
)
_OFFSET = OpenApiParameter("Upload-Offset", OpenApiTypes.INT64, OpenApiParameter.HEADER, response=True)


class Unread(BaseParser):
    """Everything that the protocol says stands in headers; a body holds bytes of a file, which are no data of a request."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> dict[str, Any]:
        return {}


class TusViewSet(ApiViewSet):
    """What the addresses of the protocol share: its version on every answer, and what this server can do."""

    http_method_names = _METHODS
    parser_classes = [Unread]
    rate, rate_scope = 6000, "tus:"  # parts are many, and shall not use up what a caller may ask otherwise

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        other = request.headers.get("X-HTTP-Method-Override", "").upper()
        if request.method == "POST" and other in (
            "PATCH",
            "DELETE",
            "HEAD",
        ):  # from behind a proxy that knows few methods
            request.method = other
        answer = super().dispatch(request, *args, **kwargs)
        answer["Tus-Resumable"] = tus.VERSION
        answer["Cache-Control"] = "no-store"
        if answer.status_code == 412:
            answer["Tus-Version"] = tus.VERSION
        return answer

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """What this server can do, for whoever asks."""
        says = {
            "Tus-Version": tus.VERSION,
            "Tus-Extension": tus.EXTENSIONS,
            "Tus-Max-Size": str(settings.UPLOAD_MAX_BYTES),
            "Tus-Checksum-Algorithm": ",".join(tus.ALGORITHMS),
        }
        return Response(status=204, headers=says)

    def check_version(self) -> None:
        tus.check_version(self.request.headers.get("Tus-Resumable"))

    def find_declaration(self, declaration_id: str) -> Declaration:
        found = Declaration.objects.visible_to(self.actor).select_related("licence__licensee", "licence__society")
        declaration = found.filter(pk=declaration_id).first()
        if declaration is None:
            raise NotFound(_("There is no such declaration."))
        return declaration


def _state(upload: Upload) -> dict[str, str]:
    """The headers that tell how far it is."""
    state = {"Upload-Offset": str(upload.received), "Upload-Length": str(upload.size)}
    if upload.status == Upload.Status.OPEN and upload.received < upload.size:
        state["Upload-Expires"] = http_date(uploads.expires_at(upload).timestamp())
    return state


class UploadSerializer(serializers.ModelSerializer[Upload]):
    """A file that arrives. `received` bytes are here for good; `file` is its number once all of them are."""

    upload = serializers.CharField(source="key")
    bytes = serializers.IntegerField(source="size")
    file = serializers.IntegerField(source="file_id", allow_null=True)
    declaration = serializers.IntegerField(source="about_id")
    expires_at = serializers.SerializerMethodField()
    problem = serializers.SerializerMethodField()

    class Meta:
        model = Upload
        fields = [
            "upload", "declaration", "name", "path", "bytes", "received", "sha256", "status", "file", "problem", "begun_at",
            "expires_at",
        ]  # fmt: skip

    @extend_schema(responses=OpenApiTypes.DATETIME)
    def get_expires_at(self, upload: Upload) -> str:
        return uploads.expires_at(upload).isoformat()

    @extend_schema(responses={"type": "string", "nullable": True})
    def get_problem(self, upload: Upload) -> str | None:
        return upload.problem.get("detail") if upload.problem else None


@extend_schema(tags=["uploads"])
class UploadViewSet(TusViewSet):
    """A file on its way, by the address that its announcement gave."""

    queryset = Upload.objects.all()
    serializer_class = UploadSerializer
    lookup_field = "key"
    lookup_value_regex = "[A-Za-z0-9_-]{1,64}"
    required_permission = {
        "metadata": ANYONE,
        "GET": "declarations.declare",
        "PATCH": "declarations.declare",
        "DELETE": "declarations.declare",
    }

    def _answer(self, request: Request, handler: Callable[..., Any]) -> Any:
        if request.method == "PATCH":
            return handler(request, *self.args, **self.kwargs)
        return super()._answer(request, handler)

    @extend_schema(parameters=[_OFFSET], responses=UploadSerializer)
    def retrieve(self, request: Request, key: str) -> Response:
        """How far it is. HEAD gives the same in headers alone, as the protocol wants it: `Upload-Offset` is where to go on."""
        upload = self.get_object()
        if request.method == "HEAD":
            self.check_version()
            if upload.status in (Upload.Status.FAILED, Upload.Status.CANCELLED):
                raise tus.Refused(410, "gone", _("This upload is over. Begin a new one."))
        return Response(self.shown(upload), headers=_state(upload))

    @extend_schema(
        parameters=[
            _VERSION,
            _header("Upload-Offset", "where the part begins", kind=OpenApiTypes.INT64, required=True),
            _header("Upload-Checksum", "`sha256 …` or `sha1 …`, of the part, in Base64"),
            _OFFSET,
        ],
        request={tus.MEDIA_TYPE: OpenApiTypes.BINARY},
        responses={
            204: OpenApiResponse(description="The part is here for good. After the last one the file is attached.")
        },
    )
    def partial_update(self, request: Request, key: str) -> Response:
        """Send a part. 409: it does not begin where the last one ended; 460: its checksum, or that of the whole, is wrong.

        Where the line is cut, ask with HEAD how much is here, and go on from there.
        """
        upload = self.get_object()
        self.check_version()
        if request.content_type != tus.MEDIA_TYPE:
            detail = _("Send the part with the Content-Type %(type)s.") % {"type": tus.MEDIA_TYPE}
            raise tus.Refused(415, "unsupported_media_type", detail)
        upload = services.receive_part(
            actor=self.actor,
            upload=upload,
            stream=request._request,  # type: ignore[arg-type]
            offset=tus.whole_number("Upload-Offset", request.headers.get("Upload-Offset")),
            length=_length(request),
            checksum=tus.checksum(request.headers.get("Upload-Checksum")),
        )
        return Response(status=204, headers=_state(upload))

    @extend_schema(parameters=[_VERSION], responses={204: None})
    def destroy(self, request: Request, key: str) -> Response:
        """Let go of what has arrived."""
        upload = self.get_object()
        self.check_version()
        services.cancel_upload(actor=self.actor, upload=upload)
        return Response(status=204)


def _length(request: Request) -> int:
    said = request.headers.get("Content-Length")
    if not said:
        raise tus.Refused(411, "length_required", _("Say in Content-Length how many bytes the part has."))
    return tus.whole_number("Content-Length", said)


@extend_schema(tags=["uploads"])
class DeclarationUploadViewSet(TusViewSet):
    """Files that arrive in parts for a declaration."""

    queryset = Upload.objects.all()
    serializer_class = UploadSerializer
    ordering = ("-id",)
    required_permission = {"metadata": ANYONE, "GET": "declarations.view", "POST": "declarations.declare"}

    def get_queryset(self) -> Any:
        if getattr(self, "swagger_fake_view", False):
            return Upload.objects.none()
        declaration = self.find_declaration(self.kwargs["declaration_id"])
        return super().get_queryset().about("declaration", declaration.pk)

    @extend_schema(responses=UploadSerializer(many=True))
    def list(self, request: Request, declaration_id: str) -> Response:
        """The files that are on their way, and those that came that way."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.shown(page, many=True))

    @extend_schema(
        parameters=[
            _VERSION,
            _header("Upload-Length", "how many bytes the file has", kind=OpenApiTypes.INT64, required=True),
            _header(
                "Upload-Metadata",
                "pairs of a name and its value in Base64, with commas between: `filename`; `path` (in its folder); "
                "`sha256` (hexadecimal, of the whole file)",
            ),
            OpenApiParameter("Location", OpenApiTypes.STR, OpenApiParameter.HEADER, response=[201]),
        ],
        request=None,
        responses={201: OpenApiResponse(description="Send the parts to the address in `Location`.")},
    )
    def create(self, request: Request, declaration_id: str) -> Response:
        """Announce a file that will be sent in parts. 413: more than a file, or the licence, may have."""
        declaration = self.find_declaration(declaration_id)
        self.check_version()
        said = tus.metadata(request.headers.get("Upload-Metadata"))
        upload = services.begin_upload(
            actor=self.actor,
            declaration=declaration,
            name=said.get("filename") or said.get("name") or "",
            path=said.get("path") or said.get("relativePath") or "",
            size=tus.whole_number("Upload-Length", request.headers.get("Upload-Length")),
            sha256=said.get("sha256") or "",
        )
        where = {"Location": reverse("upload-detail", args=[upload.key])} | _state(upload)
        return Response(status=201, headers=where)


class AnnouncedSerializer(serializers.Serializer[Any]):
    """A file that will come. Leave `sha256` out only where you cannot know it beforehand."""

    path = serializers.CharField(max_length=500, trim_whitespace=False)
    bytes = serializers.IntegerField(source="size", min_value=1, max_value=10**15)
    sha256 = serializers.CharField(max_length=64, required=False, allow_blank=True)


class ManifestCreate(serializers.Serializer[Any]):
    files = AnnouncedSerializer(many=True)


class ManifestSerializer(serializers.Serializer[Any]):
    """The files that a declaration waits for. It is processed once `missing` is empty."""

    files = serializers.IntegerField()
    bytes = serializers.IntegerField()
    missing = AnnouncedSerializer(many=True)


@extend_schema(tags=["uploads"])
class ManifestViewSet(ApiViewSet):
    """The files of a declaration, announced before they are sent."""

    queryset = AnnouncedFile.objects.none()
    serializer_class = ManifestSerializer
    pagination_class = None
    required_permission = {"GET": "declarations.view", "POST": "declarations.declare"}

    @extend_schema(responses=ManifestSerializer)
    def list(self, request: Request, declaration_id: str) -> Response:
        """What was announced, and what of it is missing."""
        return Response(_manifest(self._find(declaration_id)))

    @extend_schema(request=ManifestCreate, responses={200: ManifestSerializer})
    def create(self, request: Request, declaration_id: str) -> Response:
        """Announce files: the declaration then takes these alone, and is neither processed nor handed in until all are here.

        Announcing anew takes the place of what is missing. An empty list ends the waiting.
        """
        declaration = self._find(declaration_id)
        files = [services.Announced(**file) for file in self.checked(ManifestCreate)["files"]]
        services.announce(actor=self.actor, declaration=declaration, files=files)
        return Response(_manifest(declaration))

    def _find(self, declaration_id: str) -> Declaration:
        found = Declaration.objects.visible_to(self.actor).select_related("licence__licensee", "licence__society")
        declaration = found.filter(pk=declaration_id).first()
        if declaration is None:
            raise NotFound(_("There is no such declaration."))
        return declaration


def _manifest(declaration: Declaration) -> dict[str, Any]:
    announced = list(declaration.announced.order_by("position"))
    missing = declaration.announced.missing().order_by("position")
    return {
        "files": len(announced),
        "bytes": sum(file.size for file in announced),
        "missing": AnnouncedSerializer(missing, many=True).data,
    }
