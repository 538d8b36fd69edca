"""A licence by hand, from a rate that is proposed in public to a certificate that anyone can check, by the people whose job it is.

The society's licensing desk and its second person, the rate body, and the firm, whose director reads Korean.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from typing import Any

import pypdf
from django.utils import timezone

from accounts.identity.core import SYSTEM
from accounts.organisations.models import Organisation
from licensing.licences.models import Licence, LicenceRequest, Offer
from licensing.licences.services.terms import import_terms
from licensing.licences.terms import shipped
from tests.journeys import example
from tests.journeys.hands import draft_tariff, follow, press, see, set_interim_rates, stat

DAYS_AHEAD, DAYS = 40, 365
PRICE = "₩1,234,568"  # 1,234,568 tokens at ₩1,000 for each 1,000


def test_from_a_proposed_rate_to_a_certificate(
    page: Any, become: Callable[[str], Any], complaints: list[str], organisations: dict[str, Organisation]
) -> None:
    import_terms(actor=SYSTEM, society=organisations[example.SOCIETY], document=shipped(), published=True)
    become("licensing")
    draft_tariff(page, json.dumps(example.TARIFF))
    become("commissioner")
    set_interim_rates(page)
    become("director")
    in_language(page, "ko")
    ask(page)
    become("licensing")
    in_language(page, "en")
    quote_and_offer(page)
    who_made_it_may_not_sign(page)
    become("declarant")
    a_declarant_may_not_sign(page)
    become("signatory")
    sign(page, "Kim Minjun", "Head of licensing")
    become("director")
    in_language(page, "ko")
    sign(page, "한서연", "대표이사")
    code = certificate_of(page)
    page.context.clear_cookies()
    anyone_checks(page, code)


def in_language(page: Any, language: str) -> None:
    page.goto("/overview/")
    if page.locator("html").get_attribute("lang") != language:
        page.locator("button[name=language]").click()
    page.wait_for_selector(f"html[lang={language}]")


def first_day() -> datetime.date:
    return timezone.localdate() + datetime.timedelta(days=DAYS_AHEAD)


def go_on(page: Any) -> None:
    """The one main button of a step, whatever it is called in the reader's language."""
    follow(page, page.locator("main button.button-primary"))


def ask(page: Any) -> None:
    """The wizard's five steps, in Korean; the price stands there before anything is sent."""
    page.goto("/licences/requests/new/")
    go_on(page)
    for use in ("finetune", "ground"):
        page.locator(f"input[name=uses][value={use}]").uncheck()
    page.locator("input[name=uses][value=train]").check()
    page.locator("input[name=kinds][value=web]").check()
    page.locator("input[name=territory]").fill("KR")
    go_on(page)
    page.locator("input[name=first_day]").fill(first_day().isoformat())
    page.locator("input[name=last_day]").fill((first_day() + datetime.timedelta(days=DAYS - 1)).isoformat())
    go_on(page)
    page.locator("input[name=units_0]").fill("1234568")
    see(page.locator("#live-price").get_by_text(PRICE))
    go_on(page)
    go_on(page)
    asked = LicenceRequest.objects.get()
    assert (asked.status, (asked.term.upper - asked.term.lower).days) == ("submitted", DAYS)


def quote_and_offer(page: Any) -> None:
    page.goto("/licences/board/")
    follow(page, page.get_by_role("link", name="Make a quote"))
    press(page, "Send the quote")
    assert stat(page, "One billing period, without VAT") == PRICE
    follow(page, page.get_by_role("link", name="Make an offer"))
    press(page, "Make the offer")
    see(page.get_by_text("You made this offer, so you may not sign it."))


def who_made_it_may_not_sign(page: Any) -> None:
    page.goto(f"/licences/offers/{Offer.objects.get().pk}/sign/")
    see(page.get_by_text("You made this offer, so you may not sign it."))
    assert page.get_by_role("button", name="Sign", exact=True).count() == 0


def a_declarant_may_not_sign(page: Any) -> None:
    here = page.url.split("/", 3)[:3]
    assert page.request.get("/".join([*here, f"licences/offers/{Offer.objects.get().pk}/sign/"])).status == 403


def sign(page: Any, name: str, capacity: str) -> None:
    offer = Offer.objects.get().pk
    page.goto(f"/licences/offers/{offer}/")
    follow(page, page.locator(f"a[href='/licences/offers/{offer}/sign/']"))
    page.locator("input[name=typed_name]").fill(name)
    page.locator("input[name=capacity]").fill(capacity)
    page.locator("input[name=authorised]").check()
    go_on(page)


def certificate_of(page: Any) -> str:
    """The licence is there at once, signed by both, with the certificate's code and the signed copy as PDF."""
    licence = Licence.objects.get()
    assert (licence.status, licence.valid.lower) == ("active", LicenceRequest.objects.get().term.lower)
    page.goto(f"/licences/{licence.pk}/")
    for name in ("Kim Minjun", "한서연"):
        see(page.get_by_text(name))
    with page.expect_download() as caught:
        page.locator("a", has_text="PDF").last.click()
    assert "한서연" in "".join(part.extract_text() for part in pypdf.PdfReader(caught.value.path()).pages)
    return str(licence.certificate.code)


def anyone_checks(page: Any, code: str) -> None:
    page.goto("/certificates/")
    page.locator("input[name=code]").fill(code.lower().replace("-", " "))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/certificates/{code}/")
    see(page.get_by_text("Hanbit AI").or_(page.get_by_text("한빛에이아이")))
    assert PRICE not in page.content() and "1,234,568" not in page.content(), "no commercial terms"
