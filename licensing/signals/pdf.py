"""PDF: `tdm:reservation` and `tdm:policy` in the XMP metadata of the document."""

from __future__ import annotations

import io
import zlib
from typing import Final

import pikepdf
import pikepdf.settings
from lxml import etree

from accounts.identity.core import say
from licensing.signals.core import MIB, MOST_BYTES, Signal
from licensing.signals.hardened import NotRead, xml_of
from licensing.signals.tdmrep import POLICY, RESERVATION, said_in
from licensing.signals.vocabulary import TDMREP

SOURCE: Final = "pdf"
NAMESPACE: Final = "http://www.w3.org/ns/tdmrep/"
MOST_METADATA: Final = 4 * MIB
# What the library unpacks by itself while it looks for the metadata. Nobody else here reads PDFs with it.
pikepdf.settings.set_qpdf_limits(
    flate_max_memory=64 * MIB, png_max_memory=64 * MIB, tiff_max_memory=64 * MIB, run_length_max_memory=64 * MIB,
    doc_max_warnings=1_000,
)  # fmt: skip
_SPACES: Final = (NAMESPACE, NAMESPACE.rstrip("/"), NAMESPACE.rstrip("/") + "#")
_NAMES: Final = {"reservation": RESERVATION, "policy": POLICY}


def read(raw: bytes) -> Signal:
    """The reservation of a document. `raw` of the signal is the XMP packet, which makes it."""
    try:
        packet = _packet(raw)
        root = xml_of(packet, MOST_METADATA)
    except NotRead as problem:
        return Signal(SOURCE, TDMREP, problems=(str(problem),))
    return said_in(SOURCE, packet, list(_found(root)))


def _found(root: etree._Element) -> list[tuple[str, str]]:
    """XMP writes a property as an element or as an attribute of its description."""
    found = []
    for element in root.iter():
        for tag, value in [(element.tag, "".join(element.itertext())), *element.attrib.items()]:
            name = etree.QName(tag)
            if name.namespace in _SPACES and name.localname in _NAMES:
                found.append((_NAMES[name.localname], value.strip()))
    return found


def _packet(raw: bytes) -> bytes:
    """The document's metadata, unpacked within bounds. Raises NotRead."""
    if len(raw) > MOST_BYTES[SOURCE]:
        raise NotRead(say("The file is longer than {most} bytes and was not read.", most=MOST_BYTES[SOURCE]))
    try:
        with pikepdf.open(io.BytesIO(raw), suppress_warnings=True) as document:
            metadata = document.Root.get("/Metadata")
            if not isinstance(metadata, pikepdf.Stream):
                raise NotRead(say("The document has no metadata, so it reserves nothing itself."))
            return _unpacked(metadata)
    except (pikepdf.PdfError, pikepdf.PasswordError, ValueError, TypeError, RuntimeError, OSError) as failure:
        raise NotRead(say("The PDF is damaged or locked and cannot be read.")) from failure


def _unpacked(metadata: pikepdf.Stream) -> bytes:
    packed = metadata.read_raw_bytes()
    if len(packed) > MOST_METADATA:
        raise NotRead(_too_long())
    kinds = metadata.get("/Filter")
    if kinds is None:
        return packed
    names = [str(kind) for kind in kinds] if isinstance(kinds, pikepdf.Array) else [str(kinds)]
    if names != ["/FlateDecode"] or metadata.get("/DecodeParms") is not None:
        raise NotRead(say("The metadata of the PDF is packed in a way that is not read."))
    return _inflated(packed)


def _inflated(packed: bytes) -> bytes:
    unpacking = zlib.decompressobj()
    try:
        content = unpacking.decompress(packed, MOST_METADATA + 1)
    except zlib.error as failure:
        raise NotRead(say("The PDF is damaged or locked and cannot be read.")) from failure
    if len(content) > MOST_METADATA:
        raise NotRead(_too_long())
    return content


def _too_long() -> str:
    return say("The metadata of the PDF is longer than {most} bytes and was not read.", most=MOST_METADATA)
