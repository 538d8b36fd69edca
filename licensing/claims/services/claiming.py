"""A creator claims an unmatched item with evidence; the society decides about all claims to it together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any, Final

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.access.limits import limit
from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Forbidden, NotFound, Reference, Refusal
from licensing.claims.models import Claim, Unmatched
from licensing.claims.services.deciding import PERMISSION as STAFF
from licensing.claims.services.deciding import lock
from licensing.claims.services.refreshing import settle
from licensing.intake.importing import check_society
from licensing.intake.models import StoredFile
from licensing.intake.services import keep
from licensing.matching import services as matching
from licensing.refs import new_ref
from licensing.repertoire.models import Holder, Share, Work
from licensing.repertoire.services.telling import Said, tell_people, tell_staff

PERMISSION: Final = "works.register"
MOST_BYTES: Final = 20 * 1024 * 1024
MOST_AN_HOUR: Final = 20
LONGEST: Final = 2000
LONGEST_REASON: Final = 1000

MADE: Final = (
    gettext_noop("%(who)s claims “%(title)s”"),
    gettext_noop("Look at what they say and show, and decide. The money rests until then."),
)
ACCEPTED: Final = (
    gettext_noop("Your claim to “%(title)s” is accepted"),
    gettext_noop("It is your work on record now. The next distribution pays what has been waiting for it."),
)
REFUSED: Final = (gettext_noop("Your claim to “%(title)s” is refused"), gettext_noop("The reason given: %(reason)s"))


@transaction.atomic
def claim(
    *,
    actor: Actor,
    holder: Holder,
    item: Unmatched,
    statement: str,
    work: Work | None = None,
    evidence: IO[bytes] | None = None,
    name: str = "",
) -> Claim:
    """Say that an unmatched item is a work of this member's, and show it: with a file, or a work that is on record as theirs.

    Raises Conflict where they claim it already or it is decided, Refusal where nothing is shown, TooOften.
    """
    person = _check_claimant(actor, holder, item)
    limit("claim", str(person), most=MOST_AN_HOUR, seconds=3600)
    said = _text(statement, LONGEST, _("Say why it is yours, in at most 2,000 characters."), "/statement")
    if work is not None:
        check_theirs(work, holder)
    if evidence is None and work is None:
        detail = _("Show that it is yours: add a file, or choose your work if it is registered.")
        raise Refusal("nothing_shown", detail, pointer="/evidence")
    [held] = lock([item.pk])
    if held.status != Unmatched.Status.OPEN:
        raise Conflict("decided_already", _("It is decided already whose this is."))
    stored = _kept(actor, evidence, name, held) if evidence is not None else None
    made = Claim(
        ref=new_ref("K"),
        item=held,
        holder=holder,
        claimant_id=person,
        work=work,
        statement=said,
        evidence=stored,
    )
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError as error:
        if "claim_is_open_once" not in str(error):
            raise
        raise Conflict("claimed_already", _("You claim this already; the society will answer.")) from None
    _note(actor, "made", made, holder=holder.ref)
    tell_staff(
        held.society_id, STAFF, MADE, {"who": str(holder), "title": str(held)[:120]},
        key=f"claim-made:{made.pk}", kind="claim", route="licensing:claim", at=made.pk,
    )  # fmt: skip
    return made


@transaction.atomic
def withdraw(*, actor: Actor, claim: Claim) -> Claim:
    """Take a claim back; who made it, or who acts for the same member."""
    mine = actor.user_id == claim.claimant_id or claim.holder_id in actor.holder_ids
    if actor.organisation_id is not None or not mine:
        raise NotFound(_("There is no such claim."))
    held = _end(claim, Claim.Status.WITHDRAWN, by=actor.label)
    _note(actor, "withdrawn", held)
    return held


@transaction.atomic
def decide_claims(
    *,
    actor: Actor,
    item: Unmatched,
    seen: set[int],
    accepted: Claim | None,
    work: Work | None = None,
    reasons: Mapping[int, str],
) -> list[Claim]:
    """Decide about all open claims to an item (`seen`: those that one looked at) together: one is accepted, or none.

    The accepted one needs a work of the claimant's: the one given here, else the one that they named. The item means that
    work from then on, as a rule. `reasons` by claim are told to who made it; a refused one needs its reason.
    """
    check_society(actor, item.society, STAFF)
    lock([item.pk])
    waiting = list(
        Claim.objects.select_for_update(of=("self",)).select_related("item", "holder", "work")
        .filter(item=item, status=Claim.Status.OPEN).order_by("pk")
    )  # fmt: skip
    if {each.pk for each in waiting} != seen or not waiting:
        raise Conflict("claims_changed", _("Claims to this came in or were decided meanwhile. Look at them once more."))
    if accepted is not None:
        _accept(actor, _one(waiting, accepted.pk), work, reasons.get(accepted.pk, ""))
    for each in waiting:
        if accepted is None or each.pk != accepted.pk:
            _refuse(actor, each, reasons.get(each.pk, ""))
    settle(item.society_id, [item.pk])
    return waiting


def check_theirs(work: Work, holder: Holder | None) -> None:
    """Raise Refusal unless the member has a share in the work."""
    if holder is None or not Share.objects.filter(work=work, holder=holder).exists():
        detail = _("This work is not on record as theirs. Choose one in which the member has a share.")
        raise Refusal("work_not_theirs", detail, pointer="/work")


def works_of(holder: Holder) -> list[Work]:
    """The works in which a member has a share, the newest first; a form lists these."""
    shared = Share.objects.filter(holder=holder).values("work_id")
    return list(Work.objects.filter(pk__in=shared, merged_into=None).order_by("-pk")[:200])


def _accept(actor: Actor, claim: Claim, work: Work | None, reason: str) -> None:
    chosen = work or claim.work
    if chosen is None:
        detail = _("Choose which work of the claimant's it is; they register it first if it is not on record.")
        raise Refusal("no_work", detail, pointer="/work")
    check_theirs(chosen, claim.holder)
    item = claim.item
    matching.decide(
        actor=actor, society=item.society, scheme=item.scheme, value=item.value, work=chosen, source="claim",
        reason=" ".join(filter(None, [claim.ref, reason.strip()]))[:LONGEST_REASON],
    )  # fmt: skip
    held = _end(claim, Claim.Status.ACCEPTED, by=actor.label, work=chosen, reason=reason.strip()[:LONGEST_REASON])
    _note(actor, "accepted", held, works=chosen.ref)
    _tell(held, "accepted", ACCEPTED)


def _refuse(actor: Actor, claim: Claim, reason: str) -> None:
    why = _text(reason, LONGEST_REASON, _("Say why you refuse: the claimant reads it."), f"/reasons/{claim.pk}")
    _note(actor, "refused", _end(claim, Claim.Status.REFUSED, by=actor.label, reason=why))
    _tell(claim, "refused", REFUSED)


def _end(claim: Claim, status: str, *, by: str, **fields: Any) -> Claim:
    """Compare and set."""
    fields |= {"status": status, "decided_at": timezone.now(), "decided_by": by[:200]}
    if Claim.objects.filter(pk=claim.pk, status=Claim.Status.OPEN).update(**fields) != 1:
        raise Conflict("claim_is_over", _("This claim is over: nothing more can be done with it."))
    for field, value in fields.items():
        setattr(claim, field, value)
    return claim


def _check_claimant(actor: Actor, holder: Holder, item: Unmatched) -> int:
    """Who claims: a person who acts for a member of the society that keeps the money."""
    if holder.pk not in actor.holder_ids or actor.user_id is None or actor.sandbox:
        raise NotFound(_("There is no such holder."))
    actor.require(PERMISSION)
    if holder.society_id != item.society_id:
        said = _("%(society)s keeps this money. Join it, and claim it there.")
        raise Forbidden(said % {"society": item.society})
    return actor.user_id


def _kept(actor: Actor, stream: IO[bytes], name: str, item: Unmatched) -> StoredFile:
    size = getattr(stream, "size", None) or 0
    if size > MOST_BYTES:
        most = MOST_BYTES // 1024**2
        raise Refusal(
            "too_large", _("The file is too large: %(most)s MB at most.") % {"most": most}, pointer="/evidence"
        )
    return keep(actor=actor, stream=stream, name=name or "evidence", organisation=item.society)


def _text(text: str, most: int, detail: str, pointer: str) -> str:
    said = text.strip()
    if not said or len(said) > most or "\0" in said:
        raise Refusal("no_text", detail, pointer=pointer)
    return said


def _one(claims: list[Claim], pk: int) -> Claim:
    found = [each for each in claims if each.pk == pk]
    if not found:
        raise NotFound(_("There is no such claim."), pointer="/accepted")
    return found[0]


def _tell(claim: Claim, what: str, said: Said) -> None:
    facts = {"title": str(claim.item)[:120], "reason": claim.reason}
    tell_people(
        [claim.claimant_id],
        said,
        facts,
        key=f"claim-{what}:{claim.pk}",
        kind="claim",
        route="licensing:claim",
        at=claim.pk,
    )


def _note(actor: Actor, what: str, claim: Claim, **data: str) -> None:
    record(
        actor=actor,
        verb=f"claim.{what}",
        object=Reference("claim", claim.pk),
        organisation_id=claim.item.society_id,
        data={"ref": claim.ref, **data},
    )
