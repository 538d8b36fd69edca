"""What holds for any prices: more never costs less where a charge says so, bounds are exact, order and parts are nothing."""

from __future__ import annotations

import itertools
import random
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from licensing.tariffs.core import Quantity, Rating, parse, rate
from tests.licensing.tariff_documents import charge, tariff

MINOR = {"KRW": 1, "USD": 100, "KWD": 1000}

prices = st.decimals(0, 10, places=12, allow_nan=False).map(lambda d: f"{d:f}")
percents = st.decimals(0, 100, places=6, allow_nan=False).map(lambda d: f"{d:f}")
pers = st.sampled_from([1, 3, 7, 1000, 1_000_000])
numbers = st.integers(0, 10**9)
currencies = st.sampled_from(list(MINOR))


@st.composite
def tiers(draw: st.DrawFn, least: int = 0) -> list[dict[str, Any]]:
    bounds = sorted(draw(st.sets(st.integers(1, 10**9), min_size=least, max_size=6)))
    return [{"up_to": bound, "price": draw(prices)} for bound in bounds] + [{"price": draw(prices)}]


@st.composite
def counting(draw: st.DrawFn, *models: str) -> dict[str, Any]:
    """A charge that counts: units of lines, works, a declared number, or money."""
    model = draw(st.sampled_from(models))
    rates: dict[str, dict[str, Any]] = {
        "per_unit": {"per": draw(pers), "price": draw(prices)},
        "graduated": {"per": draw(pers), "tiers": draw(tiers())},
        "package": {"size": draw(st.integers(10**5, 10**9)), "price": draw(prices)},
        "per_work": {"price": draw(prices)},
        "percentage": {"base": "revenue", "percent": draw(percents)},
    }
    keys = rates[model]
    if model in ("per_unit", "graduated", "package") and draw(st.booleans()):
        return {"name": model, "model": model, "count": "subscribers"} | keys
    return charge(model, **keys)


def of(*charges: dict[str, Any], n: int, currency: str = "KRW", **keys: Any) -> Rating:
    """The rating of n of whatever the charges count."""
    named = [each | {"name": f"charge {place}"} for place, each in enumerate(charges)]
    return rate(
        parse(tariff(*named, currency=currency, **keys)),
        quantities=[Quantity("train", "web", "token", n, n)],
        bases={"revenue": n, "subscribers": n},
    )


def exact(rating: Rating) -> Fraction:
    """The amount before rounding, in major units, as its explanation says."""
    return sum((Fraction(line.explanation[-1].quantity) for line in rating.lines), Fraction(0))


@given(counting("per_unit", "graduated", "package", "per_work", "percentage"), numbers, numbers, currencies)
def test_more_never_costs_less(each: dict[str, Any], n: int, more: int, currency: str) -> None:
    """Of every model but `volume`; whether it counts units, works, money or a declared number."""
    assert of(each, n=n, currency=currency).amount <= of(each, n=n + more, currency=currency).amount


@given(tiers(least=1), pers, st.data(), st.booleans())
def test_volume_falls_only_where_another_tier_begins(
    steps: list[dict[str, Any]], per: int, data: st.DataObject, counted: bool
) -> None:
    place = data.draw(st.integers(0, len(steps) - 1))
    lower = steps[place - 1]["up_to"] + 1 if place else 0
    upper = steps[place].get("up_to", 10**9 + 10**6)
    a, b = sorted([data.draw(st.integers(lower, upper)), data.draw(st.integers(lower, upper))])
    each = charge("volume", per=per, tiers=steps)
    if counted:
        each = {"name": "volume", "model": "volume", "count": "subscribers", "per": per, "tiers": steps}
    assert of(each, n=a).amount <= of(each, n=b).amount


@given(tiers(least=1), pers, currencies)
def test_the_last_unit_of_a_tier_has_its_price_and_the_next_one_the_next(
    steps: list[dict[str, Any]], per: int, currency: str
) -> None:
    for step, following in itertools.pairwise(steps):
        edge = step["up_to"]
        graduated = charge("graduated", per=per, tiers=steps)
        before, at, after = (exact(of(graduated, n=n, currency=currency)) for n in (edge - 1, edge, edge + 1))
        assert (at - before, after - at) == (Fraction(step["price"]) / per, Fraction(following["price"]) / per)
        volume = charge("volume", per=per, tiers=steps)
        assert exact(of(volume, n=edge, currency=currency)) == edge * Fraction(step["price"]) / per
        assert exact(of(volume, n=edge + 1, currency=currency)) == (edge + 1) * Fraction(following["price"]) / per


@given(st.integers(1, 10**9), prices, st.integers(1, 1000))
def test_a_full_package_is_not_yet_the_next(size: int, price: str, packages: int) -> None:
    each = charge("package", size=size, price=price)
    full, begun = exact(of(each, n=size * packages)), exact(of(each, n=size * packages + 1))
    assert (full, begun) == (packages * Fraction(price), (packages + 1) * Fraction(price))


@given(
    st.lists(counting("per_unit", "per_work", "percentage"), min_size=1, max_size=5),
    st.lists(numbers, min_size=1, max_size=12),
    currencies,
)
def test_parts_of_a_period_differ_from_the_whole_by_their_rounding_alone(
    charges: list[dict[str, Any]], parts: list[int], currency: str
) -> None:
    """Each charge is rounded by at most half a minor unit: once in the whole, once in each part."""
    whole = of(*charges, n=sum(parts), currency=currency)
    apart = [of(*charges, n=part, currency=currency) for part in parts]
    in_parts = sum(rating.amount for rating in apart)
    assert sum(exact(rating) for rating in apart) == exact(whole)
    due = exact(whole) * MINOR[currency]
    assert abs(whole.amount - due) <= Fraction(len(charges), 2)
    assert abs(in_parts - due) <= Fraction(len(charges) * len(parts), 2)


@given(
    st.lists(counting("per_unit", "graduated", "package", "per_work", "percentage"), min_size=1, max_size=5),
    st.lists(
        st.builds(
            Quantity,
            st.sampled_from(["train", "ground"]),
            st.sampled_from(["web", "book"]),
            st.sampled_from(["token", "page"]),
            st.integers(0, 10**9),
            st.integers(0, 9),
        ),
        max_size=6,
    ),
    st.sampled_from(["sum", "greatest"]),
    st.randoms(use_true_random=False),
)
def test_neither_the_order_of_the_charges_nor_of_what_was_used_matters(
    charges: list[dict[str, Any]], used: list[Quantity], combine: str, dice: random.Random
) -> None:
    named = [each | {"name": f"charge {place}"} for place, each in enumerate(charges)]
    figures = {"subscribers": 12_345, "revenue": 10**9 + 1}

    def rated() -> Rating:
        return rate(parse(tariff(*named, combine=combine, minimum="7")), quantities=used, bases=figures)

    before = rated()
    dice.shuffle(named), dice.shuffle(used)
    after = rated()
    assert after.amount == before.amount
    assert sorted(after.lines, key=lambda line: line.name) == sorted(before.lines, key=lambda line: line.name)
    assert after.unpriced == before.unpriced


@given(st.sampled_from(["per_unit", "graduated", "volume", "package"]), tiers(), pers, prices, numbers, currencies)
def test_a_declared_number_costs_what_as_many_units_would(
    model: str, steps: list[dict[str, Any]], per: int, price: str, n: int, currency: str
) -> None:
    """It is a number, never money: the currency's decimals do not touch it."""
    keys: dict[str, Any] = {"per": per, "tiers": steps} if model in ("graduated", "volume") else {"price": price}
    keys |= {"per_unit": {"per": per}, "package": {"size": per}}.get(model, {})
    of_units = of(charge(model, **keys), n=n, currency=currency)
    counted = of({"name": model, "model": model, "count": "subscribers"} | keys, n=n, currency=currency)
    assert counted.amount == of_units.amount
    assert [(line.quantity, line.unit) for line in counted.lines] == [(n, "subscribers")]
