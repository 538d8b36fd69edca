"""What any engine must offer: run SQL scripts of named steps, take rows from PostgreSQL, give rows back to it.

One text for every engine. Whatever runs on `licensing.engine.connect(society_id)` (matching, permission, the settling of a
declaration, distribution) is written once, in what DuckDB and Apache Spark 4 both read in the same way:

- Names: letters, digits, `_`. A name that might be a keyword stands in double quotes: `"use"`. Texts in '…', a quote in
  them doubled, no backslash. No `SELECT *` beside another column of the same name.
- Types: BIGINT, INTEGER, STRING (never VARCHAR, TEXT), DATE, BOOLEAN, DECIMAL(38,0), DOUBLE. Every NULL that makes a
  column is cast: `CAST(NULL AS STRING)`. `x::type`, HUGEINT, lists as columns of a table, intervals: no.
- SELECT, WITH, JOIN … ON (INNER, LEFT, FULL, CROSS), UNION [ALL], GROUP BY (also 1, 2), DISTINCT, CASE, IN, EXISTS,
  LIKE '…' [ESCAPE '!'], IS [NOT] DISTINCT FROM, `||`, (VALUES (…), (…)) t(a, b), FILTER (WHERE …). No QUALIFY, no USING,
  no `FROM t` without SELECT, no lateral names (an alias used beside its making).
- ORDER BY says NULLS FIRST or LAST wherever its key may be NULL: the engines' defaults differ. Texts compare by their
  UTF-8 bytes on both.
- Windows: ROW_NUMBER, RANK, SUM, COUNT, MIN, MAX OVER (PARTITION BY …). Without PARTITION BY one machine of a cluster
  sorts everything: only over what is small.
- Aggregates: COUNT, SUM, MIN, MAX, COUNT(DISTINCT x), array_agg(x) FILTER (WHERE x IS NOT NULL) (order not given: see
  join_ordered). A sum that is stored is cast: CAST(SUM(x) AS DECIMAL(38,0)). No string_agg, arg_max, first, any_value.
- Numbers: + - * % and divisions whose result is an integer (`royalties/distribution/allocate.sql` shows how). Nothing
  overflows silently. No //, no div, no floats in what is stored.
- Texts: length, lower, upper, trim(x), trim(TRAILING '/' FROM x), substr(x, from[, length]), split_part(x, mark, n),
  instr(x, part), replace, translate, concat (of what is never NULL), contains, lpad, rpad, chr(n), md5, sha256.
- Others: COALESCE, NULLIF, least, greatest, abs, round, bit_count, & and |.
- Lists, inside one statement only; each engine defines these (DuckDB by macros, Spark by its own or temporary functions; so
  sha256, split_at and join_ordered do not stand inside each other: a subquery parts them):
    split_at(x, mark)             the parts of a text between its marks (the mark is taken literally)
    array_size(list)              how many
    slice(list, from, count)      of a list, from 1 on
    array_join(list, mark)        one text; the mark is a literal, here and in join_ordered
    sequence(a, b)                whole numbers from a to b, where a <= b
    explode(list)                 in a SELECT list: one row an element; at most one a SELECT, no function of ours inside it
    join_ordered(list, cut, mark) sorts texts by their bytes, leaves out the first `cut` characters of each, and joins them

`engine.execute` takes four kinds of statement on every engine, each of the one SELECT it holds:
    CREATE OR REPLACE TABLE t AS SELECT …      CREATE OR REPLACE VIEW t AS SELECT …
    INSERT INTO t SELECT …                     DROP TABLE t   (or DROP VIEW t)
with parameters `?` in `rows` and `stream` only. What reads or writes files of people (CSV, JSON Lines, compressed) stays
on `engine.duck.connect()`, beside the worker, and may use all of DuckDB; its result is a Parquet file that any engine opens.
"""

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

    def interrupt(self) -> None:
        """End the query that runs now, from another thread; it raises there. Nothing happens where none runs."""

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
