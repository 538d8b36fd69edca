"""Problems for what fails before or outside an API view: no such address, a refused host, a crash in a middleware."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from accounts.access.api.problems import MEDIA_TYPE, Problem, crash, problem_answer

PREFIX = "/api/"
log = structlog.get_logger(__name__)


class ApiProblemMiddleware:
    """Makes every error under `/api/` a problem, whoever raised it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(PREFIX):
            return self.get_response(request)
        response = self.get_response(request)
        if problem := _problem(request, response):
            return problem_answer(request, problem)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not request.path.startswith(PREFIX):
            return None
        log.error("api.crashed", path=request.path, exc_info=exception)
        return problem_answer(request, crash())


def _problem(request: HttpRequest, response: HttpResponse) -> Problem | None:
    """The problem that a foreign answer under `/api/` stands for, if it is an error of the framework's own."""
    if response.status_code == 301 and request.method not in ("GET", "HEAD"):
        return Problem(404, "not_found", _("API addresses end in a slash: %(path)s/") % {"path": request.path})
    if response.status_code < 400 or response.headers.get("Content-Type", "").startswith(
        (MEDIA_TYPE, "application/json")
    ):
        return None
    if response.status_code == 404:
        return Problem(404, "not_found", _("There is nothing at this address. The API is described at /api/v1/docs/."))
    if response.status_code == 413:
        return Problem(413, "too_large", _("The request's body is too large."))
    if response.status_code >= 500:
        return crash()
    return Problem(response.status_code, "bad_request", _("The request cannot be read."))
