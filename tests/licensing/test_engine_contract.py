"""What every engine promises (engine/core.py): the same statements, the same functions, the same values on their way.

DuckDB always; Apache Spark on a real cluster by `make test-spark`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from licensing.engine import connect, duck
from licensing.engine.core import Engine

AWKWARD = [
    "", "\\N", '"', '"\\N"', "a,b", "line\nbreak", "\r\n", "가나", "NULL", " ", "\\", "'", "\t", "=1+1", "x" * 100_000, "e\u0301", "é",
    "🎼", "Z", "a", "b.c..d", "%", "_", "\\Q.\\E", None,
]  # fmt: skip
TEXT = {"n": "BIGINT", "s": "VARCHAR"}


@pytest.fixture(params=["duckdb", "spark"])
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    if request.param == "spark":
        request.getfixturevalue("on_spark")
    with connect() as engine:
        yield engine


def texts() -> list[tuple[int, str | None]]:
    return list(enumerate(AWKWARD))


@pytest.mark.django_db
def test_awkward_text_comes_from_python_and_goes_to_postgresql_and_back(engine: Engine) -> None:
    engine.table("t", TEXT, iter(texts()))
    assert engine.rows("SELECT n, s FROM t ORDER BY n") == texts()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE there (n bigint, s text)")
        assert engine.give("SELECT n, s FROM t", "there", ["n", "s"]) == len(AWKWARD)
        cursor.execute("SELECT n, s FROM there ORDER BY n")
        assert cursor.fetchall() == texts()
    assert engine.take("back", TEXT, "SELECT n, s FROM there WHERE n >= %s", [0]) == len(AWKWARD)
    assert engine.rows("SELECT n, s FROM back ORDER BY n") == texts()


@pytest.mark.django_db
def test_other_types_travel(engine: Engine) -> None:
    rows = [
        (2**63 - 1, Decimal(10**38 - 1), dt.date(1, 1, 1), True, 7),
        (-(2**63), Decimal(0), dt.date(9999, 12, 31), False, -7),
        (None, None, None, None, None),
    ]
    types = {"i": "BIGINT", "d": "DECIMAL(38,0)", "day": "DATE", "b": "BOOLEAN", "k": "INTEGER"}
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE there (i bigint, d numeric(38), day date, b boolean, k integer)")
        cursor.executemany("INSERT INTO there VALUES (%s, %s, %s, %s, %s)", rows)
        engine.take("t", types, "SELECT * FROM there")
        assert engine.rows("SELECT * FROM t ORDER BY i DESC NULLS LAST") == rows
        cursor.execute("DELETE FROM there")
        engine.give("SELECT i, d, day, b, k FROM t", "there", list(types))
        cursor.execute("SELECT * FROM there ORDER BY i DESC NULLS LAST")
        assert cursor.fetchall() == rows


@pytest.mark.django_db
def test_rows_are_given_and_streamed_in_their_order(engine: Engine) -> None:
    many = list(range(30_000))
    random.Random(5).shuffle(many)
    engine.table("t", {"n": "BIGINT"}, ((n,) for n in many))
    pieces = list(engine.stream("SELECT n, CONCAT('text ', n) AS s FROM t WHERE n >= ? ORDER BY n", [1], size=7_000))
    assert max(map(len, pieces)) <= 7_000
    assert [row for piece in pieces for row in piece] == [(n, f"text {n}") for n in range(1, 30_000)]
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE back (place serial, n bigint)")
        assert engine.give("SELECT n FROM t ORDER BY n DESC", "back", ["n"]) == 30_000
        cursor.execute("SELECT count(*) FROM back WHERE n <> 30000 - place")
        assert cursor.fetchone() == (0,)
        assert engine.give("SELECT n FROM t WHERE n < 0", "back", ["n"]) == 0
    assert list(engine.stream("SELECT n FROM t WHERE n < 0")) == []


@pytest.mark.django_db
def test_what_fails_on_its_way_is_raised_and_leaves_nothing(engine: Engine) -> None:
    engine.table("t", {"n": "BIGINT"}, ((n,) for n in range(20_000)))
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE kept (n bigint CHECK (n <> 15000))")
        with pytest.raises(IntegrityError, match="kept_n_check"), transaction.atomic():
            engine.give("SELECT n FROM t", "kept", ["n"])
        with pytest.raises(DataError, match="division by zero"), transaction.atomic():
            engine.take("u", {"n": "BIGINT"}, "SELECT 1 / (100 - i) FROM generate_series(1, 100) i")
        with pytest.raises(Exception, match=r"(?i)conver"), transaction.atomic():  # text where the engine wants numbers
            engine.take("u", {"n": "BIGINT"}, "SELECT 'x'")
        cursor.execute("SELECT count(*) FROM kept")
        assert cursor.fetchone() == (0,)
    assert engine.rows("SELECT count(*) FROM t") == [(20_000,)]


@pytest.mark.parametrize(
    "wrong",
    [
        "SELECT n * 9223372036854775807 FROM t",
        "SELECT CAST(s AS BIGINT) FROM t",
        "SELECT CAST(CAST(n AS DECIMAL(38,0)) * CAST('99999999999999999999999999999999999999' AS DECIMAL(38,0)) AS DECIMAL(38,0)) FROM t",
        "SELECT CAST(n * 3000000000 AS INTEGER) FROM t",
    ],
)
def test_nothing_overflows_silently(engine: Engine, wrong: str) -> None:
    engine.table("t", TEXT, [(3, "many")])
    with pytest.raises(Exception, match=r"(?i)overflow|out of range|convert|cast|NUMERIC_VALUE"):
        engine.rows(wrong)


def test_the_four_statements(engine: Engine) -> None:
    engine.table("t", TEXT, [(1, "one"), (2, None)])
    engine.execute("CREATE OR REPLACE VIEW doubled AS SELECT n * 2 AS n, s FROM t")
    engine.execute("CREATE OR REPLACE TABLE kept AS SELECT n, s FROM doubled")
    engine.execute("INSERT INTO t SELECT 3, NULL")
    engine.execute("INSERT INTO t\n SELECT n + 3, s FROM t WHERE s IS NOT NULL")
    assert engine.rows("SELECT n, s FROM t ORDER BY n") == [(1, "one"), (2, None), (3, None), (4, "one")]
    assert engine.rows("SELECT n FROM doubled ORDER BY n") == [(2,), (4,), (6,), (8,)], "a view looks anew"
    assert engine.rows("SELECT n FROM kept ORDER BY n") == [(2,), (4,)], "a table stays as it was"
    engine.execute("CREATE OR REPLACE TABLE kept AS SELECT n + 1 AS n FROM kept")
    assert engine.rows("SELECT n FROM kept ORDER BY n") == [(3,), (5,)], "a table may be made of itself"
    engine.execute("DROP VIEW doubled")
    engine.execute("DROP TABLE kept")
    for gone in ("doubled", "kept"):
        with pytest.raises(Exception, match=gone):
            engine.rows(f"SELECT count(*) FROM {gone}")


def test_steps_follow_each_other(engine: Engine, tmp_path: Path) -> None:
    script = tmp_path / "s.sql"
    script.write_text(
        "-- step one: x\nSELECT n + 1 AS n FROM given;\n-- view half: y\nSELECT n FROM one WHERE n % 2 = 0;\n"
        "-- step two\nSELECT SUM(n) AS total FROM half;\n"
    )
    engine.table("given", {"n": "BIGINT"}, [(n,) for n in range(5)])
    seen: list[str] = []
    engine.run(script, progress=seen.append)
    assert seen == ["one", "half", "two"]
    assert [int(total) for (total,) in engine.rows("SELECT total FROM two")] == [6]


def test_kept_tables_open_on_every_engine(engine: Engine, tmp_path: Path) -> None:
    engine.table("t", TEXT, texts())
    engine.execute("INSERT INTO t SELECT n + 100, s FROM t")
    engine.save("t", tmp_path / "t")
    engine.open("again", tmp_path / "t", tmp_path / "t")
    assert engine.rows("SELECT count(*), count(s) FROM again") == [(4 * len(AWKWARD), 4 * len(AWKWARD) - 4)]
    with duck.connect() as other:
        other.open("kept", tmp_path / "t")
        assert other.rows("SELECT n, s FROM kept WHERE n < 100 ORDER BY n") == texts()
        other.save("kept", tmp_path / "back")
    engine.open("back", tmp_path / "back")
    assert engine.rows("SELECT n, s FROM back WHERE n < 100 ORDER BY n") == texts()


def test_files_vanish_with_the_engine(engine: Engine) -> None:
    with connect() as other:
        other.table("t", TEXT, texts())
        folders = {other.folder, getattr(other, "shared", other.folder)}
        assert all(folder.is_dir() for folder in folders)
    assert not any(folder.exists() for folder in folders)


def test_text_is_compared_by_its_bytes(engine: Engine) -> None:
    some = [text for text in AWKWARD if text is not None]
    engine.table("t", {"s": "VARCHAR"}, [(text,) for text in some])
    ordered = sorted(some, key=lambda text: text.encode())
    assert [text for (text,) in engine.rows("SELECT s FROM t ORDER BY s")] == ordered
    assert engine.rows("SELECT MIN(s), MAX(s), COUNT(DISTINCT s) FROM t") == [(ordered[0], ordered[-1], len(some))]
    ranks = engine.rows("SELECT ROW_NUMBER() OVER (PARTITION BY 1 ORDER BY s) AS place, s FROM t")
    assert [text for _place, text in sorted(ranks)] == ordered


def test_texts(engine: Engine) -> None:
    some = [text for text in AWKWARD if text is not None]
    engine.table("t", {"s": "VARCHAR"}, [(text,) for text in some])
    found = engine.rows(
        """SELECT s, length(s), md5(s), sha256(s), substr(s, 2), substr(s, 1, 1), instr(s, '.'), split_part(s, '.', 1),
        replace(s, 'a', 'bb'), trim(TRAILING '/' FROM s || '//'), contains(s, '"'), s LIKE '%a_%', s LIKE '!%' ESCAPE '!',
        CONCAT(length(s), ':', s), s || chr(10), lpad(s, 3, '0') FROM t"""
    )
    assert {row[0]: row[1:] for row in found} == {
        s: (
            len(s), hashlib.md5(s.encode()).hexdigest(), hashlib.sha256(s.encode()).hexdigest(), s[1:], s[:1], s.find(".") + 1,
            s.split(".")[0], s.replace("a", "bb"), s, '"' in s, "a" in s[:-1], s == "%", f"{len(s)}:{s}", s + "\n",
            s.rjust(3, "0")[:3],
        )
        for s in some
    }  # fmt: skip


@pytest.mark.parametrize("mark", [".", "/", "|", "\\", "\\E", "a"])
def test_lists(engine: Engine, mark: str) -> None:
    engine.table(
        "t", {"s": "VARCHAR", "mark": "VARCHAR"}, [(t.replace("a", mark), mark) for t in AWKWARD if t is not None]
    )
    rows = engine.rows(
        """SELECT s, n, array_size(parts), array_join(slice(parts, n, array_size(parts) - n + 1), '|') AS rest
        FROM (SELECT s, parts, explode(sequence(1, array_size(parts))) AS n
              FROM (SELECT DISTINCT s, split_at(s, mark) AS parts FROM t) a) b"""
    )
    expected = []
    for text in {t.replace("a", mark) for t in AWKWARD if t is not None}:
        parts = text.split(mark)
        expected += [(text, n, len(parts), "|".join(parts[n - 1 :])) for n in range(1, len(parts) + 1)]
    assert sorted(rows) == sorted(expected)


def test_texts_joined_in_order(engine: Engine) -> None:
    engine.table("t", TEXT, [(n % 3, s and s[:50]) for n, s in texts()] + [(9, None)])
    found = engine.rows(
        """SELECT n, COALESCE(join_ordered(array_agg(CONCAT(n + 1, s)) FILTER (WHERE s IS NOT NULL), 1, '|'), '') FROM t
        GROUP BY n ORDER BY n"""
    )
    expected: list[Any] = []
    for group in range(3):
        some = [s[:50] for n, s in texts() if n % 3 == group and s is not None]
        expected.append((group, "|".join(sorted(some, key=lambda text: text.encode()))))
    assert found == [*expected, (9, "")]


def test_sums_are_exact(engine: Engine) -> None:
    numbers = [10**37, 10**15 - 1, 7, 3]
    engine.table("t", {"n": "DECIMAL(38,0)"}, [(n,) for n in numbers])
    [(total, rest)] = engine.rows(
        "SELECT CAST(SUM(n) AS DECIMAL(38,0)), CAST(SUM(n) % 1000003 AS DECIMAL(38,0)) FROM t"
    )
    assert (int(total), int(rest)) == (sum(numbers), sum(numbers) % 1000003)
