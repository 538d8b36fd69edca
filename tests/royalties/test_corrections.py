"""Amended and late declarations of what is distributed already: divided anew, the differences booked by holder, nothing twice."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.identity.core import SYSTEM, Conflict, Refusal
from accounts.identity.models import User
from licensing.declarations.models import Declaration
from royalties.billing.models import Invoice, InvoiceDeclaration
from royalties.distribution import services
from royalties.distribution.models import Run, RunCorrection
from royalties.distribution.services.export import rows
from royalties.ledger import services as ledger
from royalties.ledger.models import Account
from royalties.statements import services as statements
from royalties.statements.models import Statement
from royalties.statements.services import facts
from tests.royalties.test_releases import balances, mandate, mean, nothing_is_wrong, posted, publish
from tests.royalties.world import APRIL, QUARTER, Owned, Used, World, make_world

pytestmark = pytest.mark.django_db
USES = [Used("A", 500), Used("B", 300), Used("domain:unknown.example", 200)]


@pytest.fixture
def world() -> World:
    """₩1,000 divided by what was declared first: A 500, B 300, and 200 in suspense."""
    made = make_world()
    made.rule(deductions=[])
    made.own(Owned("A", "H-A", 1_000_000), Owned("B", "H-B", 1_000_000), Owned("C", "H-C", 1_000_000))
    mandate(made, "H-A", "H-B", "H-C")
    made.receive(made.bill(made.declare(USES), net=1_000), 1_000)
    publish(posted(made))
    return made


def amend(world: World, uses: list[Used], *, net: int | None = 0) -> Declaration:
    """Another declaration in the place of the last one; billed for `net` more, or (0) at no difference; None: not yet billed."""
    old = Declaration.objects.filter(licence=world.licence, status="accepted").latest("id")
    new = world.declare(uses, period=(old.period.lower, old.period.upper))
    Declaration.objects.filter(pk=old.pk).update(status="superseded")
    Declaration.objects.filter(pk=new.pk).update(supersedes=old)
    if net:
        world.receive(world.bill(new, net=net, number=f"INV-{new.pk}"), net)
    elif net == 0:
        InvoiceDeclaration.objects.create(invoice=Invoice.objects.earliest("id"), declaration=new)
    return new


def due(world: World) -> dict[str, int]:
    """What is payable to each holder, less what is to be recovered."""
    refs = {pk: ref for ref, pk in world.holders().items()}
    found = Account.objects.filter(society=world.society, kind__in=["payable", "recoverable"])
    sums: dict[str, int] = {}
    for owner, debits, credits in found.values_list("owner_id", "debits", "credits"):
        assert owner is not None
        sums[refs[owner]] = sums.get(refs[owner], 0) + credits - debits
    return {ref: amount for ref, amount in sums.items() if amount}


def pay(world: World, holder: str, amount: int) -> None:
    """Money leaves for the holder's bank."""
    book: Any = {"society_id": world.society.pk, "currency": "KRW"}
    own = ledger.account(kind="payable", owner_id=world.holders()[holder], **book)
    transfer = ledger.Transfer(own, ledger.account(kind="bank", **book), amount)
    ledger.post(
        society_id=world.society.pk, kind="payout", key=f"payout:{holder}:{amount}", effective_on=APRIL, transfers=[transfer]
    )  # fmt: skip


def test_an_amendment_gives_each_what_the_whole_run_would_have_given(world: World) -> None:
    amend(world, [Used("A", 400), Used("C", 600)])
    run = posted(world)
    assert (run.pool, run.corrected, run.released, run.payable, run.suspense) == (0, 1_000, 0, 1_000, 0)
    assert due(world) == {"H-A": 400, "H-C": 600}
    assert balances(world)["suspense"] == 0 and balances(world)["clearing"] == 0
    assert [(row[1], row[0], row[4], row[14]) for row in rows(run)] == [
        ("A", "H-A", 400, f"run {run.pk - 1}"),
        ("C", "H-C", 600, f"run {run.pk - 1}"),
    ]
    publish(run)
    nothing_is_wrong()


def test_it_is_divided_anew_once(world: World) -> None:
    amend(world, [Used("A", 400), Used("C", 600)])
    posted(world)
    with pytest.raises(Refusal) as refused:
        posted(world)
    assert refused.value.code == "no_money"
    amend(world, [Used("B", 1)])
    assert posted(world).corrected == 1_000  # what is amended again is divided again, from where it stands
    assert due(world) == {"H-B": 1_000}
    assert RunCorrection.objects.filter(active=True).count() == 2
    nothing_is_wrong()


def test_more_money_is_a_pool_of_its_own_beside_the_correction(world: World) -> None:
    amend(world, [Used("A", 500), Used("B", 300), Used("C", 200)], net=500)
    run = posted(world)
    assert (run.pool, run.corrected) == (500, 1_000)
    assert due(world) == {"H-A": 750, "H-B": 450, "H-C": 300}
    nothing_is_wrong()


def test_until_the_amendment_is_billed_all_stays_as_it_was(world: World) -> None:
    amend(world, [Used("C", 1)], net=None)
    [waiting] = services.waiting_corrections(world.society.pk)
    assert (waiting.invoice, waiting.amount, waiting.now) == ("INV-1", 1_000, ())
    with pytest.raises(Refusal) as refused:
        posted(world)
    assert refused.value.code == "no_money"


def test_a_superseded_declaration_never_weighs_in_what_came_in_later() -> None:
    """Half was paid and distributed by what was declared first; the other half comes after the amendment."""
    world = make_world()
    world.rule(deductions=[])
    world.own(Owned("A", "H-A", 1_000_000), Owned("C", "H-C", 1_000_000))
    invoice = world.bill(world.declare([Used("A", 1)]), net=1_000)
    world.receive(invoice, 400)
    posted(world)
    amend(world, [Used("C", 1)])
    world.receive(invoice, 600)
    run = posted(world)
    assert (run.pool, run.corrected) == (600, 400)
    assert due(world) == {"H-C": 1_000}
    nothing_is_wrong()


def test_a_late_declaration_at_no_extra_price_shares_in_what_was_paid(world: World) -> None:
    late = world.declare([Used("C", 1_000)])
    InvoiceDeclaration.objects.create(invoice=Invoice.objects.get(), declaration=late)
    posted(world)
    assert due(world) == {"H-A": 250, "H-B": 150, "H-C": 500}
    assert balances(world)["suspense"] == 100
    nothing_is_wrong()


def test_what_was_paid_out_is_recovered_from_later_runs_and_never_below_zero(world: World) -> None:
    pay(world, "H-A", 500)
    amend(world, [Used("A", 100), Used("C", 900)])
    posted(world)
    assert due(world) == {"H-A": -400, "H-C": 900}
    assert balances(world)["recoverable"] == -400
    assert Account.objects.get(kind="payable", owner_id=world.holders()["H-A"]).debits == 500 + 500
    nothing_is_wrong()
    second = (APRIL, datetime.date(2026, 7, 1))
    for number, net in (("INV-8", 300), ("INV-9", 300)):
        world.receive(world.bill(world.declare([Used("A", 1)], period=second), net=net, number=number), net)
        publish(posted(world, second))
        nothing_is_wrong()
    assert due(world) == {"H-A": 200, "H-C": 900} and balances(world)["recoverable"] == 0


def test_what_was_released_since_is_taken_back_with_its_pool(world: World) -> None:
    mean(world, "domain:unknown.example", "C")
    assert posted(world).released == 200
    amend(world, [Used("A", 500), Used("B", 300), Used("C", 100), Used("domain:other.example", 100)])
    assert posted(world).corrected == 1_000
    assert due(world) == {"H-A": 500, "H-B": 300, "H-C": 100} and balances(world)["suspense"] == 100
    nothing_is_wrong()
    mean(world, "domain:other.example", "C")
    assert posted(world).released == 100
    assert due(world) == {"H-A": 500, "H-B": 300, "H-C": 200} and balances(world)["suspense"] == 0
    nothing_is_wrong()


def test_runs_are_reversed_last_in_first(world: World) -> None:
    before = due(world), balances(world)["suspense"]
    amend(world, [Used("A", 400), Used("C", 600)])
    run = posted(world)
    first = Run.objects.order_by("id")[0]
    services.request_reversal(actor=world.computer, run=first)
    with pytest.raises(Conflict) as refused:
        services.reverse(actor=world.approver, run=first)
    assert refused.value.code == "run_was_moved_on"
    services.request_reversal(actor=world.computer, run=run)
    services.reverse(actor=world.approver, run=run)
    assert (due(world), balances(world)["suspense"]) == before
    nothing_is_wrong()
    assert posted(world).corrected == 1_000  # the amendment still stands


def test_the_statement_says_the_old_amount_the_new_one_and_why(world: World) -> None:
    amend(world, [Used("A", 400), Used("C", 600)])
    run = publish(posted(world))
    told = {
        row.holder.ref: row
        for row in Statement.objects.filter(run=run).select_related("holder", "society", "run__rule")
    }
    assert {ref: row.payable for ref, row in told.items()} == {"H-A": 400, "H-B": 0, "H-C": 600}
    for ref, before, now in (("H-A", 500, 400), ("H-B", 300, 0), ("H-C", 0, 600)):
        data = json.loads(statements.content(facts.in_full(told[ref]), "json", "en"))
        assert [(each["payable_before"], each["payable"]) for each in data["revises"]] == [(before, now)]
    assert statements.content(facts.in_full(told["H-B"]), "pdf", "ko").startswith(b"%PDF")
    member = world.member("H-A")
    seen = Client()
    seen.force_login(User.objects.get(pk=member.user_id))
    page = seen.get(reverse("royalties:overview"))
    assert page.context["line"] == [("2026-03", 400)]  # 500 of the first statement are in the second's 400
    nothing_is_wrong()


def test_the_rule_and_the_cuts_of_then_stay() -> None:
    """Deductions were taken from the pool once; a later version of the rule does not change what is divided anew."""
    world = make_world()
    world.rule(reserve_percent="10")
    world.own(Owned("A", "H-A", 1_000_000), Owned("C", "H-C", 1_000_000))
    world.receive(world.bill(world.declare([Used("A", 1, use="train")]), net=10_000), 10_000)
    first = posted(world)
    amend(world, [Used("A", 1, use="train"), Used("C", 1, use="ground")])
    run = posted(world, QUARTER)
    assert (run.deductions, run.reserve, run.distributable) == ({}, 0, first.distributable)
    assert first.deductions and due(world) == {"H-A": 2_120, "H-C": 5_300}  # 7,420 as 1,000 to 2,500
    world.rule(version=2, valid_from="2026-04-01", use_weights={"train": 1, "ground": 1})
    second = (APRIL, datetime.date(2026, 7, 1))
    for _time in range(2):  # of a correction, too: by the rule under which the money was new
        amend(world, [Used("A", 1, use="train"), Used("C", 1, use="ground")])
        run = publish(posted(world, second))
        assert run.rule.version == 2 and due(world) == {"H-A": 2_120, "H-C": 5_300}
    row = Statement.objects.get(run=run, holder__ref="H-C")
    assert [use.factor for line in facts.in_full(row).lines for use in line.uses] == [2_500]
    nothing_is_wrong()


def test_system_can_look_at_what_waits(world: World) -> None:
    amend(world, [Used("C", 1)])
    [waiting] = services.waiting_corrections(world.society.pk)
    assert len(waiting.before) == len(waiting.now) == 1 and waiting.before != waiting.now
    assert SYSTEM.is_system
