"""Finance at work with the bank's statement: import, look, apply, pay back, write off; each by a person who may."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from royalties.bank import services as bank
from royalties.bank.models import BankAccount, Entry, ExchangeRate, StatementImport
from royalties.billing import services
from royalties.billing.models import (
    DunningPolicy,
    Invoice,
    InvoiceDispute,
    Receipt,
    Refund,
    TaxInvoice,
    VatExemption,
    WriteOff,
)
from tests.accounts import people
from tests.royalties.bank_world import bank_account, came_in, camt, ntry
from tests.royalties.billing_world import ISSUED, Firm, make_firm
from tests.royalties.test_bank_import import KOREAN

pytestmark = pytest.mark.django_db


@pytest.fixture
def firm() -> Firm:
    made = make_firm()
    services.set_vat_rule(actor=made.finance, society=made.society, percent=Decimal("10"), valid_from=ISSUED)
    made.declare()
    return made


@pytest.fixture
def finance(firm: Firm) -> Client:
    return signed_in(firm, "kim@k.example")


@pytest.fixture
def account(firm: Firm) -> BankAccount:
    return bank_account(firm.finance, firm.society)


def signed_in(firm: Firm, email: str) -> Client:
    client = Client()
    client.force_login(people.person(firm.society, "finance", email=email))
    return client


def text(client: Client, route: str, *args: Any, **query: Any) -> str:
    answer = client.get(reverse(f"royalties:{route}", args=args), query)
    assert answer.status_code == 200, answer.content[:500]
    return answer.content.decode()


def post(client: Client, route: str, *args: Any, **data: Any) -> Any:
    answer = client.post(reverse(f"royalties:{route}", args=args), data)
    assert answer.status_code == 302, answer.content.decode()[:3000]
    return answer


def test_an_account_and_its_first_file(firm: Firm, finance: Client) -> None:
    assert "No bank account yet" in text(finance, "bank_accounts")
    post(finance, "bank_accounts", name="Main", bank="Shinhan", number="110-123-456789", currency="KRW")
    account = BankAccount.objects.get()
    file = SimpleUploadedFile("내역.csv", KOREAN.encode("cp949"))
    where = post(finance, "bank_statement_import", account.pk, file=file).headers["Location"]
    assert "2 entries are new" in finance.get(where).content.decode()
    page = text(finance, "bank_account", account.pk)
    assert "₩1,071,445" in page
    assert "한빛AI" in text(finance, "bank_entries")
    assert "₩1,071,445" in text(finance, "bank_accounts")


def test_a_bad_file_is_told_row_by_row(firm: Firm, finance: Client, account: BankAccount) -> None:
    post(finance, "bank_statement_import", account.pk, file=SimpleUploadedFile("x.xml", camt(ntry("1.5"))))
    tried = StatementImport.objects.get()
    assert "more decimals than the currency has" in text(finance, "bank_import", tried.pk)
    answer = finance.get(reverse("royalties:bank_import_problems", args=[tried.pk]))
    assert answer.content.decode("utf-8-sig").splitlines()[1].startswith("1,Amt,1.5,")
    assert finance.get(reverse("royalties:bank_import_file", args=[tried.pk])).status_code == 200
    post(finance, "bank_columns", account.pk, booked_on="When", amount="How much")
    assert BankAccount.objects.get().columns == {"booked_on": "When", "amount": "How much"}


def test_a_suggestion_is_applied_with_one_click(firm: Firm, finance: Client, account: BankAccount) -> None:
    invoice = firm.bill()
    (entry,) = came_in(firm.finance, account, ntry(str(invoice.gross), name="somebody", purpose=invoice.number))
    page = text(finance, "bank_entries")
    assert "its number is written" in page
    assert "the amount is what is open" in page
    post(finance, "bank_entry_act", entry.pk, act="apply", numbers=invoice.number, back="queue")
    assert Receipt.objects.get().entry_id == entry.pk
    assert "Everything is applied" in text(finance, "bank_entries")
    assert invoice.number in text(finance, "bank_entry", entry.pk)
    assert entry.bank_ref in text(finance, "invoice", invoice.pk)


def test_a_payment_is_kept_explained_and_paid_back(firm: Firm, finance: Client, account: BankAccount) -> None:
    one, two, out = came_in(firm.finance, account, ntry("500"), ntry("700"), ntry("10", sign="DBIT"))
    post(finance, "bank_entry_act", one.pk, act="keep", licence=firm.licence.ref)
    post(finance, "bank_entry_act", out.pk, act="charges")
    assert "700" in text(finance, "refund_new", entry=two.pk)
    answer = finance.post(
        f"{reverse('royalties:refund_new')}?entry={two.pk}",
        {"amount": 700, "payee_name": "Kim", "payee_account": "1-2", "reason": "not ours"},
    )
    asked = Refund.objects.get()
    assert answer.headers["Location"] == reverse("royalties:refund", args=[asked.pk])
    assert "A second person has to decide" in text(finance, "refund", asked.pk)
    second = signed_in(firm, "lee@k.example")
    post(second, "refund_decide", asked.pk, decision="approve")
    (paid,) = came_in(firm.finance, account, ntry("700", sign="DBIT"))
    assert "It paid this refund" in text(finance, "bank_entry", paid.pk)
    post(finance, "bank_entry_act", paid.pk, act="settle", refund=asked.pk)
    asked.refresh_from_db()
    assert (asked.status, [e.status for e in Entry.objects.order_by("pk")]) == (
        "paid",
        ["parked", "applied", "applied", "applied"],
    )
    assert "Kim" in text(finance, "refunds")
    assert "what went out" in text(finance, "bank_entries", which="out")


def test_a_write_off_by_two(firm: Firm, finance: Client) -> None:
    invoice = firm.bill()
    assert invoice.number in text(finance, "write_off_new", invoice.pk)
    post(finance, "write_off_new", invoice.pk, ground="lost", reason="insolvent")
    asked = WriteOff.objects.get()
    post(finance, "write_off_decide", asked.pk, decision="approve")
    assert WriteOff.objects.get().status == "requested"  # the same person
    post(signed_in(firm, "lee@k.example"), "write_off_decide", asked.pk, decision="approve")
    assert "₩42,859" in text(finance, "write_off", asked.pk)
    assert invoice.number in text(finance, "write_offs")


def test_what_is_overdue_by_age_until_it_is_disputed(firm: Firm, finance: Client) -> None:
    invoice = firm.bill()
    Invoice.objects.update(due_on=datetime.date(2026, 1, 1))
    post(finance, "reminding", days="2, 10", text_ko="납부해 주세요.", interest_percent="6", interest_source="Commercial Act art. 54",
         valid_from="2020-01-01")  # fmt: skip
    assert [each["days"] for each in DunningPolicy.objects.get().levels] == [2, 10]
    assert "Interest by law" in text(finance, "invoices_late")
    day = datetime.date(2026, 1, 12)
    assert [services.remind_unpaid(day) for _n in range(2)] == [1, 0]
    post(finance, "invoice_dispute", invoice.pk, reason="the count is wrong", decision="open")
    assert services.remind_unpaid(datetime.date(2026, 1, 3)) == 0
    assert "the count is wrong" in text(finance, "invoice", invoice.pk)
    post(finance, "invoice_dispute", invoice.pk, reason="agreed", decision="close")
    assert InvoiceDispute.objects.get().outcome == "agreed"


def test_tax_invoice_data_and_licensees_without_vat(firm: Firm, finance: Client) -> None:
    refused = finance.post(reverse("royalties:tax_details"), party(firm.society, "116-82-00277"))
    assert "check digit" in refused.content.decode()
    post(finance, "tax_details", **party(firm.society, "116-82-00276"))
    post(finance, "tax_details", **party(firm.licensee, "220-81-62517"))
    invoice = firm.bill()
    post(finance, "tax_invoice_new", invoice.pk)
    made = TaxInvoice.objects.get()
    assert (made.supply, made.tax, made.zero_rated, made.recipient["number"]) == (428_586, 42_859, False, "2208162517")
    span = {"from": "2026-04-01", "to": "2026-05-01"}
    rows = finance.get(reverse("royalties:tax_export"), span).content.decode("utf-8-sig").splitlines()
    assert rows[1].startswith(f"{invoice.number},taxed,")
    said = finance.get(reverse("royalties:tax_export"), span | {"format": "json"}).json()
    assert said["tax_invoices"][0]["total"] == invoice.gross
    assert invoice.number in text(finance, "tax_details", **span)
    post(
        finance,
        "vat_exemptions",
        licensee=firm.licensee.pk,
        treatment="zero_rated",
        reason="abroad",
        valid_from="2026-07-01",
    )
    assert VatExemption.objects.get().reason == "abroad"
    firm.declare(start="2026-04-01", end="2026-07-01")
    later = firm.bill((datetime.date(2026, 4, 1), datetime.date(2026, 7, 1)), issued_on=datetime.date(2026, 7, 2))
    assert (later.vat, later.vat_basis, invoice.vat_basis) == (0, "zero_rated", "standard")
    assert "abroad" in text(finance, "vat_exemptions")


def party(organisation: Any, number: str) -> dict[str, Any]:
    return {"organisation": organisation.pk, "number": number, "name": str(organisation), "representative": "김대표"}


def test_rates_with_their_source(firm: Firm, finance: Client) -> None:
    post(finance, "bank_rates", base="USD", quote="KRW", rate="1350.5", on="2026-05-01", source="Seoul Money Brokerage")
    assert ExchangeRate.objects.get().rate == Decimal("1350.5")
    assert "1 USD = 1350.5 KRW" in text(finance, "bank_rates")


def test_others_see_no_bank(firm: Firm, account: BankAccount) -> None:
    (entry,) = came_in(firm.finance, account, ntry("500"))
    stranger = Client()
    stranger.force_login(people.person(people.organisation("OTHER", "society"), "finance"))
    licensee = Client()
    licensee.force_login(people.person(firm.licensee, "finance"))
    for client, status in ((stranger, 404), (licensee, 403)):
        assert client.get(reverse("royalties:bank_entry", args=[entry.pk])).status_code == status
        assert client.post(reverse("royalties:bank_entry_act", args=[entry.pk]), {"act": "park"}).status_code in (
            403,
            404,
        )
    entry.refresh_from_db()
    assert (entry.status, bank.open_entries(firm.society.pk, 1).count()) == ("open", 1)
