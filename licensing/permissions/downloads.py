"""Answers and receipts as downloads, for pages and API alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from licensing.permissions.models import BulkCheck
from licensing.permissions.services import bulk


def answered_file(check: BulkCheck, *, plain: bool) -> HttpResponseBase:
    """The result of a check: as it is kept, whose digest the receipt names, or unpacked."""
    path, name = bulk.result_of(check), f"check-{check.pk}.csv"
    if plain:
        answer = StreamingHttpResponse(bulk.unpacked(path), content_type="text/csv; charset=utf-8")
    else:
        name += ".zst"
        answer = StreamingHttpResponse(_pieces(path), content_type="application/zstd")
        answer["Content-Length"] = str(path.stat().st_size)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _pieces(path: Path, size: int = 1 << 20) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while piece := stream.read(size):
            yield piece


def receipt_file(receipt: str, name: str) -> HttpResponse:
    """A signed receipt as a file of its own."""
    answer = HttpResponse(receipt + "\n", content_type="application/jose")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
