"""The mandates file: holders authorise their society, for uses, kinds, territory and days."""

from __future__ import annotations

from django.db import connection

from accounts.identity.core import Actor, gettext_noop
from accounts.organisations.models import Organisation
from licensing import terms
from licensing.intake.core import TableSpec
from licensing.intake.importing import EMPTY_TERM, ImportResult, Stage, check_society, staged
from licensing.intake.models import Import, StoredFile
from licensing.repertoire.importing.holders import countries
from licensing.repertoire.importing.shares import UNKNOWN_HOLDER

SPEC = TableSpec(required=("holder_ref", "uses", "valid_from"), optional=("kinds", "territory", "valid_to"))

UNKNOWN_USE = gettext_noop("write uses as train;ground or *")
UNKNOWN_KIND = gettext_noop("write kinds as book;web or *")
UNKNOWN_TERRITORY = gettext_noop("write territories as KR;JP or *")
TOO_MANY = gettext_noop("a file has at most 1,000 mandates of a holder")
OVERLAPS = gettext_noop("the holder has a mandate for some of these uses, kinds, places and days already")
EARLIER_ROW = gettext_noop("covers uses, kinds, places and days of an earlier row")

_STAGED = {
    "row": "bigint", "holder_ref": "varchar", "uses": "varchar", "kinds": "varchar", "territory": "varchar",
    "since": "date", "until": "date",
}  # fmt: skip
_MOST_A_HOLDER = 1000
_CODES = ("uses", "kinds", "territory")


def import_mandates(
    *, actor: Actor, society: Organisation, file: StoredFile, record_in: Import | None = None
) -> ImportResult:
    """Add mandates; one with the holder, uses, kinds, territory and first day of one on record sets its end.

    A mandate whose uses, kinds, territory and days meet those of another of the holder's is refused.
    """
    check_society(actor, society, "mandates.manage")
    with staged(society=society, stored=file, kind=Import.Kind.MANDATES, spec=SPEC, record_in=record_in) as stage:
        stage.tidy(SPEC.columns)
        stage.engine.execute("UPDATE incoming SET kinds = coalesce(kinds, '*'), territory = coalesce(territory, '*')")
        stage.required(*SPEC.required)
        stage.dates("valid_from", "valid_to")
        stage.reject("valid_to", "CAST(valid_to AS DATE) <= CAST(valid_from AS DATE)", EMPTY_TERM)
        sort_codes(stage, "uses", sorted(terms.USES), UNKNOWN_USE)
        sort_codes(stage, "kinds", sorted(terms.KINDS), UNKNOWN_KIND)
        sort_codes(stage, "territory", sorted(countries()), UNKNOWN_TERRITORY, upper=True)
        stage.once("holder_ref", *_CODES, "valid_from")
        stage.reject_rows(
            f"SELECT row, 'holder_ref', holder_ref, '{TOO_MANY}' FROM incoming "
            f"QUALIFY row_number() OVER (PARTITION BY holder_ref ORDER BY row) > {_MOST_A_HOLDER}"
        )
        _stage_rows(stage)
        shortened = _execute(_SHORTEN)
        _refuse_meeting(stage)
        lengthened, created = _execute(_LENGTHEN), _execute(_ADD)
        return stage.finish(actor, created=created, updated=shortened + lengthened)


def sort_codes(stage: Stage, column: str, known: list[str], reason: str, *, upper: bool = False) -> None:
    """Bring a list of codes into one form: `a;b`, sorted, each once, `*` alone; refuse unknown codes."""
    case = "upper" if upper else "lower"
    cleaned = f"list_transform(string_split({column}, ';'), lambda c: {case}(trim(c)))"
    codes = f"list_sort(list_distinct(list_filter({cleaned}, lambda c: c <> '')))"
    stage.engine.execute(
        f"UPDATE incoming SET {column} = CASE WHEN list_contains({codes}, '*') THEN '*' "
        f"ELSE coalesce(nullif(array_to_string({codes}, ';'), ''), '?') END"
    )
    allowed = ", ".join(f"'{code}'" for code in known)
    stage.reject(column, f"{column} <> '*' AND NOT list_has_all([{allowed}], string_split({column}, ';'))", reason)


def _stage_rows(stage: Stage) -> None:
    """The rows in PostgreSQL as `incoming_mandate`, with holder, codes as arrays and days as a range."""
    stage.copy(
        "mandate_row",
        _STAGED,
        "SELECT row, holder_ref, uses, kinds, territory, CAST(valid_from AS DATE), CAST(valid_to AS DATE) "
        "FROM incoming",
    )
    society = int(stage.society.pk)
    stage.engine.take(
        "unknown",
        {"ref": "VARCHAR"},
        "SELECT DISTINCT holder_ref FROM mandate_row r WHERE NOT EXISTS "
        f"(SELECT FROM licensing_holder h WHERE h.society_id = {society} AND h.ref = r.holder_ref)",
    )
    stage.reject_rows(
        f"SELECT row, 'holder_ref', holder_ref, '{UNKNOWN_HOLDER}' FROM incoming "
        "WHERE holder_ref IN (SELECT ref FROM unknown)"
    )
    with connection.cursor() as cursor:
        cursor.execute(_INCOMING, [society])


def _refuse_meeting(stage: Stage) -> None:
    """Refuse what meets a mandate on record, then what meets an earlier row that is taken."""
    for query, reason in ((_MEETING_RECORD, OVERLAPS), (_MEETING_ROWS, EARLIER_ROW)):
        with connection.cursor() as cursor:
            cursor.execute(query)
            refused: set[int] = set()
            for row, earlier in cursor.fetchall():
                if earlier not in refused:
                    refused.add(row)
            cursor.execute("DELETE FROM incoming_mandate WHERE row = ANY(%s)", [sorted(refused)])
        stage.engine.table("meeting", {"row": "BIGINT"}, [(row,) for row in sorted(refused)])
        stage.reject_rows(
            f"SELECT row, 'uses', uses || ' ' || kinds || ' ' || territory, '{reason}' FROM incoming "
            "WHERE row IN (SELECT row FROM meeting)"
        )


def _execute(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.rowcount


# The file's mandates; `held_id` is the mandate on record with the same holder, codes and first day.
_INCOMING = """
DROP TABLE IF EXISTS incoming_mandate;
CREATE TEMP TABLE incoming_mandate ON COMMIT DROP AS
WITH stated AS (
  SELECT r.row, h.society_id, h.id AS holder_id, string_to_array(r.uses, ';')::varchar[] AS uses,
    string_to_array(r.kinds, ';')::varchar[] AS kinds, string_to_array(r.territory, ';')::varchar[] AS territory,
    daterange(r.since, r.until) AS valid
  FROM mandate_row r JOIN licensing_holder h ON h.society_id = %s AND h.ref = r.holder_ref)
SELECT s.*, m.id AS held_id, m.valid AS held
FROM stated s LEFT JOIN licensing_mandate m
  ON m.holder_id = s.holder_id AND m.uses = s.uses AND m.kinds = s.kinds AND m.territory = s.territory
  AND lower(m.valid) = lower(s.valid);
ANALYZE incoming_mandate;
"""
_SHORTEN = """
UPDATE licensing_mandate m SET valid = i.valid FROM incoming_mandate i
WHERE m.id = i.held_id AND i.valid <@ m.valid AND i.valid <> m.valid
"""
# `held` is how the mandate stood before the file; what contains it is longer.
_LENGTHEN = """
UPDATE licensing_mandate m SET valid = i.valid FROM incoming_mandate i
WHERE m.id = i.held_id AND i.valid @> i.held AND i.valid <> i.held
"""
_ADD = """
INSERT INTO licensing_mandate (society_id, holder_id, uses, kinds, territory, valid)
SELECT society_id, holder_id, uses, kinds, territory, valid FROM incoming_mandate WHERE held_id IS NULL ORDER BY row
"""
_NEW = "(i.held_id IS NULL OR i.valid @> i.held AND i.valid <> i.held)"
_MEET = """code_points(a.uses::text[]) && code_points(b.uses::text[])
  AND code_points(a.kinds::text[]) && code_points(b.kinds::text[])
  AND code_points(a.territory::text[]) && code_points(b.territory::text[]) AND a.valid && b.valid"""
# Materialised, so that mandates are joined by their holder: by an index of days and codes alone, each meets every other.
_MEETING_RECORD = f"""
WITH new AS (SELECT * FROM incoming_mandate i WHERE {_NEW}),
held AS MATERIALIZED (SELECT * FROM licensing_mandate WHERE holder_id IN (SELECT holder_id FROM new))
SELECT DISTINCT a.row, 0 FROM new a
JOIN held b ON b.holder_id = a.holder_id AND b.id IS DISTINCT FROM a.held_id AND {_MEET}
ORDER BY 1
"""
_MEETING_ROWS = f"""
WITH new AS (SELECT * FROM incoming_mandate i WHERE {_NEW})
SELECT a.row, b.row FROM new a JOIN new b ON b.holder_id = a.holder_id AND b.row < a.row AND {_MEET}
ORDER BY a.row, b.row
"""
