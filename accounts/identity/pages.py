"""What the house publishes about itself."""

from __future__ import annotations

import hashlib

import rfc8785
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import condition, require_safe

from accounts.identity import keys


def _etag(request: HttpRequest) -> str:
    return f'"{hashlib.sha256(rfc8785.dumps(keys.jwks())).hexdigest()[:32]}"'


@require_safe
@cache_control(public=True, max_age=3600)
@condition(etag_func=_etag)
def jwks(request: HttpRequest) -> HttpResponse:
    """The public keys, for anybody's program; a browser of another site may read them too."""
    answer = HttpResponse(rfc8785.dumps(keys.jwks()), content_type="application/jwk-set+json")
    answer["Access-Control-Allow-Origin"] = "*"
    return answer
