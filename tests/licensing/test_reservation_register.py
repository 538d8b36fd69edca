"""The public register and the public search: what is reserved, what can be licensed, through whom; never who asked."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from licensing.matching.core import title_key
from licensing.permissions.models import Mandate, Reservation, StatutoryScheme
from licensing.permissions.services import reservations
from licensing.permissions.services.public_search import look_up, understood
from licensing.permissions.services.targets import Claimant, Target
from licensing.repertoire.models import Holder, Share, Work
from tests.accounts.people import person
from tests.licensing.declaring import ISBN
from tests.licensing.parties import determined, licence, organisation
from tests.licensing.reserving import ALWAYS, Scene, scene, work
from tests.licensing.tariff_documents import charge, tariff
from tests.licensing.test_tariff_pages import text

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    cache.clear()


@pytest.fixture
def told(db: Any) -> Scene:
    return scene()


def typed(title: str, creators: str = "") -> Target:
    return Target("identifier", {"scheme": "title", "value": title_key(title, creators)}, title, creators)


def book() -> Work:
    return Work.objects.get(ref="B")


@pytest.mark.parametrize(
    ("asked", "means"),
    [
        ("978-0-306-40615-7", ("isbn", ISBN)),
        ("ISBN 0-306-40615-2", ("isbn", ISBN)),
        ("isbn:0306406152", ("isbn", ISBN)),
        ("T-034.524.680-1", ("iswc", "T0345246801")),
        ("10.1000/ABC", ("doi", "10.1000/abc")),
        ("https://doi.org/10.1000/ABC", ("doi", "10.1000/abc")),
        ("Example.kr", ("domain", "example.kr")),
        ("https://example.kr/", ("domain", "example.kr")),
        ("https://example.kr/a?utm_source=x#y", ("url", "example.kr/a")),
        ("co.kr", None),
        ("Mr. Kim", None),
        ("채식주의자", None),
        ("KAFKAONTHESHORE", None),
        ("", None),
    ],
)
def test_what_is_typed_is_understood_as_people_write_it(asked: str, means: tuple[str, str] | None) -> None:
    assert understood(asked) == means


def said(asked: str) -> list[dict[str, str]]:
    """The verdicts on each match, by use."""
    return [{saying.use: saying.verdict for saying in match.sayings} for match in look_up(asked).matches]


def test_each_use_has_the_verdict_that_holds_now(told: Scene) -> None:
    determined(told.society, tariff(charge("per_unit", "tokens", uses=["train"], kinds=["book"], per=1, price="1")))
    Mandate.objects.filter(holder=told.holder).update(uses=["train", "ground"])
    told.reserved(Target.work(book()), uses=["finetune"])
    assert said(ISBN) == [
        {
            "train": "licensable",
            "finetune": "reserved",
            "ground": "untariffed",
            "evaluate": "unmandated",
            "index": "unmandated",
        }
    ]


@pytest.mark.parametrize(
    "target",
    [
        lambda told: Target.work(book()),
        lambda told: Target.of_holder(told.holder),
        lambda told: Target.identifier("isbn", ISBN),
    ],
    ids=["work", "holder", "identifier"],
)
def test_a_work_is_reserved_by_itself_by_its_holder_and_by_its_number(told: Scene, target: Any) -> None:
    told.reserved(target(told), uses=["train"])
    assert said(ISBN)[0]["train"] == "reserved"
    assert said(ISBN)[0]["ground"] == "unmandated"


def test_a_web_work_is_reserved_by_every_place_that_it_lies_in(told: Scene) -> None:
    told.reserved(Target.place("wikipedia.org"), uses=["index"])
    told.reserved(Target.place("en.wikipedia.org/wiki", "/wiki/K*"), uses=["ground"])
    page = said("https://en.wikipedia.org/wiki/Korea")[0]
    assert (page["index"], page["ground"], page["train"]) == ("reserved", "reserved", "unmandated")


def test_reservations_that_ended_or_are_not_confirmed_or_are_to_come_do_not_count(told: Scene) -> None:
    ended = told.reserved(Target.work(book()))
    reservations.withdraw(actor=told.member, reservation=ended)
    told.reserved(Target.work(book()), uses=["train"], effective_from=timezone.now() + dt.timedelta(days=3))
    waiting = Claimant(None, "Seo Yun", "seo@poet.example", "author", "en")
    reservations.request(society=told.society, target=typed("Waiting"), uses=["*"], claimant=waiting)
    assert said(ISBN)[0]["ground"] == "unmandated" and said(ISBN)[0]["train"] == "untariffed"
    assert said("Waiting") == []


def test_what_is_free_and_what_the_law_allows_is_said(told: Scene) -> None:
    assert set(said("Free")[0].values()) == {"free"}
    StatutoryScheme.objects.create(
        society=told.society, ref="S", name="School", kinds=["book"], uses=["evaluate"], territory=["KR"],
        valid=DateRange(dt.date(2026, 1, 1), None), enabled=True,
    )  # fmt: skip
    assert said(ISBN)[0]["evaluate"] == "statutory"


def test_where_a_part_is_not_mandated_its_size_is_said(told: Scene, client: Client) -> None:
    other = Holder.objects.create(society=told.society, ref="H2", name="Seo")
    Share.objects.filter(work=book()).update(ppm=600_000)
    Share.objects.create(work=book(), holder=other, role="author", ppm=400_000, valid=ALWAYS)
    assert "holders of 40% have not allowed it" in text(client.get("/search/", {"q": ISBN}))


def test_what_nobody_registered_is_reserved_or_not_permitted_never_free(told: Scene) -> None:
    told.asked_for(Target.place("poems.example.kr"), uses=["train"])
    told.asked_for(typed("Night poem", "Seo"), uses=["train"])
    assert said("https://poems.example.kr/1")[0] == {
        "train": "reserved", "finetune": "unregistered", "ground": "unregistered", "evaluate": "unregistered",
        "index": "unregistered",
    }  # fmt: skip
    assert said("night seo")[0]["train"] == "reserved"
    assert set(said("978-89-364-3426-7")[0].values()) == {"unregistered"}
    assert said("no such words") == []


def test_the_public_answer_says_nothing_about_licensees(told: Scene, client: Client) -> None:
    version = determined(told.society, tariff(charge("per_unit", "tokens", per=1, price="1")))
    firm = organisation("DASAN-AI", "licensee")
    licence(told.society, firm, version, uses=["train"])
    shown = text(client.get("/search/", {"q": "book"}))
    assert "can be licensed" in shown.lower() and "through Press under" in shown and "Web text" in shown
    assert "Dasan" not in shown and "L-1" not in shown


def test_a_search_costs_the_same_for_one_work_and_for_twenty(told: Scene, client: Client) -> None:
    def queries(asked: str) -> int:
        cache.clear()
        with CaptureQueriesContext(connection) as seen:
            assert client.get("/search/", {"q": asked}).status_code == 200
        return len(seen)

    for n in range(30):
        made = work(told.society, f"M{n}", "book", f"Many {n}", f"isbn:97800000000{n:02}")
        Share.objects.create(work=made, holder=told.holder, role="author", ppm=1_000_000, valid=ALWAYS)
    found = look_up("many")
    assert len(found.matches) == 20 and found.more
    told.reserved(Target.work(book()))
    assert queries("many") == queries("book") <= 12


def test_looking_up_too_often_is_refused_on_every_page_that_does(told: Scene, client: Client) -> None:
    answers = [client.get("/search/", {"q": "no such words"}) for _n in range(60)]
    assert {answer.status_code for answer in answers} == {200}
    for page in ("/search/", "/reserve/", "/reservations/"):
        refused = client.get(page, {"q": "book"})
        assert refused.status_code == 429 and "Try again in" in text(refused), page
        assert client.get(page).status_code == 200, page


def test_words_that_were_typed_are_found_by_their_index() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    assert "reservation_by_words" in Reservation.objects.worded("night poem").explain()


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("", {"work", "place", "title"}),
        ("?q=book", {"work"}),
        (f"?q={ISBN}", {"work"}),
        ("?q=night+seo", {"title"}),
        ("?q=example.kr", {"place"}),
        ("?q=poems.example.kr/a/b", {"place"}),
        ("?q=other.kr", set()),
        ("?kind=place", {"place"}),
        ("?use=ground", {"work", "place"}),
        ("?state=received", {"place", "title"}),
        ("?state=effective", {"work"}),
        ("?state=counting", {"work", "place", "title"}),
        ("?state=ended", set()),
        ("?society=PRESS", {"work", "place", "title"}),
        ("?society=PEN", set()),
        ("?society=NONE&kind=wrong&use=wrong&state=wrong", set()),
    ],
)
def test_the_register_is_filtered(told: Scene, client: Client, asked: str, found: set[str]) -> None:
    organisation("PEN", "society")
    made = {
        "work": told.reserved(Target.work(book()), uses=["*"]),
        "place": told.asked_for(Target.place("poems.example.kr"), uses=["ground"]),
        "title": told.asked_for(typed("Night poem", "Seo"), uses=["train"]),
    }
    shown = text(client.get(f"/reservations/{asked}"))
    assert {name for name, each in made.items() if each.ref in shown} == found
    assert "seo@poet.example" not in shown


def test_the_register_counts_once_a_minute_and_asks_no_query_a_row(told: Scene, client: Client) -> None:
    for n in range(3):
        told.asked_for(typed(f"Poem {n}"))
    client.get("/reservations/")
    with CaptureQueriesContext(connection) as few:
        client.get("/reservations/")
    for n in range(20):
        told.asked_for(typed(f"Song {n}"))
    with CaptureQueriesContext(connection) as many:
        shown = text(client.get("/reservations/"))
    assert len(many) == len(few) <= 4
    assert '<span class="stat-value">3</span>' in shown, "the number on top is remembered for a minute"


def test_a_number_in_evidence_leads_to_the_page_for_those_whom_it_concerns(told: Scene, client: Client) -> None:
    mine = told.reserved(Target.work(book()))
    answer = told.browser().get(f"/reservations/{mine.pk}/")
    assert answer.headers["Location"] == f"/reservations/{mine.ref}/"
    assert client.get(f"/reservations/{mine.pk}/").headers["Location"].startswith("/accounts/login/")
    assert told.browser(organisation_staff()).get(f"/reservations/{mine.pk}/").status_code == 404


def organisation_staff() -> Any:
    return person(organisation("PEN", "society"))
