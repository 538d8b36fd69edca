"""The decision table: every combination of what can be true, through the pure core and through `permit.sql`."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from itertools import product

import pytest

from licensing import terms
from licensing.licences.core import Terms
from licensing.permissions.core import SEOUL, Decision, Facts, Grant, Reservation, Share, Span, decide
from tests.licensing.permission_cases import permit

DAY = dt.date(2026, 3, 31)
ALL = Grant(uses=["train"], kinds=["web"], territory=["KR"])
LAW = Grant(uses=["train"], kinds=["web"], territory=["KR"], span=Span(since=DAY))
LICENCE = Terms(
    uses=["train", "ground"],
    kinds=["web"],
    territory=["KR"],
    since=dt.date(2026, 1, 1),
    until=dt.date(2026, 4, 1),
    models=["dasan-7b"],
    datasets=["crawl-1"],
)
RESERVED = Reservation("it", uses=["train"], territory=["*"], received=dt.datetime(2026, 3, 30, 12, tzinfo=SEOUL))

LICENCES = {
    "fits": LICENCE,
    "none": None,
    "suspended": replace(LICENCE, status="suspended"),
    "over": replace(LICENCE, until=DAY),
    "not begun": replace(LICENCE, since=DAY + dt.timedelta(1)),
    "other use": replace(LICENCE, uses=["evaluate"]),
    "other kind": replace(LICENCE, kinds=["book"]),
    "abroad": replace(LICENCE, territory=["JP"]),
    "other model": replace(LICENCE, models=["dasan-70b"]),
    "other dataset": replace(LICENCE, datasets=["crawl-2"]),
    "anything": Terms(uses=["*"], kinds=["*"], territory=["*"], since=dt.date(2026, 1, 1), until=None),
    "ended since": replace(LICENCE, status="terminated"),
}
LICENSES = {"fits", "anything", "ended since"}


def expected(
    *, matched: bool, free: bool, reserved: str, direct: bool, scheme: bool, mandates: str, licence: str
) -> Decision:
    if not matched:
        if reserved == "place":
            return Decision("reserved")
        return Decision("unmatched" if licence in LICENSES else "unlicensed")
    if free:
        return Decision("licensed", "free")
    if reserved and not (reserved == "holder" and mandates == "no share"):
        return Decision("reserved")
    if direct and mandates != "no share":
        return Decision("licensed", "individual")
    if scheme:
        return Decision("licensed", "statutory")
    if missing := {"no share": 1_000_000, "none": 900_000, "one": 400_000, "all": 0}[mandates]:
        return Decision("unmandated", missing_ppm=missing)
    return Decision("licensed", "licence") if licence in LICENSES else Decision("unlicensed")


def facts(
    i: int, *, matched: bool, free: bool, reserved: str, direct: bool, scheme: bool, mandates: str, licence: str
) -> Facts:
    first, second = 2 * i, 2 * i + 1
    shares = (Share(first, 500_000), Share(second, 400_000))  # 100,000 ppm are not recorded and block nothing
    mandated = {"no share": (), "none": (), "one": (first,), "all": (first, second)}[mandates]
    terms_ = LICENCES[licence]
    return Facts(
        use="train",
        kind="web",
        territory="KR",
        on=DAY,
        model="dasan-7b",
        dataset="crawl-1",
        matched=matched,
        protected_until=DAY if free else DAY + dt.timedelta(1),
        reservations=(RESERVED,) if reserved else (),
        shares=shares if matched and mandates != "no share" else (),
        mandates=dict.fromkeys(mandated, (ALL,)),
        direct={first: (ALL,), second: (ALL,)} if direct else {first: (ALL,)},
        statutory={
            "LAW-1": LAW if scheme else replace(LAW, uses=["ground"]),
            "LAW-2": replace(LAW, span=Span(until=DAY)),
        },
        licences={"L": terms_} if terms_ else {},
    )


@pytest.mark.parametrize("scheme", [False, True])
@pytest.mark.parametrize("licence", LICENCES)
def test_every_combination_is_decided_in_the_stated_order(licence: str, scheme: bool) -> None:
    combinations = [
        {"matched": m, "free": f, "reserved": r, "direct": d, "scheme": scheme, "mandates": s, "licence": licence}
        for m, f, r, d, s in product(
            (True, False),
            (True, False),
            ("", "work", "holder", "place"),
            (True, False),
            ("no share", "none", "one", "all"),
        )
        if m or r in ("", "place")
    ]
    cases = [facts(i, **c) for i, c in enumerate(combinations)]
    # A reservation of a holder touches the work only where the holder has a share on that day: gathering sees to it.
    asked = [
        replace(case, reservations=()) if c["reserved"] == "holder" and not case.shares else case
        for case, c in zip(cases, combinations, strict=True)
    ]

    by_core = [replace(decide(case), reasons=()) for case in asked]
    by_sql = permit(
        cases,
        licence=LICENCES[licence],
        model="dasan-7b",
        statutory=tuple(cases[0].statutory.values()),
        targets=[[str(c["reserved"])] if c["reserved"] else [] for c in combinations],
    )

    for case, core_says, sql_says in zip(combinations, by_core, by_sql, strict=True):
        assert core_says == expected(**case), case
        assert sql_says == core_says, case


def test_every_answer_carries_a_reason() -> None:
    for reserved, mandates, licence in product(("", "work"), ("no share", "none", "all"), LICENCES):
        case = facts(
            0,
            matched=True,
            free=False,
            reserved=reserved,
            direct=False,
            scheme=False,
            mandates=mandates,
            licence=licence,
        )
        assert decide(case).reasons


def test_an_unlicensed_answer_names_every_term_that_the_licence_misses() -> None:
    case = facts(0, matched=True, free=False, reserved="", direct=False, scheme=False, mandates="all", licence="fits")
    case = replace(case, model="other", dataset="other", territory="KR", licences={"L": replace(LICENCE, until=DAY)})
    assert [reason.code for reason in decide(case).reasons] == [
        "licence_not_then",
        "licence_not_model",
        "licence_not_dataset",
    ]


@pytest.mark.parametrize("use", [u for u in terms.USES if u != "evaluate"])
def test_evaluation_is_never_implied_by_another_use(use: str) -> None:
    grant = Grant(uses=[use], kinds=["*"], territory=["*"])
    case = Facts(
        use="evaluate", kind="web", territory="KR", on=DAY, shares=(Share(1, 1_000_000),), mandates={1: (grant,)}
    )
    assert decide(case) == replace(decide(case), verdict="unmandated", missing_ppm=1_000_000)
    mandated = replace(case, mandates={1: (replace(grant, uses=["*"]),)}, licences={"L": replace(LICENCE, uses=[use])})
    assert decide(mandated).verdict == "unlicensed"


def test_a_work_is_free_on_and_after_the_day_its_protection_ends() -> None:
    case = Facts(use="train", kind="web", territory="KR", on=DAY, protected_until=DAY)
    assert decide(case).basis == "free"
    assert decide(replace(case, on=DAY - dt.timedelta(1))).verdict == "unmandated"


@pytest.mark.parametrize(
    ("received", "on", "reserved"),
    [
        ("2026-03-30T23:59:59+09:00", DAY, True),
        ("2026-03-31T00:00:00+09:00", DAY, False),  # the day of receipt itself may have come before it
        ("2026-03-30T15:00:00+00:00", DAY, False),  # which is the same moment
        ("2026-03-30T14:59:59+00:00", DAY, True),
        ("2026-03-31T10:00:00+09:00", "2026-03-31T10:00:00+09:00", True),
        ("2026-03-31T10:00:00+09:00", "2026-03-31T09:59:59+09:00", False),
        ("2026-03-31T10:00:00+09:00", "2026-03-31T01:00:00+00:00", True),
    ],
)
def test_a_reservation_counts_from_its_moment_and_for_dates_from_the_day_after(
    received: str, on: dt.date | str, reserved: bool
) -> None:
    moment = dt.datetime.fromisoformat(on) if isinstance(on, str) else on
    opt_out = replace(RESERVED, received=dt.datetime.fromisoformat(received))
    case = Facts(use="train", kind="web", territory="KR", on=moment, reservations=(opt_out,))
    assert (decide(case).verdict == "reserved") is reserved
    if not isinstance(on, str):
        assert (permit([case], licence=None, targets=[["work"]])[0].verdict == "reserved") is reserved


def test_a_share_counts_on_its_own_days_only() -> None:
    shares = (Share(1, 600_000, Span(until=DAY)), Share(2, 600_000, Span(since=DAY)))
    case = Facts(use="train", kind="web", territory="KR", on=DAY, shares=shares, mandates={1: (ALL,)})
    assert decide(case).missing_ppm == 600_000
    assert permit([case], licence=None)[0].missing_ppm == 600_000
    day_before = replace(case, on=DAY - dt.timedelta(1))
    assert decide(day_before).verdict == permit([day_before], licence=None)[0].verdict == "unlicensed"
