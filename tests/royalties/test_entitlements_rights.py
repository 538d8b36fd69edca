"""Who else has a right to what a holder is owed: recorded by two people, held by the database, moved once."""

from __future__ import annotations

import datetime
from collections import Counter

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.evidence.models import Event
from accounts.identity.core import Conflict, Forbidden, NotFound, Refusal
from accounts.notices.models import Notice
from royalties.entitlements import services
from royalties.entitlements.core import Claim, Terms
from royalties.entitlements.models import Entitlement, EntitlementMove
from royalties.payees import services as payees
from royalties.payees.models import Payee
from tests.royalties.entitlements_world import JULY, JUNE, Estate, make_estate
from tests.royalties.payees_world import KOREAN

pytestmark = pytest.mark.django_db
AUGUST = datetime.date(2026, 8, 1)


@pytest.fixture
def estate() -> Estate:
    return make_estate()


def test_a_right_counts_once_a_second_person_approves_it(estate: Estate) -> None:
    """Four eyes: whoever records a right to somebody's money does not put it into force."""
    kim, lee = estate.payers.holder("KIM"), estate.payers.holder("LEE")
    estate.owe(kim, 1000)
    asked = estate.ask(kim, "assignment", lee)
    assert estate.transfer("early") is None
    with pytest.raises(Forbidden):
        services.decide_entitlement(actor=estate.payers.first, entitlement=asked)
    services.decide_entitlement(actor=estate.payers.second, entitlement=asked)
    estate.transfer()
    assert estate.owed(kim, lee) == [0, 1000]
    told = set(Event.objects.about("entitlement", asked.pk).values_list("verb", flat=True))
    assert {"entitlement.requested", "entitlement.approved"} <= told


def test_whoever_acts_for_the_members_money_is_told(estate: Estate) -> None:
    """A right that somebody invented is found out by those whose money it is."""
    kim, lee = estate.payers.holder("KIM"), estate.payers.holder("LEE")
    mine, theirs, poems = (estate.payers.member(kim), estate.payers.member(lee), estate.payers.member(kim, "catalogue"))
    found = estate.right(kim, "assignment", lee)
    services.request_end(actor=estate.payers.first, entitlement=found, on=JULY, reason="paid off")
    services.decide_end(actor=estate.payers.second, entitlement=found)
    told = list(Notice.objects.filter(kind="entitlement").values_list("user_id", flat=True))
    assert Counter(told) == Counter({mine.user_id: 2, theirs.user_id: 2})
    assert poems.user_id not in told


def test_a_refused_one_never_counts(estate: Estate) -> None:
    kim, lee = estate.payers.holder("KIM"), estate.payers.holder("LEE")
    estate.owe(kim, 1000)
    asked = estate.ask(kim, "assignment", lee)
    services.decide_entitlement(actor=estate.payers.second, entitlement=asked, approve=False, reason="no signature")
    assert estate.transfer() is None
    with pytest.raises(Conflict):
        services.decide_entitlement(actor=estate.payers.second, entitlement=asked)


@pytest.mark.parametrize("kind", ["assignment", "succession"])
def test_portions_of_a_kind_never_pass_the_whole_on_any_day(estate: Estate, kind: str) -> None:
    """Given 60 % in June and July; 40 % beside it is fine, 41 % from a day in July on is not, from August on it is."""
    kim = estate.payers.holder("KIM")
    heirs = [estate.payers.holder(f"H-{n}") for n in range(4)]
    estate.right(kim, kind, heirs[0], ppm=600_000, valid_to=AUGUST)
    estate.right(kim, kind, heirs[1], ppm=400_000)
    with pytest.raises(Conflict) as refused:
        estate.right(kim, kind, heirs[2], ppm=1, valid_from=datetime.date(2026, 7, 31))
    assert refused.value.code == "entitlement_portions_stay_within_the_whole"
    estate.right(kim, kind, heirs[3], ppm=600_000, valid_from=AUGUST)


def test_what_was_approved_stays_as_it_was(estate: Estate) -> None:
    kim, lee = estate.payers.holder("KIM"), estate.payers.holder("LEE")
    found = estate.right(kim, "assignment", lee, ppm=500_000)
    for change in (
        {"ppm": 600_000},
        {"to_holder": estate.payers.holder("PARK")},
        {"status": "requested"},
        {"basis": "x"},
    ):
        with pytest.raises(IntegrityError, match="what it says stays"), transaction.atomic():
            Entitlement.objects.filter(pk=found.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM royalties_entitlement WHERE id = %s", [found.pk])


def test_the_same_right_is_recorded_once_for_a_day(estate: Estate) -> None:
    kim, lee = estate.payers.holder("KIM"), estate.payers.holder("LEE")
    estate.right(kim, "assignment", lee, ppm=300_000)
    with pytest.raises(Conflict) as refused:
        estate.right(kim, "assignment", lee, ppm=300_000)
    assert refused.value.code == "entitlement_is_recorded_once_a_day"


def test_money_in_a_circle_is_refused(estate: Estate) -> None:
    kim, lee, park = (estate.payers.holder(ref) for ref in ("KIM", "LEE", "PARK"))
    estate.right(kim, "assignment", lee)
    estate.right(lee, "succession", park)
    with pytest.raises(Conflict) as refused:
        estate.right(park, "assignment", kim)
    assert refused.value.code == "money_in_a_circle"


def test_heirs_take_what_stands_there_and_what_comes_later(estate: Estate) -> None:
    """On the day of death the balance goes to the heirs, ties to the smaller reference, and so does every later amount."""
    kim, first, second = (estate.payers.holder(ref) for ref in ("KIM", "H-1", "H-2"))
    estate.owe(kim, 101, datetime.date(2026, 5, 1))
    estate.right(kim, "succession", second, ppm=500_000)
    assert estate.transfer("half") is None  # the other heir is not known yet
    estate.right(kim, "succession", first, ppm=500_000)
    estate.transfer()
    assert estate.owed(kim, first, second) == [0, 51, 50]
    estate.owe(kim, 10, JULY)
    estate.transfer("july")
    assert estate.owed(kim, first, second) == [0, 56, 55]


def test_an_assignment_leaves_earlier_balances_unless_with_arrears(estate: Estate) -> None:
    kim, lee, park, choi = (estate.payers.holder(ref) for ref in ("KIM", "LEE", "PARK", "CHOI"))
    for holder in (kim, park):
        estate.owe(holder, 100, datetime.date(2026, 5, 31))
        estate.owe(holder, 30, JUNE)
    estate.right(kim, "assignment", lee)
    estate.right(park, "assignment", choi, with_arrears=True)
    estate.transfer()
    assert estate.owed(kim, lee, park, choi) == [100, 30, 0, 130]


def test_what_stays_with_the_holder_is_not_divided_a_second_time(estate: Estate) -> None:
    """Given half assigned; when transfers run again and again, then half of what came is moved, and nothing of the other half."""
    kim, lee = estate.payers.holder("KIM"), estate.payers.holder("LEE")
    estate.right(kim, "assignment", lee, ppm=500_000)
    estate.owe(kim, 100)
    estate.transfer("a")
    assert estate.transfer("b") is None
    estate.pay(kim, 50)
    estate.owe(kim, 41, JULY)  # 141 in all, of which 70.5 are Lee's: the odd won goes to who has the right
    estate.transfer("c")
    assert estate.owed(kim, lee) == [20, 71]


def test_a_taken_back_amount_is_made_good_by_the_next(estate: Estate) -> None:
    kim, lee = estate.payers.holder("KIM"), estate.payers.holder("LEE")
    estate.right(kim, "assignment", lee, ppm=500_000)
    estate.owe(kim, 100)
    estate.transfer("a")
    estate.owe(kim, -40)  # a correction: 60 in all, of which 30 are Lee's
    assert estate.transfer("b") is None
    estate.owe(kim, 60)  # 120 in all: 60 are Lee's, who has 50
    estate.transfer("c")
    assert estate.owed(kim, lee) == [60, 60]


def test_the_same_key_moves_once(estate: Estate) -> None:
    kim, lee = estate.payers.holder("KIM"), estate.payers.holder("LEE")
    estate.right(kim, "assignment", lee)
    estate.owe(kim, 100)
    journal = estate.transfer()
    estate.owe(kim, 70)
    assert estate.transfer() == journal
    assert estate.owed(kim, lee) == [70, 100]
    assert EntitlementMove.objects.filter(journal=journal).count() == 1


def test_each_currency_moves_for_itself(estate: Estate) -> None:
    kim, lee = estate.payers.holder("KIM"), estate.payers.holder("LEE")
    estate.right(kim, "assignment", lee)
    estate.owe(kim, 100)
    estate.owe(kim, 9, currency="USD")
    estate.transfer("usd", currency="USD")
    assert estate.owed(kim, lee) == [100, 0]
    assert estate.balance("payable", lee.pk, "USD") == 9


def test_strangers_find_nothing_and_small_roles_are_refused(estate: Estate) -> None:
    other = make_estate("OTHER")
    kim, lee = estate.payers.holder("KIM"), estate.payers.holder("LEE")
    found = estate.ask(kim, "assignment", lee)
    with pytest.raises(NotFound):
        services.decide_entitlement(actor=other.payers.second, entitlement=found)
    with pytest.raises(NotFound):
        services.transfer(actor=other.payers.first, society=estate.society, currency="KRW", on=JULY, key="x")
    member = estate.payers.member(kim)
    assert not Entitlement.objects.visible_to(member).exists()  # not before it is approved
    services.decide_entitlement(actor=estate.payers.second, entitlement=found)
    assert Entitlement.objects.visible_to(member).get() == found
    with pytest.raises(NotFound):
        services.request_end(actor=member, entitlement=found, on=JULY, reason="mine")


def test_it_ends_by_two_people_and_what_moved_stays(estate: Estate) -> None:
    kim, lee = estate.payers.holder("KIM"), estate.payers.holder("LEE")
    found = estate.right(kim, "assignment", lee)
    estate.owe(kim, 100)
    estate.transfer()
    services.request_end(actor=estate.payers.first, entitlement=found, on=JULY, reason="paid off")
    with pytest.raises(Forbidden):
        services.decide_end(actor=estate.payers.first, entitlement=found)
    ended = services.decide_end(actor=estate.payers.second, entitlement=found)
    assert ended.valid.upper == JULY
    estate.owe(kim, 50, JULY)
    assert estate.transfer("july") is None
    assert estate.owed(kim, lee) == [50, 100]


def test_ended_on_its_first_day_it_is_revoked(estate: Estate) -> None:
    kim, lee = estate.payers.holder("KIM"), estate.payers.holder("LEE")
    found = estate.right(kim, "assignment", lee)
    services.request_end(actor=estate.payers.first, entitlement=found, on=JUNE, reason="wrong person")
    assert services.decide_end(actor=estate.payers.second, entitlement=found).status == "revoked"
    estate.owe(kim, 100)
    assert estate.transfer() is None


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"ppm": 0}, "/portion"),
        ({"basis": " "}, "/basis"),
        ({"valid_to": JUNE}, "/valid_to"),
        ({"ceiling": 5, "currency": "KRW"}, "/ceiling"),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(estate: Estate, said: dict[str, object], pointer: str) -> None:
    kim, lee = estate.payers.holder("KIM"), estate.payers.holder("LEE")
    with pytest.raises(Refusal) as refused:
        estate.ask(kim, "assignment", lee, **said)
    assert refused.value.errors[0]["pointer"] == pointer
    with pytest.raises(Refusal):
        estate.ask(kim, "assignment", kim)


# What is paid: garnishments and other payees.
def test_payouts_learn_who_gets_what_of_a_payment(estate: Estate) -> None:
    """An order with a total of 30,000 on half of each payment, and a tenth of the rest to a manager."""
    kim = estate.payers.holder("KIM")
    court, manager = estate.third("Seoul court"), estate.third("Manager")
    order = estate.right(kim, "garnishment", court, ppm=500_000, ceiling=30_000, currency="KRW", priority=1)
    tenth = estate.right(kim, "other_payee", manager, ppm=100_000)
    on = {"society_id": estate.society.pk, "currency": "KRW", "on": JULY}
    assert services.terms_for(**on)[kim.pk].blocked == "receiver_blocked"  # nobody's account is known yet
    details = {payee.pk: _usable(estate, payee) for payee in (court, manager)}
    later = _later()
    assert services.terms_for(**on, moment=later)[kim.pk] == Terms(
        (Claim(order.pk, details[court.pk], 500_000, 30_000, 1),), (Claim(tenth.pk, details[manager.pk], 100_000),)
    )
    assert kim.pk not in services.terms_for(society_id=estate.society.pk, currency="KRW", on=datetime.date(2026, 5, 31))
    _took(estate, "payout:1", {order.pk: 29_999})
    _took(estate, "payout:1", {order.pk: 29_999})  # the same batch again changes nothing
    [claim] = services.terms_for(**on, moment=later)[kim.pk].garnishments
    assert claim.left == 1
    with pytest.raises(Conflict):
        _took(estate, "payout:2", {order.pk: 2})  # more than the order's total
    with pytest.raises(Conflict):
        _took(estate, "payout:1", {order.pk: 5})  # other amounts under the same key
    _took(estate, "payout:2", {order.pk: 1})
    assert services.terms_for(**on, moment=later)[kim.pk].garnishments == ()
    services.gave_back(
        actor=estate.payers.first,
        society=estate.society,
        key="return:2",
        currency="KRW",
        on=JULY,
        amounts={order.pk: 1},
    )
    assert services.terms_for(**on, moment=later)[kim.pk].garnishments[0].left == 1
    assert services.problems() == []


def test_an_order_or_a_death_that_waits_for_approval_blocks_what_is_paid(estate: Estate) -> None:
    """An order binds from the day on which it arrives: nothing is paid past it while the second person has not looked."""
    kim, lee = estate.payers.holder("KIM"), estate.payers.holder("LEE")
    estate.ask(kim, "garnishment", estate.third())
    estate.right(lee, "succession", kim, ppm=400_000)
    found = services.terms_for(society_id=estate.society.pk, currency="KRW", on=JULY)
    assert {holder: each.blocked for holder, each in found.items()} == {kim.pk: "entitlement", lee.pk: "entitlement"}


def _took(estate: Estate, key: str, amounts: dict[int, int]) -> None:
    services.took(actor=estate.payers.first, society=estate.society, key=key, currency="KRW", on=JULY, amounts=amounts)


def _usable(estate: Estate, payee: Payee) -> int:
    asked = payees.request_details(actor=estate.payers.first, payee=payee, **KOREAN)
    done = payees.decide_details(actor=estate.payers.second, details=asked, approve=True)
    payees.record_check(actor=estate.payers.second, details_ids=[done.pk], state="clear", source="UN list")
    return done.pk


def _later() -> datetime.datetime:
    return timezone.now() + datetime.timedelta(days=30)
