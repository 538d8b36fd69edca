"""When a check asks about a declaration, and when that holds back acceptance: pure rules."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.declarations.plausibility import (
    NOTE,
    ROW,
    SERIOUS,
    Figures,
    Missing,
    PublicSize,
    UnitFigures,
    doubts,
    stated_totals,
)


def declared(
    units: int, rows: int = 200, *, number: int = 1, days: int = 90, unmatched: int = 0, **more: Any
) -> Figures:
    tokens = UnitFigures(**({"rows": rows, "units": units, "least": 1, "most": units} | more))
    return Figures(
        number, days, rows, unmatched, works=rows - unmatched, lines=rows, units={"token": tokens} if rows else {}
    )


def asked(*args: Any, **keys: Any) -> list[tuple[str, str]]:
    return [(doubt.code, doubt.severity) for doubt in doubts(*args, **keys)]


def test_a_declaration_like_the_one_before_raises_no_question() -> None:
    assert asked(declared(1_000_000, number=2), before=[declared(900_000)]) == []
    assert asked(declared(1_000_000)) == []


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        (1_999_999, []),
        (2_000_000, [("units_rose", NOTE)]),
        (9_999_999, [("units_rose", NOTE)]),
        (10_000_000, [("units_rose", SERIOUS)]),
        (500_001, []),
        (500_000, [("units_dropped", NOTE)]),
        (100_000, [("units_dropped", SERIOUS)]),
    ],
)
def test_twice_or_half_is_noted_and_ten_times_holds_back(units: int, expected: list[tuple[str, str]]) -> None:
    assert asked(declared(units), before=[declared(1_000_000)]) == expected


def test_use_is_compared_by_the_day() -> None:
    """A month after a quarter has a third of its days, and of its units."""
    assert asked(declared(333_333, days=30), before=[declared(1_000_000, days=90)]) == []
    assert asked(declared(1_000_000, days=30), before=[declared(1_000_000, days=90)]) == [("units_rose", NOTE)]


def test_few_rows_ask_nothing_and_some_hold_back_nothing() -> None:
    assert asked(declared(10**9, 19), before=[declared(1, 19)]) == []
    assert asked(declared(10**9, 99), before=[declared(1, 99)]) == [("units_rose", NOTE)]


def test_a_unit_that_is_gone_is_asked_about() -> None:
    [doubt] = [d for d in doubts(declared(0, 0), before=[declared(1000)]) if d.code == "unit_gone"]
    assert (doubt.severity, doubt.about) == (SERIOUS, "token")
    assert "1,000" in doubt.detail


@pytest.mark.parametrize(
    ("unmatched", "expected"), [(39, []), (41, [("unmatched_share", NOTE)]), (81, [("unmatched_share", SERIOUS)])]
)
def test_the_unmatched_part_is_held_against_the_firms_own_range(
    unmatched: int, expected: list[tuple[str, str]]
) -> None:
    """It was 5 to 10 % before: 20 % is still near, above it is a question, above 40 % identifiers broke."""
    before = [declared(10**6, unmatched=20), declared(10**6, unmatched=10)]
    found = asked(declared(10**6, unmatched=unmatched), before=before)
    assert [each for each in found if each[0] == "unmatched_share"] == expected


def test_that_more_matches_than_ever_is_at_most_a_note() -> None:
    assert ("unmatched_share", NOTE) in asked(declared(10**6), before=[declared(10**6, unmatched=190)])


@pytest.mark.parametrize(("gone", "expected"), [(49_999, []), (50_000, [NOTE]), (500_000, [SERIOUS])])
def test_missing_sites_are_named(gone: int, expected: list[str]) -> None:
    missing = Missing(["a.example", "b.example"], 7, gone, 1_000_000, "token")
    found = doubts(declared(10**6), before=[declared(10**6)], missing=[missing])
    assert [doubt.severity for doubt in found] == expected
    assert all("a.example, b.example" in doubt.detail and "7 sites" in doubt.detail for doubt in found)


def test_round_numbers_beyond_chance_are_noted() -> None:
    assert asked(declared(10**6, large_rows=100, round_rows=9)) == []
    assert asked(declared(10**6, large_rows=100, round_rows=10)) == [("round_numbers", NOTE)]
    assert asked(declared(10**6, large_rows=49, round_rows=49)) == []


def test_rows_that_all_say_the_same_are_noted_unless_they_count_ones() -> None:
    assert asked(declared(200 * 5000, least=5000, most=5000)) == [("all_equal", NOTE)]
    assert asked(declared(200, least=1, most=1)) == []


@pytest.mark.parametrize(
    ("units", "expected"),
    [
        (1_100_000, []),
        (1_100_001, [("above_public_size", NOTE)]),
        (2_000_001, [("above_public_size", SERIOUS)]),
        (499_999, [("below_public_size", NOTE)]),
    ],
)
def test_the_public_size_of_a_dataset_bounds_what_is_likely(units: int, expected: list[tuple[str, str]]) -> None:
    card = PublicSize("c4", "token", 1_000_000, "https://example.org/c4")
    assert asked(declared(units), public=[card]) == expected
    assert all("https://example.org/c4" in doubt.detail for doubt in doubts(declared(units), public=[card]))


def test_where_sources_differ_both_bound_it_and_rows_only_from_above() -> None:
    cards = [PublicSize("c4", "token", amount, "s") for amount in (1_000_000, 3_000_000)]
    assert asked(declared(3_000_000), public=cards) == []
    assert asked(declared(10**6), public=[PublicSize("c4", ROW, 100, "s")]) == [("above_public_size", NOTE)]
    assert asked(declared(10**6), public=[PublicSize("c4", ROW, 10**9, "s")]) == []


def test_a_total_of_the_firms_own_is_held_against_its_lines() -> None:
    assert asked(declared(1_000_000, 3), stated={"token": 1_005_000}) == []
    assert asked(declared(1_000_000, 3), stated={"token": 1_050_000}) == [("stated_total", NOTE)]
    assert asked(declared(1_000_000, 3), stated={"token": 2_000_000}) == [("stated_total", SERIOUS)]
    assert asked(declared(1_000_000, 3), stated={"page": 5}) == []
    assert stated_totals({"Tokens": 5, "revenue": 7}, ["token", "page"]) == {"token": 5}


@given(st.integers(0, 10**15), st.integers(0, 10**15), st.integers(0, 300), st.integers(0, 300), st.integers(1, 400))
def test_questions_are_sorted_and_unique_whatever_the_figures(
    now: int, before: int, rows: int, old: int, days: int
) -> None:
    found = doubts(declared(now, rows, number=2, days=days), before=[declared(before, old)], stated={"token": before})
    keys = [(doubt.code, doubt.about) for doubt in found]
    assert len(set(keys)) == len(keys)
    assert [doubt.severity for doubt in found] == sorted((doubt.severity for doubt in found), reverse=True)
    assert all("{" not in doubt.detail for doubt in found)
