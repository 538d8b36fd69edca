"""Forms that a script sends say what is wrong, where the person looks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accounts.identity.models import User
from tests.journeys.told import STAFF


@pytest.fixture
def committed_as(told: str) -> str:
    return told


@pytest.fixture
def become(sign_in: Callable[[User], Any]) -> Callable[[str], Any]:
    return lambda name: sign_in(User.objects.get(email=STAFF[name][0]))


def test_a_declaration_with_its_days_the_wrong_way_round(become: Callable[[str], Any], tmp_path: Path) -> None:
    page = become("licensee")
    page.goto("/declarations/new/")
    page.get_by_label("Licence", exact=True).select_option(index=1)
    page.get_by_label("First day of the period").fill("2026-05-01")
    page.get_by_label("First day after the period").fill("2026-04-01")
    file = tmp_path / "use.csv"
    file.write_text("identifier_type,identifier,units\n", encoding="utf-8")
    page.set_input_files("input[type=file]", file)
    page.get_by_role("button", name="Send and process").click()
    page.locator(".errorlist").first.wait_for()
    assert page.url.endswith("/declarations/new/")
    assert page.get_by_label("First day of the period").input_value() == "2026-05-01"


def test_an_import_without_saying_of_what(become: Callable[[str], Any], tmp_path: Path) -> None:
    page = become("society")
    page.goto("/imports/")
    file = tmp_path / "members.csv"
    file.write_text("", encoding="utf-8")
    page.set_input_files("input[type=file]", file)
    page.get_by_label("Members", exact=True).check()
    page.get_by_role("button", name="Import", exact=True).click()
    page.locator(".errorlist, .alert.tone-bad").first.wait_for()
    assert "/imports/" in page.url
