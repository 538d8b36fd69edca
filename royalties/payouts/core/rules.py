"""The rules of pain.001.001.09 that an order keeps, looked for in the file as it is: what a bank's own check would refuse.

The schema of ISO 20022 is not shipped; these are its rules for the elements that `pain001` writes: which elements, in which
order and how often (`CHILDREN`), their types (`TYPES`), and what the message's definition says beyond its schema: numbers of
transactions and control sums, ids used once, an account as IBAN or other, decimals of the currency (ISO 4217), check digits.
Anything that is not named here is refused, so that nothing goes to a bank unlooked at. Any number of payments in flat memory.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import IO, Any, Final

from lxml import etree
from stdnum import iban as iban_numbers

from accounts.identity.core import gettext_noop, say
from licensing.tariffs.currencies import MINOR_DIGITS
from royalties.payouts.core.pain001 import NAMESPACE

MANY: Final = 1_000_000_000
MOST_PROBLEMS: Final = 50

# Tag → its children in order: (tag, least, most). A choice is a tuple of tags in one place.
CHILDREN: Final[dict[str, tuple[tuple[str | tuple[str, ...], int, int], ...]]] = {
    "Document": (("CstmrCdtTrfInitn", 1, 1),),
    "CstmrCdtTrfInitn": (("GrpHdr", 1, 1), ("PmtInf", 1, MANY)),
    "GrpHdr": (("MsgId", 1, 1), ("CreDtTm", 1, 1), ("NbOfTxs", 1, 1), ("CtrlSum", 0, 1), ("InitgPty", 1, 1)),
    "InitgPty": (("Nm", 0, 1),),
    "PmtInf": (
        ("PmtInfId", 1, 1), ("PmtMtd", 1, 1), ("BtchBookg", 0, 1), ("NbOfTxs", 0, 1), ("CtrlSum", 0, 1), ("ReqdExctnDt", 1, 1),
        ("Dbtr", 1, 1), ("DbtrAcct", 1, 1), ("DbtrAgt", 1, 1), ("UltmtDbtr", 0, 1), ("ChrgBr", 0, 1), ("CdtTrfTxInf", 1, MANY),
    ),
    "ReqdExctnDt": (("Dt", 1, 1),),
    "Dbtr": (("Nm", 0, 1),),
    "DbtrAcct": (("Id", 1, 1), ("Ccy", 0, 1)),
    "DbtrAgt": (("FinInstnId", 1, 1),),
    "UltmtDbtr": (("Nm", 0, 1),),
    "CdtTrfTxInf": (
        ("PmtId", 1, 1), ("Amt", 1, 1), ("ChrgBr", 0, 1), ("UltmtDbtr", 0, 1), ("CdtrAgt", 0, 1), ("Cdtr", 0, 1), ("CdtrAcct", 0, 1),
        ("RmtInf", 0, 1),
    ),
    "PmtId": (("InstrId", 0, 1), ("EndToEndId", 1, 1)),
    "Amt": (("InstdAmt", 1, 1),),
    "CdtrAgt": (("FinInstnId", 1, 1),),
    "FinInstnId": (("BICFI", 0, 1), ("ClrSysMmbId", 0, 1), ("Othr", 0, 1)),
    "ClrSysMmbId": (("ClrSysId", 0, 1), ("MmbId", 1, 1)),
    "ClrSysId": ((("Cd", "Prtry"), 1, 1),),
    "Cdtr": (("Nm", 0, 1),),
    "CdtrAcct": (("Id", 1, 1),),
    "Id": ((("IBAN", "Othr"), 1, 1),),
    "Othr": (("Id", 1, 1),),
    "RmtInf": (("Ustrd", 0, MANY),),
}  # fmt: skip


def _text(most: int) -> str:
    return rf"(?s)(?=.*\S).{{1,{most}}}"


# Tag → what its text must match; by the parent's tag where it differs.
TYPES: Final[dict[str, str]] = {
    "MsgId": _text(35), "PmtInfId": _text(35), "InstrId": _text(35), "EndToEndId": _text(35), "MmbId": _text(35), "Nm": _text(140),
    "Ustrd": _text(140), "Prtry": _text(35), "Cd": r"[A-Z0-9]{1,5}", "Othr/Id": _text(35), "Id/Othr/Id": _text(34),
    "CreDtTm": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", "Dt": r"\d{4}-\d\d-\d\d",
    "NbOfTxs": r"\d{1,15}", "CtrlSum": r"(?=[\d.]{1,19}$)\d{1,18}(\.\d{1,17})?", "InstdAmt": r"(?=[\d.]{1,19}$)\d{1,18}(\.\d{1,5})?",
    "PmtMtd": r"CHK|TRF|TRA", "BtchBookg": r"true|false", "ChrgBr": r"DEBT|CRED|SHAR|SLEV", "Ccy": r"[A-Z]{3}",
    "BICFI": r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?", "IBAN": r"[A-Z]{2}\d{2}[A-Z0-9]{1,30}",
}  # fmt: skip

NOT_XML = gettext_noop("not well-formed XML, or with a document type")
OTHER_MESSAGE = gettext_noop("another message than pain.001.001.09")
NOT_ALLOWED = gettext_noop("an element that does not belong here, or not in this order")
MISSING = gettext_noop("a required element is missing before or in")
TOO_OFTEN = gettext_noop("an element stands here more often than once")
WRONG_FORM = gettext_noop("a value that its type does not allow")
HAS_TEXT = gettext_noop("text where only elements may stand")
ATTRIBUTE = gettext_noop("an attribute that does not belong here, or is missing")
CURRENCY = gettext_noop("not a currency")
DECIMALS = gettext_noop("more decimals than the currency has")
NOT_POSITIVE = gettext_noop("an amount that is not above zero")
OTHER_CURRENCY = gettext_noop("another currency than the account that pays")
IBAN_DIGITS = gettext_noop("check digits of an IBAN that do not fit")
USED_TWICE = gettext_noop("an id that is used twice")
COUNT = gettext_noop("a number of payments that is not the one in the file")
SUM = gettext_noop("a control sum that is not the sum of the payments")
NO_DAY = gettext_noop("not a day of the calendar")


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule: the path of the element, what is wrong, and the value."""

    path: str
    reason: str
    value: str = ""

    def __str__(self) -> str:
        return f"{self.path}: {say(self.reason)}" + (f" “{self.value[:60]}”" if self.value else "")


@dataclass
class _Frame:
    """An element that is open: its tag, and how often each place among its children is filled."""

    tag: str
    place: int = 0
    filled: int = 0
    seen: set[str] = field(default_factory=set)


@dataclass
class _Count:
    """What a level says of its payments and what it has."""

    said: int | None = None
    said_sum: Decimal | None = None
    payments: int = 0
    total: Decimal = Decimal(0)


@dataclass
class _Look:
    stack: list[_Frame] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    ids: set[tuple[str, str]] = field(default_factory=set)
    group: _Count = field(default_factory=_Count)
    part: _Count = field(default_factory=_Count)
    account_currency: str = ""

    def path(self, tag: str = "") -> str:
        return "/".join([*(frame.tag for frame in self.stack), *([tag] if tag else [])])

    def find(self, path: str, reason: str, value: str = "") -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(path, reason, value))


def problems(stream: IO[bytes]) -> list[Problem]:
    """Every broken rule of an order, none where a bank would take it; at most 50."""
    look = _Look()
    try:
        for event, element in etree.iterparse(
            stream, events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False,
            remove_comments=True, remove_pis=True,
        ):  # fmt: skip
            if event == "start":
                if not look.stack and element.getroottree().docinfo.doctype:
                    return [Problem("", NOT_XML)]
                _begins(look, element)
            else:
                _ends(look, element)
                if len(look.stack) < 4:  # a payment, or what is around it: it was looked at
                    element.clear()
                    while element.getprevious() is not None:
                        del element.getparent()[0]
    except (etree.XMLSyntaxError, ValueError, LookupError):
        look.find(look.path(), NOT_XML)
    return look.problems


def _begins(look: _Look, element: Any) -> None:
    namespace, _brace, tag = element.tag[1:].rpartition("}")
    if namespace != NAMESPACE or (not look.stack and tag != "Document"):
        look.find(look.path(tag), OTHER_MESSAGE, namespace)
    if look.stack:
        _placed(look, look.stack[-1], tag)
    if tag == "PmtInf":
        look.part, look.account_currency = _Count(), ""
    look.stack.append(_Frame(tag))


def _placed(look: _Look, frame: _Frame, tag: str) -> None:
    """Move the parent on to the place where this child stands; everything that is required before it must have come."""
    places = CHILDREN.get(frame.tag, ())
    at = next((n for n in range(frame.place, len(places)) if tag in _tags(places[n][0])), None)
    if at is None:
        earlier = any(tag in _tags(tags) for tags, _least, _most in places)
        look.find(look.path(tag), TOO_OFTEN if earlier and tag in frame.seen else NOT_ALLOWED)
        return
    if at > frame.place:
        _required(look, frame, at)
        frame.place, frame.filled = at, 0
    frame.filled += 1
    frame.seen.add(tag)
    if frame.filled > places[at][2]:
        look.find(look.path(tag), TOO_OFTEN)


def _required(look: _Look, frame: _Frame, until: int) -> None:
    places = CHILDREN.get(frame.tag, ())
    for n in range(frame.place, until):
        tags, least, _most = places[n]
        if (frame.filled if n == frame.place else 0) < least:
            look.find(look.path(), MISSING, " ".join(_tags(tags)))


def _tags(tags: str | tuple[str, ...]) -> tuple[str, ...]:
    return (tags,) if isinstance(tags, str) else tags


def _ends(look: _Look, element: Any) -> None:
    frame, text = look.stack[-1], element.text or ""
    # `Id` is a choice in an account, and a plain text in `Othr`.
    if frame.tag not in CHILDREN or (frame.tag == "Id" and look.stack[-2].tag == "Othr"):
        _plain(look, element, text)
    else:
        if text.strip() or (element.tail or "").strip():
            look.find(look.path(), HAS_TEXT, text.strip())
        _required(look, frame, len(CHILDREN[frame.tag]))
        if frame.tag == "FinInstnId" and not frame.seen:
            look.find(look.path(), MISSING, "BICFI ClrSysMmbId Othr")
    if element.keys() != (["Ccy"] if frame.tag == "InstdAmt" else []):
        look.find(look.path(), ATTRIBUTE, " ".join(map(str, element.attrib)))
    if frame.tag == "PmtInf":
        _counted(look, look.part)
    if frame.tag == "CstmrCdtTrfInitn":
        _counted(look, look.group)
    look.stack.pop()


def _plain(look: _Look, element: Any, text: str) -> None:
    tag = kind = look.stack[-1].tag
    if tag == "Id":
        kind = "Id/Othr/Id" if len(look.stack) > 2 and look.stack[-3].tag == "Id" else "Othr/Id"
    pattern = _PATTERNS.get(kind)
    if pattern is None or not pattern.fullmatch(text):
        look.find(look.path(), WRONG_FORM, text)
        return
    check = _CHECKS.get(tag)
    if check is not None:
        check(look, element, text)


_PATTERNS: Final = {tag: re.compile(pattern, re.ASCII) for tag, pattern in TYPES.items()}


def _amount(look: _Look, element: Any, text: str) -> None:
    currency, amount = element.get("Ccy", ""), Decimal(text)
    digits = MINOR_DIGITS.get(currency)
    if digits is None:
        look.find(look.path(), CURRENCY, currency)
    elif len(text.partition(".")[2]) > digits:
        look.find(look.path(), DECIMALS, text)
    if amount <= 0:
        look.find(look.path(), NOT_POSITIVE, text)
    if look.account_currency and currency != look.account_currency:
        look.find(look.path(), OTHER_CURRENCY, currency)
    for count in (look.group, look.part):
        count.payments += 1
        count.total += amount


def _id(look: _Look, element: Any, text: str) -> None:
    key = (look.stack[-1].tag, text)
    if key in look.ids:
        look.find(look.path(), USED_TWICE, text)
    look.ids.add(key)


def _account_currency(look: _Look, element: Any, text: str) -> None:
    if text not in MINOR_DIGITS:
        look.find(look.path(), CURRENCY, text)
    look.account_currency = text


def _number(look: _Look, element: Any, text: str) -> None:
    (look.group if look.stack[-2].tag == "GrpHdr" else look.part).said = int(text)


def _sum(look: _Look, element: Any, text: str) -> None:
    (look.group if look.stack[-2].tag == "GrpHdr" else look.part).said_sum = Decimal(text)


def _iban(look: _Look, element: Any, text: str) -> None:
    if not iban_numbers.is_valid(text):
        look.find(look.path(), IBAN_DIGITS, text)


def _day(look: _Look, element: Any, text: str) -> None:
    try:
        (datetime.date if look.stack[-1].tag == "Dt" else datetime.datetime).fromisoformat(text)
    except ValueError:
        look.find(look.path(), NO_DAY, text)


_CHECKS: Final[dict[str, Callable[[_Look, Any, str], None]]] = {
    "InstdAmt": _amount, "EndToEndId": _id, "PmtInfId": _id, "InstrId": _id, "Ccy": _account_currency, "NbOfTxs": _number,
    "CtrlSum": _sum, "IBAN": _iban, "Dt": _day, "CreDtTm": _day,
}  # fmt: skip


def _counted(look: _Look, count: _Count) -> None:
    if count.said is not None and count.said != count.payments:
        look.find(look.path(), COUNT, str(count.said))
    if count.said_sum is not None and count.said_sum != count.total:
        look.find(look.path(), SUM, f"{count.said_sum:f}")
