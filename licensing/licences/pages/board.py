"""The society's board: every request on its way to a licence, by what it waits for."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from accounts.identity.core import Actor
from accounts.identity.gate import ActorRequest, requires
from licensing.licences.models import LicenceRequest, Offer, Quote, Signature
from licensing.licences.pages import showing
from licensing.tariffs.models import Tariff

MOST_CARDS: Final = 40  # in one column; the list of requests has them all
LICENSED_DAYS: Final = 30


@dataclass(frozen=True, slots=True)
class Card:
    """One request on the board."""

    asked: LicenceRequest
    quote: Quote | None
    offer: Offer | None
    days: int
    due: str
    act: showing.Act | None


@dataclass(frozen=True, slots=True)
class Column:
    """What waits for the same thing. `more`: there are more than the board shows."""

    name: str
    label: Any
    empty: Any
    status: str
    cards: list[Card]
    more: bool


@requires("licences.manage")
@require_GET
def board(request: ActorRequest) -> HttpResponse:
    """Six columns, each bounded; the oldest in its state comes first."""
    found = _found(request)
    society = request.actor.organisation_id
    context: dict[str, Any] = {
        "columns": _columns(request.actor, found),
        "tariffs": Tariff.objects.filter(society_id=society).order_by("name"),
        "asked_for": request.GET.get("q", "").strip(),
        "tariff": request.GET.get("tariff", ""),
        "filtered": bool(request.GET.get("q", "").strip() or request.GET.get("tariff")),
    }
    context["total"] = sum(len(column.cards) for column in context["columns"])
    return render(request, "licensing/licences/board.html", context)


def _found(request: ActorRequest) -> QuerySet[LicenceRequest]:
    """What was sent to this society, as filtered, with who has signed."""
    found = showing.requests_of(request.actor).filter(society_id=request.actor.organisation_id)
    text, tariff = request.GET.get("q", "").strip(), request.GET.get("tariff", "")
    if text:
        found = found.filter(Q(ref__icontains=text) | Q(licensee__name__icontains=text))
    if tariff.isascii() and tariff.isdigit() and len(tariff) < 19:
        found = found.filter(tariff_id=int(tariff))
    signed = Signature.objects.filter(offer__request=OuterRef("pk"), offer__status=Offer.Status.OPEN)
    return found.annotate(
        we_signed=Exists(signed.filter(side=Signature.Side.SOCIETY)),
        they_signed=Exists(signed.filter(side=Signature.Side.LICENSEE)),
    )


def _waiting(now: datetime.datetime) -> list[tuple[str, Any, Any, str, Q]]:
    """Each column: its name, label, what it says when empty, the status it lists, and which requests stand in it."""
    status = LicenceRequest.Status
    offered = Q(status=status.OFFERED)
    lately = Q(status=status.LICENSED, moved_at__gte=now - datetime.timedelta(days=LICENSED_DAYS))
    return [
        ("asked", _("To be quoted"), _("No request waits for a quote."), status.SUBMITTED, Q(status=status.SUBMITTED)),
        ("quoted", _("Quoted"), _("No quote is out."), status.QUOTED, Q(status=status.QUOTED)),
        ("offered", _("Offered"), _("No offer waits for both sides."), status.OFFERED,
         offered & Q(we_signed=False, they_signed=False)),
        ("ours", _("To be signed by us"), _("Nothing waits for your signature."), status.OFFERED,
         offered & Q(we_signed=False, they_signed=True)),
        ("theirs", _("To be signed by the firm"), _("Nothing waits for a firm's signature."), status.OFFERED,
         offered & Q(we_signed=True, they_signed=False)),
        ("licensed", _("Licensed in the last 30 days"), _("No new licence."), status.LICENSED, lately),
    ]  # fmt: skip


def _columns(actor: Actor, found: QuerySet[LicenceRequest]) -> list[Column]:
    """One query finds what stands in the six columns, each bounded; another fetches those requests."""
    waiting = _waiting(timezone.now())
    parts = [
        found.filter(which)
        .order_by("-moved_at" if name == "licensed" else "moved_at", "pk")
        .values_list("pk", Value(name))[: MOST_CARDS + 1]
        for name, _label, _empty, _status, which in waiting
    ]
    placed = list(parts[0].union(*parts[1:], all=True))
    requests = {each.pk: each for each in showing.with_latest(found.filter(pk__in=[pk for pk, _name in placed]))}
    columns = []
    for name, label, empty, status, _which in waiting:
        cards = [_card(actor, requests[pk]) for pk, column in placed if column == name and pk in requests]
        cards.sort(key=lambda card: (card.asked.moved_at, card.asked.pk), reverse=name == "licensed")
        columns.append(Column(name, label, empty, status, cards[:MOST_CARDS], len(cards) > MOST_CARDS))
    return columns


def _card(actor: Actor, asked: Any) -> Card:
    quote = next(iter(asked.its_quotes), None)
    latest = next(iter(asked.its_offers), None)
    offer = next((each for each in asked.its_offers if each.status in (Offer.Status.OPEN, Offer.Status.SIGNED)), None)
    sides = [each.side for each in offer.signatures.all()] if offer else []
    days = (timezone.localdate() - timezone.localdate(asked.moved_at)).days
    due = showing.due_next(asked, quote, offer, sides)
    return Card(asked, quote, offer, days, due, showing.next_act(actor, asked, quote, latest))
