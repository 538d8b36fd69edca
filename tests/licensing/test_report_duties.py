"""What a licensee has to report: made ahead, met by declarations, settled by a person's word, reminded of."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.evidence.models import Event
from accounts.identity.core import Conflict, Forbidden, NotFound, Refusal
from accounts.notices.models import Notice
from licensing.declarations import services, tasks
from licensing.declarations.calendar import due_day, periods_of
from licensing.declarations.models import Declaration, ReportDuty
from licensing.licences import services as licences
from licensing.licences.conditions import PERIODS, Conditions
from licensing.licences.models import Licence
from licensing.tariffs.periods import months_after
from tests.accounts.people import actor, person
from tests.licensing.declaring import ISBN, Firm, declare, firm, lines
from tests.licensing.parties import declaration, determined, licence, organisation, staff

pytestmark = pytest.mark.django_db
D = dt.date
TODAY = D(2026, 7, 10)


def with_duties(of: Licence, **conditions: Any) -> Licence:
    of.conditions = Conditions(**({"reporting_months": 3, "report_within_days": 30} | conditions)).as_data()
    of.save(update_fields=["conditions"])
    return of


@pytest.fixture
def parties(db: Any) -> Firm:
    """A licence from 1 January 2026 without end, reported on quarterly within 30 days."""
    made = firm()
    with_duties(made.licence)
    return made


def periods(of: Licence, *status: str) -> list[tuple[str, str, str]]:
    found = ReportDuty.objects.filter(licence=of, status__in=status or ReportDuty.Status.values).order_by("period")
    return [(d.period.lower.isoformat(), d.period.upper.isoformat(), d.due_on.isoformat()) for d in found]


def duty(of: Licence, first_day: str = "2026-01-01") -> ReportDuty:
    return ReportDuty.objects.get(licence=of, period__startswith=first_day)


# Made ahead -----------------------------------------------------------------------------------------------------------


def test_a_licence_has_a_duty_a_period_up_to_thirteen_months_ahead(parties: Firm) -> None:
    assert services.make_due(D(2026, 1, 1)) == 5
    assert periods(parties.licence, "open")[:2] == [
        ("2026-01-01", "2026-04-01", "2026-04-30"),
        ("2026-04-01", "2026-07-01", "2026-07-30"),
    ]
    assert services.make_due(D(2026, 1, 1)) == 0, "made again, nothing is made twice"
    assert services.make_due(D(2026, 4, 1)) == 1, "time goes on, the next period comes into view"


def test_only_licences_that_license_and_ask_for_reports_have_duties(parties: Firm) -> None:
    Licence.objects.update(conditions=Conditions(reporting_months=None).as_data())
    assert services.make_due(TODAY) == 0
    Licence.objects.update(conditions={})  # granted without conditions: nothing was agreed
    assert services.make_due(TODAY) == 0
    with_duties(parties.licence)
    for status in ("draft", "suspended"):
        Licence.objects.update(status=status)
        assert services.make_due(TODAY) == 0
    Licence.objects.update(status="expired", valid=DateRange(D(2026, 1, 1), D(2026, 6, 1)))
    assert services.make_due(TODAY) == 2
    assert periods(parties.licence)[-1] == ("2026-04-01", "2026-06-01", "2026-06-30")


class InTheDatabase(TestCase):
    """The statement counts periods as the pure rule does."""

    @settings(max_examples=25, deadline=None)
    @given(
        since=st.dates(D(2024, 1, 1), D(2027, 12, 31)),
        length=st.none() | st.integers(1, 1500),
        months=st.sampled_from(PERIODS),
        within=st.integers(0, 90),
    )
    def test_duties_are_the_periods_of_the_term(self, since: D, length: int | None, months: int, within: int) -> None:
        society, licensee = organisation("PRESS", "society"), organisation("DASAN-AI", "licensee")
        until = since + dt.timedelta(days=length) if length else None
        of = licence(society, licensee, determined(society))
        of.valid = DateRange(since, until)
        of.save(update_fields=["valid"])
        with_duties(of, reporting_months=months, report_within_days=within)
        horizon = months_after(TODAY, 13)
        expected = []
        for start, end in periods_of(since, until, months):
            if start >= horizon:
                break
            expected.append((start.isoformat(), end.isoformat(), due_day(end, within).isoformat()))
        assert services.make_due(TODAY) == len(expected)
        assert periods(of) == expected


def test_a_term_that_is_ended_early_cuts_the_last_duty_and_takes_the_later_ones_back(parties: Firm) -> None:
    services.make_due(TODAY)
    manager = staff(parties.society, "licences.manage")
    licences.terminate(actor=manager, licence=parties.licence, on=D(2026, 8, 16), reason="ended")
    assert services.make_due(TODAY) == 0
    assert periods(parties.licence)[-1] == ("2026-07-01", "2026-08-16", "2026-09-14")
    said = Event.objects.filter(object_kind="report_duty").values_list("verb", flat=True)
    assert set(said) == {"report_duty.removed", "report_duty.cut"}
    assert services.make_due(TODAY) == 0 and Event.objects.filter(verb="report_duty.cut").count() == 1


def test_a_firm_has_two_weeks_at_least_to_report_on_a_term_that_was_cut_backwards(parties: Firm) -> None:
    services.make_due(TODAY)
    Licence.objects.update(status="terminated", valid=DateRange(D(2026, 1, 1), D(2026, 5, 1)))
    services.make_due(TODAY)
    assert periods(parties.licence)[-1] == ("2026-04-01", "2026-05-01", "2026-07-24")


def test_an_amended_licence_leaves_its_later_periods_to_the_one_that_takes_its_place(parties: Firm) -> None:
    services.make_due(TODAY)
    Licence.objects.update(status="amended", valid=DateRange(D(2026, 1, 1), D(2026, 7, 1)))
    version = parties.licence.tariff.versions.get()
    later = licence(parties.society, parties.licensee, version, ref="L-2", valid_from=D(2026, 7, 1))
    with_duties(later, reporting_months=1)
    services.make_due(TODAY)
    assert [p[:2] for p in periods(parties.licence)] == [("2026-01-01", "2026-04-01"), ("2026-04-01", "2026-07-01")]
    assert periods(later)[0] == ("2026-07-01", "2026-08-01", "2026-08-30")


# Met by declarations --------------------------------------------------------------------------------------------------


@pytest.fixture
def due(parties: Firm) -> Firm:
    services.make_due(TODAY)
    return parties


def test_a_duty_is_met_once_declarations_cover_its_whole_period(due: Firm) -> None:
    declaration(due.licence, "2026-01-01", "2026-02-20")
    assert services.settle_met() == 0
    declaration(due.licence, "2026-03-01", "2026-05-01", status="submitted")
    assert services.settle_met() == 0, "ten days of February are not declared yet"
    declaration(due.licence, "2026-02-10", "2026-03-01")
    assert services.settle_met() == 1
    assert duty(due.licence).status == "met" and duty(due.licence).settled_at is not None
    assert services.settle_met() == 0
    assert Event.objects.filter(verb="report_duty.met").count() == 1


@pytest.mark.parametrize(
    "unfit", [{"status": "processed"}, {"status": "superseded"}, {"status": "failed"}, {"sandbox": True}]
)
def test_what_was_not_handed_in_or_is_a_test_meets_nothing(due: Firm, unfit: dict[str, Any]) -> None:
    declaration(due.licence, **unfit)
    assert services.settle_met() == 0


def test_a_declaration_under_another_licence_meets_nothing(due: Firm) -> None:
    version = due.licence.tariff.versions.get()
    declaration(licence(due.society, due.licensee, version, ref="L-2"))
    assert services.settle_met() == 0


def test_a_duty_opens_again_when_its_declaration_is_superseded_and_nothing_takes_its_place(due: Firm) -> None:
    made = declaration(due.licence)
    services.settle_met()
    Declaration.objects.filter(pk=made.pk).update(status="superseded")
    assert services.settle_met() == 1
    assert (duty(due.licence).status, duty(due.licence).settled_at) == ("open", None)


def test_handing_in_settles_at_once_and_an_amendment_keeps_it_met(due: Firm) -> None:
    made = declare(due, lines(f"isbn,{ISBN},1000"), submit=True)
    assert (made.status, duty(due.licence).status) == ("accepted", "met")
    draft = services.amend(actor=due.declarant, declaration=made)
    Declaration.objects.filter(pk=draft.pk).update(status="submitted", submitted_at=timezone.now())
    services.accept(actor=due.reviewer, declaration=draft)
    made.refresh_from_db()
    assert (made.status, duty(due.licence).status) == ("superseded", "met")


# A person's word ------------------------------------------------------------------------------------------------------


def test_a_declarant_reports_that_nothing_was_used_and_a_later_declaration_counts_instead(due: Firm) -> None:
    declarant = actor(due.licensee, "declarant")
    reported = services.report_nil(actor=declarant, duty=duty(due.licence), typed=" L-1 ")
    assert (reported.status, reported.user_id) == ("nil", declarant.user_id)
    [event] = Event.objects.filter(verb="report_duty.nil")
    assert (event.actor_id, event.data["licence"]) == (declarant.user_id, "L-1")
    with pytest.raises(Conflict):
        services.report_nil(actor=declarant, duty=reported, typed="L-1")
    declaration(due.licence)
    assert services.settle_met() == 1
    assert (duty(due.licence).status, duty(due.licence).user_id) == ("met", None)


def test_no_use_is_reported_only_by_who_may_declare_and_only_once_the_period_is_over(due: Firm) -> None:
    first = duty(due.licence)
    with pytest.raises(Refusal) as refused:
        services.report_nil(actor=due.declarant, duty=first, typed="yes")
    assert refused.value.pointer == "/typed"
    with pytest.raises(Forbidden):
        services.report_nil(actor=staff(due.licensee, "declarations.view"), duty=first, typed="L-1")
    with pytest.raises(NotFound):
        services.report_nil(actor=staff(due.society, "declarations.declare"), duty=first, typed="L-1")
    stranger = staff(organisation("X", "licensee"), "declarations.declare")
    with pytest.raises(NotFound):
        services.report_nil(actor=stranger, duty=first, typed="L-1")
    later = ReportDuty.objects.create(
        licence=due.licence, period=DateRange(D(2190, 1, 1), D(2190, 4, 1)), due_on=D(2190, 4, 30)
    )
    with pytest.raises(Refusal, match="not over"):
        services.report_nil(actor=due.declarant, duty=later, typed="L-1")
    assert not Event.objects.filter(verb="report_duty.nil").exists()


def test_the_society_waives_a_report_with_a_reason_and_a_waiver_stays(due: Firm) -> None:
    manager = actor(due.society, "licensing")
    with pytest.raises(Refusal):
        services.waive(actor=manager, duty=duty(due.licence), reason=" ")
    with pytest.raises(Forbidden):
        services.waive(actor=staff(due.society), duty=duty(due.licence), reason="pilot")
    with pytest.raises(NotFound):
        services.waive(actor=staff(due.licensee, "licences.manage"), duty=duty(due.licence), reason="pilot")
    waived = services.waive(actor=manager, duty=duty(due.licence), reason="A pilot without use.")
    assert (waived.status, waived.reason) == ("waived", "A pilot without use.")
    declaration(due.licence)
    assert services.settle_met() == 0
    assert Event.objects.get(verb="report_duty.waived").organisation_id == due.society.pk


def test_billing_is_told_of_what_is_overdue_and_open(due: Firm) -> None:
    assert [d.period.lower for d in services.overdue_for_estimate(due.society, D(2026, 4, 30))] == []
    overdue = services.overdue_for_estimate(due.society, D(2026, 7, 31))
    assert [d.period.lower for d in overdue] == [D(2026, 1, 1), D(2026, 4, 1)]
    services.waive(actor=actor(due.society, "licensing"), duty=overdue[0], reason="none")
    assert services.overdue_for_estimate(due.society, D(2026, 7, 31)).count() == 1
    assert not services.overdue_for_estimate(organisation("PEN", "society"), D(2026, 7, 31)).exists()


# Reminders ------------------------------------------------------------------------------------------------------------


def test_declarants_and_administrators_are_reminded_once_a_stage_in_their_language(due: Firm) -> None:
    declarant, administrator = person(due.licensee, "declarant"), person(due.licensee)
    person(due.licensee, "viewer")
    declarant.language = "ko"
    declarant.save(update_fields=["language"])
    ReportDuty.objects.exclude(pk=duty(due.licence).pk).delete()
    for day in (D(2026, 4, 15), D(2026, 4, 16), D(2026, 4, 16), D(2026, 4, 17)):
        services.remind(day)
    assert {n.user_id: n.subject for n in Notice.objects.all()} == {
        administrator.pk: "The usage report under L-1 is due on 2026-04-30",
        declarant.pk: "이용 신고 1건의 마감일은 2026-04-30입니다",
    }
    for day in (D(2026, 4, 27), D(2026, 5, 1), D(2026, 5, 14), D(2026, 5, 15)):
        services.remind(day)
    mine = Notice.objects.filter(user=administrator).order_by("id").values_list("subject", flat=True)
    assert len(mine) == 4
    assert mine[2] == "Overdue: the usage report under L-1 was due on 2026-04-30"


def test_many_reports_of_one_day_make_one_notice(due: Firm) -> None:
    administrator = person(due.licensee)
    version = due.licence.tariff.versions.get()
    for ref in ("L-2", "L-3"):
        with_duties(licence(due.society, due.licensee, version, ref=ref))
    services.make_due(TODAY)
    assert services.remind(D(2026, 5, 1)) == 1
    [notice] = Notice.objects.filter(user=administrator)
    assert notice.subject == "Overdue: 3 usage reports were due on 2026-04-30"


def test_the_society_hears_once_a_week_what_is_overdue(due: Firm) -> None:
    licensing = person(due.society, "licensing")
    person(due.society, "finance")
    for day in (D(2026, 8, 3), D(2026, 8, 3), D(2026, 8, 5), D(2026, 8, 10)):
        services.tell_overdue(day)
    told = Notice.objects.filter(key__startswith="usage-reports-missing")
    assert set(told.values_list("user_id", flat=True)) == {licensing.pk}
    assert told.count() == 2
    assert "first was due on 2026-04-30" in told[0].body
    assert told[0].subject == "2 usage reports are overdue"


def test_the_tasks_may_run_twice(parties: Firm) -> None:
    declaration(parties.licence)
    assert tasks.keep_duties() > 1
    assert tasks.keep_duties() == 0
    tasks.remind_of_duties()
    tasks.tell_overdue_duties()
