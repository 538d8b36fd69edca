"""RSL 1.0 (rslstandard.org): licence documents in XML, where they are found, and how we write one.

What reserves (RSL 1.0, 3.4 to 3.7): a use that any licence prohibits; a use that is missing from every list of permitted
usages; and a use that is permitted on a condition (payment, a kind of user, a country, a licence server), since whoever
has not met the condition may not use it. Several licences of one content are alternatives. Only what a licence permits
freely, to everybody, is `allowed`; a licence that names no usages restricts none. The longest `url` that covers a path
speaks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from lxml import etree

from accounts.identity.core import say
from licensing import terms
from licensing.signals import vocabulary as words_of
from licensing.signals.core import (
    EVERYTHING,
    EVERYWHERE,
    MOST_BYTES,
    Signal,
    Statement,
    for_longest,
    longest_first,
)
from licensing.signals.hardened import NotRead, html_of, web_address, xml_of

SOURCE: Final = "rsl"
NAMESPACE: Final = "https://rslstandard.org/rsl"
MEDIA_TYPE: Final = "application/rsl+xml"
MOST_CONTENTS: Final = 1_000
MOST_LICENCES: Final = 100  # of one content
MOST_LINKS: Final = 20

# A yes to these words is a yes to the use; `search` alone permits no AI index.
_PERMITTED_BY: Final = {
    "train": frozenset({"ai-train", "train-ai", "train-genai"}),
    "finetune": frozenset({"ai-train", "train-ai", "train-genai"}),
    "ground": frozenset({"ai-input", "ai-use"}),
    "index": frozenset({"ai-index"}),
    "evaluate": frozenset[str](),
}
_FREE: Final = "free"
_USERS: Final = frozenset({"commercial", "non-commercial", "education", "government", "personal"})
_COUNTRY: Final = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class Offer:
    """Where a licence is to be had: the society's licence server, the address of its tariff, and how it is paid."""

    tariff: str
    server: str = ""
    payment: str = "use"


@dataclass(frozen=True, slots=True)
class Granted:
    """A licence that somebody has: to which works, for which uses and countries, and where it is confirmed.

    Nobody else may use the works by it, so that it is written with its terms at that address, and never as free.
    """

    works: str
    uses: frozenset[str]
    territory: tuple[str, ...]
    confirmed_at: str
    holder: str  # who licensed, by name
    stands: bool = True  # False: suspended or ended, so that nothing is permitted


@dataclass(frozen=True, slots=True)
class _Licence:
    """What one `<license>` says of each use: permitted, on a condition, left out, prohibited, or nothing."""

    permitted: frozenset[str]
    refused: frozenset[str]  # on a condition, or left out of its list
    prohibited: frozenset[str]
    elsewhere: tuple[str, ...]  # countries that it prohibits; elsewhere it holds


def read(raw: bytes, *, host: str = "") -> Signal:
    """An RSL document. Contents of another host than `host`, where given, are left out, and named in the problems."""
    try:
        root = xml_of(raw, MOST_BYTES[SOURCE])
    except NotRead as problem:
        return Signal(SOURCE, words_of.RSL, raw=raw[: MOST_BYTES[SOURCE]], problems=(str(problem),))
    problems: list[str] = []
    contents = [each for each in root.iter() if _named(each, "content")]
    if not contents:
        problems.append(say("There is no content element of RSL in this document."))
    if len(contents) > MOST_CONTENTS:
        problems.append(say("Only the first {most} contents were read.", most=MOST_CONTENTS))
    statements = [_content(each, host, problems) for each in contents[:MOST_CONTENTS]]
    found = longest_first(each for each in statements if each)
    return Signal(SOURCE, words_of.RSL, tuple(found), raw, problems=tuple(problems))


def _named(element: etree._Element, name: str) -> bool:
    """In RSL's namespace; drafts wrote some documents without one."""
    return element.tag in (f"{{{NAMESPACE}}}{name}", name)


def _children(element: etree._Element, name: str) -> list[etree._Element]:
    return [each for each in element if _named(each, name)]


def _content(content: etree._Element, host: str, problems: list[str]) -> Statement | None:
    location = _location(content.get("url", ""), host, problems)
    if not location:
        return None
    licences = [_licence(each, problems) for each in _children(content, "license")[:MOST_LICENCES]]
    policy = _policy(content)
    if content.get("server", "").strip():
        # "Clients must obtain a license for this asset, even if the license is free."
        return Statement(location, EVERYTHING, policy=policy)
    if not licences:
        problems.append(say("The content {location} has no licence and says nothing.", location=location[:100]))
        return None
    prohibited = frozenset().union(*(each.prohibited for each in licences))
    refused = frozenset.intersection(*(each.refused | each.prohibited for each in licences))
    permitted = frozenset().union(*(each.permitted for each in licences if not each.elsewhere))
    somewhere = {country for each in licences for country in each.elsewhere}
    reserved = prohibited | refused
    if somewhere:
        # Prohibited in some countries, whatever the use. A statement has one territory: the wider reading.
        territory = (terms.ANY,) if reserved else tuple(sorted(somewhere))
        return Statement(location, EVERYTHING, policy=policy, territory=territory)
    return Statement(location, reserved, permitted - reserved, policy)


def _licence(licence: etree._Element, problems: list[str]) -> _Licence:
    permits, prohibits = _values(licence, "permits", problems), _values(licence, "prohibits", problems)
    prohibited = frozenset().union(*(words_of.reserved_by(word, words_of.RSL) for word in prohibits.get("usage", ())))
    conditional = bool(
        permits.get("user", _USERS) < _USERS
        or permits.get("geo")
        or prohibits.get("user")
        or _is_paid(_children(licence, "payment"))
    )
    listed = permits.get("usage")
    named = EVERYTHING if listed is None else frozenset(use for use in terms.USES if _permits(listed, use))
    if conditional:
        return _Licence(frozenset(), EVERYTHING, prohibited, ())
    countries = tuple(sorted(code for code in prohibits.get("geo", ()) if _COUNTRY.fullmatch(code)))
    if prohibits.get("geo") and not countries:
        return _Licence(frozenset(), EVERYTHING, prohibited, ())
    silent = listed is None and not _children(licence, "payment")
    return _Licence(frozenset() if silent else named - prohibited, EVERYTHING - named, prohibited, countries)


def _permits(listed: Iterable[str], use: str) -> bool:
    return any(word in ("all", "ai-all") or word in _PERMITTED_BY[use] for word in listed)


def _is_paid(payments: Sequence[etree._Element]) -> bool:
    """Any payment but a free one is a condition; so are a payment without a type, and attribution."""
    return any(each.get("type", "").strip() != _FREE or _children(each, "amount") for each in payments)


def _values(licence: etree._Element, name: str, problems: list[str]) -> dict[str, frozenset[str]]:
    """The words of all `<permits>` or `<prohibits>` by type; `type` may be left out for usage."""
    found: dict[str, frozenset[str]] = {}
    for each in _children(licence, name):
        kind = each.get("type", "usage").strip()
        words = frozenset(re.split(r"[\s,]+", "".join(each.itertext()))) - {""}
        if kind == "geo":
            words = frozenset(word.upper() for word in words)
        if kind == "usage":
            for word in sorted(words - words_of.RESERVED_BY[words_of.RSL].keys()):
                problems.append(say("RSL knows no usage “{word}”.", word=word[:60]))
        found[kind] = found.get(kind, frozenset()) | words
    return found


def _location(url: str, host: str, problems: list[str]) -> str:
    url = url.strip()
    if not url:
        problems.append(say("A content has no url and says nothing."))
        return ""
    if url.startswith(("/", "*")):
        return url
    try:
        parts = urlsplit(url)
        named = (parts.hostname or "").lower()
    except ValueError:
        named = ""
    if not named:
        problems.append(say("The url {url} is neither an address nor a path.", url=url[:100]))
        return ""
    if host and named != host.lower():
        problems.append(say("The content {url} lies on another host and was left out.", url=url[:100]))
        return ""
    return (parts.path or EVERYWHERE) + (f"?{parts.query}" if parts.query else "")


def _policy(content: etree._Element) -> str:
    """Where terms are found: `<standard>` or `<custom>` of a payment, else `<terms>`."""
    elements = [each for name in ("standard", "custom", "terms") for each in content.iter() if _named(each, name)]
    return next((found for each in elements if (found := web_address("".join(each.itertext())))), "")


def inline(raw: bytes) -> list[bytes]:
    """RSL documents that stand within a page, in `<script type="application/rsl+xml">`."""
    page = html_of(raw[: MOST_BYTES["tdmrep-meta"]])
    if page is None:
        return []
    scripts = page.iter("script")
    return [("".join(each.itertext())).encode() for each in scripts if _is_rsl(each.get("type"))][:MOST_LINKS]


def links_in_page(raw: bytes) -> list[str]:
    """Addresses of licence documents that a page points to: `<link rel="license" type="application/rsl+xml" href="…">`."""
    page = html_of(raw[: MOST_BYTES["tdmrep-meta"]])
    if page is None:
        return []
    links = [
        each.get("href", "")
        for each in page.iter("link")
        if "license" in (each.get("rel") or "").lower().split() and _is_rsl(each.get("type"))
    ]
    return _addresses(links)


_LINK: Final = re.compile(r"<([^<>]{1,2048})>((?:[^,\"<]|\"[^\"]{0,2048}\"){0,400})")
_PARAMETER: Final = re.compile(r";\s*([\w*-]{1,40})\s*=\s*(?:\"([^\"]*)\"|([^\s;,\"]+))")


def links_in_header(value: str) -> list[str]:
    """Addresses in a `Link` header with `rel="license"` and RSL's media type.

    >>> links_in_header('<https://a.example/l.xml>; rel="license"; type="application/rsl+xml", </b>; rel=next')
    ['https://a.example/l.xml']
    """
    links = []
    for found in _LINK.finditer(value[:16_384]):
        parameters = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(found[2])}
        if "license" in parameters.get("rel", "").lower().split() and _is_rsl(parameters.get("type")):
            links.append(found[1])
    return _addresses(links)


def _is_rsl(media_type: str | None) -> bool:
    return (media_type or "").partition(";")[0].strip().lower() == MEDIA_TYPE


def _addresses(links: Iterable[str]) -> list[str]:
    found = (link.strip() for link in links)
    return list(dict.fromkeys(link for link in found if link and not any(c.isspace() for c in link)))[:MOST_LINKS]


def write(reservations: Sequence[Statement], *, offer: Offer | None = None) -> bytes:
    """An RSL document. Without an offer, what is reserved is prohibited and nothing else is said.

    With one, each content has two licences to choose from: the uses that are reserved, once paid for by the tariff; or
    all but those. Where everything is reserved there is one, from the licence server.
    """
    root = etree.Element(f"{{{NAMESPACE}}}rsl", nsmap={None: NAMESPACE})
    for each in for_longest(reservations):
        content = _add(root, "content", url=_plain(each.location))
        reserved = words_of.words(each.reserved, words_of.RSL)
        if each.policy and not offer:
            _add(content, "terms").text = each.policy
        whole = words_of.normal_form(each.reserved, words_of.RSL) == EVERYTHING
        if offer and reserved:
            licence = _add(content, "license")
            _add(licence, "permits", type="usage").text = " ".join(reserved)
            _add(_add(licence, "payment", type=offer.payment), "standard").text = offer.tariff
            if whole and offer.server:
                content.set("server", offer.server)
                continue
        licence = _add(content, "license")
        if whole and terms.ANY not in each.territory:
            _add(licence, "prohibits", type="geo").text = " ".join(each.territory)
        elif reserved:
            _add(licence, "prohibits", type="usage").text = " ".join(reserved)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


# What of our uses RSL has a word for. Its `ai-train` also means fine-tuning: the licence itself says which of both it is.
_WORD_OF: Final = {"train": "ai-train", "ground": "ai-input", "index": "ai-index"}


def write_licence(granted: Granted) -> bytes:
    """An RSL document of one licence. To everybody but its holder it says that a licence is needed."""
    root = etree.Element(f"{{{NAMESPACE}}}rsl", nsmap={None: NAMESPACE})
    content = _add(root, "content", url=_plain(granted.works))
    licence = _add(content, "license")
    uses = EVERYTHING if terms.ANY in granted.uses else granted.uses
    permitted = [word for use, word in _WORD_OF.items() if use in uses] if granted.stands else []
    if permitted:
        _add(licence, "permits", type="usage").text = " ".join(permitted)
        if terms.ANY not in granted.territory:
            _add(licence, "permits", type="geo").text = " ".join(granted.territory)
    else:
        _add(licence, "prohibits", type="usage").text = "ai-all"
    _add(_add(licence, "payment", type="subscription"), "custom").text = granted.confirmed_at
    _add(content, "copyright", type="organization").text = _plain(granted.holder)
    _add(content, "terms").text = granted.confirmed_at
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)


def _plain(text: str) -> str:
    """Without what XML cannot hold."""
    return "".join(c for c in text if c >= " " and not "\ud800" <= c <= "\udfff" and c not in "\ufffe\uffff")


def _add(parent: etree._Element, name: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, f"{{{NAMESPACE}}}{name}", attributes)
