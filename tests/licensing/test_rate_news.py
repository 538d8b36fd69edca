"""Licensees hear what becomes of the rates they are under, once each, and those under other tariffs do not."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from accounts.identity.models import User
from accounts.notices.models import Notice
from licensing.licences.models import Licence
from licensing.licences.services.rates import tell_of_rates
from licensing.tariffs import services
from licensing.tariffs.models import TariffVersion
from tests.accounts import people
from tests.licensing.parties import determined, licence
from tests.licensing.rate_setting import CLOSES, DAY, TODAY, Clock, Parties, parties
from tests.licensing.tariff_documents import tariff

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def all_of(db: Any, clock: Clock) -> Parties:
    return parties()


@pytest.fixture
def version(all_of: Parties) -> TariffVersion:
    """A proposal under whose tariff a firm has a licence, and another firm has one under another tariff."""
    firms = {name: people.organisation(name, "licensee") for name in ("HANBIT", "OTHER-FIRM")}
    for firm in firms.values():
        people.person(firm)
        people.person(firm, "viewer")
    licence(all_of.society, firms["HANBIT"], determined(all_of.society))
    other = determined(all_of.society, tariff(tariff="BOOKS"))
    licence(all_of.society, firms["OTHER-FIRM"], other, ref="L-2")
    Licence.objects.update(status="active")
    return all_of.publish(all_of.draft(version=2))


def told(day: datetime.date) -> list[str]:
    """What the firm's administrator was told of on this day, however often it is looked at."""
    before = Notice.objects.count()
    for _again in range(2):
        tell_of_rates(today=day)
    new = Notice.objects.order_by("pk")[before:]
    administrator = User.objects.get(email="administrator@hanbit.example")
    assert {notice.user_id for notice in new} <= {administrator.pk}, "neither viewers nor firms under other tariffs"
    return [notice.key.partition(":")[0] for notice in new]


def test_a_proposal_is_told_of_once_then_its_end_the_decision_and_the_first_day(
    all_of: Parties, version: TariffVersion, clock: Clock
) -> None:
    assert told(TODAY) == ["tariff-proposal"]
    assert told(CLOSES - 8 * DAY) == []
    assert told(CLOSES - 7 * DAY) == ["tariff-closes-soon"]
    assert told(CLOSES) == []
    clock.at(CLOSES)
    services.determine(actor=all_of.commissioner, version=version, reasons="x")
    assert told(CLOSES) == ["tariff-outcome"]
    assert told(version.valid.lower - 31 * DAY) == []
    assert told(version.valid.lower - 30 * DAY) == ["tariff-begins"]
    assert told(version.valid.lower) == []


def test_nothing_is_told_of_drafts_and_of_what_is_withdrawn(all_of: Parties, version: TariffVersion) -> None:
    all_of.draft(version=3)
    services.withdraw(actor=all_of.manager, version=version, reason="x")
    assert told(TODAY) == []


def test_a_licence_that_has_ended_concerns_nobody(all_of: Parties, version: TariffVersion) -> None:
    Licence.objects.update(status="terminated")
    assert told(TODAY) == []
