"""Files as people send them: every format gives the same rows, and nothing hostile gets half way."""

from __future__ import annotations

import csv
import gzip
import io
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
import zstandard
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.identity.core import Refusal
from licensing.declarations import grouping, services
from licensing.declarations.models import Declaration, DeclaredUse
from licensing.matching.core import title_key
from tests.licensing.declaring import ISBN, Firm, counts, declare, firm, lines, rejects, uses

pytestmark = pytest.mark.django_db
HEADER = ["identifier_type", "identifier", "units", "unit", "use", "used_on", "dataset", "title", "creators"]
ROWS = [
    ["isbn", "0-306-40615-2", "7", "", "", "2026-01-05", "", "", ""],
    ["domain", "www.news.example.co.kr", "100", "token", "train", "", "d", "", ""],
    ["domain", "뉴스.example.com", "3", "", "", "", "", "", ""],
    ["", "", "5", "", "", "", "", "한글 소설, 하나", "김철수;이영희"],
    ["url", "https://en.wikipedia.org/wiki/Korea?utm_source=x", "20", "", "", "", "", "", ""],
    ["isbn", "not an isbn", "8", "", "", "", "", "", ""],
    ["isbn", ISBN, "-5", "", "", "", "", "", ""],
    ["proprietary", "U-1", "10", "", "ground", "", "", "", ""],
]


@pytest.fixture
def parties(db: Any) -> Firm:
    return firm()


def text(delimiter: str = ",", encoding: str = "utf-8", end: str = "\n") -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator=end).writerows([HEADER, *ROWS])
    return out.getvalue().encode(encoding)


def objects() -> bytes:
    rows = [{name: value for name, value in zip(HEADER, row, strict=True) if value} for row in ROWS]
    for row in rows[:2]:
        row["units"] = int(row["units"])  # type: ignore[assignment]
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode() + b"\n"


def parquet(folder: Path) -> bytes:
    source, made = folder / "rows.csv", folder / "rows.parquet"
    source.write_bytes(text())
    with duckdb.connect() as db:
        db.execute(f"COPY (SELECT * FROM read_csv('{source}', all_varchar = true)) TO '{made}' (FORMAT parquet)")
    return made.read_bytes()


def stored(declaration: Declaration) -> bytes:
    """Its declared use exactly as PostgreSQL has it, ids aside."""
    columns = "work_id, scheme, value, kind, use, unit, used_on, status, basis, missing_ppm, units, lines"
    out = io.BytesIO()
    query = f"SELECT {columns} FROM licensing_declareduse WHERE declaration_id = {declaration.pk} ORDER BY id"
    with connection.cursor() as cursor, cursor.connection.cursor() as raw:
        with raw.copy(f"COPY ({query}) TO STDOUT") as copy:
            for block in copy:
                out.write(block)
    return out.getvalue()


def test_every_format_gives_byte_identical_declared_use(parties: Firm, tmp_path: Path) -> None:
    files = {
        "csv": text(),
        "bom": b"\xef\xbb\xbf" + text(),
        "crlf": text(end="\r\n"),
        "tsv": text("\t"),
        "cp949": text(encoding="cp949"),
        "gz": gzip.compress(text()),
        "zst": zstandard.compress(text()),
        "jsonl": objects(),
        "jsonl.gz": gzip.compress(objects()),
        "parquet": parquet(tmp_path),
    }
    made = {name: declare(parties, data, name=f"use.{name}") for name, data in files.items()}
    assert len({declaration.pk for declaration in made.values()}) == len(files)
    first = made["csv"]
    assert counts(first) == {"rejected": 2, "unmatched": 2, "unmandated": 1, "licensed": 3}
    for name, declaration in made.items():
        assert stored(declaration) == stored(first), name
        assert (declaration.lines, declaration.units) == (first.lines, first.units), name
        shift = 1 if name.startswith(("jsonl", "parquet")) else 0  # they have no header row
        assert [(row + shift, *rest) for row, *rest in rejects(declaration)] == [
            (7, "identifier", "not an isbn", "not in the form of its scheme"),
            (8, "units", "'-5", "not a whole number from 1 to 999999999999999 in digits"),
        ], name
    assert (f"title:{title_key('한글 소설, 하나', '김철수;이영희')}", "unmatched", "", 5, 1) in uses(first)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\n\n", "empty_file"),
        (b"identifier_type,identifier,units\n", "no_rows"),
        (b"isbn,quantity\n1,2\n", "missing_columns"),
        (b"identifier_type,identifier,units,units\nisbn,1,2,3\n", "duplicate_columns"),
        (bytes(range(256)) * 400, "binary_file"),
        (b"PK\x03\x04" + b"\0" * 100, "unknown_format"),
        (gzip.compress(lines(*["isbn,9780306406157,1"] * 5000), mtime=0)[:-20], "damaged_archive"),
        (zstandard.compress(lines(*["isbn,9780306406157,1"] * 5000))[:-5], "damaged_archive"),
        (b"PAR1" + b"\0" * 100, "unreadable_file"),
    ],
)
def test_a_file_that_cannot_be_read_fails_clearly_and_leaves_nothing(parties: Firm, data: bytes, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        declare(parties, data)
    assert refused.value.code == code
    assert refused.value.detail
    assert DeclaredUse.objects.count() == 0
    failed = Declaration.objects.first()
    assert failed is None or (failed.status, failed.problems[0]["code"]) == ("failed", code)


def test_a_zip_bomb_is_stopped(parties: Firm, settings: Any) -> None:
    settings.UPLOAD_MAX_UNPACKED_BYTES = 5_000_000
    bomb = gzip.compress(b"identifier_type,identifier,units\n" + b"isbn,9780306406157,1\n" * 1_000_000)
    with pytest.raises(Refusal) as refused:
        declare(parties, bomb)
    assert refused.value.code == "too_large"
    assert DeclaredUse.objects.count() == 0


def test_a_file_beyond_the_upload_limit_is_refused_before_anything_is_kept(parties: Firm, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 1000
    with pytest.raises(Refusal) as refused:
        declare(parties, b"x" * 1001)
    assert refused.value.code == "too_large"
    assert Declaration.objects.count() == 0


def test_bad_rows_lose_no_good_one_and_are_listed_with_their_numbers(parties: Firm) -> None:
    good = f"isbn,{ISBN},1"
    data = lines(
        good, "isbn", good, 'isbn,"9780306406157,1', good, f"isbn,{ISBN},1,2", good, "isbn,97803\x0006406157,1", good
    )
    data += (
        b"isbn,"
        + b"9" * 100_000
        + b",1\n"
        + good.encode()
        + b"\n"
        + b"isbn,\xff\xfe,1\n"
        + b"\n"
        + good.encode()
        + b"\n"
    )
    data += b'isbn,"=HYPERLINK(""x"")",1\n' + b"isbn,@SUM(A1),1\n"
    made = declare(parties, data)
    assert counts(made) == {"rejected": 8, "licensed": 7}
    found = rejects(made)
    assert [row for row, *_rest in found] == [3, 5, 7, 9, 11, 13, 16, 17]
    assert all(reason for *_rest, reason in found)
    assert [value for *_place, value, _reason in found[-2:]] == ['\'=HYPERLINK("x")', "'@SUM(A1)"]


def test_rejects_are_counted_all_but_listed_in_bounds(parties: Firm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouping, "MOST_REJECTS", 10)
    made = declare(parties, lines(*[f"isbn,{n},1" for n in range(50)]))
    assert counts(made) == {"rejected": 50}
    assert [row for row, *_rest in rejects(made)] == list(range(2, 12))


def test_columns_may_come_in_any_order_and_unknown_ones_are_ignored(parties: Firm) -> None:
    made = declare(parties, lines(f"x,7,{ISBN},isbn", header="remark,Units,Identifier,identifier_type"))
    assert uses(made) == [("B", "licensed", "licence", 7, 1)]


cells = st.text(st.characters(blacklist_categories=["Cs", "Cc"]), max_size=6)  # a file full of controls is no text
identifiers = (
    st.sampled_from(
        [ISBN, "0-306-40615-2", "wikipedia.org", "en.wikipedia.org/wiki/Korea", "U-1", "F-1", "x.example.com", ""]
    )
    | cells
)
units = st.integers(0, 10**16).map(str) | st.sampled_from(["1e3", "", "-1", "007"]) | cells
rows = st.tuples(
    st.sampled_from(["isbn", "domain", "url", "proprietary", "ISBN ", ""]) | cells,
    identifiers,
    units,
    st.sampled_from(["", "2026-02-01", "2025-01-01"]) | cells,
    cells,
)


tables = st.lists(st.lists(rows, min_size=1, max_size=25), min_size=1, max_size=5)  # a file costs more than its lines


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables.map(lambda parts: [row for part in parts for row in part]))
def test_counts_and_units_by_status_sum_to_the_file(parties: Firm, table: list[tuple[str, ...]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["identifier_type", "identifier", "units", "used_on", "title"], *table])
    made = declare(parties, out.getvalue().replace("\0", "0").encode())
    counts(made)
    assert made.lines["total"] == len(table)
    assert made.lines["rejected"] == len(rejects(made)) == len({row for row, *_rest in rejects(made)})
    stored_lines = sum(DeclaredUse.objects.filter(declaration=made).values_list("lines", flat=True))
    stored_units = sum(DeclaredUse.objects.filter(declaration=made).values_list("units", flat=True))
    assert stored_lines == made.lines["total"] - made.lines["rejected"]
    assert int(stored_units) == made.units["total"] - made.units["rejected"]
    services.discard(actor=parties.declarant, declaration=made)
