"""A society that pays, with what its holders are owed, and papers on which rights of others rest."""

from __future__ import annotations

import datetime
import io
import itertools
from dataclasses import dataclass
from typing import Any

from licensing.intake.models import StoredFile
from licensing.intake.services import keep
from licensing.repertoire.models import Holder
from royalties.entitlements import services
from royalties.entitlements.models import Advance, Entitlement
from royalties.ledger import services as ledger
from royalties.ledger.models import Account, Journal
from royalties.payees.models import Payee
from tests.royalties.payees_world import Payers, make_payers

JUNE, JULY = datetime.date(2026, 6, 1), datetime.date(2026, 7, 1)
_keys = itertools.count(1)


@dataclass
class Estate:
    """The people of a society and what they record."""

    payers: Payers

    @property
    def society(self) -> Any:
        return self.payers.society

    def paper(self, text: str = "order") -> StoredFile:
        stream = io.BytesIO(f"{text} {next(_keys)}".encode())
        return keep(actor=self.payers.first, stream=stream, name=f"{text}.pdf", organisation=self.society)

    def owe(self, holder: Holder, amount: int, on: datetime.date = JUNE, currency: str = "KRW") -> Journal:
        """A run brings a holder money (or takes some back)."""
        book = {"society_id": self.society.pk, "currency": currency}
        bank, clearing = ledger.account(kind="bank", **book), ledger.account(kind="clearing", owner_id=1, **book)
        payable = ledger.account(kind="payable", owner_id=holder.pk, **book)
        steps = [(bank, clearing), (clearing, payable)] if amount > 0 else [(payable, clearing), (clearing, bank)]
        return ledger.post(
            society_id=self.society.pk, kind="run", key=f"test:{next(_keys)}", effective_on=on,
            transfers=[ledger.Transfer(debit, credit, abs(amount)) for debit, credit in steps],
        )  # fmt: skip

    def pay(self, holder: Holder, amount: int, on: datetime.date = JUNE) -> Journal:
        """What a holder is owed is paid."""
        book = {"society_id": self.society.pk, "currency": "KRW"}
        legs = (ledger.account(kind="payable", owner_id=holder.pk, **book), ledger.account(kind="bank", **book))
        return ledger.post(
            society_id=self.society.pk, kind="payout", key=f"test:{next(_keys)}", effective_on=on,
            transfers=[ledger.Transfer(*legs, amount)],
        )  # fmt: skip

    def balance(self, kind: str, owner: int | None = None, currency: str = "KRW") -> int:
        """On the credit side; 0 where there is no such account."""
        found = Account.objects.filter(society=self.society, kind=kind, owner_id=owner, currency=currency).first()
        return found.credits - found.debits if found else 0

    def owed(self, *holders: Holder) -> list[int]:
        return [self.balance("payable", holder.pk) for holder in holders]

    def ask(self, holder: Holder, kind: str, to: Holder | Payee, **said: Any) -> Entitlement:
        receiver = {"to_holder" if isinstance(to, Holder) else "to_payee": to}
        given = {"valid_from": JUNE, "basis": "Contract of 1 June 2026", "document": self.paper()} | said
        return services.request_entitlement(
            actor=self.payers.first, society=self.society, holder=holder, kind=kind, **receiver, **given
        )

    def right(self, holder: Holder, kind: str, to: Holder | Payee, **said: Any) -> Entitlement:
        return services.decide_entitlement(actor=self.payers.second, entitlement=self.ask(holder, kind, to, **said))

    def transfer(self, key: str = "june", on: datetime.date = JULY, **more: Any) -> Journal | None:
        given = {"actor": self.payers.first, "society": self.society, "currency": "KRW"} | more
        return services.transfer(on=on, key=key, **given)

    def third(self, name: str = "Kim & Partners") -> Payee:
        """A third party without payment details yet."""
        return Payee.objects.create(society=self.society, name=name)

    def advance(self, holder: Holder, amount: int, paid_on: datetime.date = JUNE, **said: Any) -> Advance:
        """Granted by two people and paid."""
        given = {"currency": "KRW", "amount": amount, "reason": "for a new novel"} | said
        asked = services.request_advance(actor=self.payers.first, society=self.society, holder=holder, **given)
        granted = services.decide_advance(actor=self.payers.second, advance=asked)
        due = services.withheld_from(granted, paid_on).net
        return services.record_advance_paid(
            actor=self.payers.first, advance=granted, on=paid_on, paid=due, bank_reference=f"BANK-{next(_keys)}"
        )


def make_estate(ref: str = "KOREA-WEB") -> Estate:
    return Estate(make_payers(ref))
