"""Credit notes: what was billed too much goes back, to the won, whatever was paid before and in whatever order."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.identity.core import Refusal
from licensing.declarations.models import Declaration
from royalties.billing import core, services
from royalties.billing.crediting import Standing, credit
from royalties.billing.models import Invoice, InvoiceCredit, InvoiceDeclaration, Receipt
from royalties.billing.services import invoices
from royalties.ledger import services as ledger
from tests.licensing.tariff_documents import charge, tariff
from tests.royalties.billing_world import APRIL, ISSUED, QUARTER, Firm, make_firm
from tests.together import together

JULY = datetime.date(2026, 7, 1)
SECOND = (APRIL, JULY)


def priced(vat: str = "") -> Firm:
    """A firm that pays ₩1 a token, and VAT where a rate is given."""
    firm = make_firm(tariff(charge("per_unit", per=1, price="1")))
    if vat:
        day = datetime.date(2026, 1, 1)
        services.set_vat_rule(actor=firm.finance, society=firm.society, percent=Decimal(vat), valid_from=day)
    return firm


def corrected(firm: Firm, units: int, start: str = "2026-01-01", end: str = "2026-04-01") -> Declaration:
    """A declaration in place of all that the firm declared for the period before."""
    period = (datetime.date.fromisoformat(start), datetime.date.fromisoformat(end))
    Declaration.objects.filter(licence=firm.licence, period=period, status="accepted").update(status="superseded")
    return firm.declare(units, start=start, end=end)


def sound() -> bool:
    assert ledger.problems() == []
    assert services.problems() == []
    return True


def fresh(invoice: Invoice) -> Invoice:
    return Invoice.objects.get(pk=invoice.pk)


@pytest.mark.django_db
def test_an_unpaid_invoice_is_lowered_with_its_vat() -> None:
    """₩1,000 and ₩100 VAT were billed; ₩400 is owed: ₩600 and ₩60 VAT go back, ₩440 stays open."""
    firm = priced("10")
    firm.declare(1000)
    first = firm.bill()
    true = corrected(firm, 400)
    note = firm.bill()
    assert (note.kind, note.net, note.vat, note.gross) == ("credit", -600, -60, -660)
    assert (note.open, note.status, fresh(first).open, fresh(first).status) == (0, "paid", 440, "open")
    part = InvoiceCredit.objects.get()
    assert (part.credit_id, part.invoice_id, part.net, part.vat, part.returned) == (note.pk, first.pk, 600, 60, False)
    assert InvoiceDeclaration.objects.get(declaration=true).invoice_id == note.pk
    assert (firm.balance("receivable", firm.licensee.pk), firm.balance("billed", first.pk), firm.balance("vat")) == (
        -440, 400, 40,
    )  # fmt: skip
    assert note.journal.kind == "credit_note"
    assert sound()


@pytest.mark.django_db
def test_what_was_paid_stands_in_favour_and_pays_of_the_next_invoice() -> None:
    """₩1,100 was paid, ₩440 is owed: ₩660 pays of the ₩1,100 for the next period, in a line of its own."""
    firm = priced("10")
    firm.declare(1000)
    first = firm.bill()
    firm.receive(first, 1100)
    corrected(firm, 400)
    note = firm.bill()
    assert (note.net, note.vat, fresh(first).credited, fresh(first).open) == (-600, -60, 0, 0)
    assert firm.balance("favour", firm.licence.pk) == 660
    assert (firm.balance("credited", firm.licence.pk), firm.balance("pool", first.pk)) == (-600, 1000)
    firm.declare(1000, start="2026-04-01", end="2026-07-01")
    second = firm.bill(SECOND)
    assert (second.net, second.vat, second.gross, second.carried, second.carried_net) == (1000, 100, 1100, 660, 600)
    assert (second.open, second.asked) == (440, 440)
    line = second.lines.get(model="credit_carried")
    assert line.amount == -660
    firm.receive(second, 440, "B-2")
    assert firm.balance("favour", firm.licence.pk) == firm.balance("credited", firm.licence.pk) == 0
    assert firm.balance("pool", first.pk) + firm.balance("pool", second.pk) == 1400  # what was used in both periods
    assert (firm.balance("vat"), fresh(second).status) == (140, "paid")
    assert sound()


@pytest.mark.django_db
def test_favour_never_takes_an_invoice_below_zero_and_keeps_the_rest() -> None:
    firm = priced("10")
    firm.declare(1000)
    firm.receive(firm.bill(), 1100)
    corrected(firm, 0 + 1)
    firm.bill()  # ₩999 and ₩100 VAT in favour
    firm.declare(300, start="2026-04-01", end="2026-07-01")
    second = firm.bill(SECOND)
    assert (second.gross, second.carried, second.open, second.status) == (330, 330, 0, "paid")
    left = firm.balance("favour", firm.licence.pk)
    assert left == 1099 - 330
    with pytest.raises(Refusal) as refused:
        firm.receive(second, 1, "B-2")
    assert refused.value.code == "more_than_open"
    assert sound()


@pytest.mark.django_db
def test_receipts_after_a_credit_still_split_to_the_won() -> None:
    """₩333 and ₩33 VAT; after receipts and a credit, what came in is exactly the net and VAT that are owed."""
    firm = priced("10")
    firm.declare(333)
    first = firm.bill()
    firm.receive(first, 101, "B-1")
    corrected(firm, 222)
    firm.bill()
    rest = fresh(first).open
    firm.receive(first, 50, "B-2")
    firm.receive(first, rest - 50, "B-3")
    note = Invoice.objects.get(kind="credit")
    receipts = Receipt.objects.filter(invoice=first)
    assert sum(each.net for each in receipts) == 222
    assert sum(each.vat for each in receipts) == first.vat + note.vat
    assert (fresh(first).open, firm.balance("billed", first.pk), firm.balance("pool", first.pk)) == (0, 0, 222)
    assert sound()


@pytest.mark.django_db
def test_a_credit_falls_on_the_oldest_open_invoice_first_and_on_paid_money_last() -> None:
    firm = priced()
    firm.declare(100, end="2026-02-01")
    paid = firm.bill()
    firm.receive(paid, 100)
    firm.declare(70, start="2026-02-01", end="2026-03-01")
    older = firm.bill()
    firm.declare(50, start="2026-03-01", end="2026-04-01")
    newer = firm.bill()
    Declaration.objects.filter(licence=firm.licence, period__startswith__gte="2026-02-01").update(status="superseded")
    corrected(firm, 20, end="2026-02-01")
    firm.bill()
    parts = InvoiceCredit.objects.order_by("id").values_list("invoice_id", "net", "returned")
    assert list(parts) == [(paid.pk, 80, True), (older.pk, 70, False), (newer.pk, 50, False)]
    assert firm.balance("favour", firm.licence.pk) == 80
    assert sound()


@pytest.mark.django_db
def test_after_a_credit_a_higher_total_is_billed_again() -> None:
    firm = priced()
    firm.declare(100)
    firm.bill()
    corrected(firm, 30)
    firm.bill()
    corrected(firm, 90)
    third = firm.bill()
    assert (third.kind, third.net, third.previously_billed) == ("use", 60, 30)
    assert sum(Invoice.objects.values_list("net", flat=True)) == 90
    assert sound()


@pytest.mark.django_db
def test_a_credit_note_is_numbered_with_the_invoices_and_takes_no_money() -> None:
    firm = priced()
    firm.declare(100)
    firm.bill()
    corrected(firm, 30)
    note = firm.bill()
    assert note.number == "KOREA-WEB-2026-0002"
    with pytest.raises(Refusal) as refused:
        firm.receive(note, 10)
    assert refused.value.code == "credit_note"
    assert Receipt.objects.count() == 0


@pytest.mark.django_db
def test_the_net_of_a_favour_pays_net_and_its_vat_pays_vat() -> None:
    """A rate that falls leaves VAT in favour: it is not turned into a pool's money."""
    firm = priced("10")
    firm.declare(1000)
    firm.receive(firm.bill(), 1100)
    corrected(firm, 500)
    firm.bill()
    may = datetime.date(2026, 5, 1)
    services.set_vat_rule(actor=firm.finance, society=firm.society, percent=Decimal("0"), valid_from=may)
    firm.declare(2000, start="2026-04-01", end="2026-07-01")
    second = firm.bill(SECOND, issued_on=may)
    assert (second.carried, second.carried_net, second.open) == (500, 500, 1500)
    left = services.favour(firm.licence, "KRW")
    assert (left.net, left.vat) == (0, 50)
    assert sound()


@pytest.mark.django_db
def test_by_use_a_period_is_never_below_zero() -> None:
    firm = priced()
    firm.declare(100)
    first = firm.bill()
    corrected(firm, 40)
    note = firm.bill()
    assert (first.by_use, note.by_use) == ({"train": 100}, {"train": -60})


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("bill"), st.integers(1, 5000)),
        st.tuples(st.just("next"), st.integers(1, 5000)),
        st.tuples(st.just("pay"), st.integers(1, 6000)),
        st.tuples(st.just("pay next"), st.integers(1, 6000)),
    ),
    min_size=3,
    max_size=9,
)


@pytest.mark.django_db
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, percent=st.sampled_from(["", "10", "7.7"]))
def test_any_sequence_of_bills_credits_and_receipts_adds_up(steps: list[tuple[str, int]], percent: str) -> None:
    """Receivable is what is open, what was billed is the last rating, and what came in is in the pools and in VAT."""
    with transaction.atomic():
        firm = priced(percent)
        last = {QUARTER: 0, SECOND: 0}
        cash = 0
        for place, (step, amount) in enumerate(steps):
            period = SECOND if step.endswith("next") else QUARTER
            if step in ("bill", "next"):
                corrected(firm, amount, *(day.isoformat() for day in period))
                firm.bill(period)
                last[period] = amount
            else:
                for invoice in Invoice.objects.filter(period=period).unpaid().order_by("id")[:1]:
                    paid = min(amount, invoice.open)
                    firm.receive(invoice, paid, f"B-{place}")
                    cash += paid
        documents = list(Invoice.objects.all())
        for period, total in last.items():
            of_period = [each.net for each in documents if (each.period.lower, each.period.upper) == period]
            assert sum(of_period) == total
        assert -firm.balance("receivable", firm.licensee.pk) == sum(each.open for each in documents)
        vat_received = sum(each.vat for each in Receipt.objects.all())
        pools = sum(firm.balance("pool", each.pk) for each in documents)
        assert (firm.balance("bank"), pools + vat_received) == (-cash, cash)
        # what the firm paid, and what it still has to pay, is what both periods cost with their VAT, plus its favour
        favour = firm.balance("favour", firm.licence.pk)
        assert cash + sum(each.open for each in documents) - favour == sum(each.gross for each in documents)
        assert sound()
        transaction.set_rollback(True)


@given(
    amounts=st.lists(
        st.tuples(st.integers(1, 10**6), st.integers(0, 300), st.integers(0, 100)), min_size=1, max_size=4
    ),
    takes=st.lists(st.integers(1, 100), min_size=1, max_size=5),
)
def test_credits_split_without_loss(amounts: list[tuple[int, int, int]], takes: list[int]) -> None:
    """Credits in any parts end with all net and all VAT given back, and on the way each settled part is pro rata."""
    standing = []
    for place, (net, per_mille, paid_percent) in enumerate(amounts):
        gross = net + net * per_mille // 1000
        settled = gross * paid_percent // 100
        paid = core.net_part(settled, net=net, gross=gross)
        standing.append(Standing(place, net, gross, settled, paid, settled - paid))
    total, left = sum(each.net for each in standing), sum(each.net for each in standing)
    nets = vats = 0
    for place, take in enumerate([*takes, 100]):
        amount = left if place == len(takes) else min(left, total * take // 400)
        if not amount:
            continue
        parts = credit(amount, standing)
        assert sum(part.net for part in parts) == amount
        assert all(part.net >= 0 and part.vat >= 0 for part in parts)
        nets, vats, left = nets + amount, vats + sum(part.vat for part in parts), left - amount
        standing = [_after(each, parts) for each in standing]
        for each, (net, per_mille, _paid) in zip(standing, amounts, strict=True):
            off = each.settled
            gross = net + net * per_mille // 1000
            assert each.open_net == net - core.net_part(off, net=net, gross=gross)
    assert left == 0
    assert (nets, vats) == (total, sum(net * per_mille // 1000 for net, per_mille, _paid in amounts))


def _after(each: Standing, parts: Any) -> Standing:
    settled, net, vat = each.settled, each.returned_net, each.returned_vat
    for part in parts:
        if part.invoice == each.invoice and part.returned:
            net, vat = net + part.net, vat + part.vat
        elif part.invoice == each.invoice:
            settled += part.gross
    return Standing(each.invoice, each.net, each.gross, settled, each.paid_net, each.paid_vat, net, vat)


def test_two_who_bill_a_correction_at_once_give_one_credit_note(committed_db: Any) -> None:
    firm = priced()
    firm.declare(1000)
    firm.bill()
    corrected(firm, 400)
    results = together(firm.bill, firm.bill, firm.bill)
    assert {result.pk for result in results} == {Invoice.objects.get(kind="credit").pk}
    assert sound()


def test_a_receipt_during_a_credit_waits_for_it(committed_db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both see the same invoice of ₩1,000: 700 come in, 600 go back. Together they do not take more than it."""
    firm = priced()
    firm.declare(1000)
    first = firm.bill()
    corrected(firm, 400)
    results = together(firm.bill, lambda: firm.receive(first, 700))
    note = Invoice.objects.get(kind="credit")
    assert note.pk in {getattr(result, "pk", 0) for result in results}
    after = fresh(first)
    if any(isinstance(result, Receipt) for result in results):
        assert (after.open, firm.balance("favour", firm.licence.pk)) == (0, 300)
    else:  # the credit was first, so that only 400 were open
        assert [result.code for result in results if isinstance(result, Refusal)] == ["more_than_open"]
        assert after.open == 400
    assert sound()


def test_without_the_locks_a_receipt_and_a_credit_collide(committed_db: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: each reads before the other writes; the constraint lets only one through."""
    from django.db.models import QuerySet

    from tests.together import meeting

    firm = priced()
    firm.declare(1000)
    first = firm.bill()
    corrected(firm, 400)
    meet = meeting(2, 5)
    real_draft, real_split = invoices.draft, core.split

    def draft(**asked: Any) -> Any:
        found = real_draft(**asked)
        meet()
        return found

    def split(*args: Any, **asked: Any) -> Any:
        found = real_split(*args, **asked)
        meet()
        return found

    monkeypatch.setattr(invoices, "draft", draft)
    monkeypatch.setattr(core, "split", split)
    monkeypatch.setattr(QuerySet, "select_for_update", lambda self, **options: self.all())
    results = together(firm.bill, lambda: firm.receive(first, 700))
    assert sum(isinstance(result, Exception) for result in results) == 1
    assert sound()


ATTACKS = [
    ("UPDATE royalties_invoice SET credited = 1001 WHERE kind = 'use'", "invoice_is_not_overpaid"),
    ("UPDATE royalties_invoice SET credited = 500, received = 501 WHERE kind = 'use'", "invoice_is_not_overpaid"),
    ("UPDATE royalties_invoice SET credited = -1 WHERE kind = 'use'", "invoice_is_not_overpaid"),
    ("UPDATE royalties_invoice SET received = -600 WHERE kind = 'credit'", "invoice_credit_note_is_not_paid"),
    ("UPDATE royalties_invoice SET credited = 0 WHERE kind = 'credit'", "invoice_credit_note_is_not_paid"),
    (
        "UPDATE royalties_invoice SET net = 600, gross = 600, credited = 600 WHERE kind = 'credit'",
        "invoice_is_positive_and_a_credit_note_negative",
    ),
    (
        "UPDATE royalties_invoice SET carried = 10, carried_net = 11 WHERE kind = 'use'",
        "invoice_carries_net_to_net_and_vat_to_vat",
    ),
    ("UPDATE royalties_invoicecredit SET invoice_id = credit_id", "invoice_is_credited_by_another"),
    ("UPDATE royalties_invoicecredit SET net = 0, vat = 0", "invoice_credit_is_positive"),
    (
        "INSERT INTO royalties_invoicecredit (credit_id, invoice_id, net, vat, returned) "
        "SELECT credit_id, invoice_id, 1, 0, returned FROM royalties_invoicecredit",
        "invoice_is_credited_once_a_note",
    ),
]


def test_the_database_refuses_what_would_not_add_up(committed_db: Any) -> None:
    firm = priced()
    firm.declare(1000)
    firm.bill()
    corrected(firm, 400)
    firm.bill()
    for statement, constraint in ATTACKS:
        with pytest.raises(IntegrityError) as refused, connection.cursor() as cursor:
            cursor.execute(statement)
        assert constraint in str(refused.value)
    assert sound()


@pytest.mark.django_db
def test_damage_to_credits_is_found_out() -> None:
    firm = priced()
    firm.declare(1000)
    first = firm.bill()
    firm.receive(first, 800)
    corrected(firm, 400)
    firm.bill()
    InvoiceCredit.objects.filter(returned=True).update(net=1)
    Invoice.objects.filter(pk=first.pk).update(credited=0)
    found = {problem["what"] for problem in services.problems()}
    assert {
        "billing.credited",
        "billing.credit_note",
        "billing.credit_journal",
        "billing.favour",
        "billing.receivable",
    } <= found


@pytest.mark.django_db
def test_the_day_of_issue_is_the_journal_s() -> None:
    firm = priced()
    firm.declare(10)
    firm.bill()
    corrected(firm, 4)
    assert firm.bill().journal.effective_on == ISSUED
