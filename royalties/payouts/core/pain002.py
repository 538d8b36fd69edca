"""The bank's answer (ISO 20022 pain.002.001.10; .03 as older banks send it), read from hostile bytes in flat memory. Pure.

No entities, no network, no document type, bounded size. What it says stands on three levels, and the nearest to the payment
counts: of the transaction, of its payment information, of the whole message.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any, Final, Literal

from lxml import etree

from accounts.identity.core import Refusal, say

MOST_BYTES: Final = 512 * 1024**2
MOST_ELEMENTS: Final = 20_000  # that one transaction or head may have
_NAMESPACE: Final = re.compile(r"urn:iso:std:iso:20022:tech:xsd:pain\.002\.001\.(03|10)")
# What a status means for a payment: carried out, refused, or nothing yet.
SETTLED: Final = frozenset({"ACSC", "ACCC"})
REJECTED: Final = frozenset({"RJCT", "CANC"})
PENDING: Final = frozenset({"ACCP", "ACSP", "ACTC", "ACWC", "ACWP", "ACFC", "PDNG", "RCVD", "PATC", "PART", "BLCK"})

Level = Literal["group", "part", "payment"]


@dataclass(frozen=True, slots=True)
class Said:
    """What the bank says of the whole message, of one part (PmtInfId) or of one payment (EndToEndId).

    Of a payment, `part` is the PmtInfId that it stands under. `status` is empty where only the level below has one.
    """

    level: Level
    id: str
    status: str
    code: str = ""
    text: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """Of which order the answer speaks."""

    message_id: str
    original: str


def meaning(status: str) -> Literal["settled", "rejected", "pending"]:
    """What a status means for a payment. Raises Refusal for one that is not known: it is never guessed.

    >>> meaning("ACSC"), meaning("RJCT"), meaning("ACSP")
    ('settled', 'rejected', 'pending')
    """
    if status in SETTLED:
        return "settled"
    if status in REJECTED:
        return "rejected"
    if status in PENDING:
        return "pending"
    raise Refusal(
        "unknown_status", say("The bank says “{status}”, which is no status of pain.002.", status=status[:10])
    )


def read(stream: IO[bytes]) -> Iterator[Head | Said]:
    """The answer piece by piece: its head before anything that it says. Raises Refusal for what is no such message."""
    try:
        yield from _read(stream)
    except (etree.XMLSyntaxError, ValueError, LookupError) as failure:
        raise Refusal("not_readable", say("This is not well-formed XML.")) from failure


def _read(stream: IO[bytes]) -> Iterator[Head | Said]:
    message_id, kept, known = "", 0, False
    for event, element in etree.iterparse(
        _Bounded(stream), events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
        remove_comments=True, remove_pis=True,
    ):  # fmt: skip
        tag = _tag(element)
        if event == "start":
            kept += 1
            if not known:
                _check_root(element)
                known = True
            if kept > MOST_ELEMENTS:
                raise Refusal("too_large", say("One part of the answer is too large."))
            continue
        if tag == "GrpHdr":
            message_id = _of(element, "MsgId")
        elif tag == "OrgnlGrpInfAndSts":
            yield Head(message_id, _of(element, "OrgnlMsgId"))
            yield Said("group", _of(element, "OrgnlMsgId"), _of(element, "GrpSts"), *_why(element))
        elif tag == "TxInfAndSts":
            part = _before(element, "OrgnlPmtInfId")
            yield Said("payment", _of(element, "OrgnlEndToEndId"), _of(element, "TxSts"), *_why(element), part)
        elif tag == "OrgnlPmtInfAndSts":
            yield Said("part", _of(element, "OrgnlPmtInfId"), _of(element, "PmtInfSts"), *_why(element))
        if tag in ("OrgnlGrpInfAndSts", "TxInfAndSts", "OrgnlPmtInfAndSts"):
            _forget(element, keep=tag == "OrgnlGrpInfAndSts")
            kept = 0
    if not known:
        raise Refusal("not_readable", say("This is not well-formed XML."))


def _check_root(element: Any) -> None:
    name = etree.QName(element)
    if element.getroottree().docinfo.doctype:
        raise Refusal(
            "has_document_type", say("The XML has a document type, which could define entities. It was not read.")
        )
    if name.localname != "Document" or not _NAMESPACE.fullmatch(name.namespace or ""):
        raise Refusal("other_message", say("This is not an answer of a bank to a payment order (pain.002.001.10)."))


def _forget(element: Any, *, keep: bool) -> None:
    element.clear()
    if not keep and (parent := element.getparent()) is not None:
        parent.remove(element)


def _tag(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _child(element: Any, tag: str) -> Any:
    return next((child for child in element if _tag(child) == tag), None)


def _of(element: Any, tag: str, most: int = 35) -> str:
    child = _child(element, tag)
    return ((child.text or "").strip() if child is not None else "")[:most]


def _before(element: Any, tag: str) -> str:
    parent = element.getparent()
    return _of(parent, tag) if parent is not None else ""


def _why(element: Any) -> tuple[str, str]:
    """The first reason: its code (or the bank's own), and its texts."""
    found = _child(element, "StsRsnInf")
    if found is None:
        return "", ""
    reason = _child(found, "Rsn")
    code = (_of(reason, "Cd") or _of(reason, "Prtry")) if reason is not None else ""
    texts = [(child.text or "").strip() for child in found if _tag(child) == "AddtlInf"]
    return code, " ".join(texts)[:500]


class _Bounded:
    """A stream that ends with a Refusal where it is longer than any answer."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.stream, self.left = stream, MOST_BYTES

    def read(self, size: int = -1) -> bytes:
        piece = self.stream.read(min(size, self.left + 1) if size >= 0 else self.left + 1)
        self.left -= len(piece)
        if self.left < 0:
            raise Refusal("too_large", say("The answer is larger than {most} bytes.", most=MOST_BYTES))
        return piece
