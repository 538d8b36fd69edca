"""Statements as CSV and JSON, and a whole run's statements as files in a folder."""

from __future__ import annotations

import dataclasses
import datetime
import io
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.identity.core import NotFound, Refusal
from licensing.intake.core import SafeWriter
from royalties.distribution.models import Run
from royalties.statements.core import Line, Statement, proportion
from royalties.statements.models import Statement as StatementRow
from royalties.statements.services import facts
from royalties.statements.services.render import render_pdf
from royalties.statements.wording import why

FORMATS = ("pdf", "csv", "json")
LANGUAGES = ("ko", "en")
_AT_ONCE = 200  # statements a batch of queries
_LINES_AT_ONCE = 50_000  # lines a batch may hold at most
COLUMNS = (
    "statement", "holder_ref", "work_ref", "title", "licensee", "invoice", "period_start", "period_end", "uses", "billed", "pool",
    "deductions", "reserve", "distributable", "equal_part", "units_in_pool", "weight", "total_weight", "work_amount", "used_from",
    "shares_amount", "role", "share_ppm", "amount", "currency", "status", "reason", "part_of_deductions",
    "released_from_run", "waited_as", "corrects_run",
)  # fmt: skip


def write_csv(statement: Statement, out: IO[str]) -> int:
    """One row a line with every number that explains it, then the parts of the same works that wait. Returns the rows written.

    The file is for people's spreadsheets: write it with the encoding `utf-8-sig`.
    """
    writer = SafeWriter(out)
    writer.row(COLUMNS)
    for line in (*statement.lines, *statement.others):
        writer.row(_row(statement, line))
    return len(statement.lines) + len(statement.others)


def _row(statement: Statement, line: Line) -> tuple[Any, ...]:
    head, pool = statement.head, line.pool
    deducted = sum(deduction.amount for deduction in pool.deductions)
    uses = "; ".join(f"{used.use}: {used.units} {used.unit} × {used.factor}" for used in line.uses)
    return (
        head.number, head.holder, line.work_ref, line.title, pool.licensee, pool.invoice, *pool.period, uses, pool.billed, pool.amount,
        deducted, pool.reserve, pool.distributable, pool.equal_part, pool.weighs.units, line.weight, pool.weighs.total_weight,
        line.work_amount, line.used_on, line.set_amount, line.role, line.ppm, line.amount, head.currency, line.status, line.reason,
        proportion(deducted, line.amount, pool.distributable), pool.run if pool.kind == "release" else "", line.waited_as,
        pool.run if pool.kind == "correction" else "",
    )  # fmt: skip


def as_data(statement: Statement, language: str) -> dict[str, Any]:
    """The statement as JSON values, with the steps that lead to each amount in words."""
    currency = statement.head.currency
    with override(language):
        return {
            **_plain(statement.head),
            "works_sums": [_plain(each) for each in statement.works()],
            "uses": [_plain(each) for each in statement.uses()],
            "pools": [
                {
                    **_plain(view.pool),
                    "your_amount": view.amount,
                    "your_part": [{"name": d.name, "amount": part} for d, part in view.parts],
                }
                for view in statement.pools()
            ],
            "lines": [_line(line, currency) for line in statement.lines],
            "waiting": [_line(line, currency) for line in statement.others],
        }


def _line(line: Line, currency: str) -> dict[str, Any]:
    own = {
        field.name: getattr(line, field.name)
        for field in dataclasses.fields(line)
        if field.name not in ("pool", "uses")
    }
    uses = [_plain(used) for used in line.uses]
    steps = [_plain(step) for step in why(line, currency)]
    return {**_json(own), "uses": uses, "invoice": line.pool.invoice, "licensee": line.pool.licensee, "why": steps}


def _plain(value: Any) -> dict[str, Any]:
    """A dataclass as JSON values: days as text, periods as two days; weights beyond 2^53 as text, so that no reader rounds them."""
    data: dict[str, Any] = _json(dataclasses.asdict(value))
    return data


def _json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_json(each) for each in value]
    if isinstance(value, datetime.date):
        return value.isoformat()
    return str(value) if isinstance(value, int) and abs(value) > 2**53 else value


def write_json(statement: Statement, language: str) -> bytes:
    return json.dumps(as_data(statement, language), ensure_ascii=False, indent=1).encode()


def content(statement: Statement, form: str, language: str) -> bytes:
    """A statement as one file's bytes."""
    if form == "pdf":
        return render_pdf(statement, language)
    if form == "json":
        return write_json(statement, language)
    out = io.StringIO(newline="")
    write_csv(statement, out)
    return out.getvalue().encode("utf-8-sig")


def export_statements(
    *,
    run: Run,
    folder: Path,
    form: str,
    holder: str | None = None,
    language: str = "ko",
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write a run's statements (or one holder's) into a folder, one file each, in flat memory; returns how many.

    Files are named after the statement's number and the holder. Each appears whole or not at all.
    """
    if run.published_at is None:
        raise Refusal("run_is_not_published", _("Statements exist once the run is published."))
    rows = StatementRow.objects.filter(run=run).select_related("holder").order_by("id")
    if holder is not None:
        rows = rows.filter(holder__ref=holder)
        if not rows.exists():
            raise NotFound(_("Holder “%(holder)s” has no statement in this run.") % {"holder": holder})
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    with override(language):  # names too
        for statement in facts.of_run(run, batches(rows)):
            _write(folder / file_name(statement, form), content(statement, form, language))
            written += 1
            if progress and written % 1000 == 0:
                progress(written)
    return written


def batches(rows: QuerySet[StatementRow]) -> Iterator[Sequence[StatementRow]]:
    """Statements in batches that hold a bounded number of lines."""
    batch: list[StatementRow] = []
    held = 0
    for row in rows.iterator(chunk_size=1000):
        if batch and (len(batch) == _AT_ONCE or held + row.lines > _LINES_AT_ONCE):
            yield batch
            batch, held = [], 0
        batch.append(row)
        held += row.lines
    if batch:
        yield batch


def file_name(statement: Statement, form: str) -> str:
    """The number, and the holder's ref as far as a file name may carry it."""
    holder = re.sub(r"[^\w.-]+", "_", statement.head.holder).strip(".")[:64]
    return f"{statement.head.number}-{holder}.{form}"


def _write(path: Path, data: bytes) -> None:
    """All or nothing: a killed export leaves no half statement."""
    draft = path.with_name(f".{path.name}.part")
    draft.write_bytes(data)
    os.replace(draft, path)
