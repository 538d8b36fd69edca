"""A case's way: the licensee is told, answers, and it ends. One act a function, each against the state that was read."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.approvals.models import Approval
from accounts.approvals.services import decide, request_approval
from accounts.evidence.services import record
from accounts.identity.core import Actor, Conflict, Forbidden, NotFound, Reference, Refusal
from accounts.notices import services as notices
from licensing.compliance import core
from licensing.compliance.models import Case
from licensing.compliance.services.telling import link_to, tell_representatives, tell_staff
from licensing.labels import label
from licensing.licences.core import covers
from licensing.licences.models import Licence

KIND = "case_settlement"
ACCEPTED = gettext_noop("The licensee accepted what was asked.")
Status = Case.Status


def find_case(actor: Actor, case_id: int) -> Case:
    """The case as it is now, for whom it concerns."""
    related = ("declaration__licence", "society", "licensee", "holder", "licence")
    found = Case.objects.visible_to(actor).select_related(*related).filter(pk=case_id).first()
    if found is None:
        raise NotFound(_("There is no such case."))
    return found


@transaction.atomic
def accept(*, actor: Actor, case: Case) -> Case:
    """The licensee accepts what is proposed: the case is settled on it."""
    held = _licensees(actor, case, "accept")
    if held.proposed is None:
        detail = _("The society has not named an amount yet, because no tariff prices these uses. Write to it here.")
        raise Refusal("no_amount", detail)
    return _end(actor, held, "settled", amount=held.proposed, outcome=ACCEPTED)


@transaction.atomic
def dispute(*, actor: Actor, case: Case, answer: str) -> Case:
    """The licensee disputes it and says why; the society looks at it again."""
    held = _licensees(actor, case, "dispute")
    said = core.check_text(answer, pointer="/answer")
    _move(held, status=Status.DISPUTED, answer=said)
    return _told(actor, held, "disputed", to_society=True)


@transaction.atomic
def point_to_licence(*, actor: Actor, case: Case, licence: str, answer: str = "") -> Case:
    """The licensee names a licence of theirs with this society that covers the uses; the society confirms it, or not."""
    held = _licensees(actor, case, "point")
    said = core.check_text(answer, pointer="/answer") if answer.strip() else held.answer
    _move(held, status=Status.DISPUTED, licence=_licence(held, licence), answer=said)
    return _told(actor, held, "licence_named", to_society=True, licence=licence)


@transaction.atomic
def license_afterwards(*, actor: Actor, case: Case, licence: str) -> Case:
    """The society confirms that a licence covers the uses afterwards. Raises Refusal where its terms do not."""
    held = _societys(actor, case, "license")
    named = _licence(held, licence)
    _require_cover(held, named)
    return _end(actor, held, "licensed", licence=named, outcome="")


@transaction.atomic
def settle(*, actor: Actor, case: Case, amount: int, reason: str) -> Case:
    """Settle on an amount in minor units. On what was proposed: at once. On another one: a second person decides first."""
    held = _societys(actor, case, "settle")
    amount, said = core.check_amount(amount), core.check_text(reason, pointer="/reason")
    if held.notified_at is None:
        raise Conflict("not_notified", _("Tell the licensee of the case before you settle it."))
    if amount == held.proposed:
        return _end(actor, held, "settled", amount=amount, outcome=said)
    _move(held, offered=amount, offered_why=said)
    approval = request_approval(
        actor=actor, kind=KIND, object=Reference("case", held.pk), organisation_id=held.society_id,
        subject_sha256=_digest(held),
    )  # fmt: skip
    _note(actor, held, "settlement_asked", amount=amount, approval=approval.pk)
    return held


@transaction.atomic
def decide_settlement(*, actor: Actor, case: Case, approve: bool, reason: str = "") -> Case:
    """The second person's decision on a settlement that differs from what was proposed."""
    held = _societys(actor, case, "settle", permission="approvals.decide")
    approval = Approval.objects.pending().about("case", held.pk).filter(kind=KIND).first()
    if approval is None or held.offered is None:
        raise Conflict("nothing_to_decide", _("No settlement of this case waits for a decision."))
    decide(actor=actor, approval=approval, approve=approve, reason=reason, subject_sha256=_digest(held))
    if approve:
        return _end(actor, held, "settled", amount=held.offered, outcome=held.offered_why)
    _move(held, offered=None, offered_why="")
    _note(actor, held, "settlement_refused")
    return held


@transaction.atomic
def close(*, actor: Actor, case: Case, reason: str) -> Case:
    """End it without money: it was a mistake, or the society does not pursue it."""
    held = _societys(actor, case, "close")
    return _end(actor, held, "closed", outcome=core.check_text(reason, pointer="/reason"))


def pending_approval(case: Case) -> Approval | None:
    asked = Approval.objects.pending().about("case", case.pk).filter(kind=KIND)
    return asked.select_related("requester").first()


def _digest(case: Case) -> str:
    subject = {"case": case.pk, "amount": case.offered, "currency": case.currency, "reason": case.offered_why}
    return hashlib.sha256(json.dumps(subject, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _licensees(actor: Actor, case: Case, act: str) -> Case:
    held = find_case(actor, case.pk)
    actor.require("cases.answer")
    if not actor.is_system and actor.organisation_id != held.licensee_id:
        raise Forbidden(_("Only the licensee answers a case."))
    return _ready(held, act)


def _societys(actor: Actor, case: Case, act: str, permission: str = "cases.manage") -> Case:
    held = find_case(actor, case.pk)
    actor.require(permission)
    if not actor.is_system and actor.organisation_id != held.society_id:
        raise Forbidden(_("Only the society decides about a case."))
    return _ready(held, act)


def _ready(held: Case, act: str) -> Case:
    if held.status not in core.MAY[act]:
        with_status = {"status": held.get_status_display()}
        raise Conflict("case_moved_on", _("This case is %(status)s: that is not possible any more.") % with_status)
    return held


def _move(held: Case, **changes: Any) -> None:
    """Compare with what was read, and set. Of two acts at once one is done, the other hears of it."""
    as_read = Case.objects.filter(pk=held.pk, status=held.status, offered=held.offered, ended_at=None)
    if held.offered is None:
        as_read = Case.objects.filter(pk=held.pk, status=held.status, offered__isnull=True, ended_at=None)
    if as_read.update(**changes) != 1:
        raise Conflict("case_moved_on", _("Somebody did something with this case meanwhile. Look at it again."))
    for name, value in changes.items():
        setattr(held, name, value)


def _end(actor: Actor, held: Case, status: str, **changes: Any) -> Case:
    """It is over: an offer that waited is withdrawn, both sides and the holder's people hear of it."""
    _move(held, status=status, ended_at=timezone.now(), offered=None, offered_why="", **changes)
    Approval.objects.pending().about("case", held.pk).filter(kind=KIND).delete()
    data = {"amount": held.amount, "currency": held.currency} if held.amount is not None else {}
    data |= {"licence": held.licence.ref} if status == "licensed" and held.licence else {}
    by_licensee = actor.organisation_id == held.licensee_id
    told = _told(actor, held, status, to_society=by_licensee, to_licensee=not by_licensee, **data)
    if held.holder_id is not None:
        tell_representatives(
            [held.holder_id], key=f"case-{status}:{held.pk}", said=partial(_said, held, status),
            link=link_to("licensing:case", held.pk),
        )  # fmt: skip
    return told


def _told(
    actor: Actor, held: Case, what: str, *, to_society: bool = False, to_licensee: bool = False, **data: Any
) -> Case:
    """Evidence, the other side's notice and its webhook."""
    event = _note(actor, held, what, **data)
    key, link = f"case-{what}:{held.pk}:{event}", link_to("licensing:case", held.pk)
    if to_society:
        tell_staff(held.society_id, "society", "cases.manage", key=key, said=partial(_said, held, what), link=link)
    if to_licensee and held.notified_at is not None:
        tell_staff(held.licensee_id, "licensee", "cases.view", key=key, said=partial(_said, held, what), link=link)
    shown = {"case": held.pk, "status": held.status, "declaration": held.declaration_id, **data}
    parties = [held.society_id] + ([held.licensee_id] if held.notified_at is not None else [])
    for organisation_id in parties:
        notices.publish(organisation_id=organisation_id, kind="case.changed", key=key, data=shown)
    return held


def _said(held: Case, what: str) -> tuple[str, str]:
    number = {"number": held.pk, "licensee": held.licensee, "society": held.society}
    subject = {
        "disputed": _("Case %(number)s is disputed by %(licensee)s"),
        "licence_named": _("Case %(number)s: %(licensee)s points to a licence"),
        "settled": _("Case %(number)s is settled"),
        "licensed": _("Case %(number)s: a licence covers the use afterwards"),
        "closed": _("Case %(number)s is closed"),
    }[what]
    return subject % number, _("Open the case to see what was said and what follows.")


def _note(actor: Actor, held: Case, what: str, **data: Any) -> int:
    """Evidence of the side that acted: its people are named to itself alone."""
    side, about = actor.organisation_id or held.society_id, Reference("case", held.pk)
    event = record(actor=actor, verb=f"case.{what}", object=about, organisation_id=side, data=data)
    return int(event.pk)


def _licence(held: Case, ref: str) -> Licence:
    between = Licence.objects.filter(society_id=held.society_id, licensee_id=held.licensee_id)
    found = between.licensing().filter(ref=ref.strip()[:64]).first()
    if found is None:
        raise Refusal(
            "no_such_licence",
            _("There is no licence “%(ref)s” between these two that is or was in force.") % {"ref": ref[:64]},
            pointer="/licence",
        )
    return found


def _require_cover(held: Case, licence: Licence) -> None:
    """Every use of the case lies within the licence: use, kind, territory, day, model and dataset."""
    declaration = held.declaration
    groups = held.uses.order_by("use", "kind", "used_on").values_list("use", "kind", "used_on").distinct()
    for use, kind, day in groups.iterator(2_000):
        if not covers(
            licence.terms, use=use, kind=kind, territory=declaration.territory, day=day, model=declaration.model,
            dataset=declaration.dataset,
        ):  # fmt: skip
            said = {"ref": licence.ref, "use": label(use), "kind": label(kind), "day": day}
            detail = _(
                "Licence %(ref)s does not cover all of it: %(use)s of %(kind)s on %(day)s lies outside its terms."
            )
            raise Refusal("not_covered", detail % said, pointer="/licence")
