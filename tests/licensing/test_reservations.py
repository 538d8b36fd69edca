"""Reservations through their life: received, checked, effective; ended by rejection, withdrawal or a newer one."""

from __future__ import annotations

import datetime as dt
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from accounts.access.models import Membership
from accounts.evidence.models import Event
from accounts.identity.core import SYSTEM, Actor, Conflict, Forbidden, NotFound, Refusal
from accounts.identity.models import User
from accounts.notices.models import Letter, Notice
from accounts.organisations.models import Organisation
from licensing.permissions.core import deadlines
from licensing.permissions.models import Reservation
from licensing.permissions.services import reminding, reservations
from licensing.permissions.services.targets import Claimant, Target
from licensing.repertoire.models import Holder, Share, Work
from tests.licensing.parties import organisation, staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def society() -> Organisation:
    return organisation("KOLAA", "society")


@pytest.fixture
def holder(society: Organisation) -> Holder:
    return Holder.objects.create(society=society, ref="H-1", name="Kim")


@pytest.fixture
def work(society: Organisation, holder: Holder) -> Work:
    work = Work.objects.create(society=society, ref="W-1", kind="book", title="Poems")
    Share.objects.create(work=work, holder=holder, ppm=1_000_000, valid=("2020-01-01", None))
    return work


def member(*holders: Holder) -> Actor:
    return Actor(
        kind="user", id=9, label="member", user_id=None, permissions=frozenset({"reservations.make"}),
        holder_ids=frozenset(h.pk for h in holders),
    )  # fmt: skip


def reserve(society: Organisation, target: Target, **more: Any) -> Reservation:
    wanted: dict[str, Any] = {"actor": SYSTEM, "uses": ["train"], "source": "staff", "claimant": Claimant(name="Kim")}
    return reservations.reserve(society=society, target=target, **(wanted | more))


def ask(society: Organisation, target: Target, **more: Any) -> Reservation:
    who = Claimant(name="Lee", email="Lee@Example.com", role="photographer", language="en")
    return reservations.request(society=society, target=target, uses=["*"], claimant=who, **more)


def letters() -> list[Letter]:
    return list(Letter.objects.order_by("id"))


def key_in(letter: Letter) -> str:
    return parse_qs(urlsplit(letter.link).query)["key"][0]


def test_a_member_reserves_a_work_of_theirs_and_it_is_effective_at_once(
    society: Organisation, holder: Holder, work: Work
) -> None:
    made = reserve(society, Target.work(work), actor=member(holder), claimant=Claimant(holder), source="member")
    assert made.status == "effective"
    assert made.received_at is not None and made.received_at <= timezone.now()
    assert made.effective_from == made.received_at
    assert Event.objects.about("reservation", made.pk).get().verb == "reservation.received"


def test_a_member_reserves_nothing_that_is_anothers(society: Organisation, holder: Holder, work: Work) -> None:
    other = Holder.objects.create(society=society, ref="H-2", name="Lee")
    with pytest.raises(NotFound):
        reserve(society, Target.work(work), actor=member(other), claimant=Claimant(other))
    with pytest.raises(NotFound):
        reserve(society, Target.of_holder(holder), actor=member(other), claimant=Claimant(other))
    with pytest.raises(Forbidden):
        reserve(society, Target.work(work), actor=member(other), claimant=Claimant(holder))
    assert not Reservation.objects.exists()


def test_a_place_that_nobody_has_proved_is_checked_within_five_working_days_and_counts_meanwhile(
    society: Organisation, holder: Holder
) -> None:
    made = reserve(society, Target.place("example.com"), actor=member(holder), claimant=Claimant(holder))
    assert made.status == "received"
    assert made.due_on is not None and made.due_on - timezone.localdate() >= dt.timedelta(7)
    assert made in Reservation.objects.counting(timezone.now())


def test_the_same_again_gives_the_one_that_stands(society: Organisation) -> None:
    first = reserve(society, Target.identifier("isbn", "978-0-306-40615-7"))
    assert reserve(society, Target.identifier("isbn", "0306406152")) == first
    assert reserve(society, Target.identifier("isbn", "0306406152"), uses=["ground"]) != first
    assert Event.objects.filter(verb="reservation.received").count() == 2


def test_a_reservation_never_counts_backwards(society: Organisation) -> None:
    with pytest.raises(Refusal, match="never backwards"):
        reserve(society, Target.place("example.com"), effective_from=timezone.now() - dt.timedelta(seconds=1))
    later = timezone.now() + dt.timedelta(days=30)
    assert reserve(society, Target.place("example.com"), effective_from=later).effective_from == later


def test_anyones_reservation_counts_once_its_link_is_opened(
    society: Organisation,
) -> None:
    asked = ask(society, Target.place("lee.example.com"))
    assert asked.status == "unconfirmed" and asked.received_at is None
    key = key_in(letters()[0])
    with pytest.raises(NotFound):
        reservations.confirm(asked.ref, "another")
    with pytest.raises(NotFound):
        reservations.by_ref(asked.ref)
    confirmed = reservations.confirm(asked.ref, key)
    assert confirmed.status == "received" and confirmed.due_on is not None
    assert letters()[1].email == "lee@example.com"
    assert reservations.confirm(asked.ref, key).received_at == confirmed.received_at
    assert Event.objects.about("reservation", asked.pk).filter(verb="reservation.received").count() == 1


def test_whoever_asks_twice_is_mailed_a_new_link_to_the_one_reservation(
    society: Organisation,
) -> None:
    first = ask(society, Target.place("lee.example.com"))
    assert ask(society, Target.place("lee.example.com")) == first
    reservations.confirm(first.ref, key_in(letters()[1]))
    assert ask(society, Target.place("lee.example.com")).status == "received"


def test_whoever_lost_the_link_asks_again_and_is_mailed_a_fresh_one(society: Organisation) -> None:
    asked = ask(society, Target.place("lee.example.com"))
    lost = key_in(letters()[0])
    confirmed = reservations.confirm(asked.ref, lost)
    again = ask(society, Target.place("lee.example.com"))
    assert again == confirmed and again.received_at == confirmed.received_at
    letter = letters()[-1]
    assert letter.email == "lee@example.com" and f"/{asked.ref}/" in letter.link
    with pytest.raises(NotFound):
        reservations.by_key(asked.ref, lost)
    reservations.withdraw(reservation=again, key=key_in(letter))
    assert ask(society, Target.place("lee.example.com")) != again, "what was withdrawn is reserved anew"


def test_the_fresh_link_leads_to_the_work_as_which_it_was_accepted(society: Organisation, work: Work) -> None:
    typed = ask(society, Target.identifier("isbn", "978-0-306-40615-7"))
    reservations.confirm(typed.ref, key_in(letters()[0]))
    typed.refresh_from_db()
    clerk = staff(society, "reservations.manage")
    accepted = reservations.supersede(actor=clerk, reservation=typed, target=Target.work(work))
    assert ask(society, Target.identifier("isbn", "978-0-306-40615-7")) == accepted
    assert reservations.by_key(accepted.ref, key_in(letters()[-1])) == accepted
    assert Reservation.objects.count() == 2


def test_the_society_accepts_or_rejects_what_was_received_once(society: Organisation) -> None:
    clerk = staff(society, "reservations.manage")
    made = reserve(society, Target.place("example.com"))
    assert reservations.accept(actor=clerk, reservation=made).status == "effective"
    with pytest.raises(Conflict):
        reservations.reject(actor=clerk, reservation=made, reasons=[{"code": "x", "detail": "No."}])

    other = reserve(society, Target.place("example.org"))
    with pytest.raises(Refusal, match="Say why"):
        reservations.reject(actor=clerk, reservation=other, reasons=[])
    before = timezone.now()
    reservations.reject(actor=clerk, reservation=other, reasons=[{"code": "not_holder", "detail": "Not yours."}])
    assert other.status == "rejected" and other.reasons[0]["code"] == "not_holder"
    assert other in Reservation.objects.counting(before)  # it counted until then
    assert other not in Reservation.objects.counting(timezone.now())


def test_only_its_own_society_decides(society: Organisation) -> None:
    made = reserve(society, Target.place("example.com"))
    stranger = staff(organisation("OTHER", "society"), "reservations.manage")
    with pytest.raises(NotFound):
        reservations.accept(actor=stranger, reservation=made)
    with pytest.raises(Forbidden):
        reservations.withdraw(actor=stranger, reservation=made)
    with pytest.raises(Forbidden):
        reservations.accept(actor=staff(society), reservation=made)


def test_a_claimant_withdraws_by_the_key_in_the_letter(
    society: Organisation,
) -> None:
    asked = ask(society, Target.place("lee.example.com"))
    key = key_in(letters()[0])
    made = reservations.confirm(asked.ref, key)
    with pytest.raises(NotFound):
        reservations.withdraw(reservation=made, key="guess")
    with pytest.raises(Forbidden):
        reservations.withdraw(reservation=made)
    assert reservations.withdraw(reservation=made, key=key).status == "withdrawn"
    assert reservations.withdraw(reservation=made, key=key).ended_at == made.ended_at


def test_a_change_supersedes_without_a_gap_and_keeps_the_proof(
    society: Organisation, holder: Holder, work: Work
) -> None:
    old = reserve(society, Target.work(work), actor=member(holder), claimant=Claimant(holder), source="member")
    new = reservations.supersede(actor=member(holder), reservation=old, uses=["train", "ground"])
    assert (new.status, new.uses, new.supersedes) == ("effective", ["ground", "train"], old)
    assert (old.status, old.ended_at) == ("superseded", new.effective_from)
    with pytest.raises(Conflict):
        reservations.supersede(actor=member(holder), reservation=old, uses=["index"])


def test_a_ref_cannot_be_guessed_and_is_read_as_typed(society: Organisation) -> None:
    made = reserve(society, Target.place("example.com"))
    assert len(made.ref) == 16 and made.ref.startswith("R-")
    assert reservations.by_ref(f" {made.ref.lower().replace('-', ' ')}") == made
    with pytest.raises(NotFound):
        reservations.by_ref("R")


def test_the_society_is_reminded_once_before_the_day_and_once_after_it(society: Organisation) -> None:
    clerk, other = (User.objects.create_user(email=f"{n}@example.com", password=None) for n in ("clerk", "finance"))
    Membership.objects.create(user=clerk, organisation=society, role="repertoire")
    Membership.objects.create(user=other, organisation=society, role="finance")
    for host in ("a.example.com", "b.example.com"):
        made = reserve(society, Target.place(host))
    due = made.due_on
    assert due is not None
    day_before = next(day for n in range(1, 9) if deadlines.is_working_day(day := due - dt.timedelta(n), "KR"))

    def told(today: dt.date) -> list[str]:
        reminding.remind(today=today)
        return list(Notice.objects.filter(user=clerk).order_by("id").values_list("subject", flat=True))

    assert told(made.received_at.date()) == []
    for today in (day_before, due):
        [reminder] = told(today)
        assert reminder.startswith("2 reservations")
    assert len(told(due + dt.timedelta(1))) == len(told(due + dt.timedelta(9))) == 2
    assert not Notice.objects.filter(user=other).exists()


def test_the_queue_stands_in_order_of_urgency(society: Organisation) -> None:
    made = reserve(society, Target.place("example.com"))
    proved = reserve(society, Target.place("example.org"), proved=True)
    assert made.due_on is not None and proved.due_on is None
    assert list(Reservation.objects.waiting()) == list(Reservation.objects.due(made.due_on)) == [made]
    assert not Reservation.objects.overdue(made.due_on).exists()
    assert list(Reservation.objects.overdue(made.due_on + dt.timedelta(1))) == [made]
