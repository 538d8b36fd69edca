"""Signals that were found: kept version by version, and made into the reservations that they state."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from babel import Locale
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.access.core import permissions_of
from accounts.access.models import Membership
from accounts.evidence.services import record
from accounts.identity.core import SYSTEM, Reference
from accounts.notices.services import notify
from licensing import terms
from licensing.permissions.core.places import location_on
from licensing.permissions.core.statements import Reserved, normal, reserved_by
from licensing.permissions.models import FoundSignal, Reservation, Site
from licensing.permissions.services.fetching import Found, Reading
from licensing.permissions.services.reservations import reserve, withdraw
from licensing.permissions.services.targets import Claimant, Target
from licensing.signals.core import EVERYWHERE, THIS_FILE, Signal, Statement, within

MOST_RESERVATIONS: Final = 300  # of one site; who states more has the whole site reserved, the stricter reading
FIRST_PAGE: Final = "/$"
MOST_EXCEPTIONS: Final = 100  # of one reservation
MOST_LETTERS: Final = 1_000  # of a path


def statements_of(signal: FoundSignal) -> list[Statement]:
    """What a signal states, as it was understood when it was found."""
    return [
        Statement(
            location=each["location"],
            reserved=frozenset(each["reserved"]),
            allowed=frozenset(each["allowed"]),
            policy=each.get("policy", ""),
            territory=tuple(each["territory"]),
        )
        for each in signal.statements
    ]


def written(statements: Iterable[Statement]) -> list[dict[str, Any]]:
    """Statements as they are stored."""
    return [
        {
            "location": each.location,
            "reserved": sorted(each.reserved),
            "allowed": sorted(each.allowed),
            "policy": each.policy,
            "territory": list(each.territory),
        }
        for each in statements
    ]


# --- Versions --------------------------------------------------------------------------------------------------------


@transaction.atomic
def take(site: Site, reading: Reading) -> list[dict[str, Any]]:
    """Take over what a reading found; returns the problems that it met on the way.

    The same text: seen again. Another text: a new version, the old one ended. Gone: ended once two readings in a row
    did not find it. What could not be read this time, or is no longer understood, stays as it is.
    """
    present = {(each.source, each.url): each for each in FoundSignal.objects.filter(site=site, ended_at=None)}
    problems: list[dict[str, Any]] = []
    for found in reading.found:
        known = present.pop((found.signal.source, found.url), None)
        if known and not found.signal.statements and found.signal.problems and known.statements:
            problems.append(_problem("not_understood", known))
        elif known or _says_something(found.signal):
            _version(site, found, known)
    missing_before = {
        (problem.get("source"), problem["url"]) for problem in site.problems if problem.get("code") == "missing"
    }
    for known in present.values():
        if reading.tells_of(known.url):
            if (known.source, known.url) in missing_before:
                _end(site, known)
            else:
                problems.append(_problem("missing", known))
    return problems


def _says_something(signal: Signal) -> bool:
    return bool(signal.problems) or any(each.reserved or each.allowed for each in signal.statements)


def _problem(code: str, signal: FoundSignal) -> dict[str, Any]:
    return {"url": signal.url, "code": code, "detail": "", "source": signal.source}


def _version(site: Site, found: Found, known: FoundSignal | None) -> None:
    now, statements = timezone.now(), written(found.signal.statements)
    if known and (known.sha256, known.vocabulary, known.statements) == (
        found.signal.sha256, found.signal.vocabulary, statements,
    ):  # fmt: skip
        FoundSignal.objects.filter(pk=known.pk).update(seen_at=now)
        return
    if known:
        FoundSignal.objects.filter(pk=known.pk, ended_at=None).update(ended_at=now)
    made = keep(site=site, holder=None, society_id=site.society_id, url=found.url, signal=found.signal, now=now)
    _note("changed" if known else "found", made, site)


def keep(*, site: Site | None, holder: Any, society_id: int, url: str, signal: Signal, now: dt.datetime) -> FoundSignal:
    """One version, exactly as it was found."""
    return FoundSignal.objects.create(
        site=site,
        holder=holder,
        society_id=society_id,
        source=signal.source,
        vocabulary=signal.vocabulary,
        url=url,
        raw=signal.raw,
        sha256=signal.sha256,
        statements=written(signal.statements),
        problems=[str(problem) for problem in signal.problems],
        found_at=now,
        seen_at=now,
    )


def _end(site: Site, signal: FoundSignal) -> None:
    if FoundSignal.objects.filter(pk=signal.pk, ended_at=None).update(ended_at=timezone.now()):
        _note("gone", signal, site)


# --- Reservations ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wanted:
    """One reservation that the site's signals state, and the signal that states it (the first, where several do)."""

    reserved: Reserved
    signal: FoundSignal | None = None

    def key(self, host: str) -> tuple[Any, ...]:
        place, pattern = location_on(host, self.reserved.pattern)
        return _key(place, pattern, self.reserved.excepting, self.reserved.uses, self.reserved.territory)


def _key(place: str, pattern: str, excepting: Sequence[str], uses: Iterable[str], territory: Iterable[str]) -> Any:
    return place, pattern, tuple(sorted(set(excepting))), tuple(sorted(uses)), tuple(sorted(territory))


@transaction.atomic
def settle(site: Site) -> None:
    """Make the reservations of a site those that its present signals state; none while it is not proved.

    One that is stated still stays as it was received. One that changed is superseded, one no longer stated withdrawn.
    """
    wanted = {each.key(site.host): each for each in _wanted(site)} if site.proved_at else {}
    counting = Reservation.objects.filter(signal__site=site, ended_at=None).select_related("society").order_by("pk")
    going = []
    for known in counting:
        key = _key(known.place, known.pattern, known.excepting, known.uses, known.territory)
        if wanted.pop(key, None) is None:
            going.append(known)
    for new in wanted.values():
        old = _replaced(new, going, site.host)
        if old:
            going.remove(old)
        _reserve(site, new, old)
    for known in going:
        withdraw(actor=SYSTEM, reservation=known)


def _replaced(wanted: Wanted, going: Sequence[Reservation], host: str) -> Reservation | None:
    """The reservation that this one takes the place of: of the same place, else any that goes."""
    place, pattern = location_on(host, wanted.reserved.pattern)
    same = [each for each in going if (each.place, each.pattern) == (place, pattern)]
    return next(iter(same or going), None)


def _reserve(site: Site, wanted: Wanted, supersedes: Reservation | None) -> None:
    signal = wanted.signal
    assert signal is not None
    place, pattern = location_on(site.host, wanted.reserved.pattern)
    reserve(
        actor=SYSTEM,
        society=site.society,
        target=Target.place(place, pattern, wanted.reserved.excepting),
        uses=sorted(wanted.reserved.uses),
        territory=wanted.reserved.territory,
        source=Reservation.Source.SIGNAL,
        claimant=Claimant(holder=site.holder),
        evidence=shown(signal),
        evidence_url=signal.url,
        vocabulary=signal.vocabulary,
        signal=signal,
        proved=True,
        supersedes=supersedes,
    )


def _wanted(site: Site) -> list[Wanted]:
    """What the present signals of a site state, identical statements once, by the first signal that makes them."""
    present = [
        (signal, statements_of(signal))
        for signal in FoundSignal.objects.filter(site=site, ended_at=None).order_by("found_at", "pk")
    ]
    freed = [
        (normal(statement.location), statement.allowed)
        for _signal, statements in present
        for statement in statements
        if statement.location != THIS_FILE
    ]
    wanted: dict[Any, Wanted] = {}
    for signal, statements in present:
        of_the_page = any(statement.location == THIS_FILE for statement in statements)
        for reserved in reserved_by(statements):
            for part in _of_the_page(reserved, freed) if of_the_page else [reserved]:
                each = Wanted(bounded(part), signal)
                wanted.setdefault(each.key(site.host), each)
    if len(wanted) > MOST_RESERVATIONS:
        uses = frozenset[str]().union(*(each.reserved.uses for each in wanted.values()))
        return [Wanted(Reserved(EVERYWHERE, (), uses), next(iter(wanted.values())).signal)]
    return list(wanted.values())


def _of_the_page(reserved: Reserved, freed: Sequence[tuple[str, frozenset[str]]]) -> list[Reserved]:
    """What the first page says stands for the whole site, but for what the site's files free in so many words.

    Where a file frees the whole site, the page speaks of itself alone.
    """
    by_exception: dict[tuple[str, tuple[str, ...]], set[str]] = {}
    for use in reserved.uses:
        open_to = tuple(dict.fromkeys(place for place, uses in freed if use in uses))
        everywhere = any(within(EVERYWHERE, place) for place in open_to)
        key = (FIRST_PAGE, ()) if everywhere else (EVERYWHERE, open_to)
        by_exception.setdefault(key, set()).add(use)
    return [
        replace(reserved, pattern=pattern, excepting=excepting, uses=frozenset(uses))
        for (pattern, excepting), uses in by_exception.items()
    ]


def bounded(reserved: Reserved) -> Reserved:
    """As it can be kept. What is too long or too much is left out on the strict side: of exceptions, of a path's end."""
    pattern = reserved.pattern
    return replace(
        reserved,
        pattern=pattern if len(pattern) <= MOST_LETTERS else pattern[:MOST_LETTERS].rpartition("/")[0] + "/",
        excepting=tuple(each for each in reserved.excepting if len(each) <= MOST_LETTERS)[:MOST_EXCEPTIONS],
        territory=reserved.territory if set(reserved.territory) <= _countries() else (terms.ANY,),
    )


@cache
def _countries() -> frozenset[str]:
    names = map(str, Locale.parse("en").territories)
    return frozenset({terms.ANY, *(code for code in names if len(code) == 2 and code.isalpha())})


SHOWN_BYTES: Final = 20_000


def shown(signal: FoundSignal) -> str:
    """The raw text of a signal as it may be read: bounded, what is no text left out."""
    return bytes(signal.raw[:SHOWN_BYTES]).decode("utf-8", "replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")


# --- Telling ---------------------------------------------------------------------------------------------------------


def tell_staff(site: Site) -> None:
    """Tell those who look after sites that another holder shows a proof of a host that is proved already."""
    members = Membership.objects.filter(organisation_id=site.society_id).select_related("user", "organisation")
    for member in members:
        if "sites.manage" in permissions_of(member.organisation.kind, [member.role]):
            with override(member.user.language):
                notify(
                    user_ids=[member.user_id],
                    key=f"site-disputed:{site.pk}:{site.token[:8]}",
                    kind="site.disputed",
                    subject=_("Two members prove %(host)s") % {"host": site.host},
                    body=_("%(holder)s shows a proof of this host, which another member has proved already.")
                    % {"holder": site.holder},
                    link=f"/sites/{site.pk}/",
                )


def _note(what: str, signal: FoundSignal, site: Site) -> None:
    record(
        actor=SYSTEM,
        verb=f"signal.{what}",
        object=Reference("site", site.pk),
        organisation_id=site.society_id,
        data={"host": site.host, "source": signal.source, "url": signal.url, "sha256": signal.sha256},
    )
