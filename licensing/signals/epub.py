"""EPUB: `<meta property="tdm:reservation">` in the package document. The book is a zip, read within bounds."""

from __future__ import annotations

import io
import itertools
import zipfile
import zlib
from typing import Final

from lxml import etree

from accounts.identity.core import say
from licensing.signals.core import MIB, MOST_BYTES, Signal
from licensing.signals.hardened import NotRead, xml_of
from licensing.signals.tdmrep import POLICY, RESERVATION, said_in
from licensing.signals.vocabulary import TDMREP

SOURCE: Final = "epub"
NAMESPACE: Final = "http://www.w3.org/ns/tdmrep#"
CONTAINER: Final = "META-INF/container.xml"
MOST_MEMBERS: Final = 100_000
MOST_PACKAGE: Final = 4 * MIB  # unpacked
MOST_CONTAINER: Final = MIB
_OPF: Final = "{http://www.idpf.org/2007/opf}"
_CONTAINER: Final = "{urn:oasis:names:tc:opendocument:xmlns:container}"
_NAMES: Final = {"reservation": RESERVATION, "policy": POLICY}


def read(raw: bytes) -> Signal:
    """The reservation of a book. `raw` of the signal is the package document, which makes it."""
    try:
        package = _package(raw)
        root = xml_of(package, MOST_PACKAGE)
    except NotRead as problem:
        return Signal(SOURCE, TDMREP, problems=(str(problem),))
    prefixes = _prefixes(root.get("prefix", ""))
    found = []
    for tag in root.iter(f"{_OPF}meta"):
        prefix, colon, name = tag.get("property", "").strip().partition(":")
        if colon and name in _NAMES and prefixes.get(prefix, "") == NAMESPACE and not tag.get("refines"):
            found.append((_NAMES[name], "".join(tag.itertext()).strip()))
    return said_in(SOURCE, package, found)


def _prefixes(declared: str) -> dict[str, str]:
    """What `prefix="tdm: http://…"` declares; `tdm` means TDMRep also where the declaration is missing."""
    words = declared.split()
    found = {name.removesuffix(":"): address for name, address in itertools.pairwise(words) if name.endswith(":")}
    return {"tdm": NAMESPACE} | found


def _package(raw: bytes) -> bytes:
    """The package document that the container names. Raises NotRead."""
    if len(raw) > MOST_BYTES[SOURCE]:
        raise NotRead(say("The file is longer than {most} bytes and was not read.", most=MOST_BYTES[SOURCE]))
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as book:
            if len(book.filelist) > MOST_MEMBERS:
                raise NotRead(say("The book has more than {most} files and was not read.", most=MOST_MEMBERS))
            container = xml_of(_member(book, CONTAINER, MOST_CONTAINER), MOST_CONTAINER)
            paths = [each.get("full-path", "") for each in container.iter(f"{_CONTAINER}rootfile")]
            if not any(paths):
                raise NotRead(say("The book names no package document."))
            return _member(book, next(path for path in paths if path), MOST_PACKAGE)
    except (
        zipfile.BadZipFile,
        EOFError,
        OSError,
        zlib.error,
        NotImplementedError,
        RuntimeError,
        ValueError,
    ) as failure:
        raise NotRead(say("The book is damaged or locked and cannot be unpacked.")) from failure


def _member(book: zipfile.ZipFile, name: str, most: int) -> bytes:
    """One file of the book, unpacked up to a bound, whatever size it claims to have."""
    try:
        with book.open(name) as member:
            content = member.read(most + 1)
    except KeyError as failure:
        raise NotRead(say("The book has no file {name}.", name=name[:200])) from failure
    if len(content) > most:
        raise NotRead(say("A file of the book is longer than {most} bytes and was not read.", most=most))
    return content


def write_meta(headers: dict[str, str]) -> str:
    """The lines for the `<metadata>` of a package document, of what `tdmrep.write_headers` gives.

    The `<package>` needs `prefix="tdm: http://www.w3.org/ns/tdmrep#"`.

    >>> print(write_meta({"tdm-reservation": "1"}))
    <meta property="tdm:reservation">1</meta>
    """
    lines = []
    for name, value in headers.items():
        tag = etree.Element("meta", property=f"tdm:{name.removeprefix('tdm-')}")
        tag.text = value
        lines.append(etree.tostring(tag, encoding="unicode"))
    return "\n".join(lines)
