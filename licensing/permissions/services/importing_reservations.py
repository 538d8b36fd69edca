"""The reservations file: many opt-outs at once, of works, identifiers, places or all works of a holder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django.db import connection
from django.utils import timezone

from accounts.identity.core import Actor, Forbidden, NotFound, gettext_noop, say
from accounts.organisations.models import Organisation
from licensing import terms
from licensing.intake.core import TableSpec
from licensing.intake.importing import ImportResult, Stage, check_society, staged
from licensing.intake.models import Import, StoredFile
from licensing.permissions.core import deadlines, places
from licensing.permissions.services.importing import UNKNOWN_TERRITORY, UNKNOWN_USE, sort_codes
from licensing.repertoire.identifiers import BadIdentifier, normalise, split
from licensing.repertoire.importing.holders import countries
from licensing.repertoire.models import Holder

SPEC: Final = TableSpec(required=("target", "uses"), optional=("territory", "from"))

NO_TARGET = gettext_noop("write a work’s reference, an identifier as isbn:…, a web address, or *")
NO_HOLDER = gettext_noop("* means all works of a holder: say of which")
NOT_THEIRS = gettext_noop("you have no share of this work")
BACKWARDS = gettext_noop("a reservation never counts backwards: give today, a later day, or none")

_LONGEST: Final = {"target": 2048}
_READ: Final = dict.fromkeys(("target", "place", "pattern", "scheme", "value", "problem"), "VARCHAR")
_STAGED: Final = {
    "row": "bigint", "target": "varchar", "uses": "varchar", "territory": "varchar", "since": "date",
    "place": "varchar", "pattern": "varchar", "scheme": "varchar", "value": "varchar", "problem": "varchar",
}  # fmt: skip


def import_reservations(
    *,
    actor: Actor,
    society: Organisation,
    file: StoredFile,
    holder: Holder | None = None,
    record_in: Import | None = None,
) -> ImportResult:
    """Receive every reservation that the file lists, now. A row that says what stands already changes nothing.

    The society's staff reserve for anyone, and vouch for it; a member for their holder, of works of theirs at once, of
    anything else once its identity is checked.
    """
    member = _check_maker(actor, society, holder)
    with staged(society=society, stored=file, kind=Import.Kind.RESERVATIONS, spec=SPEC, record_in=record_in) as stage:
        stage.tidy(SPEC.columns)
        stage.engine.execute("UPDATE incoming SET territory = coalesce(territory, '*')")
        stage.required(*SPEC.required)
        stage.longest(_LONGEST)
        stage.dates("from")
        sort_codes(stage, "uses", sorted(terms.USES), UNKNOWN_USE)
        sort_codes(stage, "territory", sorted(countries()), UNKNOWN_TERRITORY, upper=True)
        stage.once("target", "uses", "territory")
        stage.engine.table("read_target", _READ, _targets(stage))
        stage.copy("reservation_row", _STAGED, _ROWS)
        values = {
            "society": society.pk,
            "holder": holder and holder.pk,
            "member": member,
            "now": timezone.now(),
            "today": timezone.localdate(),
            "due": deadlines.working_days_after(timezone.localdate(), deadlines.IDENTITY_DAYS, society.country),
            "language": "ko",
        }
        _execute(_INCOMING, values)
        _refuse(stage, values)
        return stage.finish(actor, created=_execute(_ADD, values), updated=0)


def _check_maker(actor: Actor, society: Organisation, holder: Holder | None) -> bool:
    """Whether it is a member who reserves."""
    if holder is not None and holder.society_id != society.pk:
        raise NotFound(say("There is no such holder."))
    if actor.is_system or actor.organisation_id is not None:
        check_society(actor, society, "reservations.manage")
        return False
    actor.require("reservations.make")
    if holder is None or holder.pk not in actor.holder_ids:
        raise Forbidden(say("A member reserves in their own name."))
    return True


def _targets(stage: Stage) -> Iterator[tuple[Any, ...]]:
    """What each distinct target means if it is no work's reference: place and pattern, or scheme and value, or why not."""
    for rows in stage.engine.stream("SELECT DISTINCT target FROM incoming WHERE target <> '*'"):
        yield from ((target, *_read(target)) for (target,) in rows)


def _read(target: str) -> tuple[str | None, ...]:
    try:
        scheme, text = split(target)
    except BadIdentifier:
        scheme, text = "url", target
        if "." not in target:
            return None, None, None, None, NO_TARGET
    try:
        if scheme in ("url", "domain"):
            place, pattern = places.place_of(text)
            return place, places.bounded(pattern), None, None, None
        return None, None, scheme, normalise(scheme, text), None
    except BadIdentifier as error:
        return None, None, None, None, str(error)


def _refuse(stage: Stage, values: dict[str, Any]) -> None:
    """Report the rows that the database found wrong, with their reasons, and take them out."""
    with connection.cursor() as cursor:
        cursor.execute(_WRONG, values)
        wrong = cursor.fetchall()
    columns = {"row": "BIGINT", "at": "VARCHAR", "reason": "VARCHAR"}
    stage.engine.table("wrong", columns, wrong)
    stage.reject_rows(
        """SELECT w.row, w.at, CASE w.at WHEN 'from' THEN i."from" ELSE i.target END, w.reason
        FROM wrong w JOIN incoming i ON i.row = w.row"""
    )
    _execute("DELETE FROM incoming_reservation WHERE row = ANY(%(rows)s)", {"rows": [row for row, *_ in wrong]})


def _execute(statement: str, values: dict[str, Any]) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.rowcount


_ROWS = """
SELECT i.row, i.target, i.uses, i.territory, CAST(i."from" AS DATE), t.place, t.pattern, t.scheme, t.value, t.problem
FROM incoming i LEFT JOIN read_target t ON t.target = i.target
"""
# Each row with what it is of. A work's reference goes before what else the text may mean. `theirs`: a work or all works
# of the holder, or a place of a site or an identifier of a work that is known to be theirs, now or later. What stands makes
# the same again superfluous if it counts by then, and does not rest on what a site says today.
_HELD = "(upper(s.valid) IS NULL OR %(today)s < upper(s.valid))"
_INCOMING = f"""
DROP TABLE IF EXISTS incoming_reservation;
CREATE TEMP TABLE incoming_reservation ON COMMIT DROP AS
WITH named AS (
  SELECT r.row, r.target AS said, r.since, string_to_array(r.uses, ';')::varchar[] AS uses,
    string_to_array(r.territory, ';')::varchar[] AS territory,
    CASE WHEN r.target = '*' THEN 'holder' WHEN w.id IS NOT NULL THEN 'work' WHEN r.place IS NOT NULL THEN 'place'
         WHEN r.value IS NOT NULL THEN 'identifier' END AS target,
    w.id AS work_id, CASE WHEN r.target = '*' THEN %(holder)s::bigint END AS holder_id,
    CASE WHEN w.id IS NULL THEN coalesce(r.place, '') ELSE '' END AS place,
    CASE WHEN w.id IS NULL THEN coalesce(r.pattern, '') ELSE '' END AS pattern,
    CASE WHEN w.id IS NULL THEN coalesce(r.scheme, '') ELSE '' END AS scheme,
    CASE WHEN w.id IS NULL THEN coalesce(r.value, '') ELSE '' END AS value, r.problem
  FROM reservation_row r LEFT JOIN licensing_work w ON w.society_id = %(society)s AND w.ref = r.target)
SELECT n.*, CASE n.target
    WHEN 'holder' THEN true
    WHEN 'work' THEN EXISTS (
      SELECT FROM licensing_share s WHERE s.work_id = n.work_id AND s.holder_id = %(holder)s AND {_HELD})
    WHEN 'place' THEN EXISTS (
      SELECT FROM licensing_site t WHERE t.holder_id = %(holder)s AND t.proved_at IS NOT NULL
      AND (split_part(n.place, '/', 1) = t.host OR split_part(n.place, '/', 1) LIKE '%%.' || t.host))
    WHEN 'identifier' THEN EXISTS (
      SELECT FROM licensing_identifier i JOIN licensing_share s ON s.work_id = i.work_id AND s.holder_id = %(holder)s AND {_HELD}
      WHERE i.society_id = %(society)s AND i.scheme = n.scheme AND i.value = n.value)
    ELSE false END AS theirs,
  row_number() OVER (PARTITION BY target, work_id, holder_id, place, pattern, scheme, value, uses, territory
    ORDER BY since NULLS FIRST, row) AS nth
FROM named n;
DELETE FROM incoming_reservation i USING licensing_reservation r
WHERE r.society_id = %(society)s AND r.status IN ('received', 'effective')
  AND r.claimant_holder_id IS NOT DISTINCT FROM %(holder)s::bigint AND r.claimant_email = '' AND r.target = i.target
  AND r.work_id IS NOT DISTINCT FROM i.work_id AND r.holder_id IS NOT DISTINCT FROM i.holder_id AND r.place = i.place
  AND r.pattern = i.pattern AND r.excepting = '{{}}' AND r.scheme = i.scheme AND r.value = i.value
  AND r.uses = i.uses AND r.territory = i.territory
  AND r.effective_from <= greatest(%(now)s, i.since::timestamp AT TIME ZONE 'Asia/Seoul')
  AND NOT EXISTS (SELECT FROM licensing_foundsignal f WHERE f.id = r.signal_id AND f.site_id IS NOT NULL);
DELETE FROM incoming_reservation WHERE nth > 1 AND target IS NOT NULL;
ANALYZE incoming_reservation;
"""
_WRONG = f"""
SELECT row, 'target', problem FROM incoming_reservation WHERE target IS NULL
UNION ALL SELECT row, 'target', '{NO_HOLDER}' FROM incoming_reservation WHERE target = 'holder' AND holder_id IS NULL
UNION ALL SELECT row, 'target', '{NOT_THEIRS}' FROM incoming_reservation i WHERE %(member)s AND target = 'work' AND NOT EXISTS (
  SELECT FROM licensing_share s WHERE s.work_id = i.work_id AND s.holder_id = %(holder)s)
UNION ALL SELECT row, 'from', '{BACKWARDS}' FROM incoming_reservation WHERE since < %(today)s AND target IS NOT NULL
ORDER BY 1
"""
# A reference of twelve random letters each, from the bytes of a random UUID that are wholly random.
_ADD = """
WITH each AS (SELECT i.*, uuid_send(gen_random_uuid()) AS random,
  concat_ws(';', i.said, array_to_string(i.uses, ' '), array_to_string(i.territory, ' '), i.since::text) AS evidence
  FROM incoming_reservation i)
INSERT INTO licensing_reservation (ref, society_id, target, work_id, holder_id, place, pattern, excepting, scheme, value,
  title, creators, uses, territory, status, received_at, effective_from, due_on, decided_at, reasons, source,
  claimant_holder_id, claimant_name, claimant_email, claimant_role, language, key_sha256, evidence, evidence_sha256,
  evidence_url, vocabulary, created_at)
SELECT 'R-' || (SELECT string_agg(substr('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', get_byte(random, n) %% 32 + 1, 1)
                  || CASE WHEN n IN (3, 9) THEN '-' ELSE '' END, '' ORDER BY n)
                FROM unnest('{0,1,2,3,4,5,7,9,10,11,12,13}'::int[]) n),
  %(society)s, target, work_id, holder_id, place, pattern, '{}', scheme, value, '', '', uses, territory,
  CASE WHEN theirs OR NOT %(member)s THEN 'effective' ELSE 'received' END, %(now)s,
  greatest(%(now)s, since::timestamp AT TIME ZONE 'Asia/Seoul'),
  CASE WHEN theirs OR NOT %(member)s THEN NULL ELSE %(due)s::date END,
  CASE WHEN theirs OR NOT %(member)s THEN %(now)s END, '[]', 'file', %(holder)s::bigint, '', '', '', %(language)s, '',
  evidence, encode(sha256(convert_to(evidence, 'UTF8')), 'hex'), '', '', %(now)s
FROM each ORDER BY row
"""
