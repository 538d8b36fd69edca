"""Others' rights to a holder's money, as arithmetic: sums to the won, nothing below zero, no order of listing matters."""

from __future__ import annotations

import datetime
import random
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.identity.core import Refusal
from royalties.entitlements.core import (
    OWN,
    WHOLE,
    Advanced,
    Came,
    Claim,
    Flow,
    Part,
    Right,
    Terms,
    cuts,
    divide,
    flows,
    portions,
)
from royalties.entitlements.core.flows import in_order

DAY = datetime.date(2026, 5, 1)
AMOUNTS = st.integers(0, 10**15)
DAYS = st.integers(-40, 40).map(lambda offset: DAY + datetime.timedelta(days=offset))


@st.composite
def splits(draw: st.DrawFn, most: int = 5) -> list[int]:
    """Portions that come to the whole at most."""
    found, left = [], WHOLE
    for _ in range(draw(st.integers(0, most))):
        if left < 1:
            break
        found.append(draw(st.integers(1, left)))
        left -= found[-1]
    return found


@st.composite
def all_terms(draw: st.DrawFn) -> Terms:
    lefts, numbers = st.none() | st.integers(0, 10**12), st.integers(0, 3)
    orders = tuple(
        Claim(place, 100 + place, ppm, draw(lefts), draw(numbers)) for place, ppm in enumerate(draw(splits()), 1)
    )
    payees = tuple(Claim(place, 100 + place, ppm) for place, ppm in enumerate(draw(splits()), 50))
    return Terms(orders, payees)


@given(AMOUNTS, all_terms(), st.randoms())
def test_a_net_is_divided_to_the_won_and_no_order_takes_more_than_it_allows(
    net: int, terms: Terms, dice: random.Random
) -> None:
    parts = divide(net, terms)
    assert sum(part.amount for part in parts) == net
    assert all(part.amount > 0 for part in parts)
    allowed = {each.entitlement_id: each for each in terms.garnishments}
    for part in parts:
        if part.entitlement_id in allowed:
            order = allowed[part.entitlement_id]
            assert part.amount * WHOLE <= net * order.ppm  # never more than the portion
            assert order.left is None or part.amount <= order.left
    listed = [list(terms.garnishments), list(terms.payees)]
    for each in listed:
        dice.shuffle(each)
    assert divide(net, Terms(tuple(listed[0]), tuple(listed[1]))) == parts


def test_an_order_with_a_total_stops_there_and_the_next_in_priority_goes_on() -> None:
    """Given two orders on halves, the first with 30,000 left; when 100,001 are paid; then 30,000 and 50,000 go, the rest stays."""
    first, second = Claim(7, 70, ppm=500_000, left=30_000, priority=1), Claim(6, 60, ppm=500_000, priority=2)
    assert divide(100_001, Terms((second, first))) == (Part(70, 30_000, 7), Part(60, 50_000, 6), Part(OWN, 20_001))


def test_an_order_that_has_its_total_takes_nothing() -> None:
    assert divide(500, Terms((Claim(7, 70, ppm=WHOLE, left=0),))) == (Part(OWN, 500),)
    assert divide(0, Terms((Claim(7, 70, ppm=WHOLE),))) == ()


def test_less_than_nothing_is_not_divided() -> None:
    with pytest.raises(Refusal):
        divide(-1, Terms())


@given(AMOUNTS, splits(), st.randoms())
def test_portions_are_within_one_unit_of_exact_and_sum_with_the_rest(
    amount: int, ppms: list[int], dice: random.Random
) -> None:
    parts = list(enumerate(ppms))
    shares, rest = portions(amount, parts)
    assert sum(shares.values()) + rest == amount
    for key, ppm in parts:
        assert abs(shares[key] - Fraction(amount * ppm, WHOLE)) < 1
    dice.shuffle(parts)
    assert portions(amount, parts) == (shares, rest)


def test_a_tie_goes_to_the_smaller_reference() -> None:
    assert portions(101, [("H-2", 500_000), ("H-1", 500_000)]) == ({"H-1": 51, "H-2": 50}, 0)


def test_portions_over_the_whole_are_refused() -> None:
    with pytest.raises(Refusal):
        portions(100, [("A", 600_000), ("B", 400_001)])


@given(AMOUNTS, st.lists(st.integers(1, WHOLE), max_size=4))
def test_a_sisters_deductions_and_net_sum_to_the_gross(gross: int, ppms: list[int]) -> None:
    taken, net = cuts(gross, ppms)
    left = gross
    for cut, ppm in zip(taken, ppms, strict=True):
        assert abs(cut - Fraction(left * ppm, WHOLE)) <= Fraction(1, 2)  # half up, of what is left
        left -= cut
    assert left == net >= 0


# A small town of holders: who inherits from whom, who assigned what to whom, who was advanced what.
@st.composite
def towns(draw: st.DrawFn) -> dict[str, object]:
    holders = list(range(1, 7))
    rights: list[Right] = []
    for giver in holders[:-1]:
        for kind in draw(st.lists(st.sampled_from(["succession", "assignment"]), max_size=2, unique=True)):
            ppms = draw(splits(3))
            if kind == "succession" and ppms:
                ppms[-1] += WHOLE - sum(ppms) if draw(st.booleans()) else 0
            for ppm in ppms:
                taker = draw(st.integers(giver + 1, holders[-1]))
                since = draw(DAYS)
                until = draw(st.none() | st.integers(1, 50).map(lambda n, s=since: s + datetime.timedelta(days=n)))
                rights.append(
                    Right(
                        len(rights) + 1, kind, giver, taker, f"H-{taker}", ppm, since, until, draw(st.integers(0, 2)),
                        opening=draw(st.integers(0, 10**6)) if kind == "assignment" else 0, moved=draw(st.integers(0, 10**5)),
                    )
                )  # fmt: skip
    balances = {holder: draw(st.integers(0, 10**6)) for holder in holders}
    came = [
        Came(draw(st.sampled_from(holders)), draw(DAYS), draw(st.integers(-(10**5), 10**6)))
        for _ in range(draw(st.integers(0, 8)))
    ]
    advances = []
    for n in range(1, draw(st.integers(0, 3)) + 1):
        holder, ppm, stays = draw(st.sampled_from(holders)), draw(st.integers(1, WHOLE)), draw(st.integers(0, 10**4))
        advances.append(
            Advanced(n, holder, draw(DAYS), ppm, stays, draw(st.integers(1, 10**6)), draw(st.integers(0, 10**5)))
        )
    return {"balances": balances, "came": came, "rights": rights, "advances": advances}


@given(towns(), st.randoms())
def test_money_moves_without_loss_nobody_falls_below_zero_and_listing_does_not_matter(
    town: dict[str, list[object]], dice: random.Random
) -> None:
    balances: dict[int, int] = dict(town["balances"])
    found = flows(on=DAY, **town)
    after = dict(balances)
    for flow in found:
        assert flow.amount > 0
        after[flow.holder] -= flow.amount
        if flow.to is not None:
            after[flow.to] += flow.amount
    assert min(after.values()) >= 0
    recouped = sum(flow.amount for flow in found if flow.to is None)
    assert sum(after.values()) + recouped == sum(balances.values())
    opens = {each.id: each.open for each in town["advances"]}
    assert all(flow.amount <= opens[flow.id] for flow in found if flow.kind == "recoupment")
    shuffled = {name: list(town[name]) for name in ("came", "rights", "advances")}
    for each in shuffled.values():
        dice.shuffle(each)
    assert flows(on=DAY, balances=balances, **shuffled) == found


def right(pk: int, kind: str, holder: int, to: int, ppm: int = WHOLE, **fields: object) -> Right:
    return Right(pk, kind, holder, to, f"H-{to}", ppm, **({"since": DAY} | fields))


def test_heirs_take_what_there_is_by_largest_remainder() -> None:
    """Given 100 won of a holder who died and three heirs; then 34, 33 and 33, the odd won to the smallest reference."""
    thirds = [
        right(1, "succession", 1, 4, 333_333),
        right(2, "succession", 1, 2, 333_334),
        right(3, "succession", 1, 3, 333_333),
    ]
    found = flows(on=DAY, balances={1: 100}, rights=thirds)
    assert {flow.to: flow.amount for flow in found} == {2: 34, 3: 33, 4: 33}


def test_nothing_is_inherited_before_all_heirs_are_known() -> None:
    assert flows(on=DAY, balances={1: 100}, rights=[right(1, "succession", 1, 2, 999_999)]) == ()


def test_heirs_get_what_the_holder_had_not_assigned() -> None:
    """Given a holder who assigned half of what comes and died; when 100 came since; then 50 are the assignee's, the rest inherited."""
    rights = [right(1, "assignment", 1, 2, 500_000), right(2, "succession", 1, 3)]
    found = flows(on=DAY, balances={1: 130}, came=[Came(1, DAY, 100)], rights=rights)
    assert found == (Flow("succession", 2, 1, 3, 80), Flow("assignment", 1, 1, 2, 50))


def test_an_assignment_takes_no_earlier_money_unless_with_arrears() -> None:
    came = [Came(1, DAY - datetime.timedelta(days=1), 70), Came(1, DAY, 30)]
    later = right(1, "assignment", 1, 2)
    assert flows(on=DAY, balances={1: 100}, came=came, rights=[later]) == (Flow("assignment", 1, 1, 2, 30),)
    arrears = replace(later, opening=70)
    assert flows(on=DAY, balances={1: 100}, came=came, rights=[arrears]) == (Flow("assignment", 1, 1, 2, 100),)


def test_what_stays_is_not_divided_again() -> None:
    """Given half assigned, and 100 of which 50 moved; when nothing came since; then nothing more moves."""
    half = right(1, "assignment", 1, 2, 500_000, moved=50)
    assert flows(on=DAY, balances={1: 50}, came=[Came(1, DAY, 100)], rights=[half]) == ()


def test_money_goes_on_to_who_has_a_right_to_what_the_receiver_gets() -> None:
    chain = [right(1, "assignment", 1, 2), right(2, "assignment", 2, 3, 500_000)]
    found = flows(on=DAY, balances={1: 100}, came=[Came(1, DAY, 100)], rights=chain)
    assert found == (Flow("assignment", 1, 1, 2, 100), Flow("assignment", 2, 2, 3, 50))


def test_an_ended_assignment_still_gets_what_came_on_its_days() -> None:
    ended = right(
        1, "assignment", 1, 2, since=DAY - datetime.timedelta(days=20), until=DAY - datetime.timedelta(days=10)
    )
    came = [Came(1, DAY - datetime.timedelta(days=15), 40), Came(1, DAY, 60)]
    assert flows(on=DAY, balances={1: 100}, came=came, rights=[ended]) == (Flow("assignment", 1, 1, 2, 40),)


def test_a_correction_is_made_good_by_later_amounts() -> None:
    """Given 100 assigned and moved; when 30 of it were taken back and 50 came; then 20 more move: 120 in all."""
    came = [Came(1, DAY, 100), Came(1, DAY, -30), Came(1, DAY, 50)]
    assert flows(on=DAY, balances={1: 20}, came=came, rights=[right(1, "assignment", 1, 2, moved=100)]) == (
        Flow("assignment", 1, 1, 2, 20),
    )


def test_an_advance_is_recouped_by_its_percentage_and_leaves_what_stays() -> None:
    """Given 1,000 advanced at 50 %, of which at least 400 stays; when 700 come; then 300, not 350, are recouped."""
    advance = Advanced(1, 1, DAY, ppm=500_000, stays=400, open=1000)
    assert flows(on=DAY, balances={1: 700}, came=[Came(1, DAY, 700)], advances=[advance]) == (
        Flow("recoupment", 1, 1, None, 300),
    )
    again = replace(advance, open=700, recouped=300)
    assert flows(on=DAY, balances={1: 400}, came=[Came(1, DAY, 700)], advances=[again]) == ()


def test_an_advance_is_not_recouped_from_what_went_to_others() -> None:
    """Given everything assigned to somebody else; then nothing is left to recoup from, and nothing of it is counted later."""
    advance = Advanced(1, 1, DAY, ppm=WHOLE, stays=0, open=1000)
    found = flows(
        on=DAY, balances={1: 100}, came=[Came(1, DAY, 100)], rights=[right(1, "assignment", 1, 2)], advances=[advance]
    )
    assert found == (Flow("assignment", 1, 1, 2, 100),)


def test_a_circle_is_refused_where_rights_are_recorded_and_does_not_stop_what_moves() -> None:
    with pytest.raises(Refusal):
        in_order([(1, 2), (2, 1)])
    assert in_order([(1, 2), (2, 1), (2, 3)], circles=True) == [1, 2]
