"""A society that pays at once: holders with approved accounts, what they are owed, and the bank's answers."""

from __future__ import annotations

import datetime
import io
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from accounts.identity.core import Actor
from licensing.intake.services import keep
from licensing.repertoire.models import Holder
from royalties.bank.models import BankAccount, BankStatement, Entry
from royalties.payees import services as payees
from royalties.payouts import services
from royalties.payouts.models import Batch, Payment, PayoutPolicy
from tests.royalties.bank_world import bank_account
from tests.royalties.entitlements_world import Estate, make_estate

BANKS = ("신한은행", "국민은행", "하나은행")
Status = tuple[str, str] | tuple[str, str, str]


@dataclass
class Office:
    """Two people of finance who pay, and those whom they pay."""

    estate: Estate
    holders: dict[str, Holder] = field(default_factory=dict)

    @property
    def society(self) -> Any:
        return self.estate.society

    @property
    def first(self) -> Actor:
        return self.estate.payers.first

    @property
    def second(self) -> Actor:
        return self.estate.payers.second

    def holder(self, ref: str, owed: int = 0, currency: str = "KRW", **said: Any) -> Holder:
        """A holder with an account that can be used, who is owed so much."""
        holder = self.poor(ref, owed, currency)
        self.estate.payers.usable(holder, **said)
        return holder

    def poor(self, ref: str, owed: int = 0, currency: str = "KRW") -> Holder:
        """A holder without an account."""
        holder = self.holders[ref] = self.estate.payers.holder(ref)
        if owed:
            self.estate.owe(holder, owed, currency=currency)
        return holder

    def policy(self, **said: Any) -> PayoutPolicy:
        given: dict[str, Any] = {
            "currency": "KRW", "valid_from": timezone.localdate(), "threshold": 0, "schedule": "monthly", "day": 10,
        }  # fmt: skip
        if "debtor" not in said:
            given["debtor"] = bank_account(self.first, self.society)
        return services.set_policy(actor=self.first, society=self.society, **given | said)

    def prepared(self, on: datetime.date | None = None, currency: str = "KRW") -> Batch:
        batch = services.start(
            actor=self.first, society=self.society, execute_on=on or timezone.localdate(), currency=currency
        )
        return services.prepare(batch.pk, actor=self.first)

    def approved(self, batch: Batch | None = None) -> Batch:
        batch = batch or self.prepared()
        services.request(actor=self.first, batch=batch)
        return services.approve(actor=self.second, batch=batch)

    def ordered(self, batch: Batch | None = None) -> Batch:
        return services.order(self.approved(batch).pk, actor=self.second)

    def sent(self, batch: Batch | None = None, form: str = "pain.001") -> Batch:
        batch = self.ordered(batch)
        self.take(batch, form)
        batch.refresh_from_db()
        return batch

    def take(self, batch: Batch, form: str = "pain.001", actor: Actor | None = None) -> tuple[services.BankFile, bytes]:
        file = services.bank_file(actor=actor or self.second, batch=batch, form=form)
        with file.stream:
            return file, file.stream.read()

    def payment(self, batch: Batch, ref: str) -> Payment:
        return Payment.objects.get(batch=batch, holder=self.holders[ref], entitlement_id=None)

    def answer(self, batch: Batch, *said: Status, group: str = "", parts: str = "", message: str = "BANK-1") -> Any:
        """The bank says (end-to-end id, status, code) of payments."""
        stream = io.BytesIO(pain002(batch.order["message_id"], *said, group=group, part_status=parts, message=message))
        return services.import_answer(actor=self.first, society=self.society, stream=stream)

    def entry(self, account: BankAccount, sign: int, amount: int, **said: str) -> Entry:
        """A line of a bank statement, as an import leaves it."""
        today, place = timezone.localdate(), Entry.objects.count() + 1
        stream = io.BytesIO(f"statement {place}".encode())
        file = keep(actor=self.first, stream=stream, name="statement.xml", organisation=self.society)
        came, went = (amount, 0) if sign > 0 else (0, amount)
        statement = BankStatement.objects.create(
            account=account, file=file, place=place, sha256=f"{place:064d}", first_day=today, last_day=today, opening=amount,
            closing=amount + came - went, credits=came, debits=went, entry_count=1,
        )  # fmt: skip
        return Entry.objects.create(
            society=self.society, account=account, statement=statement, position=1, sign=sign, amount=amount,
            currency=account.currency, booked_on=today, value_on=today, bank_ref=f"REF-{place}", **said,
        )  # fmt: skip

    def balance(self, kind: str, owner: int | None = None, currency: str = "KRW") -> int:
        return self.estate.balance(kind, owner, currency)


def pain002(
    original: str, *said: Status, group: str = "", part_status: str = "", message: str = "BANK-1", version: str = "10"
) -> bytes:
    def reason(code: str) -> str:
        return f"<StsRsnInf><Rsn><Cd>{code}</Cd></Rsn><AddtlInf>because</AddtlInf></StsRsnInf>" if code else ""

    rows = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{each[0]}</OrgnlEndToEndId><TxSts>{each[1]}</TxSts>"
        f"{reason(each[2] if len(each) > 2 else '')}</TxInfAndSts>"
        for each in said
    )
    whole = f"<GrpSts>{group}</GrpSts>" if group else ""
    part = f"<PmtInfSts>{part_status}</PmtInfSts>" if part_status else ""
    return f"""<?xml version="1.0" encoding="UTF-8"?>
    <Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}"><CstmrPmtStsRpt>
    <GrpHdr><MsgId>{message}</MsgId><CreDtTm>2026-04-10T10:00:00</CreDtTm></GrpHdr>
    <OrgnlGrpInfAndSts><OrgnlMsgId>{original}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>{whole}</OrgnlGrpInfAndSts>
    <OrgnlPmtInfAndSts><OrgnlPmtInfId>{original}-1</OrgnlPmtInfId>{part}{rows}</OrgnlPmtInfAndSts>
    </CstmrPmtStsRpt></Document>""".encode()


def make_office(ref: str = "KOREA-WEB") -> Office:
    """Accounts can be used at once: the society has laid down no cooling-off time."""
    office = Office(make_estate(ref))
    terms = payees.request_terms(actor=office.first, society=office.society, cooling_off_days=0)
    payees.decide_terms(actor=office.second, terms=terms, approve=True)
    return office
