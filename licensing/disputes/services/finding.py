"""Works that are claimed more than whole: found in one question, opened and kept up set by set."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.evidence.services import record
from accounts.identity.core import SYSTEM, Reference
from accounts.organisations.models import Organisation
from licensing.disputes import core
from licensing.disputes.models import DisputeLook
from licensing.disputes.services.terms import terms_on
from licensing.intake.importing import serialised
from licensing.repertoire.models import RepertoireRevision
from licensing.repertoire.services.telling import tell_holders, tell_staff

FIND: Final = (Path(__file__).with_name("find.sql")).read_text(encoding="utf-8")
_NAMED: Final = 100  # disputes that evidence names; the rest is in the list
_STAGE: Final = f"CREATE TEMP TABLE overclaimed ON COMMIT DROP AS {FIND}"
# Open ones whose shares are no more than the whole now: somebody corrected the register.
_GONE: Final = """
    UPDATE licensing_dispute d SET status = 'withdrawn', ended_at = %(now)s, outcome = %(outcome)s
    WHERE d.society_id = %(society)s AND d.kind = 'overclaimed' AND d.status = 'open'
      AND NOT EXISTS (SELECT FROM overclaimed o WHERE o.work_id = d.work_id)
    RETURNING d.id"""
# Open ones whose shares changed: the proposal is about others than those who claim now, so it stands no more.
_CHANGED: Final = """
    UPDATE licensing_dispute d SET days = o.days, claimed = o.claimed, claims = o.claims, revision = d.revision + 1, split = '[]'
    FROM overclaimed o
    WHERE o.work_id = d.work_id AND d.kind = 'overclaimed' AND d.status = 'open'
      AND (d.days, d.claimed, d.claims) IS DISTINCT FROM (o.days, o.claimed, o.claims)
    RETURNING d.id"""
_OPEN: Final = """
    INSERT INTO licensing_dispute (society_id, work_id, kind, role, days, claimed, claims, reason, opened_on, due_on, status, revision,
                                   split, proposed_by, ground, outcome)
    SELECT %(society)s, o.work_id, 'overclaimed', '', o.days, o.claimed, o.claims, '', %(today)s, %(due)s, 'open', 0, '[]', '', '', ''
    FROM overclaimed o
    ON CONFLICT DO NOTHING
    RETURNING id"""
_PARTIES: Final = """
    INSERT INTO licensing_disputeparty (dispute_id, holder_id)
    SELECT DISTINCT d.id, (c->>'holder')::bigint FROM licensing_dispute d CROSS JOIN LATERAL jsonb_array_elements(d.claims) c
    WHERE d.id = ANY(%(ids)s)
    ON CONFLICT DO NOTHING"""
_CLAIMANTS: Final = "SELECT DISTINCT holder_id FROM licensing_disputeparty WHERE dispute_id = ANY(%(ids)s)"

FOUND: Final = (
    gettext_noop("Works of yours are claimed for more than the whole"),
    gettext_noop(
        "Together with you, others claim more than the whole. The money is held until you agree. See what each claims, and answer."
    ),
)
FOUND_STAFF: Final = (
    gettext_noop("%(count)s works are claimed for more than the whole"),
    gettext_noop("Who claims has been told and asked to answer. The money of these works is held until it is settled."),
)
CHANGED: Final = (
    gettext_noop("What is claimed of works of yours has changed"),
    gettext_noop("A proposal that was made before no longer counts. Look at what each claims now, and answer."),
)
CORRECTED: Final = gettext_noop("The shares on record are no more than the whole any more.")


def find_all() -> int:
    """Look through every society whose register changed since its last look; returns how many conflicts were opened."""
    count = 0
    for society in Organisation.objects.filter(kind=Organisation.Kind.SOCIETY).order_by("pk"):
        state = RepertoireRevision.objects.state(society.pk)
        if state and not DisputeLook.objects.filter(society=society, register=state).exists():
            count += find_overclaimed(society)
    return count


@transaction.atomic
def find_overclaimed(society: Organisation) -> int:
    """Open a conflict for each work that is claimed more than whole, bring open ones up to date, and tell who claims."""
    serialised(society)
    today = timezone.localdate()
    due = core.due_on(today, terms_on(society.pk, today).answer_days)
    asked: dict[str, Any] = {
        "society": society.pk,
        "today": today,
        "due": due,
        "now": timezone.now(),
        "outcome": CORRECTED,
    }
    state = RepertoireRevision.objects.state(society.pk)
    with connection.cursor() as cursor:
        cursor.execute(_STAGE, asked)
        gone, changed, new = (_ids(cursor, query, asked) for query in (_GONE, _CHANGED, _OPEN))
        cursor.execute(_PARTIES, {"ids": new + changed})
        claimants = {name: _ids(cursor, _CLAIMANTS, {"ids": ids}) for name, ids in (("new", new), ("changed", changed))}
        cursor.execute("DROP TABLE overclaimed")
    for what, ids in (("opened", new), ("changed", changed), ("corrected", gone)):
        if ids:
            data: dict[str, Any] = {"count": len(ids), "disputes": ids[:_NAMED], "due on": due.isoformat()}
            about = Reference("society", society.pk)
            record(actor=SYSTEM, verb=f"disputes.{what}", object=about, organisation_id=society.pk, data=data)
    _tell(society.pk, new, changed, claimants)
    DisputeLook.objects.update_or_create(society=society, defaults={"register": state})
    return len(new)


def _ids(cursor: Any, query: str, values: dict[str, Any]) -> list[int]:
    cursor.execute(query, values)
    return sorted(row[0] for row in cursor.fetchall())


def _tell(society_id: int, new: list[int], changed: list[int], claimants: dict[str, list[int]]) -> None:
    """One notice a person, however many of their works it is about."""
    about: dict[str, Any] = {"kind": "dispute", "route": "licensing:disputes"}
    if new:
        key = f"disputes-opened:{society_id}:{new[-1]}"
        tell_holders(claimants["new"], FOUND, {}, key=key, **about)
        tell_staff(society_id, "works.import", FOUND_STAFF, {"count": len(new)}, key=key, **about)
    if changed:
        mark = core.digest({"changed": changed, "at": timezone.now()})[:16]
        tell_holders(claimants["changed"], CHANGED, {}, key=f"disputes-changed:{society_id}:{mark}", **about)
