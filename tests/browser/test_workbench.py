"""The keys of the matching workbench do what its buttons do, and can be switched off."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.identity.models import User
from licensing.claims.models import Unmatched
from licensing.matching.models import MatchRule
from licensing.repertoire.models import Work
from tests.accounts import people
from tests.licensing.claims_world import ISBN, OTHER_ISBN, World, world


@pytest.fixture
def bench(committed_db: Any, sign_in: Callable[[User], Any]) -> tuple[World, Any]:
    made = world()
    book = Work.objects.get(ref="B")
    Unmatched.objects.update(
        candidates=[{"work": book.pk, "score": "0.93", "why": ["same title"]}], candidates_of="seen"
    )
    page = sign_in(people.person(made.society, "repertoire"))
    page.goto(f"/matching/{made.item().pk}/?scheme=isbn")
    return made, page


def test_keys_skip_go_back_accept_and_refuse(bench: tuple[World, Any]) -> None:
    made, page = bench
    first, second = made.item(), made.item(OTHER_ISBN)
    page.keyboard.press("j")
    page.wait_for_url(f"**/matching/{second.pk}/?scheme=isbn")
    page.keyboard.press("k")
    page.wait_for_url(f"**/matching/{first.pk}/?scheme=isbn")
    page.keyboard.press("1")
    page.wait_for_url(f"**/matching/{second.pk}/?scheme=isbn")
    assert made.item().status == "matched"
    page.keyboard.press("r")
    page.wait_for_url("**/matching/?scheme=isbn")
    assert made.item(OTHER_ISBN).status == "refused"
    assert [rule.value for rule in MatchRule.objects.order_by("pk")] == [ISBN, OTHER_ISBN]


def test_keys_leave_texts_alone_and_can_be_switched_off(bench: tuple[World, Any]) -> None:
    made, page = bench
    page.keyboard.press("?")
    page.get_by_text("search your works").wait_for()
    page.keyboard.press("/")
    page.keyboard.type("rn1a")
    assert page.locator("#work").input_value() == "rn1a"
    page.get_by_label("Use these keys").uncheck()
    page.keyboard.press("r")
    page.reload()
    page.keyboard.press("r")
    assert page.get_by_label("Use these keys").is_checked() is False
    assert not MatchRule.objects.exists() and made.item().status == "open"
