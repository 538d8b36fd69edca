"""Works claimed for more than the whole are held until the claimants settle it; a disputed share is held, and only that share
(domain: Distribution, 6). Who claims sees the conflict, agrees or objects, and the settlement is recorded with its first day."""

from __future__ import annotations

import datetime
import io
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.cache import cache
from django.db import DatabaseError, connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.evidence.models import Event
from accounts.identity.core import Actor, Conflict, Forbidden, NotFound, Refusal
from accounts.identity.models import User
from accounts.notices.models import Notice
from accounts.organisations.models import Organisation
from config.actors import actor_of_user
from licensing.disputes import core, services
from licensing.disputes.models import Dispute
from licensing.repertoire.models import Share, Work
from tests.accounts import people
from tests.licensing.joining_world import Member, member, society

pytestmark = pytest.mark.django_db
JANUARY, MARCH, JULY, OCTOBER = (datetime.date(2026, month, 1) for month in (1, 3, 7, 10))
Row = tuple[str, int, datetime.date | None, datetime.date | None]


@pytest.fixture(autouse=True)
def _nothing_counted() -> None:
    cache.clear()


@dataclass
class World:
    society: Organisation
    members: dict[str, Member]

    def work(self, ref: str, *rows: Row) -> Work:
        work = Work.objects.create(society=self.society, ref=ref, title=f"Work {ref}", kind="book")
        Share.objects.bulk_create(
            [
                Share(work=work, holder=self.members[who].holder, ppm=ppm, valid=DateRange(since, until))
                for who, ppm, since, until in rows
            ]
        )
        return work

    def staff(self, role: str = "repertoire") -> Actor:
        email = f"{role}@soc.example"
        user = User.objects.filter(email=email).first()
        return actor_of_user(user, self.society.pk) if user else people.actor(self.society, role, email)

    def found(self) -> Dispute:
        services.find_overclaimed(self.society)
        return Dispute.objects.get(status="open")

    def key(self, who: str, role: str = "") -> tuple[int, str]:
        return self.members[who].holder.pk, role

    def propose(self, who: str, dispute: Dispute, since: datetime.date | None = None, **shares: str) -> Dispute:
        split = {self.key(name): share for name, share in shares.items()}
        return services.propose(actor=self.members[who].actor, dispute=dispute, shares=split, since=since)


def made_world() -> World:
    own = society()
    return World(own, {name: member(own, name, f"Member {name}") for name in "ABC"})


@pytest.fixture
def world() -> World:
    return made_world()


def shares(work: Work) -> list[tuple[str, int, Any, Any, bool]]:
    rows = work.shares.select_related("holder").order_by("holder__ref", "valid")
    return [(s.holder.ref, s.ppm, s.valid.lower, s.valid.upper, s.disputed) for s in rows]


# Found


def test_a_work_is_in_conflict_on_the_days_on_which_its_shares_exceed_the_whole(world: World) -> None:
    world.work("FINE", ("A", 600_000, None, JULY), ("B", 600_000, JULY, None))  # never on the same day
    world.work("OVER", ("A", 600_000, None, None), ("B", 300_000, JANUARY, None), ("C", 200_000, MARCH, JULY))
    found = world.found()
    assert (found.work.ref, found.days, found.claimed) == ("OVER", DateRange(MARCH, JULY), 1_100_000)
    assert [(p.holder.ref, p.position) for p in found.parties.order_by("holder__ref")] == [
        ("A", "silent"), ("B", "silent"), ("C", "silent"),
    ]  # fmt: skip
    assert found.due_on == found.opened_on + datetime.timedelta(days=30)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(100_000, 1_000_000), st.integers(0, 11), st.integers(1, 12), st.booleans(), st.booleans()),
        min_size=1, max_size=3,
    )
)  # fmt: skip
def test_the_days_found_are_those_that_adding_up_each_day_gives(rows: list[tuple[int, int, int, bool, bool]]) -> None:
    """Against every month of a year, added up by hand; the hull of the days over the whole."""
    first = [datetime.date(2026 + n // 12, n % 12 + 1, 1) for n in range(25)]
    made = [
        (name, ppm, None if open_start else first[start], None if open_end else first[start + length])
        for name, (ppm, start, length, open_start, open_end) in zip("ABC", rows, strict=False)
    ]
    with transaction.atomic():
        world = made_world()
        world.work("W", *made)
        services.find_overclaimed(world.society)
        found = Dispute.objects.filter(work__ref="W").first()
        days = [datetime.date(2025, 12, 1), *first]
        over = [
            day for day in days
            if sum(ppm for _n, ppm, since, until in made if (since is None or since <= day) and (until is None or day < until)) > 1_000_000
        ]  # fmt: skip
        assert bool(over) == (found is not None)
        if found is not None:
            within = [day for day in days if day in found.days]
            assert (within[0], within[-1]) == (over[0], over[-1])
        transaction.set_rollback(True)


def test_a_second_look_opens_nothing_twice_and_ends_what_was_corrected(world: World) -> None:
    work = world.work("W", ("A", 600_000, None, None), ("B", 600_000, None, None))
    assert services.find_overclaimed(world.society) == 1
    assert services.find_overclaimed(world.society) == 0
    assert Notice.objects.filter(user=world.members["A"].user).count() == 1
    work.shares.filter(holder__ref="B").update(ppm=400_000)
    services.find_overclaimed(world.society)
    ended = Dispute.objects.get()
    assert (ended.status, ended.outcome) == ("withdrawn", "The shares on record are no more than the whole any more.")


def test_changed_shares_take_a_proposal_and_its_agreements_away(world: World) -> None:
    work = world.work("W", ("A", 600_000, None, None), ("B", 600_000, None, None))
    dispute = world.propose("A", world.found(), A="50%", B="50%")
    Share.objects.create(work=work, holder=world.members["C"].holder, ppm=100_000, valid=DateRange(None, None))
    dispute = world.found()
    assert (dispute.split, dispute.claimed, dispute.parties.count()) == ([], 1_300_000, 3)
    with pytest.raises(Conflict):
        services.agree(actor=world.members["B"].actor, dispute=dispute, revision=1)


# Agreed


def test_once_all_agree_the_shares_change_from_the_agreed_day_on(world: World) -> None:
    work = world.work("W", ("A", 800_000, None, None), ("B", 600_000, MARCH, None))
    dispute = world.propose("A", world.found(), A="2/3", B="1/3", since=JULY)
    assert dispute.status == "open"
    settled = services.agree(actor=world.members["B"].actor, dispute=dispute, revision=dispute.revision)
    assert settled.status == "settled"
    assert shares(work) == [
        ("A", 800_000, None, JULY, False), ("A", 666_667, JULY, None, False),
        ("B", 600_000, MARCH, JULY, False), ("B", 333_333, JULY, None, False),
    ]  # fmt: skip
    assert {"dispute.proposed", "dispute.settled"} <= set(
        Event.objects.about("dispute", dispute.pk).values_list("verb", flat=True)
    )
    assert Notice.objects.filter(user=world.members["A"].user, subject__contains="settled").exists()


def test_a_settlement_without_a_day_holds_for_all_days_of_the_conflict_and_for_no_others(world: World) -> None:
    work = world.work("W", ("A", 800_000, None, None), ("B", 600_000, MARCH, JULY))
    dispute = world.propose("A", world.found(), A="500000ppm", B="1/2")
    services.agree(actor=world.members["B"].actor, dispute=dispute, revision=1)
    assert shares(work) == [
        ("A", 800_000, None, MARCH, False), ("A", 500_000, MARCH, JULY, False), ("A", 800_000, JULY, None, False),
        ("B", 500_000, MARCH, JULY, False),
    ]  # fmt: skip
    assert services.find_overclaimed(world.society) == 0


def test_who_is_left_without_a_share_has_to_agree_too(world: World) -> None:
    work = world.work("W", ("A", 1_000_000, None, None), ("B", 400_000, None, None))
    dispute = world.propose("A", world.found(), A="100%")
    assert dispute.status == "open" and len(shares(work)) == 2
    services.agree(actor=world.members["B"].actor, dispute=dispute, revision=1)
    assert shares(work) == [("A", 1_000_000, None, None, False)]


def test_another_proposal_takes_earlier_agreements_away(world: World) -> None:
    world.work("W", ("A", 800_000, None, None), ("B", 600_000, None, None), ("C", 100_000, None, None))
    dispute = world.propose("A", world.found(), A="50%", B="50%")
    services.agree(actor=world.members["B"].actor, dispute=dispute, revision=1)
    dispute = world.propose("C", dispute, A="45%", B="45%", C="10%")
    with pytest.raises(Conflict, match="Another split"):
        services.agree(actor=world.members["A"].actor, dispute=dispute, revision=1)
    services.agree(actor=world.members["A"].actor, dispute=dispute, revision=2)
    dispute.refresh_from_db()
    assert dispute.status == "open"  # B agreed to the first one only
    assert services.agree(actor=world.members["B"].actor, dispute=dispute, revision=2).status == "settled"


def test_a_split_over_the_whole_or_outside_the_conflict_is_refused(world: World) -> None:
    world.work("W", ("A", 800_000, MARCH, JULY), ("B", 600_000, MARCH, JULY))
    dispute = world.found()
    for since, split, wrong in (
        (None, {"A": "60%", "B": "40.0001%"}, "/split"), (None, {"A": "half"}, "/split/0"), (None, {}, "/split"),
        (JANUARY, {"A": "60%"}, "/since"), (JULY, {"A": "60%"}, "/since"),
    ):  # fmt: skip
        with pytest.raises(Refusal) as refused:
            world.propose("A", dispute, since, **split)
        assert refused.value.pointer == wrong
    with pytest.raises(NotFound):
        world.propose("A", dispute, C="10%")  # who claims nothing
    assert Dispute.objects.get().revision == 0


def test_who_objects_says_and_shows_why(world: World) -> None:
    world.work("W", ("A", 800_000, None, None), ("B", 600_000, None, None))
    dispute, b = world.propose("A", world.found(), A="100%"), world.members["B"].actor
    with pytest.raises(Refusal):
        services.object_to(actor=b, dispute=dispute, statement=" ")
    services.object_to(
        actor=b, dispute=dispute, statement="I wrote it.", evidence=io.BytesIO(b"%PDF contract"), name="c.pdf"
    )
    party = dispute.parties.get(holder__ref="B")
    assert (party.position, party.evidence.name, party.agreed_to) == ("objected", "c.pdf", None)
    told = Notice.objects.filter(user=world.members["A"].user, subject__contains="objects").get()
    assert "I wrote it." in told.body


# One share


def test_a_raised_dispute_holds_that_share_alone_and_a_settlement_lets_it_go(world: World) -> None:
    work = world.work("W", ("A", 600_000, None, None), ("B", 400_000, None, None))
    share = work.shares.get(holder__ref="B")
    dispute = services.raise_dispute(actor=world.members["A"].actor, share=share, reason="It was sold to me.")
    assert [row[4] for row in shares(work)] == [False, True]
    with pytest.raises(Conflict, match="disputed already"):
        services.raise_dispute(actor=world.staff(), share=share, reason="Again.")
    dispute = world.propose("A", dispute, A="60%", B="40%")
    services.agree(actor=world.members["B"].actor, dispute=dispute, revision=1)
    assert shares(work) == [("A", 600_000, None, None, False), ("B", 400_000, None, None, False)]


def test_the_society_names_who_claims_beside_the_register(world: World) -> None:
    work = world.work("W", ("A", 1_000_000, None, None))
    share, c = work.shares.get(), world.members["C"]
    assert not Dispute.objects.visible_to(c.actor).exists()
    dispute = services.raise_dispute(actor=world.staff(), share=share, reason="An heir wrote to us.", claimant=c.holder)
    world.propose("C", dispute, A="50%", C="50%")
    services.agree(actor=world.members["A"].actor, dispute=dispute, revision=1)
    assert shares(work) == [("A", 500_000, None, None, False), ("C", 500_000, None, None, False)]


def test_who_raised_it_or_the_society_withdraws_it_with_a_reason(world: World) -> None:
    work = world.work("W", ("A", 600_000, None, None), ("B", 400_000, None, None))
    dispute = services.raise_dispute(
        actor=world.members["A"].actor, share=work.shares.get(holder__ref="B"), reason="Mine."
    )
    with pytest.raises(NotFound):
        services.withdraw(actor=world.members["B"].actor, dispute=dispute, reason="No.")
    services.withdraw(actor=world.staff(), dispute=dispute, reason="No ground.")
    assert not any(row[4] for row in shares(work))
    with pytest.raises(Conflict, match="over"):
        world.propose("A", dispute, A="100%")


def test_a_stranger_neither_sees_nor_raises(world: World) -> None:
    work = world.work("W", ("A", 800_000, None, None), ("B", 600_000, None, None))
    dispute, stranger = world.found(), world.members["C"].actor
    for act in (
        lambda: services.object_to(actor=stranger, dispute=dispute, statement="x"),
        lambda: services.agree(actor=stranger, dispute=dispute, revision=0),
        lambda: services.raise_dispute(actor=stranger, share=work.shares.first(), reason="x"),
        lambda: services.propose(actor=people.actor(society("OTHER"), "repertoire"), dispute=dispute, shares={}),
    ):
        with pytest.raises(NotFound):
            act()


# Decided


def test_a_decision_takes_a_document_and_two_people(world: World) -> None:
    work = world.work("W", ("A", 800_000, None, None), ("B", 600_000, None, None))
    dispute, one, other = world.found(), world.staff("administrator"), world.staff("distribution")
    split = {world.key("A"): "70%", world.key("B"): "30%"}
    with pytest.raises(Refusal, match="Add the judgment"):
        services.ask_decision(actor=one, dispute=dispute, shares=split, ground="Court, 12 May", document=None)
    services.ask_decision(
        actor=one, dispute=dispute, shares=split, ground="Court, 12 May", document=io.BytesIO(b"judgment"), since=MARCH
    )
    with pytest.raises(Forbidden, match="second person"):
        services.decide_dispute(actor=one, dispute=dispute, approve=True)
    decided = services.decide_dispute(actor=other, dispute=dispute, approve=True)
    assert (decided.status, decided.outcome) == ("decided", "Court, 12 May")
    assert shares(work)[1::2] == [("A", 700_000, MARCH, None, False), ("B", 300_000, MARCH, None, False)]
    assert services.find_overclaimed(world.society) == 1  # the days before are still claimed for more than the whole


def test_a_refused_decision_or_a_new_proposal_leaves_it_open(world: World) -> None:
    work = world.work("W", ("A", 800_000, None, None), ("B", 600_000, None, None))
    dispute, other = world.found(), world.staff("distribution")
    ask: dict[str, Any] = {
        "actor": world.staff("administrator"),
        "dispute": dispute,
        "shares": {world.key("A"): "100%"},
        "ground": "G",
    }
    services.ask_decision(**ask, document=io.BytesIO(b"judgment"))
    assert services.decide_dispute(actor=other, dispute=dispute, approve=False).status == "open"
    services.ask_decision(**ask, document=None)  # with the document that is there
    dispute.refresh_from_db()
    world.propose("A", dispute, A="50%", B="50%")
    with pytest.raises(Conflict, match="changed since"):
        services.decide_dispute(actor=other, dispute=dispute, approve=True)
    assert len(shares(work)) == 2 and shares(work)[0][1] == 800_000


def test_how_it_ended_stays(world: World) -> None:
    world.work("W", ("A", 800_000, None, None), ("B", 600_000, None, None))
    dispute = world.propose("A", world.found(), A="50%", B="50%")
    services.agree(actor=world.members["B"].actor, dispute=dispute, revision=1)
    for statement in (
        "UPDATE licensing_dispute SET split = '[]'", "DELETE FROM licensing_dispute",
        "UPDATE licensing_disputeparty SET position = 'objected'",
        "DELETE FROM licensing_disputeparty",
    ):  # fmt: skip
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


# Time


def test_who_is_silent_is_reminded_once_for_each_day_named_and_then_the_society_hears(world: World) -> None:
    today = timezone.localdate()
    services.set_terms(actor=world.staff(), society=world.society, answer_days=20, reminders=[5, 10], valid_from=today)
    world.work("W", ("A", 800_000, None, None), ("B", 600_000, None, None))
    dispute = world.propose("A", world.found(), A="50%", B="50%")
    assert dispute.due_on == today + datetime.timedelta(days=20)

    def reminded(left: int) -> tuple[int, int, int]:
        Dispute.objects.filter(pk=dispute.pk).update(
            due_on=today + datetime.timedelta(days=left), opened_on=dispute.opened_on
        )
        services.remind()
        services.remind()
        told = Notice.objects.filter(kind="dispute")
        of = [told.filter(user=world.members[who].user, subject__contains="due by").count() for who in "AB"]
        return of[0], of[1], told.filter(subject__contains="not settled in time").count()

    assert reminded(11) == (0, 0, 0)
    assert reminded(10) == (0, 1, 0)  # A has answered
    assert reminded(4) == (0, 2, 0)
    Dispute.objects.filter(pk=dispute.pk).update(due_on=today + datetime.timedelta(days=1))
    services.remind()
    assert Notice.objects.filter(subject__contains="not settled in time").count() == 0  # the last day is in time


def test_all_agree_only_to_the_proposal_of_now() -> None:
    assert core.all_agree([3, 3], 3) and not core.all_agree([3, 2], 3) and not core.all_agree([0, 0], 0)


# Pages


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_pages_from_the_conflict_to_its_end(world: World) -> None:
    world.work("W", ("A", 800_000, None, None), ("B", 600_000, None, None))
    dispute = world.found()
    a, b, c = (browser(world.members[who].user) for who in "ABC")
    assert "Work W" in a.get("/disputes/").content.decode() and "Work W" not in c.get("/disputes/").content.decode()
    where = f"/disputes/{dispute.pk}/"
    assert c.get(where).status_code == 404 and "140%" in a.get(where).content.decode()
    assert a.post(f"{where}propose/", {"share_0": "70%", "share_1": "60%"}).status_code == 422
    assert a.post(f"{where}propose/", {"share_0": "70%", "share_1": "30%"}).status_code == 302
    assert b.post(f"{where}object/", {"object-statement": "Half is mine."}).status_code == 302
    assert "Half is mine." in a.get(where).content.decode()
    assert b.post(f"{where}agree/", {"revision": "1"}).status_code == 302
    assert "Settled." in a.get(where).content.decode()
    assert c.post(f"{where}agree/", {"revision": "1"}).status_code == 404


def test_pages_to_dispute_a_share_and_to_decide(world: World) -> None:
    work = world.work("W", ("A", 600_000, None, None), ("B", 400_000, None, None))
    share = work.shares.get(holder__ref="B")
    a, c = browser(world.members["A"].user), browser(world.members["C"].user)
    assert f"/disputes/of-share/{share.pk}/" in a.get(f"/works/{work.pk}/").content.decode()
    assert c.get(f"/disputes/of-share/{share.pk}/").status_code == 404
    made = a.post(f"/disputes/of-share/{share.pk}/", {"reason": "Sold to me.", "evidence": io.BytesIO(b"contract")})
    dispute = Dispute.objects.get()
    assert made.status_code == 302 and made.url == f"/disputes/{dispute.pk}/"
    party = dispute.parties.get(holder__ref="A")
    answer = a.get(f"/disputes/{dispute.pk}/evidence/{party.pk}/")
    assert b"".join(answer.streaming_content) == b"contract" and "attachment" in answer["Content-Disposition"]
    one, other = (browser(User.objects.get(pk=world.staff(role).user_id)) for role in ("administrator", "distribution"))
    asked = {
        "decision-share_0": "60%",
        "decision-share_1": "40%",
        "decision-ground": "Court",
        "decision-document": io.BytesIO(b"x"),
    }
    assert one.post(f"/disputes/{dispute.pk}/ask-decision/", asked).status_code == 302
    assert "A decision waits" in other.get(f"/disputes/{dispute.pk}/").content.decode()
    assert other.post(f"/disputes/{dispute.pk}/decide/", {"decision": "approve"}).status_code == 302
    assert other.get("/disputes/?status=decided").content.decode().count("Work W") >= 1
    assert one.get("/disputes/terms/").status_code == 200
    assert (
        one.post("/disputes/terms/", {"answer_days": "14", "reminders": "7,2", "valid_from": "2026-01-01"}).status_code
        == 302
    )
