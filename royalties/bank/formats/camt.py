"""camt.053 (bank to customer statement), versions 02 and 08: entries as they come, one in memory at a time.

XML from strangers: no entities, no network, no document type, bounded depth, and no entry larger than its bounds. A batch entry whose
single transactions add up to it is read as these transactions: each has its own payer.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import IO, Any, Final

from lxml import etree

from accounts.identity.core import Refusal, say
from royalties.bank import core
from royalties.bank.core import Line, Problem, Statement

VERSIONS: Final = ("camt.053.001.02", "camt.053.001.08")
MOST_ELEMENTS: Final = 50_000  # of one entry
MOST_TEXT: Final = 4 * 1024**2
MOST_DEPTH: Final = 32
_OPENING, _CLOSING = ("OPBD", "PRCD"), ("CLBD",)
_NONE: Final = ("", "NOTPROVIDED", "NONREF")


def read(stream: IO[bytes]) -> Iterator[Line | Problem | Statement]:
    """Lines and problems of each statement, then the statement. Raises Refusal where this is no camt.053 that is read."""
    events = etree.iterparse(
        stream, events=("start", "end"), resolve_entities=False, no_network=True, huge_tree=False, load_dtd=False,
        dtd_validation=False, attribute_defaults=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    reader = _Reader()
    try:
        for event, element in events:
            if event == "start":
                reader.begin(element)
            else:
                yield from reader.end(element)
    except etree.XMLSyntaxError as error:
        line = error.position[0] if error.position else 0
        raise Refusal(
            "broken_xml",
            say("The XML is broken in line {line}, or it asks for more than is read.", line=line),
            row=line,
        ) from error
    if not reader.began:
        raise Refusal("empty_file", say("The file is empty."))


class _Reader:
    """Follows the parser; keeps of the tree only the entry or the balance that is being read."""

    def __init__(self) -> None:
        self.began = False
        self._depth = self._elements = self._text = self._row = 0
        self._in_entry = False
        self._open()

    def _open(self) -> None:
        self._account = self._currency = self._reference = ""
        self._sequence: int | None = None
        self._days: list[datetime.date] = []
        self._balances: dict[str, tuple[int, datetime.date]] = {}

    def begin(self, element: etree._Element) -> None:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise Refusal("too_deep", say("The XML is nested too deeply."))
        if not self.began:
            self._check(element)
        name = _name(element)
        if name == "Ntry" and not self._in_entry:
            self._in_entry, self._elements, self._text = True, 0, 0
            self._row += 1
            if self._row > core.MOST_ENTRIES:
                raise Refusal("too_many_entries", say("The file has more than {most} entries.", most=core.MOST_ENTRIES))
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            raise Refusal(
                "entry_too_large",
                say("Entry {row} of the file is larger than any real one.", row=self._row),
                row=self._row,
            )
        if name == "Stmt":
            self._open()

    def _check(self, element: etree._Element) -> None:
        self.began = True
        if element.getroottree().docinfo.internalDTD is not None:
            raise Refusal(
                "document_type", say("The XML has a document type, which could define entities. It was not read.")
            )
        space = etree.QName(element).namespace or ""
        version = space.rpartition(":")[2]
        if _name(element) != "Document" or version not in VERSIONS:
            raise Refusal(
                "not_camt",
                say(
                    "This is no camt.053 statement of version 02 or 08: it begins with {tag}.",
                    tag=str(element.tag)[:80],
                ),
            )

    def end(self, element: etree._Element) -> Iterator[Line | Problem | Statement]:
        self._depth -= 1
        self._text += len(element.text or "")
        if self._text > MOST_TEXT:
            raise Refusal("entry_too_large", say("Entry {row} of the file is larger than any real one.", row=self._row))
        name, parent = _name(element), element.getparent()
        if name == "Ntry":
            self._in_entry = False
            yield from self._lines(element)
            _forget(element)
        elif not self._in_entry and parent is not None and _name(parent) == "Stmt":
            self._head(
                name, element
            )  # stays in the tree until the next entry is over: so many are counted, not one by one
        if name == "Stmt":
            yield self._statement()
            _forget(element)

    def _head(self, name: str, element: etree._Element) -> None:
        text = core.plain("".join(element.itertext()), 70)
        if name == "Id":
            self._reference = text
        elif name == "ElctrncSeqNb" or (name == "LglSeqNb" and self._sequence is None):
            self._sequence = int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None
        elif name == "Acct":
            self._account = core.account_number(_at(element, "Id/IBAN") or _at(element, "Id/Othr/Id"))
            self._currency = _at(element, "Ccy")
        elif name == "FrToDt":
            self._days = [core.day(said) for path in ("FrDtTm", "ToDtTm") if (said := _at(element, path))]
        elif name == "Bal":
            self._balance(element)

    def _balance(self, element: etree._Element) -> None:
        kind = _at(element, "Tp/CdOrPrtry/Cd")
        said, currency = _at(element, "Amt"), _within(element, "Amt").get("Ccy", "") if _at(element, "Amt") else ""
        try:
            amount = core.minor(said, currency)
            on = core.day(_at(element, "Dt/Dt") or _at(element, "Dt/DtTm"))
        except ValueError as error:
            raise Refusal(
                "bad_balance", say("The balance {kind} cannot be read: {what}.", kind=kind, what=say(str(error)))
            ) from error
        self._currency = self._currency or currency
        if currency != self._currency:
            raise Refusal("bad_balance", say("A balance is in another currency than its account."))
        self._balances[kind] = (-amount if _at(element, "CdtDbtInd") == "DBIT" else amount, on)

    def _statement(self) -> Statement:
        opening = next((self._balances[kind] for kind in _OPENING if kind in self._balances), None)
        closing = next((self._balances[kind] for kind in _CLOSING if kind in self._balances), None)
        if opening is None or closing is None:
            raise Refusal(
                "no_balances",
                say("The statement {reference} has no opening and closing booked balance.", reference=self._reference),
            )
        days = self._days if len(self._days) == 2 else [opening[1], closing[1]]
        return Statement(
            account=self._account, currency=self._currency, opening=opening[0], closing=closing[0],
            first_day=min(days), last_day=max(days),
            reference=self._reference, sequence=self._sequence,
        )  # fmt: skip

    def _lines(self, entry: etree._Element) -> Iterator[Line | Problem]:
        if next(entry.iter(etree.Entity), None) is not None:
            raise Refusal("entities", say("The file uses entities. It was not read."), row=self._row)
        if (_at(entry, "Sts/Cd") or _at(entry, "Sts")) not in ("BOOK", ""):
            return  # announced, not booked: no part of the balances
        try:
            yield from _entry(self._row, entry, self._currency)
        except _Bad as bad:
            yield Problem(self._row, *bad.args)


class _Bad(Exception):
    """Column, value and reason of an entry that cannot be read."""


def _entry(row: int, entry: etree._Element, currency: str) -> Iterator[Line]:
    whole = _amount(entry, "Amt", currency)
    sign = {"CRDT": 1, "DBIT": -1}.get(_at(entry, "CdtDbtInd"), 0)
    if not sign or whole <= 0:
        raise _Bad("CdtDbtInd" if not sign else "Amt", _at(entry, "CdtDbtInd"), core.NOT_AN_AMOUNT)
    booked = _on(entry, "BookgDt") or _on(entry, "ValDt")
    if booked is None:
        raise _Bad("BookgDt", "", core.NOT_A_DAY)
    base: dict[str, Any] = {
        "row": row, "sign": sign, "booked_on": booked, "value_on": _on(entry, "ValDt") or booked,
        "reversal": _at(entry, "RvslInd") in ("true", "1"),
        "code": core.plain(_code(entry), 40),
    }  # fmt: skip
    details = list(_all(entry, "NtryDtls/TxDtls"))
    batch = core.plain(_at(entry, "NtryDtls/Btch/PmtInfId") or _at(entry, "NtryDtls/Btch/MsgId"), 35)
    parts = [_part(each, currency) for each in details]
    own = _reference(entry, "AcctSvcrRef")
    if len(details) > 1 and None not in parts and sum(part or 0 for part in parts) == whole and all(parts):
        for place, (each, part) in enumerate(zip(details, parts, strict=True), 1):
            ref = _reference(each, "Refs/AcctSvcrRef")
            ref = ref if ref and ref != own else f"{own[:90]}/{place}" if own else ""
            yield Line(**base, amount=part or 0, bank_ref=ref, **_said(each, entry, sign, currency, batch))
        return
    detail = details[0] if len(details) == 1 else None
    ref = own or (_reference(detail, "Refs/AcctSvcrRef") if detail is not None else "")
    yield Line(**base, amount=whole, bank_ref=ref, **_said(detail, entry, sign, currency, batch))


def _said(detail: etree._Element | None, entry: etree._Element, sign: int, currency: str, batch: str) -> dict[str, Any]:
    """Who and what for, as one transaction of an entry says."""
    if detail is None:
        return {"purpose": core.plain(_at(entry, "AddtlNtryInf"), 500), "batch_ref": batch}
    party, side = ("Dbtr", "DbtrAcct") if sign == 1 else ("Cdtr", "CdtrAcct")
    texts = [*(_text(each) for each in _all(detail, "RmtInf/Ustrd")), _at(detail, "AddtlTxInf")]
    instructed = _first(detail, "AmtDtls/InstdAmt/Amt")
    found: dict[str, Any] = {
        "end_to_end_id": _known(_at(detail, "Refs/EndToEndId"), 35),
        "batch_ref": core.plain(_at(detail, "Refs/PmtInfId"), 35) or batch,
        "reference": core.plain(_at(detail, "RmtInf/Strd/CdtrRefInf/Ref"), 140),
        "counterparty": core.plain(
            _at(detail, f"RltdPties/{party}/Nm") or _at(detail, f"RltdPties/{party}/Pty/Nm"), 140
        ),
        "counterparty_account": core.account_number(
            _at(detail, f"RltdPties/{side}/Id/IBAN") or _at(detail, f"RltdPties/{side}/Id/Othr/Id")
        )[:34],
        "purpose": core.plain(" ".join(filter(None, texts)), 500) or core.plain(_at(entry, "AddtlNtryInf"), 500),
        "return_reason": core.plain(_at(detail, "RtrInf/Rsn/Cd"), 4),
    }
    if instructed is not None and (other := instructed.get("Ccy", "")) != currency:
        try:
            found["instructed_amount"], found["instructed_currency"] = core.minor(_text(instructed), other), other[:3]
        except ValueError as error:
            raise _Bad("InstdAmt", _text(instructed), str(error)) from error
        rate = _at(detail, "AmtDtls/InstdAmt/CcyXchg/XchgRate") or _at(detail, "AmtDtls/TxAmt/CcyXchg/XchgRate")
        if re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,10})?", rate) and Decimal(rate):
            found["rate"] = Decimal(rate)
    return found


def _part(detail: etree._Element, currency: str) -> int | None:
    """One transaction's own amount: `Amt` in version 08, `AmtDtls/TxAmt` in version 02."""
    for path in ("Amt", "AmtDtls/TxAmt/Amt"):
        if (found := _first(detail, path)) is not None and found.get("Ccy") == currency:
            return _amount(detail, path, currency)
    return None


def _amount(element: etree._Element, path: str, currency: str) -> int:
    found = _first(element, path)
    if found is None:
        raise _Bad(path, "", core.NOT_AN_AMOUNT)
    if found.get("Ccy") != currency:
        raise _Bad(path, found.get("Ccy", ""), core.OTHER_CURRENCY)
    try:
        return core.minor(_text(found), currency)
    except ValueError as error:
        raise _Bad(path, _text(found), str(error)) from error


def _on(entry: etree._Element, path: str) -> datetime.date | None:
    said = _at(entry, f"{path}/Dt") or _at(entry, f"{path}/DtTm")
    if not said:
        return None
    try:
        return core.day(said)
    except ValueError as error:
        raise _Bad(path, said, core.NOT_A_DAY) from error


def _code(entry: etree._Element) -> str:
    parts = ("Domn/Cd", "Domn/Fmly/Cd", "Domn/Fmly/SubFmlyCd")
    said = "/".join(filter(None, (_at(entry, f"BkTxCd/{part}") for part in parts)))
    return said or _at(entry, "BkTxCd/Prtry/Cd")


def _reference(element: etree._Element, path: str) -> str:
    return _known(_at(element, path), 100)


def _known(text: str, most: int) -> str:
    return "" if text.upper() in _NONE else core.plain(text, most)


def _within(element: etree._Element, path: str) -> etree._Element:
    found = _first(element, path)
    if found is None:
        raise _Bad(path, "", core.NOT_AN_AMOUNT)
    return found


def _all(element: etree._Element, path: str) -> Iterator[etree._Element]:
    """The elements at the end of a path of local names."""
    found = [element]
    for name in path.split("/"):
        found = [child for parent in found for child in parent if _name(child) == name]
    yield from found


def _first(element: etree._Element, path: str) -> etree._Element | None:
    return next(_all(element, path), None)


def _at(element: etree._Element, path: str) -> str:
    found = _first(element, path)
    return _text(found) if found is not None else ""


def _text(element: etree._Element) -> str:
    return (element.text or "").strip()


def _name(element: etree._Element) -> str:
    tag = element.tag
    return _local(tag) if isinstance(tag, str) else ""


@lru_cache(maxsize=1024)
def _local(tag: str) -> str:
    """The name without its namespace. A statement has a few dozen, asked for a hundred times an entry."""
    return tag.rpartition("}")[2]


def _forget(element: etree._Element) -> None:
    """Free an element and all that stood before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]
