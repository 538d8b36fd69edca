"""Close a period: one person goes through the list and asks, another approves, and the database lets nothing in any more."""

from __future__ import annotations

import datetime
import hashlib
import json
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.approvals.models import Approval
from accounts.approvals.services import decide, request_approval
from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from royalties.ledger import services as ledger
from royalties.reports import checklist, gathering
from royalties.reports.models import Close

KIND = "period_close"
MOST_REMARK = 4000


@transaction.atomic
def request_close(*, actor: Actor, society: Organisation, through: datetime.date, remark: str = "") -> Close:
    """Put the close through a day up for approval, with the list and the trial balance as they stand now.

    Raises Refusal for a day that is not over, for something on the list that stops it, and where something is left to look at
    and nothing is said of it; Conflict where the book is closed that far already or another close waits.
    """
    society = _own(actor, society)
    remark = remark.strip()
    if through >= timezone.localdate():
        raise Refusal("day_not_over", _("Close through a day that is over."), pointer="/through")
    closed = ledger.closed_through(society.pk)
    if closed is not None and through <= closed:
        raise Conflict("closed_already", _("The book is closed through that day already."), pointer="/through")
    if Close.objects.filter(society=society, status=Close.Status.REQUESTED).exists():
        raise Conflict("close_waits", _("A close waits for its approval. Decide on it, or withdraw it first."))
    checks = checklist.looked_at(society, through)
    _require_settled(checks, remark)
    trial = gathering.trial(society.pk, through)
    close = Close(
        society=society, through=through, checks=[each.as_data() for each in checks], trial=trial, remark=remark,
    )  # fmt: skip
    close.sha256 = digest(close)
    close.save()
    reference = Reference(KIND, close.pk)
    record(
        actor=actor, verb="close.requested", object=reference, organisation_id=society.pk,
        data={"through": through.isoformat(), "sha256": close.sha256},
    )  # fmt: skip
    request_approval(actor=actor, kind=KIND, object=reference, organisation_id=society.pk, subject_sha256=close.sha256)
    return close


@transaction.atomic
def approve_close(*, actor: Actor, close: Close, approve: bool = True, reason: str = "") -> Close:
    """Decide as the second person. Approved, the book is closed through that day, for good.

    Raises Conflict where the trial balance of that day is another one now, since what was looked at is not what would be closed.
    """
    society = _own(actor, close.society)
    close = _held(society, close.pk)
    approval = pending_close(close)
    if approval is None or close.status != Close.Status.REQUESTED:
        raise Conflict("close_is_decided", _("This close is decided already."))
    if approve:
        _keep_books_still(society)
        checks = checklist.looked_at(society, close.through)
        _require_settled(checks, close.remark)
        if gathering.trial(society.pk, close.through) != close.trial:
            raise Conflict(
                "book_moved_on",
                _("Something was posted to that period since the close was asked for. Withdraw it and ask again."),
            )
    decide(actor=actor, approval=approval, approve=approve, reason=reason, subject_sha256=close.sha256)
    if approve:
        ledger.close_period(actor=actor, society=society, through=close.through)
    return _moved(actor, close, Close.Status.CLOSED if approve else Close.Status.REFUSED, reason)


@transaction.atomic
def withdraw_close(*, actor: Actor, close: Close) -> Close:
    """Take the request back, so that the list can be gone through anew."""
    society = _own(actor, close.society)
    close = _held(society, close.pk)
    if close.status != Close.Status.REQUESTED:
        raise Conflict("close_is_decided", _("This close is decided already."))
    return _moved(actor, close, Close.Status.WITHDRAWN, "")


def pending_close(close: Close) -> Approval | None:
    """The approval that waits for a decision, if one does."""
    found = Approval.objects.pending().about(KIND, close.pk).filter(kind=KIND).select_related("requester").first()
    return found if close.status == Close.Status.REQUESTED else None


def digest(close: Close) -> str:
    """SHA-256 of the day, the list and the trial balance: what the second person approves."""
    said: dict[str, Any] = {
        "through": close.through.isoformat(), "checks": close.checks, "trial": close.trial, "remark": close.remark,
    }  # fmt: skip
    return hashlib.sha256(json.dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _require_settled(checks: list[checklist.Check], remark: str) -> None:
    stopping = [check for check in checks if check.state == checklist.STOP]
    if stopping:
        errors = [{"code": check.code, "detail": checklist.label(check.code)} for check in stopping]
        raise Refusal(
            "not_settled", _("Settle first: %(what)s.") % {"what": checklist.label(stopping[0].code)}, errors=errors
        )
    if len(remark) > MOST_REMARK:
        raise Refusal(
            "too_long", _("A remark has at most %(most)s characters.") % {"most": MOST_REMARK}, pointer="/remark"
        )
    if not remark and any(check.state == checklist.LOOK for check in checks):
        raise Refusal(
            "remark_needed",
            _("Say why the period can be closed although something on the list is left."),
            pointer="/remark",
        )


def _keep_books_still(society: Organisation) -> None:
    """Wait for journals under way, and let none begin until this transaction ends: closing does the same right after."""
    ledger.hold_book(society.pk)


def _own(actor: Actor, society: Organisation) -> Organisation:
    if not actor.is_system and actor.organisation_id != society.pk:
        raise NotFound(_("There is no such book."))
    actor.require("ledger.close")
    return society


def _held(society: Organisation, close_id: int) -> Close:
    held = Close.objects.select_for_update(of=("self",)).select_related("society")
    return held.get(pk=close_id, society=society)


def _moved(actor: Actor, close: Close, status: Close.Status, reason: str) -> Close:
    close.status, close.decided_at = status, timezone.now()
    close.save(update_fields=["status", "decided_at"])
    record(
        actor=actor, verb=f"close.{status.value}", object=Reference(KIND, close.pk), organisation_id=close.society_id,
        data={"through": close.through.isoformat(), "sha256": close.sha256, "reason": reason},
    )  # fmt: skip
    return close
