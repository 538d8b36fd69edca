"""Reading a tariff document: strict, and telling everything that is wrong at once."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from babel.numbers import get_currency_precision
from hypothesis import given
from hypothesis import strategies as st

from licensing.tariffs import core
from licensing.tariffs.charges import MODELS
from licensing.tariffs.currencies import MINOR_DIGITS
from licensing.tariffs.reading import BadDocument
from tests.licensing.tariff_documents import charge, tariff


def errors(document: Any) -> dict[str, str]:
    """Pointer → code of every problem."""
    with pytest.raises(BadDocument) as caught:
        core.parse(document)
    return {error["pointer"]: error["code"] for error in caught.value.errors}


def test_the_contracts_example_is_read() -> None:
    schedule = core.parse(tariff())
    assert (schedule.tariff, schedule.version, schedule.currency) == ("WEB", 1, "KRW")
    assert (schedule.valid_from, schedule.valid_to) == (datetime.date(2026, 1, 1), None)
    assert [(c.name, c.uses, c.kinds, c.unit) for c in schedule.charges] == [
        ("training tokens", ("train",), ("web",), "token")
    ]


def test_every_model_is_read() -> None:
    charges = [
        charge("flat", amount="100000"),
        charge("per_unit", per=1, price="0.000000000001"),
        charge("graduated", per=1000, tiers=[{"up_to": 5, "price": "1"}, {"price": "0"}]),
        charge("volume", per=1000, tiers=[{"price": "1"}]),
        charge("package", size=1000, price="30"),
        charge("per_work", price="1.5", licensee_tiers=["small", "large"]),
        charge("percentage", base="revenue", percent="0.5"),
    ]
    schedule = core.parse(tariff(*charges))
    assert [c.model for c in schedule.charges] == list(MODELS)
    assert schedule.bases == ("revenue",)


def test_all_problems_are_told_with_their_pointers() -> None:
    broken = tariff(
        {"name": "a", "model": "graduated", "uses": ["train", "read"], "kinds": "*", "unit": "*", "per": 0,
         "tiers": [{"up_to": 5, "price": 0.1}, {"up_to": 5, "price": "-1"}, {"up_to": 9, "price": "1", "bonus": 1}]},
        {"name": "a", "model": "flat", "amount": "1e3"},
        {"name": "b", "model": "guess"},
        "free",
        tariff="W B", version=True, currency="WON", valid_to="2026-01-01", minimum="10", cap="9", **{"a/b~": 1},
    )  # fmt: skip
    assert errors(broken) == {
        "/a~1b~0": "unknown_key",
        "/tariff": "bad_form",
        "/version": "not_an_integer",
        "/currency": "unknown_term",
        "/valid_to": "not_after_start",
        "/charges/0/uses/1": "unknown_term",
        "/charges/0/unit": "unknown_term",
        "/charges/0/per": "out_of_range",
        "/charges/0/tiers/0/price": "not_a_string",
        "/charges/0/tiers/1/price": "not_a_decimal",
        "/charges/0/tiers/1/up_to": "not_ascending",
        "/charges/0/tiers/2/bonus": "unknown_key",
        "/charges/0/tiers/2/up_to": "last_tier_not_open",
        "/charges/1/name": "name_twice",
        "/charges/1/amount": "not_a_decimal",
        "/charges/2/model": "unknown_term",
        "/charges/3": "not_an_object",
    }


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"charges": []}, "/charges", "not_a_list"),
        ({"charges": [charge("flat")]}, "/charges/0/amount", "missing"),
        ({"charges": [charge("flat", amount="1", per=1)]}, "/charges/0/per", "unknown_key"),
        ({"charges": [charge("per_unit", per=1000.0, price="1")]}, "/charges/0/per", "not_an_integer"),
        ({"charges": [charge("per_unit", per="1000", price="1")]}, "/charges/0/per", "not_an_integer"),
        ({"charges": [charge("per_unit", per=1, price="0.0000000000001")]}, "/charges/0/price", "not_a_decimal"),
        ({"charges": [charge("per_unit", per=1, price="1000000000001")]}, "/charges/0/price", "out_of_range"),
        ({"charges": [charge("per_unit", per=1, price="١")]}, "/charges/0/price", "not_a_decimal"),
        ({"charges": [charge("per_unit", per=1, price="1\n")]}, "/charges/0/price", "not_a_decimal"),
        ({"charges": [charge("percentage", base="revenue", percent="100.1")]}, "/charges/0/percent", "out_of_range"),
        ({"charges": [charge("percentage", base="a=b", percent="1")]}, "/charges/0/base", "bad_form"),
        ({"charges": [{"name": "x", "model": "per_unit", "per": 1, "price": "1"}]}, "/charges/0/uses", "missing"),
        ({"charges": [charge("flat", amount="1", name="a\u0000b")]}, "/charges/0/name", "not_printable"),
        ({"charges": [charge("flat", amount="1", name="\ud800")]}, "/charges/0/name", "not_printable"),
        ({"valid_from": "20260101"}, "/valid_from", "not_a_day"),
        ({"valid_from": "2026-02-30"}, "/valid_from", "not_a_day"),
        ({"minimum": "0.5"}, "/minimum", "not_whole"),
        ({"minimum": "0.005", "currency": "USD"}, "/minimum", "not_whole"),
        ({"minimum": 50000}, "/minimum", "not_a_string"),
        ({"cap": "10000000000000000"}, "/cap", "not_a_decimal"),
        ({"combine": "average"}, "/combine", "unknown_term"),
        ({"version": 0}, "/version", "out_of_range"),
        ({"\ud800": 1}, "/\\ud800", "unknown_key"),
    ],
)
def test_one_problem_is_found(change: dict[str, Any], pointer: str, code: str) -> None:
    found = errors(tariff() | change)
    assert found[pointer] == code
    json.dumps(found).encode()


def test_minimum_and_cap_become_minor_units_of_the_currency() -> None:
    schedule = core.parse(tariff(currency="USD", minimum="0.05", cap="12345.67"))
    assert (schedule.minimum, schedule.cap) == (5, 1234567)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "not_json"),
        (b"\xff\xfe{", "not_utf8"),
        (b'{"a": 1, "a": 2}', "key_twice"),
        (b'{"a": NaN}', "not_json"),
        (b"[" * 100_000, "not_json"),
        (b'{"version": ' + b"9" * 5000 + b"}", "not_json"),
        (b" " * 1_000_001, "too_large"),
    ],
)
def test_text_that_is_no_json_is_refused(text: bytes, code: str) -> None:
    with pytest.raises(BadDocument) as caught:
        core.read_text(text)
    assert caught.value.errors[0]["code"] == code


def test_a_byte_order_mark_is_read_over() -> None:
    assert core.read_text(b"\xef\xbb\xbf{}") == {}


def test_the_digest_ignores_order_and_spaces_only() -> None:
    document = tariff()
    turned = dict(reversed(document.items()))
    assert core.digest(document) == core.digest(json.loads(json.dumps(turned, indent=3)))
    assert core.digest(document) != core.digest(document | {"version": 2})


def test_pages_show_each_currency_with_the_decimals_that_rating_uses() -> None:
    assert {code: get_currency_precision(code) for code in MINOR_DIGITS} == MINOR_DIGITS


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.sampled_from([*tariff(), *charge("volume", per=1, tiers=[])]) | st.text(), inner)
    ),
    max_leaves=20,
)


def problems_of(document: Any) -> list[dict[str, Any]]:
    """What is refused in a document, if anything; everything else that is raised is a fault."""
    try:
        schedule = core.parse(document)
    except BadDocument as refused:
        return list(refused.errors)
    core.rate(schedule, quantities=[], bases=dict.fromkeys(schedule.bases, 1))
    return []


@given(json_values, st.sampled_from(["charges", "tariff", "minimum", "version", "valid_from", ""]))
def test_no_document_breaks_the_reader(value: Any, key: str) -> None:
    json.dumps(problems_of(tariff() | {key: value} if key else value), ensure_ascii=False).encode()


charge_keys = st.sampled_from(["per", "tiers", "price", "size", "amount", "base", "percent", "unit", "uses"])


@given(st.dictionaries(charge_keys, json_values), st.sampled_from(list(MODELS)))
def test_no_charge_breaks_the_reader(keys: dict[str, Any], model: str) -> None:
    json.dumps(problems_of(tariff(charge(model, **keys))), ensure_ascii=False).encode()
