"""Entitlements: asked for by one person with the document, decided by another, ended or revoked the same way."""

from __future__ import annotations

import datetime
from typing import Any

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.identity.core import Actor, Conflict, NotFound, Reference, Refusal
from accounts.organisations.models import Organisation
from licensing.intake.models import StoredFile
from licensing.repertoire.models import Holder
from royalties.entitlements.core.flows import in_order
from royalties.entitlements.models import Entitlement
from royalties.entitlements.services import guards
from royalties.entitlements.services.telling import tell_of
from royalties.payees.models import Payee

KIND, END = "entitlement", "entitlement_end"
Kind, Status = Entitlement.Kind, Entitlement.Status
MOVES = (Kind.ASSIGNMENT, Kind.SUCCESSION)  # what is owed; the others redirect what is paid


@transaction.atomic
def request_entitlement(
    *,
    actor: Actor,
    society: Organisation,
    holder: Holder,
    kind: str,
    valid_from: datetime.date,
    basis: str,
    document: StoredFile,
    to_holder: Holder | None = None,
    to_payee: Payee | None = None,
    ppm: int = 1_000_000,
    ceiling: int | None = None,
    currency: str = "",
    priority: int = 0,
    with_arrears: bool = False,
    valid_to: datetime.date | None = None,
) -> Entitlement:
    """Put a right of somebody else on record, with its document. It counts once a second person approves it.

    `ppm` is the portion of what the holder is owed (or, of a garnishment or another payee, of each payment), `ceiling` what an
    order may take in all, in minor units of `currency`. `valid_to` is the first day without it. Heirs always take over what
    stands to the holder's credit; an assignment does so only `with_arrears`.
    """
    guards.enter(actor, society, guards.MANAGE)
    guards.own_holder(society, holder)
    _check(kind, society, holder, to_holder, to_payee, ppm, ceiling, currency)
    if valid_to is not None and valid_to <= valid_from:
        raise Refusal(
            "empty_term",
            _("The end is the first day without it: it must be later than the start."),
            pointer="/valid_to",
        )
    if document.organisation_id != society.pk:
        raise NotFound(_("There is no such file."), pointer="/document")
    if not basis.strip():
        raise Refusal(
            "basis_missing", _("Name the contract, order or certificate on which it rests."), pointer="/basis"
        )
    made = Entitlement.objects.create(
        society=society, holder=holder, kind=kind, to_holder=to_holder, to_payee=to_payee, ppm=ppm, ceiling=ceiling,
        currency=currency if ceiling is not None else "", priority=priority,
        with_arrears=with_arrears or kind == Kind.SUCCESSION, valid=DateRange(valid_from, valid_to), basis=basis.strip(),
        document=document,
    )  # fmt: skip
    about = reference(made)
    guards.note(
        actor, "entitlement.requested", about, society.pk, kind=kind, holder=holder.ref, ppm=ppm, since=str(valid_from)
    )
    guards.ask(actor, KIND, about, society.pk, said(made))
    return made


@transaction.atomic
def decide_entitlement(
    *, actor: Actor, entitlement: Entitlement, approve: bool = True, reason: str = ""
) -> Entitlement:
    """Approve or refuse as the second person. Approved, it counts from its first day on.

    Raises Conflict where the portions of its kind would pass the whole on some day, or money would go round in a circle.
    """
    found = guards.own(actor, Entitlement, entitlement.pk, guards.MANAGE)
    guards.one_at_a_time(found.society_id)
    guards.settle(actor, KIND, reference(found), said(found), approve=approve, reason=reason)
    if approve and found.kind in MOVES:
        _refuse_circle(found)
    status = Status.APPROVED if approve else Status.REFUSED
    with guards.in_words():
        moved = Entitlement.objects.filter(pk=found.pk, status=Status.REQUESTED).update(status=status)
    if moved != 1:
        raise Conflict("entitlement_is_decided", _("This is decided already."))
    guards.note(actor, f"entitlement.{status.value}", reference(found), found.society_id, reason=reason)
    found.refresh_from_db()
    if approve:
        tell_of(found, "approved")
    return found


@transaction.atomic
def request_end(*, actor: Actor, entitlement: Entitlement, on: datetime.date, reason: str) -> Entitlement:
    """Ask to end it: `on` is the first day without it. Its own first day revokes it altogether; what moved stays moved."""
    found = guards.own(actor, Entitlement, entitlement.pk, guards.MANAGE)
    why = guards.check_reason(reason)
    if found.status != Status.APPROVED:
        raise Conflict("entitlement_is_not_in_force", _("Only what is approved can be ended."))
    since, until = found.valid.lower, found.valid.upper
    if on < since or (until is not None and on >= until):
        detail = _("The end must lie within its days, from %(first)s on.") % {"first": since}
        raise Refusal("outside_term", detail, pointer="/on")
    Entitlement.objects.filter(pk=found.pk).update(end_asked=on, end_reason=why)
    found.refresh_from_db()
    guards.ask(actor, END, reference(found), found.society_id, _said_end(found))
    guards.note(actor, "entitlement.end_asked", reference(found), found.society_id, on=str(on), reason=why)
    return found


@transaction.atomic
def decide_end(*, actor: Actor, entitlement: Entitlement, approve: bool = True, reason: str = "") -> Entitlement:
    """End or revoke it as the second person, or let it stand."""
    found = guards.own(actor, Entitlement, entitlement.pk, guards.MANAGE)
    on = found.end_asked
    if on is None:
        raise Conflict("approval_not_requested", _("Nobody has asked for this yet, or it is decided."))
    guards.settle(actor, END, reference(found), _said_end(found), approve=approve, reason=reason)
    changes: dict[str, Any] = {"end_asked": None}
    verb = "entitlement.end_refused"
    if approve and on == found.valid.lower:
        changes, verb = changes | {"status": Status.REVOKED}, "entitlement.revoked"
    elif approve:
        changes, verb = changes | {"valid": DateRange(found.valid.lower, on)}, "entitlement.ended"
    if Entitlement.objects.filter(pk=found.pk, status=Status.APPROVED, end_asked=on).update(**changes) != 1:
        raise Conflict("entitlement_is_decided", _("This is decided already."))
    guards.note(actor, verb, reference(found), found.society_id, on=str(on), reason=reason)
    found.refresh_from_db()
    if approve:
        tell_of(found, f"ended:{on}")
    return found


def reference(entitlement: Entitlement) -> Reference:
    return Reference(KIND, entitlement.pk)


def said(each: Entitlement) -> dict[str, Any]:
    """Exactly what a second person approves."""
    return {
        "holder": each.holder_id, "kind": each.kind, "to_holder": each.to_holder_id, "to_payee": each.to_payee_id, "ppm": each.ppm,
        "ceiling": each.ceiling, "currency": each.currency, "priority": each.priority, "with_arrears": each.with_arrears,
        "valid": [each.valid.lower, each.valid.upper], "basis": each.basis, "document": each.document_id,
    }  # fmt: skip


def status_on(each: Entitlement, day: datetime.date | None = None) -> str:
    """How it stands on a day, in the words of badges: an approved one is future, in force or expired."""
    today = day or timezone.localdate()
    if each.status != Status.APPROVED:
        return str(each.status)
    if today < each.valid.lower:
        return "future"
    if each.valid.upper is not None and today >= each.valid.upper:
        return "expired"
    return "settled" if each.left == 0 else "in_force"


def _said_end(each: Entitlement) -> dict[str, Any]:
    return said(each) | {"end": each.end_asked, "reason": each.end_reason}


def _check(
    kind: str, society: Organisation, holder: Holder, to_holder: Holder | None, to_payee: Payee | None, ppm: int,
    ceiling: int | None, currency: str,
) -> None:  # fmt: skip
    """Raise Refusal for what makes no sense, by its field."""
    if kind not in Kind.values:
        raise Refusal("unknown_kind", _("There is no such kind of right."), pointer="/kind")
    if kind in MOVES:
        if to_holder is None:
            raise Refusal(
                "receiver_missing",
                _("Name the member who gets it. Heirs and assignees are members first."),
                pointer="/to_holder",
            )
        guards.own_holder(society, to_holder, "/to_holder")
        if to_holder.pk == holder.pk:
            raise Refusal(
                "receiver_is_the_holder",
                _("Somebody else than the holder gets it: choose another."),
                pointer="/to_holder",
            )
    elif to_payee is None or to_payee.society_id != society.pk:
        raise Refusal(
            "receiver_missing",
            _("Name the payee who gets it. Record their payment details first."),
            pointer="/to_payee",
        )
    elif to_payee.holder_id == holder.pk:
        raise Refusal(
            "receiver_is_the_holder", _("Somebody else than the holder gets it: choose another."), pointer="/to_payee"
        )
    if not 1 <= ppm <= 1_000_000:
        raise Refusal(
            "portion_out_of_range", _("A portion is more than nothing and at most the whole."), pointer="/portion"
        )
    if ceiling is not None and kind != Kind.GARNISHMENT:
        raise Refusal("no_ceiling_here", _("Only a garnishment has a total that it may take."), pointer="/ceiling")
    if ceiling is not None and not (
        1 <= ceiling <= 10**15 and len(currency) == 3 and currency.isascii() and currency.isupper()
    ):
        raise Refusal("ceiling_incomplete", _("A total needs an amount and its currency."), pointer="/ceiling")


def _refuse_circle(found: Entitlement) -> None:
    """Raise Conflict where, with this one, what is owed would come back to whom it left, on days that have any in common."""
    others = Entitlement.objects.approved().filter(society_id=found.society_id, kind__in=MOVES)
    same_days = others.filter(valid__overlap=found.valid)
    pairs = [*same_days.values_list("holder_id", "to_holder_id"), (found.holder_id, found.to_holder_id)]
    try:
        in_order((giver, taker) for giver, taker in pairs if taker is not None)
    except Refusal as refusal:
        raise Conflict(refusal.code, refusal.detail) from refusal
