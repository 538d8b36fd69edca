"""Parquet files: what they say of themselves is held to the limits, and their types become text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from accounts.identity.core import Refusal, say
from licensing.engine.core import Engine
from licensing.intake import core
from licensing.intake.core import Limits, TableSpec
from licensing.intake.sources import Format, literal, quoted, scratch
from licensing.intake.unpacking import chunks

# How a Parquet type becomes text without changing what it says: whole numbers as digits, others as they are.
_TYPES = ("VARCHAR", "BOOLEAN", "DATE", "TIME", "UUID", "ENUM")
_INTEGERS = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "UHUGEINT",
)


def open_parquet(engine: Engine, path: Path, packing: str | None, spec: TableSpec, limits: Limits) -> Format:
    """A Parquet file; numbers, dates and text become text, nested types are refused."""
    if packing:
        copy = scratch(engine)
        with copy.open("wb") as out:
            out.writelines(chunks(path, packing, limits))
        path = copy
    name = quoted(str(path))
    types = _parquet_types(engine, name, limits)
    source = f"read_parquet('{name}', file_row_number = true, binary_as_string = true)"
    named = {core.column_name(column): column for column in types}
    core.require_columns([core.column_name(column) for column in types], spec)
    have = {column: named[column] for column in spec.columns if column in named}
    texts = {column: _as_text(have[column], types[have[column]]) for column in have}
    odd = " OR ".join(f"contains({sql}, chr(0))" for sql in texts.values())
    long = " OR ".join(f"strlen({sql}) > {limits.row_bytes}" for sql in texts.values())
    file = Format(
        kind="parquet",
        compression=packing,
        encoding="utf-8",
        columns=tuple(types),
        wanted=spec.columns,
        present=frozenset(have),
        path=path,
        header_row=0,
        limits=limits,
        source=source,
        expressions={column: texts.get(column, "CAST(NULL AS VARCHAR)") for column in spec.columns},
        problem=f"CASE WHEN {odd} THEN {literal(core.NUL_BYTE)} WHEN {long} THEN {literal(core.CELL_TOO_LONG)} END",
        text=f"replace(concat_ws(' ', {', '.join(texts.values())}), chr(0), ' ')",
    )
    # One reading finds damaged pages before anything is done, and whether later readings need look for bad cells.
    bad = engine.rows(f"SELECT count(*) FROM ({file.records()}) WHERE problem IS NOT NULL")[0][0]
    return file if bad else replace(file, problem="")


def _parquet_types(engine: Engine, name: str, limits: Limits) -> dict[str, str]:
    """Column → type; refuses by the file's own account of its rows and sizes, before any of it is unpacked."""
    rows = engine.rows(f"SELECT num_rows FROM parquet_file_metadata('{name}')")[0][0]
    if not rows:
        raise Refusal("no_rows", say("The file has columns but no rows."))
    if rows > limits.rows:
        raise Refusal("too_many_rows", say("The file has more than {most} rows. Split it.", most=limits.rows))
    size = engine.rows(f"SELECT sum(total_uncompressed_size) FROM parquet_metadata('{name}')")[0][0]
    if size > limits.unpacked_bytes:
        bound = limits.unpacked_bytes
        raise Refusal("too_large", say("Unpacked, the file is larger than {bound} bytes. Split it.", bound=bound))
    described = engine.rows(f"DESCRIBE SELECT * FROM read_parquet('{name}', binary_as_string = true)")
    types = {str(column): str(kind) for column, kind, *_ in described if str(column) != "file_row_number"}
    if len(types) < len(described):
        raise Refusal("reserved_column", say("A column may not be called file_row_number. Rename it."))
    return types


def _as_text(column: str, kind: str) -> str:
    """SQL for a Parquet column as text. A float keeps its point (1e3 is `1000.0`): it never passes for digits."""
    sql = f'"{column.replace(chr(34), chr(34) * 2)}"'
    if kind.startswith("TIMESTAMP"):
        # Data frames keep plain dates as midnights.
        midnight = f"{sql} = date_trunc('day', {sql})"
        return f"CASE WHEN {midnight} THEN CAST(CAST({sql} AS DATE) AS VARCHAR) ELSE CAST({sql} AS VARCHAR) END"
    if kind in _INTEGERS or kind.startswith(("DECIMAL", "FLOAT", "DOUBLE", "ENUM")) or kind in _TYPES:
        return f"nullif(CAST({sql} AS VARCHAR), '')"
    raise Refusal(
        "wrong_type",
        say("Column {column} has the type {kind}. Use text, whole numbers or dates.", column=column, kind=kind[:60]),
    )
