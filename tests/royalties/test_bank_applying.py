"""What came in is applied: by itself where number, amount and payer agree, else by a person; each won once."""

from __future__ import annotations

import dataclasses
import datetime
from decimal import Decimal

import pytest

from accounts.identity.core import Actor, Conflict, Forbidden, Refusal
from accounts.identity.models import User
from licensing.declarations.models import Declaration
from royalties.bank import services as bank
from royalties.bank.models import BankAccount, Entry
from royalties.billing import matching, services
from royalties.billing.models import Invoice, Receipt, Refund
from royalties.ledger import services as ledger
from royalties.ledger.models import Account
from royalties.reports.checklist import looked_at
from tests.licensing.tariff_documents import charge, tariff
from tests.royalties.bank_world import bank_account, came_in, ntry
from tests.royalties.billing_world import EXAMPLE, ISSUED, Firm, make_firm

pytestmark = pytest.mark.django_db
GROSS = 471_445  # ₩428,586 net, ₩42,859 VAT


@pytest.fixture
def firm() -> Firm:
    made = make_firm()
    services.set_vat_rule(actor=made.finance, society=made.society, percent=Decimal("10"), valid_from=ISSUED)
    made.declare()
    return made


@pytest.fixture
def invoice(firm: Firm) -> Invoice:
    return firm.bill()


@pytest.fixture
def account(firm: Firm) -> BankAccount:
    return bank_account(firm.finance, firm.society)


@pytest.fixture
def people(firm: Firm) -> list[Actor]:
    """Two persons of finance; the first of them acts for the firm's society."""
    made = []
    for name in ("kim", "lee"):
        user = User.objects.create(email=f"{name}@korea-web.example")
        permissions = frozenset({"billing.manage", "billing.view", "approvals.decide"})
        made.append(dataclasses.replace(firm.finance, id=user.pk, user_id=user.pk, permissions=permissions))
    firm.finance = made[0]
    return made


def sound() -> bool:
    return [*ledger.problems(), *bank.problems(), *services.problems()] == []


def one(firm: Firm, account: BankAccount, entry: str) -> Entry:
    return came_in(firm.finance, account, entry)[0]


def payer(firm: Firm) -> str:
    return f"주식회사 {firm.licensee.name}"


# By itself: number, amount and payer


def test_number_amount_and_payer_agree_and_it_is_booked(firm: Firm, invoice: Invoice, account: BankAccount) -> None:
    entry = one(firm, account, ntry(str(GROSS), name=payer(firm), purpose=f"invoice {invoice.number}"))
    assert services.match(firm.society.pk).applied == 1
    invoice.refresh_from_db()
    entry.refresh_from_db()
    receipt = Receipt.objects.get()
    assert (invoice.status, entry.status, receipt.entry_id, receipt.net) == ("paid", "applied", entry.pk, 428_586)
    assert firm.balance("bank") == -GROSS
    assert sound()
    assert services.match(firm.society.pk).applied == 0


@pytest.mark.parametrize(
    ("amount", "name", "purpose"),
    [(GROSS - 1, True, True), (GROSS, False, True), (GROSS, True, False)],
    ids=["another amount", "another payer", "no number"],
)
def test_two_of_three_are_only_suggested(
    firm: Firm, invoice: Invoice, account: BankAccount, amount: int, name: bool, purpose: bool
) -> None:
    entry = one(
        firm,
        account,
        ntry(str(amount), name=payer(firm) if name else "Somebody", purpose=invoice.number if purpose else "hi"),
    )
    assert services.match(firm.society.pk).applied == 0
    best = services.suggestions(firm.society.pk, [entry.pk])[entry.pk][0]
    assert best.invoices == (invoice.pk,)
    said = {matching.NUMBER: purpose, matching.AMOUNT: amount == GROSS, matching.NAMED: name}
    assert set(best.reasons) == {reason for reason, holds in said.items() if holds}
    assert not Receipt.objects.exists()


def test_banks_may_lose_the_hyphens_of_a_number(firm: Firm, invoice: Invoice, account: BankAccount) -> None:
    one(firm, account, ntry(str(GROSS), name=payer(firm), purpose=invoice.number.replace("-", "")))
    assert services.match(firm.society.pk).applied == 1


def test_two_payments_of_one_invoice_are_for_a_person(firm: Firm, invoice: Invoice, account: BankAccount) -> None:
    twice = [ntry(str(GROSS), name=payer(firm), purpose=invoice.number) for _n in range(2)]
    came_in(firm.finance, account, *twice)
    assert services.match(firm.society.pk).applied == 0


def test_several_invoices_in_one_payment(firm: Firm, invoice: Invoice, account: BankAccount) -> None:
    firm.declare(start="2026-04-01", end="2026-07-01")
    second = firm.bill((datetime.date(2026, 4, 1), datetime.date(2026, 7, 1)), issued_on=datetime.date(2026, 7, 10))
    said = f"{invoice.number} + {second.number}"
    one(firm, account, ntry(str(GROSS + second.gross), name=payer(firm), purpose=said))
    assert services.match(firm.society.pk).applied == 1
    assert Receipt.objects.count() == 2
    assert not Invoice.objects.unpaid().exists()
    assert sound()


def test_who_paid_before_is_known_by_the_account(firm: Firm, invoice: Invoice, account: BankAccount) -> None:
    first, second = came_in(
        firm.finance,
        account,
        ntry("100", name="Agent Kim", account="777-1"),
        ntry("200", name="Agent K", account="777-1"),
    )
    services.apply_entry(actor=firm.finance, entry=first, invoices=[invoice])
    assert matching.BEFORE in services.suggestions(firm.society.pk, [second.pk])[second.pk][0].reasons


def test_a_receipt_recorded_by_hand_is_not_booked_again(firm: Firm, invoice: Invoice, account: BankAccount) -> None:
    firm.receive(invoice, GROSS, "BANK-7")
    entry = one(firm, account, ntry(str(GROSS), ref="BANK-7"))
    assert services.match(firm.society.pk).applied == 1
    entry.refresh_from_db()
    assert (Receipt.objects.get().entry_id, entry.status, firm.balance("bank")) == (entry.pk, "applied", -GROSS)
    assert sound()


# By a person


def test_parts_and_too_much(firm: Firm, invoice: Invoice, account: BankAccount) -> None:
    """Underpaid: partly paid. Overpaid: the open part, and the rest is kept, paid back, or waits."""
    part, much = came_in(firm.finance, account, ntry("100000"), ntry("400000"))
    services.apply_entry(actor=firm.finance, entry=part, invoices=[invoice])
    invoice.refresh_from_db()
    assert (invoice.open, invoice.status) == (371_445, "part_paid")
    services.apply_entry(actor=firm.finance, entry=much, invoices=[invoice])
    much.refresh_from_db()
    assert (much.left, much.status) == (28_555, "part")
    services.keep_for_licence(actor=firm.finance, entry=much, licence=firm.licence)
    assert firm.balance("unapplied", much.pk) == 28_555
    firm.declare(start="2026-04-01", end="2026-07-01")
    later = firm.bill((datetime.date(2026, 4, 1), datetime.date(2026, 7, 1)), issued_on=datetime.date(2026, 7, 10))
    assert services.match(firm.society.pk).applied == 1
    later.refresh_from_db()
    assert (later.received, firm.balance("unapplied", much.pk)) == (28_555, 0)
    assert sound()


def test_money_nobody_knows_is_kept_as_unapplied(firm: Firm, invoice: Invoice, account: BankAccount) -> None:
    entry = one(firm, account, ntry("1000", name="?"))
    bank.park(actor=firm.finance, entry=entry)
    bank.park(actor=firm.finance, entry=entry)
    assert (firm.balance("bank"), firm.balance("unapplied", entry.pk)) == (-1_000, 1_000)
    services.apply_entry(actor=firm.finance, entry=entry, invoices=[invoice])
    assert (firm.balance("unapplied", entry.pk), firm.balance("receivable", firm.licensee.pk)) == (0, -GROSS + 1_000)
    assert sound()


def test_an_entry_is_applied_once(firm: Firm, invoice: Invoice, account: BankAccount) -> None:
    entry = one(firm, account, ntry("1000"))
    services.apply_entry(actor=firm.finance, entry=entry, invoices=[invoice])
    with pytest.raises(Conflict):
        services.apply_entry(actor=firm.finance, entry=entry, invoices=[invoice])
    assert Receipt.objects.count() == 1


def test_charges_kept_on_the_way_are_the_societys(firm: Firm, invoice: Invoice, account: BankAccount) -> None:
    entry = one(firm, account, ntry(str(GROSS - 15_000)))
    with pytest.raises(Refusal, match="missing"):
        services.apply_entry(actor=firm.finance, entry=entry, invoices=[invoice], charges=14_999)
    services.apply_entry(actor=firm.finance, entry=entry, invoices=[invoice], charges=15_000)
    invoice.refresh_from_db()
    assert (invoice.open, firm.balance("charges"), firm.balance("pool", invoice.pk)) == (0, -15_000, 428_586)
    assert sound()


def test_the_banks_own_charges(firm: Firm, account: BankAccount) -> None:
    _in, out = came_in(firm.finance, account, ntry("1000"), ntry("500", sign="DBIT"))
    bank.park(actor=firm.finance, entry=_in)
    services.book_charges(actor=firm.finance, entry=out)
    out.refresh_from_db()
    assert (out.status, firm.balance("charges"), firm.balance("bank")) == ("applied", -500, -500)


# Other currencies


@pytest.fixture
def acme() -> Firm:
    """A firm that is billed $1,000.00, without VAT."""
    fee = charge("per_work", "titles", price="1000.00")
    made = make_firm(tariff(fee, currency="USD"), ref="DOLLARS", licensee="ACME")
    made.declare(1)
    return made


def in_dollars(firm: Firm, kind: str, owner_id: int | None = None) -> int:
    found = Account.objects.filter(society=firm.society, kind=kind, owner_id=owner_id, currency="USD").first()
    return found.credits - found.debits if found else 0


def in_won(firm: Firm, kind: str) -> int:
    found = Account.objects.filter(society=firm.society, kind=kind, currency="KRW").first()
    return found.credits - found.debits if found else 0


def test_dollars_paid_in_won_keep_both_amounts_the_rate_and_its_source(acme: Firm) -> None:
    """The pool stays in the invoice's currency; the two exchange accounts stand between bank and receivable (ADR 24)."""
    invoice, account = acme.bill(), bank_account(acme.finance, acme.society)
    entry = one(acme, account, ntry("1350500"))
    with pytest.raises(Refusal, match="no rate"):
        services.apply_entry(actor=acme.finance, entry=entry, invoices=[invoice])
    rate = bank.record_rate(
        actor=acme.finance, society=acme.society, base="USD", quote="KRW", rate=Decimal("1350.5"), on=entry.value_on,
        source="Seoul Money Brokerage, basic rate",
    )  # fmt: skip
    (receipt,) = services.apply_entry(actor=acme.finance, entry=entry, invoices=[invoice])
    said = (receipt.amount, receipt.paid_amount, receipt.paid_currency, receipt.rate_id)
    assert said == (100_000, 1_350_500, "KRW", rate.pk)
    assert (in_won(acme, "bank"), in_won(acme, "exchange")) == (-1_350_500, 1_350_500)
    assert (in_dollars(acme, "exchange"), in_dollars(acme, "receivable", acme.licensee.pk)) == (-100_000, 0)
    assert in_dollars(acme, "pool", invoice.pk) == 100_000
    assert sound()


def test_what_the_payer_ordered_in_dollars_is_what_the_invoice_gets(acme: Firm) -> None:
    invoice, account = acme.bill(), bank_account(acme.finance, acme.society)
    more = '<AmtDtls><InstdAmt><Amt Ccy="USD">1000.00</Amt></InstdAmt></AmtDtls>'
    entry = one(acme, account, ntry("1348250", more=more))
    (receipt,) = services.apply_entry(actor=acme.finance, entry=entry, invoices=[invoice])
    assert receipt.rate is not None
    assert (receipt.amount, receipt.paid_amount, receipt.rate.rate) == (100_000, 1_348_250, Decimal("1348.25"))
    assert receipt.rate.source.startswith("bank: ordered 1000.00 USD")
    assert sound()


def test_too_many_won_leave_a_rest_in_won(acme: Firm) -> None:
    invoice, account = acme.bill(), bank_account(acme.finance, acme.society)
    entry = one(acme, account, ntry("1400000"))
    bank.record_rate(actor=acme.finance, society=acme.society, base="USD", quote="KRW", rate=Decimal("1350"),
                     on=entry.value_on, source="KEB Hana")  # fmt: skip
    services.apply_entry(actor=acme.finance, entry=entry, invoices=[invoice])
    entry.refresh_from_db()
    assert (entry.left, entry.status, in_dollars(acme, "pool", invoice.pk)) == (50_000, "part", 100_000)
    assert sound()


def test_write_off_by_two_people_with_vat_apart(people: list[Actor], firm: Firm, invoice: Invoice) -> None:
    firm.receive(invoice, GROSS - 500)
    asked = services.request_write_off(
        actor=firm.finance, invoice=invoice, ground="small", reason="rounding at their bank"
    )
    second = people[1]
    with pytest.raises(Forbidden):
        services.decide_write_off(actor=firm.finance, write_off=asked, approve=True)
    done = services.decide_write_off(actor=second, write_off=asked, approve=True)
    invoice.refresh_from_db()
    assert (done.status, done.net, done.vat, invoice.open, invoice.status) == ("approved", 455, 45, 0, "paid")
    assert (firm.balance("receivable", firm.licensee.pk), firm.balance("billed", invoice.pk)) == (0, 0)
    assert sound()
    # It comes after all: the write-off is taken back, and the pool gets its won.
    firm.receive(invoice, 500, "B-2")
    done.refresh_from_db()
    invoice.refresh_from_db()
    assert (done.status, invoice.written_off, invoice.open, firm.balance("pool", invoice.pk)) == (
        "resumed",
        0,
        0,
        428_586,
    )
    assert sound()


def test_what_was_given_up_is_credited_as_if_it_were_open_and_the_rest_is_open_again(
    people: list[Actor], firm: Firm, invoice: Invoice
) -> None:
    """₩471,445 were written off; the true use costs ₩20,000 and VAT: the rest is credited, ₩22,000 can be given up anew."""
    asked = services.request_write_off(actor=firm.finance, invoice=invoice, ground="lost", reason="insolvent")
    assert {each.code: each.count for each in looked_at(firm.society, invoice.due_on)}["overdue"] == 1
    services.decide_write_off(actor=people[1], write_off=asked, approve=True)
    assert {each.code: each.count for each in looked_at(firm.society, invoice.due_on)}["overdue"] == 0
    Declaration.objects.filter(licence=firm.licence).update(status="superseded")
    firm.declare(400_000_000)
    note = firm.bill()
    asked.refresh_from_db()
    invoice.refresh_from_db()
    assert (note.net, note.vat, asked.status) == (-408_586, -40_859, "resumed")
    assert (invoice.written_off, invoice.credited, invoice.open) == (0, GROSS - 22_000, 22_000)
    assert (firm.balance("receivable", firm.licensee.pk), firm.balance("vat")) == (-22_000, 2_000)
    assert sound()


def test_only_a_small_difference_is_small(people: list[Actor], firm: Firm, invoice: Invoice) -> None:
    with pytest.raises(Refusal, match="no small difference"):
        services.request_write_off(actor=firm.finance, invoice=invoice, ground="small", reason="x")
    services.request_write_off(
        actor=firm.finance, invoice=invoice, ground="lost", reason="insolvent, court file 2026-1"
    )
    with pytest.raises(Conflict):
        services.request_write_off(actor=firm.finance, invoice=invoice, ground="lost", reason="again")


# Refunds


def refund_of(firm: Firm, **fields: object) -> Refund:
    given = {"actor": firm.finance, "payee_name": "Hanbit", "payee_account": "333-1", "reason": "paid twice"}
    return services.request_refund(**given | fields)


def test_a_payment_made_twice_is_paid_back_once(
    people: list[Actor], firm: Firm, invoice: Invoice, account: BankAccount
) -> None:
    _first, again = came_in(firm.finance, account, ntry(str(GROSS)), ntry(str(GROSS)))
    bank.park(actor=firm.finance, entry=_first)
    asked = refund_of(firm, entry=again, amount=GROSS)
    second = people[1]
    with pytest.raises(Forbidden):
        services.decide_refund(actor=firm.finance, refund=asked, approve=True)
    services.decide_refund(actor=second, refund=asked, approve=True)
    again.refresh_from_db()
    assert (again.status, firm.balance("refunding", asked.pk)) == ("applied", GROSS)
    with pytest.raises(Refusal):
        refund_of(firm, entry=again, amount=1)
    out, more = came_in(firm.finance, account, ntry(str(GROSS), sign="DBIT"), ntry(str(GROSS), sign="DBIT"))
    services.settle_refund(actor=firm.finance, refund=asked, entry=out)
    with pytest.raises(Conflict):
        services.settle_refund(actor=firm.finance, refund=asked, entry=more)
    asked.refresh_from_db()
    assert (asked.status, firm.balance("refunding", asked.pk)) == ("paid", 0)
    assert sound()


def test_a_favour_is_paid_back_and_what_was_distributed_is_covered(
    people: list[Actor], firm: Firm, account: BankAccount
) -> None:
    """Paid, then credited: the favour is paid back, and the society bears the net that is in a pool already."""
    invoice = firm.bill()
    firm.receive(invoice, GROSS)
    Declaration.objects.filter(licence=firm.licence, status="accepted").update(status="superseded")
    firm.declare(EXAMPLE // 2)
    assert firm.bill(issued_on=datetime.date(2026, 6, 1)).kind == "credit"
    stands = services.favour(firm.licence, "KRW")
    with pytest.raises(Refusal, match="covers"):
        refund_of(firm, licence=firm.licence, currency="KRW", amount=stands.gross)
    asked = refund_of(firm, licence=firm.licence, currency="KRW", amount=stands.gross, cover="society")
    services.decide_refund(actor=people[1], refund=asked, approve=True)
    assert (services.favour(firm.licence, "KRW").gross, firm.balance("borne")) == (0, -stands.net)
    assert sound()
    services.cancel_refund(actor=firm.finance, refund=asked, reason="they want it set off")
    assert (services.favour(firm.licence, "KRW"), firm.balance("borne")) == (stands, 0)
    assert sound()
