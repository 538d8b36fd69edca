"""Invoices from accepted declarations: the worked example, late ones, VAT, numbers, and everything that is refused."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest

from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Conflict, Forbidden, NotFound, Refusal
from licensing.declarations.models import Declaration, DeclaredUse
from royalties.billing import services
from royalties.billing.models import Invoice, InvoiceDeclaration
from royalties.ledger import services as ledger
from royalties.ledger.models import Journal
from tests.licensing import parties
from tests.licensing.tariff_documents import charge, tariff
from tests.royalties.billing_world import APRIL, EXAMPLE, ISSUED, JANUARY, QUARTER, Firm, make_firm

pytestmark = pytest.mark.django_db


@pytest.fixture
def firm() -> Firm:
    return make_firm()


def sound() -> bool:
    return ledger.problems() == [] and services.problems() == []


def test_the_worked_example_is_billed_to_the_won(firm: Firm) -> None:
    """20,858,600,725 tokens, graduated → ₩428,586, in one line with its explanation."""
    declaration = firm.declare()
    invoice = firm.bill()
    assert (invoice.net, invoice.vat, invoice.gross, invoice.currency) == (428_586, 0, 428_586, "KRW")
    assert invoice.number == "KOREA-WEB-2026-0001"
    assert (invoice.issued_on, invoice.due_on) == (ISSUED, datetime.date(2026, 5, 10))
    line = invoice.lines.get()
    assert (line.description, line.quantity, line.unit, line.amount) == ("training tokens", EXAMPLE, "token", 428_586)
    assert [step["product"] for step in line.explanation] == ["50000", "270000", "108586.00725", "428586"]
    assert list(InvoiceDeclaration.objects.values_list("invoice", "declaration")) == [(invoice.pk, declaration.pk)]
    assert firm.balance("receivable", firm.licensee.pk) == -428_586
    assert firm.balance("billed", invoice.pk) == 428_586
    assert Event.objects.about("invoice", invoice.pk).get().verb == "invoice.issued"
    assert sound()


def test_billing_the_same_again_gives_the_same_invoice(firm: Firm) -> None:
    firm.declare()
    assert firm.bill().pk == firm.bill().pk
    assert (Invoice.objects.count(), Journal.objects.count()) == (1, 1)


def test_declarations_of_the_period_are_rated_together(firm: Firm) -> None:
    """Tiers count their sum: two halves cost what the whole costs."""
    firm.declare(EXAMPLE - 9_000_000_000, end="2026-02-01")
    firm.declare(9_000_000_000, start="2026-02-01")
    assert firm.bill().net == 428_586


def test_a_late_declaration_bills_the_new_total_less_what_was_billed(firm: Firm) -> None:
    firm.declare(1_000_000_000, end="2026-02-01")
    first = firm.bill()
    firm.declare(EXAMPLE - 1_000_000_000, start="2026-02-01")
    second = firm.bill()
    assert (first.net, second.net, second.previously_billed) == (50_000, 378_586, 50_000)
    assert [(line.model, line.amount) for line in second.lines.order_by("position")] == [
        ("graduated", 428_586),
        ("previously_billed", -50_000),
    ]
    assert second.lines.get(position=2).explanation == [{"code": "charge", "name": first.number, "product": "50000"}]
    assert second.number == "KOREA-WEB-2026-0002"
    assert firm.bill().pk == second.pk
    assert sound()


def test_an_amended_declaration_bills_the_difference(firm: Firm) -> None:
    old = firm.declare(1_000_000_000)
    first = firm.bill()
    Declaration.objects.filter(pk=old.pk).update(status="superseded")
    firm.declare(EXAMPLE, supersedes=old)
    assert first.net + firm.bill().net == 428_586


def test_less_than_was_billed_gives_a_credit_note(firm: Firm) -> None:
    """₩428,586 was billed, ₩50,000 is owed: ₩378,586 goes back, and no longer stands open."""
    old = firm.declare()
    first = firm.bill()
    Declaration.objects.filter(pk=old.pk).update(status="superseded")
    firm.declare(1_000_000_000, supersedes=old)
    note = firm.bill()
    first.refresh_from_db()
    assert (note.kind, note.number, note.net, note.gross, note.open) == (
        "credit", "KOREA-WEB-2026-0002", -378_586, -378_586, 0,
    )  # fmt: skip
    assert (first.credited, first.open) == (378_586, 50_000)
    assert firm.bill().pk == note.pk
    assert firm.balance("receivable", firm.licensee.pk) == -50_000
    assert sound()


def test_a_minimum_and_a_cap_are_lines_of_their_own() -> None:
    firm = make_firm(tariff(charge("per_unit", per=1000, price="0.05"), minimum="100000"))
    firm.declare(1_000_000)
    lines = firm.bill().lines.order_by("position")
    assert [(line.model, line.amount) for line in lines] == [("per_unit", 50), ("minimum", 99_950)]


def test_what_changes_nothing_comes_to_stand_with_the_invoice_that_is_there() -> None:
    firm = make_firm(tariff(charge("per_unit", per=1000, price="0.05"), minimum="100000"))
    firm.declare(1_000_000, end="2026-02-01")
    first = firm.bill()
    late = firm.declare(1_000_000, start="2026-02-01")
    assert firm.bill().pk == first.pk
    assert InvoiceDeclaration.objects.get(declaration=late).invoice_id == first.pk
    assert services.waiting(firm.finance) == []
    assert Invoice.objects.count() == 1
    assert sound()


def test_an_unpriced_line_refuses_the_whole_invoice(firm: Firm) -> None:
    declaration = firm.declare(submitted_at=None)
    DeclaredUse.objects.create(
        declaration=declaration, scheme="isbn", value="9788937460449", kind="book", use="finetune", unit="page",
        used_on=JANUARY, status="unmatched", units=10, lines=1,
    )  # fmt: skip
    with pytest.raises(Refusal) as refused:
        firm.bill()
    assert refused.value.code == "unpriced"
    assert (Invoice.objects.count(), Journal.objects.count()) == (0, 0)


def test_a_missing_base_refuses_the_whole_invoice() -> None:
    firm = make_firm(tariff(charge("percentage", base="revenue", percent="30"), minimum="50000000"))
    declaration = firm.declare(submitted_at=None)
    with pytest.raises(Refusal) as refused:
        firm.bill()
    assert refused.value.code == "missing_base"
    Declaration.objects.filter(pk=declaration.pk).update(bases={"revenue": 412_345_679})
    assert firm.bill().net == 123_703_704


@pytest.mark.parametrize("fields", [{"status": "submitted"}, {"status": "superseded"}, {"sandbox": True}])
def test_only_accepted_live_declarations_are_billed(firm: Firm, fields: dict[str, Any]) -> None:
    firm.declare(**fields)
    with pytest.raises(Refusal) as refused:
        firm.bill()
    assert refused.value.code == "nothing_to_bill"


def test_a_declaration_that_reaches_beyond_the_period_is_named(firm: Firm) -> None:
    declaration = firm.declare(end="2026-05-01")
    with pytest.raises(Refusal) as refused:
        firm.bill()
    assert f"#{declaration.pk}" in refused.value.detail


def test_billing_periods_are_equal_or_apart(firm: Firm) -> None:
    firm.declare()
    invoice = firm.bill()
    firm.declare(start="2026-04-01", end="2026-05-01")
    with pytest.raises(Conflict) as refused:
        firm.bill((JANUARY, datetime.date(2026, 5, 1)))
    assert refused.value.code == "period_overlaps"
    assert invoice.number in refused.value.detail
    assert firm.bill((APRIL, datetime.date(2026, 5, 1))).net == 428_586


@pytest.mark.parametrize("period", [(APRIL, JANUARY), (JANUARY, JANUARY), (JANUARY, datetime.date(9999, 1, 1))])
def test_a_period_is_not_empty_and_not_endless(firm: Firm, period: tuple[datetime.date, datetime.date]) -> None:
    with pytest.raises(Refusal) as refused:
        firm.bill(period)
    assert refused.value.pointer == "/period_end"


def test_vat_stands_apart_and_goes_by_the_day_of_issue(firm: Firm) -> None:
    services.set_vat_rule(actor=firm.finance, society=firm.society, percent=Decimal("10"), valid_from=ISSUED)
    firm.declare()
    invoice = firm.bill()
    assert (invoice.net, invoice.vat, invoice.gross) == (428_586, 42_859, 471_445)
    assert firm.balance("vat") == 42_859
    assert sum(line.amount for line in invoice.lines.all()) == invoice.net
    other = make_firm(ref="KOREA-LIT", licensee="MIRAE")
    services.set_vat_rule(
        actor=other.finance, society=other.society, percent=Decimal("10"), valid_from=ISSUED + datetime.timedelta(1)
    )
    other.declare()
    assert other.bill().vat == 0
    assert sound()


def test_a_vat_rule_ends_where_the_next_begins(firm: Firm) -> None:
    def rule(percent: str, day: datetime.date) -> Any:
        return services.set_vat_rule(actor=firm.finance, society=firm.society, percent=Decimal(percent), valid_from=day)

    first = rule("10", JANUARY)
    rule("12", APRIL)
    first.refresh_from_db()
    assert first.valid.upper == APRIL
    for percent, day, code in [
        ("101", ISSUED, "bad_percent"),
        ("10", APRIL, "rule_exists"),
        ("1.2345", ISSUED, "bad_percent"),
    ]:
        with pytest.raises(Refusal) as refused:
            rule(percent, day)
        assert refused.value.code == code
    firm.declare()
    firm.bill()
    with pytest.raises(Conflict) as refused:
        rule("11", ISSUED)
    assert refused.value.code == "invoices_issued"


def test_numbers_are_gapless_in_a_society_and_year(firm: Firm) -> None:
    other = make_firm(ref="KOREA-LIT", licensee="MIRAE")
    for each in (firm, other):
        each.declare()
        each.declare(start="2026-04-01", end="2026-05-01")
    numbers = [
        firm.bill().number,
        firm.bill((APRIL, datetime.date(2026, 5, 1)), issued_on=datetime.date(2027, 1, 2)).number,
        other.bill().number,
        other.bill((APRIL, datetime.date(2026, 5, 1))).number,
    ]
    assert numbers == ["KOREA-WEB-2026-0001", "KOREA-WEB-2027-0001", "KOREA-LIT-2026-0001", "KOREA-LIT-2026-0002"]
    assert sound()


def test_a_closed_period_refuses_the_invoice_as_a_whole(firm: Firm) -> None:
    ledger.close_period(actor=SYSTEM, society=firm.society, through=ISSUED)
    firm.declare()
    with pytest.raises(Conflict) as refused:
        firm.bill()
    assert (refused.value.code, Invoice.objects.count()) == ("period_closed", 0)


def test_only_finance_of_the_society_bills(firm: Firm) -> None:
    firm.declare()
    stranger = parties.staff(parties.organisation("OTHER", "society"), "billing.manage")
    for actor, error in [
        (stranger, NotFound),
        (parties.staff(firm.society, "billing.view"), Forbidden),
        (parties.staff(firm.licensee, "billing.view"), Forbidden),
    ]:
        with pytest.raises(error):
            firm.bill(actor=actor)
    assert Invoice.objects.count() == 0
    assert firm.bill(actor=SYSTEM).net == 428_586


def test_what_waits_is_listed_by_licence_and_billing_period(firm: Firm) -> None:
    first, second = firm.declare(end="2026-02-01"), firm.declare(start="2026-04-01", end="2026-07-01")
    firm.declare(status="submitted")
    found = services.waiting(firm.finance)
    assert [(each.period, [d.pk for d in each.declarations], each.late) for each in found] == [
        ((JANUARY, datetime.date(2026, 2, 1)), [first.pk], False),
        ((APRIL, datetime.date(2026, 7, 1)), [second.pk], False),
    ]
    firm.bill(QUARTER)
    late = firm.declare(start="2026-02-01", end="2026-03-01")
    found = services.waiting(firm.finance)
    assert (found[0].period, [each.pk for each in found[0].declarations], found[0].late) == (QUARTER, [late.pk], True)
    assert services.waiting(parties.staff(firm.licensee, "billing.view")) == []


def test_an_invoice_is_seen_by_its_two_parties(firm: Firm) -> None:
    firm.declare()
    invoice = firm.bill()
    other = parties.staff(parties.organisation("OTHER", "society"), "billing.view")
    seen = [Invoice.objects.visible_to(actor).count() for actor in (firm.finance, parties.staff(firm.licensee), other)]
    assert seen == [1, 1, 0]
    assert services.find_invoice(number=invoice.number).pk == invoice.pk
    with pytest.raises(NotFound):
        services.find_invoice(number=invoice.number, actor=other)
