"""The society decides by a judgment or another document: one person asks, another decides."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import IO, Any, Final

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.approvals.models import Approval
from accounts.approvals.services import decide, request_approval
from accounts.identity.core import Actor, Conflict, Reference, Refusal
from licensing.disputes import core
from licensing.disputes.models import Dispute
from licensing.disputes.services.answering import split_of
from licensing.disputes.services.common import STAFF, change, kept, note, opened, tell, text
from licensing.disputes.services.ending import APPROVAL, check_since, end, put_on_record
from licensing.intake.importing import check_society

DECIDED: Final = (
    gettext_noop("The society decided about the shares of “%(title)s”"),
    gettext_noop(
        "The shares are on record, and the next distribution pays what was held by them. The ground: %(ground)s"
    ),
)


@transaction.atomic
def ask_decision(
    *, actor: Actor, dispute: Dispute, shares: Mapping[tuple[int, str], str], ground: str, document: IO[bytes] | None,
    name: str = "", since: datetime.date | None = None,
) -> Approval:  # fmt: skip
    """Ask a second person to decide that the work is divided so, on the ground of a document (a judgment, a signed agreement)."""
    held = opened(actor, dispute)
    check_society(actor, held.society, STAFF)
    split = split_of(held, shares)
    check_since(held, since)
    said = text(ground, _("Name the judgment or document, and what follows from it."), "/ground")
    stored = kept(actor, document, name, held, "/document") or held.document
    if stored is None:
        raise Refusal("no_document", _("Add the judgment or document."), pointer="/document")
    fields: dict[str, Any] = {
        "split": [line.as_data() for line in split],
        "since": since,
        "ground": said,
        "document": stored,
    }
    change(held, revision=held.revision + 1, proposed_by=actor.label[:200], **fields)
    approval = request_approval(
        actor=actor, kind=APPROVAL, object=Reference("dispute", held.pk), organisation_id=held.society_id,
        subject_sha256=_digest(held),
    )  # fmt: skip
    note(actor, "decision_asked", held, approval=approval.pk, ground=said)
    return approval


@transaction.atomic
def decide_dispute(*, actor: Actor, dispute: Dispute, approve: bool, reason: str = "") -> Dispute:
    """The second person's decision. Approved, the shares change and what was held is let go; refused, the conflict stays open."""
    held = opened(actor, dispute)
    check_society(actor, held.society, "approvals.decide")
    approval = pending_approval(held)
    if approval is None:
        raise Conflict("nothing_to_decide", _("No decision about this conflict waits for a second person."))
    decide(actor=actor, approval=approval, approve=approve, reason=reason, subject_sha256=_digest(held))
    if not approve:
        note(actor, "decision_refused", held, reason=reason)
        return held
    put_on_record(actor, held, held.split, held.since)
    end(actor, held, Dispute.Status.DECIDED, outcome=held.ground)
    note(actor, "decided", held, ground=held.ground, since=held.since.isoformat() if held.since else "")
    tell(held, DECIDED, {"ground": held.ground}, key=f"dispute-decided:{held.pk}", staff=True)
    return held


def pending_approval(held: Dispute) -> Approval | None:
    """The decision that waits for a second person, if one was asked for."""
    return (
        Approval.objects.pending().about("dispute", held.pk).filter(kind=APPROVAL).select_related("requester").first()
    )


def _digest(held: Dispute) -> str:
    subject = {"dispute": held.pk, "split": held.split, "since": held.since, "ground": held.ground}
    return core.digest(subject | {"document": held.document.sha256 if held.document else "", "claims": held.claims})
