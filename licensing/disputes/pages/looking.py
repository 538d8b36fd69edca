"""Conflicts over shares: a list, and one with what each claims, says and agrees to."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.access.paging import paginate
from accounts.identity.core import Actor, Forbidden, NotFound
from accounts.identity.gate import ActorRequest, signed_in
from licensing.disputes.forms import DecisionForm, ObjectForm, ReasonForm, SplitForm
from licensing.disputes.models import Dispute
from licensing.disputes.services import pending_approval, terms_on
from licensing.disputes.services.answering import lines_of
from licensing.disputes.services.common import CREATOR, STAFF, find_dispute
from licensing.intake.models import StoredFile
from licensing.intake.services import path_of


@signed_in
@require_GET
def disputes(request: ActorRequest) -> HttpResponse:
    """Those in my society's register, or those about my works; open ones by the day on which answers are due."""
    actor = _concerned(request.actor)
    status = request.GET.get("status", Dispute.Status.OPEN.value)
    found = Dispute.objects.visible_to(actor).select_related("work", "holder")
    if status in Dispute.Status.values:
        found = found.filter(status=status)
    kind = request.GET.get("kind", "")
    if kind in Dispute.Kind.values:
        found = found.filter(kind=kind)
    order = ("due_on", "pk") if status == Dispute.Status.OPEN else ("-pk",)
    today = timezone.localdate()
    context = {
        "page": paginate(request, found.order_by(*order), counted=False), "status": status, "kind": kind,
        "statuses": Dispute.Status.choices, "kinds": Dispute.Kind.choices, "today": today,
        "terms": terms_on(actor.organisation_id or 0, today) if actor.is_society else None,
        "can_set": actor.is_society and actor.can(STAFF),
    }  # fmt: skip
    return render(request, "licensing/disputes/disputes.html", context)


@signed_in
@never_cache
@require_GET
def dispute(request: ActorRequest, dispute_id: int) -> HttpResponse:
    return shown(request, find_dispute(request.actor, dispute_id))


@signed_in
@require_GET
def document(request: ActorRequest, dispute_id: int) -> HttpResponseBase:
    """The judgment or document on which the society decides; a download, never shown as a page."""
    return _download(find_dispute(request.actor, dispute_id).document)


@signed_in
@require_GET
def evidence(request: ActorRequest, dispute_id: int, party_id: int) -> HttpResponseBase:
    """What somebody who claims added, to all who claim and to the society."""
    held = find_dispute(request.actor, dispute_id)
    party = held.parties.select_related("evidence").filter(pk=party_id).first()
    return _download(party.evidence if party else None)


def shown(request: ActorRequest, held: Dispute, *, status: int = 200, **forms: Any) -> HttpResponse:
    """The page of a conflict, with a form that was refused in its place."""
    actor, is_open = request.actor, held.status == Dispute.Status.OPEN
    parties = list(held.parties.select_related("holder", "evidence").order_by("holder__ref"))
    mine = [party for party in parties if not actor.is_society and party.holder_id in actor.holder_ids]
    staff = actor.is_society and actor.can(STAFF)
    approval = pending_approval(held) if is_open else None
    speaks = is_open and bool(mine) and actor.can(CREATOR)
    split = {(each["holder"], each["role"]): each for each in held.split}
    context = {
        "dispute": held, "parties": parties, "mine": mine, "is_open": is_open, "approval": approval, "today": timezone.localdate(),
        "lines": [(holder, role, ppm, split.get((holder.pk, role))) for holder, role, ppm in lines_of(held)],
        "outcome": _(held.outcome) if held.outcome else "",
        "can_agree": speaks and held.revision > 0 and bool(held.split) and any(p.agreed_to != held.revision for p in mine),
        "can_object": speaks, "can_propose": is_open and (speaks or staff), "can_ask": is_open and staff,
        "can_withdraw": is_open and held.kind == Dispute.Kind.SHARE and (staff or held.raised_by == actor.user_id),
        "can_decide": approval is not None and actor.can("approvals.decide") and approval.requester_id != actor.user_id,
        "split_form": SplitForm(dispute=held), "object_form": ObjectForm(prefix="object"), "reason_form": ReasonForm(prefix="withdraw"),
        "decision_form": DecisionForm(dispute=held, prefix="decision"),
    }  # fmt: skip
    return render(request, "licensing/disputes/dispute.html", context | forms, status=status)


def _download(stored: StoredFile | None) -> HttpResponseBase:
    if stored is None:
        raise NotFound(_("No file was added."))
    answer = FileResponse(
        path_of(stored).open("rb"), as_attachment=True, filename=stored.name, content_type="application/octet-stream"
    )
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


def _concerned(actor: Actor) -> Actor:
    if actor.organisation_id is not None and not actor.is_society:
        raise Forbidden(_("This page is for rights holders and those who act for them."))
    if actor.is_society and not actor.can("approvals.decide"):
        actor.require(STAFF)
    elif not actor.is_society:
        actor.require(CREATOR)
    return actor
