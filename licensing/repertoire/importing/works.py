"""The works file: works, and the identifiers that it states for them."""

from __future__ import annotations

from django.db import connection

from accounts.identity.core import Actor, gettext_noop
from accounts.organisations.models import Organisation
from licensing import terms
from licensing.intake.core import TableSpec
from licensing.intake.importing import ImportResult, Stage, check_society, merge, staged
from licensing.intake.models import Import, StoredFile
from licensing.repertoire.identifiers.schemes import UNKNOWN_SCHEME
from licensing.repertoire.importing.aliases import find_aliases, replace_aliases
from licensing.repertoire.importing.normalising import normalised

SPEC = TableSpec(
    required=("work_ref", "kind", "title"),
    optional=("creators", "language", "published", "protected_until", "identifiers", "also_titles"),
)

UNKNOWN_KIND = gettext_noop("unknown kind of work")
NOT_A_LANGUAGE = gettext_noop("write a language as its code, such as ko or en-GB")
NOT_A_PUBLICATION = gettext_noop("write the publication as 2026, 2026-01 or 2026-01-31")
TWICE_IN_FILE = gettext_noop("names the work of an earlier row already")
TAKEN = gettext_noop("names another work of the society already")

SIZES = {"work_ref": 64, "title": 1000, "creators": 2000}
_STAGED = {
    "row": "bigint", "ref": "varchar", "kind": "varchar", "title": "varchar", "creators": "varchar",
    "language": "varchar", "published": "varchar", "protected_until": "date",
}  # fmt: skip

FILLED = ("licensing_work", "licensing_identifier")


def import_works(
    *, actor: Actor, society: Organisation, file: StoredFile, record_in: Import | None = None
) -> ImportResult:
    """Create and update the society's works by `work_ref`, and replace the identifiers of the works in the file.

    `also_titles` (`;`) replaces their other titles likewise. Columns that the file lacks
    keep their values. A bad identifier is reported and left out; its work is taken.
    """
    check_society(actor, society, "works.import")
    with staged(society=society, stored=file, kind=Import.Kind.WORKS, spec=SPEC, record_in=record_in) as stage:
        stage.tidy([c for c in SPEC.columns if c != "identifiers"])
        stage.engine.execute("UPDATE incoming SET kind = lower(kind)")
        stage.required(*SPEC.required)
        stage.longest(SIZES)
        check(stage)
        stage.once("work_ref")
        if stage.has("identifiers"):
            find_identifiers(stage)
        if stage.has("also_titles"):
            find_aliases(stage)
        stage.copy(
            "incoming_work",
            _STAGED,
            "SELECT row, work_ref, kind, title, coalesce(creators, ''), coalesce(language, ''), "
            "coalesce(published, ''), protected_until FROM incoming",
        )
        optional = {"creators": "''", "language": "''", "published": "''", "protected_until": "NULL"}
        created, updated = merge(
            table="licensing_work",
            staged_table="incoming_work",
            society_id=society.pk,
            values=["kind", "title", *(c for c in optional if stage.has(c))],
            insert={c: sql for c, sql in optional.items() if not stage.has(c)},
        )
        if stage.has("identifiers"):
            updated += _replace_identifiers(stage)
        if stage.has("also_titles"):
            updated += replace_aliases(stage, beside=stage.has("identifiers"))
        return stage.finish(actor, created=created, updated=updated, filled=FILLED)


def check(stage: Stage) -> None:
    kinds = ", ".join(f"'{kind}'" for kind in terms.KINDS)
    stage.reject("kind", f"kind NOT IN ({kinds})", UNKNOWN_KIND)
    code = "[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}"
    stage.reject("language", f"NOT regexp_full_match(language, '{code}') OR length(language) > 16", NOT_A_LANGUAGE)
    stage.reject(
        "published",
        "published IS NOT NULL AND NOT (regexp_full_match(published, '[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?') "
        "AND TRY_CAST(published || left('-01-01', 10 - length(published)) AS DATE) IS NOT NULL)",
        NOT_A_PUBLICATION,
    )
    stage.dates("protected_until")


def find_identifiers(stage: Stage) -> None:
    """The tables `stated` (row, ref, scheme, value) and, of what is no identifier, rejects."""
    engine = stage.engine
    engine.execute(
        """CREATE OR REPLACE TABLE piece AS
        SELECT row, work_ref AS ref, trim(text) AS text, lower(trim(split_part(text, ':', 1))) AS scheme,
          trim(substr(text, strpos(text, ':') + 1)) AS value
        FROM (SELECT row, work_ref, unnest(string_split(identifiers, ';')) AS text FROM incoming)
        WHERE trim(text) <> ''"""
    )
    schemes = ", ".join(f"'{scheme}'" for scheme in terms.SCHEMES)
    known = f"contains(text, ':') AND scheme IN ({schemes})"
    stage.reject_parts(f"SELECT row, 'identifiers', text, '{UNKNOWN_SCHEME}' FROM piece WHERE NOT ({known})")
    engine.execute(f"DELETE FROM piece WHERE NOT ({known})")
    normalised(engine, "SELECT DISTINCT scheme, value FROM piece", into="normal")
    stage.reject_parts(
        "SELECT p.row, 'identifiers', p.text, n.reason FROM piece p JOIN normal n "
        "ON n.scheme = p.scheme AND n.text = p.value WHERE n.reason IS NOT NULL"
    )
    engine.execute(
        """CREATE OR REPLACE TABLE stated AS
        SELECT p.row, p.ref, p.scheme, n.value, first(p.text ORDER BY p.text) AS text,
          min(p.row) OVER (PARTITION BY p.scheme, n.value) AS first_row
        FROM piece p JOIN normal n ON n.scheme = p.scheme AND n.text = p.value WHERE n.value IS NOT NULL
        GROUP BY p.row, p.ref, p.scheme, n.value"""
    )
    stage.reject_parts(f"SELECT row, 'identifiers', text, '{TWICE_IN_FILE}' FROM stated WHERE row > first_row")
    engine.execute("DELETE FROM stated WHERE row > first_row")


def _replace_identifiers(stage: Stage) -> int:
    """Make the identifiers of the file's works those that it states; returns how many works only this changed."""
    kinds = {"row": "bigint", "ref": "varchar", "scheme": "varchar", "value": "varchar", "text": "varchar"}
    stage.copy("incoming_identifier", kinds, "SELECT row, ref, scheme, value, text FROM stated")
    society = stage.society.pk
    with connection.cursor() as cursor:
        cursor.execute(_NAMED, [society, society])
        cursor.execute("ANALYZE named")
        cursor.execute("SELECT row, 'identifiers', text, %s FROM named WHERE taken ORDER BY row LIMIT 100000", [TAKEN])
        columns = {"row": "BIGINT", "name": "VARCHAR", "value": "VARCHAR", "reason": "VARCHAR"}
        stage.engine.table("taken", columns, cursor.fetchall())
        stage.reject_parts("SELECT * FROM taken")
        cursor.execute(_DROP, [society])
        cursor.execute(_ADD, [society])
        cursor.execute("SELECT count(DISTINCT ref) FROM renamed WHERE ref NOT IN (SELECT ref FROM touched)")
        [changed] = cursor.fetchone()
    return int(changed)


# What the file states, with its work, and whether the identifier names a work that the file does not speak of.
_NAMED = """
DROP TABLE IF EXISTS named;
CREATE TEMP TABLE named ON COMMIT DROP AS
SELECT i.row, i.ref, w.id AS work_id, i.scheme, i.value, i.text, EXISTS (
    SELECT FROM licensing_identifier o JOIN licensing_work ow ON ow.id = o.work_id
    WHERE o.society_id = %s AND o.scheme = i.scheme AND o.value = i.value
      AND NOT EXISTS (SELECT FROM incoming_work f WHERE f.ref = ow.ref)) AS taken
FROM incoming_identifier i JOIN licensing_work w ON w.society_id = %s AND w.ref = i.ref
"""
_DROP = """
DROP TABLE IF EXISTS renamed;
CREATE TEMP TABLE renamed (ref varchar) ON COMMIT DROP;
WITH gone AS (
  DELETE FROM licensing_identifier o USING licensing_work w, incoming_work f
  WHERE w.id = o.work_id AND w.society_id = %s AND f.ref = w.ref AND NOT EXISTS (
    SELECT FROM named n WHERE n.work_id = o.work_id AND n.scheme = o.scheme AND n.value = o.value)
  RETURNING w.ref)
INSERT INTO renamed SELECT ref FROM gone
"""
_ADD = """
WITH added AS (
  INSERT INTO licensing_identifier (society_id, work_id, scheme, value)
  SELECT %s, n.work_id, n.scheme, n.value FROM named n
  WHERE NOT n.taken AND NOT EXISTS (
    SELECT FROM licensing_identifier o WHERE o.work_id = n.work_id AND o.scheme = n.scheme AND o.value = n.value)
  ORDER BY n.row
  RETURNING work_id)
INSERT INTO renamed SELECT w.ref FROM added JOIN licensing_work w ON w.id = added.work_id
"""
