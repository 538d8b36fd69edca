"""What every page of the portals knows: where one can go, for whom one acts, in which language and theme."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from accounts.identity.core import NOBODY, Actor
from config.navigation import FOOTER, PORTALS, PUBLIC, Place

THEME_COOKIE = "theme"
THEMES = ("light", "dark")
_MANY = 100
_LANGUAGES = {
    "en": {"code": "en", "name": "English", "short": "EN"},
    "ko": {"code": "ko", "name": "한국어", "short": "한국어"},
}


@dataclass(slots=True)
class Entry:
    """One link of a navigation, resolved for this request."""

    label: Any
    url: str
    current: bool = False
    waiting: Any = 0  # how many things wait there, where it costs little to know


@dataclass(frozen=True, slots=True)
class Section:
    label: Any
    entries: list[Entry]


def portal(request: HttpRequest) -> dict[str, Any]:
    """The context processor. Lazy where it would cost a query: a page that shows neither pays for neither."""
    actor: Actor = getattr(request, "actor", NOBODY)
    theme = request.COOKIES.get(THEME_COOKIE, "")
    nav = _sections(actor)
    public, footer = _entries(PUBLIC, actor), _entries(FOOTER, actor)
    entries = [entry for section in nav for entry in section.entries]
    _mark_current(entries or public, request.path)
    _count_waiting(entries, actor)
    return {
        "actor": actor,
        "portal": {
            "nav": nav,
            "public": public,
            "footer": footer,
            "organisation": SimpleLazyObject(lambda: _organisation(actor)) if actor.organisation_id else "",
            "theme": theme if theme in THEMES else "",
            "other_language": _LANGUAGES["en" if (get_language() or "en").startswith("ko") else "ko"],
            "unread": SimpleLazyObject(lambda: _unread(actor)),
            "notices_url": _url("accounts:notices"),
            "tokens_url": _url("accounts:tokens") if _keeps_tokens(actor) else "",
        },
    }


def _keeps_tokens(actor: Actor) -> bool:
    """An organisation's tokens are for those who manage them; a creator has their own."""
    return actor.can("tokens.manage") if actor.organisation_id else bool(actor.holder_ids)


def audience(actor: Actor) -> str:
    """Which portal someone stands in: `society`, `licensee`, `rate_body`, `creator`, `applicant`, or none."""
    if actor.organisation_kind:
        return actor.organisation_kind
    if actor.holder_ids:
        return "creator"
    return "applicant" if actor.user_id else ""


def _sections(actor: Actor) -> list[Section]:
    found = [Section(label, _entries(places, actor)) for label, places in PORTALS.get(audience(actor), ())]
    return [section for section in found if section.entries]


def _entries(places: Iterable[Place], actor: Actor) -> list[Entry]:
    allowed = [place for place in places if not place.permission or actor.can(place.permission)]
    return [Entry(place.label, url) for place in allowed if (url := _url(place.route))]


def _url(route: str) -> str:
    """The address, or nothing where this installation does not serve that route."""
    try:
        return reverse(route)
    except NoReverseMatch:
        return ""


def _mark_current(entries: list[Entry], path: str) -> None:
    """The entry whose address is the longest beginning of this one: a detail page lights its list."""
    fitting = [entry for entry in entries if path.startswith(entry.url) and (entry.url != "/" or path == "/")]
    if fitting:
        max(fitting, key=lambda entry: len(entry.url)).current = True


def _count_waiting(entries: list[Entry], actor: Actor) -> None:
    """What waits for somebody: reservations to check, unmatched uses, claims, overdue reports; `99+` tells enough of many."""
    queue, duties = _url("licensing:reservation_queue"), _url("licensing:duties")
    matching, claims = _url("licensing:matching_queue"), _url("licensing:claims")
    for entry in entries:
        if entry.url == queue and actor.is_society:
            entry.waiting = SimpleLazyObject(lambda: _reservations_waiting(actor))
        elif entry.url == matching:
            entry.waiting = SimpleLazyObject(lambda: _unmatched_waiting(actor))
        elif entry.url == claims and actor.is_society:
            entry.waiting = SimpleLazyObject(lambda: _claims_waiting(actor))
        elif entry.url == duties and (actor.can("declarations.declare") or actor.can("declarations.review")):
            entry.waiting = SimpleLazyObject(lambda: _reports_overdue(actor))


def _reservations_waiting(actor: Actor) -> str:
    from licensing.permissions.models import Reservation

    received = Reservation.objects.visible_to(actor).filter(status=Reservation.Status.RECEIVED)
    return _up_to_many(received.order_by("due_on", "id")[:_MANY].count())


def _unmatched_waiting(actor: Actor) -> str:
    from licensing.claims.models import Unmatched

    return _up_to_many(Unmatched.objects.visible_to(actor).open().order_by("-worth", "id")[:_MANY].count())


def _claims_waiting(actor: Actor) -> str:
    from licensing.claims.models import Claim

    return _up_to_many(Claim.objects.visible_to(actor).filter(status=Claim.Status.OPEN)[:_MANY].count())


def _reports_overdue(actor: Actor) -> str:
    from licensing.declarations.models import ReportDuty

    overdue = ReportDuty.objects.visible_to(actor).overdue(timezone.localdate())
    return _up_to_many(overdue.order_by("due_on")[:_MANY].count())


def _up_to_many(count: int) -> str:
    return "" if not count else f"{count}" if count < _MANY else f"{_MANY - 1}+"


def _organisation(actor: Actor) -> str:
    from accounts.organisations.models import Organisation

    if actor.organisation_id is None:
        return ""
    return str(Organisation.objects.filter(id=actor.organisation_id).first() or "")


def _unread(actor: Actor) -> int:
    from accounts.notices.models import Notice

    return Notice.objects.visible_to(actor).unread().count()
