"""Pages of estimates, advances, corrections and what is overdue: what they say, who acts on them, who sees nothing."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.urls import reverse

from licensing.declarations.models import Declaration, ReportDuty
from licensing.licences.models import Licence
from royalties.billing import services
from royalties.billing.models import Invoice
from tests.accounts import people
from tests.licensing.tariff_documents import charge, tariff
from tests.royalties.billing_world import Firm, make_firm
from tests.royalties.test_billing_api import asking
from tests.royalties.test_billing_pages import signed_in, text

pytestmark = pytest.mark.django_db
APRIL, JULY = datetime.date(2026, 4, 1), datetime.date(2026, 7, 1)


@pytest.fixture
def firm() -> Firm:
    return make_firm(tariff(charge("per_unit", "tokens", per=1, price="1")))


@pytest.fixture
def finance(firm: Firm) -> Client:
    return signed_in(firm.society, "finance")


@pytest.fixture
def missing(firm: Firm) -> ReportDuty:
    firm.declare(100)
    firm.bill()
    return ReportDuty.objects.create(
        licence=firm.licence, period=DateRange(APRIL, JULY), due_on=datetime.date(2026, 7, 31)
    )


def posted(client: Client, route: str, *args: Any, **data: Any) -> Any:
    return client.post(reverse(f"royalties:{route}", args=args), data)


def test_a_missing_report_is_estimated_by_hand_and_says_so_to_both(
    firm: Firm, finance: Client, missing: ReportDuty
) -> None:
    assert "Reports missing" in text(finance, "invoices_waiting")
    preview = text(finance, "invoice_estimate", missing.pk)
    assert "What was declared for the last reporting period is expected again." in preview
    assert Invoice.objects.count() == 1
    posted(finance, "invoice_estimate", missing.pk)
    estimate = Invoice.objects.get(kind="estimate")
    assert "Everything accepted is billed" in text(finance, "invoices_waiting")
    for client in (finance, signed_in(firm.licensee, "administrator")):
        page = text(client, "invoice", estimate.pk)
        assert "This is an estimate." in page
        assert "What it rests on" in page
    declares = f"{reverse('licensing:declaration_create')}?licence={firm.licence.pk}"
    assert declares in page
    again = text(finance, "invoice_estimate", missing.pk)
    assert "The estimate comes to no more than was billed already." in again


def test_a_credit_note_says_what_it_corrects_and_the_invoice_what_corrects_it(firm: Firm, finance: Client) -> None:
    firm.declare(1000)
    first = firm.bill()
    firm.receive(first, 700)
    Declaration.objects.update(status="superseded")
    firm.declare(400)
    period = {"licence": firm.licence.pk, "start": "2026-01-01", "end": "2026-04-01"}
    preview = text(finance, "invoice_new", **period)
    assert "Issue this credit note" in preview
    assert "₩300 of it was paid already." in preview
    posted(finance, "invoice_new", **period)
    note = Invoice.objects.get(kind="credit")
    page = text(finance, "invoice", note.pk)
    assert "This is a credit note." in page
    assert first.number in page
    assert "Record a receipt" not in page
    assert note.number in text(finance, "invoice", first.pk)
    listed = asking(firm.licensee).get("/api/v1/invoices/?kind=credit").json()["results"]
    assert [(each["invoice"], each["kind"], each["gross"], each["credited"], each["version"]) for each in listed] == [
        (note.number, "credit", -600, -600, 1)
    ]
    found = asking(firm.licensee).get(f"/api/v1/invoices/{first.pk}/").json()
    assert [(each["credit_note"], each["net"], each["returned"]) for each in found["corrected_by"]] == [
        (note.number, 300, False), (note.number, 300, True),
    ]  # fmt: skip
    assert (found["basis"], found["credited"], found["open"], found["status"]) == (None, 300, 0, "paid")


def test_what_costs_the_same_is_closed_without_an_invoice(firm: Firm, finance: Client, missing: ReportDuty) -> None:
    posted(finance, "invoice_estimate", missing.pk)
    firm.declare(100, start="2026-04-01", end="2026-07-01")
    period = {"licence": firm.licence.pk, "start": "2026-04-01", "end": "2026-07-01"}
    assert "Nothing to bill." in text(finance, "invoice_new", **period)
    answer = finance.post(reverse("royalties:invoice_new"), period, follow=True)
    assert "no new one was needed" in answer.content.decode()
    assert Invoice.objects.count() == 2


def test_a_fixed_price_is_billed_by_hand() -> None:
    flat = charge("flat", "quarterly fee", amount="90000", uses=["*"], kinds=["*"])
    firm = make_firm(tariff(flat, period_months=3))
    finance = signed_in(firm.society, "finance")
    assert "Fixed prices due" in text(finance, "invoices_waiting")
    assert "₩90,000" in text(finance, "invoice_advance", firm.licence.pk, start="2026-04-20")
    posted(finance, "invoice_advance", firm.licence.pk, start="2026-04-20")
    assert Invoice.objects.get().period == DateRange(APRIL, JULY)
    assert "no fixed price" in text(finance, "invoice_advance", firm.licence.pk, start="2025-01-01")
    assert text(finance, "invoice_advance", firm.licence.pk, start="no day")


def test_what_is_owed_without_use_is_billed_by_hand() -> None:
    firm = make_firm(tariff(charge("per_unit", "tokens", per=1, price="1"), minimum="500"))
    ReportDuty.objects.create(
        licence=firm.licence,
        period=DateRange(APRIL, JULY),
        due_on=JULY,
        status="nil",
        settled_at="2026-07-10T00:00:00Z",
    )
    finance = signed_in(firm.society, "finance")
    assert "Owed without use" in text(finance, "invoices_waiting")
    assert "₩500" in text(finance, "invoice_new", licence=firm.licence.pk, start=APRIL, end=JULY)
    posted(finance, "invoice_new", licence=firm.licence.pk, start=APRIL, end=JULY)
    assert Invoice.objects.get().net == 500
    assert "Owed without use" not in text(finance, "invoices_waiting")


def test_an_overdue_licence_is_suspended_by_who_manages_licences(firm: Firm, finance: Client) -> None:
    firm.declare(100)
    firm.bill()
    assert "L-KOREA-WEB-HANBIT" in text(finance, "unpaid")
    assert posted(finance, "unpaid_suspend", firm.licence.pk).status_code == 403
    boss = signed_in(firm.society, "administrator")
    assert posted(boss, "unpaid_suspend", firm.licence.pk).status_code == 302
    assert Licence.objects.get().status == "suspended"
    assert "No licence may be suspended" in text(boss, "unpaid")


def test_others_find_none_of_it(firm: Firm, missing: ReportDuty) -> None:
    stranger = signed_in(people.organisation("OTHER", "society"), "administrator")
    licensee = signed_in(firm.licensee, "administrator")
    for client, expected in ((stranger, 404), (licensee, 403)):
        for route, pk in (("invoice_estimate", missing.pk), ("invoice_advance", firm.licence.pk)):
            assert client.get(reverse(f"royalties:{route}", args=[pk])).status_code == expected
            assert posted(client, route, pk).status_code == expected
        assert posted(client, "unpaid_suspend", firm.licence.pk).status_code == expected
    assert "L-KOREA-WEB-HANBIT" not in text(stranger, "unpaid")
    assert (Invoice.objects.count(), Licence.objects.get().status) == (1, "active")
    assert services.estimates_due(firm.finance, datetime.date(2026, 8, 15)).count() == 1
