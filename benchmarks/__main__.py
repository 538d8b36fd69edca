"""`python -m benchmarks`: a seeded world, the main job on it step by step, and beside it the bare parse of the same file.

Everything lies under `var/bench` and uses servers of its own there, so that nothing else is disturbed.
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent
VAR = CHECKOUT / "var" / "bench"
STEPS = ("pdf", "pages", "api", "check", "files", "money")
ALONE = ("check", "files")  # may be all that is measured
MONEY = "money"  # only where it is asked for; needs no world, so alone none is made
BARE, END_TO_END = "bare parse of the file", "END TO END, to committed postings"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--lines", type=int, default=10_000_000)
    parser.add_argument("--works", type=int, default=1_000_000)
    parser.add_argument("--holders", type=int, default=200_000)
    parser.add_argument(
        "--steps",
        default=",".join(step for step in STEPS if step != MONEY),
        help=f"what else of {','.join(STEPS)}; the main job always runs, unless nothing but {' or '.join(ALONE)} is asked, or {MONEY}",
    )
    parser.add_argument("--parquet", action="store_true", help="declare the Parquet file instead of the CSV file")
    parser.add_argument("--pdfs", type=int, default=300)
    parser.add_argument("--identifiers", type=int, default=1_000_000, help="of the file that is asked about")
    parser.add_argument("--reservations", type=int, default=100_000)
    parser.add_argument("--sizes", default="10000000/1,100000000/10", help="LINES/FILES, of one declaration each")
    parser.add_argument("--pair", default="20000000/16", help="LINES/FILES that one worker reads, and then two")
    parser.add_argument("--journals", type=int, default=20_000, help="small ones, by four writers")
    parser.add_argument(
        "--allocations", type=int, default=50_000_000, help="rows among which a member's pages are asked for"
    )
    parser.add_argument(
        "--keep", action="store_true", help="use the repertoire of the last kept run, and keep it again"
    )
    return parser.parse_args()


def main() -> None:
    chosen = arguments()
    os.environ |= {"JEONGSAN_VAR": str(VAR), "DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "WARNING"}
    if not chosen.keep:
        _forget()
    import django

    django.setup()
    try:
        _measure(chosen)
    finally:
        _stop()
        if not chosen.keep:
            _forget()


def _measure(chosen: argparse.Namespace) -> None:
    from django.core.management import call_command

    from benchmarks import journey, reading, report
    from benchmarks.generate import World, generate
    from benchmarks.measure import Clock, Memory, Servers
    from benchmarks.parse import bare_parse
    from benchmarks.society import SNAPSHOT, import_repertoire, make_parties, take_snapshot
    from config.embedded.postgres import Postgres

    world, steps = World(chosen.lines, chosen.works, chosen.holders), chosen.steps.split(",")
    results: dict[str, Any] = {"machine": report.machine(), "world": vars(world)}
    if steps == [MONEY]:
        call_command("migrate", verbosity=0)
        results[MONEY] = _money(chosen, Clock(Servers(Postgres(VAR).place.data / "postmaster.pid")))
        _say("", f"All figures: {report.keep(results).relative_to(CHECKOUT)}")
        return
    _say(f"World: {world.lines:,} lines over {world.works:,} works of {world.holders:,} holders …")
    paths = generate(VAR / "world", world)
    file = paths["declaration.parquet" if chosen.parquet else "declaration.csv"]
    results["file"] = {"name": file.name, "bytes": file.stat().st_size}
    call_command("migrate", verbosity=0)
    servers = Servers(Postgres(VAR).place.data / "postmaster.pid")
    memory, imports, clock = Memory(servers), Clock(servers), Clock(servers)

    parties = make_parties(world.name)
    read = import_repertoire(parties, paths, imports, memory)
    results["imports"] = {"rows": read, "seconds": imports.seconds, "processor": imports.processor}
    for kind, rows in read.items():
        took, used = imports.seconds[f"import {kind}"], imports.processor[f"import {kind}"]
        _say(
            f"  import {kind:<12}{rows:>12,} rows{took:>9.1f} s{used:>9.1f} s of processor{rows / took:>12,.0f} rows/s"
        )

    take_snapshot(parties, imports, memory)
    took, used = imports.seconds[SNAPSHOT], imports.processor[SNAPSHOT]
    _say(f"  {SNAPSHOT}, once after a change: {took:.1f} s, {used:.1f} s of processor")

    if set(steps) <= set(ALONE):
        if "check" in steps:
            _check(parties, chosen, results, clock, memory)
        if "files" in steps:
            results["files"] = _files(parties, world, chosen)
        _say("", f"All figures: {report.keep(results).relative_to(CHECKOUT)}")
        return

    before = bare_parse(file)
    declaration, run, counts = journey.travel(parties, file, clock, memory)
    bare, bare_used = min(before, bare_parse(file))  # the stricter of two looks
    whole, used = (sum(of[step] for step in journey.END_TO_END) for of in (clock.seconds, clock.processor))
    results |= {"bare_parse": bare, "seconds": clock.seconds, "processor": clock.processor, "counts": counts}
    results |= {"end_to_end": whole, "ratio": bare / whole, "lines_a_second": world.lines / whole}
    shown = {BARE: bare, **clock.seconds, END_TO_END: whole}
    costs = {BARE: bare_used, **clock.processor, END_TO_END: used}
    _say("", f"{file.name}, {file.stat().st_size >> 20:,} MB:", *report.steps(shown, costs, world.lines, bare))
    _say("", *report.memory(memory.by_step))
    results["memory"] = memory.by_step

    if "pdf" in steps:
        made = results["pdf"] = reading.pdfs(run, chosen.pdfs)
        _say("", f"{made['a_minute']:,.0f} PDFs a minute ({made['a_minute_of_processor']:,.0f} a minute of processor)")
    if "pages" in steps:
        results["pages"] = reading.creators(parties, run)
        for who, figures in results["pages"].items():
            _say("", *report.answers(who, figures))
    if "api" in steps:
        results["api"] = reading.calls(parties, declaration)
        _say("", *report.answers("API", results["api"]))
    if "check" in steps:
        _check(parties, chosen, results, clock, memory)
    if "files" in steps:
        results["files"] = _files(parties, world, chosen)
    if MONEY in steps:
        results[MONEY] = _money(chosen, clock)
    _say("", f"All figures: {report.keep(results).relative_to(CHECKOUT)}")


def _money(chosen: argparse.Namespace, clock: Any) -> dict[str, Any]:
    """Bulk and small journals, and a member's pages among many rows."""
    from benchmarks import money

    _say("")
    size = money.Size(holders=chosen.holders, journals=chosen.journals, allocations=chosen.allocations)
    return money.measure(size, clock, _say)


def _files(parties: Any, world: Any, chosen: argparse.Namespace) -> dict[str, Any]:
    """Many files of one declaration, by one worker and by two."""
    from benchmarks import many

    def pairs(text: str) -> list[tuple[int, int]]:
        return [(int(lines), int(files)) for lines, _, files in (part.partition("/") for part in text.split(","))]

    _say("")
    return many.measure(parties, VAR / "world", world, sizes=pairs(chosen.sizes), pair=pairs(chosen.pair)[0], say=_say)


def _check(parties: Any, chosen: argparse.Namespace, results: dict[str, Any], clock: Any, memory: Any) -> None:
    """Permission asked before use: a file, calls of ten thousand, single checks."""
    from benchmarks import checking

    asked = checking.Asked(chosen.identifiers, chosen.reservations)
    checking.reserve(parties, asked.reservations)
    path = VAR / "world" / f"check-{asked.identifiers}-{chosen.works}.csv"
    checking.write_file(path, asked, chosen.works)
    check = checking.whole_file(parties, path, clock, memory)
    seconds, used = clock.seconds.pop(checking.FILE), clock.processor.pop(checking.FILE)
    answers = checking.calls(parties, path)
    results["check"] = {
        "asked": vars(asked), "seconds": seconds, "processor": used, "identifiers_a_second": check.rows / seconds,
        "verdicts": check.verdicts, "peak_memory": memory.by_step[checking.FILE], "calls": answers,
    }  # fmt: skip
    _say("", *checking.told(asked, check, seconds, answers))


def _say(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)


def _stop() -> None:
    """End the servers, so that what is left can be removed."""
    from django.db import connections

    from config import embedded

    connections.close_all()
    for service in embedded.services(VAR):
        embedded.release(service, patience=60)


def _forget() -> None:
    """Remove all but the generated files, which are the same each time."""
    for path in VAR.glob("*"):
        if path.name != "world":
            shutil.rmtree(path) if path.is_dir() else path.unlink()


if __name__ == "__main__":
    main()
