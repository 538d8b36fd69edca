"""The permission decision: may this licensee use this work this way, here and then? Default is no. Pure.

`permit.sql` gives the same answers for millions of lines; this is its oracle.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final
from zoneinfo import ZoneInfo

from accounts.identity.core import gettext_noop, say
from licensing import terms
from licensing.licences import core as licences

SEOUL: Final = ZoneInfo("Asia/Seoul")

Codes = Collection[str]


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open days: from `since` up to, but not on, `until`."""

    since: dt.date = dt.date.min
    until: dt.date | None = None

    def __contains__(self, day: dt.date) -> bool:
        return self.since <= day and (self.until is None or day < self.until)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a holder allows (a mandate to the society, or a licence given directly to the licensee), or the law itself.

    `tariff` names that by which a use that the law allows is paid for, where a rate body determined one.
    """

    uses: Codes
    kinds: Codes
    territory: Codes
    span: Span = Span()
    tariff: str = ""

    def fits(self, use: str, kind: str, territory: str, day: dt.date) -> bool:
        return (
            _covers(self.uses, use)
            and _covers(self.kinds, kind)
            and _covers(self.territory, territory)
            and day in self.span
        )


@dataclass(frozen=True, slots=True)
class Reservation:
    """A holder's opt-out that touches what is asked about: `target` names which work, holder, place or identifier.

    It counts from `received` (the moment of receipt, or a later one that was asked for) until `withdrawn` (the moment
    at which it ended in any way); `ref` finds it on the public register.
    """

    target: str
    uses: Codes
    territory: Codes
    received: dt.datetime
    withdrawn: dt.datetime | None = None
    ref: str = ""

    def in_force(self, on: dt.date | dt.datetime) -> bool:
        """From the moment it was received. A use known only by its date is reserved from the day after."""
        if isinstance(on, dt.datetime):
            return self.received <= on and (self.withdrawn is None or on < self.withdrawn)
        return seoul_day(self.received) < on and (self.withdrawn is None or on <= seoul_day(self.withdrawn))


@dataclass(frozen=True, slots=True)
class Share:
    """A holder's recorded part of the work, in parts per million, on some days."""

    holder: Hashable
    ppm: int
    span: Span = Span()


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that the decision rests on. `on` is an exact moment, or a day in Seoul where only the day is known.

    `matched` says whether the work is known; if not, `kind` is that of its identifier's scheme, and only reservations
    of the place and the licences count.
    """

    use: str
    kind: str
    territory: str
    on: dt.date | dt.datetime
    model: str = ""
    dataset: str = ""
    matched: bool = True
    protected_until: dt.date | None = None
    reservations: Sequence[Reservation] = ()
    shares: Sequence[Share] = ()
    mandates: Mapping[Hashable, Sequence[Grant]] = field(default_factory=dict)
    direct: Mapping[Hashable, Sequence[Grant]] = field(default_factory=dict)
    statutory: Mapping[str, Grant] = field(default_factory=dict)  # what the society's enabled schemes allow, by ref
    licences: Mapping[str, licences.Terms] = field(
        default_factory=dict
    )  # those of the society with the licensee, by ref

    @property
    def day(self) -> dt.date:
        return seoul_day(self.on) if isinstance(self.on, dt.datetime) else self.on


@dataclass(frozen=True, slots=True)
class Reason:
    """Why: a stable code for programs, and a sentence for people. `about` names the licence, scheme or reservation."""

    code: str
    detail: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer. `basis` says on what a licensed use rests: licence, free, individual or statutory."""

    verdict: str  # licensed | reserved | unmatched | unmandated | unlicensed
    basis: str = ""
    missing_ppm: int = 0
    reasons: tuple[Reason, ...] = ()


def decide(facts: Facts) -> Decision:
    """The first rule that speaks decides: free, reserved, individual, statutory, mandates, licence; else unlicensed."""
    rules = (_free, _reserved, _individual, _statutory, _unmandated) if facts.matched else (_reserved,)
    for rule in rules:
        if decision := rule(facts):
            return decision
    return _by_licence(facts)


def without_work(decision: Decision) -> Decision:
    """What is said of an identifier under which no work is registered always says that too."""
    if decision.verdict == "unmatched":
        return decision
    no_work = Reason("no_work", say("No work is registered under this identifier."))
    return replace(decision, reasons=(no_work, *decision.reasons))


def _free(facts: Facts) -> Decision | None:
    end = facts.protected_until
    if end is None or facts.day < end:
        return None
    return Decision("licensed", "free", reasons=(Reason("protection_ended", say("Free to use since {end}.", end=end)),))


def _reserved(facts: Facts) -> Decision | None:
    found = [
        r
        for r in facts.reservations
        if _covers(r.uses, facts.use) and _covers(r.territory, facts.territory) and r.in_force(facts.on)
    ]
    if not found:
        return None
    reasons = (
        Reason(
            "reserved",
            say(
                "Reserved ({target}) since {moment}.",
                target=r.target,
                moment=f"{r.received.astimezone(SEOUL):%Y-%m-%d %H:%M}",
            ),
            r.ref,
        )
        for r in found
    )
    return Decision("reserved", reasons=tuple(reasons))


def _individual(facts: Facts) -> Decision | None:
    shares = _shares(facts)
    if not shares or not all(_granted(facts.direct, share, facts) for share in shares):
        return None
    return Decision(
        "licensed",
        "individual",
        reasons=(Reason("individual_licence", say("All holders licensed this use directly.")),),
    )


def _statutory(facts: Facts) -> Decision | None:
    fitting = [
        ref for ref, scheme in facts.statutory.items() if scheme.fits(facts.use, facts.kind, facts.territory, facts.day)
    ]
    if not fitting:
        return None
    use, kind = say(terms.USES[facts.use]), say(terms.KINDS[facts.kind])
    detail = say(
        "The statutory scheme {scheme} covers this use ({use}) of this kind of work ({kind}).",
        scheme=fitting[0],
        use=use,
        kind=kind,
    )
    reasons = [Reason("statutory_scheme", detail, fitting[0])]
    if tariff := facts.statutory[fitting[0]].tariff:
        paid = say("It is to be paid for by the tariff {tariff}.", tariff=tariff)
        reasons.append(Reason("statutory_tariff", paid, tariff))
    return Decision("licensed", "statutory", reasons=tuple(reasons))


def _unmandated(facts: Facts) -> Decision | None:
    shares = _shares(facts)
    if not shares:
        reason = Reason("no_share", say("No share is recorded on {day}.", day=facts.day))
        return Decision("unmandated", missing_ppm=terms.PPM, reasons=(reason,))
    missing = sum(share.ppm for share in shares if not _granted(facts.mandates, share, facts))
    if not missing:
        return None
    detail = say(
        "Holders of {missing} ppm have not mandated this use ({use}).", missing=missing, use=say(terms.USES[facts.use])
    )
    return Decision("unmandated", missing_ppm=missing, reasons=(Reason("mandate_missing", detail),))


def _by_licence(facts: Facts) -> Decision:
    misses = {ref: _misses(ref, licence, facts) for ref, licence in facts.licences.items()}
    fitting = [ref for ref, reasons in misses.items() if not reasons]
    if fitting and facts.matched:
        return Decision(
            "licensed",
            "licence",
            reasons=(Reason("licence_covers", say("Licence {licence} covers it.", licence=fitting[0]), fitting[0]),),
        )
    if fitting:
        detail = say("No work is registered under this identifier; a licence would cover its kind.")
        return Decision("unmatched", reasons=(Reason("no_work", detail),))
    reasons = tuple(reason for found in misses.values() for reason in found)
    return Decision(
        "unlicensed", reasons=reasons or (Reason("no_licence", say("There is no licence with the society.")),)
    )


# What a licence must agree with: code of the reason, its sentence, and the test.
_TERMS: Final[tuple[tuple[str, str, Callable[[licences.Terms, Facts], bool]], ...]] = (
    (
        "licence_not_then",
        gettext_noop("Licence {licence} is not in force on this day."),
        lambda x, f: licences.in_force(x, f.day),
    ),
    (
        "licence_not_use",
        gettext_noop("Licence {licence} does not cover this use."),
        lambda x, f: _covers(x.uses, f.use),
    ),
    (
        "licence_not_kind",
        gettext_noop("Licence {licence} does not cover works of this kind."),
        lambda x, f: _covers(x.kinds, f.kind),
    ),
    (
        "licence_not_territory",
        gettext_noop("Licence {licence} does not cover this territory."),
        lambda x, f: _covers(x.territory, f.territory),
    ),
    (
        "licence_not_model",
        gettext_noop("Licence {licence} does not cover this model."),
        lambda x, f: not x.models or f.model in x.models,
    ),
    (
        "licence_not_dataset",
        gettext_noop("Licence {licence} does not cover this dataset."),
        lambda x, f: not x.datasets or f.dataset in x.datasets,
    ),
)


def _misses(ref: str, licence: licences.Terms, facts: Facts) -> list[Reason]:
    return [Reason(code, say(text, licence=ref)) for code, text, fits in _TERMS if not fits(licence, facts)]


def _shares(facts: Facts) -> list[Share]:
    return [share for share in facts.shares if facts.day in share.span]


def _granted(grants: Mapping[Hashable, Sequence[Grant]], share: Share, facts: Facts) -> bool:
    fitting = grants.get(share.holder, ())
    return any(grant.fits(facts.use, facts.kind, facts.territory, facts.day) for grant in fitting)


def _covers(codes: Codes, code: str) -> bool:
    return terms.ANY in codes or code in codes


def seoul_day(moment: dt.datetime) -> dt.date:
    """The calendar day of a moment where the society lives."""
    return moment.astimezone(SEOUL).date()
