"""Rates that are determined with effect for the past: what was billed under interim ones is put right by the difference."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.identity.core import SYSTEM, Actor
from licensing.tariffs import services as tariffs
from royalties.billing import services
from royalties.billing.models import Invoice
from royalties.distribution import services as distribution
from royalties.ledger import services as ledger
from tests.licensing import parties
from tests.licensing.tariff_documents import charge, tariff
from tests.royalties.billing_world import ISSUED, QUARTER, Firm

pytestmark = pytest.mark.django_db


def rates(price: str, version: int = 1) -> dict[str, Any]:
    return tariff(charge("per_unit", per=1, price=price), version=version)


@pytest.fixture
def body() -> Actor:
    return parties.staff(parties.organisation("COMMISSION", "rate_body"), "tariffs.determine")


@pytest.fixture
def firm(body: Actor) -> Firm:
    """A firm billed ₩1,000 for 1,000 tokens at the ₩1 that was set for the time being."""
    society, licensee = parties.organisation("KOREA-WEB", "society"), parties.organisation("HANBIT", "licensee")
    version = tariffs.import_tariff(actor=SYSTEM, society=society, document=rates("1")).version
    tariffs.set_interim(actor=body, version=version, reasons="Until it is decided.")
    licence = parties.licence(society, licensee, version)
    made = Firm(society, licensee, licence, parties.staff(society, "billing.manage", "billing.view"))
    made.declare(1000)
    made.bill()
    return made


def decide(firm: Firm, body: Actor, price: str) -> None:
    interim = firm.licence.tariff.versions.get(version=1)
    tariffs.amend(actor=body, version=interim, document=rates(price, 2), reasons="As found right.")


def sound() -> bool:
    assert ledger.problems() == []
    assert services.problems() == []
    return True


def test_an_invoice_says_which_version_rated_it(firm: Firm) -> None:
    invoice = Invoice.objects.get()
    assert (invoice.version.version, invoice.version.status) == (1, "interim")
    assert list(services.adjustments(firm.finance)) == []


def test_a_higher_rate_is_billed_as_the_difference(firm: Firm, body: Actor) -> None:
    first = Invoice.objects.get()
    decide(firm, body, "1.2")
    [waits] = services.adjustments(firm.finance)
    assert (waits.pk, waits.replaced, waits.version.status) == (first.pk, True, "replaced")
    second = firm.bill()
    assert (second.kind, second.net, second.previously_billed, second.version.version) == ("use", 200, 1000, 2)
    assert list(services.adjustments(firm.finance)) == []
    assert firm.bill().pk == second.pk
    assert sound()


def test_what_comes_in_for_the_difference_is_distributed_by_what_was_declared(firm: Firm, body: Actor) -> None:
    """The adjustment covers no declaration of its own: those of the period weigh in its pool too."""
    decide(firm, body, "1.2")
    second = firm.bill()
    firm.receive(second, 200)
    [money] = distribution.waiting_money(firm.society.pk)
    assert money.amount == 200
    assert distribution.waiting_for_use(firm.society.pk) == []


def test_a_lower_rate_is_credited(firm: Firm, body: Actor) -> None:
    first = Invoice.objects.get()
    firm.receive(first, 900)
    decide(firm, body, "0.7")
    note = firm.bill()
    first.refresh_from_db()
    assert (note.kind, note.net, note.version.version) == ("credit", -300, 2)
    assert (first.credited, first.open, firm.balance("favour", firm.licence.pk)) == (100, 0, 200)
    assert sound()


def test_the_same_rate_confirms_what_was_billed(firm: Firm, body: Actor) -> None:
    first = Invoice.objects.get()
    decide(firm, body, "1.0000")
    assert len(services.adjustments(firm.finance)) == 1
    billed = services.bill_period(actor=firm.finance, licence=firm.licence, period=QUARTER, issued_on=ISSUED)
    assert (billed.invoice.pk, billed.new, billed.linked) == (first.pk, False, ())
    first.refresh_from_db()
    assert (first.version.version, first.confirmed.version) == (1, 2)
    assert list(services.adjustments(firm.finance)) == []
    assert sound()


def test_rates_confirmed_as_they_are_need_no_adjustment(firm: Firm, body: Actor) -> None:
    tariffs.determine(actor=body, version=firm.licence.tariff.versions.get(), reasons="As proposed.")
    assert list(services.adjustments(firm.finance)) == []
    assert firm.bill().pk == Invoice.objects.get().pk


def test_an_advance_is_put_right_too(body: Actor) -> None:
    def flat(amount: str, version: int = 1) -> dict[str, Any]:
        fee = charge("flat", "fee", amount=amount, uses=["*"], kinds=["*"])
        return tariff(fee, version=version, period_months=3)

    society, licensee = parties.organisation("KOREA-WEB", "society"), parties.organisation("HANBIT", "licensee")
    version = tariffs.import_tariff(actor=SYSTEM, society=society, document=flat("900")).version
    tariffs.set_interim(actor=body, version=version, reasons="Until it is decided.")
    licence = parties.licence(society, licensee, version)
    finance = parties.staff(society, "billing.manage", "billing.view")
    first = services.advance(actor=finance, licence=licence, start=QUARTER[0], issued_on=ISSUED)
    tariffs.amend(actor=body, version=version, document=flat("1000", 2), reasons="As found right.")
    second = services.bill(actor=finance, licence=licence, period=QUARTER, issued_on=ISSUED)
    assert (first.net, second.kind, second.net) == (900, "advance", 100)
    assert sound()


def test_other_societies_see_nothing_of_it(firm: Firm, body: Actor) -> None:
    decide(firm, body, "2")
    stranger = parties.staff(parties.organisation("OTHER", "society"), "billing.manage")
    assert list(services.adjustments(stranger)) == []
