"""A random sample and what may be said from it: pure rules."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.identity.core import Refusal
from licensing.declarations import sampling

LEVEL = Decimal("0.950")


def exactly_at_most(wrong: int, size: int, share: Fraction) -> Fraction:
    """The oracle: whole numbers only."""
    return sum(
        (comb(size, found) * share**found * (1 - share) ** (size - found) for found in range(wrong + 1)), Fraction()
    )


@given(
    st.integers(1, 60).flatmap(lambda size: st.tuples(st.integers(0, size), st.just(size))),
    st.sampled_from(sorted(sampling.CONFIDENCES)),
)
@settings(max_examples=60)
def test_the_interval_is_the_exact_one_rounded_outwards(found: tuple[int, int], level: Decimal) -> None:
    """At the bounds the chance of what was seen is at most the tail; a millionth further in it is more."""
    wrong, size = found
    low, high = sampling.interval(wrong=wrong, size=size, confidence=level)
    tail, step = Fraction(1 - level) / 2, Fraction(1, 10**6)
    assert 0 <= low <= Decimal(wrong) / size <= high <= 1
    if wrong:
        assert (
            1 - exactly_at_most(wrong - 1, size, Fraction(low))
            < tail
            <= 1 - exactly_at_most(wrong - 1, size, Fraction(low) + step)
        )
    else:
        assert low == 0
    if wrong < size:
        assert (
            exactly_at_most(wrong, size, Fraction(high)) < tail <= exactly_at_most(wrong, size, Fraction(high) - step)
        )
    else:
        assert high == 1


@pytest.mark.parametrize(
    ("wrong", "size", "level", "low", "high"),
    [  # as tables print them, the last digit outwards
        (0, 10, "0.950", "0.000000", "0.308498"),
        (1, 10, "0.950", "0.002528", "0.445017"),
        (5, 10, "0.950", "0.187086", "0.812914"),
        (3, 50, "0.950", "0.012548", "0.165482"),
        (10, 10, "0.950", "0.691502", "1.000000"),
        (0, 59, "0.900", "0.000000", "0.049508"),
    ],
)
def test_known_intervals(wrong: int, size: int, level: str, low: str, high: str) -> None:
    assert sampling.interval(wrong=wrong, size=size, confidence=Decimal(level)) == (Decimal(low), Decimal(high))


def test_a_large_sample_keeps_its_digits() -> None:
    """2,000 factors of a small chance: floats would have lost it."""
    low, high = sampling.interval(wrong=2000, size=2000, confidence=Decimal("0.990"))
    assert (low, high) == (Decimal("0.997354"), Decimal(1))
    mirrored = sampling.interval(wrong=0, size=2000, confidence=Decimal("0.990"))
    assert mirrored == (Decimal(0), 1 - low)


@pytest.mark.parametrize(
    ("population", "margin", "size"), [(10**7, "0.05", 385), (10**7, "0.02", 2401), (100, "0.05", 80), (1, "0.05", 1)]
)
def test_the_size_that_a_margin_asks_for(population: int, margin: str, size: int) -> None:
    """385 of any large number for ± 5 % at 95 %; of few, nearly all."""
    assert sampling.suggested_size(population=population, margin=Decimal(margin), confidence=LEVEL) == size


@pytest.mark.parametrize(
    "change", [{"margin": Decimal(0)}, {"confidence": Decimal("0.8")}, {"population": 0}, {"expected": Decimal(1)}]
)
def test_what_cannot_be_sampled_is_refused(change: dict[str, Decimal]) -> None:
    with pytest.raises(Refusal):
        sampling.suggested_size(**({"population": 100, "margin": Decimal("0.05"), "confidence": LEVEL} | change))


@given(st.integers(1, 10**9), st.sampled_from(["0.01", "0.03", "0.05", "0.10"]))
def test_a_narrower_margin_never_asks_for_fewer_rows(population: int, margin: str) -> None:
    asked = [
        sampling.suggested_size(population=population, margin=Decimal(m), confidence=LEVEL) for m in (margin, "0.20")
    ]
    assert population >= asked[0] >= asked[1] >= 1


def test_the_same_seed_ranks_the_same_and_another_one_otherwise() -> None:
    row = sampling.Row("B", "train", "token", "2026-03-31", "licensed", "licence")
    assert row.key == "B|train|token|2026-03-31|licensed|licence"
    assert sampling.rank("2026-Q1", row.key) == sampling.rank("2026-Q1", row.key) != sampling.rank("2026-Q2", row.key)


def test_an_estimate_counts_what_cannot_be_found_as_wrong() -> None:
    told = sampling.estimate(
        findings={"right": 47, "wrong": 2, "missing": 1}, confidence=LEVEL, declared=Decimal(500), found=Decimal(450)
    )
    assert (told["size"], told["wrong"], told["missing"], told["estimate"]) == (50, 3, 1, "0.060000")
    assert (told["low"], told["high"]) == ("0.012548", "0.165482")
