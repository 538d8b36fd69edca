"""Licences: granting them, their states, and what they cover."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from hypothesis import given
from hypothesis import strategies as st

from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Conflict, Forbidden, Refusal
from accounts.organisations.models import Organisation
from licensing.licences import services
from licensing.licences.conditions import Conditions
from licensing.licences.core import LICENSING, TRANSITIONS, Terms, covers
from licensing.licences.models import Licence
from licensing.licences.tasks import expire
from licensing.tariffs.models import TariffVersion
from licensing.tariffs.services import propose
from tests.licensing.parties import determined, licence, organisation, staff
from tests.licensing.tariff_documents import tariff

NEW_YEAR = datetime.date(2026, 1, 1)


@pytest.fixture
def society(db: None) -> Organisation:
    return organisation("WEB-SOCIETY", "society")


@pytest.fixture
def firm(db: None) -> Organisation:
    return organisation("HANBIT-AI", "licensee")


@pytest.fixture
def version(society: Organisation) -> TariffVersion:
    return determined(society)


@pytest.fixture
def grant(society: Organisation, firm: Organisation, version: TariffVersion) -> Callable[..., Licence]:
    return lambda **terms: licence(society, firm, version, **terms)


def verbs(of: Licence) -> list[str]:
    return list(Event.objects.about("licence", of.pk).order_by("id").values_list("verb", flat=True))


def test_a_licence_is_active_for_anything_that_it_does_not_narrow(grant: Callable[..., Licence]) -> None:
    made = grant(uses=["train", "ground", "train"], territory=["kr"])
    made.refresh_from_db()
    assert (made.status, made.uses, made.kinds, made.territory) == ("active", ["ground", "train"], ["*"], ["KR"])
    assert (made.ai_models, made.datasets, made.tier) == ([], [], "")
    assert verbs(made) == ["licence.created"]


def test_the_same_licence_again_is_the_one_that_exists(grant: Callable[..., Licence]) -> None:
    assert grant() == grant()
    assert Licence.objects.count() == 1
    with pytest.raises(Conflict) as caught:
        grant(tier="large")
    assert caught.value.code == "licence_exists"


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"uses": ["read"]}, "unknown_term"),
        ({"uses": []}, "unknown_term"),
        ({"kinds": ["painting"]}, "unknown_term"),
        ({"territory": ["UK"]}, "unknown_territory"),
        ({"valid_to": NEW_YEAR}, "empty_term"),
        ({"valid_from": datetime.date(2025, 1, 1), "valid_to": NEW_YEAR}, "tariff_not_in_force"),
        ({"ref": "two words"}, "bad_ref"),
        ({"tier": "x" * 41}, "bad_tier"),
        ({"ai_models": ["a\x00b"]}, "bad_name"),
        ({"status": "suspended"}, "bad_status"),
    ],
)
def test_terms_that_make_no_licence(grant: Callable[..., Licence], terms: dict[str, Any], code: str) -> None:
    with pytest.raises(Refusal) as caught:
        grant(**terms)
    assert caught.value.code == code
    assert not Licence.objects.exists()


def test_a_licence_granted_directly_has_the_conditions_it_was_given_or_none(grant: Callable[..., Licence]) -> None:
    assert grant().conditions == {}
    made = grant(ref="L-2", conditions={"reporting_months": 6, "audit_notice_days": None})
    assert made.conditions == Conditions(reporting_months=6, audit_notice_days=None).as_data()
    assert grant(ref="L-2", conditions={"reporting_months": 6, "audit_notice_days": None}) == made
    with pytest.raises(Conflict):
        grant(ref="L-2")
    with pytest.raises(Refusal) as caught:
        grant(ref="L-3", conditions={"reporting_months": 5})
    assert caught.value.code == "invalid_conditions"


def test_conditions_are_read_from_a_file_by_command(
    grant: Callable[..., Licence], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grant()
    file = tmp_path / "conditions.json"
    parties = ["--licensee", "HANBIT-AI", "--society", "WEB-SOCIETY", "--tariff", "WEB"]
    asked = [
        "create_licence",
        "L-2",
        *parties,
        "--uses",
        "train",
        "--from",
        "2026-01-01",
        "--conditions",
        str(file),
        "--json",
    ]
    for content, code in (
        ("{", "invalid_conditions"),
        ('{"audit": 1}', "invalid_conditions"),
        (None, "file_unreadable"),
    ):
        if content is None:
            file.unlink()
        else:
            file.write_text(content)
        with pytest.raises(SystemExit) as ended:
            call_command(*asked)
        assert (ended.value.code, json.loads(capsys.readouterr().out)["error"]["code"]) == (1, code)
    file.write_text('{"reporting_months": null}')
    call_command(*asked)
    assert Licence.objects.get(ref="L-2").conditions == Conditions(reporting_months=None).as_data()


def test_the_parties_and_the_tariff_must_fit(society: Organisation, firm: Organisation, version: TariffVersion) -> None:
    other = organisation("OTHER", "society")
    for ours, theirs, code in [
        (firm, firm, "not_a_society"),
        (society, other, "not_a_licensee"),
        (other, firm, "tariff_of_another_society"),
    ]:
        with pytest.raises(Refusal) as caught:
            licence(ours, theirs, version)
        assert caught.value.code == code
    proposed = propose(actor=SYSTEM, society=society, document=tariff(tariff="NEW"))
    with pytest.raises(Refusal) as caught:
        licence(society, firm, proposed)
    assert caught.value.code == "tariff_not_in_force"


def test_only_the_society_manages_its_licences(grant: Callable[..., Licence], society: Organisation) -> None:
    made = grant()
    for actor in (staff(society), staff(organisation("OTHER", "society"), "licences.manage")):
        with pytest.raises(Forbidden):
            services.suspend(actor=actor, licence=made)
    made.refresh_from_db()
    assert made.status == "active"


def test_the_two_parties_see_it_and_nobody_else(
    grant: Callable[..., Licence], society: Organisation, firm: Organisation
) -> None:
    grant()
    seen = {
        who.ref: Licence.objects.visible_to(staff(who)).count()
        for who in (society, firm, organisation("X", "licensee"))
    }
    assert seen == {"WEB-SOCIETY": 1, "HANBIT-AI": 1, "X": 0}


def test_a_licence_through_its_states(grant: Callable[..., Licence]) -> None:
    made = grant(status="draft")
    made = services.activate(actor=SYSTEM, licence=made)
    made = services.suspend(actor=SYSTEM, licence=made, reason="no declaration since March")
    made = services.resume(actor=SYSTEM, licence=made)
    made = services.terminate(actor=SYSTEM, licence=made, on=datetime.date(2026, 5, 1))
    assert (made.status, made.valid.upper) == ("terminated", datetime.date(2026, 5, 1))
    assert verbs(made) == [f"licence.{v}" for v in ("created", "activated", "suspended", "resumed", "terminated")]


@pytest.mark.parametrize("state", Licence.Status.values)
@pytest.mark.parametrize("verb", ["activate", "suspend", "resume", "terminate"])
def test_other_transitions_are_refused(grant: Callable[..., Licence], state: str, verb: str) -> None:
    made = grant()
    Licence.objects.filter(pk=made.pk).update(status=state)
    made.refresh_from_db()
    act = getattr(services, verb)
    keys = {"on": datetime.date(2026, 1, 2)} if verb == "terminate" else {}
    before, after = TRANSITIONS[verb]
    if state in before and (state, verb) != ("suspended", "terminate"):
        assert act(actor=SYSTEM, licence=made, **keys).status == after
    elif state not in before:
        with pytest.raises(Conflict):
            act(actor=SYSTEM, licence=made, **keys)
        made.refresh_from_db()
        assert made.status == state


def test_a_stale_reader_moves_nothing(grant: Callable[..., Licence]) -> None:
    made = grant()
    stale = Licence.objects.get(pk=made.pk)
    services.terminate(actor=SYSTEM, licence=made, on=datetime.date(2026, 5, 1))
    with pytest.raises(Conflict):
        services.terminate(actor=SYSTEM, licence=stale, on=datetime.date(2026, 8, 1))
    assert Licence.objects.get().valid.upper == datetime.date(2026, 5, 1)


def test_a_licence_ends_within_its_term(grant: Callable[..., Licence]) -> None:
    made = grant(valid_to=datetime.date(2027, 1, 1))
    for on in (NEW_YEAR, datetime.date(2027, 1, 2)):
        with pytest.raises(Refusal) as caught:
            services.terminate(actor=SYSTEM, licence=made, on=on)
        assert caught.value.code == "outside_term"


def test_a_suspended_licence_ends_when_it_was_suspended(grant: Callable[..., Licence]) -> None:
    made = services.suspend(actor=SYSTEM, licence=grant(valid_from=datetime.date(2026, 1, 1)))
    with pytest.raises(Refusal) as caught:
        services.terminate(actor=SYSTEM, licence=made, on=datetime.date(2099, 1, 1))
    assert caught.value.code == "after_suspension"
    assert services.terminate(actor=SYSTEM, licence=made, on=datetime.date(2026, 1, 2)).status == "terminated"


def test_licences_expire_when_their_term_is_over(grant: Callable[..., Licence]) -> None:
    grant(ref="OPEN")
    ended = grant(ref="ENDED", valid_to=datetime.date(2026, 3, 1))
    stopped = services.suspend(actor=SYSTEM, licence=grant(ref="STOPPED", valid_to=datetime.date(2026, 3, 1)))
    assert services.expire_due(actor=SYSTEM, today=datetime.date(2026, 2, 28)) == 0
    assert services.expire_due(actor=SYSTEM, today=datetime.date(2026, 3, 1)) == 1
    assert expire() == 0
    ended.refresh_from_db(), stopped.refresh_from_db()
    assert (ended.status, stopped.status) == ("expired", "suspended")
    assert verbs(ended)[-1] == "licence.expired"
    assert set(Licence.objects.licensing().values_list("ref", flat=True)) == {"OPEN", "ENDED"}


WIDE = Terms(uses=("*",), kinds=("*",), territory=("*",), since=NEW_YEAR, until=datetime.date(2027, 1, 1))
ASKED = {"use": "train", "kind": "web", "territory": "KR", "day": NEW_YEAR, "model": "han-1", "dataset": "c4"}


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({}, True),
        ({"uses": ("ground", "train")}, True),
        ({"uses": ("ground",)}, False),
        ({"kinds": ("book",)}, False),
        ({"territory": ("JP",)}, False),
        ({"models": ("han-1", "han-2")}, True),
        ({"models": ("han-2",)}, False),
        ({"datasets": ("c4",)}, True),
        ({"datasets": ("pile",)}, False),
        ({"since": datetime.date(2026, 1, 2)}, False),
        ({"until": datetime.date(2026, 1, 2)}, True),
        ({"until": NEW_YEAR, "since": datetime.date(2025, 1, 1)}, False),
        ({"until": None}, True),
        ({"status": "draft"}, False),
        ({"status": "suspended"}, False),
        ({"status": "expired"}, True),
        ({"status": "terminated"}, True),
    ],
)
def test_what_a_licence_covers(change: dict[str, Any], answer: bool) -> None:
    assert covers(Terms(**{**{k: getattr(WIDE, k) for k in Terms.__dataclass_fields__}, **change}), **ASKED) is answer


@given(st.dates(), st.sampled_from(Licence.Status.values))
def test_nothing_is_covered_outside_the_term(day: datetime.date, status: str) -> None:
    terms = Terms(uses=("*",), kinds=("*",), territory=("*",), since=WIDE.since, until=WIDE.until, status=status)
    inside = datetime.date(2026, 1, 1) <= day <= datetime.date(2026, 12, 31)
    assert covers(terms, **ASKED | {"day": day}) == (inside and status in LICENSING)
