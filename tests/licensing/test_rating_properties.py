"""Every charge model against an oracle in whole numbers, and what holds for any tariff and any use."""

from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from licensing.tariffs.core import Quantity, Rating, parse, rate
from tests.licensing.tariff_documents import charge, tariff

UNIT = 10**12  # prices have at most 12 decimals, so this many parts of a won make every price whole

units = st.integers(0, 10**13)
prices = st.decimals(0, 100, places=12, allow_nan=False).map(lambda d: f"{d:f}")
pers = st.sampled_from([1, 3, 7, 1000, 1_000_000])


@st.composite
def tiers(draw: st.DrawFn) -> list[dict[str, Any]]:
    bounds = sorted(draw(st.sets(st.integers(1, 10**13), max_size=6)))
    return [{"up_to": bound, "price": draw(prices)} for bound in bounds] + [{"price": draw(prices)}]


def parts(price: str) -> int:
    return int(Decimal(price) * UNIT)


def rounded(numerator: int, denominator: int) -> int:
    """Half up, by whole numbers alone."""
    whole, rest = divmod(numerator, denominator)
    return whole + (2 * rest >= denominator)


def amount(*charges: dict[str, Any], n: int = 0, works: int = 1, **keys: Any) -> int:
    return rate(parse(tariff(*charges, **keys)), quantities=[Quantity("train", "web", "token", n, works)]).amount


@given(units, pers, prices)
def test_per_unit(n: int, per: int, price: str) -> None:
    assert amount(charge("per_unit", per=per, price=price), n=n) == rounded(n * parts(price), per * UNIT)


@given(units, pers, tiers())
def test_graduated_is_the_sum_of_its_changes_of_price(n: int, per: int, steps: list[dict[str, Any]]) -> None:
    """Each tier changes the price of every unit above its lower bound; the sum of these changes is the amount."""
    total = before = lower = 0
    for step in steps:
        total += max(0, n - lower) * (parts(step["price"]) - before)
        before, lower = parts(step["price"]), step.get("up_to", 0)
    assert amount(charge("graduated", per=per, tiers=steps), n=n) == rounded(total, per * UNIT)


@given(units, pers, tiers())
def test_volume_prices_all_by_the_number_of_bounds_below(n: int, per: int, steps: list[dict[str, Any]]) -> None:
    reached = sum(1 for step in steps[:-1] if n > step["up_to"])
    assert amount(charge("volume", per=per, tiers=steps), n=n) == rounded(
        n * parts(steps[reached]["price"]), per * UNIT
    )


@given(units, st.integers(1, 10**9), prices)
def test_package(n: int, size: int, price: str) -> None:
    packages = 0 if n == 0 else 1 + (n - 1) // size
    expected = rounded(packages * parts(price), UNIT)
    if expected <= 10**15:
        assert amount(charge("package", size=size, price=price), n=n) == expected


@given(st.integers(0, 10**9), prices)
def test_per_work(works: int, price: str) -> None:
    assert amount(charge("per_work", price=price), n=1, works=works) == rounded(works * parts(price), UNIT)


@given(
    st.integers(0, 10**15),
    st.decimals(0, 100, places=12, allow_nan=False).map(lambda d: f"{d:f}"),
    st.sampled_from(["KRW", "USD", "KWD"]),
)
def test_percentage(base: int, percent: str, currency: str) -> None:
    """Of minor units, whatever the currency's decimals."""
    schedule = parse(tariff(charge("percentage", base="revenue", percent=percent), currency=currency))
    rating = rate(schedule, quantities=[], bases={"revenue": base})
    assert rating.amount == rounded(base * parts(percent), 100 * UNIT)


@given(prices, st.sampled_from([("KRW", 1), ("USD", 100), ("KWD", 1000)]))
def test_flat(price: str, currency: tuple[str, int]) -> None:
    code, minor = currency
    schedule = parse(tariff(charge("flat", amount=price), currency=code))
    assert rate(schedule, quantities=[]).amount == rounded(parts(price) * minor, UNIT)


@given(units, st.integers(0, 10**12), pers, tiers(), prices)
def test_more_use_never_costs_less(n: int, more: int, per: int, steps: list[dict[str, Any]], price: str) -> None:
    """Of all models but `volume`, whose cheaper tiers may cost less in total."""
    for model in (
        charge("graduated", per=per, tiers=steps),
        charge("per_unit", per=per, price=price),
        charge("package", size=10**6, price=price),
    ):
        assert amount(model, n=n) <= amount(model, n=n + more)


@given(pers, tiers())
def test_a_bound_belongs_to_the_tier_that_it_ends(per: int, steps: list[dict[str, Any]]) -> None:
    for step in steps[:-1]:
        exact = Fraction(step["price"]) / per
        at = parse(tariff(charge("volume", per=per, tiers=steps)))
        assert rate(at, quantities=[Quantity("train", "web", "token", step["up_to"])]).amount == rounded(
            *(step["up_to"] * exact).as_integer_ratio()
        )


@st.composite
def schedules(draw: st.DrawFn) -> dict[str, Any]:
    makers = [
        st.builds(lambda p: charge("flat", amount=p), prices),
        st.builds(lambda p, per: charge("per_unit", per=per, price=p), prices, pers),
        st.builds(lambda t, per: charge("graduated", per=per, tiers=t), tiers(), pers),
        st.builds(lambda t, per: charge("volume", per=per, tiers=t), tiers(), pers),
        st.builds(lambda p: charge("per_work", price=p), prices),
        st.builds(lambda p: charge("percentage", base="revenue", percent=p), prices),
    ]
    scope = st.fixed_dictionaries(
        {},
        optional={
            "uses": st.sampled_from([["train"], ["ground", "train"], ["*"]]),
            "kinds": st.sampled_from([["web"], ["*"]]),
        },
    )
    charges = [
        c | draw(scope) | {"name": f"charge {n}"}
        for n, c in enumerate(draw(st.lists(st.one_of(makers), min_size=1, max_size=5)))
    ]
    minimum, cap = sorted([draw(st.integers(0, 10**9)), draw(st.integers(0, 10**9))])
    return tariff(
        *charges, combine=draw(st.sampled_from(["sum", "greatest"])),
        minimum=draw(st.sampled_from([None, str(minimum)])), cap=draw(st.sampled_from([None, str(cap)])),
    )  # fmt: skip


quantities = st.lists(
    st.builds(
        Quantity,
        st.sampled_from(["train", "ground"]),
        st.sampled_from(["web", "book"]),
        st.sampled_from(["token", "page"]),
        st.integers(1, 10**9),
        st.integers(1, 9),
    ),
    max_size=8,
)


def of(document: dict[str, Any], declared: list[Quantity]) -> Rating:
    return rate(parse(document), quantities=declared, bases={"revenue": 10**9})


@given(schedules(), quantities, st.randoms(use_true_random=False))
def test_neither_order_nor_partition_of_the_lines_matters(
    document: dict[str, Any], declared: list[Quantity], dice: random.Random
) -> None:
    split = [
        part
        for q in declared
        for part in (
            (q,)
            if q.units < 2
            else (Quantity(q.use, q.kind, q.unit, 1, 0), Quantity(q.use, q.kind, q.unit, q.units - 1, q.works))
        )
    ]
    dice.shuffle(split)
    assert of(document, split) == of(document, declared)


@given(schedules(), quantities)
def test_the_explanation_adds_up(document: dict[str, Any], declared: list[Quantity]) -> None:
    rating = of(document, declared)
    assert rating.amount == sum(line.amount for line in (*rating.lines, *rating.adjustments))
    for line in rating.lines:
        *steps, last = line.explanation
        assert sum((Fraction(step.product or 0) for step in steps), Fraction(0)) == Fraction(last.quantity)
        assert rounded(*Fraction(last.quantity).as_integer_ratio()) == int(last.product) == line.amount
    assert int(rating.steps[-1].product) == rating.amount


@given(schedules(), quantities)
def test_a_line_is_priced_or_listed_as_unpriced(document: dict[str, Any], declared: list[Quantity]) -> None:
    rating = of(document, declared)
    fits = [c.fits for c in parse(document).charges]
    left = sum(q.units for q in declared if not any(fit(q.use, q.kind, q.unit) for fit in fits))
    assert sum(q.units for q in rating.unpriced) == left
    assert Rating.from_data(rating.as_data()) == rating


@given(schedules(), quantities)
def test_minimum_and_cap_hold(document: dict[str, Any], declared: list[Quantity]) -> None:
    rating = of(document, declared)
    if document["cap"]:
        assert rating.amount <= int(document["cap"])
    if document["minimum"]:
        assert rating.amount >= int(document["minimum"])
