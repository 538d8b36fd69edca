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


def subscribers(model: str = "per_unit", name: str = "", **keys: Any) -> dict[str, Any]:
    """A charge that counts subscribers; it needs no uses, kinds or unit."""
    return {"name": name or model, "model": model, "count": "subscribers"} | keys


def test_a_declared_count_takes_the_place_of_units() -> None:
    charges = [
        subscribers(per=1, price="300"),
        subscribers("graduated", per=1, tiers=[{"up_to": 5, "price": "1"}, {"price": "0"}]),
        subscribers("volume", per=1, tiers=[{"price": "1"}], uses=["ground"], kinds=["music"], unit="second"),
        subscribers("package", size=1000, price="30", unit="*", licensee_tiers=["small"]),
        charge("percentage", base="revenue", percent="0.5"),
        charge("per_unit", name="tokens", per=1, price="1", count=None),
    ]
    schedule = core.parse(tariff(*charges))
    assert (schedule.bases, schedule.counts) == (("revenue",), ("subscribers",))
    assert [(c.count, c.uses, c.unit, c.standing, c.counts_units) for c in schedule.charges] == [
        ("subscribers", ("*",), "*", True, False),
        ("subscribers", ("*",), "*", True, False),
        ("subscribers", ("ground",), "second", True, False),
        ("subscribers", ("*",), "*", True, False),
        ("", ("*",), "*", True, False),
        ("", ("*",), "token", False, True),
    ]


@pytest.mark.parametrize(
    ("charges", "pointer", "code"),
    [
        ([subscribers(per=1, price="1", count="")], "/charges/0/count", "not_text"),
        ([subscribers(per=1, price="1", count=5)], "/charges/0/count", "not_text"),
        ([subscribers(per=1, price="1", count="a=b")], "/charges/0/count", "bad_form"),
        ([subscribers(per=1, price="1", count="x" * 41)], "/charges/0/count", "too_long"),
        ([subscribers(per=1, price="1", count="token")], "/charges/0/count", "is_a_unit"),
        ([subscribers(per=1, price="1", unit="seat")], "/charges/0/unit", "unknown_term"),
        ([subscribers("flat", amount="1")], "/charges/0/count", "unknown_key"),
        ([subscribers("per_work", price="1")], "/charges/0/count", "unknown_key"),
        ([subscribers("percentage", base="revenue", percent="1")], "/charges/0/count", "unknown_key"),
        ([{"name": "x", "model": "per_unit", "count": None, "per": 1, "price": "1"}], "/charges/0/unit", "missing"),
        (
            [subscribers(per=1, price="1"), charge("percentage", base="subscribers", percent="1")],
            "/charges",
            "base_and_count",
        ),
    ],
)
def test_a_count_is_read_strictly(charges: list[dict[str, Any]], pointer: str, code: str) -> None:
    assert errors(tariff(*charges))[pointer] == code


@pytest.mark.parametrize("months", [1, 3, 6, 12, 24, 36, 60])
def test_prices_may_be_for_a_period_of_so_many_months(months: int) -> None:
    assert core.parse(tariff(period_months=months)).period_months == months


@pytest.mark.parametrize(
    ("months", "code"),
    [(2, "unknown_term"), (0, "out_of_range"), (61, "out_of_range"), ("12", "not_an_integer"), (True, "not_an_integer"),
     (1.0, "not_an_integer"), ([12], "not_an_integer")],
)  # fmt: skip
def test_other_periods_are_refused(months: Any, code: str) -> None:
    assert errors(tariff(period_months=months)) == {"/period_months": code}


def test_without_a_word_on_it_any_period_will_do_and_nobody_helps_themselves() -> None:
    for keys in ({}, {"period_months": None, "self_service": None}):
        schedule = core.parse(tariff(**keys))
        assert (schedule.period_months, schedule.self_service) == (None, None)


FLAT = charge("flat", "small", amount="300000", licensee_tiers=["small"])
BY_USE = charge("per_unit", "large", per=1, price="1", licensee_tiers=["large"])


def test_small_firms_may_help_themselves_where_their_price_is_flat() -> None:
    found = core.parse(tariff(FLAT, BY_USE, self_service={"tiers": ["small"], "months": 12})).self_service
    assert found == core.SelfService(("small",), 12)
    assert (found.admits("small"), found.admits("large"), found.admits("")) == (True, False, False)
    unnamed: list[dict[str, Any]] = [{}, {"tiers": None}, {"tiers": []}]
    for tiers in unnamed:
        everyone = core.parse(tariff(FLAT, self_service={"months": 12, **tiers})).self_service
        assert everyone == core.SelfService((), 12)
        assert everyone.admits("small") and everyone.admits("")


@pytest.mark.parametrize(
    ("charges", "self_service", "pointer", "code"),
    [
        ([FLAT, BY_USE], {"months": 12}, "/self_service", "price_not_fixed"),
        ([FLAT, BY_USE], {"tiers": ["small", "large"], "months": 12}, "/self_service", "price_not_fixed"),
        ([FLAT, charge("per_work", price="1")], {"tiers": ["small"], "months": 12}, "/self_service", "price_not_fixed"),
        ([FLAT, subscribers(per=1, price="1")], {"tiers": ["small"], "months": 12}, "/self_service", "price_not_fixed"),
        ([FLAT], {"tiers": ["tiny"], "months": 12}, "/self_service/tiers", "no_charge"),
        ([FLAT], {"tiers": "small", "months": 12}, "/self_service/tiers", "not_a_list"),
        ([FLAT], {"tiers": ["small"]}, "/self_service/months", "missing"),
        ([FLAT], {"tiers": ["small"], "months": 0}, "/self_service/months", "out_of_range"),
        ([FLAT], {"tiers": ["small"], "months": "12"}, "/self_service/months", "not_an_integer"),
        ([FLAT], {"months": 12, "price": "1"}, "/self_service/price", "unknown_key"),
        ([FLAT], ["small"], "/self_service", "not_an_object"),
    ],
)
def test_self_service_needs_a_price_that_is_known_at_signing(
    charges: list[dict[str, Any]], self_service: Any, pointer: str, code: str
) -> None:
    assert errors(tariff(*charges, self_service=self_service))[pointer] == code


def test_the_digest_of_a_document_without_the_new_keys_is_what_it_was() -> None:
    """The contract's example, as it was hashed before these keys existed: stored digests go on matching."""
    assert core.digest(tariff()) == "1e4308b69f776c7885a9b792628634e5338fcb154acec397bf6909a555fdddcc"


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
    core.rate(schedule, quantities=[], bases=dict.fromkeys((*schedule.bases, *schedule.counts), 1))
    return []


@given(
    json_values,
    st.sampled_from(["charges", "tariff", "minimum", "version", "valid_from", "period_months", "self_service", ""]),
)
def test_no_document_breaks_the_reader(value: Any, key: str) -> None:
    json.dumps(problems_of(tariff() | {key: value} if key else value), ensure_ascii=False).encode()


charge_keys = st.sampled_from(["per", "tiers", "price", "size", "amount", "base", "percent", "unit", "uses", "count"])


@given(st.dictionaries(charge_keys, json_values), st.sampled_from(list(MODELS)))
def test_no_charge_breaks_the_reader(keys: dict[str, Any], model: str) -> None:
    json.dumps(problems_of(tariff(charge(model, **keys))), ensure_ascii=False).encode()
