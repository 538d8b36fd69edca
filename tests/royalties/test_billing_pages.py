"""Billing by hand: what waits, the preview, the invoice, the receipt; and who sees what."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from licensing.declarations.models import Declaration
from royalties.billing.models import Invoice, Receipt, VatRule
from tests.accounts import people
from tests.royalties.billing_world import Firm, make_firm

pytestmark = pytest.mark.django_db
PERIOD = {"start": "2026-01-01", "end": "2026-04-01"}


@pytest.fixture
def firm() -> Firm:
    made = make_firm()
    made.declare()
    return made


def signed_in(organisation: Any, role: str) -> Client:
    client = Client()
    client.force_login(people.person(organisation, role))
    return client


@pytest.fixture
def finance(firm: Firm) -> Client:
    return signed_in(firm.society, "finance")


def text(client: Client, route: str, *args: Any, **query: Any) -> str:
    answer = client.get(reverse(f"royalties:{route}", args=args), query)
    assert answer.status_code == 200, answer.content[:500]
    return answer.content.decode()


def test_an_accepted_declaration_is_billed_by_hand(firm: Firm, finance: Client) -> None:
    assert "L-KOREA-WEB-HANBIT" in text(finance, "invoices_waiting")
    preview = text(finance, "invoice_new", licence=firm.licence.pk, **PERIOD)
    assert "₩428,586" in preview
    assert "₩108,586.00725" in preview
    assert Invoice.objects.count() == 0
    answer = finance.post(reverse("royalties:invoice_new"), {"licence": firm.licence.pk, **PERIOD})
    invoice = Invoice.objects.get()
    assert answer.headers["Location"] == reverse("royalties:invoice", args=[invoice.pk])
    assert "Everything accepted is billed" in text(finance, "invoices_waiting")
    assert invoice.number in text(finance, "invoices")


def test_a_refusal_stands_beside_the_form(firm: Firm, finance: Client) -> None:
    Declaration.objects.update(status="submitted")
    assert "No accepted declaration" in text(finance, "invoice_new", licence=firm.licence.pk, **PERIOD)
    answer = finance.post(reverse("royalties:invoice_new"), {"licence": firm.licence.pk, **PERIOD})
    assert answer.status_code == 200
    assert Invoice.objects.count() == 0


def test_a_receipt_is_booked_on_the_invoice_s_page(firm: Firm, finance: Client) -> None:
    invoice = firm.bill()
    url = reverse("royalties:receipt_new", args=[invoice.pk])
    body = {"amount": "428587", "received_on": "2026-05-01", "bank_ref": "B-1"}
    assert "428587 is too much" in finance.post(url, body).content.decode()
    assert Receipt.objects.count() == 0
    answer = finance.post(url, body | {"amount": "400000"})
    assert answer.headers["Location"] == reverse("royalties:invoice", args=[invoice.pk])
    page = text(finance, "invoice", invoice.pk)
    assert "₩28,586" in page
    assert "B-1" in page


def test_a_licensee_sees_its_invoice_and_how_it_follows(firm: Firm) -> None:
    invoice = firm.bill()
    viewer = signed_in(firm.licensee, "finance")
    assert invoice.number in text(viewer, "invoices")
    page = text(viewer, "invoice", invoice.pk)
    assert "training tokens" in page
    assert "Record a receipt" not in page
    for route in ("invoices_waiting", "invoice_new", "revenue", "vat"):
        assert viewer.get(reverse(f"royalties:{route}")).status_code == 403
    assert viewer.post(reverse("royalties:receipt_new", args=[invoice.pk]), {}).status_code == 403


def test_a_stranger_finds_no_invoice(firm: Firm) -> None:
    invoice = firm.bill()
    stranger = signed_in(people.organisation("OTHER", "society"), "finance")
    assert stranger.get(reverse("royalties:invoice", args=[invoice.pk])).status_code == 404
    assert stranger.post(reverse("royalties:receipt_new", args=[invoice.pk]), {}).status_code == 404
    other = {"licence": firm.licence.pk, **PERIOD}
    assert "Select a valid choice" in stranger.get(reverse("royalties:invoice_new"), other).content.decode()


def test_somebody_who_may_only_look_cannot_bill(firm: Firm) -> None:
    auditor = signed_in(firm.society, "auditor")
    assert "Bill a licence" not in text(auditor, "invoices")
    assert auditor.post(reverse("royalties:invoice_new"), {"licence": firm.licence.pk, **PERIOD}).status_code == 403
    assert Invoice.objects.count() == 0


def test_revenue_is_drawn_by_licensee_by_use_and_over_time(firm: Firm, finance: Client) -> None:
    assert "No revenue yet" in text(finance, "revenue")
    firm.receive(firm.bill(), 100_000)
    page = text(finance, "revenue")
    assert page.count("<svg") >= 4
    for said in ("Billed by licensee", "Billed by use", "training", "₩428,586", "₩100,000", "2026-04", "2026-05"):
        assert said in page


def test_a_rate_of_vat_is_recorded(firm: Firm, finance: Client) -> None:
    assert "No VAT is added" in text(finance, "vat")
    finance.post(reverse("royalties:vat"), {"percent": "10", "valid_from": "2026-01-01"})
    assert VatRule.objects.get().percent == 10
    again = finance.post(reverse("royalties:vat"), {"percent": "11", "valid_from": "2026-01-01"})
    assert "A rule begins on that day already" in again.content.decode()


def test_lists_are_searched_filtered_and_never_break(firm: Firm, finance: Client) -> None:
    invoice = firm.bill()
    assert invoice.number in text(finance, "invoices", q="hanbit", status="open", sort="-amount")
    assert "No invoice fits" in text(finance, "invoices", status="paid")
    assert invoice.number in text(finance, "invoices", status="nonsense", sort="nonsense", page="99999999999999999999")


def test_the_list_asks_few_questions(firm: Firm, finance: Client, django_assert_max_num_queries: Any) -> None:
    for month in range(4, 12):
        firm.declare(start=f"2026-{month:02}-01", end=f"2026-{month + 1:02}-01")
    for each in Declaration.objects.all():
        firm.bill((each.period.lower, each.period.upper))
    with django_assert_max_num_queries(15):
        text(finance, "invoices")
