"""What licenses without the society's licence: the law (statutory schemes), and holders themselves (direct licences)."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Conflict, Forbidden, NotFound, Refusal
from licensing.permissions import services
from licensing.permissions.models import DirectLicence, StatutoryScheme
from licensing.permissions.services import direct, scheme_switching, schemes
from licensing.permissions.services.asking import Item
from licensing.repertoire.models import Holder
from tests.accounts.people import person
from tests.licensing.declaring import Firm, counts, declare, firm, lines
from tests.licensing.parties import organisation, staff
from tests.licensing.test_tariff_pages import signed_in, text

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 3, 31)
LAW: dict[str, Any] = {
    "scheme": "LAW-25", "name": "Copies for lessons", "name_ko": "수업 목적 보상금", "source": "Copyright Act, article 25",
    "uses": ["train"], "kinds": ["book"], "territory": ["KR"], "valid_from": "2026-03-01", "valid_to": None,
}  # fmt: skip


@pytest.fixture
def parties(db: Any) -> Firm:
    return firm()


def imported(of: Firm, **change: Any) -> StatutoryScheme:
    return schemes.import_scheme(actor=SYSTEM, society=of.society, document=LAW | change).scheme


def unmandated_book(of: Firm, **asked: Any) -> tuple[str, str]:
    question: dict[str, Any] = {"use": "train", "on": DAY} | asked
    [answer] = services.check(actor=of.declarant, items=[Item("proprietary", "U-1")], **question).answers
    return answer.verdict, answer.basis


def test_a_scheme_licenses_nothing_until_it_is_enabled_and_nothing_once_disabled(parties: Firm) -> None:
    scheme = imported(parties)
    assert unmandated_book(parties) == ("unmandated", "")
    scheme_switching.enable(actor=SYSTEM, scheme=scheme)
    assert unmandated_book(parties) == ("licensed", "statutory")
    scheme_switching.disable(actor=SYSTEM, scheme=scheme)
    assert unmandated_book(parties) == ("unmandated", "")
    verbs = Event.objects.filter(object_kind="statutory_scheme").order_by("id").values_list("verb", flat=True)
    assert list(verbs) == ["scheme.created", "scheme.enabled", "scheme.disabled"]


@pytest.mark.parametrize(
    "asked", [{"use": "ground"}, {"territory": "JP"}, {"on": dt.date(2026, 2, 28)}, {"on": dt.date(2027, 1, 1)}]
)
def test_it_holds_for_its_uses_territory_and_days(parties: Firm, asked: dict[str, Any]) -> None:
    scheme_switching.enable(actor=SYSTEM, scheme=imported(parties, valid_to="2027-01-01"))
    assert unmandated_book(parties) == ("licensed", "statutory")
    assert unmandated_book(parties, **asked) == ("unmandated", "")


def test_what_the_law_licenses_is_declared_without_a_price(parties: Firm) -> None:
    scheme_switching.enable(actor=SYSTEM, scheme=imported(parties, valid_to="2026-03-31"))
    late = lines(
        "proprietary,U-1,10,2026-03-30",
        "proprietary,U-1,10,2026-03-31",
        header="identifier_type,identifier,units,used_on",
    )
    declaration = declare(parties, late)
    assert counts(declaration) == {"licensed": 1, "unmandated": 1}
    assert declaration.fee is None or declaration.fee["amount"] == 0


def test_the_same_document_changes_nothing_and_an_enabled_scheme_stays_as_it_is(parties: Firm) -> None:
    scheme = imported(parties)
    again = schemes.import_scheme(actor=SYSTEM, society=parties.society, document=LAW)
    assert (again.scheme.pk, again.outcome) == (scheme.pk, "unchanged")
    changed = schemes.import_scheme(actor=SYSTEM, society=parties.society, document=LAW | {"uses": ["*"]})
    assert (changed.outcome, changed.scheme.uses) == ("updated", ["*"])
    scheme_switching.enable(actor=SYSTEM, scheme=scheme)
    with pytest.raises(Conflict):
        schemes.import_scheme(actor=SYSTEM, society=parties.society, document=LAW)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"uses": ["steal"]}, "/uses"),
        ({"uses": []}, "/uses"),
        ({"kinds": "book"}, "/kinds"),
        ({"territory": ["Korea"]}, "/territory"),
        ({"valid_from": "March"}, "/valid_from"),
        ({"valid_to": "2026-03-01"}, "/valid_to"),
        ({"name": "a\nb"}, "/name"),
        ({"scheme": ""}, "/scheme"),
        ({"rate": "5"}, "/rate"),
    ],
)
def test_a_bad_document_is_refused_with_its_place(parties: Firm, change: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Refusal) as refused:
        imported(parties, **change)
    assert refused.value.pointer == pointer
    assert not StatutoryScheme.objects.exists()


def test_nobody_switches_alone(parties: Firm) -> None:
    scheme = imported(parties)
    with pytest.raises(Forbidden, match="second person"):
        scheme_switching.enable(actor=staff(parties.society, "organisation.manage"), scheme=scheme)
    with pytest.raises(Forbidden):
        scheme_switching.disable(actor=staff(parties.society, "mandates.manage"), scheme=scheme)
    with pytest.raises(NotFound):
        scheme_switching.disable(actor=staff(organisation("PEN", "society"), "organisation.manage"), scheme=scheme)


def test_the_command_imports_and_switches_and_staff_see_it(
    parties: Firm, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "law.json"
    file.write_text(json.dumps(LAW), encoding="utf-8")
    call_command("import_scheme", file, "--society", "PRESS", "--json")
    assert json.loads(capsys.readouterr().out) | {"rejects": 0} == {
        "scheme": "LAW-25", "enabled": False, "read": 1, "created": 1, "updated": 0, "unchanged": 0, "rejected": 0, "rejects": 0,
    }  # fmt: skip
    call_command("import_scheme", file, "--society", "PRESS", "--enable", "--json")
    assert json.loads(capsys.readouterr().out)["enabled"] is True
    reader = signed_in(person(parties.society, "repertoire"))
    shown = text(reader.get("/permissions/schemes/"))
    assert "Copies for lessons" in shown and "Copyright Act, article 25" in shown
    assert "No statutory scheme" in text(
        signed_in(person(organisation("PEN", "society"), "repertoire")).get("/permissions/schemes/")
    )
    assert signed_in(person(parties.licensee, "declarant")).get("/permissions/schemes/").status_code == 403


def granted(of: Firm, holder: str, **change: Any) -> DirectLicence:
    wanted = {"uses": ["train"], "valid_from": dt.date(2026, 1, 1)} | change
    member = Holder.objects.get(ref=holder)
    return direct.grant_direct_licence(actor=of.reviewer, holder=member, licensee=of.licensee, **wanted)


def test_where_all_holders_licensed_directly_the_use_is_licensed(parties: Firm) -> None:
    granted(parties, "H1")
    assert unmandated_book(parties) == ("unmandated", "")
    second = granted(parties, "H3")
    assert unmandated_book(parties) == ("licensed", "individual")
    direct.end_direct_licence(actor=parties.reviewer, licence=second, on=DAY)
    assert unmandated_book(parties) == ("unmandated", "")
    assert unmandated_book(parties, on=DAY - dt.timedelta(1)) == ("licensed", "individual")


def test_it_is_recorded_once_with_evidence_by_the_holders_own_society(parties: Firm) -> None:
    made = granted(parties, "H1")
    assert granted(parties, "H1").pk == made.pk
    assert Event.objects.filter(verb="direct_licence.granted").count() == 1
    with pytest.raises(Refusal):
        direct.end_direct_licence(actor=parties.reviewer, licence=made, on=dt.date(2026, 1, 1))
    with pytest.raises(NotFound):
        direct.end_direct_licence(actor=staff(organisation("PEN", "society"), "mandates.manage"), licence=made, on=DAY)
    with pytest.raises(Forbidden):
        direct.end_direct_licence(actor=staff(parties.society), licence=made, on=DAY)
    holder, society = Holder.objects.get(ref="H1"), parties.society
    with pytest.raises(Refusal, match="no licensee"):
        direct.grant_direct_licence(actor=SYSTEM, holder=holder, licensee=society, uses=["train"], valid_from=DAY)


def test_a_society_records_and_ends_it_by_hand_and_by_command(
    parties: Firm, capsys: pytest.CaptureFixture[str]
) -> None:
    client = signed_in(person(parties.society, "repertoire"))
    assert "No direct licences yet" in text(client.get("/permissions/direct/"))
    form = {"holder": "H3", "licensee": "DASAN-AI", "uses": ["train"], "territory": "*", "valid_from": "2026-01-01"}
    assert "is on record" in text(client.post("/permissions/direct/new/", form, follow=True))
    assert "no licensee with this reference" in text(client.post("/permissions/direct/new/", form | {"licensee": "X"}))
    made = DirectLicence.objects.get()
    end = f"/permissions/direct/{made.pk}/end/"
    assert "within its term" in text(client.post(end, {"on": "2025-01-01"}))
    client.post(end, {"on": "2026-05-01"})
    assert DirectLicence.objects.get().valid.upper == dt.date(2026, 5, 1)
    stranger = signed_in(person(organisation("PEN", "society"), "repertoire"))
    assert stranger.get(end).status_code == 404
    call_command(
        "grant_direct_licence", "--society", "PRESS", "--holder", "H1", "--licensee", "DASAN-AI", "--uses", "train;ground",
        "--from", "2026-01-01", "--json",
    )  # fmt: skip
    assert json.loads(capsys.readouterr().out)["uses"] == ["ground", "train"]
