"""The demo's chapter on payment: publishers say where they are paid, a second person agrees, the bank carries it out.

The accounts are invented: their digits are made of the holder's reference. The law that withholds is the one that is shipped.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from django.utils import timezone
from lxml import etree

from accounts.organisations.models import Organisation
from config.actors import actor_by_email
from config.demo.repertoire import write_csv
from royalties.bank import services as bank
from royalties.bank.models import BankAccount, StatementImport
from royalties.payouts import services as payouts
from royalties.payouts.models import Batch, PayoutPolicy

Manage = Callable[..., dict[str, Any]]
ACCOUNT: Final = "110123456789"
ABROAD: Final = 5  # every fifth is not resident in Korea
THRESHOLD: Final = 10_000
COLUMNS: Final = ("holder_ref", "account", "bank", "residence", "tax_status", "certificate_until")
_NAMESPACE: Final = {"p": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"}


def tell(manage: Manage, folder: Path, *, society: str, holders: list[str]) -> dict[str, Any]:
    """Pay these holders; told twice, nothing is paid twice. Returns what the summary says."""
    two = ("--as", f"finance@{society}.example", "--approve-as", f"admin@{society}.example")
    of = Organisation.objects.get(ref=society)
    payees = write_csv(folder / "payees.csv", COLUMNS, [_payee(place, ref) for place, ref in enumerate(holders)])
    manage("set_payee_terms", "--society", society, "--cooling-off-days", "0", *two)
    manage("import_payees", str(payees), "--society", society, *two, "--screened", "an example list")
    account = _account(of)
    batch = Batch.objects.filter(society=of, ordered_at__isnull=False).order_by("id").first()
    day = batch.execute_on if batch else timezone.localdate()
    file = folder / "payment.xml"
    paid = manage("pay", "--society", society, "--on", day.isoformat(), *two, "--out", str(file))
    _carried_out(of, account, file, day.isoformat())
    batch = Batch.objects.get(pk=paid["batch"])
    return paid | {"status": batch.get_status_display(), "file": str(file), "payees": len(holders)}


def _payee(place: int, ref: str) -> tuple[str, ...]:
    digits = f"{int(ref.encode().hex(), 16) % 10**12:012}"
    if place % ABROAD == ABROAD - 1:
        return (ref, digits, "CHASUS33", "US", "non_resident", "")
    return (ref, digits, "088", "KR", "kr_organisation", "")


def _account(society: Organisation) -> BankAccount:
    """The society's account, and from how much on it pays from there."""
    finance = actor_by_email(f"finance@{society.ref}.example")
    account = BankAccount.objects.filter(society=society, number=ACCOUNT).first() or bank.open_account(
        actor=finance,
        society=society,
        name="Distribution",
        bank="Shinhan Bank",
        bic="SHBKKRSE",
        number=ACCOUNT,
        currency="KRW",
    )
    if not PayoutPolicy.objects.filter(society=society).exists():
        payouts.set_policy(
            actor=finance, society=society, currency="KRW", valid_from=timezone.localdate(), threshold=THRESHOLD,
            schedule=PayoutPolicy.Schedule.QUARTERLY, day=10, debtor=account,
        )  # fmt: skip
    return account


def _carried_out(society: Organisation, account: BankAccount, file: Path, day: str) -> None:
    """The bank's statement of that day shows each part of the order; payments are settled by it."""
    if StatementImport.objects.filter(account=account).exists():
        return
    parts = [
        (part.findtext("p:PmtInfId", namespaces=_NAMESPACE), int(part.findtext("p:CtrlSum", namespaces=_NAMESPACE)))
        for part in etree.parse(file).iterfind(".//p:PmtInf", _NAMESPACE)
    ]
    finance = actor_by_email(f"finance@{society.ref}.example")
    opening = sum(amount for _ref, amount in parts)
    statement = _statement(opening, parts, day)
    made = bank.import_statement(actor=finance, account=account, stream=io.BytesIO(statement), name="statement.xml")
    if made.status != StatementImport.Status.DONE:
        raise RuntimeError(f"The bank's statement was not taken: {made.detail}")
    payouts.apply_entries(actor=finance, society=society)


def _statement(opening: int, parts: list[tuple[str, int]], day: str) -> bytes:
    """camt.053: what was there, a debit a part, nothing left."""

    def balance(code: str, amount: int) -> str:
        return (
            f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='KRW'>{amount}</Amt>"
            f"<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
        )

    entries = "".join(
        f"<Ntry><Amt Ccy='KRW'>{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>{day}</Dt></BookgDt>"
        f"<ValDt><Dt>{day}</Dt></ValDt><AcctSvcrRef>{ref}</AcctSvcrRef>"
        f"<NtryDtls><Btch><PmtInfId>{ref}</PmtInfId></Btch></NtryDtls></Ntry>"
        for ref, amount in parts
    )
    return (
        "<?xml version='1.0' encoding='UTF-8'?><Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.08'><BkToCstmrStmt>"
        f"<GrpHdr><MsgId>DEMO</MsgId></GrpHdr><Stmt><Id>DEMO-1</Id><ElctrncSeqNb>1</ElctrncSeqNb><Acct><Id><Othr><Id>{ACCOUNT}</Id>"
        f"</Othr></Id><Ccy>KRW</Ccy></Acct>{balance('OPBD', opening)}{balance('CLBD', 0)}{entries}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def lines(told: dict[str, Any], money: Callable[[int], str]) -> Iterator[str]:
    """What the summary says of it."""
    yield ""
    yield f"Paid out: {told['payments']:,} payments to {told['payees']:,} payees with (invented) accounts, {told['status']}"
    yield f"  {'gross':<26}{money(told['gross']):>12}"
    for name, amount in told["taxes"].items():
        yield f"  {name:<26}{money(-amount):>12}"
    yield f"  {'net, by the bank':<26}{money(told['net']):>12}"
    verdict = "holds to the won" if told["gross"] == told["withheld"] + told["net"] else "DOES NOT HOLD"
    yield f"{money(told['gross'])} = {money(told['withheld'])} + {money(told['net'])}: {verdict}"
    yield f"  {money(told['carried_forward'])} of {told['carried_holders']:,} holders carried forward, none of it lost"
    yield f"Order to the bank (pain.001): {told['file']}"
