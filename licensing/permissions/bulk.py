"""From a file of works to the same file with an answer on each row, on the engine. Touches no state.

Each society's register is asked in turn, with `permit.sql`; what none of them knows is asked once more without a work.
`bulk.sql` lets the loudest answer speak. Only distinct identifiers that SQL cannot normalise pass through Python.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from licensing import terms
from licensing.engine.core import Engine
from licensing.intake.core import Limits, TableSpec
from licensing.intake.reading import load, refusing
from licensing.licences.core import Terms
from licensing.matching import finding, normalising, suffixes
from licensing.permissions import core, snapshots, volume

SPEC: Final = TableSpec(required=("identifier_type", "identifier"), optional=("title", "creators"))
COLUMNS: Final = (
    "row", "identifier_type", "identifier", "title", "creators", "verdict", "basis", "missing_ppm", "society", "work_ref", "reason",
)  # fmt: skip
_BULK: Final = Path(__file__).with_name("bulk.sql")
_TEXT: Final = "VARCHAR"
_BLANK: Final = r"[\s\p{Z}\x1c-\x1f]*"  # what Python strips, as a regular expression of the engine
_ANYTHING: Final = core.Grant((terms.ANY,), (terms.ANY,), (terms.ANY,))
_LICENCE: Final = {"use": _TEXT, "kind": _TEXT, "dataset": _TEXT, "valid_from": "DATE", "valid_to": "DATE"}
_HEARD: Final = {
    "nth": "INTEGER", "speaks": "INTEGER", "scheme": _TEXT, "value": _TEXT, "society": _TEXT, "work_ref": _TEXT, "verdict": _TEXT,
    "basis": _TEXT, "missing_ppm": "INTEGER", "reason": _TEXT,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Register:
    """One society whose register is asked, and what there is between it and who asks."""

    society_id: int
    ref: str
    licences: Mapping[str, Terms]
    direct: Sequence[tuple[int, core.Grant]] = ()
    statutory: Sequence[core.Grant] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked about every row alike. `on` is an exact moment, or a day in Seoul."""

    use: str
    on: dt.date | dt.datetime
    territory: str
    model: str
    dataset: str
    registers: Sequence[Register]

    @property
    def day(self) -> dt.date:
        return core.seoul_day(self.on) if isinstance(self.on, dt.datetime) else self.on


@dataclass(frozen=True, slots=True)
class Outcome:
    """Rows by verdict, which sum to the file, and the licences on which licensed rows rest."""

    rows: int
    verdicts: Mapping[str, int]
    licences: Sequence[str]


# Makes the tables of reservations: of one society, or (None) of places and identifiers alone, whoever holds them.
Reserve = Callable[[Engine, int | None], None]


def run(
    engine: Engine, path: Path, order: Order, *, reserve: Reserve, limits: Limits, progress: Callable[[str], None]
) -> Outcome:
    """Read the file and leave the table `told`, ready to write. Raises Refusal for what concerns the whole file."""
    progress("intake")
    with refusing():
        load(engine, path, spec=SPEC, limits=limits, into="file_row")
    engine.execute("CREATE OR REPLACE TABLE unread AS SELECT row, reason FROM rejects")
    _prepare(engine, order)
    _spell(engine)
    licences: set[str] = set()
    for nth, register in enumerate(order.registers):
        progress("match")
        if _match(engine, nth, register, reserve):
            progress("permit")
            licences |= _permit(engine, order, nth, register)
    progress("permit")
    _permit_unmatched(engine, order, reserve)
    progress("write")
    engine.run(_BULK)
    verdicts = {
        str(verdict): int(many) for verdict, many in engine.rows("SELECT verdict, count(*) FROM told GROUP BY 1")
    }
    return Outcome(sum(verdicts.values()), verdicts, sorted(licences))


def write(engine: Engine, path: Path) -> None:
    """The rows in the order of the file, as CSV packed with zstd. No cell is one that a spreadsheet would run."""
    cells = ", ".join(column if column in ("row", "missing_ppm") else _safe(column) for column in COLUMNS)
    engine.execute("SET preserve_insertion_order = true")
    engine.execute(
        f"COPY (SELECT {cells} FROM told ORDER BY row) TO '{path}' (FORMAT csv, HEADER true, COMPRESSION zstd)"
    )
    engine.execute("SET preserve_insertion_order = false")


def _safe(column: str) -> str:
    """`intake.core.safe_cell` in SQL."""
    return f"CASE WHEN regexp_matches({column}, '^[=+\\-@\\t\\r]') THEN '''' || {column} ELSE {column} END AS {column}"


def _prepare(engine: Engine, order: Order) -> None:
    """What every register is asked with."""
    engine.table("known_scheme", {"code": _TEXT}, [(code,) for code in terms.SCHEMES])
    engine.table("kind_of_scheme", {"scheme": _TEXT, "kind": _TEXT}, list(terms.KIND_OF_SCHEME.items()))
    engine.table("question", {"use": _TEXT, "day": "DATE", "dataset": _TEXT}, [(order.use, order.day, order.dataset)])
    engine.table("heard", _HEARD)
    suffixes.load(engine)


def _spell(engine: Engine) -> None:
    """The table `unheard(scheme, value)`: each identifier and title of the file once, in its normal form."""
    engine.execute(
        """CREATE OR REPLACE TABLE strange AS SELECT DISTINCT lower(trim(identifier_type)) AS scheme, identifier
        FROM file_row JOIN known_scheme ON code = lower(trim(identifier_type)) WHERE identifier IS NOT NULL"""
    )
    normalising.spell(engine)
    engine.execute(
        rf"""CREATE OR REPLACE TABLE named AS SELECT DISTINCT title, creators FROM file_row
        WHERE identifier IS NULL AND NOT regexp_full_match(title, '{_BLANK}')"""
    )
    normalising.title(engine)
    engine.execute(
        """CREATE OR REPLACE TABLE every_value AS SELECT DISTINCT scheme, value FROM spelled WHERE value IS NOT NULL
        UNION SELECT 'title', value FROM titled WHERE value IS NOT NULL"""
    )
    engine.execute("CREATE OR REPLACE TABLE unheard AS FROM every_value")


def _match(engine: Engine, nth: int, register: Register, reserve: Reserve) -> bool:
    """Match all identifiers with one society's register: the tables that `permit.sql` reads. False where none is found."""
    snapshots.load(engine, register.society_id, prefix=f"society{nth}_")
    for part in ("work", "identifier", "rule", "share", "mandate"):
        engine.execute(f"CREATE OR REPLACE VIEW {part} AS SELECT * FROM society{nth}_{part}")
    _match_values(engine, "every_value", reserve, register.society_id)
    return bool(engine.rows("SELECT count(*) FROM found")[0][0])


def _match_values(engine: Engine, values: str, reserve: Reserve, society_id: int | None) -> None:
    reserve(engine, society_id)

    def titles() -> None:
        if society_id is None:
            snapshots.no_titles(engine)
        else:
            snapshots.load_titles(engine, society_id)

    finding.find(engine, titles=titles, wanted=f"SELECT scheme, value FROM {values}")


def _permit(engine: Engine, order: Order, nth: int, register: Register) -> set[str]:
    """Add what this society answers to `heard`; the licences that it rests on."""
    by_licence = {kind: _by_licence(order, kind, register.licences, matched=True) for kind in terms.KINDS}
    _load_terms(engine, order, by_licence, register)
    engine.execute(
        """CREATE OR REPLACE TABLE used AS
        SELECT f.work_id, f.scheme, f.value, w.kind, q.use, 'work' AS unit, q.day AS used_on, q.dataset,
          CAST(1 AS DECIMAL(38,0)) AS units, CAST(1 AS BIGINT) AS lines
        FROM found f JOIN work w ON w.work_id = f.work_id CROSS JOIN question q"""
    )
    volume.spread_near(engine)
    engine.run(volume.PERMIT)
    engine.execute(
        f"""INSERT INTO heard
        SELECT {nth}, {int(bool(register.licences))}, a.scheme, a.value, '{register.ref}', w.ref, {_VERDICT}, {_BASIS},
          CASE WHEN a.answer = 'unmandated' THEN a.missing_ppm ELSE 0 END,
          CASE a.answer WHEN 'free' THEN 'protection_ended' WHEN 'individual' THEN 'individual_licence'
               WHEN 'statutory' THEN 'statutory_scheme' WHEN 'reserved' THEN 'reserved'
               WHEN 'unmandated' THEN CASE WHEN e.work_id IS NULL THEN 'mandate_missing' ELSE 'no_share' END
               ELSE l.reason END
        FROM answered a JOIN work w ON w.work_id = a.work_id
        LEFT JOIN by_licence l ON l.kind = a.kind LEFT JOIN unclaimed e ON e.work_id = a.work_id"""
    )
    engine.execute(
        "DELETE FROM unheard USING found WHERE unheard.scheme = found.scheme AND unheard.value = found.value"
    )
    licensing = engine.rows("SELECT DISTINCT kind FROM answered WHERE answer = 'licence'")
    return {reason.about for (kind,) in licensing for reason in by_licence[kind].reasons}


_VERDICT: Final = (
    "CASE WHEN a.answer IN ('free', 'individual', 'statutory', 'licence') THEN 'licensed' ELSE a.answer END"
)
_BASIS: Final = "CASE WHEN a.answer IN ('free', 'individual', 'statutory', 'licence') THEN a.answer ELSE '' END"


def _permit_unmatched(engine: Engine, order: Order, reserve: Reserve) -> None:
    """What no society knows: reservations of the place and the licences count alone."""
    licences = {ref: licence for register in order.registers for ref, licence in register.licences.items()}
    by_licence = {kind: _by_licence(order, kind, licences, matched=False) for kind in terms.KINDS}
    _load_terms(engine, order, by_licence)
    snapshots.nothing(engine)
    _match_values(engine, "unheard", reserve, None)
    engine.execute(
        """CREATE OR REPLACE TABLE used AS
        SELECT CAST(NULL AS BIGINT) AS work_id, s.scheme, s.value, coalesce(k.kind, 'other') AS kind, q.use, 'work' AS unit,
          q.day AS used_on, q.dataset, CAST(1 AS DECIMAL(38,0)) AS units, CAST(1 AS BIGINT) AS lines
        FROM sought s LEFT JOIN kind_of_scheme k ON k.scheme = s.scheme CROSS JOIN question q"""
    )
    volume.spread_near(engine)
    engine.run(volume.PERMIT)
    engine.execute(
        f"""INSERT INTO heard
        SELECT -1, 0, a.scheme, a.value, NULL, NULL, {_VERDICT}, {_BASIS}, 0,
          CASE WHEN a.answer = 'reserved' THEN 'no_work;reserved' ELSE l.reason END
        FROM answered a LEFT JOIN by_licence l ON l.kind = a.kind"""
    )


def _load_terms(
    engine: Engine, order: Order, by_licence: Mapping[str, core.Decision], register: Register | None = None
) -> None:
    """Tables `licence` and `by_licence`: what the licences say of each kind; and those of exceptions."""
    covered = [kind for kind, decision in by_licence.items() if decision.verdict in ("licensed", "unmatched")]
    allowed = [(order.use, kind, None, order.day, order.day + dt.timedelta(1)) for kind in covered]
    engine.table("licence", _LICENCE, allowed)
    engine.table("context", {"territory": _TEXT}, [(order.territory,)])
    said = [(kind, _codes(decision)) for kind, decision in by_licence.items()]
    engine.table("by_licence", {"kind": _TEXT, "reason": _TEXT}, said)
    volume.load_exceptions(
        engine, direct=register.direct if register else (), statutory=register.statutory if register else ()
    )


def _by_licence(order: Order, kind: str, licences: Mapping[str, Terms], *, matched: bool) -> core.Decision:
    """What the core decides where everything but the licences allows it."""
    facts = core.Facts(
        use=order.use,
        kind=kind,
        territory=order.territory,
        on=order.on,
        model=order.model,
        dataset=order.dataset,
        matched=matched,
        shares=(core.Share(0, terms.PPM),) if matched else (),
        mandates={0: (_ANYTHING,)},
        licences=licences,
    )
    decision = core.decide(facts)
    return decision if matched else core.without_work(decision)


def _codes(decision: core.Decision) -> str:
    return ";".join(dict.fromkeys(reason.code for reason in decision.reasons))
