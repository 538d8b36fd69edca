"""Advances: the fixed price of a period is billed when it begins, and what is declared later changes nothing."""

from __future__ import annotations

import datetime
import io
from typing import Any

import pytest
from django.core.management import call_command
from django.db.backends.postgresql.psycopg_any import DateRange

from accounts.identity.core import Refusal
from licensing.licences.models import Licence
from royalties.billing import services
from royalties.billing.models import Invoice, InvoiceDeclaration
from royalties.billing.tasks import issue_advances
from royalties.distribution import services as distribution
from royalties.ledger import services as ledger
from tests.licensing import parties
from tests.licensing.tariff_documents import charge, tariff
from tests.royalties.billing_world import APRIL, JANUARY, QUARTER, Firm, make_firm
from tests.together import together

JULY = datetime.date(2026, 7, 1)
MAY = datetime.date(2026, 5, 2)


def fixed(*charges: dict[str, Any], **keys: Any) -> Firm:
    """A firm that pays ₩90,000 a quarter, however much it uses."""
    scope = {"uses": ["*"], "kinds": ["*"]}
    flat = charge("flat", "quarterly fee", amount="90000", **scope)
    return make_firm(tariff(*(charges or (flat,)), **{"period_months": 3} | keys))


def advance(firm: Firm, start: datetime.date = JANUARY, **fields: Any) -> Invoice:
    given = {"actor": firm.finance, "licence": firm.licence, "start": start, "issued_on": start}
    return services.advance(**given | fields)


def sound() -> bool:
    assert ledger.problems() == []
    assert services.problems() == []
    return True


@pytest.mark.django_db
def test_the_fixed_price_is_billed_from_the_first_day_on() -> None:
    firm = fixed()
    invoice = advance(firm)
    assert (invoice.kind, invoice.net, invoice.period) == ("advance", 90_000, DateRange(*QUARTER))
    assert (invoice.rating["basis"]["source"], invoice.version.version) == ("fixed", 1)
    assert [(line.description, line.amount) for line in invoice.lines.all()] == [("quarterly fee", 90_000)]
    assert advance(firm).pk == advance(firm, datetime.date(2026, 2, 10)).pk == invoice.pk
    assert sound()


@pytest.mark.django_db
def test_a_period_that_has_not_begun_is_not_billed() -> None:
    firm = fixed()
    with pytest.raises(Refusal) as refused:
        advance(firm, APRIL, issued_on=datetime.date(2026, 3, 31))
    assert (refused.value.code, Invoice.objects.count()) == ("not_begun", 0)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "other",
    [
        charge("percentage", base="revenue", percent="30", uses=["*"], kinds=["*"]),
        charge("per_unit", per=1, price="1"),
        charge("per_unit", per=1, price="1", count="subscribers"),
    ],
)
def test_a_price_that_depends_on_use_is_not_billed_in_advance(other: dict[str, Any]) -> None:
    if other.get("count"):
        other = {key: value for key, value in other.items() if key != "unit"}
    firm = fixed(charge("flat", "fee", amount="90000", uses=["*"], kinds=["*"]), other)
    assert services.advances_due(firm.finance, MAY) == []
    with pytest.raises(Refusal) as refused:
        advance(firm)
    assert refused.value.code == "not_fixed"


@pytest.mark.django_db
def test_what_is_declared_later_stands_with_the_advance_and_weighs_its_pool() -> None:
    firm = fixed()
    invoice = advance(firm)
    firm.receive(invoice, 90_000)
    assert [each.amount for each in distribution.waiting_for_use(firm.society.pk)] == [90_000]
    declared = firm.declare(500, start="2026-01-01", end="2026-02-01")
    billed = services.bill_period(actor=firm.finance, licence=firm.licence, period=QUARTER)
    assert (billed.invoice.pk, billed.new, billed.linked) == (invoice.pk, False, (declared,))
    later = firm.declare(10**12, start="2026-02-01", end="2026-04-01")
    assert firm.bill().pk == invoice.pk
    assert InvoiceDeclaration.objects.filter(invoice=invoice).count() == 2
    assert later.pk in set(InvoiceDeclaration.objects.values_list("declaration_id", flat=True))
    assert Invoice.objects.count() == 1
    [money] = distribution.waiting_money(firm.society.pk)
    assert money.amount == 90_000
    assert sound()


@pytest.mark.django_db
def test_the_task_issues_what_is_due_once() -> None:
    firm = fixed()
    assert [(each.licence.pk, each.period) for each in services.advances_due(firm.finance, MAY)] == [
        (firm.licence.pk, (APRIL, JULY))
    ]
    assert services.issue_advances(MAY) == (1, [])
    assert services.issue_advances(MAY) == (0, [])
    invoice = Invoice.objects.get()
    assert (invoice.kind, invoice.period, invoice.issued_on) == ("advance", DateRange(APRIL, JULY), MAY)
    assert issue_advances.name == "royalties.billing.issue_advances"
    assert sound()


@pytest.mark.django_db
def test_a_licence_taken_by_self_service_is_billed_for_its_months() -> None:
    """No period is named: the price is for the months for which the licence is taken."""
    flat = charge("flat", "yearly fee", amount="120000", uses=["*"], kinds=["*"])
    firm = fixed(flat, period_months=None, self_service={"months": 12})
    Licence.objects.filter(pk=firm.licence.pk).update(valid=DateRange(JANUARY, datetime.date(2027, 1, 1)))
    [due] = services.advances_due(firm.finance, MAY)
    assert due.period == (JANUARY, datetime.date(2027, 1, 1))
    assert services.issue_advances(MAY) == (1, [])
    assert Invoice.objects.get().net == 120_000


@pytest.mark.django_db
def test_the_last_period_is_cut_at_the_end_of_the_term() -> None:
    firm = fixed()
    Licence.objects.filter(pk=firm.licence.pk).update(valid=DateRange(JANUARY, datetime.date(2026, 6, 1)))
    [due] = services.advances_due(firm.finance, MAY)
    assert due.period == (APRIL, datetime.date(2026, 6, 1))


@pytest.mark.django_db
def test_a_licence_that_is_not_in_force_owes_nothing_in_advance() -> None:
    firm = fixed()
    Licence.objects.filter(pk=firm.licence.pk).update(status="suspended")
    firm.licence.refresh_from_db()
    assert services.advances_due(firm.finance, MAY) == []
    with pytest.raises(Refusal) as refused:
        advance(firm)
    assert refused.value.code == "not_in_force"


@pytest.mark.django_db
def test_an_amendment_is_not_billed_by_itself_while_what_was_paid_in_advance_still_runs() -> None:
    """The quarter was billed to the old licence; the morning after the amendment asks for no second quarter."""
    firm = fixed()
    advance(firm)
    february = datetime.date(2026, 2, 15)
    Licence.objects.filter(pk=firm.licence.pk).update(status="amended", valid=DateRange(JANUARY, february))
    version = firm.licence.tariff.versions.get()
    new = parties.licence(firm.society, firm.licensee, version, ref="L-NEW", valid_from=february)
    independent = parties.licence(firm.society, firm.licensee, version, ref="L-OTHER", valid_from=february)
    Licence.objects.filter(pk=new.pk).update(succeeds=firm.licence)
    assert [each.licence for each in services.advances_due(firm.finance, datetime.date(2026, 3, 1))] == [independent]
    assert {each.licence for each in services.advances_due(firm.finance, APRIL)} == {new, independent}


@pytest.mark.django_db
def test_strangers_see_no_advances() -> None:
    fixed()
    stranger = parties.staff(parties.organisation("OTHER", "society"), "billing.manage")
    assert services.advances_due(stranger, MAY) == []


def test_an_advance_asked_for_at_once_is_issued_once(committed_db: Any) -> None:
    firm = fixed()
    results = together(*[lambda: advance(firm)] * 3)
    assert {result.pk for result in results} == {Invoice.objects.get().pk}
    assert sound()


@pytest.mark.django_db
def test_by_command_the_period_is_named_as_a_whole() -> None:
    firm = fixed()
    with pytest.raises(Refusal) as refused:
        services.advance(actor=firm.finance, licence=firm.licence, start=JANUARY, until=MAY, issued_on=MAY)
    assert refused.value.code == "other_period"
    out = io.StringIO()
    period = ("--from", "2026-01-01", "--to", "2026-04-01")
    call_command("bill", "--licence", firm.licence.ref, *period, "--advance", stdout=out)
    assert "quarterly fee" in out.getvalue()
    assert Invoice.objects.get().kind == "advance"
