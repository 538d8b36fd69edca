"""The ground floor in a real browser: by invitation to a token, on a desk and on a phone, nothing blocked, nothing inaccessible."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from accounts.access import services
from accounts.identity import links
from accounts.identity.core import SYSTEM
from accounts.identity.models import User
from accounts.notices.services import notify
from tests.accounts import people
from tests.journeys.hands import follow

STRONG = "correct horse battery"
PAGES = ("/staff/", "/tokens/", "/profile/", "/notices/", "/approvals/", "/evidence/")


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
    house = people.organisation("HANBIT", name="Hanbit AI")
    people.person(house, "declarant")
    people.token(house, name="intake")
    user = people.person(house)
    notify(user_ids=[user.pk], key="k", kind="x", subject="Your invoice is here", body="₩428,586", link="/profile/")
    return user


def test_an_invited_person_comes_in_by_the_link(page: Any, complaints: list[str]) -> None:
    user = services.create_user(
        actor=SYSTEM, email="kim@hanbit.example", organisation=people.organisation(), role="administrator"
    )
    address = f"/welcome/{links.sign(user)}/"
    page.goto(address)
    page.get_by_label("Your name").fill("Kim Hanbit")
    page.get_by_label("New password").fill(STRONG)
    page.get_by_label("The same password again").fill(STRONG)
    follow(page, page.get_by_role("button", name="Save and sign in"))
    page.goto("/profile/")
    assert page.get_by_label("Name", exact=False).first.input_value() == "Kim Hanbit"


def test_a_token_is_issued_shown_and_revoked(
    administrator: User, sign_in: Callable[[User], Any], complaints: list[str]
) -> None:
    page = sign_in(administrator)
    page.goto("/tokens/")
    page.get_by_label("Name").fill("nightly")
    page.get_by_label("declarations.declare").check()
    follow(page, page.get_by_role("button", name="Issue the token"))
    text = page.locator("#token").inner_text()
    assert services.authenticate_token(text).scopes == ["declarations.declare"]
    page.goto("/tokens/")
    assert text not in page.content()
    page.on("dialog", lambda dialog: dialog.accept())
    row = page.get_by_role("row").filter(has_text="nightly")
    follow(page, row.get_by_role("button", name="Revoke"))
    page.get_by_text("is revoked").wait_for()
    with pytest.raises(services.TokenRefused):
        services.authenticate_token(text)


@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_fits_and_is_accessible(
    administrator: User, sign_in: Callable[[User], Any], complaints: list[str], width: int
) -> None:
    page = sign_in(administrator)
    page.set_viewport_size({"width": width, "height": 800})
    for address in PAGES:
        assert page.goto(address).status == 200
        assert page.evaluate("document.documentElement.scrollWidth") <= width, address
        found = Axe().run(page).response["violations"]
        assert not found, (address, [(rule["id"], [node["html"] for node in rule["nodes"]][:3]) for rule in found])


def test_the_docs_of_the_api_work_offline(page: Any, site: str, complaints: list[str]) -> None:
    elsewhere: list[str] = []
    page.on(
        "request",
        lambda request: elsewhere.append(request.url) if not request.url.startswith((site, "data:")) else None,
    )
    page.goto("/api/v1/docs/")
    page.locator(".opblock").first.wait_for()
    assert elsewhere == []
