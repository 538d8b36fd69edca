"""Who may touch what others have a right to: a stranger finds nothing, staff needs the permission, two people decide."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from django.db import IntegrityError, connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.approvals.models import Approval
from accounts.approvals.services import decide, request_approval
from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Forbidden, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing.repertoire.models import Holder
from royalties.bank.models import Entry
from royalties.bank.services import held
from royalties.entitlements.models import Advance, Entitlement, SisterAgreement, SisterStatement

MANAGE, VIEW, PREPARE, APPROVE, SEE = (
    "payees.manage",
    "payees.view",
    "payouts.prepare",
    "payouts.approve",
    "payouts.view",
)
Own = TypeVar("Own", Entitlement, Advance, SisterAgreement, SisterStatement)

_SAID: Final = {
    "entitlement_portions_stay_within_the_whole": gettext_lazy(
        "With this one, the portions of this kind would come to more than the whole on some day. End or refuse another first."
    ),
    "entitlement_is_recorded_once_a_day": gettext_lazy("The same right is on record for some of these days already."),
    "entitlement_takes_no_more_than_its_ceiling": gettext_lazy("More would be paid than the order allows in all."),
    "entitlement_is_in_favour_of_somebody_else": gettext_lazy("Somebody else than the holder gets it: choose another."),
    "sister_agreement_is_one_a_day": gettext_lazy(
        "Another agreement with this society is in force on some of these days. End that one first."
    ),
    "advance_has_its_own_payment": gettext_lazy("This payment of the bank stands for another advance already."),
    "sister_statement_has_its_own_payment": gettext_lazy(
        "This payment of the bank stands for another statement already."
    ),
}


def enter(actor: Actor, society: Organisation, permission: str) -> None:
    """Raise NotFound to strangers, Forbidden to those whose role lacks the permission and to the sandbox."""
    if not actor.is_system and not (actor.is_society and actor.organisation_id == society.pk):
        raise NotFound(_("There is no such society."))
    if society.kind != Organisation.Kind.SOCIETY:
        raise NotFound(_("%(ref)s is not a society.") % {"ref": society.ref})
    actor.require(permission)
    if actor.sandbox:
        raise Forbidden(_("A test token moves no money. Use a live one."))


def own(actor: Actor, model: type[Own], pk: int, permission: str) -> Own:
    """The row as stored now, locked, if the actor may do this with it."""
    found = model.objects.visible_to(actor).filter(pk=pk).first() if actor.is_system or actor.is_society else None
    if found is None:
        raise NotFound(_("There is nothing of this number."))
    actor.require(permission)
    return model.objects.select_for_update(of=("self",), no_key=True).select_related("society").get(pk=pk)


def own_holder(society: Organisation, holder: Holder, pointer: str = "/holder") -> Holder:
    if holder.society_id != society.pk:
        raise NotFound(_("There is no such holder."), pointer=pointer)
    return holder


def digest(said: Mapping[str, Any]) -> str:
    """SHA-256 of exactly what a second person approves."""
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str, ensure_ascii=False).encode()).hexdigest()


def ask(actor: Actor, kind: str, about: Reference, society_id: int, said: Mapping[str, Any]) -> Approval:
    return request_approval(
        actor=actor, kind=kind, object=about, organisation_id=society_id, subject_sha256=digest(said)
    )


def pending(kind: str, about: Reference) -> Approval | None:
    return Approval.objects.pending().about(about.kind, about.id).filter(kind=kind).select_related("requester").first()


def settle(actor: Actor, kind: str, about: Reference, said: Mapping[str, Any], *, approve: bool, reason: str) -> None:
    """Decide, as the second person, on what was asked for."""
    asked = pending(kind, about)
    if asked is None:
        raise Conflict("approval_not_requested", _("Nobody has asked for this yet, or it is decided."))
    decide(actor=actor, approval=asked, approve=approve, reason=reason, subject_sha256=digest(said))


def note(actor: Actor, verb: str, about: Reference, society_id: int, **data: Any) -> None:
    """Evidence of a change, in its transaction. Names of people stay out of it."""
    record(actor=actor, verb=verb, object=about, organisation_id=society_id, data=data)


@contextmanager
def in_words() -> Iterator[None]:
    """The database's refusals by name, said to people; what was done before stands."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", None) or ""
        if name not in _SAID:
            raise
        raise Conflict(name, str(_SAID[name])) from error


def one_at_a_time(society_id: int) -> None:
    """What moves a society's money between holders, or says how, waits for each other until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"entitlements {society_id}"])


def check_reason(reason: str) -> str:
    text = reason.strip()
    if not text:
        raise Refusal("reason_missing", _("Say why."), pointer="/reason")
    return text[:1000]


def outgoing(society_id: int, entry: Entry, currency: str, due: int) -> Entry:
    """The bank's record of a payment, locked, if it is the society's, went out, is not used yet, and is what was due."""
    found = held(entry)
    if found.society_id != society_id:
        raise NotFound(_("There is no such bank entry."), pointer="/entry")
    if found.sign != -1 or found.currency != currency or found.left != due:
        raise Refusal("other_amount_paid", _("This bank entry is no payment of what is due."), pointer="/entry")
    return found
