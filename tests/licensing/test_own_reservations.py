"""A member reserves their own works: one, all, from a list; takes texts from them, and takes them back."""

from __future__ import annotations

import datetime as dt
from io import BytesIO
from typing import Any

import pytest
from django.utils import timezone
from django.utils.translation import override

from accounts.identity.models import User
from licensing.permissions.models import Reservation
from licensing.permissions.services.targets import Target
from licensing.permissions.wording import standard_texts
from licensing.repertoire.models import Holder, Representation, Work
from licensing.terms import USES
from tests.accounts.people import person
from tests.licensing.parties import organisation
from tests.licensing.reserving import Scene, scene
from tests.licensing.test_tariff_pages import text

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(db: Any) -> Scene:
    return scene()


def form(of: Scene, **change: Any) -> dict[str, Any]:
    return {"holder": of.holder.pk, "uses": list(USES), "territory": "", "effective_from": ""} | change


def book() -> Work:
    return Work.objects.get(ref="B")


def test_a_member_reserves_one_work_from_its_page_and_it_is_effective_at_once(told: Scene) -> None:
    browser = told.browser()
    link = f"/reservations/new/?work={book().pk}"
    assert link in text(browser.get(f"/works/{book().pk}/"))
    assert "Reserve “Book”" in text(browser.get(link))
    shown = text(browser.post("/reservations/new/", form(told, work=book().pk, uses=["train"]), follow=True))
    made = Reservation.objects.get()
    assert (made.status, made.work, made.uses, made.source) == ("effective", book(), ["train"], "member")
    assert made.ref in shown and "Withdraw" in shown


def test_a_member_reserves_all_works_from_a_later_day(told: Scene) -> None:
    day = timezone.localdate() + dt.timedelta(days=30)
    told.browser().post("/reservations/new/", form(told, effective_from=day.isoformat(), territory="kr, jp"))
    made = Reservation.objects.get()
    assert (made.target, made.holder, made.territory) == ("holder", told.holder, ["JP", "KR"])
    assert timezone.localtime(made.effective_from).replace(tzinfo=None) == dt.datetime.combine(day, dt.time())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"effective_from": "2020-01-01"}, "This day is past."),
        ({"uses": []}, "Tick at least one use."),
        ({"territory": "KOREA"}, "Unknown country"),
        ({"holder": 0}, "Select a valid choice"),
    ],
)
def test_a_wrong_form_is_shown_again_and_reserves_nothing(told: Scene, change: dict[str, Any], said: str) -> None:
    assert said in text(told.browser().post("/reservations/new/", form(told, **change)))
    assert not Reservation.objects.exists()


def test_a_member_lists_and_withdraws_their_own_and_nobody_else_s(told: Scene) -> None:
    mine = told.reserved(Target.work(book()))
    other = told.asked_for(Target.identifier("isbn", "9788936434267", title="Another’s book"))
    browser = told.browser()
    shown = text(browser.get("/reservations/mine/"))
    assert mine.ref in shown and other.ref not in shown
    assert mine.ref not in text(browser.get("/reservations/mine/?status=withdrawn"))
    assert browser.post(f"/reservations/{other.ref}/withdraw/").status_code == 404
    browser.post(f"/reservations/{mine.ref}/withdraw/")
    mine.refresh_from_db()
    other.refresh_from_db()
    assert (mine.status, other.status) == ("withdrawn", "received")


def test_who_sees_only_the_money_reserves_nothing(told: Scene) -> None:
    user = User.objects.create_user("money@writer.example", "pw", language="en")
    Representation.objects.create(user=user, holder=told.holder, scope="finance")
    mine = told.reserved(Target.work(book()))
    browser = told.browser(user)
    assert "Reserve all my works" not in text(browser.get("/reservations/mine/"))
    for page in ("/reservations/new/", "/reservations/upload/"):
        assert browser.post(page, form(told)).status_code == 403
    assert browser.post(f"/reservations/{mine.ref}/withdraw/").status_code == 404


def test_a_strangers_work_is_absent(told: Scene) -> None:
    elsewhere = organisation("PEN", "society")
    other = Work.objects.create(society=elsewhere, ref="X", kind="book", title="Theirs")
    browser = told.browser()
    for answer in (
        browser.get(f"/reservations/new/?work={other.pk}"),
        browser.post("/reservations/new/", form(told, work=other.pk)),
    ):
        assert answer.status_code == 404
    assert not Reservation.objects.exists()


def test_the_pages_of_members_are_for_members(told: Scene) -> None:
    staff = told.browser(person(told.society, "administrator"))
    for page in ("/reservations/mine/", "/reservations/texts/", "/reservations/texts/ko/letter.txt"):
        assert staff.get(page).status_code == 403, page


def test_a_list_reserves_many_and_says_which_lines_were_wrong(told: Scene) -> None:
    rows = b"target,uses\nB,train\nisbn:978-89-364-3426-7,*\nexample.kr/poems,ground\nno such thing,train\n"
    file = BytesIO(rows)
    file.name = "mine.csv"
    shown = text(told.browser().post("/reservations/upload/", {"holder": told.holder.pk, "file": file}))
    assert "Some lines were refused." in shown and "no such thing" in shown
    kept = {(each.target, each.status) for each in Reservation.objects.all()}
    assert kept == {("work", "effective"), ("identifier", "received"), ("place", "received")}


def test_a_list_that_is_too_large_or_no_table_is_refused(told: Scene) -> None:
    for rows, said in ((b"x" * 1_000_001, "too large"), (b"no,columns\n1,2\n", "target")):
        file = BytesIO(rows)
        file.name = "mine.csv"
        assert said in text(told.browser().post("/reservations/upload/", {"holder": told.holder.pk, "file": file}))
    assert not Reservation.objects.exists()


def test_texts_name_the_member_the_works_the_day_and_the_reference_in_both_languages(told: Scene) -> None:
    Holder.objects.filter(pk=told.holder.pk).update(name_ko="한")
    mine = told.reserved(Target.work(book()), uses=["train", "ground"])
    shown = text(told.browser().get("/reservations/texts/"))
    assert f"- Book ({mine.ref}, {timezone.localtime(mine.received_at):%Y-%m-%d})" in shown
    assert "I, Han, hold rights" in shown and "저 한은(는)" in shown
    assert "Training, Source for answers" in shown and "학습, 답변 자료로 쓰기" in shown
    for language, word in (("en", "Han"), ("ko", "한")):
        for kind in ("letter", "notice", "line"):
            answer = told.browser().get(f"/reservations/texts/{language}/{kind}.txt?ref={mine.ref}")
            assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
            body = answer.content.decode()
            assert word in body and f"/reservations/{mine.ref}/" in body, (language, kind)


def test_texts_name_the_day_that_it_was_in_seoul() -> None:
    night = dt.datetime(2026, 11, 24, 15, 30, tzinfo=dt.UTC)  # half past midnight in Seoul
    mine = Reservation(target="place", place="han.example", uses=["train"], ref="R-1", received_at=night)
    with override("en"):
        assert "- han.example (R-1, 2026-11-25)" in standard_texts("Han", [mine], "https://example.kr/")[0].body


def test_there_is_no_text_about_what_is_not_reserved(told: Scene) -> None:
    other = told.asked_for(Target.identifier("isbn", "9788936434267"))
    browser = told.browser()
    assert "reserve first" in text(browser.get("/reservations/texts/"))
    for address in (f"?ref={other.ref}", "?ref=R-NONE"):
        assert browser.get(f"/reservations/texts/{address}").status_code == 404
    for name in ("fr/letter", "ko/poem"):
        assert browser.get(f"/reservations/texts/{name}.txt").status_code == 404
