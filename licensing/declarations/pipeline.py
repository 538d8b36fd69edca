"""From the files of a declaration to its declared use, on the engine: intake, match, permit. Touches no state.

Nothing of a file passes through Python row by row, except distinct identifiers that SQL cannot normalise for certain.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from licensing import terms
from licensing.engine.core import Engine
from licensing.intake.core import Limits, TableSpec, write_rejects
from licensing.intake.reading import Format, numbered, open_table, refusing, settle
from licensing.licences.core import Terms
from licensing.matching import MATCH, normalising, suffixes
from licensing.permissions import core, snapshots, volume
from licensing.permissions.services import reserved as reservations

SPEC: Final = TableSpec(
    required=("identifier_type", "identifier", "units"),
    optional=("unit", "use", "used_on", "dataset", "title", "creators"),
)
MOST_REJECTS: Final = 100_000  # that are listed; all are counted
_INTAKE: Final = Path(__file__).with_name("intake.sql")
_SETTLE: Final = Path(__file__).with_name("settle.sql")
_SAID: Final = ("identifier_type", "identifier", "unit", "use", "used_on", "dataset", "title", "creators")
_STORED: Final = (
    "work_id", "scheme", "value", "kind", "use", "unit", "used_on", "status", "basis", "missing_ppm", "units", "lines",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Order:
    """What a declaration says about all of its lines, and the licence that it reports on."""

    society_id: int
    licence: Terms
    first_day: dt.date
    last_day: dt.date
    use: str = ""
    unit: str = ""
    model: str = ""
    dataset: str = ""
    territory: str = "KR"
    direct: Sequence[tuple[int, core.Grant]] = ()  # holders' own licences to the licensee
    statutory: Sequence[core.Grant] = ()  # what the society's enabled schemes allow


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What became of one file's lines; `rejects` is a CSV of the first refused ones."""

    lines: int
    rejected: int
    rejects: Path | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Counts and units by line status, which sum to the files; distinct works that matched."""

    lines: Mapping[str, int]
    units: Mapping[str, int]
    works: int
    files: Sequence[FileOutcome] = field(default=())


Progress = Callable[[str, int], None]


def run(engine: Engine, files: Sequence[Path], order: Order, *, limits: Limits, progress: Progress) -> Outcome:
    """Read the files and leave the table `permitted`, ready to store. `progress` hears each step and the lines read.

    Raises Refusal for what concerns a whole file; nothing is stored then.
    """
    progress("intake", 0)
    _load(engine, order)
    outcomes: list[FileOutcome] = []
    rejected_units = 0
    for n, path in enumerate(files):
        outcome, units = _read(engine, path, n, limits, lambda step: progress(step, sum(o.lines for o in outcomes)))
        outcomes.append(outcome)
        rejected_units += units
    progress("permit", sum(outcome.lines for outcome in outcomes))
    _gather_used(engine, len(files))
    volume.spread_near(engine)
    engine.run(volume.PERMIT)
    return _summed(engine, outcomes, rejected_units)


def store(engine: Engine, declaration_id: int) -> int:
    """Append the declared use to its table, in the caller's transaction; returns the number of rows."""
    # In the order of the indexes, which fill twice as fast so.
    query = f"""SELECT {declaration_id}, {", ".join(_STORED)} FROM permitted
    ORDER BY work_id NULLS LAST, scheme, value, use, unit, used_on, status, basis"""
    return engine.give(query, "licensing_declareduse", ("declaration_id", *_STORED))


def _load(engine: Engine, order: Order) -> None:
    """Everything that the scripts read besides the file."""
    text = "VARCHAR"
    columns = {"unit": text, "use": text, "dataset": text, "first_day": "DATE", "last_day": "DATE"}
    defaults = (order.unit or None, order.use or None, order.dataset, order.first_day, order.last_day)
    engine.table("declared", columns, [defaults])
    for name, codes in (("scheme", terms.SCHEMES), ("unit", terms.UNITS), ("use", terms.USES)):
        engine.table(f"known_{name}", {"code": text}, [(code,) for code in codes])
    engine.table("kind_of_scheme", {"scheme": text, "kind": text}, list(terms.KIND_OF_SCHEME.items()))
    snapshots.load(engine, order.society_id)
    suffixes.load(engine)
    volume.load_licence(engine, licence=order.licence, territory=order.territory, model=order.model)
    volume.load_exceptions(engine, direct=order.direct, statutory=order.statutory)
    reservations.load(engine, order.society_id)
    engine.execute("CREATE OR REPLACE VIEW reserved AS SELECT place FROM reservation WHERE place IS NOT NULL")
    engine.table("every_place", {"scheme": text, "value": text, "place": text})


def _read(
    engine: Engine, path: Path, n: int, limits: Limits, progress: Callable[[str], None]
) -> tuple[FileOutcome, int]:
    """One file as the table `used_{n}`; what became of its lines, and the units of rejected ones."""
    file = open_table(engine, path, spec=SPEC, limits=limits)
    with refusing():
        engine.run(_INTAKE)
        unreadable = settle(engine, file)
    progress("match")
    engine.execute("DROP TABLE line_group")
    _match(engine)
    engine.run(_SETTLE)
    engine.execute(f"ALTER TABLE used RENAME TO used_{n}")
    [(read, refused, units)] = engine.rows(
        """SELECT coalesce(sum(lines), 0), coalesce(sum(lines) FILTER (WHERE problem IS NOT NULL), 0),
        coalesce(sum(units) FILTER (WHERE problem IS NOT NULL), 0) FROM settled"""
    )
    rejects = _rejects(engine, file, engine.folder / f"rejects-{n}.csv") if refused or unreadable else None
    for table in ("said", "settled", "refused"):
        engine.execute(f"DROP TABLE {table}")
    return FileOutcome(int(read) + unreadable, int(refused) + unreadable, rejects), int(units)


def _match(engine: Engine) -> None:
    """The tables `spelled`, `titled`, `found` and `place`."""
    normalising.spell(engine)
    normalising.title(engine)
    # Where places are reserved, those of locations that are registered as they stand must be known too.
    known = "UNION SELECT scheme, identifier FROM said WHERE work_id IS NOT NULL AND scheme IN ('domain', 'url')"
    reserved = bool(engine.rows("SELECT count(*) FROM reserved")[0][0])
    engine.execute(
        "CREATE OR REPLACE TABLE sought AS SELECT DISTINCT scheme, value FROM spelled WHERE value IS NOT NULL"
        f" {known if reserved else ''}"
    )
    engine.run(MATCH)
    engine.execute(f"INSERT INTO every_place {'FROM place' if reserved else 'SELECT * FROM place LIMIT 0'}")


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
    with path.open("w", encoding="utf-8", newline="") as out:
        write_rejects(out, _listed(engine))
    return path


def _same(row: str) -> str:
    """SQL: the row `{row}column` is one of the group `g` of `refusal`, as `intake.sql` groups lines. Hashable throughout."""
    cells = {column: f"{row}{column}" for column in _SAID}
    cells |= {c: f"CASE WHEN {row}identifier IS NULL THEN {row}{c} END" for c in ("title", "creators")}
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


def _gather_used(engine: Engine, files: int) -> None:
    """The views `used` and `place` over all files."""
    each = " UNION ALL ".join(f"SELECT * FROM used_{n}" for n in range(files))
    engine.execute(f"CREATE OR REPLACE VIEW used AS {each}")
    engine.execute("CREATE OR REPLACE TABLE place AS SELECT DISTINCT scheme, value, place FROM every_place")


def _summed(engine: Engine, files: Sequence[FileOutcome], rejected_units: int) -> Outcome:
    lines = dict.fromkeys(terms.LINE_STATUSES, 0)
    units = dict.fromkeys(terms.LINE_STATUSES, 0)
    for status, some_lines, some_units in engine.rows(
        "SELECT status, sum(lines), sum(units) FROM permitted GROUP BY 1"
    ):
        lines[status], units[status] = int(some_lines), int(some_units)
    lines["rejected"], units["rejected"] = sum(file.rejected for file in files), rejected_units
    works = int(engine.rows("SELECT count(DISTINCT work_id) FROM permitted")[0][0])
    return Outcome(
        {"total": sum(lines.values()), **lines}, {"total": sum(units.values()), **units}, works, tuple(files)
    )
