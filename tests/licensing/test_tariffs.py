"""Proposing, determining, refusing and superseding tariff versions."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Conflict, Forbidden, Refusal
from accounts.organisations.models import Organisation
from licensing.tariffs import services
from licensing.tariffs.models import Tariff, TariffVersion
from licensing.tariffs.reading import BadDocument
from tests.licensing.parties import determined, organisation, staff
from tests.licensing.tariff_documents import charge, tariff

pytestmark = pytest.mark.django_db


@pytest.fixture
def society() -> Organisation:
    return organisation("WEB-SOCIETY", "society")


@pytest.fixture
def body() -> Organisation:
    return organisation("COMMISSION", "rate_body")


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


def verbs(version: TariffVersion) -> list[str]:
    return list(Event.objects.about("tariff_version", version.pk).order_by("id").values_list("verb", flat=True))


def test_a_proposed_version_prices_nothing(society: Organisation) -> None:
    imported = services.import_tariff(actor=SYSTEM, society=society, document=tariff())
    assert (imported.outcome, imported.version.status) == ("created", "proposed")
    assert services.version_in_force(imported.version.tariff, day("2026-06-01")) is None
    assert verbs(imported.version) == ["tariff_version.proposed"]


def test_the_same_document_twice_changes_nothing(society: Organisation, body: Organisation) -> None:
    for outcome in ("created", "unchanged"):
        imported = services.import_tariff(actor=SYSTEM, society=society, document=tariff(), determined_by=body)
        assert imported.outcome == outcome
    assert verbs(imported.version) == ["tariff_version.proposed", "tariff_version.determined"]
    assert TariffVersion.objects.count() == 1


def test_a_recorded_decision_determines_what_was_proposed(society: Organisation, body: Organisation) -> None:
    services.import_tariff(actor=SYSTEM, society=society, document=tariff())
    imported = services.import_tariff(actor=SYSTEM, society=society, document=tariff(), determined_by=body)
    assert (imported.outcome, imported.version.status, imported.version.determined_by) == (
        "updated",
        "determined",
        body,
    )


def test_the_same_version_with_other_content_is_a_conflict(society: Organisation) -> None:
    services.import_tariff(actor=SYSTEM, society=society, document=tariff())
    with pytest.raises(Conflict) as caught:
        services.import_tariff(actor=SYSTEM, society=society, document=tariff(name="Other"))
    assert caught.value.code == "version_exists"
    assert TariffVersion.objects.count() == 1


def test_a_tariff_keeps_its_currency(society: Organisation) -> None:
    services.import_tariff(actor=SYSTEM, society=society, document=tariff())
    with pytest.raises(Conflict):
        services.import_tariff(actor=SYSTEM, society=society, document=tariff(version=2, currency="USD"))


def test_a_broken_document_leaves_nothing(society: Organisation) -> None:
    with pytest.raises(BadDocument):
        services.import_tariff(actor=SYSTEM, society=society, document=tariff(charge("flat", amount=1)))
    assert not Tariff.objects.exists()


def test_only_a_rate_body_determines(society: Organisation, body: Organisation) -> None:
    manager = staff(society, "tariffs.manage", "tariffs.determine")
    version = services.propose(actor=SYSTEM, society=society, document=tariff())
    with pytest.raises(Refusal) as caught:
        services.determine(actor=manager, version=version)
    assert caught.value.code == "not_a_rate_body"
    with pytest.raises(Forbidden):
        services.determine(actor=staff(body), version=version)
    with pytest.raises(Refusal):
        services.import_tariff(actor=SYSTEM, society=society, document=tariff(), determined_by=society)
    with pytest.raises(Forbidden):
        services.import_tariff(actor=manager, society=society, document=tariff(), determined_by=body)
    version.refresh_from_db()
    assert version.status == "proposed"
    decided = services.determine(actor=staff(body, "tariffs.determine"), version=version)
    assert (decided.status, decided.determined_by) == ("determined", body)


def test_only_the_society_itself_drafts_and_it_proposes_nothing_past_the_public(society: Organisation) -> None:
    other = organisation("OTHER", "society")
    for actor in (staff(other, "tariffs.manage"), staff(society)):
        for put in (services.propose, services.draft):
            with pytest.raises(Forbidden):
                put(actor=actor, society=society, document=tariff())
    with pytest.raises(Forbidden, match="consultation"):
        services.propose(actor=staff(society, "tariffs.manage"), society=society, document=tariff())
    with pytest.raises(Refusal):
        services.propose(actor=SYSTEM, society=organisation("FIRM", "licensee"), document=tariff())


def test_a_version_is_decided_once(society: Organisation, body: Organisation) -> None:
    commissioner = staff(body, "tariffs.determine")
    version = services.propose(actor=SYSTEM, society=society, document=tariff())
    refused = services.refuse(actor=commissioner, version=version, reason="Too dear")
    assert refused.status == "refused"
    assert (
        Event.objects.about("tariff_version", version.pk).get(verb="tariff_version.refused").data["reason"]
        == "Too dear"
    )
    for decide in (services.determine, lambda **keys: services.refuse(**keys, reason="again")):
        with pytest.raises(Conflict) as caught:
            decide(actor=commissioner, version=version)
        assert caught.value.code == "already_decided"


def test_refusing_needs_a_reason(society: Organisation, body: Organisation) -> None:
    version = services.propose(actor=SYSTEM, society=society, document=tariff())
    with pytest.raises(Refusal) as caught:
        services.refuse(actor=staff(body, "tariffs.determine"), version=version, reason="  ")
    assert caught.value.code == "reason_missing"


def test_a_later_version_ends_the_one_before_it(society: Organisation) -> None:
    first = determined(society)
    second = determined(society, tariff(version=2, valid_from="2026-07-01", name="New name"))
    first.refresh_from_db()
    assert (first.valid.lower, first.valid.upper) == (day("2026-01-01"), day("2026-07-01"))
    assert services.version_in_force(first.tariff, day("2026-06-30")) == first
    assert services.version_in_force(first.tariff, day("2026-07-01")) == second
    assert verbs(first)[-1] == "tariff_version.superseded"
    assert Tariff.objects.get().name == "New name"


def test_a_version_with_an_end_is_not_cut_short(society: Organisation) -> None:
    first = determined(society, tariff(valid_to="2027-01-01"))
    with pytest.raises(Conflict) as caught:
        determined(society, tariff(version=2, valid_from="2026-07-01"))
    assert caught.value.code == "version_overlaps"
    first.refresh_from_db()
    assert first.valid.upper == day("2027-01-01")
    assert TariffVersion.objects.count() == 1


def test_an_earlier_start_does_not_supersede(society: Organisation) -> None:
    determined(society, tariff(valid_from="2026-07-01"))
    with pytest.raises(Conflict):
        determined(society, tariff(version=2))
    assert determined(society, tariff(version=3, valid_to="2026-07-01")).status == "determined"


@pytest.mark.parametrize(
    "change",
    [
        {"document": {}},
        {"sha256": "0" * 64},
        {"status": "proposed"},
        {"valid": "[2025-01-01,)"},
        {"version": 7},
    ],
)
def test_the_database_keeps_a_determined_version_as_it_is(society: Organisation, change: dict[str, Any]) -> None:
    version = determined(society)
    with pytest.raises(IntegrityError), transaction.atomic():
        TariffVersion.objects.filter(pk=version.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        TariffVersion.objects.filter(pk=version.pk).delete()


def test_a_period_has_one_version(society: Organisation) -> None:
    first = determined(society)
    second = determined(society, tariff(version=2, valid_from="2026-07-01"))
    find = services.version_for_period
    assert find(first.tariff, day("2026-04-01"), day("2026-07-01")) == first
    assert find(first.tariff, day("2026-07-01"), day("2026-10-01")) == second
    with pytest.raises(Refusal) as caught:
        find(first.tariff, day("2026-06-01"), day("2026-08-01"))
    assert caught.value.code == "tariff_changes_in_period"
    assert "2026-07-01" in caught.value.detail
    with pytest.raises(Refusal) as caught:
        find(first.tariff, day("2025-12-31"), day("2026-02-01"))
    assert caught.value.code == "no_tariff_in_force"


def test_tariffs_of_two_societies_may_share_a_name(society: Organisation) -> None:
    other = organisation("OTHER", "society")
    assert determined(society).tariff != determined(other).tariff
