"""ONIX 3 for books, reference and short tags: each product with its identifiers, title, contributors and work.

XML from strangers: no entities, no network, no document type, and no product larger than its bounds in memory.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, cast

from lxml import etree

from accounts.identity.core import Refusal, gettext_noop, say
from licensing.intake.core import Limits
from licensing.intake.formats import text

MOST_ELEMENTS: Final = 20_000  # of one product
MOST_TEXT: Final = 1 << 20  # characters of one product
_MANIFESTATION_OF: Final = "01"
_DELETE: Final = "05"
_DEFINITIVE, _PRODUCT_LEVEL = "01", "01"
_FIRST_PUBLISHED, _PUBLISHED = "11", "01"

# Short tag → reference name, of what is read.
_NAMES: Final = {
    "ONIXmessage": "ONIXMessage", "product": "Product", "a001": "RecordReference", "a002": "NotificationType",
    "productidentifier": "ProductIdentifier", "b221": "ProductIDType", "b233": "IDTypeName", "b244": "IDValue",
    "descriptivedetail": "DescriptiveDetail", "b012": "ProductForm", "titledetail": "TitleDetail", "b202": "TitleType",
    "titleelement": "TitleElement", "x409": "TitleElementLevel", "b203": "TitleText", "b030": "TitlePrefix",
    "b031": "TitleWithoutPrefix", "b029": "Subtitle", "contributor": "Contributor", "b034": "SequenceNumber",
    "b035": "ContributorRole", "b036": "PersonName", "b037": "PersonNameInverted", "b039": "NamesBeforeKey",
    "b040": "KeyNames", "b047": "CorporateName", "language": "Language", "b253": "LanguageRole", "b252": "LanguageCode",
    "publishingdetail": "PublishingDetail", "publishingdate": "PublishingDate", "x448": "PublishingDateRole", "b306": "Date",
    "relatedmaterial": "RelatedMaterial", "relatedwork": "RelatedWork", "x454": "WorkRelationCode",
    "workidentifier": "WorkIdentifier", "b201": "WorkIDType",
}  # fmt: skip
# ISO 639-2/B → the two letters that the register uses; other languages keep their three.
_LANGUAGES: Final = {
    "eng": "en", "kor": "ko", "jpn": "ja", "chi": "zh", "zho": "zh", "fre": "fr", "fra": "fr", "ger": "de", "deu": "de",
    "spa": "es", "ita": "it", "por": "pt", "rus": "ru", "dut": "nl", "nld": "nl", "swe": "sv", "dan": "da", "nor": "no",
    "fin": "fi", "pol": "pl", "cze": "cs", "ces": "cs", "hun": "hu", "gre": "el", "ell": "el", "tur": "tr", "ara": "ar",
    "heb": "he", "hin": "hi", "vie": "vi", "tha": "th", "ind": "id", "ukr": "uk", "lat": "la",
}  # fmt: skip
_BOOK_FORMS: Final = "ABDE"  # audio, printed, digital on a carrier, digital

NO_TITLE = gettext_noop("the product has no title")
NO_IDENTIFIER = gettext_noop("the product has no ISBN")
NO_REFERENCE = gettext_noop("the product has no record reference")
DELETION = gettext_noop("asks to delete the product: nothing is deleted by a file, do it by hand")
TOO_LARGE = gettext_noop("the product is too large")
ENTITIES = gettext_noop("the product has references to entities")


@dataclass(frozen=True, slots=True)
class Contributor:
    role: str  # code of list 17, such as A01
    name: str


@dataclass(frozen=True, slots=True)
class Product:
    """One product, by its place in the file; with `problem` (column, value, reason) it cannot be taken."""

    row: int
    reference: str
    isbns: tuple[str, ...] = ()
    title: str = ""
    contributors: tuple[Contributor, ...] = ()
    language: str = ""
    published: str = ""
    form: str = ""
    works: tuple[
        tuple[str, str, str], ...
    ] = ()  # (type, name of the type, value) of the works that it is an edition of
    problem: tuple[str, str, str] | None = None

    @property
    def creators(self) -> str:
        """Who made the content (roles A…); where nobody is named as such, who edited or translated it (B…)."""
        for letter in "AB":
            names = dict.fromkeys(c.name for c in self.contributors if c.role.startswith(letter))
            if names:
                return "; ".join(names)
        return ""

    @property
    def kind(self) -> str:
        """The kind of work by the product's form (list 150)."""
        if self.form == "PI":
            return "music"
        if self.form[:1] in ("V", "F"):
            return "audiovisual"
        return "book" if not self.form or self.form[0] in _BOOK_FORMS or self.form == "00" else "other"

    @property
    def work(self) -> str:
        """A reference for the work: by its own identifier where one is given, so that its editions share it; else by ISBN."""
        for kind, name, value in self.works:
            if kind == "15":
                return f"ISBN-{_plain(value)}"
            known = hashlib.sha256("\0".join((kind, name, value)).encode()).hexdigest()[:10]
            return f"ONIX-{re.sub(r'[^A-Za-z0-9._-]', '-', value)[:40]}-{known}"
        return f"ISBN-{_plain(self.isbns[0])}" if self.isbns else ""


def _plain(number: str) -> str:
    return re.sub(r"[^0-9Xx]", "", number)[:13].upper()


class _Stream:
    """A file's unpacked bytes as the parser reads them."""

    def __init__(self, path: Path, limits: Limits) -> None:
        self._pieces = text.pieces(path, limits)
        self._rest = b""

    def read(self, size: int = -1) -> bytes:
        if not self._rest:
            self._rest = next(self._pieces, b"")
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


def read(path: Path, limits: Limits) -> Iterator[Product]:
    """The products of a message, in order. Raises Refusal `broken_xml`, `not_onix`, `onix_version` or `entities`."""
    events = etree.iterparse(
        cast("IO[bytes]", _Stream(path, limits)), events=("start", "end"), resolve_entities=False, no_network=True,
        huge_tree=False, load_dtd=False, dtd_validation=False, remove_comments=True, remove_pis=True,
        encoding=_spoken(path, limits),
    )  # fmt: skip
    reader = _Reader()
    try:
        for event, element in events:
            if event == "start":
                reader.begin(element)
            elif product := reader.end(element):
                yield product
    except etree.XMLSyntaxError as error:
        line = error.position[0] if error.position else 0
        detail = say(
            "The XML is broken in line {line}: {what}",
            line=line,
            what=str(error.msg).partition(", line")[0].strip()[:200],
        )
        raise Refusal("broken_xml", detail, row=line) from error
    if not reader.began:
        raise Refusal("empty_file", say("The file is empty."))


def _spoken(path: Path, limits: Limits) -> str | None:
    """The encoding where the file says none, or says UTF-8 and is not; None where the parser may believe it."""
    head = next(text.pieces(path, limits), b"")[:200]
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return None
    said = re.search(rb"encoding\s*=\s*[\"']([A-Za-z0-9._-]+)", head)
    if said and said[1].lower() not in (b"utf-8", b"utf8"):
        return None
    found = text.encoding_of(path, limits)
    return None if found == "utf-8" else found


class _Reader:
    """Follows the parser: one product at a time in memory, and of one that is too large nothing."""

    def __init__(self) -> None:
        self.began = False
        self._row = self._elements = self._text = 0
        self._inside = False

    def begin(self, element: etree._Element) -> None:
        name = _name(element)
        if not self.began:
            self._check(element, name)
        elif name == "Product" and not self._inside:
            self._inside, self._elements, self._text = True, 0, 0
            self._row += 1
        elif self._inside:
            self._elements += 1

    def end(self, element: etree._Element) -> Product | None:
        parent = element.getparent()
        if not self._inside:
            if parent is not None and parent.getparent() is None:
                _forget(element)
            return None
        self._text += len(element.text or "") + len(element.tail or "")
        large = self._elements > MOST_ELEMENTS or self._text > MOST_TEXT
        if _name(element) == "Product" and parent is not None and parent.getparent() is None:
            self._inside = False
            product = _refused(self._row, TOO_LARGE) if large else _product(self._row, element)
            _forget(element)
            return product
        if large:
            element.clear()
        return None

    def _check(self, element: etree._Element, name: str) -> None:
        self.began = True
        internal = element.getroottree().docinfo.internalDTD
        if internal is not None and any(internal.iterentities()):
            raise Refusal("entities", say("The file declares entities. Send it without a document type."))
        if name != "ONIXMessage":
            raise Refusal("not_onix", say("This is no ONIX message: it begins with {tag}.", tag=str(element.tag)[:60]))
        release = element.get("release", "")
        if not release.startswith("3"):
            raise Refusal("onix_version", say("This is ONIX {version}. ONIX 3 is read.", version=release[:10] or "?"))


def _forget(element: etree._Element) -> None:
    """Free an element and all that stood before it."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def _name(element: etree._Element) -> str:
    """The reference name of an element, of any namespace or none."""
    tag = element.tag
    if not isinstance(tag, str):
        return ""
    local = tag.rpartition("}")[2]
    return _NAMES.get(local, local)


def _refused(row: int, reason: str, reference: str = "") -> Product:
    return Product(row, reference, problem=("", reference, reason))


def _children(element: etree._Element | None, name: str) -> list[etree._Element]:
    return [child for child in element if _name(child) == name] if element is not None else []


def _within(element: etree._Element | None, *names: str) -> list[etree._Element]:
    """The elements at the end of a path of names."""
    found = [element] if element is not None else []
    for name in names:
        found = [child for parent in found for child in _children(parent, name)]
    return found


def _said(element: etree._Element, name: str) -> str:
    for child in _children(element, name):
        return " ".join("".join(child.itertext()).split())
    return ""


def _product(row: int, element: etree._Element) -> Product:
    reference = _said(element, "RecordReference")[:200]
    if next(element.iter(etree.Entity), None) is not None:
        return _refused(row, ENTITIES, reference)
    if _said(element, "NotificationType") == _DELETE:
        return _refused(row, DELETION, reference)
    detail = next(iter(_children(element, "DescriptiveDetail")), None)
    identifiers = [(_said(i, "ProductIDType"), _said(i, "IDValue")) for i in _children(element, "ProductIdentifier")]
    isbns = [value for kind, value in identifiers if value and _is_isbn(kind, value)]
    title = _title(detail)
    missing = (
        (NO_REFERENCE, not reference), (NO_IDENTIFIER, not isbns), (NO_TITLE, not title),
    )  # fmt: skip
    for reason, fails in missing:
        if fails:
            return _refused(row, reason, reference)
    return Product(
        row=row, reference=reference, isbns=tuple(dict.fromkeys(isbns)), title=title, contributors=_contributors(detail),
        language=_language(detail), published=_published(element), form=_said(detail, "ProductForm") if detail is not None else "",
        works=tuple(
            (_said(i, "WorkIDType"), _said(i, "IDTypeName"), value)
            for related in _within(element, "RelatedMaterial", "RelatedWork")
            if _said(related, "WorkRelationCode") == _MANIFESTATION_OF
            for i in _children(related, "WorkIdentifier")
            if (value := _said(i, "IDValue"))
        ),
    )  # fmt: skip


def _is_isbn(kind: str, value: str) -> bool:
    """ISBN-13, ISBN-10, or an EAN that is one."""
    return kind in ("15", "02") or (kind == "03" and _plain(value).startswith(("978", "979")))


def _title(detail: etree._Element | None) -> str:
    """The distinctive title: prefix, text, and the subtitle after a colon."""
    for titled in _children(detail, "TitleDetail"):
        if _said(titled, "TitleType") != _DEFINITIVE:
            continue
        elements = _children(titled, "TitleElement")
        own = [e for e in elements if _said(e, "TitleElementLevel") == _PRODUCT_LEVEL] or elements
        for element in own:
            stem = f"{_said(element, 'TitlePrefix')} {_said(element, 'TitleWithoutPrefix')}".strip()
            main, more = _said(element, "TitleText") or stem, _said(element, "Subtitle")
            if main:
                return f"{main}: {more}" if more else main
    return ""


def _contributors(detail: etree._Element | None) -> tuple[Contributor, ...]:
    found = []
    for place, element in enumerate(_children(detail, "Contributor")):
        number = _said(element, "SequenceNumber")
        inverted = " ".join(reversed([part.strip() for part in _said(element, "PersonNameInverted").split(",", 1)]))
        keyed = f"{_said(element, 'NamesBeforeKey')} {_said(element, 'KeyNames')}".strip()
        name = _said(element, "PersonName") or keyed or inverted or _said(element, "CorporateName")
        role = _said(element, "ContributorRole")
        if name:
            found.append(
                (int(number[:9]) if number.isdecimal() else place, place, Contributor(role, name.replace(";", ",")))
            )
    return tuple(contributor for _number, _place, contributor in sorted(found, key=lambda each: each[:2]))


def _language(detail: etree._Element | None) -> str:
    for element in _children(detail, "Language"):
        if _said(element, "LanguageRole") == "01":
            code = _said(element, "LanguageCode").lower()
            return _LANGUAGES.get(code, code if re.fullmatch("[a-z]{3}", code) else "")
    return ""


def _published(element: etree._Element) -> str:
    """The day of the work's first publication where it is given, else of the product's: as 2026, 2026-01 or 2026-01-31."""
    dates = {
        _said(date, "PublishingDateRole"): re.sub(r"\D", "", _said(date, "Date"))[:8]
        for date in _within(element, "PublishingDetail", "PublishingDate")
    }
    digits = dates.get(_FIRST_PUBLISHED) or dates.get(_PUBLISHED, "")
    parts = [digits[:4], digits[4:6], digits[6:8]]
    if len(digits) not in (4, 6, 8) or any(not int(part) for part in parts if part):
        return digits[:4] if len(digits) >= 4 and int(digits[:4]) else ""
    return "-".join(part for part in parts if part)
