"""Tariffs as societies and publishers have made them public: each shape priced by a calculation of the test's own.

The expected amounts are worked out here, in exact fractions and by hand, from the figures that docs/tariffs.md names; no
charge of the product is asked. What each rating says of itself must add up, line by line, to the same amount.
"""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest
from django.utils.translation import override

from accounts.identity.core import Refusal
from config.templatetags import tariffs
from licensing.tariffs import core, examples
from licensing.tariffs.core import Quantity, Rating
from licensing.tariffs.schedule import SelfService
from royalties.distribution.core import allocation, cuts, rules

DECIMALS = {"KRW": 0, "USD": 2, "EUR": 2, "SEK": 2}


def to_minor(major: Fraction | int, currency: str) -> int:
    """Rounded half up to won or cents."""
    minor = Fraction(major) * 10 ** DECIMALS[currency]
    whole, rest = divmod(minor.numerator, minor.denominator)
    return int(whole + (2 * rest >= minor.denominator))


def in_minor(text: str, currency: str) -> Fraction:
    return Fraction(text) * 10 ** DECIMALS[currency]


def price(shape: str, *quantities: Quantity, **given: Any) -> Rating:
    """The shape's rating, after its explanation has been added up."""
    schedule = core.parse(examples.read(shape))
    rating = core.rate(schedule, quantities=quantities, **given)
    check_explanation(rating, schedule.combine)
    return rating


def check_explanation(rating: Rating, combine: str) -> None:
    """Step by step: a line's products make the exact amount, that is rounded once, and lines and rules make the sum."""
    currency = rating.currency
    for line in rating.lines:
        *products, rounding = line.explanation
        assert sum((Fraction(step.product or "0") for step in products), Fraction(0)) == Fraction(rounding.quantity)
        assert rounding.code == "round"
        assert to_minor(Fraction(rounding.quantity), currency) == in_minor(rounding.product, currency) == line.amount
        for step in products:
            if step.code in ("per_unit", "graduated", "volume", "per_work", "package"):
                count, per = Fraction(step.quantity), Fraction(step.per or "1")
                assert count * Fraction(step.price) / per == Fraction(step.product)
            elif step.code == "percentage":
                assert Fraction(step.quantity) * Fraction(step.price) / 100 == Fraction(step.product)
    named = [step for step in rating.steps if step.code == "charge"]
    assert [(step.name, in_minor(step.product, currency)) for step in named] == [
        (line.name, line.amount) for line in rating.lines
    ]
    amounts = [line.amount for line in rating.lines]
    combined, *bounds = rating.steps[len(named) :]
    expected = sum(amounts) if combine == "sum" else max(amounts, default=0)
    assert (combined.code, in_minor(combined.product, currency)) == (combine, expected)
    running = Fraction(expected)
    for step in bounds:
        running = {"minimum": max, "cap": min}[step.code](running, in_minor(step.price, currency))
        assert in_minor(step.product, currency) == running
    assert running == rating.amount == sum(line.amount for line in (*rating.lines, *rating.adjustments))
    for language in ("en", "ko"):
        with override(language):
            said = [tariffs.explained(line.explanation, currency) for line in (*rating.lines, *rating.adjustments)]
            assert all(step["label"] and step["value"] for steps in said for step in steps)


def refused(shape: str, *quantities: Quantity, **given: Any) -> set[str]:
    with pytest.raises(Refusal) as caught:
        price(shape, *quantities, **given).require_billable()
    return {error["code"] for error in caught.value.errors}


def test_every_example_is_a_tariff_and_has_a_title_in_both_languages() -> None:
    titles = {}
    for language in ("en", "ko"):
        with override(language):
            titles[language] = [str(title) for title, _path in examples.EXAMPLES.values()]
    assert all(a != b for a, b in zip(titles["en"], titles["ko"], strict=True))
    for name in examples.EXAMPLES:
        core.parse(examples.read(name))


# A fee by the firm's size and the number of works (STIM)


@pytest.mark.parametrize(("tier", "each"), [("small", "12.50"), ("medium", "40"), ("large", "110")])
@pytest.mark.parametrize("works", [1, 3, 40_003])
def test_a_fee_by_the_firms_size_and_the_number_of_works(tier: str, each: str, works: int) -> None:
    used = Quantity("train", "music", "second", 180 * works, works)
    rating = price("works-by-firm-size", used, tier=tier)
    assert rating.amount == to_minor(works * Fraction(each), "SEK")
    assert [(line.quantity, line.unit) for line in rating.lines] == [(works, "work")]


def test_a_firm_without_a_size_has_no_price() -> None:
    assert refused("works-by-firm-size", Quantity("train", "music", "second", 180, 1)) == {"unpriced"}


@pytest.mark.parametrize("pool", [1_000_003, 400_030, 2, 1])
def test_what_works_bring_is_split_equally_however_much_each_was_used(pool: int) -> None:
    """15 % is the society's; all the rest in equal parts, the odd öre to the first works by reference."""
    path = examples.EXAMPLES["works-by-firm-size"][1].with_name("works-by-firm-size.rule.json")
    rule = rules.parse(rules.read_text(path.read_bytes()))
    works = {"W1": 1, "W2": 999_999, "W3": 42}
    day = rule.valid_from
    weigh = rule.factor(use="train", unit="second", kind="music")
    uses = [allocation.Use(ref, True, day, seconds * weigh) for ref, seconds in works.items()]
    shares = [allocation.Share(ref, f"H-{ref}", "composer", 1_000_000) for ref in works]
    cut = cuts.cut(pool, rule)
    fee = to_minor(Fraction(pool * 15, 100), "KRW")
    assert (cut.distributable, cut.equal_part) == (pool - fee, pool - fee)
    lines = allocation.allocate(uses, shares, distributable=cut.distributable, equal_part=cut.equal_part)
    given = {line.key: line.amount for line in lines}
    each, left_over = divmod(pool - fee, 3)
    assert given == {ref: each + (place < left_over) for place, ref in enumerate(works)}


# A share of net income with a minimum (GEMA)


@pytest.mark.parametrize(
    ("net_income", "binds"),
    [("0", True), ("83333.31", True), ("83333.32", False), ("83333.34", False), ("1234567.89", False)],
)
def test_thirty_percent_of_net_income_but_never_below_the_minimum(net_income: str, binds: bool) -> None:
    rating = price("share-of-net-income", bases={"net_income": int(in_minor(net_income, "EUR"))})
    share = to_minor(Fraction(net_income) * 30 / 100, "EUR")
    minimum = to_minor(25_000, "EUR")
    assert rating.amount == max(share, minimum)
    assert [line.name for line in rating.adjustments] == (["minimum"] if binds else [])


def test_net_income_must_be_declared() -> None:
    assert refused("share-of-net-income", Quantity("train", "music", "second", 5, 1)) == {"missing_base"}


# By the token, graduated


@pytest.mark.parametrize(
    "tokens", [0, 1, 9_999, 10_000, 10**9 - 1, 10**9, 10**9 + 1, 10**10, 10**10 + 50_000, 20_858_600_725, 10**15]
)
def test_tokens_by_tiers_of_which_each_prices_its_own(tokens: int) -> None:
    first = min(tokens, 10**9)
    second = min(max(tokens - 10**9, 0), 9 * 10**9)
    third = max(tokens - 10**10, 0)
    exact = first * Fraction("0.05") / 1000 + second * Fraction("0.03") / 1000 + third * Fraction("0.01") / 1000
    rating = price("tokens-graduated", Quantity("train", "web", "token", tokens, 1))
    assert rating.amount == to_minor(exact, "KRW")
    assert len(rating.lines[0].explanation) - 1 == sum(part > 0 for part in (first, second, third))


# The greater of a share of revenue and an amount a subscriber (KOMCA)


@pytest.mark.parametrize(
    ("revenue", "subscribers"),
    [(0, 0), (0, 1), (3_000, 1), (2_999, 1), (36_000_005, 12_000), (36_000_004, 12_000), (10**9, 12_001)],
)
def test_the_greater_of_a_share_of_revenue_and_an_amount_a_subscriber(revenue: int, subscribers: int) -> None:
    rating = price("greatest-of-revenue-and-subscribers", bases={"revenue": revenue, "subscribers": subscribers})
    of_revenue, of_subscribers = to_minor(Fraction(revenue, 10), "KRW"), 300 * subscribers
    assert rating.amount == max(of_revenue, of_subscribers)
    assert [(line.name, line.quantity, line.unit, line.amount) for line in rating.lines] == [
        ("share of revenue", None, "", of_revenue),
        ("subscribers", subscribers, "subscribers", of_subscribers),
    ]
    smaller = min(of_revenue, of_subscribers)
    assert [line.amount for line in rating.adjustments] == ([-smaller] if smaller else [])


def test_both_figures_must_be_declared_before_the_greater_is_known() -> None:
    assert refused("greatest-of-revenue-and-subscribers", bases={"revenue": 10**9}) == {"missing_base"}
    assert refused("greatest-of-revenue-and-subscribers", bases={"subscribers": 1}) == {"missing_base"}


def test_a_count_is_said_by_its_name() -> None:
    rating = price("greatest-of-revenue-and-subscribers", bases={"revenue": 0, "subscribers": 12_000})
    with override("en"):
        [units, rounding] = tariffs.explained(rating.lines[1].explanation, "KRW")
    assert units == {"label": "Units × price", "value": "₩3,600,000", "detail": "12,000 subscribers × ₩300"}
    assert rounding["value"] == "₩3,600,000"


# By the title for three years (HarperCollins)


@pytest.mark.parametrize("titles", [1, 7, 3_001])
def test_a_fee_a_title_for_three_years(titles: int) -> None:
    rating = price("per-title-three-years", Quantity("train", "book", "token", 10**9, titles))
    assert rating.amount == to_minor(titles * (2_500 + 2_500), "USD")
    assert core.parse(examples.read("per-title-three-years")).period_months == 36


# By the crawl (Cloudflare, RSL)


@pytest.mark.parametrize("crawls", [0, 1, 99, 12_345_678])
def test_a_price_a_crawl(crawls: int) -> None:
    trained, grounded = crawls // 3, crawls - crawls // 3
    rating = price(
        "per-crawl",
        Quantity("train", "web", "request", trained, 1),
        Quantity("ground", "news", "request", grounded, 1),
    )
    assert rating.amount == to_minor(crawls * Fraction("0.01"), "USD") == crawls


def test_a_page_that_was_not_crawled_has_no_price() -> None:
    assert refused("per-crawl", Quantity("train", "web", "page", 1, 1)) == {"unpriced"}


# One outlet's prices, set anew each month (Korea Press Foundation)

MONTHS = {
    "outlet-by-the-month.1": {"large": 90, "ordinary": 45, "small": 300_000, "research": 50_000},
    "outlet-by-the-month.2": {"large": 100, "ordinary": 50, "small": 320_000, "research": 50_000},
}


@pytest.mark.parametrize("month", MONTHS)
@pytest.mark.parametrize("articles", [1, 25_001])
def test_an_outlets_price_of_the_month_by_tier(month: str, articles: int) -> None:
    used = Quantity("train", "news", "work", articles, articles)
    for tier in ("large", "ordinary"):
        assert price(month, used, tier=tier).amount == articles * MONTHS[month][tier]
    for tier in ("small", "research"):
        assert price(month, used, tier=tier).amount == MONTHS[month][tier]
        assert price(month, tier=tier).amount == MONTHS[month][tier], "known before anything is used"


def test_the_months_follow_each_other_without_gap_and_small_firms_may_help_themselves() -> None:
    first, second = (core.parse(examples.read(month)) for month in MONTHS)
    assert first.valid_to == second.valid_from
    assert (first.tariff, first.version, second.version) == (second.tariff, 1, 2)
    assert first.period_months == second.period_months == 1
    assert first.self_service == second.self_service == SelfService(("research", "small"), 12)


# A levy by image and song, or by student (Korean lesson levy)


@pytest.mark.parametrize(("images", "songs"), [(1, 0), (5, 0), (0, 1), (1_000, 37), (65, 1)])
def test_a_levy_by_image_and_song(images: int, songs: int) -> None:
    used = [Quantity("ground", "image", "image", images, 1), Quantity("ground", "music", "work", songs, songs)]
    rating = price("lesson-levy", *(q for q in used if q.units), tier="by use")
    assert rating.amount == to_minor(images * Fraction("7.7"), "KRW") + songs * 42
    assert rating.billable


@pytest.mark.parametrize(("tier", "each"), [("university", 1_300), ("college", 1_200), ("distance university", 1_100)])
@pytest.mark.parametrize("students", [0, 1, 23_456])
def test_or_by_student_whatever_was_used(tier: str, each: int, students: int) -> None:
    used = Quantity("ground", "image", "image", 10**9, 10**6)
    rating = price("lesson-levy", used, tier=tier, bases={"students": students})
    assert rating.amount == students * each
    assert rating.billable, "the flat levy covers every line"


# A fee on each new version of a model


@pytest.mark.parametrize("versions", [0, 1, 2, 3, 11])
def test_a_fee_on_each_new_version_of_a_model(versions: int) -> None:
    used = Quantity("train", "book", "token", 10**9, 1_234)
    rating = price("fee-on-retraining", used, bases={"model_versions": versions})
    assert rating.amount == 150 * 1_234 + 5_000_000 * min(versions, 2) + 3_000_000 * max(versions - 2, 0)


def test_new_versions_must_be_declared_even_where_there_was_none() -> None:
    assert refused("fee-on-retraining", Quantity("train", "book", "token", 5, 1)) == {"missing_base"}
    assert price("fee-on-retraining", bases={"model_versions": 0}).billable


@pytest.mark.parametrize("shape", examples.EXAMPLES)
def test_the_rating_of_each_shape_survives_json(shape: str) -> None:
    schedule = core.parse(examples.read(shape))
    figures = dict.fromkeys((*schedule.bases, *schedule.counts), 7)
    for tier in {tier for charge in schedule.charges for tier in charge.licensee_tiers} or {""}:
        rating = price(shape, Quantity("train", "book", "token", 5, 1), bases=figures, tier=tier)
        assert Rating.from_data(json.loads(json.dumps(rating.as_data()))) == rating
