"""Two decisions on tariffs at once: one stands."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Conflict
from licensing.tariffs import services
from licensing.tariffs.models import TariffVersion
from tests.licensing.parties import organisation, staff
from tests.licensing.tariff_documents import tariff
from tests.together import together


def test_a_version_is_determined_once_by_two_at_once(committed_db: Any) -> None:
    society, body = organisation("S", "society"), organisation("B", "rate_body")
    version = services.propose(actor=SYSTEM, society=society, document=tariff())
    commissioner = staff(body, "tariffs.determine")
    results = together(
        *[lambda: services.determine(actor=commissioner, version=TariffVersion.objects.get(pk=version.pk))] * 4
    )
    assert sum(isinstance(result, TariffVersion) for result in results) == 1
    assert Event.objects.filter(verb="tariff_version.determined").count() == 1


def test_overlapping_versions_determined_at_once_leave_one_a_day(committed_db: Any) -> None:
    society, body = organisation("S", "society"), organisation("B", "rate_body")
    commissioner = staff(body, "tariffs.determine")
    versions = [
        services.propose(actor=SYSTEM, society=society, document=tariff(version=n, valid_to="2027-01-01"))
        for n in (1, 2, 3)
    ]
    results = together(*[lambda v=v: services.determine(actor=commissioner, version=v) for v in versions])
    assert sum(isinstance(result, TariffVersion) for result in results) == 1
    assert TariffVersion.objects.filter(status="determined").count() == 1


def test_the_same_document_imported_at_once_is_one_version(committed_db: Any) -> None:
    society, body = organisation("S", "society"), organisation("B", "rate_body")
    results = together(
        *[lambda: services.import_tariff(actor=SYSTEM, society=society, document=tariff(), determined_by=body)] * 4
    )
    assert TariffVersion.objects.get().status == "determined"
    assert {result.outcome for result in results} <= {"created", "updated", "unchanged"}


def test_two_successors_determined_at_once_never_tear_the_calendar(committed_db: Any) -> None:
    """Each ends the version before it; without the lock on the tariff both would end the same one."""
    society, body = organisation("S", "society"), organisation("B", "rate_body")
    commissioner = staff(body, "tariffs.determine")
    services.import_tariff(actor=SYSTEM, society=society, document=tariff(), determined_by=body)
    successors = [
        services.propose(actor=SYSTEM, society=society, document=tariff(version=n, valid_from=start))
        for n, start in ((2, "2026-07-01"), (3, "2026-09-01"))
    ]
    results = together(*[lambda v=v: services.determine(actor=commissioner, version=v) for v in successors])
    assert all(isinstance(result, (TariffVersion, Conflict)) for result in results)
    assert isinstance(results[1], TariffVersion), "the later successor follows whichever came first"
    in_order = TariffVersion.objects.filter(status="determined").order_by("version")
    ends = [(version.valid.lower, version.valid.upper) for version in in_order]
    assert all(earlier[1] == later[0] for earlier, later in pairwise(ends))
    assert ends[-1][1] is None
