"""DuckDB inside the process: the default engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from django.conf import settings
from django.db import connection

from licensing.engine import pipes, scratch
from licensing.engine.core import steps

# A NULL travels between the two databases as this unquoted field; text is always quoted and never mistaken for it.
_NULL = r"\N"
# Of these, no value has a mark of CSV in it: they go unquoted, which both databases write and read in half the time.
_PLAIN = ("BIGINT", "BOOLEAN", "DATE", "DECIMAL", "HUGEINT", "INTEGER", "SMALLINT")
_LINE = 1 << 24  # bytes of the longest row
# The functions of `engine.core` that DuckDB calls otherwise.
_FUNCTIONS = """
CREATE MACRO split_at(x, mark) AS string_split(x, mark);
CREATE MACRO array_size(list) AS len(list);
CREATE MACRO slice(list, since, many) AS list[since:since + many - 1];
CREATE MACRO array_join(list, mark) AS array_to_string(list, mark);
CREATE MACRO sequence(a, b) AS range(CAST(a AS BIGINT), CAST(b AS BIGINT) + 1);
CREATE MACRO explode(list) AS unnest(list);
CREATE MACRO join_ordered(list, cut, mark) AS array_to_string(
    list_transform(list_sort(list), lambda text: substr(CAST(text AS VARCHAR), cut + 1)), mark);
"""


class DuckEngine:
    """One private in-memory DuckDB whose temporary files lie in a folder of its own; see `engine.core.Engine`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.connection = duckdb.connect(
            config={
                "threads": settings.ENGINE_THREADS,
                "memory_limit": settings.ENGINE_MEMORY,
                "temp_directory": str(folder / "spill"),
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )
        self.connection.execute(_FUNCTIONS)
        for option in ("enable_progress_bar = true", "enable_progress_bar_print = false"):  # so that progress is known
            self.connection.execute(f"SET {option}")

    def interrupt(self) -> None:
        self.connection.interrupt()

    def progress(self) -> float:
        """How much of the query that runs now is done, in percent; negative where nobody knows."""
        return float(self.connection.query_progress())

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self.connection.execute(sql, list(parameters) or None)

    def run(self, script: Path, *, progress: Callable[[str], None] | None = None) -> None:
        for step in steps(script.read_text(encoding="utf-8")):
            if progress:
                progress(step.name)
            kind = "VIEW" if step.view else "TABLE"
            self.connection.execute(f"CREATE OR REPLACE {kind} {step.name} AS {step.query}")

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, list(parameters) or None).fetchall()

    def stream(
        self, sql: str, parameters: Sequence[Any] = (), *, size: int = 10_000
    ) -> Iterator[list[tuple[Any, ...]]]:
        cursor = self.connection.cursor().execute(sql, list(parameters) or None)
        while rows := cursor.fetchmany(size):
            yield rows

    def table(self, name: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]] = ()) -> None:
        path = self.folder / f"table-{name}.csv"
        with path.open("w", encoding="utf-8", newline="") as out:
            out.writelines(",".join(map(_field, row)) + "\n" for row in rows)
        self._read(name, columns, path)
        path.unlink()

    def take(self, name: str, columns: Mapping[str, str], query: str, parameters: Sequence[Any] = ()) -> int:
        names = ", ".join(map(_quoted, columns))
        quoted = _force_quote(columns)
        copy = f"COPY (SELECT * FROM ({query}) AS q ({names})) TO STDOUT (FORMAT csv, NULL '{_NULL}'{quoted})"
        with connection.wrap_database_errors, connection.cursor() as cursor, cursor.connection.cursor() as raw:
            with pipes.writing(lambda path: self._read(name, columns, path)) as sink:
                with raw.copy(copy, tuple(parameters) or None) as source:
                    for block in source:
                        sink.write(block)
        return int(self.rows(f"SELECT count(*) FROM {name}")[0][0])

    def save(self, name: str, path: Path) -> None:
        self.connection.execute(f"COPY {name} TO '{path}' (FORMAT parquet)")

    def open(self, name: str, *paths: Path) -> None:
        files = ", ".join(f"'{path}'" for path in paths)
        self.connection.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM read_parquet([{files}])")

    def give(self, query: str, table: str, columns: Sequence[str]) -> int:
        types = {str(column): str(kind) for column, kind, *_ in self.rows(f"DESCRIBE {query}")}
        form = f"(FORMAT csv, HEADER false, NULLSTR '{_NULL}'{_force_quote(types)}, USE_TMP_FILE false)"
        copy = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT csv, NULL '{_NULL}')"
        with connection.wrap_database_errors, connection.cursor() as cursor, cursor.connection.cursor() as raw:
            with pipes.reading(lambda path: self.execute(f"COPY ({query}) TO '{path}' {form}")) as source:
                with raw.copy(copy) as sink:
                    for block in source:
                        sink.write(block)
            return int(raw.rowcount)

    def _read(self, name: str, columns: Mapping[str, str], path: Path | str) -> None:
        """A table from CSV of our own making."""
        fields = ", ".join(f"'{c}': '{t}'" for c, t in columns.items())
        self._hold(
            name,
            f"SELECT * FROM read_csv('{path}', columns = {{{fields}}}, "
            f"""header = false, nullstr = '{_NULL}', delim = ',', quote = '"', escape = '"', auto_detect = false, """
            f"strict_mode = true, allow_quoted_nulls = false, new_line = '\\n', max_line_size = {_LINE}, buffer_size = {_LINE})",
        )

    def _hold(self, name: str, query: str) -> None:
        self.connection.execute(f"CREATE OR REPLACE TABLE {name} AS {query}")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _force_quote(types: Mapping[str, str]) -> str:
    """The option of COPY that quotes every value of these columns that may need it."""
    texts = [_quoted(column) for column, kind in types.items() if not kind.startswith(_PLAIN)]
    return f", FORCE_QUOTE ({', '.join(texts)})" if texts else ""


def _field(value: Any) -> str:
    return _NULL if value is None else '"' + str(value).replace('"', '""') + '"'


@contextmanager
def connect() -> Iterator[DuckEngine]:
    """An engine whose tables and files vanish with the block."""
    with scratch.folder() as folder:
        engine = DuckEngine(folder)
        try:
            yield engine
        finally:
            engine.connection.close()
