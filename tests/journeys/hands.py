"""What a person does at a page, each act with the wait until its effect is there."""

from __future__ import annotations

import json
from typing import Any


def follow(page: Any, leads: Any) -> None:
    """Click what leads to another page, and wait until that page is there."""
    with page.expect_navigation():
        leads.first.click()


def press(page: Any, name: str) -> None:
    """A button that leads to another page."""
    follow(page, page.get_by_role("button", name=name, exact=True))


def see(thing: Any) -> None:
    """It is there for the eye, now or within the time a page may take; if not, the wait fails."""
    thing.first.wait_for(state="visible")


def stat(page: Any, label: str) -> str:
    """The figure under this label at the head of a page, once it is there."""
    return str(page.locator(".stat", has=page.get_by_text(label, exact=True)).locator(".stat-value").first.inner_text())


def draft_tariff(page: Any, document: str) -> None:
    """From a pasted document to a published proposal."""
    page.goto("/tariffs/draft/")
    page.locator("#json > summary").click()
    page.get_by_label("Paste a document").fill(document)
    page.get_by_role("button", name="Fill the fields with it").click()
    see(page.locator(f"input[value='{json.loads(document)['name']}']"))
    press(page, "Save the draft")
    follow(page, page.get_by_role("link", name="On to publishing"))
    page.get_by_label("Reasons").fill("Training on news needs a price that both sides can read.")
    page.get_by_label("Predicted effect").fill("There was no price before: every licensee pays by what it uses.")
    press(page, "Publish")
    see(page.get_by_text("The consultation is open."))


def set_interim_rates(page: Any) -> None:
    """The rate body lets the version price while it hears everybody."""
    page.goto("/rates/work/")
    follow(page, page.get_by_role("link", name="Decide", exact=True))
    page.get_by_label("for the time being").check()
    page.get_by_label("Reasons").fill("The works are in use already, so a price is needed while we hear everybody.")
    press(page, "Record the decision")
    see(page.get_by_text("In force today"))
