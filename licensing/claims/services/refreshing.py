"""The queue is kept up: added up from what is accepted, told what it means today, and works sought that it may be."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from django.db import connection, transaction
from django.db.models import Case, IntegerField, Value, When
from django.utils import timezone

from accounts.organisations.models import Organisation
from licensing.claims.models import QueueLook, Unmatched
from licensing.declarations.models import Declaration
from licensing.matching import services as matching
from licensing.repertoire.models import RepertoireRevision

QUEUE: Final = Path(__file__).with_name("queue.sql").read_text(encoding="utf-8")
MEANING: Final = Path(__file__).with_name("meaning.sql").read_text(encoding="utf-8")
CANDIDATES: Final = 5  # works shown for an item
SOUGHT_AT_ONCE: Final = 300  # items a turn
PATIENCE: Final = dt.timedelta(minutes=10)  # with what the register alone says otherwise
_LOCK: Final = 0x_9E_0E

_CHANGED: Final = f"""
    SELECT i.id FROM licensing_unmatched i JOIN ({MEANING}) t ON t.id = i.id
    WHERE (i.status, i.rule_id, i.conflict) IS DISTINCT FROM (t.status, t.rule_id, t.conflict)"""
_LOCKED: Final = "SELECT id FROM licensing_unmatched WHERE id = ANY(%s) ORDER BY id FOR UPDATE"
_SETTLE: Final = f"""
    UPDATE licensing_unmatched i SET status = t.status, rule_id = t.rule_id, conflict = t.conflict, changed_at = now()
    FROM ({MEANING}) t
    WHERE t.id = i.id AND (i.status, i.rule_id, i.conflict) IS DISTINCT FROM (t.status, t.rule_id, t.conflict)"""


def refresh_all() -> int:
    """Bring the queue of every society up to date; returns how many had something new.

    What was declared is added up at once. What only the register says otherwise is asked every ten minutes at most: each
    decision makes the register another one, has told its own items already, and asking of a million takes its time.
    """
    societies = Organisation.objects.filter(kind=Organisation.Kind.SOCIETY).order_by("pk")
    return sum(refresh_items(society, patience=PATIENCE) for society in societies)


@transaction.atomic
def refresh_items(society: Organisation, *, patience: dt.timedelta = dt.timedelta(0)) -> bool:
    """Bring a society's queue up to date with its accepted declarations, its rules and its register; set-based.

    Says whether there was anything new since the last look. Twice changes nothing; a second one at the same time leaves it
    to the first.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_LOCK, society.pk])
        if not cursor.fetchone()[0]:
            return False
    look, _new = QueueLook.objects.get_or_create(society=society)
    declared, register = _declared(society.pk), RepertoireRevision.objects.state(society.pk)
    if (declared, register) == (look.declared, look.register):
        return False
    if declared == look.declared and look.register and timezone.now() < look.looked_at + patience:
        return False
    if declared != look.declared:
        with connection.cursor() as cursor:
            cursor.execute(QUEUE, {"society": society.pk})
    matching.refresh_titles(society.pk)
    settle(society.pk)
    look.declared, look.register = declared, register
    look.save()
    return True


def settle(society_id: int, only: Sequence[int] | None = None) -> int:
    """Say of these items (none: all of the society's) what they are today; returns how many changed.

    What changed is locked first and then asked once more, so that nobody's decision meanwhile is written over.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        given = {"society": society_id, "only": None if only is None else list(only)}
        if only is None:
            cursor.execute(_CHANGED, given)
            given["only"] = [row[0] for row in cursor.fetchall()]
        if not given["only"]:
            return 0
        cursor.execute(_LOCKED, [given["only"]])
        cursor.execute(_SETTLE, given)
        return int(cursor.rowcount)


def seek_candidates(society: Organisation, limit: int = SOUGHT_AT_ONCE) -> int:
    """Seek works that open items may be: first of those never looked at, then of those whose repertoire has changed since.

    The most money first. Returns how many items were looked at.
    """
    state = RepertoireRevision.objects.state(society.pk)
    again = Case(When(candidates_of="", then=Value(0)), default=Value(1), output_field=IntegerField())
    waiting = Unmatched.objects.filter(society=society).open().exclude(candidates_of=state or "-")
    items = list(waiting.order_by(again, "-worth", "id")[:limit])
    if not items:
        return 0
    asked = [(item.scheme, item.value, item.title, item.creators) for item in items]
    for item, found in zip(items, matching.candidates(society.pk, asked, limit=CANDIDATES), strict=True):
        item.candidates = [{"work": c.work_id, "score": str(c.score), "why": list(c.why)} for c in found]
        item.candidates_of = state or "-"
    Unmatched.objects.bulk_update(items, ["candidates", "candidates_of"])
    return len(items)


def _declared(society_id: int) -> str:
    """A name of the set of declarations that count for a society now."""
    counted = Declaration.objects.billable().filter(licence__society_id=society_id).order_by("pk")
    ids = ",".join(str(pk) for pk in counted.values_list("pk", flat=True))
    return hashlib.sha256(ids.encode()).hexdigest() if ids else ""
