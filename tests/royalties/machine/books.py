"""What the book must say, reckoned in plain integers from what happened, without a look at the ledger.

Each business fact that is new since the last look (an invoice, a receipt, a run that was posted, a payment that came back) is
booked once by its rule of the chart, in the one line that says it. The ledger's own balances are then compared, to the won.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Model, QuerySet

from royalties.bank.models import Entry
from royalties.billing.models import Invoice, InvoiceCredit, Receipt, Refund, WriteOff
from royalties.distribution.models import Allocation, ExpiredAllocation, Run, RunRelease
from royalties.entitlements.models import Advance, AdvanceMove, EntitlementMove
from royalties.ledger.models import Account
from royalties.payouts.models import Batch, Payment

POSTED = (Run.Status.POSTED, Run.Status.PUBLISHED)
STANDING = ("ordered", "sent", "settled")  # payments whose money left the holder's account and did not come back
# Kinds of accounts that have money which is somebody else's, or kept; what is owed to the society; and what it bears itself.
KEPT = (
    "pool", "clearing", "deduction", "reserve", "payable", "held", "suspense", "unapplied", "sister", "tax", "paying", "refunding",
    "undistributable", "favour", "vat", "billed",
)  # fmt: skip
OWED = ("receivable", "advance", "recoverable")
BORNE = ("credited", "borne", "charges", "exchange")


@dataclass
class Books:
    """Balances on the credit side by kind, what stands to each holder's credit, and which facts are booked already."""

    society: int
    at: Counter[str] = field(default_factory=Counter)
    holders: Counter[int] = field(default_factory=Counter)  # payable less recoverable
    came: int = 0
    went: int = 0
    earned: Counter[int] = field(default_factory=Counter)  # what runs, transfers and heirs brought, on balance
    most: Counter[int] = field(default_factory=Counter)  # the most of it that ever stood
    seen: dict[str, int] = field(default_factory=dict)  # the last row of those that are only added
    states: dict[str, dict[int, str]] = field(default_factory=dict)  # of those that change
    used: Counter[int] = field(default_factory=Counter)  # of a bank entry
    parked: set[int] = field(default_factory=set)
    runs: dict[int, tuple[Counter[str], Counter[int]]] = field(default_factory=dict)

    def copy(self) -> Books:
        plain = {name: getattr(self, name).copy() for name in ("at", "holders", "earned", "most", "used", "parked")}
        states = {name: dict(rows) for name, rows in self.states.items()}
        return Books(
            self.society, came=self.came, went=self.went, seen=dict(self.seen), states=states, runs=dict(self.runs), **plain
        )  # fmt: skip

    def move(self, debit: str, credit: str, amount: int) -> None:
        assert amount >= 0, (debit, credit, amount)
        self.at[debit] -= amount
        self.at[credit] += amount
        self.came += amount if debit == "bank" else 0
        self.went += amount if credit == "bank" else 0

    def owe(self, holder: int, amount: int) -> None:
        """A holder's money, from somebody who is no bank: a run, another holder."""
        self.holders[holder] += amount
        self.earned[holder] += amount

    def look(self) -> None:
        """Book all that happened since the last look, in the order in which one follows from the other."""
        for each in self._new(Invoice):
            self._invoice(each)
        self._parking()
        for each in self._moved(WriteOff):  # taken back before the receipt that shows that it was too early
            self._write_off(each)
        for each in self._new(Receipt):
            self._receipt(each)
        for each in self._moved(Refund):
            self._refund(each)
        for each in self._moved(Run):
            self._run(each)
        for each in self._new(EntitlementMove):
            self.owe(each.source_id, -each.amount)
            self.owe(each.target_id, each.amount)
        for each in self._new(AdvanceMove):
            self._advance(each)
        for each in self._moved(Payment):
            self._payment(each)
        for each in self._new(ExpiredAllocation):
            self.move(Allocation.objects.get(pk=each.allocation_id).status, "undistributable", each.amount)
        for holder, amount in self.earned.items():
            self.most[holder] = max(self.most[holder], amount)

    def _new(self, model: type[Model]) -> list[Any]:
        last = self.seen.get(model.__name__, 0)
        rows = list(model._default_manager.filter(pk__gt=last).order_by("pk"))
        if rows:
            self.seen[model.__name__] = rows[-1].pk
        return rows

    def _moved(self, model: type[Model]) -> list[Any]:
        """Rows whose status is another than at the last look, with the status before as `before`."""
        known = self.states.setdefault(model.__name__, {})
        changed = []
        for row in _all(model):
            if known.get(row.pk) != row.status:
                row.before = known.get(row.pk, "")
                known[row.pk] = row.status
                changed.append(row)
        return changed

    # What each fact does

    def _invoice(self, invoice: Invoice) -> None:
        if invoice.net >= 0:
            self.move("receivable", "billed", invoice.net)
            self.move("receivable", "vat", invoice.vat)
            self.move("favour", "receivable", invoice.carried)
            self.move("billed", "credited", invoice.carried_net)
            return
        parts = list(InvoiceCredit.objects.filter(credit=invoice))
        assert (sum(p.net for p in parts), sum(p.vat for p in parts)) == (-invoice.net, -invoice.vat)
        for part in parts:
            self.move("credited" if part.returned else "billed", "favour" if part.returned else "receivable", part.net)
            self.move("vat", "favour" if part.returned else "receivable", part.vat)

    def _parking(self) -> None:
        for entry in Entry.objects.exclude(parked=None).exclude(pk__in=self.parked):
            self.parked.add(entry.pk)
            self.move("bank", "unapplied", entry.amount - self.used[entry.pk])

    def _source(self, entry_id: int | None) -> str:
        return "unapplied" if entry_id in self.parked else "bank"

    def _receipt(self, receipt: Receipt) -> None:
        self.move(self._source(receipt.entry_id), "receivable", receipt.amount)
        self.move("billed", "pool", receipt.net)
        if receipt.entry_id:
            self.used[receipt.entry_id] += receipt.amount

    def _write_off(self, given_up: WriteOff) -> None:
        if given_up.status == "approved":
            self.move("billed", "receivable", given_up.net)
            self.move("vat", "receivable", given_up.vat)
        elif given_up.status == "resumed":
            self.move("receivable", "billed", given_up.net)
            self.move("receivable", "vat", given_up.vat)

    def _refund(self, refund: Refund) -> None:
        source = "unapplied" if refund.entry_id else "favour"
        cover = "reserve" if refund.cover == Refund.Cover.RESERVE else "borne"
        if refund.status in ("approved", "paid") and refund.before not in ("approved", "paid"):
            self.move(source, "refunding", refund.amount)
            self.move(cover, "credited", refund.net)
            self.used[refund.entry_id or 0] += refund.amount
        if refund.status == "paid":
            self.move("refunding", "bank", refund.amount)
        elif refund.status == "cancelled":
            self.move("refunding", source, refund.amount)
            self.move("credited", cover, refund.net)

    def _run(self, run: Run) -> None:
        if run.status in POSTED and run.before not in POSTED:
            self.runs[run.pk] = self._brought(run)
            self._distribute(run.pk, 1)
        elif run.status == Run.Status.REVERSED:
            self._distribute(run.pk, -1)

    def _distribute(self, run: int, sign: int) -> None:
        kinds, holders = self.runs[run]
        for kind, amount in kinds.items():
            self.at[kind] += sign * amount
        for holder, amount in holders.items():
            self.owe(holder, sign * amount)

    def _brought(self, run: Run) -> tuple[Counter[str], Counter[int]]:
        """What a run changes: by kind of account, and by holder. It gives all that it takes: nothing is left in between."""
        kinds: Counter[str] = Counter({"pool": -run.pool, "reserve": run.reserve})
        kinds["deduction"] += sum(run.deductions.values())
        holders: Counter[int] = Counter()
        given = Allocation.objects.filter(run=run).values_list("status", "holder_id", "amount")
        taken = [(each.status, each.holder_id, -each.amount) for each in _taken_back(run)]
        freed = RunRelease.objects.filter(pool__run=run).select_related("allocation")
        taken += [(each.allocation.status, each.allocation.holder_id, -each.amount) for each in freed]
        for status, holder, amount in [*given, *taken]:
            if status == "payable" and holder is not None:
                holders[holder] += amount
            else:
                kinds[status] += amount
        assert sum(kinds.values()) + sum(holders.values()) == 0, (run, kinds, holders)
        return kinds, holders

    def _advance(self, move: AdvanceMove) -> None:
        holder = Advance.objects.get(pk=move.advance_id).holder_id
        if move.kind == AdvanceMove.Kind.PAID:
            net = Entry.objects.get(bank_ref=move.advance.bank_reference).amount
            self.move("advance", "bank", net)
            self.move("advance", "tax", move.amount - net)
        elif move.kind == AdvanceMove.Kind.RECOUPED:
            self.holders[holder] -= move.amount
            self.at["advance"] += move.amount
        else:
            self.move("borne", "advance", move.amount)

    def _payment(self, payment: Payment) -> None:
        assert payment.gross == payment.withheld + payment.net
        stood, stands = payment.before in STANDING, payment.status in STANDING
        if stands and not stood:
            self.holders[payment.holder_id] -= payment.gross
            self.at["tax"] += payment.withheld
            self.at["paying"] += payment.net
        if stands and payment.status == "settled":
            self.move("paying", "bank", payment.net)
        if stood and not stands:
            self.holders[payment.holder_id] += payment.gross
            self.at["tax"] -= payment.withheld
            if payment.before == "settled":
                self.at["bank"] -= payment.net
                self.came += payment.net
            else:
                self.at["paying"] -= payment.net

    # What must hold

    def compare(self) -> None:
        """The ledger says the same, to the won; nothing came from nowhere, and nobody was paid what was never theirs."""
        found: Counter[str] = Counter()
        owed: Counter[int] = Counter()
        for kind, owner, debits, credits in Account.objects.values_list("kind", "owner_id", "debits", "credits"):
            base = kind.partition(":")[0]
            found[base] += credits - debits
            if base in ("payable", "recoverable") and owner is not None:
                owed[owner] += credits - debits
        owing = found["payable"] + found["recoverable"]
        assert _same(owed, self.holders), f"holders: ledger {+owed}, reckoned {+self.holders}"
        expected = self.at.copy()
        expected["payable+recoverable"] = sum(self.holders.values())
        stored = found.copy()
        del stored["payable"], stored["recoverable"]
        stored["payable+recoverable"] = owing
        assert _same(stored, expected), f"ledger {dict(stored)}, reckoned {dict(expected)}"
        # Money in = money out + money kept.
        kept = sum(found[kind] for kind in KEPT)
        claims = -sum(found[kind] for kind in (*OWED, *BORNE))
        assert self.came - self.went == -found["bank"] == kept - claims, (self.came, self.went, kept, claims)
        self._never_twice()

    def _never_twice(self) -> None:
        paid: Counter[int] = Counter()
        for holder, gross in Payment.objects.filter(status__in=STANDING).values_list("holder_id", "gross"):
            paid[holder] += gross
        for holder, amount in paid.items():
            assert amount <= self.most[holder], (
                f"holder {holder} was paid {amount}, and never had more than {self.most[holder]}"
            )


def _all(model: type[Model]) -> QuerySet[Any]:
    return model._default_manager.order_by("pk")


def _same(one: Counter[Any], other: Counter[Any]) -> bool:
    return all(one[key] == other[key] for key in one.keys() | other.keys())


@dataclass(frozen=True)
class _Taken:
    status: str
    holder_id: int | None
    amount: int


def _taken_back(run: Run) -> Iterable[_Taken]:
    """The amounts that a run takes back to divide them anew."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT status, holder_id, amount FROM royalties_takenback WHERE correction_run_id = %s", [run.pk]
        )
        return [_Taken(*row) for row in cursor.fetchall()]


def in_hand(batch: Batch) -> list[Payment]:
    """The payments of a batch that the bank has and has not answered, by holder."""
    return list(batch.rows.filter(status="sent").order_by("position"))
