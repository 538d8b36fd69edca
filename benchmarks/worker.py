"""A worker of `many.py`: takes files of a declaration until none is left, and settles it where it read the last one."""

from __future__ import annotations

import json
import sys
import time

import django


def main(declaration_id: int, settle: bool) -> None:
    django.setup()
    from django.db import connection

    from benchmarks.measure import peak_of
    from licensing.declarations import services

    connection.ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()
    began, used = time.perf_counter(), time.process_time()
    last = False
    for file_id in services.to_read(declaration_id):
        last = services.read_file(file_id) is not None or last
    reading = time.perf_counter() - began
    if settle and last:
        services.settle(declaration_id)
    told = {"reading": reading, "processor": time.process_time() - used, "peak": peak_of("self")}
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2] == "settle")
