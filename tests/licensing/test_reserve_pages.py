"""Anybody reserves on the public pages: find, choose, send, confirm by e-mail, follow, withdraw."""

from __future__ import annotations

import datetime as dt
import re
from io import BytesIO
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone, translation
from pypdf import PdfReader

from accounts.notices.models import Letter
from accounts.organisations.models import Organisation
from licensing.matching.core import title_key
from licensing.permissions.models import Reservation
from licensing.permissions.reserve_forms import ReserveForm
from licensing.repertoire.models import Work
from licensing.terms import USES
from tests.licensing.declaring import ISBN
from tests.licensing.parties import organisation
from tests.licensing.reserving import Scene, scene
from tests.licensing.test_tariff_pages import text

pytestmark = pytest.mark.django_db
WHO = {"name": "Seo Yun", "email": "seo@poet.example", "role": "author"}


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    cache.clear()


@pytest.fixture
def parties(db: Any) -> Scene:
    return scene()


def sent(client: Client, **fields: Any) -> Any:
    """The form sent for good, with all AI use ticked unless said otherwise."""
    return client.post("/reserve/details/", {"uses": list(USES), "step": "send", **WHO, **fields})


def link() -> str:
    """The path of the link in the last letter."""
    return Letter.objects.latest("pk").link


def reserved(client: Client, **fields: Any) -> tuple[Reservation, str]:
    """A reservation that was sent and confirmed, and the link to follow it."""
    sent(client, **fields)
    path, _question, query = link().partition("?")
    answer = client.post(path, {"key": query.removeprefix("key=")})
    return Reservation.objects.latest("pk"), answer.headers["Location"]


def book() -> Work:
    return Work.objects.get(ref="B")


@pytest.mark.parametrize(
    ("asked", "offered"),
    [
        ("book", "Reserve this"),
        (ISBN, "Reserve this"),
        ("0-306-40615-2", "Reserve this"),
        ("en.wikipedia.org/wiki/Korea?utm_source=x", "Reserve this"),
        ("poems.example.kr", "Reserve this address"),
        ("T-034.524.680-1", "Reserve this number"),
        ("A poem nobody registered", "Reserve it as typed"),
    ],
)
def test_the_first_step_finds_the_work_or_goes_on_with_what_was_typed(
    client: Client, parties: Scene, asked: str, offered: str
) -> None:
    assert offered in text(client.get("/reserve/", {"q": asked}))


def test_a_registered_work_is_reserved_in_three_steps_and_counts_once_confirmed(client: Client, parties: Scene) -> None:
    work = book()
    assert "Reserve “Book”" in text(client.get(f"/reserve/details/?work={work.pk}"))
    form = {"work": work.pk, "uses": list(USES), **WHO}
    check = text(client.post("/reserve/details/", form | {"step": "check"}))
    assert "All AI use" in check and "everywhere" in check and "seo@poet.example" in check
    assert not Reservation.objects.exists() and not Letter.objects.exists()

    assert sent(client, work=work.pk).headers["Location"] == "/reserve/sent/"
    waiting = Reservation.objects.get()
    assert (waiting.status, waiting.received_at) == ("unconfirmed", None)

    landing = client.get(link())
    assert "Yes, reserve this" in text(landing)
    waiting.refresh_from_db()
    assert waiting.status == "unconfirmed", "a program that opens links does not confirm"

    before = timezone.now()
    path, _question, query = link().partition("?")
    answer = client.post(path, {"key": query.removeprefix("key=")}, follow=True)
    waiting.refresh_from_db()
    assert waiting.status == "received"
    assert waiting.received_at is not None and before <= waiting.received_at <= timezone.now()
    assert waiting.effective_from == waiting.received_at and waiting.work == work
    shown = text(answer)
    assert waiting.ref in shown and "It counts meanwhile." in shown and "Withdraw" in shown


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ({"address": "https://Poems.example.kr/new/"}, ("place", "poems.example.kr/new", "", "")),
        ({"identifier": "T-034.524.680-1", "title": "Song"}, ("identifier", "", "iswc", "T0345246801")),
        ({"identifier": "isbn:0-306-40615-2"}, ("identifier", "", "isbn", ISBN)),
        ({"title": "  Night  Poem ", "creators": "Seo"}, ("identifier", "", "title", title_key("Night Poem", "Seo"))),
    ],
)
def test_what_no_register_knows_is_reserved_as_typed(
    client: Client, parties: Scene, typed: dict[str, str], kept: tuple[str, ...]
) -> None:
    sent(client, society=parties.society.pk, **typed)
    made = Reservation.objects.get()
    assert (made.target, made.place, made.scheme, made.value) == kept
    assert made.society == parties.society


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"uses": []}, "Tick at least one use."),
        ({"title": ""}, "Say what you reserve"),
        ({"title": "", "address": "co.kr"}, "This web address cannot be reserved"),
        ({"address": "example.kr", "identifier": ISBN}, "one after the other"),
        ({"identifier": "not a number"}, "This is no ISBN"),
        ({"territory": "KOREA"}, "Unknown country"),
        ({"email": "nobody"}, "valid email"),
        ({"title": "시" * 700}, "This is too long"),
        ({"address": "example.kr/" + "시" * 700}, "This is too long"),
    ],
)
def test_a_form_that_says_too_little_is_shown_again_with_the_reason(
    client: Client, parties: Scene, change: dict[str, Any], said: str
) -> None:
    fields = {"title": "Poem", "society": parties.society.pk} | change
    assert said in text(sent(client, **fields))
    assert not Reservation.objects.exists() and not Letter.objects.exists()


def test_a_later_day_begins_then_and_the_confirmation_never_counts_backwards(client: Client, parties: Scene) -> None:
    today = timezone.localdate()
    assert "This day is past." in text(sent(client, work=book().pk, effective_from=str(today - dt.timedelta(days=1))))
    later = today + dt.timedelta(days=30)
    made, own = reserved(client, work=book().pk, effective_from=str(later))
    assert made.effective_from is not None and made.received_at is not None
    assert timezone.localtime(made.effective_from).replace(tzinfo=None) == dt.datetime.combine(later, dt.time())
    assert made.received_at < made.effective_from and f"It counts from {later} 00:00:00 +09:00" in text(client.get(own))

    sent(client, title="Slow to confirm", society=parties.society.pk, effective_from=str(later))
    waiting = Reservation.objects.latest("pk")
    Reservation.objects.filter(pk=waiting.pk).update(asked_from=timezone.now() - dt.timedelta(days=1))
    path, _question, query = link().partition("?")
    client.post(path, {"key": query.removeprefix("key=")})
    waiting.refresh_from_db()
    assert waiting.effective_from == waiting.received_at


def test_all_ai_use_is_ticked_at_first_and_what_was_entered_comes_back_to_be_changed(
    client: Client, parties: Scene
) -> None:
    assert text(client.get("/reserve/details/?title=Poem")).count(" checked") == len(USES)
    entered = {"title": "Poem", "uses": ["train"], "society": parties.society.pk, **WHO, "step": "change"}
    shown = text(client.post("/reserve/details/", entered))
    assert shown.count(" checked") == 1 and 'value="Seo Yun"' in shown


def test_a_society_is_asked_for_only_where_there_are_several(parties: Scene) -> None:
    societies = list(Organisation.objects.filter(kind="society"))
    assert ReserveForm(societies=societies)["society"].is_hidden
    assert not ReserveForm(societies=[*societies, organisation("PEN", "society")])["society"].is_hidden


def test_a_program_that_fills_every_field_gets_the_same_answer_and_makes_nothing(
    client: Client, parties: Scene
) -> None:
    answer = sent(client, work=book().pk, homepage="https://spam.example")
    assert answer.headers["Location"] == "/reserve/sent/"
    assert not Reservation.objects.exists() and not Letter.objects.exists()


def test_the_answer_tells_nothing_about_an_address(client: Client, parties: Scene) -> None:
    reserved(client, work=book().pk)
    again = sent(client, work=book().pk)
    other = sent(client, work=book().pk, email="new@poet.example")
    assert again.headers["Location"] == other.headers["Location"] == "/reserve/sent/"
    assert again.content == other.content


def test_sending_too_often_is_refused_with_the_time_to_wait(client: Client, parties: Scene) -> None:
    answers = [sent(client, title=f"Poem {n}", society=parties.society.pk) for n in range(21)]
    assert {answer.status_code for answer in answers[:20]} == {302}
    assert answers[20].status_code == 429 and "Try again in" in text(answers[20])
    assert Reservation.objects.count() == 20


def test_strangers_see_the_reservation_but_not_who_asked(client: Client, parties: Scene) -> None:
    made, own = reserved(client, work=book().pk, evidence="my diary")
    stranger = text(client.get(f"/reservations/{made.ref}/"))
    assert "Book" in stranger and "It counts." in stranger and "Ask Press for a licence" in stranger
    for secret in ("Seo Yun", "seo@poet.example", "my diary", "Withdraw"):
        assert secret not in stranger, secret
    assert "seo@poet.example" in text(client.get(own))
    assert client.get(f"/reservations/{made.ref}/receipt.pdf").status_code == 404
    assert client.get(f"/reservations/{made.ref}/receipt.pdf?key=wrong").status_code == 404


def test_who_lost_the_link_finds_the_form_and_is_mailed_a_fresh_one(client: Client, parties: Scene) -> None:
    made, lost = reserved(client, title="Poem", creators="Seo Yun", society=parties.society.pk)
    public = text(client.get(f"/reservations/{made.ref}/"))
    again = "/reserve/details/?title=Poem&amp;creators=Seo+Yun"
    assert "Is it yours?" in public and again in public and "title as typed" in public
    sent(client, title="Poem", creators="Seo Yun", society=parties.society.pk)
    assert Reservation.objects.count() == 1
    assert "Is it yours?" in text(client.get(lost)), "the lost link no longer opens it"
    assert "seo@poet.example" in text(client.get(link()))


def test_an_unconfirmed_reservation_is_nowhere_to_be_seen(client: Client, parties: Scene) -> None:
    sent(client, title="Secret poem", society=parties.society.pk)
    made = Reservation.objects.get()
    assert client.get(f"/reservations/{made.ref}/").status_code == 404
    for page in ("/reservations/?q=secret", "/search/?q=secret", "/reservations/"):
        assert "Secret poem" not in text(client.get(page))
    for key in ("", "wrong"):
        assert client.get(f"/reservations/{made.ref}/confirm/", {"key": key}).status_code == 404
        assert client.post(f"/reservations/{made.ref}/confirm/", {"key": key}).status_code == 404


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Receipt of a reservation"), ("ko", "이용 유보 접수증")], ids=["en", "ko"]
)
def test_the_receipt_says_what_when_and_what_comes_next(
    client: Client, parties: Scene, language: str, words: str
) -> None:
    made, own = reserved(client, work=book().pk)
    key = own.partition("?key=")[2]
    answer = client.get(f"/reservations/{made.ref}/receipt.pdf", {"language": language, "key": key})
    assert answer.headers["Content-Type"] == "application/pdf"
    paper = PdfReader(BytesIO(answer.content)).pages[0].extract_text()
    moment = timezone.localtime(made.received_at).strftime("%Y-%m-%d %H:%M:%S")
    for said in (words, made.ref, moment, "Book", "Seo Yun", made.due_on.isoformat()):
        assert said in paper, (said, paper)
    assert key not in paper, "a receipt is shown to others"
    again = client.get(f"/reservations/{made.ref}/receipt.pdf", {"language": language, "key": key})
    assert again.content == answer.content


def test_the_secret_link_withdraws_and_nothing_else_does(client: Client, parties: Scene) -> None:
    made, own = reserved(client, work=book().pk)
    key = own.partition("?key=")[2]
    for wrong in ({}, {"key": "wrong"}):
        assert client.post(f"/reservations/{made.ref}/withdraw/", wrong).status_code == 404
    made.refresh_from_db()
    assert made.status == "received"
    assert "Withdraw this reservation?" in text(client.get(f"/reservations/{made.ref}/withdraw/", {"key": key}))
    answer = client.post(f"/reservations/{made.ref}/withdraw/", {"key": key}, follow=True)
    made.refresh_from_db()
    assert made.status == "withdrawn" and "It does not count any more." in text(answer)
    assert client.post(f"/reservations/{made.ref}/withdraw/", {"key": key}).status_code == 404


def test_the_pages_and_the_letter_speak_korean(client: Client, parties: Scene) -> None:
    client.cookies["django_language"] = "ko"
    assert "저작물" in text(client.get("/reserve/"))
    sent(client, work=book().pk)
    made = Reservation.objects.get()
    assert made.language == "ko"
    with translation.override("ko"):
        assert re.search("[가-힣]", Letter.objects.latest("pk").subject)
