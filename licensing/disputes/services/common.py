"""What the verbs of a dispute share: finding it for whom it concerns, compare and set, evidence, telling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import IO, Any, Final

from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, NotFound, Reference, Refusal
from licensing.disputes.models import Dispute
from licensing.intake.models import StoredFile
from licensing.intake.services import keep
from licensing.repertoire.services.telling import Said, tell_holders, tell_staff

STAFF: Final = "works.import"
CREATOR: Final = "works.register"
MOST_BYTES: Final = 20 * 1024 * 1024
LONGEST: Final = 2000


def find_dispute(actor: Actor, dispute_id: int, *, lock: bool = False) -> Dispute:
    """The dispute as it is now, for whom it concerns; with `lock`, nobody else acts on it until the transaction ends."""
    found = Dispute.objects.visible_to(actor).select_related("work__society", "society", "holder", "document")
    if lock:
        found = found.select_for_update(of=("self",))
    one = found.filter(pk=dispute_id).first()
    if one is None or (actor.is_society and not (actor.can(STAFF) or actor.can("approvals.decide"))):
        raise NotFound(_("There is no such conflict."))
    return one


def opened(actor: Actor, dispute: Dispute) -> Dispute:
    """It, locked and still open."""
    held = find_dispute(actor, dispute.pk, lock=True)
    if held.status != Dispute.Status.OPEN:
        raise Conflict("dispute_is_over", _("This conflict is over: nothing more can be done with it."))
    return held


def change(held: Dispute, **fields: Any) -> Dispute:
    """Compare with what was read, and set."""
    if Dispute.objects.filter(pk=held.pk, status=Dispute.Status.OPEN, revision=held.revision).update(**fields) != 1:
        raise Conflict("dispute_moved_on", _("Somebody did something with this conflict meanwhile. Look at it again."))
    for name, value in fields.items():
        setattr(held, name, value)
    return held


def text(said: str, detail: str, pointer: str, *, most: int = LONGEST) -> str:
    found = said.strip()
    if not found or len(found) > most or "\0" in found:
        raise Refusal("no_text", detail, pointer=pointer)
    return found


def kept(actor: Actor, stream: IO[bytes] | None, name: str, held: Dispute, pointer: str) -> StoredFile | None:
    """A file that shows something, as it was received; never opened here."""
    if stream is None:
        return None
    if (getattr(stream, "size", None) or 0) > MOST_BYTES:
        most = MOST_BYTES // 1024**2
        raise Refusal("too_large", _("The file is too large: %(most)s MB at most.") % {"most": most}, pointer=pointer)
    return keep(actor=actor, stream=stream, name=name or "evidence", organisation=held.society)


def note(actor: Actor, what: str, held: Dispute, **data: Any) -> int:
    event = record(
        actor=actor, verb=f"dispute.{what}", object=Reference("dispute", held.pk), organisation_id=held.society_id,
        data={"ref": held.work.ref, **data},
    )  # fmt: skip
    return int(event.pk)


def tell(
    held: Dispute, said: Said, facts: Mapping[str, Any], *, key: str, holders: Iterable[int] | None = None,
    but_not: int | None = None, staff: bool = False,
) -> None:  # fmt: skip
    """Whoever acts for those who claim (or for these holders), and the society's staff where it is for them."""
    about: dict[str, Any] = {"key": key, "kind": "dispute", "route": "licensing:dispute", "at": held.pk}
    who = list(held.parties.values_list("holder_id", flat=True)) if holders is None else list(holders)
    facts = {"title": held.work.title[:120], **facts}
    tell_holders(who, said, facts, but_not=but_not, **about)
    if staff:
        tell_staff(held.society_id, STAFF, said, facts, **about)
