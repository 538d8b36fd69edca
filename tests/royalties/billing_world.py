"""A society that bills: a tariff, a licence, accepted declarations with priced rows."""

from __future__ import annotations

import datetime
import itertools
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from accounts.identity.core import Actor
from accounts.organisations.models import Organisation
from licensing.declarations.models import Declaration, DeclaredUse
from licensing.licences.models import Licence
from royalties.billing import services
from royalties.billing.models import Invoice, Receipt
from royalties.ledger.models import Account
from tests.licensing import parties

JANUARY, APRIL = datetime.date(2026, 1, 1), datetime.date(2026, 4, 1)
QUARTER = (JANUARY, APRIL)
ISSUED = datetime.date(2026, 4, 10)
EXAMPLE = 20_858_600_725  # tokens, which the contract's tariff prices at ₩428,586
_counter = itertools.count(1)


@dataclass
class Firm:
    """A society, a licensee, their licence, and who works for them."""

    society: Organisation
    licensee: Organisation
    licence: Licence
    finance: Actor

    def declare(
        self, units: int = EXAMPLE, start: str = "2026-01-01", end: str = "2026-04-01", **fields: Any
    ) -> Declaration:
        """An accepted declaration of tokens of one unmatched domain, used for training."""
        submitted = fields.pop("submitted_at", timezone.now())
        value = fields.pop("value", f"site-{next(_counter)}.example")
        declaration = parties.declaration(self.licence, start, end, sha256=f"{next(_counter):064x}", **fields)
        DeclaredUse.objects.create(
            declaration=declaration, scheme="domain", value=value, kind="web", use="train", unit="token",
            used_on=declaration.period.lower, status="unmatched", units=units, lines=1,
        )  # fmt: skip
        declaration.submitted_at = submitted  # from now on its uses are immutable
        declaration.save(update_fields=["submitted_at"])
        return declaration

    def bill(self, period: tuple[datetime.date, datetime.date] = QUARTER, **fields: Any) -> Invoice:
        return services.bill(
            **{"actor": self.finance, "licence": self.licence, "period": period, "issued_on": ISSUED} | fields
        )

    def receive(self, invoice: Invoice, amount: int, bank_ref: str = "B-1", **fields: Any) -> Receipt:
        given = {"actor": self.finance, "invoice": invoice, "amount": amount, "received_on": datetime.date(2026, 5, 1)}
        return services.record_receipt(**given | {"bank_ref": bank_ref} | fields)

    def balance(self, kind: str, owner_id: int | None = None) -> int:
        """Credits less debits of an account; 0 where it was never opened."""
        account = Account.objects.filter(society=self.society, kind=kind, owner_id=owner_id).first()
        return account.credits - account.debits if account else 0


def make_firm(document: dict[str, Any] | None = None, ref: str = "KOREA-WEB", licensee: str = "HANBIT") -> Firm:
    society, firm = parties.organisation(ref, "society"), parties.organisation(licensee, "licensee")
    licence = parties.licence(society, firm, parties.determined(society, document), ref=f"L-{ref}-{licensee}")
    return Firm(society, firm, licence, parties.staff(society, "billing.manage", "billing.view"))
