"""Comparing payees with lists of sanctions: the outcome is recorded with who, when and which list. Only `clear` is paid."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, NotFound, Reference, Refusal
from royalties.payees.models import PayeeDetails, SanctionsCheck
from royalties.payees.services.guards import MANAGE


@transaction.atomic
def record_check(*, actor: Actor, details_ids: Iterable[int], state: str, source: str, note: str = "") -> int:
    """Record one outcome for these versions; returns for how many. The list (`source`, with its day) must be named.

    A hit is told apart from what only waits by its note; the last outcome counts, and every one is kept.
    """
    actor.require(MANAGE)
    if state not in SanctionsCheck.State.values:
        known = ", ".join(SanctionsCheck.State.values)
        raise Refusal("unknown_state", _("Choose one of: %(known)s.") % {"known": known}, pointer="/state")
    if not source.strip():
        raise Refusal("source_needed", _("Name the list, with its day."), pointer="/source")
    wanted = sorted(set(details_ids))
    mine = PayeeDetails.objects.visible_to(actor).filter(pk__in=wanted)
    societies = set(mine.values_list("society_id", flat=True))
    if mine.count() != len(wanted) or len(societies) > 1:
        raise NotFound(_("There are no such payment details."))
    if not wanted:
        return 0
    put_checks(wanted, state, source, note, actor)
    about = (
        Reference("payee_details", wanted[0]) if len(wanted) == 1 else Reference("organisation", next(iter(societies)))
    )
    data = {"state": state, "source": source.strip()[:200], "payees": len(wanted)}
    record(actor=actor, verb="payee.checked", object=about, organisation_id=next(iter(societies)), data=data)
    return len(wanted)


def put_checks(details_ids: list[int], state: str, source: str, note: str, actor: Actor) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO royalties_sanctionscheck (details_id, state, source, note, checked_by_id, checked_at) "
            "SELECT unnest(%s::bigint[]), %s, %s, %s, %s, %s",
            [details_ids, state, source.strip()[:200], note.strip()[:500], actor.user_id, timezone.now()],
        )
