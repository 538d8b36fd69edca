"""The order of a batch as ISO 20022 pain.001.001.09, written piece by piece: any number of payments in flat memory.

The order of elements is that of the message definition (CustomerCreditTransferInitiationV09). Korean accounts have no
IBAN: they stand in `Othr/Id`, the bank by its BIC or by its code in `FinInstnId/Othr`. `rules.py` reads the file again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import IO, Any, Final, TypeVar

from lxml import etree

from accounts.identity.core import Refusal, say
from licensing.tariffs.currencies import major
from royalties.payouts.core.latin import latin, line
from royalties.payouts.core.order import A_PART, Order, Party, Transfer

NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
_NAME: Final = 140
_TEXT: Final = 140
_PIECE: Final = 500
Node = tuple[str, Any]
Item = TypeVar("Item")


def write(out: IO[bytes], order: Order, transfers: Iterable[Transfer]) -> None:
    """Write the order. Raises Refusal where the payments are not those that the order counts: nothing is sent then."""
    rows = iter(transfers)
    with etree.xmlfile(out, encoding="utf-8") as xml:
        xml.write_declaration()
        with xml.element("Document", nsmap={None: NAMESPACE}), xml.element("CstmrCdtTrfInitn"):
            xml.write(*_made([_group(order)]))
            for part, (count, total) in enumerate(order.sums, 1):
                if count:
                    _part(xml, order, part, count, total, islice(rows, count))
        if next(rows, None) is not None or (order.count, order.total) != _sums(order):
            raise _wrong()


def sums_of(amounts: Iterable[int], size: int = A_PART) -> tuple[tuple[int, int], ...]:
    """How many payments and how much each part of the order has.

    >>> sums_of([5, 6, 7], size=2)
    ((2, 11), (1, 7))
    """
    return tuple((len(part), sum(part)) for part in _pieces(amounts, size))


def _pieces(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while piece := list(islice(rest, size)):
        yield piece


def _sums(order: Order) -> tuple[int, int]:
    return sum(count for count, _total in order.sums), sum(total for _count, total in order.sums)


def _wrong() -> Refusal:
    return Refusal("order_does_not_add_up", say("The payments of the file are not those of the batch."))


def _part(xml: Any, order: Order, part: int, count: int, total: int, rows: Iterable[Transfer]) -> None:
    seen = paid = 0
    with xml.element("PmtInf"):
        xml.write(*_made(_part_head(order, part, count, total)))
        for piece in _pieces(rows, _PIECE):
            seen, paid = seen + len(piece), paid + sum(each.amount for each in piece)
            xml.write(*_made([_transfer(order, each) for each in piece]))
    if (seen, paid) != (count, total):
        raise _wrong()


def _group(order: Order) -> Node:
    return (
        "GrpHdr",
        [
            ("MsgId", order.message_id),
            ("CreDtTm", order.made_at.isoformat(timespec="seconds")),
            ("NbOfTxs", str(order.count)),
            ("CtrlSum", major(order.total, order.currency)),
            ("InitgPty", [("Nm", _said(order, order.payer.name, _NAME))]),
        ],
    )


def _part_head(order: Order, part: int, count: int, total: int) -> list[Node]:
    return [
        ("PmtInfId", order.part_id(part)),
        ("PmtMtd", "TRF"),
        ("BtchBookg", "true"),
        ("NbOfTxs", str(count)),
        ("CtrlSum", major(total, order.currency)),
        ("ReqdExctnDt", [("Dt", order.execute_on.isoformat())]),
        ("Dbtr", [("Nm", _said(order, order.payer.name, _NAME))]),
        ("DbtrAcct", [("Id", _account(order.payer)), ("Ccy", order.currency)]),
        ("DbtrAgt", [("FinInstnId", _bank(order.payer))]),
        ("ChrgBr", "SLEV"),
    ]


def _transfer(order: Order, each: Transfer) -> Node:
    nodes: list[Node] = [
        ("PmtId", [("EndToEndId", each.end_to_end_id)]),
        ("Amt", [("InstdAmt", (major(each.amount, order.currency), order.currency))]),
    ]
    if each.on_behalf:
        nodes.append(("UltmtDbtr", [("Nm", _said(order, each.on_behalf, _NAME))]))
    nodes += [
        ("CdtrAgt", [("FinInstnId", _bank(each.to))]),
        ("Cdtr", [("Nm", _said(order, each.to.name, _NAME))]),
        ("CdtrAcct", [("Id", _account(each.to))]),
    ]
    if order.remittance:
        nodes.append(("RmtInf", [("Ustrd", _said(order, order.remittance, _TEXT))]))
    return ("CdtTrfTxInf", nodes)


def _account(party: Party) -> list[Node]:
    return [("IBAN", party.number)] if party.iban else [("Othr", [("Id", party.number)])]


def _bank(party: Party) -> list[Node]:
    if party.bic:
        return [("BICFI", party.bic)]
    return [("Othr", [("Id", party.bank or "NOTPROVIDED")])]


def _said(order: Order, text: str, most: int) -> str:
    return (latin if order.ascii_only else line)(text, most) or "-"


def _made(nodes: Iterable[Node]) -> list[Any]:
    return [_element(tag, content) for tag, content in nodes]


def _element(tag: str, content: Any) -> Any:
    """An element in the namespace of the document that it is written into."""
    element = etree.Element(tag)
    _fill(element, content)
    return element


def _fill(element: Any, content: Any) -> None:
    if isinstance(content, str):
        element.text = content
    elif isinstance(content, tuple):
        element.text, currency = content
        element.set("Ccy", currency)
    else:
        for tag, inner in content:
            _fill(etree.SubElement(element, tag), inner)
