"""What the head of a page says: TDMRep's `<meta name="tdm-reservation">` and `<meta name="tdm-policy">`."""

from __future__ import annotations

from typing import Final

from lxml import etree

from accounts.identity.core import say
from licensing.signals.core import MOST_BYTES, Signal
from licensing.signals.hardened import html_of
from licensing.signals.tdmrep import POLICY, RESERVATION, said_in

SOURCE: Final = "tdmrep-meta"
MOST_TAGS: Final = 20


def read(raw: bytes) -> Signal | None:
    """The reservation of a page; none, where it makes none. It speaks of that page.

    >>> len(read(b'<meta name="TDM-Reservation" content="1">').statements[0].reserved)
    5
    """
    page = html_of(raw[: MOST_BYTES[SOURCE]])
    tags = [] if page is None else [tag for tag in page.iter("meta") if _name(tag) in (RESERVATION, POLICY)][:MOST_TAGS]
    if not tags:
        return None
    found = [(_name(tag), (tag.get("content") or "").strip()) for tag in tags]
    signal = said_in(SOURCE, b"\n".join(etree.tostring(tag, with_tail=False) for tag in tags), found)
    if len(raw) <= MOST_BYTES[SOURCE]:
        return signal
    cut = say("Only the first {most} bytes were read.", most=MOST_BYTES[SOURCE])
    return Signal(signal.source, signal.vocabulary, signal.statements, signal.raw, problems=(*signal.problems, cut))


def _name(tag: etree._Element) -> str:
    return (tag.get("name") or "").strip().lower()


def write(headers: dict[str, str]) -> str:
    """The tags for the head of a page, of the headers that `tdmrep.write_headers` gives.

    >>> print(write({"tdm-reservation": "1"}))
    <meta name="tdm-reservation" content="1">
    """
    tags = []
    for name, value in headers.items():
        tag = etree.Element("meta", name=name, content=value)
        tags.append(etree.tostring(tag, method="html", encoding="unicode"))
    return "\n".join(tags)
