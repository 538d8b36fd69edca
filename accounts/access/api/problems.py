"""Every error of the API as an RFC 9457 problem: what is wrong, where, and what to do.

    {"type": "urn:jeongsan:problem:not_found", "title": "Not Found", "status": 404, "code": "not_found",
     "detail": "…", "instance": "/api/v1/declarations/7/", "request_id": "…",
     "errors": [{"pointer": "/period_end", "code": "required", "detail": "This field is required."}]}

`errors` holds one entry a fault, each with a JSON pointer into the request's body or the row of a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as ModelError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from rest_framework import exceptions
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.settings import api_settings

from accounts.identity.core import Refusal

MEDIA_TYPE = "application/problem+json"
log = structlog.get_logger(__name__)


class ProblemRenderer(JSONRenderer):
    """JSON under the problem's own media type."""

    media_type = MEDIA_TYPE
    format = "problem"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is said to the caller, and the headers that go with it."""

    status: int
    code: str
    detail: str
    errors: Sequence[Mapping[str, Any]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def as_data(self, *, path: str, request_id: str) -> dict[str, Any]:
        own = {"code": self.code, "detail": self.detail}
        return {
            "type": f"urn:jeongsan:problem:{self.code}",
            "title": _phrase(self.status),
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "instance": path,
            "request_id": request_id,
            "errors": [{**error, "detail": str(error["detail"])} for error in self.errors] or [own],
        }


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # 460 of the protocol for uploads, which no standard names
        return "Refused"


def exception_handler(exc: Exception, context: Mapping[str, Any]) -> Response:
    """DRF's hook: any exception of a view as a problem, in the problem's media type whatever the caller accepts."""
    request = context["request"]
    problem = problem_of(exc)
    request_id = getattr(request, "request_id", "")
    if problem.status >= 500:
        log.error("api.crashed", path=request.path, request_id=request_id, exc_info=exc)
    renderer = ProblemRenderer()
    request.accepted_renderer, request.accepted_media_type = renderer, renderer.media_type
    data = problem.as_data(path=request.path, request_id=request_id)
    return Response(data, status=problem.status, headers=dict(problem.headers))


def problem_answer(request: HttpRequest, problem: Problem) -> HttpResponse:
    """The same for what fails outside a DRF view: an address that leads nowhere, a refused host."""
    data = problem.as_data(path=request.path, request_id=getattr(request, "request_id", ""))
    content = ProblemRenderer().render(data)
    return HttpResponse(content, status=problem.status, content_type=MEDIA_TYPE, headers=dict(problem.headers))


def problem_of(exc: Exception) -> Problem:
    """What an exception means to the caller. What we did not foresee is our fault and says nothing of its inside."""
    if isinstance(exc, Refusal):
        return Problem(exc.status, exc.code, str(exc.detail), exc.errors)
    if isinstance(exc, exceptions.APIException):
        return _of_api_exception(exc)
    if isinstance(exc, Http404):
        return Problem(404, "not_found", _("There is nothing here that you may see."))
    if isinstance(exc, PermissionDenied):
        return Problem(403, "forbidden", str(exc) or _("You may not do this."))
    if isinstance(exc, ModelError):
        return _of_model_error(exc)
    if isinstance(exc, RequestDataTooBig):
        return Problem(413, "too_large", _("The request's body is too large. Send big data as a file."))
    if isinstance(exc, SuspiciousOperation):
        return Problem(400, "bad_request", _("The request cannot be read."))
    return crash()


def crash() -> Problem:
    return Problem(
        500, "internal", _("Something failed on our side. Nothing was changed. Name the request_id to support.")
    )


def _of_api_exception(exc: exceptions.APIException) -> Problem:
    headers = {}
    if challenge := getattr(exc, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    if wait := getattr(exc, "wait", None):
        headers["Retry-After"] = str(max(1, round(wait)))
    if isinstance(exc, exceptions.ValidationError):
        errors = list(flatten(exc.detail))
        return Problem(exc.status_code, "invalid", _summary(errors), errors, headers)
    detail = exc.detail
    code = str(getattr(detail, "code", exc.default_code))
    return Problem(exc.status_code, code, str(detail), (), headers)


def _of_model_error(exc: ModelError) -> Problem:
    fields = exc.message_dict if hasattr(exc, "error_dict") else {"": exc.messages}
    errors = [
        {**({"pointer": f"/{name}"} if name not in ("", "__all__") else {}), "code": "invalid", "detail": message}
        for name, messages in fields.items()
        for message in messages
    ]
    return Problem(400, "invalid", _summary(errors), errors)


def flatten(detail: Any, pointer: str = "") -> Iterator[dict[str, Any]]:
    """DRF's nested error detail as a flat list, each with an RFC 6901 pointer to the value that is wrong."""
    if isinstance(detail, Mapping):
        for key, value in detail.items():
            own = str(key) == api_settings.NON_FIELD_ERRORS_KEY
            yield from flatten(value, pointer if own else f"{pointer}/{str(key).replace('~', '~0').replace('/', '~1')}")
    elif isinstance(detail, list | tuple):
        for place, value in enumerate(detail):
            nested = isinstance(value, Mapping | list | tuple)
            yield from flatten(value, f"{pointer}/{place}" if nested else pointer)
    else:
        where = {"pointer": pointer} if pointer else {}
        yield {**where, "code": str(getattr(detail, "code", "invalid")), "detail": str(detail)}


def _summary(errors: Sequence[Mapping[str, Any]]) -> str:
    if len(errors) == 1:
        return str(errors[0]["detail"])
    return ngettext("%(count)s value is wrong.", "%(count)s values are wrong.", len(errors)) % {"count": len(errors)}
