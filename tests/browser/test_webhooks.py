"""Webhooks in a real browser: set up, tried, found failing and repaired, on a desk and on a phone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone

from accounts.identity.models import User
from accounts.notices.models import Webhook, WebhookDelivery
from accounts.notices.services.delivering import deliver_due
from tests.accounts import people
from tests.accounts.loopback import answer, says, serving
from tests.journeys.hands import follow


@pytest.fixture
def complaints(page: Any) -> Iterator[list[str]]:
    """What the browser blocked or failed at; there shall be nothing."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield said
    assert said == []


@pytest.fixture
def administrator(committed_db: object) -> User:
    return people.person(people.organisation("HANBIT", name="Hanbit AI"))


def _fits(page: Any) -> None:
    """At both widths: nothing wider than the screen, nothing inaccessible."""
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url
        found = Axe().run(page).response["violations"]
        assert not found, (page.url, [(rule["id"], [node["html"] for node in rule["nodes"]][:3]) for rule in found])


def test_from_the_first_address_to_a_repaired_receiver(
    administrator: User, sign_in: Callable[[User], Any], complaints: list[str], settings: Any
) -> None:
    page = sign_in(administrator)
    page.on("dialog", lambda dialog: dialog.accept())
    raw = [answer("500 Broken", b"<h1>Out of order</h1>")]
    with serving(lambda talk, asked: says(raw[0])(talk, asked)) as receiver:
        settings.OUTBOUND_ALLOW = [receiver.place]
        page.goto("/webhooks/")
        _fits(page)
        follow(page, page.get_by_role("link", name="Set up a webhook"))
        _fits(page)
        page.get_by_label("Address").fill(receiver.url("/a/rather/long/address/of/a/receiver/that/somebody/runs"))
        page.get_by_label("case.opened").check()
        follow(page, page.get_by_role("button", name="Set up the webhook"))
        assert page.locator("#secret").inner_text().startswith("whsec_")
        _fits(page)
        follow(page, page.get_by_role("link", name="I have copied it"))
        page.get_by_text("Nothing was sent yet").wait_for()
        _fits(page)
        follow(page, page.get_by_role("button", name="Send a test event"))
        page.get_by_text("is on its way").wait_for()
        deliver_due()
        page.reload()
        page.get_by_text("Out of order").wait_for()
        _fits(page)
        WebhookDelivery.objects.update(status="failed", next_attempt_at=None, attempts=7)
        Webhook.objects.update(disabled_at=timezone.now(), rests_until=None)
        page.goto(f"/webhooks/{Webhook.objects.get().pk}/")
        page.get_by_text("Switched off after repeated failure.").wait_for()
        _fits(page)
        raw[0] = answer()
        follow(page, page.get_by_role("button", name="Switch on"))
        follow(page, page.get_by_role("button", name="Send all failed again"))
        page.get_by_text("on its way again").wait_for()
        deliver_due()
        page.reload()
        page.get_by_role("cell", name="delivered").wait_for()
        _fits(page)
