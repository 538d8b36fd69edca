"""What a site's signals say is kept version by version, and its reservations are those that the present versions state."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from accounts.evidence.models import Event
from licensing.permissions.models import Reservation, Site
from licensing.permissions.services import reservations
from licensing.permissions.services.targets import Claimant, Target
from licensing.repertoire.models import Holder
from tests.licensing import site_web
from tests.licensing.parties import organisation
from tests.licensing.site_web import (
    ALL,
    BUT_PRESS,
    NOTHING,
    PAGE,
    ROBOTS,
    TDMREP,
    Web,
    problems,
    proved,
    read,
    standing,
    versions,
)

pytestmark = pytest.mark.django_db
web = site_web.web


@pytest.fixture
def holder() -> Holder:
    return Holder.objects.create(society=organisation("KOLAA", "society"), ref="H-1", name="Kim")


@pytest.fixture
def site(holder: Holder) -> Site:
    return proved(holder)


def _rsl(url: str, usage: str = "ai-train") -> bytes:
    return (
        f'<rsl xmlns="https://rslstandard.org/rsl"><content url="{url}"><license><prohibits type="usage">{usage}</prohibits>'
        "</license></content></rsl>"
    ).encode()


def test_a_signal_is_kept_as_found_and_makes_a_reservation_received_now(site: Site, web: Web) -> None:
    web.put(TDMREP, BUT_PRESS)
    read(site)
    [signal] = versions(site, "tdmrep")
    assert bytes(signal.raw) == BUT_PRESS and signal.sha256 == hashlib.sha256(BUT_PRESS).hexdigest()
    assert signal.url == "https://example.com/.well-known/tdmrep.json" and signal.vocabulary == "tdmrep-2024"
    [made] = Reservation.objects.all()
    assert (made.status, made.source, made.signal, made.claimant_holder) == ("effective", "signal", signal, site.holder)
    assert (made.place, made.pattern, made.excepting) == ("example.com", "", ["/press/"])
    assert made.received_at and made.received_at == made.effective_from and made.received_at >= signal.found_at
    assert made.evidence == BUT_PRESS.decode() and made.evidence_url == signal.url
    assert {event.verb for event in Event.objects.about("site", site.pk)} == {"signal.found"}


def test_an_unchanged_signal_is_seen_again_and_nothing_else(site: Site, web: Web) -> None:
    web.put(TDMREP, ALL)
    before = read(site) and versions(site, "tdmrep")[0]
    [again] = read(site) and versions(site, "tdmrep")
    assert again.seen_at > before.seen_at and again.found_at == before.found_at
    assert Reservation.objects.count() == 1 and Event.objects.about("site", site.pk).count() == 1


def test_a_changed_signal_is_a_new_version_that_supersedes_what_the_old_one_reserved(site: Site, web: Web) -> None:
    web.put(TDMREP, ALL)
    read(site)
    web.put(TDMREP, BUT_PRESS)
    read(site)
    old, new = versions(site, "tdmrep")
    assert old.ended_at and not new.ended_at
    first, second = Reservation.objects.order_by("pk")
    assert (first.status, second.status, second.supersedes) == ("superseded", "effective", first)
    assert first.ended_at == second.effective_from  # nothing is open between them
    assert second.signal == new


def test_a_change_that_reserves_the_same_leaves_the_reservation_as_it_was_received(site: Site, web: Web) -> None:
    web.put(TDMREP, ALL)
    read(site)
    received = Reservation.objects.get().received_at
    web.put(TDMREP, b'[{"location": "/*", "tdm-reservation": 1, "tdm-policy": "https://example.com/terms"}]')
    read(site)
    assert len(versions(site, "tdmrep")) == 2
    assert Reservation.objects.get().received_at == received


def test_a_signal_that_no_longer_reserves_withdraws(site: Site, web: Web) -> None:
    web.put(TDMREP, ALL)
    read(site)
    web.put(TDMREP, NOTHING)
    read(site)
    assert standing(site) == [] and Reservation.objects.get().status == "withdrawn"


@pytest.mark.parametrize("status", [404, 410])
def test_a_signal_is_gone_only_when_two_readings_in_a_row_do_not_find_it(site: Site, web: Web, status: int) -> None:
    web.put(TDMREP, ALL)
    read(site)
    web.put(TDMREP, (status, {}, b""))
    assert standing(read(site)) and problems(site) == [("missing", 1)]
    assert standing(read(site)) == [] and site.problems == []
    assert versions(site, "tdmrep")[0].ended_at and Reservation.objects.get().status == "withdrawn"
    assert Event.objects.about("site", site.pk).filter(verb="signal.gone").count() == 1


def test_a_signal_found_again_in_between_is_not_gone(site: Site, web: Web) -> None:
    web.put(TDMREP, ALL)
    read(site)
    answers: list[Any] = [(404, {}, b""), ALL, (404, {}, b"")]
    for answer in answers:
        web.put(TDMREP, answer)
        read(site)
    assert standing(site) and Reservation.objects.count() == 1


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ((500, {}, b""), "server_error"), ((503, {}, b""), "server_error"), ((403, {}, b""), "refused"),
        ("too_slow", "too_slow"), ("unreachable", "unreachable"), ("too_large", "too_large"),
    ],
)  # fmt: skip
def test_a_failure_changes_nothing_however_often_and_is_shown(site: Site, web: Web, answer: Any, code: str) -> None:
    web.put(TDMREP, ALL)
    read(site)
    web.put(TDMREP, answer)
    for _n in range(3):
        read(site)
    assert problems(site) == [(code, 3)] and standing(site) == [("example.com", "", [])]
    assert not versions(site, "tdmrep")[0].ended_at


def test_a_failure_between_two_absences_does_not_end_a_signal(site: Site, web: Web) -> None:
    web.put(TDMREP, ALL)
    read(site)
    for status in (404, 500, 404):
        web.put(TDMREP, (status, {}, b""))
        read(site)
    assert standing(site)


def test_what_is_not_understood_any_more_leaves_the_last_version_in_force(site: Site, web: Web) -> None:
    web.put(TDMREP, ALL)
    read(site)
    web.put(TDMREP, b'{"tdm-reservation": ')
    read(site)
    assert standing(site) and problems(site) == [("not_understood", 1)]


def test_what_is_not_understood_at_first_is_kept_and_reserves_nothing(site: Site, web: Web) -> None:
    web.put(TDMREP, b"[1]")
    [signal] = read(site) and versions(site, "tdmrep")
    assert signal.problems and not signal.statements and standing(site) == []


def test_a_page_in_place_of_the_file_is_no_file(site: Site, web: Web) -> None:
    web.put(TDMREP, b"\n<!doctype html><title>Not found</title>")
    assert versions(read(site), "tdmrep") == []


def test_several_signals_add_up_and_identical_statements_make_one_reservation(site: Site, web: Web) -> None:
    web.put(TDMREP, ALL)
    web.put(PAGE, (200, {"tdm-reservation": "1", "content-usage": "train-ai=n"}, b""))
    read(site)
    assert [sorted(each.uses) for each in Reservation.objects.order_by("pk")] in (
        [["evaluate", "finetune", "ground", "index", "train"], ["finetune", "train"]],
        [["finetune", "train"], ["evaluate", "finetune", "ground", "index", "train"]],
    )
    # One of the two that said the same goes: what the other says still stands, as it was received.
    received = Reservation.objects.get(uses__len=5).received_at
    web.drop(TDMREP)
    read(read(site))
    assert Reservation.objects.get(uses__len=5, ended_at=None).received_at == received


def test_what_the_first_page_says_stands_for_the_site_but_for_what_a_file_frees(site: Site, web: Web) -> None:
    web.put(PAGE, (200, {"tdm-reservation": "1"}, b""))
    assert standing(read(site)) == [("example.com", "", [])]
    web.put(TDMREP, b'[{"location": "/open/*", "tdm-reservation": 0}]')
    assert standing(read(site)) == [("example.com", "", ["/open/"])]
    web.put(TDMREP, NOTHING)
    assert standing(read(site)) == [("example.com", "/$", [])]


def test_robots_txt_speaks_of_paths(site: Site, web: Web) -> None:
    web.put(ROBOTS, b"User-agent: *\nContent-Usage: /press/ train-ai=y\nContent-Usage: train-ai=n\nAllow: /\n")
    assert standing(read(site)) == [("example.com", "", ["/press/"])]


def test_a_licence_document_on_the_site_is_read(site: Site, web: Web) -> None:
    web.put(ROBOTS, b"License: https://example.com/l.xml\nUser-agent: *\nAllow: /\n")
    web.put("/l.xml", _rsl("/books/"))
    assert standing(read(site)) == [("example.com/books", "/books/", [])]


def test_licence_documents_are_found_in_headers_and_pages_too(site: Site, web: Web) -> None:
    page = b'<link rel="license" type="application/rsl+xml" href="b.xml">'
    web.put(PAGE, (200, {"link": '</a.xml>; rel="license"; type="application/rsl+xml"'}, page))
    web.put("/a.xml", _rsl("/a/"))
    web.put("/b.xml", _rsl("/b/"))
    assert {place for place, _pattern, _excepting in standing(read(site))} == {"example.com/a", "example.com/b"}


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://elsewhere.example.net/l.xml", "other_server"),
        ("http://10.0.0.1/l.xml", "other_server"),
        ("file:///etc/passwd", "other_server"),
    ],
)
def test_a_licence_document_on_another_server_is_not_asked_for(site: Site, web: Web, url: str, code: str) -> None:
    web.put(ROBOTS, f"License: {url}\nUser-agent: *\nAllow: /\n".encode())
    assert (code, 1) in problems(read(site))
    assert all(asked.startswith("https://example.com/") for asked in web.asked)


def test_our_own_document_is_not_read_back(site: Site, web: Web, settings: Any) -> None:
    settings.SITE_URL = "https://jeongsan.example.org"
    web.put(
        ROBOTS, b"License: https://jeongsan.example.org/signals/sites/example.com/rsl.xml\nUser-agent: *\nAllow: /\n"
    )
    read(site)
    assert site.problems == [] and standing(site) == [] and not any("jeongsan" in asked for asked in web.asked)


def test_only_a_few_licence_documents_are_read(site: Site, web: Web) -> None:
    lines = "".join(f"License: https://example.com/{n}.xml\n" for n in range(9))
    web.put(ROBOTS, f"{lines}User-agent: *\nAllow: /\n".encode())
    for n in range(9):
        web.put(f"/{n}.xml", _rsl(f"/{n}/"))
    assert len(standing(read(site))) == 5 and ("too_many", 1) in problems(site)


@pytest.mark.parametrize("first", ["member", "signal"])
def test_a_members_own_reservation_outlives_the_signal_that_said_the_same(site: Site, web: Web, first: str) -> None:
    def by_hand() -> Reservation:
        return reservations.reserve(
            actor=site_web.member(site.holder), society=site.society, target=Target.place("example.com"),
            uses=["train", "finetune"], source="member", claimant=Claimant(site.holder),
        )  # fmt: skip

    if first == "member":
        by_hand()
    web.put(PAGE, (200, {"content-usage": "train-ai=n"}, b""))
    read(site)
    own = by_hand()
    web.put(PAGE, b"")
    read(read(site))
    own.refresh_from_db()
    assert own.ended_at is None


def test_a_site_s_reservation_does_not_rest_on_one_that_a_person_made(site: Site, web: Web) -> None:
    own = reservations.reserve(
        actor=site_web.member(site.holder), society=site.society, target=Target.place("example.com"),
        uses=["train", "finetune"], source="member", claimant=Claimant(site.holder),
    )  # fmt: skip
    web.put(PAGE, (200, {"content-usage": "train-ai=n"}, b""))
    read(site)
    [theirs] = Reservation.objects.filter(signal__site=site)
    assert theirs != own and theirs.status == "effective"
    reservations.withdraw(actor=site_web.member(site.holder), reservation=own)
    theirs.refresh_from_db()
    assert theirs.ended_at is None, "the site still says it"


def test_nothing_of_what_a_site_says_makes_a_reading_fail(site: Site, web: Web) -> None:
    hostile: list[Any] = [
        b"\x00\xff" * 50,
        b"[" * 5_000,
        b'[{"location": "' + b"/*a" * 4_000 + b'", "tdm-reservation": 1}]',
    ]
    for body in hostile:
        for where in (ROBOTS, TDMREP, PAGE):
            web.put(where, (200, {"content-usage": "\x00=n, =", "link": "<" * 999, "tdm-reservation": "\ud800"}, body))
        read(site)
    many = ",".join(f'{{"location": "/free/{n}/", "tdm-reservation": 0}}' for n in range(300))
    web.put(TDMREP, f'[{many}, {{"location": "/", "tdm-reservation": 1}}]'.encode())
    read(site)
    assert len(standing(site)[0][2]) == 100  # what is left out of the exceptions is reserved


def test_a_site_that_states_more_than_can_be_kept_is_reserved_as_a_whole(site: Site, web: Web) -> None:
    rules = ",".join(f'{{"location": "/{n}/", "tdm-reservation": 1}}' for n in range(301))
    web.put(TDMREP, f"[{rules}]".encode())
    assert standing(read(site)) == [("example.com", "", [])]
