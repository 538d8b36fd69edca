"""`Idempotency-Key`: a repeated POST gets the answer of the first and changes nothing.

The answer is remembered in the transaction of the change itself, so a crash leaves neither. While the first request
runs, an advisory lock of its transaction makes a second one with the same key fail with 409 instead of running beside
it; the database frees the lock whenever that transaction ends, however it ends. Refused requests changed nothing and
are not remembered: their key may be used again, with a corrected body.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework.response import Response

from accounts.access import services
from accounts.access.models import RememberedAnswer
from accounts.identity.core import Conflict, Refusal
from accounts.identity.sealing import seal, unseal

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
_SEALED = b"sealed:"
KEPT_HEADERS = ("Content-Type", "Location", "Content-Disposition")


def in_one_transaction(view: Any, request: Any, work: Callable[[], Response]) -> HttpResponseBase:
    """Run an unsafe method all or nothing; a POST with a key at most once."""
    plain = request._request
    if plain.content_type != "multipart/form-data":
        plain.body  # noqa: B018 (reading it here bounds it, with 413, and lets it be read twice)
    key = _key_of(request)
    with transaction.atomic():
        if key is None:
            return _undo_if_refused(work())
        caller, digest = services.caller_of(request.actor), request_sha256(request)
        if known := services.recall(caller=caller, key=key):
            return _replay(known, digest)
        response = _undo_if_refused(work())
        if response.status_code < 400:
            view.finalize_response(request, response, *view.args, **view.kwargs).render()
            services.remember(caller=caller, key=key, request_sha256=digest, status=response.status_code,
                              headers=_kept(response), body=_sealed(view, response.content))  # fmt: skip
        return response


def _key_of(request: Any) -> str | None:
    """The caller's key; people without a name have none, since nobody could say whose it is."""
    key = request.headers.get(HEADER)
    if request.method != "POST" or key is None or request.actor.kind == "anonymous":
        return None
    if not 1 <= len(key) <= 255 or not key.isascii() or not key.isprintable():
        raise Refusal("invalid_idempotency_key", _("An Idempotency-Key has 1 to 255 printable ASCII characters."))
    return str(key)


def request_sha256(request: Any) -> str:
    """The digest of method, address and body. Files are read in pieces from where the server put them, never whole."""
    digest = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if request._request.content_type != "multipart/form-data":
        digest.update(request._request.body)
        return digest.hexdigest()
    for name, values in sorted(request.data.lists()):
        for value in values:
            digest.update(f"\n{name}=".encode())
            if isinstance(value, UploadedFile):
                digest.update(f"{value.name}:{_file_sha256(value)}".encode())
            else:
                digest.update(hashlib.sha256(str(value).encode()).digest())
    return digest.hexdigest()


def _file_sha256(file: UploadedFile) -> str:
    digest = hashlib.sha256()
    for piece in file.chunks(1 << 20):
        digest.update(piece)
    file.seek(0)
    return digest.hexdigest()


def _undo_if_refused(response: Response) -> Response:
    if response.status_code >= 400:
        transaction.set_rollback(True)
    return response


def _sealed(view: Any, body: bytes) -> bytes:
    """A view whose answers hold secrets (`answers_are_secret`) has them remembered sealed."""
    return _SEALED + seal(body.decode()).encode() if getattr(view, "answers_are_secret", False) else body


def _opened(body: bytes) -> bytes:
    return unseal(body.removeprefix(_SEALED).decode()).encode() if body.startswith(_SEALED) else body


def _kept(response: HttpResponseBase) -> dict[str, str]:
    return {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}


def _replay(known: RememberedAnswer, digest: str) -> HttpResponse:
    if known.request_sha256 != digest:
        raise Conflict(
            "idempotency_key_reused",
            _("This Idempotency-Key was used for another request. Take a new key for a new request."),
        )
    return HttpResponse(_opened(bytes(known.body)), status=known.status, headers={**known.headers, REPLAYED: "true"})
