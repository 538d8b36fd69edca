"""All readers by the source of their signals, and which of them reads a file that somebody handed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from accounts.identity.core import say
from licensing.signals import cawg, content_usage, epub, markup, pdf, robots, rsl, tdmai, tdmrep
from licensing.signals.core import Signal

Reader = Callable[[bytes], Signal | None]

_HEAD: Final = 4_096


def read_headers(raw: bytes) -> Signal | None:
    """TDMRep's headers as text, a line each."""
    lines = raw.decode("utf-8", "replace").replace("\r", "").split("\n")
    return tdmrep.read_headers(
        [(name.strip(), value) for name, colon, value in (line.partition(":") for line in lines) if colon]
    )


READERS: Final[Mapping[str, Reader]] = {
    robots.SOURCE: robots.read,
    content_usage.SOURCE: content_usage.read,
    content_usage.SIGNAL_SOURCE: content_usage.read_signal,
    tdmrep.SOURCE: tdmrep.read,
    tdmrep.HEADER_SOURCE: read_headers,
    markup.SOURCE: markup.read,
    epub.SOURCE: epub.read,
    pdf.SOURCE: pdf.read,
    rsl.SOURCE: rsl.read,
    cawg.SOURCE: cawg.read,
    tdmai.SOURCE: tdmai.read,
}

# What carries content credentials, by the first bytes of a file.
_MEDIA: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
    (b"ID3", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
)


def media_type_of(raw: bytes) -> str:
    """The kind of picture, sound or film that a file is by its first bytes; "" for others."""
    for start, media_type in _MEDIA:
        if raw.startswith(start):
            return media_type
    if raw[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/avi"}.get(raw[8:12], "")
    if raw[4:8] == b"ftyp":
        brand = raw[8:12]
        return {b"avif": "image/avif", b"heic": "image/heic", b"mif1": "image/heif", b"M4A ": "audio/mp4"}.get(
            brand, "video/mp4"
        )
    return ""


def sniff(name: str, media_type: str, raw: bytes) -> Reader | None:
    """The reader for a file, by what it holds rather than by what it is called; none for a kind that states nothing.

    >>> sniff("terms.txt", "", b'[{"location": "/", "tdm-reservation": 1}]').__module__
    'licensing.signals.tdmrep'
    """
    head = raw[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n")
    if raw.startswith(b"PK"):
        return epub.read
    if b"%PDF-" in raw[:1_024]:
        return _pdf
    pictured = media_type_of(raw)
    if pictured:
        return lambda content: cawg.read_file(content, media_type=pictured)
    if head[:1] in (b"{", b"["):
        return _json(head)
    if head[:1] == b"<":
        return _markup(head, name)
    return _lines(name, media_type, head)


def _pdf(raw: bytes) -> Signal | None:
    """A PDF may reserve itself in two ways; where it does in both, the file's own metadata speaks, and more strictly."""
    signal = pdf.read(raw)
    if signal.statements:
        return signal
    credentials = cawg.read_file(raw, media_type="application/pdf")
    return credentials if credentials and credentials.statements else signal


def _json(head: bytes) -> Reader:
    if b'"iscc"' in head:
        return tdmai.read
    if b'"location"' in head or b'"tdm-reservation"' in head:
        return tdmrep.read
    return cawg.read


def _markup(head: bytes, name: str) -> Reader:
    if rsl.NAMESPACE.encode() in head or b"<rsl" in head:
        return rsl.read
    if b"<html" in head.lower() or b"<meta" in head.lower() or name.lower().endswith((".html", ".htm")):
        return markup.read
    return rsl.read


def _lines(name: str, media_type: str, head: bytes) -> Reader | None:
    lowered = head.lower()
    if b"user-agent" in lowered or name.lower().endswith("robots.txt"):
        return robots.read
    if b"tdm-reservation" in lowered:
        return read_headers
    if lowered.startswith((b"content-usage:", b"content-signal:")):
        read_value = content_usage.read if lowered.startswith(b"content-usage:") else content_usage.read_signal
        return lambda content: read_value(content.partition(b":")[2])
    if any(word in lowered for word in (b"train-ai=", b"search=")) and len(head) < 500:
        return content_usage.read
    return None


def read_file(name: str, media_type: str, raw: bytes) -> Signal:
    """What an uploaded file states. One of a kind that is not known states nothing, and says so."""
    reader = sniff(name, media_type, raw)
    if reader is None:
        return Signal("", "", problems=(say("This kind of file is not known to state anything."),))
    signal = reader(raw)
    if signal is None:
        return Signal("", "", problems=(say("The file is readable and reserves nothing."),))
    return signal
