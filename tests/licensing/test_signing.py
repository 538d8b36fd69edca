"""A member signs what they allow, has a receipt that can be checked, and takes it back with notice."""

from __future__ import annotations

import datetime
import hashlib
import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pypdf import PdfReader

from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Conflict, Forbidden, NotFound, Refusal
from accounts.organisations.models import Organisation
from licensing.permissions.core.notice import first_day_without
from licensing.permissions.models import Mandate, MandateSignature, MandateTerms
from licensing.permissions.services import grant_mandate, signing
from licensing.repertoire.core import same_name
from tests.accounts import people
from tests.licensing.joining_world import Member, member, society, terms


@pytest.fixture
def soc(db: Any) -> Organisation:
    return society()


@pytest.fixture
def ada(soc: Organisation) -> Member:
    return member(soc, "M-1", "Ada Byun", name_ko="변에이다")


@pytest.fixture
def held(soc: Organisation) -> MandateTerms:
    return terms(soc)


def signed(by: Member, held: MandateTerms, *uses: str, name: str = "Ada Byun", **fields: Any) -> list[MandateSignature]:
    return signing.sign(
        actor=by.actor, holder=by.holder, terms=held, uses=list(uses or ("train",)), typed_name=name,
        **({"language": "en"} | fields),
    )  # fmt: skip


def browser(who: Any) -> Client:
    client = Client()
    client.force_login(who)
    return client


def day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


# Notice


@pytest.mark.parametrize(
    ("today", "days", "to", "first"),
    [
        ("2026-11-24", 0, "day", "2026-11-25"),
        ("2026-11-24", 30, "day", "2026-12-25"),
        ("2026-11-24", 0, "month", "2026-12-01"),
        ("2026-11-30", 0, "month", "2026-12-01"),
        ("2026-11-30", 1, "month", "2027-01-01"),
        ("2026-11-24", 90, "month", "2027-03-01"),
        ("2026-10-02", 90, "year", "2027-01-01"),
        ("2026-10-03", 90, "year", "2028-01-01"),
        ("2028-02-28", 1, "month", "2028-03-01"),
    ],
)
def test_notice_runs_to_the_end_of_a_day_month_or_year(today: str, days: int, to: str, first: str) -> None:
    assert first_day_without(day(today), days, to) == day(first)


@given(st.dates(max_value=datetime.date(2900, 1, 1)), st.integers(0, 3660), st.sampled_from(["day", "month", "year"]))
def test_a_mandate_lasts_at_least_its_notice(today: datetime.date, days: int, to: str) -> None:
    first = first_day_without(today, days, to)
    assert first > today + datetime.timedelta(days=days)
    assert to == "day" or first.day == 1
    assert to != "year" or first.month == 1


# Terms


@pytest.mark.django_db
def test_a_new_text_is_a_new_version_and_the_same_is_the_one_there(soc: Organisation) -> None:
    first = terms(soc)
    assert terms(soc) == first
    assert terms(soc, text="Other.").version == 2
    assert terms(soc, text="Other.", days=10).version == 3
    with pytest.raises(NotFound):
        signing.set_terms(actor=people.actor(society("OTHER")), society=soc, text="x", valid_from=day("2026-01-01"))
    with pytest.raises(Refusal):
        terms(soc, text=" ")


@pytest.mark.django_db
def test_terms_count_from_their_day(soc: Organisation) -> None:
    first = terms(soc)
    later = signing.set_terms(actor=SYSTEM, society=soc, text="Later.", valid_from=day("2026-06-01"))
    assert signing.terms_in_force(soc.pk, day("2025-12-31")) is None
    assert signing.terms_in_force(soc.pk, day("2026-05-31")) == first
    assert signing.terms_in_force(soc.pk, day("2026-06-01")) == later


# Signing


@pytest.mark.parametrize(
    "name", ["Ada Byun", "  ada   BYUN ", "변에이다", "\u1107\u1167\u11ab\u110b\u1166\u110b\u1175\u1103\u1161"]
)
def test_the_name_on_record_signs_however_it_is_spaced_or_coded(ada: Member, held: MandateTerms, name: str) -> None:
    made = signed(ada, held, "train", "ground", name=name)
    assert [signature.mandate.uses for signature in made] == [["train"], ["ground"]]
    assert {m.valid.lower for m in Mandate.objects.all()} == {timezone.localdate()}
    assert Event.objects.filter(verb="mandate.signed").count() == 2


@pytest.mark.parametrize("name", ["Ada", "Ada Byun Jr", "Someone", "", " "])
def test_another_name_signs_nothing(ada: Member, held: MandateTerms, name: str) -> None:
    with pytest.raises(Refusal):
        signed(ada, held, name=name)
    assert (Mandate.objects.count(), MandateSignature.objects.count()) == (0, 0)


def test_no_name_is_the_name_of_who_has_none() -> None:
    assert not same_name("", "")


def test_the_same_signature_again_is_the_one_there(ada: Member, held: MandateTerms) -> None:
    assert signed(ada, held) == signed(ada, held)
    assert (Mandate.objects.count(), MandateSignature.objects.count()) == (1, 1)


def test_a_use_that_is_allowed_already_is_not_signed_over_and_nothing_is_half_done(
    ada: Member, held: MandateTerms
) -> None:
    grant_mandate(actor=SYSTEM, holder=ada.holder, uses=["ground"], valid_from=day("2026-01-01"))
    with pytest.raises(Conflict):
        signed(ada, held, "train", "ground")
    assert MandateSignature.objects.count() == 0 and Mandate.objects.count() == 1


def test_only_the_words_in_force_are_signed_and_never_for_the_past(ada: Member, held: MandateTerms) -> None:
    terms(ada.holder.society, text="New words.")
    with pytest.raises(Conflict):
        signed(ada, held)
    with pytest.raises(Refusal):
        signed(
            ada, terms(ada.holder.society, text="New words."), since=timezone.localdate() - datetime.timedelta(days=1)
        )
    assert Mandate.objects.count() == 0


def test_only_who_may_sign_for_the_holder_signs(ada: Member, soc: Organisation, held: MandateTerms) -> None:
    for scope in ("finance", "catalogue"):
        delegate = member(soc, f"X-{scope}", "Ada Byun", scope=scope)
        with pytest.raises(Forbidden):
            signed(delegate, held)
    with pytest.raises(NotFound):
        signing.sign(
            actor=ada.actor, holder=member(soc, "M-2", "Ben").holder, terms=held, uses=["train"], typed_name="Ben",
            language="en",
        )  # fmt: skip
    with pytest.raises(NotFound):
        grant_mandate(
            actor=ada.actor, holder=member(soc, "M-3", "Cho").holder, uses=["train"], valid_from=day("2026-01-01")
        )
    assert Mandate.objects.count() == 0


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_document_is_made_again_to_the_letter_whatever_happens_later(
    ada: Member, held: MandateTerms, language: str
) -> None:
    made = signed(ada, held, language=language)[0]
    signing.take_back(actor=ada.actor, mandate=made.mandate)
    terms(ada.holder.society, text="Other words.")
    ada.holder.name = "Married Name"
    ada.holder.save()
    client = browser(ada.user)
    document = client.get(f"/mandates/signatures/{made.pk}/document.txt")
    assert hashlib.sha256(document.content).hexdigest() == made.document_sha256
    assert ("권한을 맡깁니다." if language == "ko" else "You authorise us.") in document.content.decode()


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_receipt_names_what_was_signed(ada: Member, held: MandateTerms, language: str) -> None:
    made = signed(ada, held, kinds=["book"], territory=["KR"])[0]
    client = browser(ada.user)
    answer = client.get(f"/mandates/signatures/{made.pk}/receipt.pdf", {"language": language})
    said = "".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)
    said = said.replace("\n", "")
    assert "Ada Byun" in said and "M-1" in said and made.document_sha256[:30] in said and "KR" in said
    page = client.get(f"/mandates/signatures/{made.pk}/").content.decode()
    assert made.document_sha256 in page


def test_a_strangers_signature_is_absent(ada: Member, soc: Organisation, held: MandateTerms) -> None:
    made = signed(ada, held)[0]
    for who in (member(soc, "M-2", "Ben").user, people.person(society("OTHER"))):
        for path in ("", "receipt.pdf", "document.txt"):
            assert browser(who).get(f"/mandates/signatures/{made.pk}/{path}").status_code == 404
        assert browser(who).post(f"/mandates/mine/{made.mandate_id}/take-back/").status_code == 404
        assert browser(who).get(f"/mandates/{made.mandate_id}/").status_code == 404
    assert browser(people.person(soc, "repertoire")).get(f"/mandates/signatures/{made.pk}/").status_code == 200


# Taking it back


def test_a_mandate_ends_on_the_first_day_that_its_notice_allows(ada: Member, held: MandateTerms) -> None:
    made = signed(ada, held)[0].mandate
    Mandate.objects.update(valid=(day("2026-01-01"), None))
    made.refresh_from_db()
    signing.take_back(actor=ada.actor, mandate=made)
    made.refresh_from_db()
    assert made.valid.upper == first_day_without(timezone.localdate(), 90, "month")
    with pytest.raises(Conflict):
        signing.take_back(actor=ada.actor, mandate=made)


def test_the_notice_that_was_signed_counts_not_a_later_one(ada: Member, held: MandateTerms) -> None:
    made = signed(ada, held)[0].mandate
    terms(ada.holder.society, days=900, to="year")
    later = timezone.localdate() + datetime.timedelta(days=50)
    by_what_was_signed = first_day_without(later, held.notice_days, held.notice_to)
    assert signing.earliest_end(made, later) == by_what_was_signed < later + datetime.timedelta(days=150)


def test_a_mandate_that_has_not_begun_lasts_a_day(ada: Member, soc: Organisation) -> None:
    held = terms(soc, days=0, to="day")
    since = timezone.localdate() + datetime.timedelta(days=100)
    made = signed(ada, held, since=since)[0].mandate
    assert signing.take_back(actor=ada.actor, mandate=made).valid.upper == since + datetime.timedelta(days=1)


def test_staff_do_not_take_back_in_a_members_name(ada: Member, soc: Organisation, held: MandateTerms) -> None:
    made = signed(ada, held)[0].mandate
    with pytest.raises(NotFound):
        signing.take_back(actor=people.actor(soc, "repertoire"), mandate=made)


# Pages


def test_a_member_signs_and_takes_back_on_pages(ada: Member, held: MandateTerms) -> None:
    client = browser(ada.user)
    assert "not allowed" in client.get("/mandates/mine/").content.decode().lower()
    page = client.get("/mandates/mine/sign/", {"use": "train"}).content.decode()
    assert "You authorise us." in page and "90 days" in page
    data = {
        "holder": ada.holder.pk, "version": held.version, "uses": ["train", "index"], "since": timezone.localdate(),
        "typed_name": "Ada Byun",
    }  # fmt: skip
    assert client.post("/mandates/mine/sign/", data).status_code == 200 and not Mandate.objects.exists()  # not ticked
    answer = client.post("/mandates/mine/sign/", data | {"agreed": "on"})
    made = MandateSignature.objects.order_by("pk")[0]
    assert answer.headers["Location"] == f"/mandates/signatures/{made.pk}/"
    again = client.get("/mandates/mine/sign/").context["form"]
    assert again.free == ["finetune", "ground", "evaluate"]
    asked = client.get(f"/mandates/mine/{made.mandate_id}/take-back/")
    assert asked.context["on"] == first_day_without(timezone.localdate(), 90, "month")
    client.post(f"/mandates/mine/{made.mandate_id}/take-back/")
    made.mandate.refresh_from_db()
    assert made.mandate.valid.upper == asked.context["on"]


def test_without_terms_there_is_nothing_to_sign(ada: Member) -> None:
    assert "no terms" in browser(ada.user).get("/mandates/mine/sign/").content.decode().lower()


def test_nobody_signs_for_another_holder_on_the_page(ada: Member, soc: Organisation, held: MandateTerms) -> None:
    other = member(soc, "M-2", "Ben")
    assert browser(ada.user).get("/mandates/mine/sign/", {"holder": other.holder.pk}).status_code == 404
    assert browser(people.person(soc)).get("/mandates/mine/").status_code == 403


# By command


def test_terms_are_set_by_command(soc: Organisation, tmp_path: Any) -> None:
    words, korean = tmp_path / "en.txt", tmp_path / "ko.txt"
    words.write_text("Words.", encoding="utf-8")
    korean.write_text("약관.", encoding="utf-8")
    said = io.StringIO()
    call_command(
        "set_mandate_terms", "--society", soc.ref, "--text", str(words), "--text-ko", str(korean), "--notice-days", "30",
        "--notice-to", "year", "--from", "2026-01-01", "--json", stdout=said,
    )  # fmt: skip
    assert json.loads(said.getvalue())["version"] == 1
    made = MandateTerms.objects.get()
    assert (made.text, made.text_ko, made.notice_days, made.notice_to) == ("Words.", "약관.", 30, "year")
