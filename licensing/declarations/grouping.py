"""From one received file to its grouped lines, on the engine: what they say, normalised and added up. Touches no state.

The groups depend on the file and on what the declaration says of all its lines, and on nothing else: no register, no
day. So they are kept, and a file is read once, however often its declaration is tried again, amended or moved to
another engine. Nothing passes through Python row by row, except distinct identifiers that SQL cannot normalise for
certain.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from licensing import terms
from licensing.declarations import core
from licensing.engine.core import Engine
from licensing.intake.core import Limits, TableSpec, write_rejects
from licensing.intake.formats import dsr
from licensing.intake.reading import Format, numbered, open_table, refusing, settle
from licensing.matching import normalising, suffixes

SPEC: Final = TableSpec(
    required=("identifier_type", "identifier", "units"),
    optional=("identifiers", "unit", "use", "used_on", "dataset", "title", "creators"),
)
MOST_REJECTS: Final = 100_000  # that are listed; all are counted
VERSION: Final = 2  # of what the scripts below make of a file
_INTAKE: Final = Path(__file__).with_name("intake.sql")
_GROUP: Final = Path(__file__).with_name("group.sql")
_SAID: Final = (
    "identifier_type",
    "identifier",
    "identifiers",
    "unit",
    "use",
    "used_on",
    "dataset",
    "title",
    "creators",
)


@dataclass(frozen=True, slots=True)
class Said:
    """What a declaration says about all of its lines; both days are inclusive."""

    first_day: dt.date
    last_day: dt.date
    use: str = ""
    unit: str = ""
    dataset: str = ""
    constants: tuple[tuple[str, str], ...] = ()  # columns that the names of the file's folders fill
    usage: dsr.Vocabulary = field(default_factory=dsr.Vocabulary)  # how the terms of a usage report map to ours

    def key(self, sha256: str) -> str:
        """Names what is made of the file with this SHA-256, for a look at whether it was made before."""
        return core.digest(
            [sha256, *(f"{name}={value}" for name, value in sorted(asdict(self).items())), f"v{VERSION}"]
        )


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of one file's lines. `groups` is a Parquet file of the good ones; `rejects` a CSV of the first refused."""

    lines: int
    rejected: int
    rejected_units: int
    groups: Path
    rejects: Path | None


def read(
    engine: Engine, path: Path, said: Said, *, limits: Limits, progress: Callable[[str], None] = lambda _step: None
) -> FileOutcome:
    """Read one file. `progress` hears each step. The outcome's files vanish with the engine.

    Raises Refusal for what concerns the whole file.
    """
    _load(engine, said)
    file = open_table(
        engine, path, spec=SPEC, limits=limits, constants=dict(said.constants), usage=said.usage,
        period=(said.first_day, said.last_day),
    )  # fmt: skip
    progress("intake")
    with refusing():
        engine.run(_INTAKE)
        unreadable = settle(engine, file)
    engine.execute("DROP TABLE line_group")
    progress("normalise")
    normalising.spell(engine)
    normalising.title(engine)
    engine.run(_GROUP)
    [(read, refused, units)] = engine.rows(
        """SELECT coalesce(sum(lines), 0), coalesce(sum(lines) FILTER (WHERE problem IS NOT NULL), 0),
        coalesce(sum(units) FILTER (WHERE problem IS NOT NULL), 0) FROM spoken"""
    )
    partly = bool(engine.rows("SELECT 1 FROM checked_piece WHERE problem IS NOT NULL LIMIT 1"))
    rejects = _rejects(engine, file, engine.folder / "rejects.csv") if refused or unreadable or partly else None
    groups = engine.folder / "groups.parquet"
    engine.save("grouped", groups)
    for table in ("said", "piece", "checked_piece", "whole", "spoken", "refused", "grouped"):
        engine.execute(f"DROP TABLE {table}")
    return FileOutcome(int(read) + unreadable, int(refused) + unreadable, int(units), groups, rejects)


def _load(engine: Engine, said: Said) -> None:
    """Everything that the scripts read besides the file."""
    text = "VARCHAR"
    columns = {"unit": text, "use": text, "dataset": text, "first_day": "DATE", "last_day": "DATE"}
    defaults = (said.unit or None, said.use or None, said.dataset, said.first_day, said.last_day)
    engine.table("declared", columns, [defaults])
    for name, codes in (("scheme", terms.SCHEMES), ("unit", terms.UNITS), ("use", terms.USES)):
        engine.table(f"known_{name}", {"code": text}, [(code,) for code in codes])
    suffixes.load(engine)


def _rejects(engine: Engine, file: Format, path: Path) -> Path:
    """Write the first rejected rows of the file, with their numbers, as CSV."""
    columns = ", ".join(f"{column} AS said_{column}" for column in _SAID)
    engine.execute(
        f"""CREATE OR REPLACE TABLE refusal AS SELECT {columns}, readable,
        split_part(problem, ': ', 1) AS at, substr(problem, strpos(problem, ': ') + 2) AS reason FROM refused"""
    )
    numbered(engine, file, where=f"EXISTS (SELECT 1 FROM refusal g WHERE {_same('')})", into="refused_row")
    cell = " ".join(f"WHEN '{column}' THEN r.{column}" for column in SPEC.columns)
    engine.execute(
        f"""INSERT INTO rejects SELECT r.row, g.at, CASE g.at {cell} END, g.reason
        FROM refused_row r JOIN refusal g ON {_same("r.")}"""
    )
    _tell_of_parts(engine, file)
    with path.open("w", encoding="utf-8", newline="") as out:
        write_rejects(out, _listed(engine))
    return path


def _tell_of_parts(engine: Engine, file: Format) -> None:
    """Bad identifiers beside good ones: the line counts, under the good ones, but its sender is told."""
    engine.execute(
        """CREATE OR REPLACE TABLE spoilt AS
        SELECT DISTINCT p.identifier_type, p.identifier, p.identifiers, p.said, substr(p.problem, strpos(p.problem, ': ') + 2) AS reason
        FROM checked_piece p JOIN whole w ON w.identifiers = p.identifiers AND w.identifier IS NOT DISTINCT FROM p.identifier
         AND w.identifier_type IS NOT DISTINCT FROM p.identifier_type
        WHERE p.problem IS NOT NULL AND w.problem IS NULL"""
    )
    if not engine.rows("SELECT 1 FROM spoilt LIMIT 1"):
        return
    same = " AND ".join(
        f"g.{c} IS NOT DISTINCT FROM {{row}}{c}" for c in ("identifiers", "identifier", "identifier_type")
    )
    numbered(
        engine, file, where=f"EXISTS (SELECT 1 FROM spoilt g WHERE {same.format(row='')})", into="spoilt_row",
        columns=("identifier_type", "identifier", "identifiers"),
    )  # fmt: skip
    engine.execute(
        f"""INSERT INTO rejects SELECT r.row, 'identifiers', g.said, g.reason
        FROM spoilt_row r JOIN spoilt g ON {same.format(row="r.")}"""
    )


def _same(row: str) -> str:
    """SQL: the row `{row}column` is one of the group `g` of `refusal`, as `intake.sql` groups lines. Hashable throughout."""
    cells = {column: f"{row}{column}" for column in _SAID}
    cells |= {
        c: f"CASE WHEN coalesce({row}identifier, {row}identifiers) IS NULL THEN {row}{c} END"
        for c in ("title", "creators")
    }
    units = f"{row}units"
    readable = f"regexp_full_match({units}, '[0-9]{{1,15}}') AND TRY_CAST({units} AS BIGINT) > 0"
    tests = [f"g.said_{column} IS NOT DISTINCT FROM {cell}" for column, cell in cells.items()]
    return " AND ".join([*tests, f"g.readable = coalesce({readable}, false)"])


def _listed(engine: Engine) -> Iterator[dict[str, Any]]:
    listed = engine.stream(
        f"""SELECT row, coalesce("column", ''), left(coalesce(value, ''), 200), reason FROM rejects
        ORDER BY row, reason LIMIT {MOST_REJECTS}"""
    )
    for rows in listed:
        yield from (dict(zip(("row", "column", "value", "reason"), row, strict=True)) for row in rows)
