"""The chart of accounts, and what identifies a request to post. Pure.

Each society keeps a book of its own in each currency. Money of a licence runs through it like this:

    invoice   receivable (licensee) ─▶ billed (invoice), vat          what is owed, not yet anybody's
    receipt   bank ─▶ receivable; billed ─▶ pool (invoice)            what came in, net of VAT, to be distributed
    credit    billed, vat ─▶ receivable                           a credit note takes off what is open;
              credited (licence), vat ─▶ favour (licence)         what was paid already stands in the firm's favour,
    invoice   favour ─▶ receivable; billed ─▶ credited            and pays of the licence's next invoice
    run       pool ─▶ clearing (run) ─▶ deduction:<name>, reserve, payable (holder), held, suspense
              suspense ─▶ clearing                                what an earlier run could not match, released
              payable, held, suspense ─▶ clearing                 what an earlier run distributed, divided anew;
              recoverable (holder) ─▶ payable                     what a holder then was paid too much is recovered
              payable ─▶ recoverable                              from what later runs bring the holder
    entry     bank ─▶ unapplied (bank entry) ─▶ receivable        money whose payer or invoice is found out later
    advance   advance (holder) ─▶ bank; payable ─▶ advance        paid ahead, and recouped from what comes in
    payout    payable (holder) ─▶ tax:<name>, paying (batch)      ordered, not yet confirmed by the bank
              paying ─▶ bank; or paying, tax ─▶ payable           carried out; or returned, with what was withheld
    write-off billed (invoice), vat ─▶ receivable                 two people give up what is open
    refund    favour or unapplied ─▶ refunding (refund) ─▶ bank   paid back; what had been in a pool is covered:
              reserve, borne ─▶ credited
    expiry    held, suspense ─▶ undistributable                   by a documented resolution, after its clock has run out
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from accounts.identity.core import Refusal, say

MAX_AMOUNT: Final = 10**15  # minor units of one posting, as the table's constraint has it
FIRST_DAY, LAST_DAY = datetime.date(1900, 1, 1), datetime.date(2999, 12, 31)

Side = Literal["debit", "credit"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of account: on which side its balance normally stands, and whom or what its owner id names.

    `named` kinds carry a name of their own: `deduction:management fee`. A `free` kind may stand on either side.
    """

    code: str
    label: str
    normal: Side
    owner: str = ""
    named: bool = False
    free: bool = False

    @property
    def floor(self) -> int:
        """1: debits never exceed credits; -1: the contrary; 0: either. The database holds the same (`ledger_kind`)."""
        if self.free:
            return 0
        return 1 if self.normal == "credit" else -1


CHART: Final = {
    kind.code: kind
    for kind in (
        Kind("bank", "Bank", "debit"),
        Kind("receivable", "Receivable from licensees", "debit", owner="organisation"),
        Kind("billed", "Billed, not yet received", "credit", owner="invoice"),
        Kind("vat", "VAT owed", "credit"),
        Kind("pool", "Received, to be distributed", "credit", owner="invoice"),
        Kind("favour", "In favour of licensees", "credit", owner="licence"),
        Kind("credited", "Credited after it was paid", "debit", owner="licence"),
        Kind("clearing", "Distribution under way", "credit", owner="run"),
        Kind("deduction", "Deduction", "credit", named=True),
        Kind("reserve", "Reserve", "credit"),
        Kind("payable", "Payable to holders", "credit", owner="holder"),
        Kind("recoverable", "Paid too much, to be recovered", "debit", owner="holder"),
        Kind("held", "Held", "credit"),
        Kind("suspense", "Suspense", "credit"),
        Kind("unapplied", "Received, not applied yet", "credit", owner="bank_entry"),
        Kind("exchange", "Currency exchange", "debit", free=True),
        Kind("charges", "Bank charges", "debit"),
        Kind("advance", "Advances to holders", "debit", owner="holder"),
        Kind("sister", "Payable to sister societies", "credit", owner="organisation"),
        Kind("tax", "Tax withheld", "credit", named=True),
        Kind("paying", "Payments ordered", "credit", owner="payout_batch"),
        Kind("refunding", "Refunds to be paid", "credit", owner="refund"),
        Kind("borne", "Borne by the society", "debit"),
        Kind("undistributable", "Cannot be distributed", "credit"),
    )
}


def kind_of(code: str) -> Kind:
    """The kind in the chart that an account's kind belongs to; Refusal where there is none.

    >>> kind_of("deduction:management fee").label
    'Deduction'
    """
    base, _, name = code.partition(":")
    found = CHART.get(base)
    if found is None or bool(name) != found.named:
        raise Refusal("unknown_account_kind", say("“{code}” is no kind of account in the chart.", code=code))
    return found


def balance(kind: str, debits: int, credits: int) -> int:
    """An account's balance on its normal side, in minor units.

    >>> balance("payable", 30, 100), balance("bank", 100, 30)
    (70, 70)
    """
    return debits - credits if kind_of(kind).normal == "debit" else credits - debits


@dataclass(frozen=True, slots=True)
class Transfer:
    """One posting to be: account ids and a positive amount in minor units of the accounts' currency."""

    debit: int
    credit: int
    amount: int


def check(transfers: Iterable[Transfer]) -> None:
    """Raise Refusal for what the ledger would refuse, before it is asked."""
    empty = True
    for line, transfer in enumerate(transfers, 1):
        empty = False
        if type(transfer.amount) is not int or not 1 <= transfer.amount <= MAX_AMOUNT:
            raise Refusal(
                "amount_out_of_range",
                say("Line {line}: an amount is a whole number from 1 to {most}.", line=line, most=MAX_AMOUNT),
                row=line,
            )
        if transfer.debit == transfer.credit:
            raise Refusal("same_account", say("Line {line}: a posting is between two accounts.", line=line), row=line)
    if empty:
        raise Refusal("nothing_to_post", say("A journal has at least one posting."))


def heading(society_id: int, kind: str, effective_on: datetime.date, reverses: int | None = None) -> str:
    """The first line of what a request's digest covers; the transfers follow, one a line (see `line`)."""
    return f"{society_id} {effective_on.isoformat()} {reverses or '-'} {kind}"


def digest(head: str, transfers: Iterable[Transfer]) -> bytes:
    """SHA-256 that tells a replay (same key, same content) from a conflict. `post_query` computes the same in SQL."""
    lines = [head, *(f"{transfer.debit} {transfer.credit} {transfer.amount}" for transfer in transfers)]
    return hashlib.sha256("\n".join(lines).encode()).digest()
