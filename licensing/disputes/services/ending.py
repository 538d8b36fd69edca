"""How a conflict ends: the shares as agreed or decided are on record, what was held is let go. Callers have checked who may."""

from __future__ import annotations

import datetime
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.approvals.models import Approval
from accounts.identity.core import Actor, Conflict, Reference, Refusal
from licensing.disputes import core
from licensing.disputes.models import Dispute
from licensing.disputes.services.common import change
from licensing.intake.importing import serialised
from licensing.repertoire.models import Share
from licensing.repertoire.services import Settled, mark_disputed, settle_shares

APPROVAL = "dispute_decision"


def check_since(held: Dispute, since: datetime.date | None) -> None:
    """A settlement begins on a day of the conflict: before it, nobody disputes what is on record."""
    first, last = held.days.lower, held.days.upper
    if since is None:
        return
    if (first is not None and since < first) or (last is not None and since >= last):
        raise Refusal(
            "since_outside", _("The shares change on a day of the conflict, from its first one on."), pointer="/since"
        )


def put_on_record(actor: Actor, held: Dispute, split: list[dict[str, Any]], since: datetime.date | None) -> None:
    """Make the split the shares of the work, from `since` to the last day of the conflict."""
    serialised(held.society)
    days = DateRange(since or held.days.lower, held.days.upper)
    lines = [core.Line(each["holder"], each["role"], each["ppm"], each["share"]) for each in split]
    if not core.within(lines):
        raise Refusal("split_over_whole", _("These shares are more than the whole."), pointer="/split")
    named = {line.holder for line in lines}
    if Share.objects.filter(work=held.work, valid__overlap=days).exclude(holder_id__in=named).exists():
        detail = _(
            "Somebody who is not named in the split has a share on these days now. Propose it anew, with all of them."
        )
        raise Conflict("shares_changed", detail)
    parts = [Settled(line.holder, line.role, line.ppm, line.stated) for line in lines]
    settle_shares(actor=actor, work=held.work, parts=parts, days=days, source=Reference("dispute", held.pk))


def end(actor: Actor, held: Dispute, status: str, **fields: Any) -> Dispute:
    """Compare and set; the mark on a disputed share goes, and a decision that waited for a second person with it."""
    change(held, status=status, ended_at=timezone.now(), **fields)
    if held.kind == Dispute.Kind.SHARE and held.holder_id is not None:
        mark_disputed(
            actor=actor, work=held.work, holder_id=held.holder_id, role=held.role, disputed=False,
            source=Reference("dispute", held.pk),
        )  # fmt: skip
    Approval.objects.pending().about("dispute", held.pk).filter(kind=APPROVAL).delete()
    return held
