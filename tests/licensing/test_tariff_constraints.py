"""What the database itself refuses, whoever asks: a version that prices stays as it is, and no two price one day."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone

from accounts.organisations.models import Organisation
from licensing.tariffs import core
from licensing.tariffs.models import Tariff, TariffVersion
from licensing.tariffs.services import version_for_period, version_in_force
from tests.licensing.parties import organisation
from tests.licensing.tariff_documents import tariff

pytestmark = pytest.mark.django_db
NEW_YEAR, JULY, NEXT_YEAR = dt.date(2026, 1, 1), dt.date(2026, 7, 1), dt.date(2027, 1, 1)


@pytest.fixture
def body() -> Organisation:
    return organisation("COMMISSION", "rate_body")


@pytest.fixture
def of(body: Organisation) -> Tariff:
    return Tariff.objects.create(society=organisation("SOCIETY", "society"), ref="WEB", name="Web", currency="KRW")


def store(of: Tariff, number: int, status: str, start: dt.date = NEW_YEAR, end: dt.date | None = None) -> TariffVersion:
    """A version put straight into its table, as a program that goes round the services would."""
    document = tariff(version=number)
    decided = (
        {"determined_by": Organisation.objects.get(ref="COMMISSION"), "determined_at": timezone.now()}
        if status in ("determined", "interim")
        else {}
    )
    return TariffVersion.objects.create(
        tariff=of, version=number, document=document, sha256=core.digest(document), valid=DateRange(start, end),
        status=status, **decided,
    )  # fmt: skip


def refuses(act: Any) -> str:
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        act()
    return str(caught.value)


def change(version: TariffVersion, /, **fields: Any) -> Any:
    return lambda: TariffVersion.objects.filter(pk=version.pk).update(**fields)


@pytest.mark.parametrize("status", ["interim", "determined"])
@pytest.mark.parametrize(
    "fields",
    [
        {"document": {}},
        {"sha256": "0" * 64},
        {"version": 9},
        {"valid": DateRange(dt.date(2025, 1, 1), None)},
        {"valid": DateRange(JULY, None)},
        {"status": "draft"},
        {"status": "proposed"},
        {"status": "refused"},
        {"status": "withdrawn"},
    ],
)
def test_a_version_in_force_cannot_be_edited(of: Tariff, status: str, fields: dict[str, Any]) -> None:
    version = store(of, 1, status)
    refuses(change(version, **fields))
    refuses(lambda: TariffVersion.objects.filter(pk=version.pk).delete())
    version.refresh_from_db()
    assert (version.status, version.document) == (status, tariff())


def test_an_interim_version_is_confirmed_or_replaced_and_then_it_stays_so(of: Tariff) -> None:
    confirmed, replaced = store(of, 1, "interim", NEW_YEAR, JULY), store(of, 2, "interim", JULY)
    change(confirmed, status="determined")()
    change(replaced, status="replaced")()
    for version in (confirmed, replaced):
        for status in ("interim", "proposed", "draft"):
            refuses(change(version, status=status))


@pytest.mark.parametrize("first", ["interim", "determined"])
@pytest.mark.parametrize("second", ["interim", "determined"])
def test_no_two_versions_price_one_day(of: Tariff, first: str, second: str) -> None:
    store(of, 1, first, NEW_YEAR, JULY)
    last_day = JULY - dt.timedelta(days=1)
    assert "tariff_has_one_version_in_force_a_day" in refuses(lambda: store(of, 2, second, last_day))
    assert store(of, 3, second, JULY).version == 3, "the end is exclusive"
    assert "tariff_has_one_version_in_force_a_day" in refuses(lambda: store(of, 4, "interim", NEW_YEAR, NEXT_YEAR))


def test_a_proposal_may_be_for_days_that_are_taken_but_not_be_put_in_force_on_them(
    of: Tariff, body: Organisation
) -> None:
    store(of, 1, "interim")
    proposed = store(of, 2, "proposed")
    decided = {"determined_by": body, "determined_at": timezone.now()}
    for status in ("interim", "determined"):
        refuses(change(proposed, status=status, **decided))
    change(TariffVersion.objects.get(version=1), status="replaced")()
    change(proposed, status="determined", **decided)()
    assert version_in_force(of, JULY) == proposed


def test_an_interim_version_prices_as_a_determined_one_does(of: Tariff) -> None:
    interim = store(of, 1, "interim", NEW_YEAR, JULY)
    assert version_in_force(of, NEW_YEAR) == interim
    assert version_for_period(of, NEW_YEAR, JULY) == interim
    for number, status in enumerate(["draft", "proposed", "amended", "refused", "withdrawn", "replaced"], 2):
        store(of, number, status, JULY)
    assert version_in_force(of, JULY) is None


@pytest.mark.parametrize("status", ["interim", "determined"])
def test_only_a_rate_body_puts_a_version_in_force(of: Tariff, status: str) -> None:
    proposed = store(of, 1, "proposed")
    refuses(change(proposed, status=status))
    for somebody in (of.society, organisation("OTHER", "society"), organisation("FIRM", "licensee")):
        refuses(change(proposed, status=status, determined_by=somebody, determined_at=timezone.now()))
