"""What anybody may ask: is this work reserved, and through whom can its use be licensed? Bounded, a few queries in all."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils import timezone

from accounts.organisations.models import Organisation
from licensing import terms
from licensing.licences.core import Terms
from licensing.matching import core as matching
from licensing.permissions import core
from licensing.permissions.core import places
from licensing.permissions.models import Mandate, Reservation
from licensing.permissions.services.finding import FoundWork, places_of
from licensing.permissions.services.reserved import Reserved, of_items
from licensing.permissions.services.schemes import enabled
from licensing.repertoire.identifiers import BadIdentifier, normalise, split
from licensing.repertoire.identifiers.web import is_public_suffix
from licensing.repertoire.models import Identifier, Share, Work, WorkQuerySet
from licensing.tariffs import core as tariffs
from licensing.tariffs.models import Tariff, TariffVersion

MOST: Final = 20  # works that are shown
LONGEST: Final = 300  # characters of what is asked
_GUESSED: Final = ("isbn", "iswc", "isrc", "doi", "ismn", "issn", "iscc")  # schemes that a text without one is tried as

Spoken = tuple[str, str]  # scheme and normalised value


@dataclass(frozen=True, slots=True)
class Saying:
    """What holds for one use: reserved, licensable, free, statutory, unmandated, untariffed or unregistered."""

    use: str
    verdict: str
    tariffs: tuple[Tariff, ...] = ()
    reservation: core.Reservation | None = None
    missing_ppm: int = 0


@dataclass(frozen=True, slots=True)
class Match:
    """One work, or something that no register knows (named by `title` or `spoken`), with what holds for each use."""

    work: Work | None
    spoken: Spoken | None
    sayings: tuple[Saying, ...]
    reservations: tuple[core.Reservation, ...] = ()
    title: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    spoken: Spoken | None  # what the text was understood as, where not as words
    matches: tuple[Match, ...]
    more: bool = False


def understood(text: str) -> Spoken | None:
    """An identifier or a web address, as people write it; None for words.

    >>> understood("978-89-364-3426-7")
    ('isbn', '9788936434267')
    >>> understood("https://www.example.kr/poems?utm_source=x")
    ('url', 'www.example.kr/poems')
    """
    text = text.strip()
    try:
        scheme, value = split(text)
        return scheme, normalise(scheme, value)
    except BadIdentifier:
        pass
    for scheme in _GUESSED:
        known = _normal(scheme, text)
        if known and (scheme != "iscc" or _is_iscc(text)):
            return scheme, known
    return _web(text)


def _is_iscc(text: str) -> bool:
    """Any word in capitals could be one: without its prefix it must hold a digit and be long."""
    return text.upper().startswith("ISCC:") or (len(text) >= 15 and any(c.isdigit() for c in text))


def _web(text: str) -> Spoken | None:
    if not text or any(c.isspace() for c in text) or "." not in text:
        return None
    if domain := _normal("domain", text):
        return "domain", domain
    address = _normal("url", text)
    if address is None or is_public_suffix(address.partition("/")[0].partition(":")[0]):
        return None
    host, _slash, path = address.partition("/")
    return ("url", address) if path else ("domain", host)


def _normal(scheme: str, text: str) -> str | None:
    try:
        return normalise(scheme, text)
    except BadIdentifier:
        return None


def find_works(text: str, *, most: int = MOST) -> tuple[Spoken | None, list[Work], bool]:
    """(what it was understood as, works that it means or that have all of its words, whether there are more)."""
    text = text.strip()[:LONGEST]
    if not text:
        return None, [], False
    spoken = understood(text)
    found: WorkQuerySet = Work.objects.all()
    if spoken is None:
        ids = list(found.order_by().search(text).values_list("pk", flat=True)[: most + 1])
    elif spoken[0] in matching.WEB:
        lying = list(places.ancestors(spoken[1]))
        known = Identifier.objects.filter(scheme__in=matching.WEB, value__in=lying)
        ids = _nearest(spoken, known.values_list("society_id", "scheme", "value", "work_id"))
    else:
        ids = list(Identifier.objects.filter(scheme=spoken[0], value=spoken[1]).values_list("work_id", flat=True))
    works = list(Work.objects.filter(pk__in=ids[:most]).select_related("society").order_by("title", "pk"))
    return spoken, works, len(ids) > most


def _nearest(spoken: Spoken, rows: Iterable[tuple[int, str, str, int]]) -> list[int]:
    """The work nearest to a web location, in each society's register."""
    registers: dict[int, dict[Spoken, int]] = defaultdict(dict)
    for society, scheme, value, work in rows:
        registers[society][scheme, value] = work
    found = (matching.nearest(*spoken, each, is_suffix=is_public_suffix) for each in registers.values())
    return [work for work in found if work is not None]


def look_up(text: str, *, territory: str = "KR") -> Found:
    """Everything found by a title, creator, identifier or web address, each with what holds for every use now."""
    spoken, works, more = find_works(text)
    now = timezone.now()
    known = _Known.about(works, spoken, now)
    matches = [_of_work(work, known, territory, now) for work in works]
    if spoken is None:
        matches += _typed(text, territory, now)
    elif not works:
        touching = [each for each in known.reserved.of_unmatched(spoken) if each.in_force(now)]
        matches.append(_unregistered(spoken, touching, territory))
    return Found(spoken, tuple(matches), more)


@dataclass(slots=True)
class _Known:
    """What is on record about the works found."""

    spoken: Spoken | None
    shares: dict[int, list[core.Share]] = field(default_factory=lambda: defaultdict(list))
    addresses: dict[int, list[Spoken]] = field(default_factory=lambda: defaultdict(list))  # where each work lies
    mandates: dict[Any, list[core.Grant]] = field(default_factory=lambda: defaultdict(list))
    statutory: dict[int, dict[str, core.Grant]] = field(default_factory=lambda: defaultdict(dict))
    tariffs: dict[int, list[tuple[Tariff, tariffs.Schedule]]] = field(default_factory=lambda: defaultdict(list))
    reserved: Reserved = field(default_factory=Reserved)

    @classmethod
    def about(cls, works: Sequence[Work], spoken: Spoken | None, now: dt.datetime) -> _Known:
        known, today = cls(spoken), core.seoul_day(now)
        ids = [work.pk for work in works]
        for work, holder, ppm in Share.objects.on(today).filter(work_id__in=ids).values_list("work", "holder", "ppm"):
            known.shares[work].append(core.Share(holder, ppm))
        web = Identifier.objects.filter(work_id__in=ids, scheme__in=matching.WEB)
        for work, scheme, value in web.values_list("work", "scheme", "value"):
            known.addresses[work].append((scheme, value))
        holders: set[Any] = {share.holder for shares in known.shares.values() for share in shares}
        for mandate in Mandate.objects.filter(holder_id__in=holders, valid__contains=today):
            grant = core.Grant(mandate.uses, mandate.kinds, mandate.territory)
            known.mandates[mandate.holder_id].append(grant)
        societies = {work.society_id for work in works}
        for society, ref, allowed in enabled(societies):
            known.statutory[society][ref] = allowed
        versions = TariffVersion.objects.in_force(today).filter(tariff__society_id__in=societies)
        for version in versions.select_related("tariff").order_by("tariff_id"):
            known.tariffs[version.tariff.society_id].append((version.tariff, tariffs.parse(version.document)))
        known._read_reservations(works)
        return known

    def _read_reservations(self, works: Sequence[Work]) -> None:
        said = {each for lying in self.addresses.values() for each in lying} | ({self.spoken} if self.spoken else set())
        holders = {work: [share.holder for share in shares] for work, shares in self.shares.items()}
        self.reserved = of_items(
            works=[_as_found(work) for work in works],
            holders=holders,  # type: ignore[arg-type]
            asked=said,
            places=places_of(said),
        )

    def of(self, work: Work, now: dt.datetime) -> list[core.Reservation]:
        """Those in force of a work, of its holders and identifiers, of where it lies and of where it was looked for."""
        names = {*self.addresses[work.pk], *([self.spoken] if self.spoken else [])}
        found = {fact for name in names for fact in self.reserved.of_work(name, _as_found(work))}
        found |= {*self.reserved.of_work(("", ""), _as_found(work))}
        return sorted((fact for fact in found if fact.in_force(now)), key=_since)


def _as_found(work: Work) -> FoundWork:
    society = (work.society_id, work.society.ref)
    return FoundWork(work.pk, *society, work.ref, work.title, work.kind, work.protected_until)


_ANYTHING: Final = Terms(uses=("*",), kinds=("*",), territory=("*",), since=dt.date.min, until=None)


def _of_work(work: Work, known: _Known, territory: str, now: dt.datetime) -> Match:
    """As if the asker had a licence for everything: what is then “licensed by licence” can be licensed."""
    touching = known.of(work, now)
    sayings = []
    for use in terms.USES:
        facts = core.Facts(
            use=use,
            kind=work.kind,
            territory=territory,
            on=now,
            protected_until=work.protected_until,
            reservations=touching,
            shares=known.shares[work.pk],
            mandates=known.mandates,
            statutory=known.statutory[work.society_id],
            licences={"": _ANYTHING},
        )
        priced = tuple(
            tariff
            for tariff, schedule in known.tariffs[work.society_id]
            if any(charge.meets((use,), (work.kind,)) for charge in schedule.charges)
        )
        sayings.append(_saying(use, core.decide(facts), _first(use, touching, territory), priced))
    return Match(work, None, tuple(sayings), tuple(touching))


def _saying(
    use: str, decision: core.Decision, reservation: core.Reservation | None, priced: tuple[Tariff, ...]
) -> Saying:
    if decision.verdict == "reserved":
        return Saying(use, "reserved", reservation=reservation)
    if decision.verdict == "licensed" and decision.basis == "licence":
        return Saying(use, "licensable" if priced else "untariffed", priced)
    if decision.verdict == "licensed":
        return Saying(use, decision.basis)
    return Saying(use, "unmandated", missing_ppm=decision.missing_ppm)


def _first(use: str, touching: Iterable[core.Reservation], territory: str) -> core.Reservation | None:
    """The one that has reserved this use for the longest time."""
    by = (r for r in touching if terms.covers(tuple(r.uses), use) and terms.covers(tuple(r.territory), territory))
    return min(by, key=_since, default=None)


def _since(reservation: core.Reservation) -> tuple[dt.datetime, str]:
    return reservation.received, reservation.ref


def _unregistered(spoken: Spoken, touching: Sequence[core.Reservation], territory: str, title: str = "") -> Match:
    """What nobody registered: it may be reserved all the same, and can be licensed through no society."""
    first = {use: _first(use, touching, territory) for use in terms.USES}
    sayings = (Saying(use, "reserved" if by else "unregistered", reservation=by) for use, by in first.items())
    return Match(None, spoken, tuple(sayings), tuple(touching), title)


def _typed(text: str, territory: str, now: dt.datetime) -> list[Match]:
    """Works that nobody registered, but whose holder typed their title into a reservation."""
    named = Reservation.objects.counting(now).filter(target=Reservation.Target.IDENTIFIER).worded(text)
    listed: dict[Spoken, list[Reservation]] = defaultdict(list)
    for each in named.order_by("-id")[:MOST]:
        listed[each.scheme, each.value].append(each)
    return [
        _unregistered(spoken, [*map(_fact, of_one)], territory, of_one[0].title) for spoken, of_one in listed.items()
    ]


def _fact(each: Reservation) -> core.Reservation:
    assert each.effective_from is not None  # those that count have begun
    return core.Reservation(
        each.title, tuple(each.uses), tuple(each.territory), each.effective_from, each.ended_at, each.ref
    )


def societies() -> list[Organisation]:
    """Those to which a reservation can be sent."""
    return list(Organisation.objects.filter(kind=Organisation.Kind.SOCIETY).order_by("name", "pk"))
