"""The engine: steps of a script, and values that travel to PostgreSQL and back unchanged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from django.db import DataError, IntegrityError, connection, transaction
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from licensing.engine import connect
from licensing.engine.core import steps
from licensing.engine.duck import DuckEngine


@pytest.fixture
def engine() -> Iterator[DuckEngine]:
    with connect() as engine:
        yield engine


def test_a_script_is_cut_into_its_steps() -> None:
    script = "-- what this is\n\n-- step one: the first\nSELECT 1 AS n;\n\n-- step two\n-- a remark\nSELECT n + 1 AS n\nFROM one;\n"
    one, two = steps(script)
    assert (one.name, one.query) == ("one", "SELECT 1 AS n")
    assert two.name == "two"
    assert two.query.endswith("FROM one")


def test_each_step_is_a_table_for_the_next(engine: DuckEngine, tmp_path: Path) -> None:
    script = tmp_path / "s.sql"
    script.write_text("-- step one: x\nSELECT 1 AS n;\n-- step two: y\nSELECT n + 1 AS n FROM one;\n")
    seen: list[str] = []
    engine.run(script, progress=seen.append)
    assert seen == ["one", "two"]
    assert engine.rows("SELECT n FROM two") == [(2,)]


AWKWARD = [
    "",
    "\\N",
    '"',
    '"\\N"',
    "a,b",
    "line\nbreak",
    "\r\n",
    "가나",
    "NULL",
    " ",
    "\\",
    "'",
    "\t",
    "=1+1",
    "x" * 100_000,
    None,
]


def pairs() -> list[tuple[int, str | None]]:
    return list(enumerate(AWKWARD))


def test_a_table_of_python_s_own_rows(engine: DuckEngine) -> None:
    engine.table("t", {"n": "BIGINT", "s": "VARCHAR"}, iter(pairs()))
    assert engine.rows("SELECT n, s FROM t ORDER BY n") == pairs()
    engine.table("t", {"n": "BIGINT"})
    assert engine.rows("SELECT count(*) FROM t") == [(0,)]


@pytest.mark.django_db
def test_awkward_text_travels_both_ways(engine: DuckEngine) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE there (n bigint, s text)")
        cursor.execute("CREATE TEMP TABLE back (n bigint, s text)")
        cursor.executemany("INSERT INTO there VALUES (%s, %s)", pairs())
    assert engine.take("t", {"n": "BIGINT", "s": "VARCHAR"}, "SELECT n, s FROM there") == len(AWKWARD)
    assert engine.rows("SELECT n, s FROM t ORDER BY n") == pairs()
    assert engine.give("SELECT n, s FROM t", "back", ["n", "s"]) == len(AWKWARD)
    with connection.cursor() as cursor:
        cursor.execute("SELECT n, s FROM back ORDER BY n")
        assert cursor.fetchall() == pairs()


@pytest.mark.django_db
def test_other_types_travel(engine: DuckEngine) -> None:
    row = (2**63 - 1, Decimal("12345678901234567890.123"), dt.date(2026, 1, 31), True, ["a,b", 'c"', "가"])
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE there (i bigint, d numeric(38, 3), day date, b boolean, l text[])")
        cursor.execute("INSERT INTO there VALUES (%s, %s, %s, %s, %s), (NULL, NULL, NULL, NULL, NULL)", row)
    types = {"i": "BIGINT", "d": "DECIMAL(38, 3)", "day": "DATE", "b": "BOOLEAN", "l": "VARCHAR[]"}
    # Lists travel as JSON: the two databases write arrays differently.
    engine.take("t", types | {"l": "JSON"}, "SELECT i, d, day, b, to_json(l) FROM there")
    [found, nothing] = engine.rows("SELECT i, d, day, b, CAST(l AS VARCHAR[]) FROM t ORDER BY i NULLS LAST")
    assert found == row
    assert set(nothing) == {None}


@pytest.mark.django_db
def test_what_is_given_belongs_to_the_transaction(engine: DuckEngine) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE back (n bigint)")

    class Undone(Exception):
        pass

    def give_and_undo() -> None:
        with transaction.atomic():
            assert engine.give("SELECT 1 AS n", "back", ["n"]) == 1
            raise Undone

    with pytest.raises(Undone):
        give_and_undo()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM back")
        assert cursor.fetchone() == (0,)


TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=30)


@pytest.mark.django_db
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(rows=["\r"])
@given(rows=st.lists(st.one_of(st.none(), TEXT), max_size=20))
def test_any_text_travels(engine: DuckEngine, rows: list[str | None]) -> None:
    numbered = list(enumerate(rows))
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS back; CREATE TEMP TABLE back (n bigint, s text)")
    engine.table("t", {"n": "BIGINT", "s": "VARCHAR"}, numbered)
    engine.give("SELECT n, s FROM t", "back", ["n", "s"])
    engine.take("u", {"n": "BIGINT", "s": "VARCHAR"}, "SELECT n, s FROM back")
    assert engine.rows("SELECT n, s FROM u ORDER BY n") == numbered


def test_a_large_result_comes_in_pieces(engine: DuckEngine) -> None:
    sizes = [len(rows) for rows in engine.stream("SELECT * FROM range(25000)", size=10_000)]
    assert sum(sizes) == 25_000
    assert max(sizes) <= 10_000


def test_nothing_is_left_behind() -> None:
    with connect() as engine:
        folder = engine.folder
        engine.table("t", {"n": "BIGINT"}, [(1,)])
        assert folder.is_dir()
    assert not folder.exists()


def test_kept_tables(engine: DuckEngine, tmp_path: Path) -> None:
    engine.table("t", {"n": "BIGINT", "s": "VARCHAR"}, pairs())
    engine.save("t", tmp_path / "t.parquet")
    with connect() as other:
        other.open("kept", tmp_path / "t.parquet")
        assert other.rows("SELECT n, s FROM kept ORDER BY n") == pairs()


def test_no_extension_is_fetched(engine: DuckEngine) -> None:
    import duckdb

    with pytest.raises(duckdb.Error):
        engine.execute("SELECT * FROM read_xlsx('/nowhere.xlsx')")
    settings_: Any = dict(
        engine.rows("SELECT name, value FROM duckdb_settings() WHERE name LIKE 'auto%known_extensions'")
    )
    assert set(settings_.values()) == {"false"}


LATE = "SELECT i AS n, CASE WHEN i = 399999 THEN error('spoilt') ELSE 'text' END AS s FROM range(400000) t(i)"


@pytest.mark.django_db
def test_what_fails_on_its_way_to_postgresql_is_raised_and_leaves_nothing(engine: DuckEngine) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE kept (n bigint CHECK (n <> 200000), s text)")
        with pytest.raises(duckdb.Error, match="spoilt"), transaction.atomic():
            engine.give(LATE.replace("400000", "150000").replace("399999", "149999"), "kept", ["n", "s"])
        with pytest.raises(IntegrityError, match="kept_n_check"), transaction.atomic():
            engine.give("SELECT i AS n, 'text' AS s FROM range(400000) t(i)", "kept", ["n", "s"])
        cursor.execute("SELECT count(*) FROM kept")
        assert cursor.fetchone() == (0,)
    assert engine.rows("SELECT 1") == [(1,)]


@pytest.mark.django_db
def test_what_fails_on_its_way_from_postgresql_is_raised(engine: DuckEngine) -> None:
    rows = "SELECT i, 1 / (399999 - i) FROM generate_series(1, 400000) i"
    with pytest.raises(DataError, match="division by zero"), transaction.atomic():
        engine.take("t", {"n": "BIGINT", "m": "BIGINT"}, rows)
    with pytest.raises(duckdb.Error), transaction.atomic():  # text where the engine wants numbers
        engine.take("t", {"n": "BIGINT"}, "SELECT repeat('x', 100) FROM generate_series(1, 400000)")
    assert engine.take("t", {"n": "BIGINT"}, "SELECT 1") == 1
