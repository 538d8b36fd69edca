"""Every page of every portal: it answers, asks the database few questions, fits a phone, and is accessible in both languages."""

from __future__ import annotations

import functools
import re
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.identity.models import User
from tests.journeys.example import MEMBER
from tests.journeys.told import STAFF

PEOPLE = {"creator": MEMBER} | {
    name: email for name, (email, _ref, _role) in STAFF.items() if name not in ("officer", "second")
}
MOST_QUERIES = {"creator": 15}  # of a page; the others' pages are allowed some more
ALLOWED = 30
AXE = {"resultTypes": ["violations"], "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
PHONED: set[str] = set()  # the kinds of page that another portal showed on the phone already
LINK = re.compile(r'href="(/[^"#]*)"')
FOREIGN = ("/static/", "/api/", "/accounts/", "/i18n/", "/theme/", "/style/")
FILES = re.compile(r"\.(csv|ics|pdf|json|txt)($|\?)|/rejects/$")


@pytest.fixture
def committed_as(told: str) -> str:
    return told


@pytest.fixture
def complaints(page: Any) -> Iterator[list[str]]:
    """What the browser blocked or failed at; there shall be nothing."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield said
    assert said == []


@functools.cache  # the database is the same for each test
def found_pages(name: str, *, most: int = 600) -> dict[str, int]:
    """Every page that this person reaches by links from their start, one of each kind, with its number of queries."""
    client = Client(HTTP_ACCEPT_LANGUAGE="en")
    client.force_login(User.objects.get(email=PEOPLE[name]))
    waiting, seen = deque(["/overview/"]), {"overview"}
    pages: dict[str, int] = {}
    while waiting and len(pages) < most:
        address = waiting.popleft()
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(address, follow=True)
        assert answer.status_code == 200, (name, address, answer.status_code)
        if not answer["Content-Type"].startswith("text/html"):
            continue
        pages[address] = len(queries)
        for link in LINK.findall(answer.content.decode()):
            link = link.replace("&amp;", "&")
            kind = re.sub(r"=[^&]*", "", re.sub(r"\d+", "N", link))
            if kind not in seen and not link.startswith(FOREIGN) and not FILES.search(link):
                seen.add(kind)
                waiting.append(link)
    assert len(pages) < most, "addresses that differ in more than a number look like pages without end"
    return pages


@pytest.mark.parametrize("name", PEOPLE)
def test_every_page_answers_with_few_queries(committed_db: Any, name: str) -> None:
    pages = found_pages(name)
    too_many = {address: count for address, count in pages.items() if count >= MOST_QUERIES.get(name, ALLOWED)}
    assert too_many == {}
    assert len(pages) > 5


def test_no_page_is_out_of_reach(committed_db: Any) -> None:
    """A page that nobody can come to by links might as well not be there."""
    reached = {
        re.sub(r"[A-Z2-9]{4}(-[A-Z2-9]{4}){3}|\d+|R(-[A-Z2-7]{4}){3}", "N", address.split("?")[0])
        for name in PEOPLE
        for address in found_pages(name)
    }
    lost = {
        pattern
        for pattern in routes()
        if re.sub(r"<[^>]*>", "N", pattern) not in reached and not NOT_BY_LINK.search(pattern)
    }
    assert not lost, "\n".join(sorted(lost))


# Posted to, asked for by a script, a file, of another person's state, or reached by e-mail.
NOT_BY_LINK = re.compile(
    r"/(attach|submit|amend|discard|accept|ask|decide|determine|refuse|activate|suspend|resume|terminate|end|post|publish"
    r"|recompute|order|entries|read|remove|revoke|invite|switch|close|receipts|progress|checks|rejects|confirm|confirm-for|object|withdraw|sent|identity|agree|propose|notes|renew"
    r"|dispute|license|notify|point|settle|acknowledge|mark|take-back|replay|disable|enable|events|ping|secret|result|receipt|file|preview|effect|answer|moderate|extend|evidence)/$"
    r"|/(decline|renewal|amendment|price)/$|/files/<int:|^/consultations/attachments/|/raw$|^/signals/|^/invoices/cases/|^/join/account/$|^/reservations/<int:|<str:token>|<slug:|\.(csv|ics|json|jsonld|pdf|txt|zip)$"
    r"|^/disputes/<int:dispute_id>/document/$|/ask-decision/$|^/disputes/<int:dispute_id>/evidence/|^/outstanding/resolutions/(new|<int)"
    r"|^/bank/(<int|imports/|entries/|refunds/)|^/invoices/(tax/export|write-offs/<int:write_off_id>|<int:invoice_id>/(tax-invoice|write-off))/"
    r"|/cancel/$|/manifest/forget/$|/(difference|overlaps)/$|^/audits/<int:|/ready/<int:standing_id>/sign/$|/ready/done/|/certificate/$|/<str:name>$"
)


def routes() -> Iterator[str]:
    """The patterns of the three apps' pages, as in the URLconf."""
    for resolver in get_resolver().url_patterns:
        if isinstance(resolver, URLResolver) and getattr(resolver, "app_name", None) in (
            "accounts",
            "licensing",
            "royalties",
        ):
            yield from _patterns(resolver, "/")


def _patterns(resolver: URLResolver, prefix: str) -> Iterator[str]:
    for each in resolver.url_patterns:
        if isinstance(each, URLPattern):
            yield prefix + str(each.pattern)
        else:
            yield from _patterns(each, prefix + str(each.pattern))


@pytest.mark.parametrize("name", PEOPLE)
def test_pages_are_accessible_and_fit(
    committed_db: Any, page: Any, sign_in: Callable[[User], Any], complaints: list[str], name: str
) -> None:
    """axe on each page at a desk in English; on a phone, in Korean and in the dark nothing sticks out.

    The frame that all pages of a portal share is looked at with the first of them.
    """
    addresses = [address for address in found_pages(name) if "?" not in address or "tab=" in address]
    sign_in(User.objects.get(email=PEOPLE[name]))
    axe, wrong = Axe(), {}
    for place, address in enumerate(addresses):
        assert page.goto(address).status == 200
        rules = axe.run(page, "main" if place else None, AXE).response["violations"]
        found = [rule for rule in rules if rule["impact"] in ("serious", "critical")]
        if found:
            wrong[address] = [(rule["id"], [node["html"][:200] for node in rule["nodes"]][:2]) for rule in found]
        if page.evaluate("document.documentElement.scrollWidth") > 1280:
            wrong[f"{address} at 1280"] = []
    assert wrong == {}
    page.set_viewport_size({"width": 390, "height": 800})
    page.emulate_media(color_scheme="dark")
    page.locator("button[name=language]").click()
    page.wait_for_selector("html[lang=ko]")
    wide = {}
    for address in addresses:
        if (kind := re.sub(r"\d+", "N", address)) in PHONED:
            continue
        PHONED.add(kind)
        page.goto(address)
        width = page.evaluate("document.documentElement.scrollWidth")
        if width > 390:
            wide[address] = width
    assert wide == {}


def test_a_field_stays_while_it_has_the_focus(page: Any) -> None:
    page.goto("/accounts/login/")
    field = page.get_by_label("Email")
    field.click()
    page.keyboard.type("someone@example.org")
    assert field.is_visible()
    assert field.input_value() == "someone@example.org"
