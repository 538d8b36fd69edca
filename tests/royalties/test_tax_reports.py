"""The year's report: what each payee had, what was withheld, and the file for the authority that sums to the same."""

from __future__ import annotations

import csv
import datetime
import io
from typing import Any

import pytest
from django.test import Client

from accounts.identity.models import User
from royalties.payees import services as payees
from royalties.payees.core import withhold
from royalties.payees.models import PayeeDetails
from royalties.payouts import withholding
from royalties.payouts.models import Batch, Payment
from tests.royalties.payees_world import IBAN, KOREAN, Payers, make_payers

pytestmark = pytest.mark.django_db
MAY = datetime.date(2026, 5, 10)


@pytest.fixture
def payers() -> Payers:
    return make_payers()


class Book:
    """Payments as a batch leaves them, made straight away."""

    def __init__(self, payers: Payers, currency: str = "KRW") -> None:
        self.payers, self.currency, self.count = payers, currency, 0

    def pay(
        self, details: PayeeDetails, gross: int, on: datetime.date = MAY, status: str = "settled", **more: Any
    ) -> Payment:
        society = self.payers.society
        rules = payees.tax_rules(on, society.country)
        found = withhold(
            rules=rules, tax_status=more.pop("tax_status", details.tax_status), residence=details.residence, on=on,
            currency=self.currency, gross=gross,
        )  # fmt: skip
        batch, _new = Batch.objects.get_or_create(
            society=society, currency=self.currency, execute_on=on, defaults={"status": "discarded"}
        )
        self.count += 1
        lines = [{"name": x.name, "base": x.base, "rate": str(x.rate), "amount": x.amount} for x in found.lines]
        return Payment.objects.create(
            batch=batch, society=society, holder=more.pop("holder", None) or details.payee.holder, position=self.count, details=details,
            end_to_end_id=f"E{society.pk}-{self.count}", currency=self.currency, gross=gross, withheld=found.withheld, net=found.net,
            taxes=lines, status=status, execute_on=on, **more,
        )  # fmt: skip


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_a_year_sums_what_the_bank_carried_out_on_its_days(payers: Payers) -> None:
    """By payment day, from 1 January up to 31 December; what came back or is on its way is in no report."""
    book, details = Book(payers), payers.usable(payers.holder("H-1"))
    for gross, on in (
        (1_234_567, datetime.date(2026, 1, 1)),
        (1_000_000, datetime.date(2026, 12, 31)),
        (7, datetime.date(2027, 1, 1)),
    ):
        book.pay(details, gross, on)
    book.pay(details, 500_000, status="sent")
    (row,) = withholding.year_rows(payers.society.pk, 2026)
    assert (row.payments, row.gross, row.income, row.first, row.second) == (2, 2_234_567, 2_234_567, 67_030, 6_700)
    assert row.gross == row.net + row.withheld and row.rate_percent == "3"
    assert withholding.still_open(payers.society.pk, 2026) == 1
    assert [year for year, _s, _h in withholding.years_of([details.payee.holder_id or 0])] == [2027, 2026]


def test_the_korean_file_tells_business_other_and_foreign_income_apart(payers: Payers) -> None:
    """지급명세서: one line a payee and rate; organisations in Korea, who are not withheld from, are in none."""
    book = Book(payers)
    business = payers.usable(payers.holder("H-1", name="=cmd()", name_ko=""))
    other = payers.usable(payers.holder("H-2"), tax_status="kr_other")
    abroad = payers.usable(payers.holder("H-3"), account=IBAN, bank="", residence="GB", tax_status="non_resident")
    company = payers.usable(payers.holder("H-4", kind="organisation"), tax_status="kr_organisation")
    for details, gross in (
        (business, 1_234_567),
        (other, 1_000_000),
        (other, 100_000),
        (abroad, 1_000_000),
        (company, 9_000_000),
    ):
        book.pay(details, gross)
    rows = table("".join(withholding.authority_file(payers.society, 2026)))
    assert [(row["payee_ref"], row["statement"], row["gross"], row["income_tax"], row["local_income_tax"]) for row in rows] == [
        ("H-1", "business_income", "1234567", "37030", "3700"),
        ("H-2", "other_income", "100000", "0", "0"),
        ("H-2", "other_income", "1000000", "80000", "8000"),
        ("H-3", "non_resident_income", "1000000", "200000", "20000"),
    ]  # fmt: skip
    assert (rows[1]["not_taxed"], rows[2]["deemed_expense"], rows[2]["income"]) == ("100000", "600000", "400000")
    assert rows[0]["payee_name"].startswith("'")  # no spreadsheet takes a name for a formula
    assert all(int(row["gross"]) == int(row["net"]) + int(row["withheld"]) for row in rows)


def test_what_went_to_a_creditor_is_taxed_and_reported_as_the_holders(payers: Payers) -> None:
    book, own = Book(payers), payers.usable(payers.holder("H-1"))
    court = payees.add_third_party(actor=payers.first, society=payers.society, name="Court")
    theirs = payers.approve(
        payees.request_details(actor=payers.first, payee=court, **KOREAN | {"tax_status": "exempt"})
    )
    book.pay(own, 1_000_000)
    book.pay(theirs, 1_000_000, holder=own.payee.holder, tax_status="kr_business", entitlement_id=1)
    (row,) = withholding.year_rows(payers.society.pk, 2026)
    assert (row.ref, row.tax_status, row.payments, row.first) == ("H-1", "kr_business", 2, 60_000)


def test_a_us_payer_reports_foreign_persons_and_backup_withholding_apart() -> None:
    """Form 1042-S: income code 12, exemption code 04 where a treaty lowered the rate; 1099-MISC for the others."""
    payers = make_payers("US-SOCIETY", country="US")
    book = Book(payers, "USD")
    foreign = payers.usable(payers.holder("H-1"), account=IBAN, bank="", residence="GB", tax_status="non_resident")
    home = payers.usable(
        payers.holder("H-2"), account="123456789", bank="CITIUS33", residence="US", tax_status="non_resident"
    )
    book.pay(foreign, 1_000_00)
    book.pay(home, 1_000_00)
    rows = table("".join(withholding.authority_file(payers.society, 2026)))
    shown = ("form", "income_code", "chapter_3_exemption_code", "tax_rate_percent", "federal_tax_withheld")
    assert [tuple(row[name] for name in shown) for row in rows] == [
        ("1042-S", "12", "00", "30", "30000"),
        ("1099-MISC", "", "", "24", "24000"),
    ]


def test_pages_show_each_their_own(payers: Payers) -> None:
    holder, other = payers.holder("H-1"), payers.holder("H-2")
    Book(payers).pay(payers.usable(holder), 1_234_567)
    me, stranger, finance = Client(), Client(), Client()
    for client, actor in ((me, payers.member(holder)), (stranger, payers.member(other)), (finance, payers.first)):
        client.force_login(User.objects.get(pk=actor.user_id))
    assert "₩40,730" in me.get("/withholding/mine/").content.decode()
    address = f"/withholding/2026/{holder.pk}/certificate."
    made = me.get(f"{address}pdf")
    assert made.content.startswith(b"%PDF") and made["Content-Type"] == "application/pdf"
    assert table(me.get(f"{address}csv").content.decode())[0]["withheld"] == "40730"
    assert (
        stranger.get(f"{address}pdf").status_code == 404
        and "Nothing was paid yet" in stranger.get("/withholding/mine/").content.decode()
    )
    assert "₩1,193,837" in finance.get("/withholding/?year=2026").content.decode()
    file = b"".join(finance.get("/withholding/2026/authority.csv").streaming_content).decode()
    assert table(file)[0]["net"] == "1193837"
    for wrong in (
        "/withholding/2025/%d/certificate.pdf",
        "/withholding/99999/%d/certificate.pdf",
        "/withholding/2026/%d/certificate.exe",
    ):
        assert me.get(wrong % holder.pk).status_code == 404
    assert me.get("/withholding/").status_code == 403
