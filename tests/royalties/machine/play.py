"""The moves: what people of a society, its licensees, its holders and its bank do, in any order. After each the books are compared."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from typing import Any

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import F, QuerySet
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from accounts.identity.core import SYSTEM, Refusal
from config.management.commands.verify import SLICES
from licensing.declarations.models import Declaration
from licensing.matching import services as matching
from licensing.matching.models import MatchRule
from licensing.repertoire.models import Work
from royalties.bank import services as bank
from royalties.bank.models import Application
from royalties.billing import services as billing
from royalties.billing.models import Invoice, Refund, WriteOff
from royalties.distribution import services as distribution
from royalties.distribution.models import Allocation, Run
from royalties.distribution.services.runs import undistributed
from royalties.entitlements import services as entitlements
from royalties.entitlements.models import Advance, Entitlement
from royalties.ledger.models import Account
from royalties.payouts import services as payouts
from royalties.payouts.models import Batch, Payment
from royalties.reports import services as reports
from royalties.reports.models import Close
from royalties.statements import services as statements
from tests.royalties.machine.books import Books, in_hand
from tests.royalties.machine.stage import HOLDERS, QUARTERS, UNKNOWN, Stage, speak

PICK = st.integers(0, 7)  # one of what there is: the n-th from the end, around
UNITS = st.integers(0, 3_000)
HOLDER = st.sampled_from(HOLDERS)
QUARTER = st.sampled_from((0, 1))
RUN_UNTIL = ("published", "published", "published", "posted", "approved", "computed")
HAND_ON = st.sampled_from((1_000_000, 500_000, 333_333))


# What an act needs to be about something.
THINGS: dict[str, Callable[[Stage], QuerySet[Any]]] = {
    "asked": lambda stage: Invoice.objects.unpaid(),
    "money": lambda stage: bank.open_entries(stage.society.pk, 1),
    "refunds": lambda stage: Refund.objects.filter(status="approved"),
    "receipts": lambda stage: undistributed(stage.society.pk, DateRange(None, None)),
    "unposted": lambda stage: Run.objects.filter(status__in=["draft", "computed", "approved", "posted"]),
    "posted": lambda stage: Run.objects.filter(status__in=["posted", "published"]),
    "waiting": lambda stage: Allocation.objects.filter(status__in=["held", "suspense"]),
    "advances": lambda stage: Advance.objects.filter(status="paid"),
    "rights": lambda stage: Entitlement.objects.approved(),
    "payable": lambda stage: Account.objects.filter(kind="payable", credits__gt=F("debits")),
    "batches": lambda stage: Batch.objects.filter(status__in=["draft", "prepared", "approved"]),
    "ordered": lambda stage: Batch.objects.filter(status="ordered"),
    "sent": lambda stage: Payment.objects.filter(status="sent"),
    "settled": lambda stage: Payment.objects.filter(status__in=["sent", "settled"]),
    "payments": lambda stage: Payment.objects.filter(status__in=["sent", "settled", "rejected", "returned"]),
}


def given(*things: str) -> Any:
    """The act has something to be about: one of these."""
    return precondition(lambda self: bool(self.there.intersection(things)))


class Play(RuleBasedStateMachine):
    """One example: a transaction's savepoint, rolled back at its end, so that the next one finds the stage as it was made."""

    stage: Stage  # of the test that plays

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.books = Books(self.stage.society.pk)
        self.there: set[str] = set()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    @contextmanager
    def act(self, name: str) -> Iterator[None]:
        """One act, whole or (where a service refuses it) not at all. Anything but a refusal is a failure."""
        try:
            with transaction.atomic():
                yield
                speak()
        except Refusal as refusal:
            COUNTED[f"{name}: {refusal.code}"] = COUNTED.get(f"{name}: {refusal.code}", 0) + 1
        else:
            COUNTED[name] = COUNTED.get(name, 0) + 1

    @invariant()
    def all_is_well(self) -> None:
        self.books.look()
        self.books.compare()
        assert [problem for problems in SLICES for problem in problems()] == []
        self.there = {name for name, rows in THINGS.items() if rows(self.stage).exists()}

    # --- firms

    @initialize(units=st.integers(1_000, 3_000), far=st.sampled_from(("paid", "distributed", "sent", "sent")))
    def begin(self, units: int, far: str) -> None:
        """A first quarter that is paid, perhaps distributed, perhaps on its way to the holders: something to move from the start."""
        self.bill(quarter=0, a=units, b=units, o=units, unknown=units, amending=False, early=True)
        self.pay(which=0, how="all", part=1)
        if far != "paid":
            self.distribute(quarter=0, correct=False, until="published")
        if far == "sent":
            self.pay_out(until="sent")

    @rule(
        quarter=QUARTER, a=UNITS, b=UNITS, o=UNITS, unknown=UNITS, amending=st.booleans(), early=st.booleans(),
    )  # fmt: skip
    def bill(self, quarter: int, a: int, b: int, o: int, unknown: int, amending: bool, early: bool) -> None:
        """What is declared costs ₩1 a token, less what was billed of the quarter before; less than that is a credit note."""
        if not a + b + o + unknown:
            return
        stage = self.stage
        with self.act("bill"):
            stage.declare(quarter, {"A": a, "B": b, "O": o, UNKNOWN: unknown}, amending)
            licence, period = stage.world.licence, QUARTERS[quarter]
            of_period = Invoice.objects.filter(licence=licence, period=period)
            before = sum(of_period.values_list("net", flat=True))
            issued = datetime.date(2026, 7, 10) if early else timezone.localdate()
            done = billing.bill_period(actor=stage.first, licence=licence, period=period, issued_on=issued)
            declared = Declaration.objects.filter(licence=licence, period=period, status="accepted")
            total = sum(use.units for each in declared for use in each.uses.all())
            assert before + (done.invoice.net if done.new else 0) == total
            if done.new and done.invoice.net > 0:
                assert done.invoice.vat == (done.invoice.net + 5) // 10  # ten percent, half up

    @given("asked")
    @rule(which=PICK, how=st.sampled_from(("part", "all", "more")), part=st.integers(1, 5_000))
    def pay(self, which: int, how: str, part: int) -> None:
        with self.act(f"pay {how}"):
            if invoice := pick(Invoice.objects.unpaid(), which):
                amount = {
                    "part": max(1, invoice.open * part // 5_000),
                    "all": invoice.open,
                    "more": invoice.open + part,
                }[how]
                if amount:
                    entry = self.stage.bank_says(1, amount, purpose=invoice.number, name="Hanbit")
                    billing.apply_entry(actor=self.stage.first, entry=entry, invoices=[invoice])

    @given("money")
    @rule(which=PICK, licence=st.booleans())
    def keep_what_is_left(self, which: int, licence: bool) -> None:
        """Money whose purpose is not known yet, or that waits for the next invoice."""
        with self.act("keep"):
            if entry := pick(bank.open_entries(self.stage.society.pk, 1).filter(parked=None), which):
                if licence:
                    billing.keep_for_licence(actor=self.stage.first, entry=entry, licence=self.stage.world.licence)
                else:
                    bank.park(actor=self.stage.first, entry=entry)

    @given("money")
    @rule()
    def match_by_itself(self) -> None:
        with self.act("match"):
            billing.match(self.stage.society.pk)

    @given("asked")
    @rule(which=PICK)
    def give_up(self, which: int) -> None:
        with self.act("write off"):
            if invoice := pick(Invoice.objects.unpaid(), which):
                asked = billing.request_write_off(
                    actor=self.stage.first, invoice=invoice, ground=WriteOff.Ground.UNCOLLECTABLE, reason="bankrupt"
                )
                billing.decide_write_off(actor=self.stage.second, write_off=asked, approve=True)

    @rule(which=PICK, of_licence=st.booleans(), cover=st.sampled_from(("society", "reserve")), part=st.integers(1, 4))
    def refund(self, which: int, of_licence: bool, cover: str, part: int) -> None:
        """Of a licence's favour, or of what is left of a payment: asked, approved, set apart."""
        stage, source = self.stage, {}
        with self.act("refund"):
            if of_licence:
                amount = billing.favour(stage.world.licence, "KRW").gross
                source = {"licence": stage.world.licence, "currency": "KRW", "cover": cover}
            elif entry := pick(bank.open_entries(stage.society.pk, 1), which):
                amount, source = entry.left, {"entry": entry}
            if source and amount:
                asked = billing.request_refund(
                    actor=stage.first, amount=max(1, amount // part), payee_name="Hanbit", payee_account="110-222-333444",
                    reason="paid too much", **source,
                )  # fmt: skip
                billing.decide_refund(actor=stage.second, refund=asked, approve=True)

    @given("refunds")
    @rule(which=PICK, cancel=st.booleans())
    def end_refund(self, which: int, cancel: bool) -> None:
        with self.act("cancel refund" if cancel else "pay refund"):
            if refund := pick(Refund.objects.filter(status="approved"), which):
                if cancel:
                    billing.cancel_refund(actor=self.stage.first, refund=refund, reason="set off instead")
                else:
                    entry = self.stage.bank_says(-1, refund.amount)
                    billing.settle_refund(actor=self.stage.first, refund=refund, entry=entry)

    # --- distribution

    @given("receipts", "posted")
    @rule(quarter=QUARTER, correct=st.booleans(), until=st.sampled_from(RUN_UNTIL))
    def distribute(self, quarter: int, correct: bool, until: str) -> None:
        stage = self.stage
        with self.act(f"run {until}"):
            offered = distribution.waiting_corrections(stage.society.pk) if correct else []
            chosen = [each.pool_id for each in offered if each.offered]
            run = distribution.start_run(
                actor=stage.world.computer, society=stage.society, period=QUARTERS[quarter], correct=chosen
            )
            self._bring(distribution.compute(run.pk), until)

    @given("unposted")
    @rule(which=PICK, until=st.sampled_from(("posted", "published", "discarded")))
    def go_on_with_run(self, which: int, until: str) -> None:
        with self.act(f"run on to {until}"):
            if run := pick(Run.objects.filter(status__in=["draft", "computed", "approved", "posted"]), which):
                if until == "discarded":
                    distribution.discard(actor=self.stage.world.computer, run=run)
                else:
                    self._bring(run, until)

    def _bring(self, run: Run, until: str) -> None:
        """From where it stands to where it shall be."""
        world = self.stage.world
        if run.status == "draft":
            run = distribution.compute(run.pk)
        if run.status == "computed" and until != "computed":
            if distribution.pending(run) is None:
                distribution.request(actor=world.computer, run=run)
            run = distribution.approve(actor=world.approver, run=run)
        if run.status == "approved" and until in ("posted", "published"):
            run = distribution.post(run.pk)
        if run.status == "posted" and until == "published":
            statements.publish(actor=world.approver, run=run)
        assert run.pool + run.released + run.corrected == (
            sum(run.deductions.values()) + run.reserve + run.payable + run.held + run.suspense
        ), run

    @given("posted")
    @rule(which=PICK)
    def reverse(self, which: int) -> None:
        world = self.stage.world
        with self.act("reverse"):
            if run := pick(Run.objects.filter(status__in=["posted", "published"]), which):
                distribution.request_reversal(actor=world.computer, run=run)
                distribution.reverse(actor=world.approver, run=run, reason="wrong weights")

    @rule(settled=st.booleans())
    def settle_claim(self, settled: bool) -> None:
        """O is claimed for six fifths of the whole, until the claimants settle it."""
        with self.act("settle shares"):
            self.stage.share("O", "H-2", ppm=400_000 if settled else 600_000)

    @rule(disputed=st.booleans())
    def dispute(self, disputed: bool) -> None:
        with self.act("dispute"):
            self.stage.share("B", "H-3", disputed=disputed)

    @rule(ppm=st.sampled_from((333_333, 500_000, 1)))
    def change_shares(self, ppm: int) -> None:
        """A's owners divide it otherwise."""
        with self.act("change shares"):
            self.stage.share("A", "H-1", ppm=ppm)
            self.stage.share("A", "H-2", ppm=1_000_000 - ppm)

    @rule(work=st.sampled_from(("N", "A", "B", "")))
    def claim(self, work: str) -> None:
        """The unknown site means a work after all; or, again, none."""
        scheme, _colon, value = UNKNOWN.partition(":")
        society = self.stage.society
        with self.act("match a site" if work else "withdraw a match"):
            if work:
                found = Work.objects.get(society=society, ref=work)
                matching.decide(actor=SYSTEM, society=society, scheme=scheme, value=value, work=found)
            elif held := MatchRule.objects.in_force().filter(society=society, value=value).first():
                matching.withdraw(actor=SYSTEM, rule=held, reason="another site of the same name")

    @given("waiting")
    @rule(kind=st.sampled_from(("held", "suspense")), which=PICK)
    def expire(self, kind: str, which: int) -> None:
        """A resolution's last step: what it lists can never be distributed."""
        with self.act("expire"):
            number = Application.objects.count() + Run.objects.count() * 1_000 + which
            distribution.expire(
                actor=self.stage.world.approver, society=self.stage.society, params=[self.stage.society.pk, kind],
                allocations="SELECT allocation_id FROM royalties_outstandingallocation WHERE society_id = %s AND status = %s "
                "ORDER BY allocation_id LIMIT 1",
                resolution_id=number, effective_on=timezone.localdate(), key=f"resolution:{number}",
            )  # fmt: skip

    # --- holders

    @rule(holder=HOLDER, status=st.sampled_from(("kr_business", "kr_other", "kr_organisation")))
    def pay_elsewhere(self, holder: str, status: str) -> None:
        """Other details, asked for, approved by a second person, checked."""
        with self.act("payee details"):
            self.stage.office.estate.payers.usable(self.stage.holders[holder], tax_status=status)

    @rule(holder=HOLDER, amount=st.integers(100, 3_000), stays=st.sampled_from((0, 300)), ppm=HAND_ON)
    def pay_ahead(self, holder: str, amount: int, stays: int, ppm: int) -> None:
        stage = self.stage
        with self.act("advance"):
            asked = entitlements.request_advance(
                actor=stage.first, society=stage.society, holder=stage.holders[holder], currency="KRW", amount=amount,
                reason="for a new novel", stays=stays, ppm=ppm,
            )  # fmt: skip
            granted = entitlements.decide_advance(actor=stage.second, advance=asked)
            today = timezone.localdate()
            entry = stage.bank_says(-1, entitlements.withheld_from(granted, today).net)
            entitlements.record_advance_paid(actor=stage.first, advance=granted, on=today, entry=entry)

    @given("advances")
    @rule(which=PICK)
    def forgive(self, which: int) -> None:
        with self.act("forgive an advance"):
            if advance := pick(Advance.objects.filter(status="paid"), which):
                entitlements.request_write_off(actor=self.stage.first, advance=advance, reason="the author died")
                entitlements.decide_write_off(actor=self.stage.second, advance=advance)

    @rule(
        holder=HOLDER, kind=st.sampled_from(("assignment", "succession", "garnishment", "other_payee")), to=HOLDER, ppm=HAND_ON,
        arrears=st.booleans(), ceiling=st.sampled_from((None, 700)),
    )  # fmt: skip
    def give_right(self, holder: str, kind: str, to: str, ppm: int, arrears: bool, ceiling: int | None) -> None:
        stage, own = self.stage, kind in ("assignment", "succession")
        receiver: Any = stage.holders[to] if own else stage.third
        said: dict[str, Any] = {"ppm": ppm, "valid_from": timezone.localdate()}
        if kind == "assignment":
            said["with_arrears"] = arrears
        if kind == "garnishment" and ceiling:
            said |= {"ceiling": ceiling, "currency": "KRW"}
        with self.act(kind):
            stage.office.estate.right(stage.holders[holder], kind, receiver, **said)

    @given("rights")
    @rule(which=PICK)
    def end_right(self, which: int) -> None:
        with self.act("end a right"):
            if right := pick(Entitlement.objects.approved(), which):
                entitlements.request_end(
                    actor=self.stage.first, entitlement=right, on=timezone.localdate(), reason="paid off"
                )
                entitlements.decide_end(actor=self.stage.second, entitlement=right)

    # --- payouts

    @given("payable", "batches", "ordered")
    @rule(until=st.sampled_from(("prepared", "approved", "ordered", "sent", "sent")))
    def pay_out(self, until: str) -> None:
        """A payout from where it stands to where it shall be; a new one where none is open."""
        stage = self.stage
        with self.act(f"payout {until}"):
            batch = pick(Batch.objects.filter(status="ordered"), 0) if until == "sent" else None
            if batch is None:
                batch = payouts.start(
                    actor=stage.first, society=stage.society, execute_on=timezone.localdate(), currency="KRW"
                )
                batch = payouts.prepare(batch.pk, actor=stage.first)
            if batch.status == "prepared" and until != "prepared":
                if payouts.pending(batch) is None:
                    payouts.request(actor=stage.first, batch=batch)
                batch = payouts.approve(actor=stage.second, batch=batch)
            if batch.status == "approved" and until in ("ordered", "sent"):
                batch = payouts.order(batch.pk, actor=stage.second)
            if batch.status == "ordered" and until == "sent":
                stage.office.take(batch)

    @given("batches")
    @rule(which=PICK)
    def discard_payout(self, which: int) -> None:
        with self.act("discard payout"):
            if batch := pick(Batch.objects.filter(status__in=["draft", "prepared", "approved"]), which):
                payouts.discard(actor=self.stage.first, batch=batch)

    @given("sent")
    @rule(which=PICK, said=st.sampled_from(("ACSC", "RJCT", "PDNG", "all")), number=st.integers(1, 3))
    def bank_answers(self, which: int, said: str, number: int) -> None:
        """pain.002 of one payment, or of all; the same answer may come twice."""
        with self.act(f"answer {said}"):
            if batch := pick(Batch.objects.filter(status="sent"), which):
                payment = in_hand(batch)[which % len(in_hand(batch))]
                if said == "all":
                    self.stage.office.answer(batch, group="ACSC", message=f"BANK-{number}")
                else:
                    answer = (payment.end_to_end_id, said, "AC04") if said == "RJCT" else (payment.end_to_end_id, said)
                    self.stage.office.answer(batch, answer, message=f"BANK-{number}")

    @given("payments")
    @rule(which=PICK, sign=st.sampled_from((-1, 1)))
    def bank_books(self, which: int, sign: int) -> None:
        """A statement shows that a payment left, or that it came back; perhaps for the second time."""
        with self.act("debit" if sign < 0 else "return"):
            sent = Payment.objects.filter(status__in=["sent", "settled", "rejected", "returned"])
            if payment := pick(sent, which):
                self.stage.bank_says(sign, payment.net, end_to_end=payment.end_to_end_id, purpose="payout")
                payouts.apply_entries(actor=self.stage.first, society=self.stage.society)

    @given("settled")
    @rule(which=PICK, back=st.booleans())
    def say_by_hand(self, which: int, back: bool) -> None:
        with self.act("by hand: back" if back else "by hand: settled"):
            if payment := pick(Payment.objects.filter(status__in=["sent", "settled"]), which):
                said = {
                    "actor": self.stage.first,
                    "batch": payment.batch,
                    "payment_ids": [payment.pk],
                    "bank_ref": "B-9",
                }
                today = timezone.localdate()
                if back:
                    payouts.return_by_hand(on=today, reason="account closed", **said)
                else:
                    payouts.settle_by_hand(on=today, **said)

    # --- the book

    @rule(late=st.booleans())
    def close(self, late: bool) -> None:
        """Two people close the book through a day; what is dated before is refused, or booked on the next day."""
        through = timezone.localdate() - datetime.timedelta(days=1) if late else datetime.date(2026, 3, 31)
        with self.act("close"):
            for waiting in Close.objects.filter(status=Close.Status.REQUESTED):
                reports.withdraw_close(actor=self.stage.first, close=waiting)
            asked = reports.request_close(
                actor=self.stage.first, society=self.stage.society, through=through, remark="what waits is known"
            )
            reports.approve_close(actor=self.stage.second, close=asked)


COUNTED: dict[str, int] = {}  # how often each act was done, and how often it was refused and why


def pick(rows: Any, which: int) -> Any:
    """One of the rows, the latest first; None where there is none."""
    found = list(rows.order_by("-pk"))
    return found[which % len(found)] if found else None


def played(stage: Stage) -> type[Play]:
    """The machine, on this stage."""
    return type("Play", (Play,), {"stage": copy(stage)})
