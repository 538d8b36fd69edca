"""Apache Spark on a cluster: the engine for what one machine cannot hold. See `engine.core.Engine` and docs/engines.md.

Every table is a set of Parquet files in a folder that all workers see, so that a step's result outlives the executors
that made it and the next step starts from files and not from a history of plans. Between PostgreSQL and those files
stands DuckDB, beside the driver: it writes and reads them as it does for itself, so values arrive the same on both
engines. The workers need Spark and the folder; no Python, and no way to PostgreSQL.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext as _

from licensing.engine import scratch
from licensing.engine.core import steps
from licensing.engine.duck import DuckEngine

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# What may be set otherwise by SPARK_CONF …
_DEFAULTS: Final = {
    "spark.app.name": "jeongsan",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.sql.adaptive.coalescePartitions.parallelismFirst": "false",
}
# … and what may not, since results rest on it.
_FIXED: Final = {
    "spark.sql.ansi.enabled": "true",  # an overflow or a bad cast is an error
    "spark.sql.ansi.doubleQuotedIdentifiers": "true",
    "spark.sql.parser.escapedStringLiterals": "true",  # a backslash in a text is a backslash
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",  # days of year 1 as they are
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.catalogImplementation": "in-memory",
}
# The functions of `engine.core` that Spark has under another name, or not.
_FUNCTIONS: Final = (
    "split_at(x STRING, mark STRING) RETURNS ARRAY<STRING> "
    r"RETURN split(x, concat('\Q', replace(mark, '\E', '\E\\E\Q'), '\E'))",
    "sha256(x STRING) RETURNS STRING RETURN sha2(x, 256)",
    "join_ordered(texts ARRAY<STRING>, cut INT, mark STRING) RETURNS STRING "
    "RETURN array_join(transform(array_sort(texts), x -> substr(x, cut + 1)), mark)",
)
_MAKE: Final = re.compile(r"\s*CREATE\s+OR\s+REPLACE\s+(TABLE|VIEW)\s+(\w+)\s+AS\s+(.+)", re.DOTALL | re.IGNORECASE)
_ADD: Final = re.compile(r"\s*INSERT\s+INTO\s+(\w+)\s+(.+)", re.DOTALL | re.IGNORECASE)
_DROP: Final = re.compile(r"\s*DROP\s+(?:TABLE|VIEW)\s+(?:IF\s+EXISTS\s+)?(\w+)\s*", re.IGNORECASE)


class ClusterUnavailable(RuntimeError):
    """The cluster did not take us on; the work is tried again later."""


class SparkEngine:
    """One session of its own on the cluster; its files lie in a folder of their own that the workers see."""

    def __init__(self, folder: Path, shared: Path, session: SparkSession) -> None:
        self.folder, self.shared, self.session = folder, shared, session
        self.beside = _Beside(folder, shared)
        self._files: dict[str, list[Path]] = {}  # of each table
        self._made = 0
        for function in _FUNCTIONS:
            session.sql(f"CREATE TEMPORARY FUNCTION {function}")

    def interrupt(self) -> None:
        self.session.interruptAll()
        self.beside.interrupt()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        if made := _MAKE.fullmatch(sql):
            make = self._view if made[1].upper() == "VIEW" else self._table
            make(made[2], made[3], parameters)
        elif added := _ADD.fullmatch(sql):
            self._add(added[1], added[2], parameters)
        elif dropped := _DROP.fullmatch(sql):
            self._drop(dropped[1])
        else:
            raise ValueError(f"no statement that every engine takes (see engine/core.py): {sql[:80]}")

    def run(self, script: Path, *, progress: Callable[[str], None] | None = None) -> None:
        for step in steps(script.read_text(encoding="utf-8")):
            if progress:
                progress(step.name)
            (self._view if step.view else self._table)(step.name, step.query)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in self._frame(sql, parameters).collect()]

    def stream(
        self, sql: str, parameters: Sequence[Any] = (), *, size: int = 10_000
    ) -> Iterator[list[tuple[Any, ...]]]:
        folder = self._write(self._frame(sql, parameters), "streamed")
        if parts := _parts(folder):
            yield from self.beside.stream(f"SELECT * FROM {_read(parts)}", size=size)
        shutil.rmtree(folder)

    def table(self, name: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]] = ()) -> None:
        self.beside.table(name, columns, rows)
        self._keep(name, [self.beside.written])

    def take(self, name: str, columns: Mapping[str, str], query: str, parameters: Sequence[Any] = ()) -> int:
        count = self.beside.take(name, columns, query, parameters)
        self._keep(name, [self.beside.written])
        return count

    def save(self, name: str, path: Path) -> None:
        files = [part for file in self._files[name] for part in (_parts(file) if file.is_dir() else [file])]
        self.beside.execute(f"COPY (SELECT * FROM {_read(files)}) TO '{path}' (FORMAT parquet)")

    def open(self, name: str, *paths: Path) -> None:
        self._keep(name, [self._seen(path) for path in paths])

    def give(self, query: str, table: str, columns: Sequence[str]) -> int:
        folder = self._write(self._frame(query), "given")
        parts = _parts(folder)
        count = self.beside.give(f"SELECT * FROM {_read(parts)}", table, columns) if parts else 0
        shutil.rmtree(folder)
        return count

    def _frame(self, sql: str, parameters: Sequence[Any] = ()) -> DataFrame:
        return self.session.sql(sql, args=list(parameters)) if parameters else self.session.sql(sql)

    def _view(self, name: str, query: str, parameters: Sequence[Any] = ()) -> None:
        self._frame(f"CREATE OR REPLACE TEMPORARY VIEW {name} AS {query}", parameters)

    def _table(self, name: str, query: str, parameters: Sequence[Any] = ()) -> None:
        frame = self._frame(query, parameters)
        self._keep(name, [self._write(frame, name)], frame)

    def _add(self, name: str, query: str, parameters: Sequence[Any] = ()) -> None:
        """Rows beside those that are there, in the types of the table's columns."""
        table = self.session.table(name)
        new = self._frame(query, parameters).toDF(*table.columns)
        cast = new.selectExpr(*(f'CAST("{column}" AS {kind}) AS "{column}"' for column, kind in table.dtypes))
        self._keep(name, [*self._files[name], self._write(cast, name)], table)

    def _drop(self, name: str) -> None:
        self.session.catalog.dropTempView(name)
        for path in self._files.pop(name, []):
            self._let_go(path)

    def _keep(self, name: str, paths: Sequence[Path], like: DataFrame | None = None) -> None:
        """Let a name mean what lies in these files; `like` spares a look into them for their columns."""
        reader = self.session.read if like is None else self.session.read.schema(like.schema)
        reader.parquet(*(path.as_uri() for path in paths)).createOrReplaceTempView(name)
        for old in self._files.get(name, []):
            if old not in paths:
                self._let_go(old)
        self._files[name] = list(paths)

    def _write(self, frame: DataFrame, name: str) -> Path:
        """Compute it now: the cluster writes its parts into a new folder, in the order of the rows."""
        self._made += 1
        folder = self.shared / f"{name}-{self._made}"
        frame.write.parquet(folder.as_uri())
        return folder

    def _seen(self, path: Path) -> Path:
        """The file itself where the workers see it, else a copy."""
        path = path.resolve()
        if not settings.SPARK_SHARED or path.is_relative_to(Path(settings.SPARK_SHARED).resolve()):
            return path
        self._made += 1
        return Path(shutil.copyfile(path, self.shared / f"opened-{self._made}.parquet"))

    def _let_go(self, path: Path) -> None:
        """Remove our own files; those that were only opened stay."""
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.is_relative_to(self.shared):
            path.unlink(missing_ok=True)


class _Beside(DuckEngine):
    """DuckDB between PostgreSQL and the folder: what it takes is written as Parquet at once, never held."""

    def __init__(self, folder: Path, shared: Path) -> None:
        super().__init__(folder)
        self.execute("SET preserve_insertion_order = true")  # parts are given in their order
        self.shared = shared
        self.written = shared
        self._count = 0

    def _hold(self, name: str, query: str) -> None:
        self._count += 1
        self.written = self.shared / f"{name}-taken-{self._count}.parquet"
        self.execute(f"COPY ({query}) TO '{self.written}' (FORMAT parquet)")
        self.execute(f"CREATE OR REPLACE VIEW {name} AS SELECT * FROM {_read([self.written])}")


def _parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*.parquet"))


def _read(paths: Sequence[Path]) -> str:
    files = ", ".join(f"'{path}'" for path in paths)
    return f"read_parquet([{files}])"


_starting = Lock()
_in_use = 0


@contextmanager
def connect() -> Iterator[SparkEngine]:
    """An engine whose tables and files vanish with the block. While no block is open nothing is held on the cluster."""
    check()
    root = Path(settings.SPARK_SHARED).resolve() if settings.SPARK_SHARED else None
    with scratch.folder() as folder, scratch.folder(root) as shared, _session(folder) as session:
        engine = SparkEngine(folder, shared, session)
        try:
            yield engine
        finally:
            engine.beside.connection.close()


def check() -> None:
    """Raises ImproperlyConfigured where Spark cannot run here."""
    if find_spec("pyspark") is None:
        raise ImproperlyConfigured(
            _(
                "Apache Spark’s package is not installed. Install it: pip install 'jeongsan[spark]' (pyspark 4, see "
                "docs/engines.md), or compute on DuckDB."
            )
        )
    if not shutil.which("java") and not os.environ.get("JAVA_HOME"):
        raise ImproperlyConfigured(
            _("Apache Spark needs Java 17 or later: install a JRE (Debian: default-jre-headless) or set JAVA_HOME.")
        )
    if not settings.SPARK_MASTER.startswith("local") and not settings.SPARK_SHARED:
        raise ImproperlyConfigured(
            _(
                "SPARK_MASTER is the cluster %(master)s: set SPARK_SHARED to a folder that this machine and all of its "
                "workers see under the same path."
            )
            % {"master": settings.SPARK_MASTER}
        )


@contextmanager
def _session(folder: Path) -> Iterator[SparkSession]:
    """A session of this process's one application, which ends with the last session."""
    global _in_use
    with _starting:
        application = _application(folder)
        _in_use += 1
    try:
        yield application.newSession()
    finally:
        with _starting:
            _in_use -= 1
            if not _in_use:
                application.stop()


def _application(folder: Path) -> SparkSession:
    from pyspark.sql import SparkSession

    for chatty in ("SQLQueryContextLogger", "py4j"):  # they tell what is raised anyway
        logging.getLogger(chatty).setLevel(logging.CRITICAL)
    builder = SparkSession.builder.master(settings.SPARK_MASTER)
    for key, value in (_DEFAULTS | configuration(settings.SPARK_CONF) | _FIXED).items():
        builder = builder.config(key, value)
    if not _in_use:
        builder = builder.config("spark.sql.warehouse.dir", (folder / "warehouse").as_uri())
    try:
        return builder.getOrCreate()
    except Exception as error:
        raise ClusterUnavailable(f"The Spark cluster {settings.SPARK_MASTER} does not answer.") from error


def configuration(text: str) -> dict[str, str]:
    """`spark.executor.memory=2g; spark.cores.max=8` as pairs."""
    pairs = [part.partition("=") for part in text.split(";") if part.strip()]
    wrong = [key.strip() for key, equals, _value in pairs if not equals or not key.strip().startswith("spark.")]
    if wrong:
        raise ImproperlyConfigured(
            f"SPARK_CONF holds `spark.…=value` pairs with `;` between them; not: {', '.join(wrong)}"
        )
    return {key.strip(): value.strip() for key, _equals, value in pairs}
