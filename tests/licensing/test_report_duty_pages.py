"""Pages and API of the duty to report: what a firm and its society see and do."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from licensing.declarations import services
from licensing.declarations.models import ReportDuty
from tests.accounts.people import actor, organisation, person, token
from tests.licensing.declaring import Firm, firm
from tests.licensing.parties import licence
from tests.licensing.test_report_duties import duty, with_duties
from tests.licensing.test_tariff_pages import signed_in, text

pytestmark = pytest.mark.django_db
D = dt.date


@pytest.fixture
def parties(db: Any, monkeypatch: pytest.MonkeyPatch) -> Firm:
    """On 10 July 2026: the first quarter's report is overdue, the second's is due on the 30th."""
    monkeypatch.setattr(timezone, "localdate", lambda *_: D(2026, 7, 10))
    made = firm()
    with_duties(made.licence)
    services.make_due(D(2026, 7, 10))
    return made


@pytest.fixture
def declarant(parties: Firm) -> Client:
    return signed_in(person(parties.licensee, "declarant"))


@pytest.fixture
def reviewer(parties: Firm) -> Client:
    return signed_in(person(parties.society, "licensing"))


def test_a_firm_sees_what_is_due_when_the_overdue_first_and_declares_from_there(
    parties: Firm, declarant: Client
) -> None:
    shown = text(declarant.get("/duties/"))
    assert shown.index("1 Jan – 31 Mar 2026") < shown.index("1 Apr – 30 Jun 2026") < shown.index("1 Jul – 30 Sept 2026")
    assert "71 days late" in shown and "30 Jul 2026" in shown
    link = f"/declarations/new/?licence={parties.licence.pk}&amp;first_day=2026-01-01&amp;end=2026-04-01"
    assert link in shown
    form = text(declarant.get(link.replace("&amp;", "&")))
    assert 'value="2026-01-01"' in form and 'value="2026-04-01"' in form and "selected" in form
    assert "Waive" not in shown


def test_the_navigation_tells_how_many_are_overdue(declarant: Client, reviewer: Client) -> None:
    for client in (declarant, reviewer):
        assert 'Usage reports<span class="n">1' in text(client.get("/declarations/"))


def test_a_firm_reports_that_nothing_was_used(parties: Firm, declarant: Client) -> None:
    first = duty(parties.licence)
    assert f"/duties/{first.pk}/nil/" in text(declarant.get("/duties/"))
    page = f"/duties/{first.pk}/nil/"
    assert "kept as evidence" in text(declarant.get(page))
    assert "reference of the licence" in text(declarant.post(page, {"typed": "no"}))
    assert duty(parties.licence).status == "open"
    assert "nothing was used in this period" in text(declarant.post(page, {"typed": "L-1"}, follow=True))
    assert duty(parties.licence).status == "nil"
    assert "nothing left to do" in text(declarant.get(page))
    running = duty(parties.licence, "2026-07-01")
    assert "not over yet" in text(declarant.get(f"/duties/{running.pk}/nil/"))


def test_a_society_filters_by_firm_licence_and_state_and_waives(parties: Firm, reviewer: Client) -> None:
    other = organisation("SEORAK", "licensee", name="Seorak Labs")
    version = parties.licence.tariff.versions.get()
    with_duties(licence(parties.society, other, version, ref="L-2"))
    services.make_due(D(2026, 7, 10))
    everything = text(reviewer.get("/duties/"))
    assert "Seorak Labs" in everything and "from 2 firms" in everything and "Declare use" not in everything
    assert "L-2" not in text(reviewer.get("/duties/?licensee=dasan"))
    assert "L-1" not in text(reviewer.get("/duties/?licence=l-2"))
    overdue = text(reviewer.get("/duties/?status=overdue"))
    assert "1 Jan – 31 Mar 2026" in overdue and "1 Apr – 30 Jun 2026" not in overdue
    first = duty(parties.licence)
    reviewer.post(f"/duties/{first.pk}/waive/", {})
    assert duty(parties.licence).status == "open", "a waiver needs a reason"
    said = text(reviewer.post(f"/duties/{first.pk}/waive/", {"reason": "Pilot"}, follow=True))
    assert "is waived" in said
    assert "Pilot" in text(reviewer.get("/duties/?status=waived"))
    assert "No usage report fits" in text(reviewer.get("/duties/?status=met"))


def test_a_year_at_a_glance(parties: Firm, declarant: Client) -> None:
    boss = actor(parties.licensee, email="boss@dasan.example")
    services.report_nil(actor=boss, duty=duty(parties.licence), typed="L-1")
    shown = text(declarant.get(f"/duties/licence/{parties.licence.pk}/"))
    rows = shown.split('<th scope="row">')[1:]
    assert [row.split("<")[0] for row in rows] == [
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
    ]  # fmt: skip
    assert "Reported as no use" in rows[0] and "1 Jan – 31 Mar 2026" in rows[2]
    assert "30 Apr 2026" in rows[3] and "30 Jul 2026" in rows[6]
    assert "?year=2027" in shown and "?year=2025" not in shown
    assert "Nothing is to be reported in this year" in text(
        declarant.get(f"/duties/licence/{parties.licence.pk}/?year=1999")
    )


def test_the_calendar_file_holds_what_is_open(parties: Firm, declarant: Client) -> None:
    answer = declarant.get("/duties/calendar.ics")
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    file = answer.content.decode()
    assert file.count("BEGIN:VEVENT") == ReportDuty.objects.open().count()
    assert "DTSTART;VALUE=DATE:20260430" in file and "SUMMARY:Usage report due: L-1" in file


def test_nobody_else_sees_or_settles_them(parties: Firm) -> None:
    stranger = signed_in(person(organisation("OTHER", "licensee")))
    assert "Nothing is to be reported" in text(stranger.get("/duties/"))
    assert stranger.get(f"/duties/licence/{parties.licence.pk}/").status_code == 404
    assert stranger.post(f"/duties/{duty(parties.licence).pk}/nil/", {"typed": "L-1"}).status_code == 404
    viewer = signed_in(person(parties.licensee, "viewer"))
    assert viewer.post(f"/duties/{duty(parties.licence).pk}/nil/", {"typed": "L-1"}).status_code == 403
    assert duty(parties.licence).status == "open"


def test_programs_list_their_own(parties: Firm) -> None:
    client = Client(headers={"Authorization": f"Bearer {token(parties.licensee, 'declarations.view')[1]}"})
    first, *_rest = json.loads(client.get("/api/v1/duties/?licence=L-1").content)["results"]
    assert first | {"duty": 0} == {
        "duty": 0, "licence": "L-1", "licensee": "DASAN-AI", "period_start": "2026-01-01", "period_end": "2026-04-01",
        "due_on": "2026-04-30", "status": "open", "overdue": True, "settled_at": None, "reason": "",
    }  # fmt: skip
    assert len(json.loads(client.get("/api/v1/duties/?status=overdue").content)["results"]) == 1
    other = Client(headers={"Authorization": f"Bearer {token(organisation('X'), 'declarations.view')[1]}"})
    assert json.loads(other.get("/api/v1/duties/").content)["results"] == []


def test_lists_ask_few_questions(
    parties: Firm, reviewer: Client, declarant: Client, django_assert_max_num_queries: Any
) -> None:
    version = parties.licence.tariff.versions.get()
    for n in range(2, 12):
        with_duties(licence(parties.society, parties.licensee, version, ref=f"L-{n}"), reporting_months=1)
    services.make_due(D(2026, 7, 10))
    for client in (reviewer, declarant):
        with django_assert_max_num_queries(14):
            client.get("/duties/?status=all")
        with django_assert_max_num_queries(14):
            client.get(f"/duties/licence/{parties.licence.pk}/")
