"""The main job by hand, in a browser, by the people whose job it is: from files to a creator's PDF, to the won."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from typing import Any

import pypdf

from accounts.access import services as access
from accounts.identity.core import SYSTEM
from accounts.organisations.models import Organisation
from licensing.repertoire.models import Holder
from licensing.repertoire.services import represent
from tests.journeys import example
from tests.journeys.example import LICENCE, MEMBER, MEMBER_REF, PERIOD, Files
from tests.journeys.hands import draft_tariff, follow, press, see, set_interim_rates, stat

PASSWORD = "correct horse battery"
CREATED = {"holders": 5, "works": 3, "shares": 5, "mandates": 5}
KINDS = {"holders": "Members", "works": "Works", "shares": "Shares", "mandates": "Mandates"}


def test_from_files_to_a_creators_statement(
    page: Any,
    become: Callable[[str], Any],
    complaints: list[str],
    files: Files,
    worker: Any,
    organisations: dict[str, Organisation],
) -> None:
    become("repertoire")
    for kind in CREATED:
        import_file(page, kind, files)
    become("licensing")
    draft_tariff(page, json.dumps(example.TARIFF))
    become("commissioner")
    set_interim_rates(page)
    become("licensing")
    grant_licence(page, organisations)
    become("officer")
    rule = record_rule(page)
    become("finance")
    approve_rule(page, rule)
    become("declarant")
    declare(page, files)
    become("licensing")
    review(page)
    become("finance")
    bill_and_receive(page)
    become("officer")
    run = compute_run(page)
    become("finance")
    decide_run(page, run)
    read_statement(page, organisations[example.SOCIETY])


def import_file(page: Any, kind: str, files: Files) -> None:
    page.goto("/imports/")
    page.get_by_label(KINDS[kind], exact=True).check()
    page.set_input_files("input[type=file]", files[f"{kind}.csv"])
    assert page.locator(".drop-name").inner_text() == f"{kind}.csv"
    page.get_by_role("button", name="Import", exact=True).click()
    page.get_by_text("Rows read", exact=True).wait_for()
    assert (stat(page, "Created"), stat(page, "Refused")) == (str(CREATED[kind]), "0")


def grant_licence(page: Any, organisations: dict[str, Organisation]) -> None:
    page.goto("/licences/")
    follow(page, page.get_by_role("link", name="Grant a licence"))
    page.get_by_label("Reference").fill(LICENCE)
    page.get_by_label("Licensee", exact=True).select_option(label=organisations[example.FIRM].name)
    page.get_by_label("Tariff", exact=True).select_option(index=1)
    for use in ("training", "fine-tuning", "grounding"):
        page.get_by_label(use, exact=True).check()
    page.get_by_label("First day", exact=True).fill(PERIOD[0])
    press(page, "Grant the licence")
    see(page.get_by_role("heading", name=LICENCE))


def record_rule(page: Any) -> str:
    page.goto("/rules/import/")
    page.get_by_label("Or paste the document").fill(json.dumps(example.RULE))
    press(page, "Put on record")
    press(page, "Ask for approval")
    see(page.get_by_text("A second person has to decide."))
    return str(page.url)


def approve_rule(page: Any, rule: str) -> None:
    page.goto(rule)
    press(page, "Approve")
    see(page.get_by_text("The version is approved."))


def declare(page: Any, files: Files) -> None:
    page.goto("/overview/")
    follow(page, page.get_by_role("link", name="Declare use"))
    page.get_by_label("Licence", exact=True).select_option(index=1)
    page.get_by_label("First day of the period").fill(PERIOD[0])
    page.get_by_label("First day after the period").fill(PERIOD[1])
    page.get_by_label("Unit").select_option("token")
    page.get_by_label("Model").fill("Hanbit-1")
    page.set_input_files("input[type=file]", files["use.csv"])
    page.get_by_role("button", name="Send and process").click()
    page.get_by_role("heading", name="The fee, explained").wait_for()
    assert stat(page, "Fee of this declaration") == "₩1,000,003"
    assert (stat(page, "Lines"), stat(page, "Works found")) == ("6", "3")
    explained = page.locator(".why").all_inner_texts()
    assert any("740,000" in text and "₩1,000 ÷ 1,000" in text for text in explained)
    rejected = page.get_by_role("region", name="Rejected lines")
    assert "1e3" in rejected.inner_text()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all as CSV").click()
    assert download.value.path().read_text().splitlines()[1].startswith("7,units,1e3,")
    press(page, "Hand in")
    page.get_by_text("Accepted").first.wait_for()


def review(page: Any) -> None:
    page.goto("/declarations/")
    row = page.get_by_role("row").filter(has_text=LICENCE)
    assert "₩1,000,003" in row.inner_text() and "Accepted" in row.inner_text()
    follow(page, row.get_by_role("link", name=re.compile("#")))
    see(page.get_by_text("nobody.example.edu"))


def bill_and_receive(page: Any) -> None:
    page.goto("/invoices/waiting/")
    follow(page, page.get_by_role("link", name="Show the invoice"))
    press(page, "Issue this invoice")
    assert stat(page, "Still open") == "₩1,000,003"
    page.get_by_label("Amount", exact=False).fill(str(example.POOL))
    page.get_by_label("Received on").fill("2026-04-20")
    page.get_by_label("Bank reference").fill("KB-1")
    press(page, "Book it")
    assert (stat(page, "Still open"), stat(page, "Received")) == ("₩0", "₩1,000,003")
    page.goto("/invoices/revenue/")
    assert page.locator("figure.chart svg").count() >= 3


def compute_run(page: Any) -> str:
    page.goto("/runs/")
    follow(page, page.get_by_role("link", name="Start a run"))
    page.get_by_label("First day of use").fill(PERIOD[0])
    page.get_by_label("First day after").fill(PERIOD[1])
    press(page, "Start and compute")
    page.get_by_text("Payable to holders", exact=True).wait_for()
    assert (stat(page, "Payable to holders"), stat(page, "Suspense")) == ("₩796,194", "₩28,309")
    see(page.get_by_text("Equal to what was received."))
    page.get_by_text("Looked up just now").wait_for()
    press(page, "Ask for approval")
    see(page.get_by_text("A second person has to decide."))
    assert page.get_by_role("button", name="Approve this result").count() == 0
    return str(page.url)


def decide_run(page: Any, run: str) -> None:
    page.goto("/approvals/")
    follow(page, page.get_by_role("link", name="Look and decide"))
    assert page.url == run
    press(page, "Approve this result")
    press(page, "Post to the ledger")
    page.get_by_role("button", name="Publish the statements").wait_for()
    press(page, "Publish the statements")
    page.locator(".lead, .page-header").get_by_text("Published").first.wait_for()


def read_statement(page: Any, society: Organisation) -> None:
    """A creator signs in with a password and asks why; then once more in Korean."""
    user = access.invite(
        actor=SYSTEM, organisation=society, email=MEMBER, name="Bora Kim", password=PASSWORD, language="en"
    )
    represent(actor=SYSTEM, user=user, holder=Holder.objects.get(ref=MEMBER_REF), scope="member")
    page.context.clear_cookies()
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(MEMBER)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    follow(page, page.locator("main").get_by_role("button", name="Sign in"))
    page.goto("/overview/")
    assert stat(page, "Owed to you now") == "₩70,773"
    follow(page, page.get_by_role("link", name=re.compile(r"^R\d+-")))
    page.get_by_role("link", name="Why?").click()
    steps = page.locator(".why li")
    steps.last.wait_for()
    said = " ".join(steps.all_inner_texts())
    for number in ("₩1,000,003", "₩150,000", "₩25,500", "₩824,503", "₩212,318", "33.3334%", "₩70,773"):
        assert number in said, said
    pdf = pypdf.PdfReader(io.BytesIO(downloaded(page, "PDF English")))
    assert "70,773" in "".join(sheet.extract_text() for sheet in pdf.pages)
    rows = list(csv.reader(io.StringIO(downloaded(page, "CSV").decode("utf-8-sig"))))
    assert any("70773" in row for row in rows)
    follow(page, page.get_by_role("button", name="한국어"))
    see(page.get_by_text("지급 대상액"))
    page.get_by_role("link", name="근거 보기").click()
    page.get_by_text("33.3334%").last.wait_for()
    assert "₩70,773" in page.locator(".why li").last.inner_text()
    page.goto("/uses/")
    see(page.get_by_text("한빛에이아이"))


def downloaded(page: Any, name: str) -> bytes:
    with page.expect_download() as download:
        page.get_by_role("link", name=name, exact=True).click()
    return bytes(download.value.path().read_bytes())
