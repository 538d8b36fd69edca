"""Two at once: money is moved once, and portions never pass the whole. Each lock has its control."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest

from accounts.identity.core import Conflict
from royalties.entitlements import services
from royalties.entitlements.services import guards
from royalties.ledger.models import Journal
from tests.royalties.entitlements_world import JULY, Estate, make_estate
from tests.together import meeting, together

moving = import_module("royalties.entitlements.services.transfer")  # the package names its function so


@pytest.fixture
def estate(committed_db: Any) -> Estate:
    return make_estate()


def two_transfers(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> tuple[list[Any], list[int]]:
    """Half of 100 won is assigned; two payouts move it, and both have looked before either of them posts, if they can."""
    kim, lee = estate.payers.holder("KIM"), estate.payers.holder("LEE")
    estate.right(kim, "assignment", lee, ppm=500_000)
    estate.owe(kim, 100)
    meet, look = meeting(2, patience=1), moving.computed

    def looked(*arguments: Any) -> Any:
        found = look(*arguments)
        meet()
        return found

    monkeypatch.setattr(moving, "computed", looked)
    given = {"actor": estate.payers.first, "society": estate.society, "currency": "KRW", "on": JULY}
    results = together(lambda: services.transfer(key="a", **given), lambda: services.transfer(key="b", **given))
    return results, estate.owed(kim, lee)


def test_two_transfers_at_once_move_it_once(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    results, owed = two_transfers(estate, monkeypatch)
    assert sorted(type(result).__name__ for result in results) == ["Journal", "NoneType"]
    assert owed == [50, 50]
    assert services.problems() == []


def test_without_the_lock_it_would_be_moved_twice(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: the lock is what makes the test above pass."""
    monkeypatch.setattr(guards, "one_at_a_time", lambda _society_id: None)
    results, owed = two_transfers(estate, monkeypatch)
    assert all(isinstance(result, Journal) for result in results)
    assert owed == [0, 100]


def test_of_two_approvals_at_once_that_pass_the_whole_one_is_refused(estate: Estate) -> None:
    kim, lee, park = (estate.payers.holder(ref) for ref in ("KIM", "LEE", "PARK"))
    asked = [estate.ask(kim, "assignment", to, ppm=600_000) for to in (lee, park)]
    results = together(
        *(lambda each=each: services.decide_entitlement(actor=estate.payers.second, entitlement=each) for each in asked)
    )
    assert sorted(type(result).__name__ for result in results) == ["Conflict", "Entitlement"]
    [refused] = [result for result in results if isinstance(result, Conflict)]
    assert refused.code == "entitlement_portions_stay_within_the_whole"
