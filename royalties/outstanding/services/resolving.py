"""A documented resolution that money, whose clock has run out, cannot be distributed: asked by one, decided by another person."""

from __future__ import annotations

import datetime
from typing import IO, Any, Final

from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.approvals.models import Approval
from accounts.approvals.services import decide, request_approval
from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing.intake.services import keep
from royalties.distribution import services as distribution
from royalties.distribution.models import ExpiredAllocation
from royalties.distribution.services.guards import enter
from royalties.outstanding import core
from royalties.outstanding.models import Resolution

KIND: Final = "resolution"
MOST_BYTES: Final = 20 * 1024 * 1024
# Its clock had run out on the day, it was in a public list, it was warned of as long before as the last warning is, and nothing takes it.
ELIGIBLE: Final = f"""
    FROM royalties_outstandingclock o
    WHERE o.society_id = %(society)s AND o.currency = %(currency)s AND o.expires_on <= %(on)s AND o.noticed_on < o.expires_on
      AND o.taken_by_id IS NULL AND (%(reason)s = '' OR o.reason = %(reason)s)
      AND EXISTS (SELECT FROM royalties_warnedallocation w JOIN royalties_expirywarning n ON n.id = w.warning_id
                  WHERE w.allocation_id = o.allocation_id AND n.warned_on <= %(on)s::date - {min(core.WARN_DAYS)})
      AND NOT EXISTS (SELECT FROM royalties_resolutionallocation l JOIN royalties_resolution r ON r.id = l.resolution_id
                      WHERE l.allocation_id = o.allocation_id AND r.status = 'requested')"""
_STAGE: Final = f"CREATE TEMP TABLE resolving ON COMMIT DROP AS SELECT o.allocation_id, o.amount {ELIGIBLE}"
_SUMS: Final = """
    SELECT count(*), coalesce(sum(amount), 0)::bigint,
           encode(sha256(convert_to(coalesce(
             string_agg(concat(allocation_id, ':', amount), E'\\n' ORDER BY allocation_id), ''), 'UTF8')), 'hex')
    FROM {table}"""
_LIST: Final = """
    INSERT INTO royalties_resolutionallocation (resolution_id, allocation_id, amount)
    SELECT %s, allocation_id, amount FROM resolving ORDER BY allocation_id"""


def eligible(society_id: int, *, on: datetime.date) -> list[tuple[str, str, int, int]]:
    """What a resolution could be about on a day: currency, reason, how many amounts, and their sum."""
    query = f"SELECT o.reason, count(*), sum(o.amount)::bigint {ELIGIBLE} GROUP BY 1 ORDER BY 1"
    found: list[tuple[str, str, int, int]] = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT currency FROM ledger_account WHERE society_id = %s AND kind IN ('held', 'suspense')",
            [society_id],
        )
        for currency in sorted(row[0] for row in cursor.fetchall()):
            cursor.execute(query, {"society": society_id, "currency": currency, "on": on, "reason": ""})
            found += [(currency, *row) for row in cursor.fetchall()]
    return found


@transaction.atomic
def request_resolution(
    *, actor: Actor, society: Organisation, currency: str, text: str, ground: str, document: IO[bytes], name: str = "",
    reason: str = "", expired_by: datetime.date | None = None,
) -> Resolution:  # fmt: skip
    """List what has run out, with its sum and digest, and ask a second person to resolve that it cannot be distributed."""
    enter(actor, society, "distribution.compute")
    on = expired_by or timezone.localdate()
    if on > timezone.localdate():
        raise Refusal("in_the_future", _("What has run out has done so today or before."), pointer="/expired_by")
    said = [_text(text, 4000, "/text"), _text(ground, 1000, "/ground")]
    if reason and reason not in core.REASONS:
        raise Refusal(
            "unknown_reason", _("Choose one of: %(known)s.") % {"known": ", ".join(core.REASONS)}, pointer="/reason"
        )
    if (getattr(document, "size", None) or 0) > MOST_BYTES:
        raise Refusal("too_large", _("The file is too large: %(most)s MB at most.") % {"most": 20}, pointer="/document")
    stored = keep(actor=actor, stream=document, name=name or "resolution", organisation=society)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('royalties.resolution', %s))", [society.pk])
        cursor.execute(_STAGE, {"society": society.pk, "currency": currency, "on": on, "reason": reason})
        cursor.execute(_SUMS.format(table="resolving"))
        count, amount, listed = cursor.fetchone()
        if not count:
            detail = _(
                "Nothing fits: its clock must have run out, it must have been in a public list, and warned of 30 days before."
            )
            raise Refusal("nothing_fits", detail)
        made = Resolution(
            society=society, currency=currency, text=said[0], ground=said[1], document=stored, reason=reason, expired_by=on,
            allocations=count, amount=amount, requested_by=actor.label[:200],
        )  # fmt: skip
        made.sha256 = _digest(made, listed)
        made.save()
        cursor.execute(_LIST, [made.pk])
        cursor.execute("DROP TABLE resolving")
    about = Reference(KIND, made.pk)
    request_approval(actor=actor, kind=KIND, object=about, organisation_id=society.pk, subject_sha256=made.sha256)
    _note(actor, "requested", made)
    return made


@transaction.atomic
def decide_resolution(*, actor: Actor, resolution: Resolution, approve: bool, reason: str = "") -> Resolution:
    """The second person's decision. Approved, what is listed leaves held and suspense in one journal, for good.

    Raises Conflict where some of it was paid, claimed or taken by a run meanwhile: then ask anew for what is left.
    """
    held = find_resolution(actor, resolution.pk, lock=True)
    actor.require("distribution.approve")
    approval = pending(held)
    if approval is None or held.status != Resolution.Status.REQUESTED:
        raise Conflict("nothing_to_decide", _("No decision about this resolution waits."))
    decide(
        actor=actor,
        approval=approval,
        approve=approve,
        reason=reason,
        subject_sha256=_digest(held, listed_digest(held)),
    )
    fields: dict[str, Any] = {
        "decided_by": actor.label[:200],
        "decided_at": timezone.now(),
        "status": Resolution.Status.REFUSED,
    }
    if approve:
        journal = distribution.expire(
            actor=actor, society=held.society, params=[held.pk], resolution_id=held.pk, effective_on=timezone.localdate(),
            key=f"resolution:{held.pk}", allocations="SELECT allocation_id FROM royalties_resolutionallocation WHERE resolution_id = %s",
        )  # fmt: skip
        fields |= {"status": Resolution.Status.EXECUTED, "journal": journal}
    if Resolution.objects.filter(pk=held.pk, status=Resolution.Status.REQUESTED).update(**fields) != 1:
        raise Conflict("nothing_to_decide", _("No decision about this resolution waits."))
    held.refresh_from_db()
    _note(actor, "executed" if approve else "refused", held, reason=reason)
    return held


def find_resolution(actor: Actor, resolution_id: int, *, lock: bool = False) -> Resolution:
    found = Resolution.objects.visible_to(actor).select_related("society", "document", "journal")
    if lock:
        found = found.select_for_update(of=("self",))
    one = found.filter(pk=resolution_id).first()
    if one is None:
        raise NotFound(_("There is no such resolution."))
    return one


def pending(resolution: Resolution) -> Approval | None:
    """The decision that waits for a second person."""
    return Approval.objects.pending().about(KIND, resolution.pk).filter(kind=KIND).select_related("requester").first()


def listed_digest(resolution: Resolution) -> str:
    """SHA-256 of the amounts that it lists."""
    with connection.cursor() as cursor:
        listed = "(SELECT allocation_id, amount FROM royalties_resolutionallocation WHERE resolution_id = %s) l"
        cursor.execute(_SUMS.format(table=listed), [resolution.pk])
        return str(cursor.fetchone()[2])


def expired_of(resolution: Resolution) -> int:
    """How many amounts it moved."""
    return ExpiredAllocation.objects.filter(resolution_id=resolution.pk).count()


def _digest(made: Resolution, listed: str) -> str:
    return core.digest(
        {
            "society": made.society_id, "currency": made.currency, "text": made.text, "ground": made.ground,
            "document": made.document.sha256, "expired_by": made.expired_by.isoformat(), "amount": made.amount,
            "allocations": made.allocations, "listed": listed,
        }
    )  # fmt: skip


def _text(said: str, most: int, pointer: str) -> str:
    found = said.strip()
    if not found or len(found) > most or "\0" in found:
        raise Refusal("no_text", _("Write a text of at most %(most)s characters.") % {"most": most}, pointer=pointer)
    return found


def _note(actor: Actor, what: str, made: Resolution, **data: Any) -> None:
    data = {
        "amount": made.amount,
        "currency": made.currency,
        "allocations": made.allocations,
        "sha256": made.sha256,
        **data,
    }
    record(
        actor=actor,
        verb=f"resolution.{what}",
        object=Reference(KIND, made.pk),
        organisation_id=made.society_id,
        data=data,
    )
