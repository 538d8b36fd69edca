"""The sums of billing: VAT, pro-rata splits, lines that add up."""

from __future__ import annotations

import doctest
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from licensing.tariffs.core import Quantity, parse, rate
from royalties.billing import core
from tests.licensing.tariff_documents import charge, tariff


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(core).failed == 0


@pytest.mark.parametrize(
    "net, percent, vat", [(1000, "10", 100), (5, "10", 1), (4, "10", 0), (428_586, "0", 0), (428_586, None, 0)]
)
def test_vat_is_rounded_once_half_up(net: int, percent: str | None, vat: int) -> None:
    assert core.vat_of(net, Decimal(percent) if percent is not None else None) == vat


amounts = st.lists(st.integers(1, 10**12), min_size=1, max_size=12)


@given(amounts, st.integers(1, 10**13), st.integers(0, 10**13))
def test_receipts_split_exactly_however_they_come(paid: list[int], net: int, vat: int) -> None:
    """Given an invoice, when receipts come until it is paid, then their nets sum to its net, and no part is ever negative."""
    gross, received, nets, vats = net + vat, 0, 0, 0
    for amount in [*paid, gross]:
        amount = min(amount, gross - received)
        if not amount:
            continue
        pool, tax = core.split(amount, received=received, net=net, gross=gross)
        assert pool >= 0
        assert tax >= 0
        assert pool + tax == amount
        received, nets, vats = received + amount, nets + pool, vats + tax
        assert nets == core.net_part(received, net=net, gross=gross)
    assert (nets, vats) == (net, vat)


@given(st.integers(0, 10**12), st.integers(0, 10**9))
def test_lines_sum_to_what_is_new(units: int, before: int) -> None:
    document = tariff(
        charge("per_unit", per=1000, price="0.05"), charge("flat", amount="777"), minimum="1000", combine="greatest"
    )
    rating = rate(parse(document), quantities=[Quantity("train", "web", "token", units, 1)])
    earlier = [core.Earlier("A-1", before)] if before else []
    found = core.lines(rating, earlier)
    assert sum(line.amount for line in found) == rating.amount - before
    assert [line.model for line in found if line.amount < 0 and line.model != "greatest"] == (
        ["previously_billed"] if before else []
    )


quantities = st.lists(
    st.builds(
        Quantity,
        st.sampled_from(["train", "finetune", "ground"]),
        st.sampled_from(["web", "book"]),
        st.just("token"),
        st.integers(0, 10**9),
    ),
    max_size=6,
)


@given(quantities, st.integers(1, 10**12))
def test_net_by_use_sums_to_the_net(declared: list[Quantity], net: int) -> None:
    schedule = parse(
        tariff(
            charge("per_unit", uses=["train"], per=1000, price="0.05"),
            charge("per_unit", "all", per=10, price="1"),
            charge("flat", amount="7"),
        )
    )
    rating = rate(schedule, quantities=declared)
    found = core.by_use(rating, schedule, declared, net)
    assert sum(found.values()) == net
    assert all(part >= 0 for part in found.values())


def test_a_charge_counts_for_the_uses_that_it_priced() -> None:
    schedule = parse(
        tariff(
            charge("per_unit", "training", uses=["train"], per=1, price="1"),
            charge("per_unit", "grounding", uses=["ground"], per=1, price="3"),
        )
    )
    declared = [Quantity("train", "web", "token", 100, 1), Quantity("ground", "web", "token", 100, 1)]
    rating = rate(schedule, quantities=declared)
    assert core.by_use(rating, schedule, declared, 400) == {"ground": 300, "train": 100}
    assert core.by_use(rating, schedule, declared, 201) == {"ground": 151, "train": 50}
