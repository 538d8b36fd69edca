"""The decision table: every combination of what can be true, through the core, through `permit.sql`, and by hand.

`expected` is written for this test alone, from the rules as domain.md states them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import pytest

from licensing.licences.core import Terms
from licensing.permissions.core import SEOUL, Decision, Facts, Grant, Reservation, Share, Span, decide
from tests.licensing.permission_cases import NOT_TOUCHING, OF_WORKS, TOUCHING, permit

DAY = dt.date(2026, 3, 31)
EVE = DAY - dt.timedelta(1)
ALWAYS = dt.date(2020, 1, 1)

# When a reservation was received, and ended, seen from the day of use.
WHEN = {
    "the instant before": ((-1, "23:59:59.999999"), None),
    "at the first instant": ((0, "00:00"), None),
    "the day after": ((1, "00:00"), None),
    "ended the instant before": ((-9, "12:00"), (-1, "23:59:59.999999")),
    "ended at the first instant": ((-9, "12:00"), (0, "00:00")),
}
IN_FORCE = {"the instant before", "ended at the first instant"}

LICENCE = Terms(uses=["train", "ground"], kinds=["web"], territory=["KR"], since=DAY, until=None)
LICENCES = {
    "none": None,
    "fits": LICENCE,
    "anything": Terms(uses=["*"], kinds=["*"], territory=["*"], since=ALWAYS, until=None),
}
SCHEME = Grant(uses=("train",), kinds=("web",), territory=("KR",), span=Span(since=DAY))
MANDATE = DIRECT = Grant(uses=("train", "ground"), kinds=("*",), territory=("*",))


@dataclass(frozen=True, slots=True)
class Case:
    """One combination. A reservation is for training in Korea; licence and scheme begin on DAY."""

    aim: str
    when: str
    matched: bool
    free: bool
    direct: str
    mandates: str
    use: str
    kind: str
    day: dt.date
    licence: str
    scheme: bool
    territory: str


def every_case(licence: str, scheme: bool, territory: str) -> Iterator[Case]:
    opted = [("", ""), *product(("work", "holder", "place", "identifier", "near"), WHEN)]
    works = [(True, free, direct, mandates) for free, direct, mandates in product(
        (False, True), ("one holder", "all holders"), ("no share", "none", "one", "all"))]  # fmt: skip
    within = [("web", DAY), ("book", DAY), ("web", EVE)]
    for (aim, when), work, use, (kind, day) in product(
        opted, [*works, (False, False, "", "")], ("train", "ground"), within
    ):
        if work[0] or aim not in OF_WORKS:
            yield Case(aim, when, *work, use, kind, day, licence, scheme, territory)


def expected(case: Case) -> Decision:
    if case.free:
        return Decision("licensed", "free")
    for_this = case.use == "train" and case.territory == "KR" and case.when in IN_FORCE
    if for_this and not (case.aim == "holder" and case.mandates == "no share"):
        return Decision("reserved")
    within = case.kind == "web" and case.day == DAY and case.territory == "KR"
    licensed = case.licence == "anything" or (case.licence == "fits" and within)
    if not case.matched:
        return Decision("unmatched" if licensed else "unlicensed")
    if case.direct == "all holders" and case.mandates != "no share":
        return Decision("licensed", "individual")
    if case.scheme and case.use == "train" and within:
        return Decision("licensed", "statutory")
    if missing := {"no share": 1_000_000, "none": 900_000, "one": 400_000, "all": 0}[case.mandates]:
        return Decision("unmandated", missing_ppm=missing)
    return Decision("licensed", "licence") if licensed else Decision("unlicensed")


def facts(i: int, case: Case) -> Facts:
    first, second = 2 * i, 2 * i + 1
    shares = (Share(first, 500_000), Share(second, 400_000))  # 100,000 ppm are not recorded and block nothing
    recorded = case.matched and case.mandates != "no share"
    mandated = {"one": (first,), "all": (first, second)}.get(case.mandates, ())
    licence = LICENCES[case.licence]
    return Facts(
        use=case.use,
        kind=case.kind,
        territory=case.territory,
        on=case.day,
        matched=case.matched,
        protected_until=(case.day if case.free else case.day + dt.timedelta(1)) if case.matched else None,
        reservations=(reservation(case.when, case.day),) if case.aim else (),
        shares=shares if recorded else (),
        mandates=dict.fromkeys(mandated, (MANDATE,)),
        direct=dict.fromkeys((first, second) if case.direct == "all holders" else (first,), (DIRECT,)),
        statutory={"S": SCHEME} if case.scheme else {},
        licences={"L": licence} if licence else {},
    )


def reservation(when: str, day: dt.date) -> Reservation:
    moments = [moment and _moment(day, *moment) for moment in WHEN[when]]
    assert moments[0] is not None
    return Reservation("it", uses=("train",), territory=("KR",), received=moments[0], withdrawn=moments[1])


def _moment(day: dt.date, days: int, time: str) -> dt.datetime:
    return dt.datetime.combine(day + dt.timedelta(days), dt.time.fromisoformat(time), SEOUL)


@pytest.mark.parametrize("licence", LICENCES)
def test_every_combination_is_decided_in_the_stated_order(licence: str) -> None:
    for scheme, territory in product((False, True), ("KR", "JP")):
        cases = list(every_case(licence, scheme, territory))
        asked = [facts(i, case) for i, case in enumerate(cases)]
        by_sql = permit(
            asked,
            licence=LICENCES[licence],
            territory=territory,
            statutory=[SCHEME] if scheme else [],
            targets=[[case.aim] if case.aim else [] for case in cases],
        )
        for case, known, sql_says in zip(cases, asked, by_sql, strict=True):
            # Whose reservation touches which work is known before the core is asked.
            touches = case.aim != "holder" or known.shares
            core_says = decide(known if touches else replace(known, reservations=()))
            assert (core_says.verdict, core_says.basis, core_says.missing_ppm) == _said(expected(case)), case
            assert _said(sql_says) == _said(expected(case)), case


def _said(decision: Decision) -> tuple[str, str, int]:
    return decision.verdict, decision.basis, decision.missing_ppm


def test_a_reservation_touches_works_holders_places_identifiers_and_near_copies_and_nothing_beside_them() -> None:
    combinations = [
        (aim, when, matched)
        for aim, when, matched in product((*TOUCHING, *NOT_TOUCHING), WHEN, (True, False))
        if matched or aim not in OF_WORKS
    ]
    cases = [
        Case(aim, when, matched, False, "one holder", "all", "train", "web", DAY, "fits", False, "KR")
        for aim, when, matched in combinations
    ]
    answers = permit(
        [facts(i, case) for i, case in enumerate(cases)], licence=LICENCE, targets=[[case.aim] for case in cases]
    )
    for case, answer in zip(cases, answers, strict=True):
        reserved = case.aim in TOUCHING and case.when in IN_FORCE
        otherwise = "licensed" if case.matched else "unmatched"
        assert answer.verdict == ("reserved" if reserved else otherwise), case


@pytest.mark.parametrize(
    ("since", "until", "reserved"),
    [
        ("10:00", None, True),
        ("10:00:00.000001", None, False),
        ("09:00", "10:00", False),
        ("09:00", "10:00:00.000001", True),
    ],
)
def test_a_moment_is_compared_exactly(since: str, until: str | None, reserved: bool) -> None:
    asked = Facts(use="train", kind="web", territory="KR", on=_moment(DAY, 0, "10:00"), reservations=(
        Reservation("it", ("*",), ("*",), _moment(DAY, 0, since), _moment(DAY, 0, until) if until else None),))  # fmt: skip
    assert (decide(asked).verdict == "reserved") is reserved
