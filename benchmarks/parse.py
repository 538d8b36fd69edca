"""The limit: DuckDB parses the three needed columns of a file and does nothing else. `python -m benchmarks.parse FILE`.

In a process of its own, with the engine's threads, so that it neither helps nor disturbs what is measured beside it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import duckdb

REPEATS = 5


def bare_parse(path: Path) -> tuple[float, float]:
    """Seconds, and of processor time: the medians of several readings."""
    done = subprocess.run([sys.executable, "-m", "benchmarks.parse", str(path)], check=True, capture_output=True)
    seconds, used = zip(*json.loads(done.stdout), strict=True)
    return median(seconds), median(used)


def main(path: str) -> None:
    if path.endswith(".parquet"):  # counts would be answered from the footer: look at every value
        query = f"SELECT max(strlen(identifier_type)), max(strlen(identifier)), max(strlen(units)) FROM '{path}'"
    else:
        columns = "{'identifier_type': 'VARCHAR', 'identifier': 'VARCHAR', 'units': 'VARCHAR'}"
        form = f"columns = {columns}, header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"'"
        query = f"SELECT count(identifier_type), count(identifier), count(units) FROM read_csv('{path}', {form})"
    db = duckdb.connect(config={"threads": int(os.environ.get("ENGINE_THREADS", "2"))})
    seconds = []
    for _repeat in range(REPEATS):
        began, used = time.perf_counter(), time.process_time()
        db.execute(query).fetchall()
        seconds.append((time.perf_counter() - began, time.process_time() - used))
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(sys.argv[1])
