"""How the engine reads each kind of file: the SQL of its records and columns, and what makes a record unreadable."""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from accounts.identity.core import Refusal, say
from licensing.engine.core import Engine
from licensing.intake import core
from licensing.intake.cleaning import BYTE_MARK, LENGTH_MARK, NUL_MARK, QUOTE_MARK, Cleaner, Findings, inspect
from licensing.intake.core import Limits, TableSpec
from licensing.intake.unpacking import chunks

ERRORS, SCANS = "intake_errors", "intake_scans"
_ERROR_BYTES = 1000  # how much of an unreadable row is kept


@dataclass(frozen=True, slots=True)
class Format:
    """What a file turned out to be, and how the engine reads it."""

    kind: str  # csv | jsonl | parquet
    compression: str | None
    encoding: str
    columns: tuple[str, ...]  # all that the file has
    wanted: tuple[str, ...]  # all of the spec
    present: frozenset[str]  # those of them that the file has
    path: Path  # what the engine reads: the file, or a clean copy of it
    header_row: int  # the header's physical row; 0 without one
    limits: Limits
    source: str  # SQL of the records: FROM …, with {mode} for how errors are treated
    expressions: dict[str, str]  # wanted column → SQL over the source
    problem: str = ""  # SQL over the source: why the record cannot be read, '' for a blank one, NULL for a good one
    text: str = "NULL"  # SQL over the source: what to show of such a record

    @property
    def ignored(self) -> tuple[str, ...]:
        return tuple(c for c in self.columns if c and c not in self.wanted)

    def records(self, *, storing: bool = False, number: bool = False) -> str:
        """Each record: its wanted columns and `problem`; with `number`, also its place `nth` and text `shown`."""
        mode = "ignore_errors = true"
        if storing:
            mode = (
                f"store_rejects = true, rejects_limit = {self.limits.unreadable_rows + 1}, rejects_table = '{ERRORS}', "
            )
            mode += f"rejects_scan = '{SCANS}', rejects_line_size_limit = {_ERROR_BYTES}"
        chosen = [f'{sql} AS "{name}"' for name, sql in self.expressions.items()]
        chosen.append(f"{self.problem or 'NULL'} AS problem")
        if number:
            chosen.append("file_row_number + 1 AS nth" if self.kind == "parquet" else "row_number() OVER () AS nth")
            chosen.append(f"left({self.text}, 200) AS shown")
        return f"SELECT {', '.join(chosen)} FROM {self.source.replace('{mode}', mode)}"

    def readable(self, *, storing: bool) -> str:
        """A SELECT of the wanted columns of the readable records alone."""
        names = ", ".join(f'"{name}"' for name in self.expressions)
        good = " WHERE problem IS NULL" if self.problem else ""
        return f"SELECT {names} FROM ({self.records(storing=storing)}){good}"


def literal(text: str) -> str:
    """Text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def reading_errors() -> str:
    """An INSERT into `rejects` of what the engine's CSV reader refused, once a row."""
    marks = QUOTE_MARK + LENGTH_MARK + BYTE_MARK + NUL_MARK
    return f"""
    INSERT INTO rejects
    SELECT CAST(line AS BIGINT), NULL, min(left(translate(trim(csv_line, E'\\r\\n '), '{marks}', ''), 200)),
      min(CASE WHEN error_type = 'LINE SIZE OVER MAXIMUM' OR contains(csv_line, '{LENGTH_MARK}')
                 THEN {literal(core.TOO_LONG)}
               WHEN error_type = 'UNQUOTED VALUE' OR contains(csv_line, '{QUOTE_MARK}') THEN {literal(core.UNCLOSED)}
               WHEN contains(csv_line, '{BYTE_MARK}') OR error_type = 'INVALID ENCODING' THEN {literal(core.BAD_BYTES)}
               WHEN contains(csv_line, '{NUL_MARK}') THEN {literal(core.NUL_BYTE)}
               WHEN error_type = 'TOO MANY COLUMNS' THEN {literal(core.TOO_MANY)}
               ELSE {literal(core.TOO_FEW)} END)
    FROM {ERRORS} GROUP BY line"""


def text(engine: Engine, path: Path, packing: str | None, head: bytes, spec: TableSpec, limits: Limits) -> Format:
    """A CSV, TSV or JSON Lines file, read where it lies when it is clean, else from a clean copy beside the engine."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if re.match(rb"\[\s*[{\[]", start):
        raise Refusal("unknown_format", say("This is one JSON array. Send JSON Lines: one object on each line."))
    table = _objects(start, spec) if start.startswith(b"{") else _delimited(head, spec)
    read, found = _clean(engine, path, packing, limits, table.delimiter)
    if found.size > 2 * limits.rows:
        _bound_rows(read, limits)
    file = table.format(read, packing, found, spec, limits)
    if table.delimiter and found.quotes and _has_stray_quotes(engine, file):
        read, found = _clean(engine, path, packing, limits, table.delimiter, thorough=True)
        file = table.format(read, packing, found, spec, limits)
    return file


def _clean(
    engine: Engine, path: Path, packing: str | None, limits: Limits, delimiter: str | None, *, thorough: bool = False
) -> tuple[Path, Findings]:
    if not packing and not thorough:
        found = inspect(chunks(path, None, limits), quoted=delimiter is not None)
        if not found.dirty:
            return path, found
    copy = scratch(engine)
    with copy.open("wb") as out:
        cleaner = Cleaner(out, delimiter=delimiter, thorough=thorough, row_bytes=limits.row_bytes)
        found = cleaner.copy(chunks(path, packing, limits))
    return copy, found


def scratch(engine: Engine) -> Path:
    """A new empty file that vanishes with the engine."""
    with tempfile.NamedTemporaryFile(prefix="intake-", dir=engine.folder, delete=False) as file:
        return Path(file.name)


def _bound_rows(path: Path, limits: Limits) -> None:
    rows = 0
    for piece in chunks(path, None, limits):
        rows += piece.count(b"\n")
        if rows > limits.rows:
            raise Refusal("too_many_rows", say("The file has more than {most} rows. Split it.", most=limits.rows))


def _has_stray_quotes(engine: Engine, file: Format) -> bool:
    """Whether the reader meets a quote where none belongs; there it may swallow the next rows."""
    errors = file.records(storing=True).replace(ERRORS, "stray_errors").replace(SCANS, "stray_scans")
    engine.rows(f"SELECT count(*) FROM ({errors})")
    stray = engine.rows("SELECT count(*) FROM stray_errors WHERE error_type = 'UNQUOTED VALUE'")[0][0]
    engine.execute("DROP TABLE stray_errors")
    engine.execute("DROP TABLE stray_scans")
    return bool(stray)


def quoted(value: str) -> str:
    """Text for the inside of an SQL literal."""
    return value.replace("'", "''")


def _read_csv(path: Path, columns: list[str], delimiter: str, quote: str, skip: int, limits: Limits) -> str:
    named = ", ".join(f"'{name}': 'VARCHAR'" for name in columns)
    return (
        f"read_csv('{quoted(str(path))}', columns = {{{named}}}, delim = '{delimiter}', quote = '{quote}', "
        f"escape = '{quote}', header = false, skip = {skip}, auto_detect = false, strict_mode = true, "
        f"compression = 'none', max_line_size = {limits.row_bytes}, buffer_size = 33554432, {{mode}})"
    )


def _marks(text: str) -> str:
    """WHEN … THEN … for the marks that a clean copy holds."""
    reasons = {
        BYTE_MARK: core.BAD_BYTES,
        NUL_MARK: core.NUL_BYTE,
        QUOTE_MARK: core.UNCLOSED,
        LENGTH_MARK: core.TOO_LONG,
    }
    return " ".join(f"WHEN contains({text}, '{mark}') THEN {literal(reason)}" for mark, reason in reasons.items())


@dataclass(frozen=True, slots=True)
class _Delimited:
    delimiter: str
    columns: tuple[str, ...]
    header_row: int

    def format(self, path: Path, packing: str | None, found: Findings, spec: TableSpec, limits: Limits) -> Format:
        names = [name if name in spec.columns else f"column{i}" for i, name in enumerate(self.columns)]
        have = {name: f'"{name}"' for name in names if name in spec.columns}
        expressions = {name: have.get(name, "CAST(NULL AS VARCHAR)") for name in spec.columns}
        shown = f"concat_ws(' ', {', '.join(have.values())})"
        return Format(
            kind="csv",
            compression=packing,
            encoding=found.encoding or "utf-8",
            columns=self.columns,
            wanted=spec.columns,
            present=frozenset(have),
            path=path,
            header_row=self.header_row,
            limits=limits,
            source=_read_csv(path, names, self.delimiter, '"', self.header_row, limits),
            expressions=expressions,
            problem=f"CASE {_marks(shown)} END" if found.dirty else "",
            text=shown,
        )


def _delimited(head: bytes, spec: TableSpec) -> _Delimited:
    head = head.removeprefix(b"\xef\xbb\xbf")
    encoding = core.encoding(head[: head.rfind(b"\n") + 1] or head)
    for row, line in enumerate(re.split(rb"\r\n|\n|\r", head), 1):
        if line.strip():
            found = core.header(line[:65_536].decode(encoding, "replace"), spec)
            return _Delimited(found.delimiter, found.columns, row)
    raise Refusal("empty_file", say("The file is empty."))


@dataclass(frozen=True, slots=True)
class _Objects:
    keys: dict[str, str]
    columns: tuple[str, ...]
    delimiter: None = None

    def format(self, path: Path, packing: str | None, found: Findings, spec: TableSpec, limits: Limits) -> Format:
        paths = {name: f"'$.\"{quoted(self.keys.get(name, name))}\"'" for name in spec.columns}
        lines = _read_csv(path, ["line"], "\x01", "", 0, limits)
        values = f"CASE WHEN line <> '' THEN TRY(json_extract_string(line, [{', '.join(paths.values())}])) END"
        nested = " OR ".join(f"json_type(line, {path}) IN ('ARRAY', 'OBJECT')" for path in paths.values())
        cases = [
            "WHEN line IS NULL OR line = '' THEN ''",
            _marks("line") if found.dirty else "",
            f"WHEN v IS NULL OR line[1] <> '{{' THEN {literal(core.NOT_OBJECT)}",
            f"WHEN contains(line, '\\u0000') THEN {literal(core.NUL_BYTE)}" if found.escaped_nul else "",
            f"WHEN (contains(line, '[') OR contains(line[2:], '{{')) AND ({nested}) THEN {literal(core.NOT_OBJECT)}",
        ]
        return Format(
            kind="jsonl",
            compression=packing,
            encoding=found.encoding or "utf-8",
            columns=self.columns,
            wanted=spec.columns,
            present=frozenset(name for name, key in self.keys.items() if key in self.columns),
            path=path,
            header_row=0,
            limits=limits,
            source=f"(SELECT *, {values} AS v FROM (SELECT trim(line) AS line FROM {lines}))",
            expressions={name: f"nullif(v[{i}], '')" for i, name in enumerate(spec.columns, 1)},
            problem=f"CASE {' '.join(filter(None, cases))} END",
            text="line",
        )


def _objects(start: bytes, spec: TableSpec) -> _Objects:
    keys: dict[str, None] = {}
    for line in start.split(b"\n")[:1000]:
        try:
            found = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            keys.update(dict.fromkeys(key for key in found if '"' not in key and "\\" not in key))
    named = {core.column_name(key): key for key in reversed(keys)}
    core.require_columns(list(named), spec)
    chosen = {name: name if name in keys else named.get(name, name) for name in spec.columns}
    return _Objects(chosen, tuple(keys))
