"""A society with an account at a bank, and the bank's files as tests write them."""

from __future__ import annotations

import datetime
import io
import itertools
from typing import Any

from accounts.identity.core import Actor
from accounts.organisations.models import Organisation
from royalties.bank import services
from royalties.bank.models import BankAccount, Entry, StatementImport

MAY = datetime.date(2026, 5, 1)
_refs = itertools.count(1)


def bank_account(
    actor: Actor, society: Organisation, currency: str = "KRW", number: str = "110-123-456789"
) -> BankAccount:
    return services.open_account(
        actor=actor, society=society, name="Main", bank="Shinhan", number=number, currency=currency
    )


def ntry(
    amount: str,
    *,
    sign: str = "CRDT",
    day: str = "2026-05-01",
    currency: str = "KRW",
    ref: str | None = None,
    **said: str,
) -> str:
    """One booked entry of version 08; `said`: name, account, purpose, end_to_end, more (raw XML within TxDtls)."""
    party = "Dbtr" if sign == "CRDT" else "Cdtr"
    ref = f"REF{next(_refs)}" if ref is None else ref
    account = said.get("account", "")
    return f"""<Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>
      <BookgDt><Dt>{day}</Dt></BookgDt><ValDt><Dt>{day}</Dt></ValDt><AcctSvcrRef>{ref}</AcctSvcrRef>
      <NtryDtls><TxDtls><Refs><EndToEndId>{said.get("end_to_end", "NOTPROVIDED")}</EndToEndId></Refs>{said.get("more", "")}
      <RltdPties><{party}><Pty><Nm>{said.get("name", "")}</Nm></Pty></{party}>
      <{party}Acct><Id><Othr><Id>{account}</Id></Othr></Id></{party}Acct></RltdPties>
      <RmtInf><Ustrd>{said.get("purpose", "")}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"""


def camt(
    *entries: str, opening: str = "0", closing: str = "0", first: str = "2026-05-01", last: str = "2026-05-01",
    account: str = "110123456789", currency: str = "KRW", version: str = "08", number: str = "1",
) -> bytes:  # fmt: skip
    def balance(kind: str, amount: str, day: str) -> str:
        side = "DBIT" if amount.startswith("-") else "CRDT"
        return f"""<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp><Amt Ccy="{currency}">{amount.lstrip("-")}</Amt>
          <CdtDbtInd>{side}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"""

    return f"""<?xml version="1.0" encoding="UTF-8"?>
    <Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}"><BkToCstmrStmt><GrpHdr><MsgId>M</MsgId></GrpHdr>
    <Stmt><Id>S-{number}</Id><ElctrncSeqNb>{number}</ElctrncSeqNb><Acct><Id><Othr><Id>{account}</Id></Othr></Id><Ccy>{currency}</Ccy></Acct>
    {balance("OPBD", opening, first)}{balance("CLBD", closing, last)}{"".join(entries)}</Stmt></BkToCstmrStmt></Document>""".encode()


def imported(actor: Actor, account: BankAccount, content: bytes, name: str = "may.xml", **more: Any) -> StatementImport:
    return services.import_statement(actor=actor, account=account, stream=io.BytesIO(content), name=name, **more)


def came_in(actor: Actor, account: BankAccount, *entries: str) -> list[Entry]:
    """Entries of one statement that follows the last one of the account."""
    last = account.statements.order_by("-place").first()
    opening = last.closing if last else 0
    total = opening + sum(_signed(each) for each in entries)
    digits = 0 if account.currency == "KRW" else 2
    day = MAY + datetime.timedelta(days=last.place if last else 0)
    content = camt(
        *entries, opening=_major(opening, digits), closing=_major(total, digits), first=day.isoformat(), last=day.isoformat(),
        account=account.number, currency=account.currency, number=str((last.place if last else 0) + 1),
    )  # fmt: skip
    outcome = imported(actor, account, content)
    assert outcome.status == "done", outcome.detail
    return list(Entry.objects.filter(statement__in=outcome.statements.all()).order_by("position"))


def _signed(entry: str) -> int:
    amount = entry.partition('">')[2].partition("<")[0].replace(".", "")
    return int(amount) * (1 if "CRDT" in entry else -1)


def _major(minor: int, digits: int) -> str:
    return f"{minor / 10**digits:.{digits}f}" if digits else str(minor)
