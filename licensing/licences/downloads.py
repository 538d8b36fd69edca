"""Kept files as downloads, for pages and API alike: never shown in place, whatever is in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header

from licensing.intake.models import StoredFile
from licensing.intake.services import path_of


def kept_file(stored: StoredFile, name: str, media_type: str) -> StreamingHttpResponse:
    """Byte for byte as it was received or made."""
    answer = StreamingHttpResponse(_pieces(path_of(stored)), content_type=media_type)
    answer["Content-Length"] = str(stored.size)
    answer["Content-Disposition"] = content_disposition_header(True, name)
    answer["X-Content-Type-Options"] = "nosniff"
    answer["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return answer


def _pieces(path: Path, size: int = 1 << 20) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while piece := stream.read(size):
            yield piece
