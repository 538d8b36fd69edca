"""What differs between two versions of a tariff."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from licensing.tariffs.comparing import Change, Difference, compare, percent_change
from licensing.tariffs.core import Quantity, parse, rate
from tests.licensing.tariff_documents import charge, tariff


def difference(before: dict[str, Any], after: dict[str, Any]) -> Difference:
    return compare(parse(before), parse(after))


def test_a_version_does_not_differ_from_itself() -> None:
    found = difference(tariff(), tariff(version=2))
    assert not found
    assert [each.state for each in found.charges] == ["same"]


def test_a_price_that_rose_says_by_how_much() -> None:
    old, new = (tariff(charge("per_unit", per=1000, price=price)) for price in ("0.05", "0.06"))
    [changed] = difference(old, new).charges
    assert changed.state == "changed"
    assert changed.changes == (Change("unit_price", Decimal("0.05"), Decimal("0.06"), Decimal(20)),)
    [back] = difference(new, old).charges
    assert back.changes[0].percent == Decimal("-16.67")


def test_a_price_from_nothing_rises_by_no_percentage() -> None:
    [changed] = difference(tariff(charge("flat", amount="0")), tariff(charge("flat", amount="5"))).charges
    assert changed.changes == (Change("amount", Decimal(0), Decimal(5), None),)


def test_charges_are_added_removed_and_renamed() -> None:
    old = tariff(charge("flat", "a", amount="1"), charge("flat", "b", amount="2"))
    new = tariff(charge("flat", "c", amount="2"), charge("flat", "d", amount="9"))
    found = difference(old, new)
    assert [(each.state, each.name) for each in found.charges] == [("changed", "c"), ("added", "d"), ("removed", "a")]
    assert found.charges[0].changes == (Change("name", "b", "c"),)


def test_the_header_and_the_scope_of_a_charge_are_compared() -> None:
    old = tariff(charge("per_unit", per=1, price="1", uses=["train"]), minimum="100", valid_to="2027-01-01")
    new = tariff(
        charge("per_unit", per=1, price="1", uses=["train", "ground"], licensee_tiers=["small"]),
        minimum="150", combine="greatest",
    )  # fmt: skip
    found = difference(old, new)
    assert {change.what: change.percent for change in found.header} == {
        "valid_to": None, "combine": None, "minimum": Decimal(50),
    }  # fmt: skip
    assert [(change.what, change.after) for change in found.charges[0].changes] == [
        ("uses", ("ground", "train")), ("licensee_tiers", ("small",)),
    ]  # fmt: skip


def test_another_model_stands_beside_the_old_one() -> None:
    [changed] = difference(
        tariff(charge("per_work", "fee", price="3")), tariff(charge("flat", "fee", amount="3"))
    ).charges
    assert changed.repriced
    assert [change.what for change in changed.changes] == ["model"]


def test_tiers_are_compared_quantity_by_quantity_whatever_their_bounds() -> None:
    old = tariff(charge("graduated", per=1000, tiers=[{"up_to": 1000, "price": "5"}, {"price": "3"}]))
    new = tariff(
        charge(
            "graduated", per=1000, tiers=[{"up_to": 500, "price": "5"}, {"up_to": 2000, "price": "4"}, {"price": "3"}]
        )
    )
    [changed] = difference(old, new).charges
    assert changed.changes == ()
    assert [(s.lower, s.upper, s.before, s.after, s.percent) for s in changed.segments] == [
        (1, 500, 5, 5, 0), (501, 1000, 5, 4, -20), (1001, 2000, 3, 4, Decimal("33.33")), (2001, None, 3, 3, 0),
    ]  # fmt: skip
    assert [segment.differs for segment in changed.segments] == [False, True, True, False]


def test_a_price_for_ten_times_as_many_at_ten_times_the_price_is_the_same_price() -> None:
    old = tariff(charge("volume", per=1, tiers=[{"price": "5"}]))
    new = tariff(charge("volume", per=10, tiers=[{"price": "50"}]))
    [changed] = difference(old, new).charges
    assert [change.what for change in changed.changes] == ["per"]
    assert not changed.segments[0].differs


PRICES = st.decimals(0, 1000, places=2).map(str)
BOUNDS = st.lists(st.integers(1, 10_000), max_size=5, unique=True).map(sorted)


@st.composite
def tiered(draw: st.DrawFn) -> dict[str, Any]:
    tiers: list[dict[str, Any]] = [{"up_to": bound, "price": draw(PRICES)} for bound in draw(BOUNDS)]
    return tariff(charge("volume", "v", per=draw(st.sampled_from([1, 7])), tiers=[*tiers, {"price": draw(PRICES)}]))


@given(tiered(), tiered(), st.integers(1, 20_000))
def test_what_the_segments_say_is_what_the_rates_ask(before: dict[str, Any], after: dict[str, Any], units: int) -> None:
    """At every quantity a segment differs exactly where the two versions do."""
    [changed] = difference(before, after).charges
    exact = [
        rate(parse(document), quantities=[Quantity("train", "web", "token", units)]).lines[0].explanation[0].product
        for document in (before, after)
    ]
    inside = [s for s in changed.segments if s.lower <= units and (s.upper is None or units <= s.upper)]
    if changed.segments:
        assert len(inside) == 1
        assert inside[0].differs == (exact[0] != exact[1])
    else:
        assert exact[0] == exact[1]


@given(st.integers(1, 10**9), st.integers(0, 10**9))
def test_a_percentage_is_near_the_exact_one(before: int, after: int) -> None:
    found = percent_change(before, after)
    assert found is not None
    assert abs(before * found / 100 + before - after) <= Decimal(before) / 20_000 + Decimal("1e-9")
