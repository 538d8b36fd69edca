"""A tariff whose prices are for so many months is billed by just these periods."""

from __future__ import annotations

import datetime as dt

import pytest

from accounts.identity.core import Refusal
from royalties.billing.models import Invoice
from tests.licensing import parties
from tests.licensing.tariff_documents import charge, tariff
from tests.royalties.billing_world import Firm, make_firm

pytestmark = pytest.mark.django_db
TITLES = charge("per_work", "titles", price="5000")


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.fixture
def firm() -> Firm:
    return make_firm(tariff(TITLES, currency="USD", period_months=36))


def test_a_fee_for_three_years_is_billed_for_three_years(firm: Firm) -> None:
    firm.declare(end="2026-04-01")
    for period in (("2026-01-01", "2026-04-01"), ("2026-01-01", "2027-01-01"), ("2026-01-01", "2029-02-01")):
        with pytest.raises(Refusal) as caught:
            firm.bill((day(period[0]), day(period[1])))
        assert caught.value.code == "other_period"
        assert "2026-01-01 to 2029-01-01" in caught.value.detail
    assert not Invoice.objects.exists()
    assert firm.bill((day("2026-01-01"), day("2029-01-01"))).net == 500_000


def test_new_prices_wait_for_the_period_after(firm: Firm) -> None:
    """Else one title would be paid for twice in its three years."""
    parties.determined(
        firm.society,
        tariff(TITLES | {"price": "9000"}, version=2, valid_from="2027-01-01", currency="USD", period_months=36),
    )
    firm.declare(start="2026-01-01", end="2026-04-01")
    firm.declare(start="2029-01-01", end="2029-04-01")
    assert firm.bill((day("2026-01-01"), day("2029-01-01"))).net == 500_000
    assert firm.bill((day("2029-01-01"), day("2032-01-01"))).net == 900_000


def test_without_such_prices_a_period_under_two_versions_is_still_refused() -> None:
    firm = make_firm()
    parties.determined(firm.society, tariff(version=2, valid_from="2026-03-01"))
    firm.declare()
    with pytest.raises(Refusal) as caught:
        firm.bill()
    assert caught.value.code == "tariff_changes_in_period"
