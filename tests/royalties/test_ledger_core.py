"""The chart of accounts and the digest of a request: pure rules."""

from __future__ import annotations

import datetime
import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.identity.core import Refusal
from royalties.ledger import core
from royalties.ledger.core import Transfer
from royalties.ledger.labels import KINDS, kind_label

DAY = datetime.date(2026, 3, 1)


def test_the_examples_in_the_docstrings_hold() -> None:
    assert doctest.testmod(core).failed == 0


@pytest.mark.parametrize("code", ["slush", "deduction", "bank:other", "deduction:", ""])
def test_a_kind_that_is_not_in_the_chart_is_refused(code: str) -> None:
    with pytest.raises(Refusal) as refused:
        core.kind_of(code)
    assert refused.value.code == "unknown_account_kind"


def test_every_kind_has_a_label_that_is_translated() -> None:
    assert {code: kind.label for code, kind in core.CHART.items()} == {
        code: str(label) for code, label in KINDS.items()
    }
    assert kind_label("deduction:social and cultural fund") == "Deduction: social and cultural fund"


@pytest.mark.parametrize(
    "transfers, code",
    [
        ([], "nothing_to_post"),
        ([Transfer(1, 2, 0)], "amount_out_of_range"),
        ([Transfer(1, 2, -1)], "amount_out_of_range"),
        ([Transfer(1, 2, core.MAX_AMOUNT + 1)], "amount_out_of_range"),
        ([Transfer(1, 2, True)], "amount_out_of_range"),
        ([Transfer(1, 2, 5), Transfer(3, 3, 5)], "same_account"),
    ],
)
def test_what_the_ledger_would_refuse_is_refused_before(transfers: list[Transfer], code: str) -> None:
    with pytest.raises(Refusal) as refused:
        core.check(transfers)
    assert refused.value.code == code


transfers = st.lists(
    st.builds(Transfer, st.integers(1, 99), st.integers(1, 99), st.integers(1, 10**15)), min_size=1, max_size=6
)


@given(transfers, transfers)
def test_a_digest_is_the_same_for_the_same_content_only(first: list[Transfer], second: list[Transfer]) -> None:
    head = core.heading(1, "test", DAY)
    assert (core.digest(head, first) == core.digest(head, second)) == (first == second)
    assert core.digest(core.heading(2, "test", DAY), first) != core.digest(head, first)
