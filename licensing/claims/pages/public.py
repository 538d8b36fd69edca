"""The public list of what was declared and matched nothing, and the way to claim it.

What is shown is named in `services.telling`: never a firm, a licence, a dataset or a price.
"""

from __future__ import annotations

from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from accounts.access.limits import TooOften, caller, limit
from accounts.access.paging import paginate
from accounts.identity.core import Actor, Forbidden, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from licensing import labels, terms
from licensing.claims import services
from licensing.claims.forms import ClaimForm
from licensing.claims.models import Claim, Unmatched
from licensing.claims.services import claiming, looking, telling
from licensing.repertoire.models import Holder

A_MINUTE: Final = 60  # searches from one address


@require_GET
def unmatched(request: ActorRequest) -> HttpResponse:
    """Everything that is open, by title, creator, identifier or web address, and kind."""
    asked, kind = request.GET.get("q", "").strip()[: looking.LONGEST], request.GET.get("kind", "")
    found, refused = looking.of_kind(Unmatched.objects.public(), kind), ""
    if asked:
        try:
            limit("unmatched", caller(request), most=A_MINUTE, seconds=60)
            found = looking.looked_up_in_public(found, asked)
        except TooOften as too_often:
            found, refused = found.none(), str(too_often)
    page = paginate(request, found.select_related("society").order_by("-pk"), counted=False)
    context = {
        "page": page,
        "rows": [telling.public(each) for each in page],
        "asked": asked,
        "kind": kind,
        "kinds": [(code, labels.label(code)) for code in terms.KINDS],
        "refused": refused,
        "filtered": bool(asked or kind),
        "may_claim": _may_claim(request.actor),
    }
    return render(request, "licensing/claims/unmatched.html", context, status=429 if refused else 200)


@require_GET
def unmatched_item(request: ActorRequest, item_id: int) -> HttpResponse:
    """One item, and what somebody whose it is can do."""
    actor, found = request.actor, _public(item_id)
    mine = Claim.objects.none()
    if actor.user_id and actor.organisation_id is None:
        mine = Claim.objects.visible_to(actor).filter(item=found).order_by("-pk")
    context = {
        "row": telling.public(found),
        "item": found,
        "own": actor.is_society and actor.organisation_id == found.society_id and actor.can("works.import"),
        "may_claim": bool(_holders(actor, found)) and _may_claim(actor),
        "elsewhere": _may_claim(actor) and not _holders(actor, found),
        "mine": mine,
    }
    return render(request, "licensing/claims/unmatched_item.html", context)


@requires(claiming.PERMISSION)
@never_cache
@require_http_methods(["GET", "POST"])
def make_claim(request: ActorRequest, item_id: int) -> HttpResponse:
    """Say that it is yours, and show it."""
    found = _public(item_id)
    holders = _holders(request.actor, found)
    if not holders:
        raise Forbidden(_("%(society)s keeps this money. Join it, and claim it there.") % {"society": found.society})
    form = ClaimForm(request.POST or None, request.FILES or None, holders=holders)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = services.claim(
                actor=request.actor, holder=given["holder"], item=found, statement=given["statement"], work=given["work"],
                evidence=given["evidence"], name=given["evidence"].name if given["evidence"] else "",
            )  # fmt: skip
        except Refusal as refusal:
            field = (refusal.pointer or "").lstrip("/")
            form.add_error(field if field in form.fields else None, str(refusal))
        else:
            messages.success(request, _("Your claim is made. The society looks at it and tells you what it decides."))
            return redirect("licensing:claim", made.pk)
    status = 422 if form.errors and request.headers.get("HX-Request") else 200
    return render(
        request,
        "licensing/claims/make_claim.html",
        {"form": form, "row": telling.public(found), "item": found},
        status=status,
    )


def _public(item_id: int) -> Unmatched:
    found = Unmatched.objects.public().select_related("society").filter(pk=item_id).first()
    if found is None:
        raise NotFound(_("There is no such item. Perhaps it has been matched since."))
    return found


def _may_claim(actor: Actor) -> bool:
    return bool(actor.holder_ids) and actor.can(claiming.PERMISSION)


def _holders(actor: Actor, found: Unmatched) -> list[Holder]:
    """The members for whom the actor could claim it: those of the society that keeps the money."""
    if not actor.holder_ids:
        return []
    return list(
        Holder.objects.filter(pk__in=actor.holder_ids, society_id=found.society_id).order_by("name", "pk")[:100]
    )
