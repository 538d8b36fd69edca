"""Duties made, met and settled by several at once: each once, and none lost."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction

from accounts.evidence.models import Event
from accounts.identity.core import Conflict
from licensing.declarations import services
from licensing.declarations.models import ReportDuty
from tests.accounts.people import actor, organisation
from tests.licensing.parties import declaration, determined, licence
from tests.licensing.test_report_duties import with_duties
from tests.together import meeting, together

TODAY = dt.date(2026, 7, 10)


def some_licences(number: int = 6) -> list[Any]:
    society = organisation("PRESS", "society")
    version = determined(society)
    firm = organisation("DASAN-AI", "licensee")
    return [with_duties(licence(society, firm, version, ref=f"L-{n}"), reporting_months=1) for n in range(number)]


def test_workers_at_once_make_each_duty_once(committed_db: Any) -> None:
    licences = some_licences()
    meet = meeting(3, 2)

    def work() -> int:
        with transaction.atomic():
            made = services.make_due(TODAY)
            meet()  # nobody commits before all have made theirs, or wait for who did
            return made

    results = together(work, work, work)
    expected = len(licences) * 20  # January 2026 up to and with August 2027
    assert sorted(results) == [0, 0, expected], results
    assert ReportDuty.objects.count() == expected


def test_the_regular_run_and_declarations_handed_in_never_wait_for_each_other(committed_db: Any) -> None:
    licences = some_licences()
    services.make_due(TODAY)
    for each in licences:
        declaration(each, "2026-01-01", "2026-07-01")
    results = together(
        services.settle_met, *[lambda of=of: services.settle_met(of.pk) for of in licences], services.settle_met
    )
    assert sum(results) == len(licences) * 6, results
    assert Event.objects.filter(verb="report_duty.met").count() == len(licences) * 6


def test_a_duty_is_settled_by_one_word_only(committed_db: Any) -> None:
    [of] = some_licences(1)
    services.make_due(TODAY)
    firm, society = actor(of.licensee), actor(of.society, "licensing")
    first = ReportDuty.objects.select_related("licence").order_by("due_on")[0]
    results = together(
        lambda: services.report_nil(actor=firm, duty=ReportDuty.objects.get(pk=first.pk), typed=of.ref),
        lambda: services.waive(actor=society, duty=ReportDuty.objects.get(pk=first.pk), reason="A pilot"),
    )
    assert [isinstance(result, Conflict) for result in results].count(True) == 1, results
    assert Event.objects.filter(verb__in=["report_duty.nil", "report_duty.waived"]).count() == 1
