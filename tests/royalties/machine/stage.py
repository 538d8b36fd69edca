"""A small society with everything that money can meet: two firms' worth of use, four holders, works in every state, a bank."""

from __future__ import annotations

import datetime
import io
import itertools
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils import timezone

from accounts.identity.core import Actor
from licensing.declarations.models import Declaration
from licensing.repertoire.models import Share
from royalties.bank import services as bank
from royalties.bank.models import BankAccount, BankStatement, Entry
from royalties.billing import services as billing
from royalties.distribution.models import Run
from royalties.payees import services as payees
from royalties.payees.models import Payee
from tests.licensing import parties
from tests.licensing.tariff_documents import charge, tariff
from tests.royalties.bank_world import camt, ntry
from tests.royalties.payouts_world import Office, make_office
from tests.royalties.test_releases import mandate
from tests.royalties.world import APRIL, JANUARY, JULY, Owned, Used, World, staff

QUARTERS = ((JANUARY, APRIL), (APRIL, JULY))
HOLDERS = ("H-1", "H-2", "H-3", "H-4")
UNKNOWN = "domain:unknown.example"
# A has two owners, B one of whose share is disputed now and then, O is claimed for more than the whole, N waits for a match.
SHARES = (
    Owned("A", "H-1", 333_333), Owned("A", "H-2", 666_667), Owned("B", "H-3", 1_000_000),
    Owned("O", "H-1", 600_000), Owned("O", "H-2", 600_000), Owned("N", "H-4", 700_000),
)  # fmt: skip
_refs = itertools.count(1)


@dataclass
class Stage:
    """Those who act, and what they act upon."""

    office: Office
    world: World
    account: BankAccount
    third: Payee
    holders: dict[str, Any] = field(default_factory=dict)

    @property
    def society(self) -> Any:
        return self.world.society

    @property
    def first(self) -> Actor:
        return self.office.first

    @property
    def second(self) -> Actor:
        return self.office.second

    def declare(self, quarter: int, units: dict[str, int], amending: bool) -> None:
        """An accepted declaration, in the place of all that was declared for the quarter where it amends."""
        start, end = QUARTERS[quarter]
        uses = [
            Used(key, many, used_on=end - datetime.timedelta(days=1), use="ground" if key == "B" else "train")
            for key, many in units.items()
            if many
        ]
        earlier = list(Declaration.objects.filter(licence=self.world.licence, period=(start, end), status="accepted"))
        made = self.world.declare(uses, period=(start, end))
        if amending:
            Declaration.objects.filter(pk__in=[each.pk for each in earlier]).update(status="superseded")
            if earlier:
                Declaration.objects.filter(pk=made.pk).update(supersedes=earlier[-1])

    def bank_says(self, sign: int, amount: int, **said: str) -> Entry:
        """One entry of the next statement of the society's account, imported from the bank's file."""
        last = BankStatement.objects.filter(account=self.account).order_by("-place").first()
        opening, place, day = last.closing if last else 0, last.place + 1 if last else 1, timezone.localdate()
        entry = ntry(
            str(amount), sign="CRDT" if sign > 0 else "DBIT", day=day.isoformat(), ref=f"R{next(_refs)}", **said
        )
        content = camt(
            entry, opening=str(opening), closing=str(opening + sign * amount), first=day.isoformat(), last=day.isoformat(),
            account=self.account.number, number=str(place),
        )  # fmt: skip
        outcome = bank.import_statement(
            actor=self.first, account=self.account, stream=io.BytesIO(content), name="s.xml"
        )
        assert outcome.status == "done", outcome.detail
        return Entry.objects.get(statement__in=outcome.statements.all())

    def share(self, work: str, holder: str, **values: Any) -> None:
        Share.objects.filter(work__ref=work, work__society=self.society, holder=self.holders[holder]).update(**values)

    def runs(self, *statuses: str) -> list[Run]:
        return list(Run.objects.filter(society=self.society, status__in=statuses).order_by("pk"))


def make_stage() -> Stage:
    """A tariff of ₩1 a token with VAT of ten percent; two holders can be paid, one whose data changes, one without any."""
    office = make_office()
    society, firm = office.society, parties.organisation("HANBIT", "licensee")
    licence = parties.licence(society, firm, parties.determined(society, tariff(charge("per_unit", per=1, price="1"))))
    world = World(
        society, firm, staff(society, "compute", "distribution"), staff(society, "approve", "finance"), licence
    )
    billing.set_vat_rule(actor=office.first, society=society, percent=Decimal(10), valid_from=JANUARY)
    world.rule(reserve_percent="2")
    for ref in HOLDERS:
        office.poor(ref)
    world.own(*SHARES)
    mandate(world, *HOLDERS)
    for ref in HOLDERS[:2]:
        office.estate.payers.usable(office.holders[ref])
    policy = office.policy(threshold=500)
    third = office.estate.third()
    asked = payees.request_details(
        actor=office.first, payee=third, account="004-123-456789", bank="국민은행", residence="KR", tax_status="kr_organisation"
    )  # fmt: skip
    office.estate.payers.approve(asked)
    payees.record_check(actor=office.second, details_ids=[asked.pk], state="clear", source="UN list")
    assert policy.debtor is not None
    return Stage(office, world, policy.debtor, third, dict(office.holders))


def speak() -> None:
    """Let every check that waits for the end of a transaction speak now."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
