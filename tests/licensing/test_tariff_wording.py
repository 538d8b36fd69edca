"""The steps of a rating in words."""

from __future__ import annotations

import pytest
from django.utils.translation import override

from config.templatetags import tariffs, terms
from licensing import labels
from licensing import terms as known
from licensing.tariffs.core import Quantity, Rating, Step, parse, rate
from tests.licensing.tariff_documents import charge, tariff


def rating() -> Rating:
    document = tariff(
        charge("flat", amount="100000"),
        charge("per_unit", per=7, price="0.05"),
        charge("graduated", per=1000, tiers=[{"up_to": 1000, "price": "5"}, {"price": "3"}]),
        charge("volume", per=1, tiers=[{"up_to": 1000, "price": "5"}, {"price": "3"}]),
        charge("package", size=1000, price="30"),
        charge("per_work", price="1.5"),
        charge("percentage", base="revenue", percent="2.5"),
        minimum="50", cap="1000000",
    )  # fmt: skip
    return rate(parse(document), quantities=[Quantity("train", "web", "token", 1_234_567, 3)], bases={"revenue": 99})


def test_every_step_of_every_model_is_said() -> None:
    found = rating()
    said = [tariffs.explained(line.explanation, "KRW") for line in found.lines]
    assert said[0] == [
        {"label": "A fixed amount a period", "value": "₩100,000", "detail": ""},
        {"label": "Rounded once, half up", "value": "₩100,000", "detail": ""},
    ]
    assert said[1][0] == {
        "label": "Units × price",
        "value": "≈ ₩8,818.335714286",
        "detail": "1,234,567 tokens × ₩0.05 ÷ 7",
    }
    assert said[2][1] == {"label": "Tier from 1,001", "value": "₩3,700.701", "detail": "1,233,567 tokens × ₩3 ÷ 1,000"}
    assert said[4][:2] == [
        {"label": "Packages", "value": "1,235", "detail": "1,234,567 tokens ÷ 1,000, a package begun counts whole"},
        {"label": "Packages × price", "value": "₩37,050", "detail": "1,235 × ₩30"},
    ]
    assert said[5][0]["detail"] == "3 works × ₩1.50"
    assert said[6] == [
        {"label": "2.5% of the declared base “revenue”", "value": "₩2.475", "detail": "₩99 × 2.5%"},
        {"label": "Rounded once, half up", "value": "₩2", "detail": "₩2.475"},
    ]
    assert [step["label"] for step in tariffs.explained(found.steps, "KRW")][-2:] == [
        "At least ₩50 a period",
        "At most ₩1,000,000 a period",
    ]


def test_stored_steps_are_said_like_fresh_ones() -> None:
    found = rating()
    stored = found.as_data()["lines"][2]["explanation"]
    assert tariffs.explained(stored, "KRW") == tariffs.explained(found.lines[2].explanation, "KRW")


def test_prices_keep_all_their_digits() -> None:
    assert tariffs.price("0.000000000001", "KRW") == "₩0.000000000001"
    assert tariffs.price("12.5", "USD") == "US$12.50"
    assert tariffs.price("0.005", "USD") == "US$0.005"


def test_greatest_is_said() -> None:
    assert tariffs.explained([Step("greatest", product="7")], "KRW") == [
        {"label": "Greatest of the charges", "value": "₩7", "detail": ""}
    ]


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_term_has_a_label(language: str) -> None:
    assert labels.LABELS.keys() == {*known.USES, *known.KINDS}
    assert labels.UNITS.keys() == known.UNITS.keys()
    assert labels.STATUSES.keys() == known.LINE_STATUSES.keys()
    with override(language):
        assert terms.term("*") != "*"
    with override("en"):
        assert {code: terms.term(code) for code in known.USES} == known.USES
        assert terms.terms(["train", "ground"]) == "training, grounding"
        assert {code: terms.unit(code) for code in known.UNITS} == known.UNITS
