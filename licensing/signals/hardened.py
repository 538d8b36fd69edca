"""JSON and XML that strangers wrote: parsed within bounds, or not at all. Nothing is fetched, no entity is expanded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from lxml import etree

from accounts.identity.core import say

MOST_DEPTH: Final = 64


class NotRead(Exception):
    """Why a document was not read at all, as a sentence. It stays within this slice."""


def bounded(raw: bytes, most: int) -> bytes:
    if len(raw) > most:
        raise NotRead(say("The file is longer than {most} bytes and was not read.", most=most))
    return raw


def text_of(raw: bytes) -> tuple[str, tuple[str, ...]]:
    """Text that should be UTF-8. Other bytes are kept apart from all others; NUL is left out."""
    problems = []
    text = raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    if not text.isascii() and any("\udc80" <= letter <= "\udcff" for letter in text):
        problems.append(say("Some bytes are no UTF-8."))
    if "\0" in text:
        text = text.replace("\0", "")
        problems.append(say("NUL bytes were left out."))
    return text, tuple(problems)


def json_of(raw: bytes, most: int) -> Any:
    """A JSON document. Raises NotRead."""
    bounded(raw, most)
    try:
        value = json.loads(raw.decode("utf-8-sig"))
    except (ValueError, RecursionError) as failure:
        raise NotRead(say("This is not JSON in UTF-8.")) from failure
    if _deeper(value, MOST_DEPTH):
        raise NotRead(say("The JSON is nested too deeply."))
    return value


def _deeper(value: Any, most: int) -> bool:
    """Level by level, so that depth costs no stack."""
    level = [value]
    for _depth in range(most):
        level = [
            child
            for each in level
            if isinstance(each, dict | list)
            for child in (each.values() if isinstance(each, dict) else each)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True


def xml_of(raw: bytes, most: int) -> etree._Element:
    """The root of an XML document without a document type. Raises NotRead."""
    bounded(raw, most)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    if b"<!DOCTYPE" in raw or b"<!ENTITY" in raw:
        raise NotRead(_has_dtd())
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError, LookupError) as failure:
        raise NotRead(say("This is not well-formed XML.")) from failure
    # In another encoding the bytes above look different.
    if root.getroottree().docinfo.internalDTD is not None:
        raise NotRead(_has_dtd())
    return root


def html_of(raw: bytes) -> etree._Element | None:
    """The root of a page as browsers would repair it; none, where there is nothing."""
    parser = etree.HTMLParser(no_network=True, huge_tree=False, recover=True, remove_comments=True, remove_pis=True)
    try:
        return etree.fromstring(raw.replace(b"\0", b""), parser)
    except (etree.XMLSyntaxError, ValueError, LookupError):
        return None


def _has_dtd() -> str:
    return say("The XML has a document type, which could define entities. It was not read.")


def text(value: object, most: int = 2048) -> str:
    """A value that should be a short text; anything else is none."""
    return value.strip()[:most] if isinstance(value, str) else ""


def web_address(value: object) -> str:
    """An absolute http(s) address or a path on the same site; anything else is none."""
    found = text(value)
    return found if found.startswith(("https://", "http://", "/")) and not any(c.isspace() for c in found) else ""


def entries(value: object) -> Mapping[str, Any]:
    """A JSON object; anything else has no entries."""
    return value if isinstance(value, dict) else {}
