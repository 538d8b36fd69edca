"""Answers and receipts as downloads, for pages and API alike."""

from __future__ import annotations

from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from licensing.permissions.models import BulkCheck
from licensing.permissions.services import bulk


def answered_file(check: BulkCheck, *, plain: bool) -> HttpResponseBase:
    """The result of a check: as it is kept, whose digest the receipt names, or unpacked."""
    path, name = bulk.result_of(check), f"check-{check.pk}.csv"
    if not plain:
        packed = path.open("rb")
        return FileResponse(packed, as_attachment=True, filename=f"{name}.zst", content_type="application/zstd")
    answer = StreamingHttpResponse(bulk.unpacked(path), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def receipt_file(receipt: str, name: str) -> HttpResponse:
    """A signed receipt as a file of its own."""
    answer = HttpResponse(receipt + "\n", content_type="application/jose")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
