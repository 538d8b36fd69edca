"""A received file as an engine's tables: hostile bytes in, typed rows and row-numbered rejects out.

`open_table` looks at the whole file once (unpacking it in bounds, see `unpacking` and `cleaning`) and defines the view
`raw`: the wanted columns as text, absent and empty ones NULL, unreadable rows left out. Nothing is loaded, so that
millions of rows can be aggregated straight from the file. After `raw` was read in full, `settle` fills the table
`rejects`, and `numbered` reads the file a second time for the rows that the caller wants with their row numbers.

    with connect() as engine, refusing():
        file = open_table(engine, path, spec=SPEC)
        engine.execute("CREATE TABLE totals AS SELECT identifier, count(*) FROM raw GROUP BY identifier")
        settle(engine, file)
        numbered(engine, file, where="NOT regexp_full_match(units, '[0-9]{1,15}')", into="bad_units")
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb

from accounts.identity.core import Refusal, say
from licensing.engine.core import Engine
from licensing.intake import core, sources
from licensing.intake.columnar import open_parquet
from licensing.intake.core import Limits, TableSpec
from licensing.intake.formats import dsr
from licensing.intake.sources import ERRORS, SCANS, Format
from licensing.intake.unpacking import CHUNK, chunks, lines

__all__ = ["Format", "load", "numbered", "open_table", "refusing", "settle"]

_PLACE = re.compile(r"""'/[^']*'|"/[^"]*"|/\S+/\S+""")  # where the file lies here is nobody's business


@contextmanager
def refusing() -> Iterator[None]:
    """Turn what the engine says about an unreadable file into a Refusal; wrap whatever reads `raw`."""
    try:
        yield
    except duckdb.OutOfMemoryException as failure:
        detail = say("Reading the file takes more memory than this installation allows. Split it.")
        raise Refusal("too_large", detail) from failure
    except duckdb.Error as failure:
        if isinstance(failure, duckdb.ProgrammingError) and not isinstance(failure, duckdb.InvalidInputException):
            raise  # our own SQL is wrong, not the file
        first = _PLACE.sub("…", str(failure).partition("\n")[0])[:300]
        raise Refusal(
            "unreadable_file", say("The file is damaged and cannot be read: {first}", first=first)
        ) from failure


def open_table(
    engine: Engine,
    path: Path,
    *,
    spec: TableSpec,
    limits: Limits | None = None,
    constants: Mapping[str, str] | None = None,
    usage: dsr.Vocabulary | None = None,
    period: tuple[dt.date, dt.date] | None = None,
) -> Format:
    """Define the view `raw` over the file, and an empty table `rejects` (row, column, value, reason).

    `constants` are columns whose value stands elsewhere (in the name of a folder); it holds where a row names none.
    With `usage`, a DSR usage report is read too, by its terms; a row's number is then the report's own line;
    one about days outside `period` (both inclusive) is refused.
    Raises Refusal for what concerns the whole file: empty, no rows, wrong columns, not text, damaged, too large.
    """
    limits, constants = limits or Limits(), constants or {}
    spec = replace(
        spec,
        required=tuple(name for name in spec.required if name not in constants),
        optional=spec.optional + tuple(name for name in spec.required if name in constants),
    )
    engine.execute('CREATE OR REPLACE TABLE rejects (row BIGINT, "column" VARCHAR, value VARCHAR, reason VARCHAR)')
    for table in (ERRORS, SCANS):
        engine.execute(f"DROP TABLE IF EXISTS {table}")
    with path.open("rb") as start:
        packing = core.compression(start.read(8))
    head = next(chunks(path, packing, limits), b"")
    if not head.strip(b"\r\n\t \0\xef\xbb\xbf"):
        raise Refusal("empty_file", say("The file is empty."))
    with refusing():
        if usage is not None and dsr.is_report(head):
            path, packing = _as_declaration(engine, path, limits, usage, period), None
            head = next(chunks(path, packing, limits), b"")
        if core.is_parquet(head):
            file = open_parquet(engine, path, packing, spec, limits)
        else:
            core.refuse_foreign(head)
            file = sources.text(engine, path, packing, head, spec, limits)
    if file.kind == "csv" and not _has_rows(file):
        raise Refusal("no_rows", say("The file has a header but no rows."))
    file = replace(file, expressions=file.expressions | _filled(file, constants))
    engine.execute(f"CREATE OR REPLACE VIEW raw AS {file.readable(storing=True)}")
    return file


def _as_declaration(
    engine: Engine, path: Path, limits: Limits, usage: dsr.Vocabulary, period: tuple[dt.date, dt.date] | None
) -> Path:
    """The declaration file that a usage report amounts to; it vanishes with the engine."""
    copy = sources.scratch(engine)
    with copy.open("wb") as out:
        dsr.write_declaration(out, path, limits, usage, period)
    return copy


def _filled(file: Format, constants: Mapping[str, str]) -> dict[str, str]:
    return {
        name: f"coalesce({file.expressions[name]}, {sources.literal(value)})"
        for name, value in constants.items()
        if name in file.expressions
    }


def _has_rows(file: Format) -> bool:
    at = 0
    for block in lines(chunks(file.path, None, file.limits)):
        for line in block.split(b"\n") if at <= file.header_row else (block,):
            at += 1
            if at > file.header_row and line.strip():
                return True
    return False


def settle(engine: Engine, file: Format) -> int:
    """Fill `rejects` with the rows that could not be read; returns how many. `raw` must have been read in full."""
    if file.kind != "parquet":
        # Each reading of `raw` stores the same errors again; one is enough, and later ones need not store any.
        engine.execute(f"DELETE FROM {ERRORS} WHERE scan_id <> (SELECT min(scan_id) FROM {ERRORS})")
        engine.execute(f"CREATE OR REPLACE VIEW raw AS {file.readable(storing=False)}")
        engine.execute(sources.reading_errors())
    if file.problem:
        _number(engine, file, chosen="shown, problem", test="problem <> ''", into="unreadable")
        engine.execute("INSERT INTO rejects SELECT row, NULL, shown, problem FROM unreadable")
        engine.execute("DROP TABLE unreadable")
    count = int(engine.rows("SELECT count(*) FROM rejects")[0][0])
    if count > file.limits.unreadable_rows:
        raise Refusal(
            "unreadable_file",
            say("More than {most} rows cannot be read. Check the file's format.", most=file.limits.unreadable_rows),
        )
    return count


def load(engine: Engine, path: Path, *, spec: TableSpec, limits: Limits | None = None, into: str) -> Format:
    """Open a file and keep all its readable rows, numbered, as a table: for files that an engine holds in memory."""
    file = open_table(engine, path, spec=spec, limits=limits)
    engine.rows("SELECT count(*) FROM raw")
    settle(engine, file)
    numbered(engine, file, into=into)
    return file


def numbered(
    engine: Engine, file: Format, *, where: str = "true", into: str, columns: Sequence[str] | None = None
) -> int:
    """Make a table of the rows where this SQL holds: `row` number and wanted columns; returns how many they are.

    A row number counts as a person's spreadsheet does: the header is row 1, blank lines count, a record of several
    lines is one row. JSON Lines and Parquet count from 1, without a header. Needs `settle` first.
    """
    columns = ", ".join(f'"{name}"' for name in columns or file.wanted)
    return _number(engine, file, chosen=columns, test=f"problem IS NULL AND ({where})", into=into)


def _number(engine: Engine, file: Format, *, chosen: str, test: str, into: str) -> int:
    engine.execute("SET preserve_insertion_order = true")
    engine.execute(
        f"CREATE OR REPLACE TABLE {into} AS SELECT nth AS row, {chosen} FROM ({file.records(number=True)}) WHERE {test}"
    )
    engine.execute("SET preserve_insertion_order = false")
    count = int(engine.rows(f"SELECT count(*) FROM {into}")[0][0])
    if file.kind != "parquet" and count:
        _skips(engine, file)
        engine.execute(
            f"CREATE OR REPLACE TABLE {into} AS SELECT {file.header_row} + n.row + coalesce(s.skipped, 0) AS row, "
            f"n.* EXCLUDE (row) FROM {into} AS n ASOF LEFT JOIN skips AS s ON n.row > s.before"
        )
    return count


def _skips(engine: Engine, file: Format) -> None:
    """The table `skips`: after how many delivered records how many physical rows had been passed over in all."""
    engine.table("blanks", {"line": "BIGINT"})
    if file.kind == "csv":
        for found in _blank_lines(file):
            engine.execute("INSERT INTO blanks SELECT unnest(?)", [found])
    engine.execute(
        f"""CREATE OR REPLACE TABLE skips AS
        SELECT before, max(nth) AS skipped FROM (
          SELECT row_number() OVER (ORDER BY line) AS nth,
            line - {file.header_row} - row_number() OVER (ORDER BY line) AS before
          FROM (SELECT line FROM blanks UNION SELECT CAST(line AS BIGINT) FROM {ERRORS}))
        GROUP BY before"""
    )


def _blank_lines(file: Format) -> Iterator[list[int]]:
    """The physical numbers of empty lines below the header, a list a block."""
    done = 0
    for block in lines(chunks(file.path, None, file.limits), longest=CHUNK * 2):
        if block[:1] in (b"\n", b"\r") or b"\n\n" in block or b"\n\r\n" in block:
            rows = block.split(b"\n")[:-1]
            blank = [done + i for i, row in enumerate(rows, 1) if row in (b"", b"\r") and done + i > file.header_row]
            if blank:
                yield blank
        done += block.count(b"\n")
