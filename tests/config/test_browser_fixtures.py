"""The browser reaches the site, with its style, and a user's session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib.auth import get_user_model


def test_the_site_is_served_with_its_style(page: Any) -> None:
    failed: list[str] = []
    page.on("response", lambda answer: failed.append(answer.url) if answer.status >= 400 else None)
    page.goto("/")
    page.locator("h1").first.wait_for(state="visible")
    assert failed == []


def test_a_signed_in_user_has_a_session(page: Any, sign_in: Callable[[Any], Any]) -> None:
    user = get_user_model().objects.create_user(email="someone@example.org", password="x")
    page.goto("/accounts/password/change/")
    assert "/accounts/login/" in page.url
    sign_in(user).goto("/accounts/password/change/")
    assert "/accounts/login/" not in page.url
