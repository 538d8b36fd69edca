"""A member registers a work with its shares: on record once every holder named has confirmed, and then at once and once."""

from __future__ import annotations

import datetime
import threading
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.evidence.models import Event
from accounts.identity.core import Conflict, Forbidden, NotFound, Refusal
from accounts.notices.models import Letter, Notice
from accounts.organisations.models import Organisation
from licensing.repertoire.models import Holder, Identifier, Registration, RegistrationShare, Share, Work
from licensing.repertoire.services import registering
from licensing.repertoire.services.registering import Named
from tests.accounts import people
from tests.licensing.joining_world import Member, member, society
from tests.together import together

ISBN = "isbn:978-0-306-40615-7"


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    cache.clear()


@pytest.fixture
def soc(db: Any) -> Organisation:
    return society()


@pytest.fixture
def ada(soc: Organisation) -> Member:
    return member(soc, "M-1", "Ada Byun")


@pytest.fixture
def ben(soc: Organisation) -> Member:
    return member(soc, "M-2", "Ben Cho", ipi="00014107338")


@pytest.fixture
def cho(soc: Organisation) -> Member:
    return member(soc, "M-3", "Cho Dan")


def registered(by: Member, *lines: Named, **fields: Any) -> registering.Registered:
    known = {"kind": "book", "title": "A Book", "creators": "Ada Byun", "language": "ko", "published": "2025"}
    return registering.register(
        actor=by.actor, holder=by.holder, lines=lines or (Named("", "100%"),), **(known | fields)
    )


def shared(by: Member, *others: Member, **fields: Any) -> Registration:
    part = f"1/{len(others) + 1}"
    lines = [Named("", part, "author"), *(Named(o.holder.ref, part, "author") for o in others)]
    return registered(by, *lines, **fields).registration


def browser(who: Any) -> Client:
    client = Client()
    client.force_login(who)
    return client


# On record


def test_a_sole_holders_registration_is_a_work_at_once(ada: Member) -> None:
    made = registered(ada, identifiers=[ISBN, "url:https://Ada.example/book/?utm_source=x"]).registration
    assert made.status == "confirmed" and made.work is not None
    assert {str(i) for i in made.work.identifiers.all()} == {"isbn:9780306406157", "url:ada.example/book"} or {
        i.scheme for i in made.work.identifiers.all()
    } == {"isbn", "url"}
    share = Share.objects.get()
    assert (share.holder, share.ppm, share.stated, share.valid.lower, share.valid.upper) == (
        ada.holder, 1_000_000, "100%", None, None,
    )  # fmt: skip
    assert made.work in Work.objects.visible_to(ada.actor)


def test_a_work_with_others_waits_until_the_last_has_confirmed(ada: Member, ben: Member, cho: Member) -> None:
    made = shared(ada, ben, cho, valid_from=datetime.date(2026, 5, 1))
    assert (made.status, Work.objects.count()) == ("open", 0)
    assert Notice.objects.filter(user__in=[ben.user, cho.user], kind="registration").count() == 2
    registering.confirm(actor=ben.actor, registration=made)
    assert Work.objects.count() == 0
    registering.confirm(actor=ben.actor, registration=made)  # again changes nothing
    registering.confirm(actor=cho.actor, registration=made)
    made.refresh_from_db()
    assert made.status == "confirmed"
    shares = Share.objects.order_by("holder__ref")
    assert [(s.holder.ref, s.ppm, s.stated) for s in shares] == [
        ("M-1", 333_334, "1/3"), ("M-2", 333_333, "1/3"), ("M-3", 333_333, "1/3"),
    ]  # fmt: skip
    assert {s.valid.lower for s in shares} == {datetime.date(2026, 5, 1)}
    assert Event.objects.filter(verb="registration.share_confirmed").count() == 2


def test_an_objection_stops_it_and_everybody_hears_why(ada: Member, ben: Member, cho: Member) -> None:
    staff = people.person(ada.holder.society, "repertoire")
    made = shared(ada, ben, cho)
    registering.confirm(actor=ben.actor, registration=made)
    with pytest.raises(Refusal):
        registering.object_to(actor=cho.actor, registration=made, reason=" ")
    registering.object_to(actor=cho.actor, registration=made, reason="I hold a half.")
    made.refresh_from_db()
    assert (made.status, Work.objects.count()) == ("objected", 0)
    told = Notice.objects.filter(body__contains="I hold a half.")
    assert {notice.user for notice in told} == {ada.user, ben.user, staff}
    with pytest.raises(Conflict):
        registering.confirm(actor=cho.actor, registration=made)


def test_a_change_asks_everybody_again(ada: Member, ben: Member, cho: Member) -> None:
    made = shared(ada, ben, cho)
    registering.confirm(actor=ben.actor, registration=made)
    registering.change(
        actor=ada.actor, registration=made, kind="book", title="A Book",
        lines=[Named("", "50%"), Named("M-2", "50%")],
    )  # fmt: skip
    assert RegistrationShare.objects.get(registration=made, holder=ben.holder).confirmed_at is None
    registering.confirm(actor=ben.actor, registration=made)
    assert [(s.holder.ref, s.ppm) for s in Share.objects.order_by("holder__ref")] == [
        ("M-1", 500_000),
        ("M-2", 500_000),
    ]


def test_who_registers_can_withdraw_while_it_is_open(ada: Member, ben: Member) -> None:
    made = shared(ada, ben)
    registering.withdraw(actor=ada.actor, registration=made)
    with pytest.raises(Conflict):
        registering.confirm(actor=ben.actor, registration=made)
    assert Work.objects.count() == 0


def test_the_society_confirms_on_behalf_and_says_on_what(ada: Member, ben: Member) -> None:
    made, staff = shared(ada, ben), people.actor(ada.holder.society, "repertoire")
    with pytest.raises(Refusal):
        registering.confirm_for(actor=staff, registration=made, holder=ben.holder, reason="")
    registering.confirm_for(actor=staff, registration=made, holder=ben.holder, reason="Letter of 3 May")
    assert Work.objects.count() == 1
    assert Event.objects.get(verb="registration.share_confirmed").data["reason"] == "Letter of 3 May"
    with pytest.raises(Forbidden):
        registering.confirm_for(
            actor=people.actor(ada.holder.society, "finance"), registration=made, holder=ben.holder, reason="x"
        )


# What is entered


@pytest.mark.parametrize("who", ["M-2", "m-2@soc.example", "M-2@SOC.example", "14107338", "ben cho"])
def test_a_co_holder_is_found_by_reference_address_number_or_exact_name(ada: Member, ben: Member, who: str) -> None:
    made = registered(ada, Named("", "1/2"), Named(who, "1/2"))
    assert made.unknown == () and made.registration.shares.filter(holder=ben.holder).exists()


@pytest.mark.parametrize("who", ["Ben", "M-", "%", "ben%", "M-9", "nobody@x.example"])
def test_nobody_is_found_by_a_part_and_the_share_is_left_unrecorded(ada: Member, ben: Member, who: str) -> None:
    made = registered(ada, Named("", "1/2"), Named(who, "1/2"))
    assert made.unknown == (who,)
    assert [(s.holder.ref, s.ppm) for s in Share.objects.all()] == [("M-1", 500_000)]
    assert Letter.objects.count() == ("@" in who)


def test_two_of_the_same_name_are_nobody(ada: Member, ben: Member, soc: Organisation) -> None:
    Holder.objects.create(society=soc, ref="M-22", name="Ben Cho")
    assert registered(ada, Named("", "1/2"), Named("Ben Cho", "1/2")).unknown == ("Ben Cho",)


def test_the_list_of_members_cannot_be_read_out(ada: Member, ben: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registering, "MOST_LOOK_UPS", 3)
    for n in range(3):
        registered(ada, Named("", "1/2"), Named(f"X-{n}", "1/2"), title=f"T{n}")
    with pytest.raises(Refusal) as refused:
        registered(ada, Named("", "1/2"), Named("M-2", "1/2"))
    assert refused.value.code == "too_often"
    monkeypatch.setattr(registering, "MOST_LOOK_UPS", 100)
    made = shared(ada, ben)
    page = browser(ada.user).get(f"/registrations/{made.pk}/").content.decode()
    assert "M-2" in page and "Ben Cho" not in page  # until Ben has confirmed
    registering.confirm(actor=ben.actor, registration=made)
    assert "Ben Cho" in browser(ada.user).get(f"/registrations/{made.pk}/").content.decode()


def test_a_member_of_another_society_is_not_found(ada: Member) -> None:
    other = member(society("OTHER"), "X-1", "Other One")
    assert registered(ada, Named("", "1/2"), Named(other.user.email, "1/2")).unknown == (other.user.email,)


@pytest.mark.parametrize(
    "lines",
    [
        [Named("", "51%"), Named("M-2", "1/2")],
        [Named("", "1/3"), Named("M-2", "1/3"), Named("X", "333334ppm")],
        [Named("M-2", "1/2")],
        [Named("", "1/2"), Named("", "1/2")],
        [Named("", "half")],
        [Named("", "0%")],
        [Named("", "1/2", "r" * 21)],
        [Named("", "1/2"), Named("M-2", "1/4"), Named("m-2@soc.example", "1/4")],
    ],
    ids=str,
)
def test_shares_that_do_not_fit_are_refused_and_nothing_is_kept(ada: Member, ben: Member, lines: list[Named]) -> None:
    with pytest.raises(Refusal):
        registered(ada, *lines)
    assert (Registration.objects.count(), Work.objects.count(), Notice.objects.count()) == (0, 0, 0)


@given(parts=st.lists(st.integers(1, 50), min_size=1, max_size=7))
def test_shares_registered_are_never_more_than_the_whole(parts: list[int]) -> None:
    """Fractions of one whole sum to it exactly, whatever they are."""
    from licensing.repertoire.core import Part, parse_share, ppm_of

    whole = sum(parts)
    claims = [Part(f"H{n}", "", parse_share(f"{part}/{whole}")) for n, part in enumerate(parts)]
    assert sum(ppm_of(claims)) == 1_000_000


@pytest.mark.parametrize(
    "wrong", [{"kind": "poem"}, {"title": " "}, {"published": "yesterday"}, {"identifiers": ["isbn:123"]}], ids=str
)
def test_a_bad_field_is_named(ada: Member, wrong: dict[str, Any]) -> None:
    with pytest.raises(Refusal) as refused:
        registered(ada, **wrong)
    assert refused.value.pointer == f"/{next(iter(wrong))}"


def test_an_identifier_names_one_work(ada: Member, ben: Member) -> None:
    waiting = shared(ada, ben, identifiers=[ISBN])
    registered(ben, identifiers=["isbn:0-306-40615-2"])
    with pytest.raises(Conflict):
        registered(ada, identifiers=[ISBN])
    with pytest.raises(Conflict):  # it was free when it was entered
        registering.confirm(actor=ben.actor, registration=waiting)
    waiting.refresh_from_db()
    assert (waiting.status, Work.objects.count()) == ("open", 1)
    assert RegistrationShare.objects.get(registration=waiting, holder=ben.holder).confirmed_at is None


def test_similar_works_are_shown_before_anything_is_saved(ada: Member, soc: Organisation) -> None:
    work = Work.objects.create(society=soc, ref="W-1", kind="book", title="a  book")
    Identifier.objects.create(society=soc, work=work, scheme="isbn", value="9780306406157")
    client, data = browser(ada.user), form(ada, title="A Book")
    page = client.post("/registrations/new/", data)
    assert "W-1" in page.content.decode() and Registration.objects.count() == 0
    client.post("/registrations/new/", data | {"different": "on"})
    assert Registration.objects.get().status == "confirmed"
    assert registering.similar_works(soc.pk, "Something else", [ISBN]) == [work]


def test_a_co_holder_who_is_no_member_is_asked_about_before_anything_is_saved_or_mailed(ada: Member) -> None:
    client, data = browser(ada.user), form(ada, "bne@x.example")
    page = client.post("/registrations/new/", data).content.decode()
    assert "No member was found for: bne@x.example." in page and 'name="unfound"' in page
    assert not Registration.objects.exists() and not Letter.objects.exists()
    client.post("/registrations/new/", data | {"unfound": "on"})
    assert Registration.objects.get().status == "confirmed"
    assert Letter.objects.get().email == "bne@x.example"
    assert 'name="unfound"' not in client.get("/registrations/new/").content.decode()


def form(by: Member, *others: str, **fields: str) -> dict[str, str]:
    lines = {
        "lines-TOTAL_FORMS": str(1 + len(others)),
        "lines-INITIAL_FORMS": "1",
        "lines-0-share": f"1/{1 + len(others)}",
    }
    for n, who in enumerate(others, 1):
        lines |= {f"lines-{n}-who": who, f"lines-{n}-share": f"1/{1 + len(others)}"}
    return {"holder": str(by.holder.pk), "title": "T", "kind": "book"} | lines | fields


def test_members_do_all_of_it_on_pages(ada: Member, ben: Member) -> None:
    mine, theirs = browser(ada.user), browser(ben.user)
    more = mine.post("/registrations/new/", form(ada, "M-2") | {"more": "1"})
    assert "lines-3-who" in more.content.decode() and Registration.objects.count() == 0
    answer = mine.post("/registrations/new/", form(ada, "M-2"))
    made = Registration.objects.get()
    assert answer.headers["Location"] == f"/registrations/{made.pk}/"
    assert "Waits for you" in theirs.get("/registrations/").content.decode()
    assert "Yes, confirm my share" in theirs.get(f"/registrations/{made.pk}/").content.decode()
    assert theirs.get(f"/registrations/{made.pk}/change/").status_code == 404
    mine.post(f"/registrations/{made.pk}/change/", form(ada, "M-2", title="New"))
    made.refresh_from_db()
    assert made.title == "New"
    theirs.post(f"/registrations/{made.pk}/object/", {"reason": "No."})
    made.refresh_from_db()
    assert made.status == "objected"
    again = mine.get("/registrations/new/", {"from": made.pk}).content.decode()
    assert 'value="New"' in again and 'value="M-2"' in again


# Who may


def test_strangers_find_nothing(ada: Member, ben: Member, cho: Member) -> None:
    made = shared(ada, ben)
    client = browser(cho.user)
    assert client.get(f"/registrations/{made.pk}/").status_code == 404
    for act in ("confirm", "object", "withdraw", "confirm-for", "change"):
        assert client.post(f"/registrations/{made.pk}/{act}/", {"reason": "x", "holder": "M-2"}).status_code == 404, act
    with pytest.raises(NotFound):
        registering.confirm(actor=cho.actor, registration=made)
    with pytest.raises(NotFound):
        registering.withdraw(actor=ben.actor, registration=made)
    with pytest.raises(NotFound):
        registering.register(actor=ben.actor, holder=ada.holder, lines=[Named("", "1/1")], kind="book", title="T")
    other = people.actor(society("OTHER"), "repertoire")
    with pytest.raises(NotFound):
        registering.confirm_for(actor=other, registration=made, holder=ben.holder, reason="x")
    assert Work.objects.count() == 0


def test_a_delegate_for_money_registers_nothing(soc: Organisation, ada: Member) -> None:
    money = member(soc, "M-9", "Money Man", scope="finance")
    with pytest.raises(Forbidden):
        registered(money)
    made = shared(ada, money)
    with pytest.raises(Forbidden):
        registering.confirm(actor=money.actor, registration=made)


# At once


@pytest.fixture
def waiting(committed_db: Any) -> tuple[Registration, Member, Member]:
    cache.clear()
    soc = society()
    one, two, three = (member(soc, f"M-{n}", f"Name {n}") for n in (1, 2, 3))
    return shared(one, two, three), two, three


def both(waiting: tuple[Registration, Member, Member]) -> list[Any]:
    made, two, three = waiting
    actors = two.actor, three.actor
    return together(*[lambda a=a: registering.confirm(actor=a, registration=made) for a in actors])


def test_two_confirmations_at_once_make_one_work(waiting: tuple[Registration, Member, Member]) -> None:
    assert not [each for each in both(waiting) if isinstance(each, Exception)]
    waiting[0].refresh_from_db()
    assert (waiting[0].status, Work.objects.count(), Share.objects.count()) == ("confirmed", 1, 3)


def test_without_the_lock_the_race_is_seen(
    waiting: tuple[Registration, Member, Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each sees the other as still to come, and nobody makes the work."""
    written, seen = threading.Barrier(2), threading.Barrier(2)
    note, confirmed = registering._note, registering._confirmed

    def unlocked(registration: Registration) -> Registration:
        return Registration.objects.select_related("holder", "society").get(pk=registration.pk)

    def slowly(actor: Any, what: str, *more: Any, **data: Any) -> None:
        note(actor, what, *more, **data)
        if what == "share_confirmed":
            written.wait(10)

    def then_waits(*given: Any, **data: str) -> Registration:
        made = confirmed(*given, **data)
        seen.wait(10)  # both have looked for the other, neither has committed
        return made

    monkeypatch.setattr(registering, "_locked", unlocked)
    monkeypatch.setattr(registering, "_note", slowly)
    monkeypatch.setattr(registering, "_confirmed", then_waits)
    both(waiting)
    waiting[0].refresh_from_db()
    assert (waiting[0].status, Work.objects.count()) == ("open", 0)
