"""What every request gets: an id that follows it through the logs, safe headers, plain words for what is refused."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

import structlog
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from accounts.identity.core import Forbidden, NotFound, Refusal

HEADER = "X-Request-Id"
_ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_FRAME = 1 << 20  # what a multipart body adds to its file, generously
_API = "/api/"
GetResponse = Callable[[HttpRequest], HttpResponse]


class RequestIdMiddleware:
    """Takes the caller's `X-Request-Id` where it is harmless, else makes one; gives it back and into every log line."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        offered = request.headers.get(HEADER, "")
        request_id = offered if _ACCEPTABLE.fullmatch(offered) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        response = self.get_response(request)
        response[HEADER] = request_id
        return response


class SecurityHeadersMiddleware:
    """A content security policy that runs nothing but our own files; a view may set a policy of its own."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", settings.CONTENT_SECURITY_POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
        return response


class UploadLimitMiddleware:
    """Refuses a body that is too large before a byte of it is spooled to disk: much for people whom we know, else little.

    Who opened an account by themselves and is nobody's member yet is not known. A bearer token is checked later, in the
    view, before its body is parsed; pages know no tokens.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.headers.get("Content-Length", "")
        if length.isdigit() and int(length) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            token = request.path.startswith(_API) and request.headers.get("Authorization", "")
            known = token or (request.user.is_authenticated and request.actor.permissions)  # type: ignore[attr-defined]
            if not known or int(length) > settings.UPLOAD_MAX_BYTES + _FRAME:
                return render(request, "accounts/refused.html", {"exception": _("This is too large.")}, status=413)
        return self.get_response(request)


class RefusalMiddleware:
    """Refusals that a page lets through: absent or a stranger's is 404, a role too small 403, and the rest is said.

    After a form was sent the person goes back to where they were and reads there what is wrong; a form that can show
    the error at its field catches the refusal itself.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *view: object) -> HttpResponse | None:
        """The database stores no NUL, so a page looks nothing up by one and keeps none. (The API refuses it by itself.)"""
        if request.path.startswith(_API) or not any(_has_nul(given) for given in (request.GET, request.POST)):
            return None
        said = _("The request cannot be read.")
        return render(request, "accounts/refused.html", {"exception": said}, status=400)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, Refusal):
            return None
        if isinstance(exception, NotFound):
            return render(request, "404.html", {"exception": str(exception)}, status=404)
        if isinstance(exception, Forbidden):
            return render(request, "403.html", {"exception": str(exception)}, status=403)
        back = request.headers.get("Referer", "")
        safe = url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure())
        if request.method == "POST" and safe and not request.headers.get("HX-Request"):
            messages.error(request, str(exception))
            return HttpResponseRedirect(back)
        return render(request, "accounts/refused.html", {"exception": str(exception)}, status=exception.status)


def _has_nul(given: QueryDict) -> bool:
    return any("\x00" in text for name, texts in given.lists() for text in (name, *texts))
