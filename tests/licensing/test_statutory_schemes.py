"""A statutory scheme as a legal basis: off by default, switched by two, paid by a determined tariff, open to everyone."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.approvals.models import Approval
from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Conflict, Forbidden, NotFound, Refusal
from accounts.organisations.models import Organisation
from licensing.declarations.remuneration import remunerations
from licensing.permissions import services
from licensing.permissions.models import Reservation, StatutoryScheme
from licensing.permissions.services import scheme_switching as switching
from licensing.permissions.services import schemes
from licensing.permissions.services.asking import Item
from licensing.repertoire.models import Work
from licensing.tariffs import services as tariffs
from tests.accounts.people import actor, organisation, person
from tests.licensing.declaring import Firm, counts, declare, firm, lines
from tests.licensing.parties import staff
from tests.licensing.tariff_documents import charge, tariff
from tests.licensing.test_tariff_pages import signed_in, text

pytestmark = pytest.mark.django_db
DAY = dt.date(2026, 3, 31)
LAW: dict[str, Any] = {
    "scheme": "LAW-25", "name": "Copies for lessons", "name_ko": "수업 목적 보상금", "source": "Copyright Act, article 25",
    "uses": ["train"], "kinds": ["book"], "territory": ["KR"], "valid_from": "2026-03-01", "valid_to": "2027-03-01",
    "body": "COPYRIGHT-COMMISSION", "tariff": "LESSONS",
}  # fmt: skip


@pytest.fixture
def parties(db: Any) -> Firm:
    """With a tariff LESSONS for training on books, determined by the commission."""
    made = firm()
    body = Organisation.objects.get(ref="COPYRIGHT-COMMISSION")
    lessons = tariff(
        charge("per_unit", "books", per=1000, price="1", uses=["train"], kinds=["book"]),
        tariff="LESSONS",
        name="Lessons",
    )
    tariffs.import_tariff(actor=SYSTEM, society=made.society, document=lessons, determined_by=body)
    return made


def imported(of: Firm, **change: Any) -> StatutoryScheme:
    return schemes.import_scheme(actor=SYSTEM, society=of.society, document=LAW | change).scheme


def answer(of: Firm, **asked: Any) -> tuple[str, str, dict[str, str]]:
    """Verdict, basis, and what each reason is about, for the book without mandate."""
    question: dict[str, Any] = {"use": "train", "on": DAY} | asked
    [found] = services.check(actor=of.declarant, items=[Item("proprietary", "U-1")], **question).answers
    return found.verdict, found.basis, {reason.code: reason.about for reason in found.reasons}


# What it allows -------------------------------------------------------------------------------------------------------


def test_off_it_allows_nothing_on_the_answer_names_the_scheme_and_its_tariff(parties: Firm) -> None:
    scheme = imported(parties)
    assert not scheme.enabled and answer(parties)[0] == "unmandated"
    switching.enable(actor=SYSTEM, scheme=scheme)
    assert answer(parties) == (
        "licensed", "statutory", {"statutory_scheme": "LAW-25", "statutory_tariff": "LESSONS"},
    )  # fmt: skip
    switching.disable(actor=SYSTEM, scheme=scheme)
    assert answer(parties)[0] == "unmandated"


@pytest.mark.parametrize("on", [dt.date(2026, 2, 28), dt.date(2027, 3, 1)])
def test_outside_its_days_it_allows_nothing(parties: Firm, on: dt.date) -> None:
    switching.enable(actor=SYSTEM, scheme=imported(parties))
    assert answer(parties, on=on)[0] == "unmandated"
    assert answer(parties, on=dt.date(2027, 2, 28))[1] == "statutory"


def test_a_reservation_goes_before_it_in_questions_and_in_declarations(parties: Firm) -> None:
    switching.enable(actor=SYSTEM, scheme=imported(parties))
    since = dt.datetime(2026, 3, 10, tzinfo=dt.UTC)
    Reservation.objects.create(
        ref="R-1", society=parties.society, target="work", work=Work.objects.get(ref="U"), uses=["train"],
        territory=["*"], status="effective", source="staff", received_at=since, effective_from=since,
    )  # fmt: skip
    assert answer(parties)[0] == "reserved"
    assert answer(parties, on=dt.date(2026, 3, 5))[1] == "statutory", "it does not undo past use"
    assert counts(declare(parties, lines("proprietary,U-1,10"))) == {"reserved": 1}


def test_what_it_allows_is_declared_apart_from_the_licence_and_not_priced_under_it(parties: Firm) -> None:
    """The licence's own rates are for what the licence allows: the remuneration by law is not invoiced with it."""
    switching.enable(actor=SYSTEM, scheme=imported(parties))
    made = declare(parties, lines("proprietary,U-1,2000", "proprietary,B-1,1000"))
    assert counts(made) == {"licensed": 2}
    assert made.fee is not None and made.fee["amount"] == 0
    assert "nothing_to_price" not in [question["code"] for question in made.questions]


def shown(of: Firm, declaration: Any) -> str:
    return text(signed_in(person(of.licensee, "declarant")).get(f"/declarations/{declaration.pk}/"))


def test_what_is_owed_by_law_is_worked_out_apart_by_the_schemes_own_tariff(parties: Firm) -> None:
    """2,000 tokens of a book at ₩1 per 1,000: ₩2, beside a fee of ₩10 for 1,000 tokens under the licence at ₩10."""
    switching.enable(actor=SYSTEM, scheme=imported(parties))
    made = declare(parties, lines("proprietary,U-1,2000", "domain,news.example.co.kr,1000"))
    [owed] = remunerations(made)
    assert (owed.scheme.ref, owed.lines, owed.units) == ("LAW-25", 1, 2000)
    assert owed.rating is not None and owed.rating.amount == 2
    assert made.fee is not None and made.fee["amount"] == 10
    page = shown(parties, made)
    assert "Owed by law: Copies for lessons" in page and "not by the licence" in page and "₩2" in page


def test_use_that_two_schemes_allow_is_owed_once(parties: Firm) -> None:
    switching.enable(actor=SYSTEM, scheme=imported(parties))
    switching.enable(actor=SYSTEM, scheme=imported(parties, scheme="LAW-26"))
    made = declare(parties, lines("proprietary,U-1,2000"))
    assert [(owed.scheme.ref, owed.units) for owed in remunerations(made)] == [("LAW-25", 2000)]


def test_without_a_tariff_the_page_says_that_nothing_is_priced(parties: Firm) -> None:
    switching.enable(actor=SYSTEM, scheme=imported(parties, body="", tariff=""))
    made = declare(parties, lines("proprietary,U-1,2000"))
    [owed] = remunerations(made)
    assert owed.rating is None
    assert "The scheme names no tariff yet." in shown(parties, made)
    assert not remunerations(declare(parties, lines("domain,news.example.co.kr,1000"), name="other.csv"))


# Its tariff -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"body": "NOBODY"}, "not_found", "/body"),
        ({"body": "PRESS"}, "not_found", "/body"),  # the society itself determines nothing
        ({"body": ""}, "required", "/body"),
        ({"tariff": ""}, "required", "/tariff"),
        ({"tariff": "NONE"}, "not_found", "/tariff"),
        ({"uses": ["train", "index"]}, "tariff_does_not_cover", "/tariff"),
        ({"kinds": ["*"]}, "tariff_does_not_cover", "/tariff"),
        ({"valid_from": "2019-01-01", "valid_to": "2020-01-01"}, "tariff_not_determined", "/tariff"),
    ],
)
def test_its_tariff_is_determined_by_its_body_and_prices_all_that_it_allows(
    parties: Firm, change: dict[str, Any], code: str, pointer: str
) -> None:
    with pytest.raises(Refusal) as refused:
        imported(parties, **change)
    assert (refused.value.code, refused.value.pointer) == (code, pointer)
    assert not StatutoryScheme.objects.exists()


def test_a_tariff_that_another_body_determined_does_not_do(parties: Firm) -> None:
    organisation("OTHER-COMMISSION", "rate_body")
    with pytest.raises(Refusal, match="determined no version"):
        imported(parties, body="OTHER-COMMISSION")


# Switching ------------------------------------------------------------------------------------------------------------


def test_one_person_asks_another_switches(parties: Firm) -> None:
    scheme = imported(parties)
    asker, second = actor(parties.society), actor(parties.society, "licensing")
    switching.ask_to_switch(actor=asker, scheme=scheme, reason="The decree is in force.")
    assert not StatutoryScheme.objects.get().enabled
    with pytest.raises(Forbidden):
        switching.decide_switch(actor=asker, scheme=scheme, approve=True)
    assert switching.decide_switch(actor=second, scheme=scheme, approve=True).enabled
    verbs = list(Event.objects.filter(object_kind="statutory_scheme").order_by("id").values_list("verb", flat=True))
    assert verbs == [
        "scheme.created", "approval.requested", "scheme.switch_asked", "approval.approved", "scheme.enabled",
    ]  # fmt: skip
    switching.ask_to_switch(actor=second_administrator(parties), scheme=scheme, reason="Repealed.")
    assert not switching.decide_switch(actor=asker, scheme=scheme, approve=True).enabled


def second_administrator(of: Firm) -> Any:
    return actor(of.society, email="second@press.example")


def test_a_refusal_changes_nothing(parties: Firm) -> None:
    scheme = imported(parties)
    switching.ask_to_switch(actor=actor(parties.society), scheme=scheme, reason="Try")
    switching.decide_switch(actor=actor(parties.society, "licensing"), scheme=scheme, approve=False, reason="Not yet")
    assert not StatutoryScheme.objects.get().enabled
    assert Approval.objects.get().status == "refused"
    assert switching.waiting_switch(scheme) is None


def test_what_changed_since_it_was_asked_for_is_not_switched(parties: Firm) -> None:
    scheme = imported(parties)
    switching.ask_to_switch(actor=actor(parties.society), scheme=scheme, reason="Now")
    imported(parties, valid_to="2030-01-01")
    second = actor(parties.society, "licensing")
    with pytest.raises(Conflict) as refused:
        switching.decide_switch(actor=second, scheme=scheme, approve=True)
    assert refused.value.code == "approval_is_stale"
    assert not StatutoryScheme.objects.get().enabled


def test_without_a_tariff_nobody_is_asked_and_others_ask_nothing(parties: Firm) -> None:
    bare = imported(parties, body="", tariff="")
    with pytest.raises(Refusal) as refused:
        switching.ask_to_switch(actor=actor(parties.society), scheme=bare, reason="Now")
    assert refused.value.code == "no_tariff"
    with pytest.raises(Forbidden):
        switching.ask_to_switch(actor=staff(parties.society, "licences.manage"), scheme=bare, reason="Now")
    with pytest.raises(NotFound):
        switching.ask_to_switch(actor=actor(organisation("PEN", "society")), scheme=bare, reason="Now")
    with pytest.raises(Conflict):
        switching.decide_switch(actor=actor(parties.society, "licensing"), scheme=bare, approve=True)
    assert not Approval.objects.exists()


def test_the_command_switches_by_two_people_too(
    parties: Firm, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "law.json"
    file.write_text(json.dumps(LAW), encoding="utf-8")
    one, two = person(parties.society), person(parties.society, "administrator", "two@press.example")
    how = ("import_scheme", file, "--society", "PRESS", "--enable", "--json", "--as", one.email)
    call_command(*how)
    assert json.loads(capsys.readouterr().out)["enabled"] is False, "asked for, not decided"
    with pytest.raises(SystemExit):
        call_command(*how, "--approve-as", one.email)
    capsys.readouterr()
    call_command(*how, "--approve-as", two.email)
    assert json.loads(capsys.readouterr().out)["enabled"] is True


# Pages ----------------------------------------------------------------------------------------------------------------


def test_two_people_switch_it_on_its_page(parties: Firm) -> None:
    scheme = imported(parties)
    page = f"/permissions/schemes/{scheme.pk}/"
    asker = signed_in(person(parties.society))
    second = signed_in(person(parties.society, "licensing"))
    assert page in text(asker.get("/permissions/schemes/"))
    assert "Ask a second person" in text(asker.get(page)) and "Ask a second person" not in text(second.get(page))
    asker.post(f"{page}ask/", {"reason": ""})
    assert not Approval.objects.exists()
    assert "can decide on it now" in text(asker.post(f"{page}ask/", {"reason": "The decree"}, follow=True))
    assert "A second person has to decide" in text(asker.get(page))
    shown = text(second.get(page))
    assert "The decree" in shown and 'value="approve"' in shown
    assert "Switch of a statutory scheme" in text(second.get("/approvals/"))
    assert asker.post(f"{page}decide/", {"decision": "approve"}).status_code == 403
    assert "The scheme is on." in text(second.post(f"{page}decide/", {"decision": "approve"}, follow=True))
    assert StatutoryScheme.objects.get().enabled
    assert second.post(f"{page}decide/", {"decision": "approve"}).status_code == 409


def test_everyone_sees_that_it_is_off_and_since_when_it_is_on(parties: Firm) -> None:
    assert "No statutory scheme is on record" in text(Client().get("/schemes/"))
    scheme = imported(parties)
    shown = text(Client().get("/schemes/"))
    for said in (
        "No scheme is on.", "Reservations are still respected.", "It is off: nothing is allowed by it.", "never switched on",
        "Copyright Act, article 25", "Copyright-Commission", f"/tariffs/{scheme.tariff_id}/", "Lessons",
    ):  # fmt: skip
        assert said in shown, said
    switching.enable(actor=SYSTEM, scheme=scheme)
    switching.disable(actor=SYSTEM, scheme=scheme)
    switching.enable(actor=SYSTEM, scheme=scheme)
    shown = text(Client().get("/schemes/"))
    assert "No scheme is on." not in shown
    assert shown.count("Switched on,") == 2 and shown.count("Switched off,") == 1
    assert "Statutory schemes" in text(Client().get("/")), "the footer leads there"


@pytest.mark.parametrize(
    ("today", "state"), [(dt.date(2026, 2, 28), "not_yet"), (dt.date(2026, 3, 1), "on"), (dt.date(2027, 3, 1), "over")]
)
def test_programs_read_its_state_on_the_day(
    parties: Firm, monkeypatch: pytest.MonkeyPatch, today: dt.date, state: str
) -> None:
    scheme = imported(parties)
    monkeypatch.setattr(timezone, "localdate", lambda *_: today)
    [off] = json.loads(Client().get("/api/v1/schemes/").content)["results"]
    assert (off["state"], off["enabled"], off["switches"]) == ("off", False, [])
    switching.enable(actor=SYSTEM, scheme=scheme)
    [shown] = json.loads(Client().get("/api/v1/schemes/?society=PRESS").content)["results"]
    assert (shown["scheme"], shown["body"], shown["tariff"], shown["state"]) == (
        "LAW-25", "COPYRIGHT-COMMISSION", "LESSONS", state,
    )  # fmt: skip
    assert [switch["on"] for switch in shown["switches"]] == [True]
    assert json.loads(Client().get("/api/v1/schemes/?society=PEN").content)["results"] == []


def test_the_public_page_asks_few_questions(parties: Firm, django_assert_max_num_queries: Any) -> None:
    for number in range(15):
        switching.enable(actor=SYSTEM, scheme=imported(parties, scheme=f"LAW-{number}"))
    for address in ("/schemes/", "/api/v1/schemes/"):
        with django_assert_max_num_queries(8):
            assert Client().get(address).status_code == 200
