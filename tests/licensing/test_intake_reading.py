"""Hostile and odd files: each ends as a Refusal for the whole file, or as rejects with the row numbers that a person sees."""

from __future__ import annotations

import functools
import gzip
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.identity.core import Refusal
from licensing.engine import connect
from licensing.engine.duck import DuckEngine
from licensing.intake import core
from licensing.intake.core import Limits, TableSpec
from licensing.intake.reading import Format, load, numbered, open_table, refusing, settle

packed = functools.partial(gzip.compress, mtime=0)  # without the time of day, so that each run has the same cases

SPEC = TableSpec(required=("ref", "name"), optional=("units",))


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckEngine]:
    with connect() as engine:
        yield engine


@pytest.fixture
def read(engine: DuckEngine, tmp_path: Path) -> Any:
    """Read bytes; returns the rows as (row, ref, name, units), and the rejects as (row, reason)."""

    def reading(data: bytes, limits: Limits | None = None, spec: TableSpec = SPEC) -> tuple[list[Any], list[Any]]:
        path = tmp_path / "file"
        path.write_bytes(data)
        return read_all(engine, path, limits, spec)

    return reading


def read_all(
    engine: DuckEngine, path: Path, limits: Limits | None = None, spec: TableSpec = SPEC
) -> tuple[list[Any], list[Any]]:
    with refusing():
        file = open_table(engine, path, spec=spec, limits=limits)
        streamed = engine.rows("SELECT count(*) FROM raw")[0][0]
        settle(engine, file)
        numbered(engine, file, into="found")
    rows = engine.rows("SELECT row, ref, name, units FROM found ORDER BY row")
    assert streamed == len(rows), "a row is either streamed and numbered, or neither"
    return rows, engine.rows("SELECT row, reason FROM rejects ORDER BY row")


def refusal(read: Any, data: bytes, **options: Any) -> str:
    with pytest.raises(Refusal) as caught:
        read(data, **options)
    return caught.value.code


GOOD = [(2, "a", "Ada", "1"), (3, "b", "Bo", None)]


@pytest.mark.parametrize(
    "data",
    [
        b"ref,name,units\na,Ada,1\nb,Bo,\n",
        b"ref,name,units\r\na,Ada,1\r\nb,Bo,\r\n",
        b"ref,name,units\ra,Ada,1\rb,Bo,",
        b"ref\tname\tunits\na\tAda\t1\nb\tBo\t",
        b"ref;name;units\na;Ada;1\nb;Bo;\n",
        b"\xef\xbb\xbfref,name,units\na,Ada,1\nb,Bo,\n",
        b" Ref , NAME,Units \na,Ada,1\nb,Bo,\n",
        b"units,ref,extra,name,\n1,a,x,Ada,\n,b,,Bo,\n",
        b'"ref","name","units"\n"a","Ada","1"\n"b","Bo",""\n',
        b"ref,name,units\na,Ada,1\r\nb,Bo,\n",
        packed(b"ref,name,units\na,Ada,1\nb,Bo,\n"),
        packed(b"ref,name,units\na,A") + packed(b"da,1\nb,Bo,\n"),
        zstandard.compress(b"ref,name,units\na,Ada,1\nb,Bo,\n"),
        zstandard.compress(b"ref,name,units\na,A") + zstandard.compress(b"da,1\nb,Bo,\n"),
    ],
)
def test_the_same_rows_from_every_dialect(read: Any, data: bytes) -> None:
    assert read(data) == (GOOD, [])


def test_cp949_is_detected(read: Any) -> None:
    text = "ref,name,units\na,홍길동,1\nb,뷁,2\n"
    assert read(text.encode("cp949")) == read(text.encode())
    assert read(text.encode("cp949"))[0][1] == (3, "b", "뷁", "2")


def test_cp949_after_a_million_plain_bytes(read: Any) -> None:
    plain = "".join(f"r{i},name,1\n" for i in range(200_000))
    rows, rejects = read(("ref,name,units\n" + plain + "x,한글,1\n").encode("cp949"))
    assert rows[-1] == (200_002, "x", "한글", "1") and not rejects


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\n\n \n", "empty_file"),
        (packed(b""), "empty_file"),
        (b"ref,name,units", "no_rows"),
        (b"ref,name,units\n\n\r\n", "no_rows"),
        (b"ref,units\na,1\n", "missing_columns"),
        (b"a,Ada,1\nb,Bo,2\n", "missing_columns"),
        (b"ref,name,name\na,Ada,1\n", "duplicate_columns"),
        (bytes(random.Random(1).randbytes(5000)), "binary_file"),
        (b"PK\x03\x04rubbish", "unknown_format"),
        ("ref,name\na,b\n".encode("utf-16"), "unknown_format"),
        ("ref,name\na,b\n".encode("utf-16-le"), "binary_file"),
        (b'[{"ref": "a", "name": "Ada"}]', "unknown_format"),
        (b'{"ref": "a"}\n', "missing_columns"),
        (b"PAR1 but nothing that follows", "unreadable_file"),
        (packed(b"ref,name\na,b\n" * 1000)[:-9], "damaged_archive"),
        (packed(b"ref,name\na,b\n")[:15], "damaged_archive"),
        (zstandard.compress(random.Random(2).randbytes(9000).hex().encode())[:-9], "damaged_archive"),
        (b"\x1f\x8brubbish", "damaged_archive"),
        (b"\x28\xb5\x2f\xfdrubbish", "damaged_archive"),
        (packed(packed(b"ref,name\na,b\n")), "packed_twice"),
        (packed(zstandard.compress(b"ref,name\na,b\n")), "packed_twice"),
    ],
)
def test_a_file_that_is_none_is_refused(read: Any, data: bytes, code: str) -> None:
    assert refusal(read, data) == code


def test_where_a_file_lies_is_not_told(read: Any) -> None:
    with pytest.raises(Refusal) as caught:
        read(b"PAR1 but nothing that follows")
    assert "damaged" in str(caught.value.detail) and "/" not in str(caught.value.detail)


def test_missing_columns_are_named(read: Any) -> None:
    with pytest.raises(Refusal) as caught:
        read(b"identifier,title\n1,2\n")
    assert "ref, name" in caught.value.detail and "identifier, title" in caught.value.detail
    assert [e["pointer"] for e in caught.value.errors] == ["/columns/ref", "/columns/name"]


@pytest.mark.parametrize("pack", [packed, zstandard.compress])
def test_a_bomb_is_stopped_while_it_unpacks(read: Any, pack: Any) -> None:
    bomb = pack(b"ref,name\n" + b"a,b\n" * 40_000_000)
    assert len(bomb) < 700_000
    assert refusal(read, bomb) == "too_large"
    assert refusal(read, pack(b"ref,name\n" + b"a,b\n" * 5000), limits=Limits(unpacked_bytes=10_000)) == "too_large"


def test_a_zst_with_a_huge_window_is_refused(read: Any) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=30, write_content_size=False)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    data = packer.compress(b"ref,name\n" + b"a,b\n" * 100) + packer.flush()
    assert refusal(read, data) == "damaged_archive"


def test_deep_nesting_and_many_columns(read: Any, engine: DuckEngine, tmp_path: Path) -> None:
    deep = b'{"ref":"a","name":"x","more":' + b"[" * 30_000 + b"]" * 30_000 + b"}\n"
    rows, _ = read(b'{"ref":"a","name":"x"}\n' + deep + b'{"ref":"b","name":"y"}\n')
    assert [r[1] for r in rows if r[0] != 2] == ["a", "b"]
    assert refusal(read, deep) == "missing_columns"
    assert refusal(read, b"ref,name" + b",x" * 2000 + b"\na,b\n") == "too_many_columns"
    path = parquet(tmp_path / "f", "SELECT 'a' AS ref, 'b' AS name, 1 AS file_row_number")
    with pytest.raises(Refusal, match="file_row_number"):
        read_all(engine, path)
    path = parquet(tmp_path / "f", "SELECT 'a' AS ref, md5(r::VARCHAR) AS name FROM range(9000) AS t(r)")
    with pytest.raises(Refusal, match="larger than"):
        read_all(engine, path, Limits(unpacked_bytes=10_000))


def test_too_many_rows_are_refused(read: Any) -> None:
    assert refusal(read, b"ref,name\n" + b"a,b\n" * 50, limits=Limits(rows=20)) == "too_many_rows"


def test_rows_with_too_few_or_too_many_fields_lose_only_themselves(read: Any) -> None:
    rows, rejects = read(b"ref,name,units\na,Ada,1\n\nb,Bo\nc,Cy,3,4\nd,Di,5\n")
    assert [r[0] for r in rows] == [2, 6]
    assert rejects == [(4, core.TOO_FEW), (5, core.TOO_MANY)]


def test_an_unclosed_quote_loses_only_its_row(read: Any) -> None:
    rows, rejects = read(b'ref,name,units\na,Ada,1\nb,"Bo,2\nc,Cy,3\nd,"D,i",4\ne,"E"e",5\nf,Fa,6\n')
    assert [r[1] for r in rows] == ["a", "c", "d", "f"]
    assert rejects == [(3, core.UNCLOSED), (6, core.UNCLOSED)]


def test_stray_quotes_with_an_even_count_swallow_nothing(read: Any) -> None:
    rows, rejects = read(b'ref,name,units\na,Ada,1\nb"x,"Bo,2\nc,Cy,3\nd,Di,"4"\n')
    assert [r[:2] for r in rows] == [(2, "a"), (4, "c"), (5, "d")]
    assert rejects == [(3, core.UNCLOSED)]


def test_an_unclosed_quote_at_the_end_of_the_file(read: Any) -> None:
    rows, rejects = read(b'ref,name,units\na,Ada,1\nb,"Bo')
    assert rows == [(2, "a", "Ada", "1")] and rejects == [(3, core.UNCLOSED)]


def test_a_record_of_several_lines_is_one_row(read: Any) -> None:
    rows, rejects = read(b'ref,name,units\na,"Ada\nof\n\nLondon",1\nb\nc,"says ""hi""",3\n')
    assert rows == [(2, "a", "Ada of  London", "1"), (4, "c", 'says "hi"', "3")]
    assert rejects == [(3, core.TOO_FEW)]


def test_nul_and_broken_bytes_reject_their_row(read: Any) -> None:
    rows, rejects = read("ref,name,units\na,가나,1\n".encode() + b"b,B\0o,2\nc,C\xffy,3\n\xff\nd,Di,4\n")
    assert [r[:2] for r in rows] == [(2, "a"), (6, "d")]
    assert rejects == [(3, core.NUL_BYTE), (4, core.BAD_BYTES), (5, core.BAD_BYTES)]


def test_enormous_cells_reject_their_row(read: Any) -> None:
    long = b"x" * 100_000
    rows, rejects = read(b"ref,name,units\na," + long + b",1\nb,Bo,2\nc," + long * 30 + b",3\nd,Di,4\n" + long * 40)
    assert [r[:2] for r in rows] == [(3, "b"), (5, "d")]
    assert rejects == [(2, core.TOO_LONG), (4, core.TOO_LONG), (6, core.TOO_LONG)]


def test_formulas_stay_text(read: Any) -> None:
    assert read(b"ref,name,units\n=1+1,@SUM(A1),-5\n")[0] == [(2, "=1+1", "@SUM(A1)", "-5")]


def test_json_lines(read: Any) -> None:
    lines = [
        '{"ref":"a","name":"Ada","units":1}',
        "",
        '{"ref":"b","name":null,"units":1e3}',
        '{"ref":"c","name":"Cy","units":1.5}',
        '{"ref":"d","name":true}',
        '{"ref":"e","name":["x"],"units":1}',
        '{"ref":"f","name":{"x":1},"units":1}',
        '{"ref":"g"',
        "[1,2]",
        '"text"',
        '{"ref":"h","name":"[x] {y}","units":10000000000000000}',
        '{"ref":"i","name":"\\u0000"}',
        '{"ref":"j","name":"가\\n나"}',
    ]
    rows, rejects = read("\n".join(lines).encode())
    assert rows == [
        (1, "a", "Ada", "1"),
        (3, "b", None, "1000.0"),
        (4, "c", "Cy", "1.5"),
        (5, "d", "true", None),
        (11, "h", "[x] {y}", "10000000000000000"),
        (13, "j", "가\n나", None),
    ]
    assert rejects == [(r, core.NOT_OBJECT) for r in (6, 7, 8, 9, 10)] + [(12, core.NUL_BYTE)]


def test_json_lines_with_broken_bytes_and_long_lines(read: Any) -> None:
    def line(i: int, name: bytes) -> bytes:
        return b'{"Ref":"%d","name":"%s"}\n' % (i, name)

    rows, rejects = read(
        b"\xef\xbb\xbf"
        + line(1, b"a")
        + line(2, b"\xff")
        + line(3, b"x" * 70_000)
        + line(4, b"x" * 2_000_000)
        + line(5, b"b")
    )
    assert [r[:2] for r in rows] == [(1, "1"), (5, "5")]
    assert rejects == [(2, core.BAD_BYTES), (3, core.TOO_LONG), (4, core.TOO_LONG)]


def parquet(path: Path, select: str) -> Path:
    duckdb.sql(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path


def test_parquet_types_become_text_that_means_the_same(engine: DuckEngine, tmp_path: Path) -> None:
    def units(sql: str) -> Any:
        path = parquet(tmp_path / "f", f"SELECT 'a' AS ref, 'Ada' AS \"Name\", {sql} AS units")
        return read_all(engine, path)[0][0][3]

    assert units("1000") == "1000" and units("CAST(12 AS UTINYINT)") == "12"
    assert units("CAST(1000 AS DOUBLE)") == "1000.0"
    assert units("CAST(1.60 AS DECIMAL(9,2))") == "1.60"
    assert units("CAST('10000000000000000000' AS HUGEINT)") in ("10000000000000000000", "1e+19")
    assert units("TIMESTAMP '2026-01-02 00:00:00'") == "2026-01-02"
    assert units("TIMESTAMP '2026-01-02 00:00:01'") == "2026-01-02 00:00:01"
    assert units("DATE '2026-01-02'") == "2026-01-02"
    assert units("true") == "true" and units("NULL::INTEGER") is None and units("''") is None
    with pytest.raises(Refusal, match="units"):
        units("[1]")


def test_parquet_rows_count_from_one_and_bad_cells_are_rejected(engine: DuckEngine, tmp_path: Path) -> None:
    path = parquet(
        tmp_path / "f",
        "SELECT r::VARCHAR AS ref, CASE r WHEN 7 THEN 'x' || chr(0) WHEN 9 THEN repeat('y', 100000) ELSE 'n' END AS name, r AS units "
        "FROM range(1, 200001) AS t(r)",
    )
    rows, rejects = read_all(engine, path)
    assert rejects == [(7, core.NUL_BYTE), (9, core.CELL_TOO_LONG)]
    assert len(rows) == 199_998 and all(str(row) == ref for row, ref, *_ in rows)


def test_parquet_that_is_damaged_or_empty_is_refused(engine: DuckEngine, tmp_path: Path) -> None:
    whole = parquet(
        tmp_path / "f", "SELECT 'r' || r AS ref, md5(r::VARCHAR) AS name FROM range(50000) AS t(r)"
    ).read_bytes()
    for data in (whole[:-500], whole[: len(whole) // 2], whole[:1000] + b"\xff" * 5000 + whole[6000:]):
        (tmp_path / "f").write_bytes(data)
        with pytest.raises(Refusal):
            read_all(engine, tmp_path / "f")
    with pytest.raises(Refusal, match="no rows"):
        read_all(engine, parquet(tmp_path / "f", "SELECT 'r' AS ref, 'n' AS name WHERE false"))
    rows, _ = read_all(engine, _packed(tmp_path, whole))
    assert len(rows) == 50_000


def _packed(folder: Path, data: bytes) -> Path:
    path = folder / "packed"
    path.write_bytes(packed(data))
    return path


def test_row_numbers_hold_over_many_buffers(engine: DuckEngine, tmp_path: Path) -> None:
    dice = random.Random(7)
    kinds = ["\n", "a\n", "a,b,c,d\n", f"a,{'x' * 90_000},3\n"]
    expected = []
    path = tmp_path / "f"
    with path.open("w") as out:
        out.write("ref,name,units\n")
        for row in range(2, 2_000_000):
            if dice.random() < 0.00005:
                kind = dice.randrange(4)
                out.write(kinds[kind])
                if kind:
                    expected.append((row, (core.TOO_FEW, core.TOO_MANY, core.TOO_LONG)[kind - 1]))
            else:
                out.write(f"some-longer-reference,name of the row,{row}\n")
    load(engine, path, spec=SPEC, into="found")
    assert engine.rows("SELECT row, reason FROM rejects ORDER BY row") == expected
    assert engine.rows("SELECT count(*) FROM found WHERE row <> CAST(units AS BIGINT)") == [(0,)]


CELL = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufdd0\ufdd1\ufdd2\ufdd3\ufeff"), max_size=12
)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(CELL, CELL, st.sampled_from(["", '"', "\n", "\r\n", ","])), min_size=1, max_size=8),
    st.booleans(),
)
def test_what_a_csv_writer_wrote_is_what_is_read(cells: list[tuple[str, str, str]], quote: bool) -> None:
    import csv
    import io
    import tempfile

    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL if quote else csv.QUOTE_MINIMAL)
    writer.writerow(SPEC.columns)
    rows = [(f"r{i}", f"{a}{extra}{b}", b) for i, (a, b, extra) in enumerate(cells)]
    writer.writerows(rows)
    with connect() as engine, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "f"
        path.write_bytes(out.getvalue().encode())
        found, rejects = read_all(engine, path)

    def text(value: str) -> str | None:
        return value.replace("\r\n", "\n").replace("\n", " ") or None

    assert not rejects
    assert found == [(i, ref, text(name), text(units)) for i, (ref, name, units) in enumerate(rows, 2)]


def test_json_round_trip_of_a_format(engine: DuckEngine, tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text(json.dumps({"ref": "a", "name": "b", "more": 1}))
    file: Format = open_table(engine, path, spec=SPEC)
    assert (file.kind, file.ignored, file.encoding) == ("jsonl", ("more",), "utf-8")
