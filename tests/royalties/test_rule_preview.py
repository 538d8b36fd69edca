"""Rules as data: what deductions are taken of, their bounds, and two versions compared on the same money before either pays."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from accounts.identity.core import Conflict, NotFound, Refusal
from royalties.distribution import services
from royalties.distribution.core import cut, parse
from royalties.distribution.core.cuts import percent_text
from royalties.distribution.models import Allocation, Rule, RulePreview, Run
from royalties.distribution.services import preview
from royalties.distribution.services.notes import write_note
from royalties.statements import wording
from tests.accounts import people
from tests.royalties.world import QUARTER, RULE, World, make_world, worked_example

FEE = "management fee"


def deducted(pool: int, *deductions: dict[str, Any], currency: str = "KRW") -> list[tuple[int, int, str]]:
    made = cut(pool, parse(RULE | {"deductions": list(deductions)}), currency)
    assert pool == sum(taken.amount for taken in made.deductions) + made.reserve + made.distributable
    return [(taken.base, taken.amount, taken.limit) for taken in made.deductions]


def test_a_deduction_of_the_pool_does_not_feel_the_one_before() -> None:
    fee, fund = {"name": "fee", "percent": "15"}, {"name": "fund", "percent": "3"}
    assert deducted(1_000_003, fee, fund) == [(1_000_003, 150_000, ""), (850_003, 25_500, "")]
    assert deducted(1_000_003, fee, fund | {"of": "pool"}) == [(1_000_003, 150_000, ""), (1_000_003, 30_000, "")]


def test_a_deduction_stays_within_its_bounds_in_the_currency_of_the_pool() -> None:
    fee = {"name": "fee", "percent": "15", "at_least": {"KRW": "1000", "USD": "5.50"}, "at_most": {"KRW": "100000"}}
    assert deducted(1_000_003, fee) == [(1_000_003, 100_000, "at_most")]
    assert deducted(2_000, fee) == [(2_000, 1_000, "at_least")]
    assert deducted(500, fee) == [(500, 500, "left")]
    assert deducted(1_000, fee, currency="USD") == [(1_000, 550, "at_least")]  # cents
    assert deducted(1_000_003, fee, currency="EUR") == [(1_000_003, 150_000, "")]


@given(
    st.integers(0, 10**15),
    st.lists(st.tuples(st.integers(0, 100_000_000), st.booleans(), st.integers(0, 10**12)), max_size=5),
)
def test_nothing_is_lost_whatever_the_bounds(pool: int, rules: list[tuple[int, bool, int]]) -> None:
    deductions = [
        {
            "name": f"d{place}", "percent": percent_text(percent), "of": "pool" if whole else "rest",
            "at_most" if whole else "at_least": {"KRW": str(bound)},
        }
        for place, (percent, whole, bound) in enumerate(rules)
    ]  # fmt: skip
    assert sum(amount for _base, amount, _limit in deducted(pool, *deductions)) <= pool


@pytest.mark.parametrize(
    "wrong,pointer",
    [
        ({"of": "half"}, "/deductions/0/of"),
        ({"at_least": {"KRW": "1.5"}}, "/deductions/0/at_least/KRW"),
        ({"at_most": {"XXQ": "1"}}, "/deductions/0/at_most/XXQ"),
        ({"at_most": "5"}, "/deductions/0/at_most"),
        ({"at_least": {"KRW": 5}}, "/deductions/0/at_least/KRW"),
        ({"at_least": {"KRW": "9"}, "at_most": {"KRW": "8"}}, "/deductions/0/at_least/KRW"),
        ({"cap": "5"}, "/deductions/0/cap"),
    ],
)
def test_a_wrong_bound_is_told_with_its_place(wrong: dict[str, Any], pointer: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse(RULE | {"deductions": [{"name": "fee", "percent": "15"} | wrong]})
    assert pointer in [each["pointer"] for each in refused.value.errors]


def test_every_limit_is_said() -> None:
    assert all(wording.limit_text(limit) for limit in ("at_least", "at_most", "left")) and not wording.limit_text("")


# --- two versions on the same money --------------------------------------------------------------------------


@pytest.fixture
def world(db: None) -> World:
    made = make_world()
    made.rule()
    worked_example(made)
    return made


def other_version(world: World, **changes: Any) -> Rule:
    return services.import_rule(actor=world.computer, society=world.society, document=RULE | {"version": 2} | changes)


def compared(world: World, other: Rule) -> dict[str, Any]:
    one = Rule.objects.get(society=world.society, version=1)
    made = preview.ask_preview(actor=world.computer, one=one, other=other, period=QUARTER, currency="KRW")
    done = preview.compute_preview(made.pk)
    assert done.status == "done", done.problems
    assert preview.compute_preview(made.pk).computed_at == done.computed_at
    result: dict[str, Any] = done.result
    return result


def test_a_preview_says_what_each_version_would_give_and_stores_nothing_else(world: World) -> None:
    other = other_version(world, deductions=[{"name": FEE, "percent": "10"}])
    result = compared(world, other)
    one, two = result["sides"]
    assert one["distributable"] == 824_503 and one["deductions"] == {FEE: 150_000, "social and cultural fund": 25_500}
    assert two["distributable"] == 900_003 and two["deductions"] == {FEE: 100_000}
    for side in (one, two):
        assert side["pool"] == sum(side["deductions"].values()) + side["reserve"] + side["distributable"]
        assert side["distributable"] == side["payable"] + side["held"] + side["suspense"]
    assert result["gained"] - result["lost"] == two["payable"] - one["payable"] and result["less"] == 0
    assert not Run.objects.exists() and not Allocation.objects.exists()


def test_a_preview_gives_what_the_run_then_gives(world: World) -> None:
    same = compared(world, other_version(world, use_weights=RULE["use_weights"] | {"train": 2000}))
    run = services.compute(services.start_run(actor=world.computer, society=world.society, period=QUARTER).pk)
    assert same["sides"][0]["payable"] == run.payable and same["sides"][0]["suspense"] == run.suspense


def test_versions_that_give_the_same_differ_in_nobody(world: World) -> None:
    result = compared(world, other_version(world, name="Another name"))
    assert (result["more"], result["less"], result["holders"]) == (0, 0, [])


def test_no_money_or_one_version_is_said_plainly(world: World) -> None:
    one, other = Rule.objects.get(society=world.society), other_version(world)
    with pytest.raises(Refusal):
        preview.ask_preview(actor=world.computer, one=one, other=one, period=QUARTER, currency="KRW")
    with pytest.raises(Refusal):
        preview.ask_preview(actor=world.computer, one=one, other=other, period=QUARTER[::-1], currency="KRW")
    empty = (datetime.date(2020, 1, 1), datetime.date(2020, 4, 1))
    made = preview.ask_preview(actor=world.computer, one=one, other=other, period=empty, currency="KRW")
    done = preview.compute_preview(made.pk)
    assert done.status == "failed" and done.problems[0]["code"] == "no_money"


def test_another_society_sees_no_comparison(world: World) -> None:
    other = other_version(world)
    compared(world, other)
    made = RulePreview.objects.get()
    own, stranger = Client(), Client()
    own.force_login(people.person(world.society, "auditor"))
    stranger.force_login(people.person(people.organisation("OTHER", "society"), "administrator"))
    url = reverse("royalties:rule_preview", args=[made.pk])
    assert "GENERAL v2" in own.get(url).content.decode()
    assert stranger.get(url).status_code == 404
    with pytest.raises(NotFound):
        preview.ask_preview(
            actor=people.actor(people.organisation("THIRD", "society")),
            one=made.one,
            other=other,
            period=QUARTER,
            currency="KRW",
        )
    assert own.get(reverse("royalties:rule_previews")).status_code == 200


# --- notes ---------------------------------------------------------------------------------------------------


def test_notes_stay_on_the_run_with_their_author(world: World) -> None:
    run = services.start_run(actor=world.computer, society=world.society, period=QUARTER)
    write_note(actor=world.computer, run=run, text=" Ask HANBIT about March. ")
    with pytest.raises((Refusal, Conflict)):
        write_note(actor=world.computer, run=run, text="  ")
    client = Client()
    client.force_login(people.person(world.society, "auditor"))
    assert client.post(reverse("royalties:run_note", args=[run.pk]), {"text": "Seen."}).status_code == 302
    assert [note.text for note in run.notes.order_by("id")] == ["Ask HANBIT about March.", "Seen."]
    assert "Ask HANBIT about March." in client.get(reverse("royalties:run", args=[run.pk])).content.decode()
