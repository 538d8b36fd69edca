"""Somebody disputes one share: only that share is held, until who claims agree or the society decides."""

from __future__ import annotations

from typing import IO, Any, Final

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.access.limits import limit
from accounts.identity.core import Actor, Conflict, NotFound, Reference, Refusal
from licensing.disputes import core
from licensing.disputes.models import Dispute, DisputeParty
from licensing.disputes.services.common import CREATOR, STAFF, kept, note, opened, tell, text
from licensing.disputes.services.ending import end
from licensing.disputes.services.terms import terms_on
from licensing.intake.importing import check_society, serialised
from licensing.repertoire.models import Holder, Share, Work
from licensing.repertoire.services import mark_disputed

MOST_A_DAY: Final = 20
RAISED: Final = (
    gettext_noop("A share of “%(title)s” is disputed"),
    gettext_noop(
        "What comes in for this share is held; all others are paid. The reason given: %(reason)s Look at it, and answer."
    ),
)
WITHDRAWN: Final = (
    gettext_noop("The dispute about “%(title)s” is withdrawn"),
    gettext_noop("The shares stay as they are, and what was held is paid with the next distribution. %(reason)s"),
)


@transaction.atomic
def raise_dispute(
    *, actor: Actor, share: Share, reason: str, evidence: IO[bytes] | None = None, name: str = "",
    claimant: Holder | None = None,
) -> Dispute:  # fmt: skip
    """Dispute a share, as who has a share in the same work, or as the society (which may name who else claims it).

    Raises Conflict where it is disputed already, NotFound for a work that the actor has no share in, TooOften.
    """
    work = share.work
    own = _check(actor, work)
    said = text(reason, _("Say what is wrong with this share, in at most 2,000 characters."), "/reason")
    if claimant is not None and (own is not None or claimant.society_id != work.society_id):
        raise NotFound(_("There is no such holder."), pointer="/claimant")
    serialised(work.society)
    held = _made(actor, share, said, work)
    asserted = own or (claimant.pk if claimant else None)
    parties = set(_shares(share).values_list("holder_id", flat=True)) | ({asserted} if asserted else set())
    stored = kept(actor, evidence, name, held, "/evidence")
    DisputeParty.objects.bulk_create(
        [
            DisputeParty(dispute=held, holder_id=each, evidence=stored if each == asserted else None)
            for each in sorted(parties)
        ]
    )
    mark_disputed(
        actor=actor,
        work=work,
        holder_id=share.holder_id,
        role=share.role,
        disputed=True,
        source=Reference("dispute", held.pk),
    )
    note(actor, "raised", held, holder=share.holder.ref, role=share.role)
    tell(held, RAISED, {"reason": said}, key=f"dispute-raised:{held.pk}", but_not=actor.user_id, staff=own is not None)
    return held


@transaction.atomic
def withdraw(*, actor: Actor, dispute: Dispute, reason: str) -> Dispute:
    """Take a dispute about a share back: who raised it, or the society, which says why."""
    held = opened(actor, dispute)
    if held.kind != Dispute.Kind.SHARE:
        detail = _(
            "Shares over the whole are no dispute that one withdraws: agree on other shares, or correct the register."
        )
        raise Conflict("not_withdrawn", detail)
    if not actor.is_system and not (actor.is_society and actor.can(STAFF)) and held.raised_by != actor.user_id:
        raise NotFound(_("Only who raised a dispute, or the society, can withdraw it."))
    said = text(reason, _("Say why, in at most 2,000 characters."), "/reason")
    end(actor, held, Dispute.Status.WITHDRAWN, outcome=said)
    note(actor, "withdrawn", held, reason=said)
    tell(
        held,
        WITHDRAWN,
        {"reason": said},
        key=f"dispute-withdrawn:{held.pk}",
        but_not=actor.user_id,
        staff=not actor.is_society,
    )
    return held


def _check(actor: Actor, work: Work) -> int | None:
    """The holder for whom a creator speaks, None for the society."""
    if actor.is_system or actor.is_society:
        check_society(actor, work.society, STAFF)
        return None
    mine = work.shares.filter(holder_id__in=actor.holder_ids).order_by("holder_id").values_list("holder_id", flat=True)
    found = mine.first()
    if found is None or actor.organisation_id is not None or actor.sandbox:
        raise NotFound(_("There is no such work."))
    actor.require(CREATOR)
    limit("dispute", str(actor.user_id), most=MOST_A_DAY, seconds=86400)
    return int(found)


def _shares(share: Share) -> Any:
    """Everybody's shares on the days of the disputed one, itself among them."""
    return Share.objects.filter(work_id=share.work_id, valid__overlap=share.valid)


def _made(actor: Actor, share: Share, reason: str, work: Work) -> Dispute:
    today = timezone.localdate()
    rows = _shares(share).values("holder_id", "role").annotate(most=Max("ppm")).order_by("holder__ref", "role")
    claims = [{"holder": row["holder_id"], "role": row["role"], "ppm": row["most"]} for row in rows]
    made = Dispute(
        society=work.society, work=work, kind=Dispute.Kind.SHARE, holder=share.holder, role=share.role, days=share.valid,
        claimed=sum(claim["ppm"] for claim in claims), claims=claims, reason=reason, raised_by=actor.user_id, opened_on=today,
        due_on=core.due_on(today, terms_on(work.society_id, today).answer_days),
    )  # fmt: skip
    try:
        with transaction.atomic():
            made.save()
    except IntegrityError as error:
        if "share_is_disputed_once" not in str(error):
            raise
        raise Conflict("disputed_already", _("This share is disputed already.")) from None
    return made


def check_claimant(work: Work, ref: str) -> Holder | None:
    """The society's member with this reference, who claims a share beside those on record."""
    if not ref.strip():
        return None
    found = Holder.objects.filter(society_id=work.society_id, ref=ref.strip()).first()
    if found is None:
        raise Refusal("no_such_holder", _("There is no holder with this reference."), pointer="/claimant")
    return found
