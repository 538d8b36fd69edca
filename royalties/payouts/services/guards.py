"""Who may touch a society's payouts: a stranger finds nothing, a member of staff needs the permission."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from accounts.evidence.services import record
from accounts.identity.core import Actor, Forbidden, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from royalties.payouts.models import Batch

KIND = "payout_batch"
PREPARE, APPROVE, VIEW = "payouts.prepare", "payouts.approve", "payouts.view"


def enter(actor: Actor, society: Organisation, permission: str) -> None:
    """Raise NotFound to strangers, Forbidden to those whose role lacks the permission and to the sandbox."""
    if not actor.is_system and not (actor.is_society and actor.organisation_id == society.pk):
        raise NotFound(_("There is no such society."))
    if society.kind != Organisation.Kind.SOCIETY:
        raise NotFound(_("%(ref)s is not a society.") % {"ref": society.ref})
    actor.require(permission)
    if actor.sandbox:
        raise Forbidden(_("A test token moves no money. Use a live one."))


def own_batch(actor: Actor, batch_id: int, permission: str, *, lock: bool = False) -> Batch:
    """The batch as stored now, if the actor may do this with it; locked, it stays so until the transaction ends."""
    found = Batch.objects.visible_to(actor).select_related("society", "policy__debtor", "journal").filter(pk=batch_id)
    batch = (found.select_for_update(of=("self",)) if lock else found).first()
    if batch is None:
        raise NotFound(_("There is no such payout."))
    actor.require(permission)
    return batch


def about(batch: Batch) -> Reference:
    return Reference(KIND, batch.pk)


def record_batch(actor: Actor, batch: Batch, verb: str, **data: Any) -> None:
    """Evidence of what happened to a batch, in the transaction in which it does."""
    record(actor=actor, verb=f"payout_batch.{verb}", object=about(batch), organisation_id=batch.society_id, data=data)


def nothing_to_pay() -> Refusal:
    return Refusal("nothing_to_pay", _("Nobody is owed anything in this currency. Distribute money first."))
