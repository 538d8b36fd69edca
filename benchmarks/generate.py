"""A seeded world to measure on: a society with many works and a declaration whose lines follow Zipf's law.

Everything is written by DuckDB from hashes of row numbers, so the same sizes give the same bytes on any machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

UNKNOWN_PERCENT = 3


@dataclass(frozen=True)
class World:
    """How large: lines of the declaration, works, holders."""

    lines: int = 10_000_000
    works: int = 1_000_000
    holders: int = 200_000

    @property
    def name(self) -> str:
        return f"{self.lines}-{self.works}-{self.holders}"


# An identifier for the work of number `i`: sixty in a hundred books, twenty domains, twenty of the society's numbers.
MACROS = """
CREATE MACRO digits12(i) AS '978' || lpad(CAST(i AS VARCHAR), 9, '0');
CREATE MACRO digit(s, k) AS CAST(substr(s, CAST(k AS INT), 1) AS INT);
CREATE MACRO odd(s) AS list_sum(list_transform(range(1, 7), lambda k: digit(s, 2 * k - 1)));
CREATE MACRO even(s) AS list_sum(list_transform(range(1, 7), lambda k: digit(s, 2 * k)));
CREATE MACRO checked(s) AS s || CAST((10 - (odd(s) + 3 * even(s)) % 10) % 10 AS VARCHAR);
CREATE MACRO scheme_of(i) AS
  CASE WHEN i % 10 < 6 THEN 'isbn' WHEN i % 10 < 8 THEN 'domain' ELSE 'proprietary' END;
CREATE MACRO value_of(i) AS
  CASE WHEN i % 10 < 6 THEN checked(digits12(i)) WHEN i % 10 < 8 THEN 'site' || i || '.com' ELSE 'BENCH-' || i END;
CREATE MACRO kind_of(i) AS CASE WHEN i % 10 < 6 THEN 'book' WHEN i % 10 < 8 THEN 'web' ELSE 'text' END;
CREATE MACRO chance(topic, i, n) AS hash(topic || ':' || i) % n;
CREATE MACRO uniform(topic, i) AS (hash(topic || ':' || i) % 1000000007) / 1000000007.0;
"""
PARTS = "(1 + chance('parts', i, 4))"  # one to four holders a work: two and a half on average


def queries(world: World) -> dict[str, str]:
    """The query behind each file. The rank of a line's work is log-uniform, which is Zipf's law with exponent one;
    an unknown work lies beyond those that are registered.
    """
    return {
        "holders.csv": f"""
            SELECT 'H' || i AS holder_ref, 'Holder ' || i AS name, 'person' AS kind FROM range({world.holders}) t(i)""",
        "works.csv": f"""
            SELECT 'W' || i AS work_ref, kind_of(i) AS kind, 'Work number ' || i AS title,
                   scheme_of(i) || ':' || value_of(i) AS identifiers
            FROM range({world.works}) t(i)""",
        "shares.csv": f"""
            SELECT 'W' || i AS work_ref,
                   'H' || ((chance('holder', i, {world.holders}) + 7919 * k) % {world.holders}) AS holder_ref,
                   'author' AS role, '1/' || {PARTS} AS share
            FROM range({world.works}) t(i), range(4) p(k) WHERE k < {PARTS}""",
        "mandates.csv": f"""
            SELECT 'H' || i AS holder_ref, '*' AS uses, DATE '2026-01-01' AS valid_from
            FROM range({world.holders}) t(i)""",
        "declaration.csv": f"""
            SELECT scheme_of(w) AS identifier_type, value_of(w) AS identifier, 1 + chance('units', j, 5000) AS units
            FROM (SELECT j, CAST(floor(pow({world.works}, uniform('rank', j))) - 1 AS BIGINT)
                     + CASE WHEN chance('unknown', j, 100) < {UNKNOWN_PERCENT} THEN {world.works} ELSE 0 END AS w
                  FROM range({world.lines}) t(j))""",
    }


def generate(folder: Path, world: World) -> dict[str, Path]:
    """Write holders, works, shares, mandates and the declaration (CSV and Parquet) once; returns their paths."""
    folder = folder / world.name
    made = queries(world)
    paths = {name: folder / name for name in [*made, "declaration.parquet"]}
    if all(path.exists() for path in paths.values()):
        return paths
    folder.mkdir(parents=True, exist_ok=True)
    db = duckdb.connect(config={"temp_directory": str(folder / "spill"), "memory_limit": "4GB"})
    db.execute(MACROS)
    for name, query in made.items():
        db.execute(f"COPY ({query}) TO '{paths[name]}' (FORMAT csv, HEADER true)")
    lines = f"SELECT * FROM read_csv('{paths['declaration.csv']}', all_varchar = true)"
    db.execute(f"COPY ({lines}) TO '{paths['declaration.parquet']}'")
    db.close()
    return paths
