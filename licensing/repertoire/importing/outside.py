"""Works as other formats register them, brought into the society's repertoire: set-based, like the contract's own files.

A reader gives records; here they become works, identifiers, other titles, holders and shares. A work is known by the
reference that the format gives it; one that the society has already under another reference, by an identifier. Such a
work keeps what the society says of it: the file may add identifiers, titles and shares.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import connection

from accounts.identity.core import gettext_noop
from licensing.engine.core import Engine
from licensing.intake.importing import Contents, Stage, merge
from licensing.repertoire.importing import shares
from licensing.repertoire.importing.normalising import normalised
from licensing.repertoire.importing.works import SIZES, TAKEN, check, find_identifiers

UNNAMED = gettext_noop("has neither an IPI nor a number: the share stays unrecorded")
AMBIGUOUS = gettext_noop("several members have this IPI: the share stays unrecorded")
NO_IPI = gettext_noop("the number is not in the form of an IPI and was left out")

_COLUMNS: Final = ("work_ref", "kind", "title", "creators", "language", "published", "protected_until", "identifiers")
_CELLS: Final = "abcdefgh"
# What a reader's record may be, and what its cells hold. `row` is its place in the file, `unit` that of what it belongs to.
_TABLES: Final = {
    "unit": ("refused", "group_id", "number", "type", "title", "sender_number"),
    "work": _COLUMNS,
    "alias": ("work_ref", "title", "creators"),
    "part": ("work_ref", "key", "ipi", "name", "kind", "role", "hundredths", "share"),
    "about": ("record",),  # what a part's line is called in its format
    "reject": ("field", "value", "reason"),
}
Row = tuple[Any, ...]


def row(kind: str, place: int, unit: int, *cells: str | int | None) -> Row:
    """A reader's record; empty text is nothing."""
    filled = [None if cell in ("", None) else cell for cell in cells]
    return kind, place, unit, *filled, *[None] * (len(_CELLS) - len(filled))


def fill(engine: Engine, rows: Iterable[Row], *, present: Sequence[str] = _COLUMNS) -> Contents:
    """The tables `incoming` (the works), `unit`, `alias`, `part` and `rejects` of what a reader gives, in one pass."""
    engine.execute('CREATE OR REPLACE TABLE rejects (row BIGINT, "column" VARCHAR, value VARCHAR, reason VARCHAR)')
    columns = {"kind": "VARCHAR", "row": "BIGINT", "unit": "BIGINT"} | dict.fromkeys(_CELLS, "VARCHAR")
    engine.table("outside", columns, rows)
    for kind, names in _TABLES.items():
        chosen = ", ".join(f'{cell} AS "{name}"' for cell, name in zip(_CELLS, names, strict=False))
        table = "incoming" if kind == "work" else kind
        engine.execute(
            f"CREATE OR REPLACE TABLE {table} AS SELECT row, unit, {chosen} FROM outside WHERE kind = '{kind}'"
        )
    engine.execute("DROP TABLE outside")
    engine.execute("INSERT INTO rejects SELECT row, field, value, reason FROM reject")
    [(read, refused)] = engine.rows("SELECT count(*), count(*) FILTER (WHERE refused IS NOT NULL) FROM unit")
    return Contents(tuple(present), read, refused)


@dataclass(frozen=True, slots=True)
class Rules:
    """How a format registers works. `latest`: of several registrations of a work in one file the last counts; else they
    are editions of it, and the first gives the title. `replaces`: what it registers are all the shares of its works."""

    latest: bool
    replaces: bool = False


def register(stage: Stage, rules: Rules) -> tuple[int, int]:
    """Bring what was filled into the repertoire; returns (created, updated) works.

    Leaves PostgreSQL's temporary table `target(row, ref, work_id, work_ref, own)`: which work each registration became.
    """
    stage.tidy([c for c in stage.file.wanted if c != "identifiers"])
    stage.required("work_ref", "kind", "title")
    stage.longest(SIZES)
    check(stage)
    _collapse(stage, latest=rules.latest)
    find_identifiers(stage)
    _find_works(stage)
    created, updated = merge(
        table="licensing_work",
        staged_table="incoming_work",
        society_id=stage.society.pk,
        values=[c for c in _COLUMNS[1:-1] if stage.has(c)],
        insert={c: sql for c, sql in _DEFAULTS.items() if not stage.has(c)},
    )
    _execute(_NAME_NEW, stage.society.pk)
    _add_identifiers(stage)
    _add_titles(stage)
    _add_holders(stage)
    _write_shares(stage, replaces=rules.replaces)
    [(more,)] = _rows("SELECT count(DISTINCT ref) FROM altered WHERE ref NOT IN (SELECT ref FROM touched)")
    return created, updated + more


_DEFAULTS: Final = {"creators": "''", "language": "''", "published": "''", "protected_until": "NULL"}
_TITLE = "nullif(trim(regexp_replace(nfc_normalize({}), '[\\s\\x00-\\x1f]+', ' ', 'g')), '')"


def _collapse(stage: Stage, *, latest: bool) -> None:
    """One row a work."""
    engine = stage.engine
    engine.execute(
        f"UPDATE alias SET title = left({_TITLE.format('title')}, 1000), creators = {_TITLE.format('creators')}"
    )
    if not latest:
        engine.execute("INSERT INTO alias SELECT row, unit, work_ref, title, creators FROM incoming")
        engine.execute(
            """CREATE OR REPLACE TABLE every AS SELECT work_ref,
            list_sort(list_distinct(flatten(list(string_split(identifiers, ';'))))) AS named FROM incoming GROUP BY work_ref"""
        )
    order = "DESC" if latest else "ASC"
    engine.execute(
        f"""CREATE OR REPLACE TABLE one AS SELECT * FROM incoming
        QUALIFY row_number() OVER (PARTITION BY work_ref ORDER BY row {order}) = 1"""
    )
    engine.execute("CREATE OR REPLACE TABLE incoming AS SELECT * FROM one")
    engine.execute("DROP TABLE one")
    if not latest:
        engine.execute(
            "UPDATE incoming SET identifiers = array_to_string(e.named, ';') FROM every e WHERE e.work_ref = incoming.work_ref"
        )


def _find_works(stage: Stage) -> None:
    """The file's works in PostgreSQL, `target`: which work of the society each of them is, if any, `incoming_work`: those
    that the file may describe."""
    text = {"kind": "varchar", "title": "varchar", "creators": "varchar", "language": "varchar", "published": "varchar"}
    stage.copy(
        "incoming_registered",
        {"row": "bigint", "ref": "varchar"} | text | {"protected_until": "date"},
        "SELECT row, work_ref, kind, title, coalesce(creators, ''), coalesce(language, ''), coalesce(published, ''), "
        "CAST(protected_until AS DATE) FROM incoming",
    )
    named = {"row": "bigint", "ref": "varchar", "scheme": "varchar", "value": "varchar", "text": "varchar"}
    stage.copy("incoming_identifier", named, "SELECT row, ref, scheme, value, text FROM stated")
    _execute(_FIND, stage.society.pk, stage.society.pk)


def _add_identifiers(stage: Stage) -> None:
    columns = {"row": "BIGINT", "name": "VARCHAR", "value": "VARCHAR", "reason": "VARCHAR"}
    society = stage.society.pk
    stage.engine.table("taken", columns, _rows(_TAKEN, TAKEN, society))
    stage.reject_parts("SELECT * FROM taken")
    _execute(_ADD_IDENTIFIERS, society)


def _add_titles(stage: Stage) -> None:
    """Other titles, and the file's own title of works that the society names differently."""
    stage.copy(
        "incoming_alias",
        {"ref": "varchar", "title": "varchar", "creators": "varchar"},
        "SELECT DISTINCT work_ref, title, coalesce(creators, '') FROM alias WHERE title IS NOT NULL "
        "AND work_ref IN (SELECT work_ref FROM incoming)",
    )
    _execute(_ADD_TITLES, stage.society.pk)


def _add_holders(stage: Stage) -> None:
    """PostgreSQL's tables `incoming_part` and `party`: who has the shares; those whom the society lacks are added."""
    engine = stage.engine
    engine.execute("DELETE FROM part WHERE unit NOT IN (SELECT unit FROM incoming)")
    normalised(engine, "SELECT DISTINCT 'ipi', ipi FROM part WHERE ipi IS NOT NULL", into="number")
    stage.reject_parts(
        f"SELECT p.row, 'ipi', p.ipi, '{NO_IPI}' FROM part p JOIN number n ON n.text = p.ipi WHERE n.value IS NULL"
    )
    engine.execute("UPDATE part SET ipi = n.value FROM number n WHERE n.text = part.ipi")
    engine.execute("UPDATE part SET key = 'IPI-' || ipi WHERE ipi IS NOT NULL")
    stage.reject_parts(f"SELECT row, 'number', name, '{UNNAMED}' FROM part WHERE key IS NULL")
    stage.copy(
        "incoming_part",
        {
            "row": "bigint", "ref": "varchar", "key": "varchar", "ipi": "varchar", "name": "varchar", "kind": "varchar",
            "role": "varchar", "hundredths": "integer", "share": "varchar",
        },
        f"SELECT row, work_ref, key, coalesce(ipi, ''), left({_TITLE.format('name')}, 300), kind, coalesce(left(role, 20), ''), "
        "CAST(hundredths AS INTEGER), share FROM part WHERE key IS NOT NULL AND name IS NOT NULL",
    )  # fmt: skip
    society = stage.society.pk
    _execute(_FIND_HOLDERS, society, society)
    columns = {"row": "BIGINT", "name": "VARCHAR", "value": "VARCHAR", "reason": "VARCHAR"}
    stage.engine.table("unclear", columns, _rows(_UNCLEAR, AMBIGUOUS))
    stage.reject_parts("SELECT * FROM unclear")
    _execute(_ADD_HOLDERS, society)


def _write_shares(stage: Stage, *, replaces: bool) -> None:
    _execute(_SHARES)
    if replaces:
        _execute(_END_SHARES)
    # The works and members of this transaction are in no statistics yet: by them a join row by row would look cheap.
    _execute("SET LOCAL enable_nestloop = off; SET LOCAL cursor_tuple_fraction = 1")
    shares.work_out(stage)
    _execute("SET LOCAL enable_nestloop = on; SET LOCAL cursor_tuple_fraction = DEFAULT")
    stage.reject_parts("SELECT row, 'share', NULL, refused FROM outcome WHERE refused IS NOT NULL")
    shares.write(stage)
    _execute("INSERT INTO altered SELECT t.ref FROM outcome o JOIN target t ON t.work_id = o.work_id")


def _execute(statements: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statements, parameters)


def _rows(query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())


# By its own reference, else by the one work that its identifiers name; a work that was merged into another is that one.
_FIND = """
DROP TABLE IF EXISTS target, incoming_work, altered;
CREATE TEMP TABLE target ON COMMIT DROP AS
WITH RECURSIVE named AS (
  SELECT n.ref, min(o.work_id) AS work_id
  FROM incoming_identifier n JOIN licensing_identifier o ON o.society_id = %s AND o.scheme = n.scheme AND o.value = n.value
  GROUP BY n.ref HAVING count(DISTINCT o.work_id) = 1),
chain AS (
  SELECT i.row, i.ref, w.id AS work_id, w.ref AS work_ref, w.merged_into_id
  FROM incoming_registered i LEFT JOIN named n ON n.ref = i.ref
  LEFT JOIN licensing_work own ON own.society_id = %s AND own.ref = i.ref
  LEFT JOIN licensing_work w ON w.id = coalesce(own.id, n.work_id)
  UNION ALL
  SELECT c.row, c.ref, w.id, w.ref, w.merged_into_id FROM chain c JOIN licensing_work w ON w.id = c.merged_into_id)
SELECT row, ref, work_id, work_ref, work_ref IS NULL OR work_ref = ref AS own FROM chain WHERE merged_into_id IS NULL;
CREATE UNIQUE INDEX ON target (ref);
ANALYZE target;
CREATE TEMP TABLE incoming_work ON COMMIT DROP AS
SELECT i.* FROM incoming_registered i JOIN target t ON t.ref = i.ref WHERE t.own;
CREATE TEMP TABLE altered (ref varchar) ON COMMIT DROP;
"""
_NAME_NEW = """
UPDATE target t SET work_id = w.id, work_ref = w.ref FROM licensing_work w
WHERE t.work_id IS NULL AND w.society_id = %s AND w.ref = t.ref;
CREATE INDEX ON target (work_id);
ANALYZE target;
"""
_TAKEN = """
SELECT n.row, 'identifiers', n.text, %s FROM incoming_identifier n JOIN target t ON t.ref = n.ref
JOIN licensing_identifier o ON o.society_id = %s AND o.scheme = n.scheme AND o.value = n.value
WHERE o.work_id <> t.work_id ORDER BY n.row, n.text LIMIT 100000
"""
_ADD_IDENTIFIERS = """
WITH added AS (
  INSERT INTO licensing_identifier (society_id, work_id, scheme, value)
  SELECT %s, t.work_id, n.scheme, n.value FROM incoming_identifier n JOIN target t ON t.ref = n.ref ORDER BY n.row
  ON CONFLICT DO NOTHING RETURNING work_id)
INSERT INTO altered SELECT t.ref FROM added a JOIN target t ON t.work_id = a.work_id
"""
_ADD_TITLES = """
WITH said AS (
  SELECT t.work_id, a.title, a.creators FROM incoming_alias a JOIN target t ON t.ref = a.ref
  UNION SELECT t.work_id, i.title, i.creators FROM incoming_registered i JOIN target t ON t.ref = i.ref WHERE NOT t.own),
added AS (
  INSERT INTO licensing_workalias (society_id, work_id, title, creators)
  SELECT %s, s.work_id, s.title, min(s.creators) FROM said s JOIN licensing_work w ON w.id = s.work_id
  WHERE lower(s.title) <> lower(w.title)
    AND NOT EXISTS (SELECT FROM licensing_workalias o WHERE o.work_id = s.work_id AND o.title = s.title)
  GROUP BY s.work_id, s.title ORDER BY s.work_id, s.title
  ON CONFLICT DO NOTHING RETURNING work_id)
INSERT INTO altered SELECT t.ref FROM added a JOIN target t ON t.work_id = a.work_id
"""
# A party is the member with its reference, else the one member with its IPI.
_FIND_HOLDERS = """
DROP TABLE IF EXISTS party;
CREATE TEMP TABLE party ON COMMIT DROP AS
WITH each AS (SELECT DISTINCT ON (key) key, ipi, name, kind FROM incoming_part ORDER BY key, row),
numbered AS (
  SELECT ipi, min(id) AS id, count(*) AS members FROM licensing_holder
  WHERE society_id = %s AND ipi <> '' AND ipi IN (SELECT ipi FROM each) GROUP BY ipi)
SELECT e.key, e.ipi, e.name, e.kind, coalesce(own.id, CASE WHEN n.members = 1 THEN n.id END) AS holder_id,
  own.id IS NULL AND n.members > 1 AS unclear
FROM each e LEFT JOIN numbered n ON n.ipi = e.ipi
LEFT JOIN licensing_holder own ON own.society_id = %s AND own.ref = e.key;
CREATE UNIQUE INDEX ON party (key);
ANALYZE party;

"""
_UNCLEAR = """
SELECT p.row, 'ipi', p.ipi, %s FROM incoming_part p JOIN party y ON y.key = p.key WHERE y.unclear ORDER BY p.row LIMIT 100000
"""
_ADD_HOLDERS = """
WITH added AS (
  INSERT INTO licensing_holder (society_id, ref, name, name_ko, kind, ipi, isni, email, country, tax_status)
  SELECT %s, key, name, '', kind, ipi, '', '', '', '' FROM party WHERE holder_id IS NULL AND NOT coalesce(unclear, false)
  ORDER BY key RETURNING id, ref)
UPDATE party SET holder_id = a.id FROM added a WHERE a.ref = party.key
"""
_SHARES = """
DROP TABLE IF EXISTS incoming_share;
CREATE TEMP TABLE incoming_share ON COMMIT DROP AS
SELECT min(p.row) AS row, t.work_ref, h.ref AS holder_ref, p.role,
  coalesce(min(p.share), (least(sum(p.hundredths), 10000) * 100)::text || 'ppm') AS share,
  NULL::date AS since, NULL::date AS until, t.work_id, h.id AS holder_id
FROM incoming_part p JOIN target t ON t.ref = p.ref JOIN party y ON y.key = p.key JOIN licensing_holder h ON h.id = y.holder_id
GROUP BY t.work_ref, t.work_id, h.ref, h.id, p.role;
CREATE UNIQUE INDEX ON incoming_share (work_id, holder_id, role);
ANALYZE incoming_share;
"""
# Of works that the file registers as its own: shares without days, undisputed, that it no longer states.
_END_SHARES = """
WITH gone AS (
  DELETE FROM licensing_share s USING (
    SELECT DISTINCT i.work_id, t.ref FROM incoming_share i JOIN target t ON t.work_id = i.work_id WHERE t.own) w
  WHERE s.work_id = w.work_id AND lower_inf(s.valid) AND upper_inf(s.valid) AND NOT s.disputed AND NOT EXISTS (
    SELECT FROM incoming_share i WHERE i.work_id = s.work_id AND i.holder_id = s.holder_id AND i.role = s.role)
  RETURNING w.ref)
INSERT INTO altered SELECT ref FROM gone
"""
