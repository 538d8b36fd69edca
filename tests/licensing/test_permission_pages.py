"""Pages of mandates, and the check of single works."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Conflict, Forbidden, NotFound, Refusal
from licensing.permissions import services
from licensing.permissions.models import Mandate
from licensing.repertoire.models import Holder, RepertoireRevision
from tests.accounts.people import person
from tests.licensing.declaring import ISBN, Firm, firm
from tests.licensing.parties import organisation, staff
from tests.licensing.test_tariff_pages import signed_in, text

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 1, 1)


@pytest.fixture
def parties(db: Any) -> Firm:
    return firm()


@pytest.fixture
def keeper(parties: Firm) -> Client:
    return signed_in(person(parties.society, "repertoire"))


def unsigned() -> Holder:
    return Holder.objects.get(ref="H3")


def grant(of: Firm, **change: Any) -> Mandate:
    wanted = {"holder": unsigned(), "uses": ["train"], "valid_from": DAY} | change
    return services.grant_mandate(actor=of.reviewer, **wanted)


def test_a_mandate_is_recorded_once_with_evidence_and_moves_the_revision(parties: Firm) -> None:
    state = RepertoireRevision.objects.state(parties.society.pk)
    made = grant(parties, uses=["train", "ground"], kinds=["web"], territory=["kr"])
    assert (made.uses, made.kinds, made.territory) == (["ground", "train"], ["web"], ["KR"])
    assert grant(parties, uses=["ground", "train"], kinds=["web"], territory=["KR"]).pk == made.pk
    assert Event.objects.filter(verb="mandate.granted", object_id=str(made.pk)).count() == 1
    assert RepertoireRevision.objects.state(parties.society.pk) != state


@pytest.mark.parametrize(
    ("second", "refused"),
    [
        ({}, False),  # the same one again
        ({"uses": ["train", "ground"]}, True),
        ({"uses": ["*"]}, True),
        ({"uses": ["ground"]}, False),
        ({"kinds": ["book"]}, True),
        ({"valid_from": dt.date(2027, 1, 1)}, True),
    ],
)
def test_two_mandates_never_cover_the_same_thing(parties: Firm, second: dict[str, Any], refused: bool) -> None:
    grant(parties)
    if refused:
        with pytest.raises(Conflict, match="End that one first"):
            grant(parties, **second)
        assert Mandate.objects.filter(holder=unsigned()).count() == 1
    else:
        grant(parties, **second)


def test_an_ended_mandate_keeps_what_was_used_before(parties: Firm) -> None:
    made = grant(parties)
    ended = services.end_mandate(actor=parties.reviewer, mandate=made, on=dt.date(2026, 7, 1))
    assert (ended.valid.lower, ended.valid.upper) == (DAY, dt.date(2026, 7, 1))
    assert services.end_mandate(actor=parties.reviewer, mandate=made, on=dt.date(2026, 7, 1)).pk == made.pk
    grant(parties, valid_from=dt.date(2026, 7, 1))
    for on in (DAY, dt.date(2026, 8, 1)):
        with pytest.raises(Refusal, match="within the mandate"):
            services.end_mandate(actor=parties.reviewer, mandate=made, on=on)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"uses": []}, "/uses"),
        ({"uses": ["steal"]}, "/uses"),
        ({"kinds": ["sculpture"]}, "/kinds"),
        ({"territory": ["Korea"]}, "/territory"),
        ({"valid_to": DAY}, "/valid_to"),
    ],
)
def test_a_bad_mandate_is_refused_with_its_place(parties: Firm, change: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Refusal) as refused:
        grant(parties, **change)
    assert refused.value.pointer == pointer


def test_only_the_holders_own_society_records_mandates(parties: Firm) -> None:
    with pytest.raises(NotFound):
        services.grant_mandate(
            actor=staff(organisation("PEN", "society"), "mandates.manage"),
            holder=unsigned(),
            uses=["train"],
            valid_from=DAY,
        )
    with pytest.raises(Forbidden):
        services.grant_mandate(actor=staff(parties.society), holder=unsigned(), uses=["train"], valid_from=DAY)
    services.grant_mandate(actor=SYSTEM, holder=unsigned(), uses=["train"], valid_from=DAY)


def test_a_society_lists_adds_and_ends_mandates_by_hand(parties: Firm, keeper: Client) -> None:
    assert "Han" in text(keeper.get("/mandates/?q=H1&use=ground&when=now"))
    assert "No mandate fits" in text(keeper.get("/mandates/?q=H3"))
    form = {"holder": "H3", "uses": ["train"], "territory": "KR JP", "valid_from": "2026-01-01", "valid_to": ""}
    assert "is on record" in text(keeper.post("/mandates/new/", form, follow=True))
    made = Mandate.objects.get(holder__ref="H3")
    assert made.territory == ["JP", "KR"]
    assert "no member with this reference" in text(keeper.post("/mandates/new/", form | {"holder": "H9"}))
    assert "End that one first" in text(keeper.post("/mandates/new/", form | {"valid_from": "2026-02-01"}))
    assert "within the mandate" in text(keeper.post(f"/mandates/{made.pk}/end/", {"on": "2026-01-01"}))
    keeper.post(f"/mandates/{made.pk}/end/", {"on": "2026-05-01"})
    assert Mandate.objects.get(pk=made.pk).valid.upper == dt.date(2026, 5, 1)


def test_strangers_and_small_roles_change_no_mandate(parties: Firm) -> None:
    made = grant(parties)
    stranger = signed_in(person(organisation("PEN", "society"), "repertoire"))
    finance = signed_in(person(parties.society, "finance"))
    assert stranger.get(f"/mandates/{made.pk}/end/").status_code == 404
    assert "No mandates yet" in text(stranger.get("/mandates/"))
    assert finance.get("/mandates/").status_code == 200
    assert finance.get("/mandates/new/").status_code == 403


def test_a_firm_checks_a_few_works_by_hand(parties: Firm) -> None:
    client = signed_in(person(parties.licensee, "declarant"))
    assert client.get("/permissions/check/").status_code == 200
    items = f"isbn:{ISBN}\nproprietary:U-1\ndomain:co.kr\nSome title"
    shown = text(
        client.post("/permissions/check/", {"use": "train", "on": "2026-03-31", "territory": "KR", "items": items})
    )
    for expected in ("Licence L-1 covers it.", "Holders of 400000 ppm", "a public suffix", "No work is registered"):
        assert expected in shown, expected
    assert "two-letter" in text(client.post("/permissions/check/", {"use": "train", "territory": "1", "items": "x"}))
