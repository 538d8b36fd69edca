"""What the matcher decides by itself is right, on questions whose answer is known: a small sample of `benchmarks.matching`."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.matching import measuring, pairs
from licensing.matching import indexing
from licensing.matching.core import scoring


@pytest.fixture(scope="module")
def answered() -> list[measuring.Answered]:
    works = pairs.catalogue()[::4]
    questions = [each for each in pairs.questions(works, each=4, seed=7) if each.half == "held_out"]
    return measuring.answer(works, questions)


def test_what_is_decided_is_right_and_the_work_is_among_the_first_five(answered) -> None:
    got = measuring.measured(answered)
    assert got["questions"] > 500 and got["decided"] > 150
    assert got["decided_by_likeness"] > 30
    assert got["precision"] >= 0.995
    assert got["recall_at_5"] >= 0.97


def test_traps_are_asked_about_and_left_to_people(answered) -> None:
    traps = [one for one in answered if one.question.how.startswith("trap") and one.question.work is None]
    assert len(traps) > 100
    decided = [
        one.question
        for one in traps
        if one.exact
        or scoring.certain(
            [scoring.score(scoring.Likeness(t, c)) for _w, t, c in one.near], one.near[0][2] if one.near else ""
        )
    ]
    assert len(decided) <= len(traps) * 0.005


def test_every_class_has_a_score_and_no_worse_title_a_better_one() -> None:
    data = json.loads(scoring.CALIBRATION.read_text(encoding="utf-8"))
    assert data["origin"] and data["made_on"]
    for creators in scoring.CREATORS:
        scores = [scoring.table()[title, creators] for title in scoring.TITLES]
        assert scores == sorted(scores, reverse=True)
    assert scoring.threshold() >= scoring.UNLIKELY


def test_a_title_alone_is_never_certain() -> None:
    assert not scoring.certain([scoring.threshold()], "unknown")
    assert scoring.certain([scoring.threshold()], "same")
    assert not scoring.certain([scoring.threshold(), scoring.UNLIKELY], "same")


_NAMES = st.sampled_from(["ernest hemingway", "e hemingway", "hemingway", "jane austen", "sun hemingway"])
_WORDS = st.lists(
    st.sampled_from(["sun", "also", "rises", "river", "rivre", "old", "man", "2", "vol"]), min_size=1, max_size=4
)
_KEYS = st.tuples(_WORDS, st.lists(_NAMES, max_size=2)).map(
    lambda k: f"{' '.join(k[0])} / {';'.join(sorted(set(k[1])))}"
)


@settings(max_examples=150, deadline=None)
@given(_KEYS, st.lists(st.tuples(st.integers(1, 6), _KEYS), max_size=8), st.randoms())
def test_the_order_of_works_makes_no_difference(line: str, works: list[tuple[int, str]], dice) -> None:
    shuffled = dice.sample(works, len(works))
    assert indexing.ranked(line, works) == indexing.ranked(line, shuffled)


def test_names_agree_from_either_side() -> None:
    """Where as many are named on both sides, each has its like on the other: `a;ab` is not `a;x`."""
    for one, other in ((("han a", "han ab"), ("han a", "han x")), (("han a", "lee b"), ("han a", "han ac"))):
        assert scoring._creators(one, other) == scoring._creators(other, one) == "other"


@settings(max_examples=100, deadline=None)
@given(_KEYS, _KEYS)
def test_a_likeness_has_two_equal_sides(one: str, other: str) -> None:
    left, right = indexing.named(one), indexing.named(other)
    assert scoring.likeness(left, right).creators == scoring.likeness(right, left).creators
    assert (scoring.likeness(left, right).title == "same") == (scoring.likeness(right, left).title == "same")
