"""What the pages of declarations share: the declaration that a reader may see, and which of the two sides the reader is."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, NotFound
from licensing.declarations.core import SUBMITTED
from licensing.declarations.models import Declaration, Overlap


def find(actor: Actor, declaration_id: int) -> Declaration:
    return find_in(Declaration.objects.all(), actor, declaration_id)


def find_in(declarations: Any, actor: Actor, declaration_id: int) -> Declaration:
    visible: QuerySet[Declaration] = declarations.visible_to(actor)
    related = visible.select_related("licence__licensee", "licence__society", "supersedes")
    found = related.filter(pk=declaration_id).first()
    if found is None:
        raise NotFound(_("There is no such declaration."))
    return found


def may_declare(actor: Actor) -> bool:
    return actor.is_licensee and actor.can("declarations.declare")


def is_declarant(actor: Actor, found: Declaration) -> bool:
    return may_declare(actor) and found.licence.licensee_id == actor.organisation_id


def is_reviewer(actor: Actor, found: Declaration) -> bool:
    return actor.can("declarations.review") and found.licence.society_id == actor.organisation_id


def tabs(actor: Actor, found: Declaration, *, has_overlaps: bool | None = None) -> dict[str, bool]:
    """What the tabs over a declaration's pages need to know."""
    known = has_overlaps is not None
    return {
        "has_overlaps": bool(has_overlaps) if known else Overlap.objects.filter(declaration=found).exists(),
        "can_audit": is_reviewer(actor, found) and found.status in SUBMITTED,
    }


def csv_file(name: str, rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> StreamingHttpResponse:
    """Rows as a CSV file, sent while they are read; no cell that a spreadsheet would run."""
    answer = StreamingHttpResponse(_written(rows, columns), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _written(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> Iterator[bytes]:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_safe(row[column]) for column in columns])
        if buffer.tell() > 1 << 16:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _safe(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
