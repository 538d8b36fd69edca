"""Damaged files by the hundred, by seed: each is refused as a whole, or read with every row either taken or rejected once."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import zstandard

from accounts.identity.core import Refusal
from licensing.engine import connect
from licensing.intake.core import TableSpec
from licensing.intake.reading import numbered, open_table, refusing, settle

SPEC = TableSpec(required=("ref", "name"), optional=("units",))
JUNK = [
    b'"',
    b"\n",
    b"\r",
    b",",
    b"\0",
    b"\xff",
    b"\t",
    "가".encode(),
    b"{",
    b"[",
    b"\\u0000",
    b'""',
    b"\r\n",
    b"\xef\xb7\x90",
]
ROWS = [f'r{i},"na,""me {i}",{i}\n' if i % 3 else f"r{i},이름 {i},{i}\n" for i in range(60)]
CSV = "ref,name,units\n" + "".join(ROWS)
JSON_LINES = "".join(f'{{"ref":"r{i}","name":"이름\\n{i}","units":{i}}}\n' for i in range(40))


def parquet(folder: Path) -> bytes:
    path = folder / "p"
    select = "SELECT 'r' || r AS ref, md5(r::VARCHAR) AS name, r AS units FROM range(500) AS t(r)"
    duckdb.sql(f"COPY ({select}) TO '{path}' (FORMAT parquet)")
    return path.read_bytes()


SEEDS: dict[str, Callable[[Path], bytes]] = {
    "csv": lambda _: CSV.encode(),
    "csv with CR LF": lambda _: CSV.replace("\n", "\r\n").encode(),
    "csv in CP949": lambda _: CSV.encode("cp949"),
    "json lines": lambda _: JSON_LINES.encode(),
    "parquet": parquet,
    "gz": lambda _: gzip.compress(CSV.encode()),
    "zst": lambda _: zstandard.compress(JSON_LINES.encode()),
}


def damaged(data: bytes, dice: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 5, 20))):
        at, how = dice.randrange(len(out) + 1), dice.random()
        if how < 0.5:
            out[at:at] = dice.choice(JUNK)
        elif how < 0.7:
            del out[at : at + dice.randrange(1, 30)]
        elif how < 0.9 and at < len(out):
            out[at] = dice.randrange(256)
        else:
            out[at:at] = out[at : at + dice.randrange(200)]
    return bytes(out)


@pytest.mark.parametrize("kind", SEEDS)
def test_damaged_files(kind: str, tmp_path: Path) -> None:
    whole, dice = SEEDS[kind](tmp_path), random.Random(kind)
    path = tmp_path / "f"
    taken = 0
    with connect() as engine:
        for _ in range(60):
            path.write_bytes(damaged(whole, dice))
            try:
                with refusing():
                    file = open_table(engine, path, spec=SPEC)
                    [(streamed,)] = engine.rows("SELECT count(*) FROM raw")
                    settle(engine, file)
                    found = numbered(engine, file, into="found")
            except Refusal:
                continue
            taken += 1
            rows = [row for (row,) in engine.rows("SELECT row FROM found UNION ALL SELECT DISTINCT row FROM rejects")]
            assert streamed == found
            assert len(rows) == len(set(rows))
            assert engine.rows("SELECT count(*) FROM rejects WHERE reason IS NULL OR row IS NULL") == [(0,)]
    assert taken or kind in ("parquet", "gz", "zst")
