"""Pages of licences: what each party sees and may do."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest

from accounts.organisations.models import Organisation
from licensing.licences.models import Licence
from licensing.tariffs.models import TariffVersion
from tests.accounts.people import organisation, person
from tests.licensing.parties import determined, licence
from tests.licensing.test_tariff_pages import signed_in, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def society() -> Organisation:
    return organisation("WEB-SOCIETY", "society")


@pytest.fixture
def firm() -> Organisation:
    return organisation("HANBIT", "licensee", name="Hanbit AI")


@pytest.fixture
def version(society: Organisation) -> TariffVersion:
    return determined(society)


def entered(firm: Organisation, version: TariffVersion, **change: Any) -> dict[str, Any]:
    return {
        "ref": "L-2026", "licensee": firm.pk, "tariff": version.tariff_id, "uses": ["train", "ground"],
        "territory": "KR, JP",
        "ai_models": "han-1\nhan-2\n", "datasets": "", "valid_from": "2026-01-01", "valid_to": "2027-01-01", "tier": "",
        "status": "active",
    } | change  # fmt: skip


def test_a_society_grants_a_licence(society: Organisation, firm: Organisation, version: TariffVersion) -> None:
    client = signed_in(person(society, "licensing"))
    assert "Hanbit AI" in text(client.get("/licences/new/"))
    answer = client.post("/licences/new/", entered(firm, version), follow=True)
    assert "is on record" in text(answer)
    made = Licence.objects.get()
    assert (made.uses, made.kinds, made.territory, made.ai_models) == (
        ["ground", "train"],
        ["*"],
        ["JP", "KR"],
        ["han-1", "han-2"],
    )


@pytest.mark.parametrize(
    "change",
    [{"uses": []}, {"ref": "a b"}, {"territory": "UK"}, {"valid_to": "2025-01-01"}, {"licensee": ""}, {"ref": "TAKEN"}],
)
def test_terms_that_cannot_be_are_said_at_their_field(
    society: Organisation, firm: Organisation, version: TariffVersion, change: dict[str, Any]
) -> None:
    licence(society, firm, version, ref="TAKEN")
    answer = signed_in(person(society, "licensing")).post("/licences/new/", entered(firm, version, **change))
    assert answer.status_code == 200
    assert "errorlist" in text(answer)
    assert Licence.objects.count() == 1


def test_a_society_without_a_determined_tariff_is_told_what_to_do(society: Organisation) -> None:
    assert "No tariff can price yet" in text(signed_in(person(society, "licensing")).get("/licences/new/"))


def test_a_licence_is_suspended_resumed_and_terminated(
    society: Organisation, firm: Organisation, version: TariffVersion
) -> None:
    made = licence(society, firm, version)
    client = signed_in(person(society, "licensing"))
    for act, sent, said in [
        ("suspend", {"reason": "No payment"}, "suspended"),
        ("resume", {}, "active again"),
        ("terminate", {"on": "2026-06-01", "reason": ""}, "terminated"),
    ]:
        assert said in text(client.post(f"/licences/{made.pk}/{act}/", sent, follow=True))
    shown = text(client.get(f"/licences/{made.pk}/"))
    assert "No payment" in shown
    made.refresh_from_db()
    assert (made.status, made.valid.upper) == ("terminated", datetime.date(2026, 6, 1))
    again = client.post(
        f"/licences/{made.pk}/terminate/",
        {"on": "soon"},
        headers={"Referer": f"http://testserver/licences/{made.pk}/"},
        follow=True,
    )
    assert "Write the first day" in text(again)


def test_a_draft_is_activated(society: Organisation, firm: Organisation, version: TariffVersion) -> None:
    made = licence(society, firm, version, status="draft")
    client = signed_in(person(society, "licensing"))
    assert "Nothing is licensed today" in text(client.get(f"/licences/{made.pk}/"))
    client.post(f"/licences/{made.pk}/activate/")
    made.refresh_from_db()
    assert made.status == "active"


def test_both_parties_read_and_strangers_find_nothing(
    society: Organisation, firm: Organisation, version: TariffVersion
) -> None:
    made = licence(society, firm, version)
    others = [person(organisation("OTHER", "society"), "administrator"), person(organisation("RIVAL", "licensee"))]
    for user in (person(society, "auditor"), person(firm, "viewer")):
        client = signed_in(user)
        assert "L-1" in text(client.get("/licences/"))
        assert client.get(f"/licences/{made.pk}/").status_code == 200
        assert "Grant a licence" not in text(client.get("/licences/"))
        assert client.post(f"/licences/{made.pk}/suspend/").status_code == 403
        assert client.get("/licences/new/").status_code == 403
    for user in others:
        client = signed_in(user)
        assert "L-1" not in text(client.get("/licences/"))
        assert client.get(f"/licences/{made.pk}/").status_code == 404
    assert signed_in(others[0]).post(f"/licences/{made.pk}/suspend/").status_code == 404
    made.refresh_from_db()
    assert made.status == "active"


def test_the_list_is_filtered_and_sorted(society: Organisation, firm: Organisation, version: TariffVersion) -> None:
    licence(society, firm, version, ref="A-1"), licence(society, firm, version, ref="B-1", status="draft")
    client = signed_in(person(society, "licensing"))
    shown = text(client.get("/licences/", {"status": "draft"}))
    assert "B-1" in shown
    assert "A-1" not in shown
    assert "No licence fits" in text(client.get("/licences/", {"q": "nothing"}))
    ordered = text(client.get("/licences/", {"sort": "ref", "q": "hanbit"}))
    assert ordered.index("A-1") < ordered.index("B-1")


def test_a_licensee_without_a_licence_is_told_where_to_look(firm: Organisation) -> None:
    assert "See the published tariffs" in text(signed_in(person(firm, "viewer")).get("/licences/"))


def test_each_reason_has_a_label_of_its_own(society: Organisation, firm: Organisation, version: TariffVersion) -> None:
    """A licence can be suspended or terminated on one page: who hears the page is told which reason is which."""
    made = licence(society, firm, version)
    page = text(signed_in(person(society, "licensing")).get(f"/licences/{made.pk}/"))
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    assert 'for="suspend_reason"' in page and 'for="terminate_reason"' in page
