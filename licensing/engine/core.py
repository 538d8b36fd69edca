"""What any engine must offer: run SQL scripts of named steps, take rows from PostgreSQL, give rows back to it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

_STEP = re.compile(r"^-- (step|view) (\w+)\b.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Step:
    """One named SELECT of a script; later steps read it by its name. A view is not kept, only read through."""

    name: str
    query: str
    view: bool = False


def steps(script: str) -> list[Step]:
    """The steps of a script: each begins with a line `-- step name: …` (or `-- view name: …`) and is one SELECT that ends
    with a semicolon."""
    marks = list(_STEP.finditer(script))
    ends = [mark.start() for mark in marks[1:]] + [len(script)]
    return [
        Step(mark[2], script[mark.end() : end].strip().rstrip(";"), mark[1] == "view")
        for mark, end in zip(marks, ends, strict=True)
    ]


class Engine(Protocol):
    """A place where set-based SQL runs on many rows. Tables live as long as the connection.

    The same script text must give byte-identical rows on every engine; only `read_csv`-like sources differ.
    """

    folder: Path  # for files of this work; it vanishes with the engine

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run one statement."""

    def run(self, script: Path, *, progress: Any = None) -> None:
        """Run every step of a script file, keeping each result as a table of the step's name."""

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a small result."""

    def stream(
        self, sql: str, parameters: Sequence[Any] = (), *, size: int = 10_000
    ) -> Iterator[list[tuple[Any, ...]]]:
        """A large result, in lists of at most `size` rows."""

    def table(self, name: str, columns: Mapping[str, str], rows: Iterable[Sequence[Any]] = ()) -> None:
        """Make a table (name → SQL type) holding rows of Python's own."""

    def take(self, name: str, columns: Mapping[str, str], query: str, parameters: Sequence[Any] = ()) -> int:
        """Make a table from a PostgreSQL query, by COPY; returns its row count."""

    def save(self, name: str, path: Path) -> None:
        """Keep a table as a Parquet file."""

    def open(self, name: str, *paths: Path) -> None:
        """A table that was kept as a Parquet file, or as several that have the same columns."""

    def give(self, query: str, table: str, columns: Sequence[str]) -> int:
        """Append a query's rows to a PostgreSQL table by COPY, in Django's current transaction; returns how many."""
