"""The society's queue of unmatched items, the workbench for one of them, and the log of what was decided."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Count, Exists, OuterRef, Q, Sum
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.access.paging import paginate
from accounts.identity.core import Actor, Conflict, NotFound, Refusal
from accounts.identity.gate import ActorRequest, requires
from licensing import labels, terms
from licensing.claims import services
from licensing.claims.forms import NewWorkForm
from licensing.claims.models import Claim, Unmatched, UnmatchedQuerySet
from licensing.claims.services import deciding, looking
from licensing.declarations.models import Declaration, DeclaredUse
from licensing.matching.models import MatchRule
from licensing.repertoire.lookup import looked_up as works_looked_up
from licensing.repertoire.models import Work

FILTERS: Final = ("q", "kind", "scheme", "only")
ONLY: Final = ("candidates", "claimed", "conflict")
FOUND: Final = 10  # works that a search in the workbench shows
SHOWN_DECLARATIONS: Final = 10


@requires(deciding.PERMISSION)
@require_GET
def queue(request: ActorRequest) -> HttpResponse:
    """What matched nothing, the most money first."""
    actor, asked = request.actor, _asked(request)
    found = _filtered(_items(actor), asked)
    claims = Claim.objects.filter(item=OuterRef("pk"), status=Claim.Status.OPEN)
    page = paginate(request, found.annotate(is_claimed=Exists(claims)).order_by("-worth", "id"), counted=False)
    sums = _items(actor).order_by().values("currency").annotate(worth=Sum("worth"), items=Count("pk"))
    context = asked | {
        "page": page,
        "query": urlencode({key: text for key, text in asked.items() if text}),
        "filtered": any(asked.values()),
        "sums": sums.order_by("-worth"),
        "claims": Claim.objects.visible_to(actor).filter(status=Claim.Status.OPEN).count(),
        "kinds": [(code, labels.label(code)) for code in terms.KINDS],
        "schemes": [*terms.SCHEMES, "title", "several"],
    }
    return render(request, "licensing/claims/queue.html", context)


@requires(deciding.PERMISSION)
@require_GET
def item(request: ActorRequest, item_id: int) -> HttpResponse:
    """The workbench: what was said, what it may be, and what to decide."""
    return _bench(request, _item(request.actor, item_id))


@requires(deciding.PERMISSION)
@require_POST
def decide(request: ActorRequest, item_id: int) -> HttpResponse:
    """It is a work, or none of ours; then on to the next."""
    found, reason = _item(request.actor, item_id), request.POST.get("reason", "")
    chosen = request.POST.get("work", "")
    try:
        work = None if chosen == "none" else _work(request.actor, chosen)
        done = services.decide(
            actor=request.actor, item=found, work=work, reason=reason, with_alike=bool(request.POST.get("alike"))
        )
    except Conflict as conflict:
        return _meanwhile(request, found, conflict)
    except Refusal as refusal:
        return _bench(request, found, problem=str(refusal), status=422)
    _say(request, done, work)
    return _next(request, found)


@requires(deciding.PERMISSION)
@require_http_methods(["GET", "POST"])
def new_work(request: ActorRequest, item_id: int) -> HttpResponse:
    """A work that the register lacks: on record, and the item is it."""
    found = _item(request.actor, item_id)
    form = NewWorkForm(request.POST or None, initial=deciding.suggested(found))
    if request.method == "POST" and form.is_valid():
        try:
            work, done = services.new_work(
                actor=request.actor, item=found, with_alike=bool(request.POST.get("alike")), **form.values
            )
        except Refusal as refusal:
            if isinstance(refusal, Conflict) and refusal.code in ("decided_already", "claimed"):
                return _meanwhile(request, found, refusal)
            for error in refusal.errors:
                field = str(error.get("pointer", "")).strip("/").partition("/")[0]
                form.add_error(field if field in form.fields else None, str(error["detail"]))
        else:
            _say(request, done, work)
            messages.info(request, _("Now say who holds it: without shares its money keeps waiting."))
            return redirect("licensing:work_shares", work.pk)
    context = {"form": form, "item": found, "alike": services.alike(found), "query": _query(request)}
    return render(request, "licensing/claims/new_work.html", context)


@requires(deciding.PERMISSION)
@require_GET
def skip(request: ActorRequest, item_id: int) -> HttpResponse:
    """The next item, or with `?back=1` the one before."""
    return _next(request, _item(request.actor, item_id), back=bool(request.GET.get("back")))


@requires(deciding.PERMISSION)
@require_GET
def decisions(request: ActorRequest) -> HttpResponse:
    """Every decision, with who made it and why; those in force can be taken back."""
    actor = request.actor
    found = MatchRule.objects.visible_to(actor).select_related("work")
    state, source, asked = request.GET.get("state", ""), request.GET.get("source", ""), request.GET.get("q", "").strip()
    if state == "in_force":
        found = found.in_force()
    elif state == "withdrawn":
        found = found.exclude(withdrawn_at=None)
    if source in MatchRule.Source.values:
        found = found.filter(source=source)
    if asked:
        value = asked[:2048]
        named = Work.objects.filter(society_id=actor.organisation_id or 0, ref=value)
        found = found.filter(Q(value=value) | Q(value=value.partition(":")[2] or value) | Q(work__in=named))
    context = {
        "page": paginate(request, found.order_by("-pk"), counted=False),
        "state": state,
        "source": source,
        "sources": MatchRule.Source.choices,
        "asked": asked,
    }
    return render(request, "licensing/claims/decisions.html", context)


@requires(deciding.PERMISSION)
@require_POST
def withdraw_decision(request: ActorRequest, match_rule_id: int) -> HttpResponse:
    rule = MatchRule.objects.visible_to(request.actor).select_related("society").filter(pk=match_rule_id).first()
    if rule is None:
        raise NotFound(_("There is no such decision."))
    try:
        services.undo(actor=request.actor, rule=rule, reason=request.POST.get("reason", ""))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("The decision is taken back. What it was about waits in the queue again."))
    return redirect("licensing:decisions")


def _bench(
    request: ActorRequest, found: Unmatched, *, problem: str = "", meanwhile: str = "", status: int = 200
) -> HttpResponse:
    actor, search = request.actor, request.GET.get("work", "").strip()[: looking.LONGEST]
    works = list(works_looked_up(Work.objects.visible_to(actor), search).order_by("pk")[:FOUND]) if search else []
    uses = _uses(found)
    context = {
        "item": found,
        "candidates": _candidates(found),
        "search": search,
        "works": works,
        "alike": services.alike(found),
        "claims": found.claims.filter(status=Claim.Status.OPEN).select_related("holder").order_by("pk"),
        "firms": uses.aggregate(n=Count("declaration__licence__licensee", distinct=True))["n"],
        "declared": _declared(uses),
        "is_open": found.status == Unmatched.Status.OPEN,
        "decided": deciding.decided_by(found) if found.status != Unmatched.Status.OPEN else "",
        "query": _query(request),
        "problem": problem,
        "meanwhile": meanwhile,
    }
    return render(request, "licensing/claims/item.html", context, status=status)


def _meanwhile(request: ActorRequest, found: Unmatched, conflict: Refusal) -> HttpResponse:
    """Somebody was first: the item as it is now, with what they decided."""
    return _bench(request, _item(request.actor, found.pk), meanwhile=str(conflict), status=409)


def _candidates(found: Unmatched) -> list[dict[str, Any]]:
    """The works that it may be, with score and reasons; at most as many as the keyboard has numbers for."""
    works = Work.objects.in_bulk([each["work"] for each in found.candidates])
    return [
        each | {"work": works[each["work"]], "n": n, "percent": round(float(each["score"]) * 100)}
        for n, each in enumerate((each for each in found.candidates if each["work"] in works), start=1)
    ]


def _uses(found: Unmatched) -> Any:
    accepted = Declaration.objects.billable().filter(licence__society_id=found.society_id).values("pk")
    return DeclaredUse.objects.filter(
        work=None, declaration__in=accepted, scheme=found.scheme, value=found.value, status="unmatched"
    )


def _declared(uses: Any) -> Any:
    rows = uses.values("declaration_id", "declaration__licence__licensee__name", "use", "unit")
    return rows.annotate(total=Sum("units"), lines_total=Sum("lines")).order_by("-total", "declaration_id")[
        :SHOWN_DECLARATIONS
    ]


def _say(request: ActorRequest, done: list[Unmatched], work: Work | None) -> None:
    if work is None:
        said = ngettext("%(n)s item is none of yours.", "%(n)s items are none of yours.", len(done))
    else:
        said = ngettext("%(n)s item is “%(work)s” now.", "%(n)s items are “%(work)s” now.", len(done))
    messages.success(request, said % {"n": len(done), "work": work.title[:100] if work else ""})


def _next(request: ActorRequest, found: Unmatched, *, back: bool = False) -> HttpResponse:
    """The item after (or before) this one in the same list; where there is none, the list."""
    rest = _filtered(_items(request.actor), _asked(request)).exclude(pk=found.pk)
    if back:
        rest = rest.filter(Q(worth__gt=found.worth) | Q(worth=found.worth, pk__lt=found.pk)).order_by("worth", "-pk")
    else:
        rest = rest.filter(Q(worth__lt=found.worth) | Q(worth=found.worth, pk__gt=found.pk)).order_by("-worth", "pk")
    following = rest.values_list("pk", flat=True).first()
    address = reverse("licensing:matching_item", args=[following]) if following else reverse("licensing:matching_queue")
    query = _query(request)
    return redirect(f"{address}?{query}" if query else address)


def _asked(request: ActorRequest) -> dict[str, str]:
    return {key: request.GET.get(key, "").strip()[: looking.LONGEST] for key in FILTERS}


def _query(request: ActorRequest) -> str:
    return urlencode({key: text for key, text in _asked(request).items() if text})


def _items(actor: Actor) -> UnmatchedQuerySet:
    return Unmatched.objects.visible_to(actor).open()


def _filtered(found: UnmatchedQuerySet, asked: dict[str, str]) -> UnmatchedQuerySet:
    if asked["q"]:
        found = looking.looked_up(found, asked["q"])
    found = looking.of_kind(found, asked["kind"])
    if asked["scheme"]:
        found = found.filter(scheme=asked["scheme"][:12])
    if asked["only"] == "candidates":
        found = found.exclude(candidates=[])
    elif asked["only"] == "claimed":
        found = looking.claimed(found)
    elif asked["only"] == "conflict":
        found = found.filter(conflict=True)
    return found


def _item(actor: Actor, item_id: int) -> Unmatched:
    found = Unmatched.objects.visible_to(actor).select_related("society", "rule__work").filter(pk=item_id).first()
    if found is None:
        raise NotFound(_("There is no such item."))
    return found


def _work(actor: Actor, chosen: str) -> Work:
    """A work of the society's by its id, as a button names it."""
    number = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 19 else 0
    work = Work.objects.visible_to(actor).filter(pk=number).first()
    if work is None:
        raise NotFound(_("There is no such work."))
    return work
