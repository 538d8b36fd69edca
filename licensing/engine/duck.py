"""DuckDB inside the process: the default engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from django.conf import settings
from django.db import connection

from licensing.engine import scratch
from licensing.engine.core import steps

# A NULL travels between the two databases as this unquoted field; text is always quoted and never mistaken for it.
_NULL = r"\N"


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

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self.connection.execute(sql, list(parameters) or None)

    def run(self, script: Path, *, progress: Callable[[str], None] | None = None) -> None:
        for step in steps(script.read_text(encoding="utf-8")):
            if progress:
                progress(step.name)
            self.connection.execute(f"CREATE OR REPLACE TABLE {step.name} AS {step.query}")

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

    def take(self, name: str, columns: Mapping[str, str], query: str, parameters: Sequence[Any] = ()) -> int:
        path = self.folder / f"take-{name}.csv"
        copy = f"COPY ({query}) TO STDOUT (FORMAT csv, NULL '{_NULL}', FORCE_QUOTE *)"
        with connection.cursor() as cursor, path.open("wb") as out:
            with cursor.connection.cursor() as raw, raw.copy(copy, tuple(parameters) or None) as source:
                for block in source:
                    out.write(block)
        self._read(name, columns, path)
        return int(self.rows(f"SELECT count(*) FROM {name}")[0][0])

    def save(self, name: str, path: Path) -> None:
        self.connection.execute(f"COPY {name} TO '{path}' (FORMAT parquet)")

    def open(self, name: str, path: Path) -> None:
        self.connection.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM read_parquet('{path}')")

    def give(self, query: str, table: str, columns: Sequence[str]) -> int:
        path = self.folder / "give.csv"
        self.connection.execute(
            f"COPY ({query}) TO '{path}' (FORMAT csv, HEADER false, NULLSTR '{_NULL}', FORCE_QUOTE *)"
        )
        copy = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT csv, NULL '{_NULL}')"
        with connection.cursor() as cursor, path.open("rb") as source:
            with cursor.connection.cursor() as raw:
                with raw.copy(copy) as sink:
                    while block := source.read(1 << 20):
                        sink.write(block)
                written = raw.rowcount
        path.unlink()
        return int(written)

    def _read(self, name: str, columns: Mapping[str, str], path: Path) -> None:
        """A table from a CSV file of our own making, which vanishes."""
        fields = ", ".join(f"'{c}': '{t}'" for c, t in columns.items())
        self.connection.execute(
            f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM read_csv('{path}', columns = {{{fields}}}, "
            f"""header = false, nullstr = '{_NULL}', delim = ',', quote = '"', escape = '"', auto_detect = false, """
            "strict_mode = true, allow_quoted_nulls = false, max_line_size = 16777216)"
        )
        path.unlink()


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
