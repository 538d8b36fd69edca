"""Switching a statutory scheme on and off: a legal basis for all works of a kind, so one person asks and another decides.

The command line's operator switches at once, through the same function; either way evidence keeps when and by whom, and
the public page shows when.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.approvals.models import Approval
from accounts.approvals.services import decide as decide_approval
from accounts.approvals.services import request_approval
from accounts.evidence.models import Event
from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Forbidden, Reference, Refusal
from licensing.intake.importing import check_society
from licensing.permissions.models import StatutoryScheme
from licensing.permissions.services.schemes import MANAGE, check_tariff, facts

KIND: Final = "scheme_switch"
OBJECT: Final = "statutory_scheme"
DECIDE: Final = "licences.manage"  # beside `approvals.decide`: those who answer for what is licensed
MOST_REASON: Final = 500


@dataclass(frozen=True, slots=True)
class Switch:
    """A scheme was switched on, or off, at a moment."""

    on: bool
    at: dt.datetime


def enable(*, actor: Actor, scheme: StatutoryScheme) -> StatutoryScheme:
    """From now on, permission follows the scheme on its days. The operator's; people ask for it and decide."""
    return _at_once(actor, scheme, on=True)


def disable(*, actor: Actor, scheme: StatutoryScheme) -> StatutoryScheme:
    """From now on, permission does not follow the scheme; answers that were given stay as they were."""
    return _at_once(actor, scheme, on=False)


@transaction.atomic
def ask_to_switch(*, actor: Actor, scheme: StatutoryScheme, reason: str) -> Approval:
    """Ask a second person to switch the scheme on if it is off, off if it is on, for a reason that is kept.

    It is switched on only with a tariff that its determining body determined: who made the works is to be paid.
    """
    check_society(actor, scheme.society, MANAGE)
    held = _held(scheme)
    reason = " ".join(reason.split())
    if not reason or len(reason) > MOST_REASON or not reason.isprintable():
        raise Refusal("no_reason", _("Write the reason, in at most 500 characters."), pointer="/reason")
    on = not held.enabled
    if on:
        _check_payable(held)
    approval = request_approval(
        actor=actor,
        kind=KIND,
        object=Reference(OBJECT, held.pk),
        organisation_id=held.society_id,
        subject_sha256=digest(held),
    )
    _note(actor, "switch_asked", held, on=on, reason=reason)
    return approval


@transaction.atomic
def decide_switch(*, actor: Actor, scheme: StatutoryScheme, approve: bool, reason: str = "") -> StatutoryScheme:
    """Another person switches the scheme as asked, or refuses. Refused where it changed since it was asked for."""
    check_society(actor, scheme.society, DECIDE)
    held = _held(scheme)
    approval = Approval.objects.pending().about(OBJECT, held.pk).filter(kind=KIND).first()
    if approval is None:
        raise Conflict("approval_not_requested", _("Nobody has asked to switch this scheme."))
    if approve and not held.enabled:
        _check_payable(held)
    decide_approval(actor=actor, approval=approval, approve=approve, reason=reason, subject_sha256=digest(held))
    return _switch(actor, held, on=not held.enabled) if approve else held


def waiting_switch(scheme: StatutoryScheme) -> Approval | None:
    """The request that waits for a second person, if it is still about the scheme as it is now."""
    waiting = Approval.objects.pending().about(OBJECT, scheme.pk).filter(kind=KIND).select_related("requester").first()
    return waiting if waiting and waiting.subject_sha256 == digest(scheme) else None


def digest(scheme: StatutoryScheme) -> str:
    """SHA-256 of what a switch would mean: all that the scheme says, and which way it is switched."""
    said = facts(scheme) | {"society": scheme.society_id, "name": scheme.name, "source": scheme.source}
    text = json.dumps(said | {"on": not scheme.enabled}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def switches_of(schemes: Collection[StatutoryScheme]) -> dict[int, list[Switch]]:
    """By scheme, each time that it was switched, the latest first, as evidence has it."""
    found: dict[int, list[Switch]] = {scheme.pk: [] for scheme in schemes}
    events = Event.objects.filter(
        object_kind=OBJECT, object_id__in=[str(pk) for pk in found], verb__in=["scheme.enabled", "scheme.disabled"]
    )
    for scheme, verb, at in events.order_by("-id").values_list("object_id", "verb", "at"):
        found[int(scheme)].append(Switch(verb == "scheme.enabled", at))
    return found


def reason_asked(scheme: StatutoryScheme) -> str:
    """Why the switch that was asked for last is wanted."""
    event = Event.objects.about(OBJECT, scheme.pk).filter(verb="scheme.switch_asked").order_by("-id").first()
    return event.data.get("reason", "") if event else ""


def _at_once(actor: Actor, scheme: StatutoryScheme, *, on: bool) -> StatutoryScheme:
    check_society(actor, scheme.society, MANAGE)
    if not actor.is_system:
        raise Forbidden(
            _("A second person has to decide: a scheme is switched by two, also for administrators."),
            code="second_person_needed",
        )
    return _switch(actor, scheme, on=on)


@transaction.atomic
def _switch(actor: Actor, scheme: StatutoryScheme, *, on: bool) -> StatutoryScheme:
    if StatutoryScheme.objects.filter(pk=scheme.pk, enabled=not on).update(enabled=on):
        scheme.enabled = on
        _note(actor, "enabled" if on else "disabled", scheme)
    scheme.refresh_from_db()
    return scheme


def _held(scheme: StatutoryScheme) -> StatutoryScheme:
    return StatutoryScheme.objects.select_for_update(of=("self",)).select_related("society").get(pk=scheme.pk)


def _check_payable(scheme: StatutoryScheme) -> None:
    if scheme.body is None or scheme.tariff is None:
        raise Refusal(
            "no_tariff",
            _(
                "The scheme names no tariff by which creators are paid. Import its document with a body and a tariff first."
            ),
            pointer="/tariff",
        )
    check_tariff(scheme.body, scheme.tariff, uses=scheme.uses, kinds=scheme.kinds, valid=scheme.valid)


def _note(actor: Actor, what: str, scheme: StatutoryScheme, **more: Any) -> None:
    record(
        actor=actor,
        verb=f"scheme.{what}",
        object=Reference(OBJECT, scheme.pk),
        organisation_id=scheme.society_id,
        data=facts(scheme) | more,
    )
