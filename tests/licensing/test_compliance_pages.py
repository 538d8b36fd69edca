"""The pages and the API of compliance: what each side sees, and its acts through forms."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.identity.core import Actor
from accounts.identity.models import User
from licensing.compliance import services
from licensing.compliance.models import Case, ReservationNotice
from licensing.permissions.models import Reservation
from licensing.repertoire.models import Work
from tests.accounts import people
from tests.licensing.compliance_world import World, make, terms

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    """U was declared without a mandate of H3, S without a share, a site although it was reserved."""
    made = make(("U", 100_000), ("S", 500), ("domain:news.example.org", 7, "reserved"), ("W", 9, "unlicensed"))
    terms(made.society, "2", per_work=50)
    return made


def browser(actor: Actor, language: str = "en") -> Client:
    client = Client(headers={"accept-language": language})
    client.force_login(User.objects.get(pk=actor.user_id))
    return client


def text(answer: Any) -> str:
    assert answer.status_code == 200, answer.status_code
    return " ".join(answer.content.decode().split())


def reserved(world: World, ref: str = "U") -> ReservationNotice:
    now = timezone.now()
    Reservation.objects.create(
        society=world.society, ref=f"RES-{ref}", status="effective", target="work", work=Work.objects.get(ref=ref),
        uses=["train"], territory=["*"], source="staff", received_at=now, effective_from=now, claimant_email="who@asked.example",
    )  # fmt: skip
    services.tell_effective()
    return ReservationNotice.objects.get(reservation__ref=f"RES-{ref}")


def test_a_licensee_is_told_at_the_start_what_waits_for_its_answer(world: World) -> None:
    reserved(world)
    case = next(iter(world.opened().values()))
    services.notify_case(actor=world.staff, case=case)
    start = text(browser(world.licensee).get("/overview/"))
    assert "1 notice of a reservation to acknowledge" in start and "1 case of use without permission" in start
    services.acknowledge_all(actor=world.licensee)
    assert "to acknowledge" not in text(browser(world.licensee).get("/overview/"))


def test_a_society_is_told_at_the_start_what_waits_for_its_word(world: World) -> None:
    told = world.told()
    case = next(iter(told.values()))
    services.dispute(actor=world.licensee, case=case, answer="Not ours.")
    ReservationNotice.objects.filter(pk=reserved(world).pk).update(due_on="2020-01-01")
    start = text(browser(world.staff).get("/overview/"))
    assert "1 case that the licensee disputes" in start
    assert "1 notice that a licensee has not acknowledged in time" in start


def test_a_notice_names_what_was_typed_and_the_uses_in_plain_words(world: World) -> None:
    notice = reserved(world)
    now = timezone.now()
    typed = Reservation.objects.create(
        society=world.society, ref="RES-T", status="effective", target="identifier", scheme="title", value="sea / kim",
        title="Sea", creators="Kim", uses=["*"], territory=["*"], source="form", received_at=now, effective_from=now,
        claimant_email="who@asked.example",
    )  # fmt: skip
    ReservationNotice.objects.filter(pk=notice.pk).update(reservation=typed)
    page = text(browser(world.licensee).get("/reservation-notices/"))
    assert ">Sea</a>" in page and "All AI use" in page and "title:" not in page


def test_the_societys_queue_has_the_most_money_first(world: World) -> None:
    world.opened()
    page = text(browser(world.staff).get("/cases/"))
    rows = [page.index(f">#{case.pk}</a>") for case in Case.objects.order_by("-proposed", "id")]
    most = Case.objects.order_by("-proposed")[0].proposed or 0
    assert rows == sorted(rows) and f"₩{most:,}" in page and "nobody on record" in page
    assert "No case fits" in text(browser(world.staff).get("/cases/?status=settled"))
    assert f"#{world.declaration.pk}" in text(browser(world.staff).get(f"/cases/?declaration={world.declaration.pk}"))


def test_a_case_says_what_and_why_and_how_much(world: World) -> None:
    found = world.opened()
    page = text(browser(world.staff).get(reverse("licensing:case", args=[found["H3"].pk])))
    assert (
        "For 40% of the work there was no mandate." in page
        and "This holder had given none." in page
        and "What the tariff would have asked" in page
    )
    assert "As the society’s terms ask for use without permission" in page and "1 work × ₩50" in page
    page = text(browser(world.staff).get(reverse("licensing:case", args=[found[""].pk])))
    assert "Reserved where it was found." in page or "Reserved since" in page
    page = text(browser(world.staff).get(reverse("licensing:case", args=[found["H2"].pk])))
    assert "No licence covered it when it was declared." in page


def test_a_reserved_use_names_its_reservation(world: World) -> None:
    at = world.declaration.period.lower
    moment = timezone.make_aware(timezone.datetime(at.year, at.month, at.day))
    Reservation.objects.create(
        society=world.society, ref="RES-SITE", status="effective", target="place", place="example.org", uses=["*"],
        territory=["*"], source="staff", received_at=moment, effective_from=moment,
    )  # fmt: skip
    page = text(browser(world.staff).get(reverse("licensing:case", args=[world.opened()[""].pk])))
    assert "RES-SITE" in page and "Reserved since 1 Jan 2026." in page


def test_the_way_of_a_case_by_hand(world: World) -> None:
    staff, second, firm = browser(world.staff), browser(world.second), browser(world.licensee)
    case = world.opened()["H1"]
    own = reverse("licensing:case", args=[case.pk])
    assert firm.get(own).status_code == 404, "not told yet"
    assert staff.post(reverse("licensing:cases_notify", args=[world.declaration.pk])).status_code == 302
    assert "Accept ₩" in text(firm.get(own)) and f">#{case.pk}</a>" in text(firm.get("/cases/"))
    assert firm.post(f"{own}dispute/", {"answer": "We asked the author."}).status_code == 302
    page = text(staff.get(own))
    assert "We asked the author." in page and "declarant@" not in page, "the firm's people are named to the firm alone"
    assert "declarant@" in text(firm.get(own)) and "licensing@" not in text(firm.get(own))
    refused = text(staff.post(f"{own}settle/", {"amount": "-1", "reason": "x"}))
    assert "greater than or equal to 0" in refused
    assert staff.post(f"{own}settle/", {"amount": "700", "reason": "A first offence."}).status_code == 302
    assert "A second person has to decide." in text(staff.get(own))
    assert "Settle on this amount" in text(second.get(own))
    assert second.post(f"{own}decide/", {"decision": "approve"}).status_code == 302
    page = text(firm.get(own))
    assert "₩700" in page and "A first offence." in page and "Dispute it" not in page
    approvals = text(second.get(reverse("accounts:approvals")))
    assert "Settlement of a case" in approvals


def test_the_licensee_accepts_by_one_click(world: World) -> None:
    case = world.told()["H3"]
    assert browser(world.licensee).post(reverse("licensing:case_accept", args=[case.pk])).status_code == 302
    case.refresh_from_db()
    assert (case.status, case.amount) == ("settled", case.proposed)


def test_the_creator_reads_it_in_plain_words(world: World) -> None:
    case = world.opened()["H3"]
    creator = browser(world.creator("H3"))
    assert "what they pay for it is yours" in text(creator.get("/cases/"))
    page = text(creator.get(reverse("licensing:case", args=[case.pk])))
    assert "is yours alone" in page and "Close the case" not in page and "licensing:declaration" not in page
    other = Case.objects.get(holder__ref="H1")
    assert creator.get(reverse("licensing:case", args=[other.pk])).status_code == 404


def test_notices_wait_first_and_are_acknowledged(world: World) -> None:
    notice, _second = reserved(world), reserved(world, "S")
    firm, staff = browser(world.licensee), browser(world.staff)
    page = text(firm.get(reverse("licensing:reservation_notices")))
    assert "RES-U" in page and "Acknowledge all" in page and "who@asked.example" not in page
    assert firm.post(reverse("licensing:reservation_notice_acknowledge", args=[notice.pk])).status_code == 302
    page = text(firm.get(reverse("licensing:reservation_notices")))
    assert page.index("RES-S") < page.index("RES-U"), "what waits comes first"
    register = text(staff.get(reverse("licensing:reservation_notices") + "?status=waiting"))
    assert "RES-S" in register and "RES-U" not in register and "Dasan-Ai" in register
    assert staff.post(reverse("licensing:reservation_notices_acknowledge")).status_code == 403
    assert firm.post(reverse("licensing:reservation_notices_acknowledge")).status_code == 302
    assert not ReservationNotice.objects.waiting().exists()


def test_the_terms_are_shown(world: World) -> None:
    page = text(browser(world.staff).get(reverse("licensing:compensation_terms")))
    assert "₩50" in page and "1 Jan 2026" in page
    assert browser(world.licensee).get(reverse("licensing:compensation_terms")).status_code == 403


def test_in_korean_nothing_is_left_in_english(world: World) -> None:
    world.told()
    reserved(world)
    staff, firm = browser(world.staff, "ko"), browser(world.licensee, "ko")
    User.objects.filter(pk__in=[world.staff.user_id, world.licensee.user_id]).update(language="ko")
    for client, path in (
        (staff, "/cases/"),
        (firm, "/cases/"),
        (firm, "/reservation-notices/"),
        (staff, "/cases/terms/"),
    ):
        page = text(client.get(path))
        for english in ("Cases", "Asked for", "Notices of reservations", "Waiting", "Answer by"):
            assert f">{english}<" not in page, (path, english)


def test_programs_read_notices_and_cases(world: World) -> None:
    cache.clear()
    case, notice = world.told()["H3"], reserved(world)
    _token, words = people.token(world.of.licensee)
    api = Client(headers={"authorization": f"Bearer {words}"})
    listed = api.get("/api/v1/cases/").json()["results"]
    assert {row["id"] for row in listed} == set(Case.objects.values_list("id", flat=True))
    detail = api.get(f"/api/v1/cases/{case.pk}/").json()
    assert (detail["holder"], detail["proposed"], detail["reasons"]) == ("H3", case.proposed, {"unmandated": 1})
    assert [use["work"] for use in detail["uses"]] == ["U"] and detail["explanation"]["multiple"] == "2.000"
    refused = api.post(f"/api/v1/cases/{case.pk}/answer/", {"answer": "accept"}, content_type="application/json")
    assert refused.status_code == 403, "a person answers, not a program"
    waiting = api.get("/api/v1/reservation-notices/?waiting=true").json()["results"]
    assert [(row["id"], row["reservation"]["reservation"]) for row in waiting] == [(notice.pk, "RES-U")]
    done = api.post(f"/api/v1/reservation-notices/{notice.pk}/acknowledge/", {}, content_type="application/json")
    assert done.status_code == 200 and done.json()["acknowledged_at"]
    assert api.get("/api/v1/reservation-notices/?waiting=true").json()["results"] == []


def test_a_test_token_sees_no_case_and_acknowledges_nothing(world: World) -> None:
    cache.clear()
    world.told()
    notice = reserved(world)
    _token, words = people.token(world.of.licensee, sandbox=True)
    api = Client(headers={"authorization": f"Bearer {words}"})
    assert api.get("/api/v1/cases/").json()["results"] == []
    answer = api.post(f"/api/v1/reservation-notices/{notice.pk}/acknowledge/", {}, content_type="application/json")
    assert answer.status_code == 403
