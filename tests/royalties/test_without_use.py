"""Periods in which nothing was used: what is owed for them all the same is listed, billed once, and no more."""

from __future__ import annotations

import datetime
from itertools import pairwise
from typing import Any

import pytest

from licensing.declarations.models import ReportDuty
from royalties.billing import services
from tests.licensing import parties
from tests.licensing.tariff_documents import charge, tariff
from tests.royalties.billing_world import APRIL, JANUARY, Firm, make_firm
from tests.royalties.test_estimates import JULY, LATE, OCTOBER, SECOND, duty, sound

pytestmark = pytest.mark.django_db

MONTHS = [datetime.date(2026, month, 1) for month in range(1, 8)]
FEE = charge("flat", "fee", amount="300", uses=["*"], kinds=["*"])
TOKENS = charge("per_unit", per=1, price="1")


def listed(firm: Firm) -> list[tuple[Any, int]]:
    return [(each.period, each.amount) for each in services.owed_without_use(firm.finance)]


@pytest.mark.parametrize(
    ("document", "owed"),
    [
        (tariff(TOKENS, minimum="500"), 500),
        (tariff(TOKENS, FEE), 300),
        (tariff(charge("percentage", base="net income", percent="30"), minimum="500"), 500),
    ],
    ids=["minimum", "fixed fee", "percentage with a minimum"],
)
def test_what_is_owed_without_use_waits_until_it_is_billed(document: dict[str, Any], owed: int) -> None:
    firm = make_firm(document)
    missing = duty(firm, *SECOND)
    assert listed(firm) == []
    ReportDuty.objects.filter(pk=missing.pk).update(status="nil", settled_at="2026-08-01T00:00:00Z")
    assert listed(firm) == [(SECOND, owed)]
    invoice = firm.bill(SECOND, issued_on=LATE)
    assert (invoice.kind, invoice.net) == ("use", owed)
    assert listed(firm) == []
    assert sound()


@pytest.mark.parametrize(
    "document",
    [tariff(TOKENS), tariff(TOKENS, FEE | {"licensee_tiers": ["large"]})],
    ids=["only use costs", "others pay the fee"],
)
def test_what_costs_nothing_without_use_does_not_wait(document: dict[str, Any]) -> None:
    firm = make_firm(document)
    duty(firm, *SECOND, status="nil")
    assert listed(firm) == []


def test_prices_for_a_quarter_wait_once_all_its_months_are_reported_as_no_use() -> None:
    """₩500 at the least a quarter, reported by the month: three reports of no use are one minimum."""
    firm = make_firm(tariff(TOKENS, minimum="500", period_months=3))
    for start, end in pairwise(MONTHS[:6]):
        duty(firm, start, end, status="nil")
    june = duty(firm, MONTHS[5], MONTHS[6])
    assert listed(firm) == [((JANUARY, APRIL), 500)]
    ReportDuty.objects.filter(pk=june.pk).update(status="nil", settled_at="2026-08-01T00:00:00Z")
    assert listed(firm) == [((JANUARY, APRIL), 500), (SECOND, 500)]
    assert firm.bill(SECOND, issued_on=LATE).net == 500
    assert listed(firm) == [((JANUARY, APRIL), 500)]


def test_a_later_declaration_takes_its_place_and_others_see_nothing_of_it(django_assert_max_num_queries: Any) -> None:
    firm = make_firm(tariff(TOKENS, minimum="500"))
    late = duty(firm, *SECOND, status="nil")
    duty(firm, JULY, OCTOBER, status="nil")
    with django_assert_max_num_queries(2):
        assert len(listed(firm)) == 2
    for stranger in (parties.organisation("OTHER", "society"), firm.licensee):
        assert services.owed_without_use(parties.staff(stranger, "billing.manage")) == []
    firm.declare(700, start="2026-04-01", end="2026-07-01")
    ReportDuty.objects.filter(pk=late.pk).update(status="met", settled_at=None)
    assert listed(firm) == [((JULY, OCTOBER), 500)]
