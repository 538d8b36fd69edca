"""Claims: a creator's own, with what became of them; a society's, to decide, with the rival ones beside each other."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.access.paging import paginate
from accounts.identity.core import Actor, Conflict, Forbidden, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires, signed_in
from licensing.claims import services
from licensing.claims.models import Claim
from licensing.claims.services import claiming, deciding
from licensing.intake.services import path_of
from licensing.repertoire.models import Work


@signed_in
@require_GET
def claims(request: ActorRequest) -> HttpResponse:
    """Mine, or those to my society: what waits first by money, then by age."""
    actor = _concerned(request.actor)
    found, status = (
        Claim.objects.visible_to(actor).select_related("item", "holder", "work"),
        request.GET.get("status", ""),
    )
    if not status and actor.is_society:
        status = Claim.Status.OPEN.value
    if status in Claim.Status.values:
        found = found.filter(status=status)
    order = ("-item__worth", "item_id", "pk") if status == Claim.Status.OPEN and actor.is_society else ("-pk",)
    context = {
        "page": paginate(request, found.order_by(*order), counted=False),
        "status": status,
        "statuses": Claim.Status.choices,
    }
    name = "claims_society" if actor.is_society else "claims_mine"
    return render(request, f"licensing/claims/{name}.html", context)


@signed_in
@never_cache
@require_GET
def claim(request: ActorRequest, claim_id: int) -> HttpResponse:
    return _shown(request, _claim(request.actor, claim_id))


@signed_in
@require_GET
def evidence(request: ActorRequest, claim_id: int) -> HttpResponseBase:
    """The file that was added, to its claimant and to the society; a download, never shown as a page."""
    found = _claim(request.actor, claim_id)
    if found.evidence is None:
        raise NotFound(_("No file was added to this claim."))
    answer = FileResponse(
        path_of(found.evidence).open("rb"),
        as_attachment=True,
        filename=found.evidence.name,
        content_type="application/octet-stream",
    )
    answer["X-Content-Type-Options"] = "nosniff"
    return answer


@require_POST
@signed_in
def withdraw(request: ActorRequest, claim_id: int) -> HttpResponse:
    found = _claim(request.actor, claim_id)
    services.withdraw(actor=request.actor, claim=found)
    messages.success(request, _("The claim is withdrawn."))
    return redirect("licensing:claim", found.pk)


@requires(deciding.PERMISSION)
@require_POST
def decide(request: ActorRequest, claim_id: int) -> HttpResponse:
    """All open claims to the item at once: one is accepted, or none."""
    found, given = _claim(request.actor, claim_id), request.POST
    seen = {int(pk) for pk in given.getlist("seen") if pk.isascii() and pk.isdigit() and len(pk) < 19}
    accepted = next((Claim(pk=pk) for pk in seen if given.get("accepted") == str(pk)), None)
    try:
        if accepted is None and given.get("accepted") != "none":
            raise Refusal("no_choice", _("Choose which claim you accept, or none."))
        services.decide_claims(
            actor=request.actor, item=found.item, seen=seen, accepted=accepted,
            work=_work(request.actor, given.get(f"work-{accepted.pk}", "")) if accepted else None,
            reasons={pk: given.get(f"reason-{pk}", "") for pk in seen},
        )  # fmt: skip
    except Refusal as refusal:
        status = 409 if isinstance(refusal, Conflict) else 422
        return _shown(request, _claim(request.actor, claim_id), problem=str(refusal), status=status)
    messages.success(request, _("Decided. Who claimed is told. The next distribution pays what has been waiting."))
    return redirect("licensing:claim", found.pk)


def _shown(request: ActorRequest, found: Claim, *, problem: str = "", status: int = 200) -> HttpResponse:
    actor = request.actor
    own = actor.is_society and actor.can(deciding.PERMISSION)
    mine = not actor.is_society
    rivals: list[Any] = []
    if actor.is_society:
        others = found.item.claims.select_related("holder", "work", "evidence", "claimant").order_by("status", "pk")
        rivals = [
            (each, claiming.works_of(each.holder) if each.holder and each.status == "open" else []) for each in others
        ]
    context = {
        "claim": found,
        "item": found.item,
        "rivals": rivals,
        "waiting": [each for each, _works in rivals if each.status == Claim.Status.OPEN],
        "can_decide": own and any(each.status == Claim.Status.OPEN for each, _works in rivals),
        "can_withdraw": mine and found.status == Claim.Status.OPEN,
        "can_register": mine
        and found.status == Claim.Status.OPEN
        and found.work_id is None
        and actor.can("works.register"),
        "given": request.POST,
        "problem": problem,
    }
    return render(request, "licensing/claims/claim.html", context, status=status)


def _work(actor: Actor, chosen: str) -> Work | None:
    if not chosen:
        return None
    number = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 19 else 0
    work = Work.objects.visible_to(actor).filter(pk=number).first()
    if work is None:
        raise NotFound(_("There is no such work."))
    return work


def _concerned(actor: Actor) -> Actor:
    if actor.organisation_id is not None and not actor.is_society:
        raise Forbidden(_("This page is for rights holders and those who act for them."))
    if actor.is_society:
        actor.require(deciding.PERMISSION)
    return actor


def _claim(actor: Actor, claim_id: int) -> Claim:
    """A claim that the actor may see: a society's staff who decide, or whose it is."""
    if actor.is_society:
        actor.require(deciding.PERMISSION)
    found = Claim.objects.visible_to(actor).select_related(
        "item__society", "item__rule__work", "holder", "work", "evidence"
    )
    one = found.filter(pk=claim_id).first() if actor.is_society or actor.organisation_id is None else None
    if one is None:
        raise NotFound(_("There is no such claim."))
    return one
