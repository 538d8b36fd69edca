"""The rule document and the cuts of a pool."""

from __future__ import annotations

import copy
import datetime
import doctest
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.identity.core import Refusal
from royalties.distribution.core import Share, Use, allocate, cut, cuts, half_up, largest_remainder, parse
from royalties.distribution.core import allocation as allocation_module
from royalties.distribution.core.cuts import percent_text
from tests.royalties.world import RULE


def faults(document: Any) -> dict[str, str]:
    with pytest.raises(Refusal) as refused:
        parse(document)
    return {error.get("pointer", ""): error["code"] for error in refused.value.errors}


def test_the_documents_own_examples() -> None:
    for module in (cuts, allocation_module):
        assert doctest.testmod(module).failed == 0


def test_the_rule_of_the_contract_is_read() -> None:
    terms = parse(
        {"rule": "GENERAL", "version": 1, "valid_from": "2026-01-01",
         "deductions": [{"name": "management fee", "percent": "15"}, {"name": "social and cultural fund", "percent": "3"}],
         "use_weights": {"train": 1000, "finetune": 2500, "ground": 4000, "evaluate": 500, "index": 100},
         "unit_weights": {"token": 1}, "kind_points": {"web": 1, "book": 1}, "equal_part_percent": "0", "reserve_percent": "0"}
    )  # fmt: skip
    assert (terms.ref, terms.version, terms.valid_from, terms.valid_to) == (
        "GENERAL",
        1,
        datetime.date(2026, 1, 1),
        None,
    )
    assert [(d.name, percent_text(d.percent)) for d in terms.deductions] == [
        ("management fee", "15"),
        ("social and cultural fund", "3"),
    ]
    assert terms.factor(use="ground", unit="token", kind="music") == 4000


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"extra": 1}, "/extra", "unknown_key"),
        ({"a/b~c": 1}, "/a~1b~0c", "unknown_key"),
        ({"deductions": [{"name": "fee", "percent": "15", "cap": "all"}]}, "/deductions/0/cap", "unknown_key"),
        ({"deductions": [{"name": "fee"}]}, "/deductions/0/percent", "missing"),
        ({"deductions": [{"name": "fee", "percent": 15}]}, "/deductions/0/percent", "invalid"),
        ({"deductions": [{"name": "fee", "percent": "101"}]}, "/deductions/0/percent", "invalid"),
        ({"deductions": [{"name": "fee", "percent": "-1"}]}, "/deductions/0/percent", "invalid"),
        ({"deductions": [{"name": "fee", "percent": "1e1"}]}, "/deductions/0/percent", "invalid"),
        (
            {"deductions": [{"name": "fee", "percent": "1"}, {"name": "fee", "percent": "2"}]},
            "/deductions/1/name",
            "duplicate",
        ),
        ({"deductions": "15"}, "/deductions", "invalid"),
        ({"use_weights": {"train": "1000"}}, "/use_weights/train", "invalid"),
        ({"use_weights": {"train": True}}, "/use_weights/train", "invalid"),
        ({"use_weights": {"train": 1.5}}, "/use_weights/train", "invalid"),
        ({"use_weights": {"train": -1}}, "/use_weights/train", "invalid"),
        ({"use_weights": {"training": 1}}, "/use_weights/training", "unknown_key"),
        ({"unit_weights": {"word": 1}}, "/unit_weights/word", "unknown_key"),
        ({"kind_points": {"poem": 1}}, "/kind_points/poem", "unknown_key"),
        ({"use_weights": {"train": 1000}, "unit_weights": {"token": 1001}}, "/use_weights", "too_large"),
        ({"version": 0}, "/version", "invalid"),
        ({"version": "1"}, "/version", "invalid"),
        ({"rule": "a b"}, "/rule", "invalid"),
        ({"valid_from": "2026-02-30"}, "/valid_from", "invalid"),
        ({"valid_from": 20260101}, "/valid_from", "invalid"),
        ({"valid_to": "2026-01-01"}, "/valid_to", "invalid"),
        ({"equal_part_percent": 0}, "/equal_part_percent", "invalid"),
        ({"reserve_percent": "100.1"}, "/reserve_percent", "invalid"),
    ],
)
def test_every_fault_has_its_pointer(change: dict[str, Any], pointer: str, code: str) -> None:
    assert faults(copy.deepcopy(RULE) | change) == {pointer: code}


def test_all_faults_are_told_at_once() -> None:
    assert set(faults({"rule": "G", "version": 1, "deductions": [], "use_weights": {}, "typo": 1})) == {
        "/typo",
        "/valid_from",
    }
    assert faults([1]) == {"": "invalid_rule"}


def test_a_pool_that_mixes_units_needs_unit_weights() -> None:
    terms = parse(RULE | {"unit_weights": {"token": 1}})
    terms.check_units(["token", "token"])
    terms.check_units(["page"])  # alone, a unit needs no weight
    with pytest.raises(Refusal) as refused:
        terms.check_units(["token", "page"])
    assert refused.value.code == "mixed_units" and "page" in refused.value.detail


def test_a_use_without_weight_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        parse(RULE | {"use_weights": {"train": 1}}).factor(use="ground", unit="token", kind="web")
    assert refused.value.code == "use_without_weight"


def test_deductions_are_taken_in_order_then_the_reserve_then_the_equal_part() -> None:
    made = cut(1_000_003, parse(RULE | {"reserve_percent": "2", "equal_part_percent": "10"}))
    assert [(taken.base, taken.amount) for taken in made.deductions] == [(1_000_003, 150_000), (850_003, 25_500)]
    assert made.reserve == 16_490  # 2 % of 824,503 = 16,490.06
    assert made.distributable == 808_013
    assert made.equal_part == 80_801  # 80,801.3


@given(st.integers(0, 10**18), st.lists(st.integers(0, 100_000_000), max_size=6), st.integers(0, 100_000_000))
def test_nothing_is_lost_in_the_cuts(pool: int, percents: list[int], reserve: int) -> None:
    document = RULE | {
        "deductions": [{"name": f"d{n}", "percent": percent_text(p)} for n, p in enumerate(percents)],
        "reserve_percent": percent_text(reserve),
    }
    made = cut(pool, parse(document))
    assert pool == sum(taken.amount for taken in made.deductions) + made.reserve + made.distributable
    assert made.distributable >= 0


@given(st.integers(0, 10**30), st.integers(0, 100_000_000))
def test_half_up_is_the_nearest_and_up_at_the_middle(amount: int, percent: int) -> None:
    rounded = half_up(amount, percent)
    assert (
        -amount * percent * 2 <= -(rounded * 2 - 1) * 100_000_000
        and amount * percent * 2 < (rounded * 2 + 1) * 100_000_000
    )


@given(st.integers(0, 10**40), st.lists(st.integers(0, 10**40), min_size=1, max_size=30).filter(any))
def test_largest_remainder_is_exact_and_within_one(amount: int, weights: list[int]) -> None:
    parts = largest_remainder(amount, weights)
    total = sum(weights)
    assert sum(parts) == amount
    assert all(0 <= part - amount * weight // total <= 1 for part, weight in zip(parts, weights, strict=True))
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)


def test_the_worked_example_to_the_won() -> None:
    day = datetime.date(2026, 3, 31)
    uses = [
        Use("A", True, day, 700_000 * 1000), Use("B", True, day, 200_000 * 1500), Use("C", True, day, 50_000 * 2500),
        Use("domain:x", False, day, 40_000 * 1000),
    ]  # fmt: skip
    shares = [
        Share("A", "a", "", 1_000_000),
        Share("C", "c", "", 1_000_000),
        Share("B", "b1", "", 333_334),
        Share("B", "b2", "", 333_333),
        Share("B", "b3", "", 333_333),
    ]
    lines = allocate(uses, shares, distributable=824_503)
    assert [(line.key, line.part.holder, line.amount) for line in lines] == [
        ("A", "a", 495_410), ("B", "b1", 70_773), ("B", "b2", 70_773), ("B", "b3", 70_772), ("C", "c", 88_466), ("domain:x", "", 28_309),
    ]  # fmt: skip
