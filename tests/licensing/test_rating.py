"""Rating as domain.md states it, rule by rule."""

from __future__ import annotations

import json
from typing import Any

import pytest

from accounts.identity.core import Refusal
from licensing.tariffs.core import Quantity, Rating, Scope, parse, rate
from tests.licensing.tariff_documents import charge, tariff


def tokens(units: int, *, use: str = "train", kind: str = "web", works: int = 1) -> Quantity:
    return Quantity(use, kind, "token", units, works)


def rated(*charges: dict[str, Any], quantities: list[Quantity] | None = None, **keys: Any) -> Rating:
    given = {key: keys.pop(key) for key in ("bases", "tier", "works", "scope") if key in keys}
    return rate(
        parse(tariff(*charges, **keys)), quantities=[tokens(1000)] if quantities is None else quantities, **given
    )


def test_worked_example_graduated() -> None:
    """domain.md, Rating: 20,858,600,725 tokens → 50,000 + 270,000 + 108,586.00725 → ₩428,586."""
    rating = rated(quantities=[tokens(20_858_600_725)])
    assert rating.amount == 428_586
    [line] = rating.lines
    assert [step.product for step in line.explanation] == ["50000", "270000", "108586.00725", "428586"]
    assert (line.quantity, line.unit) == (20_858_600_725, "token")
    assert rating.billable


def test_worked_example_greatest_of_percentage_and_minimum() -> None:
    """domain.md, Rating: 30 % of ₩412,345,679 is ₩123,703,703.7 → ₩123,703,704, more than ₩50,000,000."""
    share = charge("percentage", base="revenue", percent="30")
    for floor in ({"minimum": "50000000"}, {}):
        charges = [share] if floor else [share, charge("flat", amount="50000000")]
        rating = rated(*charges, quantities=[], bases={"revenue": 412_345_679}, combine="greatest", **floor)
        assert rating.amount == 123_703_704


def test_the_minimum_prevails_over_a_small_percentage() -> None:
    share = charge("percentage", base="revenue", percent="30")
    rating = rated(share, quantities=[], bases={"revenue": 1_000}, minimum="50000000")
    assert rating.amount == 50_000_000
    assert [(line.name, line.amount) for line in rating.adjustments] == [("minimum", 49_999_700)]


@pytest.mark.parametrize(
    ("keys", "units", "amount"),
    [
        ({"model": "per_unit", "per": 1000, "price": "0.5"}, 999, 0),  # 0.4995
        ({"model": "per_unit", "per": 1000, "price": "0.5"}, 1000, 1),  # 0.5 rounds up
        ({"model": "per_unit", "per": 3, "price": "1"}, 4, 1),  # 4/3
        ({"model": "volume", "per": 1, "tiers": [{"up_to": 10, "price": "5"}, {"price": "4"}]}, 10, 50),
        ({"model": "volume", "per": 1, "tiers": [{"up_to": 10, "price": "5"}, {"price": "4"}]}, 11, 44),
        ({"model": "graduated", "per": 1, "tiers": [{"up_to": 10, "price": "5"}, {"price": "4"}]}, 10, 50),
        ({"model": "graduated", "per": 1, "tiers": [{"up_to": 10, "price": "5"}, {"price": "4"}]}, 11, 54),
        ({"model": "package", "size": 1000, "price": "30"}, 1000, 30),
        ({"model": "package", "size": 1000, "price": "30"}, 1001, 60),
    ],
)
def test_bounds_are_inclusive_and_only_packages_round_up(keys: dict[str, Any], units: int, amount: int) -> None:
    assert rated(charge(**keys), quantities=[tokens(units)]).amount == amount


def test_tiers_count_the_sum_of_all_declarations() -> None:
    apart = [tokens(600_000_000), tokens(600_000_000, kind="news"), tokens(300_000_000, use="finetune")]
    graduated = charge("graduated", per=1000, tiers=[{"up_to": 1_000_000_000, "price": "1"}, {"price": "0.5"}])
    assert rated(graduated, quantities=apart).amount == 1_000_000 + 250_000


def test_every_fitting_charge_prices_a_line() -> None:
    rating = rated(
        charge("per_unit", per=1000, price="7"),
        charge("package", size=1, price="1", uses=["train"]),
        charge("flat", amount="5"),
    )
    assert [line.amount for line in rating.lines] == [7, 1000, 5]
    assert rating.amount == 1012


def test_each_charge_is_rounded_once_not_each_tier_and_not_their_sum() -> None:
    tiers = [{"up_to": 1, "price": "0.4"}, {"up_to": 2, "price": "0.4"}, {"price": "0.4"}]
    assert rated(charge("graduated", per=1, tiers=tiers), quantities=[tokens(3)]).amount == 1  # 1.2, not 0 + 0 + 0
    twice = [charge("per_unit", name, per=1000, price="0.5") for name in ("a", "b")]
    assert rated(*twice).amount == 2  # 1 + 1, not 1.0 rounded


def test_a_line_that_no_charge_fits_is_unpriced_and_cannot_be_billed() -> None:
    rating = rated(
        charge("per_unit", per=1, price="1", kinds=["book"]), quantities=[tokens(5), tokens(7), tokens(2, kind="book")]
    )
    assert rating.amount == 2
    assert rating.unpriced == (Quantity("train", "web", "token", 12, 2),)
    with pytest.raises(Refusal) as caught:
        rating.require_billable()
    assert caught.value.code == "unpriced"


def test_units_are_told_apart() -> None:
    rating = rated(charge("per_unit", per=1, price="1"), quantities=[Quantity("train", "web", "page", 3, 1)])
    assert [q.unit for q in rating.unpriced] == ["page"]


def test_a_missing_base_is_named_and_cannot_be_billed() -> None:
    rating = rated(charge("percentage", base="revenue", percent="3"), bases={"turnover": 5})
    assert rating.missing_bases == ("revenue",)
    with pytest.raises(Refusal) as caught:
        rating.require_billable()
    assert caught.value.code == "missing_base"


SUBSCRIBERS = {"name": "subscribers", "model": "per_unit", "count": "subscribers", "per": 1, "price": "0.25"}


def test_a_declared_number_is_priced_in_place_of_units() -> None:
    rating = rated(SUBSCRIBERS, quantities=[tokens(10**12)], bases={"subscribers": 10}, currency="USD")
    assert rating.amount == 250  # 10 subscribers, never 10 cents of one
    [line] = rating.lines
    assert (line.quantity, line.unit, line.model) == (10, "subscribers", "per_unit")
    assert rating.billable, "the charge covers what was used"


def test_a_missing_number_is_named_and_cannot_be_billed() -> None:
    rating = rated(SUBSCRIBERS, quantities=[], bases={"users": 5})
    assert (rating.amount, rating.missing_bases) == (0, ("subscribers",))
    with pytest.raises(Refusal, match="subscribers") as caught:
        rating.require_billable()
    assert caught.value.code == "missing_base"
    assert rated(SUBSCRIBERS, quantities=[], bases={"subscribers": 0}).billable


def test_a_number_is_owed_only_where_the_licence_can_use_what_it_is_for() -> None:
    of_grounding = SUBSCRIBERS | {"uses": ["ground"], "kinds": ["web"]}
    assert rated(of_grounding, quantities=[], scope=Scope(("train",), ("*",))).missing_bases == ()
    assert rated(of_grounding, quantities=[], scope=Scope(("ground",), ("book",))).missing_bases == ()
    assert rated(of_grounding, quantities=[], scope=Scope(("ground",), ("*",))).missing_bases == ("subscribers",)
    other_tier = SUBSCRIBERS | {"licensee_tiers": ["large"]}
    assert rated(other_tier, quantities=[], tier="small").missing_bases == ()


def test_a_base_of_nothing_is_declared() -> None:
    assert rated(charge("percentage", base="revenue", percent="3"), bases={"revenue": 0}).billable


def test_licensee_tiers_choose_the_charges() -> None:
    small = charge("per_unit", "small", per=1, price="1", licensee_tiers=["small"])
    large = charge("per_unit", "large", per=1, price="2", licensee_tiers=["large"])
    anyone = charge("flat", "anyone", amount="5", licensee_tiers=[])
    assert rated(small, large, anyone, tier="small").amount == 1005
    assert rated(small, large, anyone, tier="large").amount == 2005
    untiered = rated(small, large, charge("flat", "anyone", uses=["index"], amount="5"), tier="")
    assert untiered.amount == 5
    assert untiered.unpriced == (tokens(1000),)


def test_a_flat_fee_is_owed_a_period_where_the_licence_can_use_what_it_is_for() -> None:
    fee = charge("flat", amount="100000", uses=["ground"], kinds=["web"])
    assert rated(fee, quantities=[], scope=Scope(("ground", "train"), ("*",))).amount == 100_000
    assert rated(fee, quantities=[], scope=Scope(("train",), ("*",))).amount == 0
    assert rated(fee, quantities=[tokens(1, use="ground"), tokens(9, use="ground")]).amount == 100_000


def test_distinct_works_are_counted_a_charge() -> None:
    """Three works used for training and the same three for grounding are three works to a charge of both."""
    both = charge("per_work", "both", price="10")
    one = charge("per_work", "one", price="10", uses=["train"])
    quantities = [tokens(5, works=3), tokens(5, use="ground", works=3)]
    rating = rated(both, one, quantities=quantities, works={"both": 3, "one": 3})
    assert [(line.quantity, line.unit, line.amount) for line in rating.lines] == [(3, "work", 30), (3, "work", 30)]


def test_greatest_takes_the_largest_charge_and_says_what_it_left_out() -> None:
    rating = rated(charge("flat", "a", amount="70"), charge("flat", "b", amount="50"), combine="greatest")
    assert rating.amount == 70
    assert [(line.name, line.amount) for line in rating.adjustments] == [("greatest", -50)]


def test_minimum_comes_before_cap_and_both_once() -> None:
    rating = rated(charge("flat", "a", amount="70"), minimum="100", cap="100")
    assert rating.amount == 100
    rating = rated(charge("flat", "a", amount="700"), minimum="100", cap="300")
    assert (rating.amount, [(line.name, line.amount) for line in rating.adjustments]) == (300, [("cap", -400)])
    assert [(step.code, step.product) for step in rating.steps] == [
        ("charge", "700"),
        ("sum", "700"),
        ("minimum", "700"),
        ("cap", "300"),
    ]


def test_a_currency_with_cents_is_rounded_to_cents() -> None:
    rating = rated(charge("per_unit", per=1000, price="0.005"), currency="USD", quantities=[tokens(1000), tokens(2000)])
    assert rating.amount == 2  # 0.015 dollars
    assert rating.lines[0].explanation[-1].product == "0.02"


def test_a_base_is_in_minor_units() -> None:
    rating = rated(
        charge("percentage", base="revenue", percent="10"), quantities=[], bases={"revenue": 12_345}, currency="USD"
    )
    assert rating.amount == 1_235  # 10 % of $123.45 is $12.345


def test_an_absurd_amount_is_refused() -> None:
    with pytest.raises(Refusal) as caught:
        rated(charge("per_unit", per=1, price="1000000000000"), quantities=[tokens(10**15)])
    assert caught.value.code == "amount_too_large"


def test_a_rating_survives_json() -> None:
    rating = rated(
        charge("percentage", base="revenue", percent="3"), charge("percentage", "other", base="seats", percent="3"),
        charge("per_work", price="1", uses=["index"]),
        charge("graduated", per=7, tiers=[{"price": "1"}], kinds=["web"]),
        quantities=[tokens(10), tokens(3, kind="book")], bases={"revenue": 9}, minimum="100",
    )  # fmt: skip
    assert Rating.from_data(json.loads(json.dumps(rating.as_data()))) == rating
