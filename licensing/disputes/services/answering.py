"""Who claims proposes a split, agrees to one or objects; once all agree to the same, it is settled at once."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import IO, Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.identity.core import SYSTEM, Actor, Conflict, NotFound
from licensing.disputes import core
from licensing.disputes.models import Dispute, DisputeParty
from licensing.disputes.services.common import CREATOR, STAFF, change, kept, note, opened, tell, text
from licensing.disputes.services.ending import check_since, end, put_on_record
from licensing.repertoire.models import Holder

Position = DisputeParty.Position
PROPOSED: Final = (
    gettext_noop("A split of “%(title)s” is proposed"),
    gettext_noop(
        "%(who)s proposed how it is divided. Once all who claim agree, it is on record and the money is paid. Look at it, and answer."
    ),
)
OBJECTED: Final = (
    gettext_noop("%(who)s objects to the split of “%(title)s”"),
    gettext_noop("The reason given: %(reason)s"),
)
SETTLED: Final = (
    gettext_noop("The shares of “%(title)s” are settled"),
    gettext_noop(
        "All who claim agreed. The shares are on record, and the next distribution pays what was held by them."
    ),
)


@transaction.atomic
def propose(
    *, actor: Actor, dispute: Dispute, shares: Mapping[tuple[int, str], str], since: datetime.date | None = None
) -> Dispute:
    """Propose how the work is divided: a share for everybody who claims, by (holder, role); from the first day, or `since`.

    It takes the place of an earlier proposal, to which nobody's agreement counts any more. Who proposes for themselves agrees.
    """
    held = opened(actor, dispute)
    mine = _mine(actor, held)
    split = split_of(held, shares)
    check_since(held, since)
    change(
        held,
        revision=held.revision + 1,
        split=[line.as_data() for line in split],
        since=since,
        proposed_by=actor.label[:200],
    )
    if mine:
        _answer(actor, mine, Position.AGREED, agreed_to=held.revision)
    note(actor, "proposed", held, revision=held.revision, split=_worded(held), since=since.isoformat() if since else "")
    tell(
        held,
        PROPOSED,
        {"who": actor.label},
        key=f"dispute-proposed:{held.pk}:{held.revision}",
        but_not=actor.user_id,
        staff=bool(mine),
    )
    return _settled_if_all_agree(actor, held)


@transaction.atomic
def agree(*, actor: Actor, dispute: Dispute, revision: int) -> Dispute:
    """Agree to the proposal of this number, for every holder whom the actor represents. Raises Conflict where it is not that of now."""
    held = opened(actor, dispute)
    mine = _claimant(actor, held)
    if not held.revision or not held.split:
        raise Conflict("nothing_proposed", _("Nobody has proposed a split yet. Propose one."))
    if revision != held.revision:
        raise Conflict("other_proposal", _("Another split was proposed meanwhile. Look at it before you agree."))
    _answer(actor, mine, Position.AGREED, agreed_to=revision)
    note(actor, "agreed", held, revision=revision)
    return _settled_if_all_agree(actor, held)


@transaction.atomic
def object_to(
    *, actor: Actor, dispute: Dispute, statement: str, evidence: IO[bytes] | None = None, name: str = ""
) -> Dispute:
    """Object, and say and show why; the others and the society hear of it."""
    held = opened(actor, dispute)
    mine = _claimant(actor, held)
    said = text(statement, _("Say why you object, in at most 2,000 characters."), "/statement")
    stored = kept(actor, evidence, name, held, "/evidence")
    _answer(actor, mine, Position.OBJECTED, statement=said, **({"evidence": stored} if stored else {}))
    event = note(actor, "objected", held)
    who = ", ".join(str(party.holder) for party in mine)[:120]
    tell(
        held, OBJECTED, {"who": who, "reason": said}, key=f"dispute-objected:{event}", but_not=actor.user_id, staff=True
    )
    return held


def split_of(held: Dispute, shares: Mapping[tuple[int, str], str]) -> list[core.Line]:
    """The proposal for all who claim, those of whom nothing is said with nothing. Raises Refusal."""
    known = lines_of(held)
    if set(shares) - {(holder.pk, role) for holder, role, _ppm in known}:
        raise NotFound(_("There is no such holder."), pointer="/split")
    return core.divide(
        [core.Asked(holder.pk, holder.ref, role, shares.get((holder.pk, role), "")) for holder, role, _ppm in known]
    )


def lines_of(held: Dispute) -> list[tuple[Holder, str, int]]:
    """Everybody who claims, in each role, with what is on record (nothing for who is named beside the register)."""
    parties = {party.holder_id: party.holder for party in held.parties.select_related("holder")}
    lines = [
        (parties[claim["holder"]], str(claim["role"]), int(claim["ppm"]))
        for claim in held.claims
        if claim["holder"] in parties
    ]
    without = sorted(set(parties) - {claim["holder"] for claim in held.claims})
    return lines + [(parties[each], held.role, 0) for each in without]


def _settled_if_all_agree(actor: Actor, held: Dispute) -> Dispute:
    if not core.all_agree(held.parties.values_list("agreed_to", flat=True), held.revision):
        return held
    put_on_record(SYSTEM, held, held.split, held.since)
    end(SYSTEM, held, Dispute.Status.SETTLED)
    note(
        actor,
        "settled",
        held,
        revision=held.revision,
        split=_worded(held),
        since=held.since.isoformat() if held.since else "",
    )
    tell(held, SETTLED, {}, key=f"dispute-settled:{held.pk}", staff=True)
    return held


def _mine(actor: Actor, held: Dispute) -> list[DisputeParty]:
    """Those for whom the actor speaks; nobody, for the society's staff."""
    if actor.is_system or (actor.is_society and actor.organisation_id == held.society_id):
        actor.require(STAFF)
        return []
    return _claimant(actor, held)


def _claimant(actor: Actor, held: Dispute) -> list[DisputeParty]:
    mine = list(held.parties.select_related("holder").filter(holder_id__in=actor.holder_ids).order_by("pk"))
    if not mine or actor.organisation_id is not None:
        raise NotFound(_("Only who claims a share answers."))
    actor.require(CREATOR)
    return mine


def _answer(actor: Actor, mine: list[DisputeParty], position: str, **fields: Any) -> None:
    said = {"position": position, "agreed_to": None, "answered_at": timezone.now(), "answered_by": actor.label[:200]}
    DisputeParty.objects.filter(pk__in=[party.pk for party in mine]).update(**said | fields)


def _worded(held: Dispute) -> list[str]:
    return [f"{each['holder']} {each['role']} {each['ppm']}ppm" for each in held.split]
