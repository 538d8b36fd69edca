"""Whatever the facts, `permit.sql` answers as the pure core does."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from licensing.licences.core import Terms
from licensing.permissions.core import SEOUL, Facts, Grant, Reservation, Share, Span, decide
from tests.licensing.permission_cases import OF_WORKS, permit

FIRST = dt.date(2026, 3, 1)
BY_PLACE = ("work", "place", "place above", "pattern", "carried", "carried near")
BY_CODE = ("work", "identifier", "near", "carried", "carried near")
days = st.integers(0, 4).map(lambda n: FIRST + dt.timedelta(n))
uses = st.sampled_from(["train", "ground", "evaluate"])
kinds = st.sampled_from(["web", "book"])
territories = st.sampled_from(["KR", "JP"])
names = st.sampled_from(["", "a", "b"])


def codes(one: st.SearchStrategy[str]) -> st.SearchStrategy[list[str]]:
    return st.just(["*"]) | st.lists(one, min_size=1, max_size=2, unique=True)


spans = st.builds(lambda since, until: Span(since, until), days, st.none() | days)
grants = st.builds(Grant, uses=codes(uses), kinds=codes(kinds), territory=codes(territories), span=spans)
moments = st.builds(
    lambda day, hour: dt.datetime(day.year, day.month, day.day, hour, 30, tzinfo=SEOUL), days, st.integers(0, 23)
)
reservations = st.builds(
    Reservation,
    target=st.just("it"),
    uses=codes(uses),
    territory=codes(territories),
    received=moments,
    withdrawn=st.none() | moments,
)
licences = st.builds(
    Terms,
    uses=codes(uses),
    kinds=codes(kinds),
    territory=codes(territories),
    since=days,
    until=st.none() | days,
    status=st.sampled_from(["draft", "active", "suspended", "terminated", "expired"]),
    models=st.lists(names.filter(bool), max_size=1),
    datasets=st.lists(names.filter(bool), max_size=2, unique=True),
)


@st.composite
def batches(draw: st.DrawFn) -> tuple[list[Facts], list[list[str]], Terms | None, str, str]:
    territory, model, licence = draw(territories), draw(names), draw(st.none() | licences)
    statutory = {f"S{n}": grant for n, grant in enumerate(draw(st.lists(grants, max_size=2)))}
    cases, targets = [], []
    for i in range(draw(st.integers(1, 6))):
        matched = draw(st.integers(0, 4)) > 0
        holders = range(3 * i, 3 * i + draw(st.integers(0, 3))) if matched else ()
        shares = tuple(Share(h, draw(st.integers(1, 1_000_000)), draw(st.just(Span()) | spans)) for h in holders)
        touching = draw(st.sampled_from([BY_PLACE, BY_CODE]))
        aims = st.sampled_from([aim for aim in touching if matched or aim not in OF_WORKS])
        opted = draw(st.lists(st.tuples(aims, reservations), max_size=2))
        case = Facts(
            use=draw(uses),
            kind=draw(kinds),
            territory=territory,
            on=draw(days),
            model=model,
            dataset=draw(names),
            matched=matched,
            protected_until=draw(st.none() | days) if matched else None,
            reservations=tuple(reservation for _target, reservation in opted),
            shares=shares,
            mandates={h: tuple(draw(st.lists(grants, max_size=2))) for h in holders},
            direct={h: tuple(draw(st.lists(grants, max_size=2))) for h in holders} if draw(st.booleans()) else {},
            statutory=statutory,
            licences={"L": licence} if licence else {},
        )
        cases.append(case)
        targets.append([target for target, _reservation in opted])
    return cases, targets, licence, territory, model


@settings(max_examples=60)
@given(batches())
def test_permit_sql_gives_the_answers_of_the_core(
    batch: tuple[list[Facts], list[list[str]], Terms | None, str, str],
) -> None:
    cases, targets, licence, territory, model = batch
    answers = permit(
        cases,
        licence=licence,
        territory=territory,
        model=model,
        statutory=tuple(cases[0].statutory.values()),
        targets=targets,
    )
    assert answers == [replace(decide(case), reasons=()) for case in cases]
