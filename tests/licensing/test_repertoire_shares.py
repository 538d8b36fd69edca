"""Shares: what people write, in parts per million that add up and move nobody's won by order."""

from __future__ import annotations

import datetime as dt
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.repertoire import core
from licensing.repertoire.core import BadShare, Claim, Part, Stated, merge, parse_share, ppm_of
from licensing.terms import PPM


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("1/3", Fraction(1, 3)),
        (" 2 / 4 ", Fraction(1, 2)),
        ("1/1", Fraction(1)),
        ("33.33%", Fraction(3333, 10000)),
        ("100%", Fraction(1)),
        ("0.0001 %", Fraction(1, PPM)),
        ("333333ppm", Fraction(333333, PPM)),
        ("1000000 PPM", Fraction(1)),
    ],
)
def test_the_three_forms(text: str, part: Fraction) -> None:
    assert parse_share(text).part == part


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0.5",
        "1",
        "1/0",
        "0/3",
        "4/3",
        "101%",
        "0%",
        "1000001ppm",
        "-1/3",
        "1e3ppm",
        "1/3%",
        "0.00001%",
        "٣/٤",
        "1/9999999",
    ],
)
def test_what_is_no_share(text: str) -> None:
    with pytest.raises(BadShare):
        parse_share(text)


def parts(*texts: str) -> list[Part]:
    return [Part(f"H{i}", "", parse_share(text)) for i, text in enumerate(texts)]


def test_fractions_that_make_a_whole_make_a_million() -> None:
    assert ppm_of(parts("1/3", "1/3", "1/3")) == [333_334, 333_333, 333_333]
    assert ppm_of(parts("1/7", "2/7", "4/7")) == [142_857, 285_714, 571_429]
    assert ppm_of(parts("1/3", "1/6", "50%")) == [333_333, 166_667, 500_000]


def test_percentages_are_never_topped_up() -> None:
    assert ppm_of(parts("33.33%", "33.33%", "33.33%")) == [333_300] * 3
    assert ppm_of(parts("33.33333333%", "66.66666667%")) == [333_333, 666_666]


def test_fractions_that_make_less_or_more_are_rounded_down() -> None:
    assert ppm_of(parts("1/3", "1/3")) == [333_333, 333_333]
    assert ppm_of(parts("2/3", "2/3")) == [666_666, 666_666]


def test_ties_go_by_bytes_of_holder_then_role() -> None:
    third = parse_share("1/3")
    refs = [("가", "A"), ("Z", "B"), ("a", "B"), ("Z", "A")]
    shares = [Part(h, r, third) for h, r in refs[:3]]
    assert ppm_of(shares) == [333_333, 333_334, 333_333]
    assert ppm_of([Part(h, r, third) for h, r in refs[1:]]) == [333_333, 333_333, 333_334]


def test_a_successor_completes_the_whole_on_its_own_days() -> None:
    day = dt.date(2026, 1, 1)
    third = parse_share("1/3")
    shares = [
        Part("A", "", third),
        Part("B", "", third),
        Part("C", "", third, None, day),
        Part("D", "", third, day, None),
    ]
    ppm = ppm_of(shares)
    assert ppm[0] + ppm[1] + ppm[2] == PPM == ppm[0] + ppm[1] + ppm[3]


FRACTION = st.integers(1, 60).flatmap(lambda d: st.integers(1, d).map(lambda n: Fraction(n, d)))


@given(st.lists(st.integers(1, 50), min_size=1, max_size=12), st.randoms(use_true_random=False))
def test_a_whole_divided_is_exact_and_independent_of_order(weights: list[int], dice: random.Random) -> None:
    whole = sum(weights)
    shares = [Part(f"H{i}", "", Stated(Fraction(w, whole), is_fraction=True)) for i, w in enumerate(weights)]
    found = dict(zip([p.holder_ref for p in shares], ppm_of(shares), strict=True))
    assert sum(found.values()) == PPM
    assert all(0 <= found[p.holder_ref] - int(p.stated.part * PPM) <= 1 for p in shares)
    dice.shuffle(shares)
    assert dict(zip([p.holder_ref for p in shares], ppm_of(shares), strict=True)) == found


DAY = st.one_of(st.none(), st.integers(0, 5).map(lambda n: dt.date(2020 + n, 1, 1)))


@given(st.lists(st.tuples(FRACTION, DAY, DAY, st.booleans()), min_size=1, max_size=6))
def test_no_day_is_rounded_over_the_whole(rows: list[tuple[Fraction, dt.date | None, dt.date | None, bool]]) -> None:
    shares = [
        Part(f"H{i}", "", Stated(part, fraction), since, until)
        for i, (part, since, until, fraction) in enumerate(rows)
        if since is None or until is None or since < until
    ]
    if not shares:
        return
    ppm = ppm_of(shares)
    for p, found in zip(shares, ppm, strict=True):
        floor = int(p.stated.part * PPM)
        assert found in ((floor, floor + 1) if p.stated.is_fraction else (floor,))
    for day in [dt.date(2019, 1, 1), *(dt.date(y, 6, 1) for y in range(2020, 2027))]:
        on = [i for i, p in enumerate(shares) if core._covers(p, day)]
        if sum((shares[i].stated.part for i in on), Fraction()) <= 1:
            assert sum(ppm[i] for i in on) <= PPM


def claim(holder: str, share: str, since: int | None = None, until: int | None = None, row: int | None = None) -> Claim:
    def day(year: int | None) -> dt.date | None:
        return dt.date(year, 1, 1) if year else None

    return Claim(Part(holder, "", parse_share(share), day(since), day(until)), share, row)


def test_a_row_replaces_the_share_with_its_first_day() -> None:
    merged = merge([claim("A", "1/2"), claim("A", "1/3", row=2)])
    assert [c.text for c in merged.claims] == ["1/3"]
    assert not merged.refused


def test_shortened_and_succeeded_in_either_order() -> None:
    rows = [claim("A", "1/2", 2020), claim("A", "1/2", 2020, 2026, row=3), claim("A", "1/3", 2026, row=2)]
    for order in (rows, rows[::-1]):
        merged = merge(order)
        assert not merged.refused
        assert sorted(c.text for c in merged.claims) == ["1/2", "1/3"]


def test_overlapping_and_contradicting_rows_are_refused() -> None:
    merged = merge(
        [claim("A", "1/2", 2020), claim("A", "1/3", 2021, row=2), claim("B", "1/4", row=3), claim("B", "1/5", row=4)]
    )
    assert merged.refused == ((4, core.CONTRADICTS), (2, core.OVERLAPS))
    assert sorted(c.text for c in merged.claims) == ["1/2", "1/4"]


def test_an_identical_repeat_changes_nothing() -> None:
    assert merge([claim("A", "1/2", row=2), claim("A", "1/2", row=3)]) == merge([claim("A", "1/2", row=2)])
