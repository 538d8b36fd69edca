"""Compensation: what a case was settled on is billed, received, and goes to that case's holder alone, to the won."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.approvals.models import Approval
from accounts.identity.core import SYSTEM, Actor, Forbidden, NotFound, Refusal
from accounts.notices import services as notices
from licensing.compliance import services as compliance
from licensing.compliance.models import Case
from licensing.declarations.models import Declaration, DeclaredUse
from royalties.billing import services as billing
from royalties.billing.models import Invoice
from royalties.distribution import services as distribution
from royalties.distribution.models import Allocation, Run
from royalties.statements import services as statements
from royalties.statements import wording
from royalties.statements.models import Statement
from royalties.statements.services import facts
from tests.royalties.world import QUARTER, Owned, Used, World, make_world, staff

pytestmark = pytest.mark.django_db
AMOUNT = 1_000_003


@pytest.fixture(autouse=True)
def _nobody_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "publish", lambda **_event: None)


@pytest.fixture
def world() -> World:
    made = make_world()
    made.rule()
    return made


def opened(world: World, *uses: Used) -> dict[str, Case]:
    """The cases of a declaration of these uses, told to the licensee, by holder ref."""
    declaration = world.declare(uses)
    counts: dict[str, int] = {}
    for used in uses:
        counts[used.status] = counts.get(used.status, 0) + 1
    DeclaredUse.objects.filter(declaration=declaration, status="unmatched").update(status="reserved")
    Declaration.objects.filter(pk=declaration.pk).update(lines=counts, submitted_at=timezone.now())
    compliance.open_cases(declaration.pk)
    declaration.refresh_from_db()
    compliance.notify_declaration(actor=SYSTEM, declaration=declaration)
    found = Case.objects.filter(declaration=declaration).select_related("holder")
    return {case.holder.ref if case.holder else "": case for case in found}


def settled(world: World, case: Case, amount: int = AMOUNT) -> Case:
    """No tariff prices these uses, so that any amount needs two people."""
    asks, decides = _licensing(world, "asks"), _licensing(world, "decides")
    compliance.settle(actor=asks, case=case, amount=amount, reason="Agreed by letter.")
    return compliance.decide_settlement(actor=decides, case=case, approve=True)


def _licensing(world: World, name: str) -> Actor:
    return staff(world.society, f"{name}{Approval.objects.count()}", "licensing")


def received(world: World, case: Case) -> Invoice:
    invoice = billing.bill_case(actor=world.approver, case=case, issued_on=date(2026, 4, 10))
    billing.record_receipt(
        actor=world.approver,
        invoice=invoice,
        amount=invoice.gross,
        received_on=date(2026, 5, 1),
        bank_ref=f"C-{case.pk}",
    )
    return invoice


def distributed(world: World) -> Run:
    run = distribution.compute(distribution.start_run(actor=world.computer, society=world.society, period=QUARTER).pk)
    distribution.request(actor=world.computer, run=run)
    run = distribution.post(distribution.approve(actor=world.approver, run=run).pk)
    return statements.publish(actor=world.approver, run=run)


def verified() -> dict[str, Any]:
    out = io.StringIO()
    try:
        call_command("verify", "--json", stdout=out)
    except SystemExit:
        pass
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_a_case_of_1000003_won_goes_to_its_holder_alone_to_the_won(world: World) -> None:
    """₩1,000,003 less 15 % and 3 % is ₩824,503: W and X in the ratio 2,000 × 600,000 to 1,000 × 1,000,000."""
    world.own(Owned("W", "H-A", 600_000), Owned("W", "H-B", 400_000), Owned("X", "H-A", 1_000_000))
    uses = (Used("W", 2_000, status="unmandated"), Used("X", 1_000, use="finetune", status="reserved"))
    cases = opened(world, *uses)
    invoice = received(world, settled(world, cases["H-A"]))
    assert (invoice.net, invoice.vat, invoice.kind, invoice.by_use) == (
        AMOUNT, 0, "compensation", {"finetune": 454_547, "train": 545_456},
    )  # fmt: skip

    run = distributed(world)
    assert (run.pool, sum(run.deductions.values()), run.payable, run.held, run.suspense) == (
        AMOUNT, 175_500, 824_503, 0, 0,
    )  # fmt: skip
    assert run.pool == sum(run.deductions.values()) + run.reserve + run.payable + run.held + run.suspense
    rows = {
        (a.work.ref, a.holder.ref): (a.amount, a.ppm, int(a.weight))
        for a in Allocation.objects.filter(run=run).select_related("work", "holder")
    }
    assert rows == {
        ("W", "H-A"): (449_729, 1_000_000, 2_000 * 600_000), ("X", "H-A"): (374_774, 1_000_000, 1_000 * 1_000_000),
    }  # fmt: skip
    assert verified() == {"ok": True, "problems": []}


def test_the_statement_says_why(world: World) -> None:
    world.own(Owned("W", "H-A", 600_000), Owned("W", "H-B", 400_000))
    received(world, settled(world, opened(world, Used("W", 2_000, status="unmandated"))["H-A"]))
    run = distributed(world)
    [row] = Statement.objects.filter(run=run)
    statement = facts.in_full(row)
    [line] = statement.lines
    said = [(step.label, step.value, step.detail) for step in wording.why(line, "KRW")]
    assert said[0][0].startswith("Compensation for use without permission, case #")
    assert said[6][:2] == ("Weight of the work", "1,200,000,000") and "2,000 tokens × 600,000 ppm" in said[6][2]
    assert said[-1] == ("Your share", "₩824,503", "100% of ₩824,503")
    assert [(use.use, use.units, use.amount) for use in statement.uses()] == [("train", 2_000, 824_503)]


def test_without_a_holder_it_waits_in_suspense(world: World) -> None:
    world.work("S")
    cases = opened(world, Used("S", 500, status="unmandated"), Used("domain:x.example", 5, status="reserved"))
    received(world, settled(world, cases[""]))
    run = distributed(world)
    assert (run.payable, run.suspense) == (0, 824_503)
    reasons = Allocation.objects.filter(run=run).values_list("reason", flat=True)
    assert set(reasons) == {"no_share", "unmatched"} and verified()["ok"]


def test_compensation_for_a_disputed_share_is_held_and_for_that_share_alone(world: World) -> None:
    world.own(Owned("W", "H-A", 600_000, disputed=True), Owned("W", "H-B", 400_000), Owned("X", "H-A", 1_000_000))
    cases = opened(world, Used("W", 10, status="unmandated"), Used("X", 6, status="unmandated"))
    received(world, settled(world, cases["H-A"], 1_000))
    received(world, settled(world, cases["H-B"], 1_000))
    run = distributed(world)
    rows = Allocation.objects.filter(run=run).values_list("holder__ref", "work__ref", "status", "reason", "amount")
    assert sorted(rows) == [
        ("H-A", "W", "held", "disputed", 412), ("H-A", "X", "payable", "", 412), ("H-B", "W", "payable", "", 824),
    ]  # fmt: skip
    assert verified() == {"ok": True, "problems": []}


def test_compensation_for_a_work_claimed_more_than_whole_is_held_until_its_claimants_settle(world: World) -> None:
    world.own(Owned("W", "H-A", 600_000), Owned("W", "H-B", 500_000))
    received(world, settled(world, opened(world, Used("W", 10, status="unmandated"))["H-A"], 1_000))
    run = distributed(world)
    rows = Allocation.objects.filter(run=run).values_list("holder__ref", "status", "reason", "amount")
    assert list(rows) == [(None, "held", "overclaimed", 824)] and (run.payable, run.held) == (0, 824)
    assert verified() == {"ok": True, "problems": []}


def test_it_stands_beside_pools_of_use_in_one_run(world: World) -> None:
    """The licensed use of W is divided by shares, its unlicensed use is H-B's compensation alone."""
    world.own(Owned("W", "H-A", 600_000), Owned("W", "H-B", 400_000))
    use = world.bill(world.declare([Used("W", 100)]), net=1_000, number="USE-1")
    world.receive(use, 1_000)
    received(
        world, settled(world, opened(world, Used("W", 7, use="evaluate", unit="page", status="unlicensed"))["H-B"], 500)
    )
    run = distributed(world)
    amounts = Allocation.objects.filter(run=run).values_list("pool__invoice__kind", "holder__ref", "amount")
    assert sorted(amounts) == [("compensation", "H-B", 412), ("use", "H-A", 494), ("use", "H-B", 330)]
    assert not [p for p in verified()["problems"] if p["what"].startswith("distribution")]


def test_nothing_moves_the_result_but_its_inputs(world: World) -> None:
    world.own(Owned("W", "H-A", 600_000), Owned("W", "H-B", 400_000))
    received(world, settled(world, opened(world, Used("W", 7, status="reserved"))["H-A"]))
    run = distribution.compute(distribution.start_run(actor=world.computer, society=world.society, period=QUARTER).pk)
    digests = (run.input_digest, run.result_digest)
    again = distribution.compute(distribution.recompute(actor=world.computer, run=run).pk)
    assert (again.input_digest, again.result_digest) == digests


def test_it_is_billed_once(world: World) -> None:
    world.own(Owned("W", "H-A", 1_000_000))
    case = settled(world, opened(world, Used("W", 7, status="reserved"))["H-A"])
    assert list(billing.cases_to_bill(world.approver)) == [case]
    first = billing.bill_case(actor=world.approver, case=case)
    assert billing.bill_case(actor=world.approver, case=case) == first
    assert list(billing.cases_to_bill(world.approver)) == [] and Invoice.objects.count() == 1


def test_what_is_not_settled_on_money_is_not_billed(world: World) -> None:
    world.own(Owned("W", "H-A", 1_000_000), Owned("X", "H-B", 1_000_000))
    cases = opened(world, Used("W", 7, status="reserved"), Used("X", 7, status="reserved"))
    with pytest.raises(Refusal, match="Only a case that was settled"):
        billing.bill_case(actor=world.approver, case=cases["H-A"])
    nothing = settled(world, cases["H-B"], 0)
    with pytest.raises(Refusal, match="Only a case that was settled"):
        billing.bill_case(actor=world.approver, case=nothing)
    assert not Invoice.objects.exists()


def test_only_the_societys_finance_bills_it(world: World) -> None:
    world.own(Owned("W", "H-A", 1_000_000))
    case = settled(world, opened(world, Used("W", 7, status="reserved"))["H-A"])
    with pytest.raises(Forbidden):
        billing.bill_case(actor=world.computer, case=case)
    stranger = make_world("OTHER", "OTHER-FIRM")
    with pytest.raises(NotFound):
        billing.bill_case(actor=stranger.approver, case=case)
    assert not Invoice.objects.exists()


def test_verify_finds_an_invoice_that_is_not_what_was_settled(world: World) -> None:
    world.own(Owned("W", "H-A", 1_000_000))
    case = settled(world, opened(world, Used("W", 7, status="reserved"))["H-A"])
    billing.bill_case(actor=world.approver, case=case)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE licensing_case DISABLE TRIGGER USER")
    Case.objects.filter(pk=case.pk).update(amount=5)
    assert [p["what"] for p in verified()["problems"]] == ["billing.compensation"]


def test_nobody_leads_the_money_of_a_case_to_somebody_else(world: World) -> None:
    """Not even with the database in hand: whose it is, what it is about and how it ended stay as they are."""
    world.own(Owned("W", "H-A", 600_000), Owned("W", "H-B", 400_000))
    cases = opened(world, Used("W", 7, status="reserved"))
    of_b = Case.objects.filter(pk=cases["H-B"].pk)
    case = settled(world, cases["H-A"])
    this = Case.objects.filter(pk=case.pk)
    for attack in (
        lambda: this.update(holder=cases["H-B"].holder),
        lambda: this.update(amount=2 * AMOUNT),
        lambda: this.update(status="open", amount=None, ended_at=None),
        lambda: of_b.update(holder=None),
        lambda: case.uses.update(ppm=1_000_000),
        lambda: case.uses.all().delete(),
    ):
        with pytest.raises(DatabaseError, match="A case"), transaction.atomic():
            attack()
    received(world, case)
    distributed(world)
    assert set(Allocation.objects.values_list("holder__ref", flat=True)) == {"H-A"}


def test_by_commands_to_the_won(world: World, tmp_path: Path) -> None:
    world.own(Owned("W", "H-A", 600_000), Owned("W", "H-B", 400_000))
    case = settled(world, opened(world, Used("W", 2_000, status="unmandated"))["H-A"])
    out = io.StringIO()
    call_command("bill_case", str(case.pk), "--json", stdout=out)
    billed = json.loads(out.getvalue())
    assert (billed["kind"], billed["case"], billed["amount"]) == ("compensation", case.pk, AMOUNT)
    invoice = Invoice.objects.get(number=billed["invoice"])
    billing.record_receipt(
        actor=world.approver, invoice=invoice, amount=AMOUNT, received_on=date(2026, 5, 1), bank_ref="C-1"
    )
    run = distributed(world)
    call_command("export_run", str(run.pk), "--out", str(tmp_path / "run.csv"), "--json", stdout=io.StringIO())
    rows = list(csv.DictReader((tmp_path / "run.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["holder_ref"], row["work_ref"], row["amount"]) for row in rows] == [("H-A", "W", "824503")]
    for form in ("pdf", "csv", "json"):
        told = io.StringIO()
        out_dir = str(tmp_path / form)
        call_command("export_statements", str(run.pk), "--out", out_dir, "--format", form, "--json", stdout=told)
        assert json.loads(told.getvalue())["statements"] == 1
    [statement] = (tmp_path / "csv").glob("*.csv")
    assert "824503" in statement.read_text(encoding="utf-8")
