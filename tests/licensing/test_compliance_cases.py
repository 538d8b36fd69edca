"""Cases: uses that nothing allowed, divided among those who held the works, priced as the tariff would have."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command

from accounts.identity.core import SYSTEM
from accounts.notices import services as notices
from licensing.compliance import services
from licensing.compliance.models import Case, CaseScan, CaseUse
from licensing.declarations import services as declarations
from licensing.declarations.models import Declaration
from licensing.repertoire.models import Share
from tests.licensing.compliance_world import cases, declared, make, real, terms
from tests.licensing.declaring import PERIOD, firm, lines

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def published(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, str, str]]:
    """What programs were told: (organisation, kind, key)."""
    told: list[tuple[int, str, str]] = []

    def publish(*, organisation_id: int, kind: str, key: str, data: dict[str, Any]) -> None:
        told.append((organisation_id, kind, key))

    monkeypatch.setattr(notices, "publish", publish)
    return told


def test_each_holder_of_what_nothing_allowed_has_one_case() -> None:
    world = real("proprietary,U-1,1001", "proprietary,U-1,999", "proprietary,S-1,500", "domain,news.example.co.kr,7")
    found = world.opened()
    assert {ref: (case.works, case.lines, case.units, case.reasons) for ref, case in found.items()} == {
        "H1": (1, 2, {"token": 2000}, {"unmandated": 2}),
        "H3": (1, 2, {"token": 2000}, {"unmandated": 2}),
        "": (1, 1, {"token": 500}, {"unmandated": 1}),
    }
    uses = {(use.case.holder_id, use.work.ref): (use.ppm, int(use.units)) for use in CaseUse.objects.all()}
    assert uses == {
        (found["H1"].holder_id, "U"): (600_000, 2000), (found["H3"].holder_id, "U"): (400_000, 2000), (None, "S"): (1_000_000, 500),
    }  # fmt: skip
    assert {case.status for case in found.values()} == {"open"}


def test_the_cases_sum_to_what_the_tariff_would_have_asked() -> None:
    """2,501 tokens at ₩10 a thousand are ₩25.01, ₩25 once rounded: 2001 × 60 %, 2001 × 40 %, and 500 of nobody."""
    world = make(("U", 2001), ("S", 500))
    found = world.opened()
    assert {ref: case.ordinary for ref, case in found.items()} == {"H1": 12, "H3": 8, "": 5}
    rating = CaseScan.objects.get().rating
    assert rating and sum(case.ordinary or 0 for case in found.values()) == rating["amount"] == 25
    assert {case.proposed for case in found.values()} == {12, 8, 5}, "without terms: the ordinary fee, once"
    [charge] = found["H1"].explanation["charges"]
    assert charge == {
        "name": "tokens",
        "amount": 25,
        "weight": str(2001 * 600_000),
        "total": str(2501 * 1_000_000),
        "part": 12,
    }


def test_what_is_asked_is_the_higher_of_multiple_and_amount_a_work() -> None:
    world = make(("U", 2001), ("S", 500))
    terms(world.society, "1.5", per_work=17)
    found = world.opened()
    assert {ref: case.proposed for ref, case in found.items()} == {"H1": 18, "H3": 17, "": 17}


def test_half_a_won_counts_as_one() -> None:
    world = make(("S", 500))
    terms(world.society, "1.5")
    assert {ref: (case.ordinary, case.proposed) for ref, case in world.opened().items()} == {"": (5, 8)}


def test_looking_twice_opens_nothing_twice(published: list[tuple[int, str, str]]) -> None:
    world = make(("U", 1001), ("S", 500), ("N", 7, "licensed"))
    assert services.waiting() == [world.declaration.pk]
    assert services.open_cases(world.declaration.pk) == 3
    assert services.open_cases(world.declaration.pk) == 0 and services.waiting() == []
    assert Case.objects.count() == 3
    assert published == [(world.society.pk, "case.opened", f"cases-opened:{world.declaration.pk}")]


def test_what_is_licensed_opens_no_case() -> None:
    world = make(("N", 7, "licensed"))
    assert world.opened() == {} and services.waiting() == []


def test_a_sandbox_declaration_makes_none() -> None:
    world = make(("U", 1001), ("S", 500), ("N", 7, "licensed"))
    Case.objects.all().delete()
    held = world.declaration
    sandbox = Declaration.objects.create(
        licence=held.licence, period=held.period, status="accepted", sandbox=True, lines=held.lines
    )
    assert sandbox.pk not in services.waiting() and services.open_cases(sandbox.pk) == 0


def test_a_part_without_a_holder_on_record_is_nobodys() -> None:
    """W is 50 % of H1 and 50 % of H2. Take H2's share away, and half of it is nobody's."""
    world = make(("W", 1000), ("U", 1))
    Share.objects.filter(holder__ref="H2").delete()
    world.opened()
    ppm = {(use.case.holder.ref if use.case.holder else "", use.work.ref): use.ppm for use in CaseUse.objects.all()}
    assert ppm == {("H1", "W"): 500_000, ("", "W"): 500_000, ("H1", "U"): 600_000, ("H3", "U"): 400_000}


def test_what_no_tariff_prices_has_no_amount_and_says_so() -> None:
    world = make(("U", 1001))
    other = declared(world.of, ("U", 100_000), ("W", 5), unit="token")
    pages = declared(world.of, ("S", 3), ("domain:x.example", 3, "reserved"), unit="page")
    for each in (other, pages):
        services.open_cases(each.pk)
    found = cases(pages) | {"H1": cases(other)["H1"]}
    assert (found[""].ordinary, found[""].proposed, found[""].explanation["unpriced"]) == (None, None, 2)
    assert (found["H1"].ordinary, found["H1"].explanation["unpriced"]) == (600, 0)
    assert CaseScan.objects.get(declaration=pages).problem == "No charge of the tariff prices these uses."


def test_an_amendment_closes_what_was_open_and_asks_only_for_what_is_not_settled() -> None:
    world = real("proprietary,U-1,100000", "proprietary,S-1,500")
    terms(world.society, "2")
    first = world.told()
    services.settle(actor=world.staff, case=first["H1"], amount=first["H1"].proposed or 0, reason="Paid at once.")
    draft = declarations.amend(actor=world.of.declarant, declaration=world.declaration)
    declarations.attach(
        actor=world.of.declarant,
        declaration=draft,
        stream=io.BytesIO(lines("proprietary,U-1,200000")),
        name="again.csv",
    )
    declarations.process(draft.pk)
    declarations.submit(actor=world.of.declarant, declaration=draft)
    declarations.accept(actor=SYSTEM, declaration=draft)
    assert services.waiting() == [draft.pk]
    services.open_cases(draft.pk)
    assert {ref: case.status for ref, case in cases(world.declaration).items()} == {
        "H1": "settled", "H3": "closed", "": "closed",
    }  # fmt: skip
    second = cases(draft)
    assert second["H1"].ordinary == 1200 and second["H1"].proposed == 2400 - 1200, "₩1,200 was settled before"
    assert second["H3"].proposed == 1600


def test_many_cases_come_from_one_statement(django_assert_max_num_queries: Any) -> None:
    world = make(("U", 1001), ("S", 500), ("N", 7, "licensed"))
    with django_assert_max_num_queries(30):
        services.open_cases(world.declaration.pk)


def test_terms_are_set_once_a_day_and_never_changed() -> None:
    of = firm()
    held = terms(of.society, "2")
    assert terms(of.society, "2") == held
    with pytest.raises(Exception, match="Other terms start"):
        terms(of.society, "3")
    assert PERIOD[0] == held.valid_from


def test_by_command_on_demand() -> None:
    world = make(("U", 1001))
    terms_set, done = io.StringIO(), io.StringIO()
    asked = ("--society", "PRESS", "--multiple", "2", "--per-work", "5", "--from", "2026-01-01")
    call_command("set_compensation", *asked, "--json", stdout=terms_set)
    assert json.loads(terms_set.getvalue())["multiple"] == "2"
    call_command("compliance", "--json", stdout=done)
    assert json.loads(done.getvalue()) == {"notices": 0, "closed": 0, "declarations": 1, "cases": 2, "reminded": 0}
    assert {case.proposed for case in cases(world.declaration).values()} == {12, 8}
