"""Sites: put on record, proved by their holder, and read by one worker at a time when they are due."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from accounts.access.models import Membership
from accounts.evidence.models import Event
from accounts.identity.core import Conflict, Forbidden, NotFound, Refusal
from accounts.notices.models import Notice
from accounts.organisations.models import Organisation
from licensing.permissions.models import Reservation, Site
from licensing.permissions.services import sites
from licensing.repertoire.models import Holder
from tests.accounts import people
from tests.licensing import site_web
from tests.licensing.parties import organisation, staff
from tests.licensing.site_web import ALL, PAGE, PROOF, ROBOTS, TDMREP, Web, member, problems, proved, read, standing

pytestmark = pytest.mark.django_db
web = site_web.web


@pytest.fixture
def society() -> Organisation:
    return organisation("KOLAA", "society")


@pytest.fixture
def holder(society: Organisation) -> Holder:
    return Holder.objects.create(society=society, ref="H-1", name="Kim")


@pytest.fixture
def other(society: Organisation) -> Holder:
    return Holder.objects.create(society=society, ref="H-2", name="Lee")


def _registered(holder: Holder, host: str = "example.com") -> Site:
    return sites.register(actor=member(holder), holder=holder, host=host)


def test_a_member_puts_a_site_on_record_once(holder: Holder) -> None:
    site = _registered(holder)
    assert _registered(holder, "HTTPS://Example.com/").pk == site.pk
    assert len(site.token) >= 32 and site.proved_at is None
    assert [event.verb for event in Event.objects.about("site", site.pk)] == ["site.registered"]


@pytest.mark.parametrize(
    ("typed", "host"),
    [
        ("Example.COM", "example.com"),
        ("https://www.example.com/", "www.example.com"),
        ("정산.kr", "xn--zf4b78k.kr"),
        ("example.com:443", "example.com"),
    ],
)
def test_a_host_is_kept_in_lower_case_punycode(holder: Holder, typed: str, host: str) -> None:
    if typed.endswith(":443"):
        with pytest.raises(Refusal):
            sites.host_of(typed)
        assert sites.host_of(f"https://{typed}") == host
    else:
        assert sites.host_of(typed) == host


@pytest.mark.parametrize(
    "typed",
    [
        "", "localhost", "kr", "co.kr", "127.0.0.1", "[::1]", "0x7f.0x1", "1.2.3.0x4", "example.com:8080", "example.com/blog",
        "ftp://example.com", "example.com?x", "exa mple.com", "a" * 70 + ".com", "user@", "http://",
    ],
)  # fmt: skip
def test_what_is_no_host_of_ones_own_is_refused(holder: Holder, typed: str) -> None:
    with pytest.raises(Refusal) as refused:
        _registered(holder, typed)
    assert refused.value.code == "bad_host" and not Site.objects.exists()


def test_only_who_may_keeps_sites(society: Organisation, holder: Holder, other: Holder) -> None:
    with pytest.raises(NotFound):
        sites.register(actor=member(other), holder=holder, host="example.com")
    with pytest.raises(Forbidden):
        sites.register(actor=member(holder, permissions=()), holder=holder, host="example.com")
    with pytest.raises(NotFound):
        sites.register(actor=staff(organisation("OTHER", "society"), "sites.manage"), holder=holder, host="example.com")
    assert sites.register(actor=staff(society, "sites.manage"), holder=holder, host="example.com").holder == holder


# --- Proof


def test_the_token_in_the_file_proves_the_site(holder: Holder, web: Web) -> None:
    site = _registered(holder)
    web.put(PROOF, f"{site.token}\n".encode())
    assert read(site).proof == "file"
    assert Event.objects.about("site", site.pk).filter(verb="site.proved").count() == 1


def test_the_token_in_the_head_of_the_first_page_proves_the_site(holder: Holder, web: Web) -> None:
    site = _registered(holder)
    web.put(PAGE, f"<html><head><META content='{site.token}' name=Jeongsan-Proof></head></html>".encode())
    assert read(site).proof == "meta"


@pytest.mark.parametrize(
    "page",
    [
        "<html><head></head><body><meta name='jeongsan-proof' content='{}'></body></html>",
        "<p>hello</p><meta name='jeongsan-proof' content='{}'>",
        "<html><head><!-- <meta name='jeongsan-proof' content='{}'> --></head></html>",
        "<html><head><meta name='other' content='{}'></head></html>",
    ],
)
def test_what_a_visitor_could_have_written_proves_nothing(holder: Holder, web: Web, page: str) -> None:
    site = _registered(holder)
    web.put(PAGE, page.format(site.token).encode())
    assert read(site).proved_at is None


def test_another_token_proves_nothing_and_is_a_problem(holder: Holder, web: Web) -> None:
    site = _registered(holder)
    web.put(PROOF, b"something else")
    assert read(site).proved_at is None and problems(site) == [("bad_proof", 1)]


def test_a_proof_on_another_site_proves_nothing(holder: Holder, web: Web) -> None:
    site = _registered(holder)
    answer = site_web.Response("https://evil.example.net/p", 200, {}, site.token.encode())
    web.put(PROOF, answer)
    assert read(site).proved_at is None and problems(site) == [("elsewhere", 1)]


def test_two_members_cannot_prove_one_host_and_staff_hear_of_it(
    society: Organisation, holder: Holder, other: Holder, web: Web
) -> None:
    person = people.person(society, "repertoire")
    people.person(society, "finance")
    proved(holder)
    second = _registered(other)
    web.put(PROOF, second.token.encode())
    web.put(TDMREP, ALL)
    read(read(second))
    assert second.proved_at is None and problems(second) == [("proved_by_another", 2)]
    assert not Reservation.objects.exists()
    assert Event.objects.about("site", second.pk).filter(verb="site.disputed").count() == 1
    assert [notice.user_id for notice in Notice.objects.filter(kind="site.disputed")] == [person.pk]
    assert Membership.objects.count() == 2


def test_staff_cannot_mark_a_second_proof_either(society: Organisation, holder: Holder, other: Holder) -> None:
    proved(holder)
    second = _registered(other)
    with pytest.raises(Conflict) as refused:
        sites.mark_proved(actor=staff(society, "sites.manage"), site=second)
    assert refused.value.code == "proved_by_another"


def test_only_staff_mark_a_site_as_checked(society: Organisation, holder: Holder) -> None:
    site = _registered(holder)
    with pytest.raises(Forbidden):
        sites.mark_proved(actor=member(holder), site=site)
    assert sites.mark_proved(actor=staff(society, "sites.manage"), site=site).proof == "staff"


def test_a_proof_taken_back_ends_what_the_signals_reserved(society: Organisation, holder: Holder, web: Web) -> None:
    site = proved(holder)
    web.put(TDMREP, ALL)
    assert standing(read(site)) == [("example.com", "", [])]
    token = site.token
    sites.take_back_proof(actor=staff(society, "sites.manage"), site=site)
    site.refresh_from_db()
    assert standing(site) == [] and site.proved_at is None and site.token != token


def test_an_unproved_site_is_read_and_shown_but_reserves_nothing_until_it_is_proved(
    society: Organisation, holder: Holder, web: Web
) -> None:
    site = _registered(holder)
    web.put(TDMREP, ALL)
    read(site)
    assert len(site_web.versions(site, "tdmrep")) == 1 and standing(site) == []
    sites.mark_proved(actor=staff(society, "sites.manage"), site=site)
    assert standing(site) == [("example.com", "", [])]


# --- When


def test_a_site_that_is_not_due_is_not_read(holder: Holder, web: Web) -> None:
    site = read(proved(holder))
    asked = len(web.asked)
    assert not sites.read(site.pk) and len(web.asked) == asked


def test_while_one_worker_reads_no_other_begins(holder: Holder, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    site = proved(holder)
    inside: list[bool] = []
    fetch = web.fetch

    def meanwhile(url: str, **how: object) -> object:
        if not inside:
            inside.append(sites.read(site.pk))
        return fetch(url, **how)

    monkeypatch.setattr(sites.fetching.outbound, "fetch", meanwhile)
    assert sites.read(site.pk)
    assert inside == [False]


def test_what_a_killed_worker_left_is_due_again_after_its_lease(holder: Holder, web: Web) -> None:
    site = proved(holder)
    assert sites._claim(site.pk) and site.pk not in sites.due()
    Site.objects.filter(pk=site.pk).update(next_fetch_at=timezone.now() - sites.LEASE)
    assert sites.due() == [site.pk]


def test_a_site_that_answers_is_read_every_day(holder: Holder, web: Web) -> None:
    site = read(proved(holder))
    assert site.next_fetch_at and site.fetched_at and site.next_fetch_at - site.fetched_at == sites.EVERY


def test_a_site_that_fails_is_left_alone_for_longer_and_longer(holder: Holder, web: Web) -> None:
    site, waits = proved(holder), []
    web.put(PAGE, (503, {}, b""))
    for _n in range(10):
        read(site)
        assert site.next_fetch_at and site.fetched_at
        waits.append((site.next_fetch_at - site.fetched_at) / dt.timedelta(hours=1))
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 168, 168]
    web.put(PAGE, b"")
    read(site)
    assert site.next_fetch_at and site.fetched_at
    assert site.next_fetch_at - site.fetched_at == sites.EVERY and site.problems == []


def test_a_reading_may_be_asked_for_once_a_minute(holder: Holder, web: Web) -> None:
    site = read(proved(holder))
    with pytest.raises(Conflict) as refused:
        sites.ask_to_read(actor=member(holder), site=site)
    assert refused.value.code == "read_just_now"
    Site.objects.update(fetched_at=timezone.now() - dt.timedelta(minutes=2))
    site.refresh_from_db()
    sites.ask_to_read(actor=member(holder), site=site)
    assert sites.due() == [site.pk]


def test_asking_does_not_disturb_a_reading_that_is_under_way(holder: Holder) -> None:
    site = proved(holder)
    assert sites._claim(site.pk)
    site.refresh_from_db()
    sites.ask_to_read(actor=member(holder), site=site)
    assert sites.due() == []


def test_a_site_without_https_is_read_over_http(holder: Holder, web: Web) -> None:
    site = proved(holder)
    web.answers.clear()
    for where in (ROBOTS, TDMREP, PAGE):
        web.put(where, "unreachable")
        web.answers[f"http://example.com{where}"] = b""
    web.answers["http://example.com/.well-known/tdmrep.json"] = ALL
    assert standing(read(site)) == [("example.com", "", [])] and site.problems == []


def test_the_names_of_private_machines_are_never_read(holder: Holder, web: Web) -> None:
    site = proved(holder)
    for where in (ROBOTS, TDMREP, PAGE):
        web.put(where, "refused_address")
    assert {code for code, _times in problems(read(site))} == {"refused_address"}


def test_a_reading_that_breaks_down_is_tried_again_later(
    holder: Holder, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = proved(holder)
    monkeypatch.setattr(sites.found, "settle", lambda _site: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        sites.read(site.pk)
    site.refresh_from_db()
    assert site.fetched_at is None and sites.due() == []
    assert site.next_fetch_at and site.next_fetch_at > timezone.now() + sites.LEASE
