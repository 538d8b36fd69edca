"""A small world of declared use and money received, as plain rows: what a distribution starts from."""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.backends.postgresql.psycopg_any import DateRange

from accounts.access.models import Membership
from accounts.access.services import create_organisation
from accounts.identity.core import SYSTEM, Actor
from accounts.identity.models import User
from accounts.organisations.models import Organisation
from config.actors import actor_of_user
from licensing.declarations.models import Declaration, DeclaredUse
from licensing.licences.models import Licence
from licensing.repertoire.models import Holder, Representation, Share, Work
from licensing.tariffs.models import Tariff
from royalties.billing.models import Invoice, InvoiceDeclaration, InvoiceLine, Receipt
from royalties.distribution import services
from royalties.ledger import services as ledger

JANUARY, APRIL, JULY = datetime.date(2026, 1, 1), datetime.date(2026, 4, 1), datetime.date(2026, 7, 1)
LAST = datetime.date(2026, 3, 31)
QUARTER = (JANUARY, APRIL)

RULE: dict[str, Any] = {
    "rule": "GENERAL", "version": 1, "valid_from": "2026-01-01",
    "deductions": [{"name": "management fee", "percent": "15"}, {"name": "social and cultural fund", "percent": "3"}],
    "use_weights": {"train": 1000, "finetune": 1500, "ground": 2500, "evaluate": 500, "index": 100},
    "unit_weights": {"token": 1}, "kind_points": {"web": 1, "book": 1}, "equal_part_percent": "0", "reserve_percent": "0",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Used:
    """One declared line: of a work's ref, or of `scheme:value` where it matched none."""

    key: str
    units: int
    use: str = "train"
    unit: str = "token"
    kind: str = "web"
    used_on: datetime.date = LAST
    status: str = "licensed"


@dataclass(frozen=True, slots=True)
class Owned:
    """A share of a work."""

    work: str
    holder: str
    ppm: int
    role: str = ""
    disputed: bool = False
    valid_from: datetime.date | None = None
    valid_to: datetime.date | None = None


@dataclass
class World:
    """A society with staff, a licensee, and what they did."""

    society: Organisation
    licensee: Organisation
    computer: Actor
    approver: Actor
    licence: Licence
    receipts: int = field(default=0)

    def rule(self, **changes: Any) -> Any:
        """An approved rule, by two people."""
        rule = services.import_rule(actor=self.computer, society=self.society, document=RULE | changes)
        services.request_rule_approval(actor=self.computer, rule=rule)
        return services.approve_rule(actor=self.approver, rule=rule)

    def own(self, *shares: Owned, shuffle: random.Random | None = None) -> None:
        """Holders, works and shares; shuffled, their database ids fall otherwise."""
        for model, refs in ((Holder, {s.holder for s in shares}), (Work, {s.work for s in shares})):
            new = sorted(refs - set(model.objects.filter(society=self.society).values_list("ref", flat=True)))
            if shuffle:
                shuffle.shuffle(new)
            extra = {"name": "Holder"} if model is Holder else {"title": "Work", "kind": "web"}
            model.objects.bulk_create(
                [
                    model(
                        society=self.society,
                        ref=ref,
                        **{name: f"{text} {ref}" if name != "kind" else text for name, text in extra.items()},
                    )
                    for ref in new
                ]
            )
        holders, works = self.holders(), self.works()
        rows = list(shares)
        if shuffle:
            shuffle.shuffle(rows)
        Share.objects.bulk_create(
            [
                Share(
                    work_id=works[s.work],
                    holder_id=holders[s.holder],
                    role=s.role,
                    ppm=s.ppm,
                    disputed=s.disputed,
                    valid=DateRange(s.valid_from, s.valid_to),
                )
                for s in rows
            ]
        )

    def work(self, *refs: str) -> None:
        """Works without shares."""
        Work.objects.bulk_create([Work(society=self.society, ref=ref, title=f"Work {ref}", kind="web") for ref in refs])

    def holders(self) -> dict[str, int]:
        return dict(Holder.objects.filter(society=self.society).values_list("ref", "id"))

    def works(self) -> dict[str, int]:
        return dict(Work.objects.filter(society=self.society).values_list("ref", "id"))

    def declare(
        self,
        uses: Iterable[Used],
        *,
        period: tuple[datetime.date, datetime.date] = QUARTER,
        shuffle: random.Random | None = None,
    ) -> Declaration:
        """An accepted declaration with these lines, stored as the engine stores them."""
        declaration = Declaration.objects.create(
            licence=self.licence,
            period=DateRange(*period),
            status=Declaration.Status.ACCEPTED,
            sha256=f"{random.getrandbits(256):064x}",
        )
        works, rows = self.works(), list(uses)
        if shuffle:
            shuffle.shuffle(rows)
        DeclaredUse.objects.bulk_create([self._row(declaration, works, used) for used in rows])
        return declaration

    def _row(self, declaration: Declaration, works: dict[str, int], used: Used) -> DeclaredUse:
        scheme, _, value = used.key.partition(":") if used.key not in works else ("", "", "")
        status = used.status if used.key in works else "unmatched"
        return DeclaredUse(
            declaration=declaration, work_id=works.get(used.key), scheme=scheme, value=value, kind=used.kind, use=used.use, unit=used.unit,
            used_on=used.used_on, status=status, basis="licence" if status == "licensed" else "", units=used.units, lines=1,
        )  # fmt: skip

    def bill(self, *declarations: Declaration, net: int, number: str = "INV-1", currency: str = "KRW") -> Invoice:
        """An invoice for these declarations, without VAT."""
        transfer = ("receivable", self.licensee.pk, "billed", self.licensee.pk, net)
        invoice = Invoice.objects.create(
            society=self.society, licensee=self.licensee, licence=self.licence, number=number, period=declarations[0].period,
            currency=currency, rating={}, net=net, gross=net, issued_on=APRIL, due_on=APRIL,
            journal_id=_journal(self.society.pk, f"invoice:{number}", currency, [transfer]),
        )  # fmt: skip
        InvoiceDeclaration.objects.bulk_create(
            [InvoiceDeclaration(invoice=invoice, declaration=each) for each in declarations]
        )
        steps = [
            {
                "code": "graduated",
                "lower": "0",
                "quantity": "990000",
                "unit": "token",
                "per": "1000",
                "price": "0.05",
                "product": "49.5",
            }
        ]
        InvoiceLine.objects.create(
            invoice=invoice,
            position=1,
            description="training tokens",
            quantity=100,
            unit="token",
            amount=net,
            explanation=steps,
        )
        return invoice

    def receive(self, invoice: Invoice, amount: int) -> Receipt:
        """Money for an invoice: its net enters the pool."""
        self.receipts += 1
        ref = f"B-{invoice.number}-{self.receipts}"
        transfers = [
            ("bank", None, "receivable", self.licensee.pk, amount),
            ("billed", self.licensee.pk, "pool", invoice.pk, amount),
        ]
        return Receipt.objects.create(
            society=self.society, invoice=invoice, amount=amount, net=amount, received_on=APRIL, bank_ref=ref,
            journal_id=_journal(self.society.pk, f"receipt:{ref}", invoice.currency, transfers),
        )  # fmt: skip

    def member(self, holder: str, email: str = "") -> Actor:
        """A person who represents this holder."""
        user = User.objects.create_user(email or f"{holder.lower()}@example.org", "pw", name=holder)
        Representation.objects.create(user=user, holder_id=self.holders()[holder])
        return actor_of_user(user)


def make_world(society: str = "KOREA-WEB", licensee: str = "HANBIT") -> World:
    """The smallest world: staff of a society, a licensee with a licence."""
    own = create_organisation(actor=SYSTEM, ref=society, kind="society", name=society)
    firm = create_organisation(actor=SYSTEM, ref=licensee, kind="licensee", name=licensee)
    tariff = Tariff.objects.create(society=own, ref="WEB", name="Web text", currency="KRW")
    licence = Licence.objects.create(
        ref=f"L-{society}",
        society=own,
        licensee=firm,
        tariff=tariff,
        uses=["*"],
        kinds=["*"],
        territory=["*"],
        valid=DateRange(JANUARY, None),
    )
    return World(own, firm, staff(own, "compute", "distribution"), staff(own, "approve", "finance"), licence)


def staff(society: Organisation, name: str, role: str) -> Actor:
    user = User.objects.create_user(f"{name}@{society.ref.lower()}.example", "pw", name=name)
    Membership.objects.create(user=user, organisation=society, role=role)
    return actor_of_user(user, society.pk)


def _journal(
    society_id: int, key: str, currency: str, transfers: Sequence[tuple[str, int | None, str, int | None, int]]
) -> int:
    book = {"society_id": society_id, "currency": currency}
    rows = [
        ledger.Transfer(
            ledger.account(kind=debit, owner_id=debit_owner, **book),
            ledger.account(kind=credit, owner_id=credit_owner, **book),
            amount,
        )
        for debit, debit_owner, credit, credit_owner, amount in transfers
    ]
    return ledger.post(
        society_id=society_id, kind=key.split(":")[0], key=f"{society_id}:{key}", effective_on=APRIL, transfers=rows
    ).pk


def worked_example(world: World) -> Invoice:
    """The example of the field: pool ₩1,000,003, works A, B, C and one unmatched identifier; B has three equal shares."""
    world.own(
        Owned("A", "H-A", 1_000_000),
        Owned("B", "H-B1", 333_334), Owned("B", "H-B2", 333_333), Owned("B", "H-B3", 333_333),
        Owned("C", "H-C", 1_000_000),
    )  # fmt: skip
    uses = [
        Used("A", 700_000), Used("B", 200_000, use="finetune"), Used("C", 50_000, use="ground"), Used("domain:unknown.example", 40_000),
    ]  # fmt: skip
    invoice = world.bill(world.declare(uses), net=1_000_003)
    world.receive(invoice, 1_000_003)
    return invoice
