"""From the grouped lines of a declaration's files to its declared use, on the engine: match, permit. Touches no state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from licensing import terms
from licensing.declarations.models import Declaration
from licensing.engine.core import Engine
from licensing.licences.core import Terms
from licensing.matching import finding, suffixes
from licensing.matching.services import remember
from licensing.permissions import core, snapshots, volume
from licensing.permissions.services import reserved as reservations

_SETTLE: Final = Path(__file__).with_name("settle.sql")
_STORED: Final = (
    "work_id", "scheme", "value", "kind", "use", "unit", "used_on", "status", "basis", "missing_ppm", "units", "lines",
    "title", "creators",
)  # fmt: skip

_TOLD: Final = """CREATE OR REPLACE VIEW told AS
SELECT p.*, substr(COALESCE(n.title, ''), 1, 1000) AS title, substr(COALESCE(n.creators, ''), 1, 2000) AS creators
FROM permitted p LEFT JOIN named_as n ON p.work_id IS NULL AND n.scheme = p.scheme AND n.value = p.value"""


@dataclass(frozen=True, slots=True)
class Order:
    """The licence that a declaration reports on, and where and for what its lines were used."""

    society_id: int
    licence: Terms
    model: str = ""
    territory: str = "KR"
    direct: Sequence[tuple[int, core.Grant]] = ()  # holders' own licences to the licensee
    statutory: Sequence[core.Grant] = ()  # what the society's enabled schemes allow


@dataclass(frozen=True, slots=True)
class Outcome:
    """Counts and units of the good lines by status; distinct works that matched."""

    lines: Mapping[str, int]
    units: Mapping[str, int]
    works: int


def run(engine: Engine, groups: Sequence[Path], order: Order, *, progress: Callable[[str], None]) -> Outcome:
    """Match and permit the grouped lines; leaves the table `permitted`, ready to store. `progress` hears each step."""
    progress("match")
    _load(engine, order)
    engine.open("grouped", *groups)
    finding.find(engine, titles=lambda: snapshots.load_titles(engine, order.society_id))
    finding.guess(engine, order.society_id)
    engine.run(_SETTLE)
    progress("permit")
    volume.spread_near(engine)
    volume.spread_several(engine)
    engine.run(volume.PERMIT)
    engine.execute(_TOLD)
    return _summed(engine)


def store(engine: Engine, declaration_id: int) -> int:
    """Append the declared use to its table, in the caller's transaction; returns the number of rows.

    What the matcher decided is remembered with it, unless it is for a test.
    """
    declaration = Declaration.objects.select_related("licence__society").get(pk=declaration_id)
    if not declaration.sandbox:
        remember(society=declaration.licence.society, guesses=finding.guessed(engine))
    # In the order of the indexes, which fill twice as fast so.
    query = f"""SELECT {declaration_id}, {", ".join(_STORED)} FROM told
    ORDER BY work_id NULLS LAST, scheme, value, use, unit, used_on, status, basis"""
    return engine.give(query, "licensing_declareduse", ("declaration_id", *_STORED))


def _load(engine: Engine, order: Order) -> None:
    """Everything that the scripts read besides the lines."""
    text = "VARCHAR"
    engine.table("kind_of_scheme", {"scheme": text, "kind": text}, list(terms.KIND_OF_SCHEME.items()))
    snapshots.load(engine, order.society_id)
    suffixes.load(engine)
    volume.load_licence(engine, licence=order.licence, territory=order.territory, model=order.model)
    volume.load_exceptions(engine, direct=order.direct, statutory=order.statutory)
    reservations.load(engine, order.society_id)


def _summed(engine: Engine) -> Outcome:
    lines = dict.fromkeys(terms.LINE_STATUSES, 0)
    units = dict.fromkeys(terms.LINE_STATUSES, 0)
    for status, some_lines, some_units in engine.rows(
        "SELECT status, sum(lines), sum(units) FROM permitted GROUP BY 1"
    ):
        lines[status], units[status] = int(some_lines), int(some_units)
    works = int(engine.rows("SELECT count(DISTINCT work_id) FROM permitted")[0][0])
    return Outcome(lines, units, works)
