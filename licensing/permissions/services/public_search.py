"""What anybody may ask: is this work reserved, and through whom can its use be licensed? Bounded, a few queries in all."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.db.models import Q
from django.utils import timezone

from accounts.organisations.models import Organisation
from licensing import terms
from licensing.licences.core import Terms
from licensing.matching import core as matching
from licensing.permissions import core
from licensing.permissions.core import places
from licensing.permissions.models import Mandate, Reservation, StatutoryScheme
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
    """What holds for one use: reserved, licensable, free, statutory, unmandated or untariffed."""

    use: str
    verdict: str
    tariffs: tuple[Tariff, ...] = ()
    reservation: Reservation | None = None
    missing_ppm: int = 0


@dataclass(frozen=True, slots=True)
class Match:
    """One work, or one place or identifier that no register knows, with what holds for each use."""

    work: Work | None
    spoken: Spoken | None
    sayings: tuple[Saying, ...]
    reservations: tuple[Reservation, ...] = ()


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
        matches += _typed(text, known, now)
    elif not works:
        matches.append(_unregistered(spoken, known, territory, now))
    return Found(spoken, tuple(matches), more)


@dataclass(slots=True)
class _Known:
    """What is on record about the works found."""

    shares: dict[int, list[core.Share]] = field(default_factory=lambda: defaultdict(list))
    identifiers: dict[int, list[Spoken]] = field(default_factory=lambda: defaultdict(list))
    mandates: dict[Any, list[core.Grant]] = field(default_factory=lambda: defaultdict(list))
    statutory: dict[int, dict[str, core.Grant]] = field(default_factory=lambda: defaultdict(dict))
    tariffs: dict[int, list[tuple[Tariff, tariffs.Schedule]]] = field(default_factory=lambda: defaultdict(list))
    reservations: list[Reservation] = field(default_factory=list)

    @classmethod
    def about(cls, works: Sequence[Work], spoken: Spoken | None, now: dt.datetime) -> _Known:
        known, today = cls(), core.seoul_day(now)
        ids = [work.pk for work in works]
        for work, holder, ppm in Share.objects.on(today).filter(work_id__in=ids).values_list("work", "holder", "ppm"):
            known.shares[work].append(core.Share(holder, ppm))
        for work, *named in Identifier.objects.filter(work_id__in=ids).values_list("work", "scheme", "value"):
            known.identifiers[work].append((named[0], named[1]))
        holders: set[Any] = {share.holder for shares in known.shares.values() for share in shares}
        for mandate in Mandate.objects.filter(holder_id__in=holders, valid__contains=today):
            grant = core.Grant(mandate.uses, mandate.kinds, mandate.territory)
            known.mandates[mandate.holder_id].append(grant)
        societies = {work.society_id for work in works}
        for scheme in StatutoryScheme.objects.filter(society__in=societies, enabled=True, valid__contains=today):
            grant = core.Grant(scheme.uses, scheme.kinds, scheme.territory)
            known.statutory[scheme.society_id][scheme.ref] = grant
        versions = TariffVersion.objects.in_force(today).filter(tariff__society_id__in=societies)
        for version in versions.select_related("tariff").order_by("tariff_id"):
            known.tariffs[version.tariff.society_id].append((version.tariff, tariffs.parse(version.document)))
        spokens = {each for named in known.identifiers.values() for each in named} | ({spoken} if spoken else set())
        known.reservations = _reservations(ids, holders, spokens, now)
        return known

    def of(self, work: Work, spoken: Iterable[Spoken]) -> list[Reservation]:
        holders = {share.holder for share in self.shares[work.pk]}
        names = [*self.identifiers[work.pk], *spoken]
        return [
            each
            for each in self.reservations
            if each.work_id == work.pk or each.holder_id in holders or _speaks(each, names)
        ]


def _reservations(
    works: Collection[int], holders: Collection[int], spoken: Collection[Spoken], now: dt.datetime
) -> list[Reservation]:
    """Those in force now that can touch these works, holders, identifiers or places; the newest first, bounded."""
    wanted = Q(work_id__in=works) | Q(holder_id__in=holders)
    web = {value for scheme, value in spoken if scheme in matching.WEB}
    around = {place for value in web for place in places.ancestors(value)}
    if around:
        wanted |= Q(place__in=around)
    for scheme, value in spoken:
        wanted |= Q(scheme=scheme, value=value)
    found = Reservation.objects.counting(now).filter(wanted).select_related("work", "holder", "society")
    return list(found.order_by("-id")[:500])


def _speaks(reservation: Reservation, names: Iterable[Spoken]) -> bool:
    if reservation.target == Reservation.Target.PLACE:
        return any(
            scheme in matching.WEB
            and places.speaks_of(reservation.place, reservation.pattern, reservation.excepting, value)
            for scheme, value in names
        )
    return (reservation.scheme, reservation.value) in names if reservation.value else False


_ANYTHING: Final = Terms(uses=("*",), kinds=("*",), territory=("*",), since=dt.date.min, until=None)


def _of_work(work: Work, known: _Known, territory: str, now: dt.datetime) -> Match:
    touching = known.of(work, ())
    facts = {
        "kind": work.kind,
        "protected_until": work.protected_until,
        "shares": known.shares[work.pk],
        "mandates": known.mandates,
        "statutory": known.statutory[work.society_id],
        "licences": {"": _ANYTHING},
    }
    sayings = []
    for use in terms.USES:
        decision = core.decide(_facts(use, territory, now, touching, **facts))
        priced = tuple(
            tariff
            for tariff, schedule in known.tariffs[work.society_id]
            if any(charge.meets((use,), (work.kind,)) for charge in schedule.charges)
        )
        sayings.append(_saying(use, decision, touching, territory, priced))
    return Match(work, None, tuple(sayings), tuple(touching))


def _saying(
    use: str, decision: core.Decision, touching: Sequence[Reservation], territory: str, priced: tuple[Tariff, ...]
) -> Saying:
    if decision.verdict == "reserved":
        by = (r for r in touching if terms.covers(r.uses, use) and terms.covers(r.territory, territory))
        return Saying(use, "reserved", reservation=min(by, key=_since, default=None))
    if decision.verdict == "licensed" and decision.basis == "licence":
        return Saying(use, "licensable" if priced else "untariffed", priced)
    if decision.verdict == "licensed":
        return Saying(use, decision.basis)
    return Saying(use, "unmandated", missing_ppm=decision.missing_ppm)


def _since(reservation: Reservation) -> Any:
    return reservation.effective_from


def _facts(use: str, territory: str, now: dt.datetime, touching: Iterable[Reservation], **facts: Any) -> core.Facts:
    reserved = tuple(
        core.Reservation("", each.uses, each.territory, each.effective_from or now, each.ended_at) for each in touching
    )
    return core.Facts(use=use, territory=territory, on=now, reservations=reserved, **facts)


def _unregistered(spoken: Spoken, known: _Known, territory: str, now: dt.datetime) -> Match:
    """What nobody registered: it may be reserved all the same, and can be licensed through no society."""
    touching = [each for each in known.reservations if _speaks(each, (spoken,))]
    return Match(None, spoken, tuple(_without_work(use, touching, territory) for use in terms.USES), tuple(touching))


def _without_work(use: str, touching: Sequence[Reservation], territory: str) -> Saying:
    by = [r for r in touching if terms.covers(r.uses, use) and terms.covers(r.territory, territory)]
    return Saying(use, "reserved", reservation=min(by, key=_since)) if by else Saying(use, "unregistered")


def _typed(text: str, known: _Known, now: dt.datetime) -> list[Match]:
    """Works that nobody registered, but whose holder typed their title into a reservation."""
    named = Reservation.objects.counting(now).filter(target=Reservation.Target.IDENTIFIER).worded(text)
    listed: dict[Spoken, list[Reservation]] = defaultdict(list)
    for each in named.select_related("society").order_by("-id")[:MOST]:
        listed[each.scheme, each.value].append(each)
    return [
        Match(None, spoken, tuple(_without_work(use, found, "KR") for use in terms.USES), tuple(found))
        for spoken, found in listed.items()
    ]


def societies() -> list[Organisation]:
    """Those to which a reservation can be sent."""
    return list(Organisation.objects.filter(kind=Organisation.Kind.SOCIETY).order_by("name", "pk"))
