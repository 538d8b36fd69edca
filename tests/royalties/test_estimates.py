"""Estimates: an invoice for a report that is missing, what it rests on, and how the true report corrects it."""

from __future__ import annotations

import datetime
import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from accounts.identity.core import Conflict, Forbidden, NotFound, Refusal
from licensing.declarations.models import Declaration, ReportDuty
from licensing.licences.models import LicenceRequest, Offer, Quote, StandardTerms
from royalties.billing import services
from royalties.billing.models import Invoice, InvoiceDeclaration
from royalties.distribution import services as distribution
from royalties.distribution.models import Allocation
from royalties.ledger import services as ledger
from royalties.statements.services.facts import RunFacts
from tests.licensing import parties
from tests.licensing.tariff_documents import charge, tariff
from tests.royalties.billing_world import APRIL, QUARTER, Firm, make_firm
from tests.royalties.world import Owned, Used, World, make_world, staff

pytestmark = pytest.mark.django_db

JULY, OCTOBER = datetime.date(2026, 7, 1), datetime.date(2026, 10, 1)
SECOND = (APRIL, JULY)
LATE = datetime.date(2026, 8, 15)  # the report on April to June was due at the end of July


@pytest.fixture
def firm() -> Firm:
    return make_firm(tariff(charge("per_unit", per=1, price="1")))


def duty(firm: Firm, start: datetime.date, end: datetime.date, status: str = "open") -> ReportDuty:
    settled = timezone.now() if status in ("nil", "waived") else None
    due = end + datetime.timedelta(days=30)
    return ReportDuty.objects.create(
        licence=firm.licence, period=DateRange(start, end), due_on=due, status=status, settled_at=settled
    )


def estimate(firm: Firm, of: ReportDuty, **fields: Any) -> Invoice:
    return services.estimate(**{"actor": firm.finance, "duty": of, "issued_on": LATE} | fields)


def sound() -> bool:
    assert ledger.problems() == []
    assert services.problems() == []
    return True


def test_the_average_of_the_last_periods_is_billed_rounded_up(firm: Firm) -> None:
    """100 and 101 tokens were used: 101 are estimated (100.5 rounded up), at ₩1 each."""
    duty(firm, *QUARTER, status="met")
    firm.declare(100, end="2026-02-01")
    duty(firm, *SECOND, status="met")
    firm.declare(101, start="2026-04-01", end="2026-07-01")
    missing = duty(firm, JULY, OCTOBER)
    invoice = estimate(firm, missing, issued_on=datetime.date(2026, 12, 1))
    assert (invoice.kind, invoice.net, invoice.period) == ("estimate", 101, DateRange(JULY, OCTOBER))
    basis = invoice.rating["basis"]
    assert (basis["source"], basis["quantities"][0]["units"]) == ("declarations", 101)
    assert basis["periods"] == [["2026-04-01", "2026-07-01"], ["2026-01-01", "2026-04-01"]]
    assert invoice.lines.get().quantity == 101
    assert not InvoiceDeclaration.objects.filter(invoice=invoice).exists()
    assert estimate(firm, missing).pk == invoice.pk
    assert sound()


def test_at_most_four_periods_count_and_a_report_of_no_use_counts_as_none(firm: Firm) -> None:
    """900 of the oldest month do not count; 40, 20, nothing and 0 + 61 of the last four: 121 / 4 → 31."""
    months = [datetime.date(2026, month, 1) for month in range(1, 8)]
    for start, end, units in zip(months[:5], months[1:6], (900, 40, 20, 0, 61), strict=True):
        duty(firm, start, end, status="met" if units else "nil")
        if units:
            firm.declare(units, start=start.isoformat(), end=end.isoformat())
    assert estimate(firm, duty(firm, months[5], months[6])).net == 31


def quoted(firm: Firm, units: int) -> None:
    """A request that expected so many tokens, and the signed offer that this licence rests on."""
    version = firm.licence.tariff.versions.get()
    quantities = [{"use": "train", "kind": "web", "unit": "token", "units": units, "works": 0}]
    now = timezone.now()
    request = LicenceRequest.objects.create(
        ref="Q-1", society=firm.society, licensee=firm.licensee, tariff=firm.licence.tariff, uses=["train"], kinds=["web"],
        territory=["*"], term=DateRange(datetime.date(2026, 1, 1), None), status="licensed", submitted_at=now,
    )  # fmt: skip
    quote = Quote.objects.create(
        request=request, version=version, quantities=quantities, rating={}, amount=units, currency="KRW",
        valid_to=JULY, issued_at=now,
    )  # fmt: skip
    terms = StandardTerms.objects.create(
        society=firm.society,
        ref="T",
        version=1,
        name="Terms",
        name_ko="약관",
        clauses=[],
        conditions={},
        sha256="0" * 64,
    )
    Offer.objects.create(
        request=request, quote=quote, terms=terms, conditions={}, agreement={}, sha256="0" * 64, status="signed",
        valid_to=JULY, licence=firm.licence, made_at=now,
    )  # fmt: skip


def test_without_declarations_what_the_request_expected_is_billed(firm: Firm) -> None:
    quoted(firm, 700)
    invoice = estimate(firm, duty(firm, *SECOND))
    assert (invoice.net, invoice.rating["basis"]["source"], invoice.rating["basis"]["request"]) == (
        700,
        "request",
        "Q-1",
    )


def test_without_anything_to_go_by_nothing_is_estimated(firm: Firm) -> None:
    with pytest.raises(Refusal) as refused:
        estimate(firm, duty(firm, *SECOND))
    assert refused.value.code == "nothing_to_estimate_by"
    assert Invoice.objects.count() == 0


def test_what_is_not_overdue_or_was_declared_is_not_estimated(firm: Firm) -> None:
    firm.declare(100)
    missing = duty(firm, *SECOND)
    for day, code in [(datetime.date(2026, 7, 31), "not_overdue"), (LATE, "")]:
        if code:
            with pytest.raises(Refusal) as refused:
                estimate(firm, missing, issued_on=day)
            assert refused.value.code == code
    firm.declare(5, start="2026-04-01", end="2026-05-01")
    with pytest.raises(Refusal) as refused:
        estimate(firm, missing)
    assert refused.value.code == "declared"
    assert Invoice.objects.count() == 0


def test_only_the_society_s_finance_people_estimate(firm: Firm) -> None:
    firm.declare(100)
    missing = duty(firm, *SECOND)
    stranger = parties.staff(parties.organisation("OTHER", "society"), "billing.manage")
    for actor, error in [
        (stranger, NotFound),
        (parties.staff(firm.society, "billing.view"), Forbidden),
        (parties.staff(firm.licensee, "billing.view"), Forbidden),
    ]:
        with pytest.raises(error):
            estimate(firm, missing, actor=actor)
    assert Invoice.objects.count() == 0


def test_the_true_report_bills_the_difference(firm: Firm) -> None:
    firm.declare(100)
    first = estimate(firm, duty(firm, *SECOND))
    true = firm.declare(130, start="2026-04-01", end="2026-07-01")
    [waits] = [each for each in services.waiting(firm.finance) if each.late]
    assert (waits.period, waits.declarations) == (SECOND, (true,))
    second = firm.bill(SECOND, issued_on=LATE)
    assert (first.net, second.kind, second.net, second.previously_billed) == (100, "use", 30, 100)
    assert sound()


def test_a_true_report_of_less_is_a_credit_note(firm: Firm) -> None:
    firm.declare(100)
    first = estimate(firm, duty(firm, *SECOND))
    firm.receive(first, 90)
    firm.declare(60, start="2026-04-01", end="2026-07-01")
    note = firm.bill(SECOND, issued_on=LATE)
    first.refresh_from_db()
    assert (note.kind, note.net, first.credited, first.open) == ("credit", -40, 10, 0)
    assert firm.balance("favour", firm.licence.pk) == 30
    assert sound()


def test_a_true_report_of_the_same_needs_no_invoice(firm: Firm) -> None:
    firm.declare(100)
    first = estimate(firm, duty(firm, *SECOND))
    true = firm.declare(100, start="2026-04-01", end="2026-07-01")
    billed = services.bill_period(actor=firm.finance, licence=firm.licence, period=SECOND, issued_on=LATE)
    assert (billed.invoice.pk, billed.new, billed.linked) == (first.pk, False, (true,))
    assert InvoiceDeclaration.objects.get(declaration=true).invoice_id == first.pk
    assert Invoice.objects.count() == 1
    assert firm.bill(SECOND).pk == first.pk
    assert sound()


def test_less_is_credited_only_once_the_whole_period_is_reported(firm: Firm) -> None:
    """₩100 were estimated for three months; one month alone is no reason to give ₩70 back."""
    firm.declare(100)
    estimate(firm, duty(firm, *SECOND))
    firm.declare(30, start="2026-04-01", end="2026-05-01")
    with pytest.raises(Refusal) as refused:
        firm.bill(SECOND, issued_on=LATE)
    assert refused.value.code == "not_all_reported"
    assert "2026-05-01" in refused.value.detail
    firm.declare(20, start="2026-05-01", end="2026-07-01")
    assert firm.bill(SECOND, issued_on=LATE).net == -50
    assert sound()


def test_a_report_of_no_use_takes_the_estimate_back(firm: Firm) -> None:
    firm.declare(100)
    missing = duty(firm, *SECOND)
    estimate(firm, missing)
    assert list(services.adjustments(firm.finance)) == []
    ReportDuty.objects.filter(pk=missing.pk).update(status="nil", settled_at=timezone.now())
    [waits] = services.adjustments(firm.finance)
    assert waits.replaced is False
    note = firm.bill(SECOND, issued_on=LATE)
    assert (note.kind, note.net, note.rating["basis"]["source"]) == ("credit", -100, "nil")
    assert list(services.adjustments(firm.finance)) == []
    assert firm.bill(SECOND, issued_on=LATE).pk == note.pk
    assert sound()


def test_a_report_of_no_use_still_owes_the_minimum() -> None:
    """Nothing was billed for the first quarter: ₩500. For the second ₩10,000 were estimated: all but ₩500 go back."""
    firm = make_firm(tariff(charge("percentage", base="net income", percent="10"), minimum="500"))
    firm.declare(10, start="2026-07-01", end="2026-10-01", bases={"net income": 100_000})
    duty(firm, *QUARTER, status="nil")
    first = firm.bill()
    assert (first.kind, first.net, first.rating["basis"]["source"]) == ("use", 500, "nil")
    assert firm.bill().pk == first.pk
    missing = duty(firm, OCTOBER, datetime.date(2027, 1, 1))
    early = estimate(firm, missing, issued_on=datetime.date(2027, 3, 1))
    ReportDuty.objects.filter(pk=missing.pk).update(status="nil", settled_at=timezone.now())
    note = firm.bill((OCTOBER, datetime.date(2027, 1, 1)), issued_on=datetime.date(2027, 3, 2))
    assert (early.net, note.net) == (5_000, -4_500)
    assert sound()


def test_overdue_reports_without_an_invoice_wait_to_be_estimated(firm: Firm) -> None:
    firm.declare(100)
    missing, soon = duty(firm, *SECOND), duty(firm, JULY, OCTOBER)
    assert [each.pk for each in services.estimates_due(firm.finance, LATE)] == [missing.pk]
    estimate(firm, missing)
    assert list(services.estimates_due(firm.finance, LATE)) == []
    assert [each.pk for each in services.estimates_due(firm.finance, datetime.date(2026, 12, 1))] == [soon.pk]
    stranger = parties.staff(parties.organisation("OTHER", "society"), "billing.manage")
    assert list(services.estimates_due(stranger, datetime.date(2026, 12, 1))) == []


def test_an_estimate_keeps_billing_periods_apart(firm: Firm) -> None:
    firm.declare(100)
    estimate(firm, duty(firm, *SECOND))
    firm.declare(10, start="2026-04-01", end="2026-05-01")
    with pytest.raises(Conflict) as refused:
        firm.bill((APRIL, datetime.date(2026, 5, 1)))
    assert refused.value.code == "period_overlaps"


def test_money_on_an_estimate_waits_for_the_true_report(firm: Firm) -> None:
    """Nobody knows whose it is. Once the report is billed, it is distributed by what was declared, on whichever document."""
    firm.declare(100)
    first = estimate(firm, duty(firm, *SECOND))
    firm.receive(first, 100)
    society = firm.society.pk
    assert distribution.waiting_money(society) == []
    [waits] = distribution.waiting_for_use(society)
    assert (waits.number, waits.amount, waits.start, waits.end) == (first.number, 100, APRIL, JULY)
    computer = parties.staff(firm.society, "distribution.compute")
    with pytest.raises(Refusal) as refused:
        distribution.start_run(actor=computer, society=firm.society, period=SECOND)
    assert refused.value.code == "no_money"
    assert first.number in refused.value.detail
    firm.declare(60, start="2026-04-01", end="2026-07-01")
    assert len(distribution.waiting_for_use(society)) == 1  # accepted, and not billed yet
    firm.bill(SECOND, issued_on=LATE)
    assert distribution.waiting_for_use(society) == []
    [money] = distribution.waiting_money(society)
    assert money.amount == 100


def test_a_superseded_report_weighs_no_more_in_what_is_not_distributed(firm: Firm) -> None:
    from royalties.billing.models import PoolDeclaration

    old = firm.declare(100)
    first = firm.bill()
    assert [each.declaration_id for each in PoolDeclaration.objects.filter(invoice=first)] == [old.pk]
    Declaration.objects.filter(pk=old.pk).update(status="superseded")
    true = firm.declare(60, supersedes=old)
    assert not PoolDeclaration.objects.filter(invoice=first).exists()  # it waits for the bill of what took its place
    firm.bill()
    assert [each.declaration_id for each in PoolDeclaration.objects.filter(invoice=first)] == [true.pk]


def test_the_pool_of_an_estimate_is_divided_by_the_true_report_and_explained_by_it() -> None:
    """₩999 came in on an estimate, ₩2,001 on the invoice of the report: 2 : 1 of each, and both statements' lines say why.

    An amendment that is billed later changes nothing of what the run is explained by.
    """
    world = make_world()
    world.rule(deductions=[])
    world.own(Owned("A", "H-A", 1_000_000), Owned("B", "H-B", 1_000_000))
    true = world.declare([Used("A", 2000), Used("B", 1000)])
    billed = world.bill(true, net=2001)
    early = world.bill(world.declare([Used("A", 1)]), net=999, number="INV-0")
    InvoiceDeclaration.objects.filter(invoice=early).delete()
    Invoice.objects.filter(pk=early.pk).update(kind="estimate")
    early.refresh_from_db()
    for invoice in (billed, early):
        world.receive(invoice, invoice.net)
    started = distribution.start_run(actor=world.computer, society=world.society, period=QUARTER)
    run = distribution.compute(started.pk)
    amounts = Allocation.objects.filter(run=run).values_list("pool__invoice__number", "work__ref", "amount")
    assert sorted(amounts) == [("INV-0", "A", 666), ("INV-0", "B", 333), ("INV-1", "A", 1334), ("INV-1", "B", 667)]
    Declaration.objects.filter(pk=true.pk).update(status="superseded")
    world.bill(world.declare([Used("A", 1)]), net=1, number="INV-2")
    lines = RunFacts(run).lines(Allocation.objects.filter(run=run).order_by("id"))
    assert {(line.pool.invoice, line.work_ref, use.units) for line in lines for use in line.uses} == {
        ("INV-0", "A", 2000), ("INV-0", "B", 1000), ("INV-1", "A", 2000), ("INV-1", "B", 1000),
    }  # fmt: skip
    assert distribution.problems() == []


def told(*arguments: str, status: int = 0) -> dict[str, Any]:
    """The JSON that a command prints, and that it ends with this status."""
    out = io.StringIO()
    try:
        call_command(*arguments, "--json", stdout=out)
        ended = 0
    except SystemExit as end:
        ended = int(end.code or 0)
    assert ended == status, out.getvalue()
    return json.loads(out.getvalue())


def test_by_command_an_estimate_is_issued_paid_corrected_and_distributed(firm: Firm) -> None:
    """₩100 are estimated and paid; ₩60 were used: ₩40 stand in favour, and the money is divided once the report is billed."""
    people = World(firm.society, firm.licensee, staff(firm.society, "compute", "distribution"),
                   staff(firm.society, "approve", "finance"), firm.licence)  # fmt: skip
    people.rule()
    firm.declare(100)
    duty(firm, *SECOND)
    period = ("--licence", firm.licence.ref, "--from", "2026-04-01", "--to", "2026-07-01")
    bill = ("bill", *period, "--on", "2026-08-15")
    missing = told(
        "bill", "--licence", firm.licence.ref, "--from", "2026-04-01", "--to", "2026-05-01", "--estimate", status=1
    )
    assert missing["error"]["code"] == "not_found"
    first = told(*bill, "--estimate")
    assert (first["kind"], first["amount"], first["version"]) == ("estimate", 100, 1)
    receipt = (
        "record_receipt",
        "--invoice",
        first["invoice"],
        "--amount",
        "100",
        "--on",
        "2026-08-20",
        "--bank-ref",
        "B-1",
    )
    assert told(*receipt)["open"] == 0
    run = ("distribute", "--society", firm.society.ref, "--from", "2026-04-01", "--to", "2026-07-01")
    assert first["invoice"] in told(*run, status=1)["error"]["detail"]
    firm.declare(60, start="2026-04-01", end="2026-07-01")
    note = told(*bill)
    assert (note["kind"], note["amount"], note["credited"]) == ("credit", -40, -40)
    assert told(*bill) == note
    done = told(*run)
    assert (done["pool"], done["waiting_for_declarations"]) == (100, [])
    firm.declare(500, start="2026-07-01", end="2026-10-01")
    later = told("bill", "--licence", firm.licence.ref, "--from", "2026-07-01", "--to", "2026-10-01")
    assert (later["net"], later["carried"], later["amount"], later["open"]) == (500, 40, 460, 460)
    assert sum(line["amount"] for line in later["lines"]) == 460
    assert told("verify") == {"ok": True, "problems": []}
