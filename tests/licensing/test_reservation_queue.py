"""The society checks who reserved: what is due first, what it may be about, accept or reject with reasons."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.utils import timezone

from accounts.notices.models import Letter
from licensing.matching.core import title_key
from licensing.permissions.models import Reservation
from licensing.permissions.services.targets import Claimant, Target
from licensing.repertoire.models import Work
from tests.accounts.people import person
from tests.licensing.parties import organisation
from tests.licensing.reserving import Scene, scene
from tests.licensing.test_tariff_pages import text

pytestmark = pytest.mark.django_db


@pytest.fixture
def told(db: Any) -> Scene:
    return scene()


@pytest.fixture
def keeper(told: Scene) -> Any:
    return told.browser(person(told.society, "repertoire"))


def typed(title: str, creators: str = "") -> Target:
    return Target("identifier", {"scheme": "title", "value": title_key(title, creators)}, title, creators)


def due(reservation: Reservation, days: int) -> None:
    day = timezone.localdate() + dt.timedelta(days=days)
    Reservation.objects.filter(pk=reservation.pk).update(due_on=day)


def test_what_is_due_first_stands_first_and_what_is_late_says_so(told: Scene, keeper: Any) -> None:
    later, late, today = (told.asked_for(typed(name)) for name in ("Later poem", "Late poem", "Today’s poem"))
    due(later, 20), due(late, -3), due(today, 0)
    shown = text(keeper.get("/reservations/queue/"))
    places = [shown.index(each.ref) for each in (late, today, later)]
    assert places == sorted(places)
    rows = {each.ref: shown[shown.index(each.ref) :].partition("</tr>")[0].lower() for each in (late, today, later)}
    assert "overdue" in rows[late.ref] and "due soon" in rows[today.ref]
    assert "overdue" not in rows[later.ref] and "due soon" not in rows[later.ref]
    assert "seo yun" in rows[late.ref]


def test_one_shows_who_asked_the_evidence_unharmed_and_what_it_may_be(told: Scene, keeper: Any) -> None:
    claimant = Claimant(None, "han", "HAN@writer.example", "author", "en")
    made = told.asked_for(typed("Book", "Han"), claimant=claimant, evidence="<script>alert(1)</script>")
    shown = text(keeper.get(f"/reservations/{made.ref}/decide/"))
    assert "<script>alert(1)</script>" not in shown and "&lt;script&gt;alert(1)" in shown
    assert "han@writer.example" in shown
    assert f"/members/{told.holder.pk}/" in shown, "the member with this address"
    assert f'value="work:{Work.objects.get(ref="B").pk}"' in shown, "the registered work with this title"


def test_accepting_makes_it_effective_and_leads_to_the_next_one(told: Scene, keeper: Any) -> None:
    first, second = told.asked_for(typed("First")), told.asked_for(typed("Second"))
    due(first, -1)
    answer = keeper.post(f"/reservations/{first.ref}/decide/", {"decision": "accept"})
    first.refresh_from_db()
    assert first.status == "effective"
    assert answer.headers["Location"] == f"/reservations/{second.ref}/decide/"
    answer = keeper.post(f"/reservations/{second.ref}/decide/", {"decision": "accept"})
    assert answer.headers["Location"] == "/reservations/queue/"


def test_a_rejection_needs_a_reason_and_tells_it_in_the_language_of_who_asked(told: Scene, keeper: Any) -> None:
    claimant = Claimant(None, "서윤", "seo@poet.example", "저자", "ko")
    made = told.asked_for(typed("Poem"), claimant=claimant)
    page = f"/reservations/{made.ref}/decide/"
    assert "Say why it is rejected" in text(keeper.post(page, {"decision": "reject"}))
    assert "Accept it, or reject it." in text(keeper.post(page, {"decision": "shred"}))
    made.refresh_from_db()
    assert made.status == "received"
    keeper.post(
        page, {"decision": "reject", "reasons": ["not_holder"], "words": "보내 주신 주소는 다른 분의 것입니다."}
    )
    made.refresh_from_db()
    assert made.status == "rejected" and [each["code"] for each in made.reasons] == ["not_holder", "other"]
    told_them = Letter.objects.latest("pk").body
    assert "신청인은 이 저작물의 권리자가 아닙니다." in told_them and "다른 분의 것입니다" in told_them
    shown = text(keeper.get(page))
    assert "Who asked does not hold rights in this work." in shown and "Accept</button>" not in shown


def test_what_was_typed_is_accepted_as_a_registered_work_and_its_link_still_withdraws(told: Scene, keeper: Any) -> None:
    made, work = told.asked_for(typed("Book", "Han")), Work.objects.get(ref="B")
    keeper.post(f"/reservations/{made.ref}/decide/", {"decision": f"work:{work.pk}"})
    made.refresh_from_db()
    new = Reservation.objects.get(supersedes=made)
    assert (made.status, new.status, new.work) == ("superseded", "effective", work)
    assert new.effective_from == made.ended_at, "nothing is left open between them"
    assert new.key_sha256 == made.key_sha256 != ""


def test_a_web_address_is_never_narrowed_to_one_work_of_it(told: Scene, keeper: Any) -> None:
    made, work = told.asked_for(Target.place("wikipedia.org")), Work.objects.get(ref="W")
    assert "work:" not in text(keeper.get(f"/reservations/{made.ref}/decide/"))
    answer = keeper.post(f"/reservations/{made.ref}/decide/", {"decision": f"work:{work.pk}"})
    assert "A web address is accepted as it is" in text(answer)
    made.refresh_from_db()
    assert made.status == "received" and made.ended_at is None


def test_another_societys_work_is_not_taken_for_it(told: Scene, keeper: Any) -> None:
    made = told.asked_for(typed("Book"))
    other = Work.objects.create(society=organisation("PEN", "society"), ref="X", kind="book", title="Book")
    assert keeper.post(f"/reservations/{made.ref}/decide/", {"decision": f"work:{other.pk}"}).status_code == 200
    made.refresh_from_db()
    assert made.status == "received"
    assert f"work:{other.pk}" not in text(keeper.get(f"/reservations/{made.ref}/decide/"))


def test_the_queue_is_for_the_staff_of_the_society_that_was_asked(told: Scene) -> None:
    made = told.asked_for(typed("Poem"))
    pages = ("/reservations/queue/", f"/reservations/{made.ref}/decide/")
    for user in (person(told.society, "finance"), person(organisation("DASAN-AI", "licensee")), told.user):
        for page in pages:
            assert told.browser(user).get(page).status_code == 403, (user, page)
    stranger = told.browser(person(organisation("PEN", "society"), "repertoire"))
    assert made.ref not in text(stranger.get(pages[0]))
    assert stranger.get(pages[1]).status_code == 404
    assert stranger.post(pages[1], {"decision": "accept"}).status_code == 404
    made.refresh_from_db()
    assert made.status == "received"


def test_what_is_decided_is_listed_apart(told: Scene, keeper: Any) -> None:
    waiting, mine = told.asked_for(typed("Poem")), told.reserved(Target.of_holder(told.holder))
    shown = text(keeper.get("/reservations/queue/?tab=decided"))
    assert mine.ref in shown and waiting.ref not in shown
    assert "Nothing to check" in text(told.browser(person(organisation("PEN", "society"))).get("/reservations/queue/"))


def test_the_start_and_the_navigation_tell_the_society_what_waits(told: Scene) -> None:
    late, later = told.asked_for(typed("Late poem")), told.asked_for(typed("Later poem"))
    due(late, -3), due(later, 9)
    keeper = told.browser(person(told.society, "administrator"))
    shown = text(keeper.get("/overview/"))
    assert shown.index(late.ref) < shown.index(later.ref)
    assert re.search(r'href="/reservations/queue/"[^>]*>Reservations<span class="n">2<', shown)
    auditor = text(told.browser(person(told.society, "auditor")).get("/overview/"))
    assert late.ref not in auditor and "/reservations/queue/" not in auditor
