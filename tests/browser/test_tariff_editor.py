"""A tariff is written in fields while its preview follows, with a script and without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from licensing.tariffs.models import TariffVersion
from tests.accounts.people import organisation, person
from tests.journeys.hands import follow


@pytest.fixture
def editor(committed_db: Any, page: Any, sign_in: Any) -> Iterator[Any]:
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    sign_in(person(organisation("WEB-SOCIETY", "society"), "licensing"))
    yield page
    assert said == []


def test_the_preview_follows_what_is_written(editor: Any) -> None:
    page = editor
    page.goto("/tariffs/draft/")
    page.get_by_label("Name", exact=True).first.fill("Pages for training")
    page.get_by_label("Reference").fill("PAGES")
    page.get_by_label("First day in force").fill("2027-01-01")
    charge = page.get_by_role("group", name="Charge 1")
    charge.get_by_label("Name", exact=True).fill("pages")
    charge.get_by_label("Unit", exact=True).select_option("page")
    charge.get_by_label("For so many").fill("1,000")
    charge.get_by_label("Price", exact=True).fill("x")
    page.get_by_text("Write a number such as 0.05").first.wait_for()
    price = charge.get_by_label("Price", exact=True)
    assert price.input_value() == "x", "what is being written stays"
    price.fill("2.5")
    figure = page.get_by_label("Pages (optional)")
    figure.wait_for()
    figure.fill("10000")
    page.get_by_text("10,000 pages × ₩2.50 ÷ 1,000").wait_for()

    charge.get_by_label("How it is priced").select_option("graduated")
    page.get_by_role("button", name="Add a tier").click()
    page.get_by_label("Price, tier 2").wait_for()
    page.get_by_label("Up to and including, tier 1").fill("5,000")
    page.get_by_label("Price, tier 1").fill("3")
    page.get_by_label("Price, tier 2").fill("1")
    page.get_by_text("5,000 pages × ₩1 ÷ 1,000").wait_for()
    assert "₩20" in page.locator("#result .stat-value").inner_text()

    page.get_by_role("button", name="Add a charge").click()
    page.locator("#ed-charges-1-name:focus").wait_for()
    page.get_by_role("button", name="Remove this charge").nth(1).click()
    page.locator("#ed-charges-1").wait_for(state="detached")
    page.get_by_role("button", name="Save the draft").click()
    page.get_by_text("The draft is saved.").wait_for()
    [version] = TariffVersion.objects.all()
    assert version.document["charges"][0]["tiers"] == [{"up_to": 5000, "price": "3"}, {"price": "1"}]
    assert version.status == "draft"


def test_a_document_that_was_pasted_fills_the_fields(editor: Any) -> None:
    page = editor
    page.goto("/tariffs/draft/?example=tokens-graduated")
    page.get_by_text("The document, as JSON").click()
    document = page.locator("#document").inner_text()
    page.goto("/tariffs/draft/")
    page.get_by_text("The document, as JSON").click()
    page.get_by_label("Paste a document").fill("{")
    page.get_by_role("button", name="Fill the fields with it").click()
    page.get_by_text("This document cannot fill the fields.").wait_for()
    page.get_by_label("Paste a document").fill(document)
    page.get_by_role("button", name="Fill the fields with it").click()
    page.locator("#result .stat-value").wait_for()
    with page.expect_download() as download:
        page.get_by_text("The document, as JSON").click()
        page.get_by_role("button", name="Download", exact=True).click()
    assert download.value.suggested_filename.endswith("-v1.json")
    page.get_by_role("button", name="Add a charge").click()
    page.get_by_text("Charge 2").wait_for()


def test_it_works_without_a_script(committed_db: Any, browser: Any, site: str, sign_in: Any, page: Any) -> None:
    sign_in(person(organisation("WEB-SOCIETY", "society"), "licensing"))
    context = browser.new_context(base_url=site, java_script_enabled=False, storage_state=page.context.storage_state())
    plain = context.new_page()
    plain.goto("/tariffs/draft/?example=tokens-graduated")
    follow(plain, plain.get_by_role("button", name="Add a charge"))
    plain.get_by_text("Charge 2").wait_for()
    follow(plain, plain.get_by_role("button", name="Remove this charge").nth(1))
    plain.get_by_label("Tokens (optional)").fill("1000000")
    plain.get_by_label("Tokens (optional)").press("Enter")
    plain.get_by_text("1,000,000 tokens ×").first.wait_for()
    follow(plain, plain.get_by_role("button", name="Save the draft"))
    plain.get_by_text("The draft is saved.").wait_for()
    context.close()
