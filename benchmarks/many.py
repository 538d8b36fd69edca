"""Many files of one declaration: what a line costs at ten and at a hundred million lines, and what a second worker brings.

Each worker is a process of its own, as on a machine of its own: it takes files until none is left, and whoever ends last
settles. With one engine thread a worker, two workers share this machine's two processors as two machines would share the work.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from benchmarks.generate import MACROS, UNKNOWN_PERCENT, World
from benchmarks.parse import bare_parse
from benchmarks.society import PERIOD, Parties
from licensing.declarations import services as declarations
from licensing.declarations.models import Declaration
from licensing.declarations.services import drafting
from licensing.intake.models import StoredFile
from licensing.intake.services import keep


@dataclass(frozen=True)
class Read:
    """What the workers told: seconds of the clock, of processor time, and the most memory that one of them held."""

    lines: int
    files: int
    workers: int
    threads: int
    seconds: float
    processor: float
    reading: float  # seconds until the last file was read
    peak: int

    @property
    def per_million(self) -> float:
        return 1e6 * self.seconds / self.lines


def write_parts(folder: Path, world: World, *, files: int) -> list[Path]:
    """The world's lines over so many files, each with lines of its own; made once."""
    folder = folder / f"parts-{world.lines}-{world.works}-{files}"
    paths = [folder / f"part-{n:04}.csv" for n in range(files)]
    folder.mkdir(parents=True, exist_ok=True)
    if all(path.exists() for path in paths):
        return paths
    db = duckdb.connect(config={"temp_directory": str(folder / "spill"), "memory_limit": "3GB", "threads": 2})
    db.execute("SET preserve_insertion_order = false")
    db.execute(MACROS)
    db.execute(
        f"CREATE TABLE spelling AS SELECT i AS w, scheme_of(i) AS scheme, value_of(i) AS value FROM range({2 * world.works}) t(i)"
    )
    each = world.lines // files
    for n, path in enumerate(paths):
        unfinished = path.with_suffix(".unfinished")
        db.execute(
            f"""COPY (
              SELECT s.scheme AS identifier_type, s.value AS identifier, 1 + chance('units', l.j, 5000) AS units
              FROM (SELECT j, CAST(floor(pow({world.works}, uniform('rank', j))) - 1 AS BIGINT)
                       + CASE WHEN chance('unknown', j, 100) < {UNKNOWN_PERCENT} THEN {world.works} ELSE 0 END AS w
                    FROM range({n * each}, {(n + 1) * each}) t(j)) l
              JOIN spelling s ON s.w = l.w
            ) TO '{unfinished}' (FORMAT csv, HEADER true)"""
        )
        unfinished.rename(path)
    db.close()
    return paths


def kept(parties: Parties, paths: Sequence[Path]) -> list[StoredFile]:
    """The files as received, which several declarations name."""
    found = []
    for path in paths:
        with path.open("rb") as stream:
            found.append(keep(actor=parties.declarant, stream=stream, name=path.name, organisation=parties.licensee))
    return found


def read(
    parties: Parties, files: Sequence[StoredFile], *, lines: int, workers: int, threads: int, settle: bool
) -> Read:
    """Declare the files under a new licence and have the workers do the rest, all from one signal on."""
    declaration = declarations.start(
        actor=parties.declarant, licence=parties.licence(), period=PERIOD, use="train", unit="token", model="bench",
        dataset=f"measured {time.time_ns()}",  # terms of its own: nothing was read under them before
    )  # fmt: skip
    for stored in files:
        drafting.attach_stored(actor=parties.declarant, declaration=declaration, stored=stored, queue=False)
    order = [sys.executable, "-m", "benchmarks.worker", str(declaration.pk), "settle" if settle else "read"]
    environment = os.environ | {"ENGINE_THREADS": str(threads)}
    started = [
        subprocess.Popen(order, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        for _ in range(workers)
    ]
    for each in started:
        assert each.stdout is not None and each.stdout.readline() == "ready\n"
    began = time.perf_counter()
    for each in started:
        assert each.stdin is not None
        each.stdin.write("go\n"), each.stdin.close()
    told = [json.loads(each.stdout.read()) for each in started if each.stdout is not None]
    seconds = time.perf_counter() - began
    if any(each.wait() for each in started):
        raise RuntimeError("A worker failed.")
    _check(declaration, lines, settle=settle)
    return Read(
        lines, len(files), workers, threads, seconds, sum(t["processor"] for t in told),
        max(t["reading"] for t in told), max(t["peak"] for t in told),
    )  # fmt: skip


def _check(declaration: Declaration, lines: int, *, settle: bool) -> None:
    now = Declaration.objects.get(pk=declaration.pk)
    counted = sum(declaration.files.values_list("lines", flat=True))
    if counted != lines or (settle and (now.status != "processed" or now.lines["total"] != lines)):
        raise RuntimeError(f"{now.status}: {counted} of {lines} lines; {now.problems}")


def measure(
    parties: Parties, folder: Path, world: World, *, sizes: Sequence[tuple[int, int]], pair: tuple[int, int], say: Any
) -> dict[str, Any]:
    """`sizes`: (lines, files), each read and settled by one worker; `pair`: (lines, files), read by one and by two."""
    results: dict[str, Any] = {"sizes": [], "workers": []}
    for lines, files in sizes:
        paths = write_parts(folder, World(lines, world.works, world.holders), files=files)
        stored = kept(parties, paths)
        bare = sum(bare_parse(path)[0] for path in paths)
        found = read(parties, stored, lines=lines, workers=1, threads=2, settle=True)
        bare = min(bare, sum(bare_parse(path)[0] for path in paths))
        results["sizes"].append(asdict(found) | {"bare_parse": bare, "ratio": bare / found.seconds})
        say(
            f"{lines:>12,} lines in {files:>3} files: {found.seconds:7.1f} s (read after {found.reading:.1f}), "
            f"{found.per_million:.3f} s a million lines, {bare / found.seconds:.3f} of the bare parse ({bare:.2f} s), "
            f"peak {found.peak >> 20:,} MB"
        )
    lines, files = pair
    stored = kept(parties, write_parts(folder, World(lines, world.works, world.holders), files=files))
    for workers in (1, 2):
        found = read(parties, stored, lines=lines, workers=workers, threads=1, settle=False)
        results["workers"].append(asdict(found))
        say(
            f"{lines:>12,} lines in {files:>3} files, read by {workers}: {found.seconds:7.1f} s, peak {found.peak >> 20:,} MB"
        )
    one, two = results["workers"]
    results["two_to_one"] = one["seconds"] / two["seconds"]
    say(f"two workers are {results['two_to_one']:.2f} times as fast as one")
    return results
